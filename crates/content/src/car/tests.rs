use proptest::prelude::*;

use super::*;
use crate::{Codec, Draft};

fn blocks(contents: &[Vec<u8>]) -> Vec<Block> {
    let block = |bytes: &Vec<u8>| Draft { codec: Codec::Raw, bytes: bytes.clone() }.hash();
    contents.iter().map(block).collect()
}

fn write(roots: &[Cid], blocks: &[Block]) -> Vec<u8> {
    let mut out = header(roots);
    for block in blocks {
        out.extend(frame_head(block));
        out.extend(block.bytes());
    }
    out
}

type Read = (Vec<Cid>, Vec<Block>);

fn read(bytes: &[u8], cut: usize) -> Result<Read, CarError> {
    let mut reader = CarReader::new();
    let mut blocks = Vec::new();
    for part in bytes.chunks(cut) {
        reader.push(part);
        while let Some(block) = reader.next_block()? {
            blocks.push(block);
        }
    }
    reader.finish()?;
    Ok((reader.roots()?.unwrap().to_vec(), blocks))
}

fn contents() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..6)
}

proptest! {
    #[test]
    fn a_car_reads_back_in_any_cuts(contents in contents(), cut in 1_usize..500) {
        let blocks = blocks(&contents);
        let roots: Vec<Cid> = blocks.iter().map(Block::cid).take(2).collect();
        prop_assert_eq!(read(&write(&roots, &blocks), cut), Ok((roots, blocks)));
    }

    #[test]
    fn a_car_that_is_cut_off_is_refused_wherever_a_block_does_not_end(
        contents in contents(),
        at in any::<proptest::sample::Index>(),
    ) {
        let blocks = blocks(&contents);
        let whole = write(&[], &blocks);
        let ends: Vec<usize> =
            (0..=blocks.len()).map(|count| write(&[], &blocks[..count]).len()).collect();
        let at = at.index(whole.len());
        let result = read(&whole[..at], 64);
        let expected = CarError::Truncated { bytes: length(at) };
        prop_assert_eq!(result.err(), (!ends.contains(&at)).then_some(expected));
    }

    #[test]
    fn a_changed_bit_is_refused_or_changes_the_roots(
        contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..99), 1..4),
        bit in any::<proptest::sample::Index>(),
    ) {
        let blocks = blocks(&contents);
        let roots = [blocks[0].cid()];
        let mut bytes = write(&roots, &blocks);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        // The roots of a header are a claim like any other: nothing is found under a wrong one.
        if let Ok((found, _)) = read(&bytes, 64) {
            prop_assert_ne!(found, roots);
        }
    }

    #[test]
    fn any_bytes_are_a_car_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, 50);
        let framed = [&[u8::try_from(bytes.len().min(100)).unwrap()][..], &bytes].concat();
        let _ = read(&framed, 50);
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap()
}

#[test]
fn what_is_wrong_is_said() {
    let block = blocks(&[vec![1, 2, 3]]).remove(0);
    let start = header(&[]);
    let at = length(start.len());
    let with = |rest: &[u8]| read(&[&start, rest].concat(), 1000).unwrap_err();
    assert_eq!(with(&[0]), CarError::Length { offset: at });
    assert_eq!(with(&[0xff, 0xff, 0xff, 0x7f]), CarError::Length { offset: at });
    assert_eq!(with(&[0x80, 0x80, 0x80, 0x80, 1]), CarError::Length { offset: at });
    let mut frame = [frame_head(&block), block.bytes().to_vec()].concat();
    *frame.last_mut().unwrap() ^= 1;
    let error = Mismatch::Digest { cid: block.cid() };
    assert_eq!(with(&frame), CarError::Block { offset: at, error });
    // A block of dag-cbor.
    frame[2] = 0x71;
    assert_eq!(with(&frame), CarError::Cid { offset: at, error: CidError::Codec(0x71) });
    // The pragma that every CARv2 starts with.
    let version_2 = [0x0a, 0xa1, 0x67, 0x76, 0x65, 0x72, 0x73, 0x69, 0x6f, 0x6e, 0x02];
    assert_eq!(read(&version_2, 3).unwrap_err(), CarError::Version(2));
    assert_eq!(read(b"\x89PNG\r\n\x1a\n", 1).unwrap_err(), CarError::Header);
    assert_eq!(read(b"\x10 not a CAR at all", 9).unwrap_err(), CarError::Header);
    assert_eq!(read(b"", 1).unwrap_err(), CarError::Truncated { bytes: 0 });
}

#[test]
fn the_first_error_stays() {
    let mut reader = CarReader::new();
    reader.push(b"\x10 not a CAR at all");
    assert_eq!(reader.next_block(), Err(CarError::Header));
    reader.push(&write(&[], &[]));
    assert_eq!(reader.next_block(), Err(CarError::Header));
    assert_eq!(reader.finish(), Err(CarError::Header));
}
