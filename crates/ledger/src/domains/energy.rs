//! How neighbours' energy is shared and priced: the mechanisms, as functions of a slot's numbers.
//!
//! A slot is 15 minutes. Energy is in Wh, prices in millionths of the money unit per kWh, money in
//! millionths. Buyers pay rounded up, sellers get rounded down; what is left is the community's.
//!
//! | mode | function | for whom |
//! |---|---|---|
//! | mid-market sharing | [`share`] | households whose page is closed: readings alone decide |
//! | uniform-price auction | [`clear`] | standing limits, one price for all, no race |
//! | continuous book | [`Book`] | flexible loads and batteries |
//! | deviations | [`settle`] | what was traded against what was measured |
//!
//! Laws: what is bought is what is sold; money adds up to nothing with fees, residue and the grid's
//! share; nobody pays above their limit or gets below it; the order of arrival changes nothing in an
//! auction; the auction's welfare is the best there is.
//!
//! Not here: communities, meters, readings and certificates as records of the ledger. They call this.

mod auction;
mod book;
mod deviation;
mod ratio;
mod sharing;
#[cfg(test)]
mod tests;

pub use auction::{Clearing, Fill, Flow, Order, clear};
pub use book::{Book, Resting, Side, Trade};
pub use deviation::{Deviation, Settlement, Traded, settle};
pub use ratio::pro_rata;
pub use sharing::{Metered, Part, Shared, Tariff, share};

/// Highest price, in millionths per kWh: a thousand units of money.
pub const PRICE_MAX: u64 = 1_000_000_000;
/// Most energy of an order or a reading, in Wh: a GWh in a slot is no household.
pub const QUANTITY_MAX_WH: u64 = 1_000_000_000;

/// Money for energy, rounded down.
fn floor_cost(quantity_wh: u64, price: u64) -> u128 {
    u128::from(quantity_wh) * u128::from(price) / 1_000
}

/// Money for energy, rounded up.
fn ceil_cost(quantity_wh: u64, price: u64) -> u128 {
    (u128::from(quantity_wh) * u128::from(price)).div_ceil(1_000)
}
