//! Kind `token-status-list`: what a compressed list holds.
//!
//! `bits`, `lst`; where it is accepted, `entries` (how many) and `nonzero` (pairs of place and value).

use std::collections::BTreeMap;

use identity::status::{Bits, StatusList};
use serde_json::Value;

use super::{field, judge, text};

/// Reads the list, compares every entry, and reads our own compressed form of it.
pub(crate) fn check(vector: &Value) -> Result<(), String> {
    judge(vector, outcome(vector))
}

fn outcome(vector: &Value) -> Result<(), String> {
    let bits = field(vector, "bits")?.as_u64().and_then(Bits::of);
    let bits = bits.ok_or("\"bits\" is not 1, 2, 4 or 8")?;
    let list = StatusList::from_text(bits, text(vector, "lst")?);
    let list = list.map_err(|error| error.to_string())?;
    if let Some(count) = vector.get("entries").and_then(Value::as_u64) {
        let found = u64::try_from(list.count()).map_err(|_| "a list beyond 64 bits")?;
        // The last byte may have room for more.
        if !(count..count + 8 / u64::from(bits.count())).contains(&found) {
            return Err(format!("entries: expected {count}, found {found}"));
        }
    }
    if vector.get("nonzero").is_some() {
        compare(&list, &nonzero(vector)?)?;
    }
    let again = StatusList::from_text(bits, &list.to_text()).map_err(|error| error.to_string())?;
    if again == list { Ok(()) } else { Err("the list does not survive its own form".to_owned()) }
}

fn nonzero(vector: &Value) -> Result<BTreeMap<u64, u64>, String> {
    let pairs = field(vector, "nonzero")?.as_array().ok_or("\"nonzero\" is not a list")?;
    let pair = |pair: &Value| Some((pair.get(0)?.as_u64()?, pair.get(1)?.as_u64()?));
    let pairs: Option<BTreeMap<u64, u64>> = pairs.iter().map(pair).collect();
    pairs.ok_or_else(|| "\"nonzero\" has an entry that is not a pair of numbers".to_owned())
}

fn compare(list: &StatusList, nonzero: &BTreeMap<u64, u64>) -> Result<(), String> {
    for index in (0..).take(list.count()) {
        let expected = nonzero.get(&index).copied().unwrap_or(0);
        let found = list.get(index).map(u64::from);
        if found != Some(expected) {
            return Err(format!("entry {index}: expected {expected}, found {found:?}"));
        }
    }
    match nonzero.keys().find(|index| list.get(**index).is_none()) {
        Some(index) => Err(format!("entry {index}: expected one, found none")),
        None => Ok(()),
    }
}
