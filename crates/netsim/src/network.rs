//! The machine: calls in, happenings out.

mod faults;
mod transmit;
mod web;

#[cfg(test)]
mod tests;

use std::{collections::VecDeque, time::Duration};

use primitives::{Rng, Seed, Time};

use crate::{
    flow::{Cargo, Flow, Lane, Packet},
    host::{Access, Host, HostId, Traffic},
    http::{Get, HttpServer},
    path::Path,
    queue::EventQueue,
};

/// The side of a partition on which nobody is reachable, servers included.
pub const OFFLINE: u8 = u8::MAX;

/// How long a cut connection lives: browsers give up an ICE path after about this time.
const GIVE_UP: Duration = Duration::from_secs(15);

/// Something for the caller. `T` is what it puts into timers.
#[derive(Debug, PartialEq, Eq)]
pub enum Happening<T> {
    /// A timer of [`Network::set_timer`].
    Timer(T),
    /// A message arrived.
    Message {
        /// At this host.
        to: HostId,
        /// From that one.
        from: HostId,
        /// On this lane.
        lane: Lane,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Payload left the sender's buffer for the wire.
    Sent {
        /// Who sends.
        from: HostId,
        /// To whom.
        to: HostId,
        /// How many bytes.
        bytes: u64,
    },
    /// A connection is gone: closed by the other side, lost with it, or cut for too long.
    Closed {
        /// Who learns it.
        host: HostId,
        /// Whom it was connected to.
        peer: HostId,
    },
    /// Part of an answer arrived.
    Chunk {
        /// At this client.
        client: HostId,
        /// Of this request.
        number: u64,
        /// First byte of the file.
        from: u32,
        /// One past the last byte.
        to: u32,
        /// Whether the answer is complete with it.
        last: bool,
    },
    /// A request failed.
    GetFailed {
        /// At this client.
        client: HostId,
        /// Which one.
        number: u64,
        /// HTTP status; 0 when there was no answer.
        status: u16,
    },
}

#[derive(Debug)]
enum Event<T> {
    Timer(T),
    /// The uplink of this host has room again.
    Uplink(HostId),
    /// A flow that waited for its window or its pace looks again.
    FlowWake(Leg),
    /// A packet reached the receiver's downlink.
    Arrive(Leg, Packet),
    /// It came through it.
    Deliver(Leg, Packet),
    Closed(Leg),
    GiveUp {
        leg: Leg,
        cut_at: Time,
    },
    /// A server thought long enough about a request.
    Respond {
        leg: Leg,
        get: Get,
    },
    GetFailed {
        client: HostId,
        number: u64,
    },
}

/// One direction of one connection. For [`Event::Closed`], `from` is the one who learns it.
#[derive(Debug, Clone, Copy)]
struct Leg {
    from: HostId,
    to: HostId,
    connection: u64,
}

impl Leg {
    const fn back(self) -> Self {
        Self { from: self.to, to: self.from, connection: self.connection }
    }
}

/// A network. See the crate's story.
#[derive(Debug)]
pub struct Network<T> {
    now: Time,
    rng: Rng,
    events: EventQueue<Event<T>>,
    happened: VecDeque<Happening<T>>,
    hosts: Vec<Host>,
    next_connection: u64,
    events_done: u64,
}

impl<T> Network<T> {
    /// An empty network. All that is drawn (jitter, loss, faults) follows from `seed`.
    pub fn new(seed: Seed) -> Self {
        Self {
            now: Time::ZERO,
            rng: seed.derive("netsim").rng(),
            events: EventQueue::new(),
            happened: VecDeque::new(),
            hosts: Vec::new(),
            next_connection: 0,
            events_done: 0,
        }
    }

    /// The present moment.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Events worked off so far: what a run costs.
    pub const fn events_done(&self) -> u64 {
        self.events_done
    }

    /// Adds a host.
    pub fn add_host(&mut self, access: Access) -> HostId {
        let id = HostId(u32::try_from(self.hosts.len()).expect("fewer than 2^32 hosts"));
        self.hosts.push(Host::new(access));
        id
    }

    /// Adds a host that serves HTTP. Its uplink is the server's total rate.
    pub fn add_server(&mut self, access: Access, server: HttpServer) -> HostId {
        let id = self.add_host(access);
        self.host_mut(id).server = Some(server);
        id
    }

    /// Changes a host's line from now on.
    pub fn set_access(&mut self, host: HostId, access: Access) {
        self.host_mut(host).set_access(access);
        self.pump(host);
    }

    /// What a host sent and received.
    pub fn traffic(&self, host: HostId) -> Traffic {
        self.host(host).traffic
    }

    /// Whether these two are connected, as the first sees it.
    pub fn is_connected(&self, host: HostId, peer: HostId) -> bool {
        self.host(host).flows.contains_key(&peer)
    }

    /// Opens a connection that both sides can use at once; the caller waits for the handshake's time.
    /// Returns false if there is one, one of the hosts is gone, or they can't reach each other.
    pub fn connect(&mut self, a: HostId, b: HostId, path: Path) -> bool {
        if a == b || !self.reachable(a, b) || self.is_connected(a, b) || self.is_connected(b, a) {
            return false;
        }
        self.link(a, b, path);
        true
    }

    fn link(&mut self, a: HostId, b: HostId, path: Path) {
        self.next_connection += 1;
        let connection = self.next_connection;
        self.host_mut(a).flows.insert(b, Flow::new(connection, path));
        self.host_mut(b).flows.insert(a, Flow::new(connection, path));
    }

    /// Closes a connection from `host`'s side; the other side learns it one latency later.
    pub fn disconnect(&mut self, host: HostId, peer: HostId) {
        let Some(flow) = self.host_mut(host).drop_flow(peer) else { return };
        let leg = Leg { from: peer, to: host, connection: flow.connection };
        self.events.push(self.now + flow.path.one_way, Event::Closed(leg));
    }

    /// Sends a message. Returns false if there is no such connection.
    pub fn send(&mut self, from: HostId, to: HostId, lane: Lane, bytes: Vec<u8>) -> bool {
        let size_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.push(from, to, Packet { size_bytes, cargo: Cargo::Message { lane, bytes } })
    }

    /// Has [`Happening::Timer`] returned at `at`, or now if that has passed.
    pub fn set_timer(&mut self, at: Time, timer: T) {
        self.events.push(at.max(self.now), Event::Timer(timer));
    }

    fn work(&mut self, event: Event<T>) {
        match event {
            Event::Timer(timer) => self.happened.push_back(Happening::Timer(timer)),
            Event::Uplink(host) => {
                self.host_mut(host).uplink_armed = false;
                self.pump(host);
            }
            Event::FlowWake(leg) => self.wake_flow(leg),
            Event::Arrive(leg, packet) => self.arrive(leg, packet),
            Event::Deliver(leg, packet) => self.deliver(leg, packet),
            Event::Closed(leg) => self.closed(leg),
            Event::GiveUp { leg, cut_at } => self.give_up(leg, cut_at),
            Event::Respond { leg, get } => self.respond(leg, get),
            Event::GetFailed { client, number } => {
                self.happened.push_back(Happening::GetFailed { client, number, status: 0 });
            }
        }
    }

    fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.index()]
    }

    fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.index()]
    }

    /// The flow of this leg, if it is still that connection.
    fn flow_mut(&mut self, leg: Leg) -> Option<&mut Flow> {
        let flow = self.hosts[leg.from.index()].flows.get_mut(&leg.to)?;
        (flow.connection == leg.connection).then_some(flow)
    }
}

/// What happens and when, in order. `None`: nothing more will, unless the caller does something.
impl<T> Iterator for Network<T> {
    type Item = (Time, Happening<T>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(happening) = self.happened.pop_front() {
                return Some((self.now, happening));
            }
            let (at, event) = self.events.pop()?;
            self.now = self.now.max(at);
            self.events_done += 1;
            self.work(event);
        }
    }
}
