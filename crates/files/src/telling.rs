//! Greeting, holdings, judging.

use primitives::{PeerId, Time};
use swarm::HangupReason;
use wire::{
    blocks::{BlockMessage, Holds},
    limits::{HAVE_RANGES_MAX, PEER_VERSION},
    peer::{Bye, DecodeError, Hello, Run},
};

use crate::{
    Output, Share,
    bits::Bits,
    config,
    neighbour::{Neighbour, length},
};

impl Share {
    pub(crate) fn on_peer_up(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        let full = self.neighbours.len() >= config::NEIGHBOURS_MAX;
        if full || self.cut.contains(&peer) || self.failure.is_some() {
            out.push(Output::Hangup { peer, why: HangupReason::Replaced });
            return;
        }
        self.neighbours.insert(peer, Neighbour::new(peer, self.now));
        let hello =
            Hello { version: PEER_VERSION, swarm: self.swarm, uploads: !self.limiter.is_off() };
        self.send(peer, &BlockMessage::Hello(hello), out);
    }

    pub(crate) fn on_peer_down(&mut self, peer: PeerId) {
        let Some(neighbour) = self.neighbours.remove(&peer) else { return };
        for asked in neighbour.asks {
            self.wasted_bytes += length(asked.buffer.len());
            self.unasked(&asked.cid);
        }
        self.call_soon();
    }

    /// Closes a connection for cause.
    pub(crate) fn cut(&mut self, peer: PeerId, why: HangupReason, out: &mut Vec<Output>) {
        if why != HangupReason::Silent {
            self.remember_cut(peer);
        }
        out.push(Output::Hangup { peer, why });
        self.on_peer_down(peer);
    }

    /// Says goodbye to a neighbour.
    pub(crate) fn part(&mut self, peer: PeerId, out: &mut Vec<Output>) {
        self.send(peer, &BlockMessage::Bye(Bye { reason: 0 }), out);
        out.push(Output::Hangup { peer, why: HangupReason::Replaced });
        self.on_peer_down(peer);
    }

    pub(crate) fn on_frame(&mut self, from: PeerId, bytes: &[u8], out: &mut Vec<Output>) {
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        let message = match BlockMessage::decode(bytes) {
            Ok(message) => message,
            Err(DecodeError::Unknown(_)) => return,
            Err(_) => return self.cut(from, HangupReason::BadFrame, out),
        };
        match message {
            BlockMessage::Hello(hello) => self.on_hello(from, hello, out),
            _ if !neighbour.greeted => self.cut(from, HangupReason::BadFrame, out),
            BlockMessage::Holds(holds) => neighbour.note(&holds),
            BlockMessage::Part(part) => self.on_part(from, part, out),
            BlockMessage::Ask(ask) => self.on_ask(from, ask, out),
            BlockMessage::Forget(forget) => neighbour.upload.forget(&forget.ids),
            BlockMessage::Decline(decline) => self.on_decline(from, &decline.ids),
            BlockMessage::Choke(choke) => self.on_choke(from, choke.on),
            BlockMessage::Bye(_) => {
                out.push(Output::Hangup { peer: from, why: HangupReason::Replaced });
                self.on_peer_down(from);
            }
        }
    }

    fn on_hello(&mut self, from: PeerId, hello: Hello, out: &mut Vec<Output>) {
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        if hello.swarm != self.swarm || neighbour.greeted {
            return self.cut(from, HangupReason::BadFrame, out);
        }
        (neighbour.greeted, neighbour.uploads) = (true, hello.uploads);
        if let Some(places) = &self.places {
            let runs = places.held.runs();
            self.send_holds(from, &runs, &[], out);
        }
    }

    /// Its uploads to us stop: what it owes is asked elsewhere.
    fn on_choke(&mut self, from: PeerId, on: bool) {
        let now = self.now;
        let Some(neighbour) = self.neighbours.get_mut(&from) else { return };
        neighbour.choked = on;
        // A choke taken back is also how one that greeted without uploads begins to.
        neighbour.uploads |= !on;
        let owed: Vec<_> = neighbour.asks.iter().map(|ask| ask.cid).filter(|_| on).collect();
        for cid in owed {
            if let Some(neighbour) = self.neighbours.get_mut(&from) {
                neighbour.forget(now, &cid);
            }
            self.unasked(&cid);
        }
    }

    /// Tells everybody what is newly held, when it is time.
    pub(crate) fn tell(&mut self, out: &mut Vec<Output>) {
        let many = self.untold.len() >= config::TELL_BLOCKS;
        if self.untold.is_empty() || (self.now < self.tell_at && !many) {
            return;
        }
        let mut bits = Bits::default();
        for place in std::mem::take(&mut self.untold) {
            bits.insert(place);
        }
        self.tell_at = Time::NEVER;
        self.tell_all(&bits.runs(), &[], out);
    }

    /// Tells everybody what is no longer held.
    pub(crate) fn tell_lost(&self, places: &[u32], out: &mut Vec<Output>) {
        let runs: Vec<Run> = places.iter().map(|first| Run { first: *first, count: 1 }).collect();
        self.tell_all(&[], &runs, out);
    }

    fn tell_all(&self, added: &[Run], removed: &[Run], out: &mut Vec<Output>) {
        let greeted = self.neighbours.values().filter(|neighbour| neighbour.greeted);
        for peer in greeted.map(|neighbour| neighbour.peer) {
            self.send_holds(peer, added, removed, out);
        }
    }

    fn send_holds(&self, to: PeerId, added: &[Run], removed: &[Run], out: &mut Vec<Output>) {
        let mut send = |added: &[Run], removed: &[Run]| {
            let holds = Holds { added: added.to_vec(), removed: removed.to_vec() };
            self.send(to, &BlockMessage::Holds(holds), out);
        };
        added.chunks(HAVE_RANGES_MAX).for_each(|runs| send(runs, &[]));
        removed.chunks(HAVE_RANGES_MAX).for_each(|runs| send(&[], runs));
    }
}

impl Neighbour {
    fn note(&mut self, holds: &Holds) {
        for run in &holds.added {
            for place in run.first..run.first.saturating_add(run.count) {
                self.holds.insert(place);
            }
        }
        for run in &holds.removed {
            for place in run.first..run.first.saturating_add(run.count) {
                self.holds.remove(place);
            }
        }
    }
}
