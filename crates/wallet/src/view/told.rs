//! What servers tell of what was signed and of what came.

use minicbor::{Decode, Encode};

/// Why a server does not take something that was signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Unwanted {
    /// The transaction's name, hexadecimal.
    #[n(0)]
    pub id: String,
    /// The error's code (`docs/spec/ledger.md`, "Errors").
    #[n(1)]
    pub code: String,
    /// The refusal's number; 0: it has none.
    #[n(2)]
    pub number: u16,
}

/// Units that came out of a pool of payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct FromPool {
    /// Which one.
    #[n(0)]
    pub number: u64,
    /// What was left of this account's own pool; otherwise the ledger paid what another one promised.
    #[n(1)]
    pub rest: bool,
    /// It is proved which asset it is of. If not, nobody knows.
    #[n(2)]
    pub is_known: bool,
}
