//! What a person showed to whom, for themselves: which claims, never what they said.

use minicbor::{Decode, Encode};

use super::{Choice, Credentials, Show, Turn};
use crate::{
    limits::{TOLD_CLAIMS_MAX, TOLD_MAX, TOLD_NAME_CHARS_MAX},
    request::Request,
};

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Told {
    /// When, in seconds since 1970-01-01 UTC.
    #[n(0)]
    pub at_s: u64,
    /// To which DID.
    #[n(1)]
    pub verifier: String,
    /// What it called itself.
    #[n(2)]
    pub name: Option<String>,
    /// Why it asked, in its own words.
    #[n(3)]
    pub purpose: Option<String>,
    /// Types of the credentials.
    #[n(4)]
    pub kinds: Vec<String>,
    /// Names of the claims.
    #[n(5)]
    pub claims: Vec<String>,
}

impl Told {
    /// What an answer to a question shows of these cards.
    pub(super) fn of(request: &Request, shown: &[Choice], now_s: u64) -> Self {
        let is_shown = |choice: &Choice| {
            let shown = choice.claims.iter().filter(|claim| claim.show != Show::Hidden);
            shown.map(|claim| claim.name.chars().take(TOLD_NAME_CHARS_MAX).collect()).collect()
        };
        let claims = shown.iter().flat_map::<Vec<String>, _>(is_shown);
        Self {
            at_s: now_s,
            verifier: request.verifier.clone(),
            name: request.name.clone(),
            purpose: request.purpose.clone(),
            kinds: shown.iter().map(|choice| choice.kind.clone()).collect(),
            claims: claims.take(TOLD_CLAIMS_MAX).collect(),
        }
    }
}

impl Credentials {
    /// Remembers an answer; the oldest is forgotten where there are too many.
    pub(super) fn remember(&mut self, told: Told) {
        self.told.push(told);
        let over = self.told.len().saturating_sub(TOLD_MAX);
        self.told.drain(..over);
    }

    /// Forgets all of them.
    pub(super) fn forget_told(&mut self, turn: &mut Turn<'_>) {
        self.told.clear();
        turn.changed = true;
    }
}
