//! The signed envelope: a flattened JWS in JSON (RFC 7515, 7.2.2), algorithm EdDSA (RFC 8037).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use primitives::{KeyPair, PeerId};
use serde::{Deserialize, Serialize};

use crate::ManifestError;

/// The only protected header we write.
const PROTECTED: &[u8] = br#"{"alg":"EdDSA"}"#;

#[derive(Serialize, Deserialize)]
struct Envelope {
    payload: String,
    protected: String,
    signature: String,
}

/// `crit` and `b64` change what the signature means (RFC 7515, 4.1.11; RFC 7797): refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    b64: Option<serde::de::IgnoredAny>,
}

/// What every payload says first: who must have signed it.
#[derive(Deserialize)]
struct Claims {
    format: String,
    publisher: PeerId,
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
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|_| ManifestError::Envelope)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| ManifestError::Envelope);
    let protected = decode(&envelope.protected)?;
    let payload = decode(&envelope.payload)?;
    let signature = decode(&envelope.signature)?;

    let header: Header = serde_json::from_slice(&protected).map_err(|_| ManifestError::Envelope)?;
    if header.alg != "EdDSA" || header.crit.is_some() || header.b64.is_some() {
        return Err(ManifestError::Algorithm);
    }
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| ManifestError::Payload)?;
    if claims.format != format {
        return Err(ManifestError::Payload);
    }
    if let Some(&expected) = expected.filter(|id| **id != claims.publisher) {
        return Err(ManifestError::Publisher { expected, found: claims.publisher });
    }
    let signed = signing_input(&envelope.protected, &envelope.payload);
    claims.publisher.verify(&signed, &signature).map_err(|_| ManifestError::Signature)?;
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
