//! A whole peer under a script of inputs read from the bytes: a server that says anything, connections
//! that open, break and bring frames, a player that seeks, answers that never were asked for, in any order.
//!
//! What must hold after every step:
//! - no panic;
//! - the next wake is not before now;
//! - nothing is sent on a connection that the peer was not told is open, or that it closed;
//! - a connection is dialled or accepted once;
//! - strangers that nobody vouched for get no byte into the player.

use std::collections::BTreeSet;

use peer::{
    Input, Integrity, LinkId, Output, Peer, PeerConfig, RequestId, SegmentUrl, StreamConfig,
    input::{HttpAnswer, HttpError},
};
use primitives::{KeyPair, PeerId, Seed, SegmentId, SwarmId, Time, sha256};
use swarm::{FetchId, Limits, Playhead, Track, TrackSegment};
use wire::signaling::{
    Base64, Description, ErrorCode, FromServer, Neighbour, Signal, WitnessStatement,
};

/// Peers that come and go.
const STRANGERS: u8 = 24;
/// Segments of each of three tracks.
const SEGMENTS: u32 = 12;
/// Longest script.
const STEPS_MAX: usize = 400;

/// Plays the script.
pub fn run(bytes: &[u8]) {
    let mut stage = Stage::new(bytes);
    for _ in 0..STEPS_MAX {
        if stage.script.0.is_empty() {
            return;
        }
        let input = stage.input();
        stage.step(input);
    }
}

/// Scripts that get somewhere: a peer that joins, is offered a connection and is told something on it; one
/// that plays; one that loses the server.
pub fn seeds() -> Vec<Vec<u8>> {
    let joins = [0, 0, 2, 0, 5, 0, 5, 1, 9, 5, 2, 0, 20, 3, 3, 1, 2, 3];
    let meets = [5, 3, 0, 3, 1, 0, 1, 10, 0, 0, 12, 0, 13, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let plays = [1, 0, 0, 12, 12, 3, 0, 0, 4, 0, 0, 0, 1, 9, 14, 0, 3, 0, 0, 15, 0, 20, 16, 0];
    let loses = [7, 6, 0, 5, 7, 9, 8, 200, 2, 0, 5, 0, 17, 18];
    [&joins[..], &meets[..], &plays[..], &loses[..]]
        .iter()
        .scan(Vec::new(), |before: &mut Vec<u8>, script| {
            before.extend_from_slice(script);
            Some(before.clone())
        })
        .collect()
}

/// Reads a script; zeros after its end.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn small(&mut self, end: u8) -> u32 {
        u32::from(self.byte() % end)
    }

    fn wide(&mut self) -> u64 {
        let bytes = [self.byte(), self.byte(), self.byte()];
        // A few small numbers, and now and then the largest.
        match bytes {
            [255, ..] => u64::MAX,
            [high, middle, low] => u64::from(u32::from_be_bytes([0, high, middle, low])),
        }
    }

    fn take(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn segment(&mut self) -> SegmentId {
        let track = u16::from(self.byte() % 3);
        SegmentId::new(track, self.small(12))
    }

    fn swarm(&mut self) -> SwarmId {
        if self.byte() > 220 { SwarmId::new([9; 32]) } else { stream().swarm_id() }
    }

    fn stranger(&mut self) -> KeyPair {
        stranger(self.byte())
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.take()).into_owned()
    }
}

/// Keys that the script holds, so that some signatures are right.
fn stranger(number: u8) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(u64::from(number % STRANGERS) + 1_000))
}

/// No manifest, no digest and no witness can ever be right here: nobody vouches for anything.
fn stream() -> StreamConfig {
    StreamConfig {
        playlist_url: "https://media.example/film.m3u8".to_owned(),
        swarm_name: None,
        integrity: Integrity::Best { publisher: Some(stranger(1).id()) },
        site: None,
        region: None,
    }
}

/// The peer, and what its driver knows.
struct Stage<'a> {
    script: Script<'a>,
    peer: Peer,
    me: PeerId,
    now: Time,
    /// Connections it asked for and did not close, and whether they are open.
    links: BTreeSet<LinkId>,
    open: BTreeSet<LinkId>,
    ever: BTreeSet<LinkId>,
}

impl<'a> Stage<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut script = Script(bytes);
        let seed = Seed::from_number(u64::from(script.byte() % 4));
        let peer = Peer::new(PeerConfig::default(), seed, Time::ZERO);
        let me = peer.id();
        Self {
            script,
            peer,
            me,
            now: Time::ZERO,
            links: BTreeSet::new(),
            open: BTreeSet::new(),
            ever: BTreeSet::new(),
        }
    }

    fn step(&mut self, input: Input) {
        match &input {
            Input::RtcOpen { link } if self.links.contains(link) => {
                self.open.insert(*link);
            }
            Input::RtcClosed { link } => {
                self.links.remove(link);
                self.open.remove(link);
            }
            _ => {}
        }
        let mut out = Vec::new();
        let wake = self.peer.step(self.now, input, &mut out);
        assert!(wake.at >= self.now, "a wake in the past: {wake:?} at {:?}", self.now);
        out.into_iter().for_each(|output| self.perform(output));
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Dial { link, .. } | Output::Accept { link, .. } => {
                assert!(self.ever.insert(link), "{link:?} for the second time");
                self.links.insert(link);
            }
            Output::CloseLink(link) => {
                self.links.remove(&link);
                self.open.remove(&link);
            }
            Output::Send { link, .. } => {
                assert!(self.open.contains(&link), "sent on {link:?}, which is not open");
            }
            Output::Deliver { segment, sources, .. } => {
                assert_eq!(
                    sources.peer_bytes, 0,
                    "{segment}: nobody vouched for a stranger's bytes"
                );
            }
            _ => {}
        }
    }

    fn input(&mut self) -> Input {
        match self.script.byte() % 22 {
            0 => Input::Open(stream()),
            1 => self.track(),
            2 => Input::SocketOpen,
            3 => Input::Want(self.script.swarm(), self.script.segment()),
            4 => Input::Playback(self.script.swarm(), self.playhead()),
            5 => Input::SocketText(self.server()),
            6 => Input::SocketClosed,
            7 => Input::NetworkChanged,
            8 => Input::SocketText(self.script.text()),
            9 => self.later(),
            10 => {
                let number = self.script.byte();
                let sdp = format!("v=0\r\na=fingerprint:sha-256 {number:02X}\r\n");
                Input::RtcDescription { link: self.link(), sdp }
            }
            11 => {
                Input::RtcCandidate { link: self.link(), candidate: self.script.text(), mid: None }
            }
            12 => Input::RtcOpen { link: self.link() },
            13 => Input::RtcMessage { link: self.link(), bytes: self.script.take().to_vec() },
            14 => self.http(),
            15 => self.fetched(),
            16 => Input::StoreOpen {
                swarm: self.script.swarm(),
                held: vec![self.script.segment(), self.script.segment()],
            },
            17 => Input::Pause,
            18 => Input::Resume,
            19 => Input::RtcClosed { link: self.link() },
            20 => self.person(),
            _ => self.line(),
        }
    }

    /// Mostly one there is.
    fn link(&mut self) -> LinkId {
        let byte = self.script.byte();
        let at = usize::from(byte).checked_rem(self.links.len());
        let found = at.and_then(|at| self.links.iter().nth(at)).copied();
        found.filter(|_| byte < 240).unwrap_or(LinkId(u32::from(byte)))
    }

    fn later(&mut self) -> Input {
        let ms = u64::from(self.script.byte()) * 100;
        self.now = Time::from_ms(self.now.as_ms() + ms);
        Input::Tick
    }

    fn track(&mut self) -> Input {
        let (track, live) = (u16::from(self.script.byte() % 4), self.script.flag());
        let (count, urls) = (self.script.small(20), self.script.small(20));
        let first = self.script.small(3);
        let segment = |index: u32| TrackSegment {
            index,
            start_ms: u64::from(index) * 4_000,
            duration_ms: 4_000,
        };
        let url = |index| SegmentUrl {
            url: format!("https://media.example/{index}.m4s"),
            range: (index % 5 == 4).then_some((10, 5)),
        };
        let segments = (first..first + count.min(SEGMENTS)).map(segment).collect();
        Input::Track {
            swarm: self.script.swarm(),
            track: Track { track, live, segments },
            urls: (0..urls).map(url).collect(),
        }
    }

    fn playhead(&mut self) -> Playhead {
        Playhead {
            track: u16::from(self.script.byte() % 3),
            position_ms: self.script.wide(),
            buffered_ms: self.script.wide(),
            rate_percent: u16::from(self.script.byte()),
        }
    }

    fn http(&mut self) -> Input {
        let request = RequestId(self.script.small(30));
        let answer = match self.script.byte() % 4 {
            0 => Err(HttpError::Unreachable),
            1 => Err(HttpError::TooLong),
            kind => Ok(HttpAnswer {
                status: if kind == 2 { 404 } else { 200 },
                // Of no bytes that ever come.
                repr_digest: self.script.flag().then(|| format!("sha-256=:{}=:", "A".repeat(43))),
                body: self.script.take().to_vec(),
            }),
        };
        Input::Http { request, answer }
    }

    fn fetched(&mut self) -> Input {
        let (swarm, fetch) = (self.script.swarm(), FetchId(self.script.small(40).into()));
        match self.script.byte() % 4 {
            0 => Input::FetchEnded { swarm, fetch },
            1 => Input::FetchFailed { swarm, fetch, status: 503 },
            _ => {
                let segment_bytes = self.script.flag().then(|| self.script.small(200));
                let bytes = self.script.take().to_vec();
                Input::Fetched { swarm, fetch, segment_bytes, bytes }
            }
        }
    }

    fn person(&mut self) -> Input {
        match self.script.byte() % 6 {
            0 => Input::Close(self.script.swarm()),
            1 => Input::RelayOnly(self.script.flag()),
            2 => Input::Unwant(self.script.swarm(), self.script.segment()),
            3 => Input::Elsewhere(self.script.swarm(), self.script.segment()),
            4 => {
                Input::Evicted { swarm: self.script.swarm(), segments: vec![self.script.segment()] }
            }
            _ => Input::Limits(Limits {
                upload_bytes_per_s: self.script.flag().then(|| self.script.wide()),
                memory_bytes: self.script.wide(),
            }),
        }
    }

    fn line(&mut self) -> Input {
        let link = self.link();
        match self.script.byte() % 4 {
            0 => Input::RtcInterrupted { link },
            1 => Input::RtcPath {
                link,
                relayed: self.script.flag(),
                rtt_ms: Some(self.script.small(200)),
            },
            2 => Input::RtcSent { link, bytes: self.script.wide() },
            _ => Input::Loaded {
                swarm: self.script.swarm(),
                segment: self.script.segment(),
                bytes: None,
            },
        }
    }

    /// What a server would say, in its form; who says it is another matter.
    fn server(&mut self) -> String {
        let message = match self.script.byte() % 9 {
            0 => {
                let server = stranger(0).id();
                FromServer::Challenge { version: 1, nonce: Base64(vec![1; 32]), server }
            }
            1 => FromServer::Welcome {
                resume: "token".to_owned(),
                lease_ms: self.script.small(255) * 1_000,
                resumed: self.script.flag(),
                ping_ms: self.script.small(255) * 1_000,
                ice_servers: Vec::new(),
            },
            2 => self.neighbours(),
            3 | 4 => self.signal(),
            5 => FromServer::Gone { swarm: self.script.swarm(), peer: self.script.stranger().id() },
            6 => FromServer::Error {
                code: [ErrorCode::TooMany, ErrorCode::NotJoined, ErrorCode::NoWitness]
                    [usize::from(self.script.byte() % 3)],
                message: self.script.text(),
                swarm: Some(self.script.swarm()),
                id: self.script.flag().then(|| self.script.small(9)),
                retry_after_ms: self.script.flag().then(|| self.script.small(200) * 100),
            },
            7 => {
                let statement = WitnessStatement {
                    url: "https://media.example/0.m4s".to_owned(),
                    size_bytes: 4,
                    sha256: sha256(b"abcd"),
                    pieces: Base64(self.script.take().to_vec()),
                };
                let signature = statement.sign(&stranger(0));
                FromServer::Witness { id: self.script.small(9), statement, signature }
            }
            _ => FromServer::Goodbye {
                reason: self.script.text(),
                reconnect_after_ms: self.script.small(255) * 50,
            },
        };
        serde_json::to_string(&message).expect("every message has a JSON form")
    }

    fn neighbours(&mut self) -> FromServer {
        let (swarm, size) = (self.script.swarm(), self.script.small(255));
        let numbers = 0..self.script.byte() % STRANGERS;
        let peers = numbers.map(|n| Neighbour { peer: stranger(n).id(), region: None }).collect();
        if self.script.flag() {
            FromServer::Neighbours { swarm, size, peers }
        } else {
            FromServer::Joined { swarm, size, peers, relay_only: self.script.flag() }
        }
    }

    /// Rightly signed for this peer, or by somebody else.
    fn signal(&mut self) -> FromServer {
        let (key, swarm) = (self.script.stranger(), self.script.swarm());
        let (from, to, connection) = (key.id(), self.me, self.script.small(6));
        let sdp = format!("v=0\r\na=fingerprint:sha-256 {:02X}\r\n", self.script.byte());
        let signer = if self.script.byte() > 200 { self.script.stranger() } else { key };
        let description = Description { swarm, from, to, connection, sdp: &sdp };
        let signature = description.sign(&signer).expect("it has one fingerprint");
        let signal = match self.script.byte() % 5 {
            0 | 1 => Signal::Offer { connection, sdp, signature },
            2 => Signal::Answer { connection, sdp, signature },
            3 => Signal::Candidate { connection, candidate: self.script.text(), mid: None },
            _ => Signal::Decline { connection },
        };
        FromServer::Signal { swarm, from, signal }
    }
}
