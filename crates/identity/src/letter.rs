//! Bytes sealed for several people: what lies where anyone may fetch it, and only they read.
//!
//! The bytes are encrypted once, with a key that is drawn for them alone; the key is granted to each reader
//! ([`crate::grant`]), bound to the encrypted bytes and to what the letter is about. Who wrote it is not
//! proved by this: what is inside is signed, if it matters.

use core::fmt;

use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use minicbor::{Decode, Encode};
use primitives::{Seed, sha256};
use zeroize::Zeroizing;

use crate::{
    PublicKey,
    grant::{Grant, Recipient, Terms},
    limits::{LETTER_BYTES_MAX, READERS_MAX},
};

/// Which form this is.
const VERSION: u8 = 1;
/// What the key is given for.
const SCOPE: &str = "read";
/// Bytes of the cipher's tag.
const TAG_BYTES: usize = 16;

/// A letter. CBOR: an array of three.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Letter {
    #[n(0)]
    version: u8,
    /// The key, for each reader; who they are is not said.
    #[n(1)]
    grants: Vec<Grant>,
    #[cbor(n(2), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// Why a letter is not made or does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LetterError {
    /// No readers, or more than [`READERS_MAX`].
    Readers,
    /// A reader's key is not one to seal for.
    Key,
    /// More than [`LETTER_BYTES_MAX`] bytes.
    Length,
    /// Not a letter.
    Form,
    /// For others, about something else, or damaged: one answer for all of these.
    Sealed,
}

impl fmt::Display for LetterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Readers => write!(f, "expected 1 to {READERS_MAX} readers"),
            Self::Key => f.write_str("expected X25519 keys, found one that is none to seal for"),
            Self::Length => write!(f, "a letter has at most {LETTER_BYTES_MAX} bytes"),
            Self::Form => f.write_str("expected a letter, found something else"),
            Self::Sealed => f.write_str("the letter does not open with this key for this purpose"),
        }
    }
}

impl core::error::Error for LetterError {}

impl Letter {
    /// Seals bytes for the X25519 keys `readers`. `context` says what they are about: authenticated, and
    /// known to who opens them. `seed` is secret and drawn for this letter alone.
    ///
    /// # Errors
    /// See [`LetterError`], but never [`LetterError::Form`] or [`LetterError::Sealed`].
    pub fn seal(
        bytes: &[u8],
        context: &[u8],
        readers: &[[u8; 32]],
        seed: Seed,
    ) -> Result<Self, LetterError> {
        if !(1..=READERS_MAX).contains(&readers.len()) {
            return Err(LetterError::Readers);
        }
        if bytes.len() > LETTER_BYTES_MAX {
            return Err(LetterError::Length);
        }
        let key = Zeroizing::new(*seed.derive("starling/letter/key/1").as_bytes());
        let payload = Payload { msg: bytes, aad: context };
        // The key is of this letter alone, so that the nonce need not differ.
        let cipher = ChaCha20Poly1305::new((&*key).into());
        let sealed = cipher.encrypt(&Nonce::from([0; 12]), payload);
        let sealed = sealed.expect("a letter is below the cipher's limit");
        let terms = terms(&sealed, context);
        let grant = |(at, reader): (usize, &[u8; 32])| {
            let seed = seed.derive(&format!("starling/letter/reader/1/{at}"));
            Grant::seal(&key, &terms, reader, seed).map_err(|_| LetterError::Key)
        };
        let grants = readers.iter().enumerate().map(grant).collect::<Result<_, _>>()?;
        Ok(Self { version: VERSION, grants, sealed })
    }

    /// The bytes, if it is for this reader and about this.
    ///
    /// # Errors
    /// [`LetterError::Sealed`].
    pub fn open(&self, reader: &Recipient, context: &[u8]) -> Result<Vec<u8>, LetterError> {
        let terms = terms(&self.sealed, context);
        let key = self.grants.iter().find_map(|grant| grant.open(reader, &terms).ok());
        let key = Zeroizing::new(key.ok_or(LetterError::Sealed)?);
        let payload = Payload { msg: &self.sealed, aad: context };
        let cipher = ChaCha20Poly1305::new((&*key).into());
        cipher.decrypt(&Nonce::from([0; 12]), payload).map_err(|_| LetterError::Sealed)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory does not fail")
    }

    /// A letter in its one form.
    ///
    /// # Errors
    /// [`LetterError::Form`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LetterError> {
        let letter: Self = minicbor::decode(bytes).map_err(|_| LetterError::Form)?;
        let formed = letter.version == VERSION
            && (1..=READERS_MAX).contains(&letter.grants.len())
            && letter.sealed.len() <= LETTER_BYTES_MAX + TAG_BYTES
            && letter.to_bytes() == bytes;
        if formed { Ok(letter) } else { Err(LetterError::Form) }
    }
}

/// Whom to seal for, by a `did:key` of Ed25519: the X25519 key that belongs to it. None: another method, another
/// kind of key, or no DID.
pub fn reader(did: &str) -> Option<[u8; 32]> {
    let key = PublicKey::ed25519_from_multikey(did.strip_prefix("did:key:")?).ok()?;
    key.agreement()
}

/// What the key is given for: these bytes, about this.
fn terms(sealed: &[u8], context: &[u8]) -> Terms {
    Terms { resource: sha256(sealed), consent: sha256(context), scope: SCOPE.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &[u8] = b"a slot of a meter";

    #[test]
    fn a_reader_is_named_by_a_key_of_ed25519_and_by_nothing_else() {
        let key = crate::SecretKey::ed25519(&[7; 32]).public();
        let did = crate::did::did_key::did(&key);
        assert_eq!(reader(&did), Some(Recipient::of_ed25519(&[7; 32]).public()));
        let other = crate::SecretKey::p256(&[9; 32]).unwrap().public();
        for text in [crate::did::did_key::did(&other).as_str(), "did:web:a.example", "", &did[..40]]
        {
            assert_eq!(reader(text), None, "{text}");
        }
    }

    fn readers() -> [Recipient; 2] {
        [Recipient::new(&[7; 32]), Recipient::new(&[8; 32])]
    }

    fn letter() -> Letter {
        let keys = readers().map(|reader| reader.public());
        Letter::seal(b"500 Wh", ABOUT, &keys, Seed::from_number(1)).unwrap()
    }

    #[test]
    fn each_reader_opens_it_and_nobody_else() {
        let letter = Letter::from_bytes(&letter().to_bytes()).unwrap();
        for reader in readers() {
            assert_eq!(letter.open(&reader, ABOUT).unwrap(), b"500 Wh");
            let elsewhere = letter.open(&reader, b"another slot");
            assert_eq!(elsewhere, Err(LetterError::Sealed));
        }
        let other = Recipient::new(&[9; 32]);
        assert_eq!(letter.open(&other, ABOUT), Err(LetterError::Sealed));
    }

    #[test]
    fn any_flipped_bit_is_refused() {
        let (letter, [reader, _]) = (letter(), readers());
        for bit in 0..letter.sealed.len() * 8 {
            let mut changed = letter.clone();
            changed.sealed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(changed.open(&reader, ABOUT), Err(LetterError::Sealed), "bit {bit}");
        }
    }

    #[test]
    fn letters_have_readers_a_bound_and_one_form() {
        let seed = Seed::from_number(1);
        let key = readers()[0].public();
        let many = vec![key; READERS_MAX + 1];
        for readers in [&[][..], &many] {
            assert_eq!(Letter::seal(b"", ABOUT, readers, seed), Err(LetterError::Readers));
        }
        let long = vec![0; LETTER_BYTES_MAX + 1];
        assert_eq!(Letter::seal(&long, ABOUT, &[key], seed), Err(LetterError::Length));
        assert_eq!(Letter::seal(b"", ABOUT, &[[0; 32]], seed), Err(LetterError::Key));
        let bytes = letter().to_bytes();
        assert_eq!(Letter::from_bytes(&[&bytes[..], &[0]].concat()), Err(LetterError::Form));
        let none = Letter { grants: Vec::new(), ..letter() }.to_bytes();
        assert_eq!(Letter::from_bytes(&none), Err(LetterError::Form));
        let later = Letter { version: 2, ..letter() }.to_bytes();
        assert_eq!(Letter::from_bytes(&later), Err(LetterError::Form));
    }
}
