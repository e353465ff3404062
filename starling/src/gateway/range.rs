//! Parts of a file: `Range` (RFC 9110, 14) and `entity-bytes` (Trustless Gateway).

use std::ops::Range;

use axum::http::{HeaderMap, header};

use super::refusal::Refusal;

/// The range a client asks for of so many bytes. None: all of it; also for forms we do not answer in
/// parts, as RFC 9110 lets us.
pub(super) fn asked(
    headers: &HeaderMap,
    etag: &str,
    size_bytes: u64,
) -> Result<Option<Range<u64>>, Refusal> {
    let condition = headers.get(header::IF_RANGE);
    if condition.is_some_and(|condition| condition.as_bytes() != etag.as_bytes()) {
        return Ok(None);
    }
    let text = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let Some((from, to)) =
        text.and_then(|text| text.strip_prefix("bytes=")).and_then(|text| text.split_once('-'))
    else {
        return Ok(None);
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let range = match (number(from.trim()), number(to.trim())) {
        (Some(from), Some(to)) if from <= to => from..to.saturating_add(1).min(size_bytes),
        (Some(from), None) if to.trim().is_empty() => from..size_bytes,
        (None, Some(last)) if from.trim().is_empty() => size_bytes.saturating_sub(last)..size_bytes,
        _ => return Ok(None),
    };
    if range.is_empty() { Err(Refusal::range(size_bytes)) } else { Ok(Some(range)) }
}

/// `from:to`, both inside, negative from the end, `*` the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntityBytes {
    from: i64,
    to: Option<i64>,
}

impl EntityBytes {
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal::bad(&"expected entity-bytes FROM:TO, in bytes");
        let (from, to) = text.split_once(':').ok_or_else(wrong)?;
        let from = from.parse().map_err(|_| wrong())?;
        let to = if to == "*" { None } else { Some(to.parse().map_err(|_| wrong())?) };
        Ok(Self { from, to })
    }

    /// The bytes of a file of this size; empty when there are none.
    pub(super) fn of(self, size_bytes: u64) -> Range<u64> {
        let place = |at: i64| match u64::try_from(at) {
            Ok(at) => at,
            Err(_) => size_bytes.saturating_sub(at.unsigned_abs()),
        };
        let end = self.to.map_or(size_bytes, |to| match to {
            to if to < 0 => (size_bytes + 1).saturating_sub(to.unsigned_abs()),
            to => place(to).saturating_add(1),
        });
        place(self.from)..end.min(size_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_http_has_them() {
        let check = |text: &str, expected: Option<Option<Range<u64>>>| {
            let headers = HeaderMap::from_iter([(header::RANGE, text.parse().unwrap())]);
            assert_eq!(asked(&headers, "\"x\"", 100).ok(), expected, "{text}");
        };
        check("bytes=0-9", Some(Some(0..10)));
        check("bytes=90-", Some(Some(90..100)));
        check("bytes=90-1000", Some(Some(90..100)));
        check("bytes=-5", Some(Some(95..100)));
        check("bytes=-500", Some(Some(0..100)));
        check("bytes=100-", None);
        check("bytes=-0", None);
        check("bytes=99999999999999999999-", None);
        for all in ["bytes=9-1", "bytes=0-1,5-6", "bytes=", "bytes=a-b", "lines=1-2", "bytes=+1-2"]
        {
            check(all, Some(None));
        }
        let headers = HeaderMap::from_iter([
            (header::RANGE, "bytes=0-9".parse().unwrap()),
            (header::IF_RANGE, "\"other\"".parse().unwrap()),
        ]);
        assert_eq!(asked(&headers, "\"x\"", 100).unwrap(), None);
        assert_eq!(asked(&headers, "\"other\"", 100).unwrap(), Some(0..10));
    }

    #[test]
    fn entity_bytes_are_read_as_the_specification_has_them() {
        let check = |text: &str, expected: Range<u64>| {
            assert_eq!(EntityBytes::read(text).unwrap().of(100), expected, "{text}");
        };
        check("0:*", 0..100);
        check("10:19", 10..20);
        check("-10:*", 90..100);
        check("0:-1", 0..100);
        check("0:-11", 0..90);
        check("0:1000", 0..100);
        check("-1000:4", 0..5);
        assert!(EntityBytes::read("5").is_err() && EntityBytes::read("a:b").is_err());
    }
}
