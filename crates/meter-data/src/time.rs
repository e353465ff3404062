//! Dates and times as people and programs write them.

use jiff::civil::DateTime;

use crate::Reason;
use crate::zone::{local, offset_s, seconds_of};

/// What a text says about time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// In seconds since 1970.
    Moment(i64),
    /// By clocks somewhere.
    Local(DateTime),
}

/// Which number comes first in dates like `3/4/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Day,
    Month,
}

/// A moment in ISO 8601 with an offset, in seconds since 1970.
pub(crate) fn iso(text: &str) -> Option<i64> {
    match stamp(text, Order::Day) {
        Ok(Stamp::Moment(at_s)) if text.contains(['-', ':']) => Some(at_s),
        _ => None,
    }
}

/// Reads a date, with or without a time and an offset, or seconds or milliseconds since 1970.
pub(crate) fn stamp(text: &str, order: Order) -> Result<Stamp, Reason> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits(text);
    }
    let (date, rest) = text.split_once(['T', 't', ' ']).unwrap_or((text, ""));
    let date = date_numbers(date, order)?;
    let (clock, offset) = split_offset(rest.trim())?;
    let time = if clock.is_empty() { [0, 0, 0] } else { clock_numbers(clock)? };
    let naive = local(date, time)?;
    match offset {
        Some(offset) => Ok(Stamp::Moment(seconds_of(naive)? - i64::from(offset))),
        None => Ok(Stamp::Local(naive)),
    }
}

/// `20260304`, `202603040015`, `20260304001500`, seconds or milliseconds since 1970.
fn digits(text: &str) -> Result<Stamp, Reason> {
    let part = |from: usize| text.get(from..from + 2).map_or(Ok(0), number);
    match text.len() {
        8 | 12 | 14 => {
            let time = [part(8)?, part(10)?, part(12)?];
            Ok(Stamp::Local(local(day_numbers(&text[..8])?, time)?))
        }
        10 => Ok(Stamp::Moment(text.parse().map_err(|_| Reason::Time)?)),
        13 => Ok(Stamp::Moment(text[..10].parse().map_err(|_| Reason::Time)?)),
        _ => Err(Reason::Time),
    }
}

fn number(text: &str) -> Result<i32, Reason> {
    let good = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if good { text.parse().map_err(|_| Reason::Time) } else { Err(Reason::Time) }
}

/// Year, month and day of `YYYYMMDD`.
pub(crate) fn day_numbers(text: &str) -> Result<[i32; 3], Reason> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Time);
    }
    Ok([number(&text[..4])?, number(&text[4..6])?, number(&text[6..])?])
}

/// The three parts of a date, and what stands between them.
fn date_parts(text: &str) -> Option<([&str; 3], char)> {
    let mark = text.chars().find(|letter| ['-', '/', '.'].contains(letter))?;
    let mut parts = text.split(mark);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some((three, mark))
}

fn date_numbers(text: &str, order: Order) -> Result<[i32; 3], Reason> {
    if let Ok(numbers) = day_numbers(text) {
        return Ok(numbers);
    }
    let (parts, mark) = date_parts(text).ok_or(Reason::Time)?;
    let [first, second, third] = parts.map(number);
    let (first, second, third) = (first?, second?, third?);
    if parts[0].len() == 4 {
        return Ok([first, second, third]);
    }
    let year = match parts[2].len() {
        4 => third,
        2 => 2000 + third,
        _ => return Err(Reason::Time),
    };
    match order {
        Order::Month if mark != '.' => Ok([year, first, second]),
        Order::Day | Order::Month => Ok([year, second, first]),
    }
}

/// The two numbers of a date whose order can be in doubt.
pub(crate) fn doubtful(text: &str) -> Option<[i32; 2]> {
    let date = text.trim().split(['T', ' ']).next()?;
    let (parts, mark) = date_parts(date)?;
    if mark == '.' || parts[0].len() == 4 {
        return None;
    }
    Some([number(parts[0]).ok()?, number(parts[1]).ok()?])
}

/// A time of day and the offset behind it.
fn split_offset(text: &str) -> Result<(&str, Option<i32>), Reason> {
    let at = match text.rfind(['+', '-']) {
        Some(at) => at,
        None if text.ends_with("UTC") => text.len() - 3,
        None if text.ends_with(['Z', 'z']) => text.len() - 1,
        None => return Ok((text, None)),
    };
    let (clock, offset) = text.split_at(at);
    Ok((clock.trim_end(), Some(offset_s(offset).ok_or(Reason::Time)?)))
}

/// `0:15`, `00:15:00`, `00:15:00.000`, `12:15 AM`.
fn clock_numbers(text: &str) -> Result<[i32; 3], Reason> {
    let lower = text.to_ascii_lowercase();
    let (clock, noon) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        _ => (lower.as_str(), None),
    };
    let clock = clock.split(['.', ',']).next().unwrap_or(clock);
    let mut parts = clock.split(':');
    let mut next = || parts.next().map(number).transpose();
    let hour = next()?.ok_or(Reason::Time)?;
    let minute = next()?.ok_or(Reason::Time)?;
    let second = next()?.unwrap_or(0);
    if next()?.is_some() {
        return Err(Reason::Time);
    }
    match noon {
        None => Ok([hour, minute, second]),
        Some(noon) if (1..=12).contains(&hour) => Ok([hour % 12 + noon, minute, second]),
        Some(_) => Err(Reason::Time),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, order: Order, expected: &str) {
        let shown = match stamp(text, order) {
            Ok(Stamp::Moment(at_s)) => at_s.to_string(),
            Ok(Stamp::Local(local)) => local.to_string(),
            Err(reason) => reason.code().to_owned(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn times_are_read_as_they_are_written_somewhere() {
        for text in [
            "2026-10-25T02:30:00",
            "2026-10-25 02:30",
            "2026/10/25 2:30",
            "25.10.2026 02:30",
            "25/10/2026 02:30:00.000",
            "25-10-26 2:30 AM",
            "202610250230",
            "20261025T02:30",
        ] {
            check(text, Order::Day, "2026-10-25T02:30:00");
        }
        check("10/25/2026 2:30 pm", Order::Month, "2026-10-25T14:30:00");
        check("10/25/2026 12:00 am", Order::Month, "2026-10-25T00:00:00");
        check("25.10.2026", Order::Month, "2026-10-25T00:00:00");
        check("2026-10-25 24:00", Order::Day, "2026-10-26T00:00:00");
    }

    #[test]
    fn a_time_with_an_offset_is_a_moment() {
        for text in [
            "2026-10-25T00:30:00Z",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25 02:30:00.5 +0200",
            "2026-10-24T19:30-05",
            "2026-10-25 00:30 UTC",
            "1792888200",
            "1792888200123",
        ] {
            check(text, Order::Day, "1792888200");
        }
        assert_eq!(iso("2026-10-25T00:30:00Z"), Some(1_792_888_200));
        assert_eq!([iso("1792888200"), iso("2026-10-25T00:30:00")], [None, None]);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "-",
            "2026",
            "2026-10",
            "2026-13-01",
            "2026-10-25 25:00",
            "25/10",
            "1/2/3/4",
            "2026-10-25T",
            "2026-10-25 1:2:3:4",
            "2026-10-25 13:00 pm",
            "2026-10-25 02:30+99",
            "é",
            "2026-10-25 é",
            "99999999999999",
        ] {
            let expected = if text == "2026-10-25T" { "2026-10-25T00:00:00" } else { "time" };
            check(text, Order::Day, expected);
        }
    }

    #[test]
    fn only_dates_with_the_year_last_are_in_doubt() {
        assert_eq!(doubtful("3/4/2026 00:15"), Some([3, 4]));
        assert_eq!([doubtful("2026-04-03"), doubtful("3.4.2026"), doubtful("00:15")], [None; 3]);
    }
}
