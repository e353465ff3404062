//! Whom to dial, whom not yet, whom never again.

use std::collections::VecDeque;

use core::time::Duration;

use primitives::{PeerId, Rng, SortedMap, SortedSet, SwarmId, Time};

use crate::session::jitter;

/// Most remotes remembered, over all swarms.
pub(crate) const REMOTES_MAX: usize = 512;
/// Most cut peers remembered; the longest cut are forgotten first.
pub(crate) const CUT_MAX: usize = 1024;
/// Attempts in a row that fail before a remote is no candidate any more.
const FAILURES_MAX: u32 = 3;
/// Longest wait before a remote is tried again.
const RETRY_MAX: Duration = Duration::from_secs(300);

/// What is remembered of peers that are not connected.
#[derive(Debug)]
pub(crate) struct Remotes {
    known: SortedMap<(SwarmId, PeerId), Remote>,
    cut: SortedSet<PeerId>,
    cut_order: VecDeque<PeerId>,
    /// Counts what the server named, so that the nearest, named first, is dialled first.
    named: u64,
    rng: Rng,
}

#[derive(Debug)]
struct Remote {
    candidate: bool,
    order: u64,
    failures: u32,
    not_before: Time,
}

impl Remotes {
    pub(crate) fn new(rng: Rng) -> Self {
        Self {
            known: SortedMap::new(),
            cut: SortedSet::new(),
            cut_order: VecDeque::new(),
            named: 0,
            rng,
        }
    }

    /// The server named it: it may be dialled once its wait is over.
    pub(crate) fn name(&mut self, swarm: SwarmId, peer: PeerId) {
        if self.cut.contains(&peer) {
            return;
        }
        self.named += 1;
        let order = self.named;
        if !self.known.contains_key(&(swarm, peer)) {
            self.make_room();
        }
        let fresh = Remote { candidate: true, order, failures: 0, not_before: Time::ZERO };
        let remote = self.known.entry((swarm, peer)).or_insert(fresh);
        remote.candidate = true;
        remote.order = order;
        remote.failures = remote.failures.min(FAILURES_MAX - 1);
    }

    /// Whom to dial next: fewest failures first, then as the server named them.
    pub(crate) fn next(
        &self,
        now: Time,
        swarm: SwarmId,
        linked: impl Fn(PeerId) -> bool,
    ) -> Option<PeerId> {
        self.of(swarm)
            .filter(|(peer, remote)| remote.candidate && remote.not_before <= now && !linked(*peer))
            .min_by_key(|(_, remote)| (remote.failures, remote.order))
            .map(|(peer, _)| peer)
    }

    /// When the next of these can be dialled.
    pub(crate) fn next_at(&self, swarm: SwarmId, linked: impl Fn(PeerId) -> bool) -> Time {
        self.of(swarm)
            .filter(|(peer, remote)| remote.candidate && !linked(*peer))
            .map(|(_, remote)| remote.not_before)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// An attempt failed or a connection ended: wait `first`, twice that the next time, and so on.
    pub(crate) fn fail(&mut self, now: Time, pair: (SwarmId, PeerId), first: Duration) {
        if !self.known.contains_key(&pair) {
            self.name(pair.0, pair.1);
        }
        let Some(remote) = self.known.get_mut(&pair) else { return };
        let whole = first.saturating_mul(1 << remote.failures.min(8)).min(RETRY_MAX);
        remote.failures = remote.failures.saturating_add(1);
        remote.not_before = now + jitter(&mut self.rng, whole);
        remote.candidate = remote.failures < FAILURES_MAX;
    }

    /// It is connected.
    pub(crate) fn succeed(&mut self, pair: (SwarmId, PeerId)) {
        if let Some(remote) = self.known.get_mut(&pair) {
            remote.failures = 0;
            remote.not_before = Time::ZERO;
        }
    }

    /// Not to be dialled unless the server names it again.
    pub(crate) fn drop_candidate(&mut self, pair: (SwarmId, PeerId)) {
        if let Some(remote) = self.known.get_mut(&pair) {
            remote.candidate = false;
        }
    }

    /// Every wait is over: the network changed.
    pub(crate) fn forgive(&mut self) {
        for remote in self.known.values_mut() {
            remote.failures = 0;
            remote.not_before = Time::ZERO;
        }
    }

    /// Never dialled or accepted again in this session.
    pub(crate) fn cut(&mut self, peer: PeerId) {
        self.known.retain(|(_, known), _| *known != peer);
        if self.cut.insert(peer) {
            self.cut_order.push_back(peer);
        }
        if self.cut_order.len() > CUT_MAX
            && let Some(oldest) = self.cut_order.pop_front()
        {
            self.cut.remove(&oldest);
        }
    }

    pub(crate) fn is_cut(&self, peer: PeerId) -> bool {
        self.cut.contains(&peer)
    }

    /// Peers of the swarm that were tried and failed.
    pub(crate) fn failed(&self, swarm: SwarmId) -> impl Iterator<Item = PeerId> {
        self.of(swarm).filter(|(_, remote)| remote.failures > 0).map(|(peer, _)| peer)
    }

    pub(crate) fn close(&mut self, swarm: SwarmId) {
        self.known.retain(|(known, _), _| *known != swarm);
    }

    fn of(&self, swarm: SwarmId) -> impl Iterator<Item = (PeerId, &Remote)> {
        let all = (swarm, PeerId::new([0; 32]))..=(swarm, PeerId::new([255; 32]));
        self.known.range(all).map(|((_, peer), remote)| (*peer, remote))
    }

    /// Forgets the one named longest ago, rather one that is no candidate.
    fn make_room(&mut self) {
        if self.known.len() >= REMOTES_MAX {
            let oldest = self.known.iter().min_by_key(|(_, r)| (r.candidate, r.order));
            if let Some(pair) = oldest.map(|(pair, _)| *pair) {
                self.known.remove(&pair);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use primitives::Seed;

    use super::*;

    fn peer(number: u64) -> PeerId {
        PeerId::new(*Seed::from_number(number).as_bytes())
    }

    const SWARM: SwarmId = SwarmId::new([1; 32]);

    #[test]
    fn the_nearest_is_dialled_first_and_a_failed_one_waits() {
        let mut remotes = Remotes::new(Seed::from_number(1).rng());
        remotes.name(SWARM, peer(1));
        remotes.name(SWARM, peer(2));
        let now = Time::from_ms(1000);
        let next = |remotes: &Remotes, now| remotes.next(now, SWARM, |_| false);
        assert_eq!(next(&remotes, now), Some(peer(1)));
        remotes.fail(now, (SWARM, peer(1)), Duration::from_secs(4));
        assert_eq!(next(&remotes, now), Some(peer(2)));
        remotes.drop_candidate((SWARM, peer(2)));
        assert_eq!(next(&remotes, now), None);
        let at = remotes.next_at(SWARM, |_| false);
        assert!(at >= now + Duration::from_secs(2) && at <= now + Duration::from_secs(4));
        assert_eq!(next(&remotes, at), Some(peer(1)));
        for _ in 0..FAILURES_MAX {
            remotes.fail(now, (SWARM, peer(1)), Duration::from_secs(4));
        }
        assert_eq!(remotes.next_at(SWARM, |_| false), Time::NEVER);
    }

    #[test]
    fn what_strangers_make_us_remember_is_bounded() {
        let mut remotes = Remotes::new(Seed::from_number(1).rng());
        for number in 0..2_000 {
            remotes.name(SWARM, peer(number));
            remotes.cut(peer(number + 10_000));
        }
        assert_eq!(remotes.known.len(), REMOTES_MAX);
        assert_eq!(remotes.cut.len(), CUT_MAX);
        assert!(remotes.is_cut(peer(11_999)));
        remotes.name(SWARM, peer(11_999));
        assert!(!remotes.known.contains_key(&(SWARM, peer(11_999))));
    }
}
