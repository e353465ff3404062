//! The tracker's machine: swarms, who is in them, who is handed whose offers. Sans-IO: time, randomness
//! and what a member is reached by are arguments.
//!
//! A member is a peer's name on one socket. The same name on another socket is another member, so that
//! nobody takes over what was meant for somebody else: an answer goes to the very member whose offer
//! it answers, and to nobody when no such offer was handed over.
//!
//! Laws: an offer is handed to members of its swarm that call themselves differently, to each at most
//! one of an announce; what grows is bounded by [`Limits`] and [`OPEN_OFFERS_MAX`]; a swarm without
//! members is forgotten.

mod budget;
mod swarm;

use std::collections::BTreeMap;
use std::time::Duration;

use primitives::{Rng, Time};

use crate::id::{InfoHash, OfferId, PeerName};
use crate::request::{Announce, Answer, Event};
use swarm::Swarm;

/// Offers a member may have been handed without answering them; the oldest are forgotten.
pub const OPEN_OFFERS_MAX: usize = 64;
/// How long an offer may be answered. Stock clients give up theirs after 50 seconds.
pub const OFFER_LIFE: Duration = Duration::from_secs(60);

/// Names one socket of the server, never another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Bounds of one machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most swarms.
    pub swarms_max: usize,
    /// Most members of one swarm.
    pub swarm_peers_max: usize,
    /// How long a member stays without announcing itself.
    pub lease: Duration,
    /// Offers handed on in one swarm per second, sustained; ten times that at once. 0: no bound.
    pub offers_per_swarm_per_s: u32,
}

/// What is told of a swarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Members that have everything.
    pub complete: u32,
    /// Members that do not.
    pub incomplete: u32,
    /// How often a member said that it has everything now.
    pub downloaded: u32,
}

/// What became of an announce. `link` is what a member that ended was reached by.
#[derive(Debug, PartialEq, Eq)]
pub struct Announced<L> {
    /// The swarm, after it.
    pub counts: Counts,
    /// The member is new.
    pub new: bool,
    /// The member that stopped.
    pub ended: Option<L>,
}

/// Why a peer may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// There are too many swarms.
    Swarms,
    /// The swarm has too many members.
    Peers,
}

/// Swarms whose members are reached by an `L`.
#[derive(Debug)]
pub struct Swarms<L> {
    limits: Limits,
    swarms: BTreeMap<InfoHash, Swarm<L>>,
}

impl<L> Swarms<L> {
    /// No swarms yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, swarms: BTreeMap::new() }
    }

    /// How many swarms have members.
    pub fn swarm_count(&self) -> usize {
        self.swarms.len()
    }

    /// A peer announces itself. `enter` makes what it is reached by if it is new here, and may refuse
    /// it; `hand` is called for each offer handed on, with the receiver and the offer's index.
    ///
    /// # Errors
    /// What `enter` says, or that there is no room.
    pub fn announce<E: From<Full>>(
        &mut self,
        now: Time,
        socket: SocketId,
        announce: &Announce<'_>,
        rng: &mut Rng,
        enter: impl FnOnce() -> Result<L, E>,
        hand: impl FnMut(&L, usize),
    ) -> Result<Announced<L>, E> {
        let key = (announce.peer, socket);
        if announce.event == Event::Stopped {
            return Ok(self.stop(announce.swarm, key));
        }
        let swarm_count = self.swarms.len();
        if let Some(swarm) = self.swarms.get_mut(&announce.swarm) {
            let at = swarm.find(&key);
            if at.is_none() && swarm.len() >= self.limits.swarm_peers_max {
                return Err(Full::Peers.into());
            }
            let (at, new) = match at {
                Some(at) => (at, false),
                None => (swarm.put(key, enter()?), true),
            };
            swarm.renew(at, now, announce);
            swarm.hand_out(at, now, announce, &self.limits, rng, hand);
            return Ok(Announced { counts: swarm.counts(), new, ended: None });
        }
        if swarm_count >= self.limits.swarms_max {
            return Err(Full::Swarms.into());
        }
        let link = enter()?;
        let swarm = self.swarms.entry(announce.swarm).or_insert_with(Swarm::new);
        let at = swarm.put(key, link);
        swarm.renew(at, now, announce);
        Ok(Announced { counts: swarm.counts(), new: true, ended: None })
    }

    /// Whom an answer goes to; `None`: it answers no offer the peer was handed, or one whose maker
    /// is gone. An offer is answered once.
    pub fn answer(&mut self, now: Time, socket: SocketId, answer: &Answer<'_>) -> Option<&L> {
        let swarm = self.swarms.get_mut(&answer.swarm)?;
        swarm.answered(now, &(answer.peer, socket), &answer.offer, answer.to)
    }

    /// What is told of a swarm; zeros of one that nobody is in.
    pub fn counts(&self, swarm: &InfoHash) -> Counts {
        self.swarms.get(swarm).map(Swarm::counts).unwrap_or_default()
    }

    /// Whether the peer is a member on this socket.
    pub fn is_member(&self, swarm: &InfoHash, peer: PeerName, socket: SocketId) -> bool {
        self.swarms.get(swarm).is_some_and(|swarm| swarm.find(&(peer, socket)).is_some())
    }

    /// Ends a membership; what the member was reached by.
    pub fn leave(&mut self, swarm: InfoHash, peer: PeerName, socket: SocketId) -> Option<L> {
        self.stop(swarm, (peer, socket)).ended
    }

    /// Ends the memberships of those that were not heard of for a lease, and forgets offers that
    /// were not answered in time.
    pub fn expire(&mut self, now: Time) -> Vec<L> {
        let mut ended = Vec::new();
        let lease = self.limits.lease;
        self.swarms.retain(|_, swarm| {
            swarm.expire(now, lease, &mut ended);
            swarm.len() > 0
        });
        ended
    }

    fn stop(&mut self, hash: InfoHash, key: (PeerName, SocketId)) -> Announced<L> {
        let Some(swarm) = self.swarms.get_mut(&hash) else {
            return Announced { counts: Counts::default(), new: false, ended: None };
        };
        let ended = swarm.find(&key).map(|at| swarm.remove(at));
        let counts = swarm.counts();
        if swarm.len() == 0 {
            self.swarms.remove(&hash);
        }
        Announced { counts, new: false, ended }
    }
}

/// A member's name: the peer's own, and the socket it speaks on.
type Key = (PeerName, SocketId);

/// An offer a member was handed and has not answered.
#[derive(Debug, Clone, Copy)]
struct Handed {
    id: OfferId,
    /// When, in seconds, as the member's own.
    at_s: u32,
    /// The socket of who made it.
    from: SocketId,
}

#[cfg(test)]
mod tests;
