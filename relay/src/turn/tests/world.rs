//! A machine with a driver that opens sockets in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use primitives::{Seed, Time};

use super::client::{Answer, Client};
use crate::credential::Secret;
use crate::stun::Message;
use crate::turn::{FiveTuple, Machine, Output, Settings, Verdict};

/// Unix time at the machine's start.
pub(super) const START_UNIX_S: u64 = 1_800_000_000;

pub(super) fn settings() -> Settings {
    Settings {
        realm: "starling".to_owned(),
        secrets: vec![Secret::new("first secret, new"), Secret::new("second secret, old")],
        unix_s_at_zero: START_UNIX_S,
        relay_ips: vec!["192.0.2.10".parse().unwrap(), "2001:db8::10".parse().unwrap()],
        ports: 50_000..=50_999,
        channels: crate::channel_data::CHANNELS,
        allowed_peers: Vec::new(),
        denied_peers: Vec::new(),
        allocations_max: 100,
        user_allocations_max: 10,
        user_bytes_max: 0,
        user_bits_per_s: 0,
        bits_per_s: 0,
        strangers_per_s: 0,
    }
}

pub(super) struct World {
    pub(super) machine: Machine,
    pub(super) now: Time,
    pub(super) open: BTreeSet<SocketAddr>,
    /// Ports that another program has.
    pub(super) busy: BTreeSet<u16>,
    /// Every port is busy.
    pub(super) all_busy: bool,
    pub(super) inbox: BTreeMap<FiveTuple, Vec<Vec<u8>>>,
    clients: u16,
}

impl World {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            machine: Machine::new(settings, &Seed::from_number(7)),
            now: Time::ZERO,
            open: BTreeSet::new(),
            busy: BTreeSet::new(),
            all_busy: false,
            inbox: BTreeMap::new(),
            clients: 0,
        }
    }

    pub(super) fn client(&mut self) -> Client {
        self.clients += 1;
        Client::new(4000 + self.clients)
    }

    /// A client with an allocation, and its relayed address.
    pub(super) fn allocated(&mut self) -> (Client, SocketAddr) {
        let mut client = self.client();
        let answer = client.allocate(self, &[]);
        (client, answer.relayed()[0])
    }

    pub(super) fn sleep(&mut self, s: u64) {
        self.now = self.now + Duration::from_secs(s);
        self.machine.tick(self.now);
        self.perform();
    }

    pub(super) fn send(&mut self, client: &FiveTuple, bytes: &[u8]) -> Verdict {
        let verdict = self.machine.datagram(self.now, client, bytes);
        self.perform();
        verdict
    }

    pub(super) fn perform(&mut self) {
        let mut outputs = Vec::new();
        loop {
            self.machine.take_outputs(&mut outputs);
            if outputs.is_empty() {
                return;
            }
            for output in outputs.drain(..) {
                match output {
                    Output::Reply { to, bytes } => {
                        Message::parse(&bytes).expect("answers are messages");
                        self.inbox.entry(to).or_default().push(bytes);
                    }
                    Output::Open(relay) => {
                        let ok = !self.all_busy && !self.busy.contains(&relay.port());
                        assert!(!ok || self.open.insert(relay), "{relay} was open already");
                        self.machine.opened(self.now, relay, ok);
                    }
                    Output::Close(relay) => {
                        assert!(self.open.remove(&relay), "{relay} was not open");
                    }
                }
            }
        }
    }

    /// The one answer to a client since the last call.
    pub(super) fn answer(&mut self, client: &FiveTuple) -> Answer {
        let mut answers = self.inbox.remove(client).unwrap_or_default();
        assert_eq!(answers.len(), 1, "one request, one answer");
        Answer(answers.remove(0))
    }

    pub(super) fn is_silent(&mut self, client: &FiveTuple) -> bool {
        !self.inbox.contains_key(client)
    }

    /// Nothing is held for anybody.
    pub(super) fn is_empty(&self) -> bool {
        let machine = &self.machine;
        self.open.is_empty()
            && machine.by_client.is_empty()
            && machine.by_relay.is_empty()
            && machine.expiries.is_empty()
            && machine.pending.is_empty()
            && machine.opening.is_empty()
            && machine.reservations.is_empty()
            && machine.ports.taken().is_empty()
            && machine.slots.iter().all(Option::is_none)
    }
}
