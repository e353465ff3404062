//! The ledger beside the page: a real server on port 0, asked as a tab asks, checked by the light client.
//!
//! Run as a test of the package `starling`, which may know ledgers.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod serve_rig;

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use ledger::{AccountId, AssetId, domains::accounts};
use light_client::{Fault, Verifier};
use primitives::{KeyPair, Seed};
use reqwest::StatusCode;
use serde_json::Value;
use starling::serve::{Config, ledger as beside};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use wire::ledger::{Finality, StateProof};

use serve_rig::Serving;

/// What a slow machine may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);
/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

struct Running(Serving);

impl Running {
    async fn start(data: &Path, ledger: beside::Config) -> Self {
        let config = Config { data: data.to_owned(), ledger, ..Config::default() };
        Self(Serving::start(config).await)
    }

    async fn stop(self) {
        self.0.stop().await;
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/ledger/{path}", self.0.address)
    }

    async fn json(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.0.http.get(self.url(path)).send().await.unwrap();
        let status = answer.status();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
    }

    async fn cbor(&self, path: &str) -> Vec<u8> {
        let asked = self.0.http.get(self.url(path)).header("accept", "application/cbor");
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/cbor");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        answer.bytes().await.unwrap().to_vec()
    }

    /// Waits until the ledger has started.
    async fn status(&self) -> Value {
        until("the ledger starts", async || {
            let (status, value) = self.json("status").await;
            (status == StatusCode::OK).then_some(value)
        })
        .await
    }
}

async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what}: not within {DEADLINE:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn somebody() -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::from_number(77)).id())
}

#[tokio::test]
async fn a_server_runs_a_ledger_with_no_set_up_and_a_tab_believes_none_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(folder.path(), beside::Config::default()).await;
    let status = server.status().await;
    assert_eq!((&status["demo"], &status["validators"]), (&true.into(), &1.into()));
    assert!(status["faucet"].as_str().is_some_and(|name| name.parse::<AccountId>().is_ok()));
    let root = status["root"].as_str().unwrap().to_owned();
    let verifier = Verifier::new(&root.parse().unwrap()).unwrap();

    let socket = format!("ws://{}/ledger/ws", server.0.address);
    let (mut socket, _) = connect_async(socket).await.unwrap();
    let gift = server.url(&format!("faucet/{}", somebody()));
    let given = server.0.http.post(&gift).send().await.unwrap();
    assert_eq!(given.status(), StatusCode::ACCEPTED);
    let given: Value = serde_json::from_slice(&given.bytes().await.unwrap()).unwrap();
    let id = given["transaction"].as_str().unwrap().to_owned();

    let pushed = tokio::time::timeout(DEADLINE, socket.next()).await.unwrap().unwrap().unwrap();
    let Message::Binary(pushed) = pushed else { panic!("{pushed:?}") };
    let headers = verifier.finality(&Finality::read(&pushed).unwrap()).unwrap();
    // The next block follows at once, and only the newest is told.
    assert!((1..=2).contains(&headers[0].height), "{}", headers[0].height);

    let receipt = until("a receipt", async || {
        let (_, receipt) = server.json(&format!("receipts/{id}")).await;
        receipt["height"].is_u64().then_some(receipt)
    })
    .await;
    assert_eq!(receipt["code"], 0);
    let balance = accounts::balance_key(somebody(), AssetId::NATIVE);
    let path = format!("state/{}", hex(balance.as_bytes()));
    let mut proof = StateProof::read(&server.cbor(&path).await).unwrap();
    let headers = verifier.finality(&proof.finality).unwrap();
    let record = Verifier::record(&headers[0], balance.as_bytes(), &proof).unwrap();
    let held: accounts::Balance = minicbor::decode(record.unwrap()).unwrap();
    assert_eq!(held.amount, 10_000_000);
    proof.record = Some(vec![0x82, 0x18, 0x99, 0xf4].into());
    let forged = Verifier::record(&headers[0], balance.as_bytes(), &proof);
    assert_eq!(forged, Err(Fault::FalseProof));

    let (_, events) = server.json(&format!("accounts/{}/events", somebody())).await;
    assert_eq!(events["receipts"][0]["transaction"], id.as_str());
    let (height, index) = (&receipt["height"], receipt["index"].as_u64().unwrap());
    for (index, count) in [(index, 0), (index + 1, 1)] {
        let page = format!("accounts/{}/events?below={height}&index={index}", somebody());
        let (_, page) = server.json(&page).await;
        assert_eq!(page["receipts"].as_array().unwrap().len(), count, "before index {index}");
    }
    let again = server.0.http.post(&gift).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::CONFLICT, "it has enough");

    drop(socket);
    server.stop().await;
    let server = Running::start(folder.path(), beside::Config::default()).await;
    assert_eq!(server.status().await["root"], root.as_str(), "the same ledger at the next start");
    assert_eq!(server.json(&format!("receipts/{id}")).await.1, receipt);
    server.stop().await;
}

#[tokio::test]
async fn a_host_may_want_no_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let off = beside::Config { enabled: false, ..beside::Config::default() };
    let server = Running::start(folder.path(), off).await;
    let (status, value) = server.json("status").await;
    assert_eq!((status, &value["error"]["code"]), (StatusCode::NOT_FOUND, &"off".into()));
    assert!(!folder.path().join("ledger").exists());
    server.stop().await;
}

#[tokio::test]
async fn a_ledger_that_is_no_demo_gives_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let plain = beside::Config { demo: false, ..beside::Config::default() };
    let server = Running::start(folder.path(), plain).await;
    let status = server.status().await;
    assert_eq!((&status["demo"], &status["faucet"]), (&false.into(), &serde_json::Value::Null));
    let asked = server.0.http.post(server.url(&format!("faucet/{}", somebody()))).send().await;
    assert_eq!(asked.unwrap().status(), StatusCode::NOT_FOUND);
    server.stop().await;
}

#[tokio::test]
async fn a_ledger_that_can_not_start_keeps_nobody_from_watching() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("ledger")).unwrap();
    std::fs::write(folder.path().join("ledger/network.toml"), "no network").unwrap();
    let server = Running::start(folder.path(), beside::Config::default()).await;
    until("the ledger says that it stopped", async || {
        let (_, value) = server.json("status").await;
        (value["error"]["code"] == "stopped").then_some(())
    })
    .await;
    let ready =
        server.0.http.get(format!("http://{}/readyz", server.0.address)).send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    server.stop().await;
}

/// Sockets of one address.
const OF_ONE_PLACE_MAX: usize = 128;

#[tokio::test]
async fn one_address_does_not_take_all_places_of_those_who_follow() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config { data: folder.path().to_owned(), ..Config::default() };
    config.signaling.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = Running(Serving::start(config).await);
    server.status().await;
    let open = async |from: &str| {
        let url = format!("ws://{}/ledger/ws", server.0.address);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("x-forwarded-for", from.parse().unwrap());
        connect_async(request).await.map(|(socket, _)| socket)
    };
    let mut sockets = Vec::new();
    for _ in 0..OF_ONE_PLACE_MAX {
        sockets.push(open("203.0.113.7").await.unwrap());
    }
    match open("203.0.113.7").await {
        Err(SocketError::Http(refused)) => assert_eq!(refused.status().as_u16(), 503),
        other => panic!("it is let in, or otherwise refused: {other:?}"),
    }
    drop(open("203.0.113.8").await.unwrap());
    // Who goes makes room for who comes.
    sockets.pop();
    until("a place is free again", async || open("203.0.113.7").await.ok()).await;
    drop(sockets);
    server.stop().await;
}
