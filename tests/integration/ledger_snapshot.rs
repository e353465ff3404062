//! Validators that do not have everything: one that begins with a snapshot, one that keeps the last blocks
//! only.

use std::path::Path;
use std::process::Output;

use axum::{Json, Router, routing::get};
use ledger::{AssetId, domains::accounts};
use serde_json::{Value, json};
use starling::ledger_client::{Client, Follower};
use tokio::net::TcpListener;

use super::ledger_rig::{Network, starling};
use super::somebody;

/// Fewest blocks that may be kept.
const KEEP_BLOCKS: u64 = 128;

fn ledger(words: &[&str], files: &[&Path]) -> Output {
    starling().arg("ledger").args(words).args(files).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn snapshot(network: &Network, index: usize, file: &Path) {
    let made = ledger(&["--node", &network.base(index), "snapshot"], &[file]);
    assert!(made.status.success(), "{}", text(&made.stderr));
}

fn restore(network: &Network, index: usize, file: &Path) -> Output {
    let config = network.folder().join(format!("validator-{index}.toml"));
    ledger(&["restore", "--config"], &[&config, file])
}

#[tokio::test]
async fn a_validator_that_begins_with_a_snapshot_follows_proves_and_votes() {
    let mut network = Network::of_four();
    for index in 0..3 {
        network.start(index).await;
    }
    let early = network.send(0, somebody(), 999);
    // The snapshot is of a later block: that one it would have.
    network.send(0, somebody(), 1);
    let file = network.folder().join("file");
    snapshot(&network, 0, &file);

    // What was changed on the way is refused, and leaves nothing.
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = network.folder().join("changed");
    std::fs::write(&changed, &bytes).unwrap();
    let refused = restore(&network, 3, &changed);
    let said = text(&refused.stderr);
    assert!(!refused.status.success() && said.contains("the snapshot"), "{said}");
    assert!(!network.folder().join("validator-3/engine").exists());

    let made = restore(&network, 3, &file);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let height = made["height"].as_u64().unwrap();
    assert!(height >= early["height"].as_u64().unwrap());

    // It runs what was made since.
    let late = network.send(1, somebody(), 20);
    network.start(3).await;
    let last = late["height"].as_u64().unwrap();
    network.until(3, last).await;
    let since = height + 1;
    assert_eq!(network.get(3, "status").await["since"], since);
    for at in since..=last {
        let block = network.get(0, &format!("blocks/{at}")).await;
        assert_eq!(network.get(3, &format!("blocks/{at}")).await, block, "block {at}");
    }
    let id = late["transaction"].as_str().unwrap();
    assert_eq!(network.get(3, &format!("receipts/{id}")).await, late);

    // What it says of now is proved under the key that everybody pins.
    let client = Client::new(&network.base(3)).unwrap();
    let root = Client::new(&network.base(0)).unwrap().root().await.unwrap();
    let key = accounts::balance_key(somebody(), AssetId::NATIVE);
    let follower = Follower::new(&root).unwrap();
    let (proved, _) = client.proved::<accounts::Balance>(&follower, &key).await.unwrap();
    assert_eq!(proved.map(|balance| balance.amount), Some(1_020));

    // Of before it knows nothing, and says so.
    let id = early["transaction"].as_str().unwrap();
    let unknown = json!({ "error": { "code": "unknown", "since": since } });
    assert_eq!(network.ask(3, &format!("receipts/{id}"), None).await, (404, unknown));
    let pruned = json!({ "error": { "code": "pruned", "since": since } });
    for path in ["blocks/0", "blocks/1", "certificates/1"] {
        assert_eq!(network.ask(3, path, None).await, (410, pruned.clone()), "{path}");
    }
    let asked = ledger(&["--node", &network.base(3), "receipt", id], &[]);
    let said = text(&asked.stderr);
    assert!(said.contains(&format!("which begin with block {since}")), "{said}");

    // Without its votes three of four are two.
    network.kill(0);
    let last = network.send(3, somebody(), 3);
    network.kill(3);
    network.start(3).await;
    network.until(3, last["height"].as_u64().unwrap()).await;
    assert_eq!(network.get(3, &format!("accounts/{}", somebody())).await["units"], "1023");
}

/// A host that says what another does, and gives something else for a snapshot.
async fn rubbish(network: &Network) -> String {
    let status = network.get(0, "status").await;
    let app = Router::new()
        .route("/ledger/status", get(move || async move { Json(status) }))
        .route("/ledger/snapshot", get(async || "no snapshot"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, app).into_future());
    base
}

async fn since(network: &Network, index: usize) -> u64 {
    network.get(index, "status").await["since"].as_u64().unwrap()
}

async fn votes(network: &Network, index: usize) {
    let is_voting = async || (network.get(index, "status").await["voting"] == true).then_some(());
    network.condition("a validator that lost its votes votes", is_voting).await;
}

#[tokio::test]
async fn a_validator_that_others_left_behind_begins_by_itself_and_votes() {
    let mut network = Network::of_four();
    network.settings(|text| {
        let quick = text.replace("heartbeat_ms = 200", "heartbeat_ms = 50");
        assert_ne!(quick, text);
        format!("{quick}keep_blocks = {KEEP_BLOCKS}\n")
    });
    for index in 0..4 {
        network.start(index).await;
    }
    let early = network.send(3, somebody(), 1_000)["height"].as_u64().unwrap();
    let height = network.get(3, "status").await["height"].as_u64().unwrap();
    network.kill(3);
    // What was made until it was killed, and since.
    for index in 0..3 {
        let forgotten = async || (since(&network, index).await > height + 32).then_some(());
        network.condition("the others forget what it lacks", forgotten).await;
    }

    // Its ledger is moved aside, whole, once a host gives a snapshot that holds.
    let (bad, good) = (rubbish(&network).await, network.base(0));
    let from = ["--snapshot-from", &bad, "--snapshot-from", &good];
    let options = [&from[..], &["--replace-late"]].concat();
    let log = network.start_warned(3, &options).await;
    let said = std::fs::read_to_string(log).unwrap();
    assert!(said.contains(&format!("{bad} is passed over")), "{said}");
    let home = network.home(3);
    let there = |name: &str| home.join(name).exists();
    let aside: Vec<String> = std::fs::read_dir(&home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".old-"))
        .collect();
    assert_eq!(aside.len(), 2, "engine and records: {aside:?}");
    assert!(there("validator.key") && there("validator.share") && !there("validator.fresh"));
    assert!(!there("begin.snapshot") && !there("restored") && !there("replace.unfinished"));
    let begun = since(&network, 3).await;
    assert!(begun > height + KEEP_BLOCKS && begun > early, "{begun}");
    votes(&network, 3).await;

    // With an empty disk: nobody says by hand what to do.
    network.kill(3);
    network.wipe(3);
    let next = network.base(1);
    let from = ["--snapshot-from", &bad, "--snapshot-from", &next];
    let log = network.start_warned(3, &from).await;
    let said = std::fs::read_to_string(log).unwrap();
    assert!(said.contains(&format!("{bad} is passed over")), "{said}");
    assert!(since(&network, 3).await > begun);
    votes(&network, 3).await;
    // Without its votes three of four are two.
    network.kill(0);
    let last = network.send(3, somebody(), 3)["height"].as_u64().unwrap();
    assert!(last > begun);
    assert_eq!(network.get(3, &format!("accounts/{}", somebody())).await["units"], "1003");
}

#[tokio::test]
async fn a_pruned_height_is_answered_in_words_and_the_rest_stays() {
    let mut network =
        Network::alone_with(&format!("heartbeat_ms = 10\nkeep_blocks = {KEEP_BLOCKS}\n"));
    network.start(0).await;
    let first = network.send(0, somebody(), 5);
    let id = first["transaction"].as_str().unwrap().to_owned();
    assert_eq!(network.get(0, &format!("receipts/{id}")).await, first);
    let since = network
        .condition("the first blocks are forgotten", async || {
            let since = network.get(0, "status").await["since"].as_u64()?;
            (since > first["height"].as_u64()?).then_some(since)
        })
        .await;
    let status = network.get(0, "status").await;
    let height = status["height"].as_u64().unwrap();
    assert!(height >= since + KEEP_BLOCKS, "as many as were asked for are kept");
    let (code, answer) = network.ask(0, "blocks/1", None).await;
    assert_eq!((code, &answer["error"]["code"]), (410, &json!("pruned")));
    assert!(answer["error"]["since"].as_u64().unwrap() >= since);
    let (code, answer) = network.ask(0, &format!("receipts/{id}"), None).await;
    assert_eq!((code, &answer["error"]["code"]), (404, &json!("unknown")));
    assert!(answer["error"]["since"].as_u64().unwrap() >= since);
    let events = network.get(0, &format!("accounts/{}/events", somebody())).await;
    assert_eq!(events["receipts"], json!([]));
    assert!(events["since"].as_u64().unwrap() >= since);
    // The state needs none of them.
    assert_eq!(network.get(0, &format!("accounts/{}", somebody())).await["units"], "5");

    network.kill(0);
    network.start(0).await;
    assert_eq!(network.get(0, &format!("accounts/{}", somebody())).await["units"], "5");
    assert!(network.get(0, "status").await["since"].as_u64().unwrap() >= since);
    let last = network.send(0, somebody(), 2);
    assert!(last["height"].as_u64().unwrap() > height);
    let certified = network.get(0, &format!("certificates/{}", last["height"])).await;
    assert!(certified["certificate"].is_string());
}
