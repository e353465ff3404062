//! Every way to one seed.

use core::{fmt, mem};

use minicbor::{Decode, Encode};

use super::{Root, Slot, SlotKind, Unlock, UnlockError};
use crate::limits::{SLOTS_MAX, SLOTS_MIN};

/// The version of the form.
const VERSION: u8 = 1;
/// Most bytes of a keyring: its slots with the longest ids of passkeys.
const BYTES_MAX: usize = 32 << 10;

/// Slots that seal the same seed. CBOR: an array of three.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Keyring {
    #[n(0)]
    pub(super) version: u8,
    /// Of the seed, derived.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(super) name: [u8; 16],
    #[n(2)]
    pub(super) slots: Vec<Slot>,
}

/// Why a keyring is not read or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyringError {
    /// Not a keyring of this version.
    Form,
    /// As many slots as there may be.
    Full,
    /// There is no such slot.
    NoSlot,
    /// The last slot: the seed would be lost.
    LastSlot,
    /// The seed of another keyring.
    OtherSeed,
    /// The slot is not made or does not open.
    Unlock(UnlockError),
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected a keyring of version 1"),
            Self::Full => write!(f, "a keyring has at most {SLOTS_MAX} slots"),
            Self::NoSlot => f.write_str("the keyring has no such slot"),
            Self::LastSlot => f.write_str("without its last slot the seed would be lost"),
            Self::OtherSeed => f.write_str("the seed is another keyring's"),
            Self::Unlock(why) => why.fmt(f),
        }
    }
}

impl core::error::Error for KeyringError {}

impl From<UnlockError> for KeyringError {
    fn from(why: UnlockError) -> Self {
        Self::Unlock(why)
    }
}

impl Keyring {
    /// A keyring of one slot.
    ///
    /// # Errors
    /// The slot does not open with this to the seed.
    pub fn new(root: &Root, slot: Slot, unlock: Unlock<'_>) -> Result<Self, KeyringError> {
        let mut keyring = Self { version: VERSION, name: root.name(), slots: Vec::new() };
        keyring.add(root, slot, unlock)?;
        Ok(keyring)
    }

    /// Adds a slot, after it was seen to open.
    ///
    /// # Errors
    /// The seed is another, there are too many slots, or the slot does not open to the seed.
    pub fn add(&mut self, root: &Root, slot: Slot, unlock: Unlock<'_>) -> Result<(), KeyringError> {
        if root.name() != self.name {
            return Err(KeyringError::OtherSeed);
        }
        if self.slots.len() >= SLOTS_MAX {
            return Err(KeyringError::Full);
        }
        if slot.open(unlock)? != *root {
            return Err(KeyringError::OtherSeed);
        }
        self.slots.push(slot);
        Ok(())
    }

    /// Takes a slot away. What it sealed stays sealed in copies of the keyring that somebody kept.
    ///
    /// # Errors
    /// There is no such slot, or no other.
    pub fn remove(&mut self, index: usize) -> Result<Slot, KeyringError> {
        match (self.slots.get(index), self.slots.len()) {
            (None, _) => Err(KeyringError::NoSlot),
            (Some(_), 1) => Err(KeyringError::LastSlot),
            (Some(_), _) => Ok(self.slots.remove(index)),
        }
    }

    /// The seed, by the slot at a 0-based place.
    ///
    /// # Errors
    /// There is no such slot, it does not open, or it seals another seed than the keyring's: somebody
    /// put it there.
    pub fn open(&self, index: usize, unlock: Unlock<'_>) -> Result<Root, KeyringError> {
        let root = self.slots.get(index).ok_or(KeyringError::NoSlot)?.open(unlock)?;
        if root.name() == self.name { Ok(root) } else { Err(KeyringError::OtherSeed) }
    }

    /// The slots.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whether something of value may be kept: two kinds of slots, one of them the phrase or guardians,
    /// which are not on the device.
    pub fn is_recoverable(&self) -> bool {
        let away = |slot: &Slot| matches!(slot.kind, SlotKind::Phrase | SlotKind::Guardians { .. });
        let kind = |slot: &Slot| mem::discriminant(&slot.kind);
        let first = self.slots.first().map(kind);
        let differ = self.slots.iter().any(|slot| Some(kind(slot)) != first);
        self.slots.len() >= SLOTS_MIN && differ && self.slots.iter().any(away)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory does not fail")
    }

    /// A keyring in its one form.
    ///
    /// # Errors
    /// [`KeyringError::Form`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.len() > BYTES_MAX {
            return Err(KeyringError::Form);
        }
        let keyring: Self = minicbor::decode(bytes).map_err(|_| KeyringError::Form)?;
        let bounded = (1..=SLOTS_MAX).contains(&keyring.slots.len())
            && keyring.slots.iter().all(|slot| slot.kind.is_bounded());
        let formed = keyring.version == VERSION && bounded && keyring.to_bytes() == bytes;
        if formed { Ok(keyring) } else { Err(KeyringError::Form) }
    }
}
