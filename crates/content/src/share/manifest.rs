//! What a share holds, for a person to see before accepting. CBOR (RFC 8949) in the style of the peer
//! protocol: positions, later versions append. CDDL: `docs/spec/files.md`.

use core::fmt;
use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::{
    Cid, NameError, check_name, check_path,
    limits::{FILE_BYTES_MAX, MEDIA_TYPE_BYTES_MAX, SHARE_ENTRIES_MAX, SHARE_MANIFEST_BYTES_MAX},
};

/// Version of the manifest.
const VERSION: u32 = 1;
/// Longest name of a profile, in bytes.
const PROFILE_BYTES_MAX: usize = 64;

/// What a share holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShareManifest {
    #[n(0)]
    version: u32,
    /// What a person calls it: the file's or the folder's name.
    #[n(1)]
    pub name: String,
    /// Root of the content: a file, or a folder with the paths of `entries`.
    #[n(2)]
    pub root: Cid,
    /// How its blocks are encrypted.
    #[n(3)]
    pub cipher: Cipher,
    /// How it was cut ([`crate::Profile::name`]), so that others can make the same blocks.
    #[n(4)]
    pub profile: String,
    /// When the share ends, in seconds since 1970; none: never.
    #[n(5)]
    pub expires_at_s: Option<u64>,
    /// Every file, folder and symlink, paths ascending; of a single file, one whose path is `name`.
    /// At most [`SHARE_ENTRIES_MAX`].
    #[n(6)]
    pub entries: Vec<ShareEntry>,
}

/// How blocks are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Cipher {
    /// Not at all.
    #[n(0)]
    None,
    /// [`super::Sealer`], version 1.
    #[n(1)]
    XChaCha20Poly1305,
}

/// A file, folder or symlink of a share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShareEntry {
    /// Names joined by slashes.
    #[n(0)]
    pub path: String,
    /// What it is.
    #[n(1)]
    pub kind: EntryKind,
    /// Its root block: one file can be fetched without the rest.
    #[n(2)]
    pub cid: Cid,
    /// Bytes of a file; 0 of others.
    #[n(3)]
    pub size_bytes: u64,
    /// Media type of a file as its sender's system says (RFC 6838), for previews. Nothing trusts it.
    #[n(4)]
    pub media_type: Option<String>,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum EntryKind {
    /// A file.
    #[n(0)]
    File,
    /// A folder.
    #[n(1)]
    Folder,
    /// A symlink; its target is in its block.
    #[n(2)]
    Symlink,
}

/// Why bytes are not a manifest, or a manifest can't be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ManifestError {
    /// More than [`SHARE_MANIFEST_BYTES_MAX`].
    TooLarge {
        /// Bytes found.
        bytes: usize,
    },
    /// Not CBOR of the form, or bytes after it.
    Malformed,
    /// A version this code does not read.
    Version(u32),
    /// More than [`SHARE_ENTRIES_MAX`] entries.
    TooManyEntries {
        /// Entries found.
        entries: usize,
    },
    /// A name or path is refused.
    Name(NameError),
    /// Paths do not ascend, or an entry is below something that is not a folder.
    Order,
    /// A field is out of its bounds; its name.
    Field(&'static str),
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes } => {
                write!(f, "manifest is {bytes} bytes, limit is {SHARE_MANIFEST_BYTES_MAX}")
            }
            Self::Malformed => f.write_str("expected a share manifest, found something else"),
            Self::Version(version) => {
                write!(f, "expected manifest version {VERSION}, found {version}")
            }
            Self::TooManyEntries { entries } => {
                write!(f, "manifest has {entries} entries, limit is {SHARE_ENTRIES_MAX}")
            }
            Self::Name(error) => write!(f, "{error}"),
            Self::Order => f.write_str("paths of a manifest do not ascend or have no folder"),
            Self::Field(name) => write!(f, "field {name} is outside its bound"),
        }
    }
}

impl core::error::Error for ManifestError {}

impl ShareManifest {
    /// A manifest without entries and without an end.
    pub const fn new(name: String, root: Cid, cipher: Cipher, profile: String) -> Self {
        let entries = Vec::new();
        Self { version: VERSION, name, root, cipher, profile, expires_at_s: None, entries }
    }

    /// The manifest's bytes.
    ///
    /// # Errors
    /// It is outside the bounds that readers hold it to.
    pub fn encode(&self) -> Result<Vec<u8>, ManifestError> {
        self.check()?;
        let bytes = minicbor::to_vec(self).expect("writing to a Vec does not fail");
        check_size(bytes.len())?;
        Ok(bytes)
    }

    /// Reads a manifest. Total: any bytes give a manifest within its bounds or an error.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        check_size(bytes.len())?;
        let mut decoder = minicbor::Decoder::new(bytes);
        let mut version = decoder.clone();
        if version.array().is_ok_and(|fields| fields.is_some_and(|fields| fields > 0))
            && let Ok(version) = version.u32()
            && version != VERSION
        {
            return Err(ManifestError::Version(version));
        }
        let manifest: Self = decoder.decode().map_err(|_| ManifestError::Malformed)?;
        if decoder.position() != bytes.len() {
            return Err(ManifestError::Malformed);
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// Bytes of all files.
    pub fn total_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size_bytes).fold(0, u64::saturating_add)
    }

    /// Whether the share has ended at `now_s`, in seconds since 1970.
    pub fn is_expired(&self, now_s: u64) -> bool {
        self.expires_at_s.is_some_and(|end| end <= now_s)
    }

    /// Whether it is within the bounds that readers hold it to.
    ///
    /// # Errors
    /// The first that it breaks.
    pub fn check(&self) -> Result<(), ManifestError> {
        check_name(&self.name).map_err(ManifestError::Name)?;
        field(self.profile.len() <= PROFILE_BYTES_MAX, "profile")?;
        if self.entries.len() > SHARE_ENTRIES_MAX {
            return Err(ManifestError::TooManyEntries { entries: self.entries.len() });
        }
        if !self.entries.is_sorted_by(|a, b| a.path < b.path) {
            return Err(ManifestError::Order);
        }
        self.entries.iter().try_for_each(ShareEntry::check)?;
        self.check_folders()
    }

    /// Every entry stands in a folder of the manifest, or at the top.
    fn check_folders(&self) -> Result<(), ManifestError> {
        let folders = self.entries.iter().filter(|entry| entry.kind == EntryKind::Folder);
        let folders: BTreeSet<&str> = folders.map(|entry| entry.path.as_str()).collect();
        let stands = |entry: &ShareEntry| {
            entry.path.rsplit_once('/').is_none_or(|(above, _)| folders.contains(above))
        };
        if self.entries.iter().all(stands) { Ok(()) } else { Err(ManifestError::Order) }
    }
}

impl ShareEntry {
    fn check(&self) -> Result<(), ManifestError> {
        check_path(&self.path).map_err(ManifestError::Name)?;
        let most = if self.kind == EntryKind::File { FILE_BYTES_MAX } else { 0 };
        field(self.size_bytes <= most, "size_bytes")?;
        let media_type = self.media_type.as_deref();
        field(media_type.is_none_or(is_media_type), "media_type")
    }
}

/// A type and a subtype of the characters of RFC 6838, 4.2; parameters are not kept.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    text.len() <= MEDIA_TYPE_BYTES_MAX
        && text.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype))
}

fn check_size(bytes: usize) -> Result<(), ManifestError> {
    if bytes > SHARE_MANIFEST_BYTES_MAX { Err(ManifestError::TooLarge { bytes }) } else { Ok(()) }
}

fn field(holds: bool, name: &'static str) -> Result<(), ManifestError> {
    if holds { Ok(()) } else { Err(ManifestError::Field(name)) }
}
