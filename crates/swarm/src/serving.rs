//! Uploads: what others asked of us, in the order that helps most.
//!
//! What is due soon goes earliest first. Among what is not, the piece of which this peer sent the
//! fewest copies goes first, so that distinct pieces reach distinct peers and they can trade; then the
//! neighbour that got least. Little lies in the transport at a time, so that an urgent piece or a
//! cancel is not stuck behind.

use core::time::Duration;

use primitives::{PeerId, SegmentId, SortedSet, Time};
use wire::{
    limits::FRAME_PAYLOAD_BYTES_MAX,
    peer::{Cancel, Choke, Data, Message, Refuse, RefuseReason, Request},
};

use crate::{
    config,
    input::Limits,
    neighbour::{Neighbour, Upload, Wanted},
    output::{Channel, Event, Output},
    piece::{at, len32},
    rate::bytes_in,
    segment::Segment,
    swarm::{Swarm, Wake, WakeReason},
    window::Window,
};

/// A token bucket for the person's upload limit.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    bytes: u64,
    at: Time,
}

impl Allowance {
    /// Bytes that may go now. A quarter second's worth gathers while nothing goes.
    fn refill(&mut self, now: Time, bytes_per_s: u64) -> u64 {
        let most = bytes_in(bytes_per_s, Duration::from_millis(250)).max(2 * 16_384);
        self.bytes = (self.bytes + bytes_in(bytes_per_s, now.since(self.at))).min(most);
        self.at = now;
        self.bytes
    }
}

impl Upload {
    pub(crate) fn cancel(&mut self, cancel: &Cancel) {
        let end = cancel.first.saturating_add(cancel.count);
        let meant = |wanted: &Wanted| {
            wanted.segment == cancel.segment && (cancel.first..end).contains(&wanted.piece)
        };
        self.queue.retain(|wanted| !meant(wanted));
        if self.current.is_some_and(|(wanted, _)| meant(&wanted)) {
            self.current = None;
        }
    }

    fn enqueue(&mut self, wanted: Wanted) {
        let doubled =
            |other: &Wanted| other.segment == wanted.segment && other.piece == wanted.piece;
        if self.queue.iter().any(doubled) || self.current.is_some_and(|(now, _)| doubled(&now)) {
            return;
        }
        let place = self.queue.partition_point(|other| other.due <= wanted.due);
        self.queue.insert(place, wanted);
    }
}

impl Swarm {
    /// Whether the person lets this peer upload.
    pub(crate) fn uploads(&self) -> bool {
        self.limits.upload_bytes_per_s != Some(0)
    }

    pub(crate) fn on_limits(&mut self, limits: Limits, out: &mut Vec<Output>) {
        let before = self.uploads();
        self.limits = limits;
        self.replan = true;
        if before == self.uploads() {
            return;
        }
        let on = before;
        let peers: Vec<PeerId> = self.neighbours.keys().copied().collect();
        for peer in peers {
            if let Some(neighbour) = self.neighbours.get_mut(&peer) {
                neighbour.upload.queue.clear();
                neighbour.upload.current = None;
            }
            let choke = Choke { on, reason: RefuseReason::UploadsOff };
            self.send(peer, Message::Choke(choke), out);
        }
        self.jumped = true;
    }

    pub(crate) fn on_sent(&mut self, to: PeerId, bytes: u64) {
        let now = self.now;
        if let Some(neighbour) = self.neighbours.get_mut(&to) {
            let upload = &mut neighbour.upload;
            upload.in_flight = upload.in_flight.saturating_sub(bytes);
            upload.goodput.add(now, u32::try_from(bytes).unwrap_or(u32::MAX));
            upload.goodput.set_busy(now, upload.in_flight > 0);
        }
    }

    pub(crate) fn on_ack(&mut self, from: PeerId, bytes: u64) {
        let now = self.now;
        let neighbour = self.neighbours.get_mut(&from);
        if let Some(window) = neighbour.and_then(|neighbour| neighbour.upload.window.as_mut()) {
            window.note_acked(now, bytes);
        }
    }

    pub(crate) fn on_request(&mut self, from: PeerId, request: Request, out: &mut Vec<Output>) {
        let due = self.now + Duration::from_millis(u64::from(request.due_in_ms));
        let uploads = self.uploads();
        let id = request.segment;
        for piece in request.first..request.first.saturating_add(request.count) {
            let held = self.segments.get(&id).is_some_and(|s| s.piece_bytes(piece).is_some());
            let stored = !held && self.stored.contains(&id);
            if stored && uploads {
                self.load_for_others(id, out);
            }
            let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
            let busy = neighbour.upload.queue.len() >= config::UPLOAD_QUEUE_MAX;
            let refusal = match (uploads, held || stored, busy) {
                (false, ..) => Some(RefuseReason::UploadsOff),
                (_, false, _) => Some(RefuseReason::NotHeld),
                (_, _, true) => Some(RefuseReason::Busy),
                _ => None,
            };
            if let Some(reason) = refusal {
                let refuse = Refuse { segment: id, first: piece, count: 1, reason };
                self.send(from, Message::Refuse(refuse), out);
            } else {
                neighbour.upload.enqueue(Wanted { segment: id, piece, due });
            }
        }
    }

    /// Segments that neighbours asked for and that were not sent yet.
    pub(crate) fn queued_for_others(&self) -> SortedSet<SegmentId> {
        let uploads = self.neighbours.values().map(|neighbour| &neighbour.upload);
        uploads
            .flat_map(|upload| upload.queue.iter().chain(upload.current.iter().map(|(now, _)| now)))
            .map(|wanted| wanted.segment)
            .collect()
    }

    /// What was to be read for others is not there after all.
    pub(crate) fn refuse_queued(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        let mut refused = Vec::new();
        for neighbour in self.neighbours.values_mut() {
            let peer = neighbour.peer;
            let queue = &mut neighbour.upload.queue;
            let meant = queue.iter().filter(|wanted| wanted.segment == id);
            refused.extend(meant.map(|wanted| (peer, wanted.piece)));
            queue.retain(|wanted| wanted.segment != id);
        }
        for (peer, first) in refused {
            let reason = RefuseReason::NotHeld;
            self.send(peer, Message::Refuse(Refuse { segment: id, first, count: 1, reason }), out);
        }
    }

    /// Starts reading a stored segment that a neighbour asked for.
    fn load_for_others(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        let now = self.now;
        if self.segments.len() >= config::SEGMENTS_MAX && !self.segments.contains_key(&id) {
            return;
        }
        let segment =
            self.segments.entry(id).or_insert_with(|| crate::segment::Segment::new(id, now));
        segment.stored = true;
        if segment.asked_proof.is_none() {
            segment.asked_proof = Some(now);
            out.push(Output::Prove(id));
        }
        self.load(id, out);
    }

    /// Hands out as much payload as the transports and the limit take.
    pub(crate) fn serve(&mut self, out: &mut Vec<Output>) -> Wake {
        if !self.uploads() {
            return Wake::NEVER;
        }
        loop {
            if let Some(rate) = self.limits.upload_bytes_per_s
                && self.upload_allowance.refill(self.now, rate) < at_u64(FRAME_PAYLOAD_BYTES_MAX)
            {
                let waiting = self.neighbours.values().any(|n| n.upload.next().is_some());
                let at = self.now + crate::rate::time_for(at_u64(FRAME_PAYLOAD_BYTES_MAX), rate);
                return if waiting { Wake { at, why: WakeReason::Serve } } else { Wake::NEVER };
            }
            let Some(peer) = self.next_to_serve() else { return Wake::NEVER };
            self.send_frame(peer, out);
        }
    }

    /// Whose turn it is: among those with room and something that can be read now.
    fn next_to_serve(&mut self) -> Option<PeerId> {
        let soon = self.now + config::SERVE_URGENT;
        let windows = self.neighbours.values().filter_map(|n| n.upload.window.as_ref());
        let flight: u64 = windows.map(Window::flight_bytes).sum();
        let spare = config::FLIGHT_LEAST_BYTES.saturating_sub(flight);
        let mut best: Option<((bool, u64, u64), PeerId)> = None;
        let peers: Vec<PeerId> = self.neighbours.keys().copied().collect();
        for peer in peers {
            self.choose_current(peer);
            let Some(neighbour) = self.neighbours.get(&peer) else { continue };
            let Some((wanted, _)) = neighbour.upload.current else { continue };
            if !neighbour.upload.has_room(spare) {
                continue;
            }
            let urgent = wanted.due <= soon;
            let second = if urgent { wanted.due.as_us() } else { self.spread(wanted) };
            let key = (!urgent, second, neighbour.upload.sent_bytes);
            if best.as_ref().is_none_or(|(other, _)| key < *other) {
                best = Some((key, peer));
            }
        }
        best.map(|(_, peer)| peer)
    }

    /// How far a piece has spread: neighbours that could give it too, and copies that this peer sent.
    fn spread(&self, wanted: Wanted) -> u64 {
        let segment = self.segments.get(&wanted.segment);
        let copies = segment.and_then(|s| s.copies.get(&wanted.piece)).copied().unwrap_or(0);
        let holds = |n: &&Neighbour| n.uploads && n.has_piece(wanted.segment, wanted.piece);
        u64::from(copies.max(len32(self.neighbours.values().filter(holds).count())))
    }

    /// Sets what is sent next to a neighbour, if nothing is half sent.
    fn choose_current(&mut self, peer: PeerId) {
        let soon = self.now + config::SERVE_URGENT;
        let Some(neighbour) = self.neighbours.get(&peer) else { return };
        if neighbour.upload.current.is_some() || neighbour.upload.queue.is_empty() {
            return;
        }
        let ready = |wanted: &Wanted| {
            self.segments
                .get(&wanted.segment)
                .is_some_and(|s| s.piece_bytes(wanted.piece).is_some())
        };
        let queue = neighbour.upload.queue.iter().enumerate().filter(|(_, wanted)| ready(wanted));
        let chosen = queue.min_by_key(|(place, wanted)| {
            let urgent = wanted.due <= soon;
            (!urgent, if urgent { 0 } else { self.spread(**wanted) }, *place)
        });
        let Some(place) = chosen.map(|(place, _)| place) else { return };
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            let wanted = neighbour.upload.queue.remove(place);
            neighbour.upload.current = wanted.map(|wanted| (wanted, 0));
        }
    }

    /// What was being sent is here no longer (dropped, trimmed): the asker must look elsewhere.
    fn drop_current(&mut self, peer: PeerId, wanted: Wanted, out: &mut Vec<Output>) {
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.upload.current = None;
        }
        let (segment, first) = (wanted.segment, wanted.piece);
        let refuse = Refuse { segment, first, count: 1, reason: RefuseReason::NotHeld };
        self.send(peer, Message::Refuse(refuse), out);
    }

    /// Sends the next frame of a neighbour's current piece.
    fn send_frame(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        let Some((wanted, offset)) = self.neighbours.get(&peer).and_then(|n| n.upload.current)
        else {
            return;
        };
        let piece_bytes =
            self.segments.get(&wanted.segment).and_then(|s| s.piece_bytes(wanted.piece));
        let Some(piece_bytes) = piece_bytes.filter(|bytes| bytes.len() > at(offset)) else {
            return self.drop_current(peer, wanted, out);
        };
        let segment_bytes = self.segments.get(&wanted.segment).and_then(Segment::size_bytes);
        let end = at(offset).saturating_add(FRAME_PAYLOAD_BYTES_MAX).min(piece_bytes.len());
        let (frame, last) = (&piece_bytes[at(offset)..end], end == piece_bytes.len());
        let length = len32(frame.len());
        let data = Data {
            segment: wanted.segment,
            segment_bytes: segment_bytes.unwrap_or(0),
            offset: wanted.piece * wire::limits::PIECE_BYTES + offset,
            bytes: frame.into(),
        };
        let bytes = Message::Data(data).encode_to_vec();
        if last && let Some(segment) = self.segments.get_mut(&wanted.segment) {
            *segment.copies.entry(wanted.piece).or_default() += 1;
        }
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.note_sent(
                self.now,
                len32(bytes.len()),
                length,
                (!last).then_some((wanted, offset + length)),
            );
        }
        self.upload_allowance.bytes = self.upload_allowance.bytes.saturating_sub(u64::from(length));
        self.totals.upload_bytes += u64::from(length);
        out.push(Output::Send { to: peer, channel: Channel::Payload, bytes });
        out.push(Output::Event(Event::Served { peer, bytes: length }));
    }
}

impl Neighbour {
    fn note_sent(&mut self, now: Time, frame: u32, payload: u32, next: Option<(Wanted, u32)>) {
        let upload = &mut self.upload;
        if upload.in_flight == 0 {
            upload.goodput.set_busy(now, true);
        }
        upload.in_flight += u64::from(frame);
        if let Some(window) = &mut upload.window {
            window.note_sent(now, u64::from(payload));
        }
        upload.sent_bytes += u64::from(payload);
        upload.last_sent = now;
        upload.current = next;
    }
}

fn at_u64(length: usize) -> u64 {
    u64::from(len32(length))
}
