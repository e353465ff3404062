//! Why a file did not become blocks, or blocks a file.

use std::io;
use std::path::PathBuf;

use ::content::{
    Cid, Mismatch, NameError,
    build::{FolderError, TreeError},
    car::CarError,
    read::ReadError,
    share::OpenError,
};

use super::{SourceError, StoreError};

/// Why `add`, `get` or `car` ended early.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// A file or folder of the person can't be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store's folder can't be read or written.
    #[error("the block store: {0}")]
    Store(#[from] StoreError),
    /// A path that others could not get.
    #[error("{}: {error}", path.display())]
    Name {
        /// Which.
        path: PathBuf,
        /// Why.
        error: NameError,
    },
    /// A name that is not UTF-8.
    #[error("{}: the name is not UTF-8", path.display())]
    NotUtf8 {
        /// Which.
        path: PathBuf,
    },
    /// A device, a pipe or a socket.
    #[error("{}: expected a file, folder or symlink, found something else", path.display())]
    Special {
        /// Which.
        path: PathBuf,
    },
    /// A symlink without a target, or with one that is too long.
    #[error("{}: the symlink's target can't be kept", path.display())]
    Target {
        /// Which.
        path: PathBuf,
    },
    /// The tree can't be built.
    #[error("{0}")]
    Tree(TreeError),
    /// A block is not in the store.
    #[error("block {0} is not in the store")]
    Missing(Cid),
    /// Nobody pinned it.
    #[error("{0} is not pinned")]
    NotPinned(Cid),
    /// No gateway gives a block.
    #[error("{0}")]
    Source(SourceError),
    /// HTTP can't be spoken at all.
    #[error("HTTP can't be set up: {0}")]
    Http(reqwest::Error),
    /// A block is not sealed with the key.
    #[error("block {cid}: {error}")]
    Sealed {
        /// Which.
        cid: Cid,
        /// Why.
        error: OpenError,
    },
    /// A block in the store is damaged.
    #[error("the block store is damaged: {0}")]
    Damaged(Mismatch),
    /// The graph can't be read.
    #[error("{0}")]
    Read(#[from] ReadError),
    /// A CAR file is not one.
    #[error("{}: {error}", path.display())]
    Car {
        /// Which.
        path: PathBuf,
        /// Why.
        error: CarError,
    },
    /// Where the result should go is something already.
    #[error("{} is there already", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
}

impl ContentError {
    /// For programs: stable.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "io",
            Self::Store(StoreError::Quota { .. }) => "quota",
            Self::Store(StoreError::Pinned(_)) => "pinned",
            Self::Store(_) => "store",
            Self::Name { .. } | Self::NotUtf8 { .. } => "name",
            Self::Special { .. } | Self::Target { .. } => "kind",
            Self::Tree(_) => "tree",
            Self::Missing(_) => "missing",
            Self::NotPinned(_) => "not-pinned",
            Self::Source(_) => "source",
            Self::Http(_) => "http",
            Self::Sealed { .. } => "sealed",
            Self::Damaged(_) => "damaged",
            Self::Read(_) => "read",
            Self::Car { .. } => "car",
            Self::Exists { .. } => "exists",
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Io { source, .. } | Self::Store(StoreError::Disk { source, .. }) => disk(source),
            Self::Store(StoreError::Quota { .. }) => {
                "Take a pin back (`starling pins`, `starling unpin CID`), or allow more \
                 (`starling gc --quota-bytes N`)."
            }
            Self::Store(StoreError::Pinned(_)) => "Take the pin back first: `starling unpin CID`.",
            Self::Store(StoreError::TooManyPins(_)) => "Take a pin back: `starling unpin CID`.",
            Self::Store(StoreError::Form { .. }) => {
                "Remove the file if nothing else helps: it is a setting or a pin, not a block."
            }
            Self::Name { .. } | Self::NotUtf8 { .. } => {
                "Rename it: such a name can't be written on every system."
            }
            Self::Special { .. } => "Leave it out of the folder.",
            Self::Target { .. } => "Remove the symlink, or shorten its target.",
            Self::Tree(TreeError::Folder(FolderError::Collision(..))) => "Rename one of the two.",
            Self::Tree(_) => "Add a part of it.",
            Self::NotPinned(_) => "`starling pins` shows what is.",
            Self::Missing(_) => {
                "Import a CAR that has it (`starling car import FILE`), name a gateway that has it (`starling get --from URL`), or give the store that has \
                 it with --data."
            }
            Self::Source(_) => {
                "Name another gateway with --from, or try again: what came is kept, and is not \
                 fetched twice."
            }
            Self::Http(_) => "Check the certificates of this system.",
            Self::Sealed { .. } => "Ask for the link again: it was cut, or is of something else.",
            Self::Damaged(_) => {
                "Delete the file of that name below `blocks` in the data folder, then add or \
                 import it again."
            }
            Self::Read(ReadError::TooLarge { .. }) => "Allow more with --max-bytes.",
            Self::Read(_) => "Its maker must make it again: it was refused for safety.",
            Self::Car { error: CarError::Truncated { .. }, .. } => {
                "Get the file again: the blocks before the cut were kept."
            }
            Self::Car { error: CarError::Version(_), .. } => {
                "Convert it to version 1 (`car extract` or `ipfs dag export`)."
            }
            Self::Car { .. } => "Get the file again, or ask who made it.",
            Self::Exists { .. } => "Name another place with -o.",
        }
    }

    /// Exit code of the process: 3 what was asked for is not here, 4 what is here was refused, 1 reading
    /// or writing failed.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Io { .. } | Self::Store(_) | Self::Exists { .. } | Self::Http(_) => 1,
            Self::Missing(_) | Self::NotPinned(_) | Self::Source(_) => 3,
            Self::Name { .. }
            | Self::NotUtf8 { .. }
            | Self::Special { .. }
            | Self::Target { .. }
            | Self::Tree(_)
            | Self::Damaged(_)
            | Self::Sealed { .. }
            | Self::Read(_)
            | Self::Car { .. } => 4,
        }
    }
}

fn disk(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "The disk is full: free some space, or name another folder with --data."
        }
        io::ErrorKind::PermissionDenied => "This user may not: check the rights of the folder.",
        io::ErrorKind::NotFound => "Check the path.",
        _ => "Check the path and the disk.",
    }
}
