//! STUN messages (RFC 8489): parsed in place, built with their length and checks right.
//!
//! | bytes | what |
//! |---|---|
//! | 0-1 | class and method, the two first bits 0 |
//! | 2-3 | length of all attributes, a multiple of 4 |
//! | 4-7 | magic cookie |
//! | 8-19 | transaction |
//! | 20- | attributes: kind, length, value, padding to 4 |
//!
//! Laws: nothing past the declared length is read; what follows the integrity attributes counts for
//! nothing, but for a fingerprint; parsing allocates nothing and logs nothing, for anybody may send.

pub mod attribute;

mod builder;
mod integrity;
mod message;

#[cfg(test)]
mod tests;

pub use builder::Builder;
pub use integrity::{Integrity, long_term_key, long_term_key_sha256};
pub use message::{Attributes, Class, HEADER_BYTES, Malformed, Message, Transaction};

/// Methods (RFC 8489, 18.2; RFC 8656, 17).
pub mod method {
    /// Which address do you see me at?
    pub const BINDING: u16 = 0x001;
    /// Give me a relayed address.
    pub const ALLOCATE: u16 = 0x003;
    /// Keep it, or take it back.
    pub const REFRESH: u16 = 0x004;
    /// Indication: pass this to a peer.
    pub const SEND: u16 = 0x006;
    /// Indication: this came from a peer.
    pub const DATA: u16 = 0x007;
    /// Let these peers send to me.
    pub const CREATE_PERMISSION: u16 = 0x008;
    /// A short name for a peer.
    pub const CHANNEL_BIND: u16 = 0x009;
}

/// Error codes (RFC 8489, 14.8; RFC 8656, 19), with their reason phrases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// 400
    BadRequest,
    /// 401
    Unauthenticated,
    /// 403
    Forbidden,
    /// 420
    UnknownAttribute,
    /// 437
    AllocationMismatch,
    /// 438
    StaleNonce,
    /// 440
    AddressFamilyNotSupported,
    /// 441
    WrongCredentials,
    /// 442
    UnsupportedTransport,
    /// 443
    PeerAddressFamilyMismatch,
    /// 486
    AllocationQuotaReached,
    /// 508
    InsufficientCapacity,
}

impl ErrorCode {
    /// All, for counters.
    pub const ALL: [Self; 12] = [
        Self::BadRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::UnknownAttribute,
        Self::AllocationMismatch,
        Self::StaleNonce,
        Self::AddressFamilyNotSupported,
        Self::WrongCredentials,
        Self::UnsupportedTransport,
        Self::PeerAddressFamilyMismatch,
        Self::AllocationQuotaReached,
        Self::InsufficientCapacity,
    ];

    /// The hundreds and the rest, and the phrase.
    pub const fn parts(self) -> (u8, u8, &'static str) {
        match self {
            Self::BadRequest => (4, 0, "Bad Request"),
            Self::Unauthenticated => (4, 1, "Unauthenticated"),
            Self::Forbidden => (4, 3, "Forbidden"),
            Self::UnknownAttribute => (4, 20, "Unknown Attribute"),
            Self::AllocationMismatch => (4, 37, "Allocation Mismatch"),
            Self::StaleNonce => (4, 38, "Stale Nonce"),
            Self::AddressFamilyNotSupported => (4, 40, "Address Family not Supported"),
            Self::WrongCredentials => (4, 41, "Wrong Credentials"),
            Self::UnsupportedTransport => (4, 42, "Unsupported Transport Protocol"),
            Self::PeerAddressFamilyMismatch => (4, 43, "Peer Address Family Mismatch"),
            Self::AllocationQuotaReached => (4, 86, "Allocation Quota Reached"),
            Self::InsufficientCapacity => (5, 8, "Insufficient Capacity"),
        }
    }

    /// As a number: 437.
    pub fn number(self) -> u16 {
        let (hundreds, rest, _) = self.parts();
        u16::from(hundreds) * 100 + u16::from(rest)
    }
}
