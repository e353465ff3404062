//! Which status list is the newest, said on a ledger: whoever keeps an older one back is found out.

use std::path::Path;

use serde_json::{Value, json};

use super::ledger_rig::{Network, starling};

/// What `starling id` prints, or what it says when it fails.
fn id(folder: &Path, words: &[&str]) -> Result<String, String> {
    let output = starling().arg("id").args(words).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn keep(folder: &Path, name: &str, words: &[&str]) {
    std::fs::write(folder.join(name), id(folder, words).unwrap()).unwrap();
}

/// A credential at place 17 of a list, and the answer to somebody's request.
fn answered(folder: &Path) {
    let claims = json!({
        "vct": "age", "over": 18,
        "status": { "status_list": { "idx": 17, "uri": "did:key:town#list" } },
    });
    std::fs::write(folder.join("claims.json"), claims.to_string()).unwrap();
    for key in ["town.key", "bar.key"] {
        id(folder, &["key", key]).unwrap();
    }
    let holder = id(folder, &["key", "ann.key"]).unwrap();
    keep(folder, "credential", &["issue", "claims.json", "--key", "town.key", "--to", &holder]);
    keep(folder, "request", &["request", "--key", "bar.key", "--type", "age"]);
    let present = ["present", "credential", "--key", "ann.key", "--request", "request"];
    keep(folder, "answer", &present);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_not_the_newest_on_the_ledger_is_refused_with_its_block() {
    let mut network = Network::alone();
    network.start(0).await;
    network.until(0, 1).await;
    let (folder, base) = (network.folder().to_owned(), network.base(0));
    answered(&folder);
    let sign = |name: &str, words: &[&str]| {
        let status = ["status", "did:key:town#list", "--key", "town.key", "--count", "4096"];
        keep(&folder, name, &[&status[..], words].concat());
    };
    let anchor = |list: &str| -> Value {
        let words = ["anchor", list, "--key", "town.key", "--payer", "faucet.key", "--node", &base];
        serde_json::from_str(&id(&folder, &words).unwrap()).unwrap()
    };
    let verify = |list: &str| {
        let words = ["verify", "answer", "--request", "request", "--status", list];
        id(&folder, &[&words[..], &["--ledger", &base]].concat())
    };
    sign("old", &[]);
    let said = verify("old").unwrap_err();
    assert!(said.contains("no version of did:key:town#list is on the ledger"), "{said}");
    let first = anchor("old");
    assert_eq!(first["version"], 1);
    let verdict: Value = serde_json::from_str(&verify("old").unwrap()).unwrap();
    assert_eq!(verdict["credential"]["status"], "valid");
    let list = &verdict["credential"]["status_list"];
    assert_eq!((&list["version"], &list["since_height"]), (&json!(1), &first["height"]));
    assert!(list["proved_at_height"].as_u64() >= first["height"].as_u64());
    assert!(list["proof_age_s"].as_u64().is_some_and(|age_s| age_s <= 300), "{list}");
    sign("new", &["--revoke", "17"]);
    assert_eq!(anchor("new")["version"], 2);
    let said = verify("old").unwrap_err();
    assert!(said.contains("not the newest") && said.contains("version 2 since block"), "{said}");
    let said = verify("new").unwrap_err();
    assert!(said.contains("revoked"), "{said}");
}
