//! Members on the host's other nodes: how many each node has in each swarm. Who they are only their own
//! node knows, which hands on what is meant for them.

use std::collections::BTreeMap;

use primitives::{Rng, Time};

use super::{Counts, Limits, NODES_MAX, NodeId};
use crate::id::InfoHash;

/// What other nodes told: at most [`Limits::swarms_max`] swarms, of each at most [`NODES_MAX`] nodes.
#[derive(Debug, Default)]
pub(super) struct Elsewhere(BTreeMap<InfoHash, Vec<Crowd>>);

/// The members of one node in one swarm.
#[derive(Debug, Clone, Copy)]
struct Crowd {
    node: NodeId,
    counts: Counts,
    /// When it is forgotten unless told of again.
    until: Time,
}

impl Elsewhere {
    /// A node tells how many it has; none: it is forgotten.
    pub(super) fn hear(
        &mut self,
        swarm: InfoHash,
        node: NodeId,
        counts: Counts,
        until: Time,
        limits: &Limits,
    ) {
        let counts = counts.at_most(limits.swarm_peers_max);
        if counts.members() == 0 {
            return self.forget(&swarm, node);
        }
        if self.0.len() >= limits.swarms_max && !self.0.contains_key(&swarm) {
            return;
        }
        let crowds = self.0.entry(swarm).or_default();
        let crowd = Crowd { node, counts, until };
        if let Some(known) = crowds.iter_mut().find(|known| known.node == node) {
            *known = crowd;
        } else if crowds.len() < NODES_MAX {
            crowds.push(crowd);
        }
    }

    fn forget(&mut self, swarm: &InfoHash, node: NodeId) {
        let Some(crowds) = self.0.get_mut(swarm) else { return };
        crowds.retain(|crowd| crowd.node != node);
        if crowds.is_empty() {
            self.0.remove(swarm);
        }
    }

    /// The node is gone, and its members with it.
    pub(super) fn forget_node(&mut self, node: NodeId) {
        self.keep(|crowd| crowd.node != node);
    }

    /// Forgets what was told too long ago.
    pub(super) fn expire(&mut self, now: Time) {
        self.keep(|crowd| crowd.until > now);
    }

    fn keep(&mut self, keeps: impl Fn(&Crowd) -> bool) {
        self.0.retain(|_, crowds| {
            crowds.retain(&keeps);
            !crowds.is_empty()
        });
    }

    /// The members of all other nodes in a swarm.
    pub(super) fn counts(&self, now: Time, swarm: &InfoHash) -> Counts {
        self.crowds(now, swarm).fold(Counts::default(), |sum, crowd| sum.and(crowd.counts))
    }

    /// The members of all other nodes in all swarms.
    pub(super) fn members(&self, now: Time) -> usize {
        let crowds = self.0.values().flatten().filter(|crowd| crowd.until > now);
        crowds.map(|crowd| crowd.counts.members()).sum()
    }

    /// Draws who gets `offers` offers, nobody two of them, among `here` members of this node and those of
    /// the others: how many go to members here, and how many to which node.
    pub(super) fn draw(
        &self,
        now: Time,
        swarm: &InfoHash,
        here: usize,
        offers: usize,
        rng: &mut Rng,
    ) -> (usize, Vec<(NodeId, usize)>) {
        let mut there: Vec<_> =
            self.crowds(now, swarm).map(|crowd| (crowd.node, crowd.counts.members(), 0)).collect();
        if there.is_empty() {
            return (offers.min(here), Vec::new());
        }
        let mut here_left = here;
        let mut all_left = here + there.iter().map(|(_, members, _)| members).sum::<usize>();
        for _ in 0..offers.min(all_left) {
            let mut place = rng.usize(..all_left);
            all_left -= 1;
            if place < here_left {
                here_left -= 1;
                continue;
            }
            place -= here_left;
            for (_, members, drawn) in &mut there {
                if place < *members {
                    *members -= 1;
                    *drawn += 1;
                    break;
                }
                place -= *members;
            }
        }
        let there = there.into_iter().map(|(node, _, drawn)| (node, drawn));
        (here - here_left, there.filter(|(_, drawn)| *drawn > 0).collect())
    }

    fn crowds(&self, now: Time, swarm: &InfoHash) -> impl Iterator<Item = &Crowd> {
        let crowds = self.0.get(swarm).into_iter().flatten();
        crowds.filter(move |crowd| crowd.until > now)
    }
}
