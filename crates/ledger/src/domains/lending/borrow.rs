//! Debts: made and paid.

use super::{
    Error, Purpose,
    execute::Scene,
    math::{Rounding, WAD, percent_div, wide},
    reserve::add,
    state::{current, position, vault, write_position, write_reserve},
};
use crate::{AccountId, Overlay, domains::accounts};

pub(super) fn borrow(
    scene: Scene<'_>,
    index: u8,
    amount: u128,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut reserve = current(state, scene.now_s, scene.market, index)?;
    let scaled = reserve.scale_debt(amount, Rounding::Ceil)?;
    if scaled == 0 {
        return Err(Error::InvalidAmount);
    }
    if reserve.frozen {
        return Err(Error::ReserveFrozen);
    }
    if !reserve.config.borrowable {
        return Err(Error::BorrowingNotEnabled);
    }
    if reserve.claim(reserve.supply_scaled)? < reserve.debt(scaled)? {
        return Err(Error::InvalidAmount);
    }
    let owed = add(reserve.debt_scaled, scaled)?;
    if reserve.debt(owed)? > reserve.config.borrow_cap {
        return Err(Error::BorrowCapExceeded);
    }
    if amount > reserve.available {
        return Err(Error::NotEnoughLiquidity);
    }
    reserve.debt_scaled = owed;
    reserve.settle(0, amount)?;
    let mut held = position(state, scene.market, scene.signer);
    let mut entry = held.entry(index);
    entry.debt_scaled = add(entry.debt_scaled, scaled)?;
    held.set(entry);
    write_reserve(state, scene.market, index, &reserve);
    write_position(state, scene.market, scene.signer, &held);
    accounts::send(state, reserve.config.asset, vault(), scene.signer, amount)?;
    check_debt(scene, state)?;
    scene.emit(state, 4, &[scene.signer], &[index.into(), amount]);
    Ok(())
}

/// After more is owed: the collateral carries it, at what may be borrowed against it.
fn check_debt(scene: Scene<'_>, state: &Overlay<'_>) -> Result<(), Error> {
    let health = scene.health(state, scene.signer, Purpose::Borrow)?;
    if health.ltv_bps.is_zero() {
        return Err(Error::LtvValidationFailed);
    }
    if health.factor < wide(WAD) {
        return Err(Error::HealthFactorLowerThanLiquidationThreshold);
    }
    let needed = percent_div(health.debt, health.ltv_bps, Rounding::Ceil)?;
    if health.collateral < needed {
        return Err(Error::CollateralCannotCoverNewBorrow);
    }
    Ok(())
}

pub(super) fn repay(
    scene: Scene<'_>,
    index: u8,
    amount: Option<u128>,
    debtor: AccountId,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let mut reserve = current(state, scene.now_s, scene.market, index)?;
    let mut held = position(state, scene.market, debtor);
    let mut entry = held.entry(index);
    if entry.debt_scaled == 0 {
        return Err(Error::NoDebt);
    }
    let debt = reserve.debt(entry.debt_scaled)?;
    let amount = amount.unwrap_or(debt).min(debt);
    let scaled = reserve.scale_debt(amount, Rounding::Floor)?;
    if scaled == 0 {
        return Err(Error::InvalidBurnAmount);
    }
    accounts::send(state, reserve.config.asset, scene.signer, vault(), amount)?;
    entry.debt_scaled = entry.debt_scaled.checked_sub(scaled).ok_or(Error::Overflow)?;
    held.set(entry);
    reserve.debt_scaled = reserve.debt_scaled.checked_sub(scaled).ok_or(Error::Overflow)?;
    reserve.settle(amount, 0)?;
    write_reserve(state, scene.market, index, &reserve);
    write_position(state, scene.market, debtor, &held);
    let accounts: &[AccountId] =
        if debtor == scene.signer { &[debtor] } else { &[scene.signer, debtor] };
    scene.emit(state, 5, accounts, &[index.into(), amount]);
    Ok(())
}
