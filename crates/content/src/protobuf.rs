//! As much of protocol buffers as two messages of nine fields need: varints and byte strings.
//!
//! Not a generated codec, because none writes dag-pb: its field 2 comes before its field 1, and a CID
//! depends on every byte. Varints are read only in their shortest form.

use unsigned_varint::{decode, encode};

/// One field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'b> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 2.
    Bytes(&'b [u8]),
    /// Wire types 1 and 5, which no field we know has.
    Fixed,
}

/// The bytes are not fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The fields of a message, in order. Ends after the first error.
#[derive(Debug)]
pub(crate) struct Fields<'b> {
    rest: &'b [u8],
}

impl<'b> Fields<'b> {
    pub(crate) const fn new(message: &'b [u8]) -> Self {
        Self { rest: message }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let (number, rest) = decode::u64(self.rest).map_err(|_| Malformed)?;
        self.rest = rest;
        Ok(number)
    }

    fn take(&mut self, count: u64) -> Result<&'b [u8], Malformed> {
        let count = usize::try_from(count).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u64, Value<'b>), Malformed> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let count = self.varint()?;
                Value::Bytes(self.take(count)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(Malformed),
        };
        Ok((tag >> 3, value))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// Appends a number alone.
pub(crate) fn put_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(encode::u64(number, &mut encode::u64_buffer()));
}

/// Appends a varint field.
pub(crate) fn put_varint(out: &mut Vec<u8>, field: u8, number: u64) {
    put_number(out, u64::from(field) << 3);
    put_number(out, number);
}

/// Appends a field of bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    put_number(out, u64::from(field) << 3 | 2);
    put_number(out, bytes.len().try_into().unwrap_or(u64::MAX));
    out.extend_from_slice(bytes);
}

/// Bytes of a number's varint.
pub(crate) fn varint_bytes(number: u64) -> usize {
    encode::u64(number, &mut encode::u64_buffer()).len()
}
