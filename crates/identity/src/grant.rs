//! A key, given to one person for one purpose: HPKE (RFC 9180), base mode, DHKEM(X25519,
//! HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
//!
//! A document lies encrypted where anyone may fetch it. Whoever shall read it gets its key, sealed for
//! the X25519 key of their DID and bound to what it is for ([`Terms`]): the same bytes do not open
//! under another consent or another scope. Who sealed it is not proved by this: the consent that the
//! terms name is signed.

use core::{convert::Infallible, fmt};

use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _,
    aead::ChaCha20Poly1305,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256 as Kem,
    rand_core::{TryCryptoRng, TryRng},
    single_shot_open, single_shot_seal_with_rng,
};
use minicbor::{Decode, Encode};
use primitives::{Hash, Seed};
use zeroize::Zeroize as _;

use crate::limits::SCOPE_BYTES_MAX;

/// What HPKE's key schedule is told: which protocol this is.
pub const INFO: &[u8] = b"swarm/grant/v1";
/// Bytes of a key that is given.
pub const KEY_BYTES: usize = 32;
/// Bytes of a key with the cipher's tag.
const SEALED_BYTES: usize = KEY_BYTES + 16;

/// What a key is given for: authenticated, not secret. CBOR: an array of three.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    /// What it opens.
    #[n(0)]
    pub resource: Hash,
    /// The consent under which it is given.
    #[n(1)]
    pub consent: Hash,
    /// What may be done, in a word: at most [`SCOPE_BYTES_MAX`] bytes.
    #[n(2)]
    pub scope: String,
}

/// A sealed key. CBOR: an array of two.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Grant {
    /// The sender's key of this grant alone.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub encapsulated: [u8; 32],
    /// The key, sealed.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Who can open grants: an X25519 key.
#[derive(Clone)]
pub struct Recipient(<Kem as hpke::Kem>::PrivateKey);

/// Why a grant is not made or does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantError {
    /// The recipient's key is not one to seal for.
    Key,
    /// The scope is longer than [`SCOPE_BYTES_MAX`] bytes.
    Scope,
    /// Not a grant.
    Form,
    /// For somebody else, for something else, or damaged: one answer for all of these.
    Sealed,
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("expected an X25519 key, found none to seal for"),
            Self::Scope => write!(f, "a scope has at most {SCOPE_BYTES_MAX} bytes"),
            Self::Form => f.write_str("expected a grant, found something else"),
            Self::Sealed => f.write_str("the grant does not open with this key for this purpose"),
        }
    }
}

impl core::error::Error for GrantError {}

impl Terms {
    /// The canonical bytes: what is authenticated.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory does not fail")
    }

    /// Terms in their one form.
    ///
    /// # Errors
    /// Another form, or a scope that is too long.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GrantError> {
        let terms: Self = minicbor::decode(bytes).map_err(|_| GrantError::Form)?;
        if terms.scope.len() > SCOPE_BYTES_MAX {
            return Err(GrantError::Scope);
        }
        if terms.to_bytes() == bytes { Ok(terms) } else { Err(GrantError::Form) }
    }
}

impl Recipient {
    /// The recipient of a secret X25519 key.
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(<Kem as hpke::Kem>::PrivateKey::from_bytes(secret).expect("32 bytes are a key"))
    }

    /// The recipient of the X25519 key that belongs to an Ed25519 seed (RFC 8032, 5.1.5; RFC 7748).
    pub fn of_ed25519(seed: &[u8; 32]) -> Self {
        let mut scalar = ed25519_dalek::SigningKey::from_bytes(seed).to_scalar_bytes();
        let recipient = Self::new(&scalar);
        scalar.zeroize();
        recipient
    }

    /// The key to seal for.
    pub fn public(&self) -> [u8; 32] {
        Kem::sk_to_pk(&self.0).to_bytes().into()
    }
}

/// Says whom to seal for.
impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({:?})", Hash::new(self.public()))
    }
}

impl Grant {
    /// Seals `key` for the X25519 key `recipient`. `seed` is drawn for this grant alone.
    ///
    /// # Errors
    /// The recipient's key is of small order, or the scope too long.
    pub fn seal(
        key: &[u8; KEY_BYTES],
        terms: &Terms,
        recipient: &[u8; 32],
        seed: Seed,
    ) -> Result<Self, GrantError> {
        if terms.scope.len() > SCOPE_BYTES_MAX {
            return Err(GrantError::Scope);
        }
        let public = <Kem as hpke::Kem>::PublicKey::from_bytes(recipient);
        let public = public.map_err(|_| GrantError::Key)?;
        let sealed = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public,
            INFO,
            key,
            &terms.to_bytes(),
            &mut Drawn { seed, count: 0 },
        );
        let (encapsulated, sealed) = sealed.map_err(|_| GrantError::Key)?;
        Ok(Self { encapsulated: encapsulated.to_bytes().into(), sealed })
    }

    /// Opens it, if it is for this recipient under these terms.
    ///
    /// # Errors
    /// [`GrantError::Sealed`].
    pub fn open(
        &self,
        recipient: &Recipient,
        terms: &Terms,
    ) -> Result<[u8; KEY_BYTES], GrantError> {
        self.open_as(recipient, INFO, &terms.to_bytes())
    }

    /// The same for a protocol of another name and with any authenticated bytes: for vectors of others.
    ///
    /// # Errors
    /// [`GrantError::Sealed`].
    pub fn open_as(
        &self,
        recipient: &Recipient,
        info: &[u8],
        authenticated: &[u8],
    ) -> Result<[u8; KEY_BYTES], GrantError> {
        if self.sealed.len() != SEALED_BYTES {
            return Err(GrantError::Form);
        }
        let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(&self.encapsulated);
        let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
            &OpModeR::Base,
            &recipient.0,
            &encapsulated.map_err(|_| GrantError::Sealed)?,
            info,
            &self.sealed,
            authenticated,
        );
        let mut opened = opened.map_err(|_| GrantError::Sealed)?;
        let mut key = [0; KEY_BYTES];
        key.copy_from_slice(&opened);
        opened.zeroize();
        Ok(key)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory does not fail")
    }

    /// A grant in its one form.
    ///
    /// # Errors
    /// [`GrantError::Form`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GrantError> {
        let grant: Self = minicbor::decode(bytes).map_err(|_| GrantError::Form)?;
        let formed = grant.sealed.len() == SEALED_BYTES && grant.to_bytes() == bytes;
        if formed { Ok(grant) } else { Err(GrantError::Form) }
    }
}

/// The driver's entropy, as HPKE takes it: SHA-256 of the seed and a count, one after another.
struct Drawn {
    seed: Seed,
    count: u64,
}

impl Drawn {
    fn word<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            self.count += 1;
            let drawn = self.seed.derive(&format!("starling/grant/{}", self.count));
            part.copy_from_slice(&drawn.as_bytes()[..part.len()]);
        }
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.word()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.word()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        let (resource, consent) = (Hash::new([1; 32]), Hash::new([2; 32]));
        Terms { resource, consent, scope: "read".to_owned() }
    }

    fn sealed() -> (Recipient, Grant) {
        let recipient = Recipient::new(&[7; 32]);
        let seed = Seed::from_number(1);
        let grant = Grant::seal(&[9; 32], &terms(), &recipient.public(), seed).unwrap();
        (recipient, grant)
    }

    #[test]
    fn the_recipient_opens_it_for_its_purpose_and_nobody_else() {
        let (recipient, grant) = sealed();
        assert_eq!(Grant::from_bytes(&grant.to_bytes()), Ok(grant.clone()));
        assert_eq!(grant.open(&recipient, &terms()), Ok([9; 32]));
        let other = Recipient::new(&[8; 32]);
        assert_eq!(grant.open(&other, &terms()), Err(GrantError::Sealed));
        let write = Terms { scope: "write".to_owned(), ..terms() };
        assert_eq!(grant.open(&recipient, &write), Err(GrantError::Sealed));
        let later = Terms { consent: Hash::new([3; 32]), ..terms() };
        assert_eq!(grant.open(&recipient, &later), Err(GrantError::Sealed));
        assert_eq!(
            grant.open_as(&recipient, b"other", &terms().to_bytes()),
            Err(GrantError::Sealed)
        );
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let (recipient, grant) = sealed();
        for bit in 0..32 * 8 {
            let mut changed = grant.clone();
            changed.encapsulated[bit / 8] ^= 1 << (bit % 8);
            let opened = changed.open(&recipient, &terms());
            assert_eq!(opened, Err(GrantError::Sealed), "bit {bit} of the sender's key");
        }
        for bit in 0..SEALED_BYTES * 8 {
            let mut changed = grant.clone();
            changed.sealed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(changed.open(&recipient, &terms()), Err(GrantError::Sealed));
        }
    }

    #[test]
    fn a_key_of_small_order_is_refused_on_both_sides() {
        let seed = Seed::from_number(1);
        assert_eq!(Grant::seal(&[9; 32], &terms(), &[0; 32], seed), Err(GrantError::Key));
        let (recipient, mut grant) = sealed();
        grant.encapsulated = [0; 32];
        assert_eq!(grant.open(&recipient, &terms()), Err(GrantError::Sealed));
    }

    #[test]
    fn terms_have_one_form() {
        let bytes = terms().to_bytes();
        assert_eq!(Terms::from_bytes(&bytes), Ok(terms()));
        assert_eq!(Terms::from_bytes(&[&bytes[..], &[0]].concat()), Err(GrantError::Form));
        // The array's length in two bytes.
        let longer = [&[0x98, 3], &bytes[1..]].concat();
        assert_eq!(Terms::from_bytes(&longer), Err(GrantError::Form));
        let long = Terms { scope: "x".repeat(SCOPE_BYTES_MAX + 1), ..terms() };
        assert_eq!(Terms::from_bytes(&long.to_bytes()), Err(GrantError::Scope));
    }
}
