//! The slots that energy is traded in, made from intervals.

use crate::limits::CUT_S_MAX;
use crate::meter::cut;
use crate::{Direction, Interval, Meter, Quality};

/// Length of a slot, in seconds. Slots begin at multiples of it since 1970, UTC.
pub const SLOT_S: u32 = 900;

/// Energy of one slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// In seconds since 1970, UTC.
    pub start_s: i64,
    /// From the grid, in Wh; 0 when the meter does not count it.
    pub import_wh: u64,
    /// To the grid, in Wh; as above.
    pub export_wh: u64,
    /// The worst of what it rests on.
    pub quality: Quality,
    /// Evenly cut from an interval longer than a slot: its sum is measured, its share is not.
    pub cut: bool,
}

/// The slots of a meter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Slots {
    /// In order of time.
    pub slots: Vec<Slot>,
    /// How many slots there are readings for, but not for all of their seconds and directions, or only
    /// in intervals longer than [`CUT_S_MAX`]. None of these is made: a reading that is not there is
    /// not zero.
    pub incomplete: usize,
}

impl Meter {
    /// Makes slots of all intervals. A slot is made when every second of it is read in every direction
    /// that the meter counts. Shares of intervals add up to the whole interval.
    pub fn slots(&self) -> Slots {
        let counts = [Direction::Import, Direction::Export].map(|way| self.measures(way));
        let mut making = Making { counts, slots: Slots::default(), open: None };
        for interval in &self.intervals {
            making.add(interval);
        }
        making.close();
        making.slots
    }
}

/// A slot that is not full yet.
struct Open {
    slot: Slot,
    /// Seconds read, of import and export.
    read_s: [u32; 2],
}

struct Making {
    /// Whether the meter counts import and export.
    counts: [bool; 2],
    slots: Slots,
    open: Option<Open>,
}

impl Making {
    fn add(&mut self, interval: &Interval) {
        let slot_s = i64::from(SLOT_S);
        if interval.cut_from_s > CUT_S_MAX {
            let first = interval.start_s.div_euclid(slot_s);
            let last = (interval.end_s() - 1).div_euclid(slot_s);
            self.open(first * slot_s);
            self.close();
            self.slots.incomplete += usize::try_from(last - first).unwrap_or(0);
            return;
        }
        let mut at_s = interval.start_s;
        while at_s < interval.end_s() {
            let start_s = at_s.div_euclid(slot_s) * slot_s;
            let to_s = interval.end_s().min(start_s + slot_s);
            self.open(start_s).take(interval, at_s, to_s);
            at_s = to_s;
        }
    }

    /// The slot that begins then; what was open before is closed.
    fn open(&mut self, start_s: i64) -> &mut Open {
        if self.open.as_ref().is_some_and(|open| open.slot.start_s != start_s) {
            self.close();
        }
        self.open.get_or_insert_with(|| Open::new(start_s))
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let full = |(read_s, counts): (u32, bool)| !counts || read_s == SLOT_S;
        if open.read_s.into_iter().zip(self.counts).all(full) {
            self.slots.slots.push(open.slot);
        } else {
            self.slots.incomplete += 1;
        }
    }
}

impl Open {
    fn new(start_s: i64) -> Self {
        let quality = Quality::Measured;
        let slot = Slot { start_s, import_wh: 0, export_wh: 0, quality, cut: false };
        Self { slot, read_s: [0, 0] }
    }

    fn take(&mut self, interval: &Interval, from_s: i64, to_s: i64) {
        let seconds = u32::try_from(to_s - from_s).unwrap_or(0);
        let share = |wh: u64| {
            let until = |at_s: i64| cut(wh, at_s - interval.start_s, interval.length_s);
            until(to_s) - until(from_s)
        };
        if let Some(wh) = interval.import_wh {
            self.slot.import_wh += share(wh);
            self.read_s[0] += seconds;
        }
        if let Some(wh) = interval.export_wh {
            self.slot.export_wh += share(wh);
            self.read_s[1] += seconds;
        }
        self.slot.quality = self.slot.quality.max(interval.quality);
        self.slot.cut |= interval.cut_from_s > SLOT_S;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ChannelReport;

    fn channel(direction: Direction) -> ChannelReport {
        ChannelReport {
            name: direction.name().to_owned(),
            direction,
            intervals: 1,
            start_s: 0,
            end_s: 0,
            total_wh: 0,
            substituted: 0,
            duplicates_same: 0,
            duplicates_conflicting: 0,
            gaps: Vec::new(),
            gap_count: 0,
            gap_s: 0,
        }
    }

    /// Slots of a meter that counts both, from (start, length, import, export).
    fn slots(rows: &[(i64, u32, Option<u64>, Option<u64>)]) -> Slots {
        let interval = |row: &(i64, u32, Option<u64>, Option<u64>)| Interval {
            start_s: row.0,
            length_s: row.1,
            import_wh: row.2,
            export_wh: row.3,
            quality: Quality::Measured,
            cut_from_s: row.1,
        };
        let channels = [Direction::Import, Direction::Export].map(channel).to_vec();
        let intervals = rows.iter().map(interval).collect();
        Meter { id: String::new(), intervals, channels, counters: None }.slots()
    }

    fn made(slots: &Slots) -> Vec<(i64, u64, u64, bool)> {
        let line = |slot: &Slot| (slot.start_s, slot.import_wh, slot.export_wh, slot.cut);
        slots.slots.iter().map(line).collect()
    }

    #[test]
    fn three_intervals_of_five_minutes_are_a_slot() {
        let rows = [0, 300, 600].map(|start_s| (start_s, 300, Some(2), Some(1)));
        let slots = slots(&rows);
        assert_eq!((made(&slots), slots.incomplete), (vec![(0, 6, 3, false)], 0));
    }

    #[test]
    fn half_an_hour_is_two_slots_that_add_up() {
        let slots = slots(&[(900, 1800, Some(101), Some(0))]);
        assert_eq!(made(&slots), [(900, 50, 0, true), (1800, 51, 0, true)]);
    }

    #[test]
    fn a_slot_with_a_second_missing_is_not_made() {
        let both = (Some(9), Some(9));
        let missing = slots(&[(0, 899, both.0, both.1), (900, 900, both.0, both.1)]);
        assert_eq!((made(&missing), missing.incomplete), (vec![(900, 9, 9, false)], 1));
        let one_way = slots(&[(0, 900, Some(9), None)]);
        assert_eq!((made(&one_way), one_way.incomplete), (vec![], 1));
    }

    #[test]
    fn a_day_is_not_cut_into_quarters() {
        let slots = slots(&[(0, 86_400, Some(960), Some(0)), (86_400, 900, Some(1), Some(1))]);
        assert_eq!((made(&slots), slots.incomplete), (vec![(86_400, 1, 1, false)], 96));
    }

    #[test]
    fn time_before_1970_has_slots_too() {
        let slots = slots(&[(-900, 900, Some(1), Some(1))]);
        assert_eq!(made(&slots), [(-900, 1, 1, false)]);
    }
}
