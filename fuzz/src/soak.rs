//! Feeds a target on stable Rust: mutations of valid inputs, all drawn from one seed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use fastrand::Rng;

use crate::Target;

/// Longest input of random bytes.
const RANDOM_BYTES_MAX: usize = 2048;
/// Most mutations of one input.
const MUTATIONS_MAX: usize = 12;
/// One input in this many is random bytes and not a mutation.
const RANDOM_EVERY: usize = 16;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this many inputs.
    Cases(u64),
    /// After this long.
    Elapsed(Duration),
}

/// An input a target panicked on.
#[derive(Debug)]
pub struct Failure {
    /// Which input of the run.
    pub case: u64,
    /// The input.
    pub bytes: Vec<u8>,
}

/// Feeds a target until it panics or `until` comes. How many inputs it survived, or the failure.
pub fn soak(target: &Target, seed: u64, until: Until) -> Result<u64, Failure> {
    let seeds = (target.seeds)();
    let start = Instant::now();
    let mut case = 0;
    loop {
        let done = match until {
            Until::Cases(cases) => case >= cases,
            Until::Elapsed(long) => start.elapsed() >= long,
        };
        if done {
            return Ok(case);
        }
        one(target, &seeds, seed, case)?;
        case += 1;
    }
}

/// Feeds one input by its number, to replay a failure.
pub fn replay(target: &Target, seed: u64, case: u64) -> Result<(), Failure> {
    one(target, &(target.seeds)(), seed, case)
}

fn one(target: &Target, seeds: &[Vec<u8>], seed: u64, case: u64) -> Result<(), Failure> {
    let mut rng = Rng::with_seed(seed.rotate_left(32) ^ case);
    let bytes = input(&mut rng, seeds);
    let survived = catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_ok();
    if survived { Ok(()) } else { Err(Failure { case, bytes }) }
}

fn input(rng: &mut Rng, seeds: &[Vec<u8>]) -> Vec<u8> {
    if seeds.is_empty() || rng.usize(..RANDOM_EVERY) == 0 {
        let count = rng.usize(..RANDOM_BYTES_MAX);
        return std::iter::repeat_with(|| rng.u8(..)).take(count).collect();
    }
    let mut bytes = rng.choice(seeds).cloned().unwrap_or_default();
    for _ in 0..rng.usize(..MUTATIONS_MAX) {
        mutate(rng, &mut bytes, seeds);
    }
    bytes
}

fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = rng.usize(..=bytes.len());
    let end = at + rng.usize(..=(bytes.len() - at).min(16));
    match rng.u8(..8) {
        // A field of a length or a kind: extremes find what the middle does not.
        0 if at < bytes.len() => bytes[at] = *rng.choice(&[0, 1, 0x7f, 0x80, 0xff]).unwrap_or(&0),
        1 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
        2 => bytes.insert(at, rng.u8(..)),
        3 => drop(bytes.drain(at..end)),
        4 => bytes.truncate(at),
        5 => bytes.extend_from_within(at..end),
        6 => {
            let other = rng.choice(seeds).map_or(&[][..], Vec::as_slice);
            let from = rng.usize(..=other.len());
            let tail = other[from..].to_vec();
            bytes.splice(at.., tail);
        }
        _ => {
            for byte in &mut bytes[at..end] {
                *byte = rng.u8(..);
            }
        }
    }
}
