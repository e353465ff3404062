//! Bytes in, a share out: every block sealed, folders, manifest, link. A public share is the bare
//! content: blocks as `starling add` makes them, no manifest.
//!
//! ```text
//! begin(path) → push(bytes)… → end_file() → … → seal(expiry) → cid()
//!        after each: while next_block() gives a block, hash it and say named(digest)
//! ```
//!
//! Holds one chunk, the open link nodes of one file, and a line for each entry.

use core::fmt;
use std::collections::BTreeMap;

use content::{
    Block, Cid, Codec, Draft, Profile,
    build::{Build as _, Entry, FileBuilder, FolderBuilder},
    check_name, check_path,
    limits::SHARE_ENTRIES_MAX,
    share::{Cipher, EntryKind, Purpose, Sealer, ShareEntry, ShareKey, ShareManifest},
};
use primitives::Hash;

/// Makes one share.
#[derive(Debug)]
pub struct Maker {
    profile: Profile,
    /// None: public.
    sealer: Option<Sealer>,
    name: String,
    files: BTreeMap<String, ShareEntry>,
    /// What is in each folder, by its path; the whole's is empty.
    folders: BTreeMap<String, Vec<(String, Entry)>>,
    stage: Stage,
    open: Option<Made>,
    failed: Option<MakeError>,
    /// Where the next leaf of the open file begins.
    offset: u64,
}

#[derive(Debug)]
enum Stage {
    Waiting,
    File { path: String, media_type: Option<String>, builder: Box<FileBuilder> },
    Folder { path: String, builder: Box<FolderBuilder>, ends_at_s: Option<u64> },
    Manifest { builder: Box<FileBuilder>, bytes: Vec<u8>, at: usize },
    Done(Cid),
}

/// A sealed block that waits for its digest.
#[derive(Debug, Clone)]
pub struct Made {
    /// The block.
    pub draft: Draft,
    /// Where in the open file its bytes are, if it is a leaf: it need not be stored.
    pub leaf: Option<Leaf>,
}

/// How to make a leaf again, from the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Its number in the run of sealing.
    pub count: u64,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes.
    pub length: u32,
}

/// Why files can't be shared together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MakeError {
    /// A name that some system can't hold, and why.
    Name(String, content::NameError),
    /// Two files have this path.
    Twice(String),
    /// More than [`SHARE_ENTRIES_MAX`] files and folders.
    TooMany,
    /// The folders can't be built.
    Folders,
}

impl fmt::Display for MakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(path, error) => write!(f, "{path:?} can't be shared: {error}"),
            Self::Twice(path) => write!(f, "two files are called {path:?}"),
            Self::TooMany => write!(f, "more than {SHARE_ENTRIES_MAX} files and folders"),
            Self::Folders => f.write_str("the folders can't be put together"),
        }
    }
}

impl core::error::Error for MakeError {}

impl Maker {
    /// A share called `name`, sealed with a key and a run that were drawn for it.
    ///
    /// # Errors
    /// The name is refused.
    pub fn new(
        name: &str,
        key: ShareKey,
        run: [u8; 16],
        profile: Profile,
    ) -> Result<Self, MakeError> {
        Self::with(name, Some(Sealer::new(key, run)), profile)
    }

    /// A public share called `name`: nothing is sealed, and its CID is that of the content.
    ///
    /// # Errors
    /// The name is refused.
    pub fn public(name: &str, profile: Profile) -> Result<Self, MakeError> {
        Self::with(name, None, profile)
    }

    fn with(name: &str, sealer: Option<Sealer>, profile: Profile) -> Result<Self, MakeError> {
        check_name(name).map_err(|error| MakeError::Name(name.to_owned(), error))?;
        Ok(Self {
            profile,
            sealer,
            name: name.to_owned(),
            files: BTreeMap::new(),
            folders: BTreeMap::new(),
            stage: Stage::Waiting,
            open: None,
            failed: None,
            offset: 0,
        })
    }

    /// Begins a file. A share of one file holds it under the share's own name.
    ///
    /// # Errors
    /// The path is refused or taken, or there are too many.
    pub fn begin(&mut self, path: &str, media_type: Option<&str>) -> Result<(), MakeError> {
        check_path(path).map_err(|error| MakeError::Name(path.to_owned(), error))?;
        if self.files.contains_key(path) {
            return Err(MakeError::Twice(path.to_owned()));
        }
        if self.files.len() >= SHARE_ENTRIES_MAX {
            return Err(MakeError::TooMany);
        }
        let media_type = media_type.and_then(known_type);
        let builder = Box::new(FileBuilder::new(self.profile));
        self.stage = Stage::File { path: path.to_owned(), media_type, builder };
        self.offset = 0;
        Ok(())
    }

    /// Takes bytes of the open file, and says how many: fewer than given when a block is ready.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        match &mut self.stage {
            Stage::File { builder, .. } => builder.push(bytes),
            _ => 0,
        }
    }

    /// The open file has no more bytes.
    pub fn end_file(&mut self) {
        if let Stage::File { builder, .. } = &mut self.stage {
            builder.finish();
        }
        // A file of exactly one leaf has its name already: no further block will say that it is done.
        self.advance();
    }

    /// No more files will come.
    ///
    /// # Errors
    /// The folders can't be built, or there are too many.
    pub fn seal(&mut self, ends_at_s: Option<u64>) -> Result<(), MakeError> {
        let single = self.files.get(&self.name).map(|entry| entry.cid);
        if let Some(root) = single.filter(|_| self.files.len() == 1) {
            return self.close(root, ends_at_s);
        }
        let paths: Vec<String> = self.files.keys().cloned().collect();
        for path in paths {
            for (at, _) in path.match_indices('/') {
                self.folders.entry(path[..at].to_owned()).or_default();
            }
        }
        self.folders.entry(String::new()).or_default();
        self.next_folder(ends_at_s)
    }

    /// Builds the deepest folder that is left; what is in it was built before.
    fn next_folder(&mut self, ends_at_s: Option<u64>) -> Result<(), MakeError> {
        let depth = |path: &&String| (path.split('/').count(), !path.is_empty());
        let Some(path) = self.folders.keys().max_by_key(depth).cloned() else { return Ok(()) };
        let mut builder = Box::new(FolderBuilder::new(self.profile));
        for (name, entry) in self.folders.remove(&path).unwrap_or_default() {
            builder.insert(name, entry).map_err(|_| MakeError::Folders)?;
        }
        builder.finish().map_err(|_| MakeError::Folders)?;
        self.stage = Stage::Folder { path, builder, ends_at_s };
        Ok(())
    }

    /// Puts a finished file or folder into the folder it is in.
    fn place(&mut self, path: &str, entry: Entry) {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.folders.entry(above.to_owned()).or_default().push((name.to_owned(), entry));
    }

    /// The next block, to be hashed and named before the one after it. None: give more input, or it is
    /// finished.
    pub fn next_block(&mut self) -> Option<&Made> {
        if self.open.is_none() {
            self.open = self.make_next();
        }
        self.open.as_ref()
    }

    fn make_next(&mut self) -> Option<Made> {
        let (plain, purpose, is_file) = match &mut self.stage {
            Stage::File { builder, .. } => (builder.next_draft()?, Purpose::Content, true),
            Stage::Folder { builder, .. } => (builder.next_draft()?, Purpose::Content, false),
            Stage::Manifest { builder, bytes, at } => {
                let draft = loop {
                    if let Some(draft) = builder.next_draft() {
                        break draft;
                    }
                    *at += builder.push(bytes.get(*at..).unwrap_or_default());
                    if *at == bytes.len() {
                        builder.finish();
                        break builder.next_draft()?;
                    }
                };
                (draft, Purpose::Manifest, false)
            }
            Stage::Waiting | Stage::Done(_) => return None,
        };
        let leaf = (is_file && plain.codec == Codec::Raw).then(|| {
            let length = u32::try_from(plain.bytes.len()).unwrap_or(u32::MAX);
            let count = self.sealer.as_ref().map_or(0, Sealer::count);
            let leaf = Leaf { count, offset: self.offset, length };
            self.offset += u64::from(length);
            leaf
        });
        let draft = match &mut self.sealer {
            Some(sealer) => sealer.seal(plain, purpose),
            None => plain,
        };
        Some(Made { draft, leaf })
    }

    /// The digest of the block that [`Maker::next_block`] gave, as the driver computed it; the block.
    pub fn named(&mut self, digest: Hash) -> Option<(Block, Option<Leaf>)> {
        let Made { draft, leaf } = self.open.take()?;
        let block = draft.with_digest(digest);
        let (cid, size) = (block.cid(), block.bytes().len());
        match &mut self.stage {
            Stage::File { builder, .. } => builder.name(cid, size),
            Stage::Folder { builder, .. } => builder.name(cid, size),
            Stage::Manifest { builder, .. } => builder.name(cid, size),
            Stage::Waiting | Stage::Done(_) => {}
        }
        self.advance();
        Some((block, leaf))
    }

    /// Goes on to the next stage when one is finished.
    fn advance(&mut self) {
        match &mut self.stage {
            Stage::File { path, media_type, builder } => {
                let Some(entry) = builder.entry() else { return };
                let (path, media_type) = (std::mem::take(path), media_type.take());
                self.stage = Stage::Waiting;
                self.show(&path, EntryKind::File, entry, media_type);
                self.place(&path, entry);
            }
            Stage::Folder { path, builder, ends_at_s } => {
                let Some(entry) = builder.entry() else { return };
                let (path, ends_at_s) = (std::mem::take(path), *ends_at_s);
                self.stage = Stage::Waiting;
                let next = if path.is_empty() {
                    self.close(entry.cid, ends_at_s)
                } else {
                    self.show(&path, EntryKind::Folder, entry, None);
                    self.place(&path, entry);
                    self.next_folder(ends_at_s)
                };
                // Then nothing more comes, and there is no CID: the caller sees that.
                self.failed = next.err();
            }
            Stage::Manifest { builder, .. } => {
                if let Some(entry) = builder.entry() {
                    self.stage = Stage::Done(entry.cid);
                }
            }
            Stage::Waiting | Stage::Done(_) => {}
        }
    }

    /// All content is made: what a link names is its root, or the manifest.
    fn close(&mut self, root: Cid, ends_at_s: Option<u64>) -> Result<(), MakeError> {
        if self.sealer.is_some() {
            return self.begin_manifest(root, ends_at_s);
        }
        self.stage = Stage::Done(root);
        Ok(())
    }

    fn begin_manifest(&mut self, root: Cid, ends_at_s: Option<u64>) -> Result<(), MakeError> {
        let cipher = Cipher::XChaCha20Poly1305;
        let profile = self.profile.name().to_owned();
        let mut manifest = ShareManifest::new(self.name.clone(), root, cipher, profile);
        manifest.expires_at_s = ends_at_s;
        manifest.entries = std::mem::take(&mut self.files).into_values().collect();
        let bytes = manifest.encode().map_err(|_| MakeError::TooMany)?;
        let builder = Box::new(FileBuilder::new(self.profile));
        self.stage = Stage::Manifest { builder, bytes, at: 0 };
        Ok(())
    }

    fn show(&mut self, path: &str, kind: EntryKind, entry: Entry, media_type: Option<String>) {
        let size_bytes = if kind == EntryKind::File { entry.content_bytes } else { 0 };
        let (path, cid) = (path.to_owned(), entry.cid);
        let shown = ShareEntry { path: path.clone(), kind, cid, size_bytes, media_type };
        self.files.insert(path, shown);
    }

    /// Why it ended without a CID, if it did.
    pub const fn failed(&self) -> Option<&MakeError> {
        self.failed.as_ref()
    }

    /// What a link names, once everything is made.
    pub const fn cid(&self) -> Option<Cid> {
        match &self.stage {
            Stage::Done(cid) => Some(*cid),
            _ => None,
        }
    }
}

/// A leaf made again from its bytes; without a key, one of a public share. It goes nowhere unless it
/// hashes to the name it had: the caller checks (the law of [`Sealer::resume`]).
pub fn remake(key: Option<&ShareKey>, run: [u8; 16], leaf: Leaf, bytes: Vec<u8>) -> Draft {
    let draft = Draft { codec: Codec::Raw, bytes };
    match key {
        Some(key) => Sealer::resume(key.clone(), run, leaf.count).seal(draft, Purpose::Content),
        None => draft,
    }
}

/// A type a manifest may hold: parameters are left out, and what is none is no type.
fn known_type(text: &str) -> Option<String> {
    let bare = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let good = bare.len() <= content::limits::MEDIA_TYPE_BYTES_MAX
        && bare.split_once('/').is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    good.then_some(bare)
}

#[cfg(test)]
mod tests {
    use primitives::sha256;

    use super::*;

    fn drain(maker: &mut Maker) {
        while let Some(made) = maker.next_block() {
            let digest = sha256(&made.draft.bytes);
            maker.named(digest).expect("it is open");
        }
    }

    fn add(maker: &mut Maker, path: &str, bytes: &[u8]) {
        maker.begin(path, None).unwrap();
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[maker.push(rest)..];
            drain(maker);
        }
        maker.end_file();
        drain(maker);
    }

    /// From none to more than two levels of leaves of 16 bytes, four to a node.
    #[test]
    fn a_file_of_any_size_is_in_its_share() {
        for size in 0..=330 {
            let bytes = vec![7; size];
            let mut maker = Maker::public("folder", Profile::SWEEP).unwrap();
            add(&mut maker, "a", &bytes);
            add(&mut maker, "b", &bytes);
            maker.seal(None).unwrap();
            drain(&mut maker);
            let files: Vec<_> = maker.files.values().map(|entry| entry.size_bytes).collect();
            assert_eq!(files, [u64::try_from(size).unwrap(); 2]);
            assert!(maker.cid().is_some(), "{size} bytes");
        }
    }
}
