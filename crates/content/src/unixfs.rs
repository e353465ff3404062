//! The UnixFS message: what the data of a dag-pb node says (UnixFS specification, `unixfs.proto`).
//!
//! Mode and modification time are read over and never written: a share says what the bytes are.

use crate::protobuf::{Fields, Malformed, Value, put_bytes, put_varint};

/// What a node is. The numbers are the ones of `unixfs.proto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Raw = 0,
    Directory = 1,
    File = 2,
    Metadata = 3,
    Symlink = 4,
    Shard = 5,
}

/// The message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnixFs {
    pub(crate) kind: Kind,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) file_bytes: Option<u64>,
    pub(crate) block_bytes: Vec<u64>,
    pub(crate) hash: Option<u64>,
    pub(crate) fanout: Option<u64>,
}

impl UnixFs {
    pub(crate) const fn new(kind: Kind) -> Self {
        let block_bytes = Vec::new();
        Self { kind, data: None, file_bytes: None, block_bytes, hash: None, fanout: None }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, 1, self.kind.number());
        if let Some(data) = &self.data {
            put_bytes(&mut out, 2, data);
        }
        if let Some(file_bytes) = self.file_bytes {
            put_varint(&mut out, 3, file_bytes);
        }
        for bytes in &self.block_bytes {
            put_varint(&mut out, 4, *bytes);
        }
        if let Some(hash) = self.hash {
            put_varint(&mut out, 5, hash);
        }
        if let Some(fanout) = self.fanout {
            put_varint(&mut out, 6, fanout);
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut kind = None;
        let mut message = Self::new(Kind::Raw);
        for field in Fields::new(bytes) {
            match field? {
                (1, Value::Varint(number)) if kind.is_none() => kind = Kind::from_number(number),
                (2, Value::Bytes(data)) => set(&mut message.data, data.to_vec())?,
                (3, Value::Varint(bytes)) => set(&mut message.file_bytes, bytes)?,
                (4, Value::Varint(bytes)) => message.block_bytes.push(bytes),
                (5, Value::Varint(hash)) => set(&mut message.hash, hash)?,
                (6, Value::Varint(fanout)) => set(&mut message.fanout, fanout)?,
                (0..=6, _) => return Err(Malformed),
                // Mode, modification time and what later versions append.
                _ => {}
            }
        }
        message.kind = kind.ok_or(Malformed)?;
        Ok(message)
    }
}

fn set<T>(field: &mut Option<T>, value: T) -> Result<(), Malformed> {
    if field.replace(value).is_some() { Err(Malformed) } else { Ok(()) }
}

impl Kind {
    const ALL: [Self; 6] =
        [Self::Raw, Self::Directory, Self::File, Self::Metadata, Self::Symlink, Self::Shard];

    fn number(self) -> u64 {
        Self::ALL.iter().zip(0..).find_map(|(kind, at)| (*kind == self).then_some(at)).unwrap_or(0)
    }

    fn from_number(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let mut message = UnixFs::new(Kind::File);
        message.data = Some(vec![1, 2]);
        message.file_bytes = Some(300);
        message.block_bytes = vec![298];
        assert_eq!(message.encode(), [8, 2, 18, 2, 1, 2, 24, 172, 2, 32, 170, 2]);
        assert_eq!(UnixFs::decode(&message.encode()), Ok(message));
    }

    #[test]
    fn mode_and_times_are_read_over() {
        // Field 7 (mode) and field 8 (a message with the modification time).
        let bytes = [8, 2, 56, 0xed, 3, 66, 2, 8, 5];
        assert_eq!(UnixFs::decode(&bytes), Ok(UnixFs::new(Kind::File)));
    }

    #[test]
    fn a_field_twice_or_a_kind_unknown_is_refused() {
        for bytes in [&[][..], &[8, 6], &[8, 2, 8, 2], &[8, 2, 24, 1, 24, 1], &[8, 2, 3]] {
            assert_eq!(UnixFs::decode(bytes), Err(Malformed), "{bytes:?}");
        }
    }
}
