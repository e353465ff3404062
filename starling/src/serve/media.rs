//! `/media/`: one folder with an HLS stream, for players on any site.
//!
//! `tower-http` reads files and ranges; the layers here add what it lacks: entity tags, the types of
//! HLS, caching by kind, `Repr-Digest` (RFC 9530) of segments, CORS.

mod digest;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use tower_http::cors::{Any, CorsLayer};
use tower_http::services::ServeDir;

use self::digest::Digests;
use super::http::{none_match, value};

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const TIMING: HeaderName = HeaderName::from_static("timing-allow-origin");
/// How long a browser remembers that it may ask.
const CORS_MAX_AGE: Duration = Duration::from_secs(86_400);

/// The files of `folder`, without the `/media` before their paths.
pub(super) fn router(folder: &Path) -> Router {
    let files = ServeDir::new(folder).append_index_html_on_directories(false);
    let media = Arc::new(Media { folder: folder.to_owned(), digests: Digests::default() });
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::OPTIONS])
        .allow_headers(Any)
        .expose_headers([
            header::ACCEPT_RANGES,
            header::CONTENT_LENGTH,
            header::CONTENT_RANGE,
            header::DATE,
            header::ETAG,
            header::LAST_MODIFIED,
            REPR_DIGEST,
        ])
        .max_age(CORS_MAX_AGE)
        // The answer is the same for every origin: caches need not tell them apart.
        .vary([]);
    Router::new().fallback_service(files).layer(from_fn_with_state(media, describe)).layer(cors)
}

#[derive(Debug)]
struct Media {
    folder: PathBuf,
    digests: Digests,
}

/// What a file is, by its metadata: when it changes, so does this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Version {
    modified_ns: u128,
    bytes: u64,
}

impl Version {
    async fn of(path: &Path) -> Option<Self> {
        let metadata = tokio::fs::metadata(path).await.ok().filter(std::fs::Metadata::is_file)?;
        let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { modified_ns: modified.as_nanos(), bytes: metadata.len() })
    }

    fn etag(self) -> String {
        format!("\"{:x}-{:x}\"", self.modified_ns, self.bytes)
    }
}

/// Answers conditional requests, then adds what the file server does not know.
async fn describe(State(media): State<Arc<Media>>, mut request: Request, next: Next) -> Response {
    let Some(path) = path_in(&media.folder, request.uri().path()) else {
        return (StatusCode::NOT_FOUND, "not found\n").into_response();
    };
    let Some(version) = Version::of(&path).await else {
        return next.run(request).await;
    };
    let kind = Kind::of(&path);
    let etag = version.etag();
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, value(&etag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kind.caching()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    headers.insert(TIMING, HeaderValue::from_static("*"));
    if none_match(request.headers(), &etag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    prefer_tags(request.headers_mut(), &etag);
    if let Some(media_type) = kind.media_type() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    if kind.is_segment()
        && let Some(digest) = media.digests.of(&path, version).await
    {
        let digest = format!("sha-256=:{}:", STANDARD.encode(digest.as_bytes()));
        headers.insert(REPR_DIGEST, value(&digest));
    }
    let mut response = next.run(request).await;
    if matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
        response.headers_mut().extend(headers);
    }
    response
}

/// Entity tags go before dates, which are too coarse (RFC 9110, 13.1.3 and 13.1.5).
fn prefer_tags(asked: &mut HeaderMap, etag: &str) {
    if asked.contains_key(header::IF_NONE_MATCH) {
        asked.remove(header::IF_MODIFIED_SINCE);
    }
    if let Some(condition) = asked.remove(header::IF_RANGE)
        && condition != etag
    {
        asked.remove(header::RANGE);
    }
}

/// The file of a request's path; `None` if the path leaves the folder or names a hidden file.
fn path_in(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut found = folder.to_owned();
    for step in path.trim_start_matches('/').split('/') {
        let step = percent_decode_str(step).decode_utf8().ok()?;
        if step.is_empty() || step.starts_with('.') || step.contains(['/', '\\', '\0']) {
            return None;
        }
        found.push(step.as_ref());
    }
    Some(found)
}

/// What a file is for, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Playlist,
    Statement,
    Segment(&'static str),
    Other,
}

impl Kind {
    fn of(path: &Path) -> Self {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        match extension.as_str() {
            "m3u8" => Self::Playlist,
            "json" => Self::Statement,
            "m4s" | "cmfv" | "cmfa" => Self::Segment("video/iso.segment"),
            "mp4" | "m4v" => Self::Segment("video/mp4"),
            "ts" => Self::Segment("video/mp2t"),
            "m4a" => Self::Segment("audio/mp4"),
            "aac" => Self::Segment("audio/aac"),
            "vtt" => Self::Segment("text/vtt"),
            _ => Self::Other,
        }
    }

    fn is_segment(self) -> bool {
        matches!(self, Self::Segment(_))
    }

    /// `None`: the file server guesses.
    fn media_type(self) -> Option<&'static str> {
        match self {
            Self::Playlist => Some("application/vnd.apple.mpegurl"),
            Self::Statement => Some("application/json"),
            Self::Segment(media_type) => Some(media_type),
            Self::Other => None,
        }
    }

    /// Playlists and manifests change under their names; a segment does not while it is listed.
    fn caching(self) -> &'static str {
        match self {
            Self::Playlist | Self::Statement => "no-cache",
            Self::Segment(_) | Self::Other => "public, max-age=3600",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_folder() {
        let folder = Path::new("/srv");
        let check = |path: &str, expected: Option<&str>| {
            assert_eq!(path_in(folder, path), expected.map(PathBuf::from), "{path}");
        };
        check("/hi/s000.m4s", Some("/srv/hi/s000.m4s"));
        check("/a%20b.ts", Some("/srv/a b.ts"));
        for path in [
            "/",
            "/../etc/passwd",
            "/hi/../../etc/passwd",
            "/%2e%2e/etc/passwd",
            "/..%2fetc%2fpasswd",
            "/hi%2fs000.m4s",
            "/hi//s000.m4s",
            "//etc/passwd",
            "/..%5cetc",
            "/%00",
            "/%ff",
            "/.publisher.key",
            "/hi/.s.tmp",
        ] {
            let expected = (path == "//etc/passwd").then_some("/srv/etc/passwd");
            check(path, expected);
        }
    }
}
