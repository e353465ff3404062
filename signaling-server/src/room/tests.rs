//! Who is introduced to whom, and that a session's end and a lease's end leave nothing behind.

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use primitives::{PeerId, Rng, Seed, SwarmId, Time};
use proptest::prelude::*;

use super::*;
use crate::bus::Mate;

const SWARM: SwarmId = SwarmId::new([9; 32]);
const LAST: Departure = Departure { site: 0, last: true };

fn peer(number: u32) -> PeerId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    PeerId::new(bytes)
}

fn session(number: u32) -> SessionId {
    SessionId(u64::from(number))
}

fn rooms() -> Rooms {
    Rooms::new(RoomLimits { swarms_max: 4, swarm_peers_max: 5_000, push_every_ms: 10_000 })
}

fn newcomer(number: u32, want: u16) -> Newcomer {
    let session = session(number);
    Newcomer { peer: peer(number), session, site: 0, region: None, position: None, want }
}

fn join(rooms: &mut Rooms, now: Time, newcomer: Newcomer, rng: &mut Rng) -> Vec<PeerId> {
    let introduction = rooms.join(now, SWARM, newcomer, rng).unwrap();
    introduction.peers.into_iter().map(|neighbour| neighbour.peer).collect()
}

#[test]
fn the_first_is_alone_and_the_second_dials_it() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(1).rng());
    assert_eq!(join(&mut rooms, Time::ZERO, newcomer(1, 8), &mut rng), []);
    assert_eq!(join(&mut rooms, Time::ZERO, newcomer(2, 8), &mut rng), [peer(1)]);
    let again = rooms.join(Time::ZERO, SWARM, newcomer(2, 8), &mut rng).unwrap();
    assert_eq!((again.size, again.new), (2, false));
}

/// Lets 3,000 peers who want ten join within half a minute; whom each was told of.
fn crowd() -> Vec<Vec<u32>> {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(2).rng());
    let number_of = |peer: PeerId| {
        let bytes = peer.as_bytes();
        u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    };
    (0..3_000)
        .map(|number| {
            let now = Time::from_ms(u64::from(number) * 10);
            let met = join(&mut rooms, now, newcomer(number, 10), &mut rng);
            met.into_iter().map(number_of).collect()
        })
        .collect()
}

#[test]
fn nobody_in_a_crowd_is_handed_out_too_often() {
    let mut handed = BTreeMap::<u32, u32>::new();
    crowd().into_iter().flatten().for_each(|met| *handed.entry(met).or_default() += 1);
    let most = handed.values().max().copied().unwrap();
    assert!(most <= 35, "one peer was handed out {most} times where 10 is the mean");
}

#[test]
fn a_crowd_is_one_well_mixed_mesh() {
    let crowd = crowd();
    let last: Vec<u32> = crowd[2_500..].iter().flatten().copied().collect();
    let old = last.iter().filter(|met| **met < 1_250).count() * 100 / last.len();
    assert!((25..=60).contains(&old), "{old} % of what the last meet are of the first half");

    let mut links = vec![Vec::new(); crowd.len()];
    for (number, met) in crowd.iter().enumerate() {
        for other in met {
            let other = usize::try_from(*other).unwrap();
            links[number].push(other);
            links[other].push(number);
        }
    }
    let mut reached = BTreeSet::from([0]);
    let mut edge = vec![0];
    let mut hops = 0;
    while reached.len() < crowd.len() {
        edge = edge.iter().flat_map(|from| &links[*from]).copied().collect();
        edge.retain(|to| reached.insert(*to));
        hops += 1;
        assert!(!edge.is_empty(), "only {} are reached", reached.len());
    }
    assert!(hops <= 5, "{hops} hops");
}

#[test]
fn the_same_region_comes_first() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(3).rng());
    let from = |number, region: &str, want| Newcomer {
        region: Some(region.to_owned()),
        ..newcomer(number, want)
    };
    for number in 0..2_000 {
        let region = if number % 10 == 0 { "eu" } else { "us" };
        join(&mut rooms, Time::ZERO, from(number, region, 0), &mut rng);
    }
    let met = rooms.join(Time::ZERO, SWARM, from(5_000, "eu", 12), &mut rng).unwrap().peers;
    let from_eu = met.iter().filter(|neighbour| neighbour.region.as_deref() == Some("eu")).count();
    assert_eq!(met.len(), 12);
    assert!(from_eu >= 9, "{from_eu} of 12 share the region");
}

#[test]
fn a_near_playhead_comes_first() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(3).rng());
    let at =
        |number, position, want| Newcomer { position: Some(position), ..newcomer(number, want) };
    for number in 0..2_000 {
        join(&mut rooms, Time::ZERO, at(number, number, 0), &mut rng);
    }
    let met = join(&mut rooms, Time::ZERO, at(5_001, 1_500, 12), &mut rng);
    let near = (1_492..=1_508).map(peer).filter(|near| met.contains(near)).count();
    assert!(near >= 9, "{near} of {} are near", met.len());
}

#[test]
fn a_detached_member_keeps_its_place_and_is_handed_to_nobody() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(4).rng());
    join(&mut rooms, Time::ZERO, newcomer(1, 8), &mut rng);
    join(&mut rooms, Time::ZERO, newcomer(2, 8), &mut rng);
    rooms.set_attached(SWARM, &peer(1), session(1), false);
    let introduction = rooms.join(Time::ZERO, SWARM, newcomer(3, 8), &mut rng).unwrap();
    assert_eq!(introduction.size, 3);
    assert_eq!(introduction.peers.iter().map(|n| n.peer).collect::<Vec<_>>(), [peer(2)]);
    assert_eq!(rooms.route(SWARM, (peer(3), session(3)), &peer(1)), Ok(Route::Here));
    rooms.set_attached(SWARM, &peer(1), session(1), true);
    assert!(join(&mut rooms, Time::ZERO, newcomer(4, 8), &mut rng).contains(&peer(1)));
}

#[test]
fn only_the_session_of_a_membership_ends_it() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(5).rng());
    join(&mut rooms, Time::ZERO, newcomer(1, 8), &mut rng);
    join(&mut rooms, Time::ZERO, Newcomer { session: session(77), ..newcomer(1, 8) }, &mut rng);
    assert_eq!(rooms.leave(Time::ZERO, SWARM, &peer(1), session(1)), None);
    let stale = rooms.route(SWARM, (peer(1), session(1)), &peer(1));
    assert_eq!(stale, Err(Refusal::NotJoined));
    assert_eq!(rooms.leave(Time::ZERO, SWARM, &peer(1), session(77)), Some(LAST));
    assert_eq!(rooms.swarm_count(), 0);
}

#[test]
fn a_late_join_of_an_earlier_session_changes_nothing() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(8).rng());
    join(&mut rooms, Time::ZERO, Newcomer { session: session(77), ..newcomer(1, 8) }, &mut rng);
    let late = rooms.join(Time::ZERO, SWARM, newcomer(1, 8), &mut rng);
    assert_eq!(late, Err(Refusal::NotJoined));
    assert_eq!(rooms.leave(Time::ZERO, SWARM, &peer(1), session(77)), Some(LAST));
}

#[test]
fn a_peer_left_with_few_is_sent_others_but_not_often() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(6).rng());
    for number in 0..40 {
        join(&mut rooms, Time::ZERO, newcomer(number, 6), &mut rng);
    }
    let lonely = |rooms: &mut Rooms, now: Time, rng: &mut Rng, gone: std::ops::Range<u32>| {
        gone.for_each(|number| {
            rooms.leave(now, SWARM, &peer(number), session(number));
        });
        rooms.tick(now, rng)
    };
    let pushes = lonely(&mut rooms, Time::from_ms(1), &mut rng, 0..32);
    assert!(!pushes.is_empty());
    for push in &pushes {
        assert!(push.introduction.peers.iter().all(|n| n.peer != push.to && n.peer >= peer(32)));
    }
    assert_eq!(rooms.tick(Time::from_ms(2), &mut rng), []);
}

#[test]
fn a_full_room_refuses_newcomers_and_keeps_its_members() {
    let limits = RoomLimits { swarms_max: 1, swarm_peers_max: 2, push_every_ms: 1 };
    let (mut rooms, mut rng) = (Rooms::new(limits), Seed::from_number(7).rng());
    join(&mut rooms, Time::ZERO, newcomer(1, 8), &mut rng);
    join(&mut rooms, Time::ZERO, newcomer(2, 8), &mut rng);
    assert_eq!(rooms.join(Time::ZERO, SWARM, newcomer(3, 8), &mut rng), Err(Refusal::Full));
    assert!(rooms.join(Time::ZERO, SWARM, newcomer(2, 8), &mut rng).is_ok());
    let other = SwarmId::new([1; 32]);
    assert_eq!(rooms.join(Time::ZERO, other, newcomer(3, 8), &mut rng), Err(Refusal::Full));
}

fn mate(number: u32) -> Mate {
    Mate { peer: peer(number), region: None, position: None }
}

#[test]
fn a_peer_of_another_node_is_met_until_its_lease_ends() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(9).rng());
    let (node, other) = (NodeId(1), NodeId(2));
    rooms.meet(SWARM, node, vec![mate(1)], Time::from_ms(100));
    assert_eq!(rooms.swarm_count(), 0, "nobody here is in that swarm");
    join(&mut rooms, Time::ZERO, newcomer(2, 8), &mut rng);
    rooms.meet(SWARM, node, vec![mate(1), mate(2)], Time::from_ms(100));
    assert_eq!(join(&mut rooms, Time::ZERO, newcomer(3, 1), &mut rng).len(), 1);
    let from = (peer(2), session(2));
    assert_eq!(rooms.route(SWARM, from, &peer(1)), Ok(Route::There(node)));
    assert_eq!(rooms.route(SWARM, from, &peer(3)), Ok(Route::Here));
    assert_eq!(rooms.mates(SWARM), [mate(2), mate(3)]);
    rooms.meet(SWARM, other, vec![mate(1)], Time::from_ms(200));
    rooms.part(Time::ZERO, SWARM, node, &peer(1));
    rooms.tick(Time::from_ms(199), &mut rng);
    assert_eq!(rooms.route(SWARM, from, &peer(1)), Ok(Route::There(other)));
    rooms.tick(Time::from_ms(200), &mut rng);
    assert_eq!(rooms.route(SWARM, from, &peer(1)), Ok(Route::Gone));
    assert!(rooms.leases.is_empty());
}

#[test]
fn a_peer_that_moves_here_is_here_and_a_swarm_of_others_is_forgotten() {
    let (mut rooms, mut rng) = (rooms(), Seed::from_number(10).rng());
    join(&mut rooms, Time::ZERO, newcomer(2, 8), &mut rng);
    rooms.meet(SWARM, NodeId(1), vec![mate(1), mate(4)], Time::from_ms(100));
    let moved = rooms.join(Time::ZERO, SWARM, newcomer(1, 8), &mut rng).unwrap();
    assert_eq!((moved.size, moved.new, moved.first), (3, true, false));
    rooms.part(Time::ZERO, SWARM, NodeId(1), &peer(1));
    let leave = |rooms: &mut Rooms, number| {
        rooms.leave(Time::ZERO, SWARM, &peer(number), session(number)).map(|left| left.last)
    };
    assert_eq!(leave(&mut rooms, 1), Some(false));
    assert_eq!(leave(&mut rooms, 2), Some(true));
    assert_eq!((rooms.swarm_count(), rooms.leases.len(), rooms.lonely.len()), (0, 0, 0));
}

/// One thing that happens to a room, by small numbers so that they meet.
#[derive(Debug, Clone)]
enum Step {
    Join { number: u32, want: u16, region: u8, position: Option<u32> },
    More { number: u32, want: u16, except: Vec<u32> },
    Leave(u32),
    Attach(u32, bool),
    Meet(Vec<u32>, u64),
    Part(u32, u64),
    PartAll(u64),
    Wait(u16),
}

fn any_step() -> impl Strategy<Value = Step> {
    let number = 0u32..150;
    prop_oneof![
        4 => (number.clone(), 0u16..40, 0u8..4, prop::option::of(0u32..60))
            .prop_map(|(number, want, region, position)| Step::Join { number, want, region, position }),
        2 => (number.clone(), 0u16..40, prop::collection::vec(0u32..150, 0..20))
            .prop_map(|(number, want, except)| Step::More { number, want, except }),
        2 => number.clone().prop_map(Step::Leave),
        1 => (number, any::<bool>()).prop_map(|(number, attached)| Step::Attach(number, attached)),
        1 => (prop::collection::vec(150u32..200, 0..8), 0u64..3)
            .prop_map(|(numbers, node)| Step::Meet(numbers, node)),
        1 => (150u32..200, 0u64..3).prop_map(|(number, node)| Step::Part(number, node)),
        1 => (0u64..3).prop_map(Step::PartAll),
        1 => (0u16..20_000).prop_map(Step::Wait),
    ]
}

/// The laws of the module's story, against a plain model of who is in.
struct Model {
    rooms: Rooms,
    rng: Rng,
    now: Time,
    /// Those of this server, and whether they are attached.
    members: BTreeMap<PeerId, bool>,
    /// Those of others, with node and end of lease.
    remote: BTreeMap<PeerId, (u64, Time)>,
}

impl Model {
    fn check(&self, asker: PeerId, want: u16, except: &BTreeSet<PeerId>, told: &Introduction) {
        let met: BTreeSet<_> = told.peers.iter().map(|neighbour| neighbour.peer).collect();
        assert_eq!(met.len(), told.peers.len(), "a neighbour came twice");
        assert!(met.len() <= usize::from(want).min(NEIGHBOURS_MAX));
        assert!(!met.contains(&asker) && met.is_disjoint(except));
        let is_available =
            |peer| self.members.get(peer) == Some(&true) || self.remote.contains_key(peer);
        assert!(met.iter().all(is_available));
        let size = self.members.len() + self.remote.len();
        assert_eq!(usize::try_from(told.size), Ok(size));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Join { number, want, region, position } => {
                let region = (region > 0).then(|| format!("region-{region}"));
                let newcomer = Newcomer { region, position, ..newcomer(number, want) };
                let told = self.rooms.join(self.now, SWARM, newcomer, &mut self.rng).unwrap();
                assert_eq!(told.new, self.members.insert(peer(number), true).is_none());
                self.check(peer(number), want, &BTreeSet::new(), &told);
            }
            Step::More { number, want, except } => {
                let except = except.into_iter().map(peer).collect();
                let asker = (peer(number), session(number));
                let told =
                    self.rooms.more(self.now, SWARM, asker, want, &except, None, &mut self.rng);
                assert_eq!(told.is_ok(), self.members.contains_key(&peer(number)));
                if let Ok(told) = told {
                    self.check(peer(number), want, &except, &told);
                }
            }
            Step::Leave(number) => {
                let left = self.rooms.leave(self.now, SWARM, &peer(number), session(number));
                assert_eq!(left.is_some(), self.members.remove(&peer(number)).is_some());
            }
            Step::Attach(number, attached) => {
                self.rooms.set_attached(SWARM, &peer(number), session(number), attached);
                if let Some(now_attached) = self.members.get_mut(&peer(number)) {
                    *now_attached = attached;
                }
            }
            Step::Meet(numbers, node) => {
                let until = self.now + Duration::from_secs(30);
                if !self.members.is_empty() {
                    let told = numbers.iter().map(|number| (peer(*number), (node, until)));
                    self.remote.extend(told);
                }
                let mates = numbers.into_iter().map(mate).collect();
                self.rooms.meet(SWARM, NodeId(node), mates, until);
            }
            Step::Part(number, node) => {
                self.rooms.part(self.now, SWARM, NodeId(node), &peer(number));
                if self.remote.get(&peer(number)).is_some_and(|(holder, _)| *holder == node) {
                    self.remote.remove(&peer(number));
                }
            }
            Step::PartAll(node) => {
                self.rooms.part_all(self.now, NodeId(node));
                self.remote.retain(|_, (holder, _)| *holder != node);
            }
            Step::Wait(ms) => self.now = self.now + Duration::from_millis(u64::from(ms)),
        }
        if self.members.is_empty() {
            self.remote.clear();
        }
        self.remote.retain(|_, (_, until)| *until > self.now);
        for push in self.rooms.tick(self.now, &mut self.rng) {
            assert_eq!(self.members.get(&push.to), Some(&true));
            self.check(push.to, u16::MAX, &BTreeSet::new(), &push.introduction);
        }
        let none = self.members.is_empty();
        assert_eq!(self.rooms.swarm_count(), usize::from(!none));
        assert!(self.rooms.lonely.len() <= self.members.len());
        assert_eq!(self.rooms.remote_count(), self.remote.len());
        let here = self.members.keys().all(|peer| self.rooms.is_here(SWARM, peer));
        assert!(here && !self.remote.keys().any(|peer| self.rooms.is_here(SWARM, peer)));
        assert_eq!(self.rooms.sessions_in(SWARM).len(), self.members.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_laws_hold_after_any_steps(steps in prop::collection::vec(any_step(), 1..400), seed: u64) {
        let mut model = Model {
            rooms: rooms(),
            rng: Seed::from_number(seed).rng(),
            now: Time::ZERO,
            members: BTreeMap::new(),
            remote: BTreeMap::new(),
        };
        steps.into_iter().for_each(|step| model.step(step));
    }
}

#[test]
fn a_resumed_session_keeps_its_swarms_and_gets_what_was_held() {
    let mut sessions = Sessions::new(1_000);
    let (me, first, second) = (peer(1), SocketId(1), SocketId(2));
    let opened = sessions.open(me, None, (first, 'a'), (SessionId(1), "token".to_owned()));
    assert!(!opened.resumed && opened.ended.is_none());
    assert!(sessions.enter(&me, SessionId(1), SWARM));
    assert_eq!(sessions.post(&me, "x"), Posted::Queue(&'a'));
    assert!(sessions.detach(Time::ZERO, &me, first).is_some());
    assert_eq!(sessions.post(&me, "held"), Posted::Held);
    assert_eq!(sessions.expire(Time::from_ms(999)), []);
    let fresh = (SessionId(2), "other".to_owned());
    let opened = sessions.open(me, Some("token"), (second, 'b'), fresh);
    assert!(opened.resumed);
    assert_eq!((opened.session, opened.swarms), (SessionId(1), vec![SWARM]));
    assert_eq!(opened.held, ["held"]);
    assert_eq!(sessions.expire(Time::from_ms(5_000)), [], "a resumed session has no lease");
    assert!(sessions.detach(Time::ZERO, &me, first).is_none(), "the old socket is nobody's");
}

#[test]
fn without_the_token_a_newer_socket_gets_a_fresh_session() {
    let mut sessions = Sessions::new(1_000);
    let me = peer(1);
    sessions.open(me, None, (SocketId(1), 'a'), (SessionId(1), "token".to_owned()));
    sessions.enter(&me, SessionId(1), SWARM);
    let fresh = (SessionId(2), "other".to_owned());
    let opened = sessions.open(me, Some("guess"), (SocketId(2), 'b'), fresh);
    assert!(!opened.resumed);
    assert_eq!(opened.replaced, Some('a'));
    let ended = Ended { peer: me, session: SessionId(1), swarms: vec![SWARM] };
    assert_eq!(opened.ended, Some(ended));
    assert!(!sessions.enter(&me, SessionId(1), SWARM), "the old session joins no more");
}

fn held(sessions: &mut Sessions<()>, me: PeerId) -> Vec<String> {
    let fresh = (SessionId(2), "other".to_owned());
    sessions.open(me, Some("token"), (SocketId(2), ()), fresh).held.into()
}

#[test]
fn a_lease_ends_once_and_what_is_held_is_bounded() {
    let mut sessions = Sessions::new(1_000);
    let me = peer(1);
    sessions.open(me, None, (SocketId(1), ()), (SessionId(1), "token".to_owned()));
    sessions.detach(Time::ZERO, &me, SocketId(1));
    for _ in 0..HELD_MESSAGES_MAX * 2 {
        sessions.post(&me, &"x".repeat(HELD_BYTES_MAX / 4));
    }
    assert_eq!(sessions.expire(Time::from_ms(999)), []);
    let held = held(&mut sessions, me);
    assert_eq!(held.len(), 4);
    sessions.detach(Time::ZERO, &me, SocketId(2));
    assert_eq!(sessions.expire(Time::from_ms(1_000)).len(), 1);
    assert_eq!(sessions.expire(Time::from_ms(9_000)), []);
    assert_eq!(sessions.post(&me, "x"), Posted::Gone);
    assert_eq!(sessions.count(), 0);
}

#[test]
fn a_session_is_in_a_bounded_number_of_swarms() {
    let mut sessions = Sessions::new(1_000);
    let me = peer(1);
    sessions.open(me, None, (SocketId(1), ()), (SessionId(1), "token".to_owned()));
    let entered =
        (0..200).filter(|number| sessions.enter(&me, SessionId(1), SwarmId::new([*number; 32])));
    assert_eq!(entered.count(), wire::limits::SWARMS_PER_CONNECTION_MAX);
}
