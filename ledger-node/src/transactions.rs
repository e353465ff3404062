//! Transactions one after the other, as a block holds them and as validators tell them: of each its length in four
//! bytes, big-endian, and its bytes.

use bytes::Bytes;
use commonware_codec::{Buf, Error, ReadExt as _};
use ledger::limits::TRANSACTION_BYTES_MAX;

/// A list of them, in one piece: clones share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Transactions {
    bytes: Bytes,
    count: u32,
}

impl Transactions {
    /// Reads so many, which have so many bytes at most; nothing is reserved that is not there.
    pub(crate) fn read(count: u32, bytes_max: usize, buffer: &mut impl Buf) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        let mut left = bytes_max;
        for _ in 0..count {
            let prefix = u32::read(buffer)?;
            let length = usize::try_from(prefix).unwrap_or(usize::MAX);
            if length > TRANSACTION_BYTES_MAX || length > left || length > buffer.remaining() {
                return Err(Error::Invalid("block", "too large"));
            }
            left -= length;
            bytes.extend_from_slice(&prefix.to_be_bytes());
            let from = bytes.len();
            bytes.resize(from + length, 0);
            buffer.copy_to_slice(&mut bytes[from..]);
        }
        Ok(Self { bytes: bytes.into(), count })
    }

    /// How many.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// All of them with their lengths.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        parts(&self.bytes)
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for Transactions {
    fn from_iter<I: IntoIterator<Item = T>>(transactions: I) -> Self {
        let (mut bytes, mut count) = (Vec::new(), 0);
        for transaction in transactions {
            write(transaction.as_ref(), &mut bytes);
            count += 1;
        }
        Self { bytes: bytes.into(), count }
    }
}

/// Adds one.
pub(crate) fn write(transaction: &[u8], bytes: &mut Vec<u8>) {
    let length = u32::try_from(transaction.len()).expect("a transaction is far below 4 GiB");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(transaction);
}

/// Those of bytes that anybody may have written; none behind one that is cut short, or longer than any.
pub(crate) fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (length, tail) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (transaction, tail) =
            tail.split_at_checked(length).filter(|_| length <= TRANSACTION_BYTES_MAX)?;
        rest = tail;
        Some(transaction)
    })
    .fuse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_hold_what_was_written_and_nothing_behind_a_part_that_is_none() {
        let (short, long) = ([7; 3], [9; TRANSACTION_BYTES_MAX]);
        let mut bytes = Vec::new();
        write(&short, &mut bytes);
        write(&long, &mut bytes);
        assert_eq!(parts(&bytes).collect::<Vec<_>>(), [&short[..], &long[..]]);
        assert_eq!(parts(&bytes[..bytes.len() - 1]).collect::<Vec<_>>(), [&short[..]]);
        for end in [&[0, 0, 0][..], &[0, 0, 0, 9, 1], &[255; 9]] {
            let bytes = [&[0, 0, 0, 1, 5], end].concat();
            assert_eq!(parts(&bytes).collect::<Vec<_>>(), [&[5][..]]);
        }
        let mut larger = Vec::new();
        write(&[1; TRANSACTION_BYTES_MAX + 1], &mut larger);
        assert_eq!(parts(&larger).count() + parts(&[]).count(), 0);
    }
}
