//! What pages ask. Answers and refusals: `docs/spec/push.md`, "Requests".

use ::push::limits::REQUEST_BYTES_MAX;
use ::push::{Forget, Place, Refused, Wish};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::sending::Sent;
use super::{Push, now_s};

/// The only form of a request. A page of another origin can't send it without being allowed to, which none is.
const JSON: &str = "application/json";

/// What answers need.
#[derive(Debug, Clone)]
struct Door {
    push: Push,
    signaling: signaling_server::State,
}

/// Why there is no answer. Closed, each with its own code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The request, or a bound.
    List(Refused),
    /// The address is not asked: no https, no public address.
    Address,
    /// The address asked too often.
    Place,
    /// Too many new subscriptions at once.
    Busy,
    /// The push service did not take the first message.
    Sent(Sent),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::List(refused)
    }
}

impl Refusal {
    fn code(self) -> &'static str {
        match self {
            Self::List(refused) => refused.code(),
            Self::Address => "address",
            Self::Place => "place",
            Self::Busy => "busy",
            Self::Sent(Sent::Gone) => "gone",
            Self::Sent(Sent::Refused(_)) => "service-refused",
            Self::Sent(Sent::Taken | Sent::Unreachable) => "service-unreachable",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::List(Refused::Malformed) => StatusCode::BAD_REQUEST,
            Self::List(Refused::Keys) | Self::Address => StatusCode::UNPROCESSABLE_ENTITY,
            Self::List(Refused::EndpointFull) => StatusCode::CONFLICT,
            Self::List(Refused::Full) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::List(Refused::NetworkFull) | Self::Place => StatusCode::TOO_MANY_REQUESTS,
            Self::Sent(_) => StatusCode::BAD_GATEWAY,
        }
    }
}

/// The routes under `/push`; without push they say that there is none.
pub(crate) fn router(push: Option<Push>, signaling: signaling_server::State) -> Router {
    let Some(push) = push else {
        let off = any(async || answer(StatusCode::NOT_FOUND, error("off")));
        return Router::new().route("/push/{*path}", off);
    };
    Router::new()
        .route("/push/key", get(key))
        .route("/push/subscriptions", post(subscribe).delete(forget))
        .layer(DefaultBodyLimit::max(REQUEST_BYTES_MAX))
        .with_state(Door { push, signaling })
}

async fn key(Shared(door): Shared<Door>) -> Response {
    answer(StatusCode::OK, json!({ "key": door.push.0.vapid.public() }))
}

async fn subscribe(Shared(door): Shared<Door>, parts: Parts, body: Bytes) -> Response {
    let push = &door.push;
    match door.subscribe(&parts, &body).await {
        Ok(place) => {
            let (status, kind) = match place {
                Place::New => (StatusCode::CREATED, "new"),
                Place::Renewed => (StatusCode::OK, "renewed"),
            };
            push.0.metrics.asked(kind);
            answer(status, json!({ "subscription": kind }))
        }
        Err(refusal) => door.refuse(refusal),
    }
}

async fn forget(Shared(door): Shared<Door>, parts: Parts, body: Bytes) -> Response {
    match door.forget(&parts, &body).await {
        Ok(was_here) => {
            door.push.0.metrics.asked("forgotten");
            answer(StatusCode::OK, json!({ "forgotten": was_here }))
        }
        Err(refusal) => door.refuse(refusal),
    }
}

impl Door {
    async fn subscribe(&self, parts: &Parts, body: &[u8]) -> Result<Place, Refusal> {
        self.admit(parts)?;
        let push = &self.push;
        let wish = Wish::read(body)?;
        push.0.post.address(wish.endpoint()).ok_or(Refusal::Address)?;
        let address = self.signaling.place_of(parts);
        let network = push.network(address);
        let place = push.list().check(&wish, network)?;
        if place == Place::New {
            push.0.new.check_key(&address).map_err(|_| Refusal::Place)?;
            let _room = push.0.confirming.try_acquire().map_err(|_| Refusal::Busy)?;
            let letter = wish.first()?;
            match push.send(&letter).await {
                Sent::Taken => {}
                sent => return Err(Refusal::Sent(sent)),
            }
        }
        let place = push.list().add(wish, network, now_s())?;
        push.save().await;
        Ok(place)
    }

    /// Whether it was here.
    async fn forget(&self, parts: &Parts, body: &[u8]) -> Result<bool, Refusal> {
        self.admit(parts)?;
        let was_here = self.push.list().forget(&Forget::read(body)?);
        self.push.save().await;
        Ok(was_here)
    }

    /// Whether a request that changes something is read.
    fn admit(&self, parts: &Parts) -> Result<(), Refusal> {
        if !is_json(&parts.headers) {
            return Err(Refused::Malformed.into());
        }
        let changes = &self.push.0.changes;
        changes.check_key(&self.signaling.place_of(parts)).map_err(|_| Refusal::Place)
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.push.0.metrics.asked("refused");
        answer(refusal.status(), error(refusal.code()))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == JSON))
}

fn error(code: &str) -> Value {
    json!({ "error": { "code": code } })
}

fn answer(status: StatusCode, value: Value) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(value)).into_response()
}
