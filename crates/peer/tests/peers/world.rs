//! The world: time, peers, and what carries their outputs.

use std::collections::{BTreeMap, BTreeSet};

use peer::{
    Input, Integrity, LinkId, Output, Peer, PeerConfig, StreamConfig,
    view::{LinkState, Problem, StreamView, View},
};
use primitives::{Seed, SegmentId, SwarmId, Time};
use swarm::{Channel, FetchId};
use wire::{peer::Message, signaling::FromServer};

use crate::{
    origin::{self, Origin, PLAYLIST},
    player::Player,
    rtc::{End, Rtc},
    server::Server,
};

/// One way between a peer and any server.
const SERVER_MS: u64 = 20;
/// One way between two peers.
const PEER_MS: u64 = 10;
/// Bytes of one chunk of an origin fetch, and the time between two.
const CHUNK: (usize, u64) = (65_536, 20);
/// How often players play on.
const PLAY_MS: u64 = 200;

pub(crate) struct Node {
    pub(crate) peer: Peer,
    pub(crate) player: Player,
    wake: Time,
    /// Counts sockets; messages of earlier ones are dropped.
    socket: Option<u32>,
    sockets: u32,
    fetches: BTreeSet<FetchId>,
    /// Whether it falsifies what it sends.
    pub(crate) lies: bool,
    pub(crate) connects: Vec<Time>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) dialled: usize,
    pub(crate) accepted: usize,
    pub(crate) restarts: usize,
}

enum Event {
    Input(usize, Input),
    /// For or from a socket of that number.
    SocketInput(usize, u32, Input),
    SocketText(usize, u32, String),
    SocketConnect(usize, u32),
    Chunk {
        node: usize,
        swarm: SwarmId,
        fetch: FetchId,
        bytes: Vec<u8>,
        at: usize,
    },
    Pairing(End),
    Message {
        to: End,
        bytes: Vec<u8>,
    },
    Play(usize),
}

pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) nodes: Vec<Node>,
    pub(crate) server: Server,
    pub(crate) origin: Origin,
    pub(crate) rtc: Rtc,
    pub(crate) swarm: SwarmId,
    events: BTreeMap<(Time, u64), Event>,
    number: u64,
    swallowed: BTreeSet<usize>,
}

pub(crate) fn config(integrity: Integrity) -> StreamConfig {
    StreamConfig {
        playlist_url: PLAYLIST.to_owned(),
        swarm_name: None,
        integrity,
        site: None,
        region: None,
    }
}

pub(crate) const BEST: Integrity = Integrity::Best { publisher: None };

impl World {
    pub(crate) fn new(peers: usize) -> Self {
        let node = |number| Node {
            peer: Peer::new(PeerConfig::default(), Seed::from_number(number), Time::ZERO),
            player: Player::default(),
            wake: Time::NEVER,
            socket: None,
            sockets: 0,
            fetches: BTreeSet::new(),
            lies: false,
            connects: Vec::new(),
            problems: Vec::new(),
            dialled: 0,
            accepted: 0,
            restarts: 0,
        };
        Self {
            now: Time::ZERO,
            nodes: (0..u64::try_from(peers).unwrap()).map(node).collect(),
            server: Server::new(),
            origin: Origin::with_film(),
            rtc: Rtc::default(),
            swarm: config(BEST).swarm_id(),
            events: BTreeMap::new(),
            number: 0,
            swallowed: BTreeSet::new(),
        }
    }

    /// Opens the film at this peer.
    pub(crate) fn open(&mut self, node: usize, integrity: Integrity) {
        let config = config(integrity);
        let swarm = config.swarm_id();
        self.swarm = swarm;
        self.give(node, Input::Open(config));
        self.give(node, Input::StoreOpen { swarm, held: Vec::new() });
        let (track, urls) = origin::track(false);
        self.give(node, Input::Track { swarm, track, urls });
    }

    /// Opens the film and plays it.
    pub(crate) fn watch(&mut self, node: usize, integrity: Integrity) {
        self.open(node, integrity);
        self.nodes[node].player.on = true;
        self.at(0, Event::Play(node));
    }

    pub(crate) fn view(&self, node: usize) -> View {
        self.nodes[node].peer.view(self.now)
    }

    pub(crate) fn stream(&self, node: usize) -> StreamView {
        let view = self.view(node);
        view.streams.into_iter().find(|s| s.swarm == self.swarm.to_string()).expect("it is open")
    }

    /// Neighbours with open channels, by the peer's own word.
    pub(crate) fn neighbours(&self, node: usize) -> Vec<String> {
        let peers = self.stream(node).peers.into_iter();
        peers.filter(|peer| peer.state == LinkState::Open).map(|peer| peer.peer).collect()
    }

    pub(crate) fn has_problem(&self, node: usize, code: &str) -> bool {
        self.nodes[node].problems.iter().any(|problem| problem.code == code)
    }

    /// Runs until this holds; fails when it does not within `seconds` of the world's time.
    pub(crate) fn until(&mut self, what: &str, seconds: u64, holds: impl Fn(&Self) -> bool) {
        let end = self.now + core::time::Duration::from_secs(seconds);
        while !holds(self) {
            assert!(self.advance(end), "not within {seconds} s: {what}");
        }
    }

    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now.offset_ms(i64::try_from(ms).unwrap());
        while self.advance(end) {}
    }

    /// One event or wake; `false` when nothing is left before `end`.
    fn advance(&mut self, end: Time) -> bool {
        let event = self.events.keys().next().copied();
        let woken = (0..self.nodes.len()).min_by_key(|node| self.nodes[*node].wake);
        let wake = woken.map_or(Time::NEVER, |node| self.nodes[node].wake);
        let next = event.map_or(Time::NEVER, |(at, _)| at).min(wake);
        if next > end {
            self.now = self.now.max(end);
            return false;
        }
        self.now = self.now.max(next);
        match (event, woken) {
            (Some(key), _) if key.0 <= wake => {
                let event = self.events.remove(&key).expect("it was there");
                self.happen(event);
            }
            (_, Some(node)) => self.give(node, Input::Tick),
            _ => return false,
        }
        true
    }

    pub(crate) fn give(&mut self, node: usize, input: Input) {
        let mut out = Vec::new();
        let wake = self.nodes[node].peer.step(self.now, input, &mut out);
        assert!(wake.at > self.now, "a wake that has come makes a driver spin: {wake:?}");
        self.nodes[node].wake = wake.at;
        for output in out {
            self.perform(node, output);
        }
    }

    /// Drops the socket of a peer, as a network does.
    pub(crate) fn drop_socket(&mut self, node: usize) {
        self.nodes[node].socket = None;
        self.server.disconnect(node);
        self.give(node, Input::SocketClosed);
    }

    /// The server says something to this peer.
    pub(crate) fn say(&mut self, node: usize, message: &FromServer) {
        let Some(socket) = self.nodes[node].socket else { return };
        let text = serde_json::to_string(message).unwrap();
        self.at(SERVER_MS, Event::SocketInput(node, socket, Input::SocketText(text)));
    }

    /// From now on the network swallows what this peer says, and says nothing of it.
    pub(crate) fn swallow(&mut self, node: usize) {
        self.server.disconnect(node);
        self.server.up = false;
        self.swallowed.insert(node);
    }

    /// The network carries again what this peer says.
    pub(crate) fn carry(&mut self, node: usize) {
        self.server.up = true;
        self.swallowed.remove(&node);
    }

    fn at(&mut self, ms: u64, event: Event) {
        self.number += 1;
        self.events.insert((self.now + core::time::Duration::from_millis(ms), self.number), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input(node, input) => self.give(node, input),
            Event::SocketInput(node, socket, input) => {
                if self.nodes[node].socket == Some(socket) {
                    self.give(node, input);
                }
            }
            Event::SocketConnect(node, socket) if self.nodes[node].sockets == socket => {
                if self.server.is_silent {
                    self.nodes[node].socket = Some(socket);
                    self.give(node, Input::SocketOpen);
                } else if self.server.up {
                    self.nodes[node].socket = Some(socket);
                    self.give(node, Input::SocketOpen);
                    let said = self.server.connect(node);
                    self.said(said);
                } else {
                    self.give(node, Input::SocketClosed);
                }
            }
            Event::SocketConnect(..) => {}
            Event::SocketText(node, socket, text) => {
                let heard = !self.swallowed.contains(&node);
                if heard && self.nodes[node].socket == Some(socket) {
                    let message = serde_json::from_str(&text).expect("peers speak the protocol");
                    let said = self.server.hear(node, message, &self.origin.files);
                    self.said(said);
                }
            }
            Event::Chunk { node, swarm, fetch, bytes, at } => {
                self.chunk(node, swarm, fetch, bytes, at);
            }
            Event::Pairing(end) => self.pair(end),
            Event::Message { to: (node, link), bytes } => {
                if self.rtc.ends.contains_key(&(node, link)) {
                    self.give(node, Input::RtcMessage { link, bytes });
                }
            }
            Event::Play(node) => self.play(node),
        }
    }

    fn said(&mut self, said: Vec<(usize, FromServer)>) {
        for (node, message) in said {
            self.say(node, &message);
        }
    }

    fn play(&mut self, node: usize) {
        let swarm = self.swarm;
        let (want, playhead) = self.nodes[node].player.play(PLAY_MS);
        self.give(node, Input::Playback(swarm, playhead));
        if let Some(segment) = want {
            self.give(node, Input::Want(swarm, segment));
        }
        if self.nodes[node].player.on {
            self.at(PLAY_MS, Event::Play(node));
        }
    }

    fn perform(&mut self, node: usize, output: Output) {
        match output {
            Output::Connect => {
                self.disconnect(node);
                self.nodes[node].sockets += 1;
                let (now, socket) = (self.now, self.nodes[node].sockets);
                self.nodes[node].connects.push(now);
                self.at(2 * SERVER_MS, Event::SocketConnect(node, socket));
            }
            Output::SocketSend(text) => {
                let socket = self.nodes[node].socket.expect("nothing is said without a socket");
                self.at(SERVER_MS, Event::SocketText(node, socket, text));
            }
            Output::Disconnect => self.disconnect(node),
            Output::Http { request, url, head, .. } => {
                let answer = self.origin.answer(&url, head);
                self.at(2 * SERVER_MS, Event::Input(node, Input::Http { request, answer }));
            }
            Output::Fetch { swarm, fetch, url, range, segment_at } => {
                assert_eq!(segment_at, 0);
                self.fetch(node, swarm, fetch, &url, range);
            }
            Output::AbortFetch { fetch, .. } => {
                self.nodes[node].fetches.remove(&fetch);
            }
            Output::Deliver { segment, bytes, sources, .. } => {
                self.nodes[node].player.got.insert(segment.index, (bytes.to_vec(), sources));
            }
            Output::Fail { segment: SegmentId { index, .. }, status, forged, .. } => {
                self.nodes[node].player.failed.insert(index, (status, forged));
            }
            Output::Load { swarm, segment } => {
                self.at(1, Event::Input(node, Input::Loaded { swarm, segment, bytes: None }));
            }
            Output::OpenStore(_) | Output::Store { .. } => {}
            Output::Problem(problem) => self.nodes[node].problems.push(problem),
            rtc => self.perform_rtc(node, rtc),
        }
    }

    fn perform_rtc(&mut self, node: usize, output: Output) {
        match output {
            Output::Dial { link, rtc } => {
                self.nodes[node].dialled += 1;
                let local = self.rtc.create((node, link), rtc.relay_only);
                self.describe(node, link, local);
            }
            Output::Accept { link, sdp, rtc } => {
                self.nodes[node].accepted += 1;
                let local = self.rtc.create((node, link), rtc.relay_only);
                self.rtc.set_remote((node, link), &sdp);
                self.describe(node, link, local);
            }
            Output::RestartIce { link, .. } => {
                self.nodes[node].restarts += 1;
                let local = self.rtc.restart((node, link));
                self.describe(node, link, local);
            }
            Output::RemoteOffer { link, sdp, .. } => {
                self.rtc.set_remote((node, link), &sdp);
                let local = self.rtc.local((node, link));
                self.describe(node, link, local);
            }
            Output::RemoteAnswer { link, sdp } => self.rtc.set_remote((node, link), &sdp),
            Output::RemoteCandidate { link, candidate, .. } => {
                self.rtc.add_candidate((node, link), &candidate);
                self.at(PEER_MS, Event::Pairing((node, link)));
            }
            Output::Send { link, channel, bytes } => self.send(node, link, channel, bytes),
            Output::CloseLink(link) => self.close_link((node, link)),
            other => panic!("no driver does this: {other:?}"),
        }
    }

    fn describe(&mut self, node: usize, link: LinkId, local: crate::rtc::Local) {
        // Candidates may be found before the description is told: peers keep them in order.
        for candidate in local.candidates {
            let input = Input::RtcCandidate { link, candidate, mid: Some("0".to_owned()) };
            self.at(1, Event::Input(node, input));
        }
        self.at(2, Event::Input(node, Input::RtcDescription { link, sdp: local.sdp }));
    }

    fn pair(&mut self, end: End) {
        let Some(other) = self.rtc.paired(end) else { return };
        for (node, link) in [end, other] {
            let connection = self.rtc.ends.get_mut(&(node, link)).expect("it is paired");
            if !std::mem::replace(&mut connection.open, true) {
                self.give(node, Input::RtcOpen { link });
            }
        }
    }

    fn send(&mut self, node: usize, link: LinkId, channel: Channel, mut bytes: Vec<u8>) {
        let end = (node, link);
        assert!(self.rtc.ends[&end].open, "nothing is sent before the channels are open");
        let length = u64::try_from(bytes.len()).unwrap();
        if self.nodes[node].lies
            && let Ok(Message::Data(data)) = Message::decode(&bytes)
        {
            let wrong = vec![0_u8; data.bytes.len()];
            let data = wire::peer::Data { bytes: wrong.as_slice().into(), ..data };
            bytes = Message::Data(data).encode_to_vec();
        }
        if channel == Channel::Payload {
            self.at(1, Event::Input(node, Input::RtcSent { link, bytes: length }));
        }
        if let Some(to) = self.rtc.paired(end) {
            self.at(PEER_MS, Event::Message { to, bytes });
        }
    }

    /// One end closes: the other hears of it.
    pub(crate) fn close_link(&mut self, end: End) {
        let other = self.rtc.paired(end);
        self.rtc.ends.remove(&end);
        if let Some((node, link)) = other {
            self.rtc.ends.remove(&(node, link));
            self.at(PEER_MS, Event::Input(node, Input::RtcClosed { link }));
        }
    }

    fn disconnect(&mut self, node: usize) {
        self.nodes[node].socket = None;
        self.server.disconnect(node);
    }

    fn fetch(
        &mut self,
        node: usize,
        swarm: SwarmId,
        fetch: FetchId,
        url: &str,
        range: Option<(u64, Option<u64>)>,
    ) {
        self.nodes[node].fetches.insert(fetch);
        let Some(file) = self.origin.files.get(url).cloned() else {
            let input = Input::FetchFailed { swarm, fetch, status: 404 };
            return self.at(2 * SERVER_MS, Event::Input(node, input));
        };
        let (first, end) = range.unwrap_or((0, None));
        let end = end.map_or(file.len(), |end| usize::try_from(end).unwrap().min(file.len()));
        let bytes = file[..end].to_vec();
        let at = usize::try_from(first).unwrap();
        self.at(2 * SERVER_MS, Event::Chunk { node, swarm, fetch, bytes, at });
    }

    fn chunk(&mut self, node: usize, swarm: SwarmId, fetch: FetchId, bytes: Vec<u8>, at: usize) {
        if !self.nodes[node].fetches.contains(&fetch) {
            return;
        }
        let end = (at + CHUNK.0).min(bytes.len());
        let segment_bytes = u32::try_from(origin::SEGMENT_BYTES).ok();
        let part = bytes[at..end].to_vec();
        self.give(node, Input::Fetched { swarm, fetch, segment_bytes, bytes: part });
        if end < bytes.len() {
            self.at(CHUNK.1, Event::Chunk { node, swarm, fetch, bytes, at: end });
        } else if self.nodes[node].fetches.remove(&fetch) {
            self.give(node, Input::FetchEnded { swarm, fetch });
        }
    }
}
