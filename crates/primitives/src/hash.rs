//! SHA-256, whole and as it arrives.

use sha2::Digest as _;

/// A SHA-256 digest (FIPS 180-4).
pub use crate::id::Digest as Hash;

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash::new(sha2::Sha256::digest(bytes).into())
}

/// SHA-256 of bytes that arrive in parts.
#[derive(Debug, Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added.
    pub fn finish(self) -> Hash {
        Hash::new(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 180-4, example of SHA-256 for "abc".
    #[test]
    fn the_digest_of_abc_is_the_one_of_the_standard() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc").to_string(), expected);
        let mut parts = Hasher::new();
        parts.update(b"a");
        parts.update(b"bc");
        assert_eq!(parts.finish().to_string(), expected);
    }
}
