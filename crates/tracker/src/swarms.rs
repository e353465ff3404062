//! The tracker's machine: swarms, who is in them, who is handed whose offers. Sans-IO: time, randomness
//! and what a member is reached by are arguments.
//!
//! A member is a peer's name on one socket. The same name on another socket is another member, so that
//! nobody takes over what was meant for somebody else: an answer goes to the very member whose offer
//! it answers, and to nobody when no such offer was handed over.
//!
//! A host may have several nodes, each with a machine. They tell each other how many members they have in
//! which swarm, not who those are. An offer is drawn for a member of all nodes alike; one that falls to
//! another node is given to it, and that node hands it to a member of its own.
//!
//! Laws: an offer is handed to members of its swarm that call themselves differently, to each at most
//! one of an announce; an answer goes back the way its offer came; what grows is bounded by [`Limits`],
//! [`OPEN_OFFERS_MAX`] and [`NODES_MAX`]; a swarm without members here and elsewhere is forgotten.

mod budget;
mod elsewhere;
mod open;
mod swarm;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use primitives::{Rng, Time};

use crate::id::{InfoHash, OfferId, PeerName};
use crate::request::{Announce, Answer, Event, Offer};
use elsewhere::Elsewhere;
use swarm::{Origin, Swarm};

/// Offers a member may have been handed without answering them, and of its own that other nodes may have
/// without an answer; the oldest are forgotten.
pub const OPEN_OFFERS_MAX: usize = 64;
/// Most other nodes with members in one swarm that are remembered.
pub const NODES_MAX: usize = 64;
/// How long an offer may be answered. Stock clients give up theirs after 50 seconds.
pub const OFFER_LIFE: Duration = Duration::from_secs(60);

/// Names one socket of the server, never another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Names another node of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(pub u64);

/// A peer of another node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guest {
    /// Its node.
    pub node: NodeId,
    /// Its socket there.
    pub socket: SocketId,
    /// The swarm it is in.
    pub swarm: InfoHash,
    /// What it calls itself.
    pub peer: PeerName,
}

/// Who an offer is drawn for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receiver<'a, L> {
    /// A member here.
    Here(&'a L),
    /// One of that node, which chooses.
    There(NodeId),
}

/// Who made the offer that is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker<'a, L> {
    /// A member here.
    Here(&'a L),
    /// One of that node, on that socket of it.
    There(NodeId, SocketId),
}

/// Bounds of one machine.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most swarms with members here, and most with members elsewhere.
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

impl Counts {
    fn members(self) -> usize {
        usize::try_from(u64::from(self.complete) + u64::from(self.incomplete)).unwrap_or(usize::MAX)
    }

    fn and(self, other: Self) -> Self {
        Self {
            complete: self.complete.saturating_add(other.complete),
            incomplete: self.incomplete.saturating_add(other.incomplete),
            downloaded: self.downloaded.saturating_add(other.downloaded),
        }
    }

    /// The same with at most so many members of each kind: what another node says may be anything.
    fn at_most(self, members: usize) -> Self {
        let most = u32::try_from(members).unwrap_or(u32::MAX);
        let (complete, incomplete) = (self.complete.min(most), self.incomplete.min(most));
        Self { complete, incomplete, ..self }
    }
}

/// What became of an announce. `link` is what a member that ended was reached by.
#[derive(Debug, PartialEq, Eq)]
pub struct Announced<L> {
    /// The swarm, after it, on all nodes.
    pub counts: Counts,
    /// The member is new.
    pub new: bool,
    /// It is the first in its swarm here.
    pub first: bool,
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
    elsewhere: Elsewhere,
    changed: Changed,
}

/// Swarms whose members here changed, at most `most`: of more the other nodes hear when they are told of
/// everything.
#[derive(Debug)]
struct Changed {
    most: usize,
    swarms: BTreeSet<InfoHash>,
}

impl Changed {
    fn put(&mut self, swarm: InfoHash) {
        if self.swarms.len() < self.most {
            self.swarms.insert(swarm);
        }
    }
}

impl<L> Swarms<L> {
    /// No swarms yet.
    pub fn new(limits: Limits) -> Self {
        // Those that came and those that went.
        let most = limits.swarms_max.saturating_mul(2);
        let changed = Changed { most, swarms: BTreeSet::new() };
        Self { limits, swarms: BTreeMap::new(), elsewhere: Elsewhere::default(), changed }
    }

    /// How many swarms have members here.
    pub fn swarm_count(&self) -> usize {
        self.swarms.len()
    }

    /// A peer announces itself. `enter` makes what it is reached by if it is new here, and may refuse
    /// it; `hand` is called for each offer that is handed on, with who gets it and the offer's index.
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
        hand: impl FnMut(Receiver<'_, L>, usize),
    ) -> Result<Announced<L>, E> {
        let key = (announce.peer, socket);
        if announce.event == Event::Stopped {
            return Ok(self.stop(now, announce.swarm, key));
        }
        let (at, new) = self.come_in(announce.swarm, key, enter)?;
        let Self { limits, swarms, elsewhere, changed } = self;
        let swarm = swarms.get_mut(&announce.swarm).expect("somebody is in it");
        if swarm.renew(at, now, announce) || new {
            changed.put(announce.swarm);
        }
        let first = new && swarm.len() == 1;
        let there = elsewhere.counts(now, &announce.swarm);
        let counts = swarm.counts().and(there);
        let others = swarm.len() - 1;
        let wanted = announce.offers.len().min(others.saturating_add(there.members()));
        let most = swarm.afford(now, limits, wanted);
        let (here, there) = elsewhere.draw(now, &announce.swarm, others, most, rng);
        let drawn = Drawn { at, peer: announce.peer, socket, here, there };
        drawn.hand_on(swarm, now, &announce.offers, rng, hand);
        Ok(Announced { counts, new, first, ended: None })
    }

    /// Hands offers of a peer on another node to members here, each to another. `hand` as for
    /// [`Swarms::announce`].
    pub fn hand_in(
        &mut self,
        now: Time,
        guest: &Guest,
        offers: &[Offer<'_>],
        rng: &mut Rng,
        hand: impl FnMut(&L, usize),
    ) {
        let Some(swarm) = self.swarms.get_mut(&guest.swarm) else { return };
        let most = swarm.afford(now, &self.limits, offers.len().min(swarm.len()));
        let origin = Origin { node: Some(guest.node), socket: guest.socket };
        swarm.hand_out(now, (guest.peer, origin), &offers[..most], rng, hand);
    }

    /// Whom an answer goes to; `None`: it answers no offer the peer was handed, or one whose maker
    /// is gone. An offer is answered once.
    pub fn answer(
        &mut self,
        now: Time,
        socket: SocketId,
        answer: &Answer<'_>,
    ) -> Option<Maker<'_, L>> {
        let swarm = self.swarms.get_mut(&answer.swarm)?;
        swarm.answered(now, &(answer.peer, socket), &answer.offer, answer.to)
    }

    /// Whom an answer of somebody on `node` goes to: who made the offer that was given to that node.
    pub fn answer_from(
        &mut self,
        now: Time,
        node: NodeId,
        (swarm, peer, socket): (InfoHash, PeerName, SocketId),
        offer: &OfferId,
    ) -> Option<&L> {
        self.swarms.get_mut(&swarm)?.answered_from(now, &(peer, socket), offer, node)
    }

    /// What is told of a swarm, on all nodes; zeros of one that nobody is in.
    pub fn counts(&self, now: Time, swarm: &InfoHash) -> Counts {
        self.counts_here(swarm).and(self.elsewhere.counts(now, swarm))
    }

    /// The same of this node's members only.
    pub fn counts_here(&self, swarm: &InfoHash) -> Counts {
        self.swarms.get(swarm).map(Swarm::counts).unwrap_or_default()
    }

    /// Every swarm with members here, and how many.
    pub fn all_here(&self) -> Vec<(InfoHash, Counts)> {
        self.swarms.iter().map(|(hash, swarm)| (*hash, swarm.counts())).collect()
    }

    /// The swarms whose members here changed since this was asked last, and how many there are now.
    pub fn take_changed(&mut self) -> Vec<(InfoHash, Counts)> {
        let changed = std::mem::take(&mut self.changed.swarms);
        changed.into_iter().map(|hash| (hash, self.counts_here(&hash))).collect()
    }

    /// Another node tells how many members it has in a swarm, which holds until `until`.
    pub fn hear(&mut self, node: NodeId, swarm: InfoHash, counts: Counts, until: Time) {
        self.elsewhere.hear(swarm, node, counts, until, &self.limits);
    }

    /// Another node ended, and its members with it.
    pub fn forget_node(&mut self, node: NodeId) {
        self.elsewhere.forget_node(node);
    }

    /// How many members other nodes have, in all swarms.
    pub fn count_elsewhere(&self, now: Time) -> usize {
        self.elsewhere.members(now)
    }

    /// Whether the peer is a member on this socket.
    pub fn is_member(&self, swarm: &InfoHash, peer: PeerName, socket: SocketId) -> bool {
        self.swarms.get(swarm).is_some_and(|swarm| swarm.find(&(peer, socket)).is_some())
    }

    /// Ends a membership; what the member was reached by.
    pub fn leave(
        &mut self,
        now: Time,
        swarm: InfoHash,
        peer: PeerName,
        socket: SocketId,
    ) -> Option<L> {
        self.stop(now, swarm, (peer, socket)).ended
    }

    /// Ends all memberships in a swarm; what its members were reached by.
    pub fn end(&mut self, swarm: &InfoHash) -> Vec<L> {
        let Some(ended) = self.swarms.remove(swarm) else { return Vec::new() };
        self.changed.put(*swarm);
        ended.into_links()
    }

    /// Ends the memberships of those that were not heard of for a lease, and forgets offers that
    /// were not answered in time and what other nodes told too long ago.
    pub fn expire(&mut self, now: Time) -> Vec<L> {
        let mut ended = Vec::new();
        let Self { limits, swarms, elsewhere, changed } = self;
        swarms.retain(|hash, swarm| {
            let before = swarm.len();
            swarm.expire(now, limits.lease, &mut ended);
            if swarm.len() < before {
                changed.put(*hash);
            }
            swarm.len() > 0
        });
        elsewhere.expire(now);
        ended
    }

    /// Where a member is in its swarm, and whether it is new.
    fn come_in<E: From<Full>>(
        &mut self,
        swarm: InfoHash,
        key: Key,
        enter: impl FnOnce() -> Result<L, E>,
    ) -> Result<(usize, bool), E> {
        if let Some(swarm) = self.swarms.get_mut(&swarm) {
            if let Some(at) = swarm.find(&key) {
                return Ok((at, false));
            }
            if swarm.len() >= self.limits.swarm_peers_max {
                return Err(Full::Peers.into());
            }
            return Ok((swarm.put(key, enter()?), true));
        }
        if self.swarms.len() >= self.limits.swarms_max {
            return Err(Full::Swarms.into());
        }
        let link = enter()?;
        Ok((self.swarms.entry(swarm).or_insert_with(Swarm::new).put(key, link), true))
    }

    fn stop(&mut self, now: Time, hash: InfoHash, key: Key) -> Announced<L> {
        let mut ended = None;
        if let Some(swarm) = self.swarms.get_mut(&hash) {
            ended = swarm.find(&key).map(|at| swarm.remove(at));
            if swarm.len() == 0 {
                self.swarms.remove(&hash);
            }
        }
        if ended.is_some() {
            self.changed.put(hash);
        }
        Announced { counts: self.counts(now, &hash), new: false, first: false, ended }
    }
}

/// Who gets the offers of one announce.
#[derive(Debug)]
struct Drawn {
    /// Where the maker is in its swarm, what it is called, and its socket.
    at: usize,
    peer: PeerName,
    socket: SocketId,
    /// How many go to members here.
    here: usize,
    /// How many go to which other nodes.
    there: Vec<(NodeId, usize)>,
}

impl Drawn {
    fn hand_on<L>(
        self,
        swarm: &mut Swarm<L>,
        now: Time,
        offers: &[Offer<'_>],
        rng: &mut Rng,
        mut hand: impl FnMut(Receiver<'_, L>, usize),
    ) {
        let (here, rest) = offers.split_at(self.here);
        let origin = Origin { node: None, socket: self.socket };
        swarm.hand_out(now, (self.peer, origin), here, rng, |link, index| {
            hand(Receiver::Here(link), index);
        });
        let nodes = self.there.iter().flat_map(|&(node, count)| std::iter::repeat_n(node, count));
        for ((node, offer), index) in nodes.zip(rest).zip(self.here..) {
            swarm.give_away(self.at, now, offer.id, node);
            hand(Receiver::There(node), index);
        }
    }
}

/// A member's name: the peer's own, and the socket it speaks on.
type Key = (PeerName, SocketId);

#[cfg(test)]
mod tests;
