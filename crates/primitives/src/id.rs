//! Identifiers: fixed-size bytes with one text form, lower-case hexadecimal.

use core::{fmt, str::FromStr};

use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    cbor::Fields,
    hex::{self, HexError},
};

macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The id of these bytes.
            pub const fn new(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(&self.0, f)
            }
        }

        /// The first eight characters: enough to tell ids apart in a log.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write(&self.0[..4], f)
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                hex::read(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("64 hexadecimal characters")
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                encoder: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                encoder.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(
                decoder: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let bytes = decoder.bytes()?;
                bytes
                    .try_into()
                    .map(Self)
                    .map_err(|_| minicbor::decode::Error::message("expected 32 bytes"))
            }
        }
    };
}

byte_id! {
    /// A peer: the Ed25519 public key it signs with (RFC 8032).
    PeerId
}

byte_id! {
    /// A swarm: the SHA-256 of what is shared (see `docs/spec/swarm.md`, "Swarm id").
    SwarmId
}

byte_id! {
    /// A SHA-256 digest (FIPS 180-4).
    Digest
}

/// One segment of a swarm.
///
/// `track` is the 0-based position of the rendition in the multivariant playlist (a media playlist
/// alone is track 0); `index` is the media sequence number (RFC 8216, 4.4.3.2), so that viewers of
/// a live window agree on names however late they came.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Serialize, Deserialize,
)]
pub struct SegmentId {
    /// 0-based rendition.
    #[n(0)]
    pub track: u16,
    /// Media sequence number.
    #[n(1)]
    pub index: u32,
}

impl<'b, C> Decode<'b, C> for SegmentId {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let mut fields = Fields::of(decoder)?;
        let read = Self { track: fields.read()?, index: fields.read()? };
        fields.end()?;
        Ok(read)
    }
}

impl SegmentId {
    /// The segment `index` of rendition `track`.
    pub const fn new(track: u16, index: u32) -> Self {
        Self { track, index }
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.track, self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = PeerId::new([0xa7; 32]);
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn a_wrong_text_says_where_it_is_wrong() {
        assert_eq!("ab".parse::<PeerId>(), Err(HexError::Length { expected: 64, found: 2 }));
        let upper = "A".repeat(64);
        assert_eq!(upper.parse::<SwarmId>(), Err(HexError::Digit { index: 0 }));
    }
}
