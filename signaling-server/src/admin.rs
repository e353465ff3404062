//! What only the host may ask: how it is with the server, and bans.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/status` | figures of this node and of the others |
//! | `GET /v1/bans` | all bans |
//! | `POST /v1/bans` | adds one |
//! | `DELETE /v1/bans` | takes one back |
//!
//! Each shows the host's token (`Authorization: Bearer TOKEN`). Without a token in the settings all of
//! them are not found. Pages of other origins can't ask: no answer of these says they may.

mod status;

use std::time::Duration;

use axum::Json;
use axum::extract::{self, rejection::JsonRejection};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use primitives::{Hash, sha256};
use subtle::ConstantTimeEq as _;

use crate::bans::Subject;
use crate::config::{AdminConfig, BanConfig};
use crate::error::ConfigError;
use crate::state::State;
use crate::turn::bearer;
use crate::visitor::Visitor;

/// Shortest token: what 16 random letters and digits have can't be guessed at five tries a second.
const TOKEN_BYTES_MIN: usize = 16;
/// Largest request.
pub(crate) const BODY_BYTES_MAX: usize = 4096;

/// The host's token, as its hash: texts of one length compare in one time.
#[derive(Debug)]
pub(crate) struct Token(Option<Hash>);

impl Token {
    pub(crate) fn new(config: &AdminConfig) -> Result<Self, ConfigError> {
        let found = config.token.len();
        match found {
            0 => Ok(Self(None)),
            TOKEN_BYTES_MIN.. => Ok(Self(Some(sha256(config.token.as_bytes())))),
            _ => Err(ConfigError::Token { found }),
        }
    }

    /// Whether `given` is it, in a time that does not tell how much of it was right.
    fn is(&self, given: &str) -> bool {
        let given = sha256(given.as_bytes());
        self.0.as_ref().is_some_and(|own| own.as_bytes().ct_eq(given.as_bytes()).into())
    }
}

/// Why a request is not the host's, or is none.
#[derive(Debug)]
enum Refusal {
    /// The settings have no token.
    Off,
    /// Too many requests of this address.
    TooMany(Duration),
    /// It is another token.
    WrongToken,
    /// The body is not a ban; why, for a person.
    Bad(String),
    /// There is no such ban.
    NotBanned,
}

/// `GET /v1/status`.
pub(crate) async fn status(extract::State(state): extract::State<State>, parts: Parts) -> Response {
    match admit(&state, &parts) {
        Ok(()) => answer(StatusCode::OK, Json(status::Status::of(&state))),
        Err(refusal) => refusal.into_response(),
    }
}

/// `GET /v1/bans`.
pub(crate) async fn bans(extract::State(state): extract::State<State>, parts: Parts) -> Response {
    match admit(&state, &parts) {
        Ok(()) => answer(StatusCode::OK, Json(serde_json::json!({ "bans": state.bans().all() }))),
        Err(refusal) => refusal.into_response(),
    }
}

/// `POST /v1/bans`.
pub(crate) async fn ban(
    extract::State(state): extract::State<State>,
    parts: Parts,
    body: Result<Json<BanConfig>, JsonRejection>,
) -> Response {
    let add = || {
        admit(&state, &parts)?;
        let (subject, ban) = read(body)?;
        state.ban(subject, &ban.reason).map_err(Refusal::Bad)
    };
    match add() {
        Ok(()) => answer(StatusCode::CREATED, ()),
        Err(refusal) => refusal.into_response(),
    }
}

/// `DELETE /v1/bans`.
pub(crate) async fn lift(
    extract::State(state): extract::State<State>,
    parts: Parts,
    body: Result<Json<BanConfig>, JsonRejection>,
) -> Response {
    let take = || {
        admit(&state, &parts)?;
        let (subject, _) = read(body)?;
        if state.bans().lift(&subject) { Ok(()) } else { Err(Refusal::NotBanned) }
    };
    match take() {
        Ok(()) => answer(StatusCode::NO_CONTENT, ()),
        Err(refusal) => refusal.into_response(),
    }
}

/// Whether it is the host who asks.
fn admit(state: &State, parts: &Parts) -> Result<(), Refusal> {
    if state.token().0.is_none() {
        return Err(Refusal::Off);
    }
    let visitor = Visitor::of(parts, &state.config().trusted_proxies);
    state.budgets().administer(&visitor).map_err(Refusal::TooMany)?;
    let given = bearer(&parts.headers).unwrap_or_default();
    if state.token().is(given) { Ok(()) } else { Err(Refusal::WrongToken) }
}

fn read(body: Result<Json<BanConfig>, JsonRejection>) -> Result<(Subject, BanConfig), Refusal> {
    let Json(ban) = body.map_err(|rejection| Refusal::Bad(rejection.body_text()))?;
    let subject = Subject::of(&ban).map_err(Refusal::Bad)?;
    Ok((subject, ban))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            Self::Off => (StatusCode::NOT_FOUND, "off", "[signaling.admin] has no token"),
            Self::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too-many", "too many tries"),
            Self::WrongToken => (StatusCode::UNAUTHORIZED, "wrong-token", "this is not the token"),
            Self::Bad(message) => (StatusCode::BAD_REQUEST, "bad-message", &**message),
            Self::NotBanned => (StatusCode::NOT_FOUND, "not-banned", "there is no such ban"),
        };
        let body = serde_json::json!({ "code": code, "message": message });
        let mut response = answer(status, Json(body));
        let headers = response.headers_mut();
        match self {
            Self::TooMany(wait) => {
                headers.insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
            }
            Self::WrongToken => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Off | Self::Bad(_) | Self::NotBanned => {}
        }
        response
    }
}

fn answer(status: StatusCode, body: impl IntoResponse) -> Response {
    (status, private(), body).into_response()
}

fn private() -> HeaderMap {
    HeaderMap::from_iter([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Result<Token, ConfigError> {
        Token::new(&AdminConfig { token: text.to_owned() })
    }

    #[test]
    fn only_the_whole_token_is_the_token() {
        let own = token("0123456789abcdef").unwrap();
        assert!(own.is("0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF"] {
            assert!(!own.is(wrong), "{wrong}");
        }
    }

    #[test]
    fn no_token_is_nobodys_and_a_short_one_is_refused() {
        let off = token("").unwrap();
        assert!(!off.is("") && !off.is("anything"));
        assert!(matches!(token("guess me"), Err(ConfigError::Token { found: 8 })));
    }
}
