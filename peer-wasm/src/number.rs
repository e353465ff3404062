//! JavaScript has one kind of number; these are the only casts between it and ours.

/// A counter as a JavaScript number. Exact up to 2^53.
#[expect(
    clippy::as_conversions,
    reason = "there is no From<u64> for f64; counters stay below 2^53"
)]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// A JavaScript number as a counter, rounded down; 0 for negative ones and NaN.
#[expect(clippy::as_conversions, reason = "the cast saturates, which is what is wanted")]
pub(crate) const fn whole(value: f64) -> u64 {
    value as u64
}

/// A length as a counter.
#[expect(clippy::as_conversions, reason = "a usize is never wider than 64 bits")]
pub(crate) const fn count(length: usize) -> u64 {
    length as u64
}
