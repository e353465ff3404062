//! What was traded against what was measured.

use super::{
    Metered, ceil_cost, floor_cost,
    sharing::{Tariff, signed},
};

/// What a meter's owner traded before a slot, and what the meter then showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traded {
    /// The reading; a meter without one has nothing measured.
    pub metered: Metered,
    /// Wh sold before.
    pub sold_wh: u64,
    /// Wh bought before.
    pub bought_wh: u64,
}

/// What one meter deviates, and what that costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// Which meter.
    pub id: u64,
    /// Wh left over, or missing if negative.
    pub position_wh: i128,
    /// Millionths got for what is left over, or paid for what is missing if negative.
    pub money: i128,
}

/// A slot that was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// One per meter, in order of ids.
    pub deviations: Vec<Deviation>,
    /// Millionths the retailer got less what it paid.
    pub grid_net: i128,
    /// Wh the grid supplied.
    pub grid_in_wh: u128,
    /// Wh the grid took.
    pub grid_out_wh: u128,
}

/// Settles deviations with the grid: what is left over at feed-in, rounded down, what is missing at
/// retail, rounded up.
pub fn settle(slot: &[Traded], tariff: &Tariff) -> Settlement {
    let mut slot = slot.to_vec();
    slot.sort_by_key(|traded| traded.metered.id);
    let (mut grid_in_wh, mut grid_out_wh) = (0, 0);
    let mut deviations = Vec::with_capacity(slot.len());
    for traded in &slot {
        let has = traded.metered.export_wh + traded.bought_wh;
        let owes = traded.metered.import_wh + traded.sold_wh;
        let money = match has.checked_sub(owes) {
            Some(over_wh) => {
                grid_out_wh += u128::from(over_wh);
                signed(floor_cost(over_wh, tariff.feed_in))
            }
            None => {
                grid_in_wh += u128::from(owes - has);
                -signed(ceil_cost(owes - has, tariff.retail))
            }
        };
        let position_wh = i128::from(has) - i128::from(owes);
        deviations.push(Deviation { id: traded.metered.id, position_wh, money });
    }
    let grid_net = -deviations.iter().map(|deviation| deviation.money).sum::<i128>();
    Settlement { deviations, grid_net, grid_in_wh, grid_out_wh }
}
