//! Vouchers that neighbours left with a seed that earns: kept while it runs, handed in if their payees don't come back.
//!
//! Which, and when, is `payments::keeping`; here they are proved and paid for. Why:
//! `docs/adr/0083-vouchers-left-with-neighbours.md`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ledger::domains::paypool::{self, Lane, Pool, lane_key, pool_key};
use peer_native::payments::keeping::{Book, Entrusted, Place, Seen, voucher_of};
use primitives::PeerId;
use wire::pay::Keep;

use super::Purse;
use crate::ledger_client::ClientError;

/// How often a lane of which something is kept is proved anew, one at a time.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(20);

/// Most vouchers that are looked at in a minute, whoever leaves them: each takes three questions in a row, and the till
/// waits meanwhile.
const LOOKS_A_MINUTE: u8 = 16;
/// And of one neighbour.
const LOOKS_OF_ONE: u8 = 4;
const MINUTE: Duration = Duration::from_secs(60);

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    pub(super) is_on: bool,
    book: Book,
    /// What a claim cost when that was asked last.
    cost: u128,
    /// When the minute began, and how many were looked at in it.
    looks: (Option<Instant>, u8),
    /// And of whom: at most [`LOOKS_A_MINUTE`].
    looks_of: BTreeMap<PeerId, u8>,
}

impl Keeping {
    /// Whether one more is looked at.
    fn may_look(&mut self, from: PeerId, now: Instant) -> bool {
        if self.looks.0.is_none_or(|since| now.duration_since(since) >= MINUTE) {
            self.looks = (Some(now), 0);
            self.looks_of.clear();
        }
        let own = self.looks_of.get(&from).copied().unwrap_or_default();
        let may = self.looks.1 < LOOKS_A_MINUTE && own < LOOKS_OF_ONE;
        if may {
            self.looks.1 += 1;
            self.looks_of.insert(from, own + 1);
        }
        may
    }
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
        let wants = self.keeping.book.wants(from, &voucher, 0, self.keeping.cost);
        if !self.keeping.is_on || is_foreign || voucher.payee == self.account() || !wants {
            return;
        }
        if !self.keeping.may_look(from, Instant::now()) {
            return tracing::debug!(%from, "more is left than is looked at");
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
        self.keeping.cost = cost;
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
        let units = self.keeping.book.left(now_ms());
        if units < cost {
            // Nothing may be handed in today.
            return Ok(());
        }
        // A payee that is a neighbour hands in its own within the time that it has.
        let due = self.keeping.book.due(now_s, |_| false);
        for place in &due {
            // Right before: whoever comes second pays a fee for nothing.
            self.see(*place, cost).await?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_looked_at_in_a_minute_and_no_more() {
        let (mut keeping, now) = (Keeping::default(), Instant::now());
        let mut looked = |later: Duration, of: u8| {
            let peers = (0..40_u8).map(|number| PeerId::new([number % of; 32]));
            peers.filter(|from| keeping.may_look(*from, now + later)).count()
        };
        assert_eq!((looked(Duration::ZERO, 20), looked(MINUTE / 2, 20)), (16, 0));
        assert_eq!(looked(MINUTE, 2), 8, "two of them leave room for others");
        assert_eq!(looked(MINUTE, 20), 8);
    }
}
