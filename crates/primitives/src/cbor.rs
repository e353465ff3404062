//! CBOR arrays whose items are the fields of a struct, as minicbor's derived writers write them.
//!
//! The derived reader of a struct is the code of each field twice, for arrays that say how long they are
//! and for those that do not; and what skips fields of a later version is large. This reader has every
//! field once (`docs/adr/0014-smaller-wasm.md`).

use minicbor::{Decode, Decoder, decode::Error};

#[cfg(test)]
mod tests;

/// Ends what does not say how long it is.
const BREAK: u8 = 0xff;

/// The fields of one struct, read in the order of their numbers, which must leave none out.
#[derive(Debug)]
pub struct Fields<'a, 'b> {
    decoder: &'a mut Decoder<'b>,
    /// Items not read yet; `None`: until a break.
    left: Option<u64>,
}

impl<'a, 'b> Fields<'a, 'b> {
    /// Begins to read a struct.
    ///
    /// # Errors
    /// What comes is no array.
    pub fn of(decoder: &'a mut Decoder<'b>) -> Result<Self, Error> {
        let left = decoder.array()?;
        Ok(Self { decoder, left })
    }

    /// Reads the next field.
    ///
    /// # Errors
    /// It is missing, or another type.
    pub fn read<T: Decode<'b, ()>>(&mut self) -> Result<T, Error> {
        if self.more()? { self.decoder.decode() } else { Err(Error::message("field is missing")) }
    }

    /// Skips fields of a later version, to the end of the struct.
    ///
    /// # Errors
    /// What follows is no CBOR.
    pub fn end(mut self) -> Result<(), Error> {
        while self.more()? {
            skip(self.decoder)?;
        }
        if self.left.is_none() {
            take(self.decoder, 1)?;
        }
        Ok(())
    }

    /// Whether there is one more item, which is then counted as read.
    fn more(&mut self) -> Result<bool, Error> {
        match &mut self.left {
            Some(0) => Ok(false),
            Some(left) => {
                *left -= 1;
                Ok(true)
            }
            None => Ok(next_byte(self.decoder)? != BREAK),
        }
    }
}

/// Skips one item, whatever it is (RFC 8949, 3). Less lenient than minicbor's own: a break ends only what
/// has no length.
fn skip(decoder: &mut Decoder<'_>) -> Result<(), Error> {
    const BYTES: u8 = 2;
    const TEXT: u8 = 3;
    const ARRAY: u8 = 4;
    const MAP: u8 = 5;
    const TAG: u8 = 6;
    // Items still to come at each level; `None`: until a break.
    let mut levels = vec![Some(1)];
    while let Some(level) = levels.last_mut() {
        match level {
            Some(0) => {
                levels.pop();
                continue;
            }
            Some(left) => *left -= 1,
            None if next_byte(decoder)? == BREAK => {
                take(decoder, 1)?;
                levels.pop();
                continue;
            }
            None => {}
        }
        match head(decoder)? {
            (kind @ (BYTES | TEXT), Some(length)) => skip_string(decoder, kind == TEXT, length)?,
            (kind @ (BYTES | TEXT), None) => {
                while next_byte(decoder)? != BREAK {
                    let (part, length) = head(decoder)?;
                    let length = length.filter(|_| part == kind).ok_or_else(malformed)?;
                    skip_string(decoder, kind == TEXT, length)?;
                }
                take(decoder, 1)?;
            }
            (ARRAY, count) => levels.push(count),
            (MAP, count) => levels.push(count.map(|count| count.saturating_mul(2))),
            (TAG, Some(_)) => levels.push(Some(1)),
            // Numbers, and simple values of any size.
            (_, Some(_)) => {}
            (_, None) => return Err(malformed()),
        }
    }
    Ok(())
}

fn skip_string(decoder: &mut Decoder<'_>, is_text: bool, length: u64) -> Result<(), Error> {
    let bytes = take(decoder, length)?;
    if is_text && core::str::from_utf8(bytes).is_err() { Err(malformed()) } else { Ok(()) }
}

/// The major type of an item and its argument; `None`: of no length.
fn head(decoder: &mut Decoder<'_>) -> Result<(u8, Option<u64>), Error> {
    let first = next_byte(decoder)?;
    take(decoder, 1)?;
    let argument = match first & 0x1f {
        small @ 0..=23 => Some(u64::from(small)),
        info @ 24..=27 => {
            let bytes = take(decoder, 1 << (info - 24))?;
            Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        }
        31 => None,
        _ => return Err(malformed()),
    };
    Ok((first >> 5, argument))
}

fn next_byte(decoder: &Decoder<'_>) -> Result<u8, Error> {
    decoder.input().get(decoder.position()).copied().ok_or_else(Error::end_of_input)
}

fn take<'b>(decoder: &mut Decoder<'b>, count: u64) -> Result<&'b [u8], Error> {
    let rest = decoder.input().get(decoder.position()..);
    let count = usize::try_from(count).ok();
    let taken = rest.zip(count).and_then(|(rest, count)| rest.get(..count));
    let taken = taken.ok_or_else(Error::end_of_input)?;
    decoder.set_position(decoder.position() + taken.len());
    Ok(taken)
}

fn malformed() -> Error {
    Error::message("not CBOR")
}
