//! Counters of the tracker. The busy ones have no label: counting is one addition.

use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;
use serde::Serialize;

use crate::metrics::Kind;

/// Label values that are there from the start, at 0, so that rates over them have a beginning.
const FAILURES: [&str; 10] = [
    "bad-message",
    "too-fast",
    "forbidden",
    "banned",
    "relay-only",
    "site-full",
    "swarms",
    "peers",
    "socket",
    "address",
];
const CLOSED: [&str; 6] = ["left", "idle", "strikes", "slow", "banned", "closing"];

/// How it is with the tracker.
#[derive(Debug, Serialize)]
pub(crate) struct TrackerLoad {
    sockets: u64,
    swarms: u64,
    /// Peers in swarms, each counted in each.
    peers: u64,
    /// Those of other nodes.
    remote_peers: u64,
    announces: u64,
    /// Answers handed on: connections that could be made.
    answers: u64,
}

/// Counters of one tracker.
#[derive(Debug, Default)]
pub(crate) struct TrackerMetrics {
    pub(super) sockets: Gauge,
    pub(super) swarms: Gauge,
    pub(super) peers: Gauge,
    /// Those of other nodes.
    pub(super) remote_peers: Gauge,
    pub(super) announces: Counter,
    pub(super) offers: Counter,
    /// Those other nodes were given.
    pub(super) offers_away: Counter,
    pub(super) answers: Counter,
    pub(super) answers_away: Counter,
    pub(super) answers_lost: Counter,
    pub(super) scrapes: Counter,
    failures: Family<Kind, Counter>,
    closed: Family<Kind, Counter>,
}

impl TrackerMetrics {
    /// Counters that are told in this registry.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let new = Self::default();
        let tracker = registry.sub_registry_with_prefix("starling_tracker");
        tracker.register("sockets", "Sockets open", new.sockets.clone());
        tracker.register("swarms", "Swarms with peers", new.swarms.clone());
        tracker.register("peers", "Peers in swarms", new.peers.clone());
        let remote = "Peers of other nodes in swarms";
        tracker.register("remote_peers", remote, new.remote_peers.clone());
        tracker.register("announces", "Announces taken", new.announces.clone());
        tracker.register("offers", "Offers handed on", new.offers.clone());
        tracker.register("answers", "Answers handed on", new.answers.clone());
        let away = "Offers other nodes were given";
        tracker.register("offers_away", away, new.offers_away.clone());
        let away = "Answers other nodes were given";
        tracker.register("answers_away", away, new.answers_away.clone());
        tracker.register(
            "answers_lost",
            "Answers to offers nobody waits for",
            new.answers_lost.clone(),
        );
        tracker.register("scrapes", "Scrapes answered", new.scrapes.clone());
        tracker.register("failures", "Refusals told to clients, by reason", new.failures.clone());
        tracker.register("closed", "Sockets closed, by reason", new.closed.clone());
        for (family, kinds) in [(&new.failures, &FAILURES[..]), (&new.closed, &CLOSED[..])] {
            for &kind in kinds {
                drop(family.get_or_create(&Kind { kind }));
            }
        }
        new
    }

    /// What the host's page shows.
    pub(super) fn load(&self) -> TrackerLoad {
        let count = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        TrackerLoad {
            sockets: count(&self.sockets),
            swarms: count(&self.swarms),
            peers: count(&self.peers),
            remote_peers: count(&self.remote_peers),
            announces: self.announces.get(),
            answers: self.answers.get(),
        }
    }

    pub(super) fn failure(&self, kind: &'static str) {
        self.failures.get_or_create(&Kind { kind }).inc();
    }

    pub(super) fn closed(&self, kind: &'static str) {
        self.closed.get_or_create(&Kind { kind }).inc();
    }
}
