//! Ed25519 keys and signatures (RFC 8032). A public key is a [`PeerId`].

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey, Verifier as _, VerifyingKey};

use crate::{PeerId, Seed};

mod batch;

pub use batch::{Signed, verify_all};

/// A signing key and the [`PeerId`] it speaks for. Never printed, never serialised by us.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

/// 64 bytes of Ed25519 signature.
pub type Signature = [u8; 64];

/// What the points of small order are written as, but for the sign in the last bit.
const SMALL_ORDER: [[u8; 32]; 5] = [
    hex("0100000000000000000000000000000000000000000000000000000000000000"),
    hex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    hex("0000000000000000000000000000000000000000000000000000000000000000"),
    hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
];

/// A signature that is not the signer's over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureError;

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature is not the signer's over these bytes")
    }
}

impl core::error::Error for SignatureError {}

impl KeyPair {
    /// The key of a secret seed. The same seed gives the same key.
    pub fn from_seed(seed: Seed) -> Self {
        Self(SigningKey::from_bytes(seed.as_bytes()))
    }

    /// The public half.
    pub fn id(&self) -> PeerId {
        PeerId::new(self.0.verifying_key().to_bytes())
    }

    /// Signs `bytes`. Callers put a context string first, so that no signature means two things.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        self.0.sign(bytes).to_bytes()
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({:?})", self.id())
    }
}

impl PeerId {
    /// Checks that this peer signed `bytes`, by the strict rules (canonical `s`, neither a key nor an `R` of small
    /// order): all that [`VerifyingKey::verify_strict`] takes, and nothing else.
    ///
    /// That computes the point that `R` is written as, which is a tenth of the work, to learn whether its order is
    /// small. [`VerifyingKey::verify`] takes an `R` only as the library itself writes that point, so its bytes tell.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let key = VerifyingKey::from_bytes(self.as_bytes()).map_err(|_| SignatureError)?;
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError)?;
        let mut point = *signature.r_bytes();
        point[31] &= 0x7f;
        if key.is_weak() || SMALL_ORDER.contains(&point) {
            return Err(SignatureError);
        }
        key.verify(bytes, &signature).map_err(|_| SignatureError)
    }
}

/// The bytes that these digits are.
const fn hex(digits: &str) -> [u8; 32] {
    let digits = digits.as_bytes();
    assert!(digits.len() == 64, "two digits each");
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("no digit"),
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn only_the_signer_and_the_same_bytes_verify() {
        let key = KeyPair::from_seed(Seed::new([7; 32]));
        let signature = key.sign(b"hello");
        assert_eq!(key.id().verify(b"hello", &signature), Ok(()));
        assert_eq!(key.id().verify(b"hellp", &signature), Err(SignatureError));
        let other = KeyPair::from_seed(Seed::new([8; 32]));
        assert_eq!(other.id().verify(b"hello", &signature), Err(SignatureError));
        assert_eq!(key.id().verify(b"hello", &signature[..63]), Err(SignatureError));
    }

    /// Whether the library's strict check takes it, after seeing that ours says the same.
    fn is_taken(key: PeerId, bytes: &[u8], signature: &[u8; 64]) -> bool {
        let ours = key.verify(bytes, signature).is_ok();
        let strict = VerifyingKey::from_bytes(key.as_bytes()).and_then(|key| {
            key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(signature))
        });
        assert_eq!(ours, strict.is_ok(), "{key:?} {bytes:?} {signature:?}");
        ours
    }

    fn is_taken_loosely(key: PeerId, bytes: &[u8], signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(key.as_bytes()).unwrap();
        key.verify(bytes, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    /// SHA-512 over `R`, key and message, as RFC 8032 has it.
    fn challenge(point: [u8; 32], key: [u8; 32], bytes: &[u8]) -> Scalar {
        let hash = sha2::Sha512::new().chain_update(point).chain_update(key).chain_update(bytes);
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }

    #[test]
    fn points_of_small_order_are_written_so() {
        for point in EIGHT_TORSION {
            let mut bytes = point.compress().to_bytes();
            bytes[31] &= 0x7f;
            assert!(SMALL_ORDER.contains(&bytes), "{bytes:?}");
        }
    }

    #[test]
    fn what_loose_rules_take_and_strict_ones_do_not_is_refused() {
        let secret = Scalar::from(1_234_567_u64);
        let mut loose = 0;
        // Keys and points `R` with parts of small order, or of nothing else: the equation holds for some messages.
        for (key_part, own) in EIGHT_TORSION.iter().flat_map(|part| [(part, true), (part, false)]) {
            let key = if own { EdwardsPoint::mul_base(&secret) + key_part } else { *key_part };
            let key = key.compress().to_bytes();
            for point in EIGHT_TORSION.map(|point| point.compress().to_bytes()) {
                for message in 0..16_u8 {
                    let challenge = challenge(point, key, &[message]);
                    let s = if own { challenge * secret } else { Scalar::ZERO };
                    let signature: [u8; 64] =
                        [point, s.to_bytes()].concat().try_into().expect("two halves");
                    let key = PeerId::new(key);
                    assert!(!is_taken(key, &[message], &signature));
                    loose += usize::from(is_taken_loosely(key, &[message], &signature));
                }
            }
        }
        assert!(loose > 100, "{loose}");
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_is_what_the_strict_check_takes(
            seed in 0_u64..64,
            bytes in proptest::collection::vec(0_u8.., 0..40),
            bit in 0_usize..1024,
            part in 0_usize..8,
        ) {
            let key = KeyPair::from_seed(Seed::from_number(seed));
            let signature = key.sign(&bytes);
            assert!(is_taken(key.id(), &bytes, &signature));
            let mut other = signature;
            if let Some(byte) = other.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
                assert!(!is_taken(key.id(), &bytes, &other));
            }
            // A key with a part of small order signs as well as any, if the message is right.
            let secret = Scalar::from(seed + 2);
            let mixed = (EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[part]).compress().to_bytes();
            let nonce = Scalar::from(seed + 9);
            let point = EdwardsPoint::mul_base(&nonce).compress().to_bytes();
            let s = nonce + challenge(point, mixed, &bytes) * secret;
            let signature: [u8; 64] = [point, s.to_bytes()].concat().try_into().expect("two halves");
            let taken = is_taken(PeerId::new(mixed), &bytes, &signature);
            assert!(taken || part != 0);
        }
    }
}
