//! Paying neighbours for bytes, off the ledger and settled on it: one [`Till`] for each swarm, sans-IO.
//!
//! What carries bytes is ignorant of money. A driver tells the till how many bytes moved, carries its frames
//! ([`wire::pay`]) beside those of the swarm, and does on the ledger what it asks for. Mechanism: a pool of the
//! domain `paypool` with a lane for each payee, and vouchers that only grow.
//!
//! | who | does |
//! |---|---|
//! | payee | says its [`Earning`] terms; looks the lane up on the ledger before it counts on it; keeps the newest voucher; claims it |
//! | payer | within its [`Paying`] limits, sets units aside for whoever gives it bytes; after each quantum it signs what is owed |
//!
//! What each may lose: a payer what it signed beyond what came, which is nothing, since it pays after; a payee the
//! [`config::credit_bytes`] of a neighbour: one block of an unknown one, more of one that kept paying.
//! Vouchers are worth their lane's reserve whether or not the payer is there: the ledger holds it.
//!
//! What a neighbour that left was promised is kept for it, and handed in if it does not come back ([`keeping`]).
//!
//! A [`fund`] pays for a whole swarm out of one pool: what its owner gives to viewers who upload.
//!
//! Nothing here panics whatever a neighbour or the ledger says.

pub mod config;
mod earning;
pub mod fund;
pub mod keeping;
mod paying;
mod till;

pub use config::{Earning, Paying, Setup};
pub use earning::LaneProof;
pub use paying::{Promised, Reserved};
pub use till::{Earned, Event, Input, Output, Paid, Till};

#[cfg(test)]
mod tests;

/// Units that `bytes` cost at `per_mib` units for a MiB, rounded down: the payer never owes a unit for less.
pub(crate) fn price(bytes: u64, per_mib: u64) -> u128 {
    (u128::from(bytes) * u128::from(per_mib)) >> 20
}
