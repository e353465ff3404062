//! After each final block: whose health fell, and telling them.

use std::time::Duration;

use ::push::limits::MARKETS_MAX;
use ::push::{Alert, Health, Look};
use ledger::domains::lending::{self, OnLedger, Purpose, math};
use ledger::{AccountId, BlockContext, Store};
use ledger_node::{Handle, RecordsError};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::MissedTickBehavior;

use super::lines::Lines;
use super::sending::Sent;
use super::{Push, now_s};

/// Most looks at the health of an account in a market after one block: some 0.1 ms each. The next block goes on.
const LOOKS_MAX: usize = 512;
const _: () = assert!(LOOKS_MAX >= MARKETS_MAX, "a subscription fits in");
/// Messages under way at once, to all push services.
const SENDS_MAX: usize = 64;
/// How often the list is written, at most, for what was seen and sent.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Blocks after which addresses that asked for nothing lately are forgotten.
const FORGET_EVERY: u32 = 64;

impl Push {
    /// Looks and tells until it is told to stop, or the ledger has.
    pub(crate) async fn follow(self, handle: Handle, mut stopped: watch::Receiver<bool>) {
        let mut heights = handle.height();
        heights.mark_changed();
        let mut saves = tokio::time::interval(SAVE_EVERY);
        saves.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut lines = Lines::new();
        let mut sending = JoinSet::new();
        let mut blocks = 0_u32;
        loop {
            while sending.len() < SENDS_MAX {
                let Some((Alert { look, letter }, room)) = lines.next() else { break };
                let push = self.clone();
                sending.spawn(async move {
                    let _room = room;
                    (look, push.send(&letter).await)
                });
            }
            tokio::select! {
                () = told(&mut stopped) => break,
                changed = heights.changed() => {
                    // An error: nobody makes blocks any more.
                    if changed.is_err() {
                        break;
                    }
                    for alert in self.look(&handle).await {
                        let endpoint = alert.letter.endpoint.clone();
                        lines.put(&endpoint, alert);
                    }
                    blocks = blocks.wrapping_add(1);
                    if blocks.is_multiple_of(FORGET_EVERY) {
                        self.forget_quiet();
                    }
                }
                Some(done) = sending.join_next() => self.settle(done),
                _ = saves.tick() => self.save().await,
            }
        }
        while let Some(done) = sending.try_join_next() {
            self.settle(done);
        }
        self.save().await;
    }

    /// What became of a message.
    fn settle(&self, done: Result<(Look, Sent), JoinError>) {
        // An error: it panicked, which the log tells.
        if let Ok((look, sent)) = done {
            self.list().settle(&look, sent.outcome(), now_s());
        }
    }

    /// What there is to tell after the newest block.
    async fn look(&self, handle: &Handle) -> Vec<Alert> {
        let now_s = now_s();
        let looks = {
            let mut list = self.list();
            list.expire(now_s);
            list.next(LOOKS_MAX)
        };
        if looks.is_empty() {
            return Vec::new();
        }
        self.0.metrics.looked(looks.len());
        let handle = handle.clone();
        // It reads from the disk.
        let seen = tokio::task::spawn_blocking(move || see(&handle, looks)).await;
        let seen = match seen {
            Ok(Ok(seen)) => seen,
            Ok(Err(error)) => {
                tracing::warn!("health can't be looked at: {error}");
                return Vec::new();
            }
            // It panicked, which the log tells.
            Err(_) => return Vec::new(),
        };
        let mut list = self.list();
        seen.iter().filter_map(|(look, health)| list.see(look, *health, now_s)).collect()
    }
}

/// Waits until it is told to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error: whoever stops it is gone, which is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Health of each, all from one moment: the last final block's time.
fn see(handle: &Handle, looks: Vec<Look>) -> Result<Vec<(Look, Health)>, RecordsError> {
    let chain = handle.chain();
    handle.with_state(|state| {
        let tip = ledger::tip(state);
        let one = |look: Look| {
            let health = tip.as_ref().map_or(Health::Unknown, |tip| {
                let height = tip.height.saturating_add(1);
                let context = BlockContext { chain, height, time_ms: tip.time_ms };
                health(state, &context, &look)
            });
            (look, health)
        };
        looks.into_iter().map(one).collect()
    })
}

/// As a liquidator would be judged.
fn health(state: &dyn Store, context: &BlockContext, look: &Look) -> Health {
    let account = AccountId::new(*look.name.account.as_bytes());
    if !lending::position(state, look.market, account).owes() {
        return Health::Endless;
    }
    let (quotes, now_s) = (OnLedger(context), context.now_s());
    let found = lending::health(state, &quotes, now_s, look.market, account, Purpose::Liquidate);
    match found {
        // More than fits is as good as any.
        Ok(found) => Health::Is(math::narrow(found.factor).unwrap_or(u128::MAX)),
        Err(_) => Health::Unknown,
    }
}
