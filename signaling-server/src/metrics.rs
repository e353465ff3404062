//! Counters for Prometheus (OpenMetrics text). No address, key, swarm or URL is in them.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;

/// What [`Metrics::text`] is, for the `Content-Type` header.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The one label of a counter: a word of a closed set, named in `docs/spec/signaling.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Sockets open.
    pub(crate) sockets: Gauge,
    /// Sessions, detached ones included.
    pub(crate) sessions: Gauge,
    /// Swarms with members.
    pub(crate) swarms: Gauge,
    /// Memberships of peers in swarms.
    pub(crate) members: Gauge,
    /// Bytes the witness fetched.
    pub(crate) witness_bytes: Counter<u64, AtomicU64>,
    messages: Family<Kind, Counter>,
    errors: Family<Kind, Counter>,
    refused: Family<Kind, Counter>,
    closed: Family<Kind, Counter>,
    witness: Family<Kind, Counter>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut new = Self {
            registry: Registry::default(),
            sockets: Gauge::default(),
            sessions: Gauge::default(),
            swarms: Gauge::default(),
            members: Gauge::default(),
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
        new
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

    /// All of them as text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string does not fail");
        text
    }
}
