//! A copy of the state after one block, as a file: what a validator begins with that runs later blocks
//! only.
//!
//! [`Handle::snapshot`](crate::Handle::snapshot) makes one of a running validator, [`restore()`] checks one
//! and makes a folder of it. It holds the block, the certificate of it, the log of the authenticated
//! store, and every record. No part of it is believed: the certificate is checked against the group
//! key, the log against the block's roots, and each record against the store that follows from the
//! log, which knows of no other. Receipts, headers and events of before are in no root, so they are not
//! in it: who begins so does not know them, and says so ([`Handle::since`](crate::Handle::since)). Bytes:
//! `docs/spec/ledger.md`, "Snapshots".

use std::io::{self, Read, Write};
use std::path::PathBuf;

use commonware_storage::{mmr, qmdb::any::ordered::fixed};
use commonware_utils::sequence::FixedBytes;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::header::Digest;
use crate::network::NetworkError;
use crate::node::{KEEP_BLOCKS_MIN, Unanswered};
use crate::records::RecordsError;

#[cfg(test)]
mod frozen;
mod make;
mod replace;
mod restore;
mod shelf;
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod skim;

pub(crate) use replace::finish;
pub use replace::{Disk, Found, found, restore_late};
#[cfg(test)]
pub(crate) use restore::{Home, restore_into};
pub use restore::{Restored, restore};
pub(crate) use restore::{UNFINISHED, keep_block};
pub use shelf::Taken;
pub(crate) use shelf::{READERS_MAX, Shelf};

/// What a snapshot begins with.
const MAGIC: &[u8; 26] = b"starling-ledger-snapshot-1";
/// Most bytes of a part: more than a block has.
const PART_BYTES_MAX: u32 = 8 << 20;
/// Updates of the log in a part.
const LOG_BATCH: u64 = 1024;

/// An update of the store's log.
type Update = fixed::Operation<mmr::Family, Digest, FixedBytes<32>>;

/// Why there is no snapshot, or nothing is made of it.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file can't be read or made.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is something else, or of another version.
    #[error("the file is not a snapshot of a ledger, or of another version than 1")]
    NotASnapshot,
    /// It ends before its end.
    #[error("the snapshot is cut off")]
    Cut,
    /// A part of it has not the form that it should have.
    #[error("the snapshot's {0} can't be read")]
    Form(&'static str),
    /// Its block is not one that this ledger's validators made final.
    #[error("the snapshot's block has no certificate of this ledger's validators")]
    NotFinal,
    /// It does not show who took over, as the network's file has it.
    #[error("the snapshot does not show how this ledger's validators took over from each other")]
    Successions,
    /// One that is made here would not show it either.
    #[error(
        "of {expected} proofs of who took over from whom this validator has {found}: nobody could begin with its \
         snapshot"
    )]
    Unshown {
        /// Kept here, from the first on.
        found: usize,
        /// Up to the last block.
        expected: usize,
    },
    /// It is not of the time of this validator's set.
    #[error(
        "the snapshot is of block {height}, and this validator begins with one from block {first} on{}",
        last.map(|last| format!(" up to {last}")).unwrap_or_default()
    )]
    Epoch {
        /// Of the snapshot.
        height: u64,
        /// The last block of those before, or the first of all.
        first: u64,
        /// The last block of its own.
        last: Option<u64>,
    },
    /// Its log is not that of the block.
    #[error("the snapshot's log is not the one that its block names: {0}")]
    Log(String),
    /// Its log gives another state than the block's.
    #[error("the snapshot's log gives another state than its block has")]
    State,
    /// A record is another one than the state's.
    #[error("record {0} of the snapshot is not the one of its block's state")]
    Record(u64),
    /// Records are left out.
    #[error("the snapshot has {found} records, its block's state {expected}")]
    Missing {
        /// In the file.
        found: u64,
        /// By the state.
        expected: u64,
    },
    /// The folder has a ledger.
    #[error("{0} is there: a snapshot needs a folder with the validator's secrets only")]
    Used(PathBuf),
    /// Without the others' agreement, blocks behind the snapshot are gone, and others would follow.
    #[error(
        "nothing is final here without this validator, and what it signed since the snapshot's block is not known"
    )]
    RollBack,
    /// It is not so much newer than a ledger that is there that this one would be given up for it.
    #[error(
        "the snapshot is of block {height}, and the ledger that is there ends with block {kept}: it is given up for \
         one of {min} blocks later only", min = KEEP_BLOCKS_MIN
    )]
    Near {
        /// Of the snapshot.
        height: u64,
        /// The last block of the ledger that is there.
        kept: u64,
    },
    /// The network's file or the validator's secrets.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The records on disk.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// The validator did not answer.
    #[error("the validator did not answer: {0:?}")]
    Unanswered(Unanswered),
}

impl From<Unanswered> for SnapshotError {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

/// The first part: the block, and that it is final.
#[derive(Debug, Encode, Decode)]
struct Head {
    /// Of the block itself, none between.
    #[n(0)]
    finality: wire::ledger::Finality,
    #[n(1)]
    block: ByteVec,
    /// Who took over from which validators; none: nobody did.
    #[n(2)]
    successions: Option<Vec<wire::ledger::StateProof>>,
}

/// Keys with their records, in a part.
type Page = Vec<(ByteVec, ByteVec)>;

fn encoded(value: &impl Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}

/// Writes a part: its length, then its bytes. An empty one ends a list of parts.
fn write_part(out: &mut impl Write, bytes: &[u8]) -> Result<(), SnapshotError> {
    let length = u32::try_from(bytes.len()).ok().filter(|length| *length <= PART_BYTES_MAX);
    let length = length.ok_or(SnapshotError::Form("part"))?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)?;
    Ok(())
}

/// Reads a part. `None`: a list ends here.
fn read_part(reader: &mut (impl Read + ?Sized)) -> Result<Option<Vec<u8>>, SnapshotError> {
    let mut length = [0; 4];
    reader.read_exact(&mut length).map_err(cut)?;
    let length = u32::from_be_bytes(length);
    if length == 0 {
        return Ok(None);
    }
    if length > PART_BYTES_MAX {
        return Err(SnapshotError::Form("part"));
    }
    let mut bytes = Vec::new();
    // Its length is a stranger's word: room is taken as bytes come.
    let read = reader.take(length.into()).read_to_end(&mut bytes)?;
    if u32::try_from(read) != Ok(length) {
        return Err(SnapshotError::Cut);
    }
    Ok(Some(bytes))
}

fn cut(error: io::Error) -> SnapshotError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => SnapshotError::Cut,
        _ => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_they_were_written_and_no_longer_ones() {
        let mut file = Vec::new();
        write_part(&mut file, b"one").unwrap();
        write_part(&mut file, &[]).unwrap();
        let mut reader = &file[..];
        assert_eq!(read_part(&mut reader).unwrap().as_deref(), Some(&b"one"[..]));
        assert_eq!(read_part(&mut reader).unwrap(), None);
        assert!(matches!(read_part(&mut reader), Err(SnapshotError::Cut)));
        assert!(matches!(read_part(&mut &file[..6]), Err(SnapshotError::Cut)));
        let long = [255; 8];
        assert!(matches!(read_part(&mut &long[..]), Err(SnapshotError::Form("part"))));
    }
}
