//! What one may ask of the oracle.

use minicbor::{Decode, Encode};

use crate::AccountId;

/// What one may ask of the oracle.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Make a feed. What it is the price of is for those to say who use it.
    #[n(0)]
    Create {
        /// 4 to 31 accounts in strictly ascending order.
        #[n(0)]
        reporters: Vec<AccountId>,
        /// Seconds after which a report counts no more: 10 to 3,600.
        #[n(1)]
        age_max_s: u64,
    },
    /// Say a price.
    #[n(1)]
    Report {
        /// Of which feed.
        #[n(0)]
        feed: u32,
        /// With 8 decimals, more than nothing.
        #[n(1)]
        price: u64,
        /// When it was seen, in seconds since 1970-01-01 UTC; not in the future.
        #[n(2)]
        seen_s: u64,
        /// Larger than this reporter's last.
        #[n(3)]
        number: u64,
    },
}
