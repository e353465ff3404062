//! The relay's machine: clients do anything in any order, with good credentials and bad, and send
//! any bytes. Sockets are opened and closed in pairs, nobody reaches a network that is closed, and
//! nothing is left when all are gone.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use primitives::{Seed, Time};
use relay::stun::attribute::{self, Family};
use relay::stun::{Builder, Class, Integrity, Message, long_term_key, method};
use relay::turn::{FiveTuple, Machine, Output, Settings, Verdict};
use relay::{Credential, PeerRules, Reach, Secret};

const CLIENTS: u16 = 3;
const ALLOCATIONS_MAX: usize = 2;
const PEERS: [&str; 6] = [
    "1.2.3.4:5000",
    "127.0.0.1:80",
    "192.0.2.10:22",
    "[2606:4700::1]:53",
    "[::ffff:10.0.0.1]:80",
    "[2002:7f00:1::]:80",
];

/// Plays a script: one step after the other, each a kind, a client and its argument.
pub fn run(bytes: &[u8]) {
    let mut play = Play::new();
    play.all(bytes);
    play.busy = false;
    (0..CLIENTS).for_each(|who| play.machine.closed(&client(who)));
    play.perform();
    play.pass(Duration::from_secs(3600));
    assert!(play.open.is_empty(), "{:?} were not closed", play.open);
    assert_eq!(play.machine.stats().allocations_now, 0);
}

struct Play {
    machine: Machine,
    rules: PeerRules,
    now: Time,
    open: BTreeSet<SocketAddr>,
    busy: bool,
    nonces: Vec<String>,
    relayed: Vec<SocketAddr>,
    token: [u8; 8],
    transaction: u64,
    answered: Vec<(FiveTuple, Vec<u8>)>,
}

fn client(who: u16) -> FiveTuple {
    let remote = SocketAddr::new([198, 51, 100, 7].into(), 4000 + who);
    FiveTuple { listener: 0, local: [192, 0, 2, 10].into(), remote }
}

fn credential(who: u16) -> Credential {
    Secret::new("a secret of the fuzzer").credential(&who.to_string(), 10_000)
}

impl Play {
    fn new() -> Self {
        let ips = vec![[192, 0, 2, 10].into(), "2001:db8::10".parse().expect("an address")];
        let settings = Settings {
            realm: "starling".to_owned(),
            secrets: vec![Secret::new("a secret of the fuzzer")],
            unix_s_at_zero: 1,
            relay_ips: ips.clone(),
            ports: 50_000..=50_007,
            channels: relay::channel_data::CHANNELS,
            allowed_peers: Vec::new(),
            denied_peers: Vec::new(),
            allocations_max: ALLOCATIONS_MAX,
            user_allocations_max: 2,
            user_bytes_max: 10_000,
            user_bits_per_s: 1_000_000,
            bits_per_s: 0,
            strangers_per_s: 0,
        };
        Self {
            machine: Machine::new(settings, &Seed::from_number(1)),
            rules: PeerRules::new(ips, Vec::new(), Vec::new()),
            now: Time::ZERO,
            open: BTreeSet::new(),
            busy: false,
            nonces: vec![String::new(); usize::from(CLIENTS)],
            relayed: Vec::new(),
            token: [0; 8],
            transaction: 0,
            answered: Vec::new(),
        }
    }

    fn all(&mut self, bytes: &[u8]) {
        let mut script = bytes.iter().copied();
        while let (Some(kind), Some(who)) = (script.next(), script.next()) {
            self.step(kind, u16::from(who) % CLIENTS, &mut script);
            assert!(self.machine.stats().allocations_now <= ALLOCATIONS_MAX);
        }
    }

    fn step(&mut self, kind: u8, who: u16, script: &mut impl Iterator<Item = u8>) {
        let mut next = || script.next().unwrap_or(0);
        match kind % 10 {
            0 => {
                let mut attributes = vec![(attribute::REQUESTED_TRANSPORT, vec![17, 0, 0, 0])];
                let bits = next();
                let wishes = [
                    (attribute::EVEN_PORT, vec![bits & 0x80]),
                    (attribute::ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0]),
                    (attribute::REQUESTED_ADDRESS_FAMILY, vec![next() & 3, 0, 0, 0]),
                    (attribute::RESERVATION_TOKEN, self.token.to_vec()),
                ];
                let wished = wishes.into_iter().enumerate().filter(|(bit, _)| bits & 1 << bit > 0);
                attributes.extend(wished.map(|(_, wish)| wish));
                self.ask(who, method::ALLOCATE, attributes, None);
            }
            1 => {
                let lifetime = [0, 0, next(), next()].to_vec();
                self.ask(who, method::REFRESH, vec![(attribute::LIFETIME, lifetime)], None);
            }
            2 => {
                let family = vec![next() & 3, 0, 0, 0];
                let attributes = vec![
                    (attribute::REQUESTED_ADDRESS_FAMILY, family),
                    (attribute::LIFETIME, vec![0; 4]),
                ];
                self.ask(who, method::REFRESH, attributes, None);
            }
            3 => {
                let peer = self.peer(next());
                self.ask(who, method::CREATE_PERMISSION, Vec::new(), Some(peer));
            }
            4 => {
                let number = vec![0x40, next() % 8, 0, 0];
                let peer = self.peer(next());
                let number = vec![(attribute::CHANNEL_NUMBER, number)];
                self.ask(who, method::CHANNEL_BIND, number, Some(peer));
            }
            5 => {
                let length = next();
                let mut bytes = vec![0x40, next() % 8, 0, length];
                bytes.resize(4 + usize::from(length), 7);
                self.send(who, &bytes);
            }
            6 => {
                let peer = self.peer(next());
                let bytes = Builder::new(Class::Indication, method::SEND, [7; 12])
                    .put_address(attribute::XOR_PEER_ADDRESS, peer)
                    .put(attribute::DATA, &[7; 9])
                    .finish(false);
                self.send(who, &bytes);
            }
            7 => {
                let (relay, peer) = (self.relayed.last().copied(), self.peer(next()));
                let Some(relay) = relay else { return };
                let verdict = self.machine.from_peer(self.now, relay, peer, usize::from(next()));
                self.check(&verdict, usize::from(u8::MAX));
            }
            8 => {
                self.busy = next() & 1 > 0;
                self.pass(Duration::from_secs(u64::from(next())));
            }
            _ => {
                let length = usize::from(next());
                let bytes: Vec<u8> = script.take(length).collect();
                self.send(who, &bytes);
            }
        }
    }

    fn peer(&self, index: u8) -> SocketAddr {
        let index = usize::from(index) % (PEERS.len() + 2);
        let fixed = PEERS.get(index).map(|peer| peer.parse().expect("an address"));
        let relayed = || self.relayed.iter().rev().nth(index - PEERS.len()).copied();
        fixed.or_else(relayed).unwrap_or_else(|| client(0).remote)
    }

    /// A signed request, with a nonce if there is one yet.
    fn ask(
        &mut self,
        who: u16,
        method: u16,
        attributes: Vec<(u16, Vec<u8>)>,
        peer: Option<SocketAddr>,
    ) {
        self.transaction += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.transaction.to_be_bytes());
        let Credential { username, password } = credential(who);
        let mut builder = Builder::new(Class::Request, method, transaction)
            .put(attribute::USERNAME, username.as_bytes())
            .put(attribute::REALM, b"starling")
            .put(attribute::NONCE, self.nonces[usize::from(who)].as_bytes());
        for (kind, value) in attributes {
            builder = builder.put(kind, &value);
        }
        if let Some(peer) = peer {
            builder = builder.put_address(attribute::XOR_PEER_ADDRESS, peer);
        }
        let key = long_term_key(&username, "starling", &password);
        self.send(who, &builder.sign(Integrity::Sha1, &key).finish(true));
    }

    fn send(&mut self, who: u16, bytes: &[u8]) {
        let verdict = self.machine.datagram(self.now, &client(who), bytes);
        self.check(&verdict, bytes.len());
        self.perform();
        for (to, answer) in std::mem::take(&mut self.answered) {
            let message = Message::parse(&answer).expect("answers are messages");
            let who = usize::from(to.remote.port() - 4000);
            if let Some(nonce) = message.text(attribute::NONCE) {
                nonce.clone_into(&mut self.nonces[who]);
            }
            let token = message.get(attribute::RESERVATION_TOKEN);
            self.token = token.and_then(|token| token.try_into().ok()).unwrap_or(self.token);
            let relayed = message.get(attribute::XOR_RELAYED_ADDRESS);
            let address = |value| attribute::read_xor_address(value, &message.transaction());
            self.relayed.extend(relayed.and_then(address));
        }
    }

    fn check(&self, verdict: &Verdict, length: usize) {
        match verdict {
            Verdict::Nothing => {}
            Verdict::ToPeer { relay, peer, data } => {
                assert!(self.open.contains(relay) && data.end <= length);
                assert_eq!(self.rules.reach(peer.ip()), Reach::Network);
                assert_eq!(Family::of(relay.ip()), Family::of(peer.ip()));
            }
            Verdict::ToClient { client, data, .. } => {
                assert!(self.machine.has_allocation(client) && data.end <= length);
            }
        }
    }

    fn pass(&mut self, long: Duration) {
        self.now = self.now + long;
        self.machine.tick(self.now);
        self.perform();
    }

    fn perform(&mut self) {
        let mut outputs = Vec::new();
        loop {
            self.machine.take_outputs(&mut outputs);
            if outputs.is_empty() {
                return;
            }
            for output in outputs.drain(..) {
                match output {
                    Output::Reply { to, bytes } => self.answered.push((to, bytes)),
                    Output::Open(relay) => {
                        assert!(self.busy || self.open.insert(relay), "{relay} was open");
                        self.machine.opened(self.now, relay, !self.busy);
                    }
                    Output::Close(relay) => {
                        assert!(self.open.remove(&relay), "{relay} was not open");
                    }
                }
            }
        }
    }
}

/// Scripts in which clients get on.
pub fn seeds() -> Vec<Vec<u8>> {
    // Twice: the first is challenged.
    let allocate = |who| [0, who, 0, 0, 0, who, 0, 0];
    let mut meet = [allocate(0), allocate(1)].concat();
    meet.extend([3, 0, 6, 3, 1, 7, 4, 0, 1, 6, 5, 0, 20, 1, 6, 0, 7, 1, 0, 0, 0]);
    let mut out = allocate(0).to_vec();
    out.extend([4, 0, 2, 0, 5, 0, 20, 2, 7, 0, 0, 9, 8, 0, 0, 255, 8, 0, 0, 255, 8, 0, 0, 200]);
    let pair = [0, 0, 0, 0, 0, 0, 0x81, 0, 0, 1, 0, 0, 0, 1, 8, 0, 1, 0, 0, 0].to_vec();
    let dual = [0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 2, 1, 0, 0, 0].to_vec();
    vec![meet, out, pair, dual]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_reach_what_they_are_for() {
        let played = |index: usize| {
            let mut play = Play::new();
            play.all(&seeds()[index]);
            (play.machine.stats(), play)
        };
        let (meet, _) = played(0);
        assert_eq!((meet.allocations, meet.inside), (2, 2));
        let (out, _) = played(1);
        assert_eq!((out.allocations, out.from_clients, out.to_clients), (1, 1, 1));
        let (pair, _) = played(2);
        assert_eq!(pair.allocations, 2);
        let (dual, play) = played(3);
        assert_eq!((dual.allocations, play.open.len()), (1, 0));
    }
}
