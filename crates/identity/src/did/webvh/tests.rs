//! A controller with real keys, and what thieves, servers and careless writers make of its log.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{SecretKey, did::did_key, jcs};

const NOW_S: u64 = 1_800_000_000;

fn key(number: u8) -> SecretKey {
    SecretKey::ed25519(&[number; 32])
}

fn multikey(number: u8) -> String {
    key(number).public().to_multikey()
}

fn promise(number: u8) -> String {
    proof::multihash(multikey(number).as_bytes())
}

fn sign(document: &Value, number: u8, more: Value) -> Value {
    let id = did_key::key_id(&key(number).public());
    let mut options = json!({
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "assertionMethod", "verificationMethod": id, "created": "2026-01-01T00:00:00Z",
    });
    for (name, value) in more.as_object().unwrap() {
        options[name] = value.clone();
    }
    let hash = |value: &Value| primitives::sha256(jcs::canonical(value).unwrap().as_bytes());
    let message = [*hash(&options).as_bytes(), *hash(document).as_bytes()].concat();
    let signature = bs58::encode(key(number).sign(&message)).into_string();
    options["proofValue"] = format!("z{signature}").into();
    options
}

/// Who writes a log.
struct Writer {
    did: String,
    lines: Vec<String>,
    last: String,
}

impl Writer {
    /// The first entry, signed by key 1, with these parameters besides.
    fn new(more: Value) -> Self {
        let mut parameters = json!({
            "method": "did:webvh:1.0", "scid": "{SCID}", "updateKeys": [multikey(1)],
        });
        for (name, value) in more.as_object().unwrap() {
            parameters[name] = value.clone();
        }
        let entry = json!({
            "versionId": "{SCID}", "versionTime": "2025-01-01T00:00:00Z", "parameters": parameters,
            "state": state("did:webvh:{SCID}:a.example", 1),
        });
        let text = jcs::canonical(&entry).unwrap();
        let scid = proof::multihash(text.as_bytes());
        let entry: Value = serde_json::from_str(&text.replace("{SCID}", &scid)).unwrap();
        let did = format!("did:webvh:{scid}:a.example");
        let mut writer = Self { did, lines: Vec::new(), last: scid };
        writer.push(entry, 1);
        writer
    }

    /// Another entry, signed by a key, a day after the one before.
    fn add(&mut self, parameters: Value, signer: u8) -> &mut Self {
        let did = self.did.clone();
        self.add_state(parameters, state(&did, 2), signer)
    }

    fn add_state(&mut self, parameters: Value, state: Value, signer: u8) -> &mut Self {
        let time = format!("2025-01-{:02}T00:00:00Z", self.lines.len() + 1);
        let entry = json!({ "versionTime": time, "parameters": parameters, "state": state });
        self.push(entry, signer);
        self
    }

    /// Names an entry by its hash and signs it.
    fn push(&mut self, mut entry: Value, signer: u8) {
        entry["versionId"] = self.last.as_str().into();
        let hash = proof::multihash(jcs::canonical(&entry).unwrap().as_bytes());
        self.last = format!("{}-{hash}", self.lines.len() + 1);
        entry["versionId"] = self.last.as_str().into();
        let proof = sign(&entry, signer, json!({}));
        entry["proof"] = json!([proof]);
        self.lines.push(entry.to_string());
    }

    fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    fn read(&self) -> Result<ReadLog, LogError> {
        ReadLog::read(self.text().as_bytes(), &self.did, NOW_S)
    }

    fn refused(&self, entry: usize, why: LogRefusal) {
        assert_eq!(self.read().err(), Some(LogError { entry, why }));
    }

    /// What witnesses sign of a version, by its place.
    fn witnessed(&self, signed: &[(usize, u8)]) -> Vec<u8> {
        let id = |at: usize| {
            serde_json::from_str::<Value>(&self.lines[at]).unwrap()["versionId"].clone()
        };
        let one = |(at, number): &(usize, u8)| {
            let document = json!({ "versionId": id(*at) });
            json!({ "versionId": id(*at), "proof": [sign(&document, *number, json!({}))] })
        };
        Value::Array(signed.iter().map(one).collect()).to_string().into_bytes()
    }

    /// The last entry again, changed and neither named nor signed anew.
    fn spoil(&mut self, change: impl Fn(&mut Value)) -> &mut Self {
        let mut entry: Value = serde_json::from_str(&self.lines.pop().unwrap()).unwrap();
        change(&mut entry);
        self.lines.push(entry.to_string());
        self
    }
}

fn state(did: &str, number: u8) -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/did/v1"], "id": did,
        "verificationMethod": [{ "id": format!("{did}#key"), "type": "Multikey", "controller": did,
            "publicKeyMultibase": multikey(number) }],
        "assertionMethod": [format!("{did}#key")],
    })
}

fn witnesses(threshold: Value, numbers: &[u8]) -> Value {
    let one = |number: &u8| json!({ "id": did_key::did(&key(*number).public()) });
    let list: Vec<Value> = numbers.iter().map(one).collect();
    json!({ "witness": { "threshold": threshold, "witnesses": list } })
}

#[test]
fn the_key_of_a_time_is_the_one_that_the_log_says() {
    let mut writer = Writer::new(json!({}));
    writer.add(json!({}), 1);
    let log = writer.read().unwrap().witnessed(b"", NOW_S).unwrap();
    let id = format!("{}#key", writer.did);
    let find = |at_s| log.key(&id, Purpose::Assertion, at_s);
    let second_s = log.versions()[1].time_s;
    assert_eq!(find(Some(second_s - 1)), Some(key(1).public()));
    assert_eq!(find(Some(second_s)), Some(key(2).public()));
    assert_eq!(find(None), Some(key(2).public()));
    assert_eq!(find(Some(log.versions()[0].time_s - 1)), None);
    assert_eq!(log.key(&id, Purpose::Authentication, None), None);
    assert!(log.can_change() && !log.is_deactivated());
}

#[test]
fn nobody_else_writes_a_history() {
    let mut good = Writer::new(json!({}));
    good.add(json!({ "updateKeys": [multikey(3)] }), 1).add(json!({}), 3);
    assert!(good.read().is_ok());
    // A thief's key, and one that was changed.
    let mut thief = Writer::new(json!({}));
    thief.add(json!({}), 9).refused(2, LogRefusal::NotAuthorized);
    let mut old = Writer::new(json!({}));
    old.add(json!({ "updateKeys": [multikey(3)] }), 1).add(json!({}), 1);
    old.refused(3, LogRefusal::NotAuthorized);
    // A new key does not allow itself.
    let mut own = Writer::new(json!({}));
    own.add(json!({ "updateKeys": [multikey(9)] }), 9).refused(2, LogRefusal::NotAuthorized);
    // Entries left out, and in another order.
    let mut short = Writer::new(json!({}));
    short.add(json!({}), 1).add(json!({}), 1);
    short.lines.remove(1);
    short.refused(2, LogRefusal::Version);
    let mut turned = Writer::new(json!({}));
    turned.add(json!({}), 1).add(json!({}), 1);
    turned.lines.swap(1, 2);
    turned.refused(2, LogRefusal::Version);
    let mut twice = Writer::new(json!({}));
    twice.lines.push(twice.lines[0].clone());
    twice.refused(2, LogRefusal::Parameters);
    // The start of another log.
    let mut other = Writer::new(json!({ "ttl": 60 }));
    other.did = Writer::new(json!({})).did;
    other.refused(1, LogRefusal::Scid);
}

#[test]
fn promised_keys_come_and_no_others() {
    let first = json!({ "nextKeyHashes": [promise(3), promise(4)] });
    let mut good = Writer::new(first.clone());
    good.add(json!({ "updateKeys": [multikey(3)], "nextKeyHashes": [promise(5)] }), 3);
    good.add(json!({ "updateKeys": [multikey(5)], "nextKeyHashes": [] }), 5);
    // Without promises, the keys before allow again.
    good.add(json!({ "updateKeys": [multikey(6)] }), 5).add(json!({}), 6);
    assert!(good.read().is_ok());
    let refused = |parameters: Value, signer: u8, why| {
        Writer::new(first.clone()).add(parameters, signer).refused(2, why);
    };
    let next = json!([promise(5)]);
    let not_promised = LogRefusal::NotPromised;
    refused(json!({ "updateKeys": [multikey(9)], "nextKeyHashes": next }), 9, not_promised);
    let both = [multikey(3), multikey(1)];
    refused(json!({ "updateKeys": both, "nextKeyHashes": next }), 3, not_promised);
    refused(json!({ "nextKeyHashes": next }), 1, not_promised);
    refused(json!({ "updateKeys": [multikey(3)] }), 3, not_promised);
    refused(json!({ "updateKeys": [], "nextKeyHashes": [] }), 1, not_promised);
    // The key of before does not sign the change to the promised one.
    let change = json!({ "updateKeys": [multikey(3)], "nextKeyHashes": next });
    refused(change, 1, LogRefusal::NotAuthorized);
}

#[test]
fn what_was_ended_stays_so() {
    let mut ended = Writer::new(json!({}));
    ended.add(json!({ "deactivated": true }), 1);
    let log = ended.read().unwrap().witnessed(b"", NOW_S).unwrap();
    assert!(log.is_deactivated() && !log.can_change());
    ended.add(json!({ "deactivated": false }), 1).refused(3, LogRefusal::Ended);
    let mut closed = Writer::new(json!({}));
    closed.add(json!({ "updateKeys": [] }), 1);
    assert!(!closed.read().unwrap().log.can_change());
    closed.add(json!({}), 1).refused(3, LogRefusal::NotAuthorized);
}

#[test]
fn a_did_moves_only_if_it_was_allowed_from_the_beginning() {
    let moved = |did: &str, known: &str| {
        let mut state = state(&did.replace("a.example", "b.example"), 2);
        state["alsoKnownAs"] = json!([known]);
        state
    };
    let mut good = Writer::new(json!({ "portable": true }));
    let (did, to) = (good.did.clone(), good.did.replace("a.example", "b.example"));
    good.add_state(json!({}), moved(&did, &did), 1);
    assert!(good.read().is_ok(), "by its old name");
    good.did = to;
    assert!(good.read().is_ok(), "by its new name");
    let mut silent = Writer::new(json!({ "portable": true }));
    silent.add_state(json!({}), moved(&silent.did.clone(), "did:web:a.example"), 1);
    silent.refused(2, LogRefusal::Moved);
    let mut fixed = Writer::new(json!({}));
    fixed.add_state(json!({}), moved(&fixed.did.clone(), &fixed.did.clone()), 1);
    fixed.refused(2, LogRefusal::Moved);
    let mut late = Writer::new(json!({}));
    late.add(json!({ "portable": true }), 1).refused(2, LogRefusal::Parameters);
    let mut other = Writer::new(json!({ "portable": true }));
    let strange = Writer::new(json!({ "ttl": 1 })).did;
    let before = other.did.clone();
    other.add_state(json!({}), moved(&strange, &before), 1).refused(2, LogRefusal::State);
}

#[test]
fn enough_different_witnesses_sign_or_it_does_not_hold() {
    let mut writer = Writer::new(witnesses(json!(2), &[11, 12, 13]));
    writer.add(json!({}), 1);
    let check = |signed: &[(usize, u8)]| {
        let log = writer.read().unwrap();
        assert!(log.needs_witnesses());
        log.witnessed(&writer.witnessed(signed), NOW_S).map(|log| log.witnesses())
    };
    let too_few = |entry| Err(LogError { entry, why: LogRefusal::Witnesses });
    assert_eq!(check(&[(1, 11), (1, 13)]), Ok(2), "who signed the later one has seen both");
    assert_eq!(check(&[(0, 11), (1, 11), (1, 12), (0, 13)]), Ok(2));
    assert_eq!(check(&[]), too_few(1));
    assert_eq!(check(&[(1, 11), (1, 11)]), too_few(1), "one twice is one");
    assert_eq!(check(&[(1, 11), (1, 99)]), too_few(1), "a stranger counts for nothing");
    assert_eq!(check(&[(0, 11), (0, 12)]), too_few(2), "nobody has seen the second");
    // What was signed of another log.
    let mut other = Writer::new(witnesses(json!(1), &[11]));
    other.add(json!({}), 1).add(json!({}), 1);
    let strange = other.witnessed(&[(0, 11), (1, 11), (2, 12)]);
    let replayed = writer.read().unwrap().witnessed(&strange, NOW_S);
    assert_eq!(replayed.map(|log| log.witnesses()), too_few(1));
    let unread = writer.read().unwrap().witnessed(b"{}", NOW_S);
    assert_eq!(unread.map(|log| log.witnesses()), too_few(0));
}

#[test]
fn witnesses_are_not_left_out_by_a_change_that_they_did_not_see() {
    let mut writer = Writer::new(witnesses(json!(1), &[11]));
    writer.add(witnesses(json!(1), &[12]), 1).add(json!({ "witness": {} }), 1).add(json!({}), 1);
    let check = |signed: &[(usize, u8)]| {
        let log = writer.read().unwrap();
        log.witnessed(&writer.witnessed(signed), NOW_S).map(|log| log.witnesses())
    };
    let too_few = |entry| Err(LogError { entry, why: LogRefusal::Witnesses });
    assert_eq!(check(&[(1, 11), (2, 12)]), Ok(0));
    assert_eq!(check(&[(0, 11), (2, 12)]), too_few(2), "the old ones see who replaces them");
    assert_eq!(check(&[(1, 11), (1, 12)]), too_few(3), "and who wants none any more");
    // Where there were none, the first ones see their own entry.
    let mut late = Writer::new(json!({}));
    late.add(witnesses(json!(1), &[11]), 1);
    let none = late.read().unwrap().witnessed(&late.witnessed(&[(0, 11)]), NOW_S);
    assert_eq!(none.map(|log| log.witnesses()), too_few(2));
}

#[test]
fn parameters_that_can_not_be_are_refused() {
    let refused = |parameters: Value, why| Writer::new(parameters).refused(1, why);
    let parameters = LogRefusal::Parameters;
    for threshold in [json!(0), json!(2), json!(-1), json!("1"), json!(null)] {
        refused(witnesses(threshold, &[11]), parameters);
    }
    refused(witnesses(json!(1), &[11, 11]), parameters);
    refused(witnesses(json!(1), &[]), parameters);
    let p256 = did_key::did(&SecretKey::p256(&[2; 32]).unwrap().public());
    for id in [p256, multikey(11), "did:web:a.example".to_owned()] {
        let list = json!({ "threshold": 1, "witnesses": [{ "id": id }] });
        refused(json!({ "witness": list }), parameters);
    }
    refused(json!({ "unheard": 1 }), parameters);
    refused(json!({ "portable": "yes" }), parameters);
    refused(json!({ "updateKeys": "z" }), parameters);
    refused(json!({ "updateKeys": vec!["z"; 65] }), parameters);
    refused(json!({ "ttl": -1 }), parameters);
    refused(json!({ "ttl": (1_u64 << 31) + 1 }), parameters);
    for method in ["did:webvh:0.5", "did:webvh:1.1", "did:webvh:1.0 ", "1.0"] {
        refused(json!({ "method": method }), LogRefusal::Method);
    }
    let again = |more: Value| {
        let mut writer = Writer::new(json!({}));
        writer.add(more, 1).read().err().map(|error| error.why)
    };
    assert_eq!(again(json!({ "scid": "Qm" })), Some(parameters));
    assert_eq!(again(json!({ "method": "did:webvh:0.5" })), Some(LogRefusal::Method));
    // What early writers said for the default.
    let nulls = json!({ "nextKeyHashes": null, "witness": null, "watchers": null, "ttl": null });
    assert!(Writer::new(nulls).read().is_ok());
}

#[test]
fn entries_of_another_form_are_refused() {
    let spoiled = |change: &dyn Fn(&mut Value)| {
        let mut writer = Writer::new(json!({}));
        writer.spoil(change).read().err().map(|error| error.why)
    };
    let proof = |name: &'static str, value: Value| {
        spoiled(&|entry| entry["proof"][0][name] = value.clone())
    };
    for (name, value) in [
        ("cryptosuite", json!("eddsa-rdfc-2022")),
        ("proofPurpose", json!("authentication")),
        ("type", json!("Ed25519Signature2020")),
        ("created", json!("2026-01-02T00:00:00Z")),
        ("proofValue", json!("z11")),
        ("@context", json!([])),
        ("verificationMethod", json!(format!("did:key:{}#{}", multikey(9), multikey(1)))),
        ("verificationMethod", json!(format!("did:key:{}", multikey(1)))),
    ] {
        assert_eq!(proof(name, value), Some(LogRefusal::Proof), "{name}");
    }
    assert_eq!(spoiled(&|entry| entry["proof"] = json!([])), Some(LogRefusal::Proof));
    let single = |entry: &mut Value| entry["proof"] = entry["proof"][0].clone();
    assert_eq!(spoiled(&single), Some(LogRefusal::Proof));
    let one_bad = |entry: &mut Value| {
        let good = entry["proof"][0].clone();
        let document = json!({});
        entry["proof"] = json!([good, sign(&document, 1, json!({}))]);
    };
    assert_eq!(spoiled(&one_bad), Some(LogRefusal::Proof), "all of them hold, or it does not");
    assert_eq!(spoiled(&|entry| entry["more"] = json!(1)), Some(LogRefusal::Form));
    assert_eq!(spoiled(&|entry| entry["state"]["x"] = json!(0.5)), Some(LogRefusal::Form));
    assert_eq!(spoiled(&|entry| entry["state"]["x"] = json!(1)), Some(LogRefusal::Version));
    let late = |entry: &mut Value| {
        let mut document = entry.clone();
        document.as_object_mut().unwrap().remove("proof");
        entry["proof"] = json!([sign(&document, 1, json!({ "expires": "2026-06-01T00:00:00Z" }))]);
    };
    assert_eq!(spoiled(&late), Some(LogRefusal::Proof), "it says that it is over");
    for text in ["", "\n", "[]", "{}", "null", "{\"versionId\":\"1\",\"versionId\":\"1\"}"] {
        let did = Writer::new(json!({})).did;
        assert!(ReadLog::read(text.as_bytes(), &did, NOW_S).is_err(), "{text}");
    }
    let mut gap = Writer::new(json!({}));
    gap.add(json!({}), 1).lines.insert(1, String::new());
    gap.refused(2, LogRefusal::Form);
}

#[test]
fn times_go_on_and_are_not_ahead() {
    let at = |time: &str| {
        let mut writer = Writer::new(json!({}));
        let state = state(&writer.did.clone(), 2);
        writer.push(json!({ "versionTime": time, "parameters": {}, "state": state }), 1);
        writer.read().err().map(|error| error.why)
    };
    assert_eq!(at("2025-01-01T00:00:00.001Z"), None);
    for time in [
        "2025-01-01T00:00:00Z",
        "2024-12-31T00:00:00Z",
        "2025-01-02T00:00:00",
        "2025-01-02T00:00:00+01:00",
        "9999-01-01T00:00:00Z",
        "2027-01-15T08:05:01Z",
    ] {
        assert_eq!(at(time), Some(LogRefusal::Time), "{time}");
    }
    // 300 s ahead of the reader's clock.
    assert_eq!(at("2027-01-15T08:05:00Z"), None);
}

#[test]
fn who_only_fetches_gives_away_nothing_else() {
    let writer = Writer::new(witnesses(json!(1), &[11]));
    let place = Place::of(&writer.did).unwrap();
    let scid = place.scid().unwrap();
    assert!(is_log_of(writer.text().as_bytes(), scid));
    let other = Writer::new(json!({ "ttl": 1 }));
    for bytes in [other.text().as_bytes(), b"", b"root:x:0:0", b"{}", b"[]"] {
        assert!(!is_log_of(bytes, scid));
    }
    // Nor what lies behind a log.
    for more in
        ["secret\n", "\n", "{}\n", "[]\n", "{\"versionId\":1}\n", "{\"versionId\":\"2-a\"} x\n"]
    {
        assert!(!is_log_of((writer.text() + more).as_bytes(), scid), "{more}");
    }
    assert!(is_log_of((writer.text() + "{\"versionId\":\"2-a\"}\n").as_bytes(), scid));
    assert!(are_witnesses(&writer.witnessed(&[(0, 11)])) && are_witnesses(b"[]"));
    assert!(!are_witnesses(b"{}") && !are_witnesses(b"[1]") && !are_witnesses(b"secret"));
}

#[test]
fn a_log_without_an_end_is_not_read() {
    let mut writer = Writer::new(json!({}));
    let line = writer.lines[0].clone();
    writer.lines.resize(LOG_ENTRIES_MAX + 1, line);
    writer.refused(0, LogRefusal::TooLarge);
    let bytes = vec![b' '; LOG_BYTES_MAX + 1];
    let error = ReadLog::read(&bytes, &writer.did, NOW_S).unwrap_err();
    assert_eq!(error.why, LogRefusal::TooLarge);
    assert!(ReadLog::read(b"", "did:web:a.example", NOW_S).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_other_byte_makes_it_none(at in any::<prop::sample::Index>(), byte in 0x21_u8..0x7f) {
        let mut writer = Writer::new(json!({}));
        writer.add(json!({}), 1);
        let mut bytes = writer.text().into_bytes();
        let at = at.index(bytes.len() - 1);
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        prop_assert!(ReadLog::read(&bytes, &writer.did, NOW_S).is_err());
    }

    #[test]
    fn any_text_is_a_log_or_refused(text in "[{}\\[\\]\":,a-z0-9\n]{0,200}") {
        let did = "did:webvh:QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE:a.example";
        prop_assert!(ReadLog::read(text.as_bytes(), did, NOW_S).is_err());
    }
}
