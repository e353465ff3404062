//! A text, who signed it, and when they say they did: the smallest thing that a DID is good for.
//!
//! A JWS in compact form: `typ` is `starling-statement+jwt`, `kid` a DID and the name of one of its
//! keys, the payload `{"iat": seconds, "text": ...}`. When it was signed is the signer's word: a
//! verifier takes the key that the DID had then (`did:starling`), so a key that was rotated away goes on
//! proving what it signed before.

use core::fmt;

use serde_json::{Map, Value};

use crate::{
    PublicKey, SecretKey,
    did::did_key,
    jws::{self, Jws, JwsError},
    limits::STATEMENT_BYTES_MAX,
};

const KIND: &str = "starling-statement+jwt";

/// A statement, taken apart; nothing of it is true before [`Statement::verify`].
#[derive(Debug)]
pub struct Statement<'a> {
    /// Whose key it names: a DID, `#`, the name of the key.
    pub key_id: String,
    /// What was signed.
    pub text: String,
    /// When, as the signer says, in seconds since 1970-01-01 UTC.
    pub at_s: u64,
    jws: Jws<'a>,
}

/// Why a statement is none or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementError {
    /// Not in the form, or too long.
    Form,
    /// Not the key's signature.
    Signature,
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected a signed statement, found something else",
            Self::Signature => "the signature is not the key's over this text",
        })
    }
}

impl core::error::Error for StatementError {}

/// Signs `text`.
pub fn sign(key: &SecretKey, key_id: &str, text: &str, now_s: u64) -> String {
    let mut payload = Map::new();
    payload.insert("iat".to_owned(), now_s.into());
    payload.insert("text".to_owned(), text.into());
    jws::sign(key, KIND, Some(key_id), &payload)
}

impl<'a> Statement<'a> {
    /// Takes a statement apart.
    ///
    /// # Errors
    /// [`StatementError::Form`].
    pub fn parse(text: &'a str) -> Result<Self, StatementError> {
        let form = |_: JwsError| StatementError::Form;
        if text.len() > 2 * STATEMENT_BYTES_MAX {
            return Err(StatementError::Form);
        }
        let jws = Jws::parse(text).map_err(form)?;
        jws.check(KIND).map_err(form)?;
        let key_id = jws.text("kid").ok_or(StatementError::Form)?.to_owned();
        let said = jws.payload.get("text").and_then(Value::as_str).ok_or(StatementError::Form)?;
        let at_s = jws.payload.get("iat").and_then(Value::as_u64).ok_or(StatementError::Form)?;
        Ok(Self { key_id, text: said.to_owned(), at_s, jws })
    }

    /// The DID that it names.
    pub fn did(&self) -> &str {
        self.key_id.split_once('#').map_or("", |(did, _)| did)
    }

    /// The name of the key in the DID's document.
    pub fn key_name(&self) -> &str {
        self.key_id.split_once('#').map_or("", |(_, name)| name)
    }

    /// The key, where the DID is one.
    pub fn own_key(&self) -> Option<PublicKey> {
        did_key::key_of_id(&self.key_id)
    }

    /// Whether `key` signed it.
    ///
    /// # Errors
    /// [`StatementError::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), StatementError> {
        self.jws.verify(key).map_err(|_| StatementError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_holds_under_its_key_and_no_other() {
        let key = SecretKey::ed25519(&[1; 32]);
        let id = did_key::key_id(&key.public());
        let signed = sign(&key, &id, "I was here", 7);
        let read = Statement::parse(&signed).unwrap();
        assert_eq!(
            (read.text.as_str(), read.at_s, read.own_key()),
            ("I was here", 7, Some(key.public()))
        );
        assert_eq!(read.verify(&key.public()), Ok(()));
        let other = SecretKey::ed25519(&[2; 32]).public();
        assert_eq!(read.verify(&other), Err(StatementError::Signature));
        let credential = signed.replacen('e', "f", 1);
        assert!(Statement::parse(&credential).is_err());
    }
}
