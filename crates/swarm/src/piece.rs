//! Pieces of a segment: index arithmetic and sets of pieces.

use core::ops::Range;

use wire::limits::{PIECE_BYTES, PIECES_MAX};

/// A position or length as an index: every target of ours has at least 32 bits.
pub(crate) fn at(number: u32) -> usize {
    usize::try_from(number).expect("a 32-bit number is an index on every target")
}

/// A length that a bound has already kept below 2³².
pub(crate) fn len32(length: usize) -> u32 {
    u32::try_from(length).expect("lengths are bounded by SEGMENT_BYTES_MAX")
}

/// How many pieces a segment of this size has.
pub(crate) fn count(segment_bytes: u32) -> u32 {
    segment_bytes.div_ceil(PIECE_BYTES)
}

/// The bytes of piece `piece` in a segment of this size; empty past the end.
pub(crate) fn range(segment_bytes: u32, piece: u32) -> Range<u32> {
    let from = piece.saturating_mul(PIECE_BYTES).min(segment_bytes);
    from..from.saturating_add(PIECE_BYTES).min(segment_bytes)
}

/// A set of pieces of one segment, at most [`PIECES_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PieceSet(Vec<u8>);

impl PieceSet {
    /// The set a peer told. Bytes past the bound are dropped.
    pub(crate) fn from_wire(mut bytes: Vec<u8>) -> Self {
        bytes.truncate(at(PIECES_MAX / 8));
        Self(bytes)
    }

    /// As told to a peer: without trailing zero bytes.
    pub(crate) fn to_wire(&self) -> Vec<u8> {
        let end = self.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.0[..end].to_vec()
    }

    pub(crate) fn contains(&self, piece: u32) -> bool {
        self.0.get(at(piece / 8)).is_some_and(|byte| byte & (1 << (piece % 8)) != 0)
    }

    pub(crate) fn insert(&mut self, piece: u32) {
        debug_assert!(piece < PIECES_MAX, "callers check against the segment's size");
        let byte = at(piece / 8);
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        self.0[byte] |= 1 << (piece % 8);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}

/// A set of segment indices of one track, as runs. At most [`wire::limits::HAVE_RANGES_MAX`] runs:
/// a stranger who tells more is believed less.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RunSet(primitives::SortedMap<u32, u32>);

impl RunSet {
    pub(crate) fn contains(&self, index: u32) -> bool {
        self.0.range(..=index).next_back().is_some_and(|(_, end)| index < *end)
    }

    /// Adds `first..end`, joining what touches.
    pub(crate) fn insert(&mut self, first: u32, end: u32) {
        if first >= end {
            return;
        }
        let (mut first, mut end) = (first, end);
        while let Some((&at, &to)) = self.0.range(..=end).next_back() {
            if to < first {
                break;
            }
            first = first.min(at);
            end = end.max(to);
            self.0.remove(&at);
        }
        if self.0.len() < wire::limits::HAVE_RANGES_MAX {
            self.0.insert(first, end);
        }
    }

    /// Takes out `first..end`.
    pub(crate) fn remove(&mut self, first: u32, end: u32) {
        if first >= end {
            return;
        }
        let touched: Vec<(u32, u32)> = self
            .0
            .range(..end)
            .rev()
            .take_while(|(_, to)| **to > first)
            .map(|(a, b)| (*a, *b))
            .collect();
        for (from, to) in touched {
            self.0.remove(&from);
            if from < first {
                self.0.insert(from, first);
            }
            if to > end {
                self.0.insert(end, to);
            }
        }
    }

    /// The runs, as `(first, end)`.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        self.0.iter().map(|(first, end)| (*first, *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_piece_is_shorter() {
        assert_eq!(count(PIECE_BYTES + 1), 2);
        assert_eq!(range(PIECE_BYTES + 1, 1), PIECE_BYTES..PIECE_BYTES + 1);
        assert!(range(10, 1).is_empty());
    }

    #[test]
    fn a_set_survives_the_wire() {
        let mut set = PieceSet::default();
        set.insert(0);
        set.insert(11);
        let told = PieceSet::from_wire(set.to_wire());
        assert!(told.contains(0) && told.contains(11) && !told.contains(12) && !told.is_empty());
    }

    #[test]
    fn runs_join_and_split() {
        let mut runs = RunSet::default();
        runs.insert(5, 7);
        runs.insert(1, 3);
        runs.insert(3, 5);
        assert_eq!(runs.runs().collect::<Vec<_>>(), [(1, 7)]);
        runs.remove(2, 4);
        assert_eq!(runs.runs().collect::<Vec<_>>(), [(1, 2), (4, 7)]);
        assert!(runs.contains(1) && !runs.contains(2) && runs.contains(4) && !runs.contains(7));
        runs.remove(0, u32::MAX);
        assert_eq!(runs.runs().count(), 0);
    }
}
