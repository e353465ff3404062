//! Load on a running TURN relay over the loopback interface: what passing on a message costs it. Prints
//! one line of JSON.
//!
//! ```text
//! relay-load clients|peer --server 127.0.0.1:3478 --pid PID --secret SECRET
//! ```
//!
//! `clients`: pairs of clients, each sends to the relayed address of the other, which sends everything
//! back. `peer`: each client sends to a socket outside of the relay, which does the same. Closed loops: every
//! client keeps `window` messages under way, by ChannelData. Counted is what arrives, at either end. The
//! relay's time is read from `/proc`.
#![allow(clippy::print_stdout, reason = "the result is its only output")]

#[allow(dead_code, reason = "shared with the load of signaling servers, which uses all of it")]
mod process;
mod turn_client;

use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use relay::Secret;
use relay::channel_data::header;
use serde::Serialize;
use tokio::net::UdpSocket;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout};

use process::Usage;
use turn_client::Client;

/// The only channel of every client.
const CHANNEL: u16 = 0x4000;
/// Silence after which what is under way counts as lost.
const STALL: Duration = Duration::from_millis(200);
/// How long the load runs before it is measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// Who the clients send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Clients,
    Peer,
}

/// Loads a relay and measures it.
#[derive(Debug, Parser)]
struct Options {
    /// Who the clients send to
    kind: Kind,
    /// The relay's address by UDP
    #[arg(long)]
    server: SocketAddr,
    /// The relay's process
    #[arg(long)]
    pid: u32,
    /// The secret it makes credentials with
    #[arg(long)]
    secret: String,
    /// How many clients; even
    #[arg(long, default_value_t = 8)]
    clients: u32,
    /// Messages each sender has under way
    #[arg(long, default_value_t = 16)]
    window: u32,
    /// Bytes of a message, without its header
    #[arg(long, default_value_t = 1200)]
    size: u16,
    /// How long is measured
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    messages_per_s: f64,
    us_per_message: f64,
    cores: f64,
    /// Share of messages that did not arrive, in per cent.
    lost_percent: f64,
}

/// Counted by all sockets of this process, which has one thread.
#[derive(Debug, Default)]
struct Tally {
    arrived: Cell<u32>,
    lost: Cell<u32>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = tokio::task::LocalSet::new().block_on(&runtime, run(options))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

async fn run(options: Options) -> Result<Report> {
    ensure!(options.server.ip().is_loopback(), "only relays on this machine are loaded");
    let tally = Rc::new(Tally::default());
    let mut senders = Vec::new();
    match options.kind {
        Kind::Clients => {
            for _ in 0..options.clients / 2 {
                let (mut one, mut other) = (client(&options).await?, client(&options).await?);
                one.bind(CHANNEL, other.relayed).await?;
                other.bind(CHANNEL, one.relayed).await?;
                spawn_local(send_back(other.into_socket(), Rc::clone(&tally)));
                senders.push(one.into_socket());
            }
        }
        Kind::Peer => {
            for _ in 0..options.clients {
                let peer = UdpSocket::bind("127.0.0.1:0").await?;
                let mut client = client(&options).await?;
                client.bind(CHANNEL, peer.local_addr()?).await?;
                // Its relayed address is the only one that sends to the peer.
                peer.connect(client.relayed).await?;
                spawn_local(send_back(peer, Rc::clone(&tally)));
                senders.push(client.into_socket());
            }
        }
    }
    for socket in senders {
        spawn_local(send(socket, options.size, options.window, Rc::clone(&tally)));
    }
    sleep(WARM_UP).await;
    measure(&options, &tally).await
}

async fn client(options: &Options) -> Result<Client> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let credential = Secret::new(&options.secret).credential("load", now.as_secs() + 3600);
    Client::allocate(options.server, credential).await
}

/// Keeps its window full for ever.
async fn send(socket: UdpSocket, size: u16, window: u32, tally: Rc<Tally>) -> Result<()> {
    let message = [&header(CHANNEL, size)[..], &vec![7; usize::from(size)]].concat();
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut under_way = 0;
    loop {
        while under_way < window {
            socket.send(&message).await?;
            under_way += 1;
        }
        let Ok(readable) = timeout(STALL, socket.readable()).await else {
            add(&tally.lost, under_way);
            under_way = 0;
            continue;
        };
        readable?;
        while socket.try_recv(&mut buffer).is_ok() {
            add(&tally.arrived, 1);
            under_way = under_way.saturating_sub(1);
        }
    }
}

/// Sends back what comes, as it came.
async fn send_back(socket: UdpSocket, tally: Rc<Tally>) -> Result<()> {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        socket.readable().await?;
        while let Ok(length) = socket.try_recv(&mut buffer) {
            add(&tally.arrived, 1);
            socket.send(&buffer[..length]).await?;
        }
    }
}

async fn measure(options: &Options, tally: &Tally) -> Result<Report> {
    let (start, from) = (Instant::now(), Usage::of(options.pid)?);
    let (arrived, lost) = (tally.arrived.get(), tally.lost.get());
    sleep(Duration::from_secs(options.seconds)).await;
    let (elapsed_s, to) = (start.elapsed().as_secs_f64(), Usage::of(options.pid)?);
    let arrived = f64::from(tally.arrived.get() - arrived);
    let lost = f64::from(tally.lost.get() - lost);
    let busy_s = to.cpu_s - from.cpu_s;
    let busy_us = busy_s * 1e6;
    (arrived > 0.0).then_some(()).context("nothing arrived")?;
    Ok(Report {
        messages_per_s: (arrived / elapsed_s).round(),
        us_per_message: rounded(busy_us / arrived),
        cores: rounded(busy_s / elapsed_s),
        lost_percent: rounded(100.0 * lost / (arrived + lost)),
    })
}

fn add(cell: &Cell<u32>, more: u32) {
    cell.set(cell.get() + more);
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
