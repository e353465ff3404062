//! Two and three swarms wired by hand: what a viewer gets, from whom, and what becomes of liars.
//!
//! The wire here is perfect and instant; networks are the simulator's matter.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use core::time::Duration;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use primitives::{PeerId, Seed, SegmentId, SwarmId, Time, sha256};
use swarm::{
    Channel, Config, Event, FetchId, HangupReason, Input, Output, Playhead, Proof, Swarm, Track,
    TrackSegment,
};

const SEGMENT_BYTES: usize = 200_000;
const SEGMENTS: u32 = 10;

fn content(segment: SegmentId) -> Vec<u8> {
    let mut rng = Seed::from_number(u64::from(segment.index)).rng();
    (0..SEGMENT_BYTES).map(|_| rng.u8(..)).collect()
}

/// What a player loaded by itself, from a line of 4 MB/s.
fn given(segment: SegmentId, bytes: Option<&[u8]>) -> Input<'_> {
    Input::Given { segment, bytes, took: Duration::from_millis(50) }
}

/// How a viewer's segments are proved.
#[derive(Clone, Copy)]
enum Mode {
    Pieces,
    Whole,
    Missing,
}

fn proof(mode: Mode, segment: SegmentId) -> Proof {
    let bytes = content(segment);
    match mode {
        Mode::Pieces => Proof::Pieces {
            segment_bytes: u32::try_from(bytes.len()).unwrap(),
            pieces: bytes.chunks(65_536).map(sha256).collect(),
        },
        Mode::Whole => Proof::Whole { sha256: sha256(&bytes) },
        Mode::Missing => Proof::Missing,
    }
}

struct Viewer {
    swarm: Swarm,
    mode: Mode,
    corrupts: bool,
    delivered: BTreeMap<SegmentId, Arc<[u8]>>,
    failed: Vec<(SegmentId, u16, bool)>,
    events: Vec<Event>,
    hangups: Vec<(PeerId, HangupReason)>,
    fetched_bytes: usize,
    /// Fetches that were the player's own load before, and those that were broken off.
    adopted: Vec<FetchId>,
    aborted: Vec<FetchId>,
    stored: BTreeMap<SegmentId, Arc<[u8]>>,
}

/// What follows from an output, at whom.
#[derive(Debug)]
enum Effect {
    Up(PeerId),
    Down(PeerId),
    Frame(PeerId, Vec<u8>),
    Sent(PeerId, u64),
    Proof(SegmentId),
    Load(SegmentId),
    Fetch(FetchId, SegmentId, u32, Option<u32>),
}

/// Viewers, the time, and what the origin does.
struct World {
    now: Time,
    effects: VecDeque<(PeerId, Effect)>,
    viewers: BTreeMap<PeerId, Viewer>,
    origin: fn(SegmentId) -> Option<Vec<u8>>,
}

fn peer(number: u8) -> PeerId {
    PeerId::new(*Seed::from_number(u64::from(number)).as_bytes())
}

impl World {
    fn new() -> Self {
        let origin = |segment| Some(content(segment));
        let effects = VecDeque::new();
        Self { now: Time::from_ms(1), effects, viewers: BTreeMap::new(), origin }
    }

    fn join(&mut self, number: u8, mode: Mode) {
        self.join_with(number, mode, Config::default());
    }

    fn join_with(&mut self, number: u8, mode: Mode, config: Config) {
        let id = peer(number);
        let swarm = Swarm::new(config, id, Seed::from_number(u64::from(number)), self.now);
        let viewer = Viewer {
            swarm,
            mode,
            corrupts: false,
            delivered: BTreeMap::new(),
            failed: Vec::new(),
            events: Vec::new(),
            hangups: Vec::new(),
            fetched_bytes: 0,
            adopted: Vec::new(),
            aborted: Vec::new(),
            stored: BTreeMap::new(),
        };
        self.viewers.insert(id, viewer);
        let segments = (0..SEGMENTS).map(|index| TrackSegment {
            index,
            start_ms: u64::from(index) * 4_000,
            duration_ms: 4_000,
        });
        let track = Track { track: 0, live: false, segments: segments.collect() };
        self.step(id, Input::Track(track));
    }

    fn connect(&mut self, a: u8, b: u8) {
        self.effects.push_back((peer(b), Effect::Up(peer(a))));
        self.step(peer(a), Input::PeerUp(peer(b)));
    }

    /// Gives one input, then everything that follows from it, in order, as a driver's queue does.
    fn step(&mut self, id: PeerId, input: Input<'_>) {
        self.give(id, input);
        let mut effects = 0;
        while let Some((to, effect)) = self.effects.pop_front() {
            effects += 1;
            assert!(effects < 10_000, "{to:?} goes round in circles with {effect:?}");
            match effect {
                Effect::Up(peer) => self.give(to, Input::PeerUp(peer)),
                Effect::Down(peer) => self.give(to, Input::PeerDown(peer)),
                Effect::Frame(from, bytes) => self.give(to, Input::Frame { from, bytes: &bytes }),
                Effect::Sent(peer, bytes) => self.give(to, Input::Sent { to: peer, bytes }),
                Effect::Proof(segment) => {
                    let proof = proof(self.viewers[&to].mode, segment);
                    self.give(to, Input::Proof { segment, proof });
                }
                Effect::Load(segment) => {
                    let bytes = self.viewers[&to].stored.get(&segment).cloned();
                    self.give(to, Input::Loaded { segment, bytes: bytes.as_deref() });
                }
                Effect::Fetch(fetch, segment, from, end) => {
                    self.answer(to, fetch, segment, from, end);
                }
            }
        }
    }

    fn give(&mut self, id: PeerId, input: Input<'_>) {
        let mut out = Vec::new();
        let now = self.now;
        let Some(viewer) = self.viewers.get_mut(&id) else { return };
        viewer.swarm.step(now, input, &mut out);
        for output in out {
            self.perform(id, output);
        }
    }

    fn perform(&mut self, id: PeerId, output: Output) {
        let viewer = self.viewers.get_mut(&id).unwrap();
        let mut then = |to, effect| self.effects.push_back((to, effect));
        match output {
            Output::Send { to, channel, mut bytes } => {
                let payload = channel == Channel::Payload;
                if viewer.corrupts && payload {
                    *bytes.last_mut().unwrap() ^= 1;
                }
                let length = u64::try_from(bytes.len()).unwrap();
                then(to, Effect::Frame(id, bytes));
                if payload {
                    then(id, Effect::Sent(to, length));
                }
            }
            Output::Hangup { peer, why } => {
                viewer.hangups.push((peer, why));
                then(peer, Effect::Down(id));
            }
            Output::Fetch { fetch, segment, from, to } => {
                then(id, Effect::Fetch(fetch, segment, from, to));
            }
            Output::Prove(segment) => then(id, Effect::Proof(segment)),
            Output::Store { segment, bytes } => {
                viewer.stored.insert(segment, bytes);
            }
            Output::Load(segment) => then(id, Effect::Load(segment)),
            Output::Deliver { segment, bytes, .. } => {
                viewer.delivered.insert(segment, bytes);
            }
            Output::Fail { segment, status, forged } => {
                viewer.failed.push((segment, status, forged))
            }
            Output::Event(event) => viewer.events.push(event),
            Output::Adopt { fetch, .. } => viewer.adopted.push(fetch),
            Output::AbortFetch(fetch) => viewer.aborted.push(fetch),
        }
    }

    fn answer(
        &mut self,
        id: PeerId,
        fetch: FetchId,
        segment: SegmentId,
        from: u32,
        to: Option<u32>,
    ) {
        let Some(bytes) = (self.origin)(segment) else {
            return self.give(id, Input::FetchFailed { fetch, status: 404 });
        };
        let size = u32::try_from(bytes.len()).unwrap();
        let range = usize::try_from(from).unwrap()..usize::try_from(to.unwrap_or(size)).unwrap();
        self.viewers.get_mut(&id).unwrap().fetched_bytes += range.len();
        let bytes = &bytes[range];
        self.give(id, Input::Fetched { fetch, segment_bytes: Some(size), bytes });
        self.give(id, Input::FetchEnded { fetch });
    }

    fn want(&mut self, number: u8, index: u32) {
        self.step(peer(number), Input::Want(SegmentId::new(0, index)));
    }

    fn play(&mut self, number: u8, position_ms: u64, buffered_ms: u64) {
        let playhead = Playhead { track: 0, position_ms, buffered_ms, rate_percent: 100 };
        self.step(peer(number), Input::Playback(playhead));
    }

    /// Lets time pass, every viewer ticking ten times a second.
    fn pass(&mut self, ms: u64) {
        for _ in 0..ms / 100 {
            self.now = self.now.offset_ms(100);
            let ids: Vec<PeerId> = self.viewers.keys().copied().collect();
            for id in ids {
                self.step(id, Input::Tick);
            }
        }
    }

    fn viewer(&self, number: u8) -> &Viewer {
        &self.viewers[&peer(number)]
    }
}

/// A leader that has everything and a follower that just came.
fn leader_and_follower(mode: Mode) -> World {
    let mut world = World::new();
    world.join(1, mode);
    world.step(peer(1), Input::SwarmSize(1));
    for index in 0..SEGMENTS {
        world.want(1, index);
    }
    assert_eq!(world.viewer(1).delivered.len(), 10);
    world.join(2, mode);
    world.connect(1, 2);
    world
}

#[test]
fn a_viewer_alone_gets_what_it_asks_for_at_once() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    world.step(peer(1), Input::SwarmSize(1));
    world.want(1, 0);
    let segment = SegmentId::new(0, 0);
    assert_eq!(*world.viewer(1).delivered[&segment], *content(segment));
    assert_eq!(world.viewer(1).fetched_bytes, SEGMENT_BYTES);
}

#[test]
fn a_follower_takes_what_a_neighbour_has() {
    for mode in [Mode::Pieces, Mode::Whole] {
        let mut world = leader_and_follower(mode);
        world.play(2, 0, 0);
        for index in 0..SEGMENTS {
            world.want(2, index);
            // What is due long from now comes at its own pace.
            world.pass(3_000);
        }
        assert_eq!(world.viewer(2).delivered.len(), 10);
        // The first segment is due at once, so the origin races the neighbour for it.
        assert!(world.viewer(2).fetched_bytes <= 2 * SEGMENT_BYTES);
        for (segment, bytes) in &world.viewer(2).delivered {
            assert_eq!(**bytes, *content(*segment));
        }
        let shown = world.viewer(2).swarm.view(world.now);
        let verified: u64 = shown.neighbours.iter().map(|one| one.verified_bytes).sum();
        assert!(
            verified > 0 && verified == shown.totals.peer_bytes,
            "all that was kept is counted"
        );
    }
}

#[test]
fn without_a_proof_nothing_is_taken_from_peers() {
    let mut world = leader_and_follower(Mode::Missing);
    for index in 0..3 {
        world.want(2, index);
        world.pass(20_000);
    }
    let follower = world.viewer(2);
    assert_eq!(follower.delivered.len(), 3);
    let received = |event: &Event| matches!(event, Event::Received { .. });
    assert!(!follower.events.iter().any(received));
}

#[test]
fn a_peer_that_changes_one_byte_is_cut_and_nothing_wrong_is_played() {
    for mode in [Mode::Pieces, Mode::Whole] {
        let mut world = leader_and_follower(mode);
        world.viewers.get_mut(&peer(1)).unwrap().corrupts = true;
        world.play(2, 0, 0);
        for index in 0..SEGMENTS {
            world.want(2, index);
            world.pass(1_000);
        }
        let follower = world.viewer(2);
        assert_eq!(follower.delivered.len(), 10);
        for (segment, bytes) in &follower.delivered {
            assert_eq!(**bytes, *content(*segment));
        }
        assert!(follower.hangups.contains(&(peer(1), HangupReason::WrongBytes)));
        let caught = Event::Misbehaved { peer: peer(1), why: HangupReason::WrongBytes };
        assert!(follower.events.contains(&caught));
        world.step(peer(2), Input::PeerUp(peer(1)));
        assert_eq!(world.viewer(2).hangups.last(), Some(&(peer(1), HangupReason::Replaced)));
    }
}

#[test]
fn with_several_givers_the_origins_copy_tells_who_lied() {
    let mut world = leader_and_follower(Mode::Whole);
    world.join(3, Mode::Whole);
    world.step(peer(3), Input::SwarmSize(1));
    for index in 0..SEGMENTS {
        world.want(3, index);
    }
    world.connect(3, 2);
    world.viewers.get_mut(&peer(3)).unwrap().corrupts = true;
    for index in 0..SEGMENTS {
        world.want(2, index);
        world.pass(15_000);
    }
    let follower = world.viewer(2);
    assert_eq!(follower.delivered.len(), 10);
    assert!(follower.delivered.iter().all(|(segment, bytes)| **bytes == *content(*segment)));
    assert!(
        !follower.hangups.contains(&(peer(1), HangupReason::WrongBytes)),
        "the honest one stays"
    );
}

#[test]
fn an_origin_that_fails_is_told_to_the_player() {
    let mut world = World::new();
    world.origin = |_| None;
    world.join(1, Mode::Pieces);
    world.step(peer(1), Input::SwarmSize(1));
    world.want(1, 0);
    assert_eq!(world.viewer(1).failed, [(SegmentId::new(0, 0), 404, false)]);
}

#[test]
fn an_origin_that_fails_does_not_matter_while_a_neighbour_has_it() {
    let mut world = leader_and_follower(Mode::Pieces);
    world.origin = |_| None;
    for index in 0..SEGMENTS {
        world.want(2, index);
        world.pass(1_000);
    }
    assert_eq!(world.viewer(2).delivered.len(), 10);
    assert_eq!(world.viewer(2).failed, []);
}

#[test]
fn bytes_the_publisher_did_not_sign_play_unshared_or_are_refused_when_pinned() {
    for refuse_forged in [false, true] {
        let mut world = World::new();
        world.origin = |segment| {
            let mut bytes = content(segment);
            bytes[100_000] ^= 1;
            Some(bytes)
        };
        world.join_with(1, Mode::Pieces, Config { refuse_forged, ..Config::default() });
        world.step(peer(1), Input::SwarmSize(1));
        world.want(1, 0);
        world.pass(1_000);
        let segment = SegmentId::new(0, 0);
        let viewer = world.viewer(1);
        assert!(viewer.events.contains(&Event::OriginMismatch(segment)));
        assert!(viewer.stored.is_empty(), "nothing unsigned is kept or shared");
        assert_eq!(viewer.delivered.contains_key(&segment), !refuse_forged);
        assert_eq!(viewer.failed.contains(&(segment, 0, true)), refuse_forged);
    }
}

#[test]
fn a_second_visit_starts_from_the_store() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    let segment = SegmentId::new(0, 0);
    let kept: Arc<[u8]> = content(segment).into();
    let rotten: Arc<[u8]> = vec![1; SEGMENT_BYTES].into();
    let viewer = world.viewers.get_mut(&peer(1)).unwrap();
    viewer.stored.insert(segment, kept);
    viewer.stored.insert(SegmentId::new(0, 1), rotten);
    world.step(peer(1), Input::Held(vec![segment, SegmentId::new(0, 1)]));
    world.step(peer(1), Input::SwarmSize(1));
    world.want(1, 0);
    assert_eq!((world.viewer(1).delivered.len(), world.viewer(1).fetched_bytes), (1, 0));
    world.want(1, 1);
    world.pass(1_000);
    let second = SegmentId::new(0, 1);
    assert_eq!(
        *world.viewer(1).delivered[&second],
        *content(second),
        "what rotted is fetched anew"
    );
}

#[test]
fn a_stranger_of_another_swarm_is_hung_up() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    let other = Config { swarm: SwarmId::new([9; 32]), ..Config::default() };
    world.join_with(2, Mode::Pieces, other);
    world.connect(1, 2);
    assert_eq!(world.viewer(2).hangups, [(peer(1), HangupReason::BadFrame)]);
}

#[test]
fn uploads_off_means_nothing_leaves() {
    let mut world = leader_and_follower(Mode::Pieces);
    let limits = swarm::Limits { upload_bytes_per_s: Some(0), ..swarm::Limits::default() };
    world.step(peer(1), Input::Limits(limits));
    world.want(2, 0);
    world.pass(5_000);
    assert_eq!(world.viewer(2).delivered.len(), 1);
    let served = |event: &Event| matches!(event, Event::Served { .. });
    assert!(!world.viewer(1).events.iter().any(served));
}

#[test]
fn what_the_player_loads_by_itself_is_left_alone_then_kept_and_shared() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    world.join(2, Mode::Pieces);
    world.connect(1, 2);
    let segment = SegmentId::new(0, 0);
    world.step(peer(1), Input::Elsewhere(segment));
    world.play(1, 0, 0);
    world.pass(8_000);
    assert!(!world.viewer(1).stored.contains_key(&segment));
    let bytes = content(segment);
    world.step(peer(1), given(segment, Some(&bytes)));
    assert_eq!(*world.viewer(1).stored[&segment], *bytes);
    world.want(2, 0);
    world.pass(1_000);
    assert_eq!(*world.viewer(2).delivered[&segment], *bytes);
    let received =
        |event: &Event| matches!(event, Event::Received { peer: from, .. } if *from == peer(1));
    assert!(world.viewer(2).events.iter().any(received));
}

#[test]
fn a_player_that_gives_up_loading_by_itself_is_served_again() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    world.step(peer(1), Input::SwarmSize(1));
    let segment = SegmentId::new(0, 0);
    world.step(peer(1), Input::Elsewhere(segment));
    world.step(peer(1), given(segment, None));
    world.want(1, 0);
    assert_eq!(*world.viewer(1).delivered[&segment], *content(segment));
}

/// A viewer whose player hands over a load of which this much came.
fn hand_over(world: &mut World, number: u8, came: usize) -> FetchId {
    let segment = SegmentId::new(0, 0);
    let bytes = content(segment);
    let segment_bytes = u32::try_from(SEGMENT_BYTES).ok();
    let took = Duration::from_secs(1);
    let bytes = &bytes[..came];
    world.step(peer(number), Input::HandOver { segment, segment_bytes, bytes, took });
    world.want(number, 0);
    world.viewer(number).adopted[0]
}

#[test]
fn a_load_that_is_handed_over_goes_on_where_it_was() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    world.step(peer(1), Input::SwarmSize(1));
    let fetch = hand_over(&mut world, 1, 70_000);
    world.pass(500);
    assert_eq!(world.viewer(1).fetched_bytes, 0);
    let bytes = content(SegmentId::new(0, 0));
    let rest = &bytes[70_000..];
    world.step(peer(1), Input::Fetched { fetch, segment_bytes: None, bytes: rest });
    world.step(peer(1), Input::FetchEnded { fetch });
    assert_eq!(*world.viewer(1).delivered[&SegmentId::new(0, 0)], *bytes);
}

#[test]
fn neighbours_finish_a_load_that_was_handed_over() {
    let mut world = leader_and_follower(Mode::Pieces);
    let fetch = hand_over(&mut world, 2, 70_000);
    world.pass(500);
    let segment = SegmentId::new(0, 0);
    assert_eq!(*world.viewer(2).delivered[&segment], *content(segment));
    assert_eq!(world.viewer(2).fetched_bytes, 0);
    assert_eq!(world.viewer(2).aborted, [fetch]);
}

#[test]
fn a_load_of_what_is_here_already_is_broken_off() {
    let mut world = leader_and_follower(Mode::Pieces);
    let fetch = hand_over(&mut world, 1, 70_000);
    assert_eq!(world.viewer(1).aborted.last(), Some(&fetch));
}

#[test]
fn forged_bytes_that_the_player_loaded_are_not_shared() {
    let mut world = World::new();
    world.join(1, Mode::Pieces);
    let segment = SegmentId::new(0, 0);
    world.step(peer(1), Input::Elsewhere(segment));
    world.play(1, 0, 0);
    world.step(peer(1), given(segment, Some(&[7; SEGMENT_BYTES])));
    assert!(!world.viewer(1).stored.contains_key(&segment));
    assert!(world.viewer(1).events.contains(&Event::OriginMismatch(segment)));
}

/// A viewer whose player loaded its first segment by itself and waits for the second.
fn newcomer() -> World {
    let mut world = World::new();
    world.join(2, Mode::Pieces);
    let segment =
        |index| TrackSegment { index, start_ms: u64::from(index) * 2_000, duration_ms: 2_000 };
    let track = Track { track: 0, live: false, segments: (0..SEGMENTS).map(segment).collect() };
    world.step(peer(2), Input::Track(track));
    let (first, bytes) = (SegmentId::new(0, 0), content(SegmentId::new(0, 0)));
    world.step(peer(2), given(first, Some(&bytes)));
    world.play(2, 0, 2_000);
    world.want(2, 1);
    world.pass(500);
    assert_eq!(world.viewer(2).fetched_bytes, 0, "there are 1.5 seconds left");
    world
}

#[test]
fn a_newcomer_leaves_its_first_neighbour_the_time_it_has() {
    let mut world = newcomer();
    world.join(1, Mode::Pieces);
    world.step(peer(1), Input::SwarmSize(1));
    world.want(1, 1);
    world.connect(1, 2);
    world.pass(100);
    let second = SegmentId::new(0, 1);
    assert_eq!(*world.viewer(2).delivered[&second], *content(second));
    assert_eq!(world.viewer(2).fetched_bytes, 0);
}

#[test]
fn a_newcomer_that_meets_nobody_has_its_second_segment_in_time() {
    let mut world = newcomer();
    world.pass(700);
    let second = SegmentId::new(0, 1);
    assert_eq!(*world.viewer(2).delivered[&second], *content(second));
}

#[test]
fn nothing_shares_the_line_with_a_first_segment_that_the_player_loads() {
    let mut world = World::new();
    world.join(2, Mode::Pieces);
    world.step(peer(2), Input::Elsewhere(SegmentId::new(0, 0)));
    world.play(2, 0, 0);
    world.want(2, 1);
    world.pass(2_000);
    assert_eq!(world.viewer(2).fetched_bytes, 0);
    world.step(peer(2), given(SegmentId::new(0, 0), None));
    world.pass(100);
    assert_ne!(world.viewer(2).fetched_bytes, 0);
}
