//! What a run comes to, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use primitives::{SegmentId, Time};
use serde::Serialize;

use super::{
    audit::{Around, Audit},
    player::Phase,
    scenario::Scenario,
    viewer::{Role, Viewer},
};

/// One run in numbers. All but the cost of steps follows from scenario and seed.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// Viewers that joined.
    pub viewers: usize,
    /// Simulated time, in milliseconds.
    pub simulated_ms: u64,
    /// Share of the media bytes that came from peers, in percent.
    pub offload_percent: f64,
    /// The same if each byte that is played had left the origin once.
    pub ideal_percent: f64,
    /// What the origin sent compared with serving every viewer itself: 100 is nothing at all.
    pub saved_percent: f64,
    /// Bytes received beyond what was received once, in percent of that.
    pub twice_percent: f64,
    /// Media bytes the origin sent.
    pub origin_bytes: u64,
    /// Media bytes that came from peers.
    pub peer_bytes: u64,
    /// From opening the page to the first segment in the player: median, in milliseconds.
    pub startup_ms_median: u64,
    /// The longest.
    pub startup_ms_max: u64,
    /// Stalls of all honest viewers.
    pub stalls: u32,
    /// Their time in all, in milliseconds.
    pub stall_ms: u64,
    /// What players had buffered ahead on average, from 15 s after they came, in milliseconds: a shield
    /// against what comes. hls.js alone keeps about 30 s.
    pub ahead_ms: u64,
    /// Times a player fell out of the live window.
    pub jumps: u32,
    /// Requests of players that the swarm failed.
    pub failures: u32,
    /// Share of the segments played in the best rendition, in percent.
    pub best_track_percent: f64,
    /// Control bytes each viewer sends per second.
    pub control_bytes_per_s: u64,
    /// Control frames each viewer sends per second.
    pub control_frames_per_s: u64,
    /// Steps of each viewer per second.
    pub steps_per_s: u64,
    /// Cost of a step in nanoseconds, on average; 0 without a stopwatch.
    pub step_ns: u64,
    /// The longest step in nanoseconds.
    pub step_ns_max: u64,
    /// Most payload bytes that lay unsent at one neighbour's channel.
    pub unsent_bytes_max: u64,
    /// Most neighbours of a viewer.
    pub neighbours_max: usize,
    /// Events of the network: what the run cost.
    pub events: u64,
    /// Why the origin was asked.
    pub origin: Vec<OriginReason>,
    /// Each viewer.
    pub each: Vec<ViewerReport>,
    /// Fetches that brought what the swarm had already.
    pub fetches: Vec<FetchNote>,
    /// Laws that were broken. Empty in a good run.
    pub problems: Vec<String>,
}

/// Origin bytes by what the rest of the swarm had when they were asked for.
#[derive(Debug, Clone, Serialize)]
pub struct OriginReason {
    /// What the rest of the swarm had.
    pub around: &'static str,
    /// Fetches.
    pub fetches: usize,
    /// Bytes nobody had when they came: these had to leave the origin.
    pub first_bytes: u64,
    /// Bytes somebody had.
    pub again_bytes: u64,
}

/// One fetch of something the swarm had.
#[derive(Debug, Clone, Serialize)]
pub struct FetchNote {
    /// When it started, in milliseconds.
    pub at_ms: u64,
    /// Who.
    pub viewer: usize,
    /// What.
    pub segment: String,
    /// First byte.
    pub from: u32,
    /// One past the last.
    pub to: u32,
    /// What the rest of the swarm had.
    pub around: &'static str,
    /// Milliseconds until its due time.
    pub due_in_ms: Option<i64>,
    /// Bytes that somebody had.
    pub again_bytes: u64,
}

/// One viewer.
#[derive(Debug, Clone, Serialize)]
pub struct ViewerReport {
    /// Its number.
    pub viewer: usize,
    /// When it joined, in milliseconds.
    pub joined_ms: u64,
    /// Whether it left before the end.
    pub left: bool,
    /// Whether it behaved.
    pub honest: bool,
    /// Whether it played to the end.
    pub ended: bool,
    /// From opening the page to the first segment; `None`: never.
    pub startup_ms: Option<u64>,
    /// Stalls.
    pub stalls: u32,
    /// Their time.
    pub stall_ms: u64,
    /// From the origin.
    pub origin_bytes: u64,
    /// From peers.
    pub peer_bytes: u64,
    /// To peers.
    pub upload_bytes: u64,
    /// Came twice.
    pub twice_bytes: u64,
    /// Control bytes sent.
    pub control_bytes: u64,
    /// Most neighbours at a time.
    pub neighbours_max: usize,
}

/// What a report is made of.
pub(crate) struct Run<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) seed: u64,
    pub(crate) now: Time,
    pub(crate) events: u64,
    pub(crate) viewers: &'a [Viewer],
    pub(crate) audit: &'a Audit,
    /// By viewer: what the origin sent it.
    pub(crate) served_bytes: &'a [u64],
    pub(crate) played: &'a BTreeMap<SegmentId, u64>,
    pub(crate) played_bytes: u64,
    pub(crate) problems: Vec<String>,
}

impl Report {
    pub(crate) fn new(run: Run<'_>) -> Self {
        let each: Vec<ViewerReport> =
            run.viewers.iter().enumerate().map(|(v, viewer)| one(&run, v, viewer)).collect();
        let honest = || each.iter().filter(|viewer| viewer.honest);
        let mut startups: Vec<u64> = honest().filter_map(|viewer| viewer.startup_ms).collect();
        startups.sort_unstable();
        let origin_bytes: u64 = run.served_bytes.iter().sum();
        let peer_bytes: u64 = each.iter().map(|viewer| viewer.peer_bytes).sum();
        let once_bytes: u64 = run.audit.once_bytes.iter().sum();
        let unique_bytes: u64 = run.played.values().sum();
        let counts = || run.viewers.iter().map(|viewer| &viewer.counts);
        let present_s = counts().map(|counts| counts.present_ms).sum::<u64>() / 1000;
        let steps: u64 = counts().map(|counts| counts.steps).sum();
        let step_ns: u64 = counts().map(|counts| counts.step_ns).sum();
        let scores = || run.viewers.iter().filter_map(|v| v.player().map(|player| &player.score));
        let saved_bytes = run.played_bytes.saturating_sub(origin_bytes);
        Self {
            scenario: run.scenario.name.to_owned(),
            seed: run.seed,
            viewers: run.viewers.len(),
            simulated_ms: run.now.as_ms(),
            offload_percent: percent(peer_bytes, peer_bytes + origin_bytes),
            ideal_percent: percent(run.played_bytes - unique_bytes, run.played_bytes),
            saved_percent: percent(saved_bytes, run.played_bytes),
            twice_percent: percent(
                (origin_bytes + peer_bytes).saturating_sub(once_bytes),
                once_bytes,
            ),
            origin_bytes,
            peer_bytes,
            startup_ms_median: startups.get(startups.len() / 2).copied().unwrap_or(0),
            startup_ms_max: startups.last().copied().unwrap_or(0),
            stalls: honest().map(|viewer| viewer.stalls).sum(),
            stall_ms: honest().map(|viewer| viewer.stall_ms).sum(),
            ahead_ms: scores().map(|score| score.ahead_ms.0).sum::<u64>()
                / scores().map(|score| score.ahead_ms.1).sum::<u64>().max(1),
            jumps: scores().map(|score| score.jumps).sum(),
            failures: scores().map(|score| score.failures).sum(),
            best_track_percent: best_track(run.scenario, run.viewers),
            control_bytes_per_s: counts().map(|c| c.control_out_bytes).sum::<u64>()
                / present_s.max(1),
            control_frames_per_s: counts().map(|c| c.control_out_frames).sum::<u64>()
                / present_s.max(1),
            steps_per_s: steps / present_s.max(1),
            step_ns: step_ns / steps.max(1),
            step_ns_max: counts().map(|counts| counts.step_ns_max).max().unwrap_or(0),
            unsent_bytes_max: counts().map(|counts| counts.unsent_bytes_max).max().unwrap_or(0),
            neighbours_max: counts().map(|counts| counts.neighbours_max).max().unwrap_or(0),
            events: run.events,
            origin: reasons(run.audit),
            fetches: wasted_fetches(run.audit),
            each,
            problems: run.problems,
        }
    }

    /// Microseconds of computing per second and viewer.
    pub fn step_us_per_s(&self) -> u64 {
        self.steps_per_s * self.step_ns / 1000
    }
}

fn one(run: &Run<'_>, number: usize, viewer: &Viewer) -> ViewerReport {
    let player = viewer.player();
    let score = player.map(|player| player.score.clone()).unwrap_or_default();
    ViewerReport {
        viewer: number,
        joined_ms: viewer.joined_at.as_ms(),
        left: viewer.left,
        honest: viewer.role == Role::Honest,
        ended: player.is_some_and(|player| player.phase == Phase::Ended),
        startup_ms: score.startup.map(|startup| ms(startup.as_millis())),
        stalls: score.stalls,
        stall_ms: ms(score.stalled.as_millis()),
        origin_bytes: run.served_bytes[number],
        peer_bytes: viewer.counts.payload_in_bytes,
        upload_bytes: viewer.counts.payload_out_bytes,
        twice_bytes: run.audit.twice_bytes[number],
        control_bytes: viewer.counts.control_out_bytes,
        neighbours_max: viewer.counts.neighbours_max,
    }
}

fn reasons(audit: &Audit) -> Vec<OriginReason> {
    let reason = |around: Around| {
        let notes = || audit.notes.iter().filter(move |note| note.around == around);
        OriginReason {
            around: around.name(),
            fetches: notes().count(),
            first_bytes: notes().map(|note| note.first_bytes).sum(),
            again_bytes: notes().map(|note| note.again_bytes).sum(),
        }
    };
    Around::ALL.into_iter().map(reason).filter(|reason| reason.fetches > 0).collect()
}

fn wasted_fetches(audit: &Audit) -> Vec<FetchNote> {
    let wasted = audit.notes.iter().filter(|note| note.again_bytes > 0);
    wasted
        .map(|note| FetchNote {
            at_ms: note.at.as_ms(),
            viewer: note.viewer,
            segment: note.segment.to_string(),
            from: note.from,
            to: note.to,
            around: note.around.name(),
            due_in_ms: note.due_in_ms,
            again_bytes: note.again_bytes,
        })
        .collect()
}

fn best_track(scenario: &Scenario, viewers: &[Viewer]) -> f64 {
    let best = (0..scenario.bits_per_s.len()).max_by_key(|track| scenario.bits_per_s[*track]);
    let scores = || viewers.iter().filter_map(|v| v.player().map(|player| &player.score));
    let of = |track: usize| {
        scores().filter_map(|s| s.segments_by_track.get(track)).copied().map(u64::from).sum::<u64>()
    };
    let all = (0..scenario.bits_per_s.len()).map(of).sum();
    percent(best.map_or(0, of), all)
}

/// `part` of `whole` in percent, with two digits behind the point.
pub fn percent(part: u64, whole: u64) -> f64 {
    let hundredths = u128::from(part) * 10_000 / u128::from(whole.max(1));
    f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
}

/// Milliseconds as seconds.
pub fn seconds(ms: u64) -> f64 {
    f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0
}

fn ms(millis: u128) -> u64 {
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// Runs as lines of one table.
pub fn table(reports: &[Report]) -> String {
    let mut text = String::new();
    let head = [
        "scenario", "seed", "n", "offload", "ideal", "saved", "startup", "max", "stalls", "ms",
        "ahead", "twice", "ctl B/s", "steps/s", "ns/step", "us/s", "bad",
    ];
    let widths = [14, 5, 6, 8, 7, 7, 8, 7, 7, 8, 7, 7, 8, 8, 8, 6, 4];
    let line = |cells: &[String]| {
        let cells = cells.iter().zip(widths).enumerate();
        let aligned: Vec<String> = cells
            .map(
                |(i, (cell, width))| {
                    if i == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        aligned.join(" ")
    };
    let _ = writeln!(text, "{}", line(&head.map(str::to_owned)));
    for report in reports {
        let _ = writeln!(text, "{}", line(&cells(report)));
    }
    text
}

fn cells(report: &Report) -> Vec<String> {
    let share = |percent: f64| format!("{percent:.1} %");
    vec![
        report.scenario.clone(),
        report.seed.to_string(),
        report.viewers.to_string(),
        share(report.offload_percent),
        share(report.ideal_percent),
        share(report.saved_percent),
        report.startup_ms_median.to_string(),
        report.startup_ms_max.to_string(),
        report.stalls.to_string(),
        report.stall_ms.to_string(),
        format!("{:.1} s", seconds(report.ahead_ms)),
        share(report.twice_percent),
        report.control_bytes_per_s.to_string(),
        report.steps_per_s.to_string(),
        report.step_ns.to_string(),
        report.step_us_per_s().to_string(),
        report.problems.len().to_string(),
    ]
}
