//! What one may ask of pools.

use minicbor::{Decode, Encode};
use primitives::PeerId;

use super::Voucher;
use crate::{AccountId, AssetId};

/// What one may ask of pools.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Lock a deposit.
    #[n(0)]
    Open {
        /// Of which asset.
        #[n(0)]
        asset: AssetId,
        /// Units, more than none.
        #[n(1)]
        deposit: u128,
        /// Life from now, in seconds.
        #[n(2)]
        ttl_s: u64,
        /// The key that signs vouchers: one made for it, so that the account's own can stay away.
        #[n(3)]
        signer: PeerId,
    },
    /// Lock more.
    #[n(1)]
    TopUp {
        /// Which pool.
        #[n(0)]
        pool: u64,
        /// Units, more than none.
        #[n(1)]
        amount: u128,
    },
    /// Let it live longer.
    #[n(2)]
    Extend {
        /// Which pool.
        #[n(0)]
        pool: u64,
        /// Life from now, in seconds.
        #[n(1)]
        ttl_s: u64,
    },
    /// Set parts of what is free aside for payees.
    #[n(3)]
    Reserve {
        /// Which pool.
        #[n(0)]
        pool: u64,
        /// Payees in strictly ascending order, each with the units to add, more than none.
        #[n(1)]
        lanes: Vec<(AccountId, u128)>,
    },
    /// Pay payees what they were promised.
    #[n(4)]
    Claim {
        /// What the payers signed.
        #[n(0)]
        vouchers: Vec<Voucher>,
    },
    /// Give the rest of the signer's own lane back; its vouchers are dead from then on.
    #[n(5)]
    Release {
        /// Which pool.
        #[n(0)]
        pool: u64,
        /// Which lane of the signer's: a later one is not meant.
        #[n(1)]
        epoch: u32,
    },
    /// Ask for the rest back: payees have a day.
    #[n(6)]
    CloseStart {
        /// Which pool.
        #[n(0)]
        pool: u64,
    },
    /// Return the rest to the payer.
    #[n(7)]
    CloseFinish {
        /// Which pool.
        #[n(0)]
        pool: u64,
    },
}
