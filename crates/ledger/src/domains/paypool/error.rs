//! Why pools refuse.

use crate::{Prefix, code::codes, domains::accounts};

codes! {
    /// Why pools refuse, in order of check.
    Error in Prefix::Paypool, passes accounts::Error as Funds {
        /// Nothing is not an amount.
        1 NothingToLock,
        /// Shorter than an hour or longer than 30 days.
        2 BadTtl,
        /// None in the list, more than 64, or payees out of order.
        3 BadBatch,
        /// There is no such pool, or no longer.
        4 NoPool,
        /// The signer is not the payer.
        5 NotPayer,
        /// It has expired or is closing.
        6 Closed,
        /// An extension to an earlier moment than the expiry.
        7 NotLater,
        /// Less is free than that.
        8 InsufficientFree,
        /// As many lanes as a pool may have.
        9 TooManyLanes,
        /// The payee has no open lane of this epoch.
        10 NoLane,
        /// The voucher is not signed by the pool's key.
        11 BadVoucher,
        /// All of it was paid before.
        12 NothingToPay,
        /// Payees still have time.
        13 TooEarly,
    }
}
