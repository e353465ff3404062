//! `cargo xtask vectors FILE`: checks a file of test vectors.
//!
//! A file is JSON with a list under `vectors`; each has an `id` or a `name`, and a `kind` that says
//! which check it is for. What stands beside the list counts for all of it: a `kind`, keys. One line
//! per failure, then `N passed, N failed`. A kind nobody knows is a failure: a vector that is skipped proves nothing.

mod identity;
mod ledger;
mod unixfs_cid;

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// One kind of vector.
struct Kind {
    name: &'static str,
    /// What is wrong, if something is: expected, then found.
    check: fn(&Value) -> Result<(), String>,
}

/// Every kind. An issue that brings vectors brings its row.
const KINDS: &[Kind] = &[
    Kind { name: "paypool", check: ledger::paypool::check },
    Kind { name: "math", check: ledger::lending::check_math },
    Kind { name: "interest", check: ledger::lending::check_interest },
    Kind { name: "rates", check: ledger::lending::check_rates },
    Kind { name: "liquidation", check: ledger::lending::check_liquidation },
    Kind { name: "scenario-aave", check: ledger::lending::check_scenario },
    Kind { name: "uniform-auction", check: ledger::energy::check_auction },
    Kind { name: "pay-as-bid-continuous", check: ledger::energy::check_book },
    Kind { name: "mid-market-rate", check: ledger::energy::check_sharing },
    Kind { name: "imbalance-settlement", check: ledger::energy::check_deviations },
    Kind { name: "unixfs-cid", check: unixfs_cid::check },
    Kind { name: "did-key", check: identity::check_did_key },
    Kind { name: "sd-jwt-vc", check: identity::check_sd_jwt },
    Kind { name: "token-status-list", check: identity::check_status_list },
    Kind { name: "hpke-grant", check: identity::check_grant },
];

/// Checks a file; an error when a vector failed.
pub(crate) fn run_file(file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let document: Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    let failures = check(&document, KINDS)?;
    for failure in &failures.lines {
        println!("{failure}");
    }
    for (kind, count) in &failures.unknown {
        println!("unknown kind {kind:?}: {count} vectors");
    }
    println!("{} passed, {} failed", failures.passed, failures.lines.len());
    // The closing line stays the last one: the exit code says the rest.
    if !failures.lines.is_empty() {
        std::process::exit(1);
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    passed: usize,
    lines: Vec<String>,
    /// Kinds that nobody checks, and how many vectors each has: they failed.
    unknown: BTreeMap<String, usize>,
}

fn check(document: &Value, kinds: &[Kind]) -> Result<Outcome> {
    let Some(vectors) = document.get("vectors").and_then(Value::as_array) else {
        bail!("expected a list under `vectors`, found none");
    };
    let mut outcome = Outcome { passed: 0, lines: Vec::new(), unknown: BTreeMap::new() };
    for (index, vector) in vectors.iter().enumerate() {
        let kind = kind_of(vector, document).unwrap_or("none");
        if !kinds.iter().any(|known| known.name == kind) {
            *outcome.unknown.entry(kind.to_owned()).or_default() += 1;
        }
        match check_one(vector, document, kinds) {
            Ok(()) => outcome.passed += 1,
            Err(problem) => outcome.lines.push(format!("{}: {problem}", name(vector, index))),
        }
    }
    Ok(outcome)
}

fn check_one(vector: &Value, document: &Value, kinds: &[Kind]) -> Result<(), String> {
    let kind = kind_of(vector, document).ok_or("it has no kind")?;
    let known = kinds.iter().find(|known| known.name == kind);
    let known = known.ok_or_else(|| format!("unknown kind {kind:?}"))?;
    (known.check)(&with_shared(vector, document))
}

/// A vector with what its file says of all.
fn with_shared(vector: &Value, document: &Value) -> Value {
    let mut whole = vector.clone();
    if let (Some(members), Some(shared)) = (whole.as_object_mut(), document.as_object()) {
        for (name, value) in shared.iter().filter(|(name, _)| *name != "vectors") {
            members.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    whole
}

/// Its own kind, or that of its file.
fn kind_of<'v>(vector: &'v Value, document: &'v Value) -> Option<&'v str> {
    [vector, document].iter().find_map(|place| place.get("kind")?.as_str())
}

/// What a vector calls itself; its position if it has no name.
fn name(vector: &Value, index: usize) -> String {
    let named = ["id", "name"].iter().find_map(|key| vector.get(*key)?.as_str());
    named.map_or_else(|| format!("vector {index}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const EVEN: Kind = Kind {
        name: "even",
        check: |vector| match vector["number"].as_u64() {
            Some(number) if number % 2 == 0 => Ok(()),
            other => Err(format!("expected an even number, found {other:?}")),
        },
    };

    #[test]
    fn failures_are_named_and_an_unknown_kind_is_one() {
        let document = json!({ "kind": "even", "vectors": [
            { "id": "a", "number": 2 },
            { "name": "b", "number": 3 },
            { "id": "c", "kind": "odd" },
        ]});
        let outcome = check(&document, &[EVEN]).unwrap();
        assert_eq!(outcome.passed, 1);
        let expected = ["b: expected an even number, found Some(3)", "c: unknown kind \"odd\""];
        assert_eq!(outcome.lines, expected);
        assert_eq!(outcome.unknown, BTreeMap::from([("odd".to_owned(), 1)]));
    }

    #[test]
    fn a_file_without_a_list_is_refused() {
        assert!(check(&json!({}), &[]).is_err());
    }
}
