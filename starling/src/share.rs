//! Files between peers: what `starling seed` gives and `starling get` takes.
//!
//! The driver (`peer-native`) runs the exchange; here is where its blocks are: made again from files, or in
//! the block store. Whoever is interrupted finds in the store what came before.

mod blocks;
mod error;
mod fetching;
mod making;
mod seeding;
mod settling;

use ::content::share::{Secret, ShareKey, ShareLink};

pub use blocks::{Counts, StoreBlocks};
pub use error::ShareError;
pub use fetching::{Fetched, Wanted, fetch};
pub use making::{Made, MakeOptions, Sources, make};
pub use seeding::{Look, Seeding, Taker};

/// What opens a link: its own key, or what its password opens. Takes a moment, for a password.
///
/// # Errors
/// The link needs a password, or that is another.
pub fn key_of(link: &ShareLink, password: Option<&str>) -> Result<ShareKey, ShareError> {
    match (&link.secret, password) {
        // Nothing is sealed: no key is asked for.
        (Secret::Public, _) => Ok(ShareKey::new([0; 32])),
        (Secret::Key(key), _) => Ok(key.clone()),
        (Secret::Password(_), None) => Err(ShareError::PasswordNeeded),
        (Secret::Password(lock), Some(password)) => Ok(lock.open(password)?),
    }
}
