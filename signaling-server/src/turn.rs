//! `GET /v1/turn?peer=ID`: STUN and TURN servers with fresh credentials, for peers in a swarm.
//!
//! The peer shows the `resume` token of its session (`Authorization: Bearer TOKEN`): nobody else
//! knows it, and it says which page the peer belongs to, so that what the site's policy allows was
//! asked when it joined.

use axum::extract::{self, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use primitives::PeerId;
use serde::{Deserialize, Serialize};
use wire::signaling::IceServer;

use crate::state::State;
use crate::visitor::Visitor;

/// How long a browser remembers that it may ask, in seconds.
const PREFLIGHT_S: &str = "86400";

/// Whose credentials are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    peer: String,
}

/// The answer.
#[derive(Debug, Serialize)]
struct Answer {
    ice_servers: Vec<IceServer>,
    /// Ask again before this many seconds are over; 0: there is nothing that ends.
    expires_in_s: u64,
}

/// `GET /v1/turn`.
pub(crate) async fn credentials(
    extract::State(state): extract::State<State>,
    asked: Result<Query<Asked>, extract::rejection::QueryRejection>,
    parts: Parts,
) -> Response {
    let visitor = Visitor::of(&parts, &state.config().trusted_proxies);
    if !state.policy().may_connect(visitor.origin.as_deref()) {
        return refuse(&state, StatusCode::FORBIDDEN, "forbidden");
    }
    if let Err(wait) = state.budgets().request(&visitor) {
        let mut response = refuse(&state, StatusCode::TOO_MANY_REQUESTS, "place");
        response.headers_mut().insert(header::RETRY_AFTER, (wait.as_secs() + 1).into());
        return response;
    }
    let peer = asked.ok().and_then(|asked| asked.peer.parse::<PeerId>().ok());
    let Some(peer) = peer else { return refuse(&state, StatusCode::BAD_REQUEST, "bad-message") };
    if state.ban_of(Some(&peer), &visitor).is_some() {
        return refuse(&state, StatusCode::FORBIDDEN, "forbidden");
    }
    let token = bearer(&parts.headers).unwrap_or_default();
    match state.swarms_of(&peer, token) {
        None => refuse(&state, StatusCode::UNAUTHORIZED, "hello-first"),
        Some(0) => refuse(&state, StatusCode::FORBIDDEN, "not-joined"),
        Some(_) => answer(&state, &peer),
    }
}

fn answer(state: &State, peer: &PeerId) -> Response {
    let invitation = state.relays().map(|relays| relays.invite(peer));
    let expires_in_s = invitation.as_ref().map_or(0, |invitation| invitation.expires_in_s);
    let invited = invitation.into_iter().flat_map(|invitation| invitation.servers);
    let ice_servers = state.config().ice_servers.iter().cloned().chain(invited).collect();
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        // Whoever has the token may: it is not sent by itself, as a cookie would be.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    state.metrics().message("turn");
    (headers, axum::Json(Answer { ice_servers, expires_in_s })).into_response()
}

/// `OPTIONS /v1/turn`: pages of other origins may ask with a token.
pub(crate) async fn preflight() -> impl IntoResponse {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S),
    ];
    (StatusCode::NO_CONTENT, headers)
}

/// RFC 6750, 2.1.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn refuse(state: &State, status: StatusCode, code: &'static str) -> Response {
    state.metrics().error(code);
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (status, headers, axum::Json(serde_json::json!({ "code": code }))).into_response()
}
