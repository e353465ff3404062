//! The same for a while in every test run; `cargo xtask soak --target validator` goes on.

use primitives::Rng;

use super::*;

/// Inputs that are tried.
const INPUTS: u64 = 2_000;
const CHANGES_MAX: usize = 8;

/// One of the seeds with a few changes.
fn input(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[rng.usize(..seeds.len())].clone();
    for _ in 0..rng.usize(..CHANGES_MAX) {
        let at = rng.usize(..=bytes.len());
        match rng.u8(..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, rng.u8(..)),
            2 => {
                let other = &seeds[rng.usize(..seeds.len())];
                bytes.splice(at.., other[rng.usize(..=other.len())..].iter().copied());
            }
            3 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][rng.usize(..5)],
            _ if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
            _ => {}
        }
    }
    bytes
}

#[test]
fn any_bytes_of_strangers_are_read_or_refused() {
    let seeds = seeds();
    for number in 0..INPUTS {
        let bytes = input(&mut Seed::from_number(number).rng(), &seeds);
        if std::panic::catch_unwind(|| run(&bytes)).is_err() {
            panic!("input {number}: {}", data_encoding::HEXLOWER.encode(&bytes));
        }
    }
}

#[test]
fn what_they_begin_with_is_read() {
    let seeds = seeds();
    let reads = |read: fn(&[u8]) -> bool| seeds.iter().filter(|bytes| read(bytes)).count();
    assert_eq!(reads(|bytes| Block::decode(Copying(bytes)).is_ok()), 1);
    assert_eq!(reads(|bytes| Header::decode(Copying(bytes)).is_ok()), 1);
    assert_eq!(reads(|bytes| Vote::<Scheme, Digest>::decode(Copying(bytes)).is_ok()), 3);
    assert_eq!(reads(|bytes| Certificate::<Scheme, Digest>::decode(Copying(bytes)).is_ok()), 3);
    assert_eq!(reads(|bytes| matches!(skim(bytes), Ok(1))), 1);
}
