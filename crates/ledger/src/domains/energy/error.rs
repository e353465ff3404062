//! Why communities refuse.

use crate::{Prefix, code::codes, domains::accounts};

codes! {
    /// Why communities refuse, in order of check.
    Error in Prefix::Energy, passes accounts::Error as Funds {
        /// Prices too high, feed-in and grid fee above retail, or too much loss.
        1 BadRules,
        /// Less than an hour or more than three days.
        2 BadWindow,
        /// Nothing is not an amount.
        3 NothingToMove,
        /// A connection of nothing, or of more than a meter may have.
        4 BadConnection,
        /// A limit higher than any price, or a meter that is its own friend.
        5 BadLimits,
        /// None in the list, or more than fit.
        6 BadBatch,
        /// The evidence shows nothing.
        7 NoEvidence,
        /// There is no such community.
        8 NoCommunity,
        /// The signer is not the operator.
        9 NotOperator,
        /// The account is a member.
        10 AlreadyMember,
        /// The account is not a member.
        11 NotMember,
        /// There is no such meter.
        12 NoMeter,
        /// It belongs to somebody else.
        13 NotOwner,
        /// There are as many as there are numbers, or as a community or a member may have.
        14 TooMany,
        /// The key is another meter's.
        15 KeyTaken,
        /// Not the meter's signature for this ledger.
        16 BadSignature,
        /// Rules from a slot that is less than a day away.
        17 TooSoon,
        /// As many changes as are kept.
        18 TooOften,
        /// The meter contradicted itself, or lied.
        19 Cut,
        /// Meters are left, or readings that wait.
        20 StillNeeded,
        /// The purse has less than that.
        21 NotEnough,
        /// Another thing was said of this slot in this revision.
        22 Contradicts,
        /// The slot has not ended, its window is over, or the meter came later.
        23 NotOpen,
        /// The community asks for more trust.
        24 Untrusted,
        /// More than the connection carries in a slot.
        25 TooMuch,
        /// A later slot was read before.
        26 OutOfOrder,
        /// The counters do not follow from those before.
        27 BadCounters,
        /// As many slots wait to be settled as may.
        28 TooManyOpen,
        /// The owner's purse does not cover what it may cost.
        29 NotCovered,
        /// The grid's purse does not cover what it may cost.
        30 GridNotCovered,
        /// All of it was handed in before.
        31 NothingNew,
        /// No meter has read this slot, or it was forgotten.
        32 NoSlot,
        /// The slot is settled.
        33 Settled,
        /// There is still time for readings.
        34 TooEarly,
        /// More readings than the signer pays for, of the slot or of the one forgotten for it.
        35 MoreReadings,
        /// Fewer certificates are left, or none yet.
        36 NoCertificates,
        /// A clock that runs no faster than the ledger's, or faster than any may.
        37 BadPace,
        /// An order of nothing, of more than any may have, at a price higher than any, or that pays for
        /// none or too many it meets.
        38 BadOrder,
        /// Neighbours do not trade by orders in this slot.
        39 NoBook,
        /// The slot has begun, or is a day away.
        40 GateClosed,
        /// A bid that does not pay the grid fee.
        41 BelowFee,
        /// As many orders of the meter wait as may.
        42 TooManyOrders,
        /// No such order waits.
        43 NoOrder,
    }
}
