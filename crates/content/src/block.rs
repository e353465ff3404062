//! Bytes and the name that proves them.

use core::fmt;

use primitives::{Hash, sha256};

use crate::{Cid, Codec, limits::BLOCK_BYTES_MAX};

/// A block that was made here and is not hashed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What the bytes are.
    pub codec: Codec,
    /// The bytes, at most [`BLOCK_BYTES_MAX`].
    pub bytes: Vec<u8>,
}

impl Draft {
    /// The block, hashed here.
    pub fn hash(self) -> Block {
        let digest = sha256(&self.bytes);
        self.with_digest(digest)
    }

    /// The block, hashed by the driver. A wrong digest is the driver's bug; readers would refuse it.
    pub fn with_digest(self, digest: Hash) -> Block {
        Block { cid: Cid::new(self.codec, digest), bytes: self.bytes }
    }
}

/// Bytes that somebody says are a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What they are said to be.
    pub cid: Cid,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The bytes are not the block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch {
    /// They hash to something else.
    Digest {
        /// The block asked for.
        cid: Cid,
    },
    /// There are more of them than a block has.
    TooLarge {
        /// Bytes found.
        bytes: usize,
    },
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest { cid } => write!(f, "expected block {cid}, found other bytes"),
            Self::TooLarge { bytes } => {
                write!(f, "block is {bytes} bytes, limit is {BLOCK_BYTES_MAX}")
            }
        }
    }
}

impl core::error::Error for Mismatch {}

impl Candidate {
    /// The block, if the bytes are it.
    ///
    /// # Errors
    /// They are too many or hash to something else.
    pub fn verify(self) -> Result<Block, Mismatch> {
        if self.bytes.len() > BLOCK_BYTES_MAX {
            return Err(Mismatch::TooLarge { bytes: self.bytes.len() });
        }
        let digest = sha256(&self.bytes);
        self.verify_digest(digest)
    }

    /// The block, if `digest`, which the driver computed of the bytes, is the one of the name.
    ///
    /// # Errors
    /// See [`Candidate::verify`].
    pub fn verify_digest(self, digest: Hash) -> Result<Block, Mismatch> {
        if self.bytes.len() > BLOCK_BYTES_MAX {
            return Err(Mismatch::TooLarge { bytes: self.bytes.len() });
        }
        if digest != *self.cid.digest() {
            return Err(Mismatch::Digest { cid: self.cid });
        }
        Ok(Block { cid: self.cid, bytes: self.bytes })
    }
}

/// A block: bytes that hash to their name.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    cid: Cid,
    bytes: Vec<u8>,
}

impl Block {
    /// Its name.
    pub const fn cid(&self) -> Cid {
        self.cid
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What it holds, when it is not encrypted. Of one that is: [`crate::share::ShareKey::open`].
    pub fn into_opened(self) -> Opened {
        Opened { cid: self.cid, codec: self.cid.codec(), bytes: self.bytes }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}, {} bytes)", self.cid, self.bytes.len())
    }
}

/// What a block holds, decrypted if it was encrypted: what readers take.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    pub(crate) cid: Cid,
    pub(crate) codec: Codec,
    pub(crate) bytes: Vec<u8>,
}

impl Opened {
    /// The name of the block it came in: what links call it.
    pub const fn cid(&self) -> Cid {
        self.cid
    }

    /// What the bytes are.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({}, {:?}, {} bytes)", self.cid, self.codec, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_a_block_only_under_their_own_name() {
        let block = Draft { codec: Codec::Raw, bytes: b"abc".to_vec() }.hash();
        let cid = block.cid();
        let claim = |bytes: &[u8]| Candidate { cid, bytes: bytes.to_vec() };
        assert_eq!(claim(b"abc").verify(), Ok(block));
        assert_eq!(claim(b"abc!").verify(), Err(Mismatch::Digest { cid }));
        let large = vec![0; BLOCK_BYTES_MAX + 1];
        assert_eq!(claim(&large).verify(), Err(Mismatch::TooLarge { bytes: large.len() }));
    }
}
