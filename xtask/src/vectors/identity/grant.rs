//! Kind `hpke-grant`: whether a sealed key opens, and to what.
//!
//! `recipient_sk` (and `recipient_pk`), `info` as text, `aad_cbor`, `enc`, `ct`, `dek`, `expect`.

use identity::grant::{Grant, Recipient, Terms};
use serde_json::Value;

use super::{array, bytes, judge, text};

/// Opens the grant, and one of our own for the same recipient.
pub(crate) fn check(vector: &Value) -> Result<(), String> {
    judge(vector, outcome(vector))
}

fn outcome(vector: &Value) -> Result<(), String> {
    let recipient = Recipient::new(&array(vector, "recipient_sk")?);
    if vector.get("recipient_pk").is_some_and(|key| !key.is_null()) {
        let expected: [u8; 32] = array(vector, "recipient_pk")?;
        if recipient.public() != expected {
            return Err("`recipient_pk` is not the key of `recipient_sk`".to_owned());
        }
    }
    let info = text(vector, "info")?;
    let authenticated = bytes(vector, "aad_cbor")?;
    let grant = Grant { encapsulated: array(vector, "enc")?, sealed: bytes(vector, "ct")? };
    let key = grant.open_as(&recipient, info.as_bytes(), &authenticated);
    let key = key.map_err(|error| error.to_string())?;
    if vector.get("dek").is_some_and(|key| !key.is_null()) {
        let expected: [u8; 32] = array(vector, "dek")?;
        if key != expected {
            return Err("the opened key is not `dek`".to_owned());
        }
    }
    // Ours is for terms of our own form; theirs may have another.
    let Ok(terms) = Terms::from_bytes(&authenticated) else { return Ok(()) };
    let seed = primitives::Seed::from_number(1);
    let ours = Grant::seal(&key, &terms, &recipient.public(), seed);
    let opened = ours.and_then(|ours| ours.open(&recipient, &terms));
    if opened == Ok(key) { Ok(()) } else { Err(format!("our own grant: {opened:?}")) }
}
