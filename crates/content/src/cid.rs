//! CIDs of the kinds we read: version 1 (and 0, read as 1), SHA-256, raw or dag-pb.

use core::{fmt, str::FromStr};

use data_encoding::BASE32_NOPAD;
use minicbor::{Decode, Encode};
use primitives::{Hash, sha256};

use crate::limits::{CID_BYTES_MAX, CID_TEXT_BYTES_MAX};

/// Multihash code of SHA-256 (multicodec table).
const SHA2_256: u64 = 0x12;
/// Bytes of every CID we write: version, codec, hash, length, 32 bytes of digest.
const BYTES: usize = 36;

/// What a block's bytes are (multicodec table).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// `0x55`: the bytes themselves.
    Raw,
    /// `0x70`: a node with links.
    DagPb,
}

impl Codec {
    /// The code of the multicodec table.
    pub const fn code(self) -> u8 {
        match self {
            Self::Raw => 0x55,
            Self::DagPb => 0x70,
        }
    }

    /// The codec of this code, if we read it.
    pub const fn from_code(code: u64) -> Option<Self> {
        match code {
            0x55 => Some(Self::Raw),
            0x70 => Some(Self::DagPb),
            _ => None,
        }
    }
}

/// The name of a block: what it is and the SHA-256 of its bytes.
///
/// Bytes: `01`, codec, `12 20`, digest: 36. Text: `b` and those in lower-case base32 without padding
/// (RFC 4648, 6). Read too: version 0 (`Qm…`, the bare multihash), which means dag-pb and is written as
/// version 1 from then on; base32 in upper case and base58btc. Source: the CID specification of
/// multiformats.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: Codec,
    digest: Hash,
}

/// Why bytes or a text are not a CID that we read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CidError {
    /// Not a CID at all.
    Malformed,
    /// More bytes than a CID has.
    TooLong {
        /// Bytes found.
        bytes: usize,
    },
    /// Another text base than base32 or base58btc: its prefix.
    Base(char),
    /// Blocks of this codec are not read.
    Codec(u64),
    /// Blocks named by this hash are not read: its code in the multicodec table.
    Hash(u64),
}

impl fmt::Display for CidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("expected a CID, found something else"),
            Self::TooLong { bytes } => {
                write!(f, "CID is {bytes} bytes, limit is {CID_TEXT_BYTES_MAX}")
            }
            Self::Base(prefix) => {
                write!(f, "expected a CID in base32 or base58btc, found prefix {prefix:?}")
            }
            Self::Codec(code) => {
                write!(f, "expected a CID of codec raw or dag-pb, found codec {code:#x}")
            }
            Self::Hash(code) => write!(f, "expected a CID by sha2-256, found hash {code:#x}"),
        }
    }
}

impl core::error::Error for CidError {}

impl Cid {
    /// The CID of what hashes to `digest`.
    pub const fn new(codec: Codec, digest: Hash) -> Self {
        Self { codec, digest }
    }

    /// The CID of these bytes.
    pub fn of(codec: Codec, bytes: &[u8]) -> Self {
        Self::new(codec, sha256(bytes))
    }

    /// What the block is.
    pub const fn codec(&self) -> Codec {
        self.codec
    }

    /// The SHA-256 of the block's bytes.
    pub const fn digest(&self) -> &Hash {
        &self.digest
    }

    /// The 36 bytes.
    pub fn to_bytes(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..4].copy_from_slice(&[1, self.codec.code(), 0x12, 32]);
        bytes[4..].copy_from_slice(self.digest.as_bytes());
        bytes
    }

    /// The CID these bytes are, all of them.
    ///
    /// # Errors
    /// They are no CID, have bytes after it, or are of a codec or hash that we do not read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CidError> {
        let (cid, length) = Self::read(bytes)?;
        if length == bytes.len() { Ok(cid) } else { Err(CidError::Malformed) }
    }

    /// The CID these bytes start with, and its length in bytes.
    ///
    /// # Errors
    /// See [`Cid::from_bytes`].
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), CidError> {
        let head = &bytes[..bytes.len().min(CID_BYTES_MAX)];
        let any = ::cid::Cid::try_from(head).map_err(|_| CidError::Malformed)?;
        let codec = Codec::from_code(any.codec()).ok_or(CidError::Codec(any.codec()))?;
        if any.hash().code() != SHA2_256 {
            return Err(CidError::Hash(any.hash().code()));
        }
        let digest = any.hash().digest().try_into().map_err(|_| CidError::Malformed)?;
        Ok((Self::new(codec, Hash::new(digest)), any.encoded_len()))
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("b")?;
        f.write_str(&BASE32_NOPAD.encode(&self.to_bytes()).to_ascii_lowercase())
    }
}

/// The text form: a log needs to say which block.
impl fmt::Debug for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        if text.len() > CID_TEXT_BYTES_MAX {
            return Err(CidError::TooLong { bytes: text.len() });
        }
        if text.len() == 46 && text.starts_with("Qm") {
            return Self::from_bytes(&base58(text)?);
        }
        let prefix = text.chars().next().ok_or(CidError::Malformed)?;
        let rest = &text[prefix.len_utf8()..];
        let bytes = match prefix {
            // One CID has one base32 text, in each case: mixed case is refused.
            'b' if !rest.contains(|c: char| c.is_ascii_uppercase()) => base32(rest),
            'B' if !rest.contains(|c: char| c.is_ascii_lowercase()) => base32(rest),
            'b' | 'B' => Err(CidError::Malformed),
            'z' => base58(rest),
            other => Err(CidError::Base(other)),
        }?;
        // A multihash alone is version 0, which has no prefix.
        if bytes.first() == Some(&1) { Self::from_bytes(&bytes) } else { Err(CidError::Malformed) }
    }
}

fn base32(text: &str) -> Result<Vec<u8>, CidError> {
    let upper = text.to_ascii_uppercase();
    BASE32_NOPAD.decode(upper.as_bytes()).map_err(|_| CidError::Malformed)
}

fn base58(text: &str) -> Result<Vec<u8>, CidError> {
    bs58::decode(text).into_vec().map_err(|_| CidError::Malformed)
}

/// As a byte string of 36 bytes.
impl<C> Encode<C> for Cid {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Cid {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        let read = Self::from_bytes(decoder.bytes()?);
        read.map_err(|_| minicbor::decode::Error::message("expected a CID that we read"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'hello world' | ipfs add --cid-version=1`.
    const HELLO: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

    #[test]
    fn a_cid_survives_its_text_and_its_bytes() {
        let cid = Cid::of(Codec::Raw, b"hello world");
        assert_eq!(cid.to_string(), HELLO);
        assert_eq!(HELLO.parse(), Ok(cid));
        assert_eq!(HELLO.to_ascii_uppercase().parse(), Ok(cid));
        assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
        let base58 = format!("z{}", bs58::encode(cid.to_bytes()).into_string());
        assert_eq!(base58.parse(), Ok(cid));
    }

    #[test]
    fn version_0_is_read_as_dag_pb() {
        // The empty folder as every IPFS node has known it.
        let cid: Cid = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn".parse().unwrap();
        assert_eq!(cid.codec(), Codec::DagPb);
        assert_eq!(cid, Cid::of(Codec::DagPb, &[0x0a, 2, 8, 1]));
    }

    #[test]
    fn what_is_not_read_says_what_it_is() {
        let parse = |text: &str| text.parse::<Cid>().unwrap_err();
        // dag-cbor, and an inlined block (identity hash).
        let cbor = parse("bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4kok6gl37quzvm");
        assert_eq!(cbor, CidError::Codec(0x71));
        assert_eq!(parse("bafkqaaa"), CidError::Hash(0));
        assert_eq!(parse("kafk"), CidError::Base('k'));
        for text in ["", "b", "z", "bafk", "Bafk", &HELLO[..58], &format!("{HELLO}a")] {
            assert_eq!(parse(text), CidError::Malformed, "{text}");
        }
        assert_eq!(parse(&"b".repeat(1000)), CidError::TooLong { bytes: 1000 });
    }

    #[test]
    fn a_cid_is_read_from_the_front_of_more() {
        let cid = Cid::of(Codec::Raw, b"x");
        let mut bytes = cid.to_bytes().to_vec();
        bytes.push(7);
        assert_eq!(Cid::read(&bytes), Ok((cid, 36)));
        assert_eq!(Cid::from_bytes(&bytes), Err(CidError::Malformed));
        // The same number in two bytes: one block has one name.
        let mut long = bytes.clone();
        long.splice(1..2, [0xd5, 0x00]);
        assert_eq!(Cid::read(&long), Err(CidError::Malformed));
    }
}
