//! Drawing from a pool that somebody else opened for a fund: its voucher key is the fund's own, and so is its one lane.
//!
//! The fund signs vouchers for itself, for a little at a time, and pays viewers out of a pool of its own: only who locked
//! a pool may set parts of it aside for others. What was not drawn stays its owner's
//! (`docs/adr/0077-a-pool-that-a-fund-draws-from.md`).

use std::path::Path;

use ledger::{
    AssetId, ChainId,
    domains::paypool::{self, Lane, Voucher},
};
use primitives::KeyPair;
use serde::{Deserialize, Serialize};

use super::{Pay, Purse, PurseError, pool, state};
use crate::ledger_client::ClientError;

/// So many times what paying one person costs is kept in the account for fees: a round's, at least.
const FEES_TIMES: u128 = 32;
/// What became of what was drawn.
const REMEMBERED: &str = "drawn.json";

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
    /// Units that may be set aside for viewers: those that came, without what fees need, and those that came before
    /// and were not set aside yet.
    pub(crate) drawn: u128,
    /// Units that may still be drawn.
    pub(crate) drawable: u128,
    /// Nothing may be drawn any more: its owner asked for the rest, or its time is over.
    pub(crate) is_over: bool,
}

/// How much is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Draw {
    /// Units for which a voucher is handed in; 0: none is.
    asked: u128,
    /// Of these, for fees.
    for_fees: u128,
    /// Units that may be set aside then.
    drawn: u128,
}

impl Draw {
    /// So that `wanted` units may be set aside by an account which `has` so many, of which it keeps `fees`.
    /// Of these, `unused` were drawn before.
    fn of(wanted: u128, has: u128, unused: u128, fees: u128, drawable: u128, least: u128) -> Self {
        let short = if has < fees / 2 { fees.saturating_sub(has) } else { 0 };
        // What the owner sent for fees is not for viewers.
        let spare = has.saturating_sub(fees).min(unused).min(wanted);
        let asked = wanted.saturating_sub(spare).saturating_add(short).min(drawable);
        // What is less than its own fee is left where it is.
        let asked = if asked > least { asked } else { 0 };
        let for_fees = short.min(asked);
        Self { asked, for_fees, drawn: spare.saturating_add(asked - for_fees) }
    }
}

/// How much of what came through a lane is where it belongs: set aside for viewers, or kept for fees. The rest was drawn
/// in a round that failed before its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Used {
    chain: Option<ChainId>,
    pool: u64,
    epoch: u32,
    units: u128,
}

impl Used {
    /// As it is written down; of a lane that is not, all that came is used.
    async fn read(path: &Path, chain: ChainId, pool: u64, lane: &Lane) -> Result<Self, PurseError> {
        let known: Self = state::read(path).await?;
        let now = Self { chain: Some(chain), pool, epoch: lane.epoch, units: lane.redeemed };
        let is_same = Self { units: known.units, ..now } == known;
        Ok(if is_same { Self { units: known.units.min(lane.redeemed), ..known } } else { now })
    }
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
            found => return Ok((found?, self.stock(&pay.data, number, 0).await?.drawable)),
        }
        let Stock { drawn, drawable, .. } = self.stock(&pay.data, number, source.step).await?;
        let found = match pool::find_or_open(self, &of(drawn), pool::Again::Kept).await {
            Err(PurseError::Empty) => return Err(PurseError::NotOurs { pool: number }),
            found => found?,
        };
        self.note_used(&pay.data, drawn).await?;
        Ok((found, drawable))
    }

    /// Draws so many units, as far as there are any; and what fees need, where half of that is used up. What was drawn
    /// before and could not be set aside comes first. [`Self::set_aside`] says that it is.
    ///
    /// # Errors
    /// The pool is another key's, the ledger does not answer or refuses, or what is drawn can't be written down.
    pub(crate) async fn stock(
        &self,
        data: &Path,
        pool: u64,
        wanted: u128,
    ) -> Result<Stock, PurseError> {
        let Some((lane, is_open)) = self.source(pool).await? else {
            return Ok(Stock { drawn: 0, drawable: 0, is_over: true });
        };
        let (has, fees, least) =
            (self.units().await?, self.fees().await?, self.claim_cost().await?);
        let path = data.join(REMEMBERED);
        let mut used = Used::read(&path, self.chain, pool, &lane).await?;
        let unused = lane.redeemed.saturating_sub(used.units);
        let drawable = if is_open { lane.reserve.saturating_sub(lane.redeemed) } else { 0 };
        let Draw { asked, for_fees, drawn } = Draw::of(wanted, has, unused, fees, drawable, least);
        if asked == 0 {
            return Ok(Stock { drawn, drawable, is_over: !is_open });
        }
        // Before anything comes: a process that ends in between finds what it drew.
        state::write(&path, &used).await?;
        let (chain, payee) = (self.chain, self.account());
        let cumulative = lane.redeemed.saturating_add(asked);
        let voucher = Voucher::sign(&self.key, chain, pool, payee, lane.epoch, cumulative);
        self.act(paypool::Action::Claim { vouchers: vec![voucher] }).await?;
        if for_fees > 0 {
            used.units = used.units.saturating_add(for_fees);
            state::write(&path, &used).await?;
        }
        Ok(Stock { drawn, drawable: drawable.saturating_sub(asked), is_over: false })
    }

    /// So many units of what was drawn are in a pool for viewers.
    ///
    /// # Errors
    /// It can't be written down.
    pub(crate) async fn note_used(&self, data: &Path, units: u128) -> Result<(), PurseError> {
        if units == 0 {
            return Ok(());
        }
        let path = data.join(REMEMBERED);
        let mut used: Used = state::read(&path).await?;
        used.units = used.units.saturating_add(units);
        state::write(&path, &used).await
    }

    /// The lane from which is drawn, and whether that may go on; none: there is none any more, or not yet.
    async fn source(&self, number: u64) -> Result<Option<(Lane, bool)>, PurseError> {
        let Some((pool, now_s)) = self.pool(number).await? else { return Ok(None) };
        if pool.signer != self.key.id() || pool.asset != AssetId::NATIVE {
            return Err(PurseError::NotOurs { pool: number });
        }
        let lane = self.lane(number, self.account()).await?;
        Ok(lane.map(|lane| {
            let is_open = lane.open && pool.is_open(now_s);
            (lane, is_open)
        }))
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

#[cfg(test)]
mod tests {
    use super::*;

    const FEES: u128 = 640;
    const LEAST: u128 = 10;
    const FEE: u128 = 5;
    const STEP: u128 = 10_000;

    #[test]
    fn what_was_drawn_and_not_set_aside_is_not_drawn_again() {
        let (mut has, mut redeemed, mut used, mut claims) = (FEES, 0, 0, 0);
        let all = 10 * STEP;
        let of = |has, redeemed: u128, used: u128| {
            Draw::of(STEP, has, redeemed - used, FEES, all - redeemed, LEAST)
        };
        // What is claimed comes, and setting it aside fails, for a fee each time.
        for _ in 0..3 {
            let Draw { asked, drawn, .. } = of(has, redeemed, used);
            assert!(drawn > STEP - 5 * LEAST, "{drawn}");
            claims += u32::from(asked > 0);
            redeemed += asked;
            has += asked;
            has -= FEE;
        }
        assert_eq!((claims, redeemed), (1, STEP));
        // In the end it is, and the next step comes.
        let Draw { asked, drawn, .. } = of(has, redeemed, used);
        redeemed += asked;
        used += drawn;
        has = has + asked - drawn - FEE;
        assert!(has <= FEES);
        assert_eq!(of(has, redeemed, used), Draw { asked: STEP, for_fees: 0, drawn: STEP });
    }

    #[test]
    fn fees_are_drawn_where_half_of_them_is_used_up_and_are_not_set_aside() {
        let of = |wanted, has, unused, drawable| {
            let Draw { asked, drawn, .. } = Draw::of(wanted, has, unused, FEES, drawable, LEAST);
            (asked, drawn)
        };
        assert_eq!(of(STEP, FEES / 2, 0, STEP), (STEP, STEP));
        assert_eq!(of(STEP, 100, 0, 2 * STEP), (STEP + 540, STEP));
        assert_eq!(of(0, 100, 0, STEP), (540, 0));
        assert_eq!(of(STEP, 100, 0, 500), (500, 0));
        // What its owner sent stays where it is.
        assert_eq!(of(STEP, FEES + 2 * STEP, 0, STEP), (STEP, STEP));
        // Less than its own fee is left there, and what is here is used all the same.
        assert_eq!(of(STEP, FEES + STEP, STEP - LEAST, STEP), (0, STEP - LEAST));
        assert_eq!(of(STEP, FEES + 50, STEP, 0), (0, 50));
        assert_eq!(of(0, FEES + 50, STEP, STEP), (0, 0));
    }

    #[tokio::test]
    async fn what_came_of_a_lane_is_found_again_and_of_another_one_all_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(REMEMBERED);
        let chain = ChainId::new([1; 32]);
        let lane = |epoch, redeemed| Lane { redeemed, epoch, open: true, ..Lane::default() };
        let read = async |pool, lane: &Lane| Used::read(&path, chain, pool, lane).await.unwrap();
        let used = read(7, &lane(1, 100)).await;
        assert_eq!(used.units, 100);
        state::write(&path, &used).await.unwrap();
        assert_eq!(read(7, &lane(1, 400)).await.units, 100);
        assert_eq!(read(7, &lane(1, 50)).await.units, 50);
        assert_eq!(read(7, &lane(2, 30)).await.units, 30);
        assert_eq!(read(8, &lane(1, 400)).await.units, 400);
        std::fs::write(&path, "{").unwrap();
        let damaged = Used::read(&path, chain, 7, &lane(1, 400)).await;
        assert!(matches!(damaged, Err(PurseError::Damaged { .. })));
    }
}
