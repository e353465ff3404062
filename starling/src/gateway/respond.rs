//! Headers that answers share.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::Way;
use super::request::{Asked, Format};
pub(super) use crate::serve::http::value;

/// What has the name of its bytes never changes: the year that the specification names.
pub(super) const FOREVER: &str = "public, max-age=29030400, immutable";
/// Content may show itself and what stands beside it, and run nothing: `sandbox` gives it an origin of
/// its own, even if a browser should forget the rest.
const POLICY: &str = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self' data:; \
    font-src 'self' data:; style-src 'self' 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
    frame-ancestors 'self'";
const EXPOSED: &str = "content-length, content-range, etag, x-ipfs-path, x-ipfs-roots";

/// What every answer says, also a refusal.
pub(super) fn secure(headers: &mut HeaderMap) {
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    for (name, text) in fixed {
        headers.insert(name, HeaderValue::from_static(text));
    }
}

/// Headers of an answer that is there.
pub(super) fn headers(asked: &Asked, way: &Way, etag: &str, caching: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    secure(&mut headers);
    headers.insert(header::ETAG, value(etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    if let Ok(path) = HeaderValue::from_str(&asked.path) {
        headers.insert("x-ipfs-path", path);
    }
    let last = (!way.above.is_empty()).then_some(way.end.cid());
    let roots: Vec<String> =
        std::iter::once(asked.root).chain(last).map(|cid| cid.to_string()).collect();
    headers.insert("x-ipfs-roots", value(&roots.join(",")));
    headers
}

/// To be kept as a file, or shown under a name.
pub(super) fn disposition(headers: &mut HeaderMap, kind: &str, name: &str) {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ' { c } else { '_' })
        .collect();
    let encoded = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let text = format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    headers.insert(header::CONTENT_DISPOSITION, value(&text));
}

/// `304`: the client has it.
pub(super) fn not_modified(headers: HeaderMap) -> Response {
    (StatusCode::NOT_MODIFIED, headers).into_response()
}

/// An answer whose bytes are here.
pub(super) fn whole(
    status: StatusCode,
    mut headers: HeaderMap,
    bytes: Vec<u8>,
    head: bool,
) -> Response {
    headers.insert(header::CONTENT_LENGTH, bytes.len().into());
    let body = if head { Body::empty() } else { Body::from(bytes) };
    (status, headers, body).into_response()
}

/// What pages of other origins may ask (Fetch: preflight).
pub(super) fn preflight() -> Response {
    let mut headers = HeaderMap::new();
    secure(&mut headers);
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "accept, cache-control, if-none-match, range"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    for (name, text) in fixed {
        headers.insert(name, HeaderValue::from_static(text));
    }
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// The empty block that tells what is answered here.
pub(super) fn probe(asked: &Asked) -> Response {
    let mut headers = HeaderMap::new();
    secure(&mut headers);
    let (kind, bytes) = match asked.format {
        Format::Raw => ("application/vnd.ipld.raw", Vec::new()),
        // Without blocks: the root's name holds its bytes.
        Format::Car(_) => (super::car::MEDIA_TYPE, ::content::car::header(&[])),
        Format::File => ("text/plain; charset=utf-8", Vec::new()),
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    whole(StatusCode::OK, headers, bytes, false)
}
