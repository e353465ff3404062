//! Stock clients of the tracker meet though they reached different nodes, over a real NATS; none waits
//! for it, and no ghosts stay.

use serde_json::json;

use super::nodes_rig::{Nats, Node};
use super::tracker_rig::{Client, name, offer};

/// Long enough that a test that waits for its end would fail.
const LONG_LEASE_MS: u32 = 600_000;
const LEASE_MS: u32 = 2_000;
const REMOTE_PEERS: &str = "starling_tracker_remote_peers";

/// Two nodes; a client of the first is in swarm 1 as peer 10, which the second has heard of.
async fn two_nodes(nats: &Nats, lease_ms: u32) -> (Node, Client, Node) {
    let first = Node::start(nats, lease_ms);
    let second = Node::among(nats, lease_ms, 2).await;
    let mut a = Client::open(&first).await;
    assert_eq!(a.enter(1, 10).await, (0, 1));
    second.metric_becomes(REMOTE_PEERS, 1).await;
    (first, a, second)
}

/// `b`, peer 20 of another node, offers itself to `a`, peer 10, and gets its answer.
async fn meet(a: &mut Client, b: &mut Client) {
    b.announce(1, 20, json!({ "offers": [offer(30), offer(31)] })).await;
    assert_eq!(b.counts(1).await, (0, 2));
    let offered = json!({
        "action": "announce", "offer": offer(30)["offer"], "offer_id": name(30),
        "peer_id": name(20), "info_hash": name(1),
    });
    assert_eq!(a.next().await, offered);
    let answer = json!({ "type": "answer", "sdp": "v=0\r\n", "extra": [null, { "a": 1.5 }] });
    a.announce(1, 10, json!({ "to_peer_id": name(20), "answer": answer, "offer_id": name(30) }))
        .await;
    let answered = json!({
        "action": "announce", "answer": answer, "offer_id": name(30),
        "peer_id": name(10), "info_hash": name(1),
    });
    assert_eq!(b.next().await, answered);
}

#[tokio::test]
async fn an_offer_reaches_a_client_of_another_node_and_its_answer_comes_back() {
    let nats = Nats::running().await;
    let (first, mut a, second) = two_nodes(&nats, LONG_LEASE_MS).await;
    let mut b = Client::open(&second).await;
    meet(&mut a, &mut b).await;
    first.metric_becomes(REMOTE_PEERS, 1).await;
    a.send(&json!({ "action": "scrape", "info_hash": name(1) })).await;
    assert_eq!(a.next().await["files"][name(1)]["incomplete"], 2);
    // The other way round, and an answer that nobody waits for goes nowhere.
    a.announce(1, 10, json!({ "offers": [offer(40)] })).await;
    a.counts(1).await;
    assert_eq!(b.next().await["offer_id"], name(40));
    for offer in [41, 40] {
        let answer = json!({ "to_peer_id": name(10), "answer": {}, "offer_id": name(offer) });
        b.announce(1, 20, answer).await;
    }
    assert_eq!(a.next().await["offer_id"], name(40));
    assert_eq!(second.metric("starling_tracker_answers_lost_total").await, 1);
    // Who left is counted nowhere soon.
    b.announce(1, 20, json!({ "event": "stopped" })).await;
    assert_eq!(b.counts(1).await, (0, 1));
    first.metric_becomes(REMOTE_PEERS, 0).await;
}

#[tokio::test]
async fn a_killed_node_leaves_no_ghosts_and_a_new_one_takes_its_place() {
    let nats = Nats::running().await;
    let (first, _a, second) = two_nodes(&nats, LEASE_MS).await;
    first.process.kill();
    second.metric_becomes(REMOTE_PEERS, 0).await;
    let third = Node::among(&nats, LEASE_MS, 2).await;
    let mut a = Client::open(&third).await;
    a.enter(1, 10).await;
    second.metric_becomes(REMOTE_PEERS, 1).await;
    meet(&mut a, &mut Client::open(&second).await).await;
}

#[tokio::test]
async fn a_node_that_is_told_to_stop_takes_its_clients_along_at_once() {
    let nats = Nats::running().await;
    let (first, _a, second) = two_nodes(&nats, LONG_LEASE_MS).await;
    first.process.stop().await;
    second.metric_becomes(REMOTE_PEERS, 0).await;
    assert_eq!(Client::open(&second).await.enter(1, 20).await, (0, 1));
}

#[tokio::test]
async fn without_nats_each_node_goes_on_alone_and_with_it_their_clients_meet_again() {
    let mut nats = Nats::running().await;
    let (first, mut a, second) = two_nodes(&nats, LEASE_MS).await;
    nats.kill();
    second.metric_becomes(REMOTE_PEERS, 0).await;
    let mut b = Client::open(&second).await;
    assert_eq!(b.enter(1, 20).await, (0, 1), "nothing waits for NATS");
    nats.start().await;
    first.metric_becomes(REMOTE_PEERS, 1).await;
    second.metric_becomes(REMOTE_PEERS, 1).await;
    meet(&mut a, &mut b).await;
}
