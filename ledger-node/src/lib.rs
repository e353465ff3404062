//! The ledger's driver: validators agree on blocks, `ledger` says what they do.
//!
//! [`Node::start`] runs one validator, alone or among others by the same code: a mempool, the
//! agreement and the authenticated store of the engine, records on disk. [`api::router`] answers
//! HTTP. Formats: `docs/spec/ledger.md`; what was chosen and why: `docs/adr/0015-ledger-node.md`.
//!
//! Laws of this crate:
//! - the engine's types stay here; a page or another server sees bytes and JSON;
//! - what is final is on disk before it is told to anybody;
//! - what a stranger sends is bounded and gets a numbered answer, never a panic. A validator that
//!   can't read or write its own disk stops.
//!
//! Not here: rules of the ledger, the light client, a ceremony of keys over the network.

pub mod api;
mod application;
mod block;
pub mod ceremony;
pub mod config;
mod engine;
mod faucet;
mod fill;
mod gossip;
pub mod header;
mod memory;
pub mod mempool;
mod network;
mod node;
mod recall;
mod records;
mod secret;
#[cfg(test)]
mod sim;
mod snapshot;
mod sockets;
mod state;
mod succession;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod transactions;
mod upgrade;

pub use config::Config;
pub use faucet::{Denied, Faucet, GIFT_UNITS};
pub use fill::{Filled, fill, filled_account};
pub use network::{
    Allocation, Network, NetworkError, Plan, VALIDATORS_MAX, Validator, deal_network,
    deal_successor, namespace,
};
pub use node::{Certified, Fate, Handle, Node, NodeError, Proved, Unanswered};
pub use records::RecordsError;
pub use snapshot::{Disk, Found, Restored, SnapshotError, Taken, found, restore, restore_late};
pub use succession::{SUCCESSIONS_MAX, Succession, SuccessionError};
pub use upgrade::{RULES, UPGRADES_MAX, Upgrade, UpgradeError};
