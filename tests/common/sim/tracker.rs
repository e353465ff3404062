//! Who is introduced to whom: the signaling server, as far as its choices matter.

use std::collections::{BTreeMap, BTreeSet};

use primitives::{Rng, Seed, Time};

/// Neighbours handed out at once.
const HANDED_OUT: usize = 8;
/// Connections (and introductions under way) above which a viewer is not handed out.
const CONNECTIONS_MAX: usize = 16;
/// Strangers looked at for each introduction.
const LOOKED_AT: usize = 32;
/// A pair that parted is not introduced again before this time has passed.
const APART_MS: u64 = 30_000;

/// Members of one swarm.
#[derive(Debug)]
pub(crate) struct Tracker {
    rng: Rng,
    members: Vec<usize>,
    /// Connections and introductions under way, by viewer.
    links: BTreeMap<usize, BTreeSet<usize>>,
    /// Pairs that are not to meet before a time.
    apart: BTreeMap<(usize, usize), Time>,
}

impl Tracker {
    pub(crate) fn new(seed: Seed) -> Self {
        Self {
            rng: seed.derive("tracker").rng(),
            members: Vec::new(),
            links: BTreeMap::new(),
            apart: BTreeMap::new(),
        }
    }

    pub(crate) fn join(&mut self, viewer: usize) {
        if let Err(place) = self.members.binary_search(&viewer) {
            self.members.insert(place, viewer);
        }
    }

    pub(crate) fn leave(&mut self, viewer: usize) {
        if let Ok(place) = self.members.binary_search(&viewer) {
            self.members.remove(place);
        }
        for other in self.links.remove(&viewer).unwrap_or_default() {
            self.unlink(viewer, other);
        }
    }

    pub(crate) fn size(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }

    /// Strangers for `viewer`: half of them near in join order (so near in position), half by chance.
    /// They count as linked from now on.
    pub(crate) fn introduce(&mut self, now: Time, viewer: usize, wanted: usize) -> Vec<usize> {
        let mut pool: Vec<usize> = if self.members.len() <= LOOKED_AT {
            self.members.clone()
        } else {
            (0..LOOKED_AT).map(|_| self.members[self.rng.usize(0..self.members.len())]).collect()
        };
        pool.sort_unstable();
        pool.dedup();
        pool.retain(|other| self.may_meet(now, viewer, *other));
        self.rng.shuffle(&mut pool);
        let wanted = wanted.min(HANDED_OUT);
        let mut chosen: Vec<usize> = pool.iter().copied().take(wanted / 2).collect();
        pool.retain(|other| !chosen.contains(other));
        pool.sort_by_key(|other| (other.abs_diff(viewer), *other));
        chosen.extend(pool.into_iter().take(wanted - chosen.len()));
        for other in &chosen {
            self.links.entry(viewer).or_default().insert(*other);
            self.links.entry(*other).or_default().insert(viewer);
        }
        chosen
    }

    fn may_meet(&self, now: Time, viewer: usize, other: usize) -> bool {
        let linked = self.links.get(&viewer).is_some_and(|links| links.contains(&other));
        let full = self.links.get(&other).is_some_and(|links| links.len() >= CONNECTIONS_MAX);
        let apart = self.apart.get(&pair(viewer, other)).is_some_and(|until| *until > now);
        other != viewer && !linked && !full && !apart
    }

    /// A connection is gone, or was never made.
    pub(crate) fn unlink(&mut self, a: usize, b: usize) {
        for (one, other) in [(a, b), (b, a)] {
            if let Some(links) = self.links.get_mut(&one) {
                links.remove(&other);
            }
        }
    }

    /// Two parted: for good, or for a while.
    pub(crate) fn part(&mut self, now: Time, a: usize, b: usize, for_good: bool) {
        let until = if for_good { Time::NEVER } else { Time::from_ms(now.as_ms() + APART_MS) };
        self.apart.insert(pair(a, b), until);
        self.unlink(a, b);
    }
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}
