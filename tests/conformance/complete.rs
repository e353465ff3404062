//! Nothing is forgotten: each action and each table of `docs/spec/ledger.md` is among the vectors, and no other.

use std::{collections::BTreeSet, fs, path::PathBuf};

use ledger::{ChainId, Checked};
use serde_json::Value;

use super::genesis;

/// Two small numbers: a domain and its action, or the prefix and the table of a key.
type Places = BTreeSet<(u8, u8)>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn spec() -> String {
    fs::read_to_string(root().join("docs/spec/ledger.md")).unwrap()
}

/// Actions by the CDDL of its first part: below a line "; domain N, …", each is `name = [number, …`.
fn actions_of_the_spec() -> Places {
    let (text, mut domain) = (spec(), None);
    let mut found = Places::new();
    let cddl = text.lines().skip_while(|line| *line != "```cddl").skip(1);
    for line in cddl.take_while(|line| *line != "```") {
        if let Some(rest) = line.strip_prefix("; domain ") {
            domain = rest.split(',').next().and_then(|number| number.parse().ok());
        }
        let number = line.split_once(" = [").and_then(|(_, rest)| rest.split([',', ']']).next());
        if let (Some(domain), Some(Ok(number))) = (domain, number.map(str::parse)) {
            found.insert((domain, number));
        }
    }
    found
}

/// Tables by the first cells of "State": `prefix table id …`.
fn tables_of_the_spec() -> Places {
    let table = |line: &str| {
        let mut numbers = line.strip_prefix("| ")?.split([' ', '|']).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    let text = spec();
    let state = text.lines().skip_while(|line| *line != "## State").skip(1);
    state.take_while(|line| !line.starts_with("## ")).filter_map(table).collect()
}

/// Vectors of a kind in all files of the ledger's state machine.
fn vectors(kind: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("tests/conformance/vectors")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ledger") && name.ends_with(".json") {
            let document: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
            let all = document["vectors"].as_array().unwrap().clone();
            found.extend(all.into_iter().filter(|vector| vector["kind"] == kind));
        }
    }
    found
}

fn bytes(vector: &Value, member: &str) -> Vec<u8> {
    let text = vector[member].as_str().unwrap();
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

/// Which action a transaction holds, by its bytes: `[domain, [[number, …]]]`.
fn action(bytes: &[u8], chain: ChainId) -> (u8, u8) {
    let opened = Checked::open(bytes, chain).unwrap();
    assert_eq!(opened.transaction().to_bytes(), bytes);
    let action = minicbor::to_vec(&opened.transaction().body.action).unwrap();
    let mut decoder = minicbor::Decoder::new(&action);
    assert_eq!(decoder.array().unwrap(), Some(2));
    let domain = decoder.u8().unwrap();
    assert_eq!(decoder.array().unwrap(), Some(1));
    decoder.array().unwrap();
    (domain, decoder.u8().unwrap())
}

#[test]
fn each_action_of_the_spec_has_a_transaction() {
    let chain = genesis().chain();
    let vectors = vectors("ledger-transaction");
    let found: Places = vectors.iter().map(|one| action(&bytes(one, "cbor"), chain)).collect();
    let expected = actions_of_the_spec();
    assert!(expected.len() > 50, "{expected:?}");
    assert_eq!(found, expected);
}

#[test]
fn each_table_of_the_spec_has_a_record() {
    let place = |vector: &Value| {
        let key = bytes(vector, "key");
        (key[0], key[1])
    };
    let found: Places = vectors("ledger-record").iter().map(place).collect();
    let expected = tables_of_the_spec();
    assert!(expected.len() > 25, "{expected:?}");
    assert_eq!(found, expected);
}
