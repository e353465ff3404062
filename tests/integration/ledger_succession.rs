//! One server's own validator hands over to four: who pinned its key goes on, with what was paid before and
//! after.

use ledger::{AssetId, domains::accounts};
use primitives::KeyPair;
use serde_json::{Value, json};
use starling::ledger_client::{Client, ClientError, Follower};

use super::ledger_rig::{Network, starling};
use super::somebody;

/// Blocks until the four take over: some seconds.
const AHEAD: u64 = 25;

pub(super) async fn held(network: &Network, index: usize, follower: &Follower) -> Option<u128> {
    let client = Client::new(&network.base(index)).unwrap();
    let key = accounts::balance_key(somebody(), AssetId::NATIVE);
    let (balance, _) = client.proved::<accounts::Balance>(follower, &key).await.unwrap();
    balance.map(|balance| balance.amount)
}

pub(super) fn restore(network: &Network, index: usize, file: &std::path::Path) {
    let made = starling()
        .args(["ledger", "restore", "--config"])
        .arg(network.folder().join(format!("validator-{index}.toml")))
        .arg(file)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// The old one is told, makes its last block, and then no more; how it names the next validators.
async fn is_told(old: &mut Network, new: &Network, first: u64) -> Value {
    let shared = new.folder().join("network.toml");
    std::fs::copy(&shared, old.folder().join("network.toml")).unwrap();
    old.start(0).await;
    old.until(0, first - 1).await;
    let client = Client::new(&old.base(0)).unwrap();
    let key: KeyPair = old.faucet();
    let late = client.send(&key, AssetId::NATIVE, somebody(), 5).await;
    assert!(
        matches!(&late, Err(ClientError::Refused { code, .. }) if code == "replaced"),
        "{late:?}"
    );
    let listed = old
        .condition("the next validators are named", async || {
            let answer = old.get(0, "successions").await;
            (answer["successions"].as_array()?.len() == 1).then_some(answer)
        })
        .await;
    assert_eq!((&listed["epoch"], &listed["successions"][0]["height"]), (&json!(0), &json!(first)));
    let (code, wrong) = old.ask(0, "successions?after=x", None).await;
    assert_eq!((code, wrong), (400, json!({ "error": { "code": "malformed" } })));
    for last in [1, u64::MAX - 1, u64::MAX] {
        let answer = old.get(0, &format!("successions?after={last}")).await;
        assert_eq!(answer["successions"], json!([]), "after {last}");
    }
    listed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_validator_hands_over_to_four_and_its_clients_follow() {
    let mut old = Network::alone();
    old.start(0).await;
    let root = Client::new(&old.base(0)).unwrap().root().await.unwrap();
    let follower = Follower::new(&root).unwrap();
    let before = old.send(0, somebody(), 1_000);
    assert_eq!(held(&old, 0, &follower).await, Some(1_000));
    let first = old.get(0, "status").await["height"].as_u64().unwrap() + AHEAD;
    old.kill(0);
    let (mut new, said) = old.successor(first);
    assert!(said.contains(&format!("Before block {}", first - 1)), "{said}");

    let listed = is_told(&mut old, &new, first).await;
    let file = old.folder().join("file");
    let made = starling()
        .args(["ledger", "--node", &old.base(0), "snapshot"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(old.get(0, "status").await["height"], first - 1);
    assert_eq!(held(&old, 0, &follower).await, Some(1_000), "it goes on answering");
    old.kill(0);

    // One of the four has the old one's data, the others its last state.
    for name in ["engine", "records.redb"] {
        std::fs::rename(old.folder().join(name), new.folder().join("validator-0").join(name))
            .unwrap();
    }
    for index in 1..4 {
        restore(&new, index, &file);
    }
    for index in 0..4 {
        new.start(index).await;
    }
    let after = new.send(1, somebody(), 20);
    let height = after["height"].as_u64().unwrap();
    assert!(height >= first, "{after}");
    for index in 0..4 {
        new.until(index, height).await;
        assert_eq!(held(&new, index, &follower).await, Some(1_020), "validator {index}");
        let status = new.get(index, "status").await;
        assert_eq!((&status["epoch"], &status["validators"]), (&json!(1), &json!(4)));
        assert_eq!(status["root"], root.to_string(), "what was pinned is pinned");
        let answer = new.get(index, "successions").await;
        assert_eq!(answer["successions"], listed["successions"], "validator {index}");
        assert_eq!(new.get(index, "successions?after=1").await["successions"], json!([]));
    }
    let id = before["transaction"].as_str().unwrap();
    assert_eq!(new.get(0, &format!("receipts/{id}")).await, before, "it has everything");
    let (code, unknown) = new.ask(1, &format!("receipts/{id}"), None).await;
    assert_eq!((code, &unknown["error"]["since"]), (404, &json!(first)));
    // The first ones' key made the block before, the next ones' the block after.
    let headers = async |at: u64| -> Value { new.get(0, &format!("certificates/{at}")).await };
    assert_eq!(headers(first - 1).await["headers"].as_array().map(Vec::len), Some(1));
    assert!(headers(first).await["certificate"].is_string());

    // Three of four are enough, and one that comes back has what it had.
    new.kill(2);
    let more = new.send(3, somebody(), 3);
    new.start(2).await;
    new.until(2, more["height"].as_u64().unwrap()).await;
    assert_eq!(held(&new, 2, &follower).await, Some(1_023));
    assert_eq!(follower.epoch(), 1, "it was followed once, and kept");
}
