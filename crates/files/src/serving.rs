//! Which neighbour gets the next part.
//!
//! Everybody's blocks go out side by side, a part each in turn, to whoever got least lately; few blocks
//! are in memory, and little lies in the transport. What a neighbour needs by a time comes before what else
//! it asked for, between two parts of a block if need be, and before nothing of anybody else.

use std::sync::Arc;

use content::Cid;
use core::time::Duration;
use primitives::{PeerId, Time};
use swarm::rate::{bytes_in, time_for};
use wire::{
    blocks::{Ask, BlockMessage, Decline, Part},
    limits::{ASKS_MAX, PART_BYTES_MAX},
    peer::{Choke, RefuseReason},
};

use crate::{
    Event, Output, Sends, Share, config,
    neighbour::{Sending, Upload, Wanted},
    places::State,
};

/// What may be sent, by the person's limit.
#[derive(Debug)]
pub(crate) struct Limiter {
    bytes_per_s: Option<u64>,
    allowance: u64,
    at: Time,
}

impl Limiter {
    pub(crate) const fn new(now: Time) -> Self {
        Self { bytes_per_s: None, allowance: 0, at: now }
    }

    pub(crate) fn is_off(&self) -> bool {
        self.bytes_per_s == Some(0)
    }

    fn fill(&mut self, now: Time) {
        let Some(limit) = self.bytes_per_s else { return };
        // What a quarter of a second allows, and never less than one part.
        let most = (limit / 4).max(u64::try_from(PART_BYTES_MAX).unwrap_or(u64::MAX));
        let more = bytes_in(limit, now.since(self.at));
        self.allowance = self.allowance.saturating_add(more).min(most);
        self.at = now;
    }

    fn may_send(&self, bytes: usize) -> bool {
        self.bytes_per_s.is_none() || self.allowance >= u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    fn spend(&mut self, bytes: usize) {
        self.allowance = self.allowance.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
    }
}

impl Share {
    /// Blocks that a neighbour wants.
    pub(crate) fn on_ask(&mut self, from: PeerId, ask: Ask, out: &mut Vec<Output>) {
        let mut refused: Vec<(u32, RefuseReason)> = Vec::new();
        let after = |ms| self.now + Duration::from_millis(u64::from(ms));
        let due = ask.due_in_ms.map_or(Time::NEVER, after);
        for block in ask.blocks {
            let cid = Cid::from_bytes(&block.cid[..]).ok();
            let held = cid.filter(|cid| self.state_of(cid) == Some(State::Held));
            let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
            match held {
                _ if self.limiter.is_off() => refused.push((block.id, RefuseReason::UploadsOff)),
                None => refused.push((block.id, RefuseReason::NotHeld)),
                Some(_) if neighbour.upload.queue.len() >= ASKS_MAX => {
                    refused.push((block.id, RefuseReason::Busy));
                }
                Some(cid) => {
                    neighbour.upload.goodput.set_busy(self.now, true);
                    neighbour.upload.queue.push_back(Wanted { id: block.id, cid, due });
                }
            }
        }
        for (id, reason) in refused {
            self.send(from, &BlockMessage::Decline(Decline { ids: vec![id], reason }), out);
        }
    }

    pub(crate) fn on_sent(&mut self, to: PeerId, bytes: u64) {
        let Some(neighbour) = self.neighbours.get_mut(&to) else { return };
        let upload = &mut neighbour.upload;
        upload.in_flight = upload.in_flight.saturating_sub(bytes);
        upload.goodput.add(self.now, u32::try_from(bytes).unwrap_or(u32::MAX));
        if upload.in_flight == 0 && upload.is_idle() {
            upload.goodput.set_busy(self.now, false);
        }
    }

    /// The store gave a block, or has it no longer.
    pub(crate) fn on_read(&mut self, cid: Cid, bytes: Option<Vec<u8>>, out: &mut Vec<Output>) {
        let bytes: Option<Arc<[u8]>> = bytes.map(Arc::from);
        let mut refused = Vec::new();
        for neighbour in self.neighbours.values_mut() {
            let upload = &mut neighbour.upload;
            upload.loading.retain(|wanted| {
                let Wanted { id, due, .. } = *wanted;
                let here = wanted.cid == cid;
                match &bytes {
                    Some(bytes) if here => {
                        let bytes = Arc::clone(bytes);
                        upload.ready.push_back(Sending { id, due, bytes, offset: 0 });
                    }
                    None if here => refused.push((neighbour.peer, id)),
                    _ => {}
                }
                !here
            });
        }
        for (peer, id) in refused {
            let decline = Decline { ids: vec![id], reason: RefuseReason::NotHeld };
            self.send(peer, &BlockMessage::Decline(decline), out);
        }
    }

    /// Sends what may be sent now.
    pub(crate) fn serve_all(&mut self, out: &mut Vec<Output>) {
        self.limiter.fill(self.now);
        self.load_next(out);
        while let Some(peer) = self.next_served() {
            if !self.serve(peer, out) {
                break;
            }
            self.load_next(out);
        }
    }

    /// Reads the next blocks, of who got least lately first.
    fn load_next(&mut self, out: &mut Vec<Output>) {
        let count = |share: &Self| -> usize {
            let uploads = share.neighbours.values().map(|neighbour| &neighbour.upload);
            let served = uploads.filter(|upload| upload.held.is_none());
            served.map(|upload| upload.ready.len() + upload.loading.len()).sum()
        };
        loop {
            let full = count(self) >= config::READY_BLOCKS_MAX;
            let wants = self.neighbours.values_mut().filter(|known| known.upload.wants_block(full));
            // Whoever has nothing comes before whoever has one.
            let next = wants.min_by_key(|neighbour| {
                let upload = &neighbour.upload;
                (upload.ready.len() + upload.loading.len(), upload.last_sent)
            });
            let Some(neighbour) = next else { return };
            let copies = &self.copies;
            let order = |at: &usize| {
                let wanted = neighbour.upload.queue.get(*at)?;
                Some((wanted.due, copies.get(&wanted.cid).copied()))
            };
            // What is due; then what fewest were sent, so that those who ask at once can trade.
            let next = (0..neighbour.upload.queue.len()).min_by_key(order).unwrap_or(0);
            let Some(wanted) = neighbour.upload.queue.remove(next) else { return };
            if self.copies.len() >= config::COPIES_MAX {
                self.copies.pop_first();
            }
            *self.copies.entry(wanted.cid).or_default() += 1;
            neighbour.upload.loading.push(wanted);
            out.push(Output::Load(wanted.cid));
        }
    }

    fn next_served(&self) -> Option<PeerId> {
        let able = self
            .neighbours
            .values()
            .filter(|neighbour| !neighbour.upload.ready.is_empty() && neighbour.upload.has_room());
        able.min_by_key(|neighbour| neighbour.upload.last_sent).map(|neighbour| neighbour.peer)
    }

    /// One part to one neighbour; `false`: the person's limit says no.
    fn serve(&mut self, peer: PeerId, out: &mut Vec<Output>) -> bool {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return false };
        let upload = &mut neighbour.upload;
        let Some(at) = upload.next_ready() else { return false };
        let Some(Sending { id, bytes: block, offset, .. }) = upload.ready.get(at).cloned() else {
            return false;
        };
        let end = offset.saturating_add(PART_BYTES_MAX).min(block.len());
        let bytes = block.get(offset..end).unwrap_or_default();
        if !self.limiter.may_send(bytes.len()) {
            return false;
        }
        self.limiter.spend(bytes.len());
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (block_bytes, offset) = (number(block.len()), number(offset));
        let part = BlockMessage::Part(Part { id, block_bytes, offset, bytes: bytes.into() });
        let frame = part.encode_to_vec();
        upload.in_flight += u64::try_from(frame.len()).unwrap_or(u64::MAX);
        upload.sent_bytes += u64::from(number(bytes.len()));
        // In turn: a tie is broken by who was served before.
        upload.last_sent = now.max(upload.last_sent + Duration::from_micros(1));
        if end == block.len() {
            upload.ready.remove(at);
        } else if let Some(sending) = upload.ready.get_mut(at) {
            sending.offset = end;
        }
        self.served.add(now, number(bytes.len()));
        out.push(Output::Send { to: peer, channel: swarm::Channel::Payload, bytes: frame });
        out.push(Output::Event(Event::Served { peer, bytes: number(bytes.len()) }));
        true
    }

    /// What it sends, for whoever divides that among shares.
    pub fn sends(&self) -> Sends {
        let mut uploads = self.neighbours.values().map(|neighbour| &neighbour.upload);
        let hungry = |upload: &Upload| upload.in_flight > 0 || !upload.is_idle();
        let wants_more = uploads.any(|upload| upload.held.is_none() && hungry(upload));
        Sends { swarm: self.swarm, total_bytes: self.served.total, wants_more }
    }

    /// Until when the person's limit holds back what could be sent.
    pub(crate) fn limited_until(&self) -> Time {
        let Some(limit) = self.limiter.bytes_per_s.filter(|limit| *limit > 0) else {
            return Time::NEVER;
        };
        if self.next_served().is_none() {
            return Time::NEVER;
        }
        let part = u64::try_from(PART_BYTES_MAX).unwrap_or(u64::MAX);
        let lacking = part.saturating_sub(self.limiter.allowance);
        self.now + time_for(lacking, limit) + Duration::from_millis(1)
    }

    pub(crate) fn set_limit(&mut self, limit: Option<u64>, out: &mut Vec<Output>) {
        let was_off = self.limiter.is_off();
        self.limiter.bytes_per_s = limit;
        let off = self.limiter.is_off();
        if was_off == off {
            return;
        }
        for peer in self.neighbours.keys().copied().collect::<Vec<_>>() {
            let choke = Choke { on: off, reason: RefuseReason::UploadsOff };
            self.send(peer, &BlockMessage::Choke(choke), out);
        }
        if off {
            for neighbour in self.neighbours.values_mut() {
                neighbour.upload.clear();
            }
        }
    }

    /// A neighbour is held back, or no more.
    pub(crate) fn hold_back(&mut self, peer: PeerId, on: bool, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        let upload = &mut neighbour.upload;
        upload.held = if on { upload.held.or(Some(now)) } else { None };
        let told = upload.held_told;
        upload.held_told &= on;
        if told && !on && !self.limiter.is_off() {
            let choke = Choke { on: false, reason: RefuseReason::UploadsOff };
            self.send(peer, &BlockMessage::Choke(choke), out);
        }
    }

    /// Tells those that got nothing for a while to ask elsewhere.
    pub(crate) fn choke_held(&mut self, out: &mut Vec<Output>) {
        let now = self.now;
        let long = |upload: &Upload| {
            upload.held.is_some_and(|since| now.since(since) >= config::HELD) && !upload.held_told
        };
        let held = self.neighbours.values_mut().filter(|neighbour| long(&neighbour.upload));
        let peers: Vec<PeerId> = held
            .map(|neighbour| {
                neighbour.upload.held_told = true;
                neighbour.upload.clear();
                neighbour.peer
            })
            .collect();
        for peer in peers {
            let choke = Choke { on: true, reason: RefuseReason::UploadsOff };
            self.send(peer, &BlockMessage::Choke(choke), out);
        }
    }

    /// When somebody is to be told that it gets nothing.
    pub(crate) fn held_wake(&self) -> Time {
        let uploads = self.neighbours.values().map(|neighbour| &neighbour.upload);
        let untold = uploads.filter(|upload| !upload.held_told).filter_map(|upload| upload.held);
        untold.min().map_or(Time::NEVER, |since| since + config::HELD)
    }
}
