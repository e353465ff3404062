//! What one may ask of assets.

use minicbor::{Decode, Encode};

use crate::{AccountId, AssetId};

/// What one may ask of assets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Make an asset; the signer is its issuer.
    #[n(0)]
    Create {
        /// 1 to 12 letters and digits, upper case. Not unique: the issuer tells two apart.
        #[n(0)]
        symbol: String,
        /// Decimals by which units are shown: 0 to 24.
        #[n(1)]
        decimals: u8,
        /// Most units there may ever be; none: no cap.
        #[n(2)]
        supply_max: Option<u128>,
        /// Whether the issuer may freeze what others hold.
        #[n(3)]
        freezable: bool,
    },
    /// Make units.
    #[n(1)]
    Issue {
        /// Of which asset.
        #[n(0)]
        asset: AssetId,
        /// For whom.
        #[n(1)]
        to: AccountId,
        /// Units, more than none.
        #[n(2)]
        amount: u128,
    },
    /// Destroy units of the signer's own.
    #[n(2)]
    Burn {
        /// Of which asset.
        #[n(0)]
        asset: AssetId,
        /// Units, more than none.
        #[n(1)]
        amount: u128,
    },
    /// Freeze or thaw what an account holds.
    #[n(3)]
    Freeze {
        /// Of which asset.
        #[n(0)]
        asset: AssetId,
        /// Whose.
        #[n(1)]
        account: AccountId,
        /// Frozen from now on, or no longer.
        #[n(2)]
        frozen: bool,
    },
    /// Give up issuing for good.
    #[n(4)]
    Renounce {
        /// Of which asset.
        #[n(0)]
        asset: AssetId,
    },
}
