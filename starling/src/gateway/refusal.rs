//! Why there is no answer: a status and one plain line.

use std::fmt;

use ::content::Cid;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::respond;
use crate::content::{ContentError, StoreError};

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    text: String,
    /// Bytes of what was asked for, when a range is outside of it.
    size_bytes: Option<u64>,
    /// There is nothing of this name, which is certain.
    is_absence: bool,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), size_bytes: None, is_absence: false }
    }

    /// A folder that was read has nothing of this name.
    pub(super) fn absent() -> Self {
        let text = "there is nothing of this name";
        Self { is_absence: true, ..Self::new(StatusCode::NOT_FOUND, text) }
    }

    /// What was asked for can't be meant.
    pub(super) fn bad(error: &impl fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error.to_string())
    }

    /// What is there can't be read.
    pub(super) fn unreadable(error: &impl fmt::Display) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
    }

    pub(super) fn method() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "expected GET or HEAD")
    }

    pub(super) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many answers are under way")
    }

    /// Nobody gave a block in time.
    pub(super) fn late(cid: Cid) -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, format!("nobody gave block {cid} in time"))
    }

    /// There is no peer that could ask others.
    pub(super) fn upstream() -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "peers can't be asked")
    }

    /// It is not fetched from peers, though they have it.
    pub(super) fn too_large() -> Self {
        Self::new(StatusCode::GONE, "it is larger than what is fetched from peers here")
    }

    /// Peers have it, and it is none of the contents that they can tell each other of.
    pub(super) fn layout() -> Self {
        let text = "it is cut, or its files are called, in a way that peers do not know";
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// What comes can't be kept.
    pub(super) fn full() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the block store takes nothing more")
    }

    /// The store can't be used. Paths of this machine are nobody's business.
    pub(super) fn store(error: &StoreError) -> Self {
        tracing::warn!("gateway: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the block store can't be used")
    }

    /// Whether what was asked for is known not to be.
    pub(super) const fn is_absence(&self) -> bool {
        self.is_absence
    }

    pub(super) fn range(size_bytes: u64) -> Self {
        let text = format!("the range is outside of {size_bytes} bytes");
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        Self { size_bytes: Some(size_bytes), ..Self::new(status, text) }
    }

    /// The asker wanted it only if it is here (`Cache-Control: only-if-cached`).
    pub(super) fn only_if_cached(self) -> Self {
        match self.status {
            StatusCode::NOT_FOUND => Self { status: StatusCode::PRECONDITION_FAILED, ..self },
            _ => self,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}

impl From<ContentError> for Refusal {
    fn from(error: ContentError) -> Self {
        match &error {
            ContentError::Missing(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            // Paths of this machine are nobody's business.
            ContentError::Store(_) | ContentError::Damaged(_) => {
                tracing::warn!("gateway: {error}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the block store can't be read")
            }
            _ => Self::unreadable(&error),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.text)).into_response();
        let headers = response.headers_mut();
        respond::secure(headers);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.status {
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            _ => {}
        }
        if let Some(size_bytes) = self.size_bytes {
            let range = respond::value(&format!("bytes */{size_bytes}"));
            headers.insert(header::CONTENT_RANGE, range);
        }
        response
    }
}
