//! Who has which bytes, which came twice, and why the origin was asked for what others had.
//!
//! The audit sees everything, so it can say of each fetch what its swarm could have known and of each
//! byte whether the swarm as a whole had it already.

use std::collections::BTreeMap;

use primitives::{SegmentId, Time};

/// Bytes are counted in units of this size: data frames and origin chunks are whole units, but for the
/// last of a segment.
const UNIT_BYTES: u32 = 16_384;

/// What the rest of the swarm had when a viewer asked the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Around {
    /// Nobody had any of it or was fetching it.
    Nobody,
    /// The viewer had no neighbours.
    Alone,
    /// Others had or fetched it, but no neighbour.
    OutOfSight,
    /// A neighbour was fetching it from the origin.
    Claimed,
    /// A neighbour had part of it.
    Partial,
    /// A neighbour had all of it.
    Held,
}

impl Around {
    pub(crate) const ALL: [Self; 6] =
        [Self::Nobody, Self::Alone, Self::OutOfSight, Self::Claimed, Self::Partial, Self::Held];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody had it",
            Self::Alone => "no neighbours",
            Self::OutOfSight => "others had it, no neighbour",
            Self::Claimed => "a neighbour was fetching it",
            Self::Partial => "a neighbour had part of it",
            Self::Held => "a neighbour had all of it",
        }
    }
}

/// One origin fetch.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) at: Time,
    pub(crate) viewer: usize,
    pub(crate) segment: SegmentId,
    pub(crate) from: u32,
    pub(crate) to: u32,
    pub(crate) around: Around,
    /// Milliseconds until the segment is due; negative when late; `None` when it is not known.
    pub(crate) due_in_ms: Option<i64>,
    /// Bytes of it nobody in the swarm had when they came.
    pub(crate) first_bytes: u64,
    /// Bytes of it somebody in the swarm had.
    pub(crate) again_bytes: u64,
}

/// Units of one segment as bits.
#[derive(Debug, Clone, Default)]
struct Units(Vec<u64>);

impl Units {
    /// Sets a bit; whether it was clear.
    fn set(&mut self, unit: u32) -> bool {
        let (word, bit) = (usize::try_from(unit / 64).unwrap_or(0), unit % 64);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let fresh = self.0[word] & (1 << bit) == 0;
        self.0[word] |= 1 << bit;
        fresh
    }

    fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.0).flat_map(|(word, bits)| {
            (0..64_u32).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| word * 64 + bit)
        })
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|bits| bits.count_ones()).sum()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Audit {
    /// By viewer: what it has received.
    had: Vec<BTreeMap<SegmentId, Units>>,
    /// How many viewers that are there have each unit.
    copies: BTreeMap<SegmentId, Vec<u32>>,
    /// Fetches under way, by segment.
    fetchers: BTreeMap<SegmentId, Vec<usize>>,
    pub(crate) notes: Vec<Note>,
    /// Bytes that came to a viewer that had them, by viewer.
    pub(crate) twice_bytes: Vec<u64>,
    /// Bytes that came to a viewer for the first time, by viewer.
    pub(crate) once_bytes: Vec<u64>,
}

impl Audit {
    pub(crate) fn add_viewer(&mut self) {
        self.had.push(BTreeMap::new());
        self.twice_bytes.push(0);
        self.once_bytes.push(0);
    }

    pub(crate) fn remove_viewer(&mut self, viewer: usize) {
        for (id, units) in std::mem::take(&mut self.had[viewer]) {
            let Some(copies) = self.copies.get_mut(&id) else { continue };
            for unit in units.iter() {
                copies[index(unit)] -= 1;
            }
        }
        for fetchers in self.fetchers.values_mut() {
            fetchers.retain(|fetcher| *fetcher != viewer);
        }
    }

    /// What the swarm around `viewer` has of a segment.
    pub(crate) fn around(
        &self,
        id: SegmentId,
        size_bytes: u32,
        neighbours: impl Iterator<Item = usize> + Clone,
    ) -> Around {
        let units = size_bytes.div_ceil(UNIT_BYTES);
        let part = |viewer: usize| self.had[viewer].get(&id).map_or(0, Units::count);
        let fetchers = self.fetchers.get(&id).map_or(&[][..], Vec::as_slice);
        let elsewhere = !fetchers.is_empty()
            || self.copies.get(&id).is_some_and(|copies| copies.iter().any(|count| *count > 0));
        if !elsewhere {
            Around::Nobody
        } else if neighbours.clone().next().is_none() {
            Around::Alone
        } else if neighbours.clone().any(|viewer| part(viewer) >= units) {
            Around::Held
        } else if neighbours.clone().any(|viewer| fetchers.contains(&viewer)) {
            Around::Claimed
        } else if neighbours.clone().any(|viewer| part(viewer) > 0) {
            Around::Partial
        } else {
            Around::OutOfSight
        }
    }

    /// A fetch starts; returns the number of its note.
    pub(crate) fn fetch_starts(&mut self, note: Note) -> usize {
        self.fetchers.entry(note.segment).or_default().push(note.viewer);
        self.notes.push(note);
        self.notes.len() - 1
    }

    pub(crate) fn fetch_ends(&mut self, viewer: usize, id: SegmentId) {
        let Some(fetchers) = self.fetchers.get_mut(&id) else { return };
        if let Some(place) = fetchers.iter().position(|fetcher| *fetcher == viewer) {
            fetchers.swap_remove(place);
        }
    }

    /// Bytes `from..to` of a segment came to a viewer, for the fetch of this note or from a peer.
    pub(crate) fn came(
        &mut self,
        viewer: usize,
        id: SegmentId,
        (from, to): (u32, u32),
        note: Option<usize>,
    ) {
        let mut offset = from;
        while offset < to {
            let unit = offset / UNIT_BYTES;
            let end = to.min((unit + 1) * UNIT_BYTES);
            let bytes = u64::from(end - offset);
            self.unit_came(viewer, id, unit, bytes, note);
            offset = end;
        }
    }

    fn unit_came(
        &mut self,
        viewer: usize,
        id: SegmentId,
        unit: u32,
        bytes: u64,
        note: Option<usize>,
    ) {
        let copies = self.copies.entry(id).or_default();
        if copies.len() <= index(unit) {
            copies.resize(index(unit) + 1, 0);
        }
        if let Some(note) = note.and_then(|note| self.notes.get_mut(note)) {
            if copies[index(unit)] == 0 {
                note.first_bytes += bytes;
            } else {
                note.again_bytes += bytes;
            }
        }
        if self.had[viewer].entry(id).or_default().set(unit) {
            copies[index(unit)] += 1;
            self.once_bytes[viewer] += bytes;
        } else {
            self.twice_bytes[viewer] += bytes;
        }
    }
}

fn index(unit: u32) -> usize {
    usize::try_from(unit).expect("units of one segment are few")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: SegmentId = SegmentId::new(0, 7);

    #[test]
    fn bytes_that_come_again_are_counted_once_and_twice() {
        let mut audit = Audit::default();
        audit.add_viewer();
        audit.add_viewer();
        audit.came(0, ID, (0, 40_000), None);
        audit.came(0, ID, (16_384, 32_768), None);
        assert_eq!((audit.once_bytes[0], audit.twice_bytes[0]), (40_000, 16_384));
        let all = |viewers: &[usize]| audit.around(ID, 40_000, viewers.iter().copied());
        assert_eq!(all(&[]), Around::Alone);
        assert_eq!(all(&[0]), Around::Held);
        assert_eq!(all(&[1]), Around::OutOfSight);
        audit.remove_viewer(0);
        assert_eq!(audit.around(ID, 40_000, std::iter::once(0)), Around::Nobody);
    }

    #[test]
    fn a_fetch_knows_what_was_already_in_the_swarm() {
        let mut audit = Audit::default();
        audit.add_viewer();
        audit.add_viewer();
        audit.came(0, ID, (0, 16_384), None);
        let note = Note {
            at: Time::ZERO,
            viewer: 1,
            segment: ID,
            from: 0,
            to: 32_768,
            around: Around::Partial,
            due_in_ms: None,
            first_bytes: 0,
            again_bytes: 0,
        };
        let number = audit.fetch_starts(note);
        assert_eq!(audit.around(ID, 32_768, std::iter::once(1)), Around::Claimed);
        audit.came(1, ID, (0, 32_768), Some(number));
        let note = &audit.notes[number];
        assert_eq!((note.first_bytes, note.again_bytes), (16_384, 16_384));
    }
}
