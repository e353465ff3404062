//! What is always true of markets.

use std::collections::BTreeMap;

use super::{
    Reserve,
    math::RAY,
    state::{POSITIONS, RESERVES, vault},
};
use crate::{
    Scan,
    domains::{Broken, accounts},
};

/// Units by which claims may exceed what stands behind them: one per rounding of the index between
/// updates, and it never grows with amounts.
const ROUNDING_UNITS: u128 = 1_000;

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let mut sums: BTreeMap<Vec<u8>, (u128, u128)> = BTreeMap::new();
    for (id, position) in POSITIONS.all(state) {
        let empty = position.entries.is_empty();
        Broken::unless_equal("an empty position has no record", 0, empty.into())?;
        for entry in position.entries {
            let idle = entry.collateral && entry.supply_scaled == 0;
            Broken::unless_equal("only claims are pledged", 0, idle.into())?;
            // market (4) ‖ account (32)
            let reserve = [&id[..4], &[entry.reserve]].concat();
            let (supply, debt) = sums.entry(reserve).or_default();
            *supply = supply.saturating_add(entry.supply_scaled);
            *debt = debt.saturating_add(entry.debt_scaled);
        }
    }
    let mut here = BTreeMap::new();
    for (id, reserve) in RESERVES.all(state) {
        let (supply, debt) = sums.remove(&id).unwrap_or_default();
        Broken::unless_equal("claims add up", reserve.supply_scaled, supply)?;
        Broken::unless_equal("debts add up", reserve.debt_scaled, debt)?;
        check_reserve(&reserve)?;
        let sum: &mut u128 = here.entry(reserve.config.asset).or_default();
        *sum = sum.saturating_add(reserve.available);
    }
    Broken::unless_equal("positions have a reserve", 0, u128::from(!sums.is_empty()))?;
    here.into_iter().try_for_each(|(asset, counted)| {
        let held = accounts::balance(state, vault(), asset);
        Broken::unless_at_most("what reserves count is there", held, counted)
    })
}

fn check_reserve(reserve: &Reserve) -> Result<(), Broken> {
    for index in [reserve.liquidity_index, reserve.borrow_index] {
        Broken::unless_at_most("an index is at least one", index, RAY)?;
    }
    let rates = (reserve.borrow_rate, reserve.liquidity_rate);
    Broken::unless_at_most("suppliers get at most what borrowers pay", rates.0, rates.1)?;
    let overflow = Broken { law: "claims fit 128 bits", expected: 0, found: 1 };
    let all = reserve.supply_scaled.saturating_add(reserve.accrued_scaled);
    let claims = reserve.claim(all).map_err(|_| overflow.clone())?;
    let debts = reserve.debt(reserve.debt_scaled).map_err(|_| overflow)?;
    let behind = [reserve.available, debts, reserve.deficit, ROUNDING_UNITS];
    let behind = behind.iter().fold(0_u128, |sum, part| sum.saturating_add(*part));
    Broken::unless_at_most("claims are at most what is here, owed and lost", behind, claims)
}
