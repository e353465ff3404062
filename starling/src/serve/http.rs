//! The parts of HTTP that the page, the media and the gateway need.

use axum::http::{HeaderMap, HeaderValue, header};

/// Whether `If-None-Match` names this entity tag (RFC 9110, 13.1.2; weak comparison).
pub(crate) fn none_match(headers: &HeaderMap, etag: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|tag| tag.to_str().ok());
    tags.flat_map(|list| list.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// Whether `Accept-Encoding` takes Brotli (RFC 9110, 12.5.3): named with a weight above zero.
pub(super) fn accepts_brotli(headers: &HeaderMap) -> bool {
    let codings =
        headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    codings.flat_map(|list| list.split(',')).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let zero = weight.trim().strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32));
        name.trim().eq_ignore_ascii_case("br") && !zero
    })
}

/// A header value made of hexadecimal, Base64 or numbers of ours.
pub(crate) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("the text is printable ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, text: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value(text))])
    }

    #[test]
    fn a_tag_matches_itself_weak_or_in_a_list() {
        for (text, expected) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
        ] {
            let headers = headers(header::IF_NONE_MATCH, text);
            assert_eq!(none_match(&headers, "\"a\""), expected, "{text}");
        }
        assert!(!none_match(&HeaderMap::new(), "\"a\""));
    }

    #[test]
    fn brotli_is_sent_only_to_those_who_take_it() {
        for (text, expected) in [
            ("br", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip, br;q=0.1", true),
            ("br;q=0", false),
            ("br; q=0.000", false),
            ("gzip", false),
            ("brx", false),
        ] {
            assert_eq!(accepts_brotli(&headers(header::ACCEPT_ENCODING, text)), expected, "{text}");
        }
        assert!(!accepts_brotli(&HeaderMap::new()));
    }
}
