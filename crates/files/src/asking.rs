//! Which block is asked of which neighbour, and what comes of it.

use content::Cid;
use primitives::{PeerId, Time};
use swarm::{Channel, HangupReason};
use wire::blocks::{Ask, AskedBlock, BlockMessage, Forget, Part};

use crate::{
    Output, Share, config,
    neighbour::length,
    places::{Next, State},
};

/// Bytes expected of a block of which nothing is known.
const UNKNOWN_BYTES: u64 = 64 << 10;

impl Share {
    /// Asks every neighbour for as much as its path carries, one block after the other in turn.
    pub(crate) fn ask_all(&mut self, out: &mut Vec<Output>) {
        if self.paused || self.full {
            return;
        }
        let peers: Vec<PeerId> = self.neighbours.keys().copied().collect();
        let mut batches: Vec<Vec<AskedBlock>> = vec![Vec::new(); peers.len()];
        loop {
            let mut asked = false;
            for (peer, batch) in peers.iter().zip(&mut batches) {
                asked |= self.ask_one(*peer, batch, out).is_some();
            }
            if !asked {
                break;
            }
        }
        for (peer, blocks) in peers.into_iter().zip(batches) {
            if !blocks.is_empty() {
                self.send_ask(peer, blocks, Time::NEVER, out);
            }
        }
    }

    /// Sends askings that are due at a time, or never.
    pub(crate) fn send_ask(
        &self,
        peer: PeerId,
        blocks: Vec<AskedBlock>,
        due: Time,
        out: &mut Vec<Output>,
    ) {
        let in_ms = || u32::try_from(due.since(self.now).as_millis()).unwrap_or(u32::MAX);
        let due_in_ms = (due != Time::NEVER).then(in_ms);
        self.send(peer, &BlockMessage::Ask(Ask { blocks, due_in_ms }), out);
    }

    /// Notes that a neighbour is asked for a block: what is to be sent to it.
    pub(crate) fn ask_of(
        &mut self,
        peer: PeerId,
        block: (Cid, u64),
        due: Time,
    ) -> Option<AskedBlock> {
        let (now, cid) = (self.now, block.0);
        let is_hedge = self.neighbours.values().any(|other| other.owes(&cid));
        self.set_state(&cid, State::Asked);
        let id = self.neighbours.get_mut(&peer)?.ask(now, block, due, is_hedge);
        Some(AskedBlock { id, cid: cid.to_bytes().into() })
    }

    /// Asks a neighbour for one more block: to be sent with others, or what is due, at once.
    fn ask_one(
        &mut self,
        peer: PeerId,
        batch: &mut Vec<AskedBlock>,
        out: &mut Vec<Output>,
    ) -> Option<()> {
        let neighbour = self.neighbours.get(&peer)?;
        if !neighbour.has_room(self.now) || self.coming_bytes() >= config::COMING_BYTES_MAX {
            return None;
        }
        let (block, due) = self.pick(peer).or_else(|| {
            let late = self.pick_late(peer).or_else(|| self.pick_waiting(peer, out));
            Some((late.or_else(|| self.pick_slow(peer))?, Time::NEVER))
        })?;
        let asked = self.ask_of(peer, block, due)?;
        if due == Time::NEVER {
            batch.push(asked);
        } else {
            self.send_ask(peer, vec![asked], due, out);
        }
        Some(())
    }

    /// A block that nobody was asked for, its bytes, and when it is due.
    fn pick(&mut self, peer: PeerId) -> Option<((Cid, u64), Time)> {
        let (now, me) = (self.now, self.config.me);
        let neighbour = self.neighbours.get(&peer)?;
        if let Some(cid) = self.opening.missing().find(|cid| !neighbour.declined(now, cid)) {
            return Some(((cid, UNKNOWN_BYTES), Time::NEVER));
        }
        let all = &self.neighbours;
        let places = self.places.as_mut()?;
        let has =
            |place, cid: &Cid| neighbour.holds.contains(place) && !neighbour.declined(now, cid);
        let holders = |place| all.values().filter(|other| other.holds.contains(place)).count();
        let waited = self.waited.iter().find_map(|cid| {
            let place = places.place(cid)?;
            (places.state(place) == State::Missing && has(place, cid)).then_some((place, *cid))
        });
        if let Some((place, cid)) = waited {
            return Some(((cid, places.block_bytes(place)), Time::NEVER));
        }
        let in_time =
            |next: &Next, bytes| now + neighbour.brings_in(now, bytes, next.due) <= next.due;
        let Next { place, cid, due } = places.next(&me, has, in_time, holders)?;
        Some(((cid, places.block_bytes(place)), due))
    }

    /// Somebody waits for these. One whose name is not known yet may follow from what comes next.
    pub(crate) fn on_wait(&mut self, cids: Vec<Cid>) {
        let mut waited = std::mem::take(&mut self.waited);
        waited.retain(|cid| self.state_of(cid) != Some(State::Held));
        for cid in cids {
            if self.state_of(&cid) != Some(State::Held) && !waited.contains(&cid) {
                waited.push_back(cid);
            }
        }
        let over = waited.len().saturating_sub(config::WAITED_MAX);
        waited.drain(..over);
        self.waited = waited;
    }

    /// A block that is late at the one neighbour it was asked of.
    fn pick_late(&self, peer: PeerId) -> Option<(Cid, u64)> {
        let neighbour = self.neighbours.get(&peer)?;
        let asked = self.neighbours.values().filter(|other| other.peer != peer);
        let late = asked.flat_map(|other| &other.asks).filter(|ask| ask.is_late(self.now));
        let mut late = late.map(|ask| (ask.cid, ask.expected_bytes));
        late.find(|(cid, _)| self.may_ask_too(neighbour, cid))
    }

    /// A block that waits behind others at a neighbour, for one that would send it at once: taken back
    /// there.
    fn pick_waiting(&mut self, peer: PeerId, out: &mut Vec<Output>) -> Option<(Cid, u64)> {
        let neighbour = self.neighbours.get(&peer)?;
        let places = self.places.as_ref()?;
        if !neighbour.asks.is_empty() {
            return None;
        }
        let may = |cid: &Cid| {
            let holds = places.place(cid).is_some_and(|place| neighbour.holds.contains(place));
            holds && !neighbour.declined(self.now, cid)
        };
        let others = self.neighbours.values().filter(|other| other.asks.len() > 1);
        let waiting = others.flat_map(|other| {
            // What is due has its own rule (`reading`), which would take it back again.
            let behind = other.asks.iter().rev();
            let behind = behind.filter(|ask| ask.buffer.is_empty() && ask.due == Time::NEVER);
            behind.map(|ask| (other.peer, ask.cid, ask.expected_bytes))
        });
        let (other, cid, bytes) = { waiting }.find(|(_, cid, _)| may(cid))?;
        self.take_back(other, &cid, out);
        Some((cid, bytes))
    }

    /// Part of a block, perhaps of one that was asked for.
    pub(crate) fn on_part(&mut self, from: PeerId, part: Part<'_>, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        let bytes = part.bytes.len();
        let size = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Some(ask) = neighbour.asks.iter_mut().find(|ask| ask.id == part.id) else {
            self.wasted_bytes += u64::from(size);
            if !neighbour.may_still_send(part.id, bytes) {
                self.cut(from, HangupReason::BadFrame, out);
            }
            return;
        };
        let in_order = usize::try_from(part.offset) == Ok(ask.buffer.len());
        if ask.buffer.is_empty() {
            ask.expected_bytes = u64::from(part.block_bytes);
        }
        if !in_order || ask.expected_bytes != u64::from(part.block_bytes) {
            return self.cut(from, HangupReason::BadFrame, out);
        }
        if ask.buffer.is_empty() {
            ask.buffer.reserve_exact(usize::try_from(part.block_bytes).unwrap_or(0));
        }
        ask.buffer.extend_from_slice(part.bytes);
        neighbour.last_part = now;
        neighbour.goodput.add(now, size);
        if length(ask.buffer.len()) < ask.expected_bytes {
            return;
        }
        if let Some(asked) = neighbour.settle(now, part.id) {
            self.on_whole(from, asked.cid, asked.buffer, out);
        }
    }

    /// All bytes of a block are here, whatever they are.
    fn on_whole(&mut self, from: PeerId, cid: Cid, bytes: Vec<u8>, out: &mut Vec<Output>) {
        for peer in self.neighbours.keys().copied().collect::<Vec<_>>() {
            self.take_back(peer, &cid, out);
        }
        if matches!(self.state_of(&cid), Some(State::Asked | State::Missing)) {
            self.set_state(&cid, State::Coming);
            self.coming.insert(cid, length(bytes.len()));
            out.push(Output::Check { cid, from, bytes });
        } else if let Some(neighbour) = self.neighbours.get_mut(&from) {
            neighbour.spared_bytes += length(bytes.len());
        }
    }

    /// A neighbour will not send these.
    pub(crate) fn on_decline(&mut self, from: PeerId, ids: &[u32]) {
        let now = self.now;
        for id in ids {
            let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
            if let Some(asked) = neighbour.settle(now, *id) {
                neighbour.decline(now, asked.cid);
                self.unasked(&asked.cid);
            }
        }
    }

    /// Takes back one block from one neighbour.
    pub(crate) fn take_back(&mut self, peer: PeerId, cid: &Cid, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&peer) else { return };
        if let Some(asked) = neighbour.forget(now, cid) {
            self.wasted_bytes += length(asked.buffer.len());
            let ids = vec![asked.id];
            self.send(peer, &BlockMessage::Forget(Forget { ids }), out);
        }
    }

    /// Takes back everything that fits.
    fn take_back_where(&mut self, fits: impl Fn(&Self, &Cid) -> bool, out: &mut Vec<Output>) {
        for peer in self.neighbours.keys().copied().collect::<Vec<_>>() {
            let asks = self.neighbours.get(&peer).map(|n| n.asks.iter().map(|ask| ask.cid));
            let cids: Vec<Cid> = asks.into_iter().flatten().filter(|cid| fits(self, cid)).collect();
            for cid in cids {
                self.take_back(peer, &cid, out);
                self.unasked(&cid);
            }
        }
    }

    pub(crate) fn take_back_all(&mut self, out: &mut Vec<Output>) {
        self.take_back_where(|_, _| true, out);
    }

    /// Takes back what is no longer chosen.
    pub(crate) fn take_back_unwanted(&mut self, out: &mut Vec<Output>) {
        let unwanted = |share: &Self, cid: &Cid| {
            let places = share.places.as_ref();
            let place = places.and_then(|places| Some((places, places.place(cid)?)));
            place.is_some_and(|(places, place)| !places.is_wanted(place))
        };
        self.take_back_where(unwanted, out);
    }

    /// One neighbour less owes this block.
    pub(crate) fn unasked(&mut self, cid: &Cid) {
        let owed = self.neighbours.values().any(|neighbour| neighbour.owes(cid));
        let owed = owed || self.gateway.owes(cid);
        if !owed && self.state_of(cid) == Some(State::Asked) {
            self.set_state(cid, State::Missing);
        }
    }

    /// Hangs up neighbours that owe blocks and say nothing.
    pub(crate) fn drop_silent(&mut self, out: &mut Vec<Output>) {
        let silent = |peer: &PeerId| {
            let neighbour = self.neighbours.get(peer);
            neighbour.is_some_and(|known| known.silent_for(self.now) >= config::SILENT)
        };
        let silent: Vec<PeerId> = self.neighbours.keys().copied().filter(silent).collect();
        for peer in silent {
            self.cut(peer, HangupReason::Silent, out);
        }
    }

    pub(crate) fn send(&self, to: PeerId, message: &BlockMessage<'_>, out: &mut Vec<Output>) {
        let channel = match message {
            BlockMessage::Part(_) => Channel::Payload,
            _ => Channel::Control,
        };
        out.push(Output::Send { to, channel, bytes: message.encode_to_vec() });
    }
}
