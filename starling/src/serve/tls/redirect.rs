//! From plain HTTP to TLS.

use std::path::Path;

use axum::Router;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tower_http::services::ServeDir;

/// Path of an ACME authority's questions (RFC 8555, 8.3).
const CHALLENGES: &str = ".well-known/acme-challenge";
/// The port that need not be named.
const HTTPS_PORT: u16 = 443;

/// Sends everybody to the same address over TLS at `port`; but for a certificate authority's
/// questions, if there is a webroot with the answers.
pub(in crate::serve) fn router(port: u16, challenges: Option<&Path>) -> Router {
    let send = move |headers: HeaderMap, uri: Uri| std::future::ready(send(port, &headers, &uri));
    let router = Router::new().fallback(send);
    match challenges {
        Some(folder) => {
            let path = format!("/{CHALLENGES}");
            router.nest_service(&path, ServeDir::new(folder.join(CHALLENGES)))
        }
        None => router,
    }
}

fn send(port: u16, headers: &HeaderMap, uri: &Uri) -> Response {
    let told = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = told.and_then(|host| host.parse::<Authority>().ok());
    let Some(host) = host else { return StatusCode::BAD_REQUEST.into_response() };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let port = if port == HTTPS_PORT { String::new() } else { format!(":{port}") };
    let there = format!("https://{}{port}{path}", host.host());
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, there)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, port: u16, expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        let answer = send(port, &headers, &Uri::from_static("/watch?src=a"));
        let there = answer.headers().get(header::LOCATION).map(|there| there.to_str().unwrap());
        assert_eq!(there, expected, "{host}");
    }

    #[test]
    fn the_same_page_is_named_over_tls() {
        check("tv.example", 443, Some("https://tv.example/watch?src=a"));
        check("tv.example:8080", 8443, Some("https://tv.example:8443/watch?src=a"));
        check("[2001:db8::1]:80", 443, Some("https://[2001:db8::1]/watch?src=a"));
        check("no host", 443, None);
        check("a/../b", 443, None);
    }
}
