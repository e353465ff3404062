//! How a person keeps their keys: one seed, from which every key follows, sealed several times over.
//!
//! ```text
//! password  -> Argon2id -+
//! phrase    ------------ + -> a key of each slot's own -> opens the seed -> HKDF -> every other key
//! passkey   ------------ |
//! guardians -> shares ---+
//! ```
//!
//! A slot is a copy of the seed, sealed by what its owner has or knows. Any one slot gives the seed;
//! taking one away changes nothing else. One slot alone is not enough to keep anything of value
//! ([`Keyring::is_recoverable`]): a passkey is deleted with a tap, a password is forgotten.
//!
//! Slots are of no use to who has none of the ways in, so a [`Keyring`] may be stored anywhere. Where
//! to look for it on a new device follows from the phrase ([`Phrase::locator`]).

mod guardians;
mod keyring;
mod phrase;
mod root;
mod share_text;
mod slot;
#[cfg(test)]
mod tests;

pub use guardians::{Share, ShareError, combine, split};
pub use keyring::{Keyring, KeyringError};
pub use phrase::{NewPhrase, Phrase, PhraseError};
pub use root::Root;
pub use share_text::{HandedShare, ShareTextError};
pub use slot::{PasswordCost, Slot, SlotKind, Unlock, UnlockError};
