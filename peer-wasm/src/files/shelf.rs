//! Where blocks are kept: batches of writes, what is held, room.
//!
//! Blocks that come within one turn go out in one transaction. The share that was used longest ago makes
//! room, with all it has; never one that is open or pinned. Without IndexedDB nothing can be received,
//! and that is said.

use core::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use files::content::Cid;
use primitives::SortedSet;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::StorageEstimate;

use super::{
    FilesError,
    database::{BlockDatabase, Used},
    record::Record,
    running::Running,
};
use crate::{js_error::BrowserError, number};

/// Part of what the browser grants this origin that files may take, in tenths.
const QUOTA_TENTHS: u64 = 6;
/// Where the browser does not say what it grants.
const LIMIT_BYTES_OTHERWISE: u64 = 2 << 30;
/// Most bytes of one transaction.
const BATCH_BYTES_MAX: u64 = 16 << 20;

/// The blocks of this page's shares.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    database: RefCell<Option<Rc<BlockDatabase>>>,
    absent: Cell<bool>,
    pending: RefCell<Vec<Pending>>,
    flushing: Cell<bool>,
    used_bytes: Cell<Option<u64>>,
    limit_bytes: Cell<Option<u64>>,
    /// Shares that are open here.
    open: RefCell<SortedSet<Cid>>,
}

#[derive(Debug)]
struct Pending {
    share: Cid,
    cid: Cid,
    bytes: Vec<u8>,
    told: Weak<Running>,
}

/// What files take of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Space {
    /// Bytes of all shares.
    pub used_bytes: u64,
    /// What they may take.
    pub limit_bytes: u64,
}

impl Shelf {
    /// The database, opened at the first call.
    async fn database(&self) -> Result<Rc<BlockDatabase>, FilesError> {
        if let Some(database) = self.database.borrow().clone() {
            return Ok(database);
        }
        match BlockDatabase::open().await {
            Ok(opened) => {
                // Two callers may open it at once; the second connection is dropped, no harm done.
                let opened = Rc::new(opened);
                self.database.replace(Some(Rc::clone(&opened)));
                Ok(opened)
            }
            Err(_) => {
                self.absent.set(true);
                Err(FilesError::NoStore)
            }
        }
    }

    /// A share is open here, or no longer.
    pub(super) fn set_open(&self, share: Cid, open: bool) {
        if open {
            self.open.borrow_mut().insert(share);
        } else {
            self.open.borrow_mut().remove(&share);
        }
    }

    /// Keeps a block, soon; the share is told when it is kept, or that it can't be.
    pub(super) fn keep(self: &Rc<Self>, share: Cid, cid: Cid, bytes: Vec<u8>, told: Weak<Running>) {
        self.pending.borrow_mut().push(Pending { share, cid, bytes, told });
        if !self.flushing.replace(true) {
            let shelf = Rc::clone(self);
            spawn_local(async move {
                shelf.flush().await;
                shelf.flushing.set(false);
            });
        }
    }

    async fn flush(&self) {
        loop {
            let batch = self.next_batch();
            if batch.is_empty() {
                return;
            }
            let blocks: Vec<(Cid, Cid, Vec<u8>)>;
            let told: Vec<(Cid, Weak<Running>)>;
            (blocks, told) = batch
                .into_iter()
                .map(|one| ((one.share, one.cid, one.bytes), (one.cid, one.told)))
                .unzip();
            let kept = self.write(&blocks).await.is_ok();
            for (cid, running) in told {
                if let Some(running) = running.upgrade() {
                    running.kept(cid, kept);
                }
            }
        }
    }

    fn next_batch(&self) -> Vec<Pending> {
        let mut pending = self.pending.borrow_mut();
        let mut bytes = 0;
        let count = pending
            .iter()
            .take_while(|one| {
                let fits = bytes < BATCH_BYTES_MAX;
                bytes += number::count(one.bytes.len());
                fits
            })
            .count();
        pending.drain(..count).collect()
    }

    /// Writes blocks, making room first.
    pub(super) async fn write(&self, blocks: &[(Cid, Cid, Vec<u8>)]) -> Result<(), FilesError> {
        let database = self.database().await?;
        let bytes = blocks.iter().map(|(_, _, bytes)| number::count(bytes.len())).sum();
        self.make_room(&database, bytes).await?;
        match database.write(blocks).await {
            Ok(()) => {
                self.used_bytes.set(self.used_bytes.get().map(|used| used + bytes));
                Ok(())
            }
            Err(error) => Err(storing(&error)),
        }
    }

    /// Makes sure that so many bytes more fit.
    pub(super) async fn room_for(&self, bytes: u64) -> Result<(), FilesError> {
        let database = self.database().await?;
        self.make_room(&database, bytes).await
    }

    async fn make_room(&self, database: &BlockDatabase, coming: u64) -> Result<(), FilesError> {
        let limit = self.limit().await;
        if self.used(database).await? + coming <= limit {
            return Ok(());
        }
        let mut records = database.records().await.map_err(|error| storing(&error))?;
        records.retain(|record| !record.pinned && !self.open.borrow().contains(&record.share));
        // Last used last, so that the oldest is taken from the end.
        records.sort_by(|a, b| b.used_ms.total_cmp(&a.used_ms));
        while self.used(database).await? + coming > limit {
            let Some(oldest) = records.pop() else { return Err(FilesError::Full) };
            database.remove(&oldest.share).await.map_err(|error| storing(&error))?;
            self.used_bytes.set(None);
        }
        Ok(())
    }

    async fn used(&self, database: &BlockDatabase) -> Result<u64, FilesError> {
        if let Some(used) = self.used_bytes.get() {
            return Ok(used);
        }
        let mut used = 0;
        for record in database.records().await.map_err(|error| storing(&error))? {
            used += database.used(&record.share).await.map_err(|error| storing(&error))?.bytes;
        }
        self.used_bytes.set(Some(used));
        Ok(used)
    }

    async fn limit(&self) -> u64 {
        if let Some(limit) = self.limit_bytes.get() {
            return limit;
        }
        let limit =
            granted().await.map_or(LIMIT_BYTES_OTHERWISE, |quota| quota / 10 * QUOTA_TENTHS);
        self.limit_bytes.set(Some(limit));
        limit
    }

    /// Sets what files may take.
    pub(super) fn set_limit(&self, limit_bytes: Option<u64>) {
        self.limit_bytes.set(limit_bytes);
    }

    /// What files take.
    pub(super) async fn space(&self) -> Space {
        let limit_bytes = self.limit().await;
        let used_bytes = match self.database().await {
            Ok(database) => self.used(&database).await.unwrap_or(0),
            Err(_) => 0,
        };
        Space { used_bytes, limit_bytes }
    }

    /// Names of the blocks of a share that are kept.
    pub(super) async fn held(&self, share: &Cid) -> Vec<Cid> {
        match self.database().await {
            Ok(database) => database.held(share).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }

    /// The bytes kept under this name: a claim, to be checked.
    pub(super) async fn read(&self, share: &Cid, cid: &Cid) -> Option<Vec<u8>> {
        self.database().await.ok()?.read(share, cid).await.ok().flatten()
    }

    /// What a share takes.
    pub(super) async fn used_by(&self, share: &Cid) -> Used {
        match self.database().await {
            Ok(database) => database.used(share).await.unwrap_or_default(),
            Err(_) => Used::default(),
        }
    }

    /// Everything that is remembered of shares, last used first.
    pub(super) async fn records(&self) -> Vec<Record> {
        let Ok(database) = self.database().await else { return Vec::new() };
        let mut records = database.records().await.unwrap_or_default();
        records.sort_by(|a, b| b.used_ms.total_cmp(&a.used_ms));
        records
    }

    /// What is remembered of one share.
    pub(super) async fn record(&self, share: &Cid) -> Option<Record> {
        self.records().await.into_iter().find(|record| record.share == *share)
    }

    /// Remembers a share.
    pub(super) async fn put_record(&self, record: &Record) -> Result<(), FilesError> {
        let database = self.database().await?;
        database.put_record(record).await.map_err(|error| storing(&error))
    }

    /// Forgets a share and all its blocks.
    pub(super) async fn remove(&self, share: &Cid) -> Result<(), FilesError> {
        let database = self.database().await?;
        self.used_bytes.set(None);
        database.remove(share).await.map_err(|error| storing(&error))
    }

    /// Asks the browser not to throw this origin's data out when the disk is low.
    pub(super) async fn persist(&self) -> bool {
        let asked =
            web_sys::window().and_then(|window| window.navigator().storage().persist().ok());
        match asked {
            Some(asking) => JsFuture::from(asking).await.is_ok_and(|answer| answer.is_truthy()),
            None => false,
        }
    }
}

fn storing(error: &BrowserError) -> FilesError {
    match error.name.as_str() {
        "QuotaExceededError" | "AbortError" => FilesError::Full,
        _ => FilesError::Browser(error.clone()),
    }
}

/// Bytes the browser grants this origin.
async fn granted() -> Option<u64> {
    let asked = web_sys::window()?.navigator().storage().estimate().ok()?;
    let estimate: StorageEstimate = JsFuture::from(asked).await.ok()?.unchecked_into();
    estimate.get_quota().map(number::whole)
}
