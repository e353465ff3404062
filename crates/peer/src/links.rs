//! Connections to other peers: whom to dial and accept, signed descriptions, candidates, restarts.
//!
//! One link per swarm and remote. The signaling server hands messages over but is not believed: each
//! description is signed by its maker over swarm, both keys, the attempt and the DTLS fingerprint.
//!
//! Laws:
//! 1. A description whose signature does not verify changes nothing.
//! 2. When both ends dial at once, the attempt of the smaller key wins at both.
//! 3. A peer that sent wrong bytes is never dialled or accepted again.
//! 4. At most [`LINKS_MAX`] links, at most [`SWARM_LINKS_MAX`] of one swarm.
//! 5. A lost signaling socket closes no link.

mod link;
mod negotiation;
mod remotes;

use primitives::{KeyPair, PeerId, Rng, Seed, SortedMap, SortedSet, SwarmId, Time};
use swarm::HangupReason;
use wire::signaling::{IceServer, Neighbour};

use crate::{
    Output, RtcConfig,
    effect::{Effect, Effects, Ids},
    input::LinkId,
    problems::wrong,
};
use link::CONNECT_TIMEOUT;
pub(crate) use link::{Link, Stage};
use remotes::Remotes;

/// Most connections, over all swarms. Chromium takes 500, memory and ports less.
pub(crate) const LINKS_MAX: usize = 32;
/// Most connections of one swarm, attempts included: newcomers find room with those that dialled
/// enough.
pub(crate) const SWARM_LINKS_MAX: usize = swarm::config::NEIGHBOURS_MAX;
/// Open connections at which no more are dialled.
const OPEN_GOAL: usize = 10;
/// Connections at which no more are dialled, attempts included.
const DIALLED_MAX: usize = 12;
/// Most attempts of one swarm at a time.
const CONNECTING_MAX: usize = 6;

/// First wait before a remote is tried again, by what happened.
mod retry {
    use core::time::Duration;

    /// The connection was good, then ended.
    pub(super) const LOST: Duration = Duration::from_secs(1);
    /// The attempt did not come about.
    pub(super) const FAILED: Duration = Duration::from_secs(5);
    /// It has enough neighbours.
    pub(super) const DECLINED: Duration = Duration::from_secs(60);
    /// We had reasons to hang up.
    pub(super) const HUNG_UP: Duration = Duration::from_secs(120);
}

/// All connections of a peer.
#[derive(Debug)]
pub(crate) struct Links {
    key: KeyPair,
    me: PeerId,
    rng: Rng,
    links: SortedMap<LinkId, Link>,
    pairs: SortedMap<(SwarmId, PeerId), LinkId>,
    remotes: Remotes,
    /// Open streams, and whether the site's policy is relay only.
    swarms: SortedMap<SwarmId, bool>,
    ice_servers: Vec<IceServer>,
    relay_only: bool,
    /// Whether the signaling server can be reached: no dialling without.
    reachable: bool,
}

impl Links {
    pub(crate) fn new(key: KeyPair, seed: Seed, relay_only: bool) -> Self {
        Self {
            me: key.id(),
            key,
            rng: seed.derive("attempts").rng(),
            links: SortedMap::new(),
            pairs: SortedMap::new(),
            remotes: Remotes::new(seed.derive("remotes").rng()),
            swarms: SortedMap::new(),
            ice_servers: Vec::new(),
            relay_only,
            reachable: false,
        }
    }

    pub(crate) fn open_swarm(&mut self, swarm: SwarmId) {
        self.swarms.insert(swarm, false);
    }

    /// Says goodbye to all neighbours of the swarm and forgets it.
    pub(crate) fn close_swarm(&mut self, swarm: SwarmId, fx: &mut Effects) {
        self.leave_swarm(swarm, fx);
        self.swarms.remove(&swarm);
        self.remotes.close(swarm);
    }

    /// Says goodbye to all neighbours of the swarm.
    pub(crate) fn leave_swarm(&mut self, swarm: SwarmId, fx: &mut Effects) {
        for id in self.ids_of(swarm) {
            let bye = wire::peer::Message::Bye(wire::peer::Bye { reason: 0 }).encode_to_vec();
            if self.links.get(&id).is_some_and(|link| link.open) {
                let channel = swarm::Channel::Control;
                fx.push_back(Effect::Out(Output::Send { link: id, channel, bytes: bye }));
            }
            self.close(id, fx);
        }
    }

    pub(crate) fn set_ice_servers(&mut self, ice_servers: Vec<IceServer>) {
        self.ice_servers = ice_servers;
    }

    pub(crate) fn set_reachable(&mut self, reachable: bool) {
        self.reachable = reachable;
    }

    /// The site's policy for one swarm.
    pub(crate) fn set_site_policy(&mut self, swarm: SwarmId, relay_only: bool, fx: &mut Effects) {
        let Some(policy) = self.swarms.get_mut(&swarm) else { return };
        *policy = relay_only;
        self.close_direct(fx);
    }

    /// The person's choice for all.
    pub(crate) fn set_relay_only(&mut self, relay_only: bool, fx: &mut Effects) {
        self.relay_only = relay_only;
        self.close_direct(fx);
    }

    pub(crate) fn relay_only(&self) -> bool {
        self.relay_only
    }

    /// The server named these to dial.
    pub(crate) fn on_neighbours(&mut self, swarm: SwarmId, peers: &[Neighbour]) {
        for neighbour in peers.iter().take(wire::limits::NEIGHBOURS_MAX) {
            if neighbour.peer != self.me && self.swarms.contains_key(&swarm) {
                self.remotes.name(swarm, neighbour.peer);
            }
        }
    }

    /// The server says that a peer is not there. Open channels know better.
    pub(crate) fn on_gone(&mut self, pair: (SwarmId, PeerId), fx: &mut Effects) {
        self.remotes.drop_candidate(pair);
        if let Some(id) = self.pairs.get(&pair).copied()
            && self.links.get(&id).is_some_and(|link| !link.open)
        {
            self.close(id, fx);
        }
    }

    /// Both channels are open.
    pub(crate) fn on_open(&mut self, id: LinkId, fx: &mut Effects) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.open {
            return;
        }
        link.open = true;
        link.deadline = Time::NEVER;
        let (swarm, peer) = (link.swarm, link.remote);
        fx.push_back(Effect::Up { swarm, peer });
        for bytes in std::mem::take(&mut link.early_frames) {
            fx.push_back(Effect::Frame { swarm, from: peer, bytes });
        }
        self.remotes.succeed((swarm, peer));
    }

    /// It failed, or the other side closed it. The driver has forgotten it.
    pub(crate) fn on_closed(&mut self, now: Time, id: LinkId, fx: &mut Effects) {
        let Some(link) = self.remove(id, fx) else { return };
        let wait = if link.open { retry::LOST } else { retry::FAILED };
        self.remotes.fail(now, (link.swarm, link.remote), wait);
    }

    pub(crate) fn on_path(&mut self, id: LinkId, relayed: bool, rtt_ms: Option<u32>) {
        if let Some(link) = self.links.get_mut(&id) {
            link.relayed = Some(relayed);
            link.rtt_ms = rtt_ms;
        }
    }

    /// A message: whose it is, if it is to be read now.
    pub(crate) fn on_message(
        &mut self,
        now: Time,
        id: LinkId,
        bytes: Vec<u8>,
        fx: &mut Effects,
    ) -> Option<(SwarmId, PeerId, Vec<u8>)> {
        let link = self.links.get_mut(&id)?;
        link.interrupted = None;
        if link.open {
            return Some((link.swarm, link.remote, bytes));
        }
        if bytes.len() > wire::limits::FRAME_BYTES_MAX || !link.keep_early(bytes) {
            let pair = (link.swarm, link.remote);
            self.remotes.fail(now, pair, retry::HUNG_UP);
            self.close(id, fx);
        }
        None
    }

    /// The swarm wants this connection no longer.
    pub(crate) fn hang_up(
        &mut self,
        now: Time,
        pair: (SwarmId, PeerId),
        why: HangupReason,
        fx: &mut Effects,
    ) {
        if why == HangupReason::WrongBytes {
            self.cut(pair.1, fx);
            return;
        }
        if let Some(id) = self.pairs.get(&pair).copied() {
            self.close(id, fx);
        }
        self.remotes.fail(now, pair, retry::HUNG_UP);
        self.remotes.drop_candidate(pair);
    }

    /// The network changed: attempts begin anew, open links get new paths (RFC 8838, ICE restart).
    pub(crate) fn on_network_changed(&mut self, now: Time, fx: &mut Effects) {
        self.remotes.forgive();
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            let Some(link) = self.links.get(&id) else { continue };
            if link.open {
                self.restart(now, id, fx);
            } else {
                let pair = (link.swarm, link.remote);
                self.close(id, fx);
                self.remotes.fail(now, pair, retry::LOST);
            }
        }
    }

    /// The other side does not answer any more.
    pub(crate) fn on_interrupted(&mut self, now: Time, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id).filter(|link| link.open) {
            link.interrupted.get_or_insert(now);
        }
    }

    /// The server answers, by a socket of `since`: interrupted links get new paths. A socket that is
    /// newer than the interruption says that it was us who moved. Else the dialler tries.
    pub(crate) fn on_answering(&mut self, now: Time, since: Time, fx: &mut Effects) {
        let is_ours = |link: &Link, at: Time| link.dialled || since > at;
        let mut ours = Vec::new();
        for link in self.links.values_mut() {
            let interrupted = link.interrupted.take();
            ours.extend(interrupted.filter(|at| is_ours(link, *at)).map(|_| link.id));
        }
        for id in ours {
            self.restart(now, id, fx);
        }
    }

    /// Looks for new paths for the same connection, unless that is under way.
    fn restart(&mut self, now: Time, id: LinkId, fx: &mut Effects) {
        let Some(rtc) = self.links.get(&id).map(|link| self.rtc(link.swarm)) else { return };
        if let Some(link) = self.links.get_mut(&id).filter(|link| link.stage == Stage::Settled) {
            link.restart(now, rtc, fx);
        }
    }

    /// Attempts that took too long, and the next ones.
    pub(crate) fn tick(&mut self, now: Time, ids: &mut Ids, fx: &mut Effects) {
        let late: Vec<LinkId> =
            self.links.values().filter(|link| link.deadline <= now).map(|link| link.id).collect();
        for id in late {
            self.on_deadline(now, id, fx);
        }
        for swarm in self.swarms.keys().copied().collect::<Vec<_>>() {
            while self.may_dial(swarm) {
                let next = self.remotes.next(now, swarm, |peer| self.is_linked(swarm, peer));
                let Some(peer) = next else { break };
                self.dial(now, swarm, peer, ids, fx);
            }
        }
    }

    pub(crate) fn wake(&self) -> Time {
        let deadline = self.links.values().map(|link| link.deadline).min();
        let dial = self
            .swarms
            .keys()
            .filter(|swarm| self.may_dial(**swarm))
            .map(|swarm| self.remotes.next_at(*swarm, |peer| self.is_linked(*swarm, peer)))
            .min();
        deadline.unwrap_or(Time::NEVER).min(dial.unwrap_or(Time::NEVER))
    }

    /// The open link to a neighbour.
    pub(crate) fn open_link(&self, pair: (SwarmId, PeerId)) -> Option<LinkId> {
        let id = self.pairs.get(&pair)?;
        self.links.get(id).filter(|link| link.open).map(|link| link.id)
    }

    /// Swarm and remote of an open link.
    pub(crate) fn neighbour(&self, id: LinkId) -> Option<(SwarmId, PeerId)> {
        self.links.get(&id).filter(|link| link.open).map(|link| (link.swarm, link.remote))
    }

    /// All links of a swarm, open or not.
    pub(crate) fn of(&self, swarm: SwarmId) -> impl Iterator<Item = &Link> {
        self.links.values().filter(move |link| link.swarm == swarm)
    }

    /// How many neighbours the swarm could use now.
    pub(crate) fn room(&self, swarm: SwarmId) -> usize {
        DIALLED_MAX.saturating_sub(self.of(swarm).count())
    }

    /// Whether somebody is left to dial, now or later.
    pub(crate) fn has_candidates(&self, swarm: SwarmId) -> bool {
        self.remotes.next_at(swarm, |peer| self.is_linked(swarm, peer)) < Time::NEVER
    }

    /// Peers not to be named again: linked, tried or cut. At most [`wire::limits::EXCEPT_MAX`].
    pub(crate) fn known_to(&self, swarm: SwarmId) -> Vec<PeerId> {
        let linked = self.of(swarm).map(|link| link.remote);
        let all: SortedSet<PeerId> = linked.chain(self.remotes.failed(swarm)).collect();
        all.into_iter().take(wire::limits::EXCEPT_MAX).collect()
    }

    fn on_deadline(&mut self, now: Time, id: LinkId, fx: &mut Effects) {
        let Some(link) = self.links.get_mut(&id) else { return };
        if link.open {
            // A restart without an answer: if the path is dead the transport will say so.
            link.stage = Stage::Settled;
            link.deadline = Time::NEVER;
            return;
        }
        let pair = (link.swarm, link.remote);
        self.close(id, fx);
        self.remotes.fail(now, pair, retry::FAILED);
    }

    fn may_dial(&self, swarm: SwarmId) -> bool {
        let open = self.of(swarm).filter(|link| link.open).count();
        let all = self.of(swarm).count();
        self.reachable
            && self.links.len() < LINKS_MAX
            && open < OPEN_GOAL
            && all < DIALLED_MAX
            && all - open < CONNECTING_MAX
            && self.can_connect(swarm)
    }

    /// Relay only without a relay connects to nobody.
    fn can_connect(&self, swarm: SwarmId) -> bool {
        !self.rtc(swarm).relay_only || self.has_relay()
    }

    fn has_relay(&self) -> bool {
        let mut urls = self.ice_servers.iter().flat_map(|server| &server.urls);
        urls.any(|url| url.starts_with("turn:") || url.starts_with("turns:"))
    }

    fn is_linked(&self, swarm: SwarmId, peer: PeerId) -> bool {
        self.pairs.contains_key(&(swarm, peer))
    }

    fn rtc(&self, swarm: SwarmId) -> RtcConfig {
        let relay_only = self.relay_only || self.swarms.get(&swarm).copied().unwrap_or(false);
        RtcConfig { ice_servers: self.ice_servers.clone(), relay_only }
    }

    fn dial(&mut self, now: Time, swarm: SwarmId, peer: PeerId, ids: &mut Ids, fx: &mut Effects) {
        let connection = self.rng.u32(..);
        let mut link = Link::new(ids.link(), (swarm, peer), connection, now);
        link.dialled = true;
        link.stage = Stage::Offering;
        let rtc = self.rtc(swarm);
        link.relay_only = rtc.relay_only;
        fx.push_back(Effect::Out(Output::Dial { link: link.id, rtc }));
        self.insert(link);
    }

    fn insert(&mut self, link: Link) {
        self.pairs.insert((link.swarm, link.remote), link.id);
        self.links.insert(link.id, link);
    }

    /// Closes links that go or may go direct where that is not allowed (any more).
    fn close_direct(&mut self, fx: &mut Effects) {
        let direct: Vec<LinkId> = self
            .links
            .values()
            .filter(|link| self.rtc(link.swarm).relay_only)
            .filter(|link| !link.relay_only && link.relayed != Some(true))
            .map(|link| link.id)
            .collect();
        for id in direct {
            let Some(pair) = self.links.get(&id).map(|link| (link.swarm, link.remote)) else {
                continue;
            };
            self.close(id, fx);
            self.remotes.name(pair.0, pair.1);
        }
        let stuck = self.swarms.keys().any(|swarm| !self.can_connect(*swarm));
        if stuck && self.reachable {
            let what = "only relayed connections are allowed, and the server offers no relay";
            let remedy = "Allow direct connections, or ask the host for a TURN relay.";
            wrong(fx, None, "no-relay", what, remedy);
        } else {
            fx.push_back(Effect::Right(None, "no-relay"));
        }
    }

    fn cut(&mut self, peer: PeerId, fx: &mut Effects) {
        self.remotes.cut(peer);
        let links = self.links.values().filter(|link| link.remote == peer);
        for id in links.map(|link| link.id).collect::<Vec<_>>() {
            self.close(id, fx);
        }
    }

    fn ids_of(&self, swarm: SwarmId) -> Vec<LinkId> {
        self.of(swarm).map(|link| link.id).collect()
    }

    fn close(&mut self, id: LinkId, fx: &mut Effects) {
        if self.links.contains_key(&id) {
            fx.push_back(Effect::Out(Output::CloseLink(id)));
            self.remove(id, fx);
        }
    }

    fn remove(&mut self, id: LinkId, fx: &mut Effects) -> Option<Link> {
        let link = self.links.remove(&id)?;
        self.pairs.remove(&(link.swarm, link.remote));
        if link.open {
            fx.push_back(Effect::Down { swarm: link.swarm, peer: link.remote });
        }
        Some(link)
    }
}
