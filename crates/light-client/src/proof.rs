//! Whether a record is, or is not, in a state.
//!
//! The engine's store keeps a log of updates `key -> value, next key`, and a bit for each: whether it
//! holds still. A Merkle mountain range lies over the log; where a node covers 256 updates, the 256
//! bits are hashed in. A proof shows one update, its bit, and the way to the root. That a key is
//! absent is shown by the update of the key before it, which names the next.
//!
//! ```text
//! root  = H(log root ‖ range root [‖ next bit ‖ H(bits of the last, partial chunk)])
//! range = H(0 ‖ 1 ‖ updates [‖ folded peaks] ‖ peaks folded)
//! node  = H(position ‖ left ‖ right)            at height 8: H(bits ‖ node)
//! leaf  = H(position ‖ 0xd2 ‖ key ‖ value ‖ next key)
//! ```
//!
//! Source: QMDB `current`, ordered, of commonware 2026.10.0; `docs/spec/ledger.md`, "State proofs".

#[cfg(any(test, feature = "test-util"))]
mod prover;

use primitives::{Hash, Hasher};

#[cfg(any(test, feature = "test-util"))]
pub(crate) use prover::Prover;

use crate::reader::Reader;

/// Most hashes of a proof: 61 peaks and 61 siblings.
const DIGESTS_MAX: u64 = 122;
/// Most updates that a log can have.
const UPDATES_MAX: u64 = 1 << 62;
/// Nodes of this height cover a chunk of bits.
const CHUNK_HEIGHT: u32 = 8;
const CHUNK_BITS: u64 = 1 << CHUNK_HEIGHT;
/// What an update in the log begins with.
const UPDATE: u8 = 0xd2;
/// How the range's root says that it is a mountain range whose peaks are folded from behind.
const RANGE: [u8; 2] = [0, 1];
/// What a proof of absence begins with. The other kind is of a state without any record, which no
/// ledger has.
const BETWEEN: u8 = 0;

type Digest = [u8; 32];

/// One update of the log, as it is hashed.
pub(crate) struct Update {
    pub(crate) key: Digest,
    pub(crate) value: Digest,
    pub(crate) next: Digest,
}

impl Update {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&[UPDATE], self.key.as_slice(), &self.value, &self.next].concat()
    }
}

/// Whether `proof` shows that the state has `value` under `key`.
pub(crate) fn is_held(proof: &[u8], key: Digest, value: Digest, root: &Hash) -> bool {
    let mut reader = Reader::new(proof);
    let Some(place) = Place::read(&mut reader) else { return false };
    let Some(next) = reader.array().and_then(|next| reader.end(next)) else { return false };
    place.root(&Update { key, value, next }.bytes()).is_some_and(|found| found == *root.as_bytes())
}

/// Whether `proof` shows that the state has nothing under `key`.
pub(crate) fn is_absent(proof: &[u8], key: &Digest, root: &Hash) -> bool {
    let mut reader = Reader::new(proof);
    if reader.byte() != Some(BETWEEN) {
        return false;
    }
    let Some(place) = Place::read(&mut reader) else { return false };
    let mut update =
        || Some(Update { key: reader.array()?, value: reader.array()?, next: reader.array()? });
    let Some(update) = update() else { return false };
    if reader.end(()).is_none() || !lies_between(&update.key, key, &update.next) {
        return false;
    }
    place.root(&update.bytes()).is_some_and(|found| found == *root.as_bytes())
}

/// Whether nothing can be under `key`, the keys being in a ring and `next` the one after `before`.
pub(crate) fn lies_between(before: &Digest, key: &Digest, next: &Digest) -> bool {
    if before == key {
        return false;
    }
    // The last key's next is the first.
    if before < next { before < key && key < next } else { before < key || key < next }
}

/// Where an update is in the log, and what else the root is made of.
struct Place {
    index: u64,
    chunk: [u8; 32],
    updates: u64,
    /// Peaks that hold nothing which is still true are folded first.
    folded: usize,
    digests: Vec<Digest>,
    partial: Option<Digest>,
    log_root: Digest,
}

impl Place {
    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let index = reader.varint()?;
        let chunk = reader.array()?;
        let updates = reader.varint()?;
        let folded = usize::try_from(reader.varint()?).ok()?;
        let count = reader.varint().filter(|count| *count <= DIGESTS_MAX)?;
        let digests = (0..count).map(|_| reader.array()).collect::<Option<_>>()?;
        let partial = if reader.flag()? { Some(reader.array()?) } else { None };
        let log_root = reader.array()?;
        (index < updates && updates <= UPDATES_MAX).then_some(Self {
            index,
            chunk,
            updates,
            folded,
            digests,
            partial,
            log_root,
        })
    }

    /// The state's root, if the update is at this place and holds still. `None`: it does not, or
    /// the parts do not make a root.
    fn root(&self, update: &[u8]) -> Option<Digest> {
        self.bit().then_some(())?;
        let rest = self.updates % CHUNK_BITS;
        if (rest != 0) != self.partial.is_some() {
            return None;
        }
        let complete = self.updates / CHUNK_BITS;
        if self.index / CHUNK_BITS == complete && self.partial != Some(hash(&[&self.chunk])) {
            return None;
        }
        let range = self.range_root(update)?;
        let mut parts: Vec<&[u8]> = vec![&self.log_root, &range];
        let next_bit = rest.to_be_bytes();
        if let Some(partial) = &self.partial {
            parts.extend([next_bit.as_slice(), partial]);
        }
        Some(hash(&parts))
    }

    /// The update's bit.
    fn bit(&self) -> bool {
        let at = self.index % CHUNK_BITS;
        let byte = usize::try_from(at / 8).ok().and_then(|byte| self.chunk.get(byte));
        byte.is_some_and(|byte| byte >> (at % 8) & 1 == 1)
    }

    /// The root of the mountain range.
    fn range_root(&self, update: &[u8]) -> Option<Digest> {
        let peaks = peaks(self.updates);
        let own = peaks.iter().position(|peak| peak.covers(self.index))?;
        let after = peaks.len() - own - 1;
        if self.folded > peaks.len() {
            return None;
        }
        // What is given of the other peaks: those folded before mine as one, the other ones before
        // mine, those folded behind mine one by one, the rest behind mine as one.
        let folded_before = self.folded.min(own);
        let single_after = self.folded.saturating_sub(own + 1).min(after);
        let before = usize::from(folded_before > 0) + own - folded_before;
        let behind = single_after + usize::from(after > single_after);
        let (before, rest) = self.digests.split_at_checked(before)?;
        let (behind, siblings) = rest.split_at_checked(behind)?;
        let peak = peaks.get(own)?.digest(self, update, siblings)?;
        let list: Vec<Digest> = before.iter().chain([&peak]).chain(behind).copied().collect();
        let fold_first = match folded_before {
            0 => self.folded,
            _ => self.folded - folded_before + 1,
        };
        let all = fold(&list, fold_first)?;
        let (updates, folded) =
            (self.updates.to_be_bytes(), u64::try_from(self.folded).ok()?.to_be_bytes());
        let mut parts: Vec<&[u8]> = vec![&RANGE, &updates];
        if self.folded > 0 {
            parts.push(&folded);
        }
        parts.push(&all);
        Some(hash(&parts))
    }
}

/// The first `count` from the front, the rest from behind, then both.
fn fold(list: &[Digest], count: usize) -> Option<Digest> {
    let (front, rest) = list.split_at_checked(count.max(1))?;
    let pair = |one: Digest, two: &Digest| hash(&[&one, two]);
    let front = front.iter().copied().reduce(|one, two| pair(one, &two))?;
    let back = rest.iter().rev().copied().reduce(|bag, peak| hash(&[&peak, &bag]));
    Some(back.map_or(front, |back| pair(front, &back)))
}

/// A perfect tree of the range.
#[derive(Debug, Clone, Copy)]
struct Tree {
    height: u32,
    /// Index of its first update.
    first: u64,
}

/// The range's peaks, highest first: one for each bit of the number of updates.
fn peaks(updates: u64) -> Vec<Tree> {
    let heights = (0..u64::BITS).rev().filter(|height| updates >> height & 1 == 1);
    let mut first = 0;
    let peak = |height| {
        let tree = Tree { height, first };
        first += 1 << height;
        tree
    };
    heights.map(peak).collect()
}

impl Tree {
    fn covers(self, index: u64) -> bool {
        index >= self.first && index - self.first < 1 << self.height
    }

    /// Where its root is in the range, nodes being numbered as they come into being.
    fn position(self) -> u64 {
        let leaf = 2 * self.first - u64::from(self.first.count_ones());
        leaf + (2 << self.height) - 2
    }

    fn halves(self) -> Option<(Self, Self)> {
        let height = self.height.checked_sub(1)?;
        Some((
            Self { height, first: self.first },
            Self { height, first: self.first + (1 << height) },
        ))
    }

    /// The digest of this tree, `update` being the place's. Siblings are given from the top down on
    /// the left of the way, from the bottom up on its right.
    fn digest(self, place: &Place, update: &[u8], siblings: &[Digest]) -> Option<Digest> {
        let mut given = siblings;
        let mut lefts = Vec::new();
        let mut way = Vec::new();
        let mut tree = self;
        while let Some((left, right)) = tree.halves() {
            let is_right = right.covers(place.index);
            if is_right {
                let (sibling, rest) = given.split_first()?;
                lefts.push(*sibling);
                given = rest;
            }
            way.push((tree, is_right));
            tree = if is_right { right } else { left };
        }
        let mut digest = hash(&[&tree.position().to_be_bytes(), update]);
        for (tree, is_right) in way.into_iter().rev() {
            let (left, right) = if is_right {
                (lefts.pop()?, digest)
            } else {
                let (sibling, rest) = given.split_first()?;
                given = rest;
                (digest, *sibling)
            };
            digest = hash(&[&tree.position().to_be_bytes(), &left, &right]);
            // A chunk on the way has the update's bit, so it is never all zeros.
            if tree.height == CHUNK_HEIGHT {
                digest = hash(&[&place.chunk, &digest]);
            }
        }
        given.is_empty().then_some(digest)
    }
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    *hasher.finish().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_of_keys_has_gaps_and_one_that_closes_it() {
        let at = |byte| [byte; 32];
        assert!(lies_between(&at(1), &at(2), &at(3)));
        assert!(!lies_between(&at(1), &at(1), &at(3)) && !lies_between(&at(1), &at(3), &at(3)));
        assert!(!lies_between(&at(1), &at(4), &at(3)));
        assert!(lies_between(&at(8), &at(9), &at(3)) && lies_between(&at(8), &at(1), &at(3)));
        assert!(!lies_between(&at(8), &at(5), &at(3)));
        assert!(lies_between(&at(8), &at(5), &at(8)), "the only key");
    }

    #[test]
    fn nodes_are_numbered_as_they_come() {
        // 7 leaves: 0 1 (2) 3 4 (5) (6) | 7 8 (9) | 10
        let positions: Vec<u64> = peaks(7).into_iter().map(Tree::position).collect();
        assert_eq!(positions, [6, 9, 10]);
    }
}
