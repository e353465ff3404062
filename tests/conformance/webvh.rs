//! Logs of `did:webvh` that other programs wrote are read, and those that a conforming reader must refuse are refused.
//!
//! `webvh_vectors_open.json` holds logs of didwebvh-test-suite as they are; where and why one is refused is ours.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{fs, path::PathBuf};

use identity::did::{
    Purpose,
    webvh::{Log, LogError, ReadLog},
};
use serde_json::Value;

/// After every log was written.
const NOW_S: u64 = 1_800_000_000;

fn vectors() -> Value {
    // Built as a test of `crates/identity`.
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("tests/conformance/vectors/webvh_vectors_open.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn read(vector: &Value) -> Result<Log, LogError> {
    let text = |name: &str| vector[name].as_str().unwrap_or_default();
    let log = ReadLog::read(text("log").as_bytes(), text("did"), NOW_S)?;
    log.witnessed(text("witness").as_bytes(), NOW_S)
}

#[test]
fn logs_of_other_programs_are_read() {
    let vectors = vectors();
    let logs = vectors["logs"].as_array().unwrap();
    assert!(logs.len() > 20);
    for vector in logs {
        let log = read(vector).unwrap_or_else(|why| panic!("{}: {why}", vector["name"]));
        let last = log.versions().last().unwrap();
        assert_eq!(last.id, vector["versionId"], "{}", vector["name"]);
        assert_eq!(last.document["id"], vector["did"], "{}", vector["name"]);
        assert_eq!(log.is_deactivated(), vector["deactivated"], "{}", vector["name"]);
    }
}

#[test]
fn keys_of_such_a_log_are_found_for_their_time() {
    let vectors = vectors();
    let find = |name: &str| {
        let named = |vector: &&Value| vector["name"] == name;
        read(vectors["logs"].as_array().unwrap().iter().find(named).unwrap()).unwrap()
    };
    let log = find("key-rotation/java");
    let id = log.versions()[0].document["verificationMethod"][0]["id"].as_str().unwrap();
    assert!(log.key(id, Purpose::Authentication, Some(log.versions()[0].time_s)).is_some());
    assert_eq!(log.key(id, Purpose::Authentication, Some(log.versions()[0].time_s - 1)), None);
    // What was ended has no keys, whenever something says it was signed.
    let ended = find("deactivate/java");
    let id = ended.versions()[0].document["verificationMethod"][0]["id"].as_str().unwrap();
    let at_s = ended.versions()[0].time_s;
    assert_eq!(ended.key(id, Purpose::Authentication, Some(at_s)), None);
}

#[test]
fn logs_that_must_be_refused_are_refused_where_they_are_wrong() {
    let vectors = vectors();
    let refused = vectors["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 12);
    for vector in refused {
        let error = read(vector).unwrap_err();
        let found = (error.entry, format!("{:?}", error.why));
        let expected = vector["entry"].as_u64().unwrap();
        let why = vector["why"].as_str().unwrap().to_owned();
        assert_eq!(found, (usize::try_from(expected).unwrap(), why), "{}", vector["name"]);
    }
}

#[test]
fn a_log_is_of_its_own_did_only_and_needs_its_witnesses() {
    let vectors = vectors();
    let find = |name: &str| {
        let named = |vector: &&Value| vector["name"] == name;
        vectors["logs"].as_array().unwrap().iter().find(named).unwrap().clone()
    };
    let mut vector = find("basic-create/java");
    vector["did"] = vector["did"].as_str().unwrap().replace("example.com", "evil.example").into();
    assert!(read(&vector).is_err());
    let mut vector = find("witness-threshold/java");
    for witness in ["", "[]", "{}"] {
        vector["witness"] = witness.into();
        assert!(read(&vector).is_err(), "{witness}");
    }
}
