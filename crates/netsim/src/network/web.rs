//! HTTP over the same links.

use std::time::Duration;

use super::{Event, Happening, Leg, Network};
use crate::{
    flow::{Cargo, Packet},
    host::HostId,
    http::{Answer, FaultKind, Get, HttpMessage, PendingGet},
    line::Line,
    path::Path,
};

/// A request without a network fails after this time.
const NO_NETWORK_NOTICE: Duration = Duration::from_millis(300);
/// How much a server's pace for one client may run ahead.
const PACE_QUEUE: Duration = Duration::from_millis(5);

impl<T> Network<T> {
    /// Opens the connection over which `client` will talk to `server`.
    pub fn open_http(&mut self, client: HostId, server: HostId, path: Path) {
        if !self.is_connected(client, server) {
            self.link_http(client, server, path);
        }
    }

    pub(super) fn link_http(&mut self, client: HostId, server: HostId, path: Path) {
        self.link(client, server, path);
        let Some(web) = &self.host(server).server else { return };
        let chunk_bytes = web.chunk_bytes;
        let pace = web.client_bits_per_s.map(|rate| Line::new(rate, PACE_QUEUE));
        if let Some(flow) = self.host_mut(server).flows.get_mut(&client) {
            flow.serve(chunk_bytes, pace);
        }
    }

    /// Asks for a range; answered by [`Happening::Chunk`]s or [`Happening::GetFailed`].
    pub fn get(&mut self, client: HostId, server: HostId, get: Get) {
        if !self.reachable(client, server) || !self.is_connected(client, server) {
            let failed = Event::GetFailed { client, number: get.number };
            self.events.push(self.now + NO_NETWORK_NOTICE, failed);
            return;
        }
        self.host_mut(client).gets.insert(get.number, PendingGet { server });
        self.push_http(client, server, HttpMessage::Request(get));
    }

    /// Takes a request back: nothing more of it is returned, and the server stops when it hears of it.
    pub fn abort(&mut self, client: HostId, number: u64) {
        if let Some(pending) = self.host_mut(client).gets.remove(&number) {
            self.push_http(client, pending.server, HttpMessage::Abort(number));
        }
    }

    fn push_http(&mut self, from: HostId, to: HostId, message: HttpMessage) {
        let size_bytes = message.size_bytes();
        self.push(from, to, Packet { size_bytes, cargo: Cargo::Http(message) });
    }

    pub(super) fn on_http(&mut self, leg: Leg, message: HttpMessage) {
        match message {
            HttpMessage::Request(get) => self.on_request(leg, get),
            HttpMessage::Abort(number) => {
                if let Some(flow) = self.flow_mut(leg.back()) {
                    flow.answers.retain(|answer| answer.number != number);
                }
            }
            HttpMessage::Chunk { number, from, to, last } => {
                let client = leg.to;
                let gets = &mut self.host_mut(client).gets;
                if gets.contains_key(&number) {
                    if last {
                        gets.remove(&number);
                    }
                    self.happened.push_back(Happening::Chunk { client, number, from, to, last });
                }
            }
            HttpMessage::Failed { number, status } => {
                let client = leg.to;
                if self.host_mut(client).gets.remove(&number).is_some() {
                    self.happened.push_back(Happening::GetFailed { client, number, status });
                }
            }
        }
    }

    fn on_request(&mut self, leg: Leg, get: Get) {
        let Some(web) = &self.host(leg.to).server else { return };
        let at = self.now + web.think;
        self.events.push(at, Event::Respond { leg, get });
    }

    /// The server starts its answer. `leg` is the request's.
    pub(super) fn respond(&mut self, leg: Leg, get: Get) {
        let now = self.now;
        let draw = self.rng.u32(0..1000);
        let Some(web) = &self.host(leg.to).server else { return };
        let fault = web.fault(now, draw);
        let number = get.number;
        let still_wanted = self.host(leg.from).gets.contains_key(&number);
        if !still_wanted || self.flow_mut(leg.back()).is_none() {
            return;
        }
        let status = match fault {
            Some(FaultKind::Silence) => return,
            Some(FaultKind::Status(status)) => Some(status),
            Some(FaultKind::Break) | None => (now < get.exists_at).then_some(404),
        };
        if let Some(status) = status {
            self.push_http(leg.to, leg.from, HttpMessage::Failed { number, status });
            return;
        }
        let middle = get.from + (get.to - get.from) / 2;
        let break_at = (fault == Some(FaultKind::Break)).then_some(middle);
        let answer = Answer { number, next: get.from, to: get.to, break_at, ended: false };
        if let Some(flow) = self.flow_mut(leg.back()) {
            flow.answers.push_back(answer);
        }
        self.line_up(leg.to, leg.from);
        self.pump(leg.to);
    }

    /// Every request of `client` at `server` fails without an answer.
    pub(super) fn fail_gets(&mut self, client: HostId, server: HostId) {
        let gets = &mut self.host_mut(client).gets;
        let failed: Vec<u64> =
            gets.iter().filter(|(_, get)| get.server == server).map(|(n, _)| *n).collect();
        for number in &failed {
            gets.remove(number);
        }
        for number in failed {
            self.happened.push_back(Happening::GetFailed { client, number, status: 0 });
        }
    }
}
