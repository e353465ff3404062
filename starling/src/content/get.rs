//! Blocks of the store, as files.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use ::content::{
    Cid, Node, Opened, decode,
    limits::TREE_ENTRIES_MAX,
    read::{FileReader, Found, ReadError, TreeReader},
    share::{Cipher, EntryKind, Purpose, ShareEntry, ShareKey, ShareManifest},
    symlink_stays_inside,
};

use super::{ContentError, FileStore, Opening, Progress, add::io_at, car::block};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Got {
    /// Files.
    pub files: u64,
    /// Bytes of all files.
    pub content_bytes: u64,
    /// Symlinks that were left out, because they lead out of the folder.
    pub left_out: Vec<String>,
}

/// Writes the file or folder `root` to `out`, which must not be there. It is there whole or not at all.
///
/// # Errors
/// A block is missing or damaged, the graph is refused or larger than `limit_bytes`, a file can't be
/// written.
pub fn get(
    root: Cid,
    out: &Path,
    limit_bytes: u64,
    store: &FileStore,
    progress: Progress<'_>,
) -> Result<Got, ContentError> {
    let write = |getting: &mut Getting<'_>| getting.tree(root);
    whole(out, limit_bytes, store, &Opening::Plain, progress, write)
}

/// Writes entries of a share to `out`, which must not be there, by their numbers in the manifest: a share
/// of one file as that file, any other as a folder. It is there whole or not at all.
///
/// # Errors
/// As of [`get`].
pub fn get_share(
    manifest: &ShareManifest,
    entries: &[u32],
    key: &ShareKey,
    out: &Path,
    store: &FileStore,
    progress: Progress<'_>,
) -> Result<Got, ContentError> {
    let opening = match manifest.cipher {
        Cipher::None => Opening::Plain,
        Cipher::XChaCha20Poly1305 => Opening::Sealed(key.clone(), Purpose::Content),
    };
    let at = |number: &u32| manifest.entries.get(usize::try_from(*number).ok()?);
    let chosen: Vec<&ShareEntry> = entries.iter().filter_map(at).collect();
    let write = |getting: &mut Getting<'_>| getting.share(manifest, &chosen);
    whole(out, manifest.total_bytes(), store, &opening, progress, write)
}

/// The files below `root`, by their paths, in memory; folders and symlinks are left out.
///
/// # Errors
/// A block is missing or damaged, the graph is refused or larger than `limit_bytes`.
pub(crate) fn files_below(
    root: Cid,
    limit_bytes: u64,
    store: &FileStore,
) -> Result<BTreeMap<String, Vec<u8>>, ContentError> {
    let mut reader = TreeReader::new(root, TREE_ENTRIES_MAX, limit_bytes);
    let mut found = Vec::new();
    while !reader.is_done() {
        if let Some(cid) = reader.wanted(1).first() {
            reader.put(&block(store, *cid)?.into_opened())?;
        }
        found.extend(std::iter::from_fn(|| reader.next_entry()));
    }
    let mut files = BTreeMap::new();
    for entry in found {
        if let Found::File { size_bytes } = entry.found {
            files.insert(entry.path, in_memory(entry.cid, size_bytes, store)?);
        }
    }
    Ok(files)
}

fn in_memory(root: Cid, size_bytes: u64, store: &FileStore) -> Result<Vec<u8>, ContentError> {
    let mut reader = FileReader::new(root, size_bytes);
    let mut bytes = Vec::new();
    while !reader.is_done() {
        if let Some(cid) = reader.wanted(1).first() {
            reader.put(&block(store, *cid)?.into_opened())?;
        }
        while let Some(part) = reader.next_part() {
            bytes.extend_from_slice(&part.bytes);
        }
    }
    Ok(bytes)
}

/// Writes something to `out`, which must not be there. It is there whole or not at all.
fn whole(
    out: &Path,
    limit_bytes: u64,
    store: &FileStore,
    opening: &Opening,
    progress: Progress<'_>,
    write: impl FnOnce(&mut Getting<'_>) -> Result<(), ContentError>,
) -> Result<Got, ContentError> {
    if out.symlink_metadata().is_ok() {
        return Err(ContentError::Exists { path: out.to_owned() });
    }
    let temporary = crate::atomic::beside(out);
    let mut getting = Getting {
        top: temporary.clone(),
        store,
        opening,
        progress,
        got: Got { files: 0, content_bytes: 0, left_out: Vec::new() },
        limit_bytes,
    };
    let done = write(&mut getting).and_then(|()| {
        fs::rename(&temporary, out).map_err(io_at(out))?;
        Ok(getting.got)
    });
    if done.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_dir_all(&temporary).or_else(|_| fs::remove_file(&temporary));
    }
    done
}

struct Getting<'f> {
    /// Where the root is written.
    top: PathBuf,
    store: &'f FileStore,
    opening: &'f Opening,
    progress: Progress<'f>,
    got: Got,
    limit_bytes: u64,
}

impl Getting<'_> {
    /// Reads the whole tree before it writes a byte: what is refused leaves nothing behind.
    fn tree(&mut self, root: Cid) -> Result<(), ContentError> {
        let mut reader = TreeReader::new(root, TREE_ENTRIES_MAX, self.limit_bytes);
        let mut entries = Vec::new();
        while !reader.is_done() {
            if let Some(cid) = reader.wanted(1).first() {
                reader.put(&self.opened(*cid)?)?;
            }
            entries.extend(std::iter::from_fn(|| reader.next_entry()));
        }
        let total_bytes = reader.content_bytes();
        for entry in entries {
            let path = self.place(&entry.path);
            match entry.found {
                Found::Folder => fs::create_dir(&path).map_err(io_at(&path))?,
                Found::File { size_bytes } => {
                    self.file(entry.cid, size_bytes, &path, total_bytes)?;
                }
                Found::Symlink { target, stays_inside: true } => symlink(&target, &path)?,
                Found::Symlink { .. } => self.got.left_out.push(entry.path),
            }
        }
        Ok(())
    }

    fn share(
        &mut self,
        manifest: &ShareManifest,
        entries: &[&ShareEntry],
    ) -> Result<(), ContentError> {
        let total_bytes = entries.iter().map(|entry| entry.size_bytes).sum();
        if let [only] = manifest.entries.as_slice()
            && only.cid == manifest.root
        {
            let top = self.top.clone();
            return self.file(only.cid, only.size_bytes, &top, total_bytes);
        }
        fs::create_dir(&self.top).map_err(io_at(&self.top))?;
        for entry in entries {
            let path = self.place(&entry.path);
            let above = path.parent().unwrap_or(&self.top);
            fs::create_dir_all(above).map_err(io_at(above))?;
            match entry.kind {
                EntryKind::Folder => fs::create_dir_all(&path).map_err(io_at(&path))?,
                EntryKind::File => self.file(entry.cid, entry.size_bytes, &path, total_bytes)?,
                EntryKind::Symlink => self.symlink(entry, &path)?,
            }
        }
        Ok(())
    }

    fn symlink(&mut self, entry: &ShareEntry, path: &Path) -> Result<(), ContentError> {
        let opened = self.opened(entry.cid)?;
        match decode(opened.codec(), opened.bytes()) {
            Ok(Node::Symlink(target)) if symlink_stays_inside(&entry.path, &target) => {
                symlink(&target, path)
            }
            Ok(_) => {
                self.got.left_out.push(entry.path.clone());
                Ok(())
            }
            Err(error) => Err(ReadError::Node { cid: entry.cid, error }.into()),
        }
    }

    fn opened(&self, cid: Cid) -> Result<Opened, ContentError> {
        self.opening.open(block(self.store, cid)?)
    }

    /// Names were checked by the reader: none leads out of the folder.
    fn place(&self, path: &str) -> PathBuf {
        let steps = path.split('/').filter(|step| !step.is_empty());
        steps.fold(self.top.clone(), |folder, step| folder.join(step))
    }

    fn file(
        &mut self,
        root: Cid,
        size_bytes: u64,
        path: &Path,
        total_bytes: u64,
    ) -> Result<(), ContentError> {
        let mut file = File::create_new(path).map_err(io_at(path))?;
        // A folder may say less than there is: then the root's own size is refused here.
        let mut reader = FileReader::new(root, size_bytes);
        while !reader.is_done() {
            if let Some(cid) = reader.wanted(1).first() {
                reader.put(&self.opened(*cid)?)?;
            }
            while let Some(part) = reader.next_part() {
                file.write_all(&part.bytes).map_err(io_at(path))?;
                self.got.content_bytes += u64::try_from(part.bytes.len()).unwrap_or(u64::MAX);
                (self.progress)(self.got.content_bytes, total_bytes);
            }
        }
        self.got.files += 1;
        file.sync_all().map_err(io_at(path))
    }
}

#[cfg(unix)]
fn symlink(target: &str, path: &Path) -> Result<(), ContentError> {
    std::os::unix::fs::symlink(target, path).map_err(io_at(path))
}

/// Making symlinks needs rights on Windows that few have: the target is written as a file, as git does.
#[cfg(not(unix))]
fn symlink(target: &str, path: &Path) -> Result<(), ContentError> {
    fs::write(path, target).map_err(io_at(path))
}
