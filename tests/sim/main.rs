//! `cargo xtask sim`: runs scenarios and prints what they come to.

#![allow(clippy::print_stdout, reason = "a command line prints")]

use std::{sync::OnceLock, time::Instant};

use clap::Parser;
use workspace_tests::sim::{NAMES, Options, Report, Scenario, run, seconds, table};

/// Segments in memory of each of many viewers.
const MANY_MEMORY_BYTES: u64 = 1 << 19;

/// Replays a scenario of the swarm simulator from its seed and prints the table.
#[derive(Debug, Parser)]
#[command(name = "sim", after_help = scenario_help())]
struct Arguments {
    /// Scenarios, separated by commas; `all` for each of them.
    #[arg(long, default_value = "vod-home", value_delimiter = ',')]
    scenario: Vec<String>,
    /// The seed; of several runs, the first.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds to run, one after the other.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Number of viewers. More than 200 play a video of 260 kbit/s, unless `--bit-rate` says otherwise.
    #[arg(long)]
    viewers: Option<u32>,
    /// Bits per second of the (first) rendition. Lines stay as they are.
    #[arg(long)]
    bit_rate: Option<u64>,
    /// The small version that the suite runs.
    #[arg(long)]
    small: bool,
    /// Segments of a video on demand.
    #[arg(long)]
    segments: Option<u32>,
    /// No peers: what plain HTTP would do.
    #[arg(long)]
    plain: bool,
    /// Shows every input and output of this viewer (0 is the first to join).
    #[arg(long, value_name = "PEER")]
    trace: Option<usize>,
    /// Shows a line for each viewer.
    #[arg(long)]
    each: bool,
    /// Shows each origin fetch that brought what the swarm had already.
    #[arg(long)]
    fetches: bool,
    /// Prints JSON instead of the table.
    #[arg(long)]
    json: bool,
}

fn scenario_help() -> String {
    format!("Scenarios: {}", NAMES.join(", "))
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let all = arguments.scenario.iter().any(|name| name == "all");
    let names: Vec<&str> =
        if all { NAMES.to_vec() } else { arguments.scenario.iter().map(String::as_str).collect() };
    let mut reports = Vec::new();
    for name in names {
        let scenario = scenario(name, &arguments)?;
        for seed in arguments.seed..arguments.seed + arguments.seeds.max(1) {
            let options = Options { seed, trace: arguments.trace, stopwatch: Some(nanoseconds) };
            reports.push(run(&scenario, &options, &mut |line| println!("{line}")));
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else {
        print(&reports, &arguments);
    }
    anyhow::ensure!(reports.iter().all(|r| r.problems.is_empty()), "a law of the swarm was broken");
    Ok(())
}

fn scenario(name: &str, arguments: &Arguments) -> anyhow::Result<Scenario> {
    let Some(mut scenario) = Scenario::named(name) else {
        anyhow::bail!("no scenario is called {name}; there are {}", NAMES.join(", "));
    };
    if arguments.small {
        scenario = scenario.small();
    }
    if let Some(viewers) = arguments.viewers {
        scenario = scenario.with_viewers(viewers);
    }
    let many = scenario.viewers > 200;
    if let Some(bits_per_s) = arguments.bit_rate.or(many.then_some(260_000)) {
        scenario = scenario.with_bit_rate(bits_per_s);
    }
    if many {
        // The store costs the simulator nothing, memory does.
        scenario.memory_bytes = Some(MANY_MEMORY_BYTES);
    }
    if let Some(segments) = arguments.segments {
        scenario.segments = segments.max(1);
    }
    scenario.plain = arguments.plain;
    Ok(scenario)
}

fn print(reports: &[Report], arguments: &Arguments) {
    print!("{}", table(reports));
    if reports.len() > 1 {
        print_worst(reports);
    }
    for report in reports {
        if reports.len() == 1 || arguments.each || arguments.fetches {
            print_details(report, arguments);
        }
        for problem in &report.problems {
            println!("BROKEN {} seed {}: {problem}", report.scenario, report.seed);
        }
    }
    if let Some(peak) = peak_memory_kib() {
        println!("peak memory of this process: {} MiB", peak / 1024);
    }
}

/// The seeds to look at first.
fn print_worst(reports: &[Report]) {
    let by_offload = reports.iter().min_by(|a, b| a.offload_percent.total_cmp(&b.offload_percent));
    let by_stalls = reports.iter().max_by_key(|report| report.stall_ms);
    if let (Some(offload), Some(stalls)) = (by_offload, by_stalls) {
        println!(
            "least offload: {} seed {}; longest stalls: {} seed {} ({} ms)",
            offload.scenario, offload.seed, stalls.scenario, stalls.seed, stalls.stall_ms
        );
    }
}

fn print_details(report: &Report, arguments: &Arguments) {
    println!(
        "{} seed {}: {:.1} s simulated, {} events, {} control frames/s, up to {} neighbours and \
         {} bytes unsent, slowest step {} us, jumps {}, failures {}, best rendition {:.0} %",
        report.scenario,
        report.seed,
        seconds(report.simulated_ms),
        report.events,
        report.control_frames_per_s,
        report.neighbours_max,
        report.unsent_bytes_max,
        report.step_ns_max / 1000,
        report.jumps,
        report.failures,
        report.best_track_percent,
    );
    println!(
        "origin bytes by what the others had when they were asked for (needed: nobody had them when they came):"
    );
    for reason in &report.origin {
        println!(
            "  {:<30} {:>6} fetches, needed {:>12}, again {:>12}",
            reason.around, reason.fetches, reason.first_bytes, reason.again_bytes
        );
    }
    if arguments.each {
        print_each(report);
    }
    if arguments.fetches {
        for note in &report.fetches {
            let due = note.due_in_ms.map_or_else(|| "?".to_owned(), |due| format!("{due} ms"));
            println!(
                "  {:>8} ms v{:<4} {:>8} {:>8}..{:<8} due in {due:>9}, again {:>8}: {}",
                note.at_ms,
                note.viewer,
                note.segment,
                note.from,
                note.to,
                note.again_bytes,
                note.around
            );
        }
    }
}

fn print_each(report: &Report) {
    println!(
        "viewer  joined  startup stalls      ms     origin      peers     upload      twice    control  nb"
    );
    for viewer in &report.each {
        let startup = viewer.startup_ms.map_or_else(|| "never".to_owned(), |ms| ms.to_string());
        let state = match (viewer.left, viewer.ended, viewer.honest) {
            (_, _, false) => "liar",
            (true, ..) => "left",
            (false, true, true) => "",
            (false, false, true) => "NOT ENDED",
        };
        println!(
            "{:>6} {:>7} {:>8} {:>6} {:>7} {:>10} {:>10} {:>10} {:>10} {:>10} {:>3} {state}",
            viewer.viewer,
            viewer.joined_ms,
            startup,
            viewer.stalls,
            viewer.stall_ms,
            viewer.origin_bytes,
            viewer.peer_bytes,
            viewer.upload_bytes,
            viewer.twice_bytes,
            viewer.control_bytes,
            viewer.neighbours_max
        );
    }
}

/// Nanoseconds since the first call. Only the cost column depends on it.
fn nanoseconds() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The most memory this process ever held, where the system tells.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
