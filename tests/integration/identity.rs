//! Three people with the binary: an issuer, a holder, a verifier who never talks to the issuer.
//!
//! Proves that what one prints the next one reads, and that what must not pass ends with its reason.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const QUESTION: [&str; 4] = ["--nonce", "Q2FzdGxl", "--audience", "did:web:bar.example"];

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// What it prints, or what it says when it fails.
    fn run(&self, words: &[&str]) -> Result<String, String> {
        let mut starling = Command::new(env!("CARGO_BIN_EXE_starling"));
        starling.arg("id").args(words).current_dir(self.0.path()).stdin(Stdio::null());
        let output = starling.output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(String::from_utf8(output.stderr).unwrap())
        }
    }

    /// Runs, and keeps what it prints in a file.
    fn keep(&self, name: &str, words: &[&str]) {
        self.write(name, &self.run(words).unwrap());
    }

    fn did(&self, key: &str) -> String {
        self.run(&["key", key]).unwrap()
    }

    fn verify(&self, words: &[&str]) -> Result<Value, String> {
        let words = [&["verify", "shown"][..], words].concat();
        self.run(&words).map(|text| serde_json::from_str(&text).unwrap())
    }

    /// A credential in `credential`: an age in two steps, in the status list at place 17.
    fn issue(&self) {
        let claims = json!({
            "vct": "https://town.example/age/1", "name": "Érika", "age": { "18": true, "65": false },
            "status": { "status_list": { "idx": 17, "uri": "did:web:town.example#list" } },
        });
        self.write("claims.json", &claims.to_string());
        let _ = self.did("issuer.key");
        let holder = self.did("holder.key");
        let hide = ["--hide", "/name", "--hide", "/age", "--hide", "/age/18", "--hide", "/age/65"];
        let words =
            ["issue", "claims.json", "--key", "issuer.key", "--to", &holder, "--decoys", "2"];
        self.keep("credential", &[&words[..], &hide].concat());
    }

    fn present(&self, show: &[&str], question: &[&str]) {
        let words = ["present", "credential", "--key", "holder.key"];
        self.keep("shown", &[&words[..], show, question].concat());
    }

    fn status(&self, words: &[&str]) {
        let status = ["status", "did:web:town.example#list", "--key", "issuer.key"];
        self.keep("list", &[&status[..], words].concat());
    }
}

#[test]
fn over_18_is_proved_and_nothing_else() {
    let desk = Desk::new();
    desk.issue();
    let shown: Value = serde_json::from_str(&desk.run(&["show", "credential"]).unwrap()).unwrap();
    assert_eq!(shown["claims"]["name"], "Érika");
    assert_eq!(shown["may_be_hidden"].as_array().unwrap().len(), 4);
    desk.present(&["--show", "/age/18"], &QUESTION);
    desk.status(&[]);
    let (issuer, list) = (desk.did("issuer.key"), ["--status", "list"]);
    let trust = ["--issuer", &issuer, "--type", "https://town.example/age/1"];
    let verdict = desk.verify(&[&QUESTION[..], &list, &trust].concat()).unwrap();
    assert_eq!(verdict["claims"]["age"], json!({ "18": true }));
    assert_eq!(verdict["claims"].get("name"), None);
    assert_eq!((&verdict["issuer"], &verdict["status"]), (&json!(issuer), &json!("valid")));
}

#[test]
fn what_must_not_pass_ends_with_its_reason() {
    let desk = Desk::new();
    desk.issue();
    desk.present(&[], &QUESTION);
    desk.status(&[]);
    let refused = |words: &[&str], reason: &str| {
        let said = desk.verify(words).unwrap_err();
        assert!(said.contains(reason), "{words:?}: {said}");
    };
    let list = ["--status", "list"];
    refused(&QUESTION, "may have been revoked");
    let other = ["--nonce", "other", "--audience", "did:web:bar.example"];
    refused(&[&other[..], &list].concat(), "another challenge");
    let elsewhere = ["--nonce", "Q2FzdGxl", "--audience", "did:web:shop.example"];
    refused(&[&elsewhere[..], &list].concat(), "another verifier");
    let holder = desk.did("holder.key");
    refused(&[&QUESTION[..], &list, &["--issuer", &holder]].concat(), "the issuer is");
    refused(&[&QUESTION[..], &list, &["--type", "x"]].concat(), "another type");
    desk.status(&["--revoke", "17"]);
    refused(&[&QUESTION[..], &list].concat(), "revoked");
    desk.status(&["--suspend", "17"]);
    refused(&[&QUESTION[..], &list].concat(), "suspended");
    desk.status(&["--count", "8"]);
    refused(&[&QUESTION[..], &list].concat(), "no place");
    // Somebody else's list, and a thief's key.
    desk.keep("list", &["status", "did:web:town.example#list", "--key", "holder.key"]);
    refused(&[&QUESTION[..], &list].concat(), "not named as one");
    let thief = ["present", "credential", "--key", "issuer.key"];
    let said = desk.run(&[&thief[..], &QUESTION].concat()).unwrap_err();
    assert!(said.contains("another key"), "{said}");
    let missing = ["present", "credential", "--key", "none.key"];
    let said = desk.run(&[&missing[..], &QUESTION].concat()).unwrap_err();
    assert!(said.contains("none.key") && !desk.path("none.key").exists(), "{said}");
    let text = fs::read_to_string(desk.path("credential")).unwrap();
    desk.write("credential", &text.replacen('~', "~WyJzIiwiYSIsMV0~", 1));
    assert!(desk.run(&["show", "credential"]).unwrap_err().contains("not the issuer's"));
}

#[test]
fn a_grant_opens_for_its_recipient_and_purpose() {
    let desk = Desk::new();
    let (document_key, hash) = ("ab".repeat(32), "01".repeat(32));
    desk.write("document.key", &document_key);
    let (friend, _) = (desk.did("friend.key"), desk.did("other.key"));
    let purpose = ["--resource", &hash, "--consent", &hash, "--scope", "read"];
    let words = ["grant", "document.key", "--to", &friend];
    desk.keep("grant", &[&words[..], &purpose].concat());
    let open = |key: &str, purpose: &[&str]| {
        let words = ["open", "grant", "--key", key];
        desk.run(&[&words[..], purpose].concat())
    };
    assert_eq!(open("friend.key", &purpose), Ok(document_key));
    assert!(open("other.key", &purpose).unwrap_err().contains("does not open"));
    let write = ["--resource", &hash, "--consent", &hash, "--scope", "write"];
    assert!(open("friend.key", &write).unwrap_err().contains("does not open"));
}

#[test]
fn a_request_is_answered_with_what_it_asks_for_and_nothing_else() {
    let desk = Desk::new();
    desk.issue();
    let verifier = desk.did("verifier.key");
    let ask = [
        "request",
        "--key",
        "verifier.key",
        "--type",
        "https://town.example/age/1",
        "--claim",
        "/age/18",
        "--name",
        "The bar",
        "--purpose",
        "Adults only",
    ];
    desk.keep("request", &ask);
    desk.status(&[]);
    let answer = ["present", "credential", "--key", "holder.key", "--request", "request"];
    let preview = desk.run(&[&answer[..], &["--preview"]].concat()).unwrap();
    let preview: Value = serde_json::from_str(&preview).unwrap();
    assert_eq!(preview["verifier"], json!(verifier));
    assert_eq!(
        (&preview["calls_itself"], &preview["why"]),
        (&json!("The bar"), &json!("Adults only"))
    );
    assert_eq!(preview["would_show"][0]["shown"], json!(["/age", "/age/18"]));
    desk.keep("shown", &answer);
    let check = ["--request", "request", "--status", "list"];
    let verdict = desk.verify(&check).unwrap();
    assert_eq!(verdict["credential"]["claims"]["age"], json!({ "18": true }));
    assert_eq!(verdict["credential"]["claims"].get("name"), None);
    // The same answer to another question, of the same verifier.
    desk.keep("request", &ask);
    let said = desk.verify(&check).unwrap_err();
    assert!(said.contains("another challenge"), "{said}");
    let missing = ["request", "--key", "verifier.key", "--type", "passport"];
    desk.keep("request", &missing);
    let said = desk.run(&answer).unwrap_err();
    assert!(said.contains("no credential of the type"), "{said}");
    desk.write("request", "e30.e30.AA");
    let said = desk.run(&answer).unwrap_err();
    assert!(said.contains("expected the type oauth-authz-req+jwt"), "{said}");
}
