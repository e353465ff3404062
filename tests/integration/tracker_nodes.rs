//! The tracker's swarms on two nodes of one process: whom offers are drawn for, and what is made of
//! messages that no node of ours would send.

use serde_json::json;
use signaling_server::bus::{Bus as _, Crowd, InProcess, Maker, Offer, TrackerName, TrackerNews};
use signaling_server::{Config, TrackerConfig};

use super::signaling_rig::Server;
use super::tracker_rig::{Client, name, offer};

/// The bytes of a name of the rig.
fn bytes(number: u8) -> TrackerName {
    let text: Vec<u8> = name(number).chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    text.try_into().unwrap()
}

fn crowd(swarm: u8, incomplete: u32) -> TrackerNews {
    let swarm = bytes(swarm);
    TrackerNews::Crowds(vec![Crowd { swarm, complete: 0, incomplete, downloaded: 0 }])
}

#[tokio::test]
async fn offers_are_spread_over_the_nodes_by_their_members() {
    let bus = InProcess::alone();
    let second = Server::node(Config::default(), bus.another()).await;
    let first = Server::node(Config::default(), bus).await;
    let mut here = Vec::new();
    for peer in 10..14 {
        let mut client = Client::open(&first).await;
        client.enter(1, peer).await;
        here.push(client);
    }
    let mut there = Vec::new();
    for peer in 20..24 {
        let mut client = Client::open(&second).await;
        client.enter(1, peer).await;
        there.push(client);
    }
    first.metric_becomes("starling_tracker_remote_peers", 4).await;
    second.metric_becomes("starling_tracker_remote_peers", 4).await;
    // Seven others for ten offers: each gets one.
    let offers: Vec<_> = (30..40).map(offer).collect();
    here[0].announce(1, 10, json!({ "offers": offers })).await;
    assert_eq!(here[0].counts(1).await, (0, 8));
    for client in here.iter_mut().skip(1).chain(&mut there) {
        assert_eq!(client.next().await["peer_id"], name(10));
    }
    first.metric_becomes("starling_tracker_offers_away_total", 4).await;
    second.metric_becomes("starling_tracker_offers_total", 4).await;
}

#[tokio::test]
async fn what_a_node_says_is_bounded_and_checked_like_what_a_client_says() {
    let bus = InProcess::alone();
    let stranger = bus.another();
    let tracker = TrackerConfig { swarm_peers_max: 5, ..TrackerConfig::default() };
    let node = bus.node();
    let server = Server::node(Config { tracker, ..Config::default() }, bus).await;
    let mut a = Client::open(&server).await;
    a.enter(1, 10).await;
    stranger.tell_tracker(None, crowd(1, u32::MAX));
    server.metric_becomes("starling_tracker_remote_peers", 5).await;
    let maker = Maker { swarm: bytes(1), peer: bytes(20), socket: 1 };
    let of = |id, text: &str| Offer { id: bytes(id), description: text.to_owned() };
    let offers = vec![of(30, "no JSON"), of(31, "{},{}"), of(32, "{\"sdp\":\"\"}"), of(33, "{}")];
    stranger.tell_tracker(Some(node), TrackerNews::Offers { maker, offers });
    let offered = a.next().await;
    assert_eq!(
        (&offered["offer_id"], &offered["offer"]),
        (&json!(name(32)), &json!({ "sdp": "" }))
    );
    // Answers to what was never given to that node, by somebody who guesses, reach nobody.
    for socket in 0..20 {
        let maker = Maker { swarm: bytes(1), peer: bytes(10), socket };
        let description = "{}".to_owned();
        let answer = TrackerNews::Answer { maker, offer: bytes(30), peer: bytes(20), description };
        stranger.tell_tracker(Some(node), answer);
    }
    server.metric_becomes("starling_tracker_answers_lost_total", 20).await;
    stranger.tell_tracker(None, crowd(1, 0));
    server.metric_becomes("starling_tracker_remote_peers", 0).await;
    assert_eq!(a.enter(1, 10).await, (0, 1), "the next message is of this announce");
}
