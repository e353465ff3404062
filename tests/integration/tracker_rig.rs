//! A client of the tracker, as stock ones behave: JSON text, names as strings of 20 code points.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::signaling_rig::{Door, within};

/// A name with a byte of every awkward kind.
pub(crate) fn name(number: u8) -> String {
    let bytes = [0, 0x1f, b'"', b'\\', 0x7f, 0x80, 0xff, b'/', number];
    let filled = bytes.iter().copied().chain(std::iter::repeat(number)).take(20);
    filled.map(char::from).collect()
}

/// The same in hexadecimal, as settings and bans have it.
pub(crate) fn name_hex(number: u8) -> String {
    name(number).chars().map(|c| format!("{:02x}", u32::from(c))).collect()
}

/// An offer that nobody but its makers understands.
pub(crate) fn offer(id: u8) -> Value {
    json!({ "offer": { "type": "offer", "sdp": format!("v=0\r\ns={id}\r\n") }, "offer_id": name(id) })
}

/// One socket.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    pub(crate) async fn open(server: &impl Door) -> Self {
        Self::open_at(server, "/announce", None).await.unwrap()
    }

    pub(crate) async fn open_at(
        server: &impl Door,
        path: &str,
        origin: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{}{path}", server.address()).into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
        }
        Ok(Self { socket: connect_async(request).await?.0 })
    }

    /// Sends an announce of `peer` in `swarm` with these fields added.
    pub(crate) async fn announce(&mut self, swarm: u8, peer: u8, more: Value) {
        let mut message = json!({
            "action": "announce", "info_hash": name(swarm), "peer_id": name(peer),
            "numwant": 10, "uploaded": 0, "downloaded": 0, "left": null,
        });
        let fields = message.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        self.send(&message).await;
    }

    /// The same, and what it is answered: complete and incomplete.
    pub(crate) async fn enter(&mut self, swarm: u8, peer: u8) -> (u64, u64) {
        self.announce(swarm, peer, json!({ "event": "started" })).await;
        self.counts(swarm).await
    }

    /// Reads the answer to an announce.
    pub(crate) async fn counts(&mut self, swarm: u8) -> (u64, u64) {
        let reply = self.next().await;
        assert_eq!(reply["action"], "announce", "{reply}");
        assert_eq!(reply["info_hash"], name(swarm), "{reply}");
        assert_eq!(reply["interval"], 120, "{reply}");
        (reply["complete"].as_u64().unwrap(), reply["incomplete"].as_u64().unwrap())
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(message.to_string()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        within("a write", self.socket.send(Message::text(text))).await.unwrap();
    }

    pub(crate) async fn next(&mut self) -> Value {
        self.next_or_end().await.expect("the socket ended, expected a message")
    }

    /// The next message; `None` when the socket ended.
    pub(crate) async fn next_or_end(&mut self) -> Option<Value> {
        loop {
            match within("a message", self.socket.next()).await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next message, which must be a failure; its reason.
    pub(crate) async fn failure(&mut self) -> String {
        let failure = self.next().await;
        assert!(failure["action"].is_string() && failure["info_hash"].is_string(), "{failure}");
        failure["failure reason"].as_str().expect("a failure").to_owned()
    }
}
