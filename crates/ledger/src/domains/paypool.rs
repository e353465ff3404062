//! Payments between peers: one deposit, a lane per payee, vouchers that only grow.
//!
//! A payer locks a deposit and reserves a part of it for each payee. Off the ledger it signs
//! vouchers, each for the whole sum owed so far; a payee keeps the newest and anyone may claim it for
//! them. What is reserved for one payee can't be promised to another, so there is nothing to watch
//! and nothing to punish: whoever holds a voucher within its reserve is paid, if it reaches the
//! ledger before the pool ends.
//!
//! | action | fields | who signs |
//! |---|---|---|
//! | open | asset, deposit, ttl in seconds, key that signs vouchers | the payer |
//! | top-up | pool, amount | the payer |
//! | extend | pool, ttl in seconds from now | the payer |
//! | reserve | pool, payees with amounts to add | the payer |
//! | claim | vouchers, all of pools that may differ | anyone |
//! | release | pool, epoch | the payee |
//! | close-start | pool | the payer |
//! | close-finish | pool | the payer, once nothing is reserved; anyone, once it is time |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 pool | pool | payer, asset, voucher key, free, reserved, expiry, closing, lanes | at close |
//! | 1 lane | pool ‖ payee | reserve, redeemed, epoch, open | at close |
//! | 2 payee | pool ‖ index | the payee of a lane, so that closing finds all | at close |
//! | 3 count | - | pools opened | never |
//!
//! Events: 0 opened (payer; pool, asset, deposit), 1 topped up (payer; pool, amount), 2 extended
//! (payer; pool, expiry), 3 reserved (payer, payee; pool, amount, epoch), 4 claimed (payer, payee;
//! pool, paid, redeemed, epoch), 5 released (payer, payee; pool, amount freed), 6 closing (payer;
//! pool, when), 7 closed (payer; pool, amount returned).
//!
//! Laws: what the domain's account holds is what pools have free and lanes have unredeemed, by
//! asset; a lane never pays more than its reserve; a pool's sums are those of its lanes.

mod action;
mod claim;
mod close;
mod error;
mod execute;
mod laws;
mod state;
#[cfg(test)]
mod tests;
mod voucher;

pub use action::Action;
pub use error::Error;
pub use execute::Paypool;
pub use state::{Lane, Pool, count_key, lane, lane_key, pool, pool_key};
pub use voucher::Voucher;

/// Shortest life of a pool from now, in seconds: an hour.
pub const TTL_MIN_S: u64 = 3_600;
/// Longest life of a pool from now, in seconds: 30 days.
pub const TTL_MAX_S: u64 = 30 * 86_400;
/// Time for claims after a payer starts closing, or after expiry, in seconds: a day.
pub const CHALLENGE_S: u64 = 86_400;
/// Most lanes in one reservation, and most vouchers in one claim.
pub const BATCH_MAX: usize = 64;
/// Most lanes a pool ever has: closing removes them all at once.
pub const LANES_MAX: u32 = 1_024;
