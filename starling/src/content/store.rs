//! Blocks on disk: one file each.
//!
//! ```text
//! blocks/3f/bafkrei…      the block's bytes; the folder is the first byte of its digest
//! blocks/3f/.bafkrei….417.0.tmp   being written by process 417
//! ```
//!
//! A block is written under another name, synced, renamed into place and its folder synced: what
//! [`BlockStore::commit`] acknowledged survives a crash, and what is under a block's own name is whole.
//! Several processes may use one store at once: the same name is the same bytes. Why files and not a
//! database: `docs/adr/0010-files-as-ipfs-blocks.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ::content::{Block, Candidate, Cid, limits::BLOCK_BYTES_MAX, store::BlockStore};

/// Blocks written and not yet synced. Many, because each batch syncs every folder it touches.
const WRITTEN_MAX: usize = 2048;
/// Bytes written and not yet synced.
const WRITTEN_BYTES_MAX: usize = 32 << 20;
/// Threads that wait for the disk at once: journals take several small files together.
const SYNCING: usize = 8;

/// A folder of blocks.
#[derive(Debug)]
pub struct FileStore {
    root: PathBuf,
    written: BTreeMap<Cid, Written>,
    written_bytes: usize,
}

/// A block that is written and not yet in place.
#[derive(Debug)]
struct Written {
    temporary: PathBuf,
    path: PathBuf,
}

/// What the disk refused.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct StoreError {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError { path, source }
}

impl FileStore {
    /// The store of a data folder; makes it.
    ///
    /// # Errors
    /// The folder can't be made.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let root = data.join("blocks");
        fs::create_dir_all(&root).map_err(at(&root))?;
        Ok(Self { root, written: BTreeMap::new(), written_bytes: 0 })
    }

    fn path(&self, cid: &Cid) -> PathBuf {
        let first = cid.digest().as_bytes()[0];
        self.root.join(format!("{first:02x}")).join(cid.to_string())
    }

    fn write(&mut self, block: &Block) -> Result<(), StoreError> {
        let path = self.path(&block.cid());
        let folder = path.parent().expect("a block is in a folder of the store").to_owned();
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(at(&folder))?;
            sync_folder(&self.root)?;
        }
        let temporary = folder.join(temporary_name(&block.cid()));
        let mut file = File::create_new(&temporary).map_err(at(&temporary))?;
        if let Err(error) = file.write_all(block.bytes()) {
            let _ = fs::remove_file(&temporary);
            return Err(at(&temporary)(error));
        }
        self.written_bytes += block.bytes().len();
        self.written.insert(block.cid(), Written { temporary, path });
        Ok(())
    }
}

impl BlockStore for FileStore {
    type Error = StoreError;

    fn get(&self, cid: &Cid) -> Result<Option<Candidate>, StoreError> {
        let path = self.path(cid);
        match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
            // Not a block, whatever it is: an empty claim does not verify, and is not 10 GB in memory.
            Ok(found) if found.len() > length(BLOCK_BYTES_MAX) => {
                return Ok(Some(Candidate { cid: *cid, bytes: Vec::new() }));
            }
            Ok(_) => {}
        }
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(Candidate { cid: *cid, bytes })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn has(&self, cid: &Cid) -> Result<bool, StoreError> {
        let path = self.path(cid);
        path.try_exists().map_err(at(&path))
    }

    fn put(&mut self, block: &Block) -> Result<(), StoreError> {
        let path = self.path(&block.cid());
        let same = |found: fs::Metadata| found.len() == length(block.bytes().len());
        if fs::metadata(&path).is_ok_and(same) || self.written.contains_key(&block.cid()) {
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
        self.written_bytes = 0;
        let placed = together(&written, Written::place);
        if placed.is_err() {
            for Written { temporary, .. } in &written {
                // Best effort: the first error is the one to tell, and some are in place already.
                let _ = fs::remove_file(temporary);
            }
        }
        placed?;
        let folders: BTreeSet<&Path> = written.iter().filter_map(|one| one.path.parent()).collect();
        let folders: Vec<&Path> = folders.into_iter().collect();
        together(&folders, |folder| sync_folder(folder))
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

/// What was not committed was promised to nobody.
impl Drop for FileStore {
    fn drop(&mut self) {
        for written in self.written.values() {
            let _ = fs::remove_file(&written.temporary);
        }
    }
}

/// A name that no other store, of this process or of another, writes under.
fn temporary_name(cid: &Cid) -> String {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    format!(".{cid}.{}.{number}.tmp", std::process::id())
}

/// Makes sure that names in a folder survive a crash. Windows has no such call and does it by itself.
fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use ::content::{Codec, Draft};

    use super::*;

    fn block(number: u16) -> Block {
        Draft { codec: Codec::Raw, bytes: number.to_be_bytes().to_vec() }.hash()
    }

    fn files(data: &Path) -> usize {
        let folders = fs::read_dir(data.join("blocks")).unwrap();
        folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }

    #[test]
    fn what_was_committed_is_there_for_the_next_process() {
        let data = tempfile::tempdir().unwrap();
        let mut store = FileStore::open(data.path()).unwrap();
        for number in 0..300 {
            store.put(&block(number)).unwrap();
            store.put(&block(number)).unwrap();
        }
        store.commit().unwrap();
        drop(store);
        let mut store = FileStore::open(data.path()).unwrap();
        // Two at once, of what is there and what is not.
        let mut other = FileStore::open(data.path()).unwrap();
        for number in 290..310 {
            store.put(&block(number)).unwrap();
            other.put(&block(number)).unwrap();
        }
        other.commit().unwrap();
        store.commit().unwrap();
        for number in 0..310 {
            let found = store.get(&block(number).cid()).unwrap().unwrap();
            assert_eq!(found.verify(), Ok(block(number)));
        }
        assert!(!store.has(&block(310).cid()).unwrap());
        assert_eq!(store.get(&block(310).cid()).unwrap(), None);
        assert_eq!(files(data.path()), 310);
    }

    #[test]
    fn a_crash_between_writing_and_committing_leaves_no_half_block() {
        let data = tempfile::tempdir().unwrap();
        let mut store = FileStore::open(data.path()).unwrap();
        store.put(&block(1)).unwrap();
        store.commit().unwrap();
        store.put(&block(2)).unwrap();
        // The process dies here: nothing of it runs any more.
        std::mem::forget(store);
        let mut store = FileStore::open(data.path()).unwrap();
        assert!(store.has(&block(1).cid()).unwrap());
        assert!(!store.has(&block(2).cid()).unwrap());
        store.put(&block(2)).unwrap();
        store.commit().unwrap();
        assert!(store.has(&block(2).cid()).unwrap());
    }

    #[test]
    fn a_damaged_block_does_not_verify_and_is_written_anew_when_its_length_changed() {
        let data = tempfile::tempdir().unwrap();
        let mut store = FileStore::open(data.path()).unwrap();
        store.put(&block(1)).unwrap();
        store.commit().unwrap();
        let path = store.path(&block(1).cid());
        fs::write(&path, b"cut").unwrap();
        assert!(store.get(&block(1).cid()).unwrap().unwrap().verify().is_err());
        store.put(&block(1)).unwrap();
        store.commit().unwrap();
        assert!(store.get(&block(1).cid()).unwrap().unwrap().verify().is_ok());
    }
}
