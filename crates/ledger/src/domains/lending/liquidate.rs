//! Liquidation: how much, for how much, and what nobody can pay.

use super::{
    Error, Purpose, Reserve,
    execute::Scene,
    math::{Overflow, Rounding, U256, mul_div, narrow, percent_div, percent_mul, wide},
    reserve::add,
    state::{current, market, position, vault, write_position, write_reserve},
};
use crate::{AccountId, Overlay, domains::accounts};

/// Health above which only half of all debt may be repaid at once: 0.95 with 18 decimals.
const CLOSE_HEALTH: u128 = 950_000_000_000_000_000;
/// That half, in basis points.
const CLOSE_FACTOR_BPS: u16 = 5_000;
/// Value of collateral or debt below which all may be repaid at once: 2,000 in the feeds' unit.
const CLOSE_VALUE_MIN: u128 = 2_000 * 100_000_000;
/// Value that must be left on both sides of a position that is not cleared.
const LEFTOVER_MIN: u128 = CLOSE_VALUE_MIN / 2;

/// Prices and rules of a seizure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Price of the collateral.
    pub collateral_price: U256,
    /// Units of one whole of the collateral.
    pub collateral_unit: U256,
    /// Price of the debt.
    pub debt_price: U256,
    /// Units of one whole of the debt.
    pub debt_unit: U256,
    /// What the liquidator gets for what it repays, in basis points.
    pub bonus_bps: U256,
    /// The treasury's share of the bonus, in basis points.
    pub protocol_fee_bps: U256,
}

/// What changes hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seizure {
    /// Units of collateral for the liquidator.
    pub collateral: U256,
    /// Units of debt repaid.
    pub debt: U256,
    /// Units of collateral for the treasury.
    pub fee: U256,
}

/// What repaying `cover` is worth in collateral, of which the borrower has `held`.
pub fn seize(terms: &Terms, cover: U256, held: U256) -> Result<Seizure, Overflow> {
    let product = |a: U256, b: U256| a.checked_mul(b).ok_or(Overflow);
    let owed = product(terms.debt_price, terms.collateral_unit)?;
    let given = product(terms.collateral_price, terms.debt_unit)?;
    let base = mul_div(cover, owed, given, Rounding::Floor)?;
    let with_bonus = percent_mul(base, terms.bonus_bps, Rounding::Floor)?;
    let (seized, debt) = if with_bonus > held {
        let worth = mul_div(held, given, owed, Rounding::Floor)?;
        (held, percent_div(worth, terms.bonus_bps, Rounding::Ceil)?)
    } else {
        (with_bonus, cover)
    };
    let bonus = seized - percent_div(seized, terms.bonus_bps, Rounding::Floor)?.min(seized);
    let fee = percent_mul(bonus, terms.protocol_fee_bps, Rounding::Ceil)?.min(seized);
    Ok(Seizure { collateral: seized - fee, debt, fee })
}

/// What a liquidator asks for.
pub(super) struct Call {
    pub(super) collateral: u8,
    pub(super) debt: u8,
    pub(super) borrower: AccountId,
    pub(super) cover: u128,
}

/// Both reserves, up to date, and what the borrower has in them.
struct Sides {
    collateral: Reserve,
    debt: Reserve,
    held: u128,
    held_scaled: u128,
    owed: u128,
    terms: Terms,
}

pub(super) fn liquidate(
    scene: Scene<'_>,
    call: &Call,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    if call.borrower == scene.signer {
        return Err(Error::SelfLiquidation);
    }
    let health = scene.health(state, call.borrower, Purpose::Liquidate)?;
    if !health.is_liquidatable() {
        return Err(Error::HealthFactorNotBelowThreshold);
    }
    let sides = sides(scene, call, state)?;
    let most = most_debt(&sides, health.debt, health.factor)?;
    let cover = wide(call.cover.min(most));
    let seizure = seize(&sides.terms, cover, wide(sides.held))?;
    let (seized, repaid) = (narrow(seizure.collateral)?, narrow(seizure.debt)?);
    let fee = narrow(seizure.fee)?;
    check_dust(&sides, add(seized, fee)?, repaid)?;
    let consumed = sides
        .collateral
        .scale_claim(seized, Rounding::Ceil)?
        .checked_add(sides.collateral.scale_claim(fee, Rounding::Ceil)?)
        .ok_or(Overflow)?
        .min(sides.held_scaled);
    let value = value_of_collateral(&sides, sides.collateral.claim(consumed)?)?;
    let is_last = value == health.collateral;
    accounts::send(state, sides.debt.config.asset, scene.signer, vault(), repaid)?;
    burn_debt(scene, call, &sides, repaid, is_last, state)?;
    take_collateral(scene, call, seized, fee, consumed, is_last, state)?;
    if is_last {
        write_off(scene, call.borrower, state)?;
    }
    let numbers = [call.collateral.into(), call.debt.into(), repaid, seized, fee];
    scene.emit(state, 7, &[scene.signer, call.borrower], &numbers);
    Ok(())
}

fn sides(scene: Scene<'_>, call: &Call, state: &Overlay<'_>) -> Result<Sides, Error> {
    let collateral = current(state, scene.now_s, scene.market, call.collateral)?;
    let debt = current(state, scene.now_s, scene.market, call.debt)?;
    let position = position(state, scene.market, call.borrower);
    let pledged = position.entry(call.collateral);
    if !pledged.collateral {
        return Err(Error::CollateralCannotBeLiquidated);
    }
    let owed = debt.debt(position.entry(call.debt).debt_scaled)?;
    if owed == 0 {
        return Err(Error::SpecifiedCurrencyNotBorrowedByUser);
    }
    let price = |reserve: &Reserve| -> Result<U256, Error> {
        Ok(U256::from(scene.quotes.quote(state, reserve.config.feed)?.price))
    };
    let terms = Terms {
        collateral_price: price(&collateral)?,
        collateral_unit: collateral.config.unit(),
        debt_price: price(&debt)?,
        debt_unit: debt.config.unit(),
        bonus_bps: U256::from(collateral.config.bonus_bps),
        protocol_fee_bps: U256::from(collateral.config.protocol_fee_bps),
    };
    let held_scaled = pledged.supply_scaled;
    let held = collateral.claim(held_scaled)?;
    Ok(Sides { collateral, debt, held, held_scaled, owed, terms })
}

/// All of this debt; half of all debts while the position is large and nearly healthy.
fn most_debt(sides: &Sides, all_debts: U256, factor: U256) -> Result<u128, Overflow> {
    let terms = &sides.terms;
    let owed = value_of_debt(sides, sides.owed)?;
    let large = value_of_collateral(sides, sides.held)? >= wide(CLOSE_VALUE_MIN)
        && owed >= wide(CLOSE_VALUE_MIN);
    if large && factor > wide(CLOSE_HEALTH) {
        let half = percent_mul(all_debts, U256::from(CLOSE_FACTOR_BPS), Rounding::Half)?;
        if owed > half {
            return narrow(mul_div(half, terms.debt_unit, terms.debt_price, Rounding::Floor)?);
        }
    }
    Ok(sides.owed)
}

/// What is left must be nothing on one side, or enough on both that somebody liquidates it later.
fn check_dust(sides: &Sides, seized: u128, repaid: u128) -> Result<(), Error> {
    if repaid >= sides.owed || seized >= sides.held {
        return Ok(());
    }
    let debt = value_of_debt(sides, sides.owed - repaid)?;
    let collateral = value_of_collateral(sides, sides.held - seized)?;
    let enough = debt >= wide(LEFTOVER_MIN) && collateral >= wide(LEFTOVER_MIN);
    if enough { Ok(()) } else { Err(Error::MustNotLeaveDust) }
}

fn value_of_debt(sides: &Sides, amount: u128) -> Result<U256, Overflow> {
    let terms = &sides.terms;
    mul_div(wide(amount), terms.debt_price, terms.debt_unit, Rounding::Ceil)
}

fn value_of_collateral(sides: &Sides, amount: u128) -> Result<U256, Overflow> {
    let terms = &sides.terms;
    mul_div(wide(amount), terms.collateral_price, terms.collateral_unit, Rounding::Floor)
}

/// Burns what was repaid; all of it when no collateral is left, the rest being lost.
fn burn_debt(
    scene: Scene<'_>,
    call: &Call,
    sides: &Sides,
    repaid: u128,
    is_last: bool,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut reserve = sides.debt.clone();
    let mut position = position(state, scene.market, call.borrower);
    let mut entry = position.entry(call.debt);
    let burned = if is_last { sides.owed } else { repaid };
    let scaled = reserve.scale_debt(burned, Rounding::Floor)?;
    if scaled == 0 {
        return Err(Error::InvalidBurnAmount);
    }
    entry.debt_scaled = entry.debt_scaled.checked_sub(scaled).ok_or(Overflow)?;
    reserve.debt_scaled = reserve.debt_scaled.checked_sub(scaled).ok_or(Overflow)?;
    let lost = sides.owed.checked_sub(repaid).ok_or(Overflow)?;
    if is_last && lost > 0 {
        reserve.deficit = add(reserve.deficit, lost)?;
        scene.emit(state, 8, &[call.borrower], &[call.debt.into(), lost]);
    }
    reserve.settle(repaid, 0)?;
    position.set(entry);
    write_reserve(state, scene.market, call.debt, &reserve);
    write_position(state, scene.market, call.borrower, &position);
    Ok(())
}

/// Pays the liquidator in units and the treasury in claims.
fn take_collateral(
    scene: Scene<'_>,
    call: &Call,
    seized: u128,
    fee: u128,
    consumed: u128,
    is_last: bool,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    // Read again: the debt may have been in the same reserve.
    let mut reserve = current(state, scene.now_s, scene.market, call.collateral)?;
    if seized > reserve.available {
        return Err(Error::NotEnoughLiquidity);
    }
    let mut held = position(state, scene.market, call.borrower);
    let mut entry = held.entry(call.collateral);
    let burned = reserve.scale_claim(seized, Rounding::Ceil)?.min(entry.supply_scaled);
    let for_treasury = consumed.saturating_sub(burned);
    entry.collateral &= entry.supply_scaled > consumed && !is_last;
    entry.supply_scaled -= consumed;
    held.set(entry);
    reserve.supply_scaled = reserve.supply_scaled.checked_sub(burned).ok_or(Overflow)?;
    reserve.settle(0, seized)?;
    write_reserve(state, scene.market, call.collateral, &reserve);
    write_position(state, scene.market, call.borrower, &held);
    if fee > 0 && for_treasury > 0 {
        let treasury = market(state, scene.market).ok_or(Error::NoReserve)?.treasury;
        let mut claims = position(state, scene.market, treasury);
        let mut entry = claims.entry(call.collateral);
        entry.supply_scaled = add(entry.supply_scaled, for_treasury)?;
        claims.set(entry);
        write_position(state, scene.market, treasury, &claims);
    }
    accounts::send(state, reserve.config.asset, vault(), scene.signer, seized)?;
    Ok(())
}

/// With no collateral left, what else is owed is lost, openly: it becomes the reserves' deficit.
fn write_off(scene: Scene<'_>, borrower: AccountId, state: &mut Overlay<'_>) -> Result<(), Error> {
    let mut held = position(state, scene.market, borrower);
    for mut entry in held.entries.clone() {
        if entry.debt_scaled == 0 {
            continue;
        }
        let mut reserve = current(state, scene.now_s, scene.market, entry.reserve)?;
        let lost = reserve.debt(entry.debt_scaled)?;
        reserve.debt_scaled = reserve.debt_scaled.checked_sub(entry.debt_scaled).ok_or(Overflow)?;
        reserve.deficit = add(reserve.deficit, lost)?;
        reserve.settle(0, 0)?;
        entry.debt_scaled = 0;
        held.set(entry);
        write_reserve(state, scene.market, entry.reserve, &reserve);
        scene.emit(state, 8, &[borrower], &[entry.reserve.into(), lost]);
    }
    write_position(state, scene.market, borrower, &held);
    Ok(())
}
