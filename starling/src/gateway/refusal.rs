//! Why there is no answer: a status and one plain line.

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::respond;
use crate::content::ContentError;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    text: String,
    /// Bytes of what was asked for, when a range is outside of it.
    size_bytes: Option<u64>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into(), size_bytes: None }
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

    pub(super) fn range(size_bytes: u64) -> Self {
        let text = format!("the range is outside of {size_bytes} bytes");
        let status = StatusCode::RANGE_NOT_SATISFIABLE;
        Self { status, text, size_bytes: Some(size_bytes) }
    }

    /// The asker wanted it only if it is here (`Cache-Control: only-if-cached`).
    pub(super) fn only_if_cached(self) -> Self {
        match self.status {
            StatusCode::NOT_FOUND => Self { status: StatusCode::PRECONDITION_FAILED, ..self },
            _ => self,
        }
    }
}

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
            _ => {}
        }
        if let Some(size_bytes) = self.size_bytes {
            let range = respond::value(&format!("bytes */{size_bytes}"));
            headers.insert(header::CONTENT_RANGE, range);
        }
        response
    }
}
