//! What became of a transaction: numbers, never text.

use minicbor::{Decode, Encode};

use crate::{AccountId, TransactionId};

/// What became of one transaction of a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Receipt {
    /// Which transaction.
    #[n(0)]
    pub transaction: TransactionId,
    /// The block it is in.
    #[n(1)]
    pub height: u64,
    /// Its position in the block, from 0.
    #[n(2)]
    pub index: u32,
    /// 0: done. Otherwise the refusal's number ([`crate::Code`]): only the fee and the nonce changed.
    #[n(3)]
    pub code: u16,
    /// What was paid for it, in units of the ledger's own asset.
    #[n(4)]
    pub fee: u128,
    /// What happened, in order. Empty when refused.
    #[n(5)]
    pub events: Vec<Event>,
}

/// One thing that happened, for those it concerns.
///
/// What the numbers mean is said by the domain that emits it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Event {
    /// The domain's prefix and the event's number within it, as in [`crate::Code`].
    #[n(0)]
    pub kind: u16,
    /// Accounts whose history this belongs to.
    #[n(1)]
    pub accounts: Vec<AccountId>,
    /// Amounts, ids, prices.
    #[n(2)]
    pub numbers: Vec<u128>,
}
