//! One swarm: its members in a row to draw from, and where in it each is.

use std::collections::BTreeMap;
use std::time::Duration;

use primitives::{Rng, Time};

use super::budget::Budget;
use super::open::Open;
use super::{Counts, Key, Limits, Maker, NodeId, SocketId};
use crate::id::{OfferId, PeerName};
use crate::request::{Announce, Event, Offer};

#[derive(Debug)]
pub(super) struct Swarm<L> {
    members: Vec<Member<L>>,
    places: BTreeMap<Key, usize>,
    complete: usize,
    downloaded: u32,
    budget: Budget,
}

#[derive(Debug)]
struct Member<L> {
    key: Key,
    link: L,
    heard: Time,
    complete: bool,
    /// Offers it was handed, with where they were made.
    handed: Open<Origin>,
    /// Offers of its own that other nodes were given, with the node.
    away: Open<NodeId>,
}

/// Where an offer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Origin {
    /// `None`: on this node.
    pub(super) node: Option<NodeId>,
    pub(super) socket: SocketId,
}

impl<L> Swarm<L> {
    pub(super) fn new() -> Self {
        Self {
            members: Vec::new(),
            places: BTreeMap::new(),
            complete: 0,
            downloaded: 0,
            budget: Budget::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn counts(&self) -> Counts {
        let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Counts {
            complete: count(self.complete),
            incomplete: count(self.members.len() - self.complete),
            downloaded: self.downloaded,
        }
    }

    pub(super) fn find(&self, key: &Key) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// Puts a member in that is not there; where.
    pub(super) fn put(&mut self, key: Key, link: L) -> usize {
        let at = self.members.len();
        let (handed, away) = (Open::new(), Open::new());
        self.members.push(Member { key, link, heard: Time::ZERO, complete: false, handed, away });
        self.places.insert(key, at);
        at
    }

    /// Takes in what a member says of itself; whether the counts changed by it.
    pub(super) fn renew(&mut self, at: usize, now: Time, announce: &Announce<'_>) -> bool {
        let member = &mut self.members[at];
        member.heard = now;
        let was = member.complete;
        member.complete = match (announce.event, announce.left) {
            (Event::Completed, _) | (_, Some(0)) => true,
            (_, Some(_)) => false,
            (_, None) => was,
        };
        if announce.event == Event::Completed && !was {
            self.downloaded = self.downloaded.saturating_add(1);
        }
        self.complete = self.complete - usize::from(was) + usize::from(member.complete);
        was != member.complete
    }

    /// How many of `wanted` offers may be handed on now; they count as handed on.
    pub(super) fn afford(&mut self, now: Time, limits: &Limits, wanted: usize) -> usize {
        self.budget.take(now, limits.offers_per_swarm_per_s, wanted)
    }

    /// Hands each offer to another member, none to one that is called as its maker: a walk over all
    /// members by a random step, from a random start.
    pub(super) fn hand_out(
        &mut self,
        now: Time,
        (peer, origin): (PeerName, Origin),
        offers: &[Offer<'_>],
        rng: &mut Rng,
        mut hand: impl FnMut(&L, usize),
    ) {
        let count = self.members.len();
        let mut left = offers.iter().enumerate();
        let Some(mut offer) = left.next().filter(|_| count > 0) else { return };
        let (mut next, step) = (rng.usize(..count), coprime(count, rng));
        for _ in 0..count {
            let receiver = &mut self.members[next];
            next = (next + step) % count;
            if receiver.key.0 == peer {
                continue;
            }
            receiver.handed.put(now, offer.1.id, origin);
            hand(&receiver.link, offer.0);
            let Some(next_offer) = left.next() else { return };
            offer = next_offer;
        }
    }

    /// Remembers that an offer of a member was given to another node.
    pub(super) fn give_away(&mut self, at: usize, now: Time, offer: OfferId, node: NodeId) {
        self.members[at].away.put(now, offer, node);
    }

    /// Who made the offer that a member answers.
    pub(super) fn answered(
        &mut self,
        now: Time,
        key: &Key,
        offer: &OfferId,
        to: PeerName,
    ) -> Option<Maker<'_, L>> {
        let at = self.find(key)?;
        let Origin { node, socket } = self.members[at].handed.take(now, offer, |_| true)?;
        if let Some(node) = node {
            return Some(Maker::There(node, socket));
        }
        let maker = self.find(&(to, socket))?;
        Some(Maker::Here(&self.members[maker].link))
    }

    /// The member that made an offer which somebody on another node answers.
    pub(super) fn answered_from(
        &mut self,
        now: Time,
        maker: &Key,
        offer: &OfferId,
        from: NodeId,
    ) -> Option<&L> {
        let at = self.find(maker)?;
        self.members[at].away.take(now, offer, |node| *node == from)?;
        Some(&self.members[at].link)
    }

    /// Takes a member out; what it was reached by.
    pub(super) fn remove(&mut self, at: usize) -> L {
        let member = self.members.swap_remove(at);
        self.places.remove(&member.key);
        if let Some(moved) = self.members.get(at) {
            self.places.insert(moved.key, at);
        }
        self.complete -= usize::from(member.complete);
        // A crowd that left leaves no room behind.
        if self.members.len() * 4 < self.members.capacity() {
            self.members.shrink_to(self.members.len() * 2);
        }
        member.link
    }

    /// What its members were reached by.
    pub(super) fn into_links(self) -> Vec<L> {
        self.members.into_iter().map(|member| member.link).collect()
    }

    /// Takes out those that were silent for a lease, and forgets old offers.
    pub(super) fn expire(&mut self, now: Time, lease: Duration, ended: &mut Vec<L>) {
        let mut at = 0;
        while let Some(member) = self.members.get_mut(at) {
            if now.since(member.heard) >= lease {
                ended.push(self.remove(at));
            } else {
                member.handed.forget_old(now);
                member.away.forget_old(now);
                at += 1;
            }
        }
    }
}

/// A step that visits every one of `count` places before it comes back.
fn coprime(count: usize, rng: &mut Rng) -> usize {
    if count <= 2 {
        return 1;
    }
    loop {
        let step = rng.usize(1..count);
        if gcd(step, count) == 1 {
            return step;
        }
    }
}

fn gcd(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
