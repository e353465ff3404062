//! Why a validator does not run.

use std::path::PathBuf;

use super::KEEP_BLOCKS_MIN;
use crate::network::NetworkError;
use crate::records::RecordsError;

/// Why there is no validator.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The network's file or the validator's secrets.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The records on disk.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A folder or file can't be made.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process uses the folder.
    #[error("{0}: another process uses this ledger")]
    Locked(PathBuf),
    /// A snapshot was being restored into the folder.
    #[error("{0}: restoring a snapshot was interrupted")]
    Unfinished(PathBuf),
    /// The folder's blocks are not those of the validators in the network's file.
    #[error(
        "{folder}: block {height} was made in epoch {made}, and is of epoch {epoch} by the network's file: others \
         take over at a block that is still to come, or the folder is of another history"
    )]
    Epoch {
        /// The folder.
        folder: PathBuf,
        /// Its last block.
        height: u64,
        /// By whom it says it was made.
        made: u64,
        /// By whom it should be.
        epoch: u64,
    },
    /// The secrets are of validators who were replaced, and the folder has blocks of those who did.
    #[error(
        "{folder}: its last block is {height}, and these secrets are of epoch {epoch}, which ended with block {last}: \
         others make the blocks from there on"
    )]
    Over {
        /// The folder.
        folder: PathBuf,
        /// Its last block.
        height: u64,
        /// The newest epoch that the secrets are of.
        epoch: u64,
        /// That one's last block.
        last: u64,
    },
    /// The validators before did not know who takes over.
    #[error(
        "{folder}: the validators before were not told by their network's file who makes block {height}, and did \
         not name these: nobody could follow"
    )]
    Unnamed {
        /// The folder.
        folder: PathBuf,
        /// The first block of the next validators.
        height: u64,
    },
    /// Too few blocks are to be kept.
    #[error("keep_blocks is {0}, expected 0 for all or at least {KEEP_BLOCKS_MIN}")]
    Keep(u64),
    /// The engine ended; the log says why.
    #[error("the ledger's engine ended")]
    Ended,
}
