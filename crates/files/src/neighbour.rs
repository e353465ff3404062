//! What is known of one neighbour: what it holds, what it owes us, what we owe it.

use std::{collections::VecDeque, sync::Arc};

use content::Cid;
use core::time::Duration;
use primitives::{PeerId, SortedMap, Time};
use swarm::rate::{Goodput, bytes_in, time_for};
use wire::limits::ASKS_MAX;

use crate::{bits::Bits, config};

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
    pub(crate) received_bytes: u64,
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
}

/// What a neighbour asked of us, and what is under way to it.
#[derive(Debug, Default)]
pub(crate) struct Upload {
    pub(crate) queue: VecDeque<(u32, Cid)>,
    /// Being read from the store.
    pub(crate) loading: Vec<(u32, Cid)>,
    /// Read; the first is being sent, from the offset on.
    pub(crate) ready: VecDeque<(u32, Arc<[u8]>)>,
    pub(crate) offset: usize,
    /// Payload given to the transport that has not left it.
    pub(crate) in_flight: u64,
    pub(crate) goodput: Goodput,
    pub(crate) sent_bytes: u64,
    pub(crate) last_sent: Time,
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
            upload: Upload::default(),
        }
    }

    /// Bytes asked for that have not come.
    pub(crate) fn outstanding_bytes(&self) -> u64 {
        let left = |ask: &Asked| ask.expected_bytes.saturating_sub(length(ask.buffer.len()));
        self.asks.iter().map(left).sum()
    }

    fn planned_bytes_per_s(&self) -> u64 {
        self.goodput.bytes_per_s().unwrap_or(config::GOODPUT_PRIOR).max(8_192)
    }

    /// Whether one more block may be asked of it.
    pub(crate) fn has_room(&self, now: Time) -> bool {
        let window = bytes_in(self.planned_bytes_per_s(), config::PIPELINE);
        self.greeted
            && self.uploads
            && !self.choked
            && self.silent_for(now) < config::STALLED
            && self.asks.len() < ASKS_MAX
            && (self.asks.len() < config::ASKED_LEAST || self.outstanding_bytes() < window)
    }

    /// How long it has owed blocks and sent nothing.
    pub(crate) fn silent_for(&self, now: Time) -> Duration {
        let oldest = self.asks.iter().map(|ask| ask.asked).min();
        oldest.map_or(Duration::ZERO, |asked| now.since(asked.max(self.last_part)))
    }

    pub(crate) fn ask(&mut self, now: Time, cid: Cid, expected_bytes: u64) -> u32 {
        let ahead = self.outstanding_bytes() + expected_bytes;
        let expected = time_for(ahead, self.planned_bytes_per_s());
        if self.asks.is_empty() {
            self.goodput.set_busy(now, true);
        }
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        let buffer = Vec::new();
        self.asks.push(Asked { id, cid, expected_bytes, buffer, asked: now, expected });
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
        self.settle(now, id)
    }

    /// Whether a part of a block that was taken back may still come.
    pub(crate) fn may_still_send(&mut self, id: u32, bytes: usize) -> bool {
        let Some(left) = self.forgotten.iter_mut().find(|(known, _)| *known == id) else {
            return false;
        };
        let fits = length(bytes) <= left.1;
        left.1 = left.1.saturating_sub(length(bytes));
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

    pub(crate) fn owes(&self, cid: &Cid) -> bool {
        self.asks.iter().any(|ask| ask.cid == *cid)
    }
}

impl Asked {
    /// Longer under way than can be explained.
    pub(crate) fn is_late(&self, now: Time) -> bool {
        now.since(self.asked) > config::PATIENCE.max(self.expected * 3)
    }
}

impl Upload {
    pub(crate) fn has_room(&self) -> bool {
        let (least, most) = config::SEND_WINDOW_BYTES;
        let rate = self.goodput.bytes_per_s().unwrap_or(config::GOODPUT_PRIOR);
        self.in_flight < bytes_in(rate, config::SEND_AHEAD).clamp(least, most)
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.loading.is_empty() && self.ready.is_empty()
    }

    /// Takes out what the neighbour no longer needs.
    pub(crate) fn forget(&mut self, ids: &[u32]) {
        self.queue.retain(|(id, _)| !ids.contains(id));
        self.loading.retain(|(id, _)| !ids.contains(id));
        if self.ready.front().is_some_and(|(id, _)| ids.contains(id)) {
            self.offset = 0;
        }
        self.ready.retain(|(id, _)| !ids.contains(id));
    }
}

pub(crate) fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
