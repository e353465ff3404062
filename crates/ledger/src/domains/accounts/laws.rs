//! What is always true of accounts.

use std::collections::BTreeMap;

use super::state::{BALANCES, Balance, SUPPLIES};
use crate::{AssetId, Scan, domains::Broken};

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let mut held: BTreeMap<Vec<u8>, u128> = BTreeMap::new();
    for (id, balance) in BALANCES.all(state) {
        let law = "a balance of nothing has no record";
        Broken::unless_equal(law, 0, u128::from(balance == Balance::default()))?;
        // account (32) ‖ asset (4)
        let sum = held.entry(id[32..].to_vec()).or_default();
        *sum = sum.saturating_add(balance.amount);
    }
    for (asset, supply) in SUPPLIES.all(state) {
        let sum = held.remove(&asset).unwrap_or_default();
        Broken::unless_equal("balances add up to the supply", supply, sum)?;
    }
    // What is left has no supply: frozen balances of nothing.
    held.values().try_for_each(|sum| Broken::unless_equal("units have a supply", 0, *sum))
}

/// Number of frozen balances by asset: for the laws of `assets`.
pub(crate) fn frozen(state: &dyn Scan) -> BTreeMap<AssetId, u128> {
    let mut counts = BTreeMap::new();
    for (id, _) in BALANCES.all(state).into_iter().filter(|(_, balance)| balance.frozen) {
        let number = id[32..].try_into().map(u32::from_be_bytes).unwrap_or(u32::MAX);
        *counts.entry(AssetId(number)).or_default() += 1;
    }
    counts
}
