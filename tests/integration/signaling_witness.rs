//! The witness against a real origin that counts what it is asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::get;
use primitives::sha256;
use signaling_server::{Config, MediaFolder, WitnessConfig};
use wire::limits::{PIECE_BYTES, SEGMENT_BYTES_MAX};
use wire::signaling::{ErrorCode, FromServer, ToServer, WitnessStatement};

use super::signaling_rig::{Client, Server, serve};

/// An origin with one segment, and how often that was asked for.
struct Origin {
    url: String,
    asked: Arc<AtomicU64>,
}

fn segment() -> Vec<u8> {
    (0..150_000u32).map(|n| u8::try_from(n * 31 % 251).unwrap()).collect()
}

impl Origin {
    async fn start(elsewhere: String) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&asked);
        let endless = || async {
            let part = || Ok::<_, std::io::Error>(vec![0; 1 << 20]);
            Body::from_stream(futures_util::stream::repeat_with(part))
        };
        let router = Router::new()
            .route(
                "/s0.m4s",
                get(move || async move {
                    counted.fetch_add(1, Ordering::SeqCst);
                    segment()
                }),
            )
            .route("/moved", get(|| async { Redirect::temporary("/s0.m4s") }))
            .route("/away", get(move || async move { Redirect::temporary(&elsewhere) }))
            .route("/broken", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .route("/endless", get(endless));
        let address = serve(router).await;
        Self { url: format!("http://{address}"), asked }
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn server_for(origins: &[&str]) -> Server {
    let origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    let witness = WitnessConfig { origins, ..WitnessConfig::default() };
    Server::start(Config { witness, ..Config::default() }).await
}

async fn ask(client: &mut Client, id: u32, url: &str) {
    client.send(&ToServer::Witness { id, url: url.into() }).await;
}

/// The refusal that answers question `id`.
async fn refused(client: &mut Client, id: u32, url: &str) -> (ErrorCode, Option<u32>) {
    ask(client, id, url).await;
    match client.next().await {
        FromServer::Error { code, id: answered, retry_after_ms, .. } => {
            assert_eq!(answered, Some(id), "{url}");
            (code, retry_after_ms)
        }
        other => panic!("expected a refusal of {url}, found {other:?}"),
    }
}

/// The statement that answers question `id`, its signature checked.
async fn statement(client: &mut Client, id: u32) -> WitnessStatement {
    match client.next().await {
        FromServer::Witness { id: answered, statement, signature } => {
            assert_eq!(answered, id);
            assert!(statement.verify(&client.server, &signature).is_ok());
            statement
        }
        other => panic!("expected a statement, found {other:?}"),
    }
}

fn check(statement: &WitnessStatement, url: &str) {
    let body = segment();
    let piece_bytes = usize::try_from(PIECE_BYTES).unwrap();
    let pieces: Vec<u8> =
        body.chunks(piece_bytes).flat_map(|piece| *sha256(piece).as_bytes()).collect();
    assert_eq!(statement.url, url);
    assert_eq!(statement.size_bytes, 150_000);
    assert_eq!(statement.sha256, sha256(&body));
    assert_eq!(statement.pieces.0, pieces);
}

#[tokio::test]
async fn many_ask_and_the_origin_is_asked_once() {
    let origin = Origin::start(String::new()).await;
    let server = server_for(&[&origin.url]).await;
    let url = format!("{}/s0.m4s", origin.url);
    let mut clients = Vec::new();
    for number in 0..8 {
        clients.push(Client::hello(&server, number).await);
    }
    for client in &mut clients {
        ask(client, 5, &url).await;
    }
    for client in &mut clients {
        check(&statement(client, 5).await, &url);
    }
    ask(&mut clients[0], 6, &url).await;
    check(&statement(&mut clients[0], 6).await, &url);
    assert_eq!(origin.asked(), 1);
    assert_eq!(server.metric("starling_signaling_witness_bytes_total").await, 150_000);
}

#[tokio::test]
async fn only_allowed_origins_are_fetched_from() {
    let secret = Origin::start(String::new()).await;
    let origin = Origin::start(format!("{}/s0.m4s", secret.url)).await;
    let server = server_for(&[&origin.url]).await;
    let mut client = Client::hello(&server, 1).await;
    let port = secret.url.rsplit(':').next().unwrap().to_owned();
    let own = origin.url.strip_prefix("http://").unwrap();
    for url in [
        format!("{}/s0.m4s", secret.url),
        format!("http://localhost:{port}/s0.m4s"),
        format!("http://user@{own}/s0.m4s"),
        format!("https://{own}/s0.m4s"),
        "file:///etc/passwd".to_owned(),
        "not a url".to_owned(),
    ] {
        assert_eq!(refused(&mut client, 1, &url).await, (ErrorCode::Forbidden, None), "{url}");
    }
    let (code, retry) = refused(&mut client, 2, &format!("{}/away", origin.url)).await;
    assert_eq!(code, ErrorCode::Unfetched);
    assert!(retry.is_some());
    assert_eq!(secret.asked(), 0);

    let moved = format!("{}/moved", origin.url);
    ask(&mut client, 3, &moved).await;
    check(&statement(&mut client, 3).await, &moved);
}

#[tokio::test]
async fn every_public_origin_is_no_private_one() {
    let secret = Origin::start(String::new()).await;
    let server = server_for(&["*"]).await;
    let mut client = Client::hello(&server, 1).await;
    let port = secret.url.rsplit(':').next().unwrap().to_owned();
    for host in ["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "0.0.0.0"] {
        let url = format!("http://{host}:{port}/s0.m4s");
        assert_eq!(refused(&mut client, 1, &url).await.0, ErrorCode::Forbidden, "{url}");
    }
    assert_eq!(secret.asked(), 0);
}

#[tokio::test]
async fn what_is_missing_or_endless_is_unfetched() {
    let origin = Origin::start(String::new()).await;
    let server = server_for(&[&origin.url]).await;
    let mut client = Client::hello(&server, 1).await;
    for path in ["/nothing", "/broken", "/endless"] {
        let (code, retry) = refused(&mut client, 1, &format!("{}{path}", origin.url)).await;
        assert_eq!(code, ErrorCode::Unfetched, "{path}");
        assert!(retry.is_some_and(|ms| ms > 0), "{path}");
    }
    let fetched = server.metric("starling_signaling_witness_bytes_total").await;
    assert!(fetched < u64::from(SEGMENT_BYTES_MAX));
}

#[tokio::test]
async fn a_server_without_origins_is_no_witness() {
    let server = server_for(&[]).await;
    let mut client = Client::hello(&server, 1).await;
    let answer = refused(&mut client, 1, "https://a.example/s0.m4s").await;
    assert_eq!(answer, (ErrorCode::NoWitness, None));
}

#[tokio::test]
async fn the_hosts_own_media_is_witnessed_from_the_disk() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("signaling-witness");
    std::fs::create_dir_all(folder.join("hi")).unwrap();
    std::fs::write(folder.join("hi/s0.m4s"), segment()).unwrap();
    let media = MediaFolder { path: "/media/".into(), folder };
    let server = Server::with_media(Config::default(), vec![media]).await;
    let mut client = Client::hello(&server, 1).await;
    let url = format!("http://{}/media/hi/s0.m4s", server.address);
    ask(&mut client, 1, &url).await;
    check(&statement(&mut client, 1).await, &url);
    let missing = format!("http://{}/media/hi/s9.m4s", server.address);
    assert_eq!(refused(&mut client, 2, &missing).await.0, ErrorCode::Unfetched);
    let other = "http://other.example/media/hi/s0.m4s";
    assert_eq!(refused(&mut client, 3, other).await.0, ErrorCode::Forbidden);
}

#[tokio::test]
async fn questions_are_budgeted() {
    let origin = Origin::start(String::new()).await;
    let witness = WitnessConfig {
        origins: vec![origin.url.clone()],
        asks_per_ip_per_s: 1,
        ..WitnessConfig::default()
    };
    let server = Server::start(Config { witness, ..Config::default() }).await;
    let mut client = Client::hello(&server, 1).await;
    let url = format!("{}/s0.m4s", origin.url);
    for id in 0..30 {
        ask(&mut client, id, &url).await;
    }
    let mut refused = 0;
    for _ in 0..30 {
        match client.next().await {
            FromServer::Witness { .. } => {}
            FromServer::Error { code: ErrorCode::TooMany, retry_after_ms, id, .. } => {
                assert!(retry_after_ms.is_some() && id.is_some());
                refused += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!((10..=20).contains(&refused), "{refused} were refused");
}
