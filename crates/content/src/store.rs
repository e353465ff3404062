//! What a driver's block store answers.

use std::collections::BTreeMap;
use std::convert::Infallible;

use crate::{Block, Candidate, Cid};

/// A place where blocks are kept.
pub trait BlockStore {
    /// What can go wrong.
    type Error;

    /// The bytes kept under this name. They are a claim: disks forget. Whoever needs proof verifies.
    ///
    /// # Errors
    /// The store can't be read.
    fn get(&self, cid: &Cid) -> Result<Option<Candidate>, Self::Error>;

    /// Whether something is kept under this name.
    ///
    /// # Errors
    /// The store can't be read.
    fn has(&self, cid: &Cid) -> Result<bool, Self::Error>;

    /// Keeps a block. It may be lost until [`BlockStore::commit`] returned.
    ///
    /// # Errors
    /// The store can't be written.
    fn put(&mut self, block: &Block) -> Result<(), Self::Error>;

    /// Makes sure that every block put before survives a crash.
    ///
    /// # Errors
    /// The store can't be written: some of those blocks may be lost.
    fn commit(&mut self) -> Result<(), Self::Error>;
}

/// Blocks in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore(BTreeMap<Cid, Vec<u8>>);

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names of all blocks, in order.
    pub fn cids(&self) -> impl Iterator<Item = &Cid> {
        self.0.keys()
    }
}

impl BlockStore for MemoryStore {
    type Error = Infallible;

    fn get(&self, cid: &Cid) -> Result<Option<Candidate>, Infallible> {
        Ok(self.0.get(cid).map(|bytes| Candidate { cid: *cid, bytes: bytes.clone() }))
    }

    fn has(&self, cid: &Cid) -> Result<bool, Infallible> {
        Ok(self.0.contains_key(cid))
    }

    fn put(&mut self, block: &Block) -> Result<(), Infallible> {
        self.0.insert(block.cid(), block.bytes().to_vec());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
