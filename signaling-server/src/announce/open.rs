//! Opening a socket of the tracker.

use axum::extract::{self, FromRequestParts, Query, Request, ws::WebSocketUpgrade, ws::rejection};
use axum::http::{StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tracker::request::MESSAGE_BYTES_MAX;
use wire::limits::TOKEN_BYTES_MAX;

use super::connection::Connection;
use crate::socket::{admit, refuse};
use crate::state::State;

/// Per socket, for as long as it lives. Grows for a longer message, and stays so.
const READ_BUFFER_BYTES: usize = 2048;
/// What is written at once at least, while more is waiting; more than a few offers.
const WRITE_BUFFER_BYTES: usize = 8192;

/// What the tracker's address may say: `/announce?site=KEY`.
#[derive(Debug, Default, Deserialize)]
struct Address {
    site: Option<String>,
}

/// `GET /announce`.
pub(crate) async fn open(
    extract::State(state): extract::State<State>,
    upgrade: Result<WebSocketUpgrade, rejection::WebSocketUpgradeRejection>,
    parts: Parts,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    if !state.config().tracker.enabled {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (visitor, permit) = match admit(&state, &parts) {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal,
    };
    let site = Query::<Address>::try_from_uri(&parts.uri).unwrap_or_default().0.site;
    if site.as_ref().is_some_and(|key| key.len() > TOKEN_BYTES_MAX) {
        return refuse(&state, "forbidden", StatusCode::FORBIDDEN, 0);
    }
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(MESSAGE_BYTES_MAX)
        .max_frame_size(MESSAGE_BYTES_MAX)
        .on_upgrade(move |socket| Connection::new(socket, visitor, site, permit, state).run())
}

/// Middleware for whatever answers at `/`: an address of a tracker without a path is common
/// (`wss://tracker.example`), so a WebSocket that is opened at `/` is the tracker's too.
pub async fn open_at_root(
    extract::State(state): extract::State<State>,
    request: Request,
    next: Next,
) -> Response {
    if !is_socket_at_root(&request) {
        return next.run(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let upgrade =
        <WebSocketUpgrade as FromRequestParts<State>>::from_request_parts(&mut parts, &state).await;
    open(extract::State(state), upgrade, parts).await
}

fn is_socket_at_root(request: &Request) -> bool {
    let upgrade = request.headers().get(header::UPGRADE);
    request.uri().path() == "/"
        && upgrade.is_some_and(|name| name.as_bytes().eq_ignore_ascii_case(b"websocket"))
}
