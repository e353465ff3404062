//! Signed JSON in its compact form (RFC 7515, 3.1): `header.payload.signature`, each in base64url.

use serde_json::{Map, Value, json};

use crate::{PublicKey, SecretKey, base64url, json as strict};

/// A signed text, taken apart; nothing of it is true before [`Jws::verify`].
#[derive(Debug)]
pub(crate) struct Jws<'a> {
    pub(crate) header: Map<String, Value>,
    pub(crate) payload: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// Why a signed text does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JwsError {
    /// Not the form.
    Form,
    /// It asks for an extension.
    Critical,
    /// Another `typ`.
    Type,
    /// Another `alg` than the key's.
    Algorithm,
    /// Not the key's signature.
    Signature,
}

impl<'a> Jws<'a> {
    /// Takes a text apart.
    pub(crate) fn parse(text: &'a str) -> Result<Self, JwsError> {
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Form)?;
        // base64url has no dot: three parts, no more.
        let part = |text: &str| base64url::decode(text).ok_or(JwsError::Form);
        let object = |text: &str| strict::parse_object(&part(text)?).ok_or(JwsError::Form);
        let (header, payload) = (object(header)?, object(payload)?);
        Ok(Self { header, payload, signed, signature: part(signature)? })
    }

    /// A text of the header.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// What the header must say whoever signed. Extensions that must be understood are not: none is.
    pub(crate) fn check(&self, kind: &str) -> Result<(), JwsError> {
        if self.header.contains_key("crit") {
            return Err(JwsError::Critical);
        }
        if self.text("typ") != Some(kind) {
            return Err(JwsError::Type);
        }
        // Which of the two it must be, the key says.
        if ["EdDSA", "ES256"].iter().any(|known| self.text("alg") == Some(*known)) {
            Ok(())
        } else {
            Err(JwsError::Algorithm)
        }
    }

    /// Whether `key` signed it, by the algorithm of the key and no other.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), JwsError> {
        if self.text("alg") != Some(key.kind().algorithm()) {
            return Err(JwsError::Algorithm);
        }
        let verified = key.verify(self.signed.as_bytes(), &self.signature);
        verified.map_err(|_| JwsError::Signature)
    }
}

/// Signs `payload`.
pub(crate) fn sign(
    key: &SecretKey,
    kind: &str,
    key_id: Option<&str>,
    payload: &Map<String, Value>,
) -> String {
    let mut header = json!({ "alg": key.public().kind().algorithm(), "typ": kind });
    if let Some(key_id) = key_id {
        header["kid"] = key_id.into();
    }
    let payload = serde_json::to_vec(payload).expect("JSON has a text");
    let signed = format!(
        "{}.{}",
        base64url::encode(header.to_string().as_bytes()),
        base64url::encode(&payload)
    );
    let signature = base64url::encode(&key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}
