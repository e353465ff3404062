//! A message to be sent.

use std::net::SocketAddr;

use super::integrity::Integrity;
use super::message::{Class, HEADER_BYTES, MAGIC_COOKIE, Transaction, fingerprint, message_type};
use super::{ErrorCode, attribute};

/// A message in the making; the header's length is right after every call.
#[derive(Debug)]
pub struct Builder {
    bytes: Vec<u8>,
    transaction: Transaction,
}

impl Builder {
    /// A message without attributes.
    pub fn new(class: Class, method: u16, transaction: Transaction) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&message_type(class, method).to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&MAGIC_COOKIE);
        bytes.extend_from_slice(&transaction);
        Self { bytes, transaction }
    }

    /// Adds an attribute. Values are ours or fitted into a datagram: all of them together are less
    /// than 64 KiB.
    #[must_use]
    pub fn put(mut self, kind: u16, value: &[u8]) -> Self {
        self.push(kind, value);
        self
    }

    /// Adds an XOR address.
    #[must_use]
    pub fn put_address(mut self, kind: u16, address: SocketAddr) -> Self {
        let (value, length) = attribute::xor_address(address, &self.transaction);
        self.push(kind, &value[..length]);
        self
    }

    /// Adds ERROR-CODE with its phrase.
    #[must_use]
    pub fn put_error(mut self, code: ErrorCode) -> Self {
        let (hundreds, rest, phrase) = code.parts();
        let value = [&[0, 0, hundreds, rest], phrase.as_bytes()].concat();
        self.push(attribute::ERROR_CODE, &value);
        self
    }

    /// Adds the integrity attribute; only a fingerprint may follow.
    #[must_use]
    pub fn sign(mut self, integrity: Integrity, key: &[u8]) -> Self {
        let offset = self.bytes.len();
        self.push(integrity.kind(), &[0; 32][..integrity.value_bytes()]);
        let start = *self.bytes.first_chunk().expect("a header is longer");
        let value = integrity.sign(key, &start, &self.bytes[4..offset]);
        self.bytes[offset + 4..].copy_from_slice(&value);
        self
    }

    /// The message, with a fingerprint if wished.
    pub fn finish(mut self, with_fingerprint: bool) -> Vec<u8> {
        if with_fingerprint {
            let value = fingerprint(&self.bytes);
            self.push(attribute::FINGERPRINT, &value);
        }
        self.bytes
    }

    fn push(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).expect("values are less than 64 KiB");
        self.bytes.extend_from_slice(&kind.to_be_bytes());
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(value);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        let all = u16::try_from(self.bytes.len() - HEADER_BYTES).expect("messages are small");
        self.bytes[2..4].copy_from_slice(&all.to_be_bytes());
    }
}
