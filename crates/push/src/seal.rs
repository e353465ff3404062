//! A message that the browser alone reads: RFC 8291, one record of RFC 8188.

use core::fmt;

use aes_gcm::aead::{Aead as _, KeyInit as _};
use aes_gcm::{Aes128Gcm, Nonce};
use hkdf::Hkdf;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{PublicKey, SecretKey};
use primitives::Seed;
use sha2::Sha256;

use crate::text;

/// Bytes of a point that is not compressed.
const POINT_BYTES: usize = 65;
/// Bytes of the secret that a browser shares with whoever may send.
const AUTH_BYTES: usize = 16;
/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// Size of a record as it is told; ours is the only one, and shorter.
const RECORD_BYTES: u32 = 4_096;
/// Longest text of a record: what its size leaves beside the mark of the last one and the tag.
const TEXT_BYTES_MAX: usize = 4_096 - 1 - 16;
/// What stands behind the text of the last record.
const LAST: u8 = 2;
/// Tries to find a number below the group's order: one in four billion fails.
const TRIES_MAX: u8 = 8;

/// Why nothing can be sealed for a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusable;

/// A browser's keys.
#[derive(Clone)]
pub struct Recipient {
    key: PublicKey,
    auth: [u8; AUTH_BYTES],
}

/// Says nothing of the secret.
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient")
    }
}

/// What one message is sealed with, and no other: a key and a salt.
pub struct Once {
    key: SecretKey,
    salt: [u8; SALT_BYTES],
}

/// Says nothing of the secret.
impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl Once {
    /// Of 32 bytes of fresh entropy. `None`: no key follows from them, which nobody will see.
    pub fn new(entropy: &Seed) -> Option<Self> {
        let mut salt = [0; SALT_BYTES];
        let derived = entropy.derive("salt");
        salt.copy_from_slice(derived.as_bytes().split_at(SALT_BYTES).0);
        Some(Self { key: scalar(entropy, "key")?, salt })
    }
}

/// A secret key that follows from a seed and a label.
pub(crate) fn scalar(seed: &Seed, label: &str) -> Option<SecretKey> {
    let candidate = |number| seed.derive(&format!("{label}/{number}"));
    (0..TRIES_MAX).find_map(|number| SecretKey::from_slice(candidate(number).as_bytes()).ok())
}

impl Recipient {
    /// Of what `PushSubscription.toJSON().keys` holds: `p256dh` and `auth`, in base64url.
    ///
    /// # Errors
    /// They are not 65 bytes of a point on the curve, and 16 bytes.
    pub fn new(p256dh: &str, auth: &str) -> Result<Self, Unusable> {
        let point = text::decode(p256dh).filter(|point| point.len() == POINT_BYTES);
        let key = PublicKey::from_sec1_bytes(&point.ok_or(Unusable)?).map_err(|_| Unusable)?;
        let auth = text::decode(auth).and_then(|auth| auth.try_into().ok()).ok_or(Unusable)?;
        Ok(Self { key, auth })
    }

    /// The body of a request with `Content-Encoding: aes128gcm`.
    ///
    /// # Errors
    /// The text is longer than a record holds.
    pub fn seal(&self, message: &[u8], once: &Once) -> Result<Vec<u8>, Unusable> {
        if message.len() > TEXT_BYTES_MAX {
            return Err(Unusable);
        }
        let ours = once.key.public_key().to_sec1_point(false);
        let (key, nonce) = self.keys(once, ours.as_bytes())?;
        let mut record = message.to_vec();
        record.push(LAST);
        let cipher = Aes128Gcm::new(&key.into());
        let sealed =
            cipher.encrypt(&Nonce::from(nonce), record.as_slice()).map_err(|_| Unusable)?;
        let mut body = once.salt.to_vec();
        body.extend(RECORD_BYTES.to_be_bytes());
        body.extend(u8::try_from(ours.as_bytes().len()));
        body.extend(ours.as_bytes());
        body.extend(sealed);
        Ok(body)
    }

    /// Key and nonce of the record: RFC 8291, 3.4.
    fn keys(&self, once: &Once, ours: &[u8]) -> Result<([u8; 16], [u8; 12]), Unusable> {
        let theirs = self.key.to_sec1_point(false);
        let shared = once.key.diffie_hellman(&self.key);
        let info = [b"WebPush: info\0".as_slice(), theirs.as_bytes(), ours].concat();
        let mut input = [0; 32];
        let of_both = Hkdf::<Sha256>::new(Some(&self.auth), shared.raw_secret_bytes().as_slice());
        of_both.expand(&info, &mut input).map_err(|_| Unusable)?;
        let of_message = Hkdf::<Sha256>::new(Some(&once.salt), &input);
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        of_message
            .expand(b"Content-Encoding: aes128gcm\0", &mut key)
            .and_then(|()| of_message.expand(b"Content-Encoding: nonce\0", &mut nonce))
            .map_err(|_| Unusable)?;
        Ok((key, nonce))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8291, section 5 and appendix A.
    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn once() -> Once {
        let bytes = |text| text::decode(text).unwrap();
        Once {
            key: SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"))
                .unwrap(),
            salt: bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap(),
        }
    }

    #[test]
    fn the_example_of_the_standard_comes_out() {
        let browser = Recipient::new(P256DH, AUTH).unwrap();
        let body = browser.seal(b"When I grow up, I want to be a watermelon", &once()).unwrap();
        assert_eq!(
            text::encode(&body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLoc\
             InmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLV\
             WGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let check = |p256dh: &str, auth: &str| assert!(Recipient::new(p256dh, auth).is_err());
        check("", AUTH);
        check(P256DH, "");
        check(P256DH, "BTBZMqHH6r4Tts7J_aSI");
        check(&P256DH[..80], AUTH);
        check(&format!("{P256DH}="), AUTH);
        // A point that is not on the curve, and the compressed form.
        check(&text::encode(&[4; 65]), AUTH);
        let mut compressed = text::decode(P256DH).unwrap();
        compressed.truncate(33);
        compressed[0] = 2;
        check(&text::encode(&compressed), AUTH);
    }

    #[test]
    fn a_text_that_is_too_long_is_refused_and_the_longest_is_not() {
        let browser = Recipient::new(P256DH, AUTH).unwrap();
        let longest = browser.seal(&[b'a'; TEXT_BYTES_MAX], &once()).unwrap();
        assert_eq!(longest.len(), 16 + 4 + 1 + 65 + 4_096);
        assert_eq!(browser.seal(&[b'a'; TEXT_BYTES_MAX + 1], &once()), Err(Unusable));
    }

    #[test]
    fn no_two_messages_are_sealed_with_the_same() {
        let (one, two) = (Seed::from_number(1), Seed::from_number(2));
        let (one, two) = (Once::new(&one).unwrap(), Once::new(&two).unwrap());
        assert_ne!(one.salt, two.salt);
        let browser = Recipient::new(P256DH, AUTH).unwrap();
        assert_ne!(browser.seal(b"a", &one), browser.seal(b"a", &two));
        assert_eq!(format!("{browser:?} {one:?}"), "Recipient Once");
    }
}
