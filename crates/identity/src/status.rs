//! Whether credentials still hold: Token Status Lists (draft-ietf-oauth-status-list).
//!
//! An issuer has one list for many credentials; each credential names its place in one. A list is
//! public, so it is kept where anyone can fetch it without asking the issuer, who then does not learn
//! which credential was looked at. [`StatusList`] is the list and its compressed form,
//! [`StatusToken`] the same signed, with the time until which it may be believed. [`Anchor`] says on a ledger
//! which signed list is the newest; its hash there is also the name by which the block store has the list ([`token_cid`]).

mod anchor;
mod list;
#[cfg(test)]
mod tests;
mod token;

pub use anchor::{Anchor, TokenHash, check_newest, token_cid, token_hash};
pub use list::{Bits, ListError, StatusList};
pub use token::{STATUS_TYPE, StatusRefusal, StatusToken, Terms};

/// Where a credential's status is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusRef {
    /// 0-based place in the list.
    pub index: u64,
    /// The list's name: the `sub` of its token.
    pub uri: String,
}

/// What a list says about a credential (draft-ietf-oauth-status-list, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 0: it holds.
    Valid,
    /// 1: revoked for good.
    Invalid,
    /// 2: does not hold for now.
    Suspended,
    /// Any other: what the issuer and its verifiers agreed on. Not valid for others.
    Other(u8),
}

impl Status {
    /// What a number means.
    pub const fn of(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }

    /// The number.
    pub const fn value(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Other(value) => value,
        }
    }
}
