//! Numbers to words, with units. Decimal units throughout: 1 MB is 1,000,000 bytes.
//!
//! A no-break space stands between number and unit, so that a line never ends between them.

/// Between a number and its unit.
const NBSP: char = '\u{a0}';

/// A counter as a float, for shares and geometry. Exact up to 2^53.
#[allow(clippy::as_conversions, reason = "there is no From<u64> for f64; counters stay below 2^53")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

/// A length as a float.
#[allow(
    clippy::as_conversions,
    reason = "there is no From<usize> for f64; lengths stay below 2^53"
)]
pub(crate) const fn count(length: usize) -> f64 {
    length as f64
}

/// A finite float to the nearest whole number, `0` below zero.
#[allow(clippy::as_conversions, reason = "the cast saturates, which is what is wanted")]
pub(crate) const fn whole(value: f64) -> u64 {
    value.round() as u64
}

/// `part` of `total` as a share from 0 to 1; 0 of nothing is 0.
pub(crate) fn share(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { float(part) / float(total) }
}

/// A size: `640 B`, `12.4 MB`.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    scaled(float(count), &UNITS)
}

/// A rate given in bytes per second, told in bits as links are sold: `3.2 Mbit/s`.
pub(crate) fn rate(bytes_per_s: u64) -> String {
    const UNITS: [&str; 4] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];
    if bytes_per_s == 0 {
        return format!("0{NBSP}kbit/s");
    }
    scaled(float(bytes_per_s) * 8.0, &UNITS)
}

/// A round number without the decimal that says nothing: `20 Mbit/s` for `20.0 Mbit/s`.
pub(crate) fn trimmed(number: &str) -> String {
    number.replace(&format!(".0{NBSP}"), &NBSP.to_string())
}

/// A share from 0 to 1 in whole percent. Never says 0 or 100 of what is only nearly so.
pub(crate) fn percent(share: f64) -> String {
    let rounded = whole(share * 100.0);
    let honest = match rounded {
        0 if share > 0.0 => return format!("under 1{NBSP}%"),
        100 if share < 1.0 => 99,
        other => other.min(100),
    };
    format!("{honest}{NBSP}%")
}

/// A length of time: `800 ms`, `1.2 s`, `45 s`, `2 min 5 s`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms}{NBSP}ms"),
        1_000..10_000 => format!("{}.{}{NBSP}s", ms / 1_000, ms % 1_000 / 100),
        10_000..60_000 => format!("{}{NBSP}s", ms / 1_000),
        _ => match ms / 1_000 % 60 {
            0 => format!("{}{NBSP}min", ms / 60_000),
            seconds => format!("{}{NBSP}min {seconds}{NBSP}s", ms / 60_000),
        },
    }
}

/// How long something has been going on: `45 s`, `12 min`, `5 h 3 min`, `3 d 4 h`.
pub(crate) fn uptime(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}{NBSP}s"),
        60..3_600 => format!("{minutes}{NBSP}min"),
        3_600..86_400 => format!("{hours}{NBSP}h {}{NBSP}min", minutes % 60),
        _ => format!("{days}{NBSP}d {}{NBSP}h", hours % 24),
    }
}

/// `1 viewer`, `3 viewers`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count}{NBSP}{}", if count == 1 { one } else { many })
}

/// A text as a sentence: a capital first, a full stop last.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

/// The first eight digits of a key in two groups: enough to tell peers apart at a glance.
pub(crate) fn short_key(hex: &str) -> String {
    match (hex.get(..4), hex.get(4..8)) {
        (Some(first), Some(second)) => format!("{first}{NBSP}{second}"),
        _ => hex.to_owned(),
    }
}

/// What a person would call a stream: the host, and the last telling part of the path.
pub(crate) fn stream_name(url: &str) -> (String, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let telling = path
        .rsplit('/')
        .find(|part| !part.is_empty() && !is_playlist_word(part))
        .map_or_else(|| host.to_owned(), tidy);
    (telling, host.to_owned())
}

/// File names that say nothing about what is shown.
fn is_playlist_word(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).to_ascii_lowercase();
    matches!(
        stem.as_str(),
        "master" | "index" | "playlist" | "main" | "stream" | "manifest" | "hls"
    )
}

/// `big-buck_bunny.m3u8` to `big buck bunny`.
fn tidy(part: &str) -> String {
    let stem = part.strip_suffix(".m3u8").unwrap_or(part);
    stem.replace(['-', '_', '+'], " ").replace("%20", " ")
}

/// Three telling digits and the unit that keeps the number below 1,000.
fn scaled(value: f64, units: &[&str]) -> String {
    let mut value = value;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && value < 99.95);
    format!("{value:.decimals$}{NBSP}{}", units.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(made: String, expected: &str) {
        assert_eq!(made.replace(NBSP, " "), expected);
    }

    #[test]
    fn sizes_keep_three_digits() {
        check(bytes(0), "0 B");
        check(bytes(999), "999 B");
        check(bytes(1_000), "1.0 kB");
        check(bytes(12_440_000), "12.4 MB");
        check(bytes(999_960), "1.0 MB");
        check(bytes(254_000_000), "254 MB");
        check(bytes(u64::MAX), "18446744 TB");
    }

    #[test]
    fn rates_are_told_in_bits() {
        check(rate(0), "0 kbit/s");
        check(rate(50), "400 bit/s");
        check(rate(400_000), "3.2 Mbit/s");
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        check(percent(0.0), "0 %");
        check(percent(0.001), "under 1 %");
        check(percent(0.624), "62 %");
        check(percent(0.999), "99 %");
        check(percent(1.0), "100 %");
    }

    #[test]
    fn durations_grow_coarser() {
        check(duration(80), "80 ms");
        check(duration(1_250), "1.2 s");
        check(duration(45_900), "45 s");
        check(duration(125_000), "2 min 5 s");
        check(duration(180_000), "3 min");
    }

    #[test]
    fn what_lasts_is_told_in_two_units() {
        check(uptime(59), "59 s");
        check(uptime(125), "2 min");
        check(uptime(3_725), "1 h 2 min");
        check(uptime(273_600), "3 d 4 h");
    }

    #[test]
    fn a_stream_is_named_by_what_tells_it_apart() {
        let name = |url| stream_name(url).0;
        assert_eq!(
            name("https://cdn.example/shows/big-buck_bunny/master.m3u8?t=1"),
            "big buck bunny"
        );
        assert_eq!(name("https://cdn.example/night_sky.m3u8"), "night sky");
        assert_eq!(name("https://cdn.example/hls/master.m3u8"), "cdn.example");
        assert_eq!(name("nonsense"), "nonsense");
    }

    #[test]
    fn a_text_becomes_a_sentence_once() {
        assert_eq!(sentence("the server is gone"), "The server is gone.");
        assert_eq!(sentence("Gone already."), "Gone already.");
        assert_eq!(sentence(""), "");
    }

    #[test]
    fn keys_are_shortened_and_odd_ones_left_alone() {
        check(short_key("0123456789abcdef"), "0123 4567");
        check(short_key("01é"), "01é");
    }
}
