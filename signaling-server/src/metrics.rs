//! Counters for Prometheus (OpenMetrics text). No address, key, swarm or URL is in them.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;

use crate::announce::TrackerMetrics;
use crate::bus;

/// What [`Metrics::text`] is, for the `Content-Type` header.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one label of a counter: a word of a closed set, named in `docs/spec/signaling.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Kind {
    pub(crate) kind: &'static str,
}

/// Label values that are there from the start, at 0, so that rates over them have a beginning.
const MESSAGES: [&str; 8] = ["hello", "join", "more", "signal", "leave", "witness", "ping", "turn"];
const ERRORS: [&str; 9] = [
    "bad-message",
    "bad-proof",
    "hello-first",
    "not-joined",
    "too-many",
    "forbidden",
    "unfetched",
    "no-witness",
    "place",
];
const REFUSED: [&str; 6] = ["all", "place", "origin", "forbidden", "banned", "closing"];
const CLOSED: [&str; 12] = [
    "left",
    "dropped",
    "no-hello",
    "idle",
    "strikes",
    "bad-proof",
    "version",
    "slow",
    "replaced",
    "banned",
    "closing",
    "broken",
];
const WITNESS: [&str; 4] = ["fetched", "remembered", "failed", "refused"];

/// Counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Those of the tracker.
    pub(crate) tracker: TrackerMetrics,
    /// Sockets open.
    pub(crate) sockets: Gauge,
    /// Sessions, detached ones included.
    pub(crate) sessions: Gauge,
    /// Swarms with members.
    pub(crate) swarms: Gauge,
    /// Memberships of peers in swarms.
    pub(crate) members: Gauge,
    /// Nodes known, this one included.
    pub(crate) nodes: Gauge,
    /// Memberships of other nodes' peers.
    pub(crate) remote_members: Gauge,
    /// Bytes the witness fetched.
    pub(crate) witness_bytes: Counter<u64, AtomicU64>,
    messages: Family<Kind, Counter>,
    errors: Family<Kind, Counter>,
    refused: Family<Kind, Counter>,
    closed: Family<Kind, Counter>,
    witness: Family<Kind, Counter>,
}

impl Metrics {
    pub(crate) fn new(bus: &bus::Counters) -> Self {
        let mut registry = Registry::default();
        let mut new = Self {
            tracker: TrackerMetrics::register(&mut registry),
            registry,
            sockets: Gauge::default(),
            sessions: Gauge::default(),
            swarms: Gauge::default(),
            members: Gauge::default(),
            nodes: Gauge::default(),
            remote_members: Gauge::default(),
            witness_bytes: Counter::default(),
            messages: Family::default(),
            errors: Family::default(),
            refused: Family::default(),
            closed: Family::default(),
            witness: Family::default(),
        };
        let registry = new.registry.sub_registry_with_prefix("starling_signaling");
        registry.register("sockets", "Sockets open", new.sockets.clone());
        registry.register("sessions", "Sessions, detached ones included", new.sessions.clone());
        registry.register("swarms", "Swarms with members", new.swarms.clone());
        registry.register("members", "Memberships of peers in swarms", new.members.clone());
        registry.register("messages", "Messages from peers, by type", new.messages.clone());
        registry.register("errors", "Refusals told to peers, by code", new.errors.clone());
        registry.register("refused", "Sockets not opened, by reason", new.refused.clone());
        registry.register("closed", "Sockets closed, by reason", new.closed.clone());
        registry.register("witness", "Questions to the witness, by outcome", new.witness.clone());
        registry.register("witness_bytes", "Bytes the witness fetched", new.witness_bytes.clone());
        registry.register("nodes", "Nodes known, this one included", new.nodes.clone());
        let remote = "Memberships of other nodes' peers in swarms of this one";
        registry.register("remote_members", remote, new.remote_members.clone());
        registry.register("bus_told", "Messages sent to other nodes", bus.told.clone());
        registry.register("bus_lost", "Messages other nodes did not get", bus.lost.clone());
        registry.register("bus_heard", "Messages of other nodes", bus.heard.clone());
        registry.register("bus_refused", "Messages that no node of ours says", bus.refused.clone());
        new.begin();
        new
    }

    fn begin(&self) {
        for (family, kinds) in [
            (&self.messages, &MESSAGES[..]),
            (&self.errors, &ERRORS[..]),
            (&self.refused, &REFUSED[..]),
            (&self.closed, &CLOSED[..]),
            (&self.witness, &WITNESS[..]),
        ] {
            for &kind in kinds {
                drop(family.get_or_create(&Kind { kind }));
            }
        }
    }

    pub(crate) fn message(&self, kind: &'static str) {
        self.messages.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn error(&self, kind: &'static str) {
        self.errors.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn refused(&self, kind: &'static str) {
        self.refused.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn closed(&self, kind: &'static str) {
        self.closed.get_or_create(&Kind { kind }).inc();
    }

    pub(crate) fn witness(&self, kind: &'static str) {
        self.witness.get_or_create(&Kind { kind }).inc();
    }

    /// A counter's values by its label; `name` as it was registered.
    pub(crate) fn by_kind(&self, name: &str) -> BTreeMap<String, u64> {
        let start = format!("starling_signaling_{name}_total{{kind=\"");
        let text = self.text();
        let lines = text.lines().filter_map(|line| line.strip_prefix(&start)?.split_once("\"} "));
        lines.filter_map(|(kind, count)| Some((kind.to_owned(), count.parse().ok()?))).collect()
    }

    /// All of them as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string does not fail");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_read_by_its_label() {
        let metrics = Metrics::new(&bus::Counters::default());
        metrics.refused("place");
        metrics.refused("place");
        metrics.refused("banned");
        let refused = metrics.by_kind("refused");
        assert_eq!((refused["place"], refused["banned"], refused["all"]), (2, 1, 0));
        assert_eq!(refused.len(), REFUSED.len());
        assert_eq!(metrics.by_kind("closed").len(), CLOSED.len());
    }
}
