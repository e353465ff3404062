//! What the store asks of the file system: errors with their paths, synced folders, whole files, locks.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ::content::Cid;

use super::Limits;

/// What the store refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk.
    #[error("{}: {source}", path.display())]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// More would be held than may be, and nothing that is left may be evicted.
    #[error(
        "it would hold {bytes} bytes in {blocks} blocks, limits are {} and {}, and the rest is pinned \
         or in use",
        limits.quota_bytes, limits.blocks_max
    )]
    Quota {
        /// Bytes there would be.
        bytes: u64,
        /// Blocks there would be.
        blocks: u64,
        /// What may be.
        limits: Limits,
    },
    /// What is to be removed is pinned.
    #[error("{0} is pinned")]
    Pinned(Cid),
    /// There are as many pins as there may be.
    #[error("there are {0} pins, which is the limit")]
    TooManyPins(usize),
    /// A file of the store that is not what it should be.
    #[error("{}: expected {expected}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Disk { path, source }
}

/// The store's lock, held until dropped: shared by those who rely on what is there, alone by who
/// removes or counts. Never asked for by who holds it.
#[derive(Debug)]
pub(super) struct Guard {
    _file: File,
}

impl Guard {
    pub(super) fn shared(root: &Path) -> Result<Self, StoreError> {
        Self::lock(root, File::lock_shared)
    }

    pub(super) fn alone(root: &Path) -> Result<Self, StoreError> {
        Self::lock(root, File::lock)
    }

    fn lock(root: &Path, lock: fn(&File) -> io::Result<()>) -> Result<Self, StoreError> {
        let path = root.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(at(&path))?;
        lock(&file).map_err(at(&path))?;
        Ok(Self { _file: file })
    }
}

/// Makes sure that names in a folder survive a crash. Windows has no such call and does it by itself.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    if cfg!(windows) {
        return Ok(());
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))
}

/// Writes a file that is there whole or not at all, and survives a crash.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = crate::atomic::beside(path);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    let written = write();
    if written.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(at(path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// The bytes of a file; none if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// What is in a folder; nothing if there is no folder.
pub(super) fn list(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(at(folder))
}
