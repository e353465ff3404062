//! A token bucket with time as an argument.

use primitives::Time;

/// What a rate left over. Full at first: one second of the rate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bucket {
    /// Millionths of a token that were taken and not given back yet.
    owed: u64,
    at: Time,
}

const MILLION: u64 = 1_000_000;

impl Bucket {
    /// Takes tokens of a rate per second, or none if there are too few. A rate of 0 bounds nothing.
    pub(super) fn take(&mut self, now: Time, tokens: u64, rate_per_s: u64) -> bool {
        if rate_per_s == 0 {
            return true;
        }
        let passed_us = now.as_us().saturating_sub(self.at.as_us());
        self.at = self.at.max(now);
        self.owed = self.owed.saturating_sub(passed_us.saturating_mul(rate_per_s));
        let owed = self.owed.saturating_add(tokens.saturating_mul(MILLION));
        // Whoever owes nothing may take a piece larger than the bucket.
        let fits = self.owed == 0 || owed <= rate_per_s.saturating_mul(MILLION);
        if fits {
            self.owed = owed;
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_second_of_the_rate_is_there_at_once_and_then_the_rate() {
        let mut bucket = Bucket::default();
        let start = Time::from_ms(1000);
        assert_eq!((0..200).filter(|_| bucket.take(start, 10, 1000)).count(), 100);
        assert!(!bucket.take(Time::from_ms(1009), 10, 1000));
        assert!(bucket.take(Time::from_ms(1010), 10, 1000));
        assert!(!bucket.take(Time::from_ms(1010), 10, 1000));
    }

    #[test]
    fn time_that_runs_back_gives_nothing() {
        let mut bucket = Bucket::default();
        assert!(bucket.take(Time::from_ms(5000), 1000, 1000));
        assert!(!bucket.take(Time::from_ms(0), 1000, 1000));
        assert!(!bucket.take(Time::from_ms(5500), 1000, 1000));
        assert!(bucket.take(Time::from_ms(6000), 1000, 1000));
    }

    proptest! {
        #[test]
        fn no_more_than_rate_and_burst_is_given(
            takes in proptest::collection::vec((0_u64..100_000, 1_u64..50), 0..200),
            rate in 1_u64..1000,
        ) {
            let (mut bucket, mut now, mut given) = (Bucket::default(), 0, 0);
            for (pause_us, tokens) in takes {
                now += pause_us;
                if bucket.take(Time::from_us(now), tokens, rate) {
                    given += tokens;
                }
            }
            // One piece may be taken whole by who owes nothing, one rounding each.
            prop_assert!(given <= rate + now * rate / MILLION + 51);
        }
    }
}
