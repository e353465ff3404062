//! A bound on how fast something happens, in sixteen bytes.

use std::time::Duration;

use primitives::Time;

/// Rates allow this many times their second at once.
const BURST_S: u64 = 10;
const SECOND_US: u64 = 1_000_000;

/// The generic cell rate algorithm (ITU-T I.371): when all that was taken will have been earned.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Budget {
    earned_at: Time,
}

impl Budget {
    /// Takes up to `wanted` at `rate` per second; how many there were. A rate of 0 is no bound.
    pub(super) fn take(&mut self, now: Time, rate: u32, wanted: usize) -> usize {
        if rate == 0 {
            return wanted;
        }
        let each_us = (SECOND_US / u64::from(rate)).max(1);
        let earned_at = self.earned_at.max(now);
        let spare_us = (BURST_S * SECOND_US).saturating_sub(earned_at.as_us() - now.as_us());
        let there = usize::try_from(spare_us / each_us).unwrap_or(usize::MAX);
        let taken = wanted.min(there);
        let taken_us = each_us.saturating_mul(u64::try_from(taken).unwrap_or(u64::MAX));
        self.earned_at = earned_at + Duration::from_micros(taken_us);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_worth_at_once_then_the_rate() {
        let mut budget = Budget::default();
        let start = Time::from_ms(5_000);
        assert_eq!(budget.take(start, 100, 600), 600);
        assert_eq!(budget.take(start, 100, 600), 400);
        assert_eq!(budget.take(start, 100, 1), 0);
        assert_eq!(budget.take(Time::from_ms(5_500), 100, 600), 50);
        assert_eq!(budget.take(Time::from_ms(105_500), 100, 2_000), 1_000);
        assert_eq!(budget.take(start, 0, 5), 5);
    }
}
