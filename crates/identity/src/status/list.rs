//! The list: numbers of 1, 2, 4 or 8 bits, the first in the lowest bits of the first byte; compressed
//! as zlib (RFC 1950).

use core::fmt;

use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags},
};

use crate::{base64url, limits::STATUS_BYTES_MAX};

/// How hard to compress, of 10: as zlib's best.
const LEVEL: u8 = 9;
/// First guess of how much larger a list is than its compressed form. Most are nearly empty.
const GROWTH: usize = 8;
/// One byte more than a list may have: whether there is another is seen without room for all.
const INFLATED_BYTES_MAX: usize = STATUS_BYTES_MAX + 1;

/// Bits of one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// Valid or not.
    One,
    /// Suspended too.
    Two,
    /// 16 values.
    Four,
    /// 256 values.
    Eight,
}

impl Bits {
    /// 1, 2, 4 or 8 as such.
    pub const fn of(bits: u64) -> Option<Self> {
        match bits {
            1 => Some(Self::One),
            2 => Some(Self::Two),
            4 => Some(Self::Four),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    /// How many.
    pub const fn count(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// The largest value of an entry.
    const fn value_max(self) -> u8 {
        u8::MAX >> (8 - self.count())
    }

    /// Entries in a byte.
    const fn per_byte(self) -> usize {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }
}

/// Numbers by place.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

/// Why bytes are no list, or an entry can't be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListError {
    /// Not base64url.
    Text,
    /// Not zlib: damaged, cut short, a wrong checksum, or with bytes behind its end.
    Compressed,
    /// More than [`STATUS_BYTES_MAX`].
    TooLarge,
    /// No entry.
    Empty,
    /// A place that the list has not.
    NoPlace,
    /// A value that the entries have no bits for.
    Value,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("expected base64url without padding"),
            Self::Compressed => f.write_str("expected a list compressed by zlib and nothing else"),
            Self::TooLarge => write!(f, "the list is larger than {STATUS_BYTES_MAX} bytes"),
            Self::Empty => f.write_str("the list has no entry"),
            Self::NoPlace => f.write_str("the list has no such place"),
            Self::Value => f.write_str("the value does not fit the list's entries"),
        }
    }
}

impl core::error::Error for ListError {}

impl StatusList {
    /// `count` entries of 0, and as many more as fill the last byte.
    ///
    /// # Errors
    /// None, or more than [`STATUS_BYTES_MAX`] hold.
    pub fn new(bits: Bits, count: usize) -> Result<Self, ListError> {
        let size_bytes = count.div_ceil(bits.per_byte());
        Self::of_bytes_len(size_bytes)?;
        Ok(Self { bits, bytes: vec![0; size_bytes] })
    }

    const fn of_bytes_len(size_bytes: usize) -> Result<(), ListError> {
        match size_bytes {
            0 => Err(ListError::Empty),
            1..=STATUS_BYTES_MAX => Ok(()),
            _ => Err(ListError::TooLarge),
        }
    }

    /// Bits of an entry.
    pub const fn bits(&self) -> Bits {
        self.bits
    }

    /// How many entries there are: those that fill the last byte count.
    pub const fn count(&self) -> usize {
        self.bytes.len() * self.bits.per_byte()
    }

    /// The entry at a place.
    pub fn get(&self, index: u64) -> Option<u8> {
        let (byte, shift) = self.place(index)?;
        Some(self.bytes.get(byte)? >> shift & self.bits.value_max())
    }

    /// Sets the entry at a place.
    ///
    /// # Errors
    /// There is no such place, or the value has more bits than an entry.
    pub fn set(&mut self, index: u64, value: u8) -> Result<(), ListError> {
        let mask = self.bits.value_max();
        if value > mask {
            return Err(ListError::Value);
        }
        let (byte, shift) = self.place(index).ok_or(ListError::NoPlace)?;
        let byte = self.bytes.get_mut(byte).ok_or(ListError::NoPlace)?;
        *byte = *byte & !(mask << shift) | value << shift;
        Ok(())
    }

    /// The byte of an entry, and where in it the entry begins.
    fn place(&self, index: u64) -> Option<(usize, u32)> {
        let index = usize::try_from(index).ok()?;
        let within = u32::try_from(index % self.bits.per_byte()).ok()?;
        Some((index / self.bits.per_byte(), within * u32::from(self.bits.count())))
    }

    /// The compressed form: what is kept as a block, under whose name the ledger knows the list.
    pub fn to_compressed(&self) -> Vec<u8> {
        miniz_oxide::deflate::compress_to_vec_zlib(&self.bytes, LEVEL)
    }

    /// Reads the compressed form. Memory is bounded by [`STATUS_BYTES_MAX`], whatever it says.
    ///
    /// # Errors
    /// See [`ListError`].
    pub fn from_compressed(bits: Bits, compressed: &[u8]) -> Result<Self, ListError> {
        let bytes = inflate(compressed)?;
        Self::of_bytes_len(bytes.len())?;
        Ok(Self { bits, bytes })
    }

    /// The compressed form as text: the member `lst`.
    pub fn to_text(&self) -> String {
        base64url::encode(&self.to_compressed())
    }

    /// Reads the member `lst`.
    ///
    /// # Errors
    /// See [`ListError`].
    pub fn from_text(bits: Bits, text: &str) -> Result<Self, ListError> {
        let compressed = base64url::decode(text).ok_or(ListError::Text)?;
        Self::from_compressed(bits, &compressed)
    }
}

/// Inflates one zlib stream and nothing behind it, growing as it goes, up to the bound.
fn inflate(compressed: &[u8]) -> Result<Vec<u8>, ListError> {
    let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
        | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut machine = Box::<DecompressorOxide>::default();
    let mut bytes = vec![0; compressed.len().saturating_mul(GROWTH).clamp(1, INFLATED_BYTES_MAX)];
    let (mut input, mut filled) = (compressed, 0);
    loop {
        let (status, read, written) = decompress(&mut machine, input, &mut bytes, filled, flags);
        input = input.get(read..).ok_or(ListError::Compressed)?;
        filled += written;
        match status {
            TINFLStatus::Done if input.is_empty() => {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            TINFLStatus::HasMoreOutput if bytes.len() >= INFLATED_BYTES_MAX => {
                return Err(ListError::TooLarge);
            }
            TINFLStatus::HasMoreOutput => {
                bytes.resize(bytes.len().saturating_mul(2).min(INFLATED_BYTES_MAX), 0);
            }
            _ => return Err(ListError::Compressed),
        }
    }
}

/// Says how large it is, not what is in it.
impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusList({:?}, {} entries)", self.bits, self.count())
    }
}
