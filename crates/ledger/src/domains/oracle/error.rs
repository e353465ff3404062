//! Why the oracle refuses, and why it has no price.

use crate::{Prefix, code::codes};

codes! {
    /// Why the oracle refuses, in order of check.
    Error in Prefix::Oracle {
        /// Fewer than 4 reporters, more than 31, or out of order.
        1 BadReporters,
        /// An age outside 10 to 3,600 seconds.
        2 BadAge,
        /// Nothing is not a price.
        3 BadPrice,
        /// There is no such feed.
        4 NoFeed,
        /// The signer does not report to this feed.
        5 NotReporter,
        /// Seen after this block.
        6 FromTheFuture,
        /// Seen before this reporter's last.
        7 Older,
        /// Not larger than this reporter's last number.
        8 NumberUsed,
        /// There are as many feeds as there are numbers.
        9 TooMany,
    }
}

/// Why there is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// There is no such feed.
    NoFeed,
    /// Fewer fresh reports than it takes.
    Quorum {
        /// Reports needed.
        needed: u32,
        /// Fresh reports found.
        fresh: u32,
    },
    /// It jumped, and no quorum has confirmed it since.
    Jump,
}
