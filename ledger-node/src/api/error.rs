//! Errors of the HTTP access, as they are answered: `docs/spec/ledger.md`, "Errors".

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use ledger::Code as _;
use serde_json::json;

use crate::faucet::Denied;
use crate::mempool::Unwanted;
use crate::node::Unanswered;
use crate::records::RecordsError;
use crate::snapshot::SnapshotError;

/// Why a request has no answer: closed, each with its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiError {
    /// A part of the path is not what it should be.
    Malformed,
    /// Nothing of this name: not known, or not yet.
    Unknown,
    /// Nothing of this name in the blocks that are kept here, which begin with this height.
    UnknownSince(u64),
    /// The block is older than those that are kept here, which begin with this height.
    Pruned(u64),
    /// More bytes than a transaction may have.
    TooLarge,
    /// No block may hold the transaction: the refusal's number is beside it.
    Refused(u16),
    /// The transaction's number is too far ahead of the account's next.
    NonceGap,
    /// The transaction waits already.
    Duplicate,
    /// Another with its number waits and pays as much or more.
    Underpriced,
    /// The account holds what the faucet gives already.
    Enough,
    /// No room for this fee.
    Full,
    /// Other validators took over from those of this host.
    Replaced,
    /// Too many questions at once.
    Busy,
    /// The validator does not work.
    Stopped,
}

impl ApiError {
    /// Its code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unknown | Self::UnknownSince(_) => "unknown",
            Self::Pruned(_) => "pruned",
            Self::TooLarge => "too-large",
            Self::Refused(_) => "refused",
            Self::NonceGap => "nonce-gap",
            Self::Duplicate => "duplicate",
            Self::Underpriced => "underpriced",
            Self::Enough => "enough",
            Self::Full => "full",
            Self::Replaced => "replaced",
            Self::Busy => "busy",
            Self::Stopped => "stopped",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unknown | Self::UnknownSince(_) => StatusCode::NOT_FOUND,
            Self::Pruned(_) => StatusCode::GONE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refused(_) | Self::NonceGap => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Duplicate | Self::Underpriced | Self::Enough => StatusCode::CONFLICT,
            Self::Full | Self::Replaced | Self::Busy | Self::Stopped => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code() });
        if let Self::Refused(number) = self {
            error["refusal"] = json!(number);
        }
        if let Self::Pruned(since) | Self::UnknownSince(since) = self {
            error["since"] = json!(since);
        }
        (self.status(), Json(json!({ "error": error }))).into_response()
    }
}

impl From<Unwanted> for ApiError {
    fn from(unwanted: Unwanted) -> Self {
        match unwanted {
            Unwanted::Refused(refusal) => Self::Refused(refusal.code()),
            Unwanted::NonceGap => Self::NonceGap,
            Unwanted::Duplicate => Self::Duplicate,
            Unwanted::Underpriced => Self::Underpriced,
            Unwanted::Full => Self::Full,
            Unwanted::Replaced => Self::Replaced,
        }
    }
}

impl From<Unanswered> for ApiError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Busy => Self::Busy,
            Unanswered::Unknown => Self::Unknown,
            Unanswered::Pruned(since) => Self::Pruned(since),
            Unanswered::Stopped => Self::Stopped,
        }
    }
}

impl From<RecordsError> for ApiError {
    fn from(error: RecordsError) -> Self {
        tracing::error!("{error}");
        Self::Stopped
    }
}

impl From<SnapshotError> for ApiError {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Unanswered(unanswered) => unanswered.into(),
            // This host gives none; others may.
            error @ SnapshotError::Unshown { .. } => {
                tracing::warn!("no snapshot: {error}");
                Self::Unknown
            }
            other => {
                tracing::error!("no snapshot: {other}");
                Self::Stopped
            }
        }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Enough => Self::Enough,
            Denied::Busy => Self::Busy,
            Denied::NotIssuer => Self::Unknown,
            Denied::Unwanted(unwanted) => unwanted.into(),
            Denied::Records(error) => error.into(),
        }
    }
}
