//! Who is introduced to whom.
//!
//! A bounded sample is drawn (by playhead, by region, by lot), each candidate gets a cost, and the
//! cheapest are taken, with a quarter left to chance: the cost makes neighbours useful, chance keeps
//! the mesh one piece. The work of a choice does not grow with the swarm, except by logarithms.
//!
//! Load costs nothing up to what every member bears. Taking the least busy first was refused: that is
//! always whoever came last and holds nothing yet, and the mesh becomes a long band.

use std::collections::BTreeSet;
use std::sync::Arc;

use primitives::{PeerId, Rng, Time};

use super::Room;

/// Most candidates weighed for one choice.
const SAMPLE_MAX: usize = 96;
/// Share of a sample drawn by one criterion.
const SAMPLE_SHARE: usize = SAMPLE_MAX / 3;
/// One in this many neighbours is drawn by lot.
const BY_LOT: usize = 4;

/// Cost of another region, in introductions: the same-region peer is preferred until it was handed
/// out this many times more often.
const COST_OTHER_REGION: u32 = 6;
/// Cost when one of the two did not say.
const COST_UNKNOWN_REGION: u32 = 3;
/// Cost of a playhead more than this many segments away.
const COST_BY_DISTANCE: [(u32, u32); 3] = [(2, 0), (8, 2), (32, 4)];
const COST_FAR: u32 = 8;
const COST_UNKNOWN_POSITION: u32 = 4;

/// Who asks for neighbours.
pub(super) struct Asker<'a> {
    pub(super) peer: &'a PeerId,
    pub(super) region: Option<&'a Arc<str>>,
    pub(super) position: Option<u32>,
    pub(super) except: &'a BTreeSet<PeerId>,
}

impl Room {
    /// At most `want` members to introduce to the asker: attached, distinct, not the asker, none of
    /// the exceptions.
    pub(super) fn choose(
        &self,
        now: Time,
        asker: &Asker<'_>,
        want: usize,
        rng: &mut Rng,
    ) -> Vec<PeerId> {
        let fair_load = fair_load(want);
        let load = |peer: &PeerId| {
            let load = self.members.get(peer).map_or(0, |member| member.load(now));
            load.saturating_sub(fair_load)
        };
        let mut candidates: Vec<(u32, u32, PeerId)> = self
            .sample(asker, rng)
            .into_iter()
            .map(|peer| (self.cost(asker, &peer).saturating_add(load(&peer)), rng.u32(..), peer))
            .collect();
        candidates.sort_unstable();
        let by_cost = want - want / BY_LOT;
        let mut rest = candidates.split_off(by_cost.min(candidates.len()));
        rest.sort_unstable_by_key(|(_, lot, peer)| (load(peer), *lot));
        rest.truncate(want / BY_LOT);
        candidates.extend(rest);
        candidates.into_iter().map(|(_, _, peer)| peer).collect()
    }

    fn sample(&self, asker: &Asker<'_>, rng: &mut Rng) -> BTreeSet<PeerId> {
        let fits = |peer: &PeerId| peer != asker.peer && !asker.except.contains(peer);
        if self.available.len() <= SAMPLE_MAX {
            return self.available.iter().filter(|peer| fits(peer)).copied().collect();
        }
        let mut sample = BTreeSet::new();
        if let Some(position) = asker.position {
            let here = (position, PeerId::new([0; 32]));
            let ahead = self.by_position.range(here..).take(SAMPLE_SHARE / 2);
            let behind = self.by_position.range(..here).rev().take(SAMPLE_SHARE / 2);
            sample.extend(ahead.chain(behind).map(|(_, peer)| *peer).filter(fits));
        }
        let region = asker.region.and_then(|region| self.by_region.get(region));
        for _ in 0..SAMPLE_SHARE {
            sample.extend(region.and_then(|bag| bag.draw(rng)).filter(fits));
        }
        // Twice the share: draws repeat, and exceptions are drawn too.
        for _ in 0..SAMPLE_SHARE * 2 {
            sample.extend(self.available.draw(rng).filter(fits));
        }
        sample
    }

    /// What makes a neighbour less useful to the asker.
    fn cost(&self, asker: &Asker<'_>, peer: &PeerId) -> u32 {
        let Some(member) = self.members.get(peer) else { return u32::MAX };
        let by_region = match (asker.region, &member.region) {
            (Some(mine), Some(theirs)) if mine == theirs => 0,
            (Some(_), Some(_)) => COST_OTHER_REGION,
            _ => COST_UNKNOWN_REGION,
        };
        let by_position = match (asker.position, member.position) {
            (Some(mine), Some(theirs)) => cost_of_distance(mine.abs_diff(theirs)),
            _ => COST_UNKNOWN_POSITION,
        };
        by_region + by_position
    }
}

/// Introductions that a member bears where everybody wants `want`: those it asked for, and twice as
/// many by which it was handed out.
fn fair_load(want: usize) -> u32 {
    u32::try_from(want * 3).unwrap_or(u32::MAX)
}

fn cost_of_distance(segments: u32) -> u32 {
    COST_BY_DISTANCE
        .iter()
        .find(|(within, _)| segments <= *within)
        .map_or(COST_FAR, |(_, cost)| *cost)
}
