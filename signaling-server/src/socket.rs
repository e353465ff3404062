//! One WebSocket: its opening, its task, its end.

mod connection;

use axum::extract::{self, ws::WebSocketUpgrade};
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use wire::limits::SIGNALING_BYTES_MAX;

use crate::budget::Refused;
use crate::state::State;
use crate::visitor::Visitor;

use connection::Connection;

/// Per socket; the library's default of 128 KiB makes an idle connection cost twenty times as much.
const READ_BUFFER_BYTES: usize = 4096;
/// Messages up to twice the limit are read and answered; longer ones end the socket unread.
const FRAME_BYTES_MAX: usize = SIGNALING_BYTES_MAX * 2;

/// `GET /signal`.
pub(crate) async fn open(
    extract::State(state): extract::State<State>,
    upgrade: Result<WebSocketUpgrade, extract::ws::rejection::WebSocketUpgradeRejection>,
    parts: Parts,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    if state.is_closing() {
        return refuse(&state, "closing", StatusCode::SERVICE_UNAVAILABLE, 1);
    }
    let visitor = Visitor::of(&parts, &state.config().trusted_proxies);
    if !state.policy().may_connect(visitor.origin.as_deref()) {
        return refuse(&state, "forbidden", StatusCode::FORBIDDEN, 0);
    }
    if let Some(reason) = state.ban_of(None, &visitor) {
        state.metrics().refused("banned");
        return (StatusCode::FORBIDDEN, format!("refused: banned: {reason}\n")).into_response();
    }
    let permit = match state.budgets().open(&visitor) {
        Ok(permit) => permit,
        Err(Refused::All) => return refuse(&state, "all", StatusCode::SERVICE_UNAVAILABLE, 60),
        Err(Refused::Place(wait)) => {
            return refuse(&state, "place", StatusCode::TOO_MANY_REQUESTS, wait.as_secs() + 1);
        }
        Err(Refused::Origin) => return refuse(&state, "origin", StatusCode::TOO_MANY_REQUESTS, 60),
    };
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .on_upgrade(move |socket| Connection::new(socket, visitor, permit, state).run())
}

/// A browser shows a page only that the socket failed; the status is for people and logs.
fn refuse(state: &State, kind: &'static str, status: StatusCode, retry_after_s: u64) -> Response {
    state.metrics().refused(kind);
    let mut response = (status, format!("refused: {kind}\n")).into_response();
    if retry_after_s > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
    }
    response
}
