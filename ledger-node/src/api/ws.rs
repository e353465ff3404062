//! Final headers as they come: `docs/spec/ledger.md`, "WebSocket".
//!
//! Each binary message is what makes the newest block final. A reader that is slow misses blocks, not
//! the newest one; one that takes nothing for [`SEND_WITHIN`] is dropped. What it sends is not read.

use std::time::Duration;

use axum::{
    Router,
    extract::{
        State as Shared,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::{IntoResponse as _, Response},
    routing::any,
};
use futures_util::{SinkExt as _, StreamExt as _};

use super::ApiError;
use super::places::{Seat, Seats, Whence};
use crate::node::Handle;

/// Most readers at a time.
pub const READERS_MAX: usize = 1024;
/// Most readers at a time of one place: a household has few, those behind one address of a network many.
pub const READERS_PER_PLACE_MAX: usize = 128;
/// How long a message may take to be taken.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// Longest message of a reader, in bytes: it has nothing to say.
const READ_BYTES_MAX: usize = 1024;

pub(super) fn router() -> Router<Handle> {
    let seats = Seats::new(READERS_MAX, READERS_PER_PLACE_MAX);
    let open = move |node: Shared<Handle>, whence: Whence, upgrade: WebSocketUpgrade| async move {
        let Some(seat) = seats.take(whence.0) else { return ApiError::Busy.into_response() };
        enter(seat, node.0, upgrade)
    };
    // A socket over HTTP/2 comes as CONNECT (RFC 8441).
    Router::new().route("/ledger/ws", any(open))
}

fn enter(seat: Seat, node: Handle, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.max_message_size(READ_BYTES_MAX).max_frame_size(READ_BYTES_MAX);
    upgrade.on_upgrade(move |socket| async move {
        tell(socket, &node).await;
        drop(seat);
    })
}

async fn tell(socket: WebSocket, node: &Handle) {
    let mut news = node.finality();
    news.mark_changed();
    let (mut sender, mut receiver) = socket.split();
    loop {
        let changed = tokio::select! {
            changed = news.changed() => changed,
            // Pings are answered by reading; anything else is of no interest.
            message = receiver.next() => match message {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
        };
        if changed.is_err() {
            let away = CloseFrame { code: close_code::AWAY, reason: "the validator stops".into() };
            // Whoever is gone need not be told.
            drop(tokio::time::timeout(SEND_WITHIN, sender.send(Message::Close(Some(away)))).await);
            return;
        }
        let newest = news.borrow_and_update().clone();
        if newest.is_empty() {
            continue;
        }
        let sent = tokio::time::timeout(SEND_WITHIN, sender.send(Message::Binary(newest))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}
