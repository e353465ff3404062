//! Blocks in, bytes out.
//!
//! Every reader says which blocks it needs next, in the order in which it needs them ([`FileReader::wanted`]
//! and its like); the driver gets them from wherever, lets them be verified ([`crate::Candidate`]) and
//! decrypted, and puts them in. A block that nobody asked for is an error of who sent it.
//!
//! | reader | yields |
//! |---|---|
//! | [`FileReader`] | the bytes of a file or of a range of it, in order |
//! | [`TreeReader`] | paths, kinds and sizes below a folder, folders before what is in them |
//! | [`FolderReader`] | what is in one folder |
//! | [`PathReader`] | what stands at a path |
//! | [`WalkReader`] | every block below a root once, parents first: what a CAR holds |

mod file;
mod folder;
mod path;
mod tree;
mod walk;

use core::fmt;

pub use file::{FileReader, Part};
pub use folder::FolderReader;
pub use path::{PathEnd, PathReader};
pub use tree::{Found, TreeEntry, TreeReader};
pub use walk::WalkReader;

use crate::{
    Cid, NameError, NodeError,
    limits::{FILE_DEPTH_MAX, TREE_ENTRIES_MAX, WALK_BLOCKS_MAX},
};

/// Why a graph of blocks is not read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The block was not asked for now. The only error that a peer causes and not the graph: the reader
    /// goes on.
    NotWanted(Cid),
    /// The block means nothing.
    Node {
        /// The block.
        cid: Cid,
        /// Why.
        error: NodeError,
    },
    /// A file was expected.
    NotAFile(Cid),
    /// A folder was expected.
    NotAFolder(Cid),
    /// A part of a file has another size than the node above it says.
    Size {
        /// The block.
        cid: Cid,
        /// Bytes the node above says.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// The file has more levels than [`FILE_DEPTH_MAX`].
    TooDeep,
    /// All files together are larger than was allowed.
    TooLarge {
        /// Bytes found so far.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The tree has more entries than [`TREE_ENTRIES_MAX`] or than was allowed.
    TooManyEntries,
    /// There are more blocks than [`WALK_BLOCKS_MAX`].
    TooManyBlocks,
    /// A path is refused.
    Path(NameError),
    /// A name stands where its hash does not belong.
    Misplaced(Cid),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWanted(cid) => write!(f, "block {cid} was not asked for"),
            Self::Node { cid, error } => write!(f, "block {cid}: {error}"),
            Self::NotAFile(cid) => write!(f, "expected a file, found a folder or symlink: {cid}"),
            Self::NotAFolder(cid) => write!(f, "expected a folder, found something else: {cid}"),
            Self::Size { cid, expected, found } => {
                write!(f, "block {cid}: expected {expected} bytes of a file, found {found}")
            }
            Self::TooDeep => write!(f, "a file has more than {FILE_DEPTH_MAX} levels"),
            Self::TooLarge { bytes, limit } => {
                write!(f, "content is {bytes} bytes or more, limit is {limit}")
            }
            Self::TooManyEntries => write!(f, "more than {TREE_ENTRIES_MAX} entries"),
            Self::TooManyBlocks => write!(f, "more than {WALK_BLOCKS_MAX} blocks"),
            Self::Path(error) => write!(f, "{error}"),
            Self::Misplaced(cid) => write!(f, "a name is in the wrong place of shard {cid}"),
        }
    }
}

impl core::error::Error for ReadError {}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
