//! Randomness as an argument.

use core::fmt;

use crate::sha256;

/// 32 secret bytes from which a core draws all its choices and a peer its key.
///
/// The driver fills it from the platform's entropy; tests and the simulator choose it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

/// A small fast generator for choices that need no secrecy (which peer to try, which piece first).
pub type Rng = fastrand::Rng;

impl Seed {
    /// The seed of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The seed a test or a simulation calls by number.
    pub fn from_number(number: u64) -> Self {
        Self(*sha256(&number.to_be_bytes()).as_bytes())
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// An independent seed for the purpose `label`: SHA-256(seed ‖ label).
    pub fn derive(&self, label: &str) -> Self {
        let mut bytes = self.0.to_vec();
        bytes.extend_from_slice(label.as_bytes());
        Self(*sha256(&bytes).as_bytes())
    }

    /// A generator whose whole sequence follows from this seed.
    pub fn rng(&self) -> Rng {
        let mut first = [0; 8];
        first.copy_from_slice(&self.derive("rng").0[..8]);
        Rng::with_seed(u64::from_be_bytes(first))
    }
}

/// Says nothing of the bytes: a seed is a secret.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}
