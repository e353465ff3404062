//! What was promised lately, for all shares together: at most so much in any hour.

use minicbor::{Decode, Encode};

/// Most units that are promised in an hour, until a person says otherwise: a tenth of what a faucet gives.
pub(crate) const CAP: u128 = 1_000_000;
const MINUTE_MS: u64 = 60_000;
/// Minutes that any hour touches: one more than it has. No more are remembered.
const MINUTES: u64 = 61;

/// The cap, and what counts towards it. Minute by minute, by this device's clock.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Hour {
    /// What a person said; none: [`CAP`].
    #[n(0)]
    cap: Option<u128>,
    /// Minutes since 1970 and units promised in them, oldest first; at most [`MINUTES`].
    #[n(1)]
    spent: Vec<(u64, u128)>,
}

impl Hour {
    pub(crate) fn cap(&self) -> u128 {
        self.cap.unwrap_or(CAP)
    }

    /// Whether that is another one.
    pub(crate) fn set_cap(&mut self, units: u128) -> bool {
        let is_new = self.cap() != units;
        self.cap = Some(units);
        is_new
    }

    /// Lets go of what counts no more. What is of a minute to come was written while the clock was ahead: it counts
    /// from now on, so that nobody waits for a year. Whether anything changed.
    pub(crate) fn forget(&mut self, now_ms: u64) -> bool {
        let (now, count) = (now_ms / MINUTE_MS, self.spent.len());
        let ahead = self.spent.iter().filter(|(minute, _)| *minute > now);
        let ahead = ahead.map(|(_, units)| *units).fold(0, u128::saturating_add);
        self.spent.retain(|(minute, _)| *minute <= now && counts(*minute, now));
        let is_new = self.spent.len() != count;
        self.book(now, ahead);
        is_new
    }

    /// So much more was promised.
    pub(crate) fn spend(&mut self, now_ms: u64, units: u128) {
        self.forget(now_ms);
        self.book(now_ms / MINUTE_MS, units);
    }

    fn book(&mut self, now: u64, units: u128) {
        match self.spent.last_mut() {
            _ if units == 0 => {}
            Some((minute, all)) if *minute == now => *all = all.saturating_add(units),
            _ => self.spent.push((now, units)),
        }
    }

    /// Units promised within the last hour, or a minute longer.
    pub(crate) fn spent(&self, now_ms: u64) -> u128 {
        let counted = self.spent.iter().filter(|(minute, _)| counts(*minute, now_ms / MINUTE_MS));
        counted.map(|(_, units)| *units).fold(0, u128::saturating_add)
    }

    /// Units that may be promised now.
    pub(crate) fn left(&self, now_ms: u64) -> u128 {
        self.cap().saturating_sub(self.spent(now_ms))
    }

    /// When a quarter of the cap is left again: less is not worth what setting it aside costs. None: never.
    pub(crate) fn again_ms(&self, now_ms: u64) -> Option<u64> {
        let most = self.cap().checked_sub((self.cap() / 4).max(1))?;
        let (now, mut spent) = (now_ms / MINUTE_MS, self.spent(now_ms));
        if spent <= most {
            return Some(now_ms);
        }
        for (minute, units) in self.spent.iter().filter(|(minute, _)| counts(*minute, now)) {
            spent = spent.saturating_sub(*units);
            if spent <= most {
                return Some(minute.saturating_add(MINUTES).saturating_mul(MINUTE_MS));
            }
        }
        None
    }

    /// Takes what another account of this browser had seen when it was put aside: it saw all that was promised until
    /// then, by whichever. What only one of the two says counts.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.cap = self.cap.or(other.cap);
        for (minute, units) in &other.spent {
            match self.spent.iter_mut().find(|(known, _)| known == minute) {
                Some((_, all)) => *all = (*all).max(*units),
                None => self.spent.push((*minute, *units)),
            }
        }
        self.spent.sort_unstable();
    }
}

/// Whether what was promised in a minute counts in this one.
const fn counts(minute: u64, now: u64) -> bool {
    minute.saturating_add(MINUTES) > now
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;
    const NOW_MS: u64 = 1_790_000_000_000;

    fn capped(units: u128) -> Hour {
        let mut hour = Hour::default();
        hour.set_cap(units);
        hour
    }

    #[test]
    fn what_was_promised_counts_for_an_hour_and_then_no_more() {
        let mut hour = capped(100);
        hour.spend(NOW_MS, 100);
        assert_eq!((hour.left(NOW_MS), hour.left(NOW_MS + HOUR_MS - 1)), (0, 0));
        let again_ms = hour.again_ms(NOW_MS).unwrap();
        assert!((NOW_MS + HOUR_MS..=NOW_MS + HOUR_MS + 2 * MINUTE_MS).contains(&again_ms));
        assert_eq!((hour.left(again_ms - 1), hour.left(again_ms)), (0, 100));
        assert_eq!(hour.again_ms(again_ms), Some(again_ms), "now");
    }

    #[test]
    fn it_goes_on_when_a_quarter_is_left_again() {
        let mut hour = capped(100);
        for minute in 0..10 {
            hour.spend(NOW_MS + minute * MINUTE_MS, 10);
        }
        let now_ms = NOW_MS + 9 * MINUTE_MS;
        let again_ms = hour.again_ms(now_ms).unwrap();
        assert_eq!(hour.left(again_ms), 30, "of three minutes");
        assert_eq!(hour.left(again_ms - 1), 20);
    }

    #[test]
    fn a_cap_of_nothing_never_goes_on_and_a_lower_one_counts_at_once() {
        let mut hour = capped(0);
        assert_eq!((hour.left(NOW_MS), hour.again_ms(NOW_MS)), (0, None));
        assert!(hour.set_cap(100) && !hour.set_cap(100));
        hour.spend(NOW_MS, 80);
        assert!(hour.set_cap(50));
        assert_eq!(hour.left(NOW_MS), 0);
        assert!(hour.again_ms(NOW_MS).is_some_and(|again_ms| again_ms > NOW_MS));
        assert_eq!(Hour::default().left(NOW_MS), CAP);
        assert!(!Hour::default().set_cap(CAP));
    }

    #[test]
    fn a_clock_that_was_ahead_locks_nobody_out_for_longer_than_an_hour() {
        let mut hour = capped(100);
        hour.spend(NOW_MS + 365 * 24 * HOUR_MS, 60);
        hour.spend(NOW_MS + 366 * 24 * HOUR_MS, 40);
        assert!(hour.forget(NOW_MS));
        assert!(!hour.forget(NOW_MS));
        assert_eq!(hour.left(NOW_MS), 60, "what counted no more then does not come back");
        assert_eq!(hour.left(NOW_MS + HOUR_MS + 2 * MINUTE_MS), 100);
    }

    #[test]
    fn accounts_of_one_browser_count_together() {
        let mut first = capped(100);
        first.spend(NOW_MS, 30);
        let mut second = Hour::default();
        second.merge(&first);
        assert_eq!(second.left(NOW_MS), 70);
        second.spend(NOW_MS, 20);
        second.spend(NOW_MS + MINUTE_MS, 5);
        first.merge(&second);
        assert_eq!(first.left(NOW_MS + MINUTE_MS), 45);
        first.merge(&second);
        assert_eq!(first.left(NOW_MS + MINUTE_MS), 45, "nothing counts twice");
    }

    proptest! {
        #[test]
        fn never_more_than_the_cap_in_any_hour(
            cap in 0u128..1_000,
            turns in prop::collection::vec((0u64..20 * MINUTE_MS, 0u128..400), 0..200),
        ) {
            let (mut hour, mut now_ms) = (capped(cap), NOW_MS);
            let mut log: Vec<(u64, u128)> = Vec::new();
            for (later_ms, wanted) in turns {
                now_ms += later_ms;
                let granted = wanted.min(hour.left(now_ms));
                hour.spend(now_ms, granted);
                log.push((now_ms, granted));
                let since = |(at, _): &&(u64, u128)| *at + HOUR_MS >= now_ms;
                let lately: u128 = log.iter().filter(since).map(|(_, units)| *units).sum();
                prop_assert!(lately <= cap, "{lately} of {cap}");
                prop_assert!(hour.spent.len() <= 61);
                // It is kept between visits.
                let kept: Hour = minicbor::decode(&minicbor::to_vec(&hour).unwrap()).unwrap();
                prop_assert_eq!(&kept, &hour);
            }
            // Whoever waits is paid again.
            let again_ms = hour.again_ms(now_ms);
            prop_assert_eq!(again_ms.is_some(), cap > 0);
            prop_assert!(again_ms.is_none_or(|at| hour.left(at) >= (cap / 4).max(1)));
        }
    }
}
