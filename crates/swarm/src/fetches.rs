//! Origin fetches under way: their bytes become pieces, and they end.
//!
//! When and what to fetch is decided in `origin.rs`.

use core::time::Duration;

use primitives::{SegmentId, Time};

use crate::{
    config,
    input::FetchId,
    origin::Part,
    output::Output,
    piece::{self, at, len32},
    segment::{Giver, Segment},
    swarm::Swarm,
};

/// One origin fetch under way.
#[derive(Debug)]
pub(crate) struct Fetch {
    pub(crate) segment: SegmentId,
    /// Offset of the first byte not yet put in.
    pub(crate) next: u32,
    to: Option<u32>,
    /// Bytes from `next` on that are not a whole piece yet.
    pub(crate) partial: Vec<u8>,
    started: Time,
    answered: bool,
}

impl Fetch {
    /// One of the whole segment, not answered yet.
    fn new(segment: SegmentId, now: Time) -> Self {
        Self { segment, next: 0, to: None, partial: Vec::new(), started: now, answered: false }
    }

    /// The piece it is in.
    pub(crate) fn piece(&self) -> u32 {
        self.next / wire::limits::PIECE_BYTES
    }

    /// Whether it will bring this piece.
    pub(crate) fn brings(&self, piece: u32) -> bool {
        let start = u64::from(piece) * u64::from(wire::limits::PIECE_BYTES);
        piece >= self.piece() && self.to.is_none_or(|to| start < u64::from(to))
    }
}

impl Swarm {
    pub(crate) fn fetch(&mut self, id: SegmentId, part: Part, out: &mut Vec<Output>) {
        let size = self.segments.get(&id).and_then(Segment::size_bytes);
        let (from, to) = match (part, size) {
            (Some((first, end)), Some(size)) => {
                let to = piece::range(size, end - 1).end;
                (piece::range(size, first).start, (to < size).then_some(to))
            }
            _ => (0, None),
        };
        let state = Fetch { next: from, to, ..Fetch::new(id, self.now) };
        let fetch = self.open(state);
        out.push(Output::Fetch { fetch, segment: id, from, to });
    }

    /// Counts a fetch as under way, and lets neighbours know.
    fn open(&mut self, fetch: Fetch) -> FetchId {
        let id = FetchId(self.next_fetch);
        self.next_fetch += 1;
        if self.fetches.is_empty() {
            self.origin_rate.set_busy(self.now, true);
        }
        if let Some(segment) = self.segments.get_mut(&fetch.segment) {
            segment.untold = true;
            segment.told = Time::ZERO;
        }
        self.fetches.insert(id, fetch);
        id
    }

    /// The player's own load becomes a fetch; what came of it is put in.
    pub(crate) fn on_hand_over(
        &mut self,
        id: SegmentId,
        segment_bytes: Option<u32>,
        bytes: &[u8],
        took: Duration,
        out: &mut Vec<Output>,
    ) {
        let now = self.now;
        let is_known = self.segments.contains_key(&id);
        let full = (!is_known && self.segments.len() >= config::SEGMENTS_MAX)
            || self.fetches.len() >= config::FETCHES_MAX;
        if !full {
            let segment = self.segments.entry(id).or_insert_with(|| Segment::new(id, now));
            segment.elsewhere_until = Time::ZERO;
        }
        let fetch = self.open(Fetch { answered: true, ..Fetch::new(id, now) });
        out.push(Output::Adopt { fetch, segment: id });
        let doubled = self.fetches.iter().any(|(other, f)| f.segment == id && *other != fetch);
        if full || doubled || self.segments.get(&id).is_some_and(Segment::is_held) {
            return self.abort(fetch, out);
        }
        self.timeline.note_want(id);
        self.replan = true;
        if !bytes.is_empty() {
            self.origin_rate.add_load(len32(bytes.len()), took);
        }
        self.take_fetched(fetch, segment_bytes, bytes, out);
    }

    /// Stops all fetches of a segment.
    pub(crate) fn abort_fetches(&mut self, segment: SegmentId, out: &mut Vec<Output>) {
        let of = |fetch: &Fetch| fetch.segment == segment;
        let ids: Vec<FetchId> =
            self.fetches.iter().filter(|(_, f)| of(f)).map(|(id, _)| *id).collect();
        for id in ids {
            self.abort(id, out);
        }
    }

    pub(crate) fn abort(&mut self, id: FetchId, out: &mut Vec<Output>) {
        if self.end(id) {
            out.push(Output::AbortFetch(id));
        }
    }

    /// Forgets a fetch; what was not a whole piece is lost.
    fn end(&mut self, id: FetchId) -> bool {
        let Some(fetch) = self.fetches.remove(&id) else { return false };
        let lost_bytes = u64::from(len32(fetch.partial.len()));
        self.totals.wasted_bytes += lost_bytes;
        self.totals.origin_wasted_bytes += lost_bytes;
        if self.fetches.is_empty() {
            self.origin_rate.set_busy(self.now, false);
        }
        if let Some(segment) = self.segments.get_mut(&fetch.segment) {
            segment.untold = true;
        }
        self.replan = true;
        true
    }

    pub(crate) fn on_fetched(
        &mut self,
        id: FetchId,
        segment_bytes: Option<u32>,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let now = self.now;
        let Some(fetch) = self.fetches.get_mut(&id) else { return };
        if !fetch.answered {
            fetch.answered = true;
            let latency = now.since(fetch.started);
            self.origin_latency =
                Some(self.origin_latency.map_or(latency, |old| (old * 3 + latency) / 4));
        }
        self.origin_rate.add(now, len32(bytes.len()));
        self.take_fetched(id, segment_bytes, bytes, out);
    }

    fn take_fetched(
        &mut self,
        id: FetchId,
        segment_bytes: Option<u32>,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let Some(fetch) = self.fetches.get_mut(&id) else { return };
        let room = at(wire::limits::SEGMENT_BYTES_MAX).saturating_sub(fetch.partial.len());
        fetch.partial.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let segment = fetch.segment;
        if let Some(size) = segment_bytes {
            let fits = self.segments.get_mut(&segment).is_none_or(|known| known.set_size(size));
            if !fits {
                return self.on_wrong_size(segment, out);
            }
        }
        self.put_fetched(id, out);
    }

    /// Puts in the whole pieces that a fetch has brought.
    fn put_fetched(&mut self, id: FetchId, out: &mut Vec<Output>) {
        loop {
            let Some(fetch) = self.fetches.get_mut(&id) else { return };
            let segment = fetch.segment;
            let size = self.segments.get(&segment).and_then(Segment::size_bytes);
            let Some(range) = size.map(|size| piece::range(size, fetch.piece())) else { return };
            let length = at(range.end - range.start);
            if length == 0 || fetch.partial.len() < length {
                return;
            }
            let rest = fetch.partial.split_off(length);
            let bytes = std::mem::replace(&mut fetch.partial, rest);
            let index = fetch.piece();
            fetch.next = range.end;
            self.put(segment, index, &bytes, Giver::Origin, out);
        }
    }

    /// The origin's size is not the signed one, or absurd.
    fn on_wrong_size(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        self.abort_fetches(id, out);
        let Some(segment) = self.segments.get_mut(&id) else { return };
        segment.failures += 1;
        segment.retry_at = self.now + config::CLAIM_FRESH;
        if segment.wanted {
            segment.wanted = false;
            let forged = segment.piecewise() && self.config.refuse_forged;
            out.push(Output::Fail { segment: id, status: 0, forged });
        }
    }

    pub(crate) fn on_fetch_ended(&mut self, id: FetchId, out: &mut Vec<Output>) {
        let Some(fetch) = self.fetches.get(&id) else { return };
        let (segment, length) = (fetch.segment, len32(fetch.partial.len()));
        let unknown = self.segments.get(&segment).is_some_and(|known| known.size_bytes().is_none());
        if unknown && length > 0 {
            let fits = self.segments.get_mut(&segment).is_some_and(|known| known.set_size(length));
            if fits {
                self.put_fetched(id, out);
            }
        }
        let Some(fetch) = self.fetches.get(&id) else { return };
        let size = self.segments.get(&segment).and_then(Segment::size_bytes);
        let complete = size.is_some_and(|size| fetch.next >= fetch.to.unwrap_or(size));
        if complete {
            self.end(id);
        } else {
            self.on_fetch_failed(id, 0, out);
        }
    }

    pub(crate) fn on_fetch_failed(&mut self, id: FetchId, status: u16, out: &mut Vec<Output>) {
        let Some(segment) = self.fetches.get(&id).map(|fetch| fetch.segment) else { return };
        self.end(id);
        let helped = self.neighbours.values().any(|n| n.serves(self.now) && n.has_any(segment));
        let now = self.now;
        let Some(known) = self.segments.get_mut(&segment) else { return };
        known.failures += 1;
        known.retry_at = now + Duration::from_millis(500) * 2_u32.pow(known.failures.min(4));
        if known.wanted && (!helped || known.failures >= 3) {
            known.wanted = false;
            out.push(Output::Fail { segment, status, forged: false });
        }
    }
}
