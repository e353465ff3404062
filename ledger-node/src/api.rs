//! HTTP access: `docs/spec/ledger.md`, "HTTP".
//!
//! | request | answer |
//! |---|---|
//! | `GET /ledger/status` | chain, group key, height, fees, what waits, other hosts |
//! | `POST /ledger/transactions`, the transaction's bytes | its name |
//! | `GET /ledger/receipts/{transaction}` | what became of it |
//! | `GET /ledger/blocks/{height}` | header and transactions |
//! | `GET /ledger/certificates/{height}`, `…/latest` | that the header is final |
//! | `GET /ledger/state/{key}` | the record after the last final block, with its proof |
//! | `GET /ledger/successions?after=` | who took over from which validators, with proofs |
//! | `GET /ledger/records/{prefix}?after=` | records whose keys begin so, unproved |
//! | `GET /ledger/accounts/{account}` | next number and units, unproved |
//! | `GET /ledger/accounts/{account}/events?below=&index=` | what happened to it, newest first, unproved |
//! | `POST /ledger/faucet/{account}?asset=` | units for nothing, on demo networks |
//! | `GET /ledger/snapshot` | a copy of the state, for another to begin with |
//! | `GET /ledger/ws` | final headers as they come |
//!
//! Certificates, states, successions, records, receipts and events come as CBOR to who accepts `application/cbor`: what
//! light clients and keepers read.
//! Pages of any origin may ask.

mod error;
mod places;
mod snapshot;
mod ws;

use std::sync::Arc;
use std::time::Duration;

use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Query, State as Shared, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use data_encoding::HEXLOWER as HEX;
use ledger::{
    AccountId, AssetId, Key, Receipt, TransactionId, domains::accounts,
    limits::TRANSACTION_BYTES_MAX,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_http::cors::{Any, CorsLayer};
use wire::ledger::StateProof;

pub use error::ApiError;
pub use places::{Place, Seat, Seats};
pub use ws::{READERS_MAX, READERS_PER_PLACE_MAX};

use crate::faucet::Faucet;
use crate::node::{Certified, Fate, Handle, Proved, Unanswered};

/// Longest key of a record that may be asked for, in bytes.
pub const KEY_BYTES_MAX: usize = 128;
/// Shortest beginning of keys that may be listed, in bytes: one table of one domain.
const PREFIX_BYTES_MIN: usize = 2;
/// Most receipts in one answer.
const EVENTS_MAX: usize = 50;
/// How often, and how long, the certificate of a block that has just become final is waited for.
const CERTIFICATE_LOOKS: usize = 20;
const CERTIFICATE_LOOK_EVERY: Duration = Duration::from_millis(25);
/// What light clients ask for.
const CBOR: &str = "application/cbor";

type Answer = Result<Json<Value>, ApiError>;

/// Other hosts of the same ledger, as this one names them to pages.
#[derive(Debug, Clone)]
struct Hosts(Arc<[String]>);

/// The routes under `/ledger`. How many of one address may stay is counted by the [`Place`] of their requests.
/// `hosts`: addresses of others, for pages to ask as well.
pub fn router(handle: Handle, hosts: &[String]) -> Router {
    Router::new()
        .route("/ledger/status", get(status))
        .route("/ledger/transactions", post(submit))
        .route("/ledger/receipts/{transaction}", get(receipt))
        .route("/ledger/blocks/{height}", get(block))
        .route("/ledger/certificates/{height}", get(certificate))
        .route("/ledger/state/{key}", get(state))
        .route("/ledger/successions", get(successions))
        .route("/ledger/records/{prefix}", get(records))
        .route("/ledger/accounts/{account}", get(account))
        .route("/ledger/accounts/{account}/events", get(events))
        .route("/ledger/faucet/{account}", post(faucet))
        .route("/ledger/snapshot", snapshot::method())
        .merge(ws::router())
        .layer(DefaultBodyLimit::max(TRANSACTION_BYTES_MAX))
        .layer(CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any))
        .layer(Extension(Hosts(hosts.into())))
        .with_state(handle)
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T, ApiError> {
    text.parse().map_err(|_| ApiError::Malformed)
}

async fn status(Shared(node): Shared<Handle>, Extension(hosts): Extension<Hosts>) -> Answer {
    let (count, bytes) = node.waiting();
    let (tip, params) = node.with_state(|state| (ledger::tip(state), ledger::params(state)))?;
    let (tip, params) = (tip.ok_or(ApiError::Stopped)?, params.ok_or(ApiError::Stopped)?);
    Ok(Json(json!({
        "root": node.root(),
        "demo": node.faucet().is_some(),
        "faucet": node.faucet().map(Faucet::account),
        "chain": node.chain(),
        "epoch": node.epoch(),
        "group_key": HEX.encode(node.group_key()),
        "validators": node.validators().len(),
        "keys": node.validators(),
        "voting": node.voting(),
        "height": tip.height,
        "time_ms": tip.time_ms,
        "since": node.since()?,
        "fees": {
            "base": params.fee_base, "per_byte": params.fee_per_byte, "per_work": params.fee_per_work,
        },
        "waiting": { "count": count, "bytes": bytes },
        "hosts": &*hosts.0,
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

async fn receipt(
    Shared(node): Shared<Handle>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id: TransactionId = parse(&id)?;
    match node.fate(&id)? {
        Fate::Done(receipt) if accepts_cbor(&headers) => Ok(cbor(encoded(&receipt))),
        Fate::Done(receipt) => Ok(Json(receipt_json(&receipt)).into_response()),
        Fate::Waits if !accepts_cbor(&headers) => {
            Ok(Json(json!({ "transaction": id, "waiting": true })).into_response())
        }
        Fate::Waits | Fate::Unknown => Err(match node.since()? {
            0 => ApiError::Unknown,
            since => ApiError::UnknownSince(since),
        }),
    }
}

fn encoded(value: &impl minicbor::Encode<()>) -> Vec<u8> {
    minicbor::to_vec(value).expect("encoding into memory does not fail")
}

fn receipt_json(receipt: &Receipt) -> Value {
    let events = receipt.events.iter().map(|event| {
        let numbers: Vec<String> = event.numbers.iter().map(u128::to_string).collect();
        json!({ "kind": event.kind, "accounts": event.accounts, "numbers": numbers })
    });
    json!({
        "transaction": receipt.transaction,
        "height": receipt.height,
        "index": receipt.index,
        "code": receipt.code,
        "fee": receipt.fee.to_string(),
        "events": events.collect::<Vec<_>>(),
    })
}

async fn block(Shared(node): Shared<Handle>, Path(height): Path<String>) -> Answer {
    let height = parse(&height)?;
    let header = match (node.header(height)?, node.since()?) {
        (Some(header), _) => header,
        (None, since) if height < since => return Err(ApiError::Pruned(since)),
        (None, _) => return Err(ApiError::Unknown),
    };
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

fn accepts_cbor(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|text| text.split(',').any(|one| one.trim().starts_with(CBOR)))
}

fn cbor(bytes: impl Into<Body>) -> Response {
    ([(header::CONTENT_TYPE, CBOR)], bytes.into()).into_response()
}

async fn certificate(
    Shared(node): Shared<Handle>,
    Path(height): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let latest = height == "latest";
    if latest && accepts_cbor(&headers) {
        let known = node.finality().borrow().clone();
        return if known.is_empty() { Err(ApiError::Unknown) } else { Ok(cbor(known)) };
    }
    let height = if latest { *node.height().borrow() } else { parse(&height)? };
    let certified = soon(&node, height.max(1), || node.certificate(height)).await?;
    if accepts_cbor(&headers) {
        return Ok(cbor(certified.to_wire().to_bytes()));
    }
    Ok(Json(shown(&certified)).into_response())
}

async fn state(
    Shared(node): Shared<Handle>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let proved = proved(&node, &Key::from_bytes(key_bytes(&key)?)).await?;
    if accepts_cbor(&headers) {
        return Ok(cbor(proved.to_wire().to_bytes()));
    }
    let mut shown = shown(&proved.certified);
    shown["height"] = json!(proved.height);
    shown["record"] = json!(proved.record.map(|record| HEX.encode(&record)));
    shown["proof"] = json!(HEX.encode(&proved.proof));
    Ok(Json(shown).into_response())
}

/// A proof at the last final block.
pub(crate) async fn proved(node: &Handle, key: &Key) -> Result<Proved, Unanswered> {
    soon(node, 1, || node.prove(key.clone())).await
}

/// An answer with the certificate of a final block of at least this height: it may come a moment after the
/// block.
async fn soon<T, F>(node: &Handle, height: u64, ask: impl Fn() -> F) -> Result<T, Unanswered>
where
    F: Future<Output = Result<T, Unanswered>>,
{
    for _ in 0..CERTIFICATE_LOOKS {
        match ask().await {
            Err(Unanswered::Unknown) if *node.height().borrow() >= height => {
                tokio::time::sleep(CERTIFICATE_LOOK_EVERY).await;
            }
            answer => return answer,
        }
    }
    ask().await
}

fn key_bytes(text: &str) -> Result<Vec<u8>, ApiError> {
    if text.len() > KEY_BYTES_MAX * 2 {
        return Err(ApiError::Malformed);
    }
    HEX.decode(text.as_bytes()).map_err(|_| ApiError::Malformed)
}

/// Who took over after which epoch.
#[derive(Debug, Default, Deserialize)]
struct Since {
    /// An epoch that is known; the first validators' unless it is said.
    #[serde(default)]
    after: u64,
}

async fn successions(
    Shared(node): Shared<Handle>,
    since: Asked<Since>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(Since { after }) = since.map_err(|_| ApiError::Malformed)?;
    let found = node.successions(after)?;
    if accepts_cbor(&headers) {
        return Ok(cbor(found.to_bytes()));
    }
    let shown = |(one, epoch): (&StateProof, u64)| {
        let record = one.record.as_ref().ok_or(ApiError::Stopped)?;
        let named: ledger::Succession = minicbor::decode(record).map_err(|_| ApiError::Stopped)?;
        let headers: Vec<String> =
            one.finality.headers.iter().map(|header| HEX.encode(header)).collect();
        Ok::<_, ApiError>(json!({
            "epoch": epoch, "height": named.height, "group_key": HEX.encode(&named.key),
            "record": HEX.encode(record), "proof": HEX.encode(&one.proof), "headers": headers,
            "certificate": HEX.encode(&one.finality.certificate),
        }))
    };
    // What is finite comes first: anybody may ask for what is after the last number.
    let numbered = found.0.iter().zip(after.saturating_add(1)..);
    let list = numbered.map(shown).collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({ "epoch": node.epoch(), "successions": list })).into_response())
}

/// Which page of records.
#[derive(Debug, Default, Deserialize)]
struct Behind {
    /// Only keys behind this one.
    after: Option<String>,
}

async fn records(
    Shared(node): Shared<Handle>,
    Path(prefix): Path<String>,
    page: Asked<Behind>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(page) = page.map_err(|_| ApiError::Malformed)?;
    let prefix = key_bytes(&prefix)?;
    let after = page.after.as_deref().map(key_bytes).transpose()?;
    let outside = after.as_ref().is_some_and(|after| !after.starts_with(&prefix));
    if prefix.len() < PREFIX_BYTES_MIN || outside {
        return Err(ApiError::Malformed);
    }
    let page = node.list(&prefix, after.as_deref())?;
    if accepts_cbor(&headers) {
        return Ok(cbor(page.to_bytes()));
    }
    let shown = page
        .records
        .iter()
        .map(|(key, record)| json!({ "key": HEX.encode(key), "record": HEX.encode(record) }));
    let shown: Vec<Value> = shown.collect();
    Ok(Json(json!({
        "height": page.height, "time_ms": page.time_ms, "records": shown, "more": page.more,
    }))
    .into_response())
}

/// A query, or that it is none: told as every other error.
type Asked<T> = Result<Query<T>, QueryRejection>;

/// Which page of an account's events.
#[derive(Debug, Default, Deserialize)]
struct Page {
    /// Only blocks below this height.
    below: Option<u64>,
    /// And, of the block of this height, transactions below this index.
    #[serde(default)]
    index: u32,
}

async fn events(
    Shared(node): Shared<Handle>,
    Path(account): Path<String>,
    page: Asked<Page>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let Query(page) = page.map_err(|_| ApiError::Malformed)?;
    let account: AccountId = parse(&account)?;
    let before = (page.below.unwrap_or(u64::MAX), page.index);
    let receipts = node.events(&account, before, EVENTS_MAX)?;
    if accepts_cbor(&headers) {
        return Ok(cbor(encoded(&receipts)));
    }
    let listed: Vec<Value> = receipts.iter().map(receipt_json).collect();
    let since = node.since()?;
    Ok(Json(json!({ "account": account, "since": since, "receipts": listed })).into_response())
}

/// Units of what.
#[derive(Debug, Deserialize)]
struct Wish {
    /// Of which asset; the ledger's own unless it is said.
    #[serde(default = "native")]
    asset: AssetId,
}

fn native() -> AssetId {
    AssetId::NATIVE
}

async fn faucet(
    Shared(node): Shared<Handle>,
    Path(account): Path<String>,
    wish: Asked<Wish>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let Query(Wish { asset }) = wish.map_err(|_| ApiError::Malformed)?;
    let account: AccountId = parse(&account)?;
    let given = tokio::task::spawn_blocking(move || {
        node.faucet().map(|faucet| faucet.give(&node, account, asset))
    });
    let given = given.await.map_err(|_| ApiError::Stopped)?;
    let id = given.ok_or(ApiError::Unknown)??;
    Ok((StatusCode::ACCEPTED, Json(json!({ "transaction": id }))))
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
