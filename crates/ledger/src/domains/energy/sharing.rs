//! Sharing after the fact: one price in the middle, parts by readings.

use minicbor::{Decode, Encode};

use super::{ceil_cost, floor_cost, ratio::pro_rata};

/// What energy costs without neighbours, in millionths per kWh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Tariff {
    /// Bought from the grid.
    #[n(0)]
    pub retail: u64,
    /// Sold to the grid.
    #[n(1)]
    pub feed_in: u64,
    /// For using the grid between neighbours.
    #[n(2)]
    pub grid_fee: u64,
}

/// A reading of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metered {
    /// Which meter; the smaller first among equals.
    pub id: u64,
    /// Wh taken.
    pub import_wh: u64,
    /// Wh given.
    pub export_wh: u64,
}

/// What a slot is for one meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its reading.
    pub metered: Metered,
    /// Wh taken from neighbours.
    pub local_import_wh: u64,
    /// Wh given to neighbours.
    pub local_export_wh: u64,
    /// Millionths paid for neighbours' energy, grid fee included.
    pub local_cost: u128,
    /// Millionths of it that are the grid fee.
    pub grid_fee: u128,
    /// Millionths paid for the grid's energy.
    pub grid_cost: u128,
    /// Millionths got from neighbours.
    pub local_revenue: u128,
    /// Millionths got from the grid.
    pub grid_revenue: u128,
}

/// A slot that was shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// Wh that stayed among neighbours.
    pub volume_wh: u64,
    /// Millionths per kWh between neighbours, without the grid fee.
    pub mid: u64,
    /// One per meter, in order of ids.
    pub parts: Vec<Part>,
    /// Millionths left by rounding: for the community.
    pub residue: u128,
    /// Millionths of grid fees.
    pub grid_fees: u128,
    /// Millionths the retailer got less what it paid.
    pub grid_net: i128,
}

impl Tariff {
    /// Whether neighbours gain by sharing: the middle lies between feed-in and retail.
    pub fn is_sound(&self) -> bool {
        let highest = [self.retail, self.feed_in, self.grid_fee].into_iter().max();
        let fits = highest.is_some_and(|price| price <= super::PRICE_MAX);
        fits && self.feed_in.saturating_add(self.grid_fee) <= self.retail
    }

    /// The middle of what a buyer saves and a seller gains, rounded down; nothing if there is none.
    pub fn mid(&self) -> u64 {
        (self.retail + self.feed_in).saturating_sub(self.grid_fee) / 2
    }
}

impl Part {
    /// Millionths this meter's owner gets, or pays if negative.
    pub fn total(&self) -> i128 {
        let got = signed(self.local_revenue + self.grid_revenue);
        got - signed(self.local_cost + self.grid_cost)
    }
}

/// Shares what neighbours gave among those who took, by readings; the grid does the rest.
pub fn share(readings: &[Metered], tariff: &Tariff) -> Shared {
    let mut readings = readings.to_vec();
    readings.sort_by_key(|reading| reading.id);
    let imports: Vec<u64> = readings.iter().map(|reading| reading.import_wh).collect();
    let exports: Vec<u64> = readings.iter().map(|reading| reading.export_wh).collect();
    let volume_wh = imports.iter().sum::<u64>().min(exports.iter().sum());
    let (taken, given) = (pro_rata(volume_wh, &imports), pro_rata(volume_wh, &exports));
    let mid = tariff.mid();
    let part = |((metered, local_import_wh), local_export_wh): ((&Metered, u64), u64)| Part {
        metered: *metered,
        local_import_wh,
        local_export_wh,
        local_cost: ceil_cost(local_import_wh, mid + tariff.grid_fee),
        grid_fee: floor_cost(local_import_wh, tariff.grid_fee),
        grid_cost: ceil_cost(metered.import_wh - local_import_wh, tariff.retail),
        local_revenue: floor_cost(local_export_wh, mid),
        grid_revenue: floor_cost(metered.export_wh - local_export_wh, tariff.feed_in),
    };
    let parts: Vec<Part> = readings.iter().zip(taken).zip(given).map(part).collect();
    let sum = |of: fn(&Part) -> u128| parts.iter().map(of).sum::<u128>();
    let grid_fees = sum(|part| part.grid_fee);
    let residue = sum(|part| part.local_cost) - grid_fees - sum(|part| part.local_revenue);
    let grid_net = signed(sum(|part| part.grid_cost)) - signed(sum(|part| part.grid_revenue));
    Shared { volume_wh, mid, parts, residue, grid_fees, grid_net }
}

pub(super) fn signed(money: u128) -> i128 {
    i128::try_from(money).expect("prices and quantities are bounded far below 127 bits")
}
