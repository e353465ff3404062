//! The parts of a credential between tildes (RFC 9901, 4).

use super::{CREDENTIAL_TYPE, Disclosure, Refusal};
use crate::{
    PublicKey,
    jws::{Jws, JwsError},
    limits::{DISCLOSURES_MAX, TOKEN_BYTES_MAX},
};

/// `issuer-signed ~ disclosure ~ ... ~ [key binding]`, taken apart; nothing of it is true yet.
pub(crate) struct Token<'a> {
    pub(crate) signed: Jws<'a>,
    pub(crate) disclosures: Vec<Disclosure>,
    /// What is before the key binding, with the last tilde: what its hash is of.
    pub(crate) presented: &'a str,
    /// The key binding; empty if there is none.
    pub(crate) key_binding: &'a str,
}

impl<'a> Token<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Refusal> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let split = text.rfind('~').ok_or(Refusal::Form)? + 1;
        let (presented, key_binding) = text.split_at(split);
        // Between the first tilde and the last, each part ends with one.
        let mut parts = presented[..presented.len() - 1].split('~');
        let signed = Jws::parse(parts.next().unwrap_or_default()).map_err(|_| Refusal::Form)?;
        let mut disclosures = Vec::new();
        for part in parts {
            if disclosures.len() == DISCLOSURES_MAX {
                return Err(Refusal::TooLarge);
            }
            disclosures.push(Disclosure::parse(part)?);
        }
        Ok(Self { signed, disclosures, presented, key_binding })
    }

    /// What the header must say, whoever signed.
    pub(crate) fn check_header(&self) -> Result<(), Refusal> {
        self.signed.check(CREDENTIAL_TYPE).map_err(refusal)
    }

    /// Whether `key` signed it.
    pub(crate) fn check_signature(&self, key: &PublicKey) -> Result<(), Refusal> {
        self.signed.verify(key).map_err(refusal)
    }
}

fn refusal(error: JwsError) -> Refusal {
    match error {
        JwsError::Form => Refusal::Form,
        JwsError::Critical => Refusal::Critical,
        JwsError::Type => Refusal::Type,
        JwsError::Algorithm => Refusal::Algorithm,
        JwsError::Signature => Refusal::Signature,
    }
}
