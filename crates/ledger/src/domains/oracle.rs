//! Prices that no single reporter can move.
//!
//! A feed has named reporters. Each says a price, signed by its account, numbered, with the time it
//! was seen. The price is the lower median of what is fresh, if enough are: with n reporters and
//! f = (n - 1) / 3 of them wrong in any way, 2f + 1 fresh reports give a median between two honest
//! ones. When too few are fresh, or the price jumped and no quorum has seen it again since, there is no
//! price, and what needs one is refused.
//!
//! | action | fields | who signs |
//! |---|---|---|
//! | create | reporters, age in seconds after which a report counts no more | anyone |
//! | report | feed, price, time seen, number | a reporter |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 feed | feed | reporters, age, accepted price, jump, averages | never |
//! | 1 report | feed ‖ index of the reporter | price, time, number | never |
//! | 2 count | - | feeds created | never |
//!
//! Prices have 8 decimals. Events: 0 created (creator; feed), 1 reported (reporter; feed, price, time).
//!
//! Laws: an accepted price is more than nothing; averages lie within what was accepted.

mod action;
mod average;
mod error;
mod execute;
mod laws;
mod quote;
mod state;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use error::{Error, Stale};
pub use execute::Oracle;
pub use quote::{Quote, quote};
pub use state::{Feed, Report, count, count_key, feed, feed_key, report, report_key};
pub use state::{feed_of, feeds_prefix, reports_prefix};

/// Fewest reporters: one of them may be wrong in any way.
pub const REPORTERS_MIN: usize = 4;
/// Most reporters: each price reads them all.
pub const REPORTERS_MAX: usize = 31;
/// Shortest age, in seconds.
pub const AGE_MIN_S: u64 = 10;
/// Longest age, in seconds: an hour.
pub const AGE_MAX_S: u64 = 3_600;
/// A change by more than this share of the last accepted price waits to be confirmed: 1/4.
pub const JUMP_DIVISOR: u64 = 4;
/// Time over which prices are averaged, in seconds.
pub const AVERAGE_S: u64 = 1_800;
