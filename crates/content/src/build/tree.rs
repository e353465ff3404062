//! Folders in folders, from paths.

use core::fmt;
use std::collections::{BTreeMap, btree_map};

use super::{Build, Entry, FolderBuilder, FolderError};
use crate::{Cid, Draft, NameError, Profile, check_path, limits::TREE_ENTRIES_MAX};

/// Collects finished entries under their paths.
#[derive(Debug)]
pub struct TreeBuilder {
    profile: Profile,
    root: Folder,
    entries: usize,
}

#[derive(Debug, Default)]
struct Folder(BTreeMap<String, Kept>);

#[derive(Debug)]
enum Kept {
    Folder(Folder),
    Entry(Entry),
}

/// Why a path or a tree is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TreeError {
    /// The path.
    Path(NameError),
    /// There is an entry at this path, or a file where a folder is needed.
    Taken,
    /// More than [`TREE_ENTRIES_MAX`] entries.
    TooMany,
    /// A folder can't be built.
    Folder(FolderError),
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(error) => write!(f, "{error}"),
            Self::Taken => f.write_str("there is another entry at this path"),
            Self::TooMany => write!(f, "more than {TREE_ENTRIES_MAX} entries"),
            Self::Folder(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for TreeError {}

impl TreeBuilder {
    /// A folder without entries.
    pub fn new(profile: Profile) -> Self {
        Self { profile, root: Folder::default(), entries: 0 }
    }

    /// Adds a file or symlink; makes the folders above it.
    ///
    /// # Errors
    /// The path is refused or taken, or there are too many.
    pub fn insert(&mut self, path: &str, entry: Entry) -> Result<(), TreeError> {
        self.place(path, Kept::Entry(entry))
    }

    /// Makes a folder, which may stay empty. One that is there is no error.
    ///
    /// # Errors
    /// See [`TreeBuilder::insert`].
    pub fn insert_folder(&mut self, path: &str) -> Result<(), TreeError> {
        self.place(path, Kept::Folder(Folder::default()))
    }

    fn place(&mut self, path: &str, kept: Kept) -> Result<(), TreeError> {
        check_path(path).map_err(TreeError::Path)?;
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = &mut self.root;
        for step in above.split('/').filter(|step| !step.is_empty()) {
            let vacant = !folder.0.contains_key(step);
            self.entries += usize::from(vacant);
            let next = folder.0.entry(step.to_owned());
            let Kept::Folder(next) = next.or_insert_with(|| Kept::Folder(Folder::default())) else {
                return Err(TreeError::Taken);
            };
            folder = next;
        }
        if self.entries >= TREE_ENTRIES_MAX {
            return Err(TreeError::TooMany);
        }
        match (folder.0.get(name), kept) {
            (Some(Kept::Folder(_)), Kept::Folder(_)) => Ok(()),
            (Some(_), _) => Err(TreeError::Taken),
            (None, kept) => {
                self.entries += 1;
                folder.0.insert(name.to_owned(), kept);
                Ok(())
            }
        }
    }

    /// No more entries will come: the folders as blocks.
    pub fn finish(self) -> TreeDrafts {
        let open = Open::new(self.profile, String::new(), self.root);
        TreeDrafts { profile: self.profile, open: vec![open], error: None, entry: None }
    }
}

/// The blocks of a tree's folders, deepest first.
#[derive(Debug)]
pub struct TreeDrafts {
    profile: Profile,
    /// From the root to the folder that is being built.
    open: Vec<Open>,
    error: Option<TreeError>,
    entry: Option<Entry>,
}

#[derive(Debug)]
struct Open {
    name: String,
    rest: btree_map::IntoIter<String, Kept>,
    builder: FolderBuilder,
}

impl Open {
    fn new(profile: Profile, name: String, folder: Folder) -> Self {
        Self { name, rest: folder.0.into_iter(), builder: FolderBuilder::new(profile) }
    }
}

impl TreeDrafts {
    /// Why it ended without an entry, if it did.
    pub const fn error(&self) -> Option<&TreeError> {
        self.error.as_ref()
    }

    /// Opens and fills folders until one is complete.
    fn descend(&mut self) -> Result<(), FolderError> {
        while let Some(top) = self.open.last_mut() {
            match top.rest.next() {
                Some((name, Kept::Entry(entry))) => top.builder.insert(name, entry)?,
                Some((name, Kept::Folder(folder))) => {
                    self.open.push(Open::new(self.profile, name, folder));
                }
                None => return top.builder.finish(),
            }
        }
        Ok(())
    }

    /// Puts a finished folder into the one above it.
    fn ascend(&mut self) -> Result<(), FolderError> {
        let Some(entry) = self.open.last().and_then(|top| top.builder.entry()) else {
            return Ok(());
        };
        let done = self.open.pop().expect("it was the last one");
        match self.open.last_mut() {
            Some(above) => above.builder.insert(done.name, entry),
            None => {
                self.entry = Some(entry);
                Ok(())
            }
        }
    }

    fn fail(&mut self, error: FolderError) {
        self.open.clear();
        self.error = Some(TreeError::Folder(error));
    }
}

impl Build for TreeDrafts {
    fn next_draft(&mut self) -> Option<Draft> {
        if let Err(error) = self.descend() {
            self.fail(error);
        }
        self.open.last_mut()?.builder.next_draft()
    }

    fn name(&mut self, cid: Cid, block_bytes: usize) {
        let top = self.open.last_mut().expect(super::UNASKED);
        top.builder.name(cid, block_bytes);
        if let Err(error) = self.ascend() {
            self.fail(error);
        }
    }

    fn entry(&self) -> Option<Entry> {
        self.entry
    }
}
