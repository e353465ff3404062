//! `did:key`: the document follows from the name (W3C CCG did:key 0.9).
//!
//! The document is in the form that resolvers in use give (npm `key-did-resolver`), so that ours can be
//! put in their place: keys of Ed25519 in base58, of P-256 as JWK; an Ed25519 key also has the X25519
//! key that belongs to it, for sealing.

use serde_json::{Value, json};

use crate::{
    KeyKind, PublicKey,
    key::{AGREEMENT_PREFIX, to_multibase},
};

/// The DID of a key.
pub fn did(key: &PublicKey) -> String {
    format!("did:key:{key}")
}

/// The name of the key in its own document: what `kid` says.
pub fn key_id(key: &PublicKey) -> String {
    format!("did:key:{key}#{key}")
}

/// The key that a key id names, if DID and fragment are the same key.
pub fn key_of_id(id: &str) -> Option<PublicKey> {
    let (did, fragment) = id.split_once('#')?;
    let text = did.strip_prefix("did:key:")?;
    if text != fragment {
        return None;
    }
    PublicKey::from_multikey(text).ok()
}

/// The document of a key's DID.
pub fn document(key: &PublicKey) -> Value {
    let (did, id) = (did(key), key_id(key));
    let mut document = json!({
        "id": did,
        "verificationMethod": [method(key, &did, &id)],
        "authentication": [id],
        "assertionMethod": [id],
        "capabilityDelegation": [id],
        "capabilityInvocation": [id],
    });
    if let Some(agreement) = key.agreement() {
        let name = to_multibase(AGREEMENT_PREFIX, &agreement);
        document["keyAgreement"] = json!([{
            "id": format!("{did}#{name}"),
            "type": "X25519KeyAgreementKey2019",
            "controller": did,
            "publicKeyBase58": bs58::encode(agreement).into_string(),
        }]);
    }
    document
}

fn method(key: &PublicKey, did: &str, id: &str) -> Value {
    match key.kind() {
        KeyKind::Ed25519 => json!({
            "id": id,
            "type": "Ed25519VerificationKey2018",
            "controller": did,
            "publicKeyBase58": bs58::encode(key.as_bytes()).into_string(),
        }),
        KeyKind::P256 => json!({
            "id": id,
            "type": "JsonWebKey2020",
            "controller": did,
            "publicKeyJwk": key.to_jwk(),
        }),
    }
}
