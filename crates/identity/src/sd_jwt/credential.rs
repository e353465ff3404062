//! What a holder keeps.

use core::fmt;

use super::{
    Challenge, Disclosure, HashAlgorithm, IssuerKeys, Path, Refusal, Verified, key_binding,
    token::Token, verify::check_issued,
};
use crate::SecretKey;

/// A credential with everything that can be disclosed of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// The issuer-signed part.
    signed: String,
    disclosures: Vec<Disclosure>,
    hash: HashAlgorithm,
    verified: Verified,
}

/// Why nothing is presented.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresentError {
    /// The key is not the one that the credential is bound to.
    OtherKey,
    /// There is nothing to choose at this path: the claim is not there, or always shown.
    NoSuchClaim(Path),
}

impl fmt::Display for PresentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKey => f.write_str("the credential is bound to another key"),
            Self::NoSuchClaim(path) => write!(f, "nothing can be disclosed at {path}"),
        }
    }
}

impl core::error::Error for PresentError {}

impl Credential {
    /// Takes what an issuer gave: checked as a verifier would, without key binding.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn open(issued: &str, keys: &impl IssuerKeys, now_s: u64) -> Result<Self, Refusal> {
        let token = Token::parse(issued)?;
        if !token.key_binding.is_empty() {
            return Err(Refusal::UnexpectedKeyBinding);
        }
        let (verified, hash) = check_issued(&token, keys, now_s)?;
        let signed = issued.split('~').next().unwrap_or_default().to_owned();
        Ok(Self { signed, disclosures: token.disclosures, hash, verified })
    }

    /// Everything in it, as its issuer means it.
    pub fn contents(&self) -> &Verified {
        &self.verified
    }

    /// Where something can be shown or left out.
    pub fn choices(&self) -> &[Path] {
        &self.verified.disclosed
    }

    /// As it was issued.
    pub fn to_text(&self) -> String {
        self.with(|_| true)
    }

    /// Shows what is always shown and what is at `shown`, with what leads there, to who asked.
    ///
    /// # Errors
    /// The key is another, or there is nothing to choose at a path.
    pub fn present(
        &self,
        shown: &[Path],
        challenge: Challenge<'_>,
        key: &SecretKey,
        now_s: u64,
    ) -> Result<String, PresentError> {
        if key.public() != self.verified.holder {
            return Err(PresentError::OtherKey);
        }
        let known = |path: &&Path| self.choices().iter().any(|choice| choice.leads_to(path));
        if let Some(unknown) = shown.iter().find(|path| !known(path)) {
            return Err(PresentError::NoSuchClaim(unknown.clone()));
        }
        let presented = self.with(|choice| shown.iter().any(|path| choice.leads_to(path)));
        let answer = key_binding::sign(&presented, self.hash, challenge, key, now_s);
        Ok(presented + &answer)
    }

    /// The credential with the disclosures whose path is wanted.
    fn with(&self, wanted: impl Fn(&Path) -> bool) -> String {
        let mut text = self.signed.clone() + "~";
        for (disclosure, path) in self.disclosures.iter().zip(self.choices()) {
            if wanted(path) {
                text.push_str(&disclosure.text);
                text.push('~');
            }
        }
        text
    }
}
