//! Why identity refuses.

use crate::{Prefix, code::codes, domains::accounts};

codes! {
    /// Why identity refuses, in order of check.
    Error in Prefix::Identity, passes accounts::Error as Funds {
        /// An op of another version, too large, or that says what a DID can't say.
        1 BadOp,
        /// Not a first op where one must be, or one where it must not be.
        2 BadPlace,
        /// There is a DID of this id.
        3 Exists,
        /// There is no such DID.
        4 NoDid,
        /// The DID was stopped.
        5 Stopped,
        /// The op does not follow the head.
        6 NotNext,
        /// As many ops today as a DID may have.
        7 TooOften,
        /// No key has this place.
        8 NoKey,
        /// Not the key's signature for this ledger.
        9 BadSignature,
        /// A key that was not promised.
        10 NotPromised,
        /// The op to erase is not one of the last 72 hours.
        11 NotInWindow,
        /// An op that would be erased was signed with as much authority or more.
        12 LessAuthority,
        /// The DID has no guardians.
        13 NoGuardians,
        /// Guardians have asked already.
        14 AlreadyPending,
        /// Too few guardians approve, or one of the approvals is none.
        15 BadApprovals,
        /// Guardians have not asked, or for something else.
        16 NothingPending,
        /// There is still time to say no, or to recover.
        17 TooEarly,
        /// The DID was not stopped, or its deposit is back.
        18 NothingToClose,
    }
}
