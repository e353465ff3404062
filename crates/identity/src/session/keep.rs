//! What is on the device: it opens nothing by itself.

use minicbor::{Decode, Encode};

use super::LOCK_AFTER_MIN_MAX;
use crate::{PublicKey, custody::Keyring, did::StarlingId};

/// The version of the form.
const VERSION: u8 = 1;
/// Most bytes: a keyring's, and a little.
const BYTES_MAX: usize = 40 << 10;

/// What to do with the device's storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Keep this, in place of what was kept before.
    This(Vec<u8>),
    /// Keep nothing.
    Nothing,
}

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) keyring: Keyring,
    /// The key of the `did:key`, to be shown while it is locked.
    pub(super) key: PublicKey,
    pub(super) lock_after_min: u16,
    pub(super) drilled_ms: u64,
    pub(super) adopted: Option<StarlingId>,
}

/// As it is written. CBOR: an array of six.
#[derive(Encode, Decode)]
struct Written {
    #[n(0)]
    version: u8,
    #[cbor(n(1), with = "minicbor::bytes")]
    keyring: Vec<u8>,
    #[n(2)]
    key: PublicKey,
    #[n(3)]
    lock_after_min: u16,
    #[n(4)]
    drilled_ms: u64,
    #[n(5)]
    adopted: Option<StarlingId>,
}

impl Kept {
    /// Whether it may be kept: a seed with one way to it is lost with that.
    pub(super) fn is_whole(&self) -> bool {
        self.keyring.is_recoverable()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let written = Written {
            version: VERSION,
            keyring: self.keyring.to_bytes(),
            key: self.key,
            lock_after_min: self.lock_after_min,
            drilled_ms: self.drilled_ms,
            adopted: self.adopted,
        };
        minicbor::to_vec(written).expect("encoding into memory does not fail")
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > BYTES_MAX {
            return None;
        }
        let written: Written = minicbor::decode(bytes).ok()?;
        let keyring = Keyring::from_bytes(&written.keyring).ok()?;
        let kept = Self {
            keyring,
            key: written.key,
            lock_after_min: written.lock_after_min.clamp(1, LOCK_AFTER_MIN_MAX),
            drilled_ms: written.drilled_ms,
            adopted: written.adopted,
        };
        (written.version == VERSION && kept.is_whole()).then_some(kept)
    }
}
