//! Security headers of every answer.
//!
//! What other sites may read (`Access-Control-Allow-Origin: *`: the player, media, the gateway) gets
//! only what can't keep it from them. Everything else may be loaded by our own pages, framed by
//! nobody, and runs nothing. An answer's own headers stay as they are.

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;

/// Half a year.
const HSTS: &str = "max-age=15552000";

/// What is added to answers that are not for other sites.
const OWN: [(HeaderName, &str); 4] = [
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds them. `tls`: browsers may be told to come by TLS only (RFC 6797).
pub(super) fn layer(app: Router, tls: bool) -> Router {
    app.layer(map_response(move |mut response: Response| {
        add(response.headers_mut(), tls);
        std::future::ready(response)
    }))
}

fn add(headers: &mut HeaderMap, tls: bool) {
    let nosniff = HeaderValue::from_static("nosniff");
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(nosniff);
    if tls {
        let half_a_year = HeaderValue::from_static(HSTS);
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(half_a_year);
    }
    let allowed = headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
    if allowed.is_some_and(|origin| origin == "*") {
        return;
    }
    for (name, value) in OWN {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_other_sites_stays_so() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        add(&mut headers, true);
        let names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        let expected =
            ["access-control-allow-origin", "x-content-type-options", "strict-transport-security"];
        assert_eq!(names.len(), expected.len());
        assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
    }

    #[test]
    fn an_answers_own_headers_stay() {
        let mut headers = HeaderMap::new();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
        add(&mut headers, false);
        assert_eq!(headers[header::X_FRAME_OPTIONS], "SAMEORIGIN");
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
        assert!(!headers.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }
}
