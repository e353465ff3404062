//! What witnesses signed: `did-witness.json`, beside the log.

use serde_json::{Value, json};

use super::{LogError, LogRefusal, parameters::Rule, proof};
use crate::{
    jcs, json as strict,
    limits::{LOG_ENTRIES_MAX, WITNESS_BYTES_MAX, WITNESS_PROOFS_MAX},
};

/// Checks that enough witnesses of each version's rule signed it or a later version of this log.
///
/// # Errors
/// The first version that too few signed; 0: it can't be read.
pub(super) fn check(
    bytes: &[u8],
    ids: &[&str],
    rules: &[Option<Rule>],
    now_s: u64,
) -> Result<(), LogError> {
    let why = LogRefusal::Witnesses;
    let signed = read(bytes, ids, rules, now_s).ok_or(LogError { entry: 0, why })?;
    for (at, rule) in rules.iter().enumerate() {
        let Some(rule) = rule else { continue };
        // Who signed a later version has seen this one.
        let has_signed =
            |key: &&String| signed.iter().any(|(place, signer)| *place >= at && signer == *key);
        if rule.witnesses.iter().filter(has_signed).count() < rule.threshold {
            return Err(LogError { entry: at + 1, why });
        }
    }
    Ok(())
}

/// Places of versions, and who signed them. What is of other logs, of strangers, or no proof, counts for nothing.
fn read(
    bytes: &[u8],
    ids: &[&str],
    rules: &[Option<Rule>],
    now_s: u64,
) -> Option<Vec<(usize, String)>> {
    if bytes.len() > WITNESS_BYTES_MAX {
        return None;
    }
    let list = strict::parse(bytes)?;
    let list = list.as_array().filter(|list| list.len() <= LOG_ENTRIES_MAX)?;
    let is_witness =
        |key: &str| rules.iter().flatten().any(|rule| rule.witnesses.iter().any(|one| one == key));
    let (mut signed, mut count) = (Vec::new(), 0_usize);
    for entry in list {
        let id = entry.get("versionId")?.as_str()?;
        let Some(place) = ids.iter().position(|known| *known == id) else { continue };
        let document = jcs::canonical(&json!({ "versionId": id }))?;
        for proof in entry.get("proof").and_then(Value::as_array).into_iter().flatten() {
            count += 1;
            if count > WITNESS_PROOFS_MAX {
                return None;
            }
            let key = proof::signed_by(proof, &document, now_s);
            if let Some(key) = key.filter(|key| is_witness(key)) {
                signed.push((place, key.to_owned()));
            }
        }
    }
    Some(signed)
}
