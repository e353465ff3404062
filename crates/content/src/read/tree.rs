//! What is below a folder, without the bytes of files.

use std::collections::VecDeque;

use super::ReadError;
use crate::{
    Cid, Codec, FolderLink, NameError, Node, Opened, ShardLink, decode,
    limits::{
        PATH_BYTES_MAX, PATH_DEPTH_MAX, READ_AHEAD_BLOCKS_MAX, SHARD_DEPTH_MAX, TREE_ENTRIES_MAX,
    },
    murmur, symlink_stays_inside,
};

/// Something below a folder, or the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// Names from the root, joined by slashes; empty for the root itself.
    pub path: String,
    /// Its root block.
    pub cid: Cid,
    /// What it is.
    pub found: Found,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A file of so many bytes. Of a raw block below a folder it is what the folder says; reading checks.
    File {
        /// Its size.
        size_bytes: u64,
    },
    /// A folder; what is in it follows.
    Folder,
    /// A symlink.
    Symlink {
        /// Where it points, as it is.
        target: String,
        /// Whether that is below the root ([`symlink_stays_inside`]).
        stays_inside: bool,
    },
}

/// Reads a tree, deepest open folder first, in the order of its blocks.
///
/// Bounded: entries and blocks by the limit given and [`TREE_ENTRIES_MAX`], depth by [`PATH_DEPTH_MAX`],
/// content by the bytes allowed. A graph that unfolds without end stops there.
#[derive(Debug)]
pub struct TreeReader {
    /// Last: next.
    todo: Vec<Todo>,
    found: VecDeque<TreeEntry>,
    counted: usize,
    entries_max: usize,
    content_bytes: u64,
    limit_bytes: u64,
}

/// A block to be read.
#[derive(Debug, Clone)]
struct Todo {
    cid: Cid,
    path: String,
    /// Places of the shards above, when this is a shard of the folder `path`.
    shard: Option<Vec<u8>>,
}

impl TreeReader {
    /// A reader of the tree under `root`, of at most so many entries and bytes of files.
    pub fn new(root: Cid, entries_max: usize, limit_bytes: u64) -> Self {
        Self {
            todo: vec![Todo { cid: root, path: String::new(), shard: None }],
            found: VecDeque::new(),
            counted: 0,
            entries_max: entries_max.min(TREE_ENTRIES_MAX),
            content_bytes: 0,
            limit_bytes,
        }
    }

    /// The blocks needed next, the most urgent first: at most `count`, and never more than
    /// [`READ_AHEAD_BLOCKS_MAX`].
    pub fn wanted(&self, count: usize) -> Vec<Cid> {
        let mut wanted = Vec::new();
        for todo in self.todo.iter().rev().take(READ_AHEAD_BLOCKS_MAX.min(count)) {
            if !wanted.contains(&todo.cid) {
                wanted.push(todo.cid);
            }
        }
        wanted
    }

    /// Takes a block that is wanted.
    ///
    /// # Errors
    /// It is not wanted ([`ReadError::NotWanted`]; nothing changed), or the tree can't be read.
    pub fn put(&mut self, block: &Opened) -> Result<(), ReadError> {
        let near = self.todo.len().saturating_sub(READ_AHEAD_BLOCKS_MAX);
        let wanted = |todo: &Todo| todo.cid == block.cid;
        let index = self.todo[near..].iter().rposition(wanted);
        let index = near + index.ok_or(ReadError::NotWanted(block.cid))?;
        let cid = block.cid;
        let node =
            decode(block.codec, &block.bytes).map_err(|error| ReadError::Node { cid, error })?;
        let todo = self.todo.remove(index);
        let below = match (node, &todo.shard) {
            (Node::Folder(links), None) => self.folder(&todo, links)?,
            (Node::Shard(links), _) => self.shard(&todo, links)?,
            (Node::File { size_bytes, .. }, None) => {
                self.tell(todo.path, cid, Found::File { size_bytes })?;
                Vec::new()
            }
            (Node::Symlink(target), None) => {
                let stays_inside = symlink_stays_inside(&todo.path, &target);
                self.tell(todo.path, cid, Found::Symlink { target, stays_inside })?;
                Vec::new()
            }
            (_, Some(_)) => return Err(ReadError::Misplaced(cid)),
        };
        self.todo.splice(index..index, below.into_iter().rev());
        Ok(())
    }

    /// The next entry, if it is known. A folder comes before what is in it; with several blocks under
    /// way, folders beside each other may mix.
    pub fn next_entry(&mut self) -> Option<TreeEntry> {
        self.found.pop_front()
    }

    /// Whether every entry was taken.
    pub fn is_done(&self) -> bool {
        self.todo.is_empty() && self.found.is_empty()
    }

    /// Bytes of all files found so far.
    pub const fn content_bytes(&self) -> u64 {
        self.content_bytes
    }

    fn folder(&mut self, todo: &Todo, links: Vec<FolderLink>) -> Result<Vec<Todo>, ReadError> {
        self.tell(todo.path.clone(), todo.cid, Found::Folder)?;
        let mut below = Vec::new();
        for FolderLink { name, cid, tree_bytes } in links {
            below.extend(self.entry(&todo.path, &name, cid, tree_bytes)?);
        }
        Ok(below)
    }

    fn shard(&mut self, todo: &Todo, links: Vec<ShardLink>) -> Result<Vec<Todo>, ReadError> {
        let above = todo.shard.as_deref().unwrap_or_default();
        if todo.shard.is_none() {
            self.tell(todo.path.clone(), todo.cid, Found::Folder)?;
        }
        let mut below = Vec::new();
        for ShardLink { place, name, cid, tree_bytes } in links {
            let places = [above, &[place]].concat();
            if let Some(name) = name {
                if !murmur::places(&name).starts_with(&places) {
                    return Err(ReadError::Misplaced(todo.cid));
                }
                below.extend(self.entry(&todo.path, &name, cid, tree_bytes)?);
            } else if places.len() < SHARD_DEPTH_MAX {
                self.count()?;
                below.push(Todo { cid, path: todo.path.clone(), shard: Some(places) });
            } else {
                return Err(ReadError::Misplaced(todo.cid));
            }
        }
        Ok(below)
    }

    /// An entry of a folder: told now if it needs no block.
    fn entry(
        &mut self,
        above: &str,
        name: &str,
        cid: Cid,
        tree_bytes: u64,
    ) -> Result<Option<Todo>, ReadError> {
        let path = if above.is_empty() { name.to_owned() } else { format!("{above}/{name}") };
        if path.len() > PATH_BYTES_MAX {
            return Err(ReadError::Path(NameError::PathTooLong));
        }
        if path.split('/').count() > PATH_DEPTH_MAX {
            return Err(ReadError::Path(NameError::TooDeep));
        }
        match cid.codec() {
            // Encrypted blocks are raw to links and something else inside: a share's manifest says what
            // is in it, and its folders are not read without it.
            Codec::Raw => {
                self.tell(path, cid, Found::File { size_bytes: tree_bytes }).map(|()| None)
            }
            Codec::DagPb => self.count().map(|()| Some(Todo { cid, path, shard: None })),
        }
    }

    fn tell(&mut self, path: String, cid: Cid, found: Found) -> Result<(), ReadError> {
        self.count()?;
        if let Found::File { size_bytes } = &found {
            self.content_bytes = self.content_bytes.saturating_add(*size_bytes);
            if self.content_bytes > self.limit_bytes {
                let (bytes, limit) = (self.content_bytes, self.limit_bytes);
                return Err(ReadError::TooLarge { bytes, limit });
            }
        }
        self.found.push_back(TreeEntry { path, cid, found });
        Ok(())
    }

    /// One more of what is bounded: an entry told or a block to read.
    fn count(&mut self) -> Result<(), ReadError> {
        self.counted += 1;
        let most = self.entries_max.saturating_mul(2);
        if self.counted > most { Err(ReadError::TooManyEntries) } else { Ok(()) }
    }
}
