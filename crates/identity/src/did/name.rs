//! The text of a DID, taken apart.

use core::{fmt, str::FromStr};

use data_encoding::{BASE32_NOPAD, Encoding};

use crate::{PublicKey, limits::DID_BYTES_MAX};

/// Letters of a `did:starling`.
const STARLING_LETTERS: usize = 32;

/// A DID of a method that is known here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Did {
    /// `did:key`: a key that is its own name.
    Key(PublicKey),
    /// `did:starling`: on the ledger.
    Starling(StarlingId),
    /// `did:web` and `did:webvh`: the whole text; resolved through a server.
    Web(String),
}

/// What follows `did:starling:`: the first 160 bits of the hash of the signed genesis, 32 letters of
/// base32 (RFC 4648, 6) in lower case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StarlingId([u8; 20]);

/// Why a text is no DID that is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DidError {
    /// Not `did:method:name`, too long, or with a path, a query or a fragment.
    Form,
    /// A method that is not known here.
    Method,
    /// A name that the method does not have.
    Name,
}

impl fmt::Display for DidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "expected a DID, found something else",
            Self::Method => "expected did:key, did:starling, did:web or did:webvh",
            Self::Name => "expected a name that the DID's method has",
        })
    }
}

impl core::error::Error for DidError {}

impl StarlingId {
    /// The id of these 20 bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl FromStr for Did {
    type Err = DidError;

    fn from_str(text: &str) -> Result<Self, DidError> {
        if text.len() > DID_BYTES_MAX || !text.bytes().all(is_did_byte) {
            return Err(DidError::Form);
        }
        let (method, name) = text
            .strip_prefix("did:")
            .and_then(|rest| rest.split_once(':'))
            .ok_or(DidError::Form)?;
        match method {
            "key" => Ok(Self::Key(PublicKey::from_multikey(name).map_err(|_| DidError::Name)?)),
            "starling" => Ok(Self::Starling(read_id(name).ok_or(DidError::Name)?)),
            // A name may have more parts, none of them empty.
            "web" | "webvh" if name.split(':').all(|part| !part.is_empty()) => {
                Ok(Self::Web(text.to_owned()))
            }
            "web" | "webvh" => Err(DidError::Name),
            _ => Err(DidError::Method),
        }
    }
}

/// Letters of a DID (W3C DID 1.0, 3.1), and the colons and percent signs between them.
fn is_did_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte)
}

fn base32() -> Encoding {
    BASE32_NOPAD
}

fn read_id(name: &str) -> Option<StarlingId> {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if name.len() != STARLING_LETTERS || !name.bytes().all(lower) {
        return None;
    }
    let bytes = base32().decode(name.to_ascii_uppercase().as_bytes()).ok()?;
    bytes.try_into().ok().map(StarlingId)
}

impl fmt::Display for StarlingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32().encode(&self.0).to_ascii_lowercase())
    }
}

impl fmt::Debug for StarlingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "did:key:{key}"),
            Self::Starling(id) => write!(f, "did:starling:{id}"),
            Self::Web(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SecretKey;

    #[test]
    fn dids_survive_their_text_form() {
        let key = Did::Key(SecretKey::ed25519(&[1; 32]).public());
        let starling = Did::Starling(StarlingId::new([0xa5; 20]));
        let web = Did::Web("did:web:example.org%3A8443:people:ann".to_owned());
        for did in [key, starling, web] {
            assert_eq!(did.to_string().parse(), Ok(did));
        }
    }

    #[test]
    fn what_is_no_did_is_refused_with_its_reason() {
        let key = Did::Key(SecretKey::ed25519(&[1; 32]).public()).to_string();
        let check = |text: &str, expected| assert_eq!(text.parse::<Did>(), Err(expected), "{text}");
        check("", DidError::Form);
        check("did:key", DidError::Form);
        check(&format!("{key}#key"), DidError::Form);
        check(&format!("{key}?a=b"), DidError::Form);
        check(&format!("{key}/path"), DidError::Form);
        check(&"did:web:a".repeat(100), DidError::Form);
        check(&key.replace("did:key", "DID:key"), DidError::Form);
        check(&key.replace("did:key", "did:KEY"), DidError::Method);
        check("did:plc:abc", DidError::Method);
        check(&key[..key.len() - 1], DidError::Name);
        check("did:web:", DidError::Name);
        check("did:web:a::b", DidError::Name);
        check("did:starling:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", DidError::Name);
        check("did:starling:aaaa", DidError::Name);
        check("did:starling:1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", DidError::Name);
    }

    proptest! {
        #[test]
        fn a_text_is_a_did_of_the_same_text_or_refused(text in "did:(key|starling|web):[a-z0-9:]{0,60}") {
            if let Ok(did) = text.parse::<Did>() {
                prop_assert_eq!(did.to_string(), text);
            }
        }
    }
}
