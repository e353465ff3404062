//! Vouchers that neighbours left with a seed that earns: kept while it runs, handed in if their payees don't come back.
//!
//! Which, and when, is `payments::keeping`; here they are proved and paid for. Why:
//! `docs/adr/0083-vouchers-left-with-neighbours.md`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger::domains::paypool::{self, Lane, Pool, lane_key, pool_key};
use peer_native::payments::keeping::{Book, Entrusted, Place, Seen, voucher_of};
use primitives::PeerId;
use wire::pay::Keep;

use super::Purse;
use crate::ledger_client::ClientError;

/// How often a lane of which something is kept is proved anew, one at a time.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(20);

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    pub(super) is_on: bool,
    book: Book,
}

/// A lane and its pool, proved, with what they say of the time.
struct Proved {
    pool: Option<Pool>,
    lane: Option<Lane>,
    height: u64,
    now_s: u64,
}

impl Proved {
    const fn seen(&self) -> Seen<'_> {
        Seen { pool: self.pool.as_ref(), lane: self.lane, height: self.height }
    }
}

impl Purse {
    /// A neighbour leaves a voucher here.
    pub(super) async fn keep(&mut self, from: PeerId, keep: &Keep) {
        let voucher = voucher_of(keep);
        let is_foreign = *keep.chain != *self.chain.as_bytes();
        let wants = self.keeping.book.wants(from, &voucher, 0);
        if !self.keeping.is_on || is_foreign || voucher.payee == self.account() || !wants {
            return;
        }
        let offer = Entrusted::new(from, voucher, keep.turn);
        match self.try_keep(offer).await {
            // It may be due.
            Ok(true) => self.look_after_kept().await,
            Ok(false) => tracing::debug!(%from, "what it left is worth nothing"),
            Err(error) => tracing::warn!("what a neighbour left could not be looked up: {error}"),
        }
    }

    async fn try_keep(&mut self, offer: Entrusted) -> Result<bool, ClientError> {
        let cost = self.claim_cost().await?;
        let proved = self.prove(offer.place()).await?;
        Ok(self.keeping.book.keep(self.chain, offer, &proved.seen(), cost))
    }

    /// Looks at the lane that was not looked at for longest, and hands in what is due.
    pub(super) async fn look_after_kept(&mut self) {
        let Some(place) = self.keeping.book.oldest() else { return };
        if let Err(error) = self.look_at(place).await {
            tracing::warn!("what neighbours left could not be looked after: {error}");
        }
    }

    async fn look_at(&mut self, place: Place) -> Result<(), ClientError> {
        let cost = self.claim_cost().await?;
        let now_s = self.see(place, cost).await?;
        // A payee that is a neighbour hands in its own within the time that it has.
        let due = self.keeping.book.due(now_s, |_| false);
        for place in &due {
            // Right before: whoever comes second pays a fee for nothing.
            self.see(*place, cost).await?;
        }
        let units = self.keeping.book.left(now_ms());
        let vouchers = self.keeping.book.hand_in(&due, now_s, cost, units);
        if vouchers.is_empty() {
            return Ok(());
        }
        let places: Vec<Place> = vouchers.iter().map(|one| (one.pool, one.payee)).collect();
        // What was refused is paid for as well.
        let most = cost.saturating_mul(u128::try_from(places.len()).unwrap_or(u128::MAX));
        self.keeping.book.spend(now_ms(), most);
        let done = self.act(paypool::Action::Claim { vouchers }).await;
        for place in &places {
            self.see(*place, cost).await?;
        }
        self.keeping.book.failed(&places);
        done
    }

    /// Notes what is proved of a lane; the time of that block.
    async fn see(&mut self, place: Place, cost: u128) -> Result<u64, ClientError> {
        let proved = self.prove(place).await?;
        self.keeping.book.see(place, &proved.seen(), cost);
        Ok(proved.now_s)
    }

    async fn prove(&self, (pool, payee): Place) -> Result<Proved, ClientError> {
        let of_pool = self.client.proved_in(&self.follower, &pool_key(pool)).await?;
        let of_lane = self.client.proved_in(&self.follower, &lane_key(pool, payee)).await?;
        let height = of_pool.height.min(of_lane.height);
        Ok(Proved { pool: of_pool.record, lane: of_lane.record, height, now_s: of_lane.time_s })
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
