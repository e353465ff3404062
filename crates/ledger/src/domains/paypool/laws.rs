//! What is always true of pools.

use std::collections::BTreeMap;

use super::state::{LANES, POOLS, Pool, vault};
use crate::{
    AssetId, Scan,
    domains::{Broken, accounts},
};

pub(super) fn laws(state: &dyn Scan) -> Result<(), Broken> {
    let mut locked: BTreeMap<AssetId, u128> = BTreeMap::new();
    let mut lanes_of_pools = 0;
    for (id, pool) in POOLS.all(state) {
        lanes_of_pools += check_pool(state, &id, &pool)?;
        let sum = locked.entry(pool.asset).or_default();
        *sum = sum.saturating_add(pool.free).saturating_add(pool.reserved);
    }
    for (asset, expected) in locked {
        let held = accounts::balance(state, vault(), asset);
        // Somebody may send to the domain's account: a gift is nobody's and changes nothing.
        Broken::unless_at_most("what pools owe is there", held, expected)?;
    }
    let lanes = u128::try_from(LANES.all(state).len()).unwrap_or(u128::MAX);
    Broken::unless_equal("no lane outlives its pool", lanes_of_pools, lanes)
}

/// Checks a pool against its lanes and tells how many it has.
fn check_pool(state: &dyn Scan, id: &[u8], pool: &Pool) -> Result<u128, Broken> {
    let (mut reserved, mut open, mut count) = (0_u128, 0_u128, 0_u128);
    for (_, lane) in LANES.all_of(state, id) {
        Broken::unless_at_most("a lane pays at most its reserve", lane.reserve, lane.redeemed)?;
        count += 1;
        if lane.open {
            open += 1;
            reserved = reserved.saturating_add(lane.reserve - lane.redeemed);
        }
    }
    Broken::unless_equal("a pool's reserve is its lanes'", reserved, pool.reserved)?;
    Broken::unless_equal("a pool counts its open lanes", open, pool.open_lanes.into())?;
    Broken::unless_equal("a pool counts its payees", count, pool.payees.into())?;
    Ok(count)
}
