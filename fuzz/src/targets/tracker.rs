//! The tracker: any text as a message, and a history of messages that some sockets send, each in a
//! line of its own; another node has members too, hands in what socket 9 offers, and answers what it is
//! given. What is answered is JSON, nobody is handed a message of its own, and nothing is left when all
//! are gone.

use std::collections::BTreeSet;
use std::time::Duration;

use primitives::{Rng, Seed, Time};
use serde_json::Value;
use tracker::reply::{self, Tail};
use tracker::request::{self, Announce, Request};
use tracker::{
    Announced, Counts, Full, Guest, InfoHash, Limits, Maker, NodeId, PeerName, Receiver, SocketId,
    Swarms,
};

const SWARMS_MAX: usize = 3;
const PEERS_MAX: usize = 4;
const LEASE: Duration = Duration::from_secs(300);
/// Another node, whose peers speak on the socket that has its digit.
const OTHER: NodeId = NodeId(9);

/// Plays a script of lines: a digit for the socket, then what it sends; a line of spaces only lets a
/// minute pass for each.
pub fn run(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let _ = request::read(text);
    let mut play = Play::new();
    for line in text.lines() {
        if line.chars().all(|c| c == ' ') {
            let minutes = u32::try_from(line.len().min(10)).expect("at most ten");
            play.pass(Duration::from_secs(60) * minutes);
        } else if let Some(socket) = line.chars().next().and_then(|digit| digit.to_digit(10)) {
            match u64::from(socket) {
                socket if socket == OTHER.0 => play.hear_elsewhere(&line[1..]),
                socket => play.hear(socket, &line[1..]),
            }
        }
    }
    play.pass(LEASE);
    assert_eq!(play.swarms.swarm_count(), 0);
    assert!(play.members.is_empty());
}

struct Play {
    swarms: Swarms<(u64, PeerName)>,
    rng: Rng,
    now: Time,
    members: BTreeSet<(InfoHash, PeerName, u64)>,
}

impl Play {
    fn new() -> Self {
        let limits = Limits {
            swarms_max: SWARMS_MAX,
            swarm_peers_max: PEERS_MAX,
            lease: LEASE,
            offers_per_swarm_per_s: 1,
        };
        Self {
            swarms: Swarms::new(limits),
            rng: Seed::from_number(1).rng(),
            now: Time::ZERO,
            members: BTreeSet::new(),
        }
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
        for (socket, peer) in self.swarms.expire(self.now) {
            let before = self.members.len();
            let of = |member: &(InfoHash, PeerName, u64)| (member.2, member.1) == (socket, peer);
            // One name may be in several swarms: any of them ended.
            let ended = self.members.iter().find(|member| {
                of(member) && !self.swarms.is_member(&member.0, member.1, SocketId(member.2))
            });
            let ended = *ended.expect("what ended was a member");
            self.members.remove(&ended);
            assert_eq!(self.members.len(), before - 1);
        }
    }

    fn hear(&mut self, socket: u64, text: &str) {
        match request::read(text) {
            Ok(Request::Announce(announce)) => self.announce(socket, &announce),
            Ok(Request::Answer(answer)) => {
                let maker = self.swarms.answer(self.now, SocketId(socket), &answer);
                if let Some(maker) = maker {
                    match maker {
                        Maker::Here(&(_, maker)) => assert_eq!(maker, answer.to),
                        Maker::There(node, _) => assert_eq!(node, OTHER),
                    }
                    let tail = Tail::new(&answer.swarm, &answer.peer);
                    check_json(&tail.answer(&answer), "answer");
                }
            }
            Ok(Request::Scrape(swarms)) => {
                let counts =
                    swarms.iter().map(|swarm| (*swarm, self.swarms.counts(self.now, swarm)));
                check_json(&reply::scrape(counts), "files");
            }
            Err(refused) => check_json(&reply::failure(&refused), "failure reason"),
        }
    }

    /// A peer of the other node says this there.
    fn hear_elsewhere(&mut self, text: &str) {
        match request::read(text) {
            Ok(Request::Announce(Announce { swarm, peer, left, offers, .. })) => {
                let incomplete = left.and_then(|left| u32::try_from(left).ok()).unwrap_or(1);
                let counts = Counts { incomplete, ..Counts::default() };
                self.swarms.hear(OTHER, swarm, counts, self.now + LEASE);
                let guest = Guest { node: OTHER, socket: SocketId(OTHER.0), swarm, peer };
                let mut receivers = BTreeSet::new();
                self.swarms.hand_in(self.now, &guest, &offers, &mut self.rng, |&receiver, _| {
                    assert!(receiver.1 != peer && receivers.insert(receiver));
                });
            }
            Ok(Request::Answer(answer)) => {
                for socket in 0..OTHER.0 {
                    let maker = (answer.swarm, answer.to, SocketId(socket));
                    let found = self.swarms.answer_from(self.now, OTHER, maker, &answer.offer);
                    assert!(found.is_none_or(|found| *found == (socket, answer.to)));
                }
            }
            Ok(Request::Scrape(_)) => self.swarms.forget_node(OTHER),
            Err(_) => drop(self.swarms.take_changed()),
        }
    }

    fn announce(&mut self, socket: u64, announce: &Announce<'_>) {
        let tail = Tail::new(&announce.swarm, &announce.peer);
        let link = (socket, announce.peer);
        let mut receivers = BTreeSet::new();
        let announced: Result<_, Full> = self.swarms.announce(
            self.now,
            SocketId(socket),
            announce,
            &mut self.rng,
            || Ok(link),
            |receiver, index| {
                match receiver {
                    Receiver::Here(&receiver) => {
                        assert!(receiver.1 != announce.peer && receivers.insert(receiver));
                    }
                    Receiver::There(node) => assert_eq!(node, OTHER),
                }
                check_json(&tail.offer(&announce.offers[index]), "offer");
            },
        );
        let Ok(Announced { counts, new, ended, .. }) = announced else { return };
        check_json(&tail.welcome(120, counts), "interval");
        let member = (announce.swarm, announce.peer, socket);
        if new {
            assert!(self.members.insert(member));
        }
        if ended.is_some() {
            assert!(self.members.remove(&member));
        }
        assert!(self.swarms.swarm_count() <= SWARMS_MAX);
        let members = self.members.iter().filter(|(swarm, ..)| *swarm == announce.swarm).count();
        let here = self.swarms.counts_here(&announce.swarm);
        assert!(here.incomplete <= counts.incomplete && here.complete <= counts.complete);
        assert_eq!(usize::try_from(here.complete + here.incomplete), Ok(members));
        assert!(members <= PEERS_MAX);
    }
}

/// Whether a stock client understands it.
fn check_json(text: &str, field: &str) {
    let value: Value = serde_json::from_str(text).expect("an answer is JSON");
    assert!(value["action"].is_string() && value.get(field).is_some(), "{text}");
}

/// A meeting, here and with another node, a scrape, and refusals.
pub fn seeds() -> Vec<Vec<u8>> {
    let swarm = r#""info_hash":"aaaaaaaaaaaaaaaaaaaa""#;
    let here = |socket: u32, more: &str| {
        let peer = char::from_digit(socket, 10).expect("a digit").to_string().repeat(20);
        format!(r#"{socket}{{"action":"announce",{swarm},"peer_id":"{peer}"{more}}}"#)
    };
    let offer = r#"{"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"oooooooooooooooooooo"}"#;
    let meet = [
        here(1, r#","event":"started","left":null,"numwant":5"#),
        here(2, &format!(r#","event":"started","left":0,"offers":[{offer},{offer}]"#)),
        here(
            1,
            r#","to_peer_id":"22222222222222222222","answer":{"sdp":""},"offer_id":"oooooooooooooooooooo""#,
        ),
        here(1, r#","event":"completed""#),
        format!(r#"3{{"action":"scrape",{swarm}}}"#),
        "  ".to_owned(),
        here(9, &format!(r#","left":3,"offers":[{offer}]"#)),
        here(2, &format!(r#","offers":[{offer},{offer},{offer}]"#)),
        here(
            9,
            r#","to_peer_id":"22222222222222222222","answer":{"sdp":""},"offer_id":"oooooooooooooooooooo""#,
        ),
        here(2, r#","event":"stopped""#),
    ];
    let odd = [
        here(1, r#","peer_id":"x""#),
        r#"1{"action":"scrape","info_hash":["\u0000\u001f\"\\ÿaaaaaaaaaaaaaaa"]}"#.to_owned(),
        r#"1{"action":"connect"}"#.to_owned(),
    ];
    vec![meet.join("\n").into_bytes(), odd.join("\n").into_bytes(), meet[1][1..].into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_reach_what_they_are_for() {
        let meet = String::from_utf8(seeds().remove(0)).expect("the script is text");
        let mut play = Play::new();
        for line in meet.lines().take(3) {
            play.hear(u64::from(line.as_bytes()[0] - b'0'), &line[1..]);
        }
        assert_eq!(play.members.len(), 2);
        run(meet.as_bytes());
    }
}
