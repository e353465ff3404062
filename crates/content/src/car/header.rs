//! The header: `{"roots": [CID…], "version": 1}` in dag-cbor.

use minicbor::{Decoder, Encoder, data::Tag};

use super::CarError;
use crate::{Cid, limits::CAR_ROOTS_MAX, protobuf::put_number};

/// CBOR tag of a CID: a byte string of 0 and the CID's bytes (dag-cbor).
const CID_TAG: u64 = 42;

pub(super) fn encode(roots: &[Cid]) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    write(&mut encoder, roots).expect("writing to a Vec does not fail");
    let header = encoder.into_writer();
    let mut out = Vec::new();
    put_number(&mut out, header.len().try_into().unwrap_or(u64::MAX));
    out.extend_from_slice(&header);
    out
}

type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

fn write(encoder: &mut Encoder<Vec<u8>>, roots: &[Cid]) -> Written {
    encoder.map(2)?.str("roots")?.array(roots.len().try_into().unwrap_or(u64::MAX))?;
    for root in roots {
        let bytes = [&[0], root.to_bytes().as_slice()].concat();
        encoder.tag(Tag::new(CID_TAG))?.bytes(&bytes)?;
    }
    encoder.str("version")?.u8(1)?.ok()
}

/// Reads the header's bytes, without the length before them.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<Cid>, CarError> {
    let mut decoder = Decoder::new(bytes);
    let count = decoder.map().ok().flatten().ok_or(CarError::Header)?;
    let (mut roots, mut version) = (None, None);
    for _ in 0..count {
        match decoder.str() {
            Ok("roots") if roots.is_none() => roots = Some(read_roots(&mut decoder)?),
            Ok("version") if version.is_none() => {
                version = Some(decoder.u64().map_err(|_| CarError::Header)?);
            }
            _ => return Err(CarError::Header),
        }
    }
    match (version, roots) {
        (Some(1), Some(roots)) if decoder.position() == bytes.len() => Ok(roots),
        (Some(1) | None, _) => Err(CarError::Header),
        // The header of version 2 is known by having nothing but its version.
        (Some(other), _) => Err(CarError::Version(other)),
    }
}

fn read_roots(decoder: &mut Decoder<'_>) -> Result<Vec<Cid>, CarError> {
    let count = decoder.array().ok().flatten().ok_or(CarError::Header)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > CAR_ROOTS_MAX {
        return Err(CarError::TooManyRoots);
    }
    (0..count).map(|_| read_root(decoder)).collect()
}

fn read_root(decoder: &mut Decoder<'_>) -> Result<Cid, CarError> {
    let tag = decoder.tag().map_err(|_| CarError::Header)?;
    let bytes = decoder.bytes().map_err(|_| CarError::Header)?;
    let (tagged, cid) = (tag == Tag::new(CID_TAG), bytes.strip_prefix(&[0]));
    let cid = cid.filter(|_| tagged).ok_or(CarError::Header)?;
    Cid::from_bytes(cid).map_err(|error| CarError::Cid { offset: 0, error })
}
