//! Who is handed whose offers, whom answers reach, and that what ends leaves nothing behind.

use std::collections::{BTreeMap, BTreeSet};

use primitives::{Rng, Seed};
use proptest::prelude::*;

use super::*;
use crate::request::Offer;

const LEASE: Duration = Duration::from_secs(300);

fn name(number: u32) -> PeerName {
    let mut bytes = [0; 20];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PeerName::new(bytes)
}

fn limits() -> Limits {
    Limits { swarms_max: 4, swarm_peers_max: 1_000, lease: LEASE, offers_per_swarm_per_s: 0 }
}

/// A machine whose members are reached by their socket's number.
struct Play {
    swarms: Swarms<u64>,
    rng: Rng,
    now: Time,
}

/// What one announce did.
struct Done {
    announced: Result<Announced<u64>, Full>,
    /// Sockets and the offers they were handed.
    handed: Vec<(u64, usize)>,
    /// Nodes and the offers they were given.
    away: Vec<(NodeId, usize)>,
}

impl Play {
    fn new(limits: Limits) -> Self {
        Self { swarms: Swarms::new(limits), rng: Seed::from_number(1).rng(), now: Time::ZERO }
    }

    fn announce(&mut self, socket: u64, announce: &Announce<'_>) -> Done {
        let (mut handed, mut away) = (Vec::new(), Vec::new());
        let announced = self.swarms.announce(
            self.now,
            SocketId(socket),
            announce,
            &mut self.rng,
            || Ok(socket),
            |receiver, index| match receiver {
                Receiver::Here(link) => handed.push((*link, index)),
                Receiver::There(node) => away.push((node, index)),
            },
        );
        Done { announced, handed, away }
    }

    /// Peer `number` of swarm 0 announces itself on the socket of that number.
    fn here(&mut self, number: u32, offers: u32) -> Done {
        self.announce(u64::from(number), &here(0, number, offers))
    }

    fn answer(&mut self, from: u32, to: u32, offer: u32) -> Option<u64> {
        let answer = Answer {
            swarm: name(0),
            peer: name(from),
            to: name(to),
            offer: name(offer),
            description: "{}",
        };
        match self.swarms.answer(self.now, SocketId(u64::from(from)), &answer)? {
            Maker::Here(link) => Some(*link),
            Maker::There(..) => None,
        }
    }

    fn counts(&self) -> (u32, u32, u32) {
        let Counts { complete, incomplete, downloaded } = self.swarms.counts(self.now, &name(0));
        (complete, incomplete, downloaded)
    }

    fn pass(&mut self, duration: Duration) -> Vec<u64> {
        self.now = self.now + duration;
        self.swarms.expire(self.now)
    }
}

/// An announce with offers that are called 1000 times the peer's number, and up.
fn here(swarm: u32, peer: u32, offers: u32) -> Announce<'static> {
    let offers = (0..offers)
        .map(|index| Offer { id: name(peer * 1_000 + index), description: "{}" })
        .collect();
    Announce { swarm: name(swarm), peer: name(peer), event: Event::Present, left: None, offers }
}

fn with_event(peer: u32, event: Event, left: Option<u64>) -> Announce<'static> {
    Announce { event, left, ..here(0, peer, 0) }
}

#[test]
fn offers_go_to_distinct_others_and_answers_back() {
    let mut play = Play::new(limits());
    assert!(play.here(1, 5).handed.is_empty());
    (2..=9).for_each(|peer| assert!(play.here(peer, 0).announced.unwrap().new));
    let handed = play.here(1, 5).handed;
    let receivers: BTreeSet<u64> = handed.iter().map(|(socket, _)| *socket).collect();
    let offers: BTreeSet<usize> = handed.iter().map(|(_, offer)| *offer).collect();
    assert_eq!((receivers.len(), offers.len()), (5, 5));
    assert!(!receivers.contains(&1));
    for (socket, offer) in handed {
        let (from, offer) = (u32::try_from(socket).unwrap(), u32::try_from(offer).unwrap());
        assert_eq!(play.answer(from, 1, 1_000 + offer), Some(1));
        assert_eq!(play.answer(from, 1, 1_000 + offer), None, "an offer is answered once");
    }
}

#[test]
fn a_small_swarm_gets_what_there_is() {
    let mut play = Play::new(limits());
    play.here(1, 0);
    assert_eq!(play.here(2, 5).handed, [(1, 0)]);
    play.here(3, 0);
    let receivers: BTreeSet<u64> = play.here(2, 5).handed.into_iter().map(|(to, _)| to).collect();
    assert_eq!(receivers, [1, 3].into());
}

#[test]
fn an_answer_to_an_offer_that_was_not_handed_over_reaches_nobody() {
    let mut play = Play::new(limits());
    play.here(1, 0);
    play.here(2, 1);
    play.here(3, 0);
    assert_eq!(play.answer(3, 2, 2_000), None, "it was handed to 1");
    assert_eq!(play.answer(1, 3, 2_000), None, "3 did not make it");
    assert_eq!(play.answer(4, 2, 2_000), None, "4 is not in the swarm");
}

#[test]
fn an_offer_grows_old() {
    let mut play = Play::new(limits());
    play.here(1, 0);
    play.here(2, 1);
    play.now = play.now + OFFER_LIFE;
    assert_eq!(play.answer(1, 2, 2_000), None);
}

#[test]
fn a_name_on_a_second_socket_is_another_member() {
    let mut play = Play::new(limits());
    play.here(1, 0);
    play.here(2, 0);
    // Somebody else calls itself 2: it meets 1, not the other 2, and what was offered stays apart.
    let other = play.announce(99, &here(0, 2, 5));
    assert!(other.announced.unwrap().new);
    assert_eq!(other.handed, [(1, 0)]);
    assert_eq!(play.counts(), (0, 3, 0));
    assert_eq!(play.answer(1, 2, 2_000), Some(99), "the answer goes to who offered");
    play.announce(99, &with_event(2, Event::Stopped, None));
    assert!(play.swarms.is_member(&name(0), name(2), SocketId(2)));
    assert_eq!(play.counts(), (0, 2, 0));
}

#[test]
fn everybody_is_chosen_about_as_often() {
    let mut play = Play::new(limits());
    (1..=30).for_each(|peer| drop(play.here(peer, 0)));
    let mut chosen = BTreeMap::<u64, u32>::new();
    for _ in 0..2_000 {
        play.here(1, 5).handed.iter().for_each(|(to, _)| *chosen.entry(*to).or_default() += 1);
    }
    assert_eq!(chosen.len(), 29);
    // 10,000 offers among 29: 345 each.
    assert!(chosen.values().all(|count| (250..=450).contains(count)), "{chosen:?}");
}

#[test]
fn events_move_a_peer_between_the_counts() {
    let mut play = Play::new(limits());
    play.announce(1, &with_event(1, Event::Present, Some(100)));
    play.announce(2, &with_event(2, Event::Present, Some(0)));
    assert_eq!(play.counts(), (1, 1, 0));
    play.announce(1, &with_event(1, Event::Completed, None));
    play.announce(1, &with_event(1, Event::Completed, Some(0)));
    assert_eq!(play.counts(), (2, 0, 1), "it completed once");
    play.announce(1, &with_event(1, Event::Present, None));
    assert_eq!(play.counts(), (2, 0, 1), "who does not say keeps what it said");
    play.announce(1, &with_event(1, Event::Present, Some(7)));
    assert_eq!(play.counts(), (1, 1, 1));
    let stopped = play.announce(2, &with_event(2, Event::Stopped, Some(0))).announced.unwrap();
    assert_eq!(stopped.ended, Some(2));
    assert_eq!(play.counts(), (0, 1, 1));
    let again = play.announce(2, &with_event(2, Event::Stopped, None)).announced.unwrap();
    assert_eq!(again.ended, None);
}

#[test]
fn the_silent_end_and_their_swarm_with_them() {
    let mut play = Play::new(limits());
    play.here(1, 0);
    play.here(2, 0);
    assert!(play.pass(LEASE / 2).is_empty());
    play.here(2, 0);
    assert_eq!(play.pass(LEASE / 2), [1]);
    assert_eq!(play.pass(LEASE / 2), [2]);
    assert_eq!(play.swarms.swarm_count(), 0);
}

#[test]
fn swarms_and_peers_are_bounded() {
    let mut play = Play::new(Limits { swarm_peers_max: 2, ..limits() });
    for swarm in 0..4 {
        assert!(play.announce(1, &here(swarm, 1, 0)).announced.is_ok());
    }
    assert_eq!(play.announce(1, &here(4, 1, 0)).announced, Err(Full::Swarms));
    assert!(play.here(2, 0).announced.is_ok());
    assert_eq!(play.here(3, 0).announced, Err(Full::Peers));
    assert!(play.here(2, 0).announced.is_ok(), "who is in stays in");
    play.announce(1, &Announce { event: Event::Stopped, ..here(3, 1, 0) });
    assert!(play.announce(1, &here(4, 1, 0)).announced.is_ok());
}

#[test]
fn who_is_refused_at_the_door_leaves_no_swarm_behind() {
    let mut play = Play::new(limits());
    let refused: Result<Announced<u64>, Full> = play.swarms.announce(
        play.now,
        SocketId(1),
        &here(0, 1, 0),
        &mut play.rng,
        || Err(Full::Peers),
        |_, _| {},
    );
    assert_eq!(refused, Err(Full::Peers));
    assert_eq!(play.swarms.swarm_count(), 0);
}

#[test]
fn offers_of_one_swarm_are_bounded_and_the_announce_is_taken_all_the_same() {
    let mut play = Play::new(Limits { offers_per_swarm_per_s: 1, ..limits() });
    (1..=9).for_each(|peer| drop(play.here(peer, 0)));
    let handed: usize = (0..10).map(|_| play.here(1, 5).handed.len()).sum();
    assert_eq!(handed, 10);
    assert!(play.here(1, 5).announced.is_ok());
}

#[test]
fn the_oldest_of_too_many_open_offers_is_forgotten() {
    let mut play = Play::new(limits());
    play.here(1, 0);
    let most = u32::try_from(OPEN_OFFERS_MAX).unwrap();
    for index in 0..=most {
        let offers = vec![Offer { id: name(5_000 + index), description: "{}" }];
        play.announce(2, &Announce { offers, ..here(0, 2, 0) });
    }
    assert_eq!(play.answer(1, 2, 5_000), None);
    assert_eq!(play.answer(1, 2, 5_001), Some(2));
    assert_eq!(play.answer(1, 2, 5_000 + most), Some(2));
}

/// Another node, as node 0 sees it.
const OTHER: NodeId = NodeId(7);

/// A member `number` of node [`OTHER`], on a socket of the same number there.
fn guest(number: u32) -> Guest {
    let socket = SocketId(u64::from(number));
    Guest { node: OTHER, socket, swarm: name(0), peer: name(number) }
}

impl Play {
    /// The other node tells how many members it has.
    fn hear(&mut self, incomplete: u32) {
        let counts = Counts { complete: 0, incomplete, downloaded: 0 };
        self.swarms.hear(OTHER, name(0), counts, self.now + LEASE);
    }

    /// An offer of a guest comes; the sockets it is handed to.
    fn hand_in(&mut self, guest: &Guest, offers: &[u32]) -> Vec<u64> {
        let mut handed = Vec::new();
        let offers: Vec<_> =
            offers.iter().map(|id| Offer { id: name(*id), description: "{}" }).collect();
        self.swarms.hand_in(self.now, guest, &offers, &mut self.rng, |link, _| handed.push(*link));
        handed
    }

    /// An answer of somebody on a node; the socket it goes to.
    fn answer_from(&mut self, node: NodeId, to: u32, offer: u32) -> Option<u64> {
        let maker = (name(0), name(to), SocketId(u64::from(to)));
        self.swarms.answer_from(self.now, node, maker, &name(offer)).copied()
    }
}

#[test]
fn an_offer_goes_to_a_node_that_has_members_and_its_answer_comes_back() {
    let mut play = Play::new(limits());
    play.hear(1);
    let done = play.here(1, 5);
    assert_eq!((done.handed.as_slice(), done.away.as_slice()), (&[][..], &[(OTHER, 0)][..]));
    assert_eq!(play.counts(), (0, 2, 0));
    assert_eq!(play.answer_from(NodeId(8), 1, 1_000), None, "that node was not given it");
    assert_eq!(play.answer_from(OTHER, 1, 1_001), None, "nobody was given that one");
    assert_eq!(play.answer_from(OTHER, 1, 1_000), Some(1));
    assert_eq!(play.answer_from(OTHER, 1, 1_000), None, "an offer is answered once");
}

#[test]
fn an_offer_from_another_node_is_handed_on_and_answered_to_where_it_was_made() {
    let mut play = Play::new(limits());
    assert!(play.hand_in(&guest(9), &[9_000]).is_empty(), "nobody is here");
    (1..=3).for_each(|peer| drop(play.here(peer, 0)));
    let receivers = play.hand_in(&guest(9), &[9_000, 9_001, 9_002, 9_003]);
    assert_eq!(receivers.iter().collect::<BTreeSet<_>>().len(), 3, "each to another");
    assert!(!play.hand_in(&guest(2), &[2_000; 5]).contains(&2), "none to who is called the same");
    let receiver = receivers[0];
    let answer = Answer {
        swarm: name(0),
        peer: name(u32::try_from(receiver).unwrap()),
        to: name(9),
        offer: name(9_000),
        description: "{}",
    };
    let maker = play.swarms.answer(play.now, SocketId(receiver), &answer);
    assert_eq!(maker, Some(Maker::There(OTHER, SocketId(9))));
    assert_eq!(play.swarms.answer(play.now, SocketId(receiver), &answer), None);
}

#[test]
fn members_of_all_nodes_are_chosen_about_as_often() {
    let mut play = Play::new(limits());
    (1..=11).for_each(|peer| drop(play.here(peer, 0)));
    play.hear(30);
    let (mut here, mut there) = (0, 0);
    for _ in 0..1_000 {
        let Done { handed, away, .. } = play.here(1, 4);
        assert_eq!(handed.len() + away.len(), 4);
        here += handed.len();
        there += away.len();
    }
    // Ten others here, thirty there.
    assert!((850..=1_150).contains(&here) && here + there == 4_000, "{here} and {there}");
}

#[test]
fn what_another_node_told_ends_by_its_lease_its_word_and_its_end() {
    let mut play = Play::new(Limits { swarm_peers_max: 5, ..limits() });
    play.here(1, 0);
    play.hear(u32::MAX);
    assert_eq!(play.counts(), (0, 6, 0), "no more than a swarm may have");
    play.hear(0);
    assert_eq!(play.counts(), (0, 1, 0));
    play.hear(2);
    play.swarms.forget_node(OTHER);
    assert_eq!(play.counts(), (0, 1, 0));
    play.hear(2);
    play.now = play.now + LEASE;
    assert_eq!(play.counts(), (0, 1, 0), "whether it was looked at or not");
    assert_eq!(play.swarms.count_elsewhere(play.now), 0);
    for swarm in 0..9 {
        let counts = Counts { complete: 1, ..Counts::default() };
        play.swarms.hear(OTHER, name(swarm), counts, play.now + LEASE);
    }
    assert_eq!(play.swarms.count_elsewhere(play.now), 4, "no more than swarms may be");
}

#[test]
fn a_swarm_that_is_ended_leaves_nothing_and_the_others_hear_of_it() {
    let mut play = Play::new(limits());
    (1..=3).for_each(|peer| drop(play.here(peer, 0)));
    assert_eq!(play.swarms.take_changed().len(), 1);
    assert_eq!(play.swarms.end(&name(0)), [1, 2, 3]);
    assert!(play.swarms.end(&name(0)).is_empty());
    assert_eq!(play.swarms.swarm_count(), 0);
    assert_eq!(play.swarms.take_changed(), [(name(0), Counts::default())]);
}

#[test]
fn changes_are_told_once_and_the_end_of_a_swarm_is_one() {
    let mut play = Play::new(limits());
    assert!(play.here(1, 0).announced.unwrap().first);
    assert!(!play.here(2, 0).announced.unwrap().first);
    let two = Counts { incomplete: 2, ..Counts::default() };
    assert_eq!(play.swarms.take_changed(), [(name(0), two)]);
    play.here(2, 0);
    assert!(play.swarms.take_changed().is_empty(), "nothing changed");
    play.announce(2, &with_event(2, Event::Completed, None));
    assert_eq!(play.swarms.take_changed()[0].1.complete, 1);
    play.pass(LEASE);
    assert_eq!(play.swarms.take_changed(), [(name(0), Counts::default())]);
}

#[derive(Debug, Clone)]
enum Action {
    Announce { socket: u64, swarm: u32, peer: u32, event: Event, left: Option<u64>, offers: u32 },
    Answer { socket: u64, swarm: u32, peer: u32, to: u32, offer: u32 },
    Leave { socket: u64, swarm: u32, peer: u32 },
    Pass(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let event = prop_oneof![
        4 => Just(Event::Present),
        1 => Just(Event::Completed),
        1 => Just(Event::Stopped)
    ];
    let left = prop::option::of(0..2_u64);
    prop_oneof![
        6 => (0..5_u64, 0..6_u32, 0..4_u32, event, left, 0..6_u32).prop_map(
            |(socket, swarm, peer, event, left, offers)| Action::Announce {
                socket, swarm, peer, event, left, offers
            }
        ),
        3 => (0..5_u64, 0..6_u32, 0..4_u32, 0..4_u32, 0..6_u32).prop_map(
            |(socket, swarm, peer, to, index)| Action::Answer {
                socket, swarm, peer, to, offer: to * 1_000 + index
            }
        ),
        1 => (0..5_u64, 0..6_u32, 0..4_u32).prop_map(
            |(socket, swarm, peer)| Action::Leave { socket, swarm, peer }
        ),
        1 => (0..400_u64).prop_map(Action::Pass),
    ]
}

/// Plays a history beside a list of who should be where.
fn laws_hold(actions: &[Action]) {
    let mut play = Play::new(Limits { swarm_peers_max: 6, ..limits() });
    let mut members = BTreeMap::<(u32, u32, u64), Time>::new();
    for action in actions {
        match *action {
            Action::Announce { socket, swarm, peer, event, left, offers } => {
                let announce = Announce { event, left, ..here(swarm, peer, offers) };
                let done = play.announce(socket, &announce);
                let member = (swarm, peer, socket);
                match done.announced {
                    Ok(Announced { new, ended, .. }) => {
                        assert_eq!(
                            ended.is_some(),
                            event == Event::Stopped && members.contains_key(&member)
                        );
                        assert_eq!(new, event != Event::Stopped && !members.contains_key(&member));
                        if event == Event::Stopped {
                            members.remove(&member);
                        } else {
                            members.insert(member, play.now);
                        }
                    }
                    Err(_) => assert!(!members.contains_key(&member)),
                }
                // A socket may hold two names; a member is handed one offer of an announce.
                let others = members.keys().filter(|(s, p, _)| *s == swarm && *p != peer).count();
                assert!(done.handed.len() <= others.min(usize::try_from(offers).unwrap()));
                assert!(done.away.is_empty(), "nobody else told of members");
            }
            Action::Answer { socket, swarm, peer, to, offer } => {
                let (swarm_name, to_name) = (name(swarm), name(to));
                let answer = Answer {
                    swarm: swarm_name,
                    peer: name(peer),
                    to: to_name,
                    offer: name(offer),
                    description: "1",
                };
                let maker = play.swarms.answer(play.now, SocketId(socket), &answer);
                if let Some(Maker::Here(&link)) = maker {
                    assert!(members.contains_key(&(swarm, to, link)), "the maker is a member");
                    assert_eq!(offer / 1_000, to, "and made the offer");
                }
            }
            Action::Leave { socket, swarm, peer } => {
                let left = play.swarms.leave(play.now, name(swarm), name(peer), SocketId(socket));
                assert_eq!(left.is_some(), members.remove(&(swarm, peer, socket)).is_some());
            }
            Action::Pass(seconds) => {
                let ended = play.pass(Duration::from_secs(seconds)).len();
                let before = members.len();
                members.retain(|_, heard| play.now.since(*heard) < LEASE);
                assert_eq!(ended, before - members.len());
            }
        }
        let swarms: BTreeSet<u32> = members.keys().map(|(swarm, ..)| *swarm).collect();
        assert_eq!(play.swarms.swarm_count(), swarms.len());
        for swarm in swarms {
            let Counts { complete, incomplete, .. } = play.swarms.counts(play.now, &name(swarm));
            let expected = members.keys().filter(|(s, ..)| *s == swarm).count();
            assert_eq!(usize::try_from(complete + incomplete).unwrap(), expected);
        }
    }
}

proptest! {
    #[test]
    fn the_machine_and_a_plain_list_agree(actions in prop::collection::vec(action(), 0..120)) {
        laws_hold(&actions);
    }
}
