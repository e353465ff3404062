//! What holds from a block on: everybody is told by the network's file, and who was not stops there.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::ledger_rig::{Network, starling};

/// From this block on a transaction costs something else.
const HEIGHT: u64 = 12;
const FEE_BASE: u64 = 7_777;

fn config(network: &Network, index: usize) -> std::path::PathBuf {
    network.folder().join(format!("validator-{index}.toml"))
}

/// A validator with what it says.
fn heard(network: &Network, index: usize) -> Child {
    let mut command = starling();
    command.args(["validator", "--config"]).arg(config(network, index));
    command.env("RUST_LOG", "warn").stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What it said, when it has ended by itself. It is listened to meanwhile: who says much waits for that.
async fn ended(child: Child) -> Output {
    let id = child.id().to_string();
    let ending = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    tokio::pin!(ending);
    match tokio::time::timeout(Duration::from_secs(60), &mut ending).await {
        Ok(output) => output.unwrap(),
        Err(_) => {
            Command::new("kill").args(["-9", &id]).status().unwrap();
            panic!("it went on: {}", said(&ending.await.unwrap()));
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn fees_change_at_a_height_and_who_was_not_told_stops_there_in_words() {
    let mut network = Network::of_four();
    let (shared, old) = (network.folder().join("network.toml"), network.folder().join("old.toml"));
    let text = std::fs::read_to_string(&shared).unwrap();
    std::fs::write(&old, &text).unwrap();
    let text = format!("{text}\n[[upgrades]]\nheight = {HEIGHT}\nfee_base = {FEE_BASE}\n");

    // Rules of a later program.
    std::fs::write(&shared, format!("{text}rules = 2\n")).unwrap();
    let refused = ended(heard(&network, 0)).await;
    let words = format!("from block {HEIGHT} on, blocks follow rules 2");
    assert!(!refused.status.success() && said(&refused).contains(&words), "{}", said(&refused));

    std::fs::write(&shared, &text).unwrap();
    let settings = std::fs::read_to_string(config(&network, 3)).unwrap();
    assert!(settings.contains("network.toml"));
    std::fs::write(config(&network, 3), settings.replace("network.toml", "old.toml")).unwrap();
    let untold = heard(&network, 3);
    for index in 0..3 {
        network.start(index).await;
    }
    let base = async |index| network.get(index, "status").await["fees"]["base"].as_u64();
    network.until(0, HEIGHT + 2).await;
    assert_eq!(base(0).await, Some(FEE_BASE));
    let untold = ended(untold).await;
    let words = format!("block {HEIGHT} is final and does something else here");
    assert!(!untold.status.success() && said(&untold).contains(&words), "{}", said(&untold));

    // Told, it goes on where it stopped.
    std::fs::write(config(&network, 3), settings).unwrap();
    network.start(3).await;
    network.until(3, HEIGHT + 2).await;
    let base = network.get(3, "status").await["fees"]["base"].as_u64();
    assert_eq!(base, Some(FEE_BASE));
}
