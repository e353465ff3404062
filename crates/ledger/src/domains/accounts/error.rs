//! Why accounts refuse.

use crate::{Prefix, code::codes};

codes! {
    /// Why accounts refuse, in order of check.
    Error in Prefix::Accounts {
        /// Nothing is not an amount.
        1 NothingToSend,
        /// From an account to itself.
        2 ToItself,
        /// The keys are no policy.
        3 BadPolicy,
        /// The issuer froze the sender's or the receiver's balance.
        4 Frozen,
        /// The account holds less than that.
        5 InsufficientBalance,
        /// The supply would not fit.
        6 SupplyOverflow,
    }
}
