//! A message that was received.

use std::ops::Range;

use super::attribute;
use super::integrity::{self, Integrity};

/// Bytes before the attributes.
pub const HEADER_BYTES: usize = 20;
pub(super) const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// What a fingerprint is XORed with, so that it is no CRC of another protocol (RFC 8489, 14.7).
const FINGERPRINT_MASK: u32 = 0x5354_554e;
/// An attribute's kind and length.
const ATTRIBUTE_HEADER_BYTES: usize = 4;
/// A whole fingerprint.
const FINGERPRINT_BYTES: usize = 8;

/// What pairs a response with its request.
pub type Transaction = [u8; 12];

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Wants a response.
    Request,
    /// Wants none.
    Indication,
    /// The request was done.
    Success,
    /// It was not.
    Error,
}

impl Class {
    const fn bits(self) -> u16 {
        match self {
            Self::Request => 0x000,
            Self::Indication => 0x010,
            Self::Success => 0x100,
            Self::Error => 0x110,
        }
    }
}

/// Class and method as the first two bytes (RFC 8489, figure 3).
pub(super) const fn message_type(class: Class, method: u16) -> u16 {
    let method = (method & 0xf80) << 2 | (method & 0x070) << 1 | (method & 0x00f);
    method | class.bits()
}

/// Why bytes are no STUN message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than a header.
    #[error("message is {0} bytes, expected at least {HEADER_BYTES}")]
    Short(usize),
    /// The first bits are not 0, or the cookie is not there.
    #[error("not STUN")]
    NotStun,
    /// The declared length is not that of the message.
    #[error("message says {declared} bytes of attributes, there are {found}")]
    Length {
        /// As the header says.
        declared: usize,
        /// Bytes after the header.
        found: usize,
    },
    /// An attribute reaches past the end, or its length can't be.
    #[error("attribute {0:#06x} is cut off or of a wrong length")]
    Attribute(u16),
    /// A fingerprint that is wrong or not at the end.
    #[error("wrong fingerprint")]
    Fingerprint,
}

/// A message, borrowed from the datagram it came in.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// Where attributes that count end: at the first integrity attribute or fingerprint.
    body_end: usize,
    sha1: Option<(usize, &'a [u8])>,
    sha256: Option<(usize, &'a [u8])>,
    fingerprint: bool,
}

impl<'a> Message<'a> {
    /// The message that `bytes` are, no more and no fewer.
    ///
    /// # Errors
    /// In order: too short, no STUN, another length than declared, an attribute that can't be, a
    /// wrong fingerprint.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let header = bytes.first_chunk::<HEADER_BYTES>().ok_or(Malformed::Short(bytes.len()))?;
        if header[0] & 0xc0 != 0 || header[4..8] != MAGIC_COOKIE {
            return Err(Malformed::NotStun);
        }
        let declared = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let found = bytes.len() - HEADER_BYTES;
        if declared != found || declared % 4 != 0 {
            return Err(Malformed::Length { declared, found });
        }
        let mut message =
            Self { bytes, body_end: bytes.len(), sha1: None, sha256: None, fingerprint: false };
        message.walk()?;
        Ok(message)
    }

    /// Looks at every attribute once: lengths, checks, and where the body ends.
    fn walk(&mut self) -> Result<(), Malformed> {
        let mut offset = HEADER_BYTES;
        while offset < self.bytes.len() {
            let (kind, value, next) = attribute_at(self.bytes, offset)?;
            let size_is = |is: bool| is.then_some(()).ok_or(Malformed::Attribute(kind));
            match kind {
                attribute::MESSAGE_INTEGRITY if self.sha1.or(self.sha256).is_none() => {
                    size_is(value.len() == integrity::SHA1_BYTES)?;
                    self.sha1 = Some((offset, value));
                    self.body_end = self.body_end.min(offset);
                }
                attribute::MESSAGE_INTEGRITY_SHA256 if self.sha256.is_none() => {
                    let sizes = integrity::SHA256_BYTES_MIN..=integrity::SHA256_BYTES;
                    size_is(sizes.contains(&value.len()) && value.len() % 4 == 0)?;
                    self.sha256 = Some((offset, value));
                    self.body_end = self.body_end.min(offset);
                }
                attribute::FINGERPRINT => {
                    self.check_fingerprint(offset, value)?;
                    self.fingerprint = true;
                    self.body_end = self.body_end.min(offset);
                }
                _ => {}
            }
            offset = next;
        }
        Ok(())
    }

    fn check_fingerprint(&self, offset: usize, value: &[u8]) -> Result<(), Malformed> {
        let last = offset + FINGERPRINT_BYTES == self.bytes.len();
        let right = value == fingerprint(&self.bytes[..offset]);
        if last && right { Ok(()) } else { Err(Malformed::Fingerprint) }
    }

    /// What it is for.
    pub fn class(&self) -> Class {
        match (self.bytes[0] & 1, self.bytes[1] & 0x10) {
            (0, 0) => Class::Request,
            (0, _) => Class::Indication,
            (_, 0) => Class::Success,
            (_, _) => Class::Error,
        }
    }

    /// Its method, of [`super::method`] or another.
    pub fn method(&self) -> u16 {
        let bits = u16::from_be_bytes([self.bytes[0], self.bytes[1]]);
        bits >> 2 & 0xf80 | bits >> 1 & 0x070 | bits & 0x00f
    }

    /// What pairs it with its response.
    pub fn transaction(&self) -> Transaction {
        *self.bytes[8..].first_chunk().expect("a header is longer")
    }

    /// Attributes in their order, up to the integrity attributes.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes { bytes: &self.bytes[..self.body_end], offset: HEADER_BYTES }
    }

    /// The value of the first attribute of a kind; later ones count for nothing (RFC 8489, 14).
    pub fn get(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes().find(|(found, _)| *found == kind).map(|(_, value)| value)
    }

    /// Where that value is in the bytes the message was parsed from.
    pub fn range(&self, kind: u16) -> Option<Range<usize>> {
        let mut attributes = self.attributes();
        loop {
            let start = attributes.offset + ATTRIBUTE_HEADER_BYTES;
            let (found, value) = attributes.next()?;
            if found == kind {
                return Some(start..start + value.len());
            }
        }
    }

    /// The value of an attribute as text; `None` also if it is not UTF-8.
    pub fn text(&self, kind: u16) -> Option<&'a str> {
        std::str::from_utf8(self.get(kind)?).ok()
    }

    /// Whether it ends in a (right) fingerprint.
    pub fn has_fingerprint(&self) -> bool {
        self.fingerprint
    }

    /// The stronger of the integrity attributes it has.
    pub fn integrity(&self) -> Option<Integrity> {
        match (self.sha1, self.sha256) {
            (_, Some(_)) => Some(Integrity::Sha256),
            (Some(_), None) => Some(Integrity::Sha1),
            (None, None) => None,
        }
    }

    /// Whether its stronger integrity attribute was made with this key. Takes the same time for
    /// every wrong value.
    pub fn is_by(&self, key: &[u8]) -> bool {
        let (integrity, offset, value) = match (self.sha1, self.sha256) {
            (_, Some((offset, value))) => (Integrity::Sha256, offset, value),
            (Some((offset, value)), None) => (Integrity::Sha1, offset, value),
            (None, None) => return false,
        };
        let end = offset + ATTRIBUTE_HEADER_BYTES + value.len();
        integrity.verify(key, &with_length(self.bytes, end), &self.bytes[4..offset], value)
    }
}

/// The first four bytes as they were when the message ended at `end`.
pub(super) fn with_length(bytes: &[u8], end: usize) -> [u8; 4] {
    let length =
        u16::try_from(end - HEADER_BYTES).expect("a message declares its length in 16 bits");
    let [high, low] = length.to_be_bytes();
    [bytes[0], bytes[1], high, low]
}

/// The value of a fingerprint that follows `bytes`.
pub(super) fn fingerprint(bytes: &[u8]) -> [u8; 4] {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&with_length(bytes, bytes.len() + FINGERPRINT_BYTES));
    crc.update(&bytes[4..]);
    (crc.finalize() ^ FINGERPRINT_MASK).to_be_bytes()
}

fn attribute_at(bytes: &[u8], offset: usize) -> Result<(u16, &[u8], usize), Malformed> {
    let rest = &bytes[offset..];
    let header = rest.first_chunk::<ATTRIBUTE_HEADER_BYTES>().ok_or(Malformed::Attribute(0))?;
    let kind = u16::from_be_bytes([header[0], header[1]]);
    let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
    let end = ATTRIBUTE_HEADER_BYTES + length.next_multiple_of(4);
    if end > rest.len() {
        return Err(Malformed::Attribute(kind));
    }
    Ok((kind, &rest[ATTRIBUTE_HEADER_BYTES..][..length], offset + end))
}

/// Kinds and values of attributes.
#[derive(Debug, Clone)]
pub struct Attributes<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, value, next) = attribute_at(self.bytes, self.offset).ok()?;
        self.offset = next;
        Some((kind, value))
    }
}
