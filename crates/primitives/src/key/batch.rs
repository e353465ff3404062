//! Many signatures at once, by the equation of RFC 8032 with its cofactor.
//!
//! RFC 8032, 5.1.7 has two equations: `[8][s]B = [8]R + [8][k]A`, and the same without the 8, which most libraries
//! ask. A random sum of many of the first holds if and only if each of them does; of the second it does not, since
//! parts of small order may cancel out. So those who must agree whether they check at once or one by one ask the first
//! (ZIP 215 is about this). A sum costs a third of its parts: "High-speed high-security signatures" (Bernstein, Duif,
//! Lange, Schwabe, Yang), 5.

use std::collections::BTreeMap;
use std::iter::once;

use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::{SMALL_ORDER, Signature, SignatureError};
use crate::PeerId;

/// Below so many, one by one is as fast.
const TOGETHER_MIN: usize = 3;
/// Bytes of a random factor: a false sum holds once in 2^128.
const FACTOR_BYTES: usize = 16;
/// Factors that one hash gives.
const FACTORS: usize = 64 / FACTOR_BYTES;

/// What somebody is said to have signed.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// Who.
    pub signer: PeerId,
    /// What.
    pub bytes: &'a [u8],
    /// Whether it is so, this tells.
    pub signature: &'a Signature,
}

impl Signed<'_> {
    /// Checks it by RFC 8032 with the cofactor; `s` and `R` are canonical, and neither `R` nor the key is of small
    /// order. All that [`PeerId::verify`] takes, and what only a signer can make beside it: a key or an `R` with a part
    /// of small order.
    pub fn verify(&self) -> Result<(), SignatureError> {
        let terms = Terms::read(self)?;
        let key = point_of_key(&self.signer)?;
        let found = EdwardsPoint::vartime_double_scalar_mul_basepoint(&terms.k, &-key, &terms.s);
        if (found - terms.point).is_small_order() { Ok(()) } else { Err(SignatureError) }
    }
}

/// Whether every one of them holds, as [`Signed::verify`] says: a third of the time of one by one, and less where a
/// signer comes again. It does not tell which one does not. Factors are a hash of all: the same bytes, the same answer.
pub fn verify_all(all: &[Signed<'_>]) -> bool {
    if all.len() < TOGETHER_MIN {
        return all.iter().all(|one| one.verify().is_ok());
    }
    sum(all).is_ok_and(|sum| sum.is_small_order())
}

/// What a signature and what was signed come to: `k` is the hash of `R`, key and bytes.
struct Terms {
    point: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Terms {
    fn read(signed: &Signed<'_>) -> Result<Self, SignatureError> {
        let (point, s) = signed.signature.split_first_chunk::<32>().ok_or(SignatureError)?;
        let s: [u8; 32] = s.try_into().map_err(|_| SignatureError)?;
        let s = Option::from(Scalar::from_canonical_bytes(s)).ok_or(SignatureError)?;
        if !is_canonical(point) {
            return Err(SignatureError);
        }
        let hash = Sha512::new()
            .chain_update(point)
            .chain_update(signed.signer.as_bytes())
            .chain_update(signed.bytes);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        let point = CompressedEdwardsY(*point).decompress().ok_or(SignatureError)?;
        Ok(Self { point, s, k })
    }
}

/// Sum of `[z]([s]B - R - [k]A)` over all, each with a factor `z` of its own.
fn sum(all: &[Signed<'_>]) -> Result<EdwardsPoint, SignatureError> {
    let terms = all.iter().map(Terms::read).collect::<Result<Vec<_>, _>>()?;
    let mut base = Scalar::ZERO;
    let mut keys = BTreeMap::new();
    let mut factors = Vec::with_capacity(all.len());
    for ((one, terms), factor) in all.iter().zip(&terms).zip(factors_of(all, &terms)) {
        base += factor * terms.s;
        let key: &mut (Scalar, EdwardsPoint) = match keys.entry(one.signer) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert((Scalar::ZERO, point_of_key(&one.signer)?))
            }
        };
        key.0 -= factor * terms.k;
        factors.push(-factor);
    }
    let scalars = once(&base).chain(keys.values().map(|(k, _)| k)).chain(&factors);
    let points = once(&ED25519_BASEPOINT_POINT)
        .chain(keys.values().map(|(_, key)| key))
        .chain(terms.iter().map(|terms| &terms.point));
    Ok(EdwardsPoint::vartime_multiscalar_mul(scalars, points))
}

/// Factors that nobody can choose signatures for: they are a hash of all of these.
fn factors_of(all: &[Signed<'_>], terms: &[Terms]) -> impl Iterator<Item = Scalar> {
    let mut hash = Sha512::new();
    for (one, terms) in all.iter().zip(terms) {
        // `k` is a hash of key, bytes and the first half of the signature.
        hash.update(one.signer.as_bytes());
        hash.update(terms.k.as_bytes());
        hash.update(one.signature);
    }
    let seed = hash.finalize();
    (0_u64..).flat_map(move |block| {
        let bytes = Sha512::new().chain_update(seed).chain_update(block.to_le_bytes()).finalize();
        std::array::from_fn::<_, FACTORS, _>(|place| {
            let mut factor = [0; 32];
            let from = place * FACTOR_BYTES;
            factor[..FACTOR_BYTES].copy_from_slice(&bytes[from..from + FACTOR_BYTES]);
            Scalar::from_bytes_mod_order(factor)
        })
    })
}

/// Whether a point is written as this library writes it, and its order is not small.
fn is_canonical(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    // From 2^255 - 19 on numbers are written twice. Where x is 0, and its sign nothing, the order is small.
    let is_twice = y[31] == 0x7f && y[1..31].iter().all(|byte| *byte == 0xff) && y[0] >= 0xed;
    !is_twice && !SMALL_ORDER.contains(&y)
}

fn point_of_key(key: &PeerId) -> Result<EdwardsPoint, SignatureError> {
    let point = CompressedEdwardsY(*key.as_bytes()).decompress().ok_or(SignatureError)?;
    if point.is_small_order() { Err(SignatureError) } else { Ok(point) }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use proptest::prelude::*;

    use super::*;
    use crate::{KeyPair, Seed};

    /// A signature over one byte by a key and an `R` that may have parts of small order.
    #[derive(Debug, Clone, Copy)]
    struct Made {
        key: PeerId,
        byte: u8,
        signature: Signature,
    }

    impl Made {
        fn of(secret: u64, byte: u8, key_part: usize, point_part: usize) -> Self {
            let (secret, nonce) = (Scalar::from(secret), Scalar::from(77 + u64::from(byte)));
            let write = |scalar: &Scalar, part: usize| {
                (EdwardsPoint::mul_base(scalar) + EIGHT_TORSION[part]).compress().to_bytes()
            };
            let (key, point) = (write(&secret, key_part), write(&nonce, point_part));
            let hash = Sha512::new().chain_update(point).chain_update(key).chain_update([byte]);
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let s = (nonce + k * secret).to_bytes();
            let signature = [point, s].concat().try_into().expect("two halves");
            Self { key: PeerId::new(key), byte, signature }
        }

        fn signed(&self) -> Signed<'_> {
            let bytes = std::slice::from_ref(&self.byte);
            Signed { signer: self.key, bytes, signature: &self.signature }
        }
    }

    fn together(made: &[Made]) -> bool {
        let signed: Vec<_> = made.iter().map(Made::signed).collect();
        verify_all(&signed)
    }

    #[test]
    fn none_is_fine_and_one_that_is_false_is_found_wherever_it_is() {
        assert!(verify_all(&[]));
        for count in [1, 2, 3, 5, 70, 200] {
            let key = |at: usize| 5 + u64::try_from(at % 9).unwrap();
            let good: Vec<Made> = (0..count).map(|at| Made::of(key(at), 3, 0, 0)).collect();
            assert!(together(&good));
            for at in [0, count / 2, count - 1] {
                for byte in [0, 31, 32, 63] {
                    let mut other = good.clone();
                    other[at].signature[byte] ^= 1;
                    assert!(!together(&other), "byte {byte} of {at} of {count}");
                }
                let mut other = good.clone();
                other[at].byte ^= 1;
                assert!(!together(&other));
                other[at] = Made { key: good[(at + 1) % count].key, ..good[at] };
                assert_eq!(together(&other), count == 1);
            }
        }
    }

    #[test]
    fn two_false_ones_do_not_make_up_for_each_other() {
        let mut made = [1, 2, 3, 4].map(|byte| Made::of(9, byte, 0, 0));
        let half = |made: &Made| -> [u8; 32] { made.signature[32..].try_into().unwrap() };
        let [one, two] = [half(&made[0]), half(&made[1])].map(Scalar::from_bytes_mod_order);
        made[0].signature[32..].copy_from_slice((one + Scalar::ONE).as_bytes());
        made[1].signature[32..].copy_from_slice((two - Scalar::ONE).as_bytes());
        assert!(!together(&made));
    }

    #[test]
    fn keys_and_points_of_small_order_and_numbers_written_otherwise_are_refused() {
        let good = Made::of(9, 1, 0, 0);
        for part in EIGHT_TORSION {
            let key = PeerId::new(part.compress().to_bytes());
            assert_eq!(Made { key, ..good }.signed().verify(), Err(SignatureError));
            // A key, and an `R` that is only a part of small order.
            let secret = Scalar::from(9_u64);
            let (point, key) = (part.compress().to_bytes(), good.key);
            let hash = Sha512::new().chain_update(point).chain_update(key.as_bytes());
            let k = Scalar::from_bytes_mod_order_wide(&hash.chain_update([1]).finalize().into());
            let signature = [point, (k * secret).to_bytes()].concat().try_into().unwrap();
            assert_eq!(Made { signature, ..good }.signed().verify(), Err(SignatureError));
        }
        // s + the order of the group.
        let order = Scalar::ZERO - Scalar::ONE;
        let (mut signature, mut carry) = (good.signature, 1);
        for (byte, more) in signature[32..].iter_mut().zip(order.as_bytes()) {
            let sum = u16::from(*byte) + u16::from(*more) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        let other = Made { signature, ..good };
        assert_eq!(other.signed().verify(), Err(SignatureError));
        assert!(!together(&[good, good, other]));
        // The 19 numbers that have a second form.
        for low in 0xed..=0xff {
            for last in [0x7f, 0xff] {
                let mut point = [0xff; 32];
                (point[0], point[31]) = (low, last);
                assert!(!is_canonical(&point));
            }
        }
        assert!(is_canonical(good.signature.first_chunk().unwrap()));
    }

    #[test]
    fn one_by_one_and_at_once_are_the_same_for_every_pair_of_parts() {
        for (key_part, point_part) in (0..8).flat_map(|key| (0..8).map(move |point| (key, point))) {
            let made = Made::of(9, 1, key_part, point_part);
            assert_eq!(made.signed().verify(), Ok(()), "{key_part} {point_part}");
            let strict = made.key.verify(&[1], &made.signature).is_ok();
            assert!(strict || (key_part, point_part) != (0, 0));
            assert!(together(&[made, Made::of(8, 2, 0, 0), Made::of(8, 3, point_part, key_part)]));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn at_once_is_one_by_one(
            made in proptest::collection::vec((1_u64..6, 0_u8.., 0_usize..8, 0_usize..8), 0..40),
            harm in proptest::option::of((0_usize..40, 0_usize..512)),
        ) {
            let mut made: Vec<Made> =
                made.into_iter().map(|(who, byte, key, point)| Made::of(who, byte, key, point)).collect();
            if let Some((at, bit)) = harm
                && let Some(one) = made.get_mut(at)
            {
                one.signature[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(one.signed().verify().is_err());
            }
            let each = made.iter().all(|one| one.signed().verify().is_ok());
            prop_assert_eq!(together(&made), each);
        }

        #[test]
        fn what_the_strict_check_takes_is_taken(seed in 0_u64.., bytes in proptest::collection::vec(0_u8.., 0..300)) {
            let key = KeyPair::from_seed(Seed::from_number(seed));
            let signature = key.sign(&bytes);
            let signed = Signed { signer: key.id(), bytes: &bytes, signature: &signature };
            prop_assert_eq!(signed.verify(), Ok(()));
            prop_assert!(verify_all(&[signed; 4]));
        }
    }
}
