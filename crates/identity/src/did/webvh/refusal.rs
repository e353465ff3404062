//! Why a log is none.

use core::fmt;

use crate::limits::{LOG_BYTES_MAX, LOG_ENTRIES_MAX};

/// Why a log proves nothing, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogError {
    /// Which entry, 1-based; 0: the whole.
    pub entry: usize,
    /// Why.
    pub why: LogRefusal,
}

/// Why an entry, or the whole, is refused. Of an entry in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogRefusal {
    /// More than [`LOG_BYTES_MAX`] or [`LOG_ENTRIES_MAX`].
    TooLarge,
    /// Not a line of JSON with the members of an entry, or with numbers that are not whole.
    Form,
    /// Parameters that there are not, or that can't be.
    Parameters,
    /// Another version of the method than 1.0.
    Method,
    /// The DID was ended before.
    Ended,
    /// A key that the entry before did not promise, or none where one was.
    NotPromised,
    /// Another number than the next, or not the hash of the entry.
    Version,
    /// The SCID is not the hash of the first entry, or the DID has another.
    Scid,
    /// Not a time of UTC, one that lies ahead, or not later than the entry before.
    Time,
    /// No proof, or one of another kind, or one that is not its key's.
    Proof,
    /// A proof of a key that may not change the DID.
    NotAuthorized,
    /// A document without the DID.
    State,
    /// Another place than before, which was not allowed.
    Moved,
    /// It is the log of another DID.
    OtherDid,
    /// Too few witnesses have signed, or what they signed can't be read.
    Witnesses,
}

impl fmt::Display for LogRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => {
                return write!(
                    f,
                    "expected at most {LOG_BYTES_MAX} bytes and {LOG_ENTRIES_MAX} entries"
                );
            }
            Self::Form => "expected an entry of a did:webvh log",
            Self::Parameters => "parameters that can't be",
            Self::Method => "expected the method did:webvh:1.0",
            Self::Ended => "the DID was ended before",
            Self::NotPromised => "a key that was not promised",
            Self::Version => "the version is not the entry's hash after the one before",
            Self::Scid => "the SCID is not the hash of the first entry",
            Self::Time => "expected a time of UTC after the entry before and not ahead",
            Self::Proof => "the proof is not its key's over this entry",
            Self::NotAuthorized => "the proof's key may not change the DID",
            Self::State => "the document is not the DID's",
            Self::Moved => "the DID moved, which was not allowed",
            Self::OtherDid => "the log is another DID's",
            Self::Witnesses => "too few witnesses have signed",
        })
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.entry {
            0 => self.why.fmt(f),
            entry => write!(f, "entry {entry}: {}", self.why),
        }
    }
}

impl core::error::Error for LogError {}
