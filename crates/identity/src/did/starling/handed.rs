//! What goes between who lost their keys and their guardians, as texts.

use core::fmt;

use minicbor::{Decode, Encode};
use primitives::Hash;

use super::{Approval, GuardOp, OP_BYTES_MAX};
use crate::{base64url, did::StarlingId};

/// What the texts begin with.
const ASK: &str = "starling-ask-1.";
const APPROVAL: &str = "starling-approval-1.";

/// New keys that guardians are asked to approve.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AskText {
    /// For which DID.
    #[n(0)]
    pub did: StarlingId,
    /// The keys; nobody approved them yet.
    #[n(1)]
    pub guard: GuardOp,
}

/// A guardian's answer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct HandedApproval {
    /// Which keys: hash of the [`GuardOp`] without approvals.
    #[n(0)]
    pub guard: Hash,
    /// The signature.
    #[n(1)]
    pub approval: Approval,
}

/// Not such a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedError;

impl fmt::Display for HandedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected what a person or a guardian sent, found something else")
    }
}

impl core::error::Error for HandedError {}

impl AskText {
    /// The text.
    pub fn to_text(&self) -> String {
        to_text(ASK, self)
    }

    /// What a text asks for.
    ///
    /// # Errors
    /// [`HandedError`].
    pub fn parse(text: &str) -> Result<Self, HandedError> {
        let ask: Self = from_text(ASK, text)?;
        let empty = ask.guard.approvals.is_empty();
        if ask.guard.is_formed() && empty { Ok(ask) } else { Err(HandedError) }
    }
}

impl HandedApproval {
    /// The text.
    pub fn to_text(&self) -> String {
        to_text(APPROVAL, self)
    }

    /// What a guardian answered.
    ///
    /// # Errors
    /// [`HandedError`].
    pub fn parse(text: &str) -> Result<Self, HandedError> {
        from_text(APPROVAL, text)
    }
}

fn to_text(start: &str, value: &impl Encode<()>) -> String {
    let bytes = minicbor::to_vec(value).expect("encoding into memory does not fail");
    format!("{start}{}", base64url::encode(&bytes))
}

fn from_text<T: for<'b> Decode<'b, ()> + Encode<()>>(
    start: &str,
    text: &str,
) -> Result<T, HandedError> {
    let text: String = text.split_whitespace().collect();
    let letters = text.strip_prefix(start).ok_or(HandedError)?;
    if letters.len() > 2 * OP_BYTES_MAX {
        return Err(HandedError);
    }
    let bytes = base64url::decode(letters).ok_or(HandedError)?;
    let value = minicbor::decode(&bytes).map_err(|_| HandedError)?;
    // One form: what was asked is what is approved.
    let again = minicbor::to_vec(&value).expect("encoding into memory does not fail");
    if again == bytes { Ok(value) } else { Err(HandedError) }
}
