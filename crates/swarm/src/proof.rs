//! What makes bytes the ones meant.

use crate::{input::Proof, piece};

impl Proof {
    /// Whether the proof is one at all: as many digests as the size has pieces.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Self::Pieces { segment_bytes, pieces } => {
                (1..=wire::limits::SEGMENT_BYTES_MAX).contains(segment_bytes)
                    && pieces.len() == piece::at(piece::count(*segment_bytes))
            }
            Self::Whole { .. } | Self::Unchecked | Self::Missing => true,
        }
    }

    /// Whether these bytes are the ones meant.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Pieces { segment_bytes, pieces } => {
                let size = piece::at(wire::limits::PIECE_BYTES);
                bytes.len() == piece::at(*segment_bytes)
                    && bytes.chunks(size).map(primitives::sha256).eq(pieces.iter().copied())
            }
            Self::Whole { sha256 } => primitives::sha256(bytes) == *sha256,
            Self::Unchecked => true,
            Self::Missing => false,
        }
    }
}
