//! Local times as moments.

use core::fmt;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::Reason;
use crate::report::ChangedDay;

/// Most changes of the clocks that are looked through: two centuries of two a year.
const CHANGES_MAX: usize = 400;

/// How local times are read: a zone with its history, or an offset that never changes.
#[derive(Debug, Clone)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

/// On which side of the row before it in the file a time lies, if there is such a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Side {
    /// Later: the oldest row is first.
    After(Option<i64>),
    /// Earlier: the newest row is first.
    Before(Option<i64>),
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Zone {
    /// Reads a name like `Europe/Amsterdam`, or an offset like `+10:00` or `UTC`.
    pub fn named(name: &str) -> Option<Self> {
        if name.len() > 64 {
            return None;
        }
        if let Some(offset_s) = offset_s(name) {
            return Self::fixed(offset_s);
        }
        let rules = TimeZone::get(name).ok()?;
        Some(Self { name: rules.iana_name().unwrap_or(name).to_owned(), rules })
    }

    /// Always as far from UTC.
    pub(crate) fn fixed(offset_s: i32) -> Option<Self> {
        let rules = TimeZone::fixed(Offset::from_seconds(offset_s).ok()?);
        let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.unsigned_abs() / 60);
        let name = match offset_s {
            0 => "UTC".to_owned(),
            _ => format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60),
        };
        Some(Self { name, rules })
    }

    /// Its offset, when that never changes, in seconds.
    pub fn fixed_offset_s(&self) -> Option<i32> {
        self.rules.to_fixed_offset().ok().map(Offset::seconds)
    }

    /// The moment of a local time. In the hour that comes twice it is the nearest one on this side
    /// of the row before: the first round, then the second; backwards the second, then the first.
    pub(crate) fn moment(&self, local: DateTime, side: Side) -> Result<i64, Reason> {
        let naive_s = seconds_of(local)?;
        let at = |offset: Offset| naive_s - i64::from(offset.seconds());
        match self.rules.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(at(offset)),
            AmbiguousOffset::Gap { .. } => Err(Reason::SkippedTime),
            AmbiguousOffset::Fold { before, after } => {
                let (first, second) = (at(before), at(after));
                Ok(match side {
                    Side::After(Some(last_s)) if last_s >= first => second,
                    Side::After(_) => first,
                    Side::Before(Some(last_s)) if last_s <= second => first,
                    Side::Before(_) => second,
                })
            }
        }
    }

    /// Days between two moments on which the clocks were changed.
    pub(crate) fn changed_days(&self, from_s: i64, to_s: i64) -> Vec<ChangedDay> {
        let Ok(from) = Timestamp::from_second(from_s) else { return Vec::new() };
        let changes = self.rules.following(from).take(CHANGES_MAX);
        let inside =
            changes.map(|change| change.timestamp()).take_while(|at| at.as_second() < to_s);
        inside.filter_map(|at| self.changed_day(at)).collect()
    }

    fn changed_day(&self, at: Timestamp) -> Option<ChangedDay> {
        let before = Timestamp::from_second(at.as_second() - 1).ok()?;
        let offset_s = |at: Timestamp| i64::from(self.rules.to_offset(at).seconds());
        let later_s = offset_s(at) - offset_s(before);
        let date = self.rules.to_datetime(before).date().to_string();
        (later_s != 0).then_some(ChangedDay { date, length_s: 86_400 - later_s })
    }
}

/// Reads `Z`, `UTC`, `+10`, `+1000` or `+10:00`, in seconds.
pub(crate) fn offset_s(text: &str) -> Option<i32> {
    if ["Z", "z", "UTC"].contains(&text) {
        return Some(0);
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = digits.replacen(':', "", 1);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.as_str(), "0"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A local time from its numbers. Hour 24 is midnight of the next day, as some files have it.
pub(crate) fn local(date: [i32; 3], time: [i32; 3]) -> Result<DateTime, Reason> {
    let midnight = time == [24, 0, 0];
    let hour = if midnight { 0 } else { time[0] };
    let small = |number: i32| i8::try_from(number).map_err(|_| Reason::Time);
    let year = i16::try_from(date[0]).map_err(|_| Reason::Time)?;
    let (month, day) = (small(date[1])?, small(date[2])?);
    let (hour, minute, second) = (small(hour)?, small(time[1])?, small(time[2])?);
    let local = DateTime::new(year, month, day, hour, minute, second, 0);
    let local = local.map_err(|_| Reason::Time)?;
    if !midnight {
        return Ok(local);
    }
    let next = local.date().tomorrow().map_err(|_| Reason::Time)?;
    Ok(next.to_datetime(local.time()))
}

/// Seconds since 1970 of a time in UTC.
pub(crate) fn seconds_of(utc: DateTime) -> Result<i64, Reason> {
    let moment = Offset::UTC.to_timestamp(utc).map_err(|_| Reason::Time)?;
    Ok(moment.as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amsterdam() -> Zone {
        Zone::named("Europe/Amsterdam").unwrap()
    }

    #[test]
    fn the_hour_that_comes_twice_is_told_apart_by_what_came_before() {
        let at = local([2026, 10, 25], [2, 30, 0]).unwrap();
        let moment = |side| amsterdam().moment(at, side).unwrap();
        let (first, second) = (1_792_888_200, 1_792_891_800);
        assert_eq!(moment(Side::After(None)), first);
        assert_eq!(moment(Side::After(Some(first - 1))), first);
        assert_eq!(moment(Side::After(Some(first))), second);
        assert_eq!(moment(Side::Before(None)), second);
        assert_eq!(moment(Side::Before(Some(second + 1))), second);
        assert_eq!(moment(Side::Before(Some(second))), first);
    }

    #[test]
    fn the_hour_that_does_not_come_is_refused() {
        let at = local([2026, 3, 29], [2, 30, 0]).unwrap();
        for side in [Side::After(None), Side::Before(None)] {
            assert_eq!(amsterdam().moment(at, side), Err(Reason::SkippedTime));
        }
    }

    #[test]
    fn days_on_which_clocks_change_are_named() {
        let days = amsterdam().changed_days(1_767_225_600, 1_798_761_600);
        let shown: Vec<_> =
            days.iter().map(|day| (day.date.as_str(), day.length_s / 3600)).collect();
        assert_eq!(shown, [("2026-03-29", 23), ("2026-10-25", 25)]);
        let east = Zone::named("+10:00").unwrap();
        assert_eq!(east.changed_days(1_767_225_600, 1_798_761_600), []);
        assert_eq!((east.to_string(), east.fixed_offset_s()), ("+10:00".to_owned(), Some(36_000)));
    }

    #[test]
    fn names_and_offsets_are_read_and_others_are_not() {
        for (text, offset) in [("Z", 0), ("+01", 3600), ("-0330", -12_600), ("+09:30", 34_200)] {
            assert_eq!(offset_s(text), Some(offset), "{text}");
        }
        for wrong in ["", "+", "1", "+1", "+ab", "+25:00", "+01:60", "+:001", "Europe/Atlantis"] {
            assert!(Zone::named(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn hour_24_is_the_next_day() {
        let midnight = local([2026, 12, 31], [24, 0, 0]);
        assert_eq!(midnight, local([2027, 1, 1], [0, 0, 0]));
        for wrong in [[24, 0, 1], [25, 0, 0], [-1, 0, 0], [0, 60, 0]] {
            assert_eq!(local([2026, 1, 1], wrong), Err(Reason::Time));
        }
        assert_eq!(local([2026, 2, 30], [0, 0, 0]), Err(Reason::Time));
    }
}
