//! The seed, and the tree of keys below it (HKDF-SHA256, RFC 5869).

use core::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::NewPhrase;
use crate::{PublicKey, SecretKey, grant::Recipient, limits::GENERATIONS_MAX};

/// What every derivation begins with.
const SALT: &[u8] = b"starling/identity/1";

/// 32 secret bytes from which every key of a person follows. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Root([u8; 32]);

impl Root {
    /// The root of 32 random bytes.
    pub const fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The words that are this seed: who has them needs nothing else (`docs/adr/0060-keys-in-the-browser.md`).
    pub const fn words(&self) -> NewPhrase {
        NewPhrase::new(self.0)
    }

    /// What guardians share: the seed itself, so that enough shares need no keyring beside them.
    pub const fn shared(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key that signs for the person: in `did:key`, and in the document of `did:starling`.
    pub fn identity_key(&self) -> SecretKey {
        self.signing_key(0)
    }

    /// The key that signs in the document of `did:starling`, of each generation; the first is
    /// [`Self::identity_key`].
    pub fn signing_key(&self, generation: u32) -> SecretKey {
        SecretKey::ed25519(&self.signing_seed(generation))
    }

    /// The generation of a key of the person's that signs; none: it is not theirs.
    pub fn generation_of(&self, key: &PublicKey) -> Option<u32> {
        (0..GENERATIONS_MAX).find(|generation| self.signing_key(*generation).public() == *key)
    }

    fn signing_seed(&self, generation: u32) -> Zeroizing<[u8; 32]> {
        match generation {
            0 => self.derive("sign", &[]),
            later => self.derive("sign", &[&later.to_be_bytes()]),
        }
    }

    /// The seed of the key that spends from the person's account on one ledger, named by its chain.
    pub fn account_seed(&self, chain: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        self.derive("account", &[chain])
    }

    /// The key that changes the person's DID, of each generation: the next one is promised by its hash
    /// while this one is in use.
    pub fn rotation_key(&self, generation: u32) -> SecretKey {
        SecretKey::ed25519(&self.derive("rotate", &[&generation.to_be_bytes()]))
    }

    /// Who opens what is sealed for the person: the X25519 key of [`Self::identity_key`]'s DID.
    pub fn recipient(&self) -> Recipient {
        self.recipient_at(0)
    }

    /// The same of a later [`Self::signing_key`]: what was sealed for an older one stays readable.
    pub fn recipient_at(&self, generation: u32) -> Recipient {
        Recipient::of_ed25519(&self.signing_seed(generation))
    }

    /// The key to which one copy of a credential is bound: no two copies share one, so that showing
    /// two does not say that they are of one person.
    pub fn holder_key(&self, credential_type: &str, copy: u32) -> SecretKey {
        let parts = [credential_type.as_bytes(), &copy.to_be_bytes()];
        SecretKey::ed25519(&self.derive("hold", &parts))
    }

    /// The key that one document of the person's own is encrypted with.
    pub fn vault_key(&self, resource: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        self.derive("vault", &[resource])
    }

    /// The key that something of the person's is sealed with on a device (`what`: its kind), and what it is
    /// called there. The name says nothing of the seed or of the person.
    pub fn keeping(&self, what: &str) -> (Zeroizing<[u8; 32]>, [u8; 16]) {
        let mut name = [0; 16];
        name.copy_from_slice(&self.derive("keep/name", &[what.as_bytes()])[..16]);
        (self.derive("keep", &[what.as_bytes()]), name)
    }

    /// What a keyring of this seed is called. Says nothing of the seed.
    pub(super) fn name(&self) -> [u8; 16] {
        let mut name = [0; 16];
        name.copy_from_slice(&self.derive("name", &[])[..16]);
        name
    }

    fn derive(&self, purpose: &str, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        derive(&self.0, purpose, parts)
    }
}

/// HKDF of a secret. The info is the purpose and each part behind its length, so that no two
/// derivations have the same.
pub(super) fn derive(secret: &[u8], purpose: &str, parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut info = Vec::new();
    for part in [purpose.as_bytes()].iter().chain(parts) {
        let length = u32::try_from(part.len()).expect("labels are short");
        info.extend_from_slice(&length.to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut key = Zeroizing::new([0; 32]);
    let expanded = Hkdf::<Sha256>::new(Some(SALT), secret).expand(&info, &mut *key);
    expanded.expect("32 bytes are below the limit of 8160");
    key
}

impl Drop for Root {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Root(..)")
    }
}
