//! Kind `did-key`: the name of a key and the document of the name.
//!
//! `did`; `document`, or nothing where `oracle_error` says that there is none; `pk` and `sk` in
//! hexadecimal, where a key belongs to it.

use identity::{
    PublicKey, SecretKey,
    did::{Did, did_key},
};
use serde_json::Value;

use super::{array, bytes, field, judge, same, text};

/// Reads the name, makes the document, and makes the name of the secret key.
pub(crate) fn check(vector: &Value) -> Result<(), String> {
    let found = resolve(vector);
    let refused = vector.get("oracle_error").is_some_and(|error| !error.is_null());
    if refused || vector.get("document").is_some_and(Value::is_null) {
        return match found {
            Ok(_) => Err("expected a refusal, found a document".to_owned()),
            Err(_) => Ok(()),
        };
    }
    judge(vector, found.and_then(|key| check_key(vector, &key)))
}

fn resolve(vector: &Value) -> Result<PublicKey, String> {
    match text(vector, "did")?.parse() {
        Ok(Did::Key(key)) => Ok(key),
        Ok(other) => Err(format!("expected a did:key, found {other}")),
        Err(error) => Err(error.to_string()),
    }
}

fn check_key(vector: &Value, key: &PublicKey) -> Result<(), String> {
    same("document", field(vector, "document")?, &did_key::document(key))?;
    if vector.get("pk").is_some() {
        let expected = bytes(vector, "pk")?;
        if expected != key.as_bytes() {
            return Err("the key in the name is not `pk`".to_owned());
        }
    }
    if vector.get("sk").is_none() {
        return Ok(());
    }
    let secret: [u8; 32] = array(vector, "sk")?;
    let secret = match key.kind() {
        identity::KeyKind::Ed25519 => SecretKey::ed25519(&secret),
        identity::KeyKind::P256 => SecretKey::p256(&secret).map_err(|error| error.to_string())?,
    };
    let found = did_key::did(&secret.public());
    same("did", field(vector, "did")?, &found.into())
}
