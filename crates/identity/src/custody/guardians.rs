//! A secret in shares, of which some number gives it back and one fewer says nothing of it (Shamir,
//! "How to share a secret", 1979), byte by byte over the field of AES.

use core::fmt;

use primitives::Seed;
use zeroize::{Zeroize as _, Zeroizing};

/// Most guardians: as many as a DID may have.
pub(crate) const GUARDIANS_MAX: u8 = 9;

/// What one guardian keeps. Wiped when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Share {
    /// Which one: 1 and up.
    pub index: u8,
    /// The value of the polynomials there: sealed for its guardian, it fits a
    /// [`Grant`](crate::grant::Grant).
    pub value: [u8; 32],
}

/// Why a secret is not split, or shares give none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareError {
    /// Fewer than two of them to be enough, or more than there are, or more than nine.
    Threshold,
    /// No share, one twice, or one that there can't be.
    Shares,
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Threshold => "expected 2 to 9 shares, and at least 2 of them to be enough",
            Self::Shares => "expected shares from 1 to 9, each once",
        })
    }
}

impl core::error::Error for ShareError {}

/// Splits `secret` for `count` guardians, any `threshold` of whom can give it back. `seed` is drawn for
/// this alone.
///
/// # Errors
/// [`ShareError::Threshold`].
pub fn split(
    secret: &[u8; 32],
    threshold: u8,
    count: u8,
    seed: Seed,
) -> Result<Vec<Share>, ShareError> {
    if threshold < 2 || threshold > count || count > GUARDIANS_MAX {
        return Err(ShareError::Threshold);
    }
    // The secret, then random coefficients: one polynomial for each byte.
    let mut rows = Zeroizing::new(vec![*secret]);
    rows.extend((1..threshold).map(|degree| *seed.derive(&format!("share/{degree}")).as_bytes()));
    let share = |index: u8| {
        let mut value = [0; 32];
        for row in rows.iter().rev() {
            for (byte, coefficient) in value.iter_mut().zip(row) {
                *byte = times(*byte, index) ^ coefficient;
            }
        }
        Share { index, value }
    };
    Ok((1..=count).map(share).collect())
}

/// The secret of enough shares. Of too few, or of false ones, it is another: whoever opens something
/// with it finds out.
///
/// # Errors
/// [`ShareError::Shares`].
pub fn combine(shares: &[Share]) -> Result<Zeroizing<[u8; 32]>, ShareError> {
    let valid = |share: &Share| (1..=GUARDIANS_MAX).contains(&share.index);
    let once =
        |(at, share): (usize, &Share)| shares[..at].iter().all(|other| other.index != share.index);
    if shares.is_empty() || !shares.iter().all(valid) || !shares.iter().enumerate().all(once) {
        return Err(ShareError::Shares);
    }
    let mut secret = Zeroizing::new([0; 32]);
    for share in shares {
        // The Lagrange coefficient at 0; subtraction is exclusive or.
        let others = shares.iter().filter(|other| other.index != share.index);
        let weight = others.fold(1, |weight, other| {
            times(weight, times(other.index, inverse(other.index ^ share.index)))
        });
        for (byte, value) in secret.iter_mut().zip(&share.value) {
            *byte ^= times(*value, weight);
        }
    }
    Ok(secret)
}

/// The product modulo x^8 + x^4 + x^3 + x + 1, in the same time for all factors.
fn times(one: u8, two: u8) -> u8 {
    let (mut product, mut shifted) = (0, one);
    for bit in 0..8 {
        product ^= shifted & 0_u8.wrapping_sub(two >> bit & 1);
        let carry = 0_u8.wrapping_sub(shifted >> 7);
        shifted = (shifted << 1) ^ (carry & 0x1b);
    }
    product
}

/// 1 / `one`, by Fermat: the 254th power.
fn inverse(one: u8) -> u8 {
    let mut power = one;
    for _ in 0..6 {
        power = times(times(power, power), one);
    }
    times(power, power)
}

impl Drop for Share {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Share({}, ..)", self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FIPS 197, 4.2: {57} times {83} is {c1}, times {13} is {fe}.
    #[test]
    fn the_field_is_that_of_aes() {
        assert_eq!(times(0x57, 0x83), 0xc1);
        assert_eq!(times(0x57, 0x13), 0xfe);
        assert!((1..=255).all(|one| times(one, inverse(one)) == 1));
    }

    #[test]
    fn any_enough_shares_give_the_secret_and_one_fewer_does_not() {
        let secret = [0xa7; 32];
        let shares = split(&secret, 3, 5, Seed::from_number(1)).unwrap();
        for mask in 1_u32..32 {
            let chosen = shares.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1);
            let chosen: Vec<Share> = chosen.map(|(_, share)| share.clone()).collect();
            let found = *combine(&chosen).unwrap();
            assert_eq!(found == secret, chosen.len() >= 3, "{mask:05b}");
        }
    }

    #[test]
    fn what_can_not_be_shared_is_refused() {
        let seed = Seed::from_number(1);
        for (threshold, count) in [(0, 3), (1, 3), (4, 3), (2, 10)] {
            assert_eq!(split(&[0; 32], threshold, count, seed), Err(ShareError::Threshold));
        }
        let shares = split(&[0; 32], 2, 3, seed).unwrap();
        let zero = Share { index: 0, value: [0; 32] };
        for shares in [vec![], vec![shares[0].clone(), shares[0].clone()], vec![zero]] {
            assert_eq!(combine(&shares).map(|_| ()), Err(ShareError::Shares));
        }
    }
}
