//! The signaling socket: one `WebSocket` of text messages.

use peer::Input;
use web_sys::{Event, MessageEvent, WebSocket};

use crate::{listener::Listener, pump::Inbox};

/// Most bytes that may wait in the socket: past it the line is dead and is given up.
const BUFFERED_BYTES_MAX: u32 = 1 << 20;

/// At most one open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    url: String,
    inbox: Inbox,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    socket: WebSocket,
    _listeners: [Listener; 3],
}

impl Socket {
    /// No socket yet; `url` is `ws:` or `wss:`.
    pub(crate) const fn new(url: String, inbox: Inbox) -> Self {
        Self { url, inbox, open: None }
    }

    /// Opens one, after closing an earlier one.
    pub(crate) fn connect(&mut self) {
        self.disconnect();
        let Ok(socket) = WebSocket::new(&self.url) else {
            // A Content-Security-Policy or a wrong URL; the peer tries again at its own pace.
            return self.inbox.push(Input::SocketClosed);
        };
        let (opened, heard, closed) = (self.inbox.clone(), self.inbox.clone(), self.inbox.clone());
        let listeners = [
            Listener::new(&socket, "open", move |_: Event| opened.push(Input::SocketOpen)),
            Listener::new(&socket, "message", move |event: MessageEvent| {
                if let Some(text) = event.data().as_string() {
                    heard.push(Input::SocketText(text));
                }
            }),
            Listener::new(&socket, "close", move |_: Event| closed.push(Input::SocketClosed)),
        ];
        self.open = Some(Open { socket, _listeners: listeners });
    }

    /// Sends one message.
    pub(crate) fn send(&mut self, text: &str) {
        let Some(open) = &self.open else { return };
        let sent = open.socket.buffered_amount() <= BUFFERED_BYTES_MAX
            && open.socket.send_with_str(text).is_ok();
        if !sent {
            self.disconnect();
            self.inbox.push(Input::SocketClosed);
        }
    }

    /// Closes it without a word to the peer.
    pub(crate) fn disconnect(&mut self) {
        self.open = None;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}
