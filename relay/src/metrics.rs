//! Counters for Prometheus (OpenMetrics text). No address and no name is in them.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::server::Traffic;
use crate::stun::ErrorCode;
use crate::turn::{Drop, Stats};

/// The one label of a counter: a word of a closed set.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: String,
}

/// All of them as text, with its end.
pub(crate) fn text(stats: &Stats, traffic: &Traffic) -> String {
    let mut text = String::new();
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register_collector(Box::new(Snapshot::new(stats, traffic)));
    // Writing to a string does not fail.
    let _ = prometheus_client::encoding::text::encode(&mut text, &registry);
    text
}

/// Figures of one moment.
#[derive(Debug)]
struct Snapshot {
    gauges: Vec<(&'static str, &'static str, u64)>,
    counters: Vec<(&'static str, &'static str, u64)>,
    refused: Vec<(String, u64)>,
    dropped: Vec<(String, u64)>,
}

impl Snapshot {
    fn new(stats: &Stats, traffic: &Traffic) -> Self {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let gauges = vec![
            ("allocations", "Allocations now", count(stats.allocations_now)),
            ("credentials", "Credentials remembered", count(stats.users_now)),
            ("streams", "TCP and TLS connections open", load(&traffic.streams)),
        ];
        let counters = vec![
            ("allocated", "Allocations made", stats.allocations),
            ("from_clients_datagrams", "Datagrams of clients relayed", stats.from_clients),
            ("from_clients_bytes", "Bytes of data in them", stats.from_clients_bytes),
            ("to_clients_datagrams", "Datagrams relayed to clients", stats.to_clients),
            ("to_clients_bytes", "Bytes of data in them", stats.to_clients_bytes),
            ("inside_datagrams", "Datagrams from client to client inside the relay", stats.inside),
            ("challenges", "First requests, answered by a challenge", stats.challenges),
            ("auth_failures", "Requests with a wrong credential", stats.authentication_failures),
            ("sends", "Sends, each of one or more datagrams", load(&traffic.sends)),
            ("send_failures", "Sends the kernel refused", load(&traffic.send_failures)),
            ("slow_streams", "Messages lost at slow streams", load(&traffic.slow_streams)),
            ("streams_refused", "Streams not taken: too many", load(&traffic.streams_refused)),
        ];
        let refused = ErrorCode::ALL.into_iter();
        let refused = refused.map(|code| (code.number().to_string(), stats.refused(code)));
        let dropped = Drop::ALL.into_iter().map(|why| (why.name().to_owned(), stats.dropped(why)));
        Self { gauges, counters, refused: refused.collect(), dropped: dropped.collect() }
    }
}

impl prometheus_client::collector::Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let named = |name: &str| format!("starling_relay_{name}");
        for (name, help, value) in &self.gauges {
            let gauge = ConstGauge::<u64>::new(*value);
            let name = named(name);
            gauge.encode(encoder.encode_descriptor(&name, help, None, MetricType::Gauge)?)?;
        }
        for (name, help, value) in &self.counters {
            let counter = ConstCounter::<u64>::new(*value);
            let name = named(name);
            counter.encode(encoder.encode_descriptor(&name, help, None, MetricType::Counter)?)?;
        }
        for (name, help, list) in [
            ("refused", "Requests refused, by error code", &self.refused),
            ("dropped", "Messages that went nowhere, by reason", &self.dropped),
        ] {
            let name = named(name);
            let mut of = encoder.encode_descriptor(&name, help, None, MetricType::Counter)?;
            for (kind, value) in list {
                let kind = Kind { kind: kind.clone() };
                ConstCounter::<u64>::new(*value).encode(of.encode_family(&kind)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_its_line() {
        let mut stats = Stats::default();
        (stats.allocations_now, stats.inside) = (3, 7);
        let text = text(&stats, &Traffic::default());
        for line in [
            "starling_relay_allocations 3",
            "starling_relay_inside_datagrams_total 7",
            "starling_relay_refused_total{kind=\"403\"} 0",
            "starling_relay_dropped_total{kind=\"no_permission\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
