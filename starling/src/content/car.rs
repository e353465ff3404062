//! CAR files out of the store and into it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use ::content::{
    Block, Cid,
    car::{self, CarReader},
    read::WalkReader,
    store::BlockStore as _,
};

use super::{ContentError, FileStore, Progress, add::io_at};

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// Blocks in the file.
    pub blocks: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What the file says its roots are.
    pub roots: Vec<Cid>,
    /// Blocks in the file.
    pub blocks: u64,
    /// A block below a root that the store still lacks, if there is one.
    pub missing: Option<Cid>,
}

/// A block of the store, verified.
pub(crate) fn block(store: &FileStore, cid: Cid) -> Result<Block, ContentError> {
    let candidate = store.get(&cid)?.ok_or(ContentError::Missing(cid))?;
    candidate.verify().map_err(ContentError::Damaged)
}

/// Writes everything below `root` as a CAR. The file is there whole or not at all.
///
/// # Errors
/// A block is missing or damaged, the graph can't be read, the file is there or can't be written.
pub fn export(root: Cid, out: &Path, store: &FileStore) -> Result<Exported, ContentError> {
    if out.try_exists().map_err(io_at(out))? {
        return Err(ContentError::Exists { path: out.to_owned() });
    }
    let temporary = crate::atomic::beside(out);
    let exported = write(root, &temporary, store).and_then(|exported| {
        fs::rename(&temporary, out).map_err(io_at(out))?;
        Ok(exported)
    });
    if exported.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = fs::remove_file(&temporary);
    }
    exported
}

fn write(root: Cid, path: &Path, store: &FileStore) -> Result<Exported, ContentError> {
    let mut file = BufWriter::new(File::create(path).map_err(io_at(path))?);
    let mut exported = Exported { blocks: 0, bytes: 0 };
    let mut put = |bytes: &[u8]| -> Result<u64, ContentError> {
        file.write_all(bytes).map_err(io_at(path))?;
        Ok(bytes.len().try_into().unwrap_or(u64::MAX))
    };
    exported.bytes += put(&car::header(&[root]))?;
    let mut walk = WalkReader::new(root);
    while let Some(cid) = walk.wanted(1).first().copied() {
        let block = block(store, cid)?;
        exported.bytes += put(&car::frame_head(&block))? + put(block.bytes())?;
        exported.blocks += 1;
        walk.put(&block.into_opened())?;
    }
    let file = file.into_inner().map_err(|error| io_at(path)(error.into_error()))?;
    file.sync_all().map_err(io_at(path))?;
    Ok(exported)
}

/// Puts every block of a CAR into the store, verified; returns when all are safe.
///
/// # Errors
/// The file is not a CAR, or ends early: the blocks before stay in the store.
pub fn import(
    path: &Path,
    store: &mut FileStore,
    progress: Progress<'_>,
) -> Result<Imported, ContentError> {
    let mut file = File::open(path).map_err(io_at(path))?;
    let total = file.metadata().map_err(io_at(path))?.len();
    let imported = pour(&mut file, path, store, &mut |done| progress(done, total.max(done)));
    // Also what came before an error: it was verified.
    store.commit()?;
    let (roots, blocks) = imported?;
    let missing = roots.iter().find_map(|root| first_missing(*root, store).transpose());
    Ok(Imported { roots, blocks, missing: missing.transpose()? })
}

fn pour(
    file: &mut impl Read,
    path: &Path,
    store: &mut FileStore,
    progress: &mut dyn FnMut(u64),
) -> Result<(Vec<Cid>, u64), ContentError> {
    let wrong = |error| ContentError::Car { path: path.to_owned(), error };
    let mut reader = CarReader::new();
    let mut buffer = vec![0; READ_BYTES];
    let (mut blocks, mut done) = (0, 0_u64);
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(io_at(path)(error)),
        };
        reader.push(&buffer[..count]);
        while let Some(block) = reader.next_block().map_err(wrong)? {
            store.put(&block)?;
            blocks += 1;
        }
        done = done.saturating_add(count.try_into().unwrap_or(u64::MAX));
        progress(done);
    }
    reader.finish().map_err(wrong)?;
    let roots = reader.roots().map_err(wrong)?.unwrap_or_default().to_vec();
    Ok((roots, blocks))
}

/// The first block below `root` that is not in the store.
fn first_missing(root: Cid, store: &FileStore) -> Result<Option<Cid>, ContentError> {
    let mut walk = WalkReader::new(root);
    while let Some(cid) = walk.wanted(1).first().copied() {
        match block(store, cid) {
            Ok(block) => walk.put(&block.into_opened())?,
            Err(ContentError::Missing(cid)) => return Ok(Some(cid)),
            Err(other) => return Err(other),
        }
    }
    Ok(None)
}
