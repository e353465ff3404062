//! Who asked, and how the answer is written.

use super::FiveTuple;
use crate::stun::{Builder, Class, ErrorCode, Integrity, Message, Transaction};
use crate::stun::{long_term_key, long_term_key_sha256};

/// What a request's answer needs to know of it.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) client: FiveTuple,
    pub(super) method: u16,
    pub(super) transaction: Transaction,
    fingerprint: bool,
    /// How answers are signed, once the request was found good.
    pub(super) signing: Option<(Integrity, Key)>,
}

/// The key of a credential.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) algorithm: PasswordAlgorithm,
    pub(super) bytes: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?})", self.algorithm)
    }
}

/// How a password becomes a key (RFC 8489, 18.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PasswordAlgorithm {
    Md5,
    Sha256,
}

impl PasswordAlgorithm {
    pub(super) fn key(self, username: &str, realm: &str, password: &str) -> Key {
        let bytes = match self {
            Self::Md5 => long_term_key(username, realm, password),
            Self::Sha256 => long_term_key_sha256(username, realm, password),
        };
        Key { algorithm: self, bytes }
    }
}

impl Asker {
    pub(super) fn new(client: FiveTuple, request: &Message<'_>) -> Self {
        Self {
            client,
            method: request.method(),
            transaction: request.transaction(),
            fingerprint: request.has_fingerprint(),
            signing: None,
        }
    }

    /// The start of a success response.
    pub(super) fn success(&self) -> Builder {
        Builder::new(Class::Success, self.method, self.transaction)
    }

    /// The start of an error response.
    pub(super) fn error(&self, code: ErrorCode) -> Builder {
        Builder::new(Class::Error, self.method, self.transaction).put_error(code)
    }

    /// A response, signed as the request was.
    pub(super) fn finish(&self, response: Builder) -> Vec<u8> {
        let signed = match &self.signing {
            Some((integrity, key)) => response.sign(*integrity, &key.bytes),
            None => response,
        };
        signed.finish(self.fingerprint)
    }
}
