//! Blocks on disk: one file each.
//!
//! ```text
//! blocks/3f/bafkrei…        the block's bytes; the folder is the first byte of its digest
//! blocks/writing/417-…/     being written by one session; locked while it lives
//! blocks/pins/bafkrei…      what eviction never touches
//! blocks/limits.toml        how much may be held, if it is not the default
//! blocks/usage              bytes and blocks held, as last counted
//! blocks/lock               held while any of the above changes together
//! ```
//!
//! A block is written under `writing`, synced, renamed into place and its folder synced: what
//! [`BlockStore::commit`] acknowledged survives a crash, and what is under a block's own name is whole.
//! What a dead session left is removed by the next one that writes. Several processes may use one store
//! at once: the same name is the same bytes. Why files and not a database:
//! `docs/adr/0017-block-store-of-files.md`.

mod disk;
mod evict;
mod limits;
mod pins;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ::content::{Block, Candidate, Cid, limits::BLOCK_BYTES_MAX, store::BlockStore};

use disk::{Guard, at, sync_folder};
use session::Session;

pub use disk::StoreError;
pub use evict::Swept;
pub use limits::{
    BLOCKS_MAX_DEFAULT, BLOCKS_MAX_MAX, Limits, QUOTA_BYTES_DEFAULT, QUOTA_BYTES_MIN, Usage,
};
pub use pins::{PINS_MAX, Pin, PinKind};

/// Blocks written and not yet synced. Many, because each batch syncs every folder it touches.
const WRITTEN_MAX: usize = 2048;
/// Bytes written and not yet synced.
const WRITTEN_BYTES_MAX: u64 = 32 << 20;
/// Threads that wait for the disk at once: journals take several small files together.
const SYNCING: usize = 8;
/// A block that is read is marked as used when its last mark is older: a mark costs a write.
const MARK_AFTER: Duration = Duration::from_secs(600);

/// A folder of blocks.
#[derive(Debug)]
pub struct FileStore {
    root: PathBuf,
    session: Option<Session>,
    written: BTreeMap<Cid, Written>,
    written_bytes: u64,
}

/// A block that is written and not yet in place.
#[derive(Debug)]
struct Written {
    temporary: PathBuf,
    path: PathBuf,
}

impl FileStore {
    /// The store of a data folder; makes it.
    ///
    /// # Errors
    /// The folder can't be made.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let root = data.join("blocks");
        fs::create_dir_all(&root).map_err(at(&root))?;
        Ok(Self { root, session: None, written: BTreeMap::new(), written_bytes: 0 })
    }

    /// Starts to write, if it has not yet: clears what dead sessions left. From now on nothing that is
    /// put is evicted while this store is open.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        if self.session.is_none() {
            self.session = Some(Session::start(&self.root)?);
        }
        Ok(())
    }

    /// Whether the block is here; if so it is marked as used just now, so that eviction can't take it
    /// from under this session.
    fn keep(&self, path: &Path, block_bytes: usize) -> Result<bool, StoreError> {
        let _guard = Guard::shared(&self.root)?;
        let Ok(file) = OpenOptions::new().write(true).open(path) else { return Ok(false) };
        let same = file.metadata().is_ok_and(|found| found.len() == length(block_bytes));
        Ok(same && file.set_modified(SystemTime::now()).is_ok())
    }

    fn write(&mut self, block: &Block) -> Result<(), StoreError> {
        let path = place(&self.root, &block.cid());
        let folder = path.parent().expect("a block is in a folder of the store").to_owned();
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(at(&folder))?;
            sync_folder(&self.root)?;
        }
        let session = self.session.as_ref().expect("a session is begun before a block is written");
        let temporary = session.folder().join(block.cid().to_string());
        let mut file = File::create_new(&temporary).map_err(at(&temporary))?;
        if let Err(error) = file.write_all(block.bytes()) {
            let _ = fs::remove_file(&temporary);
            return Err(at(&temporary)(error));
        }
        self.written_bytes += length(block.bytes().len());
        self.written.insert(block.cid(), Written { temporary, path });
        Ok(())
    }

    /// Syncs what was written and gives it its names.
    fn place_all(&self, written: &[Written]) -> Result<(), StoreError> {
        together(written, Written::place)?;
        let folders: BTreeSet<&Path> = written.iter().filter_map(|one| one.path.parent()).collect();
        let folders: Vec<&Path> = folders.into_iter().collect();
        together(&folders, |folder| sync_folder(folder))
    }
}

impl BlockStore for FileStore {
    type Error = StoreError;

    fn get(&self, cid: &Cid) -> Result<Option<Candidate>, StoreError> {
        let path = place(&self.root, cid);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        let found = file.metadata().map_err(at(&path))?;
        // Not a block, whatever it is: an empty claim does not verify, and is not 10 GB in memory.
        if found.len() > length(BLOCK_BYTES_MAX) {
            return Ok(Some(Candidate { cid: *cid, bytes: Vec::new() }));
        }
        if found.modified().is_ok_and(|used| used.elapsed().is_ok_and(|age| age > MARK_AFTER)) {
            // Best effort: who may only read does not decide what is evicted.
            let _ = file.set_modified(SystemTime::now());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
        let mut file = file.take(length(BLOCK_BYTES_MAX) + 1);
        file.read_to_end(&mut bytes).map_err(at(&path))?;
        Ok(Some(Candidate { cid: *cid, bytes }))
    }

    fn has(&self, cid: &Cid) -> Result<bool, StoreError> {
        let path = place(&self.root, cid);
        path.try_exists().map_err(at(&path))
    }

    fn put(&mut self, block: &Block) -> Result<(), StoreError> {
        if self.written.contains_key(&block.cid()) {
            return Ok(());
        }
        self.begin()?;
        if self.keep(&place(&self.root, &block.cid()), block.bytes().len())? {
            return Ok(());
        }
        self.write(block)?;
        if self.written.len() >= WRITTEN_MAX || self.written_bytes >= WRITTEN_BYTES_MAX {
            self.commit()?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let written: Vec<Written> = std::mem::take(&mut self.written).into_values().collect();
        let bytes = std::mem::take(&mut self.written_bytes);
        if written.is_empty() {
            return Ok(());
        }
        let more = Usage { bytes, blocks: length(written.len()) };
        let placed = evict::make_room(&self.root, more).and_then(|()| self.place_all(&written));
        if placed.is_err() {
            for Written { temporary, .. } in &written {
                // Best effort: the first error is the one to tell, and some are in place already.
                let _ = fs::remove_file(temporary);
            }
        }
        placed
    }
}

impl Written {
    /// Syncs it and gives it its name.
    fn place(&self) -> Result<(), StoreError> {
        let file = OpenOptions::new().write(true).open(&self.temporary);
        let synced = file.and_then(|file| file.sync_all());
        synced.and_then(|()| fs::rename(&self.temporary, &self.path)).map_err(at(&self.path))
    }
}

/// Where a block is kept.
fn place(root: &Path, cid: &Cid) -> PathBuf {
    let first = cid.digest().as_bytes()[0];
    root.join(format!("{first:02x}")).join(cid.to_string())
}

/// Does `work` for each, in a few threads; the first error of any.
fn together<T: Sync>(
    all: &[T],
    work: impl Fn(&T) -> Result<(), StoreError> + Sync,
) -> Result<(), StoreError> {
    let work = &work;
    std::thread::scope(|scope| {
        let parts = all.chunks(all.len().div_ceil(SYNCING).max(1));
        let threads: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().try_for_each(work))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        // All are waited for, whatever the first of them says.
        let results: Vec<Result<(), StoreError>> = threads.into_iter().map(join).collect();
        results.into_iter().collect()
    })
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
