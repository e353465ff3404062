//! Blocks of a share in the block store.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ::content::{Block, Cid, store::BlockStore as _};
use peer_native::Blocks;

use crate::content::{FileStore, Pin, PinKind, StoreError};

/// The block store, for a share that is fetched into it or given from it.
#[derive(Debug)]
pub struct StoreBlocks {
    /// Reads take no lock.
    reading: FileStore,
    writing: Mutex<FileStore>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Why the store takes nothing more.
    trouble: Option<StoreError>,
    /// It was said that it can't be read.
    warned: bool,
    counts: Counts,
}

/// What happened to a store since it was opened here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blocks that were asked for and were here.
    pub here: u64,
    /// Blocks that were put.
    pub kept: u64,
    /// Their bytes.
    pub kept_bytes: u64,
}

impl StoreBlocks {
    /// The store of a data folder. What is put here is not evicted while this lives.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        // No session before something is put: what others use meanwhile could not be evicted while it lives.
        let (reading, writing) = (FileStore::open(data)?, FileStore::open(data)?);
        Ok(Self { reading, writing: Mutex::new(writing), state: Mutex::default() })
    }

    /// The store, for reading.
    pub const fn store(&self) -> &FileStore {
        &self.reading
    }

    /// Keeps what was listed from eviction while it is fetched, so that who is interrupted finds it again.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn hold(&self, root: Cid, listed: &[Cid]) -> Result<(), StoreError> {
        self.reading.pin(&Pin { root, kind: PinKind::GettingListed, name: None }, listed)
    }

    /// The end of fetching: pinned for good, or let go. What somebody pinned before stays pinned.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn release(
        &self,
        root: Cid,
        keep: Option<String>,
        listed: &[Cid],
    ) -> Result<(), StoreError> {
        let kind = self.reading.pinned(&root)?.map(|pin| pin.kind);
        if keep.is_some() {
            self.reading.pin(&Pin { root, kind: PinKind::Listed, name: keep }, listed)
        } else if matches!(kind, Some(PinKind::Getting | PinKind::GettingListed)) {
            self.reading.unpin(&root).map(drop)
        } else {
            Ok(())
        }
    }

    /// Why the store takes nothing more; asked once.
    pub fn take_trouble(&self) -> Option<StoreError> {
        lock(&self.state).trouble.take()
    }

    /// What happened since it was opened.
    pub fn counts(&self) -> Counts {
        lock(&self.state).counts
    }

    /// Says once that the store can't be read.
    fn warn(&self, error: &StoreError) {
        if !std::mem::replace(&mut lock(&self.state).warned, true) {
            tracing::warn!("the block store can't be read, what is in it is not given: {error}");
        }
    }

    fn write(&self, blocks: &[Block]) -> Result<(), StoreError> {
        let mut store = lock(&self.writing);
        blocks.iter().try_for_each(|block| store.put(block))?;
        store.commit()
    }
}

impl Blocks for StoreBlocks {
    fn has(&self, cid: &Cid) -> bool {
        let has = self.reading.has(cid).unwrap_or_else(|error| {
            self.warn(&error);
            false
        });
        if has {
            lock(&self.state).counts.here += 1;
        }
        has
    }

    fn read(&self, cid: &Cid) -> Option<Block> {
        let found = self.reading.get(cid).unwrap_or_else(|error| {
            self.warn(&error);
            None
        })?;
        let block = found.verify().ok();
        if block.is_none() {
            // A damaged one would stand in the way of the whole one that comes.
            let _ = self.reading.discard(cid);
        }
        block
    }

    fn keep(&self, blocks: &[Block]) -> bool {
        let written = self.write(blocks);
        let mut state = lock(&self.state);
        match written {
            Ok(()) => {
                let bytes = blocks.iter().filter_map(|one| u64::try_from(one.bytes().len()).ok());
                state.counts.kept_bytes += bytes.sum::<u64>();
                state.counts.kept += u64::try_from(blocks.len()).unwrap_or(u64::MAX);
                true
            }
            Err(error) => {
                state.trouble.get_or_insert(error);
                false
            }
        }
    }
}

/// A panic in another thread leaves whole values behind.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
