//! The built page: files embedded in the binary, with names that change with their content.
//!
//! | path | caching | read by other sites |
//! |---|---|---|
//! | `/` and the app's routes: `index.html` | `no-cache`, entity tag | no |
//! | a name with a hash | a year, immutable | yes |
//! | everything else (`/embed.js`) | `no-cache`, entity tag | yes |
//!
//! Scripts that keep their names and have to fit the page that asks are there for a page of this version only: it says
//! its own (`?v=`), and another one is told 404.
//!
//! "Read by other sites": `Access-Control-Allow-Origin: *` and `Cross-Origin-Resource-Policy:
//! cross-origin`, for `<starling-player>` runs on pages of any origin, also of those that set COEP.
//!
//! A debug build reads the files from the folder at every request, a release build holds them. The page may also be
//! one that another host handed on ([`super::page`]).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};

use super::http::{accepts_brotli, none_match, value};
use super::page::{File, Page};
use super::policy;

/// The document.
pub(super) const INDEX: &str = "index.html";
/// Paths the app draws itself. Other paths without a file are not found.
const APP_ROUTES: [&str; 19] = [
    "/",
    "/watch",
    "/share",
    "/library",
    "/network",
    "/wallet",
    "/ledger",
    "/identity",
    "/identity/credentials",
    "/identity/present",
    "/identity/issue",
    "/identity/verify",
    "/identity/shared",
    "/lend",
    "/liquidations",
    "/energy",
    "/community",
    "/settings",
    "/host",
];
/// Files that keep their names and speak with the page in its version's own words.
const OF_A_VERSION: [&str; 4] =
    ["identity/worker.js", "scan/element.js", "scan/worker.js", "wallet/worker.js"];
/// Shown while the page is not built in.
const NO_PAGE: &str = "<!doctype html><meta charset=utf-8><title>Starling</title>\
    <p>This server was built without its page. Build it with <code>cargo xtask run</code>.";
/// Fewest hexadecimal digits that count as a hash in a name.
const HASH_DIGITS_MIN: usize = 8;

/// Answers with a file of the page.
pub(super) async fn serve(
    State(page): State<Arc<Page>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let path = uri.path();
    if APP_ROUTES.contains(&path.strip_suffix('/').filter(|p| !p.is_empty()).unwrap_or(path)) {
        return document(&page, StatusCode::OK, &headers);
    }
    let path = path.trim_start_matches('/');
    if OF_A_VERSION.contains(&path)
        && let Some(asked) = version_in(&uri)
        && page.version().as_deref() != Some(asked)
    {
        return (StatusCode::NOT_FOUND, "not of this version: load the page anew\n")
            .into_response();
    }
    match page.get(path).filter(|_| path != INDEX && !path.ends_with(".br")) {
        Some(file) => answer(&page, path, file, StatusCode::OK, &headers),
        // The app says it in the person's own surroundings; a missing file is a plain error.
        None if !path.contains('.') => document(&page, StatusCode::NOT_FOUND, &headers),
        None => (StatusCode::NOT_FOUND, "not found\n").into_response(),
    }
}

/// The version that a page says it is of.
fn version_in(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|part| part.strip_prefix("v="))
}

fn document(page: &Page, status: StatusCode, headers: &HeaderMap) -> Response {
    match page.get(INDEX) {
        Some(file) => answer(page, INDEX, file, status, headers),
        None => (StatusCode::SERVICE_UNAVAILABLE, axum::response::Html(NO_PAGE)).into_response(),
    }
}

fn answer(page: &Page, path: &str, file: File, status: StatusCode, asked: &HeaderMap) -> Response {
    let brotli = page.get(&format!("{path}.br"));
    let both = brotli.is_some();
    let brotli = brotli.filter(|_| accepts_brotli(asked));
    let etag = etag(&file, brotli.is_some());
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, value(&etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching(path)));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if both {
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if path == INDEX {
        policy::set(&mut headers, &file.bytes);
    } else {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    }
    if status == StatusCode::OK && none_match(asked, &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)));
    if brotli.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    let body = Body::from(brotli.unwrap_or(file).bytes);
    (status, headers, body).into_response()
}

/// Strong, so the two codings have two (RFC 9110, 8.8.3.3).
fn etag(file: &File, brotli: bool) -> String {
    let hash = file.hash.to_string();
    format!("\"{}{}\"", &hash[..16], if brotli { "-br" } else { "" })
}

fn caching(path: &str) -> &'static str {
    if has_hash(path) { "public, max-age=31536000, immutable" } else { "no-cache" }
}

/// Whether the name has a hash: `app-5ef3a9d1c4b07a26_bg.wasm`, `hls-0a1b2c3d.mjs`.
fn has_hash(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('-').skip(1).any(|rest| {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let ended = matches!(rest.as_bytes().get(digits), Some(b'.' | b'_'));
        digits >= HASH_DIGITS_MIN && ended
    })
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
