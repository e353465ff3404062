//! Where a meter's quarter hours come from.

use super::Household;

/// Quarter hours of a day.
pub(super) const OF_DAY: i64 = 96;

/// What was metered in a quarter hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarter {
    /// Which, counted from 1970-01-01 UTC.
    pub slot: i64,
    /// Wh from the grid.
    pub import_wh: u64,
    /// Wh to the grid.
    pub export_wh: u64,
}

/// Quarter hours, in order of time.
#[derive(Debug, Clone)]
pub enum Feed {
    /// Those of a file.
    Quarters {
        /// In order; none twice.
        quarters: Vec<Quarter>,
        /// Whether they begin anew after the last, at the same time of day.
        repeat: bool,
    },
    /// A household of the demo, without end.
    Household(Household),
}

impl Feed {
    /// Those of a file.
    pub fn of(slots: &[meter_data::Slot], repeat: bool) -> Self {
        let quarter = |slot: &meter_data::Slot| Quarter {
            slot: slot.start_s.div_euclid(i64::from(meter_data::SLOT_S)),
            import_wh: slot.import_wh,
            export_wh: slot.export_wh,
        };
        Self::Quarters { quarters: slots.iter().map(quarter).collect(), repeat }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Quarters { quarters, .. } if quarters.is_empty())
    }

    /// The first at or after a slot; none: it is through.
    pub fn at_or_after(&self, slot: i64) -> Option<Quarter> {
        match self {
            Self::Household(household) => Some(household.quarter(slot)),
            Self::Quarters { quarters, repeat: false } => {
                quarters.get(quarters.partition_point(|one| one.slot < slot)).copied()
            }
            Self::Quarters { quarters, repeat: true } => {
                let (first, last) = (quarters.first()?.slot, quarters.last()?.slot);
                let whole = last - first + 1;
                let period = (whole + OF_DAY - 1) / OF_DAY * OF_DAY;
                let (round, at) =
                    ((slot - first).div_euclid(period), (slot - first).rem_euclid(period) + first);
                let found = quarters.get(quarters.partition_point(|one| one.slot < at));
                let (round, found) = found.map_or((round + 1, quarters[0]), |one| (round, *one));
                Some(Quarter { slot: found.slot + round * period, ..found })
            }
        }
    }

    /// The first slot that is at the same time of day as `slot`; else the first of all.
    pub fn first_like(&self, slot: i64) -> i64 {
        match self {
            Self::Household(_) => slot,
            Self::Quarters { quarters, .. } => {
                let of_day = slot.rem_euclid(OF_DAY);
                let like = quarters.iter().find(|one| one.slot.rem_euclid(OF_DAY) == of_day);
                like.or_else(|| quarters.first()).map_or(slot, |one| one.slot)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(slots: &[i64], repeat: bool) -> Feed {
        let quarter = |slot: &i64| Quarter { slot: *slot, import_wh: 1, export_wh: 0 };
        Feed::Quarters { quarters: slots.iter().map(quarter).collect(), repeat }
    }

    fn told(feed: &Feed, from: i64, count: usize) -> Vec<i64> {
        let mut told = Vec::new();
        let mut at = from;
        while let Some(quarter) = feed.at_or_after(at).filter(|_| told.len() < count) {
            told.push(quarter.slot);
            at = quarter.slot + 1;
        }
        told
    }

    #[test]
    fn a_file_is_told_once_or_again_and_again_at_the_same_time_of_day() {
        assert_eq!(told(&feed(&[10, 11, 13], false), 0, 9), [10, 11, 13]);
        assert_eq!(told(&feed(&[10, 11, 13], true), 11, 5), [11, 13, 106, 107, 109]);
        let two_days: Vec<i64> = (0..=96).collect();
        assert_eq!(told(&feed(&two_days, true), 95, 3), [95, 96, 192]);
        assert_eq!(told(&feed(&[], true), 0, 9), [0_i64; 0]);
    }

    #[test]
    fn a_replay_begins_at_the_time_of_day_it_is() {
        let days: Vec<i64> = (960..1_200).collect();
        assert_eq!(feed(&days, false).first_like(5 * 96 + 40), 1_000);
        assert_eq!(feed(&[7], false).first_like(5 * 96 + 40), 7, "no such time in it");
    }
}
