//! Times of log entries: ISO 8601, UTC, as `2025-04-01T17:39:50Z`.

/// A time, to the billionth of a second. Its order is that of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant {
    /// Since 1970-01-01 UTC.
    seconds: i64,
    nanos: u32,
}

impl Instant {
    /// The time of a text; none: it is no time, or of another zone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?;
        let (date, clock) = rest.split_once('T')?;
        let (clock, fraction) = match clock.split_once('.') {
            Some((clock, fraction)) => (clock, Some(fraction)),
            None => (clock, None),
        };
        let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
        let is_date = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        if year == 0 || !is_date || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_since_1970(year, month, day);
        let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second;
        Some(Self { seconds, nanos: fraction.map_or(Some(0), nanos)? })
    }

    /// Whole seconds since 1970; 0: before.
    pub(super) fn seconds(self) -> u64 {
        u64::try_from(self.seconds).unwrap_or_default()
    }
}

/// Numbers of so many digits, with a sign between.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split(between);
    for (number, count) in found.iter_mut().zip(digits) {
        let part = parts.next().filter(|part| part.len() == count)?;
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn nanos(fraction: &str) -> Option<u32> {
    let is_one = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    if !is_one {
        return None;
    }
    format!("{fraction:0<9}").parse().ok()
}

const fn is_leap(year: i64) -> bool {
    (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    // Days before a year since year 1, in the calendar that was never changed.
    let before = |year: i64| {
        let years = year - 1;
        years * 365 + years / 4 - years / 100 + years / 400
    };
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    before(year) - before(1970) + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_what_calendars_say() {
        let check = |text: &str, seconds: i64, nanos| {
            assert_eq!(Instant::parse(text), Some(Instant { seconds, nanos }), "{text}");
        };
        check("1970-01-01T00:00:00Z", 0, 0);
        check("2000-01-01T00:00:00Z", 946_684_800, 0);
        check("2000-02-29T23:59:59+00:00", 951_868_799, 0);
        check("2024-04-05T07:32:58.25Z", 1_712_302_378, 250_000_000);
        check("9999-12-31T23:59:59Z", 253_402_300_799, 0);
        check("1969-12-31T23:59:59Z", -1, 0);
        assert_eq!(Instant::parse("1969-12-31T23:59:59Z").unwrap().seconds(), 0);
        for text in [
            "",
            "2000-01-01",
            "2000-01-01T00:00:00",
            "2000-01-01T00:00:00+01:00",
            "2000-01-01t00:00:00Z",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:60Z",
            "2001-02-29T00:00:00Z",
            "2000-13-01T00:00:00Z",
            "2000-00-01T00:00:00Z",
            "2000-1-01T00:00:00Z",
            "+200-01-01T00:00:00Z",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00.1234567890Z",
            "2000-01-01T00:00Z",
        ] {
            assert_eq!(Instant::parse(text), None, "{text}");
        }
        assert!(Instant::parse("2000-01-01T00:00:00.1Z") > Instant::parse("2000-01-01T00:00:00Z"));
    }
}
