//! The examples of `docs/spec/signaling.md` are messages of the protocol, one of each type.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::signaling::{FromServer, ToServer};

const SPEC: &str = include_str!("../../docs/spec/signaling.md");

/// The lines of the block that opens with this fence.
fn examples(fence: &str) -> impl Iterator<Item = &'static str> {
    let block = SPEC.split_once(fence).unwrap().1.split_once("```").unwrap().0;
    block.lines().filter(|line| !line.is_empty())
}

/// Reads each example, and that writing it again keeps its fields; the types found.
fn check<M: DeserializeOwned + Serialize>(fence: &str) -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for line in examples(fence) {
        let message: M = serde_json::from_str(line).unwrap_or_else(|why| panic!("{line}: {why}"));
        let written = serde_json::to_value(&message).unwrap();
        let shown: serde_json::Value = serde_json::from_str(line).unwrap();
        for (name, value) in shown.as_object().unwrap() {
            // The receiver skips `to`, which a signal still carries.
            assert!(written.get(name) == Some(value) || name == "to", "{name} of {line}");
        }
        types.insert(shown["type"].as_str().unwrap().to_owned());
    }
    types
}

#[test]
fn every_message_has_an_example_that_is_one() {
    let peer = ["hello", "join", "leave", "more", "ping", "signal", "witness"];
    assert_eq!(check::<ToServer>("```json peer\n"), peer.map(str::to_owned).into());
    let server = [
        "challenge",
        "error",
        "gone",
        "goodbye",
        "joined",
        "neighbours",
        "pong",
        "signal",
        "welcome",
        "witness",
    ];
    assert_eq!(check::<FromServer>("```json server\n"), server.map(str::to_owned).into());
}
