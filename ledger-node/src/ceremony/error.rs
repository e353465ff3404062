//! What goes wrong in a ceremony, and whose it is.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::VALIDATORS_MIN;
use crate::network::{NetworkError, VALIDATORS_MAX};

/// What a file of a ceremony is: the second part of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's keys and address.
    Join,
    /// What a dealer deals, sealed for each player.
    Dealing,
    /// Whose dealings a player has.
    Acks,
    /// A dealer's last word.
    Log,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Join => "join",
            Self::Dealing => "dealing",
            Self::Acks => "acks",
            Self::Log => "log",
        })
    }
}

/// What is wrong with a file that somebody handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetterFault {
    /// It is not in the folder.
    #[error("is not there yet")]
    Missing,
    /// Its bytes are no such file.
    #[error("can't be read: ask for it again")]
    Form,
    /// It was made for another ceremony.
    #[error("is of another ceremony: ask for the one of this")]
    Foreign,
    /// It is not signed by whose it should be.
    #[error("was signed by somebody else, or changed on its way: ask for it again")]
    Signature,
    /// What is in it for the reader does not open.
    #[error("holds nothing that you can open: whoever dealt it deals again")]
    Sealed,
    /// What it deals does not fit what it says in public.
    #[error("deals a share that is none: whoever dealt it made a mistake, or cheats")]
    Dealing,
    /// It acknowledges another dealing than the reader's.
    #[error("acknowledges another dealing than yours: whoever wrote it acknowledges again")]
    Ack,
}

/// Why a step of a ceremony is not done.
#[derive(Debug, thiserror::Error)]
pub enum CeremonyError {
    /// The network or its successions.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A file can't be read or made.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{path}: {what}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file is larger than any of its kind.
    #[error("{path} is larger than {bytes_max} bytes")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its limit.
        bytes_max: u64,
    },
    /// It would be overwritten.
    #[error("{0} is there already")]
    There(PathBuf),
    /// A name that is none.
    #[error(
        "{0:?} is no name: 1 to 32 letters a to z, digits and hyphens, not beginning with \"old-\""
    )]
    Name(String),
    /// Two have the same name or key.
    #[error("{0} is there twice")]
    Twice(String),
    /// Nobody has this name here.
    #[error("nobody of this ceremony is called {0}")]
    Stranger(String),
    /// Too few players or too many.
    #[error("expected {VALIDATORS_MIN} to {VALIDATORS_MAX} validators")]
    Count,
    /// The engine does not take who deals to whom.
    #[error("they can't deal to each other: {0}")]
    Round(String),
    /// The folder's key deals nothing here.
    #[error("the key of this folder is none of those who deal: {0}")]
    NotADealer(String),
    /// The folder's key gets nothing here.
    #[error("the key of this folder is none of those who get a share: {0}")]
    NotAPlayer(String),
    /// The folder's share is not the one of its validator.
    #[error("the share of this folder is not the one that its validator has of the network's key")]
    WrongShare,
    /// A player's secret is gone.
    #[error(
        "{0} is gone, and what is dealt to you opens with nothing else: get it back from a copy, or join another \
         ceremony with a new folder"
    )]
    SecretLost(PathBuf),
    /// The ceremony is for another network than the folder's validator runs.
    #[error(
        "the network that this ceremony is for is not the one in {0}: whoever began it has another file"
    )]
    OtherNetwork(PathBuf),
    /// A file of somebody.
    #[error("{who}.{kind}.toml {fault}")]
    Letter {
        /// Whose file.
        who: String,
        /// Which one.
        kind: Kind,
        /// What is wrong.
        fault: LetterFault,
    },
    /// Files that are not there.
    #[error("not there yet: {0}")]
    Waits(String),
    /// Players who did not say that they have the dealing.
    #[error("your dealing is not acknowledged yet by {0}")]
    Unacknowledged(String),
    /// More shares would be said in the open than there may be faulty validators.
    #[error("at most {most} may be left without a word of theirs, not {who}")]
    Reveals {
        /// Who.
        who: String,
        /// How many there may be.
        most: u32,
    },
    /// So many shares were said in the open that the key is not safe.
    #[error("anybody may know the shares of {0}, more than a key stands: begin another ceremony")]
    Revealed(String),
    /// Too few dealers came to an end.
    #[error("expected the dealings of {required}, found {found} that hold{what}")]
    TooFew {
        /// How many are needed.
        required: u32,
        /// How many there are.
        found: u32,
        /// Who is missing or at fault, as text.
        what: String,
    },
    /// A dealing that was acknowledged is gone, or another one than what its dealer ended with.
    #[error(
        "the dealing of {0} that you acknowledged is not in your folder, or not the one that they ended with: \
         all of you leave them out, or begin again"
    )]
    Lost(String),
}
