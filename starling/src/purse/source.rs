//! Drawing from a pool that somebody else opened for a fund: its voucher key is the fund's own, and so is its one lane.
//!
//! The fund signs vouchers for itself, for a little at a time, and pays viewers out of a pool of its own: only who locked
//! a pool may set parts of it aside for others. What was not drawn stays its owner's
//! (`docs/adr/0077-a-pool-that-a-fund-draws-from.md`).

use ledger::{
    AssetId,
    domains::paypool::{self, Lane, Voucher},
};
use primitives::KeyPair;

use super::{Pay, Purse, PurseError, pool};
use crate::ledger_client::ClientError;

/// So many times what paying one person costs is kept in the account for fees: a round's, at least.
const FEES_TIMES: u128 = 32;

/// Which pool is drawn from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    /// Its number.
    pub(crate) pool: u64,
    /// What the fund's own pool is to hold.
    pub(crate) step: u128,
}

/// What came of drawing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stock {
    /// Units that came, without what fees need.
    pub(crate) drawn: u128,
    /// Units that may still be drawn.
    pub(crate) drawable: u128,
    /// Nothing may be drawn any more: its owner asked for the rest, or its time is over.
    pub(crate) is_over: bool,
}

impl Purse {
    /// Units of the account that are kept for fees.
    pub(super) async fn fees(&self) -> Result<u128, ClientError> {
        Ok(self.claim_cost().await?.saturating_mul(2 * FEES_TIMES))
    }

    /// Units of the account.
    pub(super) async fn units(&self) -> Result<u128, ClientError> {
        Ok(self.client.holding(self.account()).await?.units.parse().unwrap_or(0))
    }

    /// The fund's own pool, as it is; where there is none, one with what is drawn for it. And what may still be drawn.
    pub(super) async fn find_or_draw(
        &self,
        source: Source,
        pay: &Pay,
    ) -> Result<((u64, KeyPair), u128), PurseError> {
        let number = source.pool;
        let of = |spend_max| Pay { spend_max, ..pay.clone() };
        match pool::find_or_open(self, &of(0), pool::Again::Kept).await {
            Err(PurseError::Empty) => {}
            found => return Ok((found?, self.stock(number, 0).await?.drawable)),
        }
        let Stock { drawn, drawable, .. } = self.stock(number, source.step).await?;
        match pool::find_or_open(self, &of(drawn), pool::Again::Kept).await {
            Err(PurseError::Empty) => Err(PurseError::NotOurs { pool: number }),
            found => Ok((found?, drawable)),
        }
    }

    /// Draws so many units, as far as there are any; and what fees need, where half of that is used up.
    ///
    /// # Errors
    /// The pool is another key's, or the ledger does not answer or refuses.
    pub(crate) async fn stock(&self, pool: u64, wanted: u128) -> Result<Stock, PurseError> {
        let Some(lane) = self.source(pool).await? else {
            return Ok(Stock { drawn: 0, drawable: 0, is_over: true });
        };
        let (has, fees) = (self.units().await?, self.fees().await?);
        let short = if has < fees / 2 { fees - has } else { 0 };
        let drawable = lane.reserve.saturating_sub(lane.redeemed);
        let asked = wanted.saturating_add(short).min(drawable);
        // What is less than its own fee is left where it is.
        if asked <= self.claim_cost().await? {
            return Ok(Stock { drawn: 0, drawable, is_over: false });
        }
        let (chain, payee) = (self.chain, self.account());
        let cumulative = lane.redeemed.saturating_add(asked);
        let voucher = Voucher::sign(&self.key, chain, pool, payee, lane.epoch, cumulative);
        self.act(paypool::Action::Claim { vouchers: vec![voucher] }).await?;
        let drawn = asked.saturating_sub(short);
        Ok(Stock { drawn, drawable: drawable.saturating_sub(asked), is_over: false })
    }

    /// The lane from which is drawn; none: nothing may be drawn any more, or yet.
    async fn source(&self, number: u64) -> Result<Option<Lane>, PurseError> {
        let Some((pool, now_s)) = self.pool(number).await? else { return Ok(None) };
        if pool.signer != self.key.id() || pool.asset != AssetId::NATIVE {
            return Err(PurseError::NotOurs { pool: number });
        }
        let lane = self.lane(number, self.account()).await?;
        Ok(lane.filter(|lane| lane.open && pool.is_open(now_s)))
    }

    /// Gives the lane back: then its owner has the rest at once, not a day later.
    ///
    /// # Errors
    /// The ledger does not answer or refuses.
    pub(crate) async fn let_go(&self, pool: u64) -> Result<(), ClientError> {
        let lane = self.lane(pool, self.account()).await?.filter(|lane| lane.open);
        match lane {
            Some(Lane { epoch, .. }) => self.act(paypool::Action::Release { pool, epoch }).await,
            None => Ok(()),
        }
    }

    /// Puts so many units of the account into the pool from which viewers are paid.
    ///
    /// # Errors
    /// The ledger does not answer or refuses.
    pub(crate) async fn top_up(&self, units: u128) -> Result<(), ClientError> {
        let Some((pool, _)) = self.paying.as_ref().filter(|_| units > 0) else { return Ok(()) };
        self.act(paypool::Action::TopUp { pool: *pool, amount: units }).await
    }
}
