//! Records under keys: all that the ledger knows.
//!
//! A record is CBOR under a [`Key`] of prefix, table and id. The engine's authenticated store keeps
//! `key.hash() -> record_hash(record)`, both 32 bytes, and the records lie beside it: a proof of a
//! record is a proof of its hash. Reads are synchronous, so the driver keeps records where it can
//! read them at once.

mod key;
mod memory;
mod overlay;
mod table;

use primitives::{Hash, sha256};

pub use key::{Key, Prefix};
pub use memory::MemoryStore;
pub use overlay::{Changes, Overlay};
pub(crate) use table::Table;

/// Where records are read.
pub trait Store {
    /// The record under a key.
    fn get(&self, key: &Key) -> Option<Vec<u8>>;
}

/// A store that can list: for laws, snapshots and exports, never for an action.
pub trait Scan: Store {
    /// Shows every record whose key begins with `prefix`, in order of the keys.
    fn scan(&self, prefix: &[u8], see: &mut dyn FnMut(&Key, &[u8]));
}

/// What the authenticated store holds for a record.
pub fn record_hash(record: &[u8]) -> Hash {
    sha256(record)
}

/// The canonical CBOR of a value (RFC 8949, 4.2.1): arrays of definite length, shortest integers.
pub(crate) fn encode(value: &impl minicbor::Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}
