//! Which keys speak for an account, and how many of them it takes.

use core::fmt;

use minicbor::{Decode, Encode};
use primitives::PeerId;

use crate::limits::KEYS_MAX;

/// m of n keys.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Policy {
    /// How many must sign: 1 to the number of keys.
    #[n(0)]
    pub threshold: u8,
    /// The keys, in strictly ascending order; at most [`KEYS_MAX`].
    #[n(1)]
    pub keys: Vec<PeerId>,
}

/// Why keys and threshold are no policy, in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyError {
    /// No key, or more than [`KEYS_MAX`].
    Keys,
    /// Keys out of order, or one twice.
    Order,
    /// A threshold of none, or of more than there are keys.
    Threshold,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keys => "expected 1 to 16 keys",
            Self::Order => "expected keys in ascending order, each once",
            Self::Threshold => "expected a threshold from 1 to the number of keys",
        })
    }
}

impl core::error::Error for PolicyError {}

impl Policy {
    /// One key alone.
    pub fn single(key: PeerId) -> Self {
        Self { threshold: 1, keys: vec![key] }
    }

    /// Whether this can be satisfied, and in one form only.
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.keys.is_empty() || self.keys.len() > KEYS_MAX {
            return Err(PolicyError::Keys);
        }
        if !self.keys.is_sorted_by(|one, next| one < next) {
            return Err(PolicyError::Order);
        }
        if self.threshold == 0 || usize::from(self.threshold) > self.keys.len() {
            return Err(PolicyError::Threshold);
        }
        Ok(())
    }

    /// The canonical bytes, which name the account.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::state::encode(self)
    }
}
