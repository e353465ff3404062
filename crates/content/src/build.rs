//! Bytes in, blocks out.
//!
//! Every builder has the same end ([`Build`]): it hands out [`Draft`]s; the driver hashes each (and
//! encrypts it before, if the share is encrypted), stores the block, and says in the same order what it
//! is called. Several may be under way at once. [`Build::drain`] does all of it in the caller's thread.
//!
//! | builder | in | out |
//! |---|---|---|
//! | [`FileBuilder`] | bytes in any cuts | leaves and link nodes of one file |
//! | [`SymlinkBuilder`] | a target | one block |
//! | [`FolderBuilder`] | names and entries | one block, or shards |
//! | [`TreeBuilder`] | paths and entries | all folders, deepest first |

mod file;
mod folder;
mod shard;
mod symlink;
mod tree;

pub use file::FileBuilder;
pub use folder::{FolderBuilder, FolderError};
pub use symlink::SymlinkBuilder;
pub use tree::{TreeBuilder, TreeDrafts, TreeError};

use crate::{Block, Cid, Draft};

/// A finished file, symlink or folder: what a folder's link says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its root.
    pub cid: Cid,
    /// Bytes of content: a file's own; of a folder, all files below; 0 of a symlink.
    pub content_bytes: u64,
    /// Bytes of all its blocks, repeated ones counted again.
    pub tree_bytes: u64,
}

/// Something that yields blocks to be named, and an [`Entry`] in the end.
pub trait Build {
    /// The next block that can be made now. None: say names of those given out first, or give more
    /// input, or it is finished.
    fn next_draft(&mut self) -> Option<Draft>;

    /// What the oldest draft that has no name yet is called, and the bytes of its block.
    ///
    /// # Panics
    /// When all drafts have their names.
    fn name(&mut self, cid: Cid, block_bytes: usize);

    /// What was built, once everything has its name.
    fn entry(&self) -> Option<Entry>;

    /// Hashes here every block that can be made now, and gives it to `store`.
    ///
    /// # Errors
    /// The first of `store`.
    fn drain<E>(&mut self, mut store: impl FnMut(Block) -> Result<(), E>) -> Result<(), E>
    where
        Self: Sized,
    {
        while let Some(draft) = self.next_draft() {
            let block = draft.hash();
            self.name(block.cid(), block.bytes().len());
            store(block)?;
        }
        Ok(())
    }
}

/// Drafts whose names are awaited, oldest first, with what is known of each.
const UNASKED: &str = "a name is given to a draft that was handed out";

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
