//! Why assets refuse.

use crate::{Prefix, code::codes, domains::accounts};

codes! {
    /// Why assets refuse, in order of check.
    Error in Prefix::Assets, passes accounts::Error as Funds {
        /// A symbol is 1 to 12 letters and digits, upper case.
        1 BadSymbol,
        /// More decimals than an asset may have.
        2 BadDecimals,
        /// Nothing is not an amount.
        3 NothingToIssue,
        /// There is no such asset.
        4 NoAsset,
        /// The signer is not the issuer.
        5 NotIssuer,
        /// It was not declared freezable.
        6 NotFreezable,
        /// Issuing was given up.
        7 Closed,
        /// More than the cap.
        8 OverCap,
        /// There are as many assets as there are numbers.
        9 TooMany,
    }
}
