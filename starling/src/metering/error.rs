//! Why a meter does not go on.

use std::io;
use std::path::PathBuf;

use identity::letter::LetterError;
use ledger::Code as _;
use ledger::domains::energy;

use crate::key_file::KeyFileError;
use crate::ledger_client::ClientError;

/// Why a meter does not go on.
#[derive(Debug, thiserror::Error)]
pub enum MeteringError {
    /// The ledger.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// There is no such community.
    #[error("there is no community {0}")]
    NoCommunity(u32),
    /// There is no such meter.
    #[error("community {community} has no meter {meter}")]
    NoMeter {
        /// Which community.
        community: u32,
        /// Which meter.
        meter: u32,
    },
    /// No meter of the community has this key.
    #[error("no meter of community {0} has this key")]
    NoMeterOfKey(u32),
    /// The meter signs with another key.
    #[error("meter {meter} of community {community} signs with another key")]
    OtherKey {
        /// Which community.
        community: u32,
        /// Which meter.
        meter: u32,
    },
    /// The meter contradicted itself or lied, and trades no more.
    #[error("meter {meter} of community {community} was cut")]
    Cut {
        /// Which community.
        community: u32,
        /// Which meter.
        meter: u32,
    },
    /// What was written down is of another ledger, community or meter.
    #[error("{0} is of another meter or another ledger")]
    OtherState(PathBuf),
    /// What was written down can't be read.
    #[error("{0} is damaged")]
    Damaged(PathBuf),
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no signed reading.
    #[error("{0} holds no signed reading")]
    NotAReading(PathBuf),
    /// The file holds nothing that this key opens.
    #[error("{0} holds nothing that was sealed for this key, on this ledger")]
    NotForMe(PathBuf),
    /// Nothing can be sealed for these.
    #[error("what was metered can't be sealed: {0}")]
    Letter(LetterError),
    /// Two readings that do not contradict each other.
    #[error("the readings are not two different ones of one meter, slot and revision")]
    NoEvidence,
    /// Nothing to tell.
    #[error("the feed has no whole quarter hour to tell")]
    EmptyFeed,
}

impl MeteringError {
    /// For programs: stable.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Client(error) => match refusal(error) {
                Some(energy::Error::Contradicts) => "contradicts",
                Some(energy::Error::NotCovered) => "not-covered",
                Some(energy::Error::GridNotCovered) => "grid-not-covered",
                Some(energy::Error::NotOpen) => "not-open",
                Some(energy::Error::OutOfOrder | energy::Error::BadCounters) => "out-of-step",
                Some(energy::Error::Untrusted) => "untrusted",
                _ => error.code(),
            },
            Self::Key(_) => "key",
            Self::NoCommunity(_) => "no-community",
            Self::NoMeter { .. } | Self::NoMeterOfKey(_) => "no-meter",
            Self::OtherKey { .. } => "other-key",
            Self::Cut { .. } => "cut",
            Self::OtherState(_) => "other-state",
            Self::Damaged(_) => "damaged",
            Self::Io { .. } => "io",
            Self::NotAReading(_) => "not-a-reading",
            Self::NotForMe(_) => "not-for-me",
            Self::Letter(_) => "letter",
            Self::NoEvidence => "no-evidence",
            Self::EmptyFeed => "empty-feed",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Client(error) => match refusal(error) {
                Some(energy::Error::Contradicts) => {
                    "Its key signed something else of this slot before: run one meter with a key, and \
                     keep its --state file."
                }
                Some(energy::Error::NotCovered) => {
                    "Pay into the owner's purse of the community; the readings are handed in then."
                }
                Some(energy::Error::GridNotCovered) => {
                    "Ask the retailer to pay into the grid's purse; the readings are handed in then."
                }
                Some(energy::Error::NotOpen) => {
                    "This machine's clock differs from the validator's: set it."
                }
                Some(energy::Error::OutOfOrder | energy::Error::BadCounters) => {
                    "Another process reads this meter, or its --state file is an old one: stop the \
                     other, and start again."
                }
                Some(energy::Error::Untrusted) => {
                    "Ask the operator of the community to trust this meter."
                }
                _ => error.remedy(),
            },
            Self::Key(_) => "Check the file, or name another with --key FILE.",
            Self::NoCommunity(_) => "The Energy page lists communities: name one with --community.",
            Self::NoMeter { .. } | Self::NoMeterOfKey(_) => {
                "Add it first with `starling meter add`, or name another with --meter."
            }
            Self::OtherKey { .. } => "Give the key that the meter was added with, by --key FILE.",
            Self::Cut { .. } => {
                "It trades no more. Its owner asks the operator to remove it, and adds one with a new \
                 key."
            }
            Self::OtherState(_) => "Name another file with --state FILE.",
            Self::Damaged(_) => {
                "Restore it, or name a new file with --state FILE: the counters go on from the ledger's."
            }
            Self::Io { .. } => "Check the path, and whether you may write there.",
            Self::NotAReading(_) => {
                "Name a file that `starling meter --out DIR` wrote: one line of base64."
            }
            Self::NotForMe(_) => {
                "Give the key whose did:key the meter was told with --group, and a validator of its ledger."
            }
            Self::Letter(_) => "Name 1 to 16 people by a did:key of Ed25519.",
            Self::NoEvidence => {
                "Evidence is two signed readings of the same meter, slot and revision that differ."
            }
            Self::EmptyFeed => "`starling meter inspect FILE` shows what is understood of it.",
        }
    }

    /// Exit code of the process: 1 the ledger refused it or a file can't be used, 2 community, meter or
    /// key are wrong, 3 the meter was cut or would be, 6 no validator answered.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Client(error) => match refusal(error) {
                Some(energy::Error::Contradicts | energy::Error::Cut) => 3,
                _ => error.exit_code(),
            },
            Self::NoCommunity(_)
            | Self::NoMeter { .. }
            | Self::NoMeterOfKey(_)
            | Self::OtherKey { .. } => 2,
            Self::Cut { .. } => 3,
            Self::Key(_)
            | Self::OtherState(_)
            | Self::Damaged(_)
            | Self::Io { .. }
            | Self::NotAReading(_)
            | Self::NotForMe(_)
            | Self::Letter(_)
            | Self::NoEvidence
            | Self::EmptyFeed => 1,
        }
    }

    /// Whether the same readings may be taken later.
    pub fn may_pass(&self) -> bool {
        let Self::Client(error) = self else { return false };
        let lasting = [
            energy::Error::Contradicts,
            energy::Error::Cut,
            energy::Error::NoMeter,
            energy::Error::NoCommunity,
            energy::Error::BadSignature,
            energy::Error::OutOfOrder,
            energy::Error::BadCounters,
        ];
        refusal(error).is_none_or(|code| !lasting.contains(&code))
    }
}

/// What the domain refused by; none: something else stands in the way.
pub(super) fn refusal(error: &ClientError) -> Option<energy::Error> {
    let ClientError::Failed { code, .. } = error else { return None };
    NAMED.into_iter().find(|named| named.code() == *code)
}

/// The refusals that are told apart.
const NAMED: [energy::Error; 14] = [
    energy::Error::NoCommunity,
    energy::Error::NoMeter,
    energy::Error::BadSignature,
    energy::Error::Cut,
    energy::Error::Contradicts,
    energy::Error::NotOpen,
    energy::Error::Untrusted,
    energy::Error::OutOfOrder,
    energy::Error::BadCounters,
    energy::Error::NotCovered,
    energy::Error::GridNotCovered,
    energy::Error::NothingNew,
    energy::Error::Settled,
    energy::Error::MoreReadings,
];
