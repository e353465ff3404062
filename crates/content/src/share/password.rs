//! A share key behind a password.
//!
//! The share key stays random; a key made of the password by Argon2id (RFC 9106) seals it. So a link can
//! be given a password, or another one, without sealing the content again, and a wrong password is told
//! apart from a damaged block.
//!
//! ```text
//! 1 byte    1               version of this form
//! 1 byte    memory, MiB     1 byte  passes     1 byte  lanes (1)
//! 16 bytes  salt
//! 48 bytes  XChaCha20-Poly1305(Argon2id(password, salt), nonce 0, share key; data: the bytes before)
//! ```
//!
//! The nonce is constant because the key is used once: it is of a salt that was drawn for this lock.

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    XNonce,
    aead::{Aead as _, Payload},
};
use zeroize::Zeroize as _;

use super::ShareKey;
use crate::limits::{ARGON2_MEMORY_MIB_MAX, ARGON2_PASSES_MAX, PASSWORD_BYTES_MAX};

const VERSION: u8 = 1;
const LANES: u8 = 1;
const HEAD_BYTES: usize = 4;
const SALT_BYTES: usize = 16;
const SEALED_BYTES: usize = 48;
/// Bytes of a lock.
const BYTES: usize = HEAD_BYTES + SALT_BYTES + SEALED_BYTES;

/// What a guess costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordCost {
    /// MiB of memory, 1 to [`ARGON2_MEMORY_MIB_MAX`].
    pub memory_mib: u8,
    /// Passes over it, 1 to [`ARGON2_PASSES_MAX`].
    pub passes: u8,
}

/// 64 MiB and 3 passes: what RFC 9106, 4, recommends where memory is short, in one lane, because a tab
/// has one thread to fill it.
impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory_mib: 64, passes: 3 }
    }
}

impl PasswordCost {
    const fn is_bounded(self) -> bool {
        1 <= self.memory_mib
            && self.memory_mib <= ARGON2_MEMORY_MIB_MAX
            && 1 <= self.passes
            && self.passes <= ARGON2_PASSES_MAX
    }
}

/// A share key sealed with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordLock {
    bytes: [u8; BYTES],
}

/// Why a lock does not open or can't be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordError {
    /// Not a lock of this version.
    Form,
    /// The lock asks for more memory or passes than [`ARGON2_MEMORY_MIB_MAX`] and
    /// [`ARGON2_PASSES_MAX`], or for none.
    Cost,
    /// The password is empty or longer than [`PASSWORD_BYTES_MAX`].
    Length {
        /// Bytes found.
        bytes: usize,
    },
    /// There is not enough memory for the cost.
    Memory,
    /// The password is not the one.
    Wrong,
}

impl fmt::Display for PasswordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected a password lock of version 1"),
            Self::Cost => write!(
                f,
                "a password may cost at most {ARGON2_MEMORY_MIB_MAX} MiB and {ARGON2_PASSES_MAX} passes"
            ),
            Self::Length { bytes } => {
                write!(f, "password is {bytes} bytes, expected 1 to {PASSWORD_BYTES_MAX}")
            }
            Self::Memory => f.write_str("there is not enough memory to check the password"),
            Self::Wrong => f.write_str("wrong password"),
        }
    }
}

impl core::error::Error for PasswordError {}

impl PasswordLock {
    /// Seals `key` with `password`; `salt` is drawn for this lock.
    ///
    /// # Errors
    /// The password's length or the cost is out of bounds.
    pub fn new(
        key: &ShareKey,
        password: &str,
        salt: [u8; SALT_BYTES],
        cost: PasswordCost,
    ) -> Result<Self, PasswordError> {
        let mut bytes = [0; BYTES];
        bytes[..HEAD_BYTES].copy_from_slice(&[VERSION, cost.memory_mib, cost.passes, LANES]);
        bytes[HEAD_BYTES..HEAD_BYTES + SALT_BYTES].copy_from_slice(&salt);
        let mut lock = Self { bytes };
        let payload = Payload { msg: key.as_bytes(), aad: lock.head() };
        let sealed = lock.key_of(password)?.cipher().encrypt(&XNonce::default(), payload);
        let sealed = sealed.expect("32 bytes are below the cipher's limit");
        lock.bytes[HEAD_BYTES + SALT_BYTES..].copy_from_slice(&sealed);
        Ok(lock)
    }

    /// The lock of these bytes.
    ///
    /// # Errors
    /// They are not a lock, or its cost is out of bounds.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PasswordError> {
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| PasswordError::Form)?;
        if bytes[0] != VERSION || bytes[3] != LANES {
            return Err(PasswordError::Form);
        }
        let lock = Self { bytes };
        if lock.cost().is_bounded() { Ok(lock) } else { Err(PasswordError::Cost) }
    }

    /// The bytes of the lock.
    pub const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What one try costs.
    pub const fn cost(&self) -> PasswordCost {
        PasswordCost { memory_mib: self.bytes[1], passes: self.bytes[2] }
    }

    /// The share key. Takes the time and memory of [`PasswordLock::cost`].
    ///
    /// # Errors
    /// The password is wrong, or has a length no password has.
    pub fn open(&self, password: &str) -> Result<ShareKey, PasswordError> {
        let sealed = &self.bytes[HEAD_BYTES + SALT_BYTES..];
        let payload = Payload { msg: sealed, aad: self.head() };
        let opened = self.key_of(password)?.cipher().decrypt(&XNonce::default(), payload);
        let mut opened = opened.map_err(|_| PasswordError::Wrong)?;
        let mut key = [0; 32];
        key.copy_from_slice(&opened);
        opened.zeroize();
        let share_key = ShareKey::new(key);
        key.zeroize();
        Ok(share_key)
    }

    /// Everything before the sealed key.
    fn head(&self) -> &[u8] {
        &self.bytes[..HEAD_BYTES + SALT_BYTES]
    }

    fn key_of(&self, password: &str) -> Result<ShareKey, PasswordError> {
        if !(1..=PASSWORD_BYTES_MAX).contains(&password.len()) {
            return Err(PasswordError::Length { bytes: password.len() });
        }
        let cost = self.cost();
        if !cost.is_bounded() {
            return Err(PasswordError::Cost);
        }
        let memory_kib = u32::from(cost.memory_mib) * 1024;
        let params = Params::new(memory_kib, cost.passes.into(), LANES.into(), Some(32));
        let params = params.map_err(|_| PasswordError::Cost)?;
        let salt = &self.head()[HEAD_BYTES..];
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), salt, &mut key)
            .map_err(|_| PasswordError::Memory)?;
        let share_key = ShareKey::new(key);
        key.zeroize();
        Ok(share_key)
    }
}
