//! Why files did not go from peer to peer.

use std::path::PathBuf;

use ::content::share::{LinkError, PasswordError};
use peer_native::{AddressError, Failure, PeerError, make::MakeError};

use crate::content::{ContentError, StoreError};
use crate::purse::PurseError;

/// Why `seed`, or `get` of a link, ended early.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The link is none.
    #[error("{0}")]
    Link(LinkError),
    /// A fragment without its server.
    #[error("the link does not say which server it is of")]
    NoServer,
    /// The server's address is none.
    #[error("the server: {0}")]
    Server(#[from] AddressError),
    /// The link has a password.
    #[error("the link needs its password")]
    PasswordNeeded,
    /// The password is another, or none.
    #[error("{0}")]
    Password(#[from] PasswordError),
    /// Its time is over.
    #[error("the share has ended")]
    Ended,
    /// Nothing of it was chosen.
    #[error("nothing in the share is called {0:?}")]
    NoSuchEntry(String),
    /// More than was allowed.
    #[error("the share has {bytes} bytes, the limit is {limit}")]
    TooLarge {
        /// Bytes found.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The server does not answer.
    #[error("{server} does not answer")]
    Unreachable {
        /// Which.
        server: String,
    },
    /// Nobody gave anything for so long.
    #[error("nobody gave anything for {seconds} s; {peers} peers are connected")]
    Nobody {
        /// How long it was waited.
        seconds: u64,
        /// Neighbours there are.
        peers: usize,
    },
    /// What came is refused.
    #[error("{}", refused(.0))]
    Refused(Failure),
    /// A gateway or CAR was named for a link.
    #[error("peers are asked of a link, not a gateway or a CAR")]
    FromOfLink,
    /// A path without a name (`/`, `..`).
    #[error("{0:?} has no name to share it by")]
    NoName(PathBuf),
    /// These files can't be shared together.
    #[error("{0}")]
    Make(#[from] MakeError),
    /// The person stopped it.
    #[error("stopped; what came is kept")]
    Interrupted,
    /// Files and the block store.
    #[error("{0}")]
    Content(#[from] ContentError),
    /// The peer.
    #[error("{0}")]
    Peer(#[from] PeerError),
    /// Nothing can be paid or earned.
    #[error("{0}")]
    Purse(#[from] PurseError),
}

impl From<StoreError> for ShareError {
    fn from(error: StoreError) -> Self {
        Self::Content(error.into())
    }
}

const fn refused(failure: &Failure) -> &'static str {
    match failure {
        Failure::Key => "the link's key does not open the share",
        Failure::Damaged => "the sender made something that is no share",
        Failure::TooLarge => "the share has too many blocks",
        Failure::Ended => "the share has ended",
        Failure::Layout => {
            "the content is cut, or its files are called, in a way that is not known here"
        }
    }
}

impl ShareError {
    /// For programs: stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Link(_) => "link",
            Self::NoServer | Self::Server(_) => "server",
            Self::FromOfLink => "from",
            Self::PasswordNeeded => "password-needed",
            Self::Password(_) => "password",
            Self::Ended | Self::Refused(Failure::Ended) => "ended",
            Self::NoSuchEntry(_) => "no-such-entry",
            Self::TooLarge { .. } => "too-large",
            Self::Unreachable { .. } => "unreachable",
            Self::Nobody { .. } => "nobody",
            Self::Refused(Failure::Key) => "key",
            Self::Refused(Failure::Damaged) => "damaged",
            Self::Refused(Failure::TooLarge) => "too-many-blocks",
            Self::Refused(Failure::Layout) => "layout",
            Self::NoName(_) => "name",
            Self::Make(_) => "make",
            Self::Interrupted => "interrupted",
            Self::Content(error) => error.code(),
            Self::Peer(_) => "peer",
            Self::Purse(error) => error.code(),
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Link(_) | Self::Refused(Failure::Key) => {
                "Copy the whole link once more, and put it between quotes."
            }
            Self::NoServer => "Name the server with --server URL.",
            Self::Server(_) => "Give the address of the page, as in --server https://host.",
            Self::PasswordNeeded => "Give it with --password, or in STARLING_PASSWORD.",
            Self::Password(_) => "Ask the sender for the password, and mind capitals.",
            Self::Ended | Self::Refused(Failure::Ended | Failure::Damaged) => {
                "Ask the sender for a new link."
            }
            Self::Refused(Failure::TooLarge) => "Ask the sender to share it in parts.",
            Self::Refused(Failure::Layout) => {
                "Get it through a gateway: `starling get CID --from https://gateway.example`."
            }
            Self::NoSuchEntry(_) => "`--list` shows what is in it.",
            Self::TooLarge { .. } => "Allow more with --max-bytes.",
            Self::Unreachable { .. } => "Check the address, and that this machine is online.",
            Self::Nobody { .. } => {
                "Somebody who has it must be online: ask the sender, then run this again; what came \
                 is kept."
            }
            Self::NoName(_) => "Name the folder itself.",
            Self::FromOfLink => "Leave --from out; it is for CIDs.",
            Self::Make(_) => "Rename it: such a name can't be written everywhere.",
            Self::Interrupted => "Run the same command again to go on.",
            Self::Content(error) => error.remedy(),
            Self::Peer(PeerError::Tls(_)) => "Install the system's certificates (ca-certificates).",
            Self::Peer(_) => "Try again.",
            Self::Purse(error) => error.remedy(),
        }
    }

    /// Exit code of the process: 1 reading or writing failed, 2 the command was wrong, 3 what was asked
    /// for is not here, 4 what is here was refused, 5 the password, 6 the server, 7 the ledger,
    /// 130 interrupted.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Link(_)
            | Self::NoServer
            | Self::Server(_)
            | Self::NoName(_)
            | Self::FromOfLink => 2,
            Self::NoSuchEntry(_) | Self::Nobody { .. } => 3,
            Self::Ended | Self::Refused(_) | Self::TooLarge { .. } | Self::Make(_) => 4,
            Self::PasswordNeeded | Self::Password(_) => 5,
            Self::Unreachable { .. } => 6,
            Self::Interrupted => 130,
            Self::Content(error) => error.exit_code(),
            Self::Peer(_) => 1,
            Self::Purse(_) => 7,
        }
    }
}
