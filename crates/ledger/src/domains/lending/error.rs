//! Why markets refuse.

use super::math::Overflow;
use crate::{
    Prefix,
    code::codes,
    domains::{accounts, oracle},
};

codes! {
    /// Why markets refuse, in order of check.
    Error in Prefix::Lending, passes accounts::Error as Funds {
        /// No reserve, more than a market may have, or an asset twice.
        1 BadMarket,
        /// Rules that can't be kept, of an asset or feed that is not there, or other decimals.
        2 BadReserve,
        /// There is no such market or reserve.
        3 NoReserve,
        /// The signer did not open this market.
        4 NotCreator,
        /// Nothing, or less than one scaled unit.
        5 InvalidAmount,
        /// The market's creator stopped new business.
        6 ReserveFrozen,
        /// It is not lent.
        7 BorrowingNotEnabled,
        /// More would be supplied than the cap.
        8 SupplyCapExceeded,
        /// More would be owed than the cap.
        9 BorrowCapExceeded,
        /// The signer's claims are less than that.
        10 NotEnoughAvailableUserBalance,
        /// The reserve has lent out what is asked for.
        11 NotEnoughLiquidity,
        /// The debtor owes nothing here.
        12 NoDebt,
        /// Too little to lower the debt by one scaled unit.
        13 InvalidBurnAmount,
        /// The signer has no claims to pledge.
        14 UnderlyingBalanceZero,
        /// Nothing may be borrowed against what is pledged, or what may not be must leave first.
        15 LtvValidationFailed,
        /// Health would fall below 1.
        16 HealthFactorLowerThanLiquidationThreshold,
        /// The collateral does not carry that much debt.
        17 CollateralCannotCoverNewBorrow,
        /// Nobody liquidates themselves.
        18 SelfLiquidation,
        /// Health is not below 1.
        19 HealthFactorNotBelowThreshold,
        /// The borrower did not pledge this.
        20 CollateralCannotBeLiquidated,
        /// The borrower does not owe this.
        21 SpecifiedCurrencyNotBorrowedByUser,
        /// What would be left on both sides is too little for the next liquidator.
        22 MustNotLeaveDust,
        /// There is no deficit to cover.
        23 NoDeficit,
        /// A price is too old, has too few reporters, or jumped and waits to be confirmed.
        24 StalePrice,
        /// A number beyond 128 bits.
        25 Overflow,
    }
}

impl From<Overflow> for Error {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

impl From<oracle::Stale> for Error {
    fn from(_: oracle::Stale) -> Self {
        Self::StalePrice
    }
}
