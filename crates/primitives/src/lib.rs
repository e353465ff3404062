//! What every crate of Starling shares: identifiers, hashes, keys, time, seeds, and maps that are small
//! to ship.
//!
//! Laws of this crate: nothing here reads a clock, draws entropy or does IO. Time and randomness
//! come in as arguments ([`Time`], [`Seed`]), so that every core can be replayed from a seed.

pub mod cbor;
mod hash;
mod hex;
mod id;
mod key;
mod seed;
mod sorted;
mod time;

pub use hash::{Hash, Hasher, sha256};
pub use id::{PeerId, SegmentId, SwarmId};
pub use key::{KeyPair, Signature, SignatureError, Signed, verify_all};
pub use seed::{Rng, Seed};
pub use sorted::{Entry, SortedMap, SortedSet};
pub use time::Time;

pub use hex::HexError;
