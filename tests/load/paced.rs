//! Pairs of peers at `/signal` that hand each other descriptions at a steady pace: how long one is on its
//! way, between two servers or on one, and whether slow readers beside them change that.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::task::spawn_local;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};
use tokio_tungstenite::tungstenite::Message;

use crate::http::metric;
use crate::process::Usage;
use crate::signal::{self, number_in};
use crate::sockets::{self, Socket, Tally};
use crate::{Options, count, opened, rounded};

/// How long everybody has met before anything counts.
const SETTLE: Duration = Duration::from_secs(3);
/// Longest that slow readers may stay.
const SLOW_WITHIN: Duration = Duration::from_secs(60);
/// One pair of so many has a slow reader.
const SLOW_PAIRS: u32 = 10;
/// What their partners send: the longest descriptions, fifty a second.
const FLOOD_BYTES: usize = 16_000;
const FLOOD_EVERY: Duration = Duration::from_millis(20);
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// What was on its way for how long, in microseconds, since somebody cleared it.
type Delays = Rc<RefCell<Vec<u32>>>;

/// The clock that is sent along; it goes round after 71 minutes.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now_us(self) -> u32 {
        let us = self.0.elapsed().as_micros() % (1 << 32);
        u32::try_from(us).expect("less than 2^32")
    }
}

/// Measures how long descriptions are on their way: odd peers are at `other_url`, if it is given.
pub(crate) async fn latency(options: &Rc<Options>, tally: &Rc<Tally>) -> Result<Value> {
    let delays = Delays::default();
    start(options, tally, &delays, |_| Role::Steady)?;
    opened(options, tally).await;
    sleep(SETTLE).await;
    delays.borrow_mut().clear();
    let pids = [Some(options.pid), options.other_pid];
    let busy_s = || -> Result<f64> {
        let busy = pids.iter().flatten().map(|pid| Ok(Usage::of(*pid)?.cpu_s));
        busy.sum()
    };
    let (gone, from) = (tally.failures.get(), busy_s()?);
    sleep(Duration::from_secs(options.seconds)).await;
    let busy_s = busy_s()? - from;
    let mut delays = delays.borrow_mut();
    let signals = count(u64::try_from(delays.len())?);
    ensure!(signals > 0.0, "nothing arrived");
    Ok(json!({
        "sockets": tally.opened.get(), "failed": tally.failed.get(), "closed": tally.closed.get(),
        "gone": tally.failures.get() - gone,
        "signals_per_s": (signals / count(options.seconds)).round(),
        "us_per_signal": rounded(busy_s * 1e6 / signals),
        "p50_ms": at(&mut delays, 50), "p99_ms": at(&mut delays, 99), "max_ms": at(&mut delays, 100),
    }))
}

/// The same beside readers that read nothing while their partners send a lot: how long the server bears
/// them, what they cost, and what the others notice.
pub(crate) async fn slow(options: &Rc<Options>, tally: &Rc<Tally>) -> Result<Value> {
    let delays = Delays::default();
    let role = |number: u32| match (number / 2).is_multiple_of(SLOW_PAIRS) {
        true if number.is_multiple_of(2) => Role::Flood,
        true => Role::Slow,
        false => Role::Steady,
    };
    start(options, tally, &delays, role)?;
    opened(options, tally).await;
    sleep(SETTLE).await;
    let mut calm = std::mem::take(&mut *delays.borrow_mut());
    let before = Usage::of(options.pid)?.resident_kib;
    let (began, mut peak) = (Instant::now(), before);
    tally.go.notify_waiters();
    let slow = (0..options.sockets).filter(|number| role(*number) == Role::Slow).count();
    let slow = count(u64::try_from(slow)?);
    let line = "starling_signaling_closed_total{kind=\"slow\"}";
    let mut closed = 0.0;
    while closed < slow && began.elapsed() < SLOW_WITHIN {
        sleep(LOOK_EVERY).await;
        peak = peak.max(Usage::of(options.pid)?.resident_kib);
        closed = metric(address(&options.url)?, line).await?;
    }
    let borne_s = rounded(began.elapsed().as_secs_f64());
    let mut busy = std::mem::take(&mut *delays.borrow_mut());
    Ok(json!({
        "sockets": tally.opened.get(), "failed": tally.failed.get(),
        "slow": slow, "closed_slow": closed, "borne_s": borne_s,
        "kib_per_slow_socket": rounded((peak - before) / slow.max(1.0)),
        "calm_p99_ms": at(&mut calm, 99), "busy_p50_ms": at(&mut busy, 50), "busy_p99_ms": at(&mut busy, 99),
    }))
}

/// What a peer of a pair does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Sends at a steady pace and reads.
    Steady,
    /// Sends a lot once all are there, and reads.
    Flood,
    /// Does nothing once it is in.
    Slow,
}

fn start(
    options: &Rc<Options>,
    tally: &Rc<Tally>,
    delays: &Delays,
    role: impl Fn(u32) -> Role,
) -> Result<()> {
    let clock = Clock(Instant::now());
    for number in 0..options.sockets {
        let url = match &options.other_url {
            Some(other) if !number.is_multiple_of(2) => other.clone(),
            _ => options.url.clone(),
        };
        let (address, role) = (address(&url)?, role(number));
        let (options, tally, delays) = (Rc::clone(options), Rc::clone(tally), Rc::clone(delays));
        spawn_local(async move {
            let peer = Peer { number, role, clock };
            // Not all at once.
            sleep(Duration::from_micros(400) * number).await;
            let Ok(mut socket) = sockets::open(&url, address, number).await else {
                return Tally::add(&tally.failed, 1);
            };
            let joined = signal::join(&mut socket, number).await;
            Tally::add(if joined.is_ok() { &tally.opened } else { &tally.failed }, 1);
            if joined.is_ok() && peer.play(socket, &options, &tally, &delays).await.is_err() {
                Tally::add(&tally.closed, 1);
            }
        });
    }
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Peer {
    number: u32,
    role: Role,
    clock: Clock,
}

impl Peer {
    async fn play(
        self,
        socket: Socket,
        options: &Options,
        tally: &Tally,
        delays: &Delays,
    ) -> Result<()> {
        match self.role {
            Role::Slow => {
                // It stays open, and what comes fills the kernel's buffers.
                std::future::pending::<()>().await;
                drop(socket);
                Ok(())
            }
            Role::Flood => self.flood(socket, tally).await,
            Role::Steady => self.keep_pace(socket, options, tally, delays).await,
        }
    }

    async fn flood(self, socket: Socket, tally: &Tally) -> Result<()> {
        tally.go.notified().await;
        let text = signal::description(self.number, 0, FLOOD_BYTES)?;
        let (mut to, mut from) = socket.split();
        spawn_local(async move { while let Some(Ok(_)) = from.next().await {} });
        let mut ticks = interval_at(Instant::now(), FLOOD_EVERY);
        loop {
            ticks.tick().await;
            to.send(Message::text(text.clone())).await?;
        }
    }

    async fn keep_pace(
        self,
        socket: Socket,
        options: &Options,
        tally: &Tally,
        delays: &Delays,
    ) -> Result<()> {
        let every = Duration::from_millis(options.every_ms);
        // Spread over one pace.
        let first = every * (self.number % 100) / 100;
        let mut ticks = interval_at(Instant::now() + first, every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut to, mut from) = socket.split();
        loop {
            tokio::select! {
                _ = ticks.tick() => {
                    let now = self.clock.now_us();
                    let text = signal::description(self.number, now, options.description_bytes)?;
                    to.send(Message::text(text)).await?;
                }
                came = from.next() => {
                    let Message::Text(text) = came.context("the socket ended")?? else { continue };
                    if text.contains("\"type\":\"signal\"") {
                        let sent = number_in(&text, "\"connection\":").context("a number")?;
                        delays.borrow_mut().push(self.clock.now_us().wrapping_sub(sent));
                    } else if text.contains("\"type\":\"gone\"") || text.contains("\"type\":\"error\"") {
                        Tally::add(&tally.failures, 1);
                    }
                }
            }
        }
    }
}

/// Where a URL of `ws:` leads.
pub(crate) fn address(url: &str) -> Result<SocketAddr> {
    let host = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next());
    let address: SocketAddr = host.context("the URL begins with ws://")?.parse()?;
    ensure!(address.ip().is_loopback(), "only servers on this machine are loaded");
    Ok(address)
}

/// The delay that so many per cent do not exceed, in milliseconds.
fn at(delays: &mut [u32], percent: usize) -> f64 {
    delays.sort_unstable();
    let last = delays.len().saturating_sub(1);
    let delay = delays.get((delays.len() * percent / 100).min(last)).copied().unwrap_or(0);
    rounded(f64::from(delay) / 1000.0)
}
