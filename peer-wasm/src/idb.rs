//! The store: segments that survive a reload, in IndexedDB.
//!
//! Writes are gathered and go out in one transaction per turn (one by one they cost ten times as
//! much). The least recently used segments make room. Without IndexedDB, or with a full disk, the
//! peer works on without a store: every segment that could not be kept is told as evicted.

mod database;
mod room;
#[cfg(test)]
mod tests;

use core::cell::{Cell, RefCell};
use std::{rc::Rc, sync::Arc};

use peer::{Input, view::Problem};
use primitives::{SegmentId, SortedMap, SortedSet, SwarmId};
use serde::Serialize;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::StorageEstimate;

use crate::{clock, js_error::BrowserError, number, pump::Inbox};
use database::{SegmentDatabase, StoreKey};

/// Most bytes the store takes unless told otherwise: 512 MiB, about 25 minutes of 720p.
const LIMIT_BYTES_DEFAULT_MAX: u64 = 512 << 20;
/// And no more than this part of what the browser grants the origin, which other things need too.
const LIMIT_QUOTA_DIVISOR: u64 = 5;
/// Most bytes waiting to be written; past it a segment is simply not stored.
const PENDING_BYTES_MAX: u64 = 48 << 20;
/// Most segments told as held of one stream.
const HELD_MAX: usize = 65_536;

/// What the store holds, for the person's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheInfo {
    /// Bytes of segments held, of all streams.
    pub used_bytes: u64,
    /// The limit.
    pub limit_bytes: u64,
    /// Segments held.
    pub segments: u32,
}

/// The store of this page. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Store(Rc<Shared>);

#[derive(Debug)]
struct Shared {
    inbox: Inbox,
    state: RefCell<State>,
    limit_bytes: Cell<Option<u64>>,
    /// Bytes in the database: as last read, plus what this page wrote since.
    used_bytes: Cell<u64>,
    problem: Cell<Option<Trouble>>,
    open: RefCell<SortedSet<SwarmId>>,
    pending: RefCell<SortedMap<StoreKey, Arc<[u8]>>>,
    used: RefCell<SortedMap<StoreKey, u64>>,
    flushing: Cell<bool>,
}

#[derive(Debug, Clone)]
enum State {
    Unopened,
    Open(Rc<SegmentDatabase>),
    Absent,
}

/// What is wrong with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// No IndexedDB here (some private modes, blocked cookies).
    Absent,
    /// The disk or the browser's quota is full.
    Full,
}

impl Store {
    /// A store that is opened when first needed. `limit_bytes`: `None` for the default.
    pub(crate) fn new(inbox: Inbox, limit_bytes: Option<u64>) -> Self {
        Self(Rc::new(Shared {
            inbox,
            state: RefCell::new(State::Unopened),
            limit_bytes: Cell::new(limit_bytes),
            used_bytes: Cell::new(0),
            problem: Cell::new(None),
            open: RefCell::default(),
            pending: RefCell::default(),
            used: RefCell::default(),
            flushing: Cell::new(false),
        }))
    }

    /// Opens the store for a stream and tells what is held of it.
    pub(crate) fn open(&self, swarm: SwarmId) {
        let store = self.clone();
        self.0.open.borrow_mut().insert(swarm);
        spawn_local(async move {
            let held = store.held(swarm).await;
            store.0.inbox.push(Input::StoreOpen { swarm, held });
        });
    }

    /// The stream is closed: evictions of it are no longer told.
    pub(crate) fn close(&self, swarm: SwarmId) {
        self.0.open.borrow_mut().remove(&swarm);
    }

    /// Keeps a segment, soon.
    pub(crate) fn keep(&self, swarm: SwarmId, segment: SegmentId, bytes: Arc<[u8]>) {
        let waiting: u64 =
            self.0.pending.borrow().values().map(|bytes| number::count(bytes.len())).sum();
        if waiting + number::count(bytes.len()) > PENDING_BYTES_MAX {
            return self.0.evicted(&[(swarm, segment)]);
        }
        self.0.pending.borrow_mut().insert((swarm, segment), bytes);
        self.flush();
    }

    /// Reads a segment again.
    pub(crate) fn load(&self, swarm: SwarmId, segment: SegmentId) {
        let store = self.clone();
        spawn_local(async move {
            let bytes = store.read((swarm, segment)).await;
            store.0.inbox.push(Input::Loaded { swarm, segment, bytes });
        });
    }

    /// Sets the limit and makes room for it.
    pub(crate) fn set_limit(&self, limit_bytes: u64) {
        self.0.limit_bytes.set(Some(limit_bytes));
        let store = self.clone();
        spawn_local(async move {
            if let Some(database) = store.0.database().await {
                store.0.make_room(&database, 0).await;
            }
        });
    }

    /// What is held now.
    pub(crate) async fn info(&self) -> CacheInfo {
        let entries = match self.0.database().await {
            Some(database) => database.entries().await.unwrap_or_default(),
            None => Vec::new(),
        };
        CacheInfo {
            used_bytes: entries.iter().map(|entry| entry.size_bytes).sum(),
            limit_bytes: self.0.limit_bytes.get().unwrap_or(0),
            segments: u32::try_from(entries.len()).unwrap_or(u32::MAX),
        }
    }

    /// Removes everything, of all streams.
    pub(crate) async fn clear(&self) -> Result<(), BrowserError> {
        self.0.pending.take();
        if let Some(database) = self.0.database().await {
            let entries = database.entries().await?;
            let keys: Vec<StoreKey> = entries.iter().map(|entry| entry.key).collect();
            database.remove(&keys).await?;
            self.0.used_bytes.set(0);
            self.0.evicted(&keys);
        }
        Ok(())
    }

    /// What a person should know of the store, if anything is wrong.
    pub(crate) fn problem(&self) -> Option<Problem> {
        let (code, what, remedy) = match self.0.problem.get()? {
            Trouble::Absent => (
                "no-store",
                "This browser gives the page no storage, so segments are forgotten on reload.",
                "Leave private browsing, or allow this site to store data.",
            ),
            Trouble::Full => (
                "storage-full",
                "The disk, or this site's share of it, is full. New segments are not kept.",
                "Free some space, or lower the cache size in the settings.",
            ),
        };
        let (code, what, remedy) = (code.to_owned(), what.to_owned(), remedy.to_owned());
        Some(Problem { code, what, remedy })
    }

    async fn held(&self, swarm: SwarmId) -> Vec<SegmentId> {
        let Some(database) = self.0.database().await else { return Vec::new() };
        let entries = database.entries().await.unwrap_or_default();
        self.0.used_bytes.set(entries.iter().map(|entry| entry.size_bytes).sum());
        let of_swarm = entries.iter().filter(|entry| entry.key.0 == swarm);
        of_swarm.map(|entry| entry.key.1).take(HELD_MAX).collect()
    }

    async fn read(&self, key: StoreKey) -> Option<Vec<u8>> {
        // It may still wait to be written.
        let waiting = self.0.pending.borrow().get(&key).map(|bytes| bytes.to_vec());
        if waiting.is_some() {
            return waiting;
        }
        let bytes = self.0.database().await?.read(&key).await.ok().flatten()?;
        self.0.used.borrow_mut().insert(key, number::count(bytes.len()));
        self.flush();
        Some(bytes)
    }

    fn flush(&self) {
        if !self.0.flushing.replace(true) {
            let shared = Rc::clone(&self.0);
            spawn_local(async move {
                shared.write_pending().await;
                shared.flushing.set(false);
            });
        }
    }
}

impl Shared {
    /// The database, opened at the first call; `None` where there is none.
    async fn database(&self) -> Option<Rc<SegmentDatabase>> {
        let state = self.state.borrow().clone();
        match state {
            State::Open(database) => return Some(database),
            State::Absent => return None,
            State::Unopened => {}
        }
        // Two callers may open it at once; the second connection is dropped, no harm done.
        let opened = SegmentDatabase::open().await;
        if self.limit_bytes.get().is_none() {
            self.limit_bytes.set(Some(default_limit().await));
        }
        let opened = opened.ok().map(Rc::new);
        if opened.is_none() {
            self.problem.set(Some(Trouble::Absent));
        }
        self.state.replace(opened.clone().map_or(State::Absent, State::Open));
        opened
    }

    /// Writes until nothing waits. What comes meanwhile goes into the next transaction.
    async fn write_pending(&self) {
        let database = self.database().await;
        loop {
            let pending = self.pending.borrow().clone();
            let used: Vec<_> = self.used.take().into_iter().collect();
            if pending.is_empty() && used.is_empty() {
                return;
            }
            let kept = match &database {
                Some(database) => self.write(database, &pending, &used).await,
                None => false,
            };
            // Only now, so that a load meanwhile found them.
            self.pending.borrow_mut().retain(|key, _| !pending.contains_key(key));
            if !kept {
                self.evicted(&pending.into_keys().collect::<Vec<_>>());
            }
        }
    }

    async fn write(
        &self,
        database: &SegmentDatabase,
        pending: &SortedMap<StoreKey, Arc<[u8]>>,
        used: &[(StoreKey, u64)],
    ) -> bool {
        let bytes: u64 = pending.values().map(|bytes| number::count(bytes.len())).sum();
        if !self.make_room(database, bytes).await {
            return false;
        }
        let segments: Vec<_> = pending.iter().map(|(key, bytes)| (*key, &bytes[..])).collect();
        match database.write(&segments, used, clock::wall_ms()).await {
            Ok(()) => {
                self.used_bytes.set(self.used_bytes.get() + bytes);
                true
            }
            Err(error) => {
                if matches!(error.name.as_str(), "QuotaExceededError" | "AbortError") {
                    self.disk_is_full(database).await;
                }
                false
            }
        }
    }

    /// Whether `coming_bytes` more fit, after removing what was not used for longest.
    async fn make_room(&self, database: &SegmentDatabase, coming_bytes: u64) -> bool {
        let limit_bytes = self.limit_bytes.get().unwrap_or(0);
        if self.used_bytes.get() + coming_bytes <= limit_bytes {
            return true;
        }
        // Read anew: other tabs of this origin write to the same database.
        let Ok(entries) = database.entries().await else { return false };
        let plan = room::plan(&entries, limit_bytes, coming_bytes);
        if !plan.remove.is_empty() && database.remove(&plan.remove).await.is_err() {
            return false;
        }
        self.used_bytes.set(plan.left_bytes);
        self.evicted(&plan.remove);
        plan.fits
    }

    /// The browser grants less than the limit: live with three quarters of what is there.
    async fn disk_is_full(&self, database: &SegmentDatabase) {
        self.problem.set(Some(Trouble::Full));
        let Ok(entries) = database.entries().await else { return };
        let used_bytes: u64 = entries.iter().map(|entry| entry.size_bytes).sum();
        self.used_bytes.set(used_bytes);
        self.limit_bytes.set(Some(used_bytes / 4 * 3));
        self.make_room(database, 0).await;
    }

    /// Tells, stream by stream, what is no longer stored.
    fn evicted(&self, keys: &[StoreKey]) {
        let mut by_swarm = SortedMap::<SwarmId, Vec<SegmentId>>::new();
        for (swarm, segment) in keys {
            if self.open.borrow().contains(swarm) {
                by_swarm.entry(*swarm).or_default().push(*segment);
            }
        }
        for (swarm, segments) in by_swarm {
            self.inbox.push(Input::Evicted { swarm, segments });
        }
    }
}

/// A fifth of what the browser grants this origin, at most [`LIMIT_BYTES_DEFAULT_MAX`].
async fn default_limit() -> u64 {
    let estimate = async {
        let asked = web_sys::window()?.navigator().storage().estimate().ok()?;
        let estimate: StorageEstimate = JsFuture::from(asked).await.ok()?.unchecked_into();
        estimate.get_quota()
    };
    match estimate.await {
        Some(quota) => (number::whole(quota) / LIMIT_QUOTA_DIVISOR).min(LIMIT_BYTES_DEFAULT_MAX),
        None => LIMIT_BYTES_DEFAULT_MAX,
    }
}
