//! The neighbourhood: greeting, judging, cutting, and what neighbours are asked for.

use core::time::Duration;

use primitives::{PeerId, SegmentId, SortedSet, Time};
use wire::peer::{Cancel, Data, DecodeError, Hello, Message, Request};

use crate::{
    config,
    neighbour::Neighbour,
    order,
    output::{Channel, Event, HangupReason, Output},
    piece::{self, len32},
    segment::Giver,
    swarm::{Swarm, WakeReason},
};

/// Version of the peer protocol from which on payload is acknowledged.
const ACKS_SINCE: u32 = 2;

/// When to call for more neighbours.
#[derive(Debug)]
pub(crate) struct Call {
    at: Time,
    wait: Duration,
}

/// When the next piece that nobody is in a hurry for may be asked for.
#[derive(Debug, Default)]
pub(crate) struct Calm {
    next: Time,
}

impl Calm {
    /// A piece that plays this long was asked for.
    fn went(&mut self, now: Time, playing: Duration) {
        let (more, than) = config::CALM_SPEED;
        let from = self.next.max(now.before(config::CALM_BURST * than / more));
        self.next = from + playing * than / more;
    }
}

impl Call {
    pub(crate) fn new(now: Time) -> Self {
        let (first, _) = config::NEIGHBOURS_EVERY;
        Self { at: now + first, wait: first }
    }
}

impl Swarm {
    pub(crate) fn on_peer_up(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        if self.cut.contains(&peer) || self.neighbours.len() >= config::NEIGHBOURS_MAX {
            out.push(Output::Hangup { peer, why: HangupReason::Replaced });
            return;
        }
        self.neighbours.insert(peer, Neighbour::new(peer, self.now));
        let hello = Hello {
            version: wire::limits::PEER_VERSION,
            swarm: self.config.swarm,
            uploads: self.uploads(),
        };
        self.send(peer, Message::Hello(hello), out);
        self.replan = true;
    }

    pub(crate) fn on_peer_down(&mut self, peer: PeerId) {
        if let Some(neighbour) = self.neighbours.remove(&peer) {
            for ask in &neighbour.asks {
                self.totals.wasted_bytes += u64::from(len32(ask.buffer.len()));
            }
        }
        self.replan = true;
    }

    /// Cuts a peer for the session.
    pub(crate) fn cut(&mut self, peer: PeerId, why: HangupReason, out: &mut Vec<Output>) {
        if !self.neighbours.contains_key(&peer) {
            return;
        }
        if why == HangupReason::WrongBytes {
            self.totals.liars += 1;
            // Bounded by what a session can meet; a flood of liars forgets the first.
            if self.cut.len() >= config::SEGMENTS_MAX {
                self.cut.pop_first();
            }
            self.cut.insert(peer);
        }
        if why != HangupReason::Silent {
            out.push(Output::Event(Event::Misbehaved { peer, why }));
        }
        out.push(Output::Hangup { peer, why });
        self.on_peer_down(peer);
    }

    pub(crate) fn send(&mut self, to: PeerId, message: Message<'_>, out: &mut Vec<Output>) {
        let bytes = message.encode_to_vec();
        self.totals.control_out_bytes += u64::from(len32(bytes.len()));
        out.push(Output::Send { to, channel: Channel::Control, bytes });
    }

    pub(crate) fn on_frame(&mut self, from: PeerId, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(neighbour) = self.neighbours.get(&from) else { return };
        let greeted = neighbour.greeted;
        let message = match Message::decode(bytes) {
            Ok(message) => message,
            Err(DecodeError::Unknown(_)) => return,
            Err(_) => return self.cut(from, HangupReason::BadFrame, out),
        };
        if !matches!(message, Message::Data(_)) {
            self.totals.control_in_bytes += u64::from(len32(bytes.len()));
        }
        match message {
            Message::Hello(hello) => self.on_hello(from, hello, out),
            _ if !greeted => self.cut(from, HangupReason::BadFrame, out),
            Message::Data(data) => self.on_data(from, data, out),
            Message::Ack(ack) => self.on_ack(from, ack.bytes),
            Message::Request(request) => self.on_request(from, request, out),
            Message::Bye(_) => {
                out.push(Output::Hangup { peer: from, why: HangupReason::Replaced });
                self.on_peer_down(from);
            }
            other => self.on_told(from, other, out),
        }
    }

    /// What only changes our picture of the neighbour.
    fn on_told(&mut self, from: PeerId, message: Message<'_>, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        self.replan = true;
        match message {
            Message::Have(have) => neighbour.note_have(&have),
            Message::Pieces(pieces) => neighbour.note_pieces(now, pieces),
            Message::Playback(playback) => {
                neighbour.uploads = playback.uploads;
                neighbour.playback = Some((playback, now));
            }
            Message::Cancel(cancel) => neighbour.upload.cancel(&cancel),
            Message::Choke(choke) => {
                neighbour.choked = choke.on;
                if choke.on {
                    self.forget_asks(from);
                }
            }
            Message::Refuse(refuse) => self.on_refused(from, &refuse, out),
            Message::Hello(_)
            | Message::Request(_)
            | Message::Data(_)
            | Message::Ack(_)
            | Message::Bye(_) => {}
        }
    }

    fn on_hello(&mut self, from: PeerId, hello: Hello, out: &mut Vec<Output>) {
        if hello.swarm != self.config.swarm {
            return self.cut(from, HangupReason::BadFrame, out);
        }
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        neighbour.uploads = hello.uploads;
        neighbour.greeted = true;
        if hello.version >= ACKS_SINCE {
            neighbour.upload.window.get_or_insert_default();
        }
        neighbour.greeted_at.get_or_insert(now);
        self.tell_everything(from, out);
        self.replan = true;
    }

    fn on_refused(&mut self, from: PeerId, refuse: &wire::peer::Refuse, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        let pieces =
            refuse.first..refuse.first.saturating_add(refuse.count.min(wire::limits::PIECES_MAX));
        let asked = pieces.filter(|piece| neighbour.unask(now, refuse.segment, *piece).is_some());
        let refused = u32::try_from(asked.count()).unwrap_or(u32::MAX);
        if refused == 0 {
            return;
        }
        if refuse.reason == wire::peer::RefuseReason::NotHeld {
            neighbour.note_refused(refuse.segment);
        } else {
            // Busy or not uploading: leave it alone for as long as a stalled one.
            neighbour.choked = refuse.reason == wire::peer::RefuseReason::UploadsOff;
        }
        neighbour.refusals += 1;
        if neighbour.refusals > config::REFUSALS_MAX && neighbour.received_bytes == 0 {
            self.cut(from, HangupReason::Silent, out);
        }
    }

    fn on_data(&mut self, from: PeerId, data: Data<'_>, out: &mut Vec<Output>) {
        let now = self.now;
        let length = len32(data.bytes.len());
        let (piece, start) =
            (data.offset / wire::limits::PIECE_BYTES, data.offset % wire::limits::PIECE_BYTES);
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        neighbour.last_data = now;
        neighbour.came_bytes += u64::from(length);
        let Some(index) = neighbour.ask_index(data.segment, piece) else {
            // Cancelled while it was under way.
            self.totals.wasted_bytes += u64::from(length);
            return;
        };
        let first = neighbour.received_bytes == 0 && neighbour.round_trip.is_none();
        let ask = &mut neighbour.asks[index];
        if first {
            neighbour.round_trip = Some(now.since(ask.asked).min(Duration::from_secs(2)));
        }
        if len32(ask.buffer.len()) != start {
            self.totals.wasted_bytes += u64::from(length);
            return;
        }
        ask.buffer.extend_from_slice(data.bytes);
        neighbour.goodput.add(now, length);
        neighbour.received_bytes += u64::from(length);
        // A size not known before is the sender's word; the whole digest decides later.
        let known = self
            .segments
            .get_mut(&data.segment)
            .is_some_and(|segment| segment.set_size(data.segment_bytes));
        if !known {
            return self.cut(from, HangupReason::WrongBytes, out);
        }
        let piece_bytes = piece::range(data.segment_bytes, piece);
        let ask_bytes = piece_bytes.end - piece_bytes.start;
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        let whole = neighbour.ask_index(data.segment, piece).is_some_and(|index| {
            neighbour.asks[index].piece_bytes = ask_bytes;
            len32(neighbour.asks[index].buffer.len()) >= ask_bytes
        });
        if whole && let Some(ask) = neighbour.unask(now, data.segment, piece) {
            self.put(data.segment, piece, &ask.buffer, Giver::Peer(from), out);
        }
    }

    /// Gives up everything asked of a neighbour, without telling it.
    fn forget_asks(&mut self, peer: PeerId) {
        let now = self.now;
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.asks.clear();
            neighbour.goodput.set_busy(now, false);
        }
    }

    /// Nobody needs to send this piece any more.
    pub(crate) fn cancel_ask(&mut self, segment: SegmentId, piece: u32, out: &mut Vec<Output>) {
        let now = self.now;
        let mut asked = Vec::new();
        for neighbour in self.neighbours.values_mut() {
            if let Some(ask) = neighbour.unask(now, segment, piece) {
                self.totals.wasted_bytes += u64::from(len32(ask.buffer.len()));
                asked.push(neighbour.peer);
            }
        }
        for peer in asked {
            self.send(peer, Message::Cancel(Cancel { segment, first: piece, count: 1 }), out);
        }
    }

    /// Nobody needs to send anything of this segment any more.
    pub(crate) fn cancel_asks(&mut self, segment: SegmentId, out: &mut Vec<Output>) {
        let asks = self.neighbours.values().flat_map(|neighbour| &neighbour.asks);
        let pieces: SortedSet<u32> =
            asks.filter(|ask| ask.segment == segment).map(|ask| ask.piece).collect();
        for piece in pieces {
            self.cancel_ask(segment, piece, out);
        }
    }

    /// Hangs up the silent, and calls for more neighbours when there are few.
    pub(crate) fn judge_neighbours(&mut self, out: &mut Vec<Output>) {
        let now = self.now;
        let silent: Vec<PeerId> = self
            .neighbours
            .values()
            .filter(|neighbour| {
                let mute = !neighbour.greeted && now.since(neighbour.since) > config::SILENT;
                mute || neighbour.silent_for(now) > config::SILENT
            })
            .map(|neighbour| neighbour.peer)
            .collect();
        for peer in silent {
            self.cut(peer, HangupReason::Silent, out);
        }
        self.replace_idle(out);
        let missing = config::NEIGHBOURS_GOAL.saturating_sub(self.neighbours.len());
        if missing == 0 || self.timeline.playing_track().is_none() {
            return;
        }
        if now >= self.call.at {
            let (_, longest) = config::NEIGHBOURS_EVERY;
            self.call.wait = (self.call.wait * 2).min(longest);
            // Jittered, so that a crowd that came together does not call together.
            self.call.at = now + self.call.wait * self.rng.u32(75..=125) / 100;
            let missing = u16::try_from(missing).unwrap_or(u16::MAX);
            out.push(Output::Event(Event::NeighboursWanted(missing)));
        }
        self.wake_at(self.call.at, WakeReason::Neighbours);
    }

    /// A full neighbourhood lets one go that gave and took nothing, to try a stranger.
    fn replace_idle(&mut self, out: &mut Vec<Output>) {
        if self.neighbours.len() < config::NEIGHBOURS_MAX - 2 {
            return;
        }
        let now = self.now;
        let quiet = |neighbour: &&Neighbour| {
            now.since(neighbour.last_data.max(neighbour.upload.last_sent).max(neighbour.since))
                > config::IDLE_NEIGHBOUR
        };
        let idle = self.neighbours.values().filter(quiet).min_by_key(|neighbour| neighbour.since);
        if let Some(peer) = idle.map(|neighbour| neighbour.peer) {
            self.send(peer, Message::Bye(wire::peer::Bye { reason: 1 }), out);
            out.push(Output::Hangup { peer, why: HangupReason::Replaced });
            self.on_peer_down(peer);
        }
    }

    /// Asks neighbours for what is needed: earliest due first, within a segment the rarest piece first.
    pub(crate) fn ask_neighbours(&mut self, needs: &[(Time, SegmentId)], out: &mut Vec<Output>) {
        self.mark_late(needs);
        for (due, id) in needs {
            if !self.neighbours.values().any(|neighbour| self.has_room(neighbour)) {
                break;
            }
            let calm = due.since(self.now) > config::HURRY;
            for piece in self.pieces_to_ask(*id) {
                if calm && self.now < self.calm.next {
                    return self.wake_at(self.calm.next, WakeReason::Calm);
                }
                let asked = self.ask_best(*due, *id, piece, out);
                if calm && asked {
                    self.calm.went(self.now, self.playing_time(*id));
                }
            }
        }
    }

    /// How long one piece of a segment plays.
    fn playing_time(&self, id: SegmentId) -> Duration {
        let size = self.segments.get(&id).and_then(crate::segment::Segment::size_bytes);
        let entry = self.timeline.entry(id);
        entry.zip(size).map_or(Duration::ZERO, |(entry, size)| {
            Duration::from_millis(u64::from(entry.duration_ms)) / piece::count(size).max(1)
        })
    }

    fn has_room(&self, neighbour: &Neighbour) -> bool {
        neighbour.serves(self.now) && neighbour.outstanding_bytes() < neighbour.window_bytes()
    }

    /// Pieces that come too slowly may be asked of a second neighbour.
    fn mark_late(&mut self, needs: &[(Time, SegmentId)]) {
        let now = self.now;
        let mut next = Time::NEVER;
        for neighbour in self.neighbours.values_mut() {
            for ask in &mut neighbour.asks {
                let due = needs.iter().find(|(_, id)| *id == ask.segment).map(|(due, _)| *due);
                let near = due.is_some_and(|due| due.since(now) < config::HEDGE);
                let old = now.since(ask.asked) > config::PATIENCE_MAX;
                ask.late = ask.late || old || (near && ask.is_overdue(now));
                if !ask.late {
                    let patience = config::PATIENCE.max(ask.expected * 3);
                    next = next.min((ask.asked + patience).max(now + config::LATE_RECHECK));
                }
            }
        }
        if next != Time::NEVER {
            self.wake_at(next, WakeReason::Late);
        }
    }

    /// Pieces of a segment worth asking for now, in the order to ask.
    fn pieces_to_ask(&self, id: SegmentId) -> Vec<u32> {
        let Some(segment) = self.segments.get(&id) else { return Vec::new() };
        let from_store = segment.loading || (segment.stored && !segment.wanted);
        let elsewhere = self.now < segment.elsewhere_until;
        if segment.is_held() || from_store || elsewhere || !segment.takes_from_peers() {
            return Vec::new();
        }
        // Without a size one piece is asked for; its first frame tells the size.
        let missing = if segment.size_bytes().is_some() { segment.missing() } else { vec![0] };
        let fetching = self.fetching_piece(id);
        let arrives = fetching.filter(|_| !self.is_origin_slow());
        let free = missing.into_iter().filter(|piece| !self.is_asked(id, *piece));
        let ranked: SortedSet<(usize, u64, u32)> = free
            .filter_map(|piece| {
                let holders = self.neighbours.values().filter(|n| n.has_piece(id, piece)).count();
                // The origin works from the front: meet it from the back.
                let meet = fetching.map(|_| u64::from(u32::MAX - piece));
                let tie = meet.unwrap_or_else(|| order::score(&self.me, id, piece));
                let rank = if fetching.is_some() { 0 } else { holders };
                (holders > 0 && arrives != Some(piece)).then_some((rank, tie, piece))
            })
            .collect();
        ranked.into_iter().map(|(_, _, piece)| piece).collect()
    }

    /// Whether a neighbour was asked for it and is not late.
    pub(crate) fn is_asked(&self, id: SegmentId, piece: u32) -> bool {
        self.neighbours.values().any(|neighbour| {
            neighbour.ask_index(id, piece).is_some_and(|index| !neighbour.asks[index].late)
        })
    }

    /// Asks the neighbour from which the piece would come first; `false`: there is none with room.
    fn ask_best(&mut self, due: Time, id: SegmentId, piece: u32, out: &mut Vec<Output>) -> bool {
        let size = self.segments.get(&id).and_then(crate::segment::Segment::size_bytes);
        let range = piece::range(size.unwrap_or(wire::limits::PIECE_BYTES), piece);
        let piece_bytes = range.end - range.start;
        let able = self.neighbours.values().filter(|neighbour| {
            self.has_room(neighbour)
                && neighbour.has_piece(id, piece)
                && neighbour.ask_index(id, piece).is_none()
        });
        let best = able.min_by_key(|neighbour| {
            (neighbour.expected(piece_bytes), order::score(&neighbour.peer, id, piece))
        });
        let Some(peer) = best.map(|neighbour| neighbour.peer) else { return false };
        let now = self.now;
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.ask(now, id, piece, piece_bytes);
        }
        let due_in_ms = u32::try_from(due.since(now).as_millis()).unwrap_or(u32::MAX);
        let request = Request { segment: id, first: piece, count: 1, due_in_ms };
        self.send(peer, Message::Request(request), out);
        true
    }

    /// Whether the origin brings a piece so slowly that a neighbour may well be there first.
    fn is_origin_slow(&self) -> bool {
        let rate = self.origin_rate.bytes_per_s().unwrap_or(config::ORIGIN_PRIOR);
        crate::rate::time_for(u64::from(wire::limits::PIECE_BYTES), rate) > config::SLOW_PIECE
    }

    /// The piece an own origin fetch of this segment is in.
    fn fetching_piece(&self, id: SegmentId) -> Option<u32> {
        self.fetches.values().find(|fetch| fetch.segment == id).map(crate::fetches::Fetch::piece)
    }

    /// A neighbour that would give this piece.
    pub(crate) fn served_by_neighbour(&self, id: SegmentId, piece: u32) -> bool {
        let able =
            |neighbour: &Neighbour| neighbour.serves(self.now) && neighbour.has_piece(id, piece);
        self.neighbours.values().any(able)
    }

    /// When the neighbours would have sent the `pieces` of a segment, by what they have shown.
    pub(crate) fn neighbours_finish(&self, id: SegmentId, pieces: &[u32], due: Time) -> Time {
        let gives = |neighbour: &&Neighbour| {
            neighbour.serves(self.now) && pieces.iter().any(|piece| neighbour.has_piece(id, *piece))
        };
        let mut rate = 0_u64;
        let mut before = 0_u64;
        let mut trip = Duration::ZERO;
        for neighbour in self.neighbours.values().filter(gives) {
            rate += neighbour.planned_bytes_per_s();
            trip = trip.max(neighbour.round_trip.unwrap_or_default());
            let others = neighbour.asks.iter().filter(|ask| ask.segment != id);
            let sooner = others
                .filter(|ask| self.timeline.due(self.now, ask.segment).is_none_or(|at| at < due));
            before += sooner.map(|ask| u64::from(ask.piece_bytes)).sum::<u64>();
        }
        if rate == 0 {
            return Time::NEVER;
        }
        let bytes = before + len_of(pieces);
        self.now + trip + crate::rate::time_for(bytes, rate) * 5 / 4
    }
}

fn len_of(pieces: &[u32]) -> u64 {
    u64::from(len32(pieces.len())) * u64::from(wire::limits::PIECE_BYTES)
}
