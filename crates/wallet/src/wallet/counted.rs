//! What a page is told of payments.

use ledger::{
    AssetId,
    domains::paypool::{self, Pool},
};
use primitives::PeerId;

use super::{Wallet, paying::TTL_S};
use crate::{
    holdings::Known,
    purse::{Deal, Received},
    view,
};

impl Wallet {
    fn open_cost(&self) -> Option<u128> {
        let (asset, signer) = (AssetId::NATIVE, PeerId::new([0xff; 32]));
        let deposit = u128::from(u64::MAX);
        self.most(paypool::Action::Open { asset, deposit, ttl_s: TTL_S, signer })
    }

    /// Units that the account lacks to hand in a voucher; 0: none, or not proved yet.
    fn claim_lacks(&self) -> u128 {
        let balance = self.holdings.balance.as_ref().map(|known| known.value.amount);
        let there = balance.map(|units| units.saturating_sub(self.transfers.outgoing()));
        let costs = self.claim_cost().zip(there);
        costs.map_or(0, |(cost, there)| cost.saturating_sub(there))
    }

    pub(super) fn shown_purse(&self) -> view::Purse {
        let purse = &self.purse;
        view::Purse {
            deals: purse.kept.deals.iter().rev().map(|deal| self.shown_deal(deal)).collect(),
            pools: purse.kept.pools.iter().rev().map(|pool| self.shown_pool(*pool)).collect(),
            dues: purse.kept.vouchers.iter().rev().map(|one| self.shown_due(one)).collect(),
            claim_cost: self.claim_cost(),
            open_cost: self.open_cost(),
            refused: purse.refused.clone(),
            claim_lacks: self.claim_lacks(),
            unread: purse.facts.unread(),
            hour: view::Hour {
                cap: purse.kept.hour.cap(),
                spent: purse.kept.hour.spent(self.now_ms),
                again_ms: purse.again_ms().filter(|again_ms| *again_ms > self.now_ms),
            },
            kept: view::Kept {
                count: u32::try_from(purse.kept.book.list().len()).unwrap_or(u32::MAX),
                units: purse.kept.book.worth(),
                spent: purse.kept.book.spent(self.now_ms),
            },
        }
    }

    fn shown_deal(&self, deal: &Deal) -> view::Deal {
        let running = self.purse.tills.get(&deal.share);
        view::Deal {
            share: deal.share.clone(),
            name: deal.name.clone(),
            part: deal.part,
            stage: deal.stage,
            units: deal.units,
            owed: running.map_or(0, |running| running.till.paid().owed),
            till: running.map_or(0, |running| running.number),
            stopped: deal.stopped.clone(),
        }
    }

    fn shown_pool(&self, number: u64) -> view::Pool {
        let proved = self.purse.facts.known_pool(number).and_then(|known| {
            let Known { value, height, time_ms } = known;
            let pool = value.as_ref()?;
            Some(view::ProvedPool {
                free: pool.free,
                reserved: pool.reserved,
                open_lanes: pool.open_lanes,
                ends_s: pool.ends_s(),
                closing: pool.closing_s.is_some(),
                height: *height,
                time_ms: *time_ms,
            })
        });
        let funding = self.purse.kept.pools.last() == Some(&number) && self.purse.funding.is_some();
        let busy = funding || self.purse.closes.iter().any(|close| close.pool == number);
        view::Pool { number, proved, promised: self.purse.kept.promised_of(number), busy }
    }

    fn shown_due(&self, one: &Received) -> view::Due {
        let voucher = &one.voucher;
        let lane = self.purse.facts.known_lane(voucher.pool, self.account);
        let open = lane.and_then(|known| known.value).filter(|lane| lane.epoch == voucher.epoch);
        let pool = self.purse.facts.known_pool(voucher.pool);
        let pool = pool.and_then(|known| known.value.as_ref());
        view::Due {
            pool: voucher.pool,
            epoch: voucher.epoch,
            name: one.name.clone(),
            promised: voucher.cumulative,
            redeemed: open.map_or(one.redeemed, |lane| lane.redeemed.max(one.redeemed)),
            height: lane.map_or(0, |known| known.height),
            ends_s: pool.map_or(0, Pool::ends_s),
            busy: self
                .purse
                .claims
                .iter()
                .any(|task| one.is_of(task.voucher.pool, task.voucher.epoch)),
            closed: one.closed,
        }
    }
}
