//! Load on a running server over the loopback interface: what a message costs it, and what an idle
//! socket holds. Prints one line of JSON.
//!
//! ```text
//! load KIND --url ws://127.0.0.1:8000/announce --pid PID
//! ```
//!
//! Of the tracker: `announces`, `offers` and `answers` are closed loops: every socket has one announce in
//! flight, with no offers, with offers nobody answers, with offers everybody answers. `idle` announces once
//! on each socket and then measures.
//!
//! Of `/signal`: `idle-signal` joins once on each socket and then measures. `joins` joins one swarm after
//! the other (a join is what the report calls an announce). `signals` plays ping-pong in pairs: an "answer" is
//! one description that arrived. `latency` and `slow` send at a steady pace ([`paced`]), `storm` comes back
//! after a restart ([`storm`]); each has a report of its own.
//!
//! The server's time and memory are read from `/proc`.
#![allow(clippy::print_stdout, reason = "the result is its only output")]

mod http;
mod paced;
mod process;
mod signal;
mod sockets;
mod storm;
mod tracker;

use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use process::Usage;
use sockets::Tally;

/// How often it is looked whether all sockets are open.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What the sockets do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Announces,
    Offers,
    Answers,
    Idle,
    IdleSignal,
    Joins,
    Signals,
    Latency,
    Slow,
    Storm,
}

/// Loads a server and measures it.
#[derive(Debug, Parser)]
struct Options {
    /// What the sockets do
    kind: Kind,
    /// Where they go: ws://127.0.0.1:PORT/PATH
    #[arg(long)]
    url: String,
    /// Where every second peer of `latency` goes instead
    #[arg(long)]
    other_url: Option<String>,
    /// The server's process
    #[arg(long)]
    pid: u32,
    /// The process at `other_url`
    #[arg(long)]
    other_pid: Option<u32>,
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
    /// Milliseconds between two descriptions of one peer, where they are sent at a steady pace
    #[arg(long, default_value_t = 100)]
    every_ms: u64,
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
    let report = tokio::task::LocalSet::new().block_on(&runtime, run(Rc::new(options)))?;
    println!("{report}");
    Ok(())
}

async fn run(options: Rc<Options>) -> Result<Value> {
    let tally = Rc::new(Tally::default());
    match options.kind {
        Kind::Latency => paced::latency(&options, &tally).await,
        Kind::Slow => paced::slow(&options, &tally).await,
        Kind::Storm => storm::storm(&options, &tally).await,
        _ => Ok(serde_json::to_value(closed_loop(&options, &tally).await?)?),
    }
}

async fn closed_loop(options: &Rc<Options>, tally: &Rc<Tally>) -> Result<Report> {
    let address = paced::address(&options.url)?;
    let before = Usage::of(options.pid)?;
    for number in 0..options.sockets {
        let (options, tally) = (Rc::clone(options), Rc::clone(tally));
        tokio::task::spawn_local(async move {
            let Ok(socket) = sockets::open(&options.url, address, number).await else {
                return Tally::add(&tally.failed, 1);
            };
            Tally::add(&tally.opened, 1);
            let ended = match options.kind {
                Kind::IdleSignal => signal::idle(socket, number).await,
                Kind::Joins => signal::rejoin(socket, number, &tally).await,
                Kind::Signals => signal::exchange(socket, number, &options, &tally).await,
                _ => tracker::play(socket, number, &options, &tally).await,
            };
            if ended.is_err() {
                Tally::add(&tally.closed, 1);
            }
        });
        if number % 50 == 49 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    opened(options, tally).await;
    tally.go.notify_waiters();
    tokio::time::sleep(Duration::from_secs(2)).await;
    measure(options, tally, before).await
}

/// Until every socket was opened, or failed to be.
async fn opened(options: &Options, tally: &Tally) {
    while tally.opened.get() + tally.failed.get() < u64::from(options.sockets) {
        tokio::time::sleep(LOOK_EVERY).await;
    }
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
