//! Any order of anything: the laws hold after each step, and nothing is left at the end.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::client::{Client, UDP};
use super::{World, settings};
use crate::peers::Reach;
use crate::stun::{attribute, method};
use crate::turn::{Settings, Verdict};

const CLIENTS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Allocate { even: Option<bool>, dual: bool },
    Token,
    Refresh(u32),
    RefreshFamily(u8),
    Permit(usize),
    Bind(u16, usize),
    Channel(u16, usize),
    Send(usize),
    FromPeer(usize),
    Closed,
    Sleep(u64),
    Busy(bool),
    Bytes(Vec<u8>),
}

fn steps() -> impl Strategy<Value = Step> {
    let peer = 0..PEERS.len() + CLIENTS;
    prop_oneof![
        4 => (any::<Option<bool>>(), any::<bool>())
            .prop_map(|(even, dual)| Step::Allocate { even, dual }),
        1 => Just(Step::Token),
        1 => prop_oneof![Just(0), Just(600), any::<u32>()].prop_map(Step::Refresh),
        1 => (0_u8..4).prop_map(Step::RefreshFamily),
        4 => peer.clone().prop_map(Step::Permit),
        4 => (0x3ffe_u16..0x4006, peer.clone()).prop_map(|(number, peer)| Step::Bind(number, peer)),
        4 => (0x4000_u16..0x4006, 0_usize..2000).prop_map(|(number, size)| Step::Channel(number, size)),
        4 => peer.clone().prop_map(Step::Send),
        4 => peer.prop_map(Step::FromPeer),
        1 => Just(Step::Closed),
        2 => (0_u64..400).prop_map(Step::Sleep),
        1 => any::<bool>().prop_map(Step::Busy),
        1 => proptest::collection::vec(any::<u8>(), 0..64).prop_map(Step::Bytes),
    ]
}

const PEERS: [&str; 5] =
    ["1.2.3.4:5", "127.0.0.1:80", "[2606:4700::1]:5", "192.0.2.10:22", "[::ffff:127.0.0.1]:80"];

struct Play {
    world: World,
    clients: Vec<Client>,
    token: Vec<u8>,
}

impl Play {
    fn peer(&self, index: usize) -> SocketAddr {
        match PEERS.get(index) {
            Some(peer) => peer.parse().unwrap(),
            None => self.relay(index - PEERS.len()).unwrap_or_else(|| PEERS[0].parse().unwrap()),
        }
    }

    fn relay(&self, client: usize) -> Option<SocketAddr> {
        self.world.machine.allocation_of(&self.clients[client].tuple)?.all_relayed().next()
    }

    fn step(&mut self, who: usize, step: Step) {
        let peer = |play: &Self, index| play.peer(index);
        match step {
            Step::Allocate { even, dual } => {
                let mut attributes = vec![UDP];
                attributes.extend(
                    even.map(|next| {
                        (attribute::EVEN_PORT, if next { &[0x80][..] } else { &[0][..] })
                    }),
                );
                let also: (u16, &[u8]) = (attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
                attributes.extend(dual.then_some(also));
                self.ask(who, method::ALLOCATE, &attributes);
            }
            Step::Token => {
                let token = self.token.clone();
                let attributes = [UDP, (attribute::RESERVATION_TOKEN, &token[..])];
                self.ask(who, method::ALLOCATE, &attributes);
            }
            Step::Refresh(lifetime_s) => {
                let value = lifetime_s.to_be_bytes();
                self.ask(who, method::REFRESH, &[(attribute::LIFETIME, &value)]);
            }
            Step::RefreshFamily(family) => {
                let family = [family, 0, 0, 0];
                let attributes: [(u16, &[u8]); 2] = [
                    (attribute::REQUESTED_ADDRESS_FAMILY, &family),
                    (attribute::LIFETIME, &[0; 4]),
                ];
                self.ask(who, method::REFRESH, &attributes);
            }
            Step::Permit(index) => {
                let peer = peer(self, index).to_string();
                self.clients[who].permit(&mut self.world, &peer);
            }
            Step::Bind(number, index) => {
                let peer = peer(self, index);
                self.clients[who].bind(&mut self.world, number, peer);
            }
            Step::Channel(number, size) => {
                let verdict =
                    self.clients[who].send_channel(&mut self.world, number, &vec![0; size]);
                self.check(&verdict);
            }
            Step::Send(index) => {
                let peer = peer(self, index);
                let verdict = self.clients[who].send_indication(&mut self.world, peer, b"data");
                self.check(&verdict);
            }
            Step::FromPeer(index) => {
                let (peer, relay) = (peer(self, index), self.relay(who));
                let Some(relay) = relay else { return };
                let verdict = self.world.machine.from_peer(self.world.now, relay, peer, 9);
                self.check(&verdict);
            }
            Step::Closed => {
                self.world.machine.closed(&self.clients[who].tuple);
                self.world.perform();
            }
            Step::Sleep(s) => self.world.sleep(s),
            Step::Busy(busy) => self.world.all_busy = busy,
            Step::Bytes(bytes) => {
                self.world.send(&self.clients[who].tuple, &bytes);
                self.world.inbox.clear();
            }
        }
    }

    fn ask(&mut self, who: usize, method: u16, attributes: &[(u16, &[u8])]) {
        let answer = self.clients[who].ask(&mut self.world, method, attributes);
        if answer.code() == 438 {
            self.clients[who].greet(&mut self.world);
        }
        if let Some(token) = answer.message().get(attribute::RESERVATION_TOKEN) {
            self.token = token.to_vec();
        }
    }

    /// What a verdict says is allowed.
    fn check(&self, verdict: &Verdict) {
        let machine = &self.world.machine;
        match verdict {
            Verdict::Nothing => {}
            Verdict::ToPeer { relay, peer, .. } => {
                assert!(self.world.open.contains(relay), "sent from a socket that is open");
                assert_eq!(machine.rules.reach(peer.ip()), Reach::Network);
            }
            Verdict::ToClient { client, .. } => assert!(machine.by_client.contains_key(client)),
        }
    }

    /// What holds between any two steps.
    fn laws(&self) {
        let machine = &self.world.machine;
        assert!(machine.pending.is_empty() && machine.opening.is_empty());
        assert_eq!(&self.world.open, machine.ports.taken());
        assert_eq!(machine.by_client.len(), machine.expiries.len());
        assert_eq!(machine.by_relay.len() + machine.reservations.len(), self.world.open.len());
        let stats = machine.stats();
        assert!(stats.allocations_now <= machine.settings.allocations_max);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn nothing_a_client_does_breaks_a_law(
        steps in proptest::collection::vec((0..CLIENTS, steps()), 0..60),
    ) {
        let mut world = World::new(Settings { allocations_max: 3, ..settings() });
        let clients = (0..CLIENTS).map(|_| world.client()).collect();
        let mut play = Play { world, clients, token: vec![0; 8] };
        for (who, step) in steps {
            play.step(who, step);
            play.laws();
        }
        play.world.sleep(3600);
        prop_assert!(play.world.is_empty());
    }
}
