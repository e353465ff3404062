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

/// Waits for that many blocks of a network that is whole: heartbeats of this machine, as they come.
async fn heartbeats(clock: &Network, count: u64) {
    let height = clock.get(0, "status").await["height"].as_u64().unwrap();
    clock.until(0, height + count).await;
}

#[tokio::test]
async fn one_of_four_may_be_killed_with_two_gone_nothing_is_final_until_one_is_back() {
    let mut network = four().await;
    let mut clock = Network::alone();
    clock.start(0).await;
    network.kill(2);
    let first = network.send(0, somebody(), 1);
    network.until(1, first["height"].as_u64().unwrap()).await;
    network.kill(3);
    let key = network.faucet();
    let sent = transfer(&network, 0, &key, somebody(), 7).await;
    let path = format!("receipts/{sent}");
    for index in [0, 1] {
        let told =
            async || (network.ask(index, &path, None).await.1["waiting"] == true).then_some(());
        network.condition("both that are left know what was sent", told).await;
    }
    // A block that three had voted for before the second was killed may become final still.
    heartbeats(&clock, 3).await;
    let heights = async || {
        let [one, other] = [network.get(0, "status").await, network.get(1, "status").await];
        (one["height"] == other["height"]).then(|| one["height"].clone())
    };
    let height = network.condition("both that are left are at one height", heights).await;
    // Long enough for an absent leader to be noticed, twice.
    heartbeats(&clock, 15).await;
    for index in [0, 1] {
        assert_eq!(network.get(index, "status").await["height"], height, "validator {index}");
        assert_eq!(network.get(index, &path).await["waiting"], true, "validator {index}");
    }

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
