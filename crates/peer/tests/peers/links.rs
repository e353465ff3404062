//! Who connects to whom, and who does not.

use peer::Input;
use primitives::{KeyPair, Seed};
use wire::signaling::{IceServer, Signal};

use crate::{
    origin::{SEGMENT_BYTES, SEGMENTS, segment},
    world::{BEST, World},
};

fn published(peers: usize) -> World {
    let mut world = World::new(peers);
    world.origin.publish(&KeyPair::from_seed(Seed::from_number(77)));
    world
}

/// Two peers with one open link between them.
fn connected() -> World {
    let mut world = published(2);
    world.open(0, BEST);
    world.run(1_000);
    world.open(1, BEST);
    world.until("they connect", 5, |world| {
        world.neighbours(0).len() == 1 && world.neighbours(1).len() == 1
    });
    world
}

#[test]
fn the_second_viewer_takes_most_bytes_from_the_first() {
    let mut world = published(2);
    world.watch(0, BEST);
    world.until("the first has it all", 60, |world| world.nodes[0].player.is_done());
    world.watch(1, BEST);
    world.until("the second has it all", 60, |world| world.nodes[1].player.is_done());
    let player = &world.nodes[1].player;
    for index in 0..SEGMENTS {
        assert!(player.got[&index].0 == segment(index), "segment {index} is what was published");
    }
    let all = u64::try_from(SEGMENT_BYTES).unwrap() * u64::from(SEGMENTS);
    assert!(player.bytes_from_peers() * 2 > all, "{} of {all}", player.bytes_from_peers());
    let shown = world.stream(1);
    assert_eq!(shown.totals.peer_bytes, player.bytes_from_peers());
    assert_eq!(shown.swarm_size, 2);
    let seconds: u64 = shown.history.iter().map(|second| u64::from(second.peer_bytes)).sum();
    assert_eq!(seconds, player.bytes_from_peers());
    assert_eq!(world.stream(0).totals.upload_bytes, player.bytes_from_peers());
}

#[test]
fn a_swapped_fingerprint_never_connects_and_is_told() {
    let mut world = published(2);
    world.server.tamper = |signal| {
        let swap = |sdp: String| sdp.replace("sha-256 ", "sha-256 EE:");
        Some(match signal {
            Signal::Offer { connection, sdp, signature } => {
                Signal::Offer { connection, sdp: swap(sdp), signature }
            }
            Signal::Answer { connection, sdp, signature } => {
                Signal::Answer { connection, sdp: swap(sdp), signature }
            }
            other => other,
        })
    };
    world.open(0, BEST);
    world.open(1, BEST);
    world.run(60_000);
    assert_eq!(world.rtc.ends.values().filter(|connection| connection.open).count(), 0);
    assert!((0..2).any(|node| world.has_problem(node, "forged-description")));
    assert!(world.server.signals(0) + world.server.signals(1) > 0, "they did try");
    assert!(world.nodes.iter().all(|node| node.accepted == 0), "no forged offer got an answer");
}

#[test]
fn a_swapped_answer_does_not_connect_either() {
    let mut world = published(2);
    world.server.tamper = |signal| {
        Some(match signal {
            Signal::Answer { connection, sdp, signature } => {
                let sdp = sdp.replace("sha-256 ", "sha-256 EE:");
                Signal::Answer { connection, sdp, signature }
            }
            other => other,
        })
    };
    world.open(0, BEST);
    world.open(1, BEST);
    world.run(60_000);
    assert_eq!(world.rtc.ends.values().filter(|connection| connection.open).count(), 0);
    assert!((0..2).any(|node| world.has_problem(node, "forged-description")));
}

#[test]
fn when_both_dial_at_once_one_link_remains() {
    let mut world = published(2);
    world.server.introduces_both = true;
    world.open(0, BEST);
    world.run(1_000);
    world.open(1, BEST);
    world.until("they connect", 5, |world| {
        world.neighbours(0).len() == 1 && world.neighbours(1).len() == 1
    });
    let count = |of: fn(&crate::world::Node) -> usize| world.nodes.iter().map(of).sum::<usize>();
    assert_eq!(count(|node| node.dialled), 2, "both dialled");
    assert_eq!(count(|node| node.accepted), 1, "one took back its own and accepted");
    world.run(30_000);
    assert_eq!(world.rtc.ends.len(), 2, "one connection, two ends");
    assert_eq!((world.stream(0).peers.len(), world.stream(1).peers.len()), (1, 1));
}

#[test]
fn a_lost_socket_closes_no_link() {
    let mut world = connected();
    let before: Vec<_> = world.rtc.ends.keys().copied().collect();
    world.server.up = false;
    world.drop_socket(0);
    world.drop_socket(1);
    world.run(40_000);
    let after: Vec<_> = world.rtc.ends.keys().copied().collect();
    assert_eq!(before, after);
    assert_eq!(world.neighbours(0).len(), 1);
    assert!(world.has_problem(0, "signaling-unreachable"));
    assert!(world.view(0).problems.iter().any(|p| p.code == "signaling-unreachable"));
    world.server.up = true;
    world.until("the session is back", 60, |world| world.view(0).problems.is_empty());
    assert_eq!(before, world.rtc.ends.keys().copied().collect::<Vec<_>>());
}

#[test]
fn a_peer_that_sent_wrong_bytes_is_neither_dialled_nor_accepted_again() {
    let mut world = published(2);
    world.nodes[0].lies = true;
    world.watch(0, BEST);
    world.until("the liar has it all", 60, |world| world.nodes[0].player.is_done());
    world.watch(1, BEST);
    world.until("the other has it all", 90, |world| world.nodes[1].player.is_done());
    for index in 0..SEGMENTS {
        assert!(world.nodes[1].player.got[&index].0 == segment(index), "no wrong byte is played");
    }
    assert_eq!(world.nodes[1].player.bytes_from_peers(), 0);
    assert!(world.has_problem(1, "peer-lied"));
    assert_eq!(world.stream(1).totals.liars, 1);
    let attempts = (world.nodes[1].dialled, world.nodes[1].accepted);
    let dialled_by_liar = world.nodes[0].dialled;
    // The server names it again and it dials again: nothing comes of either.
    world.drop_socket(1);
    world.drop_socket(0);
    world.run(400_000);
    assert_eq!((world.nodes[1].dialled, world.nodes[1].accepted), attempts);
    assert!(world.nodes[0].dialled > dialled_by_liar, "the liar did try");
    assert_eq!(world.neighbours(1).len(), 0);
}

#[test]
fn a_changed_network_restarts_ice_and_keeps_the_channels() {
    let mut world = connected();
    let before: Vec<_> = world.rtc.ends.keys().copied().collect();
    world.give(0, Input::NetworkChanged);
    world.run(10_000);
    assert_eq!(world.nodes[0].restarts, 1);
    assert_eq!(before, world.rtc.ends.keys().copied().collect::<Vec<_>>());
    assert!(world.rtc.paired(before[0]).is_some(), "both ends hold the other's new candidates");
    // Both at once: one of the two restarts wins.
    world.give(0, Input::NetworkChanged);
    world.give(1, Input::NetworkChanged);
    world.run(20_000);
    assert_eq!(before, world.rtc.ends.keys().copied().collect::<Vec<_>>());
    assert!(world.rtc.paired(before[0]).is_some());
}

/// Both ends of the one connection: who dialled first.
fn dialler_first(world: &World) -> [(usize, peer::LinkId); 2] {
    let mut ends: Vec<_> = world.rtc.ends.keys().copied().collect();
    ends.sort_by_key(|(node, _)| world.nodes[*node].accepted);
    ends.try_into().expect("one connection has two ends")
}

#[test]
fn the_dialler_restarts_an_interrupted_link_once_the_server_answers() {
    let mut world = connected();
    world.run(2_000);
    let ends = dialler_first(&world);
    for (node, link) in ends {
        world.give(node, Input::RtcInterrupted { link });
    }
    assert_eq!(
        ends.map(|(node, _)| world.nodes[node].restarts),
        [0, 0],
        "not before the server answers"
    );
    world.run(1_000);
    assert_eq!(ends.map(|(node, _)| world.nodes[node].restarts), [1, 0]);
    assert!(world.rtc.paired(ends[0]).is_some(), "with new candidates of both");
    assert_eq!(
        world.nodes.iter().map(|node| node.connects.len()).sum::<usize>(),
        2,
        "no new socket"
    );
}

#[test]
fn who_moved_without_a_word_reconnects_and_restarts_its_links() {
    for who in 0..2 {
        let mut world = connected();
        world.run(2_000);
        let ends = dialler_first(&world);
        let (moved, _) = ends[who];
        world.swallow(moved);
        for (node, link) in ends {
            world.give(node, Input::RtcInterrupted { link });
        }
        world.run(2_000);
        world.carry(moved);
        world.run(5_000);
        assert_eq!(world.nodes[moved].connects.len(), 2, "the silence is noticed by asking");
        assert_eq!(world.nodes[moved].restarts, 1);
        assert_eq!(dialler_first(&world), ends, "the same connection");
        assert!(world.rtc.paired(ends[0]).is_some(), "with new candidates of both");
    }
}

#[test]
fn a_link_that_is_heard_again_is_left_alone() {
    let mut world = connected();
    let [(node, link), _] = dialler_first(&world);
    world.give(node, Input::RtcInterrupted { link });
    let have = wire::peer::Have { track: 0, added: Vec::new(), removed: Vec::new() };
    let bytes = wire::peer::Message::Have(have).encode_to_vec();
    world.give(node, Input::RtcMessage { link, bytes });
    world.run(5_000);
    assert_eq!(world.nodes[node].restarts, 0);
    assert_eq!(world.neighbours(node).len(), 1);
}

#[test]
fn a_lost_link_is_dialled_again() {
    let mut world = connected();
    let end = *world.rtc.ends.keys().next().unwrap();
    world.close_link(end);
    let (node, link) = end;
    world.give(node, Input::RtcClosed { link });
    world.until("it is lost", 1, |world| world.neighbours(1).is_empty());
    world.until("they connect again", 10, |world| {
        world.neighbours(0).len() == 1 && world.neighbours(1).len() == 1
    });
}

#[test]
fn an_attempt_without_an_answer_ends_after_its_time() {
    let mut world = published(2);
    world.server.tamper =
        |signal| if matches!(signal, Signal::Answer { .. }) { None } else { Some(signal) };
    world.open(0, BEST);
    world.run(1_000);
    world.open(1, BEST);
    world.run(2_000);
    assert!(world.stream(1).peers.len() == 1, "under way");
    world.until("given up", 20, |world| world.stream(1).peers.is_empty());
    world.server.tamper = Some;
    world.until("tried again", 30, |world| world.neighbours(1).len() == 1);
}

#[test]
fn relay_only_closes_direct_links_and_dials_by_relay() {
    let mut world = published(2);
    let urls = vec!["turn:relay.example".to_owned()];
    world.server.ice_servers.push(IceServer { urls, username: None, credential: None });
    world.open(0, BEST);
    world.run(1_000);
    world.open(1, BEST);
    world.until("they connect", 5, |world| world.neighbours(1).len() == 1);
    world.give(1, Input::RelayOnly(true));
    assert_eq!(world.neighbours(1).len(), 0);
    world.until("they connect by relay", 30, |world| world.neighbours(1).len() == 1);
    let mut mine = world.rtc.ends.iter().filter(|((node, _), _)| *node == 1);
    assert!(mine.all(|(_, connection)| connection.relay_only));
}

#[test]
fn relay_only_without_a_relay_is_told_and_connects_to_nobody() {
    let mut world = connected();
    world.give(1, Input::RelayOnly(true));
    world.run(60_000);
    assert_eq!(world.neighbours(1).len(), 0);
    assert!(world.view(1).problems.iter().any(|problem| problem.code == "no-relay"));
    world.give(1, Input::RelayOnly(false));
    world.until("they connect again", 30, |world| world.neighbours(1).len() == 1);
    assert!(world.view(1).problems.is_empty());
}

#[test]
fn in_a_crowd_links_stay_within_the_bound() {
    let mut world = published(40);
    for node in 0..40 {
        world.open(node, BEST);
        world.run(50);
    }
    world.run(30_000);
    for node in 0..40 {
        let links = world.stream(node).peers.len();
        assert!((1..=16).contains(&links), "peer {node} has {links}");
    }
}

#[test]
fn a_page_that_sleeps_leaves_and_comes_back() {
    let mut world = connected();
    world.give(1, Input::Pause);
    assert_eq!(world.neighbours(1).len(), 0);
    world.until("the other sees it leave", 2, |world| world.neighbours(0).is_empty());
    world.run(60_000);
    assert_eq!(world.neighbours(0).len(), 0);
    let view = world.view(1);
    assert_eq!(view.signaling.state, peer::view::SignalingState::Off);
    world.give(1, Input::Resume);
    world.until("they connect again", 10, |world| world.neighbours(1).len() == 1);
}

#[test]
fn closing_the_stream_closes_its_links_and_the_session() {
    let mut world = connected();
    let swarm = world.swarm;
    world.give(1, Input::Open(crate::world::config(BEST)));
    world.give(1, Input::Close(swarm));
    assert_eq!(world.neighbours(1).len(), 1, "it was open twice");
    world.give(1, Input::Close(swarm));
    assert!(world.view(1).streams.is_empty());
    assert_eq!(world.view(1).signaling.state, peer::view::SignalingState::Off);
    world.until("the other sees it leave", 2, |world| world.neighbours(0).is_empty());
    let segment = primitives::SegmentId::new(0, 0);
    world.give(1, Input::Want(swarm, segment));
    assert_eq!(world.nodes[1].player.failed[&0], (0, false), "nobody waits for ever");
}
