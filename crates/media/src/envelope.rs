//! The signed envelope: a flattened JWS in JSON (RFC 7515, 7.2.2), algorithm EdDSA (RFC 8037).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use primitives::{KeyPair, PeerId};
use serde::Serialize;
use wire::json::{Fields, Json};

use crate::ManifestError;

/// The only protected header we write.
const PROTECTED: &[u8] = br#"{"alg":"EdDSA"}"#;

#[derive(Serialize)]
struct Envelope {
    payload: String,
    protected: String,
    signature: String,
}

/// Fields of a JSON object.
fn fields(bytes: &[u8]) -> Option<Fields> {
    Fields::of(Json::read(bytes)?).ok()
}

fn read_envelope(bytes: &[u8]) -> Option<Envelope> {
    let mut fields = fields(bytes)?;
    Some(Envelope {
        payload: fields.take("payload").ok()?,
        protected: fields.take("protected").ok()?,
        signature: fields.take("signature").ok()?,
    })
}

/// Whether the protected header names our algorithm and nothing else that changes what the signature
/// means: `crit` and `b64` (RFC 7515, 4.1.11; RFC 7797) are refused.
fn is_eddsa(protected: &[u8]) -> Option<bool> {
    let mut fields = fields(protected)?;
    let alg: String = fields.take("alg").ok()?;
    let crit: Option<Json> = fields.take("crit").ok()?;
    let b64: Option<Json> = fields.take("b64").ok()?;
    Some(alg == "EdDSA" && crit.is_none() && b64.is_none())
}

/// What every payload says first: its format, and who must have signed it.
fn read_claims(payload: &[u8]) -> Option<(String, PeerId)> {
    let mut fields = fields(payload)?;
    Some((fields.take("format").ok()?, fields.take("publisher").ok()?))
}

/// The payload of a sealed `format` whose signature is by the publisher it names, and by
/// `expected` if somebody is.
pub(crate) fn open(
    bytes: &[u8],
    limit: usize,
    format: &str,
    expected: Option<&PeerId>,
) -> Result<Vec<u8>, ManifestError> {
    if bytes.len() > limit {
        return Err(ManifestError::TooLarge { bytes: bytes.len(), limit });
    }
    let envelope = read_envelope(bytes).ok_or(ManifestError::Envelope)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| ManifestError::Envelope);
    let protected = decode(&envelope.protected)?;
    let payload = decode(&envelope.payload)?;
    let signature = decode(&envelope.signature)?;

    if !is_eddsa(&protected).ok_or(ManifestError::Envelope)? {
        return Err(ManifestError::Algorithm);
    }
    let (named, publisher) = read_claims(&payload).ok_or(ManifestError::Payload)?;
    if named != format {
        return Err(ManifestError::Payload);
    }
    if let Some(&expected) = expected.filter(|id| **id != publisher) {
        return Err(ManifestError::Publisher { expected, found: publisher });
    }
    let signed = signing_input(&envelope.protected, &envelope.payload);
    publisher.verify(&signed, &signature).map_err(|_| ManifestError::Signature)?;
    Ok(payload)
}

/// The envelope of `payload`, signed by `key`, as JSON.
pub(crate) fn seal(payload: &[u8], key: &KeyPair) -> Vec<u8> {
    let protected = URL_SAFE_NO_PAD.encode(PROTECTED);
    let payload = URL_SAFE_NO_PAD.encode(payload);
    let signature = URL_SAFE_NO_PAD.encode(key.sign(&signing_input(&protected, &payload)));
    serde_json::to_vec(&Envelope { payload, protected, signature })
        .expect("three texts always have a JSON form")
}

/// RFC 7515, 5.1, step 5. Its first characters are a JSON header's, so nothing else we sign with
/// Ed25519 can be mistaken for it.
fn signing_input(protected: &str, payload: &str) -> Vec<u8> {
    format!("{protected}.{payload}").into_bytes()
}
