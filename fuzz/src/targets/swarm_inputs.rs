//! The swarm core under a script of inputs read from the bytes: honest frames, wrong frames, silence,
//! seeks, failing origins, stores that forget, in any order.
//!
//! What must hold after every step:
//! - no panic;
//! - the next wake is not before now;
//! - frames go only to peers that are up;
//! - a segment whose true digests are known is never delivered with a peer's wrong byte in it.

use core::time::Duration;
use std::collections::BTreeSet;

use primitives::{PeerId, Seed, SegmentId, SwarmId, Time, sha256};
use swarm::{Config, FetchId, Input, Limits, Output, Playhead, Proof, Swarm, Track, TrackSegment};
use wire::{
    limits::{FRAME_PAYLOAD_BYTES_MAX, PIECE_BYTES},
    peer::{
        Cancel, Choke, Data, Have, Hello, Message, Pieces, Playback, RefuseReason, Request, Run,
    },
};

/// Peers that come and go.
const PEERS: u8 = 4;
/// Segments of the one track.
const SEGMENTS: u32 = 6;
/// Two pieces, the second short.
const SEGMENT_BYTES: u32 = PIECE_BYTES + 5000;
const DURATION_MS: u32 = 4000;
/// Longest script.
const STEPS_MAX: usize = 400;

/// Plays the script.
pub fn run(bytes: &[u8]) {
    let mut stage = Stage::new(bytes);
    for _ in 0..STEPS_MAX {
        if stage.script.0.is_empty() {
            return;
        }
        stage.act();
    }
}

/// Scripts that get somewhere: a viewer with a neighbour, and one with an origin.
pub fn seeds() -> Vec<Vec<u8>> {
    let setting = [0, 1, 0, 2, 0, 2, 1, 2, 2, 3, 0, 0];
    let neighbour = [4, 0, 5, 0, 6, 0, 7, 0, 0, 8, 0, 0, 1, 8, 0, 0, 0, 9, 10];
    let origin = [11, 0, 11, 0, 12, 0, 9, 200, 11, 1, 13, 0, 9, 255, 14, 2];
    [&neighbour[..], &origin[..], &[neighbour.as_slice(), &origin].concat()]
        .map(|script| [&setting[..], script, script].concat())
        .to_vec()
}

/// Reads a script; zeros after its end.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn segment(&mut self) -> SegmentId {
        SegmentId::new(0, u32::from(self.byte()) % SEGMENTS)
    }

    fn peer(&mut self) -> PeerId {
        PeerId::new([1 + self.byte() % PEERS; 32])
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }
}

/// The swarm, and what its surroundings know.
struct Stage<'a> {
    script: Script<'a>,
    swarm: Swarm,
    now: Time,
    up: BTreeSet<PeerId>,
    fetches: Vec<(FetchId, SegmentId, u32)>,
    /// Bytes of the load that is handed over now.
    handed: u32,
    proven: BTreeSet<SegmentId>,
    loads: Vec<SegmentId>,
}

impl<'a> Stage<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut script = Script(bytes);
        let config = Config { swarm: SwarmId::new([9; 32]), refuse_forged: script.flag() };
        let seed = Seed::from_number(u64::from(script.byte()));
        let swarm = Swarm::new(config, PeerId::new([0; 32]), seed, Time::ZERO);
        let mut stage = Self {
            script,
            swarm,
            now: Time::ZERO,
            up: BTreeSet::new(),
            fetches: Vec::new(),
            handed: 0,
            proven: BTreeSet::new(),
            loads: Vec::new(),
        };
        stage.track();
        stage
    }

    /// One act of the script: usually one input.
    fn act(&mut self) {
        match self.script.byte() % 18 {
            0 => self.track(),
            1 => self.playback(),
            2 => self.prove(),
            3 => {
                let segment = self.script.segment();
                self.step(Input::Want(segment));
            }
            4 => {
                let peer = self.script.peer();
                self.up.insert(peer);
                self.step(Input::PeerUp(peer));
            }
            5 => {
                let swarm = SwarmId::new([9; 32]);
                self.say(&Message::Hello(Hello { version: 1, swarm, uploads: true }));
            }
            6 => {
                let added = vec![Run { first: u32::from(self.script.byte()), count: SEGMENTS }];
                self.say(&Message::Have(Have { track: 0, added, removed: vec![] }));
            }
            7 => self.request(),
            8 => self.piece(),
            9 => {
                let ms = u64::from(self.script.byte()) * 20;
                self.now = Time::from_ms(self.now.as_ms() + ms);
                self.step(Input::Tick);
            }
            10 => self.load(),
            11 => self.origin_bytes(),
            12 => self.origin_end(),
            13 => {
                let from = self.script.peer();
                let count = usize::from(self.script.byte());
                let bytes = self.script.take(count);
                self.step(Input::Frame { from, bytes });
            }
            14 => {
                let peer = self.script.peer();
                self.up.remove(&peer);
                self.step(Input::PeerDown(peer));
            }
            15 => self.small_talk(),
            16 => self.person(),
            _ => self.store(),
        }
    }

    fn step(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        let wake = self.swarm.step(self.now, input, &mut out);
        assert!(wake.at >= self.now, "a wake in the past: {wake:?} at {:?}", self.now);
        for output in out {
            self.perform(output);
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Send { to, .. } => assert!(self.up.contains(&to), "a frame to a peer not up"),
            Output::Hangup { peer, .. } => {
                self.up.remove(&peer);
                self.step(Input::PeerDown(peer));
            }
            Output::Fetch { fetch, segment, from, .. } => self.fetches.push((fetch, segment, from)),
            Output::Adopt { fetch, segment } => self.fetches.push((fetch, segment, self.handed)),
            Output::AbortFetch(fetch) => self.fetches.retain(|(open, ..)| *open != fetch),
            Output::Load(segment) => self.loads.push(segment),
            Output::Deliver { segment, bytes, sources } => {
                let checked = self.proven.contains(&segment) && sources.peer_bytes > 0;
                let true_bytes = content(segment);
                assert!(!checked || *bytes == *true_bytes, "a wrong byte of {segment} delivered");
            }
            Output::Prove(_) | Output::Store { .. } | Output::Fail { .. } | Output::Event(_) => {}
        }
    }

    fn say(&mut self, message: &Message<'_>) {
        let from = self.script.peer();
        self.step(Input::Frame { from, bytes: &message.encode_to_vec() });
    }

    fn track(&mut self) {
        let first = u32::from(self.script.byte() % 3);
        let segments = (first..SEGMENTS)
            .map(|index| TrackSegment {
                index,
                start_ms: u64::from(index * DURATION_MS),
                duration_ms: DURATION_MS,
            })
            .collect();
        let live = self.script.flag();
        self.step(Input::Track(Track { track: 0, live, segments }));
    }

    fn playback(&mut self) {
        let position_ms = u64::from(self.script.byte()) * 100;
        let buffered_ms = position_ms + u64::from(self.script.byte()) * 100;
        let rate_percent = if self.script.flag() { 100 } else { 0 };
        let playhead = Playhead { track: 0, position_ms, buffered_ms, rate_percent };
        self.step(Input::Playback(playhead));
    }

    /// Proofs are true: they come from signatures. What they prove is checked at delivery.
    fn prove(&mut self) {
        let segment = self.script.segment();
        let bytes = content(segment);
        let size = usize::try_from(PIECE_BYTES).expect("a piece fits");
        let proof = match self.script.byte() % 4 {
            0 | 1 => Proof::Pieces {
                segment_bytes: SEGMENT_BYTES,
                pieces: bytes.chunks(size).map(sha256).collect(),
            },
            2 => Proof::Whole { sha256: sha256(&bytes) },
            _ if self.proven.contains(&segment) => return,
            _ => Proof::Missing,
        };
        if proof != Proof::Missing {
            self.proven.insert(segment);
        }
        self.step(Input::Proof { segment, proof });
    }

    /// All frames of one piece, now and then with a wrong byte, whether asked for or not.
    fn piece(&mut self) {
        let from = self.script.peer();
        let segment = self.script.segment();
        let second = self.script.flag();
        let wrong = self.script.byte() > 200;
        let mut bytes = content(segment);
        let piece = if second { PIECE_BYTES..SEGMENT_BYTES } else { 0..PIECE_BYTES };
        if wrong {
            bytes[at(piece.start) + 7] ^= 1;
        }
        for offset in piece.clone().step_by(FRAME_PAYLOAD_BYTES_MAX) {
            let end = at(piece.end).min(at(offset) + FRAME_PAYLOAD_BYTES_MAX);
            let data = Data {
                segment,
                segment_bytes: SEGMENT_BYTES,
                offset,
                bytes: bytes[at(offset)..end].into(),
            };
            let frame = Message::Data(data).encode_to_vec();
            self.step(Input::Frame { from, bytes: &frame });
        }
    }

    fn request(&mut self) {
        let segment = self.script.segment();
        let due_in_ms = u32::from(self.script.byte()) * 100;
        self.say(&Message::Request(Request { segment, first: 0, count: 2, due_in_ms }));
    }

    fn small_talk(&mut self) {
        let segment = self.script.segment();
        let byte = self.script.byte();
        let message = match byte % 5 {
            0 => Message::Pieces(Pieces { segment, held: vec![byte], fetching: vec![byte >> 4] }),
            1 => Message::Playback(Playback {
                at: segment,
                offset_ms: u32::from(byte),
                rate_percent: 100,
                uploads: true,
                next_missing: segment.index + 1,
            }),
            2 => Message::Cancel(Cancel { segment, first: 0, count: 2 }),
            3 => Message::Choke(Choke { on: byte & 32 == 0, reason: RefuseReason::Busy }),
            _ => Message::Pieces(Pieces { segment, held: vec![], fetching: vec![] }),
        };
        self.say(&message);
    }

    /// The origin sends some bytes of one of the open fetches, right or forged.
    fn origin_bytes(&mut self) {
        let byte = self.script.byte();
        let Some(slot) = usize::from(byte).checked_rem(self.fetches.len()) else { return };
        let (fetch, segment, from) = self.fetches[slot];
        let end = SEGMENT_BYTES.min(from.saturating_add(20_000));
        let mut bytes = content(segment);
        if byte > 240 {
            bytes[at(from.min(SEGMENT_BYTES - 1))] ^= 1;
        }
        self.fetches[slot].2 = end;
        let bytes = &bytes[at(from.min(end))..at(end)];
        self.step(Input::Fetched { fetch, segment_bytes: Some(SEGMENT_BYTES), bytes });
    }

    fn origin_end(&mut self) {
        let byte = self.script.byte();
        let Some(slot) = usize::from(byte).checked_rem(self.fetches.len()) else { return };
        let (fetch, ..) = self.fetches.swap_remove(slot);
        if byte > 200 {
            self.step(Input::FetchFailed { fetch, status: 503 });
        } else {
            self.step(Input::FetchEnded { fetch });
        }
    }

    fn load(&mut self) {
        let Some(segment) = self.loads.pop() else { return };
        let bytes = content(segment);
        let bytes = (!self.script.flag()).then_some(&bytes[..]);
        self.step(Input::Loaded { segment, bytes });
    }

    fn store(&mut self) {
        let segment = self.script.segment();
        if self.script.flag() {
            self.step(Input::Held(vec![segment]));
        } else {
            self.step(Input::Evicted(vec![segment]));
        }
    }

    fn person(&mut self) {
        let peer = self.script.peer();
        let byte = self.script.byte();
        match byte % 4 {
            0 => self.step(Input::Sent { to: peer, bytes: u64::from(byte) * 100 }),
            1 => self.step(Input::SwarmSize(u32::from(byte))),
            2 => {
                let memory_bytes = u64::from(byte) * 10_000;
                let upload_bytes_per_s = (byte > 100).then_some(u64::from(byte) * 100);
                self.step(Input::Limits(Limits { upload_bytes_per_s, memory_bytes }));
            }
            _ => {
                let segment = self.script.segment();
                match byte / 4 % 5 {
                    0 => self.step(Input::Elsewhere(segment)),
                    1 => self.step(Input::Given { segment, bytes: None, took: Duration::ZERO }),
                    2 => {
                        let took = Duration::from_millis(u64::from(byte));
                        self.step(Input::Given { segment, bytes: Some(&[byte; 300]), took });
                    }
                    3 => self.hand_over(segment, byte),
                    _ => self.step(Input::Unwant(segment)),
                }
            }
        }
    }

    fn hand_over(&mut self, segment: SegmentId, byte: u8) {
        let bytes = content(segment);
        self.handed = (u32::from(self.script.byte()) * 300).min(SEGMENT_BYTES);
        let came = at(self.handed);
        let segment_bytes = (byte < 128).then_some(SEGMENT_BYTES);
        let took = Duration::from_millis(u64::from(byte));
        let bytes = &bytes[..came];
        self.step(Input::HandOver { segment, segment_bytes, bytes, took });
    }
}

/// The true bytes of a segment: each differs from the others at every place.
fn content(segment: SegmentId) -> Vec<u8> {
    let shift = segment.index.wrapping_mul(31);
    (0..SEGMENT_BYTES)
        .map(|at| at.wrapping_add(shift).to_le_bytes()[usize::from(at % 3 == 0)])
        .collect()
}

fn at(offset: u32) -> usize {
    usize::try_from(offset).expect("a segment fits into memory")
}
