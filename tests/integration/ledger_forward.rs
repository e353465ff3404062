//! A host without a validator in front of hosts that run one: what it hands on is proved by a light client that knows
//! only the trust root; a source that dies is noticed by nobody; one of another ledger is not asked.

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use ledger::{AssetId, domains::accounts};
use light_client::{TrustRoot, Verifier};
use reqwest::StatusCode;
use serde_json::Value;
use starling::ledger_client::{Client, Follower};
use starling::serve::{Config, ForwardError, ServeError, Server, ledger as beside};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use wire::ledger::Finality;

use super::ledger_rig::{Network, starling};
use super::serve_rig::Serving;
use super::somebody;

/// What a slow machine may take for a block.
const BLOCK_WITHIN: Duration = Duration::from_secs(60);

/// A host that runs no validator.
struct Host(Serving);

impl Host {
    async fn start(data: &Path, ledger: beside::Config) -> Self {
        let config = Config { data: data.to_owned(), ledger, ..Config::default() };
        Self(Serving::start(config).await)
    }

    fn base(&self) -> String {
        format!("http://{}", self.0.address)
    }

    /// Status, and the answer or the code of the error.
    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer =
            self.0.http.get(format!("{}/ledger/{path}", self.base())).send().await.unwrap();
        assert_eq!(answer.headers()["access-control-allow-origin"], "*", "{path}");
        let status = answer.status();
        let value: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        let told = if status.is_success() { value } else { value["error"]["code"].clone() };
        (status, told)
    }

    /// Waits until it says this.
    async fn says(&self, network: &Network, code: &str) {
        network
            .condition(code, async || {
                let (status, told) = self.get("status").await;
                (status == StatusCode::SERVICE_UNAVAILABLE && told == code).then_some(())
            })
            .await;
    }

    /// Waits until it has a ledger.
    async fn status(&self, network: &Network) -> Value {
        network
            .condition("the host hands on", async || {
                let (status, told) = self.get("status").await;
                (status == StatusCode::OK).then_some(told)
            })
            .await
    }

    async fn stop(self) {
        self.0.stop().await;
    }
}

async fn root_of(network: &Network) -> TrustRoot {
    network.get(0, "status").await["root"].as_str().unwrap().parse().unwrap()
}

/// Waits until a client proves that somebody has so many units; in which block.
async fn holds(network: &Network, client: &Client, follower: &Follower, units: u128) -> u64 {
    let key = accounts::balance_key(somebody(), AssetId::NATIVE);
    network
        .condition("the balance is proved", async || {
            let proved = client.proved_in::<accounts::Balance>(follower, &key).await.ok()?;
            (proved.record?.amount == units).then_some(proved.height)
        })
        .await
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The next block that the socket shows, proved; none: it ended.
async fn next(socket: &mut Socket, verifier: &Verifier) -> Option<u64> {
    loop {
        let message = tokio::time::timeout(BLOCK_WITHIN, socket.next()).await.unwrap();
        match message {
            Some(Ok(Message::Binary(bytes))) => {
                let headers = verifier.finality(&Finality::read(&bytes).unwrap()).unwrap();
                return headers.last().map(|last| last.height);
            }
            Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
            Some(Ok(_)) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_handed_on_is_proved_and_goes_on_when_a_source_dies() {
    let mut network = Network::of_four();
    for index in 0..4 {
        network.start(index).await;
    }
    let sent = network.send(0, somebody(), 1_000);
    network.until(1, sent["height"].as_u64().unwrap()).await;
    let root = root_of(&network).await;
    let folder = tempfile::tempdir().unwrap();
    let settings = beside::Config {
        from: vec![network.base(0), network.base(1)],
        root: Some(root.to_string()),
        others: vec!["https://b.example".to_owned()],
        ..beside::Config::default()
    };
    let host = Host::start(folder.path(), settings).await;
    let status = host.status(&network).await;
    assert_eq!(status["root"], root.to_string());
    let named = ["https://b.example".to_owned(), network.base(0), network.base(1)];
    assert_eq!(status["hosts"], serde_json::json!(named));
    assert!(!folder.path().join("ledger").exists(), "it runs none");
    assert_eq!(host.get("snapshot").await, (StatusCode::NOT_FOUND, "unknown".into()));
    assert_eq!(host.get("state/zz").await.1, "malformed");

    // All that this client knows is the root.
    let (client, follower) = (Client::new(&host.base()).unwrap(), Follower::new(&root).unwrap());
    let verifier = Verifier::new(&root).unwrap();
    let first = holds(&network, &client, &follower, 1_000).await;
    let socket = format!("{}/ledger/ws", host.base().replace("http", "ws"));
    let (mut socket, _) = connect_async(socket).await.unwrap();
    let mut shown = next(&mut socket, &verifier).await.unwrap();
    let id = client.send(&network.faucet(), AssetId::NATIVE, somebody(), 20).await.unwrap();
    client.done(id, BLOCK_WITHIN).await.unwrap();
    holds(&network, &client, &follower, 1_020).await;

    network.kill(0);
    let id = client.send(&network.faucet(), AssetId::NATIVE, somebody(), 3).await.unwrap();
    client.done(id, BLOCK_WITHIN).await.unwrap();
    let last = holds(&network, &client, &follower, 1_023).await;
    assert!(last > first);
    while shown < last {
        let newer = next(&mut socket, &verifier).await.unwrap();
        assert!(newer > shown, "{newer} after {shown}: whoever goes back lies");
        shown = newer;
    }

    network.kill(1);
    while next(&mut socket, &verifier).await.is_some() {}
    host.says(&network, "unreachable").await;
    network.start(1).await;
    host.status(&network).await;
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_another_ledger_is_not_asked() {
    let (mut ours, mut others) = (Network::alone(), Network::alone());
    ours.start(0).await;
    others.start(0).await;
    let root = root_of(&ours).await;
    assert_ne!(root, root_of(&others).await);
    let said = starling().args(["ledger", "--node", &ours.base(0), "root"]).output().unwrap();
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said["root"], root.to_string());
    let settings = |from: &[String]| beside::Config {
        from: from.to_vec(),
        root: Some(root.to_string()),
        ..beside::Config::default()
    };
    let folders: Vec<_> = (0..4).map(|_| tempfile::tempdir().unwrap()).collect();
    let both = settings(&[others.base(0), ours.base(0)]);
    let both = Host::start(folders[0].path(), both).await;
    assert_eq!(both.status(&ours).await["root"], root.to_string(), "though it is the second");
    let wrong = Host::start(folders[1].path(), settings(&[others.base(0)])).await;
    wrong.says(&ours, "other-ledger").await;
    // Forwarders ask no forwarder: they could ask each other for ever.
    let behind = Host::start(folders[2].path(), settings(&[both.base()])).await;
    behind.says(&ours, "unreachable").await;
    let narrow = beside::Config { asks_per_ip_per_minute: 1, ..settings(&[ours.base(0)]) };
    let narrow = Host::start(folders[3].path(), narrow).await;
    narrow.get("status").await;
    let often = (StatusCode::TOO_MANY_REQUESTS, "place".into());
    assert_eq!(narrow.get("status").await, often);
    for host in [both, wrong, behind, narrow] {
        host.stop().await;
    }
}

#[tokio::test]
async fn settings_that_can_not_be_meant_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |ledger: beside::Config| {
        let listen = vec![([127, 0, 0, 1], 0).into()];
        let config = Config { data: folder.path().to_owned(), listen, ledger, ..Config::default() };
        match Server::bind(config) {
            Err(ServeError::Ledger(error)) => error,
            other => panic!("{other:?}"),
        }
    };
    let from = vec!["https://a.example".to_owned()];
    let plain = || beside::Config { from: from.clone(), ..beside::Config::default() };
    let no_root = beside::Config { root: Some("starling-ledger-1-".to_owned()), ..plain() };
    assert!(matches!(refused(no_root), ForwardError::Root(_)));
    let alone = beside::Config { root: Some("any".to_owned()), ..beside::Config::default() };
    assert!(matches!(refused(alone), ForwardError::RootAlone));
    let both = beside::Config { network: Some("network.toml".into()), ..plain() };
    assert!(matches!(refused(both), ForwardError::Both));
    let others = vec!["http://b.example".to_owned()];
    let others = beside::Config { others, ..beside::Config::default() };
    assert!(matches!(refused(others), ForwardError::Named(_)));
    let said = starling()
        .args(["serve", "--listen", "127.0.0.1:0", "--ledger-from", "a.example", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(!said.status.success());
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.contains("a.example") && said.contains("is no host"), "{said}");
}
