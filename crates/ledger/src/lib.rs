//! The ledger's state machine: what a transaction does, decided the same everywhere.
//!
//! A block of transactions goes in, receipts and changed records come out ([`apply`]). Nothing here
//! knows who agreed on the block, where records lie or how a proof of one looks: the driver maps
//! [`Changes`] onto the engine's authenticated store, and a page runs the same code to see what an
//! action would do before it is signed.
//!
//! Bytes of keys, records and transactions: `docs/spec/ledger.md`.
//!
//! Laws of this crate:
//! - deterministic: no clock, entropy, IO, floats, hash maps; time and height come with the block;
//! - total: any bytes give a transaction or a [`Refusal`], any transaction a [`Receipt`] or a
//!   [`Refusal`], never a panic;
//! - atomic: a refused action leaves its fee and its nonce, nothing else;
//! - bounded: work and bytes of a block are counted before they are spent ([`limits`]);
//! - after every action the laws of every domain hold ([`laws`]).
//!
//! Not here: consensus, mempool, storage, networks, certificates and proofs.

mod app;
mod block;
mod code;
pub mod domains;
mod genesis;
mod id;
pub mod limits;
mod params;
mod policy;
mod receipt;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod transaction;

pub use app::{Action, check, execute, laws, reads, refusal_name, work};
pub use block::{
    Applied, Block, BlockContext, BlockError, BlockRun, Succession, Tip, apply, params, params_key,
    succession_key, tip,
};
pub use code::Code;
pub use genesis::{Genesis, GenesisError};
pub use id::{AccountId, AssetId, ChainId, TransactionId};
pub use params::Params;
pub use policy::{Policy, PolicyError};
pub use receipt::{Event, Receipt};
pub use state::{Changes, Key, MemoryStore, Overlay, Prefix, Scan, Store, record_hash};
pub use transaction::{Body, Checked, Refusal, Signature, Transaction};
