//! A share, granted to one person: its key, with the signed consent of who gives it.
//!
//! [`crate::grant`] seals a key and does not say by whom. Here a [`Consent`] names who gives what to whom, what
//! for and until when; the sealed key is bound to it, and both are signed. On its way all of it lies in an
//! [`Envelope`]: whoever carries the text learns for whom it is, and nothing else. Who opened it may say so with
//! a [`Receipt`]. Why it is so: `docs/adr/0070-shared-with.md`.
//!
//! What this does not do: take a key back. The end holds in the software of who reads.

mod envelope;
mod receipt;
#[cfg(test)]
mod tests;

use core::fmt;

use minicbor::{Decode, Encode};
use primitives::{Hash, Seed, sha256};

use crate::{
    PublicKey, SecretKey,
    did::Did,
    grant::{Grant, KEY_BYTES, Recipient, Terms},
    limits::{
        CLOCK_SKEW_S_MAX, DID_BYTES_MAX, GRANTED_CID_BYTES_MAX, GRANTED_LIFE_S_MAX,
        GRANTED_NAME_BYTES_MAX, PURPOSE_BYTES_MAX,
    },
    sd_jwt::{IssuerKeys, NoKey},
    words::are_plain,
};

pub use envelope::Envelope;
pub use receipt::Receipt;

/// Which form this is.
const VERSION: u8 = 1;
/// What a signature begins with.
const SIGNED: &[u8] = b"starling-access/1\0";
/// What the key is given for.
const SCOPE: &str = "read";

/// Who lets whom read what. CBOR: an array of eight.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Consent {
    /// Who gives it: a DID, `#`, the name of the key that signed.
    #[n(0)]
    pub by: String,
    /// Who gets it: a DID.
    #[n(1)]
    pub to: String,
    /// The key of theirs that it is sealed for.
    #[n(2)]
    pub reader: PublicKey,
    /// What: the CID of the share.
    #[n(3)]
    pub resource: String,
    /// What the giver calls it; may be empty.
    #[n(4)]
    pub name: String,
    /// What for, in the giver's words.
    #[n(5)]
    pub purpose: String,
    /// When it was given, in seconds since 1970-01-01 UTC.
    #[n(6)]
    pub at_s: u64,
    /// From when on it does not hold any more.
    #[n(7)]
    pub until_s: u64,
}

/// A consent with the key, signed. CBOR: an array of four.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Access {
    #[n(0)]
    version: u8,
    #[n(1)]
    consent: Consent,
    #[n(2)]
    grant: Grant,
    #[cbor(n(3), with = "minicbor::bytes")]
    signature: [u8; 64],
}

/// Why a grant is not made, or is worth nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessError {
    /// Not in the form.
    Form,
    /// A name that is no `did:key` or `did:starling`.
    Name,
    /// The reader's key is none to seal for.
    Reader,
    /// The CID is none.
    Resource,
    /// No purpose, or one that can't be shown.
    Purpose,
    /// It ends before it begins, or too late.
    Times,
    /// For another key, or damaged.
    Sealed,
    /// The key that signed is not the giver's, or can't be known here.
    NoKey(NoKey),
    /// Not the giver's signature.
    Signature,
    /// It begins later.
    Ahead,
    /// Its end has passed.
    Ended,
    /// A receipt of another grant.
    Other,
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Form => "expected a grant, found something else, or a part of one",
            Self::Name => "expected a did:key or a did:starling, found another name",
            Self::Reader => {
                "nothing can be sealed for that name\u{2019}s key: ask them for the name that their page \u{201c}Shared with\u{201d} shows"
            }
            Self::Resource => "expected the CID of a share, found something else",
            Self::Purpose => {
                return write!(
                    f,
                    "say what it is for, in at most {PURPOSE_BYTES_MAX} bytes of plain words"
                );
            }
            Self::Times => {
                return write!(
                    f,
                    "expected times in order, and an end within {} days",
                    GRANTED_LIFE_S_MAX / 86_400
                );
            }
            Self::Sealed => "the grant does not open with your key: it was damaged on its way",
            Self::NoKey(NoKey::Method) => "names of that kind are not looked up here",
            Self::NoKey(NoKey::Unknown) => "the giver\u{2019}s name is not known",
            Self::NoKey(NoKey::NotTheirs) => "the key that signed was not the giver\u{2019}s",
            Self::Signature => "the signature is not theirs: it was changed, or made by another",
            Self::Ahead => "the grant begins later than now: is the clock of this device right?",
            Self::Ended => "the grant has ended: ask who gave it for a new one",
            Self::Other => "the receipt is of another grant, or of one that was forgotten",
        };
        f.write_str(words)
    }
}

impl core::error::Error for AccessError {}

impl Consent {
    /// The DID of who gives it.
    pub fn giver(&self) -> &str {
        self.by.split_once('#').map_or("", |(did, _)| did)
    }

    /// Whether it can be shown and signed.
    ///
    /// # Errors
    /// Names, CID, words or times that can't be.
    pub fn check(&self) -> Result<(), AccessError> {
        let known = |did: &str| match did.parse() {
            Ok(Did::Key(key)) => Ok(Some(key)),
            Ok(Did::Starling(_)) => Ok(None),
            Ok(Did::Web(_)) | Err(_) => Err(AccessError::Name),
        };
        known(self.giver())?;
        if self.by.len() > 2 * DID_BYTES_MAX || !are_plain(&self.by) {
            return Err(AccessError::Name);
        }
        // A name that is its key is sealed for by that key and no other.
        if known(&self.to)?.is_some_and(|key| key != self.reader) {
            return Err(AccessError::Reader);
        }
        if self.reader.agreement().is_none() {
            return Err(AccessError::Reader);
        }
        if !is_cid(&self.resource) {
            return Err(AccessError::Resource);
        }
        if self.name.len() > GRANTED_NAME_BYTES_MAX || !are_plain(&self.name) {
            return Err(AccessError::Form);
        }
        let has_words = !self.purpose.trim().is_empty();
        if !has_words || self.purpose.len() > PURPOSE_BYTES_MAX || !are_plain(&self.purpose) {
            return Err(AccessError::Purpose);
        }
        match self.until_s.checked_sub(self.at_s) {
            Some(1..=GRANTED_LIFE_S_MAX) => Ok(()),
            _ => Err(AccessError::Times),
        }
    }

    /// What the key is sealed under.
    fn terms(&self) -> Terms {
        let consent = minicbor::to_vec(self).expect("encoding into memory does not fail");
        Terms {
            resource: sha256(self.resource.as_bytes()),
            consent: sha256(&consent),
            scope: SCOPE.to_owned(),
        }
    }
}

impl Access {
    /// Gives `key` to who has [`Consent::reader`]. `signer` is the key that [`Consent::by`] names; `seed` is secret
    /// and drawn for this alone.
    ///
    /// # Errors
    /// See [`Consent::check`].
    pub fn give(
        key: &[u8; KEY_BYTES],
        consent: Consent,
        signer: &SecretKey,
        seed: Seed,
    ) -> Result<Self, AccessError> {
        consent.check()?;
        let reader = consent.reader.agreement().ok_or(AccessError::Reader)?;
        let grant = Grant::seal(key, &consent.terms(), &reader, seed);
        let grant = grant.map_err(|_| AccessError::Reader)?;
        let signature = signer.sign(&to_sign(&consent, &grant));
        Ok(Self { version: VERSION, consent, grant, signature })
    }

    /// What was agreed.
    pub const fn consent(&self) -> &Consent {
        &self.consent
    }

    /// Its name: what a receipt is of. Whoever did not open the envelope does not know it.
    pub fn id(&self) -> Hash {
        sha256(&self.to_bytes())
    }

    /// Whether who gives it signed it.
    ///
    /// # Errors
    /// [`AccessError::NoKey`], [`AccessError::Signature`].
    pub fn verify(&self, keys: &impl IssuerKeys) -> Result<(), AccessError> {
        let Consent { by, at_s, .. } = &self.consent;
        let key = keys.key(self.consent.giver(), by, Some(*at_s)).map_err(AccessError::NoKey)?;
        let signed = to_sign(&self.consent, &self.grant);
        key.verify_unique(&signed, &self.signature).map_err(|_| AccessError::Signature)
    }

    /// Whether it holds at a time.
    ///
    /// # Errors
    /// [`AccessError::Ahead`], [`AccessError::Ended`].
    pub const fn hold(&self, now_s: u64) -> Result<(), AccessError> {
        if self.consent.at_s > now_s.saturating_add(CLOCK_SKEW_S_MAX) {
            return Err(AccessError::Ahead);
        }
        if self.consent.until_s <= now_s { Err(AccessError::Ended) } else { Ok(()) }
    }

    /// The key.
    ///
    /// # Errors
    /// [`AccessError::Sealed`].
    pub fn open(&self, reader: &Recipient) -> Result<[u8; KEY_BYTES], AccessError> {
        self.grant.open(reader, &self.consent.terms()).map_err(|_| AccessError::Sealed)
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("encoding into memory does not fail")
    }

    /// A grant in its one form.
    ///
    /// # Errors
    /// Another form, or a consent that can't be: see [`Consent::check`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AccessError> {
        let access: Self = minicbor::decode(bytes).map_err(|_| AccessError::Form)?;
        if access.version != VERSION || access.to_bytes() != bytes {
            return Err(AccessError::Form);
        }
        access.consent.check()?;
        Ok(access)
    }
}

/// What the giver signs: the consent and the sealed key, each of which says where it ends.
fn to_sign(consent: &Consent, grant: &Grant) -> Vec<u8> {
    let mut bytes = SIGNED.to_vec();
    bytes.extend(minicbor::to_vec(consent).expect("encoding into memory does not fail"));
    bytes.extend(grant.to_bytes());
    bytes
}

/// Whether a text has the letters of a CID in base32: what it names is looked at by who fetches it.
fn is_cid(text: &str) -> bool {
    let of_base32 = |byte: u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
    (8..=GRANTED_CID_BYTES_MAX).contains(&text.len())
        && text.starts_with('b')
        && text.bytes().all(of_base32)
}
