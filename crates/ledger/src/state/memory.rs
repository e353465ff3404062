//! All records in memory: for tests, the simulator and genesis.

use std::collections::BTreeMap;

use primitives::{Hash, Hasher};

use super::{Changes, Key, Scan, Store, record_hash};

/// Records in order of their keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryStore(BTreeMap<Key, Vec<u8>>);

impl MemoryStore {
    /// No records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over what a block or an overlay changed.
    pub fn commit(&mut self, changes: Changes) {
        for (key, record) in changes {
            match record {
                Some(record) => self.0.insert(key, record),
                None => self.0.remove(&key),
            };
        }
    }

    /// Number of records.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// One digest of everything, to compare replicas by: SHA-256 over key hash ‖ record hash in
    /// order of keys. Nothing is proved against it.
    pub fn digest(&self) -> Hash {
        let mut hasher = Hasher::new();
        for (key, record) in &self.0 {
            hasher.update(key.hash().as_bytes());
            hasher.update(record_hash(record).as_bytes());
        }
        hasher.finish()
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.0.get(key).cloned()
    }
}

impl Scan for MemoryStore {
    fn scan(&self, prefix: &[u8], see: &mut dyn FnMut(&Key, &[u8])) {
        let from = Key::from_bytes(prefix.to_vec());
        let within = self.0.range(from..).take_while(|(key, _)| key.as_bytes().starts_with(prefix));
        within.for_each(|(key, record)| see(key, record));
    }
}
