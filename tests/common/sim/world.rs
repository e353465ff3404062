//! The event loop: the network's happenings become inputs, outputs become calls of the network.

mod driving;
mod joining;
mod watching;
mod web;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use netsim::{Access, Happening, HostId, HttpServer, Lane, Network};
use primitives::{PeerId, Rng, Seed, SegmentId, Time};
use swarm::{FetchId, Input};

use super::{
    audit::Audit,
    content::Content,
    player::Phase,
    report::Report,
    scenario::Scenario,
    trace::Trace,
    tracker::Tracker,
    viewer::{Job, Viewer},
};

/// How a run is made and watched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Everything by chance follows from it.
    pub seed: u64,
    /// The viewer whose inputs and outputs are shown.
    pub trace: Option<usize>,
    /// A clock in nanoseconds, to measure what a step costs. Nothing depends on it.
    pub stopwatch: Option<fn() -> u64>,
}

/// Runs a scenario to its end. `show` gets the lines of the trace.
pub fn run(scenario: &Scenario, options: &Options, show: &mut dyn FnMut(&str)) -> Report {
    let mut world = World::new(scenario.clone(), *options);
    while !world.is_over() {
        let Some((now, happening)) = world.net.next() else { break };
        if now > world.deadline {
            break;
        }
        world.on_happening(happening);
        world.work();
        if let Some(trace) = &mut world.trace {
            trace.take().iter().for_each(|line| show(line));
        }
    }
    world.finish()
}

/// What timers mean.
#[derive(Debug)]
enum Timer {
    /// A viewer opens the page.
    Join(usize),
    Leave(usize),
    /// Its playlists are loaded, or loaded again.
    Playlist(usize),
    /// The playlist of another rendition is loaded; the player waits for this segment.
    Listed(usize, SegmentId),
    Player(usize),
    Playhead(usize),
    Wake(usize),
    /// The signaling server answers.
    Introduce(usize, usize),
    Connect(usize, usize),
    Boast(usize, usize),
    Proof(usize, SegmentId),
    Loaded(usize, SegmentId),
    /// A fetch is looked at for progress.
    Patience(usize, FetchId),
    CutStarts,
    CutEnds,
}

/// Problems kept; the first say most.
const PROBLEMS_MAX: usize = 20;
/// The origin is host 0, viewer `i` is host `i + 1`.
const ORIGIN: HostId = HostId(0);

struct World {
    scenario: Scenario,
    options: Options,
    seed: Seed,
    rng: Rng,
    net: Network<Timer>,
    content: Content,
    viewers: Vec<Viewer>,
    by_peer: BTreeMap<PeerId, usize>,
    tracker: Tracker,
    audit: Audit,
    trace: Option<Trace>,
    jobs: VecDeque<(usize, Job)>,
    problems: Vec<String>,
    deadline: Time,
    /// Viewers whose end is waited for.
    unfinished: BTreeSet<usize>,
    played: BTreeMap<SegmentId, u64>,
    played_bytes: u64,
}

impl World {
    fn new(scenario: Scenario, options: Options) -> Self {
        let seed = Seed::from_number(options.seed).derive(scenario.name);
        let content = Content::new(seed, scenario.bits_per_s.clone(), scenario.segment);
        let mut net = Network::new(seed);
        let access = Access {
            up_bits_per_s: scenario.origin_bits_per_s,
            up_queue: Duration::from_millis(20),
            ..Access::UNLIMITED
        };
        let mut server = HttpServer::new(scenario.think, scenario.client_bits_per_s);
        server.faults.clone_from(&scenario.faults);
        net.add_server(access, server);
        let ends_at = scenario.ends_at();
        let mut world = Self {
            tracker: Tracker::new(seed),
            rng: seed.derive("world").rng(),
            trace: options.trace.map(Trace::new),
            deadline: ends_at + ends_at.since(Time::ZERO) + Duration::from_secs(60),
            scenario,
            options,
            seed,
            net,
            content,
            viewers: Vec::new(),
            by_peer: BTreeMap::new(),
            audit: Audit::default(),
            jobs: VecDeque::new(),
            problems: Vec::new(),
            unfinished: BTreeSet::new(),
            played: BTreeMap::new(),
            played_bytes: 0,
        };
        world.plan_joins();
        if let Some(cut) = world.scenario.cut {
            world.net.set_timer(cut.from, Timer::CutStarts);
            world.net.set_timer(cut.until, Timer::CutEnds);
        }
        world
    }

    fn is_over(&self) -> bool {
        self.unfinished.is_empty()
    }

    /// There and back to the origin, and what it adds.
    fn origin_answer_time(&self) -> Duration {
        self.scenario.origin_one_way * 2 + self.scenario.think
    }

    fn on_happening(&mut self, happening: Happening<Timer>) {
        match happening {
            Happening::Timer(timer) => self.on_timer(timer),
            Happening::Message { to, from, lane, bytes } => {
                let (viewer, from) = (viewer_of(to), viewer_of(from));
                self.on_message(viewer, from, lane, bytes);
            }
            Happening::Sent { from, to, bytes } => {
                self.on_sent(viewer_of(from), viewer_of(to), bytes);
            }
            Happening::Closed { host, peer } => self.on_closed(viewer_of(host), viewer_of(peer)),
            Happening::Chunk { client, number, from, to, last } => {
                self.on_chunk(viewer_of(client), FetchId(number), (from, to), last);
            }
            Happening::GetFailed { client, number, status } => {
                self.on_get_failed(viewer_of(client), FetchId(number), status);
            }
        }
    }

    fn on_timer(&mut self, timer: Timer) {
        match timer {
            Timer::Join(viewer) => self.join(viewer),
            Timer::Leave(viewer) => self.leave(viewer),
            Timer::Playlist(viewer) => self.load_playlist(viewer),
            Timer::Listed(viewer, segment) => self.track_listed(viewer, segment),
            Timer::Player(viewer) => self.player_timer(viewer),
            Timer::Playhead(viewer) => self.playhead_timer(viewer),
            Timer::Wake(viewer) => self.wake_timer(viewer),
            Timer::Introduce(viewer, wanted) => self.introduce(viewer, wanted),
            Timer::Connect(viewer, other) => self.connect(viewer, other),
            Timer::Boast(viewer, other) => self.boast(viewer, other),
            Timer::Proof(viewer, segment) => {
                let proof = self.content.proof(segment);
                self.queue(viewer, Job::Plain(Input::Proof { segment, proof }));
            }
            Timer::Loaded(viewer, segment) => self.queue(viewer, Job::Loaded(segment)),
            Timer::Patience(viewer, fetch) => self.look_for_progress(viewer, fetch),
            Timer::CutStarts => self.set_cut(true),
            Timer::CutEnds => self.set_cut(false),
        }
    }

    fn on_message(&mut self, viewer: usize, from: usize, lane: Lane, bytes: Vec<u8>) {
        if lane == Lane::Payload {
            self.note_data(viewer, from, &bytes);
        }
        let from = self.viewers[from].id;
        self.queue(viewer, Job::Frame { from, bytes });
    }

    /// Puts an input into a viewer's queue, if it is there.
    fn queue(&mut self, viewer: usize, job: Job) {
        if self.viewers[viewer].life.is_some() {
            self.jobs.push_back((viewer, job));
        }
    }

    fn problem(&mut self, viewer: usize, text: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            let at_ms = self.net.now().as_ms();
            self.problems.push(format!("{at_ms} ms, viewer {viewer}: {text}"));
        }
    }

    fn finish(mut self) -> Report {
        let now = self.net.now();
        for viewer in 0..self.viewers.len() {
            let subject = &self.viewers[viewer];
            let Some(life) = &subject.life else { continue };
            let ended = life.player.phase == Phase::Ended;
            if subject.must_finish() && !ended {
                let head = life.player.playhead(now);
                let (phase, waits_for) = (life.player.phase, life.player.waits_for);
                let text = format!(
                    "did not play to the end: {phase:?} at {} ms, waits for {waits_for:?}",
                    head.position_ms
                );
                self.problem(viewer, &text);
            }
            let subject = &mut self.viewers[viewer];
            subject.counts.present_ms = now.as_ms() - subject.joined_at.as_ms();
        }
        if let Some(missing) = self.unfinished.iter().find(|v| self.viewers[**v].life.is_none()) {
            let missing = *missing;
            self.problem(missing, "never joined");
        }
        let served_bytes: Vec<u64> =
            self.viewers.iter().map(|viewer| self.net.traffic(viewer.host).served_bytes).collect();
        Report::new(super::report::Run {
            scenario: &self.scenario,
            seed: self.options.seed,
            now,
            events: self.net.events_done(),
            viewers: &self.viewers,
            audit: &self.audit,
            served_bytes: &served_bytes,
            played: &self.played,
            played_bytes: self.played_bytes,
            problems: self.problems,
        })
    }
}

const fn host_number(viewer: usize) -> usize {
    viewer + 1
}

fn viewer_of(host: HostId) -> usize {
    host.index() - host_number(0)
}
