//! Fuzz targets: functions that take any bytes and must not panic.
//!
//! Two things feed them: libFuzzer on nightly (`fuzz_targets/`, coverage-guided, for long runs) and
//! [`soak`] on stable (mutations of valid inputs, for every push).

pub mod soak;
pub mod targets;

/// One function under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As on the command line.
    pub name: &'static str,
    /// Takes any bytes; panics when something that must hold does not.
    pub run: fn(&[u8]),
    /// Valid inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "alerts", run: targets::alerts::run, seeds: targets::alerts::seeds },
    Target { name: "content", run: targets::content::run, seeds: targets::content::seeds },
    Target {
        name: "channel_data",
        run: targets::channel_data::run,
        seeds: targets::channel_data::seeds,
    },
    Target {
        name: "decode_blocks",
        run: targets::decode_blocks::run,
        seeds: targets::decode_blocks::seeds,
    },
    Target {
        name: "decode_node",
        run: targets::decode_node::run,
        seeds: targets::decode_node::seeds,
    },
    Target {
        name: "decode_peer",
        run: targets::decode_peer::run,
        seeds: targets::decode_peer::seeds,
    },
    Target {
        name: "decode_signaling",
        run: targets::decode_signaling::run,
        seeds: targets::decode_signaling::seeds,
    },
    Target {
        name: "fund_reports",
        run: targets::fund_reports::run,
        seeds: targets::fund_reports::seeds,
    },
    Target {
        name: "light_client",
        run: targets::light_client::run,
        seeds: targets::light_client::seeds,
    },
    Target { name: "manifest", run: targets::manifest::run, seeds: targets::manifest::seeds },
    Target { name: "meter_data", run: targets::meter_data::run, seeds: targets::meter_data::seeds },
    Target { name: "near", run: targets::near::run, seeds: targets::near::seeds },
    Target { name: "payments", run: targets::payments::run, seeds: targets::payments::seeds },
    Target {
        name: "peer_inputs",
        run: targets::peer_inputs::run,
        seeds: targets::peer_inputs::seeds,
    },
    Target {
        name: "share_frames",
        run: targets::share_frames::run,
        seeds: targets::share_frames::seeds,
    },
    Target { name: "stun", run: targets::stun::run, seeds: targets::stun::seeds },
    Target {
        name: "turn_machine",
        run: targets::turn_machine::run,
        seeds: targets::turn_machine::seeds,
    },
    Target {
        name: "swarm_inputs",
        run: targets::swarm_inputs::run,
        seeds: targets::swarm_inputs::seeds,
    },
    Target { name: "tracker", run: targets::tracker::run, seeds: targets::tracker::seeds },
    Target {
        name: "transaction",
        run: targets::transaction::run,
        seeds: targets::transaction::seeds,
    },
    #[cfg(feature = "node")]
    Target { name: "validator", run: targets::validator::run, seeds: targets::validator::seeds },
    Target {
        name: "did_document",
        run: targets::did_document::run,
        seeds: targets::did_document::seeds,
    },
    Target { name: "request", run: targets::request::run, seeds: targets::request::seeds },
    Target { name: "sd_jwt", run: targets::sd_jwt::run, seeds: targets::sd_jwt::seeds },
    Target {
        name: "status_list",
        run: targets::status_list::run,
        seeds: targets::status_list::seeds,
    },
];
