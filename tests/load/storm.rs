//! Everybody comes back at once: peers of `/signal` hold their sockets until the server says goodbye, wait
//! as long as it told them, and come to the one that is started in its place.
//!
//! Prints `ready` when all are in; then whoever called restarts the server.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

use crate::paced::address;
use crate::signal::{self, number_in};
use crate::sockets::{self, Tally};
use crate::{Options, count, opened, rounded};

/// How often those that did not get in try again, at first; each time twice as long, give or take a half.
const AGAIN_MS: u64 = 500;
const AGAIN_MS_MAX: u64 = 8_000;
/// Longest that the storm may last.
const WITHIN: Duration = Duration::from_secs(120);
/// A second is counted in parts of this many milliseconds.
const PART_MS: u64 = 100;
const PARTS_PER_S: usize = 10;

/// What the storm was like.
#[derive(Debug, Default)]
struct Storm {
    /// When the first goodbye came.
    began: Cell<Option<Instant>>,
    /// What goodbyes told, in milliseconds.
    told_ms: RefCell<Vec<u32>>,
    /// When each was in again, in milliseconds since the first goodbye.
    back_ms: RefCell<Vec<u64>>,
    /// Sockets that ended without a goodbye.
    without: Cell<u64>,
    /// Attempts that failed.
    failed: Cell<u64>,
}

pub(crate) async fn storm(options: &Rc<Options>, tally: &Rc<Tally>) -> Result<Value> {
    let storm = Rc::new(Storm::default());
    let address = address(&options.url)?;
    for number in 0..options.sockets {
        let (options, tally, storm) = (Rc::clone(options), Rc::clone(tally), Rc::clone(&storm));
        spawn_local(async move {
            sleep(Duration::from_micros(400) * number).await;
            let is_in = || Tally::add(&tally.opened, 1);
            match storm.stay(&options.url, address, number, is_in).await {
                Ok(told_ms) => storm.come_back(&options.url, address, number, told_ms).await,
                Err(_) => Tally::add(&tally.failed, 1),
            }
        });
    }
    opened(options, tally).await;
    println!("ready");
    let began = Instant::now();
    while storm.back_ms.borrow().len() < usize::try_from(options.sockets)? {
        if began.elapsed() > WITHIN {
            bail!("{} of {} are back", storm.back_ms.borrow().len(), options.sockets);
        }
        sleep(Duration::from_millis(PART_MS)).await;
    }
    Ok(storm.report(tally))
}

impl Storm {
    /// Comes in, says so, and reads until the server says goodbye or the socket ends: how long to wait
    /// then, in milliseconds.
    async fn stay(
        &self,
        url: &str,
        address: SocketAddr,
        number: u32,
        is_in: impl FnOnce(),
    ) -> Result<u32> {
        let mut socket = sockets::open(url, address, number).await?;
        signal::join(&mut socket, number).await?;
        loop {
            let text = socket.next().await.context("the socket ended")??.into_text()?;
            if text.contains("\"type\":\"joined\"") {
                break;
            }
        }
        is_in();
        let mut told_ms = None;
        while let Some(Ok(message)) = socket.next().await {
            let text = message.into_text()?;
            told_ms = told_ms.or(number_in(&text, "\"reconnect_after_ms\":"));
        }
        self.began.set(self.began.get().or(Some(Instant::now())));
        match told_ms {
            Some(told_ms) => self.told_ms.borrow_mut().push(told_ms),
            None => Tally::add(&self.without, 1),
        }
        Ok(told_ms.unwrap_or(0))
    }

    async fn come_back(&self, url: &str, address: SocketAddr, number: u32, told_ms: u32) {
        sleep(Duration::from_millis(u64::from(told_ms))).await;
        let mut wait_ms = AGAIN_MS;
        let mut rng = fastrand::Rng::with_seed(u64::from(number));
        loop {
            let is_back = Cell::new(false);
            let note = || {
                is_back.set(true);
                let began = self.began.get().unwrap_or_else(Instant::now);
                let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
                self.back_ms.borrow_mut().push(ms);
            };
            // Once it is in it stays for as long as the server does; an error before that is one to try
            // again after.
            let _ = self.stay(url, address, number, note).await;
            if is_back.get() {
                return;
            }
            Tally::add(&self.failed, 1);
            sleep(Duration::from_millis(wait_ms / 2 + rng.u64(..wait_ms))).await;
            wait_ms = (wait_ms * 2).min(AGAIN_MS_MAX);
        }
    }

    fn report(&self, tally: &Tally) -> Value {
        let (told, mut back) = (self.told_ms.borrow(), self.back_ms.borrow().clone());
        back.sort_unstable();
        json!({
            "sockets": tally.opened.get(), "failed": tally.failed.get(),
            "without_goodbye": self.without.get(), "failed_attempts": self.failed.get(),
            "told_s_min": seconds(u64::from(told.iter().min().copied().unwrap_or(0))),
            "told_s_max": seconds(u64::from(told.iter().max().copied().unwrap_or(0))),
            "first_back_s": seconds(back.first().copied().unwrap_or(0)),
            "all_back_s": seconds(back.last().copied().unwrap_or(0)),
            "busiest_per_s": busiest(&back),
        })
    }
}

/// Most that came within one second.
fn busiest(back_ms: &[u64]) -> usize {
    let parts = back_ms.last().map_or(0, |last| last / PART_MS + 1);
    let mut counts = vec![0; usize::try_from(parts).unwrap_or(0)];
    for ms in back_ms {
        counts[usize::try_from(ms / PART_MS).unwrap_or(0)] += 1;
    }
    let second = counts.len().clamp(1, PARTS_PER_S);
    counts.windows(second).map(|part| part.iter().sum()).max().unwrap_or(0)
}

fn seconds(ms: u64) -> f64 {
    rounded(count(ms) / 1000.0)
}
