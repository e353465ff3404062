//! Counters for Prometheus (OpenMetrics text). No account and no address is in them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge};
use prometheus_client::registry::Registry;

/// Label values that are there from the start, at 0, so that rates over them have a beginning.
const ASKED: [&str; 4] = ["new", "renewed", "forgotten", "refused"];
const SENT: [&str; 4] = ["taken", "gone", "refused", "unreachable"];

/// The one label of a counter: a word of a closed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Counters of push.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    subscriptions: Gauge,
    looks: Counter,
    asked: Family<Kind, Counter>,
    sent: Family<Kind, Counter>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::default();
        let subscriptions = Gauge::default();
        let looks = Counter::default();
        let (asked, sent) =
            (Family::<Kind, Counter>::default(), Family::<Kind, Counter>::default());
        let own = registry.sub_registry_with_prefix("starling_push");
        own.register("subscriptions", "Subscriptions kept", subscriptions.clone());
        own.register("looks", "Looks at an account's health in a market", looks.clone());
        own.register("asked", "Requests of pages, by outcome", asked.clone());
        own.register("sent", "Messages to push services, by outcome", sent.clone());
        let new = Self { registry, subscriptions, looks, asked, sent };
        for (family, kinds) in [(&new.asked, &ASKED), (&new.sent, &SENT)] {
            for &kind in kinds {
                drop(family.get_or_create(&Kind { kind }));
            }
        }
        new
    }

    pub(super) fn subscriptions(&self, count: usize) {
        self.subscriptions.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn looked(&self, count: usize) {
        self.looks.inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(super) fn asked(&self, kind: &'static str) {
        self.asked.get_or_create(&Kind { kind }).inc();
    }

    pub(super) fn sent(&self, kind: &'static str) {
        self.sent.get_or_create(&Kind { kind }).inc();
    }

    /// All of them as text, with its end.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_begin_at_zero_and_count() {
        let metrics = Metrics::new();
        metrics.sent("gone");
        metrics.subscriptions(3);
        let text = metrics.text();
        for line in [
            "starling_push_subscriptions 3",
            "starling_push_sent_total{kind=\"gone\"} 1",
            "starling_push_sent_total{kind=\"taken\"} 0",
            "starling_push_asked_total{kind=\"new\"} 0",
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
    }
}
