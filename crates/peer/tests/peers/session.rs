//! The conversation with the signaling server.

use peer::{Input, view::SignalingState};
use wire::signaling::{ErrorCode, FromServer, ToServer};

use crate::world::{BEST, World};

fn joins(world: &World) -> usize {
    let join = |message: &ToServer| matches!(message, ToServer::Join { .. });
    world.server.heard.iter().filter(|(_, message)| join(message)).count()
}

fn alone() -> World {
    let mut world = World::new(1);
    world.open(0, BEST);
    world.until("joined", 5, |world| world.stream(0).swarm_size == 1);
    world
}

#[test]
fn hello_and_join_go_out_in_one_breath() {
    let world = alone();
    assert!(matches!(world.server.heard[0].1, ToServer::Hello { resume: None, .. }));
    assert!(matches!(world.server.heard[1].1, ToServer::Join { .. }));
    assert_eq!(world.view(0).signaling.state, SignalingState::Connected);
    // Socket 40 ms, challenge 20, hello and join 20, welcome and joined 20.
    assert!(world.now <= primitives::Time::from_ms(101), "{:?}", world.now);
}

#[test]
fn a_lost_session_is_resumed_with_its_token() {
    let mut world = alone();
    world.run(20_000);
    world.drop_socket(0);
    assert_eq!(world.view(0).signaling.state, SignalingState::Reconnecting);
    world.until("back", 5, |world| world.view(0).signaling.state == SignalingState::Connected);
    let resumed = |message: &ToServer| matches!(message, ToServer::Hello { resume: Some(_), .. });
    assert!(world.server.heard.iter().any(|(_, message)| resumed(message)));
    world.until("joined again", 1, |world| joins(world) == 2);
}

#[test]
fn a_server_that_forgot_everything_is_told_again() {
    let mut world = alone();
    world.server.restart();
    world.drop_socket(0);
    world.until("joined again", 10, |world| joins(world) == 2);
    world.run(1_000);
    assert_eq!(world.stream(0).swarm_size, 1);
}

#[test]
fn attempts_come_less_and_less_often_and_not_in_step() {
    let mut world = World::new(2);
    world.server.up = false;
    world.open(0, BEST);
    world.open(1, BEST);
    world.run(300_000);
    let tries = |node: usize| world.nodes[node].connects.clone();
    for node in 0..2 {
        let gaps: Vec<_> = tries(node).windows(2).map(|two| two[1].since(two[0])).collect();
        assert!((10..40).contains(&gaps.len()), "{}", gaps.len());
        assert!(gaps[0].as_millis() < 1_000);
        assert!(gaps.iter().all(|gap| gap.as_millis() <= 31_000));
        assert!(gaps.last().unwrap().as_millis() >= 15_000);
    }
    assert_ne!(tries(0)[1..], tries(1)[1..]);
    assert!(world.view(0).signaling.retry_in_ms.is_some());
}

#[test]
fn a_goodbye_says_when_to_come_back() {
    let mut world = alone();
    world.run(20_000);
    let goodbye =
        FromServer::Goodbye { reason: "restarting".to_owned(), reconnect_after_ms: 7_000 };
    world.say(0, &goodbye);
    world.run(20);
    let left = world.now;
    world.until("back", 10, |world| world.nodes[0].connects.len() == 2);
    assert_eq!(world.now.since(left).as_millis(), 7_000);
}

#[test]
fn a_quiet_socket_is_kept_open_and_a_dead_one_noticed() {
    let mut world = alone();
    let pings = |world: &World| {
        world.server.heard.iter().filter(|(_, message)| *message == ToServer::Ping).count()
    };
    world.run(120_000);
    assert!(pings(&world) >= 4, "{}", pings(&world));
    assert_eq!(world.nodes[0].connects.len(), 1);
    // The network swallows everything: only the missing pong tells.
    world.swallow(0);
    world.until("noticed", 60, |world| world.nodes[0].connects.len() == 2);
}

#[test]
fn a_refused_join_is_said_again_when_the_server_says() {
    let mut world = alone();
    let error = FromServer::Error {
        code: ErrorCode::NotJoined,
        message: String::new(),
        swarm: Some(world.swarm),
        id: None,
        retry_after_ms: None,
    };
    world.say(0, &error);
    world.until("joined again", 5, |world| joins(world) == 2);
    world.run(60_000);
    assert_eq!(joins(&world), 2, "an answered join is not repeated");
}

#[test]
fn a_changed_network_reconnects_at_once() {
    let mut world = World::new(1);
    world.server.up = false;
    world.open(0, BEST);
    world.run(100_000);
    world.server.up = true;
    let tries = world.nodes[0].connects.len();
    world.give(0, Input::NetworkChanged);
    assert_eq!(world.nodes[0].connects.len(), tries + 1);
    world.until("joined", 1, |world| world.stream(0).swarm_size == 1);
}

#[test]
fn a_server_that_never_challenges_is_left() {
    let mut world = World::new(1);
    world.server.is_silent = true;
    world.open(0, BEST);
    world.until("tried again", 20, |world| world.nodes[0].connects.len() == 2);
}
