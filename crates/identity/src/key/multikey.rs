//! Multikeys: `z`, then base58btc of a code for the kind and of the key (W3C Controlled Identifiers
//! 1.0, 2.2.2; multiformats' table of codes).

use super::{KeyError, Point, PublicKey};
use crate::limits::MULTIKEY_BYTES_MAX;

/// 0xed as a varint.
const ED25519_PREFIX: [u8; 2] = [0xed, 0x01];
/// 0x1200 as a varint.
const P256_PREFIX: [u8; 2] = [0x80, 0x24];
/// 0xec as a varint: X25519.
pub(crate) const AGREEMENT_PREFIX: [u8; 2] = [0xec, 0x01];

impl PublicKey {
    /// The text of the key.
    pub fn to_multikey(&self) -> String {
        let prefix = match &self.0 {
            Point::Ed25519(_) => ED25519_PREFIX,
            Point::P256(_) => P256_PREFIX,
        };
        to_multibase(prefix, self.as_bytes())
    }

    /// The key of a text.
    ///
    /// # Errors
    /// Not base58btc with `z` in front, an unknown kind, a wrong length, not a point.
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        if text.len() > MULTIKEY_BYTES_MAX {
            return Err(KeyError::Form);
        }
        let digits = text.strip_prefix('z').ok_or(KeyError::Form)?;
        let bytes = bs58::decode(digits).into_vec().map_err(|_| KeyError::Form)?;
        Self::from_prefixed(&bytes)
    }

    /// The key of a text, where only Ed25519 will do: without the code of other curves.
    ///
    /// # Errors
    /// As [`Self::from_multikey`]; any other kind is unknown.
    pub fn ed25519_from_multikey(text: &str) -> Result<Self, KeyError> {
        if text.len() > MULTIKEY_BYTES_MAX {
            return Err(KeyError::Form);
        }
        let digits = text.strip_prefix('z').ok_or(KeyError::Form)?;
        let bytes = bs58::decode(digits).into_vec().map_err(|_| KeyError::Form)?;
        let key = bytes.strip_prefix(&ED25519_PREFIX).ok_or(KeyError::Kind)?;
        Self::ed25519(key.try_into().map_err(|_| KeyError::Form)?)
    }

    /// The code of the kind and the key, as in a multikey before base58.
    pub fn to_prefixed(&self) -> Vec<u8> {
        let prefix = match &self.0 {
            Point::Ed25519(_) => ED25519_PREFIX,
            Point::P256(_) => P256_PREFIX,
        };
        [&prefix, self.as_bytes()].concat()
    }

    /// The key of these bytes.
    ///
    /// # Errors
    /// An unknown kind, a wrong length, not a point.
    pub fn from_prefixed(bytes: &[u8]) -> Result<Self, KeyError> {
        let (prefix, key) = bytes.split_first_chunk::<2>().ok_or(KeyError::Form)?;
        match *prefix {
            ED25519_PREFIX => Self::ed25519(key.try_into().map_err(|_| KeyError::Form)?),
            P256_PREFIX => Self::p256(key.try_into().map_err(|_| KeyError::Form)?),
            _ => Err(KeyError::Kind),
        }
    }
}

/// `z`, then base58btc of both.
pub(crate) fn to_multibase(prefix: [u8; 2], key: &[u8]) -> String {
    let digits = bs58::encode([&prefix, key].concat()).into_string();
    format!("z{digits}")
}
