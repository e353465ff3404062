//! Households of the demo: what they use and what falls on their roofs, by a formula.
//!
//! A day has 96 quarter hours. With `x` the quarter of the day and all of it in whole numbers, rounded down:
//!
//! | what | Wh of the quarter |
//! |---|---|
//! | base load | `base_wh` |
//! | morning | `3 * base_wh * (8 - abs(x - 30)) / 8`, where that is more than nothing: around 7:30 |
//! | evening | `5 * base_wh * (14 - abs(x - 78)) / 14`, where that is more than nothing: around 19:30 |
//! | whims | the sum of the three times 70 to 129 %, by a hash of household and slot |
//! | clear sky | `peak_w / 4 * 4 * (x - 24) * (72 - x) / 48^2` from 6:00 to 18:00: a parabola, best at noon |
//! | clouds | on odd days, clear sky times 8 to 47 %, by a hash of the slot: one sky over all |
//!
//! What the roof gives goes to the house first: a meter counts what is left of either. Days are even and
//! odd since 1970, UTC; the even ones are sunny.

use primitives::sha256;

use super::Quarter;
use super::feed::OF_DAY;

/// First and last quarter of the day with sun.
const SUN: (i64, i64) = (24, 72);

/// A household.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Household {
    /// Which, from 1.
    pub number: u32,
    /// Wh it uses in each quarter hour whatever happens.
    pub base_wh: u64,
    /// W of its roof at noon of a sunny day; 0: none.
    pub peak_w: u64,
}

impl Household {
    /// One of the street: every other one has a roof with 3 to 8 kW.
    pub fn of_street(number: u32) -> Self {
        let place = u64::from(number.saturating_sub(1));
        let peak_w = if place.is_multiple_of(2) { 3_000 + 1_000 * (place / 2 % 6) } else { 0 };
        Self { number, base_wh: 50 + 12 * (place % 5), peak_w }
    }

    /// What its meter counts.
    pub fn quarter(&self, slot: i64) -> Quarter {
        let (load, sun) = (self.load_wh(slot), self.sun_wh(slot));
        Quarter { slot, import_wh: load.saturating_sub(sun), export_wh: sun.saturating_sub(load) }
    }

    fn load_wh(&self, slot: i64) -> u64 {
        let x = slot.rem_euclid(OF_DAY);
        let peak = |times: u64, middle: i64, width: u64| {
            let near = width.saturating_sub(x.abs_diff(middle));
            times * self.base_wh * near / width
        };
        let planned = self.base_wh + peak(3, 30, 8) + peak(5, 78, 14);
        planned * (70 + draw("whims", self.number, slot) % 60) / 100
    }

    fn sun_wh(&self, slot: i64) -> u64 {
        let x = slot.rem_euclid(OF_DAY);
        if x < SUN.0 || x > SUN.1 {
            return 0;
        }
        let length = SUN.0.abs_diff(SUN.1);
        let clear = self.peak_w * x.abs_diff(SUN.0) * x.abs_diff(SUN.1) / (length * length);
        if is_sunny(slot) { clear } else { clear * (8 + draw("clouds", 0, slot) % 40) / 100 }
    }
}

/// Whether the day of a slot is sunny.
fn is_sunny(slot: i64) -> bool {
    slot.div_euclid(OF_DAY).rem_euclid(2) == 0
}

/// A number that looks drawn and is the same each time.
fn draw(of: &str, number: u32, slot: i64) -> u64 {
    let bytes = [of.as_bytes(), &number.to_be_bytes(), &slot.to_be_bytes()].concat();
    let hash = sha256(&bytes);
    u16::from_be_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(household: Household, day: i64) -> (u64, u64) {
        let quarters = (day * OF_DAY..(day + 1) * OF_DAY).map(|slot| household.quarter(slot));
        quarters.fold((0, 0), |sum, one| (sum.0 + one.import_wh, sum.1 + one.export_wh))
    }

    #[test]
    fn a_roof_gives_to_the_street_on_a_sunny_day_and_little_on_a_cloudy_one() {
        let (with, without) = (Household::of_street(5), Household::of_street(6));
        assert_eq!((with.peak_w, without.peak_w), (5_000, 0));
        let (sunny, cloudy) = (day(with, 20_000), day(with, 20_001));
        assert!(sunny.1 > 15_000 && cloudy.1 * 3 < sunny.1, "{sunny:?} {cloudy:?}");
        assert_eq!(day(without, 20_000).1, 0);
        let used = day(without, 20_000).0;
        assert!((5_000..40_000).contains(&used), "{used} Wh a day");
    }

    #[test]
    fn a_meter_counts_one_way_at_a_time_and_nothing_comes_at_night() {
        for slot in 0..2 * OF_DAY {
            let quarter = Household::of_street(11).quarter(slot);
            assert!(quarter.import_wh == 0 || quarter.export_wh == 0);
        }
        assert_eq!(Household::of_street(11).quarter(0).export_wh, 0);
    }
}
