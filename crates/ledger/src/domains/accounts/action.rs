//! What one may ask of accounts.

use minicbor::{Decode, Encode};

use crate::{AccountId, AssetId, Policy};

/// What one may ask of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Send units to another account.
    #[n(0)]
    Transfer {
        /// Of which asset.
        #[n(0)]
        asset: AssetId,
        /// To whom.
        #[n(1)]
        to: AccountId,
        /// Units, more than none.
        #[n(2)]
        amount: u128,
    },
    /// Change the keys that speak for the signer; the account keeps its name.
    #[n(1)]
    SetPolicy {
        /// The new keys.
        #[n(0)]
        policy: Policy,
    },
}
