//! Data Integrity proofs of the suite `eddsa-jcs-2022` (W3C Data Integrity EdDSA Cryptosuites 1.0, 3.3).

use primitives::sha256;
use serde_json::{Map, Value};

use super::{parameters::signer, time::Instant};
use crate::jcs;

/// Longest text of a signature: base58 of 64 bytes.
const SIGNATURE_LETTERS_MAX: usize = 96;
/// What SHA-256 and its length are called (multihash).
const SHA_256: [u8; 2] = [0x12, 0x20];

/// The multihash of bytes, in base58.
pub(super) fn multihash(bytes: &[u8]) -> String {
    let hash = sha256(bytes);
    bs58::encode([&SHA_256[..], hash.as_bytes()].concat()).into_string()
}

/// The multikey whose proof this is over a canonical document; none: it proves nothing.
///
/// The key is in the name of the method, twice, and the two are one: what allows is what checks.
pub(super) fn signed_by<'a>(proof: &'a Value, document: &str, now_s: u64) -> Option<&'a str> {
    let members = proof.as_object()?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let is_kind = text("type") == Some("DataIntegrityProof")
        && text("cryptosuite") == Some("eddsa-jcs-2022")
        && text("proofPurpose") == Some("assertionMethod");
    // A log entry has no context that one of the proof could be part of.
    if !is_kind || members.contains_key("@context") || is_over(members, now_s)? {
        return None;
    }
    let (body, fragment) = text("verificationMethod")?.strip_prefix("did:key:")?.split_once('#')?;
    if body != fragment {
        return None;
    }
    let key = signer(body)?;
    let digits = text("proofValue")?.strip_prefix('z')?;
    if digits.len() > SIGNATURE_LETTERS_MAX {
        return None;
    }
    let signature = bs58::decode(digits).into_vec().ok()?;
    let mut options = members.clone();
    options.remove("proofValue");
    let options = jcs::canonical_object(&options)?;
    let message =
        [*sha256(options.as_bytes()).as_bytes(), *sha256(document.as_bytes()).as_bytes()].concat();
    key.verify(&message, &signature).ok()?;
    Some(body)
}

/// Whether it says that it is over; none: that is no time.
fn is_over(members: &Map<String, Value>, now_s: u64) -> Option<bool> {
    let Some(expires) = members.get("expires") else { return Some(false) };
    Some(Instant::parse(expires.as_str()?)?.seconds() <= now_s)
}
