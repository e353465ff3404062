//! When health is news.

use serde::{Deserialize, Serialize};

use crate::limits::BACK;

/// A health factor of one: 18 decimals.
pub const ONE: u128 = 1_000_000_000_000_000_000;
/// A hundredth.
const HUNDREDTH: u128 = ONE / 100;

/// Health of an account in a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It owes nothing.
    Endless,
    /// The factor, with 18 decimals.
    Is(u128),
    /// A price it needs is stale, or waits to be confirmed.
    Unknown,
}

/// How bad it is; more is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// At the limit or above it.
    Well,
    /// Under the limit.
    Low,
    /// Under one: anybody may liquidate.
    Seizable,
}

impl Level {
    /// Of a factor, with nothing told before. `limit` is in hundredths.
    pub(crate) fn of(factor: u128, limit: u16) -> Self {
        if factor < ONE {
            Self::Seizable
        } else if factor < hundredths(limit) {
            Self::Low
        } else {
            Self::Well
        }
    }

    /// Of a factor, after this level was told: worse at once, better only with [`BACK`] between.
    pub(crate) fn after(self, factor: u128, limit: u16) -> Self {
        let lowered = factor.saturating_sub(hundredths(BACK));
        Self::of(factor, limit).max(Self::of(lowered, limit).min(self))
    }
}

fn hundredths(count: u16) -> u128 {
    u128::from(count).saturating_mul(HUNDREDTH)
}

/// A factor as people read it: at most four decimals, at least two, cut off.
pub(crate) fn shown(factor: u128) -> String {
    let digits = format!("{:04}", factor % ONE / (ONE / 10_000));
    format!("{}.{:0<2}", factor / ONE, digits.trim_end_matches('0'))
}

/// Hundredths as people read them.
pub(crate) fn shown_hundredths(count: u16) -> String {
    format!("{}.{:02}", count / 100, count % 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(told: Level, hundredth: u128, expected: Level) {
        assert_eq!(told.after(hundredth * HUNDREDTH, 110), expected, "{told:?}, {hundredth}");
    }

    #[test]
    fn it_is_worse_at_once_and_better_only_when_it_is_clearly_so() {
        use Level::{Low, Seizable, Well};
        for (told, hundredth, expected) in [
            (Well, 110, Well),
            (Well, 109, Low),
            (Well, 99, Seizable),
            (Low, 110, Low),
            (Low, 114, Low),
            (Low, 115, Well),
            (Low, 99, Seizable),
            (Seizable, 100, Seizable),
            (Seizable, 104, Seizable),
            (Seizable, 105, Low),
            (Seizable, 114, Low),
            (Seizable, 115, Well),
        ] {
            check(told, hundredth, expected);
        }
    }

    #[test]
    fn a_limit_of_one_knows_two_levels() {
        assert_eq!(Level::of(ONE, 100), Level::Well);
        assert_eq!(Level::of(ONE - 1, 100), Level::Seizable);
        assert_eq!(Level::Seizable.after(ONE + 4 * HUNDREDTH, 100), Level::Seizable);
        assert_eq!(Level::Seizable.after(ONE + 5 * HUNDREDTH, 100), Level::Well);
    }

    #[test]
    fn a_factor_is_shown_as_on_the_page() {
        for (factor, expected) in [
            (ONE, "1.00"),
            (ONE * 9_714 / 10_000, "0.9714"),
            (ONE * 11 / 10, "1.10"),
            (ONE - 1, "0.9999"),
            (u128::MAX, "340282366920938463463.3746"),
        ] {
            assert_eq!(shown(factor), expected);
        }
        assert_eq!(shown_hundredths(105), "1.05");
    }

    proptest! {
        /// However a price trembles by less than the distance, it is told once.
        #[test]
        fn a_trembling_price_is_told_once(
            middle in 90_u128..250,
            limit in 100_u16..=200,
            steps in proptest::collection::vec(0_u128..5, 1..60),
        ) {
            let mut told = Level::Well;
            let mut worse = 0;
            for step in steps {
                let now = told.after((middle + step) * HUNDREDTH, limit);
                worse += u32::from(now > told);
                told = now;
            }
            // Below the limit, and below one: at most one each, where both are within the trembling.
            prop_assert!(worse <= 2, "{worse}");
        }
    }
}
