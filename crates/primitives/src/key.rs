//! Ed25519 keys and signatures (RFC 8032). A public key is a [`PeerId`].

use core::fmt;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::{PeerId, Seed};

/// A signing key and the [`PeerId`] it speaks for. Never printed, never serialised by us.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

/// 64 bytes of Ed25519 signature.
pub type Signature = [u8; 64];

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
    /// Checks that this peer signed `bytes`, by the strict rules (no small-order keys, canonical `s`).
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let key = VerifyingKey::from_bytes(self.as_bytes()).map_err(|_| SignatureError)?;
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| SignatureError)?;
        key.verify_strict(bytes, &signature).map_err(|_| SignatureError)
    }
}

#[cfg(test)]
mod tests {
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
}
