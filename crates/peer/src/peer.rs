//! The peer itself: one `step`, every input, and what each part says handed to the others.

mod performing;
mod server;
mod showing;

use primitives::{KeyPair, PeerId, Seed, SegmentId, Signature, SortedMap, SwarmId, Time};
use swarm::Limits;
use wire::limits::{FRAME_BYTES_MAX, SWARMS_PER_CONNECTION_MAX};

use crate::{
    Input, Output, StreamConfig, Wake, WakeReason,
    effect::{Effect, Effects, Ids},
    history::Way,
    links::Links,
    problems::{Problems, wrong},
    proofs::Context,
    room::{Room, RoomEvent},
    session::Session,
    stream::{Listed, Stream},
};

/// Most streams open at a time.
pub const STREAMS_MAX: usize = SWARMS_PER_CONNECTION_MAX;
/// Most publishers of closed streams remembered, for trust on first use.
const TRUSTED_MAX: usize = 256;

/// What a peer is started with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PeerConfig {
    /// The person's limits, for all streams together.
    pub limits: Limits,
    /// Connect through relays only.
    pub relay_only: bool,
}

/// A whole peer. See the crate's story.
#[derive(Debug)]
pub struct Peer {
    key: KeyPair,
    seed: Seed,
    pub(crate) now: Time,
    limits: Limits,
    /// Shares that send beside the streams.
    shares: u64,
    paused: bool,
    session: Session,
    pub(crate) links: Links,
    pub(crate) streams: SortedMap<SwarmId, Stream>,
    pub(crate) rooms: SortedMap<SwarmId, Room>,
    /// Publishers of streams that are closed now.
    trusted: SortedMap<SwarmId, PeerId>,
    problems: Problems,
    ids: Ids,
    pub(crate) fx: Effects,
    /// How many streams were ever opened: each gets its own seed.
    opened: u64,
    /// Whether the person was told that the signaling server can't be reached.
    told_signaling: bool,
}

impl Peer {
    /// A peer without streams. Its key and all its choices follow from `seed`.
    pub fn new(config: PeerConfig, seed: Seed, now: Time) -> Self {
        let key = KeyPair::from_seed(seed.derive("peer key"));
        Self {
            session: Session::new(key.clone(), seed.derive("session")),
            links: Links::new(key.clone(), seed.derive("links"), config.relay_only),
            key,
            seed,
            now,
            limits: config.limits,
            shares: 0,
            paused: false,
            streams: SortedMap::new(),
            rooms: SortedMap::new(),
            trusted: SortedMap::new(),
            problems: Problems::default(),
            ids: Ids::default(),
            fx: Effects::new(),
            opened: 0,
            told_signaling: false,
        }
    }

    /// This peer's public key.
    pub fn id(&self) -> PeerId {
        self.key.id()
    }

    /// Signs what it got from whom, for who pays them: see [`wire::fund`].
    pub fn attest(&self, said: &str) -> Signature {
        self.key.sign(&wire::fund::to_sign(said))
    }

    /// Takes one input at `now`, pushes what is to be done and says when to call again.
    ///
    /// Total: whatever the server, a stranger or the driver says, nothing panics and no error comes
    /// back; what a person may want to know is an [`Output::Problem`].
    pub fn step(&mut self, now: Time, input: Input, out: &mut Vec<Output>) -> Wake {
        self.now = self.now.max(now);
        self.take(input);
        self.perform_all(out);
        self.run_due();
        self.perform_all(out);
        self.wake()
    }

    fn take(&mut self, input: Input) {
        match input {
            Input::Tick => {}
            Input::Open(config) => self.on_open(config),
            Input::Close(swarm) => self.on_close(swarm),
            Input::Pause => self.on_pause(),
            Input::Resume => self.on_resume(),
            Input::NetworkChanged => self.on_network_changed(),
            Input::Limits(limits) => {
                self.limits = limits;
                self.share_limits();
            }
            Input::Shares(count) => {
                self.shares = count;
                self.share_limits();
            }
            Input::RelayOnly(on) => self.links.set_relay_only(on, &mut self.fx),
            Input::Track { .. }
            | Input::Want(..)
            | Input::Unwant(..)
            | Input::Elsewhere(..)
            | Input::Given { .. }
            | Input::HandOver { .. }
            | Input::Playback(..)
            | Input::StoreOpen { .. }
            | Input::Loaded { .. }
            | Input::Evicted { .. } => self.take_media(input),
            Input::Fetched { .. } | Input::FetchEnded { .. } | Input::FetchFailed { .. } => {
                self.take_fetch(input);
            }
            Input::Room(swarm, input) => self.take_room(swarm, input),
            Input::SocketOpen => self.session.on_open(self.now),
            Input::SocketText(text) => self.on_text(&text),
            Input::SocketClosed => self.session.on_closed(self.now),
            Input::RtcDescription { .. }
            | Input::RtcCandidate { .. }
            | Input::RtcOpen { .. }
            | Input::RtcInterrupted { .. }
            | Input::RtcClosed { .. }
            | Input::RtcPath { .. }
            | Input::RtcMessage { .. }
            | Input::RtcSent { .. } => self.take_rtc(input),
            Input::Http { request, answer } => {
                let swarms: Vec<SwarmId> = self.streams.keys().copied().collect();
                let mut ours = |swarm| self.prove(swarm, |p, cx| p.on_http(request, &answer, cx));
                let _ = swarms.into_iter().any(|swarm| ours(swarm).unwrap_or(false));
            }
        }
    }

    /// What the player and the store say of a stream.
    fn take_media(&mut self, input: Input) {
        match input {
            Input::Track { swarm, track, urls } => {
                self.with(swarm, |stream, now, fx| {
                    stream.set_track(now, Listed { track, urls }, fx)
                });
            }
            Input::Want(swarm, segment) if !self.streams.contains_key(&swarm) => {
                // Nobody else would answer the player.
                let fail = Output::Fail { swarm, segment, status: 0, forged: false };
                self.fx.push_back(Effect::Out(fail));
            }
            Input::Want(swarm, segment) => self.tell(swarm, swarm::Input::Want(segment)),
            Input::Unwant(swarm, segment) => self.tell(swarm, swarm::Input::Unwant(segment)),
            Input::Elsewhere(swarm, segment) => {
                self.tell(swarm, swarm::Input::Elsewhere(segment));
            }
            Input::Given { swarm, segment, bytes, took } => {
                let bytes = bytes.as_deref();
                self.tell(swarm, swarm::Input::Given { segment, bytes, took });
            }
            Input::HandOver { swarm, segment, segment_bytes, bytes, took } => {
                let bytes = &bytes[..];
                self.tell(swarm, swarm::Input::HandOver { segment, segment_bytes, bytes, took });
            }
            Input::Playback(swarm, playhead) => {
                self.with(swarm, |stream, now, fx| stream.set_playhead(now, playhead, fx));
            }
            Input::StoreOpen { swarm, mut held } => {
                held.truncate(swarm::config::STORED_MAX);
                self.tell(swarm, swarm::Input::Held(held));
            }
            Input::Loaded { swarm, segment, bytes } => self.on_loaded(swarm, segment, bytes),
            Input::Evicted { swarm, segments } => {
                self.tell(swarm, swarm::Input::Evicted(segments));
            }
            _ => {}
        }
    }

    fn on_loaded(&mut self, swarm: SwarmId, segment: SegmentId, bytes: Option<Vec<u8>>) {
        let length = bytes.as_ref().map_or(0, Vec::len);
        let now = self.now;
        if let Some(stream) = self.streams.get_mut(&swarm) {
            stream.history.add(now, Way::Cache, length);
        }
        self.tell(swarm, swarm::Input::Loaded { segment, bytes: bytes.as_deref() });
    }

    /// What the origin says.
    fn take_fetch(&mut self, input: Input) {
        match input {
            Input::Fetched { swarm, fetch, segment_bytes, bytes } => {
                self.with(swarm, |stream, now, fx| {
                    stream.on_fetched(now, fetch, segment_bytes, &bytes, fx)
                });
            }
            Input::FetchEnded { swarm, fetch } => {
                self.with(swarm, |stream, now, fx| stream.on_fetch_ended(now, fetch, fx));
            }
            Input::FetchFailed { swarm, fetch, status } => {
                self.with(swarm, |stream, now, fx| stream.on_fetch_failed(now, fetch, status, fx));
            }
            _ => {}
        }
    }

    /// What the connections say.
    fn take_rtc(&mut self, input: Input) {
        let (now, fx) = (self.now, &mut self.fx);
        match input {
            Input::RtcDescription { link, sdp } => self.links.on_description(now, link, sdp, fx),
            Input::RtcCandidate { link, candidate, mid } => {
                self.links.on_candidate(link, (candidate, mid), fx);
            }
            Input::RtcOpen { link } => self.links.on_open(link, fx),
            Input::RtcInterrupted { link } => {
                self.links.on_interrupted(now, link);
                // Whoever moved to another network without being told has lost the server too.
                self.session.probe(now, fx);
            }
            Input::RtcClosed { link } => self.links.on_closed(now, link, fx),
            Input::RtcPath { link, relayed, rtt_ms } => self.links.on_path(link, relayed, rtt_ms),
            Input::RtcMessage { link, bytes } => {
                // One byte more than allowed is enough for the swarm to see that it is too long.
                let mut bytes = bytes;
                bytes.truncate(FRAME_BYTES_MAX + 1);
                if let Some((swarm, from, bytes)) = self.links.on_message(now, link, bytes, fx) {
                    self.on_frame(swarm, from, bytes);
                }
            }
            Input::RtcSent { link, bytes } => {
                if let Some((swarm, to)) = self.links.neighbour(link)
                    && !self.tell_room(swarm, RoomEvent::Sent { to, bytes })
                {
                    self.tell(swarm, swarm::Input::Sent { to, bytes });
                }
            }
            _ => {}
        }
    }

    /// A message of an open link.
    fn on_frame(&mut self, swarm: SwarmId, from: PeerId, bytes: Vec<u8>) {
        if self.rooms.contains_key(&swarm) {
            self.tell_room(swarm, RoomEvent::Frame { from, bytes });
        } else {
            self.tell(swarm, swarm::Input::Frame { from, bytes: &bytes });
        }
    }

    fn on_open(&mut self, config: StreamConfig) {
        let swarm = config.swarm_id();
        if let Some(stream) = self.streams.get_mut(&swarm) {
            stream.opened = stream.opened.saturating_add(1);
            return;
        }
        if self.streams.len() + self.rooms.len() >= STREAMS_MAX || self.rooms.contains_key(&swarm) {
            let what = format!("{STREAMS_MAX} streams are open, more are not shared");
            wrong(&mut self.fx, None, "too-many-streams", what, "Close one of them.");
            return;
        }
        self.opened += 1;
        let seed = self.seed.derive(&format!("stream {}", self.opened));
        let trusted = self.trusted.get(&swarm).copied();
        self.streams.insert(swarm, Stream::new(config, self.id(), trusted, seed, self.now));
        self.prove(swarm, |proofs, cx| proofs.start(cx));
        self.fx.push_back(Effect::Out(Output::OpenStore(swarm)));
        self.share_limits();
        self.enter(swarm);
    }

    /// Links and session: is introduced to this swarm from now on.
    pub(crate) fn enter(&mut self, swarm: SwarmId) {
        self.links.open_swarm(swarm);
        if !self.paused {
            self.session.start(self.now, &mut self.fx);
            self.join(swarm);
        }
    }

    /// And no longer.
    pub(crate) fn leave(&mut self, swarm: SwarmId) {
        self.session.leave(self.now, swarm, &mut self.fx);
        if self.streams.is_empty() && self.rooms.is_empty() {
            self.session.stop(self.now, &mut self.fx);
        }
    }

    /// Every swarm this peer is in.
    pub(crate) fn swarms(&self) -> Vec<SwarmId> {
        self.streams.keys().chain(self.rooms.keys()).copied().collect()
    }

    fn on_close(&mut self, swarm: SwarmId) {
        let Some(stream) = self.streams.get_mut(&swarm) else { return };
        stream.opened = stream.opened.saturating_sub(1);
        if stream.opened > 0 {
            return;
        }
        stream.abort_all(&mut self.fx);
        if let Some(publisher) = stream.proofs.publisher() {
            if self.trusted.len() >= TRUSTED_MAX {
                self.trusted.pop_first();
            }
            self.trusted.insert(swarm, publisher);
        }
        self.links.close_swarm(swarm, &mut self.fx);
        self.streams.remove(&swarm);
        self.problems.close(swarm);
        self.leave(swarm);
        self.share_limits();
    }

    fn on_pause(&mut self) {
        self.paused = true;
        for swarm in self.swarms() {
            self.links.leave_swarm(swarm, &mut self.fx);
        }
        self.session.stop(self.now, &mut self.fx);
    }

    fn on_resume(&mut self) {
        self.paused = false;
        if !self.swarms().is_empty() {
            self.session.start(self.now, &mut self.fx);
        }
    }

    fn on_network_changed(&mut self) {
        if !self.paused {
            self.session.restart(self.now, &mut self.fx);
            self.links.on_network_changed(self.now, &mut self.fx);
        }
    }

    /// The person's limits are for all streams together: each gets its share.
    fn share_limits(&mut self) {
        let limits = part_of(self.limits, self.streams.len(), self.shares);
        for swarm in self.streams.keys().copied().collect::<Vec<_>>() {
            self.tell(swarm, swarm::Input::Limits(limits));
        }
    }

    /// Everything whose time has come.
    fn run_due(&mut self) {
        self.session.tick(self.now, &mut self.fx);
        for swarm in self.session.overdue_joins(self.now) {
            self.join(swarm);
        }
        self.links.set_reachable(self.session.is_ready());
        self.links.tick(self.now, &mut self.ids, &mut self.fx);
        for swarm in self.streams.keys().copied().collect::<Vec<_>>() {
            self.prove(swarm, |proofs, cx| proofs.tick(cx));
            if self.streams.get(&swarm).is_some_and(|stream| stream.swarm_wake <= self.now) {
                self.tell(swarm, swarm::Input::Tick);
            }
        }
        self.tell_signaling();
    }

    fn wake(&self) -> Wake {
        let mut wake = Wake::NEVER
            .or(self.session.wake(), WakeReason::Session)
            .or(self.links.wake(), WakeReason::Links);
        for stream in self.streams.values() {
            wake = wake
                .or(stream.proofs.wake(), WakeReason::Proofs)
                .or(stream.swarm_wake, WakeReason::Swarm);
        }
        // What was due was done in this call; what could not be done must not make the driver spin.
        let soonest = self.now + core::time::Duration::from_millis(1);
        Wake { at: wake.at.max(soonest), ..wake }
    }

    /// Lets the proofs of one stream work.
    fn prove<T>(
        &mut self,
        swarm: SwarmId,
        work: impl FnOnce(&mut crate::proofs::Proofs, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let stream = self.streams.get_mut(&swarm)?;
        let mut cx = Context {
            now: self.now,
            listing: &stream.listing,
            ids: &mut self.ids,
            server: self.session.server(),
            fx: &mut self.fx,
        };
        Some(work(&mut stream.proofs, &mut cx))
    }
}

/// What one of these streams gets of limits that are for all of them, and the upload also for shares.
fn part_of(limits: Limits, streams: usize, shares: u64) -> Limits {
    let streams = u64::try_from(streams).unwrap_or(u64::MAX).max(1);
    let senders = streams.saturating_add(shares);
    Limits {
        upload_bytes_per_s: limits.upload_bytes_per_s.map(|limit| limit / senders),
        memory_bytes: limits.memory_bytes / streams,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_that_send_take_part_in_the_upload_and_not_in_the_memory() {
        let limits = Limits { upload_bytes_per_s: Some(600_000), memory_bytes: 80 };
        let part = part_of(limits, 2, 1);
        assert_eq!((part.upload_bytes_per_s, part.memory_bytes), (Some(200_000), 40));
        assert_eq!(part_of(limits, 0, 0), limits);
        let none = Limits { upload_bytes_per_s: None, ..limits };
        assert_eq!(part_of(none, 1, 3).upload_bytes_per_s, None);
    }
}
