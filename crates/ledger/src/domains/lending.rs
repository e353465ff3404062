//! Supply, borrow, liquidate: markets with nobody in the middle.
//!
//! A market is a handful of reserves that share risk with each other and with nothing else. Anyone
//! opens one, with rules that are checked and then fixed. Rates, health and liquidation are those of
//! Aave v3.7, unit by unit; every rounding goes against the user and for the pool, so that no series
//! of small actions gains what one large one would not.
//!
//! | action | fields | who signs |
//! |---|---|---|
//! | open | treasury, reserves with their rules | the creator to be |
//! | freeze | market, reserve, on or off | the creator |
//! | supply, withdraw, borrow, set-collateral | market, reserve, amount or on | the account itself |
//! | repay | market, reserve, amount or all, debtor | anyone |
//! | liquidate | market, collateral, debt, borrower, cover | anyone but the borrower |
//! | cover | market, reserve, amount: claims burned against the deficit | a supplier |
//! | collect | market, reserve | anyone |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 market | market | creator, treasury, number of reserves | never |
//! | 1 reserve | market ‖ reserve | rules, indices, rates, sums | never |
//! | 2 position | market ‖ account | claims and debts, scaled, by reserve | when empty |
//! | 3 count | - | markets opened | never |
//!
//! Events carry (market, reserve, ...): 0 opened (market), 1 frozen (1 or 0), 2 supplied (amount), 3
//! withdrawn (amount), 4 borrowed (amount), 5 repaid (amount; signer and debtor), 6 collateral (1 or
//! 0), 7 liquidated (collateral reserve, debt reserve, repaid, seized, fee; liquidator and borrower), 8
//! deficit booked (amount; borrower), 9 deficit covered (amount), 10 collected (scaled; treasury).
//!
//! Rounding: claims made down, claims burned up, debts made up, debts burned down; collateral valued
//! down, debt valued up.
//!
//! Laws: claims and debts of all accounts add up to the reserve's; indices start at one; the vault
//! holds at least what all reserves count as here; what is owed to suppliers is at most what is here,
//! owed and lost.
//!
//! Left out: fixed-term offers, for which numbers are kept ([`terms`]), and e-mode: assets that move together have a
//! market of their own.

mod action;
mod borrow;
mod error;
mod execute;
mod health;
mod laws;
mod liquidate;
mod listing;
pub mod math;
mod offer;
mod reserve;
mod state;
mod supply;
pub mod terms;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use error::Error;
pub use execute::{Lending, OnLedger, act, moved, seized};
pub use health::{Health, Purpose, Quotes, health};
pub use liquidate::{Seizure, Terms, seize};
pub use listing::{market_of, markets_prefix, position_of, positions_prefix, reserves_prefix};
pub use offer::{LIQUIDATED, Offer, best_offer};
pub use reserve::{Config, Curve, Fault, Reserve, faults, rates};
pub use state::{
    Entry, Market, Position, count, count_key, market, market_key, position, position_key, reserve,
    reserve_key, vault,
};

/// Most reserves of a market: what one valuation reads.
pub const RESERVES_MAX: usize = 8;
