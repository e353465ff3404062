//! Two hundred seeds over small versions of the scenarios.
//!
//! Proves for each: what is delivered is right in every step, every honest viewer plays to the end (both
//! are in [`Report::problems`]), and a floor on offload, stalls and bytes fetched twice holds. Floors are
//! set below what most seeds reach: they catch a broken schedule, not a slightly worse one. A failing
//! seed is printed first; `cargo xtask sim --small --scenario S --seed N` replays it.

use serde::Deserialize;
use workspace_tests::sim::{NAMES, Options, Report, Scenario, run};

/// Seeds of each scenario: 15 scenarios, about 200 runs.
const SEEDS: std::ops::Range<u64> = 1..15;

/// What a scenario must reach with every seed.
#[derive(Debug, Clone, Copy)]
struct Floor {
    offload_percent: f64,
    stalls: u32,
    twice_percent: f64,
}

/// Nothing is asked but safety and liveness.
const SAFE: Floor = Floor { offload_percent: 0.0, stalls: u32::MAX, twice_percent: f64::MAX };

fn small(name: &str) -> Scenario {
    Scenario::named(name).expect("a name of the list").small()
}

fn play(scenario: &Scenario, seed: u64) -> Report {
    run(scenario, &Options { seed, ..Options::default() }, &mut |_| {})
}

/// Why a run is not good enough.
fn faults(report: &Report, floor: Floor) -> Vec<String> {
    let mut faults = report.problems.clone();
    let offload = report.offload_percent;
    if offload < floor.offload_percent {
        faults.push(format!("offload {offload} %, at least {} % expected", floor.offload_percent));
    }
    if report.stalls > floor.stalls {
        let (stalls, ms) = (report.stalls, report.stall_ms);
        faults.push(format!("{stalls} stalls of {ms} ms, at most {} expected", floor.stalls));
    }
    let twice = report.twice_percent;
    if twice > floor.twice_percent {
        faults.push(format!("{twice} % twice, at most {} % expected", floor.twice_percent));
    }
    faults
}

fn check(name: &str, floor: Floor) {
    let scenario = small(name);
    let mut failed = Vec::new();
    for seed in SEEDS {
        let faults = faults(&play(&scenario, seed), floor);
        if !faults.is_empty() {
            failed.push(format!("seed {seed} of {name}: {}", faults.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

macro_rules! scenarios {
    ($($test:ident: $name:literal, $offload:literal, $stalls:expr, $twice:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let floor = Floor {
                    offload_percent: $offload,
                    stalls: $stalls,
                    twice_percent: $twice,
                };
                check($name, floor);
            }
        )*

        #[test]
        fn every_scenario_is_in_the_suite() {
            assert_eq!(NAMES, [$($name),*]);
        }
    };
}

scenarios! {
    vod_on_loopback: "vod-loopback", 40.0, 0, 2.0;
    vod_on_home_lines: "vod-home", 60.0, 0, 8.0;
    live_on_loopback: "live", 52.0, 0, 10.0;
    live_on_home_lines: "live-home", 58.0, 0, 15.0;
    an_origin_with_a_cap: "origin-capped", 75.0, 8, 2.0;
    a_crowd_at_once: "flash-crowd", 75.0, 0, 2.0;
    a_crowd_at_once_on_home_lines: "flash-home", 72.0, 10, 6.0;
    a_ladder_on_home_lines: "abr-home", 55.0, 0, 12.0;
    viewers_that_come_and_go: "churn", 58.0, 0, 10.0;
    peers_with_slow_lines: "slow-peers", 55.0, 2, 22.0;
    paths_that_lose: "lossy", 58.0, 0, 8.0;
    peers_that_lie: "liars", 30.0, 0, 5.0;
    an_origin_that_fails: "origin-fails", 38.0, 0, 8.0;
    a_network_that_is_cut: "network-cut", 50.0, 6, 12.0;
    a_partition: "partition", 52.0, 0, 10.0;
}

/// A seed that once showed a bug: a file of `sim/seeds/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// What went wrong.
    note: String,
    scenario: String,
    seed: u64,
    /// The small version; otherwise the usual one.
    #[serde(default)]
    small: bool,
    viewers: Option<u32>,
    bit_rate: Option<u64>,
    /// Most stalls allowed.
    stalls: Option<u32>,
    /// Most bytes twice, in percent.
    twice_percent: Option<f64>,
    /// Least offload, in percent.
    offload_percent: Option<f64>,
}

#[test]
fn seeds_of_fixed_bugs_stay_fixed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sim/seeds");
    let mut failed = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of kept seeds") {
        let path = entry.expect("a readable folder").path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a readable file");
        let kept: Kept = serde_json::from_str(&text).expect("a kept seed");
        let mut scenario = Scenario::named(&kept.scenario).expect("a known scenario");
        if kept.small {
            scenario = scenario.small();
        }
        if let Some(viewers) = kept.viewers {
            scenario = scenario.with_viewers(viewers);
        }
        if let Some(bits_per_s) = kept.bit_rate {
            scenario = scenario.with_bit_rate(bits_per_s);
        }
        let floor = Floor {
            offload_percent: kept.offload_percent.unwrap_or(SAFE.offload_percent),
            stalls: kept.stalls.unwrap_or(SAFE.stalls),
            twice_percent: kept.twice_percent.unwrap_or(SAFE.twice_percent),
        };
        let faults = faults(&play(&scenario, kept.seed), floor);
        if !faults.is_empty() {
            failed.push(format!("{}: {}: {}", path.display(), kept.note, faults.join("; ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_seed_replays() {
    let json = |seed| serde_json::to_string(&play(&small("churn"), seed)).expect("plain values");
    assert_eq!(json(3), json(3));
    assert_ne!(json(3), json(4));
}

#[test]
fn without_peers_the_origin_serves_everything() {
    let mut scenario = small("vod-home");
    scenario.plain = true;
    let report = play(&scenario, 1);
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!((report.peer_bytes, report.stalls), (0, 0));
    assert!(report.saved_percent < 0.01, "{}", report.saved_percent);
}

#[test]
fn liars_are_cut_and_nothing_wrong_is_played() {
    let report = play(&small("liars"), 1);
    assert_eq!(report.problems, Vec::<String>::new());
    let corrupter = &report.each[0];
    let others = report.each.iter().skip(3);
    let least = others.map(|viewer| viewer.upload_bytes).min().unwrap_or(0);
    // Cut by each neighbour at its first wrong piece, it sends next to nothing.
    assert!(corrupter.upload_bytes > 0, "the corrupter was never asked: the scenario is idle");
    assert!(corrupter.upload_bytes < least, "{} < {least}", corrupter.upload_bytes);
}
