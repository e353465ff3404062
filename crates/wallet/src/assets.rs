//! Assets beside the ledger's own as a page shows them, out of records that are proved: what an account holds
//! and what it issues, and what an action would do, by the ledger's own code.
//!
//! An asset is a promise of its issuer, never money by itself: whoever shows one of these says whose it is.
//!
//! The page runs this, not the wallet, as it runs [`crate::lending`], whose [`Book`] of proved records it shares.
//!
//! How a light client learns what an account holds: a state can't be searched by proof, but assets are numbered
//! from 1 and their count is a record. So the balance of every asset is proved, or its absence is: of those made
//! last again with later blocks, of the others once, some at a time ([`wanted`]). Of more than
//! [`LOOKED_MAX`] the older ones are only looked at where something names them: a server that tells of what
//! came in, an action from here, a link. [`Holdings`] says how many were left out.
//!
//! | part | what it says |
//! |---|---|
//! | `held` | which records are needed, what they come to |
//! | `known` | which of them come first |
//! | `ask` | actions: what they cost, why they would be refused, what was asked before |
//!
//! Anybody may give everybody some of many assets. So those that one issues, marked, used or has had for long come first
//! ([`Known`]), and of what else came only so many are proved with each round; the rest is counted, and shown as it was
//! proved last.
//!
//! Laws: a number is only shown when it is proved; what is not proved is counted as such, never as nothing; what
//! strangers send hides nothing.

mod ask;
mod held;
mod known;
#[cfg(test)]
mod tests;

pub use ask::{Preview, Wish, ask, asked, deciding, named, preview};
pub use held::{
    FIRST_MAX, Holding, Holdings, LOOKED_MAX, holding, holdings, made_by, remember, wanted,
};
pub use known::{KNOWN_MAX, Known};
pub use ledger::limits::{DECIMALS_MAX, SYMBOL_BYTES_MAX};

pub use crate::lending::{Asset, Book, Scene, Seen, described};
