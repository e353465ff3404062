//! Accounts that several keys speak for, and notes, by the command line: a transaction is drafted, handed on as a file,
//! signed apart, put together and sent; fewer than it takes send nothing.

use std::path::Path;

use ledger::{AccountId, Body};
use serde_json::{Value, json};

use super::ledger_rig::{Network, starling};
use super::somebody;

/// `starling ledger`; what it says, or what it complains of.
fn ledger(network: &Network, words: &[&str]) -> Result<Value, String> {
    let mut command = starling();
    let done = command.args(["ledger", "--node", &network.base(0)]).args(words).output().unwrap();
    if done.status.success() {
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// Files of three new keys, and the keys.
fn three(network: &Network) -> [(String, String); 3] {
    ["one.key", "two.key", "three.key"].map(|name| {
        let file = text(&network.folder().join(name));
        let shown = starling().args(["keys", "show", &file, "--json"]).output().unwrap();
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        (file, shown["key"].as_str().unwrap().to_owned())
    })
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn two_of_three_keys_send_by_a_file_that_is_handed_on() {
    let mut network = Network::alone();
    network.start(0).await;
    let [one, two, three] = three(&network);
    let name = ["policy", "name", "--threshold", "2", &two.1, &one.1, &three.1];
    let named = ledger(&network, &name).unwrap();
    let account = named["account"].as_str().unwrap();
    network.send(0, account.parse().unwrap(), 1_000_000);
    let shown = ledger(&network, &["policy", "show", account]).unwrap();
    assert_eq!(shown["keys"], Value::Null, "the ledger has their hash only");

    let (file, copy) =
        (text(&network.folder().join("rent.txt")), text(&network.folder().join("copy.txt")));
    let (to, by) = (somebody().to_string(), format!("2:{},{},{}", one.1, two.1, three.1));
    let draft = ["send", &to, "250", "--memo", "rent", "--from", account, "--draft", &file];
    let unnamed = ledger(&network, &draft).unwrap_err();
    assert!(unnamed.contains("--by"), "{unnamed}");
    let draft: Vec<&str> = draft.into_iter().chain(["--by", &by]).collect();
    let told = ledger(&network, &draft).unwrap();
    assert_eq!((&told["signed"], &told["needed"]), (&json!([]), &json!(2)));
    let again = ledger(&network, &draft).unwrap_err();
    assert!(again.contains("cannot write"), "a draft is not written over another: {again}");

    std::fs::copy(&file, &copy).unwrap();
    let signed = ledger(&network, &["sign", &file, "--key", &three.0]).unwrap();
    assert_eq!(signed["signed"], json!([three.1]));
    let says = signed["says"].to_string();
    let memo = Body::memo_of("rent").to_string();
    for said in [&format!("sends 250 units of the ledger's own asset to account {to}"), &memo] {
        assert!(says.contains(said), "{says}");
    }
    let few = ledger(&network, &["submit", &file]).unwrap_err();
    assert!(few.contains("signed by 1, expected 2"), "{few}");
    let faucet = text(&network.faucet_file());
    let stranger = ledger(&network, &["sign", &file, "--key", &faucet]).unwrap_err();
    assert!(stranger.contains("none of those that may sign"), "{stranger}");

    ledger(&network, &["sign", &copy, "--key", &one.0]).unwrap();
    let receipt = ledger(&network, &["submit", &file, &copy, "--wait-s", "60"]).unwrap();
    assert_eq!((&receipt["code"], &receipt["transaction"]), (&json!(0), &told["transaction"]));
    assert_eq!(network.get(0, &format!("accounts/{to}")).await["units"], "250");
    let id = receipt["transaction"].as_str().unwrap();
    assert_eq!(ledger(&network, &["receipt", id]).unwrap()["memo"], json!(memo));
    // The same once more is no second payment.
    assert!(ledger(&network, &["submit", &file, &copy, "--wait-s", "2"]).is_err());
    assert_eq!(network.get(0, &format!("accounts/{to}")).await["units"], "250");
}

#[tokio::test]
async fn an_account_changes_to_several_keys_and_back() {
    let mut network = Network::alone();
    network.start(0).await;
    let [one, two, three] = three(&network);
    let faucet = text(&network.faucet_file());
    let account = AccountId::of_key(network.faucet().id()).to_string();
    let to = somebody().to_string();
    let mut keys = [one.1.clone(), two.1.clone(), three.1.clone()];
    keys.sort();
    let set = ["policy", "set", "--threshold", "2", &one.1, &two.1, &three.1, "--wait-s", "60"];
    let set: Vec<&str> = set.into_iter().chain(["--key", &faucet]).collect();
    assert_eq!(ledger(&network, &set).unwrap()["code"], 0);
    let shown = ledger(&network, &["policy", "show", &account]).unwrap();
    assert_eq!((&shown["threshold"], &shown["keys"]), (&json!(2), &json!(keys)));

    let alone = ledger(&network, &["send", &to, "5", "--key", &faucet]).unwrap_err();
    assert!(alone.contains("Its keys were changed"), "{alone}");
    let back = text(&network.folder().join("back.txt"));
    let draft = ["policy", "set", "--threshold", "1", &two.1, "--from", &account, "--draft", &back];
    let told = ledger(&network, &draft).unwrap()["says"].to_string();
    assert!(told.contains("changes its keys: from then on it takes 1 of these 1 keys"), "{told}");
    for (file, _) in [&one, &three] {
        ledger(&network, &["sign", &back, "--key", file]).unwrap();
    }
    assert_eq!(ledger(&network, &["submit", &back, "--wait-s", "60"]).unwrap()["code"], 0);
    let shown = ledger(&network, &["policy", "show", &account]).unwrap();
    assert_eq!((&shown["threshold"], &shown["keys"]), (&json!(1), &json!([two.1])));
}

#[tokio::test]
async fn a_transfer_carries_the_hash_of_a_note() {
    let mut network = Network::alone();
    network.start(0).await;
    let (to, faucet) = (somebody().to_string(), text(&network.faucet_file()));
    let send = ["send", &to, "5", "--wait-s", "60", "--key", &faucet];
    let with = |more: &[&str]| {
        let words: Vec<&str> = send.iter().copied().chain(more.iter().copied()).collect();
        ledger(&network, &words)
    };
    let memo = Body::memo_of("June").to_string();
    assert_eq!(with(&["--memo", "June"]).unwrap()["memo"], json!(memo));
    assert_eq!(with(&["--memo-hash", &memo]).unwrap()["memo"], json!(memo));
    assert_eq!(with(&[]).unwrap()["memo"], Value::Null);
    assert!(with(&["--memo", "June", "--memo-hash", &memo]).is_err(), "one of the two");
    assert!(ledger(&network, &["send", &to, "5"]).unwrap_err().contains("--key"));
}
