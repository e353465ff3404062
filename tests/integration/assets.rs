//! Assets by the command line: made, issued, burned and frozen, and what of them is proved.

use ledger::AccountId;
use primitives::{KeyPair, Seed};
use serde_json::{Value, json};

use super::ledger_rig::{Network, starling};

/// `starling ledger asset`, by the faucet's key where something is signed; what it says, or what it complains of.
fn asset(network: &Network, words: &[&str]) -> Result<Value, String> {
    let mut command = starling();
    command.args(["ledger", "--node", &network.base(0), "asset"]).args(words);
    if !matches!(words[0], "show" | "held") {
        command.args(["--wait-s", "60", "--key"]).arg(network.faucet_file());
    }
    let done = command.output().unwrap();
    if done.status.success() {
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

#[tokio::test]
async fn an_asset_is_made_issued_burned_and_frozen_and_all_of_it_is_proved() {
    let mut network = Network::alone();
    network.start(0).await;
    let issuer = AccountId::of_key(network.faucet().id()).to_string();
    let holder = AccountId::of_key(KeyPair::from_seed(Seed::from_number(77)).id()).to_string();
    let ask = |words: &[&str]| asset(&network, words).unwrap();

    let made = ask(&["create", "HOURS", "--decimals", "2", "--supply-max", "1000", "--freezable"]);
    assert_eq!((&made["code"], &made["asset"]), (&0.into(), &"1".into()));
    ask(&["issue", "1", &holder, "600"]);
    ask(&["issue", "1", &issuer, "300"]);
    ask(&["burn", "1", "100"]);
    let shown = ask(&["show", "1"]);
    assert_eq!((&shown["supply"], &shown["supply_max"]), (&"800".into(), &"1000".into()));
    assert_eq!((&shown["iou_of"], &shown["symbol"]), (&issuer.as_str().into(), &"HOURS".into()));

    ask(&["freeze", "1", &holder]);
    let held = ask(&["held", &holder]);
    let line = json!({
        "asset": 1, "units": "600", "frozen": true, "iou_of": issuer, "symbol": "HOURS",
    });
    assert_eq!(held["held"], json!([line]));
    let refused = asset(&network, &["issue", "1", &holder, "1"]).unwrap_err();
    assert!(refused.contains("Frozen") || refused.contains("260"), "{refused}");
    ask(&["thaw", "1", &holder]);
    ask(&["issue", "1", &holder, "1"]);

    ask(&["renounce", "1"]);
    let refused = asset(&network, &["issue", "1", &holder, "1"]).unwrap_err();
    assert!(refused.contains("Closed") || refused.contains("519"), "{refused}");
    assert_eq!(ask(&["show", "2"])["exists"], false);
}
