//! A file or folder, as blocks.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use ::content::{
    Block, Cid, Profile,
    build::{Build, Entry, FileBuilder, SymlinkBuilder, TreeBuilder, TreeError},
    store::BlockStore as _,
};
use axum::body::Bytes;

use super::walk::{Found, Kind, Walked, walk};
use super::{ContentError, FileStore, Pin, PinKind, Progress};

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// How something is added.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How it is cut.
    pub profile: Profile,
    /// Put a single file into a folder, which keeps its name.
    pub wrap: bool,
}

/// What was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Added {
    /// Its root.
    pub cid: Cid,
    /// Bytes of all files.
    pub content_bytes: u64,
    /// Blocks made; the same twice counts twice.
    pub blocks: u64,
    /// Files and symlinks.
    pub files: u64,
}

/// Adds a file or folder to the store and pins it; returns when every block is safe.
///
/// # Errors
/// Something can't be read, written or kept under its name. Blocks made before stay in the store.
pub fn add(
    path: &Path,
    options: Options,
    store: &mut FileStore,
    progress: Progress<'_>,
) -> Result<Added, ContentError> {
    let mut keep = |block: Block| Ok(store.put(&block)?);
    let added = Adding::new(options.profile, &mut keep, progress).add(path, options.wrap)?;
    store.commit()?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    store.pin(&Pin { root: added.cid, kind: PinKind::Below, name }, &[])?;
    Ok(added)
}

/// What [`add`] would call it, without storing anything.
///
/// # Errors
/// See [`add`].
pub fn name_only(
    path: &Path,
    options: Options,
    progress: Progress<'_>,
) -> Result<Added, ContentError> {
    Adding::new(options.profile, &mut |_| Ok(()), progress).add(path, options.wrap)
}

/// What files in memory are called as a folder, each by its path; `keep` gets every block.
///
/// # Errors
/// A path is refused, or `keep` fails.
pub(crate) fn folder_of(
    files: impl Iterator<Item = (String, Bytes)>,
    keep: Keep<'_>,
) -> Result<Cid, ContentError> {
    let mut unseen = |_: u64, _: u64| {};
    let mut adding = Adding::new(Profile::default(), keep, &mut unseen);
    let mut tree = TreeBuilder::new(adding.profile);
    for (path, bytes) in files {
        let entry = adding.bytes(&bytes)?;
        tree.insert(&path, entry).map_err(|error| named(Path::new(&path), error))?;
    }
    Ok(adding.finish(tree)?.cid)
}

type Keep<'f> = &'f mut dyn FnMut(Block) -> Result<(), ContentError>;

struct Adding<'f> {
    profile: Profile,
    keep: Keep<'f>,
    progress: Progress<'f>,
    done_bytes: u64,
    total_bytes: u64,
    blocks: u64,
    files: u64,
}

impl<'f> Adding<'f> {
    fn new(profile: Profile, keep: Keep<'f>, progress: Progress<'f>) -> Self {
        Self { profile, keep, progress, done_bytes: 0, total_bytes: 0, blocks: 0, files: 0 }
    }

    fn add(mut self, path: &Path, wrap: bool) -> Result<Added, ContentError> {
        // What the person names may be a symlink to it; what is below is kept as it is.
        let top = fs::metadata(path).map_err(io_at(path))?;
        let entry = if top.is_dir() {
            self.folder(path)?
        } else if top.is_file() {
            self.total_bytes = top.len();
            let file = self.file(path)?;
            if wrap { self.wrap(path, file)? } else { file }
        } else {
            return Err(ContentError::Special { path: path.to_owned() });
        };
        let Self { blocks, files, .. } = self;
        Ok(Added { cid: entry.cid, content_bytes: entry.content_bytes, blocks, files })
    }

    fn folder(&mut self, path: &Path) -> Result<Entry, ContentError> {
        let Walked { found, content_bytes } = walk(path)?;
        self.total_bytes = content_bytes;
        let mut tree = TreeBuilder::new(self.profile);
        for Found { path, name, kind } in found {
            let inserted = match kind {
                Kind::Folder => tree.insert_folder(&name),
                Kind::File => tree.insert(&name, self.file(&path)?),
                Kind::Symlink => tree.insert(&name, self.symlink(&path)?),
            };
            inserted.map_err(|error| named(&path, error))?;
        }
        self.finish(tree)
    }

    fn wrap(&mut self, path: &Path, file: Entry) -> Result<Entry, ContentError> {
        let name = path.file_name().unwrap_or_default();
        let name = name.to_str().ok_or_else(|| ContentError::NotUtf8 { path: path.to_owned() })?;
        let mut tree = TreeBuilder::new(self.profile);
        tree.insert(name, file).map_err(|error| named(path, error))?;
        self.finish(tree)
    }

    fn finish(&mut self, tree: TreeBuilder) -> Result<Entry, ContentError> {
        let mut drafts = tree.finish();
        self.drain(&mut drafts)?;
        drafts.entry().ok_or_else(|| {
            let error = drafts.error().cloned();
            ContentError::Tree(error.expect("a tree without an entry has an error"))
        })
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<Entry, ContentError> {
        let mut builder = FileBuilder::new(self.profile);
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = &rest[builder.push(rest)..];
            self.drain(&mut builder)?;
        }
        builder.finish();
        self.drain(&mut builder)?;
        self.files += 1;
        Ok(builder.entry().expect("a finished file with all names has an entry"))
    }

    fn file(&mut self, path: &Path) -> Result<Entry, ContentError> {
        let mut file = File::open(path).map_err(io_at(path))?;
        let mut builder = FileBuilder::new(self.profile);
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(io_at(path)(error)),
            };
            let mut rest = &buffer[..count];
            while !rest.is_empty() {
                rest = &rest[builder.push(rest)..];
                self.drain(&mut builder)?;
            }
            self.done_bytes = self.done_bytes.saturating_add(count.try_into().unwrap_or(u64::MAX));
            (self.progress)(self.done_bytes, self.total_bytes.max(self.done_bytes));
        }
        builder.finish();
        self.drain(&mut builder)?;
        self.files += 1;
        Ok(builder.entry().expect("a finished file with all names has an entry"))
    }

    fn symlink(&mut self, path: &Path) -> Result<Entry, ContentError> {
        let target = fs::read_link(path).map_err(io_at(path))?;
        let target =
            target.to_str().ok_or_else(|| ContentError::NotUtf8 { path: path.to_owned() })?;
        let builder = SymlinkBuilder::new(target);
        let mut builder = builder.ok_or_else(|| ContentError::Target { path: path.to_owned() })?;
        self.drain(&mut builder)?;
        self.files += 1;
        Ok(builder.entry().expect("a symlink with its name has an entry"))
    }

    fn drain(&mut self, builder: &mut impl Build) -> Result<(), ContentError> {
        builder.drain(|block| {
            self.blocks += 1;
            (self.keep)(block)
        })
    }
}

fn named(path: &Path, error: TreeError) -> ContentError {
    match error {
        TreeError::Path(error) => ContentError::Name { path: path.to_owned(), error },
        other => ContentError::Tree(other),
    }
}

pub(crate) fn io_at(path: &Path) -> impl FnOnce(io::Error) -> ContentError {
    let path = path.to_owned();
    move |source| ContentError::Io { path, source }
}
