//! A CAR, read as it arrives.

use unsigned_varint::decode;

use super::{CarError, header};
use crate::{
    Block, Candidate, Cid,
    limits::{BLOCK_BYTES_MAX, CAR_HEADER_BYTES_MAX, CID_BYTES_MAX},
};

/// Longest length we read, in bytes: 4 hold 256 MiB.
const LENGTH_BYTES_MAX: usize = 4;

/// Reads a CAR from bytes in any cuts.
///
/// Holds what was pushed and not taken yet: at most one frame, if every block is taken after each push.
#[derive(Debug, Default)]
pub struct CarReader {
    buffer: Vec<u8>,
    /// Bytes of `buffer` that were taken.
    taken: usize,
    /// Offset of the buffer's first byte in the file.
    offset: u64,
    roots: Option<Vec<Cid>>,
    failed: Option<CarError>,
}

impl CarReader {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.taken);
        self.offset += length(self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The roots, once the header is here.
    ///
    /// # Errors
    /// It is not a header.
    pub fn roots(&mut self) -> Result<Option<&[Cid]>, CarError> {
        self.guard(Self::read_header)?;
        Ok(self.roots.as_deref())
    }

    /// The next block, verified; none when more bytes are needed.
    ///
    /// # Errors
    /// The bytes are not a CAR; every later call says the same.
    pub fn next_block(&mut self) -> Result<Option<Block>, CarError> {
        self.guard(Self::read_header)?;
        let offset = self.position();
        let Some(candidate) = self.next_candidate()? else { return Ok(None) };
        match candidate.verify() {
            Ok(block) => Ok(Some(block)),
            Err(error) => {
                let error = CarError::Block { offset, error };
                self.failed = Some(error.clone());
                Err(error)
            }
        }
    }

    /// The next block, to be verified by the driver; none when more bytes are needed.
    ///
    /// # Errors
    /// See [`CarReader::next_block`].
    pub fn next_candidate(&mut self) -> Result<Option<Candidate>, CarError> {
        self.guard(|reader| {
            reader.read_header()?;
            if reader.roots.is_none() { Ok(None) } else { reader.read_block() }
        })
    }

    /// Says that no more bytes come, after all blocks were taken.
    ///
    /// # Errors
    /// The file ends in the middle of something.
    pub fn finish(&mut self) -> Result<(), CarError> {
        self.guard(Self::read_header)?;
        if self.roots.is_some() && self.taken == self.buffer.len() {
            return Ok(());
        }
        let bytes = self.offset + length(self.buffer.len());
        Err(CarError::Truncated { bytes })
    }

    /// Offset of the next byte to be read.
    fn position(&self) -> u64 {
        self.offset + length(self.taken)
    }

    fn guard<T>(
        &mut self,
        f: impl FnOnce(&mut Self) -> Result<T, CarError>,
    ) -> Result<T, CarError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let result = f(self);
        self.failed = result.as_ref().err().cloned();
        result
    }

    fn read_header(&mut self) -> Result<(), CarError> {
        // Another kind of file is known by its first bytes, before all that its "length" asks for came.
        let is_map = |byte: &u8| byte >> 5 == 5;
        if self.roots.is_none()
            && let Some((_, after)) = self.length(CAR_HEADER_BYTES_MAX)?
            && !after.first().is_none_or(is_map)
        {
            return Err(CarError::Header);
        }
        if self.roots.is_none()
            && let Some(frame) = self.frame(CAR_HEADER_BYTES_MAX)?
        {
            self.roots = Some(header::decode(&self.buffer[frame.clone()])?);
            self.taken = frame.end;
        }
        Ok(())
    }

    fn read_block(&mut self) -> Result<Option<Candidate>, CarError> {
        let offset = self.position();
        let Some(frame) = self.frame(CID_BYTES_MAX + BLOCK_BYTES_MAX)? else { return Ok(None) };
        let bytes = &self.buffer[frame.clone()];
        let (cid, cid_bytes) = Cid::read(bytes).map_err(|error| CarError::Cid { offset, error })?;
        let bytes = bytes[cid_bytes..].to_vec();
        self.taken = frame.end;
        Ok(Some(Candidate { cid, bytes }))
    }

    /// Where the next frame is in the buffer, if all of it is.
    fn frame(&self, limit: usize) -> Result<Option<core::ops::Range<usize>>, CarError> {
        let Some((length, after)) = self.length(limit)? else { return Ok(None) };
        let start = self.buffer.len() - after.len();
        Ok((length <= after.len()).then(|| start..start + length))
    }

    /// The length of the next frame and what came after it, if all of the length is here.
    fn length(&self, limit: usize) -> Result<Option<(usize, &[u8])>, CarError> {
        let rest = &self.buffer[self.taken..];
        let wrong = CarError::Length { offset: self.position() };
        let head = &rest[..rest.len().min(LENGTH_BYTES_MAX)];
        let (length, after) = match decode::usize(head) {
            Ok(read) => read,
            Err(decode::Error::Insufficient) if head.len() < LENGTH_BYTES_MAX => return Ok(None),
            Err(_) => return Err(wrong),
        };
        // No length is 0: a CID has at least one byte.
        if length == 0 || length > limit {
            return Err(wrong);
        }
        Ok(Some((length, &rest[head.len() - after.len()..])))
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
