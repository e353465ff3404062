//! A set of places of a share.

use wire::{limits::SHARE_BLOCKS_MAX, peer::Run};

/// A bitmap that grows as far as [`SHARE_BLOCKS_MAX`] bits: 128 KiB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bits {
    words: Vec<u64>,
    count: u32,
}

fn at(place: u32) -> (usize, u64) {
    let word = usize::try_from(place / 64).expect("a 32-bit number is an index on every target");
    (word, 1 << (place % 64))
}

impl Bits {
    pub(crate) fn contains(&self, place: u32) -> bool {
        let (word, bit) = at(place);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// Adds a place; whether it is new.
    pub(crate) fn insert(&mut self, place: u32) -> bool {
        if place >= SHARE_BLOCKS_MAX || self.contains(place) {
            return false;
        }
        let (word, bit) = at(place);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit;
        self.count += 1;
        true
    }

    /// Takes a place out; whether it was there.
    pub(crate) fn remove(&mut self, place: u32) -> bool {
        let was = self.contains(place);
        if was {
            let (word, bit) = at(place);
            self.words[word] &= !bit;
            self.count -= 1;
        }
        was
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let end = u32::try_from(self.words.len() * 64).unwrap_or(u32::MAX);
        (0..end).filter(|place| self.contains(*place))
    }

    /// As runs, for the wire.
    pub(crate) fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for place in self.iter() {
            match runs.last_mut() {
                Some(run) if run.first + run.count == place => run.count += 1,
                _ => runs.push(Run { first: place, count: 1 }),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_runs_and_are_counted_once() {
        let mut bits = Bits::default();
        for place in [3, 4, 5, 70, 4] {
            bits.insert(place);
        }
        assert!(!bits.insert(SHARE_BLOCKS_MAX) && bits.remove(4) && !bits.remove(4));
        assert_eq!(bits.count(), 3);
        let runs: Vec<_> = bits.runs().iter().map(|run| (run.first, run.count)).collect();
        assert_eq!(runs, [(3, 1), (5, 1), (70, 1)]);
    }
}
