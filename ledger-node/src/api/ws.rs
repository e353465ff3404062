//! Final headers as they come: `docs/spec/ledger.md`, "WebSocket".
//!
//! Each binary message is what makes the newest block final. A reader that is slow misses blocks, not
//! the newest one; one that takes nothing for [`SEND_WITHIN`] is dropped. What it sends is not read.

use std::sync::Arc;
use std::time::Duration;

use axum::{
    Router,
    extract::{
        State as Shared,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code},
    },
    response::{IntoResponse as _, Response},
    routing::get,
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::Semaphore;

use super::ApiError;
use crate::node::Handle;

/// Most readers at a time.
const READERS_MAX: usize = 1024;
/// How long a message may take to be taken.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// Longest message of a reader, in bytes: it has nothing to say.
const READ_BYTES_MAX: usize = 1024;

pub(super) fn router() -> Router<Handle> {
    let room = Arc::new(Semaphore::new(READERS_MAX));
    let open = move |node: Shared<Handle>, upgrade: WebSocketUpgrade| async move {
        enter(&room, node.0, upgrade)
    };
    Router::new().route("/ledger/ws", get(open))
}

fn enter(room: &Arc<Semaphore>, node: Handle, upgrade: WebSocketUpgrade) -> Response {
    let Ok(place) = room.clone().try_acquire_owned() else {
        return ApiError::Busy.into_response();
    };
    upgrade.max_message_size(READ_BYTES_MAX).on_upgrade(move |socket| async move {
        tell(socket, &node).await;
        drop(place);
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
