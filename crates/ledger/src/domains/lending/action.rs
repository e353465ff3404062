//! What one may ask of markets.

use minicbor::{Decode, Encode};

use super::Config;
use crate::AccountId;

/// What one may ask of markets. Reserves are named by market and 0-based position in it; amounts are
/// in units of the reserve's asset.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Open a market of its own risk.
    #[n(0)]
    Open {
        /// Who collects the protocol's share.
        #[n(0)]
        treasury: AccountId,
        /// 1 to 8 reserves, each asset once.
        #[n(1)]
        reserves: Vec<Config>,
    },
    /// Stop or allow new supply and borrowing. Nobody can stop repaying, withdrawing, liquidating.
    #[n(1)]
    Freeze {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// Stopped from now on, or no longer.
        #[n(2)]
        frozen: bool,
    },
    /// Lend.
    #[n(2)]
    Supply {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// How much.
        #[n(2)]
        amount: u128,
    },
    /// Take back what was lent, with interest.
    #[n(3)]
    Withdraw {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// How much; none: all.
        #[n(2)]
        amount: Option<u128>,
    },
    /// Owe.
    #[n(4)]
    Borrow {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// How much.
        #[n(2)]
        amount: u128,
    },
    /// Pay back what somebody owes.
    #[n(5)]
    Repay {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// How much at most; none: all.
        #[n(2)]
        amount: Option<u128>,
        /// Whose debt.
        #[n(3)]
        debtor: AccountId,
    },
    /// Pledge the signer's claims, or no longer.
    #[n(6)]
    SetCollateral {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// Pledged from now on, or no longer.
        #[n(2)]
        on: bool,
    },
    /// Repay for somebody whose health is below 1, and get collateral with a bonus.
    #[n(7)]
    Liquidate {
        /// Which market.
        #[n(0)]
        market: u32,
        /// From which reserve the liquidator is paid.
        #[n(1)]
        collateral: u8,
        /// In which reserve it repays.
        #[n(2)]
        debt: u8,
        /// Whose debt.
        #[n(3)]
        borrower: AccountId,
        /// How much to repay at most.
        #[n(4)]
        cover: u128,
    },
    /// Give up claims against a reserve's deficit.
    #[n(8)]
    Cover {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
        /// How much at most.
        #[n(2)]
        amount: u128,
    },
    /// Turn the treasury's share into claims of the treasury. Anyone may.
    #[n(9)]
    Collect {
        /// Which market.
        #[n(0)]
        market: u32,
        /// Which reserve.
        #[n(1)]
        reserve: u8,
    },
}
