//! One way to the seed: what it takes, and the seed sealed by it.

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Phrase, Root, Share, combine, guardians::GUARDIANS_MAX, root::derive};
use crate::limits::{ARGON2_MEMORY_MIB_MAX, ARGON2_PASSES_MAX, PASSWORD_BYTES_MAX};

/// Longest id of a passkey, in bytes (WebAuthn 3, 4).
const PASSKEY_ID_BYTES_MAX: usize = 1023;

/// What a guess at a password costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct PasswordCost {
    /// MiB of memory, 1 to [`ARGON2_MEMORY_MIB_MAX`].
    #[n(0)]
    pub memory_mib: u8,
    /// Passes over it, 1 to [`ARGON2_PASSES_MAX`].
    #[n(1)]
    pub passes: u8,
}

/// 64 MiB and 3 passes: what RFC 9106, 4, recommends where memory is short, in one lane.
impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_mib: 64, passes: 3 }
    }
}

/// What a slot takes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum SlotKind {
    /// A password, made expensive to guess by Argon2id (RFC 9106).
    #[n(0)]
    Password {
        /// What a guess costs.
        #[n(0)]
        cost: PasswordCost,
    },
    /// The recovery phrase.
    #[n(1)]
    Phrase,
    /// What a passkey's PRF gives for the slot's salt (WebAuthn 3, 10.1.4).
    #[n(2)]
    Passkey {
        /// Which passkey: its id.
        #[cbor(n(0), with = "minicbor::bytes")]
        id: Vec<u8>,
    },
    /// Shares of enough guardians.
    #[n(3)]
    Guardians {
        /// How many are enough.
        #[n(0)]
        threshold: u8,
    },
}

/// What somebody brings to open a slot of the same kind.
#[derive(Clone, Copy)]
pub enum Unlock<'a> {
    /// The password.
    Password(&'a str),
    /// The phrase.
    Phrase(&'a Phrase),
    /// 32 bytes of the passkey's PRF.
    Passkey(&'a [u8; 32]),
    /// Shares, in any order.
    Guardians(&'a [Share]),
}

/// The seed, sealed: CBOR, an array of four.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Slot {
    /// What it takes.
    #[n(0)]
    pub kind: SlotKind,
    /// Drawn for this slot.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub salt: [u8; 32],
    /// Drawn for this slot.
    #[cbor(n(2), with = "minicbor::bytes")]
    nonce: [u8; 24],
    /// XChaCha20-Poly1305 of the seed; what is before it is authenticated.
    #[cbor(n(3), with = "minicbor::bytes")]
    sealed: [u8; 48],
}

/// Why a slot is not made or does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlockError {
    /// The slot takes something else.
    OtherKind,
    /// The slot asks for more than [`crate::limits`] allow, or for nothing.
    Bounds,
    /// The password is empty or longer than [`PASSWORD_BYTES_MAX`].
    PasswordLength {
        /// Bytes found.
        bytes: usize,
    },
    /// Fewer shares than are enough, or shares that do not belong together.
    Shares,
    /// There is not enough memory for the cost.
    Memory,
    /// It does not open: a wrong password, another phrase, another passkey, false shares.
    Wrong,
}

impl fmt::Display for UnlockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind => f.write_str("the slot takes something else"),
            Self::Bounds => f.write_str("the slot is out of bounds"),
            Self::PasswordLength { bytes } => {
                write!(f, "password is {bytes} bytes, expected 1 to {PASSWORD_BYTES_MAX}")
            }
            Self::Shares => f.write_str("there are not enough shares that belong together"),
            Self::Memory => f.write_str("there is not enough memory to check the password"),
            Self::Wrong => f.write_str("this does not open the slot"),
        }
    }
}

impl core::error::Error for UnlockError {}

impl SlotKind {
    pub(super) fn is_bounded(&self) -> bool {
        match self {
            Self::Password { cost } => {
                (1..=ARGON2_MEMORY_MIB_MAX).contains(&cost.memory_mib)
                    && (1..=ARGON2_PASSES_MAX).contains(&cost.passes)
            }
            Self::Phrase => true,
            Self::Passkey { id } => (1..=PASSKEY_ID_BYTES_MAX).contains(&id.len()),
            Self::Guardians { threshold } => (2..=GUARDIANS_MAX).contains(threshold),
        }
    }
}

impl Slot {
    /// Seals `root` for what `unlock` is. `salt` and `nonce` are drawn for this slot; the salt first,
    /// for a passkey's PRF is of it.
    ///
    /// # Errors
    /// [`UnlockError`], but never that it is wrong.
    pub fn seal(
        root: &Root,
        kind: SlotKind,
        unlock: Unlock<'_>,
        salt: [u8; 32],
        nonce: [u8; 24],
    ) -> Result<Self, UnlockError> {
        let mut slot = Self { kind, salt, nonce, sealed: [0; 48] };
        let key = slot.key(unlock)?;
        let payload = Payload { msg: root.as_bytes(), aad: &slot.head() };
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        slot.sealed.copy_from_slice(&sealed.expect("32 bytes are below the cipher's limit"));
        Ok(slot)
    }

    /// The seed. A password takes the time and memory of its cost.
    ///
    /// # Errors
    /// [`UnlockError`].
    pub fn open(&self, unlock: Unlock<'_>) -> Result<Root, UnlockError> {
        let key = self.key(unlock)?;
        let payload = Payload { msg: &self.sealed, aad: &self.head() };
        let cipher = XChaCha20Poly1305::new((&*key).into());
        let opened = cipher.decrypt(&XNonce::from(self.nonce), payload);
        let mut opened = opened.map_err(|_| UnlockError::Wrong)?;
        let mut seed = [0; 32];
        seed.copy_from_slice(&opened);
        opened.zeroize();
        Ok(Root::new(seed))
    }

    /// What is authenticated: kind, cost and salt can't be changed for another's.
    fn head(&self) -> Vec<u8> {
        minicbor::to_vec((&self.kind, minicbor::bytes::ByteArray::from(self.salt)))
            .expect("encoding into memory does not fail")
    }

    fn key(&self, unlock: Unlock<'_>) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
        if !self.kind.is_bounded() {
            return Err(UnlockError::Bounds);
        }
        match (&self.kind, unlock) {
            (SlotKind::Password { cost }, Unlock::Password(password)) => {
                argon2id(password, &self.salt, *cost)
            }
            (SlotKind::Phrase, Unlock::Phrase(phrase)) => {
                Ok(derive(phrase.as_bytes(), "phrase", &[&self.salt]))
            }
            (SlotKind::Passkey { .. }, Unlock::Passkey(output)) => {
                Ok(derive(output, "passkey", &[&self.salt]))
            }
            (SlotKind::Guardians { threshold }, Unlock::Guardians(shares)) => {
                if shares.len() < usize::from(*threshold) {
                    return Err(UnlockError::Shares);
                }
                let secret = combine(shares).map_err(|_| UnlockError::Shares)?;
                Ok(derive(&*secret, "guardians", &[&self.salt]))
            }
            _ => Err(UnlockError::OtherKind),
        }
    }
}

fn argon2id(
    password: &str,
    salt: &[u8; 32],
    cost: PasswordCost,
) -> Result<Zeroizing<[u8; 32]>, UnlockError> {
    if !(1..=PASSWORD_BYTES_MAX).contains(&password.len()) {
        return Err(UnlockError::PasswordLength { bytes: password.len() });
    }
    let memory_kib = u32::from(cost.memory_mib) * 1024;
    let params = Params::new(memory_kib, cost.passes.into(), 1, Some(32));
    let params = params.map_err(|_| UnlockError::Bounds)?;
    let mut key = Zeroizing::new([0; 32]);
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hashed = argon2.hash_password_into(password.as_bytes(), salt, &mut *key);
    hashed.map_err(|_| UnlockError::Memory)?;
    Ok(key)
}

/// Says what is brought, not what it is.
impl fmt::Debug for Unlock<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password(_) => "Password(..)",
            Self::Phrase(_) => "Phrase(..)",
            Self::Passkey(_) => "Passkey(..)",
            Self::Guardians(_) => "Guardians(..)",
        })
    }
}
