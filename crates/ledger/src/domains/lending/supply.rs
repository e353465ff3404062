//! Claims: made, burned, pledged.

use super::{
    Error, Purpose,
    execute::Scene,
    math::{Rounding, WAD, wide},
    reserve::add,
    state::{current, market, position, vault, write_position, write_reserve},
};
use crate::{Overlay, domains::accounts};

pub(super) fn supply(
    scene: Scene<'_>,
    index: u8,
    amount: u128,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut reserve = current(state, scene.now_s, scene.market, index)?;
    let scaled = reserve.scale_claim(amount, Rounding::Floor)?;
    if scaled == 0 {
        return Err(Error::InvalidAmount);
    }
    if reserve.frozen {
        return Err(Error::ReserveFrozen);
    }
    let supplied = add(reserve.supply_scaled, scaled)?;
    if reserve.claim(add(supplied, reserve.accrued_scaled)?)? > reserve.config.supply_cap {
        return Err(Error::SupplyCapExceeded);
    }
    accounts::send(state, reserve.config.asset, scene.signer, vault(), amount)?;
    reserve.supply_scaled = supplied;
    reserve.settle(amount, 0)?;
    let mut held = position(state, scene.market, scene.signer);
    let mut entry = held.entry(index);
    entry.collateral |= entry.supply_scaled == 0 && reserve.config.ltv_bps > 0;
    entry.supply_scaled = add(entry.supply_scaled, scaled)?;
    held.set(entry);
    write_reserve(state, scene.market, index, &reserve);
    write_position(state, scene.market, scene.signer, &held);
    scene.emit(state, 2, &[scene.signer], &[index.into(), amount]);
    Ok(())
}

pub(super) fn withdraw(
    scene: Scene<'_>,
    index: u8,
    amount: Option<u128>,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut reserve = current(state, scene.now_s, scene.market, index)?;
    let mut held = position(state, scene.market, scene.signer);
    let mut entry = held.entry(index);
    let (amount, scaled) = match amount {
        None => (reserve.claim(entry.supply_scaled)?, entry.supply_scaled),
        Some(amount) => (amount, reserve.scale_claim(amount, Rounding::Ceil)?),
    };
    if scaled == 0 {
        return Err(Error::InvalidAmount);
    }
    let left = entry.supply_scaled.checked_sub(scaled);
    entry.supply_scaled = left.ok_or(Error::NotEnoughAvailableUserBalance)?;
    if amount > reserve.available {
        return Err(Error::NotEnoughLiquidity);
    }
    let pledged = entry.collateral;
    entry.collateral &= entry.supply_scaled > 0;
    held.set(entry);
    reserve.supply_scaled -= scaled;
    reserve.settle(0, amount)?;
    write_reserve(state, scene.market, index, &reserve);
    write_position(state, scene.market, scene.signer, &held);
    accounts::send(state, reserve.config.asset, vault(), scene.signer, amount)?;
    if pledged && held.owes() {
        check_pledge(scene, reserve.config.ltv_bps, state)?;
    }
    scene.emit(state, 3, &[scene.signer], &[index.into(), amount]);
    Ok(())
}

/// After less is pledged: health stays at 1 or above, and what may not be borrowed against any more
/// leaves first.
fn check_pledge(scene: Scene<'_>, ltv_bps: u16, state: &Overlay<'_>) -> Result<(), Error> {
    let health = scene.health(state, scene.signer, Purpose::Borrow)?;
    if health.factor < wide(WAD) {
        return Err(Error::HealthFactorLowerThanLiquidationThreshold);
    }
    let must_leave_first = health.has_zero_ltv && ltv_bps > 0;
    if must_leave_first { Err(Error::LtvValidationFailed) } else { Ok(()) }
}

pub(super) fn set_collateral(
    scene: Scene<'_>,
    index: u8,
    on: bool,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let reserve = current(state, scene.now_s, scene.market, index)?;
    let mut held = position(state, scene.market, scene.signer);
    let mut entry = held.entry(index);
    if entry.supply_scaled == 0 {
        return Err(Error::UnderlyingBalanceZero);
    }
    if on && reserve.config.ltv_bps == 0 {
        return Err(Error::LtvValidationFailed);
    }
    let was_on = entry.collateral;
    entry.collateral = on;
    held.set(entry);
    write_position(state, scene.market, scene.signer, &held);
    if was_on && !on && held.owes() {
        check_pledge(scene, reserve.config.ltv_bps, state)?;
    }
    scene.emit(state, 6, &[scene.signer], &[index.into(), on.into()]);
    Ok(())
}

/// A supplier gives claims up against what was lost.
pub(super) fn cover(
    scene: Scene<'_>,
    index: u8,
    amount: u128,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut reserve = current(state, scene.now_s, scene.market, index)?;
    let amount = amount.min(reserve.deficit);
    if amount == 0 {
        return Err(Error::NoDeficit);
    }
    let scaled = reserve.scale_claim(amount, Rounding::Ceil)?;
    let mut held = position(state, scene.market, scene.signer);
    let mut entry = held.entry(index);
    let left = entry.supply_scaled.checked_sub(scaled);
    entry.supply_scaled = left.ok_or(Error::NotEnoughAvailableUserBalance)?;
    let pledged = entry.collateral;
    entry.collateral &= entry.supply_scaled > 0;
    held.set(entry);
    reserve.supply_scaled -= scaled;
    reserve.deficit -= amount;
    reserve.settle(0, 0)?;
    write_reserve(state, scene.market, index, &reserve);
    write_position(state, scene.market, scene.signer, &held);
    if pledged && held.owes() {
        check_pledge(scene, reserve.config.ltv_bps, state)?;
    }
    scene.emit(state, 9, &[scene.signer], &[index.into(), amount]);
    Ok(())
}

/// What was set aside becomes claims of the treasury. Indices and rates do not move: the claims were
/// counted as owed before.
pub(super) fn collect(scene: Scene<'_>, index: u8, state: &mut Overlay<'_>) -> Result<(), Error> {
    let market = market(state, scene.market).ok_or(Error::NoReserve)?;
    let mut reserve = super::reserve(state, scene.market, index).ok_or(Error::NoReserve)?;
    let scaled = reserve.accrued_scaled;
    if scaled == 0 {
        return Err(Error::InvalidAmount);
    }
    reserve.accrued_scaled = 0;
    reserve.supply_scaled = add(reserve.supply_scaled, scaled)?;
    let mut held = position(state, scene.market, market.treasury);
    let mut entry = held.entry(index);
    entry.supply_scaled = add(entry.supply_scaled, scaled)?;
    held.set(entry);
    write_reserve(state, scene.market, index, &reserve);
    write_position(state, scene.market, market.treasury, &held);
    scene.emit(state, 10, &[market.treasury], &[index.into(), scaled]);
    Ok(())
}
