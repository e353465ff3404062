//! More validators gone than agreement bears, and one that lost its disk.
//!
//! Messages that are lost, partitions, clocks and validators that lie: `ledger-node/src/sim.rs`.

use super::ledger_rig::{Network, transfer};
use super::somebody;

async fn four() -> Network {
    let mut network = Network::of_four();
    for index in 0..4 {
        network.start(index).await;
    }
    network
}

/// All four have the same blocks up to a height.
async fn one_history(network: &Network, height: u64) {
    for index in 0..4 {
        network.until(index, height).await;
    }
    for at in 1..=height {
        let block = network.get(0, &format!("blocks/{at}")).await;
        for index in 1..4 {
            let other = network.get(index, &format!("blocks/{at}")).await;
            assert_eq!(block, other, "block {at} of validator {index}");
        }
    }
}

#[tokio::test]
async fn what_two_of_four_are_sent_is_kept_and_final_when_a_third_is_back() {
    let mut network = four().await;
    let first = network.send(0, somebody(), 1);
    network.until(1, first["height"].as_u64().unwrap()).await;
    network.kill(2);
    network.kill(3);
    let key = network.faucet();
    let sent = transfer(&network, 0, &key, somebody(), 7).await;
    let waiting = network.get(0, &format!("receipts/{sent}")).await;
    // It is kept, and final when a third one is back. That nothing is until then is not asserted here.
    assert_eq!(waiting["waiting"], true);

    network.start(2).await;
    let receipt = network.receipt(0, &sent).await;
    assert_eq!(receipt["code"], 0);
    network.start(3).await;
    // The faucet's next number is asked of this one.
    network.until(3, receipt["height"].as_u64().unwrap()).await;
    let last = network.send(3, somebody(), 2);
    one_history(&network, last["height"].as_u64().unwrap()).await;
    for index in 0..4 {
        assert_eq!(network.receipt(index, &sent).await, receipt, "validator {index}");
    }
}

#[tokio::test]
async fn who_lost_everything_but_its_secrets_has_all_blocks_again() {
    let mut network = four().await;
    let first = network.send(0, somebody(), 1_000);
    network.until(1, first["height"].as_u64().unwrap()).await;
    network.kill(3);
    let second = network.send(1, somebody(), 20);
    network.wipe(3);
    network.start(3).await;
    let height = second["height"].as_u64().unwrap();
    one_history(&network, height).await;
    for receipt in [&first, &second] {
        let id = receipt["transaction"].as_str().unwrap();
        assert_eq!(network.receipt(3, id).await, *receipt);
    }
    let units = &network.get(3, &format!("accounts/{}", somebody())).await["units"];
    assert_eq!(units, "1020");
    // It votes again: without it two of the others are too few. Until then it is silent.
    network
        .condition("a validator without a memory votes", async || {
            let status = network.get(3, "status").await;
            (status["voting"] == true).then_some(())
        })
        .await;
    network.kill(0);
    let last = network.send(3, somebody(), 3);
    assert!(last["height"].as_u64().unwrap() > height);
}
