//! Vectors of identity: names of keys, credentials, status lists, grants.

mod did_key;
mod grant;
mod sd_jwt;
mod status_list;

pub(super) use did_key::check as check_did_key;
pub(super) use grant::check as check_grant;
pub(super) use sd_jwt::check as check_sd_jwt;
pub(super) use status_list::check as check_status_list;

use serde_json::Value;

/// The field of an object, or what is missing. `null` is missing too.
fn field<'a>(value: &'a Value, name: &str) -> Result<&'a Value, String> {
    let found = value.get(name).filter(|found| !found.is_null());
    found.ok_or_else(|| format!("it has no {name:?}"))
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    field(value, name)?.as_str().ok_or_else(|| format!("{name:?} is not a text"))
}

/// Bytes in hexadecimal.
fn bytes(value: &Value, name: &str) -> Result<Vec<u8>, String> {
    let digits = text(value, name)?.as_bytes();
    let pair = |pair: &[u8]| {
        let digits = std::str::from_utf8(pair).ok().filter(|digits| digits.len() == 2)?;
        u8::from_str_radix(digits, 16).ok()
    };
    let bytes: Option<Vec<u8>> = digits.chunks(2).map(pair).collect();
    bytes.ok_or_else(|| format!("{name:?} is not hexadecimal"))
}

fn array<const N: usize>(value: &Value, name: &str) -> Result<[u8; N], String> {
    let found = bytes(value, name)?;
    let count = found.len();
    found.try_into().map_err(|_| format!("{name:?}: expected {N} bytes, found {count}"))
}

/// Whether the vector must pass: `expect` says `accept`, or nothing.
fn must_pass(vector: &Value) -> Result<bool, String> {
    match vector.get("expect").and_then(Value::as_str) {
        None | Some("accept") => Ok(true),
        Some("reject") => Ok(false),
        Some(other) => Err(format!("expected accept or reject, found {other:?}")),
    }
}

/// Judges an outcome by what the vector expects of it.
fn judge(vector: &Value, outcome: Result<(), String>) -> Result<(), String> {
    match (must_pass(vector)?, outcome) {
        (true, outcome) => outcome,
        (false, Err(_)) => Ok(()),
        (false, Ok(())) => Err("expected a refusal, found none".to_owned()),
    }
}

fn same(what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    if expected == found {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected}, found {found}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ledger::check_file;

    #[test]
    fn the_open_vectors_pass() {
        check_file("didkey_vectors_open.json", &["did-key"]);
        check_file("sdjwt_vectors_open.json", &["sd-jwt-vc"]);
        check_file("statuslist_vectors_open.json", &["token-status-list"]);
        check_file("hpke_vectors_open.json", &["hpke-grant"]);
    }

    #[test]
    fn a_vector_that_expects_the_other_outcome_fails() {
        let rejects = json!({ "expect": "reject" });
        let expected = Err("expected a refusal, found none".to_owned());
        assert_eq!(super::judge(&rejects, Ok(())), expected);
        assert_eq!(super::judge(&rejects, Err("no".to_owned())), Ok(()));
        assert_eq!(super::judge(&json!({}), Err("no".to_owned())), Err("no".to_owned()));
        assert!(super::judge(&json!({ "expect": "maybe" }), Ok(())).is_err());
    }
}
