//! The text a person sends: `#/get/<cid>?k=…`.
//!
//! | parameter | | |
//! |---|---|---|
//! | `k` | 43 characters | the share key, in base64url without padding (RFC 4648, 5) |
//! | `p` | 91 characters | instead of `k`: a [`PasswordLock`], in the same base64url |
//! | `x` | number | when the share ends, in seconds since 1970; for the page to say so at once. The sealed manifest says it too, and the earlier of both holds |
//! | `n` | text | of a public share: the file's name, percent-encoded UTF-8 |
//!
//! Each at most once, in this order when written, in any order when read. Anything else is refused:
//! a link that was cut or typed wrong says so, and does not turn into another share.

use core::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{PasswordError, PasswordLock, ShareKey};
use crate::{Cid, CidError, NameError, check_name, limits::LINK_BYTES_MAX};

const PATH: &str = "/get/";

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareLink {
    /// Root of the manifest; of a public share, of the content.
    pub cid: Cid,
    /// What opens it.
    pub secret: Secret,
    /// When the share ends, in seconds since 1970.
    pub expires_at_s: Option<u64>,
    /// What a public file is called.
    pub name: Option<String>,
}

/// What opens a share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// Nothing is needed.
    Public,
    /// The key itself.
    Key(ShareKey),
    /// A password.
    Password(PasswordLock),
}

/// Why a text is not a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkError {
    /// It has no `#/get/`.
    NotALink,
    /// More than [`LINK_BYTES_MAX`].
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// The CID.
    Cid(CidError),
    /// A parameter that is unknown, has no value or stands twice; its name.
    Parameter(String),
    /// The key has another length or other characters: the link was cut or typed wrong.
    Key,
    /// The password lock.
    Password(PasswordError),
    /// `x` is not a number.
    Expiry,
    /// The name is refused.
    Name(NameError),
    /// The name is not percent-encoded UTF-8.
    NameForm,
    /// A key and a password, or a name beside either.
    Mixed,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALink => f.write_str("expected a link with #/get/, found something else"),
            Self::TooLong { bytes } => {
                write!(f, "link is {bytes} bytes, limit is {LINK_BYTES_MAX}")
            }
            Self::Cid(error) => write!(f, "the link names no content: {error}"),
            Self::Parameter(name) => write!(f, "the link's parameter {name:?} is not understood"),
            Self::Key => f.write_str("the link's key is damaged: was the link cut off?"),
            Self::Password(error) => write!(f, "the link's password lock is damaged: {error}"),
            Self::Expiry => f.write_str("the link's expiry is not a number of seconds"),
            Self::Name(error) => write!(f, "the link's name: {error}"),
            Self::NameForm => f.write_str("the link's name is not percent-encoded"),
            Self::Mixed => f.write_str("the link has a key and a password, or a name beside them"),
        }
    }
}

impl core::error::Error for LinkError {}

impl ShareLink {
    /// A link to public content.
    pub const fn public(cid: Cid) -> Self {
        Self::new(cid, Secret::Public)
    }

    /// A link that `secret` opens.
    pub const fn new(cid: Cid, secret: Secret) -> Self {
        Self { cid, secret, expires_at_s: None, name: None }
    }

    /// Whether the share has ended at `now_s`, in seconds since 1970, as far as the link says.
    pub fn is_expired(&self, now_s: u64) -> bool {
        self.expires_at_s.is_some_and(|end| end <= now_s)
    }
}

/// The fragment with its `#`, to be put after the page's address.
impl fmt::Display for ShareLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{PATH}{}", self.cid)?;
        let key = match &self.secret {
            Secret::Public => None,
            Secret::Key(key) => Some(("k", BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes()))),
            Secret::Password(lock) => Some(("p", BASE64_URL_SAFE_NO_PAD.encode(lock.as_bytes()))),
        };
        let expiry = self.expires_at_s.map(|end| ("x", end.to_string()));
        let name = self.name.as_ref().map(|name| ("n", percent_encode(name)));
        for (index, (name, value)) in key.into_iter().chain(expiry).chain(name).enumerate() {
            let before = if index == 0 { '?' } else { '&' };
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}

/// Reads a whole address, a fragment, or a fragment without its `#`.
impl FromStr for ShareLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        if text.len() > LINK_BYTES_MAX {
            return Err(LinkError::TooLong { bytes: text.len() });
        }
        let text = text.trim();
        let fragment = text.split_once('#').map_or(text, |(_, fragment)| fragment);
        let rest = fragment.strip_prefix(PATH).ok_or(LinkError::NotALink)?;
        let (cid, query) = rest.split_once('?').map_or((rest, None), |(cid, q)| (cid, Some(q)));
        let mut link = Self::public(cid.parse().map_err(LinkError::Cid)?);
        for parameter in query.into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = parameter
                .split_once('=')
                .filter(|(_, value)| !value.is_empty())
                .ok_or_else(|| LinkError::Parameter(parameter.to_owned()))?;
            link.set(name, value)?;
        }
        if link.name.is_some() && link.secret != Secret::Public {
            return Err(LinkError::Mixed);
        }
        Ok(link)
    }
}

impl ShareLink {
    fn set(&mut self, name: &str, value: &str) -> Result<(), LinkError> {
        let twice = || LinkError::Parameter(name.to_owned());
        match name {
            "k" | "p" => {
                let secret = if name == "k" { read_key(value)? } else { read_lock(value)? };
                match (&self.secret, &secret) {
                    (Secret::Public, _) => self.secret = secret,
                    (Secret::Key(_), Secret::Key(_)) => return Err(twice()),
                    (Secret::Password(_), Secret::Password(_)) => return Err(twice()),
                    _ => return Err(LinkError::Mixed),
                }
            }
            "x" => {
                // One number has one text: no sign, no zeros before it.
                let end: u64 = value.parse().map_err(|_| LinkError::Expiry)?;
                if end.to_string() != value {
                    return Err(LinkError::Expiry);
                }
                if self.expires_at_s.replace(end).is_some() {
                    return Err(twice());
                }
            }
            "n" => {
                let text = percent_decode(value).ok_or(LinkError::NameForm)?;
                check_name(&text).map_err(LinkError::Name)?;
                if self.name.replace(text).is_some() {
                    return Err(twice());
                }
            }
            _ => return Err(twice()),
        }
        Ok(())
    }
}

fn read_key(text: &str) -> Result<Secret, LinkError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| LinkError::Key)?;
    bytes.try_into().map(|key| Secret::Key(ShareKey::new(key))).map_err(|_| LinkError::Key)
}

fn read_lock(text: &str) -> Result<Secret, LinkError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
    let bytes = bytes.map_err(|_| LinkError::Password(PasswordError::Form))?;
    PasswordLock::from_bytes(&bytes).map(Secret::Password).map_err(LinkError::Password)
}

/// Everything but the unreserved characters of RFC 3986, 2.3.
fn percent_encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            out.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}
