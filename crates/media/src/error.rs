//! Why bytes are not a manifest or a part.

use core::fmt;

use primitives::PeerId;

/// Why bytes are not a manifest or a part, in order of check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManifestError {
    /// More bytes than a manifest or part may have.
    TooLarge {
        /// Bytes found.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not a flattened JWS in JSON (RFC 7515, 7.2.2).
    Envelope,
    /// The protected header asks for another algorithm than EdDSA, or for an extension.
    Algorithm,
    /// The payload is JSON of another form, or of another format or version.
    Payload,
    /// Signed by somebody else than who was expected.
    Publisher {
        /// The pinned publisher.
        expected: PeerId,
        /// The publisher the payload names.
        found: PeerId,
    },
    /// The signature is not the publisher's over this header and payload.
    Signature,
    /// A field is outside its bounds or contradicts another; its JSON name.
    Field(&'static str),
    /// The part is for another track or other segments than were asked for, or of another cut of the
    /// stream than the manifest.
    OtherPart,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "manifest is {bytes} bytes, limit is {limit}")
            }
            Self::Envelope => f.write_str("expected a flattened JWS in JSON, found something else"),
            Self::Algorithm => f.write_str("expected a JWS header with alg EdDSA and no extension"),
            Self::Payload => f.write_str("the signed payload is not of the expected format"),
            Self::Publisher { expected, found } => {
                write!(f, "expected publisher {expected}, found {found}")
            }
            Self::Signature => f.write_str("the signature is not the publisher's"),
            Self::Field(name) => write!(f, "field `{name}` is outside its bounds"),
            Self::OtherPart => f.write_str("the part is for other segments or another cut"),
        }
    }
}

impl core::error::Error for ManifestError {}
