//! Why a transaction may not be in a block.

use crate::{Code, Prefix, code::number};

/// Why a transaction may not be in a block, in order of check. A block that holds such a
/// transaction is no block; nothing is paid for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More bytes than a transaction may have.
    TooLarge,
    /// Not a transaction, or not in its one canonical form.
    Malformed,
    /// Of another version.
    Version,
    /// For another ledger.
    OtherChain,
    /// The keys are no policy.
    Policy,
    /// Too few signatures, too many, or out of order.
    SignatureCount,
    /// The action can't be right in any state: the domain's own number.
    Action(u16),
    /// A signature is not its key's over this body.
    Signature,
    /// The last block it may be in has passed.
    Expired,
    /// The keys are not the account's.
    OtherKeys,
    /// Not the account's next number.
    Nonce,
    /// Less than bytes and work cost.
    FeeTooLow,
    /// The account does not hold the fee.
    CannotPayFee,
    /// The block has no room left for it: in another block it may be right.
    BlockFull,
}

impl Code for Refusal {
    fn code(&self) -> u16 {
        let local = match self {
            Self::TooLarge => 1,
            Self::Malformed => 2,
            Self::Version => 3,
            Self::OtherChain => 4,
            Self::Policy => 5,
            Self::SignatureCount => 6,
            Self::Action(code) => return *code,
            Self::Signature => 8,
            Self::Expired => 9,
            Self::OtherKeys => 10,
            Self::Nonce => 11,
            Self::FeeTooLow => 12,
            Self::CannotPayFee => 13,
            Self::BlockFull => 14,
        };
        number(Prefix::Chain, local)
    }
}
