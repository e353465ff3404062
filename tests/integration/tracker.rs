//! The tracker as WebTorrent clients see it: a real server, real sockets. Proves what
//! `docs/spec/tracker.md` promises of its messages.

use axum::{Router, middleware};
use futures_util::SinkExt as _;
use serde_json::{Value, json};
use signaling_server::{Config, TrackerConfig, app, open_at_root};
use tokio_tungstenite::tungstenite::Message;

use super::signaling_rig::{Server, serve, within};
use super::tracker_rig::{Client, name, offer};

async fn server() -> Server {
    Server::start(Config::default()).await
}

#[tokio::test]
async fn an_offer_reaches_another_peer_and_its_answer_comes_back() {
    let server = server().await;
    let (mut a, mut b) = (Client::open(&server).await, Client::open(&server).await);
    assert_eq!(a.enter(1, 10).await, (0, 1));
    b.announce(1, 20, json!({ "offers": [offer(30), offer(31)] })).await;
    assert_eq!(b.counts(1).await, (0, 2));
    let offered = a.next().await;
    assert_eq!(offered["offer"], offer(30)["offer"]);
    let expected = json!({
        "action": "announce", "offer": offer(30)["offer"], "offer_id": name(30),
        "peer_id": name(20), "info_hash": name(1),
    });
    assert_eq!(offered, expected);
    let answer = json!({ "type": "answer", "sdp": "v=0\r\n", "extra": [null, { "a": 1.5 }] });
    a.announce(1, 10, json!({ "to_peer_id": name(20), "answer": answer, "offer_id": name(30) }))
        .await;
    let answered = b.next().await;
    let expected = json!({
        "action": "announce", "answer": answer, "offer_id": name(30),
        "peer_id": name(10), "info_hash": name(1),
    });
    assert_eq!(answered, expected);
    // The answer itself is answered with nothing: the next message is of the next announce.
    assert_eq!(a.enter(1, 10).await, (0, 2));
}

#[tokio::test]
async fn one_socket_carries_many_swarms_under_many_names() {
    let server = server().await;
    let (mut page, mut other) = (Client::open(&server).await, Client::open(&server).await);
    for swarm in 1..=5 {
        assert_eq!(page.enter(swarm, 10 + swarm).await, (0, 1));
    }
    other.announce(3, 20, json!({ "offers": [offer(30)] })).await;
    other.counts(3).await;
    let offered = page.next().await;
    assert_eq!((&offered["info_hash"], &offered["peer_id"]), (&json!(name(3)), &json!(name(20))));
    // Two clients of one page in one swarm meet as well.
    page.announce(3, 99, json!({ "numwant": 2, "offers": [offer(40), offer(41)] })).await;
    assert_eq!(page.counts(3).await, (0, 3));
    assert_eq!(page.next().await["peer_id"], name(99));
    assert_eq!(other.next().await["peer_id"], name(99));
}

#[tokio::test]
async fn an_address_without_a_path_is_the_tracker_too_and_others_get_the_page() {
    let mut server = server().await;
    let page = Router::new()
        .fallback(async || "the page")
        .layer(middleware::from_fn_with_state(server.state.clone(), open_at_root));
    server.address = serve(app(server.state.clone()).fallback_service(page)).await;
    let mut a = Client::open_at(&server, "/", None).await.unwrap();
    assert_eq!(a.enter(1, 10).await, (0, 1));
    assert!(Client::open_at(&server, "/elsewhere", None).await.is_err());
    assert_eq!(server.get("/").await.text().await.unwrap(), "the page");
}

#[tokio::test]
async fn nobody_takes_over_a_name() {
    let server = server().await;
    let (mut a, mut b) = (Client::open(&server).await, Client::open(&server).await);
    let mut thief = Client::open(&server).await;
    a.enter(1, 10).await;
    b.enter(1, 20).await;
    assert_eq!(thief.enter(1, 20).await, (0, 3));
    b.announce(1, 20, json!({ "offers": [offer(30)] })).await;
    b.counts(1).await;
    assert_eq!(a.next().await["offer_id"], name(30));
    a.announce(1, 10, json!({ "to_peer_id": name(20), "answer": {}, "offer_id": name(30) })).await;
    assert_eq!(b.next().await["offer_id"], name(30), "the answer comes to who offered");
    thief.announce(1, 20, json!({ "event": "stopped" })).await;
    assert_eq!(thief.counts(1).await, (0, 2), "and only its own membership ended");
}

#[tokio::test]
async fn binary_frames_and_long_messages_are_read() {
    let server = server().await;
    let mut a = Client::open(&server).await;
    let message = json!({ "action": "scrape", "info_hash": name(1) });
    let frame = Message::binary(message.to_string().into_bytes());
    within("a write", a.socket.send(frame)).await.unwrap();
    assert_eq!(a.next().await["action"], "scrape");
    let offers: Vec<Value> = (0..10)
        .map(|id| json!({ "offer": { "sdp": "x".repeat(10_000) }, "offer_id": name(id) }))
        .collect();
    let mut b = Client::open(&server).await;
    b.enter(1, 20).await;
    a.announce(1, 10, json!({ "offers": offers })).await;
    assert_eq!(a.counts(1).await, (0, 2));
    assert_eq!(b.next().await["offer"], offers[0]["offer"]);
}

#[tokio::test]
async fn a_scrape_tells_of_each_swarm_it_names() {
    let server = server().await;
    let (mut a, mut b) = (Client::open(&server).await, Client::open(&server).await);
    a.announce(1, 10, json!({ "event": "started", "left": 0 })).await;
    assert_eq!(a.counts(1).await, (1, 0));
    b.announce(1, 20, json!({ "event": "started", "left": 5 })).await;
    assert_eq!(b.counts(1).await, (1, 1));
    b.announce(1, 20, json!({ "event": "completed" })).await;
    assert_eq!(b.counts(1).await, (2, 0));
    a.send(&json!({ "action": "scrape", "info_hash": [name(1), name(2)] })).await;
    let reply = a.next().await;
    let files = &reply["files"];
    let expected = json!({ "complete": 2, "incomplete": 0, "downloaded": 1 });
    assert_eq!(files[name(1)], expected);
    assert_eq!(files[name(2)], json!({ "complete": 0, "incomplete": 0, "downloaded": 0 }));
    a.send(&json!({ "action": "scrape" })).await;
    assert!(a.failure().await.contains("lists no swarms"));
}

#[tokio::test]
async fn a_peer_ends_when_it_says_so_or_its_socket_closes() {
    let server = server().await;
    let (mut a, mut b) = (Client::open(&server).await, Client::open(&server).await);
    a.enter(1, 10).await;
    a.enter(2, 11).await;
    assert_eq!(b.enter(1, 20).await, (0, 2));
    server.metric_becomes("starling_tracker_peers", 3).await;
    a.announce(1, 10, json!({ "event": "stopped" })).await;
    assert_eq!(a.counts(1).await, (0, 1));
    drop(a);
    server.metric_becomes("starling_tracker_peers", 1).await;
    assert_eq!(server.metric("starling_tracker_swarms").await, 1);
    drop(b);
    server.metric_becomes("starling_tracker_peers", 0).await;
    server.metric_becomes("starling_tracker_sockets", 0).await;
}

#[tokio::test]
async fn a_peer_that_is_silent_for_a_lease_is_forgotten_though_its_socket_is_open() {
    let tracker = TrackerConfig { interval_s: 1, lease_s: 2, ..TrackerConfig::default() };
    let server = Server::start(Config { tracker, ..Config::default() }).await;
    let mut a = Client::open(&server).await;
    a.announce(1, 10, json!({})).await;
    assert_eq!(a.next().await["interval"], 1);
    server.metric_becomes("starling_tracker_peers", 0).await;
    a.announce(1, 10, json!({})).await;
    assert_eq!(a.next().await["incomplete"], 1, "and may come back");
}

#[tokio::test]
async fn at_shutdown_sockets_are_closed_as_restarting() {
    let server = server().await;
    let mut a = Client::open(&server).await;
    a.enter(1, 10).await;
    let closing = within("shutdown", server.state.shutdown("a test"));
    let (end, ()) = tokio::join!(a.next_or_end(), closing);
    assert_eq!(end, None);
    assert!(Client::open_at(&server, "/announce", None).await.is_err());
}

#[tokio::test]
async fn a_silent_socket_is_pinged_and_then_closed() {
    let config = Config { ping_ms: 200, idle_timeout_ms: 1_200, ..Config::default() };
    let server = Server::start(config).await;
    let mut answers = Client::open(&server).await;
    let idle = Client::open(&server).await;
    // Reading answers pings; `idle` is never read.
    tokio::select! {
        end = answers.next_or_end() => panic!("a socket that answers pings stays: {end:?}"),
        () = server.metric_becomes("starling_tracker_closed_total{kind=\"idle\"}", 1) => {}
    }
    drop(idle);
    assert_eq!(answers.enter(1, 10).await, (0, 1));
}
