//! What a chain has chosen about fees and the size of its blocks.

use minicbor::{Decode, Encode};

use crate::{
    AccountId,
    limits::{BLOCK_BYTES_MAX, BLOCK_WORK_MAX},
};

/// A chain's choices, made at genesis, changed by upgrades at a height, and proved like every record.
///
/// A transaction costs `fee_base + fee_per_byte * bytes + fee_per_work * work`; offering more is
/// allowed and buys a better place with whoever builds the block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Params {
    /// Least price of a transaction, in units of the ledger's own asset.
    #[n(0)]
    pub fee_base: u64,
    /// Price of each byte.
    #[n(1)]
    pub fee_per_byte: u64,
    /// Price of each unit of work.
    #[n(2)]
    pub fee_per_work: u64,
    /// Who receives fees. Nobody: they are burned.
    #[n(3)]
    pub fee_account: Option<AccountId>,
    /// Most bytes of transactions in a block; at most [`BLOCK_BYTES_MAX`].
    #[n(4)]
    pub block_bytes_max: u64,
    /// Most work of a block; at most [`BLOCK_WORK_MAX`].
    #[n(5)]
    pub block_work_max: u64,
}

impl Default for Params {
    /// Fees burned: 1,000 units a transaction, 10 a byte, 100 a unit of work; blocks of 1 MiB.
    fn default() -> Self {
        Self {
            fee_base: 1_000,
            fee_per_byte: 10,
            fee_per_work: 100,
            fee_account: None,
            block_bytes_max: 1 << 20,
            block_work_max: 50_000,
        }
    }
}

impl Params {
    /// Least fee of a transaction of this size and work.
    pub fn fee(&self, bytes: u64, work: u32) -> u128 {
        u128::from(self.fee_base)
            + u128::from(self.fee_per_byte) * u128::from(bytes)
            + u128::from(self.fee_per_work) * u128::from(work)
    }

    /// Whether blocks stay within what the code bounds.
    pub fn fits(&self) -> bool {
        self.block_bytes_max <= BLOCK_BYTES_MAX && self.block_work_max <= BLOCK_WORK_MAX
    }
}
