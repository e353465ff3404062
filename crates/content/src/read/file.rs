//! The bytes of a file, in order, from blocks in any order.

use core::ops::Range;
use std::collections::VecDeque;

use super::{ReadError, length};
use crate::{
    Child, Cid, Node, Opened, decode,
    limits::{FILE_DEPTH_MAX, READ_AHEAD_BLOCKS_MAX},
};

/// Reads a file or a range of it.
///
/// Holds at most [`READ_AHEAD_BLOCKS_MAX`] leaves and, per level, the links of one node. Work is bounded
/// by the size the root states: each part has at least one byte, and no more levels than
/// [`FILE_DEPTH_MAX`].
#[derive(Debug)]
pub struct FileReader {
    /// What is left of the range, in order; the front holds the next byte.
    pieces: VecDeque<Piece>,
    range: Range<u64>,
    size_bytes: Option<u64>,
    limit_bytes: u64,
}

/// A part of the file that is in the range.
#[derive(Debug)]
struct Piece {
    /// Offset of its first byte in the file.
    at: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Wanted { cid: Cid, size_bytes: Option<u64>, depth: usize },
    Held(Vec<u8>),
}

/// Bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Offset of the first in the file.
    pub offset: u64,
    /// At least one.
    pub bytes: Vec<u8>,
}

impl FileReader {
    /// A reader of the whole file under `root`, if it is at most `limit_bytes` large.
    pub fn new(root: Cid, limit_bytes: u64) -> Self {
        Self::range(root, 0..u64::MAX, limit_bytes)
    }

    /// A reader of these bytes of the file; what is past its end is left out.
    pub fn range(root: Cid, range: Range<u64>, limit_bytes: u64) -> Self {
        let state = State::Wanted { cid: root, size_bytes: None, depth: 0 };
        let pieces = VecDeque::from([Piece { at: 0, state }]);
        Self { pieces, range, size_bytes: None, limit_bytes }
    }

    /// The blocks needed next, the most urgent first: at most `count`, and never more than
    /// [`READ_AHEAD_BLOCKS_MAX`]. Empty: take what is held ([`FileReader::next_part`]), or the end.
    pub fn wanted(&self, count: usize) -> Vec<Cid> {
        let mut wanted = Vec::new();
        for piece in self.pieces.iter().take(READ_AHEAD_BLOCKS_MAX) {
            if let State::Wanted { cid, .. } = &piece.state
                && wanted.len() < count
                && !wanted.contains(cid)
            {
                wanted.push(*cid);
            }
        }
        wanted
    }

    /// Takes a block that is wanted.
    ///
    /// # Errors
    /// It is not wanted ([`ReadError::NotWanted`]; nothing changed), or the file can't be read.
    pub fn put(&mut self, block: &Opened) -> Result<(), ReadError> {
        let wanted =
            |piece: &Piece| matches!(&piece.state, State::Wanted { cid, .. } if *cid == block.cid);
        let mut found = false;
        // The same bytes may stand in several places.
        while let Some(index) = self.pieces.iter().take(READ_AHEAD_BLOCKS_MAX).position(wanted) {
            found = true;
            self.expand(index, block)?;
        }
        if found { Ok(()) } else { Err(ReadError::NotWanted(block.cid)) }
    }

    /// The next bytes, if they are here.
    pub fn next_part(&mut self) -> Option<Part> {
        let front = self.pieces.front()?;
        if matches!(front.state, State::Wanted { .. }) {
            return None;
        }
        let piece = self.pieces.pop_front()?;
        let State::Held(bytes) = piece.state else { return None };
        Some(Part { offset: piece.at, bytes })
    }

    /// Whether every byte was taken.
    pub fn is_done(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Size of the whole file in bytes, once its root is here.
    pub const fn size_bytes(&self) -> Option<u64> {
        self.size_bytes
    }

    /// Replaces a wanted piece by what its block holds.
    fn expand(&mut self, index: usize, block: &Opened) -> Result<(), ReadError> {
        let Some(Piece { at, state: State::Wanted { cid, size_bytes, depth } }) =
            self.pieces.remove(index)
        else {
            return Err(ReadError::NotWanted(block.cid));
        };
        let node =
            decode(block.codec, &block.bytes).map_err(|error| ReadError::Node { cid, error })?;
        let Node::File { inline, children, size_bytes: found } = node else {
            return Err(ReadError::NotAFile(cid));
        };
        match size_bytes {
            Some(expected) if expected != found => {
                return Err(ReadError::Size { cid, expected, found });
            }
            Some(_) => {}
            None if found > self.limit_bytes => {
                return Err(ReadError::TooLarge { bytes: found, limit: self.limit_bytes });
            }
            None => self.size_bytes = Some(found),
        }
        if depth == FILE_DEPTH_MAX && !children.is_empty() {
            return Err(ReadError::TooDeep);
        }
        let inline_end = at + length(inline.len());
        let parts = self.parts(inline_end, depth + 1, children);
        let held = self.trim(at, inline);
        for (offset, piece) in held.into_iter().chain(parts).enumerate() {
            self.pieces.insert(index + offset, piece);
        }
        Ok(())
    }

    /// The children that are in the range.
    fn parts(&self, mut at: u64, depth: usize, children: Vec<Child>) -> Vec<Piece> {
        let mut parts = Vec::new();
        for Child { cid, size_bytes } in children {
            let end = at + size_bytes;
            if at < self.range.end && end > self.range.start {
                let state = State::Wanted { cid, size_bytes: Some(size_bytes), depth };
                parts.push(Piece { at, state });
            }
            at = end;
        }
        parts
    }

    /// The bytes that are in the range, if any.
    fn trim(&self, at: u64, mut bytes: Vec<u8>) -> Option<Piece> {
        let count = length(bytes.len());
        let inside = |offset: u64| usize::try_from(offset.saturating_sub(at).min(count));
        let first = inside(self.range.start).unwrap_or(usize::MAX).min(bytes.len());
        let last = inside(self.range.end).unwrap_or(usize::MAX).min(bytes.len());
        bytes.truncate(last);
        let bytes = if first == 0 { bytes } else { bytes.split_off(first.min(last)) };
        let at = at + length(first);
        (!bytes.is_empty()).then_some(Piece { at, state: State::Held(bytes) })
    }
}
