//! The world: shares on hosts, their stores, and what carries their frames.

mod made;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::RangeInclusive,
    time::Duration,
};

use content::{
    Candidate, Cid, Codec, decode,
    read::FileReader,
    share::{Purpose, Secret, ShareKey, ShareLink},
};
use files::{
    Channel, Config, Division, Event, HangupReason, Input, NotFetched, Output, Sends, Share,
    view::{EntryView, ShareView},
};
use netsim::{Access, Happening, HostId, Lane, Network, Path};
use primitives::{KeyPair, PeerId, Rng, Seed, SwarmId, Time, sha256};
use wire::{
    blocks::{Ask, AskedBlock, BlockMessage, Forget, Holds, Part},
    peer::Run,
};

pub(crate) use made::Content;

const STARTED_S: u64 = 1_800_000_000;

/// What a gateway does that is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gateway {
    HasAll,
    HasNothing,
    Lies,
    IsDown,
    /// No answer comes: after half a minute that is known.
    Hangs,
}

/// What a peer does with what the protocol asks of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Honest,
    /// Chooses nothing by itself.
    Waits,
    /// Changes a bit of every part.
    Corrupts,
    /// Sends a part nobody asked for.
    Pushes,
    /// Sends no parts.
    Mute,
    /// Sends nothing at all.
    Dumb,
    /// Answers every frame with an odd one.
    Babbles,
    /// Has another key.
    WrongKey,
}

struct Node {
    id: PeerId,
    share: Share,
    host: HostId,
    role: Role,
    store: BTreeMap<Cid, Vec<u8>>,
    store_blocks_max: usize,
    store_ms: u64,
    wake: Time,
    neighbours: BTreeSet<usize>,
    events: Vec<Event>,
    hangups: Vec<(PeerId, HangupReason)>,
    /// Bytes being checked or kept.
    coming: u64,
    most_coming: u64,
    lives: u32,
}

enum Timer {
    Wake(usize),
    /// For the life of that number.
    Input(usize, u32, Box<Input>),
}

pub(crate) struct World {
    net: Network<Timer>,
    nodes: Vec<Node>,
    content: Content,
    jobs: VecDeque<(usize, Input)>,
    rng: Rng,
    gateway: Gateway,
    gateway_asked: usize,
    look_ms: u64,
}

impl World {
    pub(crate) fn new(seed: u64, content: Content) -> Self {
        Self {
            net: Network::new(Seed::from_number(seed)),
            nodes: Vec::new(),
            content,
            jobs: VecDeque::new(),
            rng: Rng::with_seed(seed),
            gateway: Gateway::HasNothing,
            gateway_asked: 0,
            look_ms: 1,
        }
    }

    /// Stores answer what they are asked so late: what was written meanwhile is told first.
    pub(crate) fn look_slowly(&mut self, ms: u64) {
        self.look_ms = ms;
    }

    /// A node has this gateway from now on.
    pub(crate) fn give_gateway(&mut self, node: usize, gateway: Gateway) {
        self.gateway = gateway;
        self.give(node, Input::Gateway(true));
    }

    /// The name of the leaf with this mebibyte of a public file.
    pub(crate) fn leaf(&self, mib: usize) -> Cid {
        Cid::of(Codec::Raw, &self.content.plain["film.mp4"][mib << 20..(mib + 1) << 20])
    }

    /// How often the gateway was asked.
    pub(crate) const fn gateway_asked(&self) -> usize {
        self.gateway_asked
    }

    fn share(&self, node: usize, role: Role) -> Share {
        let secret = match self.content.public {
            true => Secret::Public,
            false => Secret::Key(self.content.key.clone()),
        };
        let mut link = ShareLink::new(self.content.cid, secret);
        link.name = self.content.public.then(|| self.content.name().to_owned());
        link.expires_at_s = self.content.ends_at_s;
        let wrong = role == Role::WrongKey;
        let key = if wrong { ShareKey::new([1; 32]) } else { self.content.key.clone() };
        let number = u64::try_from(node).unwrap() + self.content.seed * 1_000;
        let seed = Seed::from_number(number);
        let me = KeyPair::from_seed(seed).id();
        Share::new(Config { link, key, me, seed, started_s: STARTED_S }, self.net.now())
    }

    pub(crate) fn add(&mut self, access: Access, role: Role, has_all: bool) {
        let host = self.net.add_host(access);
        self.add_at(host, role, has_all);
    }

    /// One more share on the machine of another.
    pub(crate) fn add_beside(&mut self, node: usize, role: Role, has_all: bool) {
        self.add_at(self.nodes[node].host, role, has_all);
    }

    fn add_at(&mut self, host: HostId, role: Role, has_all: bool) {
        let share = self.share(self.nodes.len(), role);
        let store = if has_all { self.content.blocks.clone() } else { BTreeMap::new() };
        self.nodes.push(Node {
            id: share.config().me,
            share,
            host,
            role,
            store,
            store_blocks_max: usize::MAX,
            store_ms: 3,
            wake: Time::NEVER,
            neighbours: BTreeSet::new(),
            events: Vec::new(),
            hangups: Vec::new(),
            coming: 0,
            most_coming: 0,
            lives: 0,
        });
        self.give(self.nodes.len() - 1, Input::Tick);
    }

    pub(crate) fn introduce_all(&mut self) {
        for a in 0..self.nodes.len() {
            for b in 0..a {
                self.introduce(a, b);
            }
        }
    }

    pub(crate) fn introduce(&mut self, a: usize, b: usize) {
        let path = Path::data_channel(Duration::from_millis(10));
        let path = Path { window_bytes: 1 << 20, ..path };
        let (x, y) = (self.nodes[a].host, self.nodes[b].host);
        if self.net.connect(x, y, path) {
            self.nodes[a].neighbours.insert(b);
            self.nodes[b].neighbours.insert(a);
            let (ida, idb) = (self.nodes[a].id, self.nodes[b].id);
            self.give(a, Input::PeerUp(idb));
            self.give(b, Input::PeerUp(ida));
        }
    }

    /// Divides what their machine may send between these shares, as a driver does once a second.
    pub(crate) fn divide(
        &mut self,
        division: &mut Division,
        limit: Option<u64>,
        nodes: RangeInclusive<usize>,
    ) {
        let sends = |node: usize| {
            // All nodes have the same share; for the division they are several.
            let swarm = SwarmId::new([u8::try_from(node).unwrap(); 32]);
            Sends { swarm, ..self.nodes[node].share.sends() }
        };
        let all: Vec<Sends> = nodes.clone().map(sends).collect();
        let parts = division.divide(self.net.now(), limit, 0, &all);
        for (node, part) in nodes.zip(parts) {
            self.give(node, Input::Limit(part));
        }
    }

    /// The tab is closed.
    pub(crate) fn leave(&mut self, node: usize) {
        let host = self.nodes[node].host;
        self.nodes[node].neighbours.clear();
        self.nodes[node].lives += 1;
        self.nodes[node].wake = Time::NEVER;
        self.net.remove_host(host, Duration::from_millis(200));
    }

    /// The page is reloaded: what is in the store stays.
    pub(crate) fn restart(&mut self, node: usize) {
        for other in std::mem::take(&mut self.nodes[node].neighbours) {
            let (x, y) = (self.nodes[node].host, self.nodes[other].host);
            self.net.disconnect(x, y);
        }
        self.run(100);
        let role = self.nodes[node].role;
        self.nodes[node].share = self.share(node, role);
        self.nodes[node].lives += 1;
        self.nodes[node].coming = 0;
        self.give(node, Input::Tick);
        self.run(100);
    }

    pub(crate) fn slow_store(&mut self, node: usize, ms: u64) {
        self.nodes[node].store_ms = ms;
    }

    pub(crate) fn limit_store(&mut self, node: usize, blocks: usize) {
        self.nodes[node].store_blocks_max = blocks;
    }

    pub(crate) fn now(&self) -> Time {
        self.net.now()
    }

    pub(crate) fn id(&self, node: usize) -> PeerId {
        self.nodes[node].id
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    pub(crate) fn view(&self, node: usize) -> ShareView {
        self.nodes[node].share.view(self.net.now())
    }

    pub(crate) fn entries(&self, node: usize) -> Vec<EntryView> {
        self.nodes[node].share.entries()
    }

    pub(crate) fn events(&self, node: usize) -> Vec<Event> {
        self.nodes[node].events.clone()
    }

    pub(crate) fn hangups(&self, node: usize) -> Vec<(PeerId, HangupReason)> {
        self.nodes[node].hangups.clone()
    }

    pub(crate) fn most_coming(&self, node: usize) -> u64 {
        self.nodes[node].most_coming
    }

    pub(crate) fn is_done(&self, node: usize) -> bool {
        self.nodes[node].events.contains(&Event::Done) && self.view(node).complete
    }

    pub(crate) fn percent(&self, node: usize) -> u64 {
        let view = self.view(node);
        view.held_bytes * 100 / view.total_bytes.max(1)
    }

    /// Blocks of the list that these have together.
    pub(crate) fn blocks_of(&self, nodes: RangeInclusive<usize>) -> usize {
        let has = |cid: &&Cid| nodes.clone().any(|node| self.nodes[node].store.contains_key(*cid));
        self.content.listed.iter().filter(has).count()
    }

    /// Whether these bytes of the first file can be read from the store of this node.
    pub(crate) fn has_bytes(&self, node: usize, bytes: std::ops::Range<u64>) -> bool {
        let node = &self.nodes[node];
        let Some(entry) = node.share.manifest().and_then(|manifest| manifest.entries.first())
        else {
            return false;
        };
        let mut reader = FileReader::range(entry.cid, bytes, entry.size_bytes);
        while !reader.is_done() {
            for cid in reader.wanted(4) {
                let Some(bytes) = node.store.get(&cid).cloned() else { return false };
                let block = Candidate { cid, bytes }.verify().expect("kept as it was");
                let opened = match self.content.public {
                    true => block.into_opened(),
                    false => self.content.key.open(&block, Purpose::Content).unwrap(),
                };
                reader.put(&opened).unwrap();
            }
            while reader.next_part().is_some() {}
        }
        true
    }

    /// Every file can be read from the store of this node, and is what the sender has.
    pub(crate) fn check_content(&self, node: usize) {
        let share = &self.nodes[node].share;
        let manifest = share.manifest().expect("it is open");
        let mut found = BTreeMap::new();
        let files = manifest.entries.iter().filter(|entry| entry.path.contains('.'));
        for entry in files {
            let mut reader = FileReader::new(entry.cid, entry.size_bytes);
            let mut bytes = Vec::new();
            while !reader.is_done() {
                for cid in reader.wanted(4) {
                    let kept = self.nodes[node].store[&cid].clone();
                    let block = Candidate { cid, bytes: kept }.verify().expect("kept as it was");
                    let opened = match self.content.public {
                        true => block.into_opened(),
                        false => self.content.key.open(&block, Purpose::Content).unwrap(),
                    };
                    assert!(
                        opened.codec() == Codec::Raw
                            || decode(opened.codec(), opened.bytes()).is_ok()
                    );
                    reader.put(&opened).unwrap();
                }
                while let Some(part) = reader.next_part() {
                    bytes.extend(part.bytes);
                }
            }
            found.insert(entry.path.clone(), bytes);
        }
        assert!(found == self.content.plain, "node {node} has other files");
    }

    /// Runs until this holds; fails when it does not within `seconds`.
    pub(crate) fn until(&mut self, what: &str, seconds: u64, holds: impl Fn(&Self) -> bool) {
        let end = self.net.now() + Duration::from_secs(seconds);
        let mut steps = 0_u32;
        loop {
            steps += 1;
            // The condition costs more than a step.
            if steps.is_multiple_of(16) && holds(self) {
                return;
            }
            if !self.advance() || self.net.now() > end {
                assert!(holds(self), "not within {seconds} s: {what}");
                return;
            }
        }
    }

    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.net.now() + Duration::from_millis(ms);
        // So that there is an end to come to.
        self.net.set_timer(end, Timer::Wake(0));
        while self.net.now() < end && self.advance() {}
    }

    fn advance(&mut self) -> bool {
        let Some((_, happening)) = self.net.next() else { return false };
        match happening {
            Happening::Timer(Timer::Wake(node)) => {
                if self.nodes[node].wake <= self.net.now() {
                    self.give(node, Input::Tick);
                }
            }
            Happening::Timer(Timer::Input(node, life, input)) => {
                if self.nodes[node].lives == life {
                    self.landed(node, &input);
                    self.give(node, *input);
                }
            }
            Happening::Message { to, from, bytes, .. } => {
                let (to, from) = (self.by_hosts(to, from), self.by_hosts(from, to));
                if self.nodes[to].role == Role::Babbles {
                    self.babble(to, from, &bytes);
                }
                let from = self.nodes[from].id;
                self.give(to, Input::Frame { from, bytes });
            }
            Happening::Sent { from, to, bytes } => {
                let (from, to) = (self.by_hosts(from, to), self.by_hosts(to, from));
                let to = self.nodes[to].id;
                self.give(from, Input::Sent { to, bytes });
            }
            Happening::Closed { host, peer } => {
                let (node, other) = (self.by_hosts(host, peer), self.by_hosts(peer, host));
                if self.nodes[node].neighbours.remove(&other) {
                    let other = self.nodes[other].id;
                    self.give(node, Input::PeerDown(other));
                }
            }
            Happening::Chunk { .. } | Happening::GetFailed { .. } => {}
        }
        true
    }

    /// The node of a host that has, or had, a neighbour at another.
    fn by_hosts(&self, host: HostId, other: HostId) -> usize {
        let mut here = (0..self.nodes.len()).filter(|node| self.nodes[*node].host == host);
        let first = here.clone().next().unwrap();
        let knows = |node: &usize| {
            self.nodes[*node].neighbours.iter().any(|known| self.nodes[*known].host == other)
        };
        here.find(knows).unwrap_or(first)
    }

    pub(crate) fn give(&mut self, node: usize, input: Input) {
        self.jobs.push_back((node, input));
        while let Some((node, input)) = self.jobs.pop_front() {
            let now = self.net.now();
            let mut out = Vec::new();
            let wake = self.nodes[node].share.step(now, input, &mut out);
            assert!(wake > now, "a wake that has come makes a driver spin");
            if wake != self.nodes[node].wake {
                self.nodes[node].wake = wake;
                if wake != Time::NEVER {
                    self.net.set_timer(wake, Timer::Wake(node));
                }
            }
            for output in out {
                self.perform(node, output);
            }
        }
    }

    fn later(&mut self, node: usize, ms: u64, input: Input) {
        let life = self.nodes[node].lives;
        let at = self.net.now() + Duration::from_millis(ms);
        self.net.set_timer(at, Timer::Input(node, life, Box::new(input)));
    }

    fn perform(&mut self, node: usize, output: Output) {
        match output {
            Output::Send { to, channel, bytes } => self.send(node, to, channel, bytes),
            Output::Hangup { peer, why } => {
                let other = self.nodes.iter().position(|known| known.id == peer).unwrap();
                if why != HangupReason::Replaced {
                    self.nodes[node].hangups.push((peer, why));
                }
                if self.nodes[node].neighbours.remove(&other) {
                    let (x, y) = (self.nodes[node].host, self.nodes[other].host);
                    self.net.disconnect(x, y);
                }
            }
            Output::Neighbours(_) => {}
            Output::Look(cids) => {
                let store = &self.nodes[node].store;
                let answers = cids.iter().map(|cid| (*cid, store.contains_key(cid))).collect();
                self.later(node, self.look_ms, Input::Looked(answers));
            }
            Output::Load(cid) => {
                let bytes = self.nodes[node].store.get(&cid).cloned();
                self.later(node, 2, Input::Loaded { cid, bytes });
            }
            Output::Check { cid, from, bytes } => {
                self.coming(node, bytes.len());
                let digest = sha256(&bytes);
                self.later(node, 2, Input::Checked { cid, from, digest, bytes });
            }
            Output::Fetch(cid) => {
                self.gateway_asked += 1;
                let answer = self.ask_gateway(cid);
                let ms = if self.gateway == Gateway::Hangs { 30_000 } else { 40 };
                self.later(node, ms, answer);
            }
            Output::Keep { cid, bytes } => self.keep(node, cid, bytes),
            Output::Event(event) => {
                if event == Event::Opened && self.nodes[node].role != Role::Waits {
                    let all = self.nodes[node].share.entries().iter().map(|e| e.number).collect();
                    self.jobs.push_back((node, Input::Choose { entries: all, in_order: false }));
                }
                if !matches!(event, Event::Served { .. }) {
                    self.nodes[node].events.push(event);
                }
            }
        }
    }

    fn ask_gateway(&self, cid: Cid) -> Input {
        let not = |why| Input::NotFetched { cid, why };
        let mut bytes = self.content.blocks[&cid].clone();
        match self.gateway {
            Gateway::HasNothing => return not(NotFetched::Lacking),
            Gateway::IsDown | Gateway::Hangs => return not(NotFetched::Unreachable),
            Gateway::Lies => bytes.push(0),
            Gateway::HasAll => {}
        }
        Input::Fetched { cid, digest: sha256(&bytes), bytes }
    }

    fn keep(&mut self, node: usize, cid: Cid, bytes: Vec<u8>) {
        self.coming(node, bytes.len());
        let ms = self.nodes[node].store_ms;
        if self.nodes[node].store.len() >= self.nodes[node].store_blocks_max {
            return self.later(node, ms, Input::NotKept(cid));
        }
        self.nodes[node].store.insert(cid, bytes);
        self.later(node, ms, Input::Kept(cid));
    }

    fn coming(&mut self, node: usize, bytes: usize) {
        let node = &mut self.nodes[node];
        node.coming += u64::try_from(bytes).unwrap();
        node.most_coming = node.most_coming.max(node.coming);
    }

    fn landed(&mut self, node: usize, input: &Input) {
        let bytes = match input {
            Input::Checked { bytes, .. } => bytes.len(),
            Input::Kept(cid) => self.nodes[node].store[cid].len(),
            _ => 0,
        };
        let node = &mut self.nodes[node];
        node.coming = node.coming.saturating_sub(u64::try_from(bytes).unwrap());
    }

    fn send(&mut self, node: usize, to: PeerId, channel: Channel, mut bytes: Vec<u8>) {
        let other = self.nodes.iter().position(|known| known.id == to).unwrap();
        assert!(bytes.len() <= wire::limits::FRAME_BYTES_MAX);
        let lane = match channel {
            Channel::Control => Lane::Control,
            Channel::Payload => Lane::Payload,
        };
        match (self.nodes[node].role, channel) {
            (Role::Dumb, _) | (Role::Mute, Channel::Payload) => return,
            (Role::Corrupts, Channel::Payload) => *bytes.last_mut().unwrap() ^= 1,
            (Role::Pushes, Channel::Payload) => {
                let part =
                    Part { id: 77_777, block_bytes: 9, offset: 0, bytes: b"surprises"[..].into() };
                bytes = BlockMessage::Part(part).encode_to_vec();
            }
            _ => {}
        }
        let (from, to) = (self.nodes[node].host, self.nodes[other].host);
        self.net.send(from, to, lane, bytes);
    }

    /// Something that is almost what one may say.
    fn babble(&mut self, node: usize, to: usize, heard: &[u8]) {
        let rng = &mut self.rng;
        let number = |rng: &mut Rng| rng.u32(..) >> rng.u32(..32);
        let run = Run { first: number(rng), count: number(rng) };
        let cid = [rng.u8(..); 36].into();
        let message = match rng.u8(..6) {
            0 => BlockMessage::Holds(Holds { added: vec![run], removed: vec![run] }),
            1 => {
                let (id, due_in_ms) = (number(rng), rng.bool().then(|| number(rng)));
                BlockMessage::Ask(Ask { blocks: vec![AskedBlock { id, cid }], due_in_ms })
            }
            2 => BlockMessage::Forget(Forget { ids: vec![number(rng)] }),
            3 => {
                let (id, offset) = (number(rng) % 4, number(rng));
                let block_bytes = number(rng);
                BlockMessage::Part(Part { id, block_bytes, offset, bytes: heard.into() })
            }
            _ => BlockMessage::Ask(Ask { blocks: vec![], due_in_ms: None }),
        };
        let mut bytes = message.encode_to_vec();
        if rng.bool() && !bytes.is_empty() {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        let (from, to) = (self.nodes[node].host, self.nodes[to].host);
        bytes.truncate(60_000);
        self.net.send(from, to, Lane::Control, bytes);
    }
}
