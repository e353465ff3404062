//! The swarm itself: one `step`, everything that comes in, and the order in which parts are asked.

use std::sync::Arc;

use primitives::{PeerId, Rng, SegmentId, SortedMap, SortedSet, Time};

use crate::{
    config::{self, Config},
    input::{FetchId, Input, Limits, Proof},
    neighbour::Neighbour,
    output::{Event, HangupReason, Output, Sources},
    piece::{at, len32},
    rate::{BestSecond, Goodput},
    segment::{Body, Finished, Giver, Put, Segment},
    timeline::Timeline,
    view::Totals,
};

/// When to call [`Swarm::step`] next if nothing happens first, and which part asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wake {
    /// The time.
    pub at: Time,
    /// Why: the first thing to read when something stalls.
    pub why: WakeReason,
}

/// The part of the swarm that wants to be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WakeReason {
    /// A segment reaches its last responsible moment for the origin, or a fetch may be tried again.
    Origin,
    /// An agreed fetcher's turn comes.
    Seed,
    /// A piece becomes late at its neighbour.
    Late,
    /// What is due long from now may be asked for again.
    Calm,
    /// Progress or the playhead is to be told.
    Tell,
    /// The upload limit lets more go.
    Serve,
    /// More neighbours are to be asked for, or one is to be judged.
    Neighbours,
    /// Nothing is due.
    Idle,
}

impl Wake {
    /// Nothing is due.
    pub const NEVER: Self = Self { at: Time::NEVER, why: WakeReason::Idle };
}

/// One stream's swarm at one peer.
#[derive(Debug)]
pub struct Swarm {
    pub(crate) config: Config,
    pub(crate) me: PeerId,
    pub(crate) rng: Rng,
    pub(crate) now: Time,
    pub(crate) started: Time,
    pub(crate) timeline: Timeline,
    pub(crate) segments: SortedMap<SegmentId, Segment>,
    pub(crate) stored: SortedSet<SegmentId>,
    pub(crate) neighbours: SortedMap<PeerId, Neighbour>,
    pub(crate) cut: SortedSet<PeerId>,
    pub(crate) fetches: SortedMap<FetchId, crate::fetches::Fetch>,
    pub(crate) next_fetch: u64,
    pub(crate) origin_rate: Goodput,
    pub(crate) origin_latency: Option<core::time::Duration>,
    pub(crate) limits: Limits,
    pub(crate) upload_allowance: crate::serving::Allowance,
    pub(crate) swarm_size: Option<u32>,
    pub(crate) call: crate::neighbours::Call,
    pub(crate) calm: crate::neighbours::Calm,
    pub(crate) totals: Totals,
    pub(crate) best: BestSecond,
    pub(crate) playback_told: Time,
    pub(crate) playback_sent: Option<wire::peer::Playback>,
    /// The player seeked or switched, and neighbours were not told.
    pub(crate) jumped: bool,
    /// Something changed that decisions rest on.
    pub(crate) replan: bool,
    pub(crate) plan_wake: Wake,
}

impl Swarm {
    /// A swarm that knows nothing yet. All its choices follow from `seed`.
    pub fn new(config: Config, me: PeerId, seed: primitives::Seed, now: Time) -> Self {
        Self {
            config,
            me,
            rng: seed.derive("swarm").rng(),
            now,
            started: now,
            timeline: Timeline::default(),
            segments: SortedMap::new(),
            stored: SortedSet::new(),
            neighbours: SortedMap::new(),
            cut: SortedSet::new(),
            fetches: SortedMap::new(),
            next_fetch: 0,
            origin_rate: Goodput::default(),
            origin_latency: None,
            limits: Limits::default(),
            upload_allowance: crate::serving::Allowance::default(),
            swarm_size: None,
            call: crate::neighbours::Call::new(now),
            calm: crate::neighbours::Calm::default(),
            totals: Totals::default(),
            best: BestSecond::default(),
            playback_told: Time::ZERO,
            playback_sent: None,
            jumped: true,
            replan: true,
            plan_wake: Wake::NEVER,
        }
    }

    /// Takes one input at `now`, pushes what is to be done and says when to call again.
    ///
    /// Total: a stranger's bytes become [`Event::Misbehaved`], never an error, never a panic.
    pub fn step(&mut self, now: Time, input: Input<'_>, out: &mut Vec<Output>) -> Wake {
        self.now = self.now.max(now);
        self.take(input, out);
        if self.replan || self.now >= self.plan_wake.at {
            self.plan(out);
        }
        let serve = self.serve(out);
        let tell = self.tell(out);
        self.plan_wake.min(serve).min(tell)
    }

    fn take(&mut self, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Tick => {}
            Input::PeerUp(peer) => self.on_peer_up(peer, out),
            Input::PeerDown(peer) => self.on_peer_down(peer),
            Input::Frame { from, bytes } => self.on_frame(from, bytes, out),
            Input::Sent { to, bytes } => self.on_sent(to, bytes),
            Input::Track(track) => {
                self.timeline.set_track(self.now, track);
                self.replan = true;
            }
            Input::Proof { segment, proof } => self.on_proof(segment, proof, out),
            Input::Held(segments) => self.on_stored(segments, out),
            Input::Loaded { segment, bytes } => self.on_loaded(segment, bytes, out),
            Input::Evicted(segments) => self.on_evicted(&segments, out),
            Input::Want(segment) => self.on_want(segment, out),
            Input::Unwant(segment) => {
                if let Some(known) = self.segments.get_mut(&segment) {
                    known.wanted = false;
                }
                self.replan = true;
            }
            Input::Elsewhere(segment) => self.on_elsewhere(segment, out),
            Input::Given { segment, bytes, took } => self.on_given(segment, bytes, took, out),
            Input::HandOver { segment, segment_bytes, bytes, took } => {
                self.on_hand_over(segment, segment_bytes, bytes, took, out);
            }
            Input::Playback(playhead) => self.on_playback(playhead),
            Input::Fetched { fetch, segment_bytes, bytes } => {
                self.on_fetched(fetch, segment_bytes, bytes, out);
            }
            Input::FetchEnded { fetch } => self.on_fetch_ended(fetch, out),
            Input::FetchFailed { fetch, status } => self.on_fetch_failed(fetch, status, out),
            Input::SwarmSize(size) => {
                self.swarm_size = Some(size);
                self.replan = true;
            }
            Input::Limits(limits) => self.on_limits(limits, out),
        }
    }

    /// Decides anew. Parts tell their next moment by [`Swarm::wake_at`].
    fn plan(&mut self, out: &mut Vec<Output>) {
        self.replan = false;
        self.plan_wake = Wake::NEVER;
        let needs = self.needs();
        self.follow(&needs, out);
        self.drop_unneeded(&needs, out);
        self.judge_neighbours(out);
        self.ask_neighbours(&needs, out);
        self.ask_origin(&needs, out);
        self.trim_memory(out);
    }

    /// Asks to be called at `at`, if nothing earlier comes.
    pub(crate) fn wake_at(&mut self, at: Time, why: WakeReason) {
        // A moment that has come is acted on in this very call; one that can't be must not spin.
        let soonest = self.now + core::time::Duration::from_millis(5);
        self.plan_wake = self.plan_wake.min(Wake { at: at.max(soonest), why });
    }

    /// What is needed, earliest first: what the player waits for and what it will play.
    fn needs(&self) -> Vec<(Time, SegmentId)> {
        let ahead = self.timeline.ahead(self.now);
        let mut needs: SortedSet<(Time, SegmentId)> = ahead.into_iter().collect();
        for (id, segment) in &self.segments {
            if segment.wanted && !needs.iter().any(|(_, need)| need == id) {
                needs.insert((self.timeline.due(self.now, *id).unwrap_or(self.now), *id));
            }
        }
        needs.into_iter().collect()
    }

    /// Starts following what is needed: its proof, its bytes in the store.
    fn follow(&mut self, needs: &[(Time, SegmentId)], out: &mut Vec<Output>) {
        for (_, id) in needs {
            if self.segments.len() >= config::SEGMENTS_MAX && !self.segments.contains_key(id) {
                break;
            }
            let (now, stored) = (self.now, self.stored.contains(id));
            let segment = self.segments.entry(*id).or_insert_with(|| Segment::new(*id, now));
            segment.stored |= stored && !segment.is_held();
            if segment.asked_proof.is_none() {
                segment.asked_proof = Some(now);
                out.push(Output::Prove(*id));
            }
            if segment.wanted {
                self.load(*id, out);
            }
        }
    }

    /// Reads a stored segment, once it can be checked.
    pub(crate) fn load(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        let Some(segment) = self.segments.get_mut(&id) else { return };
        match segment.proof {
            _ if !segment.stored || segment.loading || segment.is_held() => {}
            None => {}
            Some(Proof::Missing) => {
                segment.stored = false;
                self.stored.remove(&id);
            }
            Some(_) => {
                segment.loading = true;
                out.push(Output::Load(id));
            }
        }
    }

    /// Stops what is under way for segments that nobody here needs any more.
    fn drop_unneeded(&mut self, needs: &[(Time, SegmentId)], out: &mut Vec<Output>) {
        let needed: SortedSet<SegmentId> = needs.iter().map(|(_, id)| *id).collect();
        let queued: SortedSet<SegmentId> = self.queued_for_others();
        let unneeded = |segment: &Segment| {
            let elsewhere = self.now < segment.elsewhere_until;
            let used =
                segment.wanted || segment.loading || elsewhere || queued.contains(&segment.id);
            !segment.is_held() && !used && !needed.contains(&segment.id)
        };
        let gone: Vec<SegmentId> =
            self.segments.values().filter(|segment| unneeded(segment)).map(|s| s.id).collect();
        for id in gone {
            self.cancel_asks(id, out);
            self.abort_fetches(id, out);
            if let Some(segment) = self.segments.remove(&id)
                && let Body::Arriving(arriving) = &segment.body
            {
                let sources = arriving.sources();
                self.totals.wasted_bytes +=
                    u64::from(sources.origin_bytes) + u64::from(sources.peer_bytes);
                self.tell_stopped(id, out);
            }
        }
    }

    fn on_want(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        self.timeline.note_want(id);
        let now = self.now;
        if self.segments.len() >= config::SEGMENTS_MAX && !self.segments.contains_key(&id) {
            out.push(Output::Fail { segment: id, status: 0, forged: false });
            return;
        }
        let segment = self.segments.entry(id).or_insert_with(|| Segment::new(id, now));
        segment.wanted = true;
        segment.elsewhere_until = Time::ZERO;
        if segment.is_held() {
            self.deliver(id, out);
        }
        self.replan = true;
    }

    fn on_elsewhere(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        if self.segments.len() >= config::SEGMENTS_MAX && !self.segments.contains_key(&id) {
            return;
        }
        self.timeline.note_want(id);
        let now = self.now;
        let segment = self.segments.entry(id).or_insert_with(|| Segment::new(id, now));
        segment.elsewhere_until = now + config::ELSEWHERE_MAX;
        self.cancel_asks(id, out);
        self.abort_fetches(id, out);
        self.replan = true;
    }

    fn on_given(
        &mut self,
        id: SegmentId,
        bytes: Option<&[u8]>,
        took: core::time::Duration,
        out: &mut Vec<Output>,
    ) {
        self.replan = true;
        if self.segments.len() >= config::SEGMENTS_MAX && !self.segments.contains_key(&id) {
            return;
        }
        self.timeline.note_want(id);
        let now = self.now;
        let segment = self.segments.entry(id).or_insert_with(|| Segment::new(id, now));
        segment.elsewhere_until = Time::ZERO;
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty() && !segment.is_held()) else {
            return;
        };
        let fits = segment.set_size(len32(bytes.len()));
        self.origin_rate.add_load(len32(bytes.len()), took);
        self.abort_fetches(id, out);
        if !fits {
            return;
        }
        // The player counts what it loads by itself.
        let counted = self.totals.origin_bytes;
        for (piece, part) in (0..).zip(bytes.chunks(at(wire::limits::PIECE_BYTES))) {
            if self.segments.get(&id).is_some_and(|segment| !segment.has(piece)) {
                self.put(id, piece, part, Giver::Origin, out);
            }
        }
        self.totals.origin_bytes = counted;
    }

    /// Hands a held segment to the waiting player.
    fn deliver(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        let bytes_per_s = self.bandwidth_bytes_per_s();
        let Some(segment) = self.segments.get_mut(&id) else { return };
        if let (true, Body::Held { bytes, sources }) = (segment.wanted, &segment.body) {
            segment.wanted = false;
            let sources = Sources { bytes_per_s, ..*sources };
            out.push(Output::Deliver { segment: id, bytes: Arc::clone(bytes), sources });
        }
    }

    fn on_playback(&mut self, playhead: crate::input::Playhead) {
        let before = self.timeline.playback(self.now).map(|(at, ..)| at);
        self.timeline.set_playhead(self.now, playhead);
        let after = self.timeline.playback(self.now).map(|(at, ..)| at);
        let follows = |a: SegmentId, b: SegmentId| {
            a.track == b.track && (a.index..=a.index.saturating_add(1)).contains(&b.index)
        };
        // A seek or a switch is told at once, plain progress once a second.
        self.jumped |= !before.zip(after).is_some_and(|(a, b)| follows(a, b));
        self.replan = true;
    }

    fn on_proof(&mut self, id: SegmentId, proof: Proof, out: &mut Vec<Output>) {
        let proof = if proof.is_sound() { proof } else { Proof::Missing };
        let Some(segment) = self.segments.get_mut(&id) else { return };
        if segment.proof.as_ref().is_some_and(|known| *known != Proof::Missing) {
            return;
        }
        self.replan = true;
        if !segment.set_proof(proof) {
            self.on_forged_origin(id, out);
            return;
        }
        let (held, wanted) = (segment.is_held(), segment.wanted);
        if held {
            self.after_held(id, out);
        } else if wanted || self.queued_for_others().contains(&id) {
            self.load(id, out);
        }
    }

    /// The origin's bytes are not what was signed.
    fn on_forged_origin(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        out.push(Output::Event(Event::OriginMismatch(id)));
        self.abort_fetches(id, out);
        self.cancel_asks(id, out);
        let refuse = self.config.refuse_forged;
        let Some(segment) = self.segments.get_mut(&id) else { return };
        segment.tainted = true;
        if refuse {
            segment.reset();
            segment.retry_at = Time::NEVER;
            if segment.wanted {
                segment.wanted = false;
                out.push(Output::Fail { segment: id, status: 0, forged: true });
            }
        } else if segment.is_held() {
            self.deliver(id, out);
        } else {
            // Some pieces may be the peers' and right, others the origin's: take all from the origin.
            segment.reset();
            segment.proof = Some(Proof::Missing);
        }
        self.replan = true;
    }

    /// Puts a piece in, from wherever it came, and acts on what became of it.
    pub(crate) fn put(
        &mut self,
        id: SegmentId,
        piece: u32,
        bytes: &[u8],
        giver: Giver,
        out: &mut Vec<Output>,
    ) {
        let Some(segment) = self.segments.get_mut(&id) else { return };
        let result = segment.put(piece, bytes, giver);
        let length = len32(bytes.len());
        match (result, giver) {
            (Put::Useless, giver) => {
                self.totals.wasted_bytes += u64::from(length);
                if giver == Giver::Origin {
                    self.totals.origin_wasted_bytes += u64::from(length);
                }
            }
            (Put::Wrong, Giver::Peer(peer)) => {
                self.totals.wasted_bytes += u64::from(length);
                self.cut(peer, HangupReason::WrongBytes, out);
            }
            (Put::Wrong, Giver::Origin) => self.on_forged_origin(id, out),
            (Put::Kept, _) => self.after_piece(id, piece, length, giver, out),
            (Put::Last, _) => {
                self.after_piece(id, piece, length, giver, out);
                self.finish(id, out);
            }
        }
        self.replan = true;
    }

    fn after_piece(
        &mut self,
        id: SegmentId,
        piece: u32,
        length: u32,
        giver: Giver,
        out: &mut Vec<Output>,
    ) {
        self.best.add(self.now, length);
        match giver {
            Giver::Origin => self.totals.origin_bytes += u64::from(length),
            Giver::Peer(peer) => {
                self.totals.peer_bytes += u64::from(length);
                if self.segments.get(&id).is_some_and(Segment::piecewise) {
                    self.note_verified(peer, length);
                }
                out.push(Output::Event(Event::Received { peer, bytes: length }));
            }
        }
        self.cancel_ask(id, piece, out);
    }

    fn note_verified(&mut self, peer: PeerId, bytes: u32) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.verified_bytes += u64::from(bytes);
        }
    }

    fn finish(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        let Some(segment) = self.segments.get_mut(&id) else { return };
        let given = segment.given();
        match segment.finish() {
            Finished::Whole => {
                for peer in segment.liars() {
                    self.cut(peer, HangupReason::WrongBytes, out);
                }
                for (peer, bytes) in given {
                    self.note_verified(peer, bytes);
                }
                self.abort_fetches(id, out);
                self.after_held(id, out);
            }
            Finished::Forged => self.on_forged_origin(id, out),
            Finished::Lied(peers) => {
                // With several givers the origin's copy decides who it was.
                segment.reset();
                segment.retry_at = Time::ZERO;
                self.abort_fetches(id, out);
                self.cancel_asks(id, out);
                for peer in peers {
                    self.cut(peer, HangupReason::WrongBytes, out);
                }
            }
        }
    }

    /// A segment became whole, or what proves it came after: deliver, keep, tell.
    fn after_held(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        self.deliver(id, out);
        let Some(segment) = self.segments.get(&id) else { return };
        let Body::Held { bytes, sources } = &segment.body else { return };
        if !segment.shareable() {
            return;
        }
        out.push(Output::Event(Event::Completed { segment: id, sources: *sources }));
        if self.stored.len() < config::STORED_MAX && self.stored.insert(id) {
            // Counted as stored at once; a store that could not keep it says `Evicted`.
            out.push(Output::Store { segment: id, bytes: Arc::clone(bytes) });
        }
        self.tell_have(id, true, out);
    }

    fn on_stored(&mut self, segments: Vec<SegmentId>, out: &mut Vec<Output>) {
        for id in segments {
            if self.stored.len() < config::STORED_MAX && self.stored.insert(id) {
                self.tell_have(id, true, out);
            }
        }
        self.replan = true;
    }

    fn on_evicted(&mut self, segments: &[SegmentId], out: &mut Vec<Output>) {
        for id in segments {
            self.stored.remove(id);
            let held = self.segments.get_mut(id).is_some_and(|segment| {
                segment.stored = false;
                segment.is_held()
            });
            if !held {
                self.tell_have(*id, false, out);
            }
        }
        self.replan = true;
    }

    fn on_loaded(&mut self, id: SegmentId, bytes: Option<&[u8]>, out: &mut Vec<Output>) {
        self.replan = true;
        let Some(segment) = self.segments.get_mut(&id) else { return };
        segment.loading = false;
        segment.stored = false;
        if segment.is_held() {
            return;
        }
        let good =
            bytes.filter(|bytes| segment.proof.as_ref().is_some_and(|proof| proof.holds(bytes)));
        let Some(bytes) = good else {
            self.stored.remove(&id);
            self.tell_have(id, false, out);
            self.refuse_queued(id, out);
            return;
        };
        let length = len32(bytes.len());
        let sources = Sources { cache_bytes: length, ..Sources::default() };
        segment.body = Body::Held { bytes: bytes.into(), sources };
        self.totals.cache_bytes += u64::from(length);
        self.cancel_asks(id, out);
        self.abort_fetches(id, out);
        self.deliver(id, out);
    }

    /// Bytes of segments held in memory, kept below the limit: passed ones go first, oldest first.
    fn trim_memory(&mut self, out: &mut Vec<Output>) {
        let size = |segment: &Segment| match &segment.body {
            Body::Held { bytes, .. } => u64::from(len32(bytes.len())),
            Body::Empty | Body::Arriving(_) => 0,
        };
        let mut total: u64 = self.segments.values().map(size).sum();
        if total <= self.limits.memory_bytes {
            return;
        }
        let asked = self.queued_for_others();
        while total > self.limits.memory_bytes {
            let playing = self.timeline.playback(self.now).map(|(at, ..)| at);
            let held = self.segments.values().filter(|segment| {
                // What others asked for stays until it is sent: it would only be read again.
                segment.is_held() && !segment.wanted && !asked.contains(&segment.id)
            });
            // Other tracks first, then what was passed longest ago, then what is farthest ahead.
            let victim = held.max_by_key(|segment| match playing {
                Some(at) if at.track != segment.id.track => (2, u32::MAX - segment.id.index),
                Some(at) if segment.id.index < at.index => (1, at.index - segment.id.index),
                _ => (0, segment.id.index),
            });
            let Some(id) = victim.map(|segment| segment.id) else { return };
            if let Some(segment) = self.segments.remove(&id) {
                total -= size(&segment);
            }
            if !self.stored.contains(&id) {
                self.tell_have(id, false, out);
            }
        }
    }

    /// What the player's estimator should believe: what transfers have shown, not what memory gives.
    pub(crate) fn bandwidth_bytes_per_s(&self) -> u64 {
        let peers: u64 =
            self.neighbours.values().filter_map(|neighbour| neighbour.goodput.bytes_per_s()).sum();
        let origin = self.origin_rate.bytes_per_s().unwrap_or(0);
        self.best.bytes_per_s().max(origin).max(peers / 2)
    }
}
