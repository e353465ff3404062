//! Load on a running server over the loopback interface: what a message costs it, and what an idle
//! socket holds. Prints one line of JSON.
//!
//! ```text
//! load announces|offers|answers|idle|idle-signal|signals --url ws://127.0.0.1:8000/announce --pid PID
//! ```
//!
//! `announces`, `offers` and `answers` are closed loops: every socket has one announce in flight, with
//! no offers, with offers nobody answers, with offers everybody answers. `idle` announces once on each
//! socket and then measures. `idle-signal` and `signals` are the same for peers of `/signal`, who play
//! ping-pong in pairs: an "answer" is one description that arrived. The server's time and memory are read from `/proc`.
#![allow(clippy::print_stdout, reason = "the result is its only output")]

mod process;
mod signal;
mod sockets;
mod tracker;

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, ValueEnum};
use serde::Serialize;
use tokio::time::Instant;

use process::Usage;
use sockets::Tally;

/// What the sockets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Announces,
    Offers,
    Answers,
    Idle,
    IdleSignal,
    Signals,
}

/// Loads a server and measures it.
#[derive(Debug, Parser)]
struct Options {
    /// What the sockets do
    kind: Kind,
    /// Where they go: ws://127.0.0.1:PORT/PATH
    #[arg(long)]
    url: String,
    /// The server's process
    #[arg(long)]
    pid: u32,
    /// How many sockets
    #[arg(long, default_value_t = 500)]
    sockets: u32,
    /// Swarms they share
    #[arg(long, default_value_t = 25)]
    swarms: u32,
    /// Offers of one announce
    #[arg(long, default_value_t = 5)]
    offers: usize,
    /// Length of a session description
    #[arg(long, default_value_t = 600)]
    description_bytes: usize,
    /// How long is measured
    #[arg(long, default_value_t = 6)]
    seconds: u64,
}

/// What was measured. Times are the server's, of all its threads.
#[derive(Debug, Serialize)]
struct Report {
    sockets: u64,
    failed: u64,
    closed: u64,
    failures: u64,
    announces_per_s: f64,
    offers_per_s: f64,
    answers_per_s: f64,
    cores: f64,
    us_per_announce: f64,
    us_per_answer: f64,
    kib_per_socket: f64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = tokio::task::LocalSet::new().block_on(&runtime, run(options))?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

async fn run(options: Options) -> Result<Report> {
    let host = options.url.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
    let address: SocketAddr = host.context("the URL begins with ws://")?.parse()?;
    ensure!(address.ip().is_loopback(), "only servers on this machine are loaded");
    let before = Usage::of(options.pid)?;
    let tally = Rc::new(Tally::default());
    let options = Rc::new(options);
    for number in 0..options.sockets {
        let (options, tally) = (Rc::clone(&options), Rc::clone(&tally));
        tokio::task::spawn_local(async move {
            let Ok(socket) = sockets::open(&options.url, address, number).await else {
                return Tally::add(&tally.failed, 1);
            };
            Tally::add(&tally.opened, 1);
            let ended = match options.kind {
                Kind::IdleSignal => signal::idle(socket, number).await,
                Kind::Signals => signal::exchange(socket, number, &options, &tally).await,
                _ => tracker::play(socket, number, &options, &tally).await,
            };
            if ended.is_err() {
                Tally::add(&tally.closed, 1);
            }
        });
        if number % 50 == 49 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    while tally.opened.get() + tally.failed.get() < u64::from(options.sockets) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tally.go.notify_waiters();
    tokio::time::sleep(Duration::from_secs(2)).await;
    measure(&options, &tally, before).await
}

async fn measure(options: &Options, tally: &Tally, before: Usage) -> Result<Report> {
    let (start, from) = (Instant::now(), Usage::of(options.pid)?);
    let counts = || [tally.announces.get(), tally.offers.get(), tally.answers.get()];
    let counted = counts();
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let (elapsed_s, to) = (start.elapsed().as_secs_f64(), Usage::of(options.pid)?);
    let done = counts();
    let [announces, offers, answers] = std::array::from_fn(|at| count(done[at] - counted[at]));
    let busy_s = to.cpu_s - from.cpu_s;
    let sockets = tally.opened.get();
    Ok(Report {
        sockets,
        failed: tally.failed.get(),
        closed: tally.closed.get(),
        failures: tally.failures.get(),
        announces_per_s: (announces / elapsed_s).round(),
        offers_per_s: (offers / elapsed_s).round(),
        answers_per_s: (answers / elapsed_s).round(),
        cores: rounded(busy_s / elapsed_s),
        us_per_announce: rounded(busy_s * 1e6 / announces.max(1.0)),
        us_per_answer: rounded(busy_s * 1e6 / answers.max(1.0)),
        kib_per_socket: rounded((to.resident_kib - before.resident_kib) / count(sockets).max(1.0)),
    })
}

/// A count as a number to divide by; counts here are far below 2^32.
fn count(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}
