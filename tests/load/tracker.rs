//! A client of a WebTorrent tracker.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::sockets::{Socket, Tally};
use crate::{Kind, Options};

/// Announces for ever, each time the last one was answered. Ends when the socket does.
pub(crate) async fn play(
    mut socket: Socket,
    number: u32,
    options: &Options,
    tally: &Tally,
) -> Result<()> {
    let go = tally.go.notified();
    let mut client = Client::new(number, options);
    socket.send(Message::text(client.announce(0))).await?;
    let offers = match options.kind {
        Kind::Offers | Kind::Answers => options.offers,
        _ => 0,
    };
    if options.kind != Kind::Idle {
        let first = socket.next().await.context("the socket ended")??;
        drop(first);
        go.await;
        socket.send(Message::text(client.announce(offers))).await?;
    }
    loop {
        let Message::Text(text) = socket.next().await.context("the socket ended")?? else {
            continue;
        };
        if text.contains("\"offer\":{") {
            Tally::add(&tally.offers, 1);
            if options.kind == Kind::Answers {
                let answer = client.answer(&text).context("an offer names its maker")?;
                socket.send(Message::text(answer)).await?;
            }
        } else if text.contains("\"answer\":{") {
            Tally::add(&tally.answers, 1);
        } else {
            let failed = text.contains("\"failure reason\"");
            Tally::add(if failed { &tally.failures } else { &tally.announces }, 1);
            if options.kind != Kind::Idle {
                socket.send(Message::text(client.announce(offers))).await?;
            }
        }
    }
}

/// What one client says. Names are what `JSON.stringify` makes of them.
struct Client {
    /// `"info_hash":"…","peer_id":"…"`
    who: String,
    description: String,
    rng: fastrand::Rng,
}

impl Client {
    fn new(number: u32, options: &Options) -> Self {
        let mut swarm = fastrand::Rng::with_seed(u64::from(number % options.swarms.max(1)));
        let mut rng = fastrand::Rng::with_seed(1_000_000 + u64::from(number));
        let (swarm, peer) = (name(&mut swarm), name(&mut rng));
        let who = format!(r#""info_hash":{swarm},"peer_id":{peer}"#);
        let line = r"a=candidate:1 1 udp 2113937151 abcdef.local 50000 typ host\r\n";
        let description = line.repeat(options.description_bytes.div_ceil(line.len()));
        Self { who, description, rng }
    }

    fn announce(&mut self, offers: usize) -> String {
        let mut text = format!(
            r#"{{"action":"announce",{},"numwant":{offers},"uploaded":0,"downloaded":0,"left":100,"offers":["#,
            self.who
        );
        for index in 0..offers {
            let (comma, id) = (if index == 0 { "" } else { "," }, name(&mut self.rng));
            let description = &self.description;
            let _ = write!(
                text,
                r#"{comma}{{"offer":{{"type":"offer","sdp":"{description}"}},"offer_id":{id}}}"#
            );
        }
        text.push_str("]}");
        text
    }

    fn answer(&self, offer: &str) -> Option<String> {
        let (to, id) = (value(offer, "peer_id")?, value(offer, "offer_id")?);
        let (who, description) = (&self.who, &self.description);
        Some(format!(
            r#"{{"action":"announce",{who},"to_peer_id":{to},"answer":{{"type":"answer","sdp":"{description}"}},"offer_id":{id}}}"#
        ))
    }
}

/// A random name as JSON.
fn name(rng: &mut fastrand::Rng) -> String {
    let text: String = std::iter::repeat_with(|| char::from(rng.u8(..))).take(20).collect();
    serde_json::to_string(&text).unwrap_or_default()
}

/// The value of a text field as it stands in the message, quotes included.
fn value<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("\"{field}\":\""))?;
    let mut escaped = false;
    let end = rest.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    let start = text.len() - rest.len() - 1;
    text.get(start..start + end + 2)
}
