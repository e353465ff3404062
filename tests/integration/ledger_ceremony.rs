//! Four who trust nobody with all keys begin a network, and deal its key anew to four others: clients go on with the
//! key that they pinned.

use std::path::Path;

use ledger::AccountId;
use serde_json::{Value, json};
use starling::ledger_client::{Client, Follower};

use super::ledger_rig::{Network, ceremony, said, starling};
use super::ledger_succession::{held, restore};
use super::somebody;

/// Blocks until others take over: some seconds.
const AHEAD: u64 = 25;
const PLAYERS: &str = "v0,v1,v2,v3";

/// One of them says who takes part; what it says.
fn begin(shared: &Path, options: &[&str]) -> String {
    let mut command = starling();
    command.args(["keys", "ceremony", "begin", "--players", PLAYERS]).args(options).arg(shared);
    said(command)
}

/// What is refused in a step.
fn refused(step: &[&str], shared: &Path, home: &Path) -> String {
    let mut command = starling();
    command.args(["keys", "ceremony"]).args(step).arg(shared).arg("--home").arg(home);
    let made = command.output().unwrap();
    assert!(!made.status.success(), "{step:?} was done");
    String::from_utf8_lossy(&made.stderr).into_owned()
}

/// The line that all compare.
fn digits(said: &str) -> &str {
    said.lines().find(|line| line.starts_with("network ")).unwrap()
}

/// Four begin a network by themselves.
fn begun() -> (tempfile::TempDir, Network) {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path();
    let network = Network::joined(shared);
    let owner = AccountId::of_key(network.faucet().id()).to_string();
    begin(shared, &["--owner", &owner]);
    for index in 0..3 {
        ceremony(&["deal"], shared, &network.home(index));
    }
    let early = ceremony(&["ack"], shared, &network.home(0));
    assert!(early.contains("not of v3: v3.dealing.toml is not there yet"), "{early}");
    ceremony(&["deal"], shared, &network.home(3));
    for index in 0..4 {
        ceremony(&["ack"], shared, &network.home(index));
    }
    for index in 0..4 {
        ceremony(&["seal"], shared, &network.home(index));
    }
    let taken: Vec<String> =
        (0..4).map(|index| ceremony(&["take"], shared, &network.home(index))).collect();
    assert!(taken.iter().all(|said| digits(said) == digits(&taken[0])), "{taken:?}");
    (folder, network)
}

/// The four deal their key to four others, one of them silent.
fn reshared(old: &Network, first: u64) -> (tempfile::TempDir, Network) {
    let folder = tempfile::tempdir().unwrap();
    let shared = folder.path();
    let next = Network::joined(shared);
    let network = old.home(0).join("network.toml");
    let height = first.to_string();
    begin(shared, &["--reshare", "--height", &height, "--network", network.to_str().unwrap()]);
    // Who gets a share deals nothing, and the other way round.
    assert!(refused(&["deal"], shared, &next.home(0)).contains("none of those who deal: old-"));
    assert!(refused(&["ack"], shared, &old.home(0)).contains("none of those who get a share: v"));
    for index in 0..3 {
        ceremony(&["deal"], shared, &old.home(index));
    }
    for index in 0..4 {
        ceremony(&["ack"], shared, &next.home(index));
    }
    for index in 0..3 {
        ceremony(&["seal"], shared, &old.home(index));
    }
    let waits = refused(&["take"], shared, &next.home(0));
    assert!(waits.contains("not there yet: old-4.log.toml"), "{waits}");
    let taken: Vec<String> = (0..4)
        .map(|index| ceremony(&["take", "--without", "old-4"], shared, &next.home(index)))
        .collect();
    let out = shared.join("public");
    let mut finish = starling();
    finish
        .args(["keys", "ceremony", "finish", "--without", "old-4", "--out"])
        .arg(&out)
        .arg(shared);
    let finished = said(finish);
    assert!(taken.iter().all(|said| digits(said) == digits(&finished)), "{taken:?}");
    for index in 0..4 {
        std::fs::copy(out.join("network.toml"), old.home(index).join("network.toml")).unwrap();
    }
    std::fs::copy(old.faucet_file(), next.faucet_file()).unwrap();
    (folder, next)
}

#[tokio::test(flavor = "multi_thread")]
async fn four_deal_to_each_other_and_then_their_key_to_others() {
    let (_shared, mut old) = begun();
    for index in 0..4 {
        old.start(index).await;
    }
    let root = Client::new(&old.base(0)).unwrap().root().await.unwrap();
    let follower = Follower::new(&root).unwrap();
    let height = old.send(0, somebody(), 1_000)["height"].as_u64().unwrap();
    for index in 0..4 {
        old.until(index, height).await;
        assert_eq!(held(&old, index, &follower).await, Some(1_000), "validator {index}");
    }
    let status = old.get(0, "status").await;
    let key: Value = status["group_key"].clone();
    let mut heights = Vec::new();
    for index in 0..4 {
        heights.push(old.get(index, "status").await["height"].as_u64().unwrap());
        old.kill(index);
    }
    let first = heights.into_iter().max().unwrap() + AHEAD;

    let (_shared, mut next) = reshared(&old, first);
    for index in 0..4 {
        old.start(index).await;
    }
    let file = old.folder().join("file");
    old.until(0, first - 1).await;
    old.condition("the next validators are named", async || {
        let answer = old.get(0, "successions").await;
        (answer["successions"].as_array()?.len() == 1).then_some(())
    })
    .await;
    let mut snapshot = starling();
    snapshot.args(["ledger", "--node", &old.base(0), "snapshot"]).arg(&file);
    said(snapshot);
    for index in 0..4 {
        old.kill(index);
        restore(&next, index, &file);
    }
    for index in 0..4 {
        next.start(index).await;
    }
    let after = next.send(1, somebody(), 20);
    let height = after["height"].as_u64().unwrap();
    assert!(height >= first, "{after}");
    for index in 0..4 {
        next.until(index, height).await;
        assert_eq!(held(&next, index, &follower).await, Some(1_020), "validator {index}");
        let status = next.get(index, "status").await;
        assert_eq!((&status["epoch"], &status["group_key"]), (&json!(1), &key));
        assert_eq!(status["root"], root.to_string());
    }
    assert_eq!(follower.epoch(), 1);
}
