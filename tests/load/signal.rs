//! Peers of ours at `/signal`: they join a swarm and wait, join one after the other, or hand each other
//! descriptions.

use anyhow::{Context as _, Result, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use primitives::{KeyPair, PeerId, Seed, SwarmId};
use tokio_tungstenite::tungstenite::Message;
use wire::limits::SIGNALING_VERSION;
use wire::signaling::{Base64, FromServer, Signal, ToServer, hello_proof};

use crate::Options;
use crate::sockets::{Socket, Tally};

/// Peers of one swarm; even, so that partners share one.
const SWARM_PEERS: u32 = 20;
/// Swarms that are joined one after the other.
const SWARMS: u32 = 50;

/// Says hello, joins, and reads until the socket ends.
pub(crate) async fn idle(mut socket: Socket, number: u32) -> Result<()> {
    join(&mut socket, number).await?;
    while let Some(message) = socket.next().await {
        message?;
    }
    bail!("the socket ended")
}

/// The same, and plays ping-pong with a partner: each description is answered by one.
pub(crate) async fn exchange(
    mut socket: Socket,
    number: u32,
    options: &Options,
    tally: &Tally,
) -> Result<()> {
    let go = tally.go.notified();
    join(&mut socket, number).await?;
    go.await;
    let description = description(number, 0, options.description_bytes)?;
    if number.is_multiple_of(2) {
        socket.send(Message::text(description.clone())).await?;
    }
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        if text.contains("\"type\":\"signal\"") {
            Tally::add(&tally.answers, 1);
            socket.send(Message::text(description.clone())).await?;
        } else if text.contains("\"type\":\"gone\"") {
            // The partner is not in yet.
            tokio::task::yield_now().await;
            socket.send(Message::text(description.clone())).await?;
        } else if text.contains("\"type\":\"error\"") {
            Tally::add(&tally.failures, 1);
        }
    }
    bail!("the socket ended")
}

/// Joins one swarm after the other, and leaves each again; most have members.
pub(crate) async fn rejoin(mut socket: Socket, number: u32, tally: &Tally) -> Result<()> {
    let go = tally.go.notified();
    join(&mut socket, number).await?;
    go.await;
    let mut at = number;
    loop {
        let Message::Text(text) = socket.next().await.context("the socket ended")?? else {
            continue;
        };
        if text.contains("\"type\":\"joined\"") {
            Tally::add(&tally.announces, 1);
            let left = swarm(at);
            at = (at + SWARM_PEERS) % (SWARMS * SWARM_PEERS);
            let swarm = swarm(at);
            let leave = serde_json::to_string(&ToServer::Leave { swarm: left })?;
            socket.feed(Message::text(leave)).await?;
            say(&mut socket, &wish(swarm)).await?;
        } else if text.contains("\"type\":\"error\"") {
            Tally::add(&tally.failures, 1);
        }
    }
}

/// Says hello and asks to join; the answer is left unread.
pub(crate) async fn join(socket: &mut Socket, number: u32) -> Result<()> {
    let key = key(number);
    let first = socket.next().await.context("the socket ended")??;
    let FromServer::Challenge { nonce, .. } = serde_json::from_str(first.to_text()?)? else {
        bail!("expected a challenge, found {first}");
    };
    let proof = hello_proof(&key, &nonce);
    let (version, peer) = (SIGNALING_VERSION, key.id());
    say(socket, &ToServer::Hello { version, peer, proof, resume: None }).await?;
    say(socket, &wish(swarm(number))).await
}

fn wish(swarm: SwarmId) -> ToServer {
    ToServer::Join { swarm, want: 8, region: None, site: None, position: None }
}

/// The number that follows `name` in a message of the server.
pub(crate) fn number_in(text: &str, name: &str) -> Option<u32> {
    let rest = &text[text.find(name)? + name.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A description for the partner, called `connection`; the server does not look into it.
pub(crate) fn description(number: u32, connection: u32, size_bytes: usize) -> Result<String> {
    let to: PeerId = key(number ^ 1).id();
    let (sdp, signature) = ("x".repeat(size_bytes), Base64(vec![7; 64]));
    let signal = Signal::Offer { connection, sdp, signature };
    Ok(serde_json::to_string(&ToServer::Signal { swarm: swarm(number), to, signal })?)
}

fn key(number: u32) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(u64::from(number)))
}

fn swarm(number: u32) -> SwarmId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&(number / SWARM_PEERS).to_be_bytes());
    SwarmId::new(bytes)
}

async fn say(socket: &mut Socket, message: &ToServer) -> Result<()> {
    socket.send(Message::text(serde_json::to_string(message)?)).await?;
    Ok(())
}
