//! What did not work with files.

use core::fmt;

use files::{
    content::{
        Cid,
        car::CarError,
        share::{LinkError, PasswordError},
    },
    make::MakeError,
};

use super::SHARES_MAX;
use crate::js_error::BrowserError;

/// Why something with files did not work; by what a person can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FilesError {
    /// The link is none, or was cut off.
    Link(LinkError),
    /// The link needs a password.
    PasswordNeeded,
    /// The password is wrong, or none.
    Password(PasswordError),
    /// The share's time is over.
    Ended,
    /// These files can't be shared together.
    Make(MakeError),
    /// A file could not be read: it changed, or went away.
    Unreadable,
    /// The files are not those that were shared.
    OtherFiles,
    /// The browser gives this page no storage.
    NoStore,
    /// The disk, or this site's share of it, is full.
    Full,
    /// More than [`SHARES_MAX`] shares are open.
    TooMany,
    /// Part of the file is not here.
    Missing,
    /// The blocks are not what the manifest says.
    Damaged,
    /// This browser can't write folders.
    NoFolders,
    /// This browser has no way to write a file of this size without holding it in memory.
    NoSaving,
    /// The browser ended a download in the middle.
    CutShort,
    /// The file is not a CAR, or a damaged one.
    Car(CarError),
    /// A block of the CAR is not what its name says.
    CarBlock(Cid),
    /// The CAR names several contents, or none: how many.
    CarRoots(usize),
    /// The CAR is not whole: this block is not in it.
    CarLacks(Cid),
    /// The address is not one of a gateway.
    Gateway,
    /// Nothing that is a gateway answers at the address.
    GatewaySilent,
    /// The file is not of the kind that its name says.
    OtherKind,
    /// More than [`super::PICTURE_BYTES_MAX`].
    TooLargeToShow,
    /// This browser shows no files while they come.
    NoPreview,
    /// The browser refused.
    Browser(BrowserError),
}

impl From<BrowserError> for FilesError {
    fn from(error: BrowserError) -> Self {
        Self::Browser(error)
    }
}

impl From<CarError> for FilesError {
    fn from(error: CarError) -> Self {
        Self::Car(error)
    }
}

impl From<MakeError> for FilesError {
    fn from(error: MakeError) -> Self {
        Self::Make(error)
    }
}

impl fmt::Display for FilesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link(error) => write!(f, "{error}"),
            Self::PasswordNeeded => f.write_str("this link needs its password"),
            Self::Password(error) => write!(f, "{error}"),
            Self::Ended => f.write_str("this share has ended"),
            Self::Make(error) => write!(f, "{error}"),
            Self::Unreadable => f.write_str("a file could not be read: it changed, or went away"),
            Self::OtherFiles => f.write_str("these are not the files that were shared"),
            Self::NoStore => f.write_str("this browser gives the page no storage"),
            Self::Full => f.write_str("the disk, or this site's share of it, is full"),
            Self::TooMany => write!(f, "{SHARES_MAX} shares are open"),
            Self::Missing => f.write_str("part of this file is not here yet"),
            Self::Damaged => f.write_str("the blocks are not what the sender said"),
            Self::NoFolders => f.write_str("this browser can't save folders"),
            Self::NoSaving => f.write_str("this browser can't save a file of this size"),
            Self::CutShort => f.write_str("the browser ended the download in the middle"),
            Self::Car(error) => write!(f, "{error}"),
            Self::CarBlock(cid) => write!(f, "a block of the CAR is damaged: {cid}"),
            Self::CarRoots(count) => write!(f, "the CAR names {count} contents, expected one"),
            Self::CarLacks(cid) => write!(f, "the CAR is not whole: it lacks block {cid}"),
            Self::Gateway => f.write_str("this is not an address of a gateway"),
            Self::GatewaySilent => f.write_str("no gateway answers at this address"),
            Self::OtherKind => f.write_str("the file is not what its name says"),
            Self::TooLargeToShow => f.write_str("the file is too large to be shown"),
            Self::NoPreview => f.write_str("this browser can't show a file while it comes"),
            Self::Browser(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for FilesError {}
