//! What a validator reads of the others and of whoever hands it a snapshot: `ledger-node/src/testing.rs`, which plays it
//! for a while in every test run. Here with the feature `node` only: the engine takes minutes to compile.

pub use ledger_node::testing::{run, seeds};
