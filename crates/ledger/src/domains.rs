//! What the ledger keeps: one room per domain, every room with the same doors.
//!
//! A room is `<domain>.rs` (story, tables of actions and records, laws) and `<domain>/` with
//! `action`, `error`, `state`, `execute`, `laws` and `tests`. A domain calls other domains'
//! functions, never their tables, which are private. Adding one: its [`crate::Prefix`], its room,
//! a line in the list of `app.rs`.

pub mod accounts;
pub mod assets;
pub mod energy;
pub mod identity;
pub mod lending;
pub mod oracle;
pub mod paypool;

use core::fmt;

use crate::{AccountId, BlockContext, Code, Key, Overlay, Scan};

/// What every domain answers. No default bodies: forgetting is a compile error.
pub trait Domain {
    /// What one may ask of it.
    type Action;
    /// Why it refuses: a closed list with stable numbers, whose order is the order of the checks.
    type Error: Code;

    /// What is wrong with an action in any state. Wallets ask before they sign.
    fn check(action: &Self::Action) -> Result<(), Self::Error>;

    /// Bound of what an action costs, in records read and written.
    fn work(action: &Self::Action) -> u32;

    /// Does the action, or refuses; what was written before a refusal is dropped by the caller.
    fn execute(
        context: &BlockContext,
        signer: AccountId,
        action: &Self::Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Self::Error>;

    /// What happens after the last transaction of a block, whoever asked. Bounded by a constant.
    fn end_block(context: &BlockContext, state: &mut Overlay<'_>);

    /// Whether this version reads a record; none: its key is of no table of this domain.
    fn reads(key: &Key, record: &[u8]) -> Option<bool>;

    /// What must be true after every action; asked by tests and the simulator.
    fn laws(state: &dyn Scan) -> Result<(), Broken>;
}

/// A law that does not hold: the code is wrong, not a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The sentence that is false.
    pub law: &'static str,
    /// What the law expects.
    pub expected: u128,
    /// What was found.
    pub found: u128,
}

impl Broken {
    /// Holds when both are equal.
    pub(crate) fn unless_equal(law: &'static str, expected: u128, found: u128) -> Result<(), Self> {
        if expected == found { Ok(()) } else { Err(Self { law, expected, found }) }
    }

    /// Holds when `found` is at most `limit`.
    pub(crate) fn unless_at_most(law: &'static str, limit: u128, found: u128) -> Result<(), Self> {
        if found <= limit { Ok(()) } else { Err(Self { law, expected: limit, found }) }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken law: {}: expected {}, found {}", self.law, self.expected, self.found)
    }
}

impl core::error::Error for Broken {}
