//! CARv1: blocks one after another, after a header that names the roots.
//!
//! ```text
//! length (varint) · header (dag-cbor {"roots": [CID…], "version": 1})
//! length (varint) · CID · bytes          once per block
//! ```
//!
//! Source: the CAR version 1 specification of IPLD. Written canonically (the header's keys in dag-cbor
//! order, blocks in the order given). Bytes are pushed in and frames come out: who reads the file and
//! how, is the driver's.

mod header;
mod reader;

use core::fmt;

pub use reader::CarReader;

use crate::{
    Block, Cid, CidError, Mismatch,
    limits::{BLOCK_BYTES_MAX, CAR_HEADER_BYTES_MAX, CAR_ROOTS_MAX},
};

/// Why bytes are not a CAR that we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CarError {
    /// Not a CAR: the header is not one.
    Header,
    /// Another version than 1.
    Version(u64),
    /// More roots than [`CAR_ROOTS_MAX`].
    TooManyRoots,
    /// A root or a block is of a kind that is not read.
    Cid {
        /// Offset of the block's length in the file, in bytes; 0 for roots.
        offset: u64,
        /// Why.
        error: CidError,
    },
    /// A length that is too large or not a length.
    Length {
        /// Where in the file, in bytes.
        offset: u64,
    },
    /// A block's bytes are not its own.
    Block {
        /// Offset of the block's length in the file, in bytes.
        offset: u64,
        /// Why.
        error: Mismatch,
    },
    /// The file ends within the header or a block.
    Truncated {
        /// Bytes that came.
        bytes: u64,
    },
}

impl fmt::Display for CarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("expected a CAR file, found something else"),
            Self::Version(version) => write!(f, "expected CAR version 1, found {version}"),
            Self::TooManyRoots => write!(f, "a CAR has more than {CAR_ROOTS_MAX} roots"),
            Self::Cid { offset, error } => write!(f, "at byte {offset}: {error}"),
            Self::Length { offset } => write!(
                f,
                "at byte {offset}: expected a header of at most {CAR_HEADER_BYTES_MAX} or a block of \
                 at most {BLOCK_BYTES_MAX} bytes"
            ),
            Self::Block { offset, error } => write!(f, "at byte {offset}: {error}"),
            Self::Truncated { bytes } => write!(f, "the CAR is cut off after {bytes} bytes"),
        }
    }
}

impl core::error::Error for CarError {}

/// The first bytes of a CAR of these roots, at most [`CAR_ROOTS_MAX`].
pub fn header(roots: &[Cid]) -> Vec<u8> {
    header::encode(roots)
}

/// What stands before a block's bytes in a CAR.
pub fn frame_head(block: &Block) -> Vec<u8> {
    let cid = block.cid().to_bytes();
    let mut out = Vec::with_capacity(cid.len() + 4);
    let length = cid.len() + block.bytes().len();
    crate::protobuf::put_number(&mut out, length.try_into().unwrap_or(u64::MAX));
    out.extend_from_slice(&cid);
    out
}

#[cfg(test)]
mod tests;
