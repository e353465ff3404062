//! One asset of a market: its rules, its indices, its rates.

use minicbor::{Decode, Encode};

use super::math::{
    BPS, Overflow, RAY, Rounding, U256, compounded, linear, mul_div, narrow, percent_mul, ray_div,
    ray_mul, wide,
};
use crate::AssetId;

/// Rate of borrowing by use: rises gently to the optimal use, steeply above it. In basis points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Curve {
    /// Use at which the curve bends: 1 % to 99 %.
    #[n(0)]
    pub optimal_bps: u32,
    /// Rate of a year at no use.
    #[n(1)]
    pub base_bps: u32,
    /// What is added up to the optimal use.
    #[n(2)]
    pub slope1_bps: u32,
    /// What is added from there to full use; at least the first slope.
    #[n(3)]
    pub slope2_bps: u32,
}

/// The rules of a reserve, fixed when its market opens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Config {
    /// What is lent.
    #[n(0)]
    pub asset: AssetId,
    /// Whose price it has.
    #[n(1)]
    pub feed: u32,
    /// Decimals of the asset: the price is for 10^decimals units.
    #[n(2)]
    pub decimals: u8,
    /// What may be borrowed against it, in basis points of its value; 0: it is no collateral.
    #[n(3)]
    pub ltv_bps: u16,
    /// What must stay owed against it at most, in basis points of its value.
    #[n(4)]
    pub threshold_bps: u16,
    /// What a liquidator gets for what it repays: 10,500 is 5 % more.
    #[n(5)]
    pub bonus_bps: u16,
    /// The treasury's share of interest.
    #[n(6)]
    pub reserve_factor_bps: u16,
    /// The treasury's share of the liquidator's bonus.
    #[n(7)]
    pub protocol_fee_bps: u16,
    /// Most units supplied.
    #[n(8)]
    pub supply_cap: u128,
    /// Most units owed.
    #[n(9)]
    pub borrow_cap: u128,
    /// Whether it may be borrowed at all.
    #[n(10)]
    pub borrowable: bool,
    /// What borrowing costs.
    #[n(11)]
    pub curve: Curve,
}

/// A reserve as it stands.
///
/// Claims and debts are kept scaled: times the index is what they are worth, so that interest
/// touches no position.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Reserve {
    /// Its rules.
    #[n(0)]
    pub config: Config,
    /// Units per scaled claim, in rays.
    #[n(1)]
    pub liquidity_index: u128,
    /// Units per scaled debt, in rays.
    #[n(2)]
    pub borrow_index: u128,
    /// Rate of supply in rays a year.
    #[n(3)]
    pub liquidity_rate: u128,
    /// Rate of borrowing in rays a year.
    #[n(4)]
    pub borrow_rate: u128,
    /// When the indices were last brought up to date, in seconds since 1970-01-01 UTC.
    #[n(5)]
    pub updated_s: u64,
    /// The treasury's claims that were not yet collected, scaled.
    #[n(6)]
    pub accrued_scaled: u128,
    /// Units that are here, by the reserve's own count: gifts do not change it.
    #[n(7)]
    pub available: u128,
    /// Units that nobody owes any more and nobody has covered.
    #[n(8)]
    pub deficit: u128,
    /// Claims, scaled.
    #[n(9)]
    pub supply_scaled: u128,
    /// Debts, scaled.
    #[n(10)]
    pub debt_scaled: u128,
    /// Whether the market's creator stopped supply and borrowing.
    #[n(11)]
    pub frozen: bool,
}

/// A rule of a reserve that can't be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The market has this asset already.
    AssetTwice,
    /// More decimals than an asset may have.
    Decimals,
    /// More may be borrowed against it than at what it is liquidated.
    Ltv,
    /// Less for a liquidator than it repays.
    Bonus,
    /// Bonus times threshold is not below 1: a liquidation might lower the health of what is left.
    BonusAndThreshold,
    /// All of the interest, or more, for the treasury.
    ReserveFactor,
    /// More than the bonus for the treasury.
    ProtocolFee,
    /// The curve bends below 1 % or above 99 %.
    Optimal,
    /// It rises less above the optimal use than below it.
    Slopes,
    /// More than 1,000 % a year at full use.
    Steep,
}

/// Rules of a market's reserves that can't be kept, with the 0-based position of the reserve; in order of
/// reserves. None: the market may be opened, if its assets and feeds are there.
pub fn faults(reserves: &[Config]) -> Vec<(usize, Fault)> {
    let mut found = Vec::new();
    for (index, config) in reserves.iter().enumerate() {
        if reserves.iter().take(index).any(|other| other.asset == config.asset) {
            found.push((index, Fault::AssetTwice));
        }
        found.extend(config.faults().map(|fault| (index, fault)));
    }
    found
}

impl Config {
    /// Rules that can't be kept: the curve in its bounds, shares that are shares, and a liquidation that
    /// always raises the health of what is left.
    fn faults(&self) -> impl Iterator<Item = Fault> {
        let Curve { optimal_bps, base_bps, slope1_bps, slope2_bps } = self.curve;
        let steepest = [base_bps, slope1_bps, slope2_bps].map(u64::from).iter().sum::<u64>();
        let factor = u128::from(self.bonus_bps) * u128::from(self.threshold_bps);
        let checks = [
            (self.decimals <= crate::limits::DECIMALS_MAX, Fault::Decimals),
            (self.ltv_bps <= self.threshold_bps, Fault::Ltv),
            (u128::from(self.bonus_bps) >= BPS, Fault::Bonus),
            (factor < BPS * BPS, Fault::BonusAndThreshold),
            (u128::from(self.reserve_factor_bps) < BPS, Fault::ReserveFactor),
            (u128::from(self.protocol_fee_bps) <= BPS, Fault::ProtocolFee),
            ((100..=9_900).contains(&optimal_bps), Fault::Optimal),
            (slope1_bps <= slope2_bps, Fault::Slopes),
            (steepest <= 100_000, Fault::Steep),
        ];
        checks.into_iter().filter_map(|(is_kept, fault)| (!is_kept).then_some(fault))
    }

    /// Units of one whole.
    pub fn unit(&self) -> U256 {
        U256::from(10_u8).pow(U256::from(self.decimals))
    }

    /// What so many units are worth at a price, in the feeds' unit.
    pub fn worth(&self, amount: U256, price: u64, rounding: Rounding) -> Result<U256, Overflow> {
        mul_div(amount, U256::from(price), self.unit(), rounding)
    }
}

impl Reserve {
    /// A reserve in which nothing is.
    pub fn new(config: Config, now_s: u64) -> Self {
        Self {
            config,
            liquidity_index: RAY,
            borrow_index: RAY,
            liquidity_rate: 0,
            borrow_rate: 0,
            updated_s: now_s,
            accrued_scaled: 0,
            available: 0,
            deficit: 0,
            supply_scaled: 0,
            debt_scaled: 0,
            frozen: false,
        }
    }

    /// Units per scaled claim at a time not before the last update.
    pub fn income_index(&self, now_s: u64) -> Result<U256, Overflow> {
        let growth = linear(wide(self.liquidity_rate), now_s.saturating_sub(self.updated_s))?;
        ray_mul(growth, wide(self.liquidity_index), Rounding::Half)
    }

    /// Units per scaled debt at a time not before the last update.
    pub fn debt_index(&self, now_s: u64) -> Result<U256, Overflow> {
        let growth = compounded(wide(self.borrow_rate), now_s.saturating_sub(self.updated_s))?;
        ray_mul(growth, wide(self.borrow_index), Rounding::Half)
    }

    /// The reserve as an action at `now_s` finds it: for pages and whoever else only looks.
    pub fn at(&self, now_s: u64) -> Result<Self, Overflow> {
        let mut reserve = self.clone();
        reserve.accrue(now_s)?;
        Ok(reserve)
    }

    /// Brings the indices up to date and sets the treasury's share of the interest aside.
    pub(super) fn accrue(&mut self, now_s: u64) -> Result<(), Overflow> {
        if now_s <= self.updated_s {
            return Ok(());
        }
        if self.liquidity_rate != 0 {
            self.liquidity_index = narrow(self.income_index(now_s)?)?;
        }
        if self.debt_scaled != 0 {
            let before = self.borrow_index;
            self.borrow_index = narrow(self.debt_index(now_s)?)?;
            let growth = wide(self.borrow_index) - wide(before);
            let interest = ray_mul(wide(self.debt_scaled), growth, Rounding::Floor)?;
            let factor = U256::from(self.config.reserve_factor_bps);
            let share = percent_mul(interest, factor, Rounding::Half)?;
            let scaled = ray_div(share, wide(self.liquidity_index), Rounding::Floor)?;
            self.accrued_scaled = add(self.accrued_scaled, narrow(scaled)?)?;
        }
        self.updated_s = now_s;
        Ok(())
    }

    /// Counts units that came and went, then sets the rates. After every action, debts first.
    pub(super) fn settle(&mut self, added: u128, taken: u128) -> Result<(), Overflow> {
        let available = add(self.available, added)?.checked_sub(taken).ok_or(Overflow)?;
        let debt = ray_mul(wide(self.debt_scaled), wide(self.borrow_index), Rounding::Ceil)?;
        let factor = self.config.reserve_factor_bps;
        let (supply, borrow) =
            rates(&self.config.curve, debt, wide(available), wide(self.deficit), factor)?;
        self.available = available;
        self.liquidity_rate = narrow(supply)?;
        self.borrow_rate = narrow(borrow)?;
        Ok(())
    }

    /// Units a scaled claim is worth, rounded down; indices must be up to date.
    pub fn claim(&self, scaled: u128) -> Result<u128, Overflow> {
        narrow(ray_mul(wide(scaled), wide(self.liquidity_index), Rounding::Floor)?)
    }

    /// Units a scaled debt is, rounded up; indices must be up to date.
    pub fn debt(&self, scaled: u128) -> Result<u128, Overflow> {
        narrow(ray_mul(wide(scaled), wide(self.borrow_index), Rounding::Ceil)?)
    }

    /// Units that may still be supplied: the treasury's share counts, too; indices must be up to date.
    pub fn supply_left(&self) -> Result<u128, Overflow> {
        let counted = self.claim(add(self.supply_scaled, self.accrued_scaled)?)?;
        Ok(self.config.supply_cap.saturating_sub(counted))
    }

    /// Units that may still be owed; indices must be up to date.
    pub fn borrow_left(&self) -> Result<u128, Overflow> {
        Ok(self.config.borrow_cap.saturating_sub(self.debt(self.debt_scaled)?))
    }

    /// Scaled claims of an amount.
    pub(super) fn scale_claim(&self, amount: u128, rounding: Rounding) -> Result<u128, Overflow> {
        narrow(ray_div(wide(amount), wide(self.liquidity_index), rounding)?)
    }

    /// Scaled debts of an amount.
    pub(super) fn scale_debt(&self, amount: u128, rounding: Rounding) -> Result<u128, Overflow> {
        narrow(ray_div(wide(amount), wide(self.borrow_index), rounding)?)
    }
}

/// Rates of supply and of borrowing in rays a year.
///
/// `available` is what is left after the action; `deficit` lowers only what suppliers get.
pub fn rates(
    curve: &Curve,
    debt: U256,
    available: U256,
    deficit: U256,
    reserve_factor_bps: u16,
) -> Result<(U256, U256), Overflow> {
    let ray = |bps: u32| U256::from(bps) * wide(RAY / BPS);
    let base = ray(curve.base_bps);
    if debt.is_zero() {
        return Ok((U256::ZERO, base));
    }
    let half = Rounding::Half;
    let all = available.checked_add(debt).ok_or(Overflow)?;
    let used = ray_div(debt, all, half)?;
    let (optimal, slope1) = (ray(curve.optimal_bps), ray(curve.slope1_bps));
    let borrow = if used <= optimal {
        base + ray_div(ray_mul(slope1, used, half)?, optimal, half)?
    } else {
        let above = ray_div(used - optimal, wide(RAY) - optimal, half)?;
        base + slope1 + ray_mul(ray(curve.slope2_bps), above, half)?
    };
    let supplied = ray_div(debt, all.checked_add(deficit).ok_or(Overflow)?, half)?;
    let kept = BPS.saturating_sub(u128::from(reserve_factor_bps));
    let supply = percent_mul(ray_mul(borrow, supplied, half)?, wide(kept), half)?;
    Ok((supply, borrow))
}

/// A sum that must fit the state.
pub(super) fn add(a: u128, b: u128) -> Result<u128, Overflow> {
    a.checked_add(b).ok_or(Overflow)
}
