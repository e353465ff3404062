//! The average of accepted prices over the last half hour.

use minicbor::{Decode, Encode};

use super::AVERAGE_S;

/// Seconds between two marks: 30 of them span the time that is averaged.
const STEP_S: u64 = 60;
/// Most marks: those within the time, and one at or before its beginning.
const MARKS_MAX: usize = 32;

/// Price times seconds, with marks to look back to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Average {
    /// Sum of price times seconds up to the last change.
    #[n(0)]
    total: u128,
    /// When the last change was, in seconds since 1970-01-01 UTC.
    #[n(1)]
    changed_s: u64,
    /// Times in ascending order, each with the sum at it.
    #[n(2)]
    marks: Vec<(u64, u128)>,
}

impl Average {
    /// Counts `price` up to now; another may hold from now on.
    pub(super) fn advance(&mut self, price: u64, now_s: u64) {
        self.total = self.total_at(price, now_s);
        self.changed_s = now_s;
        if self.marks.last().is_none_or(|(time, _)| now_s >= time.saturating_add(STEP_S)) {
            self.marks.push((now_s, self.total));
        }
        // The newest mark at or before the beginning stays: the average reaches back to it.
        let begin = now_s.saturating_sub(AVERAGE_S);
        let old = self.marks.iter().take_while(|(time, _)| *time <= begin).count();
        self.marks.drain(..old.saturating_sub(1));
        debug_assert!(self.marks.len() <= MARKS_MAX, "marks are a minute apart");
    }

    /// The average up to now, `price` holding since the last change. None before anything lasted.
    pub(super) fn at(&self, price: u64, now_s: u64) -> Option<u64> {
        let begin = now_s.saturating_sub(AVERAGE_S);
        let old = self.marks.iter().take_while(|(time, _)| *time <= begin).count();
        let (time, total) = self.marks.get(old.saturating_sub(1))?;
        let seconds = u128::from(now_s.checked_sub(*time).filter(|seconds| *seconds > 0)?);
        u64::try_from(self.total_at(price, now_s).checked_sub(*total)? / seconds).ok()
    }

    fn total_at(&self, price: u64, now_s: u64) -> u128 {
        let seconds = now_s.saturating_sub(self.changed_s);
        // Both factors fit 64 bits; the first price counts from its own time on.
        let added = u128::from(price) * u128::from(seconds);
        if self.marks.is_empty() { 0 } else { self.total.saturating_add(added) }
    }

    /// Number of marks: for laws.
    pub(super) fn mark_count(&self) -> usize {
        self.marks.len()
    }
}

/// Bound of [`Average::mark_count`].
pub(super) const fn marks_max() -> usize {
    MARKS_MAX
}
