//! The state after any block that may still become final: final records with unfinal changes on top.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use ledger::{AccountId, Changes, Key, Receipt, Store};

use crate::header::{Digest, Header};
use crate::records::{Final, Records, RecordsError, Snapshot};

/// Final headers kept in memory, to find the one a proof belongs to.
const HEADERS_KEPT: usize = 16;

/// A block that was executed and may become final.
#[derive(Debug)]
pub(crate) struct Executed {
    pub(crate) header: Header,
    pub(crate) changes: Arc<Changes>,
    pub(crate) receipts: Vec<Receipt>,
    /// Whose transactions are in it.
    pub(crate) signers: BTreeSet<AccountId>,
}

/// Final and unfinal state. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct State {
    records: Records,
    unfinal: Arc<Mutex<Unfinal>>,
}

/// At most a block per round of agreement since the last final one: all below that are dropped.
#[derive(Debug, Default)]
struct Unfinal {
    blocks: BTreeMap<Digest, Arc<Executed>>,
    headers: VecDeque<Header>,
}

impl State {
    pub(crate) fn new(records: Records) -> Self {
        // The last block's is known before there is another: proofs are of its state.
        let last = records.last().and_then(|(height, _)| records.header(height)).ok().flatten();
        let last = last.and_then(|bytes| Header::decode(Copying(&bytes[..])).ok());
        let unfinal = Unfinal { headers: last.into_iter().collect(), ..Unfinal::default() };
        Self { records, unfinal: Arc::new(Mutex::new(unfinal)) }
    }

    pub(crate) fn records(&self) -> &Records {
        &self.records
    }

    /// The state after a block. `None`: the block is neither the last final one nor built on it by
    /// blocks that were executed.
    pub(crate) fn after(&self, block: &Digest) -> Result<Option<View>, RecordsError> {
        // Under the lock: a block leaves this list only after its changes are in the records.
        let unfinal = self.lock();
        let snapshot = self.records.snapshot()?;
        let mut layers = Vec::new();
        let mut at = *block;
        while at != snapshot.last.1 {
            let Some(executed) = unfinal.blocks.get(&at) else { return Ok(None) };
            layers.push(executed.changes.clone());
            at = executed.header.parent;
        }
        Ok(Some(View { snapshot, layers }))
    }

    /// What a block changed, if it was executed here before.
    pub(crate) fn changes(&self, block: &Header) -> Result<Option<Arc<Changes>>, RecordsError> {
        let digest = block.digest();
        if let Some(executed) = self.lock().blocks.get(&digest) {
            return Ok(Some(executed.changes.clone()));
        }
        let known = self.records.changes(block.height.get())?;
        Ok(known.filter(|(name, _)| *name == digest).map(|(_, changes)| Arc::new(changes)))
    }

    pub(crate) fn add(&self, executed: Executed) {
        self.lock().blocks.insert(executed.header.digest(), Arc::new(executed));
    }

    /// Writes an executed block to disk as final, and forgets what can't become final any more.
    pub(crate) fn finalize(&self, header: &Header) -> Result<Option<Arc<Executed>>, RecordsError> {
        let (digest, height) = (header.digest(), header.height.get());
        let executed = self.lock().blocks.get(&digest).cloned();
        if executed.is_none() && self.records.last()?.0 < height {
            return Err(RecordsError::NotExecuted(height));
        }
        if let Some(executed) = &executed {
            self.records.commit(&Final {
                height,
                digest,
                header: &header.encode(),
                changes: &executed.changes,
                receipts: &executed.receipts,
            })?;
        }
        let mut unfinal = self.lock();
        unfinal.blocks.retain(|_, block| block.header.height.get() > height);
        unfinal.headers.push_back(header.clone());
        if unfinal.headers.len() > HEADERS_KEPT {
            unfinal.headers.pop_front();
        }
        Ok(executed)
    }

    /// Whether a block, or one that it is built on, holds transactions and is not final here yet.
    pub(crate) fn is_unsettled(&self, block: &Digest) -> bool {
        let unfinal = self.lock();
        let mut at = *block;
        while let Some(executed) = unfinal.blocks.get(&at) {
            if !executed.receipts.is_empty() {
                return true;
            }
            at = executed.header.parent;
        }
        false
    }

    /// The header of a recent block whose state has this root.
    pub(crate) fn header_of(&self, state_root: &Digest) -> Option<Header> {
        let unfinal = self.lock();
        let waiting = unfinal.blocks.values().map(|block| &block.header);
        waiting.chain(&unfinal.headers).find(|header| header.state_root == *state_root).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Unfinal> {
        // Nothing panics while it is held.
        self.unfinal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records as they are after one block.
pub(crate) struct View {
    snapshot: Arc<Snapshot>,
    /// Newest first.
    layers: Vec<Arc<Changes>>,
}

impl Store for View {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        match self.layers.iter().find_map(|layer| layer.get(key)) {
            Some(change) => change.clone(),
            None => self.snapshot.get(key),
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("last", &self.snapshot.last)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}
