//! What an account's collateral and debts are worth.

use super::{
    Entry, Error, Reserve,
    math::{BPS, Overflow, Rounding, U256, WAD, mul_div, percent_mul, wide},
    state::{position, reserve},
};
use crate::{AccountId, Store, domains::oracle::Quote};

/// Where prices come from: the oracle on the ledger, a fixed list in vectors.
pub trait Quotes {
    /// The price of a feed now.
    fn quote(&self, store: &dyn Store, feed: u32) -> Result<Quote, Error>;
}

/// For what a price is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To let somebody owe more or pledge less: the less favourable of price and average.
    Borrow,
    /// To liquidate: the price.
    Liquidate,
}

/// An account's values in the feeds' unit (8 decimals), all from one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// What its collateral is worth, rounded down.
    pub collateral: U256,
    /// What it owes, rounded up.
    pub debt: U256,
    /// What it may owe, in basis points of its collateral, rounded down.
    pub ltv_bps: U256,
    /// What it may come to owe before it is liquidated, in basis points, rounded down.
    pub threshold_bps: U256,
    /// Health factor with 18 decimals; all bits set when it owes nothing.
    pub factor: U256,
    /// Whether something it pledged may not be borrowed against any more.
    pub has_zero_ltv: bool,
}

impl Health {
    /// What it may still borrow, in the feeds' unit.
    pub fn available_borrow(&self) -> Result<U256, Overflow> {
        let most = percent_mul(self.collateral, self.ltv_bps, Rounding::Floor)?;
        Ok(most.saturating_sub(self.debt))
    }

    /// Whether it may be liquidated: below 1, not at it.
    pub fn is_liquidatable(&self) -> bool {
        self.factor < wide(WAD)
    }
}

/// Sums over an account's reserves. At most as many as a market has.
pub fn health(
    store: &dyn Store,
    quotes: &dyn Quotes,
    now_s: u64,
    market: u32,
    account: AccountId,
    purpose: Purpose,
) -> Result<Health, Error> {
    let mut sums = Sums::default();
    for entry in position(store, market, account).entries {
        let reserve = reserve(store, market, entry.reserve).ok_or(Error::NoReserve)?;
        if !entry.collateral && entry.debt_scaled == 0 {
            continue;
        }
        let quote = quotes.quote(store, reserve.config.feed)?;
        sums.add(&reserve, &entry, &quote, now_s, purpose)?;
    }
    Ok(sums.health()?)
}

#[derive(Default)]
struct Sums {
    collateral: U256,
    debt: U256,
    ltv: U256,
    threshold: U256,
    has_zero_ltv: bool,
}

impl Sums {
    fn add(
        &mut self,
        reserve: &Reserve,
        entry: &Entry,
        quote: &Quote,
        now_s: u64,
        purpose: Purpose,
    ) -> Result<(), Overflow> {
        let (low, high) = match purpose {
            Purpose::Borrow => (quote.low, quote.high),
            Purpose::Liquidate => (quote.price, quote.price),
        };
        if entry.collateral {
            let index = reserve.income_index(now_s)?;
            let amount = super::math::ray_mul(wide(entry.supply_scaled), index, Rounding::Floor)?;
            let value = reserve.config.worth(amount, low, Rounding::Floor)?;
            let share = |bps: u16| value.checked_mul(U256::from(bps)).ok_or(Overflow);
            self.collateral = sum(self.collateral, value)?;
            self.ltv = sum(self.ltv, share(reserve.config.ltv_bps)?)?;
            self.threshold = sum(self.threshold, share(reserve.config.threshold_bps)?)?;
            self.has_zero_ltv |= reserve.config.ltv_bps == 0;
        }
        if entry.debt_scaled > 0 {
            let index = reserve.debt_index(now_s)?;
            let amount = super::math::ray_mul(wide(entry.debt_scaled), index, Rounding::Ceil)?;
            let value = reserve.config.worth(amount, high, Rounding::Ceil)?;
            self.debt = sum(self.debt, value)?;
        }
        Ok(())
    }

    fn health(self) -> Result<Health, Overflow> {
        let average = |weighted: U256| weighted.checked_div(self.collateral).unwrap_or_default();
        let factor = if self.debt.is_zero() {
            U256::MAX
        } else {
            mul_div(self.threshold, wide(WAD), self.debt, Rounding::Half)? / wide(BPS)
        };
        Ok(Health {
            collateral: self.collateral,
            debt: self.debt,
            ltv_bps: average(self.ltv),
            threshold_bps: average(self.threshold),
            factor,
            has_zero_ltv: self.has_zero_ltv,
        })
    }
}

fn sum(a: U256, b: U256) -> Result<U256, Overflow> {
    a.checked_add(b).ok_or(Overflow)
}
