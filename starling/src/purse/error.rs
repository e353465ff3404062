//! Why there is no purse.

use light_client::RootError;

use crate::key_file::KeyFileError;
use crate::ledger_client::ClientError;

/// Why nothing can be paid or earned.
#[derive(Debug, thiserror::Error)]
pub enum PurseError {
    /// The ledger.
    #[error("{0}")]
    Ledger(#[from] ClientError),
    /// The trust root is none.
    #[error("{0}")]
    Root(RootError),
    /// The key of vouchers.
    #[error("{0}")]
    Key(#[from] KeyFileError),
    /// The account has too little.
    #[error(
        "the account has {units} units, {wanted} are to be set aside, and each transaction costs a fee"
    )]
    Short {
        /// What it has.
        units: u128,
        /// What is to be locked.
        wanted: u128,
    },
    /// The pool has ended, and nothing was left in it.
    #[error("the pool that this folder remembers has ended, and all of it was paid out")]
    Empty,
    /// A pool to draw from is another key's, or gives nothing.
    #[error("pool {pool} gives nothing to this key")]
    NotOurs {
        /// Which.
        pool: u64,
    },
    /// What remembers the pool can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What remembers the pool is not what was written. Without it a second deposit would be made.
    #[error("{path} is damaged")]
    Damaged {
        /// Which file.
        path: std::path::PathBuf,
    },
}

impl PurseError {
    /// For programs: stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ledger(_) => "ledger",
            Self::Root(_) => "root",
            Self::Key(_) => "key",
            Self::Short { .. } => "short",
            Self::Empty => "empty",
            Self::NotOurs { .. } => "not-ours",
            Self::Io { .. } => "io",
            Self::Damaged { .. } => "damaged",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Ledger(ClientError::Unreachable { .. }) => {
                "Name a server of the ledger with --node URL."
            }
            Self::Ledger(error) => error.remedy(),
            Self::Root(_) => "Copy the trust root once more, from the Ledger page of the server.",
            Self::Key(_) => "Check the file.",
            Self::Short { .. } => "Set less aside with --spend, or send the account more units.",
            Self::Empty => "Set units aside anew with --refill.",
            Self::NotOurs { .. } => {
                "On the Wallet page, under Funds, open a pool for the key that starling keys show FILE \
                 prints, let it draw on the pool, and name that with --pool."
            }
            Self::Io { .. } => "Name a folder that can be read and written with --data DIR.",
            Self::Damaged { .. } => {
                "Move pool.json and promises.json away: a new deposit is made, and the one they name \
                 comes back to the account when somebody closes its pool after its end."
            }
        }
    }
}
