//! What one may ask of identity.

use identity::{
    did::{
        StarlingId,
        starling::{GuardOp, Op, Veto},
    },
    status::Anchor,
};
use minicbor::{Decode, Encode};

/// What one may ask of identity.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(flat)]
pub enum Action {
    /// Make a DID; the signer of the transaction locks the deposit.
    #[n(0)]
    Create {
        /// Op 0.
        #[n(0)]
        op: Box<Op>,
    },
    /// Change, recover or stop a DID.
    #[n(1)]
    Apply {
        /// Which one.
        #[n(0)]
        did: StarlingId,
        /// The next op.
        #[n(1)]
        op: Box<Op>,
    },
    /// Ask for new keys as guardians.
    #[n(2)]
    Guard {
        /// Of which DID.
        #[n(0)]
        did: StarlingId,
        /// Keys and approvals.
        #[n(1)]
        guard: Box<GuardOp>,
    },
    /// Say no to guardians.
    #[n(3)]
    Veto {
        /// For which DID.
        #[n(0)]
        did: StarlingId,
        /// To what.
        #[n(1)]
        veto: Veto,
    },
    /// Give the keys that guardians asked for.
    #[n(4)]
    Finish {
        /// To which DID.
        #[n(0)]
        did: StarlingId,
    },
    /// Give the deposit back.
    #[n(5)]
    Close {
        /// Of which DID.
        #[n(0)]
        did: StarlingId,
    },
    /// Say which version of a status list is the newest.
    #[n(6)]
    Anchor {
        /// Whose list, and which version.
        #[n(0)]
        anchor: Box<Anchor>,
    },
}
