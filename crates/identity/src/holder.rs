//! A person's credentials: kept, shown part by part, each copy once.
//!
//! ```text
//! issuer asks for keys      -> Holder::keys    one for each copy, from the seed
//! issuer gives copies       -> Holder::add     checked as a verifier would
//! verifier's request        -> Holder::ask     who asks, and what would be shown of which card
//! the person agrees         -> Holder::answer  a copy that nobody has seen, where there is one
//! ```
//!
//! Copies that say the same are one [`Card`]. A copy that was shown is known again by who saw it, so
//! the next answer takes another; when none is left, the first one is shown again, and the answer says so.
//! Keys of copies follow from the seed by type and number, or are the person's own: nothing here is secret, and
//! whoever reads what is kept can show nothing. Numbers begin where a draw says: who brought the seed back and lost
//! what was kept here would give out the same keys again otherwise, and whoever saw both would know the person.
//!
//! Not here: the seed, clocks, storage, how issuers' keys are looked up, status lists.

mod keep;
#[cfg(test)]
mod tests;

use core::{cell::Cell, fmt};
use std::collections::BTreeMap;

use primitives::{Hash, Seed, sha256};
use serde_json::Value;

use crate::{
    PublicKey,
    custody::Root,
    dcql::{Answer, CredentialQuery, Unanswerable},
    json as strict,
    limits::{COPIES_MAX, HELD_BYTES_MAX, HELD_MAX, RESPONSE_BYTES_MAX, TYPES_MAX},
    request::{Request, Response},
    sd_jwt::{Credential, IssuerKeys, NoKey, Path, PresentError, Refusal, Verified},
};

/// What a copy takes beside its text where it is kept, at most: numbers, a key, lengths.
const COPY_BYTES: usize = 96;
/// The same of a type.
const TYPE_BYTES: usize = 16;
/// In place of a copy's number: it is bound to the person's own key, the one of their `did:key`. Issuers that
/// were given a name and no keys do that; whoever sees it knows the person again.
const OWN: u32 = u32::MAX;

/// Everything a person holds.
#[derive(Debug, Clone)]
pub struct Holder {
    held: Vec<Held>,
    /// The number of the first copy of each type.
    first: u32,
    /// How many keys were given out, by type: at most [`TYPES_MAX`].
    given: BTreeMap<String, u32>,
}

/// One copy.
#[derive(Debug, Clone)]
struct Held {
    credential: Credential,
    /// As it was issued.
    text: String,
    /// Which of the keys of its type it is bound to.
    copy: u32,
    /// The key that its issuer signed with.
    issuer_key: PublicKey,
    /// When it was taken, in seconds since 1970-01-01 UTC.
    added_s: u64,
    /// How often it was shown.
    shown: u32,
    /// What it has in common with its copies.
    card: Hash,
}

/// What copies that say the same look like to a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Its name on this device.
    pub id: Hash,
    /// What it says, with its issuer and type; status and key are those of the first copy.
    pub contents: Verified,
    /// From when on it does not hold; none: for ever.
    pub expires_s: Option<u64>,
    /// Copies.
    pub copies: usize,
    /// Copies that nobody has seen.
    pub fresh: usize,
}

/// Why something is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddRefusal {
    /// Neither a credential nor a list of them, or too large.
    Form,
    /// The credential proves nothing.
    Credential(Refusal),
    /// It is bound to a key that is not this person's.
    OtherKey,
    /// It is here already.
    Twice,
    /// More than [`HELD_MAX`] copies, or more than [`HELD_BYTES_MAX`] of them.
    Full,
}

impl fmt::Display for AddRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected a credential or a list of copies"),
            Self::Credential(why) => why.fmt(f),
            Self::OtherKey => f.write_str("the credential is bound to somebody else's key"),
            Self::Twice => f.write_str("the credential is here already"),
            Self::Full => {
                write!(f, "at most {HELD_MAX} copies and {HELD_BYTES_MAX} bytes are held")
            }
        }
    }
}

impl core::error::Error for AddRefusal {}

/// What would be shown of which card for one part of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The part's id in the request.
    pub id: String,
    /// Cards that answer it, and what of each is shown: no more than was asked.
    pub cards: Vec<(Hash, Vec<Path>)>,
}

/// A person's choice for one part of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pick {
    /// The part's id.
    pub id: String,
    /// Which card.
    pub card: Hash,
    /// What to show besides what was asked.
    pub more: Vec<Path>,
}

/// An answer that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub response: Response,
    /// Parts that show a copy somebody has seen before.
    pub seen_before: Vec<String>,
}

/// Why nothing is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerRefusal {
    /// Something is asked for that no card shows.
    Unanswerable(Unanswerable),
    /// No choice, or one that does not answer, for this part.
    NotChosen(String),
    /// A claim that is not there.
    Present(PresentError),
}

impl fmt::Display for AnswerRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unanswerable(why) => why.fmt(f),
            Self::NotChosen(id) => write!(f, "nothing was chosen for {id}"),
            Self::Present(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for AnswerRefusal {}

impl Holder {
    /// A person who holds nothing yet. `seed` is drawn for this alone.
    pub fn new(seed: Seed) -> Self {
        let drawn = seed.derive("identity/holder");
        let mut first = [0; 4];
        first.copy_from_slice(&drawn.as_bytes()[..4]);
        // Half of the numbers stay ahead.
        Self { held: Vec::new(), first: u32::from_le_bytes(first) >> 1, given: BTreeMap::new() }
    }

    /// Keys for that many new copies of a type, to be given to an issuer. What does not become a copy is
    /// never used again. None, where the type is too long or one too many to remember.
    pub fn keys(&mut self, root: &Root, credential_type: &str, count: usize) -> Vec<PublicKey> {
        let is_new = !self.given.contains_key(credential_type);
        let bytes = credential_type.len().saturating_add(TYPE_BYTES);
        if is_new && (self.given.len() >= TYPES_MAX || !self.has_room(bytes)) {
            return Vec::new();
        }
        let given = self.given.entry(credential_type.to_owned()).or_default();
        let count = u32::try_from(count.min(COPIES_MAX)).unwrap_or_default();
        let from = self.first.saturating_add(*given);
        *given = given.saturating_add(count);
        let to = self.first.saturating_add(*given);
        (from..to).map(|copy| root.holder_key(credential_type, copy).public()).collect()
    }

    /// Whether so much more would be read back.
    fn has_room(&self, bytes: usize) -> bool {
        let copies = self.held.iter().map(|held| held.text.len() + COPY_BYTES);
        let types = self.given.keys().map(|name| name.len() + TYPE_BYTES);
        copies.chain(types).fold(bytes + COPY_BYTES, usize::saturating_add) <= HELD_BYTES_MAX
    }

    /// Takes what an issuer gave: a credential, or a JSON list of copies. All or none. How many came.
    ///
    /// # Errors
    /// The first [`AddRefusal`] that applies.
    pub fn add(
        &mut self,
        root: &Root,
        text: &str,
        keys: &impl IssuerKeys,
        now_s: u64,
    ) -> Result<usize, AddRefusal> {
        let mut added: Vec<Held> = Vec::new();
        let mut bytes = 0_usize;
        for text in texts(text)? {
            let held = self.open(root, text, keys, now_s)?;
            let all = self.held.iter().chain(&added);
            if all.clone().any(|known| known.text == held.text) {
                return Err(AddRefusal::Twice);
            }
            bytes = bytes.saturating_add(held.text.len() + COPY_BYTES);
            if all.count() >= HELD_MAX || !self.has_room(bytes) {
                return Err(AddRefusal::Full);
            }
            added.push(held);
        }
        let count = added.len();
        self.held.append(&mut added);
        Ok(count)
    }

    fn open(
        &self,
        root: &Root,
        text: String,
        keys: &impl IssuerKeys,
        now_s: u64,
    ) -> Result<Held, AddRefusal> {
        let keys = Noting { keys, found: Cell::new(None) };
        let credential = Credential::open(&text, &keys, now_s).map_err(AddRefusal::Credential)?;
        let issuer_key = keys.found.get().ok_or(AddRefusal::Form)?;
        let contents = credential.contents();
        let given = self.given.get(&contents.credential_type).copied().unwrap_or_default();
        let key = |copy: &u32| {
            root.holder_key(&contents.credential_type, *copy).public() == contents.holder
        };
        let numbers = self.first..self.first.saturating_add(given);
        let own = || (root.identity_key().public() == contents.holder).then_some(OWN);
        let copy = numbers.rev().find(key).or_else(own).ok_or(AddRefusal::OtherKey)?;
        let card = card_of(contents);
        Ok(Held { credential, text, copy, issuer_key, added_s: now_s, shown: 0, card })
    }

    /// What there is, in the order in which it came.
    pub fn cards(&self) -> Vec<Card> {
        let mut cards: Vec<Card> = Vec::new();
        for held in &self.held {
            let fresh = usize::from(held.shown == 0);
            if let Some(card) = cards.iter_mut().find(|card| card.id == held.card) {
                card.copies += 1;
                card.fresh += fresh;
                continue;
            }
            let contents = held.credential.contents().clone();
            let expires_s = contents.claims.get("exp").and_then(Value::as_u64);
            cards.push(Card { id: held.card, contents, expires_s, copies: 1, fresh });
        }
        cards
    }

    /// Where a card's claims can be shown or left out.
    pub fn choices(&self, card: Hash) -> &[Path] {
        let held = self.held.iter().find(|held| held.card == card);
        held.map(|held| held.credential.choices()).unwrap_or_default()
    }

    /// Forgets a card; how many copies that were.
    pub fn remove(&mut self, card: Hash) -> usize {
        let before = self.held.len();
        self.held.retain(|held| held.card != card);
        before - self.held.len()
    }

    /// What would be shown for each part of a request, of which card. What has expired is no answer.
    ///
    /// # Errors
    /// Something is asked for that no card shows.
    pub fn ask(&self, request: &Request, now_s: u64) -> Result<Vec<Part>, Unanswerable> {
        let firsts = self.firsts(now_s);
        let held: Vec<&Verified> = firsts.iter().map(|held| held.credential.contents()).collect();
        let answers = request.query.answers(&held)?;
        let part = |answer: &Answer<'_>| {
            let cards = answer.held.iter().filter_map(|place| firsts.get(*place));
            let shown = |held: &&Held| (held.card, answer.query.shown(&held.credential));
            Part { id: answer.query.id.clone(), cards: cards.map(shown).collect() }
        };
        Ok(answers.iter().map(part).collect())
    }

    /// Answers a request as the person chose, and remembers which copies were shown.
    ///
    /// # Errors
    /// See [`AnswerRefusal`]; then no copy counts as shown.
    pub fn answer(
        &mut self,
        root: &Root,
        request: &Request,
        picks: &[Pick],
        now_s: u64,
    ) -> Result<Answered, AnswerRefusal> {
        let parts = self.ask(request, now_s).map_err(AnswerRefusal::Unanswerable)?;
        let (mut presentations, mut seen_before) = (BTreeMap::new(), Vec::new());
        let mut places: Vec<usize> = Vec::new();
        let audience = request.audience();
        for part in parts {
            let not_chosen = || AnswerRefusal::NotChosen(part.id.clone());
            let pick = picks.iter().find(|pick| pick.id == part.id).ok_or_else(not_chosen)?;
            let offered = part.cards.iter().find(|(card, _)| *card == pick.card);
            let (card, asked) = offered.ok_or_else(not_chosen)?;
            let place = self.copy_to_show(*card, &places).ok_or_else(not_chosen)?;
            let held = self.held.get(place).ok_or_else(not_chosen)?;
            let credential_type = &held.credential.contents().credential_type;
            let key = match held.copy {
                OWN => root.identity_key(),
                copy => root.holder_key(credential_type, copy),
            };
            let shown = [asked.as_slice(), pick.more.as_slice()].concat();
            let challenge = request.challenge(&audience);
            let text = held.credential.present(&shown, challenge, &key, now_s);
            presentations.insert(part.id.clone(), text.map_err(AnswerRefusal::Present)?);
            if held.shown > 0 || places.contains(&place) {
                seen_before.push(part.id.clone());
            }
            places.push(place);
        }
        for place in places {
            if let Some(held) = self.held.get_mut(place) {
                held.shown = held.shown.saturating_add(1);
            }
        }
        let response =
            Response { presentations, state: request.state.clone(), status_lists: Vec::new() };
        Ok(Answered { response, seen_before })
    }

    /// The copy of a card that was shown least, in this answer too.
    fn copy_to_show(&self, card: Hash, taken: &[usize]) -> Option<usize> {
        let copies = self.held.iter().enumerate().filter(|(_, held)| held.card == card);
        copies
            .min_by_key(|(place, held)| (taken.contains(place), held.shown))
            .map(|(place, _)| place)
    }

    /// One copy of each card that has not expired.
    fn firsts(&self, now_s: u64) -> Vec<&Held> {
        let mut firsts: Vec<&Held> = Vec::new();
        for held in &self.held {
            let expires_s = held.credential.contents().claims.get("exp").and_then(Value::as_u64);
            let holds = expires_s.is_none_or(|at_s| at_s > now_s);
            if holds && firsts.iter().all(|first| first.card != held.card) {
                firsts.push(held);
            }
        }
        firsts
    }
}

/// What an issuer gave, one text a copy.
fn texts(text: &str) -> Result<Vec<String>, AddRefusal> {
    let text = text.trim();
    if text.len() > RESPONSE_BYTES_MAX {
        return Err(AddRefusal::Form);
    }
    if !text.starts_with('[') {
        return Ok(vec![text.to_owned()]);
    }
    let list = strict::parse(text.as_bytes());
    let list = list.as_ref().and_then(Value::as_array).ok_or(AddRefusal::Form)?;
    if list.is_empty() || list.len() > COPIES_MAX {
        return Err(AddRefusal::Form);
    }
    let texts = list.iter().map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>();
    texts.ok_or(AddRefusal::Form)
}

/// What copies have in common: everything but key and place in the status list, and what of it can be left out.
fn card_of(contents: &Verified) -> Hash {
    let mut claims = contents.claims.clone();
    claims.remove("cnf");
    if let Some(index) = claims.get_mut("status").and_then(|at| at.pointer_mut("/status_list/idx"))
    {
        *index = Value::Null;
    }
    let mut choices: Vec<String> = contents.disclosed.iter().map(Path::to_string).collect();
    choices.sort_unstable();
    sha256(Value::from(vec![Value::Object(claims), choices.into()]).to_string().as_bytes())
}

/// Remembers which key was found.
struct Noting<'a, K> {
    keys: &'a K,
    found: Cell<Option<PublicKey>>,
}

impl<K: IssuerKeys> IssuerKeys for Noting<'_, K> {
    fn key(&self, issuer: &str, key_id: &str, at_s: Option<u64>) -> Result<PublicKey, NoKey> {
        let key = self.keys.key(issuer, key_id, at_s)?;
        self.found.set(Some(key));
        Ok(key)
    }
}

impl Part {
    /// What is asked for, of a request that has this part.
    pub fn query<'q>(&self, request: &'q Request) -> Option<&'q CredentialQuery> {
        request.query.credential(&self.id)
    }
}
