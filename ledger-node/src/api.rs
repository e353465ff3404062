//! HTTP access: `docs/spec/ledger.md`, "HTTP".
//!
//! | request | answer |
//! |---|---|
//! | `GET /ledger/status` | chain, group key, height, fees, what waits |
//! | `POST /ledger/transactions`, the transaction's bytes | its name |
//! | `GET /ledger/receipts/{transaction}` | what became of it |
//! | `GET /ledger/blocks/{height}` | header and transactions |
//! | `GET /ledger/certificates/{height}` | that the header is final |
//! | `GET /ledger/state/{key}` | the record after the last final block, with its proof |
//! | `GET /ledger/accounts/{account}` | next number and units, unproved |

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State as Shared},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use data_encoding::HEXLOWER as HEX;
use ledger::{
    AccountId, AssetId, Code as _, Key, TransactionId, domains::accounts,
    limits::TRANSACTION_BYTES_MAX,
};
use serde_json::{Value, json};

use crate::mempool::Unwanted;
use crate::node::{Certified, Handle, Unanswered};
use crate::records::RecordsError;

/// Longest key of a record that may be asked for, in bytes.
pub const KEY_BYTES_MAX: usize = 128;

/// Why a request has no answer: closed, each with its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiError {
    /// A part of the path is not what it should be.
    Malformed,
    /// Nothing of this name: not known, not yet, or no longer.
    Unknown,
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
    /// No room for this fee.
    Full,
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
            Self::Unknown => "unknown",
            Self::TooLarge => "too-large",
            Self::Refused(_) => "refused",
            Self::NonceGap => "nonce-gap",
            Self::Duplicate => "duplicate",
            Self::Underpriced => "underpriced",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Stopped => "stopped",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refused(_) | Self::NonceGap => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Duplicate | Self::Underpriced => StatusCode::CONFLICT,
            Self::Full | Self::Busy | Self::Stopped => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code() });
        if let Self::Refused(number) = self {
            error["refusal"] = json!(number);
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
        }
    }
}

impl From<Unanswered> for ApiError {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::Busy => Self::Busy,
            Unanswered::Unknown => Self::Unknown,
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

type Answer = Result<Json<Value>, ApiError>;

/// The routes under `/ledger`.
pub fn router(handle: Handle) -> Router {
    Router::new()
        .route("/ledger/status", get(status))
        .route("/ledger/transactions", post(submit))
        .route("/ledger/receipts/{transaction}", get(receipt))
        .route("/ledger/blocks/{height}", get(block))
        .route("/ledger/certificates/{height}", get(certificate))
        .route("/ledger/state/{key}", get(state))
        .route("/ledger/accounts/{account}", get(account))
        .layer(DefaultBodyLimit::max(TRANSACTION_BYTES_MAX))
        .with_state(handle)
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::Malformed)
}

async fn status(Shared(node): Shared<Handle>) -> Answer {
    let (count, bytes) = node.waiting();
    let (tip, params) = node.with_state(|state| (ledger::tip(state), ledger::params(state)))?;
    let (tip, params) = (tip.ok_or(ApiError::Stopped)?, params.ok_or(ApiError::Stopped)?);
    Ok(Json(json!({
        "chain": node.chain(),
        "group_key": HEX.encode(node.group_key()),
        "validators": node.validators(),
        "height": tip.height,
        "time_ms": tip.time_ms,
        "fees": {
            "base": params.fee_base, "per_byte": params.fee_per_byte, "per_work": params.fee_per_work,
        },
        "waiting": { "count": count, "bytes": bytes },
    })))
}

async fn submit(
    Shared(node): Shared<Handle>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let body = body.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::Malformed,
    })?;
    // Signatures take their time: not on the threads that answer.
    let submitted = tokio::task::spawn_blocking(move || node.submit(&body)).await;
    let id = submitted.map_err(|_| ApiError::Stopped)??;
    Ok((StatusCode::ACCEPTED, Json(json!({ "transaction": id }))))
}

async fn receipt(Shared(node): Shared<Handle>, Path(id): Path<String>) -> Answer {
    let id: TransactionId = parse(&id)?;
    let Some(receipt) = node.receipt(&id)? else {
        return if node.waits(&id) {
            Ok(Json(json!({ "transaction": id, "waiting": true })))
        } else {
            Err(ApiError::Unknown)
        };
    };
    let events = receipt.events.iter().map(|event| {
        let numbers: Vec<String> = event.numbers.iter().map(u128::to_string).collect();
        json!({ "kind": event.kind, "accounts": event.accounts, "numbers": numbers })
    });
    Ok(Json(json!({
        "transaction": id,
        "height": receipt.height,
        "index": receipt.index,
        "code": receipt.code,
        "fee": receipt.fee.to_string(),
        "events": events.collect::<Vec<_>>(),
    })))
}

async fn block(Shared(node): Shared<Handle>, Path(height): Path<String>) -> Answer {
    let height = parse(&height)?;
    let header = node.header(height)?.ok_or(ApiError::Unknown)?;
    let transactions = if height == 0 { Vec::new() } else { node.transactions(height).await? };
    let transactions: Vec<String> = transactions.iter().map(|one| HEX.encode(one)).collect();
    Ok(Json(json!({
        "height": height,
        "header": HEX.encode(&header),
        "transactions": transactions,
    })))
}

fn shown(certified: &Certified) -> Value {
    let headers: Vec<String> = certified.headers.iter().map(|one| HEX.encode(one)).collect();
    json!({ "headers": headers, "certificate": HEX.encode(&certified.certificate) })
}

async fn certificate(Shared(node): Shared<Handle>, Path(height): Path<String>) -> Answer {
    Ok(Json(shown(&node.certificate(parse(&height)?).await?)))
}

async fn state(Shared(node): Shared<Handle>, Path(key): Path<String>) -> Answer {
    if key.len() > KEY_BYTES_MAX * 2 {
        return Err(ApiError::Malformed);
    }
    let bytes = HEX.decode(key.as_bytes()).map_err(|_| ApiError::Malformed)?;
    let proved = node.prove(Key::from_bytes(bytes)).await?;
    let mut shown = shown(&proved.certified);
    shown["height"] = json!(proved.height);
    shown["record"] = json!(proved.record.map(|record| HEX.encode(&record)));
    shown["proof"] = json!(HEX.encode(&proved.proof));
    Ok(Json(shown))
}

async fn account(Shared(node): Shared<Handle>, Path(account): Path<String>) -> Answer {
    let account: AccountId = parse(&account)?;
    let (height, nonce, units) = node.with_state(|state| {
        let height = ledger::tip(state).map_or(0, |tip| tip.height);
        let units = accounts::balance(state, account, AssetId::NATIVE);
        (height, accounts::nonce(state, account), units)
    })?;
    Ok(Json(json!({
        "account": account, "height": height, "nonce": nonce, "units": units.to_string(),
    })))
}
