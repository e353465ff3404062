//! Nodes come, are killed, are stopped.

use wire::signaling::FromServer;

use super::nodes_rig::{Nats, Node, call, reaches, size_becomes, two_with_peers};
use super::signaling_rig::{Client, SWARM};

/// Long enough that a test that waits for its end would fail.
const LONG_LEASE_MS: u32 = 600_000;
const LEASE_MS: u32 = 2_000;

#[tokio::test]
async fn peers_of_three_processes_meet_and_signal_each_other() {
    let nats = Nats::running().await;
    let [(_first, mut one), (_second, mut two)] = two_with_peers(&nats, LONG_LEASE_MS).await;
    let third = Node::among(&nats, LONG_LEASE_MS, 3).await;
    let (mut three, _) = Client::join(&third, 3).await;
    for client in [&mut one, &mut two, &mut three] {
        size_becomes(client, 3).await;
    }
    reaches(&mut one, &mut two).await;
    reaches(&mut two, &mut three).await;
    reaches(&mut three, &mut one).await;
    let (_four, met) = Client::join(&third, 4).await;
    assert_eq!(met.len(), 3, "one of each node");
}

#[tokio::test]
async fn a_killed_node_leaves_no_ghosts_and_a_new_one_takes_its_place() {
    let nats = Nats::running().await;
    let [(first, mut one), (second, two)] = two_with_peers(&nats, LEASE_MS).await;
    second.process.kill();
    size_becomes(&mut one, 1).await;
    one.send(&call(two.id())).await;
    assert_eq!(one.next().await, FromServer::Gone { swarm: SWARM, peer: two.id() });
    first.metric_becomes("starling_signaling_nodes", 1).await;
    let third = Node::among(&nats, LEASE_MS, 2).await;
    // The same key as the ghost.
    let (mut two, _) = Client::join(&third, 2).await;
    size_becomes(&mut one, 2).await;
    size_becomes(&mut two, 2).await;
    reaches(&mut two, &mut one).await;
    reaches(&mut one, &mut two).await;
}

#[tokio::test]
async fn a_node_that_is_told_to_stop_takes_its_peers_along_at_once() {
    let nats = Nats::running().await;
    let [(first, mut one), (second, _two)] = two_with_peers(&nats, LONG_LEASE_MS).await;
    second.process.stop().await;
    size_becomes(&mut one, 1).await;
    first.metric_becomes("starling_signaling_nodes", 1).await;
}
