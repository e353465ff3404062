//! What is known of one neighbour: what it has, what it owes us, what we owe it.

use std::collections::VecDeque;

use core::time::Duration;

use primitives::{PeerId, SegmentId, SortedMap, Time};
use wire::peer::{Have, Pieces, Playback};

use crate::{
    config,
    piece::{PieceSet, RunSet, at},
    rate::{Goodput, bytes_in, time_for},
    window::Window,
};

/// One open connection.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) peer: PeerId,
    pub(crate) since: Time,
    pub(crate) greeted: bool,
    pub(crate) greeted_at: Option<Time>,
    pub(crate) uploads: bool,
    pub(crate) choked: bool,
    have: SortedMap<u16, RunSet>,
    progress: SortedMap<SegmentId, Progress>,
    pub(crate) playback: Option<(Playback, Time)>,
    pub(crate) asks: Vec<Ask>,
    pub(crate) goodput: Goodput,
    pub(crate) round_trip: Option<Duration>,
    pub(crate) last_data: Time,
    pub(crate) refusals: u32,
    pub(crate) received_bytes: u64,
    /// Of what it gave, what was checked and kept.
    pub(crate) verified_bytes: u64,
    /// Payload that came, wanted or not; how much of it was acknowledged, and when.
    pub(crate) came_bytes: u64,
    pub(crate) acked_bytes: u64,
    pub(crate) acked_at: Time,
    pub(crate) upload: Upload,
}

/// What a neighbour told of a segment it does not hold whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    pub(crate) held: PieceSet,
    pub(crate) fetching: PieceSet,
    pub(crate) told: Time,
}

/// One piece asked of a neighbour. Frames of a piece come in order, so the buffer is a prefix.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) segment: SegmentId,
    pub(crate) piece: u32,
    pub(crate) piece_bytes: u32,
    pub(crate) buffer: Vec<u8>,
    pub(crate) asked: Time,
    pub(crate) expected: Duration,
    /// Asked of somebody else as well.
    pub(crate) late: bool,
}

/// What a neighbour asked of us, and what is under way to it.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) queue: VecDeque<Wanted>,
    /// The piece being sent and the offset in it of the next frame.
    pub(crate) current: Option<(Wanted, u32)>,
    /// Payload given to the transport that has not left it.
    pub(crate) in_flight: u64,
    /// What is under way to it, once it said that it acknowledges.
    pub(crate) window: Option<Window>,
    pub(crate) goodput: Goodput,
    pub(crate) sent_bytes: u64,
    pub(crate) last_sent: Time,
}

/// One piece a neighbour asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) segment: SegmentId,
    pub(crate) piece: u32,
    pub(crate) due: Time,
}

impl Neighbour {
    pub(crate) fn new(peer: PeerId, now: Time) -> Self {
        Self {
            peer,
            since: now,
            greeted: false,
            greeted_at: None,
            uploads: false,
            choked: false,
            have: SortedMap::new(),
            progress: SortedMap::new(),
            playback: None,
            asks: Vec::new(),
            goodput: Goodput::default(),
            round_trip: None,
            last_data: now,
            refusals: 0,
            received_bytes: 0,
            verified_bytes: 0,
            came_bytes: 0,
            acked_bytes: 0,
            acked_at: Time::ZERO,
            upload: Upload::default(),
        }
    }

    pub(crate) fn note_have(&mut self, have: &Have) {
        let runs = self.have.entry(have.track).or_default();
        for run in &have.added {
            runs.insert(run.first, run.first.saturating_add(run.count));
        }
        for run in &have.removed {
            runs.remove(run.first, run.first.saturating_add(run.count));
        }
        let whole =
            |segment: &SegmentId| segment.track == have.track && runs.contains(segment.index);
        self.progress.retain(|segment, _| !whole(segment));
    }

    pub(crate) fn note_pieces(&mut self, now: Time, pieces: Pieces) {
        let held = PieceSet::from_wire(pieces.held);
        let fetching = PieceSet::from_wire(pieces.fetching);
        if held.is_empty() && fetching.is_empty() {
            self.progress.remove(&pieces.segment);
            return;
        }
        if self.progress.len() >= config::PROGRESS_MAX
            && !self.progress.contains_key(&pieces.segment)
        {
            let oldest = self.progress.iter().min_by_key(|(_, progress)| progress.told);
            if let Some(segment) = oldest.map(|(segment, _)| *segment) {
                self.progress.remove(&segment);
            }
        }
        self.progress.insert(pieces.segment, Progress { held, fetching, told: now });
    }

    /// It turned out not to have what it said.
    pub(crate) fn note_refused(&mut self, segment: SegmentId) {
        if let Some(runs) = self.have.get_mut(&segment.track) {
            runs.remove(segment.index, segment.index.saturating_add(1));
        }
        self.progress.remove(&segment);
    }

    pub(crate) fn has_whole(&self, segment: SegmentId) -> bool {
        self.have.get(&segment.track).is_some_and(|runs| runs.contains(segment.index))
    }

    pub(crate) fn has_piece(&self, segment: SegmentId, piece: u32) -> bool {
        self.has_whole(segment)
            || self.progress.get(&segment).is_some_and(|progress| progress.held.contains(piece))
    }

    /// Holds or is getting any of it.
    pub(crate) fn has_any(&self, segment: SegmentId) -> bool {
        self.has_whole(segment) || self.progress.contains_key(&segment)
    }

    /// Whether it says that it fetches this piece from the origin, and was heard of lately.
    pub(crate) fn claims(
        &self,
        now: Time,
        segment: SegmentId,
        piece: u32,
        fresh: Duration,
    ) -> bool {
        self.progress.get(&segment).is_some_and(|progress| {
            progress.fetching.contains(piece) && now.since(progress.told) <= fresh
        })
    }

    pub(crate) fn outstanding_bytes(&self) -> u64 {
        self.asks.iter().map(|ask| u64::from(ask.piece_bytes) - ask_len(ask)).sum()
    }

    /// Goodput to plan with.
    pub(crate) fn planned_bytes_per_s(&self) -> u64 {
        self.goodput.bytes_per_s().unwrap_or(config::GOODPUT_PRIOR).max(8_192)
    }

    /// How much may be outstanding: bandwidth times round trip and scheduling jitter.
    pub(crate) fn window_bytes(&self) -> u64 {
        let (least, most) = config::WINDOW_BYTES;
        let time = config::PIPELINE + self.round_trip.unwrap_or_default();
        bytes_in(self.planned_bytes_per_s(), time).clamp(least, most)
    }

    /// Whether something may be asked of it at all.
    pub(crate) fn serves(&self, now: Time) -> bool {
        self.greeted && self.uploads && !self.choked && !self.is_stalled(now)
    }

    /// Owes pieces and has sent nothing for a while.
    pub(crate) fn is_stalled(&self, now: Time) -> bool {
        self.silent_for(now) > config::STALLED
    }

    /// How long it has owed pieces and sent nothing.
    pub(crate) fn silent_for(&self, now: Time) -> Duration {
        let oldest = self.asks.iter().map(|ask| ask.asked).min();
        oldest.map_or(Duration::ZERO, |asked| now.since(asked.max(self.last_data)))
    }

    pub(crate) fn ask_index(&self, segment: SegmentId, piece: u32) -> Option<usize> {
        self.asks.iter().position(|ask| ask.segment == segment && ask.piece == piece)
    }

    /// When a piece asked for now would be here.
    pub(crate) fn expected(&self, piece_bytes: u32) -> Duration {
        let bytes = self.outstanding_bytes() + u64::from(piece_bytes);
        time_for(bytes, self.planned_bytes_per_s()) + self.round_trip.unwrap_or_default()
    }

    pub(crate) fn ask(&mut self, now: Time, segment: SegmentId, piece: u32, piece_bytes: u32) {
        let expected = self.expected(piece_bytes);
        if self.asks.is_empty() {
            self.goodput.set_busy(now, true);
        }
        let buffer = Vec::with_capacity(at(piece_bytes));
        self.asks.push(Ask {
            segment,
            piece,
            piece_bytes,
            buffer,
            asked: now,
            expected,
            late: false,
        });
    }

    /// Forgets an ask; tells whether it was there.
    pub(crate) fn unask(&mut self, now: Time, segment: SegmentId, piece: u32) -> Option<Ask> {
        let index = self.ask_index(segment, piece)?;
        let ask = self.asks.swap_remove(index);
        if self.asks.is_empty() {
            self.goodput.set_busy(now, false);
        }
        Some(ask)
    }

    /// The segments it needs begin here: candidates for fetching what nobody has.
    pub(crate) fn needs(&self, segment: SegmentId) -> bool {
        self.playback.as_ref().is_some_and(|(playback, _)| {
            playback.at.track == segment.track
                && playback.at.index <= segment.index
                && playback.next_missing <= segment.index
        })
    }
}

impl Ask {
    /// Longer under way than can be explained.
    pub(crate) fn is_overdue(&self, now: Time) -> bool {
        now.since(self.asked) > config::PATIENCE.max(self.expected * 3)
    }
}

impl Upload {
    /// How much may lie in the transport: little, so that an urgent piece does not wait behind.
    pub(crate) fn window_bytes(&self) -> u64 {
        let (least, most) = config::SEND_WINDOW_BYTES;
        let rate = self.goodput.bytes_per_s().unwrap_or(config::GOODPUT_PRIOR);
        bytes_in(rate, config::SEND_AHEAD).clamp(least, most)
    }

    /// Whether a frame more may go, where `spare_bytes` may be under way whatever the window says.
    pub(crate) fn has_room(&self, spare_bytes: u64) -> bool {
        let frame = u64::try_from(wire::limits::FRAME_PAYLOAD_BYTES_MAX).unwrap_or(u64::MAX);
        let window = self.window.as_ref();
        self.in_flight < self.window_bytes()
            && window.is_none_or(|window| window.has_room(frame) || frame <= spare_bytes)
    }

    /// What would be sent next of its queue, by due time.
    pub(crate) fn next(&self) -> Option<Wanted> {
        self.current.map(|(wanted, _)| wanted).or_else(|| self.queue.front().copied())
    }
}

fn ask_len(ask: &Ask) -> u64 {
    u64::from(crate::piece::len32(ask.buffer.len()))
}
