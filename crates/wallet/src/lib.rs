//! A person's account on the ledger, sans-IO: what a tab shows and what it sends.
//!
//! [`Wallet::step`] takes the time and one [`Input`], pushes [`Output`]s and says when to call
//! again. Everything shown is [`view::View`]; everything a person wants is a [`view::Command`]. Both
//! are CBOR, because the wallet runs in a worker and the page beside it.
//!
//! | part | what it decides |
//! |---|---|
//! | `servers` | which servers there are, when to connect again, who is not asked any more |
//! | `holdings` | what the account has, each number with its proof and height |
//! | `transfers` | what was sent, what a transfer costs, what became of it |
//! | `past` | what came to the account, as servers tell it |
//! | `near` | neighbours: when they are asked, and what they are answered |
//! | `purse` | paying for bytes and being paid: deals, tills, and what they want of the ledger |
//! | `watch` | records that a page wants to know, proved together |
//! | [`lending`] | of such records: markets, a position, and what an action would do |
//! | `devices` | keys of meters, and what they sign |
//! | [`assets`] | of such records: what an account holds and issues beside the ledger's own asset |
//! | [`energy`] | of such records: communities, slots, and what a file of readings would be |
//! | [`dids`] | of such records: a DID, its history, what is asked of it |
//! | [`funds`] | of such records: what a fund's pool paid, pools that funds draw on |
//! | [`view`] | what a page may show and ask |
//!
//! Laws of this crate:
//! - a number shown as proved came out of the light client; everything else says who told it;
//! - a key leaves this crate only in a [`Output::Save`] for the device's own storage;
//! - nothing is sent that the proved state would refuse: of transfers of the ledger's own asset the wallet
//!   sees to it, of what is asked of other assets, markets and communities the page, by [`assets`],
//!   [`lending`] and [`energy`], before it asks.
//!
//! [`assets`], [`lending`], [`energy`], [`dids`] and [`funds`] are no part of [`Wallet`]: the page runs them on what the wallet proved,
//! and the worker's module stays small (`docs/adr/0056-lend-page.md`, `docs/adr/0058-energy-page.md`).
//!
//! Not here: sockets, storage, the seed from which an account's key follows (`identity`).

pub mod assets;
mod devices;
pub mod dids;
pub mod energy;
mod explain;
pub mod funds;
mod holdings;
pub mod lending;
mod near;
mod past;
mod purse;
mod servers;
#[cfg(test)]
mod tests;
mod transfers;
pub mod view;
mod wallet;
mod watch;

pub use wallet::{Input, Output, Saved, Wallet};
