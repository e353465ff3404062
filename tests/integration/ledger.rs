//! The ledger as its users see it: real `starling validator` processes, real sockets, real disks.
//!
//! Run as a test of the package `starling`, which is what can name its binary.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod assets;
mod energy;
#[allow(dead_code, reason = "the rig is shared with the tests of files")]
mod files_rig;
mod ledger_ceremony;
mod ledger_errors;
mod ledger_faults;
mod ledger_forward;
mod ledger_openapi;
mod ledger_rig;
mod ledger_signers;
mod ledger_snapshot;
mod ledger_status;
mod ledger_succession;
mod ledger_upgrade;
mod lending;
mod serve_rig;

use ledger::AccountId;
use ledger_rig::{Network, balance};
use primitives::{KeyPair, Seed};

fn somebody() -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::from_number(77)).id())
}

#[tokio::test]
async fn a_validator_alone_needs_no_set_up_and_loses_nothing_when_killed() {
    let mut network = Network::alone();
    network.start(0).await;
    let receipt = network.send(0, somebody(), 12_345);
    let height = receipt["height"].as_u64().unwrap();
    assert_eq!((&receipt["code"], &receipt["index"]), (&0.into(), &0.into()));
    let before = network.get(0, &format!("blocks/{height}")).await;
    assert_eq!(before["transactions"].as_array().unwrap().len(), 1);
    let proved = network.get(0, &format!("state/{}", balance(somebody()))).await;
    assert!(proved["height"].as_u64().unwrap() >= height);
    assert!(proved["record"].is_string() && proved["proof"].is_string());

    network.kill(0);
    network.start(0).await;
    let id = receipt["transaction"].as_str().unwrap();
    assert_eq!(network.get(0, &format!("receipts/{id}")).await, receipt);
    assert_eq!(network.get(0, &format!("accounts/{}", somebody())).await["units"], "12345");
    assert_eq!(network.get(0, &format!("blocks/{height}")).await, before);
    let certified = network.get(0, &format!("certificates/{height}")).await;
    assert_eq!(certified["headers"][0], before["header"]);
    // It goes on from there.
    assert!(network.send(0, somebody(), 1)["height"].as_u64().unwrap() > height);
    assert_eq!(network.get(0, &format!("accounts/{}", somebody())).await["units"], "12346");
}

#[tokio::test]
async fn one_of_four_is_killed_comes_back_and_has_what_the_others_have() {
    let mut network = Network::of_four();
    for index in 0..4 {
        network.start(index).await;
    }
    let first = network.send(0, somebody(), 1_000);
    network.until(3, first["height"].as_u64().unwrap()).await;

    network.kill(3);
    // Two in a row: a turn of the absent one lies between them, or beside them.
    let between = network.send(1, somebody(), 20);
    // The faucet's next number is asked of this one.
    network.until(2, between["height"].as_u64().unwrap()).await;
    let last = network.send(2, somebody(), 3);
    let height = last["height"].as_u64().unwrap();

    network.start(3).await;
    network.until(3, height).await;
    for index in 0..4 {
        network.until(index, height).await;
        let units = &network.get(index, &format!("accounts/{}", somebody())).await["units"];
        assert_eq!(units, "1023", "validator {index}");
        let id = last["transaction"].as_str().unwrap();
        assert_eq!(network.get(index, &format!("receipts/{id}")).await, last);
    }
    for height in 1..=height {
        let block = network.get(0, &format!("blocks/{height}")).await;
        assert_eq!(block, network.get(3, &format!("blocks/{height}")).await, "no fork");
    }
    // Whoever came back takes part again.
    let again = network.send(3, somebody(), 1);
    assert!(again["height"].as_u64().unwrap() > height);
}

#[test]
fn secrets_are_for_their_owner_and_are_never_overwritten() {
    let network = Network::of_four();
    for name in ["faucet.key", "validator-0/validator.key", "validator-3/validator.share"] {
        let file = network.folder().join(name);
        #[cfg(unix)]
        {
            let permissions = std::fs::metadata(&file).unwrap().permissions();
            let mode = std::os::unix::fs::PermissionsExt::mode(&permissions);
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert!(file.is_file());
    }
    let before = std::fs::read(network.folder().join("validator-0/validator.key")).unwrap();
    let again = ledger_rig::starling()
        .args(["keys", "network", "--out"])
        .arg(network.folder())
        .output()
        .unwrap();
    assert!(!again.status.success());
    let after = std::fs::read(network.folder().join("validator-0/validator.key")).unwrap();
    assert_eq!(before, after);
}
