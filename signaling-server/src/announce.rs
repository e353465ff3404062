//! A WebTorrent tracker at `/announce`, for clients that are not ours: p2p-media-loader, webtorrent,
//! Trystero. Protocol, limits and what differs from other trackers: `docs/spec/tracker.md`.
//!
//! The machine and the messages are the crate `tracker`. Here the machine lies in shards by info hash,
//! each behind its own lock; messages are written after the lock is let go. `connection` is the task
//! of one socket, `nodes` what other nodes of the host are told and tell.

pub mod config;

mod connection;
mod metrics;
mod nodes;
mod open;

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use axum::extract::ws::Utf8Bytes;
use primitives::{Rng, Seed, Time};
use tracker::reply::{self, Tail};
use tracker::request::{Announce, Answer, OFFERS_MAX, Offer};
use tracker::{
    Announced, Counts, Full, InfoHash, Limits, Maker, PeerName, Receiver, SocketId, Swarms,
};

use crate::bus;
use crate::error::ConfigError;
use crate::lock;
use crate::mailbox::Mailbox;
use crate::policy::Denied;
use crate::state::State;
use crate::visitor::Visitor;
use config::TrackerConfig;
use nodes::Parcels;

pub(crate) use metrics::{TrackerLoad, TrackerMetrics};
pub(crate) use open::open;
pub use open::open_at_root;

/// Shards: more than cores, so that two busy swarms seldom share a lock. A power of two.
const SHARDS: usize = 64;
const SHARD_BITS: u32 = SHARDS.trailing_zeros();
/// How often leases are looked at, as a share of a lease.
const LOOKS_PER_LEASE: u32 = 8;

/// The swarms of one server.
#[derive(Debug)]
pub(crate) struct Tracker {
    shards: Box<[Mutex<Shard>]>,
    interval_s: u32,
    look_every: Duration,
    /// Spreads info hashes over shards in a way that strangers can't aim at; odd.
    spread: u64,
}

#[derive(Debug)]
struct Shard {
    swarms: Swarms<Membership>,
    rng: Rng,
}

/// What is kept of a member, and where its messages go.
#[derive(Debug)]
struct Membership {
    mailbox: Mailbox,
    /// Its places in the budgets, given back when it ends.
    site: usize,
    address: IpAddr,
}

/// Where an offer goes.
#[derive(Debug)]
enum Way {
    /// To a member here.
    Here(Mailbox),
    /// To another node.
    There(tracker::NodeId),
}

/// Who speaks on a socket.
#[derive(Debug, Clone, Copy)]
struct Speaker<'a> {
    socket: SocketId,
    visitor: &'a Visitor,
    /// The key of a site, from the tracker's address.
    key: Option<&'a str>,
    mailbox: &'a Mailbox,
    /// Swarms this socket is in already.
    joined: usize,
}

/// Why an announce is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    Full(Full),
    Denied(Denied),
    /// The host banned the swarm.
    Banned,
    /// The site's peers connect by relay only, which a tracker can't ask of clients.
    RelayOnly,
    /// The socket has its most swarms.
    Socket,
    /// The address has its most peers.
    Address,
}

impl Tracker {
    pub(crate) fn new(config: &TrackerConfig, seed: &Seed) -> Result<Self, ConfigError> {
        if config.interval_s == 0 {
            return Err(ConfigError::Zero { field: "tracker.interval_s" });
        }
        if config.lease_s <= config.interval_s {
            let (lease_s, interval_s) = (config.lease_s, config.interval_s);
            return Err(ConfigError::TrackerLease { lease_s, interval_s });
        }
        let lease = Duration::from_secs(u64::from(config.lease_s));
        let limits = Limits {
            swarms_max: config.swarms_max.div_ceil(SHARDS),
            swarm_peers_max: config.swarm_peers_max,
            lease,
            offers_per_swarm_per_s: config.offers_per_swarm_per_s,
        };
        let seed = seed.derive("tracker");
        let shard = |index: usize| {
            let rng = seed.derive(&index.to_string()).rng();
            Mutex::new(Shard { swarms: Swarms::new(limits.clone()), rng })
        };
        Ok(Self {
            shards: (0..SHARDS).map(shard).collect(),
            interval_s: config.interval_s,
            look_every: lease / LOOKS_PER_LEASE,
            spread: seed.rng().u64(..) | 1,
        })
    }

    /// How often [`State::end_tracker_leases`] should be called.
    pub(crate) fn look_every(&self) -> Duration {
        self.look_every
    }

    /// How many swarms have members here.
    fn swarm_count(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).swarms.swarm_count()).sum()
    }

    /// How many members other nodes have.
    fn count_elsewhere(&self, now: Time) -> usize {
        self.shards.iter().map(|shard| lock(shard).swarms.count_elsewhere(now)).sum()
    }

    fn shard_of(&self, swarm: &InfoHash) -> &Mutex<Shard> {
        let folded = swarm.as_bytes().chunks(8).fold(0_u64, |folded, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            (folded ^ u64::from_le_bytes(word)).wrapping_mul(self.spread).rotate_left(29)
        });
        let index = folded.wrapping_mul(self.spread) >> (u64::BITS - SHARD_BITS);
        &self.shards[usize::try_from(index).unwrap_or(0) % SHARDS]
    }
}

/// What a socket's task asks of the tracker.
impl State {
    /// Takes an announce: tells its maker, and hands its offers to others.
    fn announce(
        &self,
        speaker: &Speaker<'_>,
        announce: &Announce<'_>,
    ) -> Result<Announced<()>, Refusal> {
        let tracker = self.tracker();
        let mut ways: [Option<Way>; OFFERS_MAX] = Default::default();
        let now = self.now();
        let mut shard = lock(tracker.shard_of(&announce.swarm));
        let Shard { swarms, rng } = &mut *shard;
        let announced = swarms.announce(
            now,
            speaker.socket,
            announce,
            rng,
            || self.take_tracker_place(speaker, &announce.swarm),
            |receiver, index| {
                if let Some(way) = ways.get_mut(index) {
                    *way = Some(match receiver {
                        Receiver::Here(member) => Way::Here(member.mailbox.clone()),
                        Receiver::There(node) => Way::There(node),
                    });
                }
            },
        );
        let first = announced.as_ref().is_ok_and(|announced| announced.first);
        let here = first.then(|| swarms.counts_here(&announce.swarm));
        drop(shard);
        let Announced { counts, new, first, ended } = announced?;
        if let Some(here) = here {
            self.tell_crowd(announce.swarm, here);
        }
        let ended = ended.map(|membership| self.end_tracker_membership(&membership));
        let tail = Tail::new(&announce.swarm, &announce.peer);
        speaker.mailbox.send(tail.welcome(tracker.interval_s, counts).into());
        let maker = nodes::maker(&announce.swarm, &announce.peer, speaker.socket);
        self.deliver(maker, &tail, &announce.offers, ways);
        self.tracker_metrics().announces.inc();
        Ok(Announced { counts, new, first, ended })
    }

    /// Hands offers of one maker on.
    fn deliver(
        &self,
        maker: bus::Maker,
        tail: &Tail,
        offers: &[Offer<'_>],
        ways: [Option<Way>; OFFERS_MAX],
    ) {
        let mut handed = 0;
        let mut parcels = Parcels::default();
        for (offer, way) in offers.iter().zip(ways) {
            match way {
                Some(Way::Here(receiver)) => {
                    receiver.send(tail.offer(offer).into());
                    handed += 1;
                }
                Some(Way::There(node)) => parcels.put(node, offer),
                None => {}
            }
        }
        if handed > 0 {
            self.tracker_metrics().offers.inc_by(handed);
        }
        self.send_parcels(maker, parcels);
    }

    /// A new member's places in the budgets.
    fn take_tracker_place(
        &self,
        speaker: &Speaker<'_>,
        swarm: &InfoHash,
    ) -> Result<Membership, Refusal> {
        if speaker.joined >= self.config().tracker.swarms_per_socket_max {
            return Err(Refusal::Socket);
        }
        if self.bans().of_torrent(swarm).is_some() {
            return Err(Refusal::Banned);
        }
        let Visitor { origin, place, .. } = speaker.visitor;
        let admitted = self.policy().admit_named(origin.as_deref(), speaker.key, swarm);
        let site = admitted.map_err(Refusal::Denied)?;
        if self.policy().relay_only(site) {
            self.policy().release(site);
            return Err(Refusal::RelayOnly);
        }
        if !self.budgets().enter(*place) {
            self.policy().release(site);
            return Err(Refusal::Address);
        }
        self.tracker_metrics().peers.inc();
        Ok(Membership { mailbox: speaker.mailbox.clone(), site, address: *place })
    }

    fn end_tracker_membership(&self, membership: &Membership) {
        self.policy().release(membership.site);
        self.budgets().leave(membership.address);
        self.tracker_metrics().peers.dec();
    }

    /// Hands an answer to who made the offer. One that nobody waits for is dropped, as clients expect.
    fn hand_answer(&self, socket: SocketId, answer: &Answer<'_>) {
        let now = self.now();
        let mut shard = lock(self.tracker().shard_of(&answer.swarm));
        let maker = match shard.swarms.answer(now, socket, answer) {
            Some(Maker::There(node, to)) => {
                drop(shard);
                return self.send_answer(node, to, answer);
            }
            Some(Maker::Here(membership)) => Some(membership.mailbox.clone()),
            None => None,
        };
        drop(shard);
        self.post_answer(maker, answer);
    }

    /// Puts an answer into its receiver's queue, if there is one.
    fn post_answer(&self, maker: Option<Mailbox>, answer: &Answer<'_>) {
        let Some(maker) = maker else {
            self.tracker_metrics().answers_lost.inc();
            return;
        };
        let tail = Tail::new(&answer.swarm, &answer.peer);
        maker.send(tail.answer(answer).into());
        self.tracker_metrics().answers.inc();
    }

    fn scrape(&self, swarms: &[InfoHash]) -> Utf8Bytes {
        let now = self.now();
        let counts = |swarm: &InfoHash| -> Counts {
            lock(self.tracker().shard_of(swarm)).swarms.counts(now, swarm)
        };
        self.tracker_metrics().scrapes.inc();
        reply::scrape(swarms.iter().map(|swarm| (*swarm, counts(swarm)))).into()
    }

    fn is_in_tracker_swarm(&self, swarm: &InfoHash, peer: PeerName, socket: SocketId) -> bool {
        lock(self.tracker().shard_of(swarm)).swarms.is_member(swarm, peer, socket)
    }

    fn leave_tracker_swarm(&self, swarm: InfoHash, peer: PeerName, socket: SocketId) {
        let now = self.now();
        let mut shard = lock(self.tracker().shard_of(&swarm));
        let ended = shard.swarms.leave(now, swarm, peer, socket);
        drop(shard);
        if let Some(membership) = ended {
            self.end_tracker_membership(&membership);
        }
    }

    /// Ends all memberships in a swarm. Who was in it is told when it announces itself again.
    pub(crate) fn clear_tracker_swarm(&self, swarm: &InfoHash) {
        let ended = lock(self.tracker().shard_of(swarm)).swarms.end(swarm);
        ended.iter().for_each(|membership| self.end_tracker_membership(membership));
    }

    pub(crate) fn count_tracker_swarms(&self) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.tracker_metrics().swarms.set(count(self.tracker().swarm_count()));
        let elsewhere = self.tracker().count_elsewhere(self.now());
        self.tracker_metrics().remote_peers.set(count(elsewhere));
    }

    /// How it is with the tracker, for the host's page.
    pub(crate) fn tracker_load(&self) -> TrackerLoad {
        self.count_tracker_swarms();
        self.tracker_metrics().load()
    }

    /// Ends memberships of peers that do not announce themselves any more.
    pub(crate) fn end_tracker_leases(&self, now: Time) {
        for shard in &self.tracker().shards {
            let ended = lock(shard).swarms.expire(now);
            ended.iter().for_each(|membership| self.end_tracker_membership(membership));
        }
    }
}

impl From<Full> for Refusal {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl Refusal {
    /// For counters.
    fn kind(self) -> &'static str {
        match self {
            Self::Full(Full::Swarms) => "swarms",
            Self::Full(Full::Peers) => "peers",
            Self::Denied(Denied::Full) => "site-full",
            Self::Denied(Denied::Site | Denied::Swarm) => "forbidden",
            Self::Banned => "banned",
            Self::RelayOnly => "relay-only",
            Self::Socket => "socket",
            Self::Address => "address",
        }
    }

    /// For a person.
    fn reason(self) -> &'static str {
        match self {
            Self::Full(Full::Swarms) => "this tracker has its most swarms",
            Self::Full(Full::Peers) => "this swarm has its most peers",
            Self::Denied(Denied::Full) => "this site has its most peers",
            Self::Denied(Denied::Site) => "this tracker does not serve this site",
            Self::Denied(Denied::Swarm) => "this site may not use this swarm",
            Self::Banned => "this swarm is banned",
            Self::RelayOnly => "this site's peers connect by relay only, not by a tracker",
            Self::Socket => "this socket is in its most swarms",
            Self::Address => "this address has its most peers",
        }
    }
}
