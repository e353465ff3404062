//! One swarm: its members in a row to draw from, and where in it each is.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use primitives::{Rng, Time};

use super::budget::Budget;
use super::{Counts, Handed, Key, Limits, OFFER_LIFE, OPEN_OFFERS_MAX, SocketId};
use crate::id::{OfferId, PeerName};
use crate::request::{Announce, Event};

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
    /// Oldest first. Holds no memory while it is empty: most members wait most of the time.
    handed: VecDeque<Handed>,
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
        let handed = VecDeque::new();
        self.members.push(Member { key, link, heard: Time::ZERO, complete: false, handed });
        self.places.insert(key, at);
        at
    }

    /// Takes in what a member says of itself.
    pub(super) fn renew(&mut self, at: usize, now: Time, announce: &Announce<'_>) {
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
    }

    /// Hands each offer of a member to another: a walk over all members by a random step, from a
    /// random start.
    pub(super) fn hand_out(
        &mut self,
        at: usize,
        now: Time,
        announce: &Announce<'_>,
        limits: &Limits,
        rng: &mut Rng,
        mut hand: impl FnMut(&L, usize),
    ) {
        let count = self.members.len();
        let most = announce.offers.len().min(count.saturating_sub(1));
        let mut left = self.budget.take(now, limits.offers_per_swarm_per_s, most);
        if left == 0 {
            return;
        }
        let (peer, from) = self.members[at].key;
        let at_s = seconds(now);
        let mut offers = announce.offers.iter().enumerate();
        let (mut next, step) = (rng.usize(..count), coprime(count, rng));
        for _ in 0..count {
            let receiver = &mut self.members[next];
            next = (next + step) % count;
            if receiver.key.0 == peer {
                continue;
            }
            let Some((index, offer)) = offers.next() else { return };
            receiver.receive(Handed { id: offer.id, at_s, from });
            hand(&receiver.link, index);
            left -= 1;
            if left == 0 {
                return;
            }
        }
    }

    /// Who made the offer that a member answers.
    pub(super) fn answered(
        &mut self,
        now: Time,
        key: &Key,
        offer: &OfferId,
        to: PeerName,
    ) -> Option<&L> {
        let at = self.find(key)?;
        let from = self.members[at].take(offer, seconds(now))?;
        let maker = self.find(&(to, from))?;
        Some(&self.members[maker].link)
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

    pub(super) fn expire(&mut self, now: Time, lease: Duration, ended: &mut Vec<L>) {
        let mut at = 0;
        while let Some(member) = self.members.get_mut(at) {
            if now.since(member.heard) >= lease {
                ended.push(self.remove(at));
            } else {
                member.forget(seconds(now));
                at += 1;
            }
        }
    }
}

impl<L> Member<L> {
    fn receive(&mut self, handed: Handed) {
        if self.handed.len() >= OPEN_OFFERS_MAX {
            self.handed.pop_front();
        }
        self.handed.push_back(handed);
    }

    /// Takes an offer off those that wait for an answer; the socket of who made it.
    fn take(&mut self, offer: &OfferId, now_s: u32) -> Option<SocketId> {
        let at = self.handed.iter().position(|handed| handed.id == *offer)?;
        let handed = self.handed.remove(at)?;
        if self.handed.is_empty() {
            self.handed = VecDeque::new();
        }
        handed.is_open(now_s).then_some(handed.from)
    }

    /// Forgets what was not answered in time.
    fn forget(&mut self, now_s: u32) {
        if self.handed.front().is_none_or(|handed| handed.is_open(now_s)) {
            return;
        }
        self.handed.retain(|handed| handed.is_open(now_s));
        self.handed.shrink_to_fit();
    }
}

impl Handed {
    fn is_open(&self, now_s: u32) -> bool {
        u64::from(now_s.saturating_sub(self.at_s)) < OFFER_LIFE.as_secs()
    }
}

fn seconds(time: Time) -> u32 {
    u32::try_from(time.as_ms() / 1000).unwrap_or(u32::MAX)
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
