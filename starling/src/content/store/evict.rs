//! Making room: what was used longest ago goes first, what is pinned or being written never.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use ::content::Cid;

use super::disk::{Guard, StoreError, at, list};
use super::limits::{Limits, Usage, counted, keep_count};
use super::{FileStore, pins, place, session};

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// What went.
    pub removed: Usage,
    /// What is left.
    pub left: Usage,
}

/// A block that is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    cid: Cid,
    bytes: u64,
    used: SystemTime,
}

impl FileStore {
    /// Removes every block that no pin keeps and that nobody is writing; clears what dead sessions left.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub fn collect(&self) -> Result<Swept, StoreError> {
        let _guard = Guard::alone(&self.root)?;
        session::clear_dead(&self.root)?;
        let held = scan(&self.root)?;
        sweep(&self.root, held, Limits { quota_bytes: 0, blocks_max: 0 })
    }

    /// Removes one block that turned out to be damaged.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn discard(&self, cid: &Cid) -> Result<(), StoreError> {
        let _guard = Guard::alone(&self.root)?;
        let path = place(&self.root, cid);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(at(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Removes what is below `root` and below no pin. None: there is no such block.
    ///
    /// # Errors
    /// It is pinned, or the store can't be read or written.
    pub fn remove(&self, root: &Cid) -> Result<Option<Swept>, StoreError> {
        let _guard = Guard::alone(&self.root)?;
        if pins::of(&self.root, *root)?.is_some() {
            return Err(StoreError::Pinned(*root));
        }
        if !place(&self.root, root).exists() {
            return Ok(None);
        }
        let mut below = BTreeSet::new();
        pins::below(&self.root, *root, &mut below)?;
        let (chosen, others): (Vec<Held>, Vec<Held>) =
            scan(&self.root)?.into_iter().partition(|held| below.contains(&held.cid));
        let swept = sweep(&self.root, chosen, Limits { quota_bytes: 0, blocks_max: 0 })?;
        let left = swept.left.and(sum(&others));
        keep_count(&self.root, left)?;
        Ok(Some(Swept { left, ..swept }))
    }
}

/// Makes room for more, and counts it as if it were there.
///
/// # Errors
/// There is no room that may be made.
pub(super) fn make_room(root: &Path, more: Usage) -> Result<(), StoreError> {
    let _guard = Guard::alone(root)?;
    let limits = Limits::of(root)?;
    let used = match counted(root)? {
        Some(used) => used,
        None => sum(&scan(root)?),
    };
    if used.and(more).fits(limits) {
        return keep_count(root, used.and(more));
    }
    // The new is counted too: what is left beside it goes down to nine tenths.
    let low = limits.low();
    let goal = Limits {
        quota_bytes: low.quota_bytes.saturating_sub(more.bytes),
        blocks_max: low.blocks_max.saturating_sub(more.blocks),
    };
    let Swept { left, removed } = sweep(root, scan(root)?, goal)?;
    if removed.blocks > 0 {
        tracing::debug!(bytes = removed.bytes, blocks = removed.blocks, "evicted");
    }
    let Usage { bytes, blocks } = left.and(more);
    if !left.and(more).fits(limits) {
        return Err(StoreError::Quota { bytes, blocks, limits });
    }
    keep_count(root, left.and(more))
}

/// Removes the longest unused of `held` until what is left fits. Call it with the lock held alone.
fn sweep(root: &Path, mut held: Vec<Held>, goal: Limits) -> Result<Swept, StoreError> {
    let mut swept = Swept { removed: Usage::default(), left: sum(&held) };
    let kept = pins::kept(root)?;
    let living = session::oldest_living(root)?;
    held.sort_by_key(|held| held.used);
    for Held { cid, bytes, used } in held {
        if swept.left.fits(goal) {
            break;
        }
        if kept.contains(&cid) || living.is_some_and(|started| used >= started) {
            continue;
        }
        let path = place(root, &cid);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&path)(error)),
        }
        swept.removed = swept.removed.and(Usage { bytes, blocks: 1 });
        swept.left.bytes -= bytes;
        swept.left.blocks -= 1;
    }
    keep_count(root, swept.left)?;
    Ok(swept)
}

pub(super) fn sum(held: &[Held]) -> Usage {
    let usage = |held: &Held| Usage { bytes: held.bytes, blocks: 1 };
    held.iter().map(usage).fold(Usage::default(), Usage::and)
}

/// Every block that is there. Files of other names are not ours to count or to remove.
pub(super) fn scan(root: &Path) -> Result<Vec<Held>, StoreError> {
    let mut found = Vec::new();
    for first in 0..=u8::MAX {
        let folder = root.join(format!("{first:02x}"));
        for path in list(&folder)? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let (Ok(cid), Ok(metadata)) = (name.parse(), path.symlink_metadata()) else { continue };
            let used = metadata.modified().map_err(at(&path))?;
            found.push(Held { cid, bytes: metadata.len(), used });
        }
    }
    Ok(found)
}
