//! Who is writing: one folder per writer, locked by it while it lives.
//!
//! The operating system gives a lock back when its holder dies, however it dies; so a session whose lock
//! can be had is dead, and its folder is litter. Process numbers would not do: they come again.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::disk::{Guard, StoreError, at, list};

const FOLDER: &str = "writing";
const LOCK: &str = "lock";

/// A writer of the store.
#[derive(Debug)]
pub(super) struct Session {
    folder: PathBuf,
    lock: Option<File>,
}

impl Session {
    /// A new session, after clearing what dead ones left.
    pub(super) fn start(root: &Path) -> Result<Self, StoreError> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let _guard = Guard::alone(root)?;
        clear_dead(root)?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let now_ns = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        let name = format!("{}-{number}-{now_ns:x}", std::process::id());
        let folder = root.join(FOLDER).join(name);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let path = folder.join(LOCK);
        let lock = File::create_new(&path).and_then(|file| file.lock().map(|()| file));
        Ok(Self { folder, lock: Some(lock.map_err(at(&path))?) })
    }

    /// Where it writes.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Windows removes no open file.
        drop(self.lock.take());
        // What was not committed was promised to nobody. The next session clears what stays.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// When the oldest living session started: what is younger may be its. Call it with the lock held.
pub(super) fn oldest_living(root: &Path) -> Result<Option<SystemTime>, StoreError> {
    let mut oldest = None;
    for folder in list(&root.join(FOLDER))? {
        if let Some(lock) = living(&folder)? {
            let started = lock.metadata().and_then(|found| found.modified());
            let started = started.map_err(at(&folder))?;
            oldest = Some(oldest.map_or(started, |oldest: SystemTime| oldest.min(started)));
        }
    }
    Ok(oldest)
}

/// Removes the folders of sessions that are dead. Call it with the lock held alone.
pub(super) fn clear_dead(root: &Path) -> Result<(), StoreError> {
    for folder in list(&root.join(FOLDER))? {
        if living(&folder)?.is_none() {
            // Best effort: one that ends by itself just now removes it too.
            let _ = fs::remove_dir_all(&folder);
        }
    }
    Ok(())
}

/// The lock of a session, if somebody holds it.
fn living(folder: &Path) -> Result<Option<File>, StoreError> {
    let path = folder.join(LOCK);
    let Ok(file) = File::open(&path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(file)),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}
