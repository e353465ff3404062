//! Keys that sign: Ed25519 (RFC 8032) and P-256 (FIPS 186-5), with the forms others know them by.

mod cbor;
mod jwk;
mod multikey;
#[cfg(test)]
mod tests;

use core::fmt;

use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Verifier as _;

pub(crate) use multikey::{AGREEMENT_PREFIX, to_multibase};

/// Which keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Ed25519: people's and organisations' own keys.
    Ed25519,
    /// ECDSA on P-256 with SHA-256: passkeys, secure hardware, WebCrypto.
    P256,
}

impl KeyKind {
    /// What JWS calls its signatures (RFC 8037, 3.1; RFC 7518, 3.4).
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::Ed25519 => "EdDSA",
            Self::P256 => "ES256",
        }
    }
}

/// A public key: a point of its curve that is not of small order, in one form of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(Point);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Point {
    Ed25519([u8; 32]),
    /// Compressed (SEC 1, 2.3.3).
    P256([u8; 33]),
}

/// Why bytes or a text are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// Not in the form of a key.
    Form,
    /// A kind of key that is not known here.
    Kind,
    /// Not a point of the curve, or one of small order.
    Point,
    /// A secret where a public key is expected.
    Secret,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected a key, found something else",
            Self::Kind => "expected an Ed25519 or a P-256 key",
            Self::Point => "expected a point of the key's curve",
            Self::Secret => "expected a public key, found a secret one",
        })
    }
}

impl core::error::Error for KeyError {}

/// A signature that is not the key's over these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadSignature;

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature is not the key's over these bytes")
    }
}

impl core::error::Error for BadSignature {}

impl PublicKey {
    /// An Ed25519 key.
    ///
    /// # Errors
    /// Not a point, or one of small order, under which one signature fits many messages.
    pub fn ed25519(bytes: [u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Point)?;
        let one_form = key.to_edwards().compress().to_bytes() == bytes;
        if key.is_weak() || !one_form {
            return Err(KeyError::Point);
        }
        Ok(Self(Point::Ed25519(bytes)))
    }

    /// A P-256 key, compressed.
    ///
    /// # Errors
    /// Not a compressed point of the curve.
    pub fn p256(bytes: [u8; 33]) -> Result<Self, KeyError> {
        match bytes[0] {
            2 | 3 => Self::from_sec1(&bytes),
            _ => Err(KeyError::Form),
        }
    }

    /// A P-256 point in any form of SEC 1.
    fn from_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes);
        Ok(Self::of_p256(&key.map_err(|_| KeyError::Point)?))
    }

    fn of_p256(key: &p256::ecdsa::VerifyingKey) -> Self {
        let point = key.to_sec1_point(true);
        let mut bytes = [0; 33];
        bytes.copy_from_slice(point.as_bytes());
        Self(Point::P256(bytes))
    }

    /// Which kind it is.
    pub const fn kind(&self) -> KeyKind {
        match self.0 {
            Point::Ed25519(_) => KeyKind::Ed25519,
            Point::P256(_) => KeyKind::P256,
        }
    }

    /// The bytes: 32 of Ed25519, 33 of P-256.
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Point::Ed25519(bytes) => bytes,
            Point::P256(bytes) => bytes,
        }
    }

    /// Checks that this key signed `message`. `signature` is 64 bytes; P-256's are r ‖ s (RFC 7518,
    /// 3.4), of either sign of s.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        match &self.0 {
            Point::Ed25519(bytes) => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(bytes);
                let signature = ed25519_dalek::Signature::from_slice(signature);
                let (key, signature) =
                    (key.map_err(|_| BadSignature)?, signature.map_err(|_| BadSignature)?);
                key.verify_strict(message, &signature).map_err(|_| BadSignature)
            }
            Point::P256(bytes) => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes);
                let signature = p256::ecdsa::Signature::from_slice(signature);
                let (key, signature) =
                    (key.map_err(|_| BadSignature)?, signature.map_err(|_| BadSignature)?);
                key.verify(message, &signature).map_err(|_| BadSignature)
            }
        }
    }

    /// The same where bytes that were signed get a name: the other s of a P-256 signature, which
    /// anyone can compute, is refused.
    pub fn verify_unique(&self, message: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        if let Point::P256(_) = self.0 {
            let parsed = p256::ecdsa::Signature::from_slice(signature).map_err(|_| BadSignature)?;
            if parsed.normalize_s() != parsed {
                return Err(BadSignature);
            }
        }
        self.verify(message, signature)
    }

    /// The X25519 key that belongs to an Ed25519 key (RFC 7748, 4.1): whom to seal for.
    pub fn agreement(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Point::Ed25519(bytes) => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
                Some(key.to_montgomery().to_bytes())
            }
            Point::P256(_) => None,
        }
    }
}

/// As a multikey: what other programs show.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_multikey())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A key that signs. Its parts wipe themselves; it is never printed.
#[derive(Clone)]
pub struct SecretKey(Scalar);

#[derive(Clone)]
enum Scalar {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl SecretKey {
    /// The Ed25519 key of a seed (RFC 8032, 5.1.5).
    pub fn ed25519(seed: &[u8; 32]) -> Self {
        Self(Scalar::Ed25519(ed25519_dalek::SigningKey::from_bytes(seed)))
    }

    /// The P-256 key of a scalar, big-endian.
    ///
    /// # Errors
    /// Zero, or not below the order of the curve: one in 2^32 of random bytes.
    pub fn p256(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        let key = p256::ecdsa::SigningKey::from_slice(scalar).map_err(|_| KeyError::Point)?;
        Ok(Self(Scalar::P256(key)))
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Scalar::Ed25519(key) => PublicKey(Point::Ed25519(key.verifying_key().to_bytes())),
            Scalar::P256(key) => PublicKey::of_p256(key.verifying_key()),
        }
    }

    /// Signs. P-256 signs deterministically (RFC 6979), with the smaller s.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        match &self.0 {
            Scalar::Ed25519(key) => key.sign(message).to_bytes(),
            Scalar::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_bytes().into()
            }
        }
    }
}

/// Says nothing of the secret.
impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({})", self.public())
    }
}
