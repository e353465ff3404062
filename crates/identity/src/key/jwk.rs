//! JWKs of public keys (RFC 7517; RFC 8037 for Ed25519; RFC 7518, 6.2 for P-256).

use serde_json::{Map, Value, json};

use super::{KeyError, Point, PublicKey};
use crate::base64url;

impl PublicKey {
    /// The JWK, with the members that name the key and no others.
    pub fn to_jwk(&self) -> Value {
        match &self.0 {
            Point::Ed25519(bytes) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url::encode(bytes) })
            }
            Point::P256(bytes) => {
                let (x, y) = coordinates(bytes);
                json!({
                    "kty": "EC", "crv": "P-256",
                    "x": base64url::encode(&x), "y": base64url::encode(&y),
                })
            }
        }
    }

    /// The key of a JWK. Members that say more (`kid`, `use`, `alg`) are not looked at.
    ///
    /// # Errors
    /// A secret key, another kind, coordinates of a wrong length, not a point.
    pub fn from_jwk(jwk: &Value) -> Result<Self, KeyError> {
        let members = jwk.as_object().ok_or(KeyError::Form)?;
        if ["d", "k", "p", "q"].iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::Secret);
        }
        match (text(members, "kty")?, text(members, "crv")?) {
            ("OKP", "Ed25519") => Self::ed25519(coordinate(members, "x")?),
            ("EC", "P-256") => {
                let (x, y) = (coordinate(members, "x")?, coordinate(members, "y")?);
                Self::from_sec1(&[&[4][..], &x, &y].concat())
            }
            _ => Err(KeyError::Kind),
        }
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, KeyError> {
    members.get(name).and_then(Value::as_str).ok_or(KeyError::Form)
}

fn coordinate(members: &Map<String, Value>, name: &str) -> Result<[u8; 32], KeyError> {
    let bytes = base64url::decode(text(members, name)?).ok_or(KeyError::Form)?;
    bytes.try_into().map_err(|_| KeyError::Form)
}

fn coordinates(compressed: &[u8; 33]) -> ([u8; 32], [u8; 32]) {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(compressed);
    let point = key.expect("a public key is a point").to_sec1_point(false);
    let (mut x, mut y) = ([0; 32], [0; 32]);
    x.copy_from_slice(&point.as_bytes()[1..33]);
    y.copy_from_slice(&point.as_bytes()[33..]);
    (x, y)
}
