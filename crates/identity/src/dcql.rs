//! What a verifier asks for: a part of the Digital Credentials Query Language (OpenID4VP 1.0, 6).
//!
//! ```text
//! { "credentials": [ { "id": "person", "format": "dc+sd-jwt",
//!                      "meta": { "vct_values": ["https://town.example/person/1"] },
//!                      "claims": [ { "path": ["age", "18"], "values": [true] } ] } ],
//!   "credential_sets": [ { "options": [["person"]], "required": true } ] }
//! ```
//!
//! The same code answers and checks: a holder sees which of their credentials fit ([`Query::answers`])
//! and what has to be shown of one ([`CredentialQuery::shown`]: what was asked, what leads there, and
//! nothing else); a verifier sees whether what came is what was asked ([`Query::check`]).
//!
//! Not taken, and refused by name rather than passed over, for an answer would say more or less than was
//! asked: numbers in paths (a place in a list of which elements are hidden is not the same for both
//! sides), `claim_sets`, `multiple`, `trusted_authorities`, presentations without key binding, other
//! formats. Sets that are not required are not answered. Other members are passed over, as the standard
//! says.

mod matching;
mod parse;
#[cfg(test)]
mod tests;

use core::fmt;

use serde_json::Value;

pub use matching::{Answer, Lack, Unanswerable, Unanswered};

/// A question: which credentials, and what of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Credentials, each with its own id; 1 to [`crate::limits::QUERY_CREDENTIALS_MAX`].
    pub credentials: Vec<CredentialQuery>,
    /// Which of them are enough together; none: all are wanted.
    pub sets: Vec<CredentialSet>,
}

/// One credential that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialQuery {
    /// Its name in the question and in the answer.
    pub id: String,
    /// Types that will do (`vct`).
    pub types: Vec<String>,
    /// Claims to be shown; none: only what is always shown.
    pub claims: Vec<ClaimQuery>,
}

/// One claim that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ClaimQuery {
    /// Where it is.
    pub path: ClaimPath,
    /// Values that will do; none: any.
    pub values: Vec<Value>,
}

/// The way to claims from the top. Shown as `/address/street`, `/nationalities/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(pub Vec<ClaimStep>);

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimStep {
    /// To the member of an object.
    Name(String),
    /// To every element of a list.
    Every,
}

/// Credentials of which one option is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialSet {
    /// Ids, each option complete in itself, the one that the verifier likes best first.
    pub options: Vec<Vec<String>>,
    /// Whether there is no answer without it.
    pub required: bool,
}

/// Why a question is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryError {
    /// A member is missing or has not the form it must have.
    Form(&'static str),
    /// More of these than [`crate::limits`] allow.
    TooMany(&'static str),
    /// An id that stands twice, or that no credential has.
    Id,
    /// Something that would change what is asked and is not known here.
    Unsupported(&'static str),
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(member) => write!(f, "{member} of the question has a wrong form"),
            Self::TooMany(what) => write!(f, "the question has too many {what}"),
            Self::Id => f.write_str("an id of the question stands twice or names nothing"),
            Self::Unsupported(member) => write!(f, "{member} in a question is not known here"),
        }
    }
}

impl core::error::Error for QueryError {}

impl Query {
    /// The question for one credential of one type.
    pub fn of(credential_type: &str, claims: Vec<ClaimQuery>) -> Self {
        let types = vec![credential_type.to_owned()];
        let query = CredentialQuery { id: "credential".to_owned(), types, claims };
        Self { credentials: vec![query], sets: Vec::new() }
    }

    /// The credential of an id.
    pub fn credential(&self, id: &str) -> Option<&CredentialQuery> {
        self.credentials.iter().find(|credential| credential.id == id)
    }
}

impl ClaimPath {
    /// The path of a text: steps after slashes, `*` for every element of a list, `~1` and `~0` for a
    /// slash and a tilde in a name.
    pub fn parse(text: &str) -> Option<Self> {
        let step = |part: &str| match part {
            "*" => ClaimStep::Every,
            name => ClaimStep::Name(name.replace("~1", "/").replace("~0", "~")),
        };
        Some(Self(text.strip_prefix('/')?.split('/').map(step).collect()))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            ClaimStep::Name(name) => write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")),
            ClaimStep::Every => f.write_str("/*"),
        })
    }
}
