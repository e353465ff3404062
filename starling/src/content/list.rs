//! What is below a root of the store.

use ::content::{
    Cid,
    limits::TREE_ENTRIES_MAX,
    read::{Found, TreeReader},
};

use super::{ContentError, FileStore, car::block};

/// Something below a root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Names from the root; empty for the root itself.
    pub path: String,
    /// Its root block.
    pub cid: Cid,
    /// `file`, `folder` or `symlink`.
    pub kind: &'static str,
    /// Bytes of a file; 0 of others.
    pub size_bytes: u64,
}

/// Everything below `root`, folders before what is in them.
///
/// # Errors
/// A block is missing or damaged, or the graph is refused.
pub fn list(root: Cid, store: &FileStore) -> Result<Vec<Listed>, ContentError> {
    let mut reader = TreeReader::new(root, TREE_ENTRIES_MAX, u64::MAX);
    let mut listed = Vec::new();
    while !reader.is_done() {
        if let Some(cid) = reader.wanted(1).first() {
            reader.put(&block(store, *cid)?.into_opened())?;
        }
        while let Some(entry) = reader.next_entry() {
            let (kind, size_bytes) = match entry.found {
                Found::File { size_bytes } => ("file", size_bytes),
                Found::Folder => ("folder", 0),
                Found::Symlink { .. } => ("symlink", 0),
            };
            listed.push(Listed { path: entry.path, cid: entry.cid, kind, size_bytes });
        }
    }
    Ok(listed)
}
