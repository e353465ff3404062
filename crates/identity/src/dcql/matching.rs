//! Which credentials answer a question, and what of them.

use core::fmt;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{ClaimPath, ClaimQuery, ClaimStep, CredentialQuery, CredentialSet, Query};
use crate::sd_jwt::{Credential, Path, Step, Verified};

/// What may answer one part of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<'q> {
    /// What is asked for.
    pub query: &'q CredentialQuery,
    /// Which of the holder's credentials fit, by their place in the list that was given.
    pub held: Vec<usize>,
}

/// Why a credential is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// It is of another type.
    Type,
    /// It has no such claim, or this is not shown.
    Claim(ClaimPath),
    /// The claim says something else than was asked for.
    Value(ClaimPath),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => f.write_str("it is of another type"),
            Self::Claim(path) => write!(f, "the claim {path} is not there"),
            Self::Value(path) => write!(f, "the claim {path} has another value"),
        }
    }
}

/// Why a holder can't answer: the part of the question, and what the credential lacks that comes
/// nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswerable {
    /// The id of what is asked for.
    pub id: String,
    /// What is missing.
    pub lack: Lack,
}

impl fmt::Display for Unanswerable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.lack {
            Lack::Type => write!(f, "no credential of the type asked for as {}", self.id),
            lack => write!(f, "no credential fits {}: {lack}", self.id),
        }
    }
}

impl core::error::Error for Unanswerable {}

/// Why what came is not what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// Something came under an id that nobody asked for.
    NotAsked(String),
    /// A credential that does not fit.
    Lacks(String, Lack),
    /// Something that was asked for did not come.
    Missing(String),
}

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked(id) => write!(f, "{id} was not asked for"),
            Self::Lacks(id, lack) => write!(f, "{id} is not what was asked for: {lack}"),
            Self::Missing(id) => write!(f, "{id} was asked for and did not come"),
        }
    }
}

impl core::error::Error for Unanswered {}

impl Query {
    /// What of `held` answers the question: of each set that is required its first option that can be
    /// answered; everything, where there are no sets.
    ///
    /// # Errors
    /// Something is asked for that no credential shows.
    pub fn answers(&self, held: &[&Verified]) -> Result<Vec<Answer<'_>>, Unanswerable> {
        if self.sets.is_empty() {
            return self.credentials.iter().map(|query| query.answer(held)).collect();
        }
        let mut chosen: Vec<Answer<'_>> = Vec::new();
        for set in self.sets.iter().filter(|set| set.required) {
            for answer in self.answer_set(set, held)? {
                if chosen.iter().all(|known| known.query.id != answer.query.id) {
                    chosen.push(answer);
                }
            }
        }
        Ok(chosen)
    }

    /// The first option that can be answered; of none, what the first lacks.
    fn answer_set(
        &self,
        set: &CredentialSet,
        held: &[&Verified],
    ) -> Result<Vec<Answer<'_>>, Unanswerable> {
        let mut lacking = None;
        for option in &set.options {
            let queries = option.iter().filter_map(|id| self.credential(id));
            let answers: Result<Vec<_>, _> = queries.map(|query| query.answer(held)).collect();
            match answers {
                Ok(answers) => return Ok(answers),
                Err(lack) => lacking = lacking.or(Some(lack)),
            }
        }
        // A set has an option (`Query::parse`); of one that has none, nothing is asked.
        lacking.map_or(Ok(Vec::new()), Err)
    }

    /// Whether what was verified answers the question.
    ///
    /// # Errors
    /// The first [`Unanswered`].
    pub fn check(&self, given: &BTreeMap<String, Verified>) -> Result<(), Unanswered> {
        for (id, verified) in given {
            let query = self.credential(id).ok_or_else(|| Unanswered::NotAsked(id.clone()))?;
            query.fits(verified).map_err(|lack| Unanswered::Lacks(id.clone(), lack))?;
        }
        let missing = |id: &&str| !given.contains_key(*id);
        let missing = if self.sets.is_empty() {
            self.credentials.iter().map(|query| query.id.as_str()).find(missing)
        } else {
            let open = self.sets.iter().filter(|set| set.required).find(|set| {
                !set.options.iter().any(|option| option.iter().all(|id| given.contains_key(id)))
            });
            open.and_then(|set| set.options.first()?.iter().map(String::as_str).find(missing))
        };
        missing.map_or(Ok(()), |id| Err(Unanswered::Missing(id.to_owned())))
    }
}

impl CredentialQuery {
    /// Whether a credential is what is asked for.
    ///
    /// # Errors
    /// What it lacks.
    pub fn fits(&self, verified: &Verified) -> Result<(), Lack> {
        if !self.types.contains(&verified.credential_type) {
            return Err(Lack::Type);
        }
        self.claims.iter().try_for_each(|claim| claim.fits(&verified.claims))
    }

    /// What to show of a credential and no more: where it is asked for, what leads there, and what is
    /// within; in order.
    pub fn shown(&self, credential: &Credential) -> Vec<Path> {
        let asked = |choice: &&Path| self.claims.iter().any(|claim| claim.path.is_on_way(choice));
        let mut shown: Vec<Path> = credential.choices().iter().filter(asked).cloned().collect();
        shown.sort();
        shown
    }

    fn answer(&self, held: &[&Verified]) -> Result<Answer<'_>, Unanswerable> {
        let mut nearest = Lack::Type;
        let mut fitting = Vec::new();
        for (place, verified) in held.iter().enumerate() {
            match self.fits(verified) {
                Ok(()) => fitting.push(place),
                Err(Lack::Type) => {}
                Err(lack) => nearest = lack,
            }
        }
        if fitting.is_empty() {
            return Err(Unanswerable { id: self.id.clone(), lack: nearest });
        }
        Ok(Answer { query: self, held: fitting })
    }
}

impl ClaimQuery {
    fn fits(&self, claims: &Map<String, Value>) -> Result<(), Lack> {
        let Some((ClaimStep::Name(first), rest)) = self.path.0.split_first() else {
            return Err(Lack::Claim(self.path.clone()));
        };
        let mut found: Vec<&Value> = claims.get(first).into_iter().collect();
        for step in rest {
            found = found.into_iter().flat_map(|value| children(value, step)).collect();
        }
        if found.is_empty() {
            return Err(Lack::Claim(self.path.clone()));
        }
        let wanted =
            self.values.is_empty() || found.iter().any(|value| self.values.contains(value));
        if wanted { Ok(()) } else { Err(Lack::Value(self.path.clone())) }
    }
}

fn children<'a>(value: &'a Value, step: &ClaimStep) -> Vec<&'a Value> {
    match (value, step) {
        (Value::Object(members), ClaimStep::Name(name)) => members.get(name).into_iter().collect(),
        (Value::Array(elements), ClaimStep::Every) => elements.iter().collect(),
        _ => Vec::new(),
    }
}

impl ClaimPath {
    /// Whether a choice leads here or lies within.
    fn is_on_way(&self, choice: &Path) -> bool {
        self.0.iter().zip(&choice.0).all(|pair| match pair {
            (ClaimStep::Name(name), Step::Name(other)) => name == other,
            (ClaimStep::Every, Step::Index(_)) => true,
            _ => false,
        })
    }
}
