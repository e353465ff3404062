//! Who sends, to a push service: RFC 8292.

use core::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use primitives::Seed;
use serde_json::json;

use crate::seal::scalar;
use crate::text;

/// How long a statement is good, in seconds: services refuse more than a day.
const GOOD_S: u64 = 12 * 3_600;

/// The server's key at push services. A browser that subscribes names it, and its service then takes messages
/// of nobody else.
pub struct Vapid {
    key: SigningKey,
    public: String,
}

/// Says nothing of the secret.
impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

impl Vapid {
    /// The key that follows from a seed. `None`: none does, which nobody will see.
    pub fn new(seed: &Seed) -> Option<Self> {
        let key = SigningKey::from(scalar(seed, "vapid")?);
        let public = text::encode(key.verifying_key().to_sec1_point(false).as_bytes());
        Some(Self { key, public })
    }

    /// What a browser subscribes with: the uncompressed point, in base64url.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The header `Authorization` for the push service at `audience` (its origin), at this time. `contact` is an
    /// address (`mailto:` or `https:`) for whoever runs it; some want one.
    pub fn authorization(&self, audience: &str, contact: Option<&str>, now_s: u64) -> String {
        let mut claims = json!({ "aud": audience, "exp": now_s.saturating_add(GOOD_S) });
        if let Some(contact) = contact {
            claims["sub"] = contact.into();
        }
        let header = json!({ "typ": "JWT", "alg": "ES256" });
        let part = |value: &serde_json::Value| text::encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        let signature = text::encode(signature.to_bytes().as_slice());
        format!("vapid t={signed}.{signature}, k={}", self.public)
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;
    use serde_json::Value;

    use super::*;

    /// As a push service checks it: RFC 8292, 2 and 4.2.
    #[test]
    fn a_push_service_can_check_who_sends() {
        let vapid = Vapid::new(&Seed::from_number(1)).unwrap();
        let at = 1_800_000_000;
        let contact = Some("mailto:host@example.com");
        let told = vapid.authorization("https://push.example.net", contact, at);
        let (token, key) = told.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, vapid.public());
        let point = text::decode(key).unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&text::decode(signature).unwrap()).unwrap();
        let key = VerifyingKey::from_sec1_bytes(&point).unwrap();
        key.verify(signed.as_bytes(), &signature).unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let read =
            |part: &str| -> Value { serde_json::from_slice(&text::decode(part).unwrap()).unwrap() };
        assert_eq!(read(header), json!({ "typ": "JWT", "alg": "ES256" }));
        assert_eq!(
            read(claims),
            json!({
                "aud": "https://push.example.net",
                "exp": at + GOOD_S,
                "sub": "mailto:host@example.com",
            })
        );
        let nobody = vapid.authorization("https://push.example.net", None, at);
        assert!(nobody.len() < told.len());
    }

    #[test]
    fn a_seed_gives_one_key_and_another_another() {
        let of = |number| Vapid::new(&Seed::from_number(number)).unwrap().public().to_owned();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        assert!(!format!("{:?}", Vapid::new(&Seed::from_number(1)).unwrap()).contains("key:"));
    }
}
