//! What is bounded, and that the bound is told: rates, sizes, times, queues, sites.

use std::time::Duration;

use futures_util::SinkExt as _;
use primitives::SwarmId;
use signaling_server::{Config, SiteConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use wire::limits::{SIGNALING_BYTES_MAX, SWARMS_PER_CONNECTION_MAX};
use wire::signaling::{ErrorCode, FromServer, ToServer};

use super::signaling_rig::{Client, SWARM, Server, join, within};

fn closed(reason: &str) -> String {
    format!(r#"starling_signaling_closed_total{{kind="{reason}"}}"#)
}

/// The HTTP status a socket was refused with.
fn status(error: tungstenite::Error) -> u16 {
    match error {
        tungstenite::Error::Http(response) => response.status().as_u16(),
        other => panic!("expected an HTTP answer, found {other:?}"),
    }
}

#[tokio::test]
async fn messages_over_the_budget_are_answered_and_a_flood_is_ended() {
    let config = Config { messages_per_socket_per_s: 1, ..Config::default() };
    let server = Server::start(config).await;
    let mut client = Client::hello(&server, 1).await;
    for _ in 0..200 {
        // The server may have ended the flood already.
        let ping = serde_json::to_string(&ToServer::Ping).unwrap();
        if client.socket.send(Message::text(ping)).await.is_err() {
            break;
        }
    }
    let (mut pongs, mut refused) = (0, 0);
    loop {
        match client.next().await {
            FromServer::Pong => pongs += 1,
            FromServer::Error { code, retry_after_ms, .. } => {
                assert_eq!(code, ErrorCode::TooMany);
                assert!(retry_after_ms.is_some_and(|ms| ms > 0));
                refused += 1;
            }
            FromServer::Goodbye { .. } => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(pongs >= 9, "{pongs} pings passed");
    assert!(refused >= 64, "{refused} were refused");
    server.metric_becomes(&closed("strikes"), 1).await;
}

#[tokio::test]
async fn nonsense_is_answered_and_the_socket_stays() {
    let server = Server::start(Config::default()).await;
    let mut client = Client::hello(&server, 1).await;
    let long = format!(r#"{{"type":"ping","x":"{}"}}"#, "x".repeat(SIGNALING_BYTES_MAX));
    let unknown = r#"{"type":"dance"}"#.to_owned();
    let join_without_swarm = r#"{"type":"join","want":3}"#.to_owned();
    for text in ["".to_owned(), "{".to_owned(), "[]".to_owned(), unknown, join_without_swarm, long]
    {
        client.send_text(text).await;
        assert_eq!(client.refusal().await.0, ErrorCode::BadMessage);
    }
    client.socket.send(Message::binary(vec![0; 10])).await.unwrap();
    assert_eq!(client.refusal().await.0, ErrorCode::BadMessage);
    assert_eq!(client.enter(SWARM).await, []);
}

#[tokio::test]
async fn a_message_far_too_long_ends_the_socket() {
    let server = Server::start(Config::default()).await;
    let mut client = Client::hello(&server, 1).await;
    let long = Message::text("x".repeat(SIGNALING_BYTES_MAX * 3));
    let _ = client.socket.send(long).await;
    while client.next_or_end().await.is_some() {}
    server.metric_becomes("starling_signaling_sockets", 0).await;
}

#[tokio::test]
async fn nothing_but_hello_comes_first_and_it_comes_in_time() {
    let server = Server::start(Config { hello_timeout_ms: 300, ..Config::default() }).await;
    let mut client = Client::open(&server, 1, None).await.unwrap();
    client.send(&join(SWARM)).await;
    assert_eq!(client.refusal().await.0, ErrorCode::HelloFirst);
    let (reason, _) = client.goodbye().await;
    assert!(reason.contains("hello"), "{reason}");
    server.metric_becomes(&closed("no-hello"), 1).await;
}

#[tokio::test]
async fn another_version_is_told_so() {
    let server = Server::start(Config::default()).await;
    let mut client = Client::open(&server, 1, None).await.unwrap();
    let text = format!(r#"{{"type":"hello","version":99,"peer":"{}","proof":""}}"#, client.id());
    client.send_text(text).await;
    assert_eq!(client.refusal().await.0, ErrorCode::BadMessage);
    client.goodbye().await;
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_a_dead_one_closed() {
    let config = Config { ping_ms: 50, idle_timeout_ms: 3_000, ..Config::default() };
    let server = Server::start(config).await;
    let mut alive = Client::hello(&server, 1).await;
    // This one is never read, so it answers no ping.
    let _dead = Client::hello(&server, 2).await;
    let idle = closed("idle");
    let wait = server.metric_becomes(&idle, 1);
    tokio::select! {
        () = wait => {}
        // Reading answers the server's pings.
        message = alive.next_or_end() => panic!("the live one got {message:?}"),
    }
    assert_eq!(alive.enter(SWARM).await, []);
}

#[tokio::test]
async fn a_socket_that_reads_too_slowly_is_dropped_alone() {
    let config = Config {
        queue_messages_max: 64,
        messages_per_socket_per_s: 1_000_000,
        messages_per_ip_per_s: 1_000_000,
        ..Config::default()
    };
    let server = Server::start(config).await;
    let (slow, _) = Client::join(&server, 1).await;
    let (mut sender, _) = Client::join(&server, 2).await;
    let to = slow.id();
    let filler = format!(
        r#"{{"type":"signal","swarm":"{SWARM}","to":"{to}","kind":"x","x":"{}"}}"#,
        "x".repeat(32_000)
    );
    let flood = async {
        while server.metric(&closed("slow")).await == 0 {
            for _ in 0..200 {
                sender.send_text(filler.clone()).await;
            }
        }
    };
    within("the slow socket's end", flood).await;
    sender.send(&ToServer::Ping).await;
    assert_eq!(sender.next().await, FromServer::Pong, "the sender is not held up");
}

#[tokio::test]
async fn one_address_has_a_bounded_number_of_sockets() {
    let server = Server::start(Config { connections_per_ip_max: 2, ..Config::default() }).await;
    let first = Client::hello(&server, 1).await;
    let _second = Client::hello(&server, 2).await;
    let refused = Client::open(&server, 3, None).await.err().unwrap();
    assert_eq!(status(refused), 429);
    drop(first);
    let again = async {
        while Client::open(&server, 3, None).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("a free place", again).await;
}

#[tokio::test]
async fn one_address_opens_sockets_at_a_bounded_rate() {
    let config = Config { connects_per_ip_per_minute: 3, ..Config::default() };
    let server = Server::start(config).await;
    for number in 0..3 {
        drop(Client::open(&server, number, None).await.unwrap());
    }
    let refused = Client::open(&server, 3, None).await.err().unwrap();
    let tungstenite::Error::Http(response) = refused else { panic!("{refused:?}") };
    assert_eq!(response.status(), 429);
    let retry: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&retry), "{retry} s");
    server.metric_becomes(r#"starling_signaling_refused_total{kind="place"}"#, 1).await;
}

#[tokio::test]
async fn a_connection_is_in_a_bounded_number_of_swarms() {
    let server = Server::start(Config::default()).await;
    let mut client = Client::hello(&server, 1).await;
    for number in 0..SWARMS_PER_CONNECTION_MAX {
        client.enter(SwarmId::new([u8::try_from(number).unwrap(); 32])).await;
    }
    let over = SwarmId::new([255; 32]);
    client.send(&join(over)).await;
    match client.next().await {
        FromServer::Error { code: ErrorCode::TooMany, swarm, retry_after_ms, .. } => {
            assert_eq!(swarm, Some(over));
            assert!(retry_after_ms.is_some());
        }
        other => panic!("expected too-many, found {other:?}"),
    }
}

#[tokio::test]
async fn a_closed_host_serves_its_sites_only() {
    let site = |origin: &str| SiteConfig { origins: vec![origin.into()], ..SiteConfig::default() };
    let relayed = SiteConfig { relay_only: true, ..site("https://b.example") };
    let sites = vec![site("https://a.example"), relayed];
    let server = Server::start(Config { open: false, sites, ..Config::default() }).await;
    let refused = Client::open(&server, 1, Some("https://evil.example")).await.err().unwrap();
    assert_eq!(status(refused), 403);

    let mut a = Client::open(&server, 1, Some("https://a.example")).await.unwrap();
    a.greet(None).await;
    a.send(&join(SWARM)).await;
    assert!(matches!(a.next().await, FromServer::Joined { relay_only: false, .. }));
    let mut b = Client::open(&server, 2, Some("https://b.example")).await.unwrap();
    b.greet(None).await;
    b.send(&join(SWARM)).await;
    assert!(matches!(b.next().await, FromServer::Joined { relay_only: true, .. }));

    let mut native = Client::hello(&server, 3).await;
    native.send(&join(SWARM)).await;
    assert_eq!(native.refusal().await.0, ErrorCode::Forbidden);
}

#[tokio::test]
async fn health_and_counters_are_there_to_read() {
    let server = Server::start(Config::default()).await;
    let (_client, _) = Client::join(&server, 1).await;
    assert_eq!(server.get("/healthz").await.status(), 200);
    let metrics = server.get("/metrics").await;
    let kind = metrics.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = metrics.text().await.unwrap();
    for line in [
        "starling_signaling_sockets 1",
        "starling_signaling_sessions 1",
        "starling_signaling_swarms 1",
        "starling_signaling_members 1",
        r#"starling_signaling_messages_total{kind="join"} 1"#,
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert_eq!(server.get("/signal").await.status(), 400, "not a WebSocket");
}
