//! Typed keys.

use core::fmt;

use primitives::{Hash, sha256};

/// The domain a key belongs to: its first byte, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Prefix {
    /// The chain itself: tip, parameters, chain id.
    Chain = 0,
    /// Balances, nonces, keys.
    Accounts = 1,
    /// What is held: issuers, supplies.
    Assets = 2,
    /// Payments between peers.
    Paypool = 3,
    /// Prices.
    Oracle = 4,
    /// Supply and borrow.
    Lending = 5,
    /// Names that people own.
    Identity = 6,
    /// Communities that share energy.
    Energy = 7,
}

impl Prefix {
    /// The byte.
    pub const fn byte(self) -> u8 {
        #[allow(clippy::as_conversions, reason = "the enum is declared as u8")]
        {
            self as u8
        }
    }
}

/// Where a record lies: prefix ‖ table ‖ id. Parts of an id have fixed widths and numbers are
/// big-endian, so that no two ids have one key and keys sort as their parts do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of `id` in a table of a domain.
    pub(crate) fn new(prefix: Prefix, table: u8, id: &[&[u8]]) -> Self {
        let mut bytes = vec![prefix.byte(), table];
        id.iter().for_each(|part| bytes.extend_from_slice(part));
        Self(bytes)
    }

    /// A key that was read back from storage.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What the authenticated store knows the record by.
    pub fn hash(&self) -> Hash {
        sha256(&self.0)
    }
}

/// Hexadecimal.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
