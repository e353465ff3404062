//! How disclosures are hashed (RFC 9901, 4.1.1).

use serde_json::Value;
use sha2::Digest as _;

use super::Refusal;
use crate::base64url;

/// A hash by its name at IANA (Named Information). Those that are broken or cut short are not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// SHA-256, which is meant where nothing is said.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// What `_sd_alg` says.
    pub(crate) fn of_claim(claim: Option<&Value>) -> Result<Self, Refusal> {
        match claim.map(Value::as_str) {
            None | Some(Some("sha-256")) => Ok(Self::Sha256),
            Some(Some("sha-384")) => Ok(Self::Sha384),
            Some(Some("sha-512")) => Ok(Self::Sha512),
            Some(_) => Err(Refusal::HashAlgorithm),
        }
    }

    /// The digest of a text, in base64url.
    pub(crate) fn digest(self, text: &str) -> String {
        match self {
            Self::Sha256 => base64url::encode(&sha2::Sha256::digest(text)),
            Self::Sha384 => base64url::encode(&sha2::Sha384::digest(text)),
            Self::Sha512 => base64url::encode(&sha2::Sha512::digest(text)),
        }
    }
}
