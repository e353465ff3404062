//! What validators agree on.

use primitives::{Hash, sha256};

use crate::reader::Reader;

/// Longest header: numbers of 64 bits in LEB128 take 10 bytes.
const HEADER_BYTES_MAX: usize = 4 * 10 + 6 * 32 + 3 * 8 + 32;

/// A block's header. Layout: `docs/spec/ledger.md`, "Headers and certificates".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The block's name: SHA-256 of the header's bytes.
    pub name: Hash,
    /// In which round of the agreement it was proposed.
    pub view: u64,
    /// The Ed25519 key of the validator that proposed it.
    pub leader: [u8; 32],
    /// Name of the block before.
    pub parent: Hash,
    /// Blocks since genesis.
    pub height: u64,
    /// When, in milliseconds since 1970-01-01 UTC.
    pub time_ms: u64,
    /// What proofs of records are checked against: the state after this block.
    pub state_root: Hash,
    /// Of the transactions.
    pub body_root: Hash,
}

impl Header {
    /// Reads one. `None`: the bytes are no header.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > HEADER_BYTES_MAX {
            return None;
        }
        let mut reader = Reader::new(bytes);
        let _epoch = reader.varint()?;
        let view = reader.varint()?;
        let leader = reader.array()?;
        let _parent_view = reader.varint()?;
        let _parent_proposal = reader.take(32)?;
        let parent = Hash::new(reader.array()?);
        let height = reader.varint()?;
        let time_ms = reader.u64()?;
        let state_root = Hash::new(reader.array()?);
        // Root and bounds of the store's log are for validators that copy it.
        let _log = reader.take(32 + 8 + 8)?;
        let body_root = Hash::new(reader.array()?);
        let name = sha256(bytes);
        reader.end(Self { name, view, leader, parent, height, time_ms, state_root, body_root })
    }
}
