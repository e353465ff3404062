//! Names of 20 bytes, as the protocol writes them: JSON strings of 20 code points U+0000 to U+00FF, one
//! a byte. Pages of p2p-media-loader and Trystero use ASCII only, webtorrent uses all of them.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer};

/// Bytes of a name.
pub const NAME_BYTES: usize = 20;

/// 20 bytes that name something.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name([u8; NAME_BYTES]);

/// The name of a swarm: for torrents a SHA-1, for others what their pages agree on.
pub type InfoHash = Name;
/// What a peer calls itself in one swarm. Others may call themselves the same.
pub type PeerName = Name;
/// What the maker of an offer calls it.
pub type OfferId = Name;

impl Name {
    /// The name of these bytes.
    pub const fn new(bytes: [u8; NAME_BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; NAME_BYTES] {
        &self.0
    }

    /// Reads a name from the text of a JSON string, escapes already resolved. `None`: it has not 20
    /// code points, or one above U+00FF.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut bytes = [0; NAME_BYTES];
        let mut points = text.chars();
        for byte in &mut bytes {
            *byte = u8::try_from(u32::from(points.next()?)).ok()?;
        }
        points.next().is_none().then_some(Self(bytes))
    }

    /// Appends the name as a JSON string without its quotes: at most 120 bytes.
    pub(crate) fn write(&self, text: &mut String) {
        for &byte in &self.0 {
            match byte {
                b'"' => text.push_str("\\\""),
                b'\\' => text.push_str("\\\\"),
                0x00..=0x1f => {
                    text.push_str("\\u00");
                    text.push(hex_digit(byte >> 4));
                    text.push(hex_digit(byte & 0xf));
                }
                _ => text.push(char::from(byte)),
            }
        }
    }
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0')
}

/// Hexadecimal, for people.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of 20 code points up to U+00FF")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
                Name::from_text(text).ok_or_else(|| wrong(text))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Says what is wrong with the text of a name.
pub(crate) fn wrong<E: de::Error>(text: &str) -> E {
    let count = text.chars().count();
    if count == NAME_BYTES {
        return E::custom("a name has a code point above U+00FF");
    }
    E::custom(format_args!("a name has {count} code points, expected {NAME_BYTES}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(name: Name) -> String {
        let mut text = String::from("\"");
        name.write(&mut text);
        text + "\""
    }

    #[test]
    fn code_points_above_a_byte_and_other_lengths_are_refused() {
        assert!(Name::from_text("aaaaaaaaaaaaaaaaaaaa").is_some());
        assert!(Name::from_text("aaaaaaaaaaaaaaaaaaaÿ").is_some());
        assert!(Name::from_text("aaaaaaaaaaaaaaaaaaaĀ").is_none());
        assert!(Name::from_text("aaaaaaaaaaaaaaaaaaa").is_none());
        assert!(Name::from_text("aaaaaaaaaaaaaaaaaaaaa").is_none());
        let error = serde_json::from_str::<Name>("\"abc\"").unwrap_err().to_string();
        assert!(error.starts_with("a name has 3 code points, expected 20"), "{error}");
    }

    proptest! {
        #[test]
        fn a_name_is_read_as_it_was_written(bytes: [u8; NAME_BYTES]) {
            let name = Name::new(bytes);
            let text = written(name);
            prop_assert!(text.len() <= 122);
            prop_assert_eq!(serde_json::from_str::<Name>(&text).unwrap(), name);
        }
    }
}
