//! Lower-case hexadecimal of fixed-size values, the text form of every id and key.

/// Why a text is not the hexadecimal form of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HexError {
    /// The text has this many characters where `expected` are needed.
    Length {
        /// Characters needed.
        expected: usize,
        /// Characters found.
        found: usize,
    },
    /// The character at this index is not one of `0-9a-f`.
    Digit {
        /// 0-based position in the text.
        index: usize,
    },
}

impl core::fmt::Display for HexError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "expected {expected} hexadecimal characters, found {found}")
            }
            Self::Digit { index } => {
                write!(f, "expected a character of 0-9a-f at index {index}")
            }
        }
    }
}

impl core::error::Error for HexError {}

pub(crate) fn write(bytes: &[u8], f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

pub(crate) fn read<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return Err(HexError::Length { expected: N * 2, found: digits.len() });
    }
    let mut bytes = [0; N];
    for (index, pair) in digits.chunks_exact(2).enumerate() {
        let high = digit(pair[0]).ok_or(HexError::Digit { index: index * 2 })?;
        let low = digit(pair[1]).ok_or(HexError::Digit { index: index * 2 + 1 })?;
        bytes[index] = high << 4 | low;
    }
    Ok(bytes)
}

/// Upper case is refused: one id has one text form.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}
