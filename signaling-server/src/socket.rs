//! One WebSocket: its opening, its task, its end.

mod connection;

use axum::extract::{self, ws::WebSocketUpgrade};
use axum::http::{StatusCode, header, request::Parts};
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use wire::limits::SIGNALING_BYTES_MAX;

use crate::budget::{Permit, Refused};
use crate::state::{Notice, State};
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
    let (visitor, permit) = match admit(&state, &parts) {
        Ok(admitted) => admitted,
        Err(refusal) => return refusal,
    };
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(FRAME_BYTES_MAX)
        .max_frame_size(FRAME_BYTES_MAX)
        .on_upgrade(move |socket| Connection::new(socket, visitor, permit, state).run())
}

/// Whether a visitor may open a socket, and its place in the budgets.
#[expect(clippy::result_large_err, reason = "the error is the answer, made once a refusal")]
pub(crate) fn admit(state: &State, parts: &Parts) -> Result<(Visitor, Permit), Response> {
    if state.is_closing() {
        return Err(refuse(state, "closing", StatusCode::SERVICE_UNAVAILABLE, 1));
    }
    let visitor = Visitor::of(parts, &state.config().trusted_proxies);
    if !state.policy().may_connect(visitor.origin.as_deref()) {
        return Err(refuse(state, "forbidden", StatusCode::FORBIDDEN, 0));
    }
    if let Some(reason) = state.ban_of(None, &visitor) {
        state.metrics().refused("banned");
        let told = format!("refused: banned: {reason}\n");
        return Err((StatusCode::FORBIDDEN, told).into_response());
    }
    match state.budgets().open(&visitor) {
        Ok(permit) => Ok((visitor, permit)),
        Err(Refused::All) => Err(refuse(state, "all", StatusCode::SERVICE_UNAVAILABLE, 60)),
        Err(Refused::Place(wait)) => {
            Err(refuse(state, "place", StatusCode::TOO_MANY_REQUESTS, wait.as_secs() + 1))
        }
        Err(Refused::Origin) => Err(refuse(state, "origin", StatusCode::TOO_MANY_REQUESTS, 60)),
    }
}

/// Waits for another notice than the last.
pub(crate) async fn next(notice: &mut watch::Receiver<Notice>, last: &Notice) -> Notice {
    match notice.wait_for(|notice| notice != last).await {
        Ok(notice) => notice.clone(),
        Err(_) => Notice { closing: Some("the server is gone".into()), ..Notice::default() },
    }
}

/// A browser shows a page only that the socket failed; the status is for people and logs.
pub(crate) fn refuse(
    state: &State,
    kind: &'static str,
    status: StatusCode,
    retry_after_s: u64,
) -> Response {
    state.metrics().refused(kind);
    let mut response = (status, format!("refused: {kind}\n")).into_response();
    if retry_after_s > 0 {
        response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
    }
    response
}
