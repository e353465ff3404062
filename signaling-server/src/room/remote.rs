//! Members on other nodes.
//!
//! They are introduced and counted like any other; only what is sent to them goes over the bus. A
//! membership here always counts before one another node tells of: a peer that moved is told of again
//! when its lease here has ended.

use primitives::{PeerId, SwarmId, Time};

use super::Rooms;
use super::member::{Member, Place};
use crate::bus::{Mate, NodeId};

impl Rooms {
    /// Another node tells of its peers in a swarm. Told of before or not, they stay until `until`.
    pub fn meet(&mut self, swarm: SwarmId, node: NodeId, mates: Vec<Mate>, until: Time) {
        let most = self.limits.swarm_peers_max;
        let Some(room) = self.swarms.get_mut(&swarm) else { return };
        for Mate { peer, region, position } in mates {
            match room.members.get(&peer).map(|member| member.place) {
                Some(Place::Local { .. }) => continue,
                Some(Place::Remote { until, .. }) => {
                    self.leases.remove(&(until, swarm, peer));
                }
                None if room.members.len() >= most => continue,
                None => {}
            }
            let place = Place::Remote { node, until };
            room.put(peer, place, 0, region.as_deref(), position);
            self.leases.insert((until, swarm, peer));
        }
    }

    /// Another node tells that a peer of its own left.
    pub fn part(&mut self, now: Time, swarm: SwarmId, node: NodeId, peer: &PeerId) {
        let member = self.swarms.get(&swarm).and_then(|room| room.members.get(peer));
        let is_theirs = member.is_some_and(
            |member| matches!(member.place, Place::Remote { node: holder, .. } if holder == node),
        );
        if is_theirs {
            self.remove(now, swarm, peer);
        }
    }

    /// Another node ended: its peers are gone.
    pub fn part_all(&mut self, now: Time, node: NodeId) {
        let is_theirs = |member: &Member| matches!(member.place, Place::Remote { node: holder, .. } if holder == node);
        let theirs: Vec<_> = self
            .leases
            .iter()
            .filter(|(_, swarm, peer)| {
                let member = self.swarms.get(swarm).and_then(|room| room.members.get(peer));
                member.is_some_and(is_theirs)
            })
            .map(|&(_, swarm, peer)| (swarm, peer))
            .collect();
        for (swarm, peer) in theirs {
            self.remove(now, swarm, &peer);
        }
    }

    /// Whether a peer of this server is in the swarm.
    pub fn is_here(&self, swarm: SwarmId, peer: &PeerId) -> bool {
        let member = self.swarms.get(&swarm).and_then(|room| room.members.get(peer));
        member.is_some_and(|member| member.session().is_some())
    }

    /// Memberships of peers of other nodes.
    pub fn remote_count(&self) -> usize {
        self.leases.len()
    }

    /// The peers of this server in a swarm whose sockets are open.
    pub fn mates(&self, swarm: SwarmId) -> Vec<Mate> {
        let members = self.swarms.get(&swarm).into_iter().flat_map(|room| &room.members);
        members
            .filter(|(_, member)| member.attached && member.session().is_some())
            .map(|(peer, member)| Mate {
                peer: *peer,
                region: member.region.as_deref().map(Into::into),
                position: member.position,
            })
            .collect()
    }

    /// The swarms peers of this server are in.
    pub fn swarms(&self) -> impl Iterator<Item = SwarmId> {
        self.swarms.keys().copied()
    }

    /// Forgets members whose node was silent for too long.
    pub(super) fn end_leases(&mut self, now: Time) {
        while let Some(&(until, swarm, peer)) = self.leases.first()
            && until <= now
        {
            self.leases.pop_first();
            self.remove(now, swarm, &peer);
        }
    }
}
