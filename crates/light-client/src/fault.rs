//! What a server is blamed for.

/// What a server did that an honest one does not. Closed; the code is for programs and tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It sent bytes that are no answer.
    Malformed,
    /// Its certificate does not hold under the trust root's key: forged, or of another ledger.
    Forged,
    /// It shows a block that validators signed whose time was over: others had taken over from them.
    Replaced,
    /// Its headers do not follow from each other or from what is final.
    BrokenChain,
    /// The proof does not prove what it says.
    FalseProof,
    /// It shows a block that competes with a final one, with a certificate that holds. More than a
    /// third of the validators signed both: the ledger itself can't be believed any more.
    Fork,
    /// It went back behind a block that it showed before over the same socket. Answers by HTTP don't: several
    /// validators may stand behind one name.
    Backwards,
    /// It does not answer, though it shows blocks.
    Withholds,
    /// Others are ahead of it, and stay so; or its answers stay behind what it shows by itself.
    Lags,
}

impl Fault {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Forged => "forged",
            Self::Replaced => "replaced",
            Self::BrokenChain => "broken-chain",
            Self::FalseProof => "false-proof",
            Self::Fork => "fork",
            Self::Backwards => "backwards",
            Self::Withholds => "withholds",
            Self::Lags => "lags",
        }
    }

    /// Whether a server that did this is not asked again: it can't be a matter of a slow line.
    pub const fn is_a_lie(self) -> bool {
        !matches!(self, Self::Withholds | Self::Lags)
    }
}
