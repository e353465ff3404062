//! Blocks that only those with the link can read.
//!
//! A sealed block:
//!
//! ```text
//! 1 byte    1                                  version of this form
//! 24 bytes  nonce = run (16) ‖ count (8, big-endian)
//! n bytes   XChaCha20-Poly1305(share key, nonce, codec (1) ‖ plain bytes; data: purpose)
//! ```
//!
//! Its CID is that of all of it, codec raw: the ciphertext is what is stored, sent and verified, and
//! links of sealed nodes name sealed blocks.
//!
//! The nonce never repeats under one key. `run` is 16 fresh random bytes for every [`Sealer`], that is,
//! for every time somebody starts to seal; `count` counts its blocks. So a sender who starts again after
//! the file has changed, under the same key, can't use a nonce for two plaintexts; and one who must make
//! the same block again after a reload, from the file and without having stored 4 GiB twice, uses the
//! kept `run` and finds the same CID or sees that the file has changed ([`Sealer::resume`]). Of the 192
//! bits of XChaCha's nonce, 128 random ones make a chance repetition irrelevant.
//!
//! Refused: a nonce from the place alone (repeats when content changes under one key); one from a hash
//! of the plaintext (a second hash over every byte, in wasm a third of the sender's speed); AES-GCM (96
//! bits are too few for random nonces, and its misuse loses the key).
//!
//! That blocks are in the right order and the right file is what links in their (sealed, verified)
//! parents say, so the place is not authenticated a second time; a block sealed as manifest can't pass as
//! content or the other way.

use core::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroize;

use crate::{Block, Codec, Draft, Opened};

const VERSION: u8 = 1;
const RUN_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
/// Version and nonce.
const HEAD_BYTES: usize = 1 + NONCE_BYTES;

/// The secret of a share: who has it reads everything in it.
#[derive(Clone, PartialEq, Eq)]
pub struct ShareKey([u8; 32]);

/// What a sealed block is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Part of the manifest.
    Manifest,
    /// Part of what is shared.
    Content,
}

impl Purpose {
    const fn data(self) -> &'static [u8] {
        match self {
            Self::Manifest => b"starling share 1 manifest",
            Self::Content => b"starling share 1 content",
        }
    }
}

/// Why a block can't be read with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenError {
    /// It is not a sealed block, or one of a later version.
    Form,
    /// The key is not the one it was sealed with, or it was sealed for another purpose.
    Key,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected an encrypted block, found something else",
            Self::Key => "the link's key does not open this block",
        })
    }
}

impl core::error::Error for OpenError {}

impl ShareKey {
    /// The key of these bytes, which the driver draws from the platform's entropy.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is in a sealed block.
    ///
    /// # Errors
    /// The block is not sealed, or not with this key for this purpose.
    pub fn open(&self, block: &Block, purpose: Purpose) -> Result<Opened, OpenError> {
        let Some(([VERSION], rest)) = block.bytes().split_first_chunk::<1>() else {
            return Err(OpenError::Form);
        };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Form)?;
        let payload = Payload { msg: sealed, aad: purpose.data() };
        let mut plain =
            self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| OpenError::Key)?;
        let code = plain.first().copied().map(u64::from).ok_or(OpenError::Form)?;
        let codec = Codec::from_code(code).ok_or(OpenError::Form)?;
        plain.remove(0);
        Ok(Opened { cid: block.cid(), codec, bytes: plain })
    }

    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

impl Drop for ShareKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Says nothing of the bytes: a key is a secret.
impl fmt::Debug for ShareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShareKey(..)")
    }
}

/// Seals blocks one after another, each with a nonce of its own.
#[derive(Debug)]
pub struct Sealer {
    key: ShareKey,
    run: [u8; RUN_BYTES],
    count: u64,
}

impl Sealer {
    /// A sealer of a new run: 16 bytes drawn for it and for nothing else.
    pub const fn new(key: ShareKey, run: [u8; RUN_BYTES]) -> Self {
        Self::resume(key, run, 0)
    }

    /// A sealer that makes blocks of an earlier run again, from the block `count` on.
    ///
    /// Law of the caller: a block made so goes nowhere unless its CID is the one it had.
    pub const fn resume(key: ShareKey, run: [u8; RUN_BYTES], count: u64) -> Self {
        Self { key, run, count }
    }

    /// Blocks of this run so far.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The sealed block, to be hashed.
    ///
    /// # Panics
    /// After 2^64 blocks.
    pub fn seal(&mut self, draft: Draft, purpose: Purpose) -> Draft {
        let mut nonce = [0; NONCE_BYTES];
        nonce[..RUN_BYTES].copy_from_slice(&self.run);
        nonce[RUN_BYTES..].copy_from_slice(&self.count.to_be_bytes());
        self.count = self.count.checked_add(1).expect("nobody seals 2^64 blocks");
        let mut plain = Vec::with_capacity(draft.bytes.len() + 1);
        plain.push(draft.codec.code());
        plain.extend_from_slice(&draft.bytes);
        let payload = Payload { msg: &plain, aad: purpose.data() };
        let sealed = self.key.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.expect("a block is far below the cipher's limit of 256 GiB");
        let mut bytes = Vec::with_capacity(HEAD_BYTES + sealed.len());
        bytes.push(VERSION);
        bytes.extend_from_slice(&nonce);
        bytes.extend_from_slice(&sealed);
        Draft { codec: Codec::Raw, bytes }
    }
}
