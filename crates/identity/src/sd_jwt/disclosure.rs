//! A claim, given with the salt that its digest was made with (RFC 9901, 4.2).

use serde_json::{Value, json};

use super::Refusal;
use crate::{base64url, json as strict};

/// A member of an object (salt, name, value) or an element of an array (salt, value).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// As it was issued: the digest is of this text.
    pub(crate) text: String,
    /// The member's name; none for an element.
    pub name: Option<String>,
    /// What is disclosed; parts of it may be hidden in turn.
    pub value: Value,
}

impl Disclosure {
    /// Makes one. `salt` is text of at least 128 random bits.
    pub(crate) fn new(salt: &str, name: Option<&str>, value: Value) -> Self {
        let array = match name {
            Some(name) => json!([salt, name, value]),
            None => json!([salt, value]),
        };
        let text = base64url::encode(array.to_string().as_bytes());
        Self { text, name: name.map(str::to_owned), value }
    }

    /// Reads one: an array of two or three, the first a text, of three the second a text.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let bytes = base64url::decode(text).ok_or(Refusal::DisclosureForm)?;
        let Some(Value::Array(parts)) = strict::parse(&bytes) else {
            return Err(Refusal::DisclosureForm);
        };
        let mut parts = parts.into_iter();
        let mut next = || parts.next();
        let (name, value) = match (next(), next(), next(), next()) {
            (Some(Value::String(_)), Some(value), None, None) => (None, value),
            (Some(Value::String(_)), Some(Value::String(name)), Some(value), None) => {
                (Some(name), value)
            }
            _ => return Err(Refusal::DisclosureForm),
        };
        if name.as_deref().is_some_and(|name| name == "_sd" || name == "...") {
            return Err(Refusal::ReservedName);
        }
        Ok(Self { text: text.to_owned(), name, value })
    }

    /// As it was issued.
    pub fn as_text(&self) -> &str {
        &self.text
    }
}
