//! What is handed over: a grant, sealed for who may read it, as a text.

use minicbor::{Decode, Encode};
use primitives::Seed;

use super::{Access, AccessError, VERSION};
use crate::{
    PublicKey, base64url, did::Did, grant::Recipient, letter::Letter,
    limits::GRANTED_TEXT_BYTES_MAX,
};

/// What the text begins with.
const TEXT: &str = "starling-access-1.";
/// What the letter is about, before for whom.
const ABOUT: &str = "starling-access/1";

/// A sealed grant. CBOR: an array of four.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Envelope {
    #[n(0)]
    pub(super) version: u8,
    /// For whom.
    #[n(1)]
    pub(super) to: String,
    /// For which key of theirs.
    #[n(2)]
    pub(super) reader: PublicKey,
    #[n(3)]
    pub(super) letter: Letter,
}

impl Envelope {
    /// Seals a grant for its reader. `seed` is secret and drawn for this alone.
    ///
    /// # Errors
    /// [`AccessError::Reader`].
    pub fn seal(access: &Access, seed: Seed) -> Result<Self, AccessError> {
        let (to, reader) = (access.consent().to.clone(), access.consent().reader);
        let key = reader.agreement().ok_or(AccessError::Reader)?;
        let letter = Letter::seal(&access.to_bytes(), &about(&to, &reader), &[key], seed);
        let letter = letter.map_err(|_| AccessError::Reader)?;
        Ok(Self { version: VERSION, to, reader, letter })
    }

    /// For whom it says it is: true only if it opens.
    pub fn to(&self) -> &str {
        &self.to
    }

    /// The key that it says it is sealed for.
    pub const fn reader(&self) -> &PublicKey {
        &self.reader
    }

    /// The grant, in its one form; nothing of it is true before [`Access::verify`].
    ///
    /// # Errors
    /// For another key, damaged, or not a grant to whom the envelope says.
    pub fn open(&self, reader: &Recipient) -> Result<Access, AccessError> {
        let opened = self.letter.open(reader, &about(&self.to, &self.reader));
        let access = Access::from_bytes(&opened.map_err(|_| AccessError::Sealed)?)?;
        let consent = access.consent();
        // Whoever signed names the reader: nobody hands on what they were given as if it was meant for another.
        if consent.to == self.to && consent.reader == self.reader {
            Ok(access)
        } else {
            Err(AccessError::Sealed)
        }
    }

    /// As a text.
    pub fn to_text(&self) -> String {
        let bytes = minicbor::to_vec(self).expect("encoding into memory does not fail");
        format!("{TEXT}{}", base64url::encode(&bytes))
    }

    /// Reads a text, with any spaces in it.
    ///
    /// # Errors
    /// [`AccessError::Form`], [`AccessError::Name`].
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        if text.len() > GRANTED_TEXT_BYTES_MAX {
            return Err(AccessError::Form);
        }
        let text: String = text.split_whitespace().collect();
        let bytes = text.strip_prefix(TEXT).and_then(base64url::decode);
        let bytes = bytes.ok_or(AccessError::Form)?;
        let envelope: Self = minicbor::decode(&bytes).map_err(|_| AccessError::Form)?;
        let letter = envelope.letter.to_bytes();
        let is_formed = envelope.version == VERSION
            && envelope.to_text() == text
            && Letter::from_bytes(&letter).is_ok();
        if !is_formed {
            return Err(AccessError::Form);
        }
        match envelope.to.parse() {
            Ok(Did::Key(_) | Did::Starling(_)) => Ok(envelope),
            Ok(Did::Web(_)) | Err(_) => Err(AccessError::Name),
        }
    }
}

/// What the letter is about: for whom it is.
pub(super) fn about(to: &str, reader: &PublicKey) -> Vec<u8> {
    minicbor::to_vec((ABOUT, to, reader)).expect("encoding into memory does not fail")
}
