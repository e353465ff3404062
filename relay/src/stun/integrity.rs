//! MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489, 14.5 and 14.6), and their keys.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::attribute;

pub(super) const SHA1_BYTES: usize = 20;
pub(super) const SHA256_BYTES: usize = 32;
/// A SHA-256 may be cut to this (RFC 8489, 14.6).
pub(super) const SHA256_BYTES_MIN: usize = 16;

/// Which integrity attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// MESSAGE-INTEGRITY
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256
    Sha256,
}

impl Integrity {
    pub(super) const fn kind(self) -> u16 {
        match self {
            Self::Sha1 => attribute::MESSAGE_INTEGRITY,
            Self::Sha256 => attribute::MESSAGE_INTEGRITY_SHA256,
        }
    }

    pub(super) const fn value_bytes(self) -> usize {
        match self {
            Self::Sha1 => SHA1_BYTES,
            Self::Sha256 => SHA256_BYTES,
        }
    }

    pub(super) fn verify(self, key: &[u8], start: &[u8; 4], rest: &[u8], value: &[u8]) -> bool {
        match self {
            Self::Sha1 => sha1(key, start, rest).verify_slice(value).is_ok(),
            Self::Sha256 => sha256(key, start, rest).verify_truncated_left(value).is_ok(),
        }
    }

    /// The value, whole.
    pub(super) fn sign(self, key: &[u8], start: &[u8; 4], rest: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => sha1(key, start, rest).finalize().into_bytes().to_vec(),
            Self::Sha256 => sha256(key, start, rest).finalize().into_bytes().to_vec(),
        }
    }
}

fn sha1(key: &[u8], start: &[u8; 4], rest: &[u8]) -> Hmac<Sha1> {
    let mut hmac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(start);
    hmac.update(rest);
    hmac
}

fn sha256(key: &[u8], start: &[u8; 4], rest: &[u8]) -> Hmac<Sha256> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(start);
    hmac.update(rest);
    hmac
}

/// The key of a long-term credential by MD5, which is what browsers use (RFC 8489, 18.5.1.1).
///
/// MD5 only spreads the password over a key here; what keeps it is the HMAC.
pub fn long_term_key(username: &str, realm: &str, password: &str) -> Vec<u8> {
    let mut md5 = Md5::new();
    for part in [username, ":", realm, ":", password] {
        md5.update(part.as_bytes());
    }
    md5.finalize().to_vec()
}

/// The key of a long-term credential by SHA-256 (RFC 8489, 18.5.1.2).
pub fn long_term_key_sha256(username: &str, realm: &str, password: &str) -> Vec<u8> {
    let mut sha256 = Sha256::new();
    for part in [username, ":", realm, ":", password] {
        sha256.update(part.as_bytes());
    }
    sha256.finalize().to_vec()
}
