//! Bytes and times as people write and read them.

use std::time::Duration;

/// Bytes in at most four digits.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut whole, mut rest, mut unit) = (count, 0, 0);
    while whole >= 1000 && unit + 1 < UNITS.len() {
        (rest, whole, unit) = (whole % 1000 / 100, whole / 1000, unit + 1);
    }
    if unit == 0 { format!("{whole} B") } else { format!("{whole}.{rest} {}", UNITS[unit]) }
}

/// A time in its two largest units.
pub(crate) fn time(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Reads `90`, `90s`, `15m`, `2h` or `3d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time like 90s, 15m, 2h or 3d, found {text:?}");
    let (digits, unit) = match text.char_indices().last() {
        Some((at, unit)) if !unit.is_ascii_digit() => (&text[..at], unit),
        _ => (text, 's'),
    };
    let seconds = match unit {
        's' => 1_u64,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_a_unit_that_fits() {
        let shown = [0, 999, 1_000, 1_234_567, 999_999_999, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "1.2 MB", "999.9 MB", "18446744.0 TB"]);
    }

    #[test]
    fn times_are_written_and_read() {
        assert_eq!([5, 65, 3_661, 90_000].map(time), ["5 s", "1 min 5 s", "1 h 1 min", "1 d 1 h"]);
        let read = |text| duration(text).map(|time| time.as_secs());
        let texts = ["90", "90s", "15m", "2h", "3d"].map(read);
        assert_eq!(texts, [Ok(90), Ok(90), Ok(900), Ok(7_200), Ok(259_200)]);
        for wrong in ["", "s", "-1", "1w", "1.5h", "99999999999999999999d", "9999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
