//! What the tracker refuses, and that clients are told in a way that keeps their sockets.

use serde_json::json;
use signaling_server::{BanConfig, Config, SiteConfig, TrackerConfig};

use super::signaling_rig::Server;
use super::tracker_rig::{Client, name, name_hex, offer};

async fn server(tracker: TrackerConfig) -> Server {
    Server::start(Config { tracker, ..Config::default() }).await
}

#[tokio::test]
async fn what_can_not_be_read_is_told_with_the_swarm_it_is_about() {
    let server = server(TrackerConfig::default()).await;
    let mut a = Client::open(&server).await;
    a.send_text("no json".into()).await;
    let failure = a.next().await;
    assert_eq!((&failure["action"], &failure["info_hash"]), (&json!("announce"), &json!("")));
    a.announce(1, 10, json!({ "peer_id": "short" })).await;
    let failure = a.next().await;
    assert_eq!(failure["info_hash"], name(1));
    let reason = failure["failure reason"].as_str().unwrap();
    assert!(reason.contains("5 code points, expected 20"), "{reason}");
    a.announce(1, 10, json!({ "event": "eaten" })).await;
    assert!(a.failure().await.contains("event is not"));
    a.announce(1, 10, json!({ "action": "connect" })).await;
    assert!(a.failure().await.contains("action is not"));
    a.announce(1, 10, json!({ "info_hash": "aaaaaaaaaaaaaaaaaaaĀ" })).await;
    assert!(a.failure().await.contains("U+00FF"));
    assert_eq!(a.enter(1, 10).await, (0, 1), "the socket stays");
    assert_eq!(server.metric("starling_tracker_failures_total{kind=\"bad-message\"}").await, 5);
}

#[tokio::test]
async fn too_many_refused_messages_end_the_socket() {
    let server = server(TrackerConfig::default()).await;
    let mut a = Client::open(&server).await;
    for _ in 0..65 {
        a.send_text("{}".into()).await;
    }
    while a.next_or_end().await.is_some() {}
    server.metric_becomes("starling_tracker_closed_total{kind=\"strikes\"}", 1).await;
}

#[tokio::test]
async fn messages_that_come_too_fast_are_refused() {
    let config = TrackerConfig { messages_per_socket_per_s: 1, ..TrackerConfig::default() };
    let server = server(config).await;
    let mut a = Client::open(&server).await;
    for _ in 0..10 {
        a.enter(1, 10).await;
    }
    a.announce(1, 10, json!({})).await;
    assert_eq!(a.failure().await, "messages come too fast");
}

#[tokio::test]
async fn swarms_of_a_socket_are_bounded_but_those_it_left_do_not_count() {
    let config = TrackerConfig { swarms_per_socket_max: 2, ..TrackerConfig::default() };
    let server = server(config).await;
    let mut a = Client::open(&server).await;
    a.enter(1, 10).await;
    a.enter(2, 10).await;
    a.announce(3, 10, json!({})).await;
    assert_eq!(a.failure().await, "this socket is in its most swarms");
    a.announce(1, 10, json!({ "event": "stopped" })).await;
    a.counts(1).await;
    assert_eq!(a.enter(3, 10).await, (0, 1));
}

#[tokio::test]
async fn peers_of_an_address_are_bounded_over_all_its_sockets() {
    let server = server(TrackerConfig { peers_per_ip_max: 2, ..TrackerConfig::default() }).await;
    let (mut a, mut b) = (Client::open(&server).await, Client::open(&server).await);
    a.enter(1, 10).await;
    b.enter(1, 20).await;
    b.announce(2, 20, json!({})).await;
    assert_eq!(b.failure().await, "this address has its most peers");
    drop(a);
    server.metric_becomes("starling_tracker_peers", 1).await;
    assert_eq!(b.enter(2, 20).await, (0, 1));
}

#[tokio::test]
async fn a_description_that_is_too_long_is_refused_and_a_message_ends_the_socket() {
    let server = server(TrackerConfig::default()).await;
    let mut a = Client::open(&server).await;
    let long = json!({ "offer": "x".repeat(16_385), "offer_id": name(1) });
    a.announce(1, 10, json!({ "offers": [offer(2), long] })).await;
    assert!(a.failure().await.contains("limit is 16384"));
    a.announce(1, 10, json!({ "x": "x".repeat(131_072) })).await;
    assert_eq!(a.next_or_end().await, None);
}

#[tokio::test]
async fn a_closed_host_serves_its_sites_only() {
    let page = SiteConfig {
        origins: vec!["https://a.example".into()],
        swarm_prefixes: vec!["001f225c".into()],
        ..SiteConfig::default()
    };
    let key = SiteConfig { key: "k".into(), ..SiteConfig::default() };
    let relayed = SiteConfig { key: "r".into(), relay_only: true, ..SiteConfig::default() };
    let config = Config { open: false, sites: vec![page, key, relayed], ..Config::default() };
    let server = Server::start(config).await;
    let open = async |path, origin| Client::open_at(&server, path, origin).await;
    let mut a = open("/announce", Some("https://a.example")).await.unwrap();
    assert_eq!(a.enter(1, 10).await, (0, 1));
    a.announce(1, 10, json!({ "info_hash": "aaaaaaaaaaaaaaaaaaaa" })).await;
    assert_eq!(a.failure().await, "this site may not use this swarm");
    let mut b = open("/announce", Some("https://b.example")).await.unwrap();
    b.announce(1, 20, json!({})).await;
    assert_eq!(b.failure().await, "this tracker does not serve this site");
    let mut c = open("/announce?site=k", Some("https://b.example")).await.unwrap();
    assert_eq!(c.enter(1, 30).await, (0, 2));
    let mut d = open("/announce?site=r", None).await.unwrap();
    d.announce(1, 40, json!({})).await;
    assert!(d.failure().await.contains("by relay only"));
    let strict = SiteConfig { origins: vec!["https://a.example".into()], ..SiteConfig::default() };
    let config = Config { open: false, sites: vec![strict], ..Config::default() };
    let server = Server::start(config).await;
    assert!(Client::open_at(&server, "/announce", Some("https://b.example")).await.is_err());
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_disturbs_nobody() {
    let config = Config { queue_messages_max: 16, ..Config::default() };
    let server = Server::start(config).await;
    let (mut deaf, mut a) = (Client::open(&server).await, Client::open(&server).await);
    deaf.enter(1, 10).await;
    a.enter(1, 20).await;
    // Until the network between holds no more.
    let long = json!([{ "offer": "x".repeat(16_000), "offer_id": name(1) }]);
    while server.metric("starling_tracker_closed_total{kind=\"slow\"}").await == 0 {
        for _ in 0..50 {
            a.announce(1, 20, json!({ "offers": long })).await;
            a.counts(1).await;
        }
    }
    server.metric_becomes("starling_tracker_peers", 1).await;
    assert_eq!(a.enter(1, 20).await, (0, 1));
}

#[tokio::test]
async fn a_host_may_switch_the_tracker_off() {
    let server = server(TrackerConfig { enabled: false, ..TrackerConfig::default() }).await;
    assert!(Client::open_at(&server, "/announce", None).await.is_err());
}

#[tokio::test]
async fn a_banned_swarm_is_refused_with_the_reason() {
    let (swarm, reason) = (name_hex(1), "not ours to spread".to_owned());
    let bans = vec![BanConfig { swarm, reason, ..BanConfig::default() }];
    let server = Server::start(Config { bans, ..Config::default() }).await;
    let mut a = Client::open(&server).await;
    a.announce(1, 10, json!({})).await;
    assert_eq!(a.failure().await, "this swarm is banned: not ours to spread");
    assert_eq!(a.enter(2, 10).await, (0, 1), "others are not");
    assert_eq!(server.metric("starling_tracker_failures_total{kind=\"banned\"}").await, 1);
}
