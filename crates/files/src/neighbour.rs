//! What is known of one neighbour: what it holds, what it owes us, what we owe it.

use std::{collections::VecDeque, sync::Arc};

use content::Cid;
use core::time::Duration;
use primitives::{PeerId, SortedMap, Time};
use swarm::rate::{Goodput, bytes_in, time_for};
use wire::limits::ASKS_MAX;

use crate::{bits::Bits, config, places::Next};

/// One open connection.
#[derive(Debug)]
pub(crate) struct Neighbour {
    pub(crate) peer: PeerId,
    pub(crate) greeted: bool,
    pub(crate) uploads: bool,
    pub(crate) choked: bool,
    pub(crate) holds: Bits,
    pub(crate) asks: Vec<Asked>,
    /// Askings taken back, and bytes that may still come of each.
    forgotten: VecDeque<(u32, u64)>,
    /// Blocks it declined, and until when they are not asked of it.
    declined: SortedMap<Cid, Time>,
    next_id: u32,
    pub(crate) goodput: Goodput,
    pub(crate) last_part: Time,
    /// Verified.
    pub(crate) received_bytes: u64,
    /// What came and was thrown away unchecked, through no fault of its own: somebody else was faster, or it was not
    /// wanted any more.
    pub(crate) spared_bytes: u64,
    pub(crate) upload: Upload,
}

/// One block asked of a neighbour. Its parts come in order, so the buffer is a prefix.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) id: u32,
    pub(crate) cid: Cid,
    pub(crate) expected_bytes: u64,
    pub(crate) buffer: Vec<u8>,
    pub(crate) asked: Time,
    pub(crate) expected: Duration,
    /// What it is asked with: it comes before what is due later. [`Time::NEVER`]: when there is time.
    pub(crate) due: Time,
    /// Somebody else owed it already.
    pub(crate) is_hedge: bool,
}

/// What a neighbour asked of us, and what is under way to it.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) queue: VecDeque<Wanted>,
    /// Being read from the store.
    pub(crate) loading: Vec<Wanted>,
    /// Read; a part of the first of those due soonest is sent next.
    pub(crate) ready: VecDeque<Sending>,
    /// Payload given to the transport that has not left it.
    pub(crate) in_flight: u64,
    pub(crate) goodput: Goodput,
    pub(crate) sent_bytes: u64,
    pub(crate) last_sent: Time,
    /// Since when it is held back: it gets nothing.
    pub(crate) held: Option<Time>,
    /// It was told so.
    pub(crate) held_told: bool,
}

/// A block that a neighbour asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) id: u32,
    pub(crate) cid: Cid,
    /// [`Time::NEVER`]: when there is time.
    pub(crate) due: Time,
}

/// A block that was read, and how much of it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) id: u32,
    pub(crate) due: Time,
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) offset: usize,
}

impl Neighbour {
    pub(crate) fn new(peer: PeerId, now: Time) -> Self {
        Self {
            peer,
            greeted: false,
            uploads: false,
            choked: false,
            holds: Bits::default(),
            asks: Vec::new(),
            forgotten: VecDeque::new(),
            declined: SortedMap::new(),
            next_id: 0,
            goodput: Goodput::default(),
            last_part: now,
            received_bytes: 0,
            spared_bytes: 0,
            upload: Upload::default(),
        }
    }

    /// Bytes asked for that have not come.
    pub(crate) fn outstanding_bytes(&self) -> u64 {
        self.asks.iter().map(Asked::left_bytes).sum()
    }

    /// How long a block would take that is asked for now and due then.
    pub(crate) fn brings_in(&self, now: Time, bytes: u64, due: Time) -> Duration {
        let before = self.asks.iter().filter(|ask| ask.due <= due);
        let left: u64 = before.map(Asked::left_bytes).sum();
        time_for(left + bytes, self.planned_bytes_per_s()) + self.silent_for(now)
    }

    /// How long a block that it owes still takes, as things go.
    pub(crate) fn takes(&self, now: Time, ask: &Asked) -> Duration {
        // What has begun and is not due is the first of its kind.
        let begun = ask.due == Time::NEVER && !ask.buffer.is_empty();
        let before = |other: &&Asked| {
            other.id == ask.id || (other.due <= ask.due && !(begun && other.due == Time::NEVER))
        };
        let left = self.asks.iter().filter(before).map(Asked::left_bytes).sum();
        time_for(left, self.planned_bytes_per_s()) + self.silent_for(now)
    }

    fn planned_bytes_per_s(&self) -> u64 {
        self.goodput.bytes_per_s().unwrap_or(config::GOODPUT_PRIOR).max(8_192)
    }

    /// Whether it gives anything at all now.
    pub(crate) fn gives(&self, now: Time) -> bool {
        self.greeted
            && self.uploads
            && !self.choked
            && self.silent_for(now) < config::STALLED
            && self.asks.len() < ASKS_MAX
    }

    /// Whether one more block may be asked of it.
    pub(crate) fn has_room(&self, now: Time) -> bool {
        let window = bytes_in(self.planned_bytes_per_s(), config::PIPELINE);
        self.gives(now)
            && (self.asks.len() < config::ASKED_LEAST || self.outstanding_bytes() < window)
    }

    /// How long it has owed blocks, or its greeting, and sent nothing.
    pub(crate) fn silent_for(&self, now: Time) -> Duration {
        let oldest = self.asks.iter().map(|ask| ask.asked).min();
        let since = if self.greeted { oldest } else { Some(self.last_part) };
        since.map_or(Duration::ZERO, |asked| now.since(asked.max(self.last_part)))
    }

    pub(crate) fn ask(
        &mut self,
        now: Time,
        (cid, expected_bytes): (Cid, u64),
        due: Time,
        is_hedge: bool,
    ) -> u32 {
        let ahead = self.outstanding_bytes() + expected_bytes;
        let expected = time_for(ahead, self.planned_bytes_per_s());
        if self.asks.is_empty() {
            self.goodput.set_busy(now, true);
        }
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let (buffer, asked) = (Vec::new(), now);
        self.asks.push(Asked { id, cid, expected_bytes, buffer, asked, expected, due, is_hedge });
        id
    }

    /// It owes this block no longer; what had come of it.
    pub(crate) fn settle(&mut self, now: Time, id: u32) -> Option<Asked> {
        let index = self.asks.iter().position(|ask| ask.id == id)?;
        let asked = self.asks.remove(index);
        if self.asks.is_empty() {
            self.goodput.set_busy(now, false);
        }
        Some(asked)
    }

    /// Takes an asking back: parts of it may still come for a while.
    pub(crate) fn forget(&mut self, now: Time, cid: &Cid) -> Option<Asked> {
        let id = self.asks.iter().find(|ask| ask.cid == *cid)?.id;
        if self.forgotten.len() >= config::FORGOTTEN_MAX {
            self.forgotten.pop_front();
        }
        self.forgotten.push_back((id, u64::from(wire::limits::BLOCK_BYTES_MAX)));
        let asked = self.settle(now, id)?;
        self.spared_bytes += length(asked.buffer.len());
        Some(asked)
    }

    /// Whether a part of a block that was taken back may still come.
    pub(crate) fn may_still_send(&mut self, id: u32, bytes: usize) -> bool {
        let Some(left) = self.forgotten.iter_mut().find(|(known, _)| *known == id) else {
            return false;
        };
        let fits = length(bytes) <= left.1;
        left.1 = left.1.saturating_sub(length(bytes));
        if fits {
            self.spared_bytes += length(bytes);
        }
        fits
    }

    pub(crate) fn decline(&mut self, now: Time, cid: Cid) {
        if self.declined.len() >= config::DECLINED_MAX {
            self.declined.pop_first();
        }
        self.declined.insert(cid, now + config::DECLINED_FOR);
    }

    pub(crate) fn declined(&self, now: Time, cid: &Cid) -> bool {
        self.declined.get(cid).is_some_and(|until| *until > now)
    }

    /// Whether it has a block and did not decline it.
    pub(crate) fn may_give(&self, now: Time, next: &Next) -> bool {
        self.holds.contains(next.place) && !self.declined(now, &next.cid)
    }

    pub(crate) fn owes(&self, cid: &Cid) -> bool {
        self.ask_for(cid).is_some()
    }

    /// Its asking for a block.
    pub(crate) fn ask_for(&self, cid: &Cid) -> Option<&Asked> {
        self.asks.iter().find(|ask| ask.cid == *cid)
    }
}

impl Asked {
    /// Bytes of it that have not come.
    pub(crate) fn left_bytes(&self) -> u64 {
        self.expected_bytes.saturating_sub(length(self.buffer.len()))
    }

    /// Longer under way than can be explained.
    pub(crate) fn is_late(&self, now: Time) -> bool {
        now.since(self.asked) > config::PATIENCE.max(self.expected * 3)
    }
}

impl Upload {
    pub(crate) fn has_room(&self) -> bool {
        if self.held.is_some() {
            return false;
        }
        let (least, most) = config::SEND_WINDOW_BYTES;
        let rate = self.goodput.bytes_per_s().unwrap_or(config::GOODPUT_PRIOR);
        self.in_flight < bytes_in(rate, config::SEND_AHEAD).clamp(least, most)
    }

    /// Nothing that was asked will be sent; what is under way counts on.
    pub(crate) fn clear(&mut self) {
        let (in_flight, sent_bytes) = (self.in_flight, self.sent_bytes);
        let (held, held_told) = (self.held, self.held_told);
        *self = Self { in_flight, sent_bytes, held, held_told, ..Self::default() };
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.loading.is_empty() && self.ready.is_empty()
    }

    /// Whether a block more is to be read for it; `full`: only one that is due, when none is here.
    pub(crate) fn wants_block(&self, full: bool) -> bool {
        let due = |wanted: &Wanted| wanted.due != Time::NEVER;
        let is_here = self.loading.iter().any(due)
            || self.ready.iter().any(|sending| sending.due != Time::NEVER);
        let ahead = self.ready.len() + self.loading.len();
        let wants = (self.queue.iter().any(due) && !is_here)
            || (!full && !self.queue.is_empty() && ahead < config::READY_BLOCKS_EACH);
        wants && self.held.is_none()
    }

    /// Which of what was read is sent next.
    pub(crate) fn next_ready(&self) -> Option<usize> {
        (0..self.ready.len()).min_by_key(|at| self.ready.get(*at).map(|sending| sending.due))
    }

    /// Takes out what the neighbour no longer needs.
    pub(crate) fn forget(&mut self, ids: &[u32]) {
        self.queue.retain(|wanted| !ids.contains(&wanted.id));
        self.loading.retain(|wanted| !ids.contains(&wanted.id));
        self.ready.retain(|sending| !ids.contains(&sending.id));
    }
}

pub(crate) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
