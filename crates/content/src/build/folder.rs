//! A folder: one block, or shards when it is too large for one.

use core::fmt;
use std::collections::BTreeMap;

use super::{Build, Entry, UNASKED, length, shard::Shards};
use crate::{
    Cid, Codec, Draft, FolderLink, NameError, Profile, ShardRule, check_name,
    dag_pb::Link,
    limits::{FOLDER_BYTES_MAX, TREE_ENTRIES_MAX},
    node,
};

/// Bytes of the UnixFS message of every folder, with its field's head.
const MESSAGE_BYTES: usize = 4;
/// Bytes of every CID we write.
const CID_BYTES: usize = 36;

/// Builds one folder from finished entries.
#[derive(Debug)]
pub struct FolderBuilder {
    profile: Profile,
    entries: BTreeMap<String, Entry>,
    content_bytes: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Open,
    Block { draft: Option<Draft>, below_bytes: u64 },
    Shards(Shards),
    Done(Entry),
}

/// Why an entry or a folder is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FolderError {
    /// The name.
    Name(NameError),
    /// There is an entry of this name.
    Twice(String),
    /// More than [`TREE_ENTRIES_MAX`] entries.
    TooMany,
    /// Names whose hashes are the same to the last bit can't be in one sharded folder.
    Collision(String, String),
}

impl fmt::Display for FolderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => write!(f, "{error}"),
            Self::Twice(name) => write!(f, "two entries are called {name:?}"),
            Self::TooMany => write!(f, "more than {TREE_ENTRIES_MAX} entries"),
            Self::Collision(a, b) => write!(f, "names {a:?} and {b:?} have the same hash"),
        }
    }
}

impl core::error::Error for FolderError {}

impl FolderBuilder {
    /// A folder without entries.
    pub const fn new(profile: Profile) -> Self {
        Self { profile, entries: BTreeMap::new(), content_bytes: 0, stage: Stage::Open }
    }

    /// Adds an entry; the order does not matter.
    ///
    /// # Errors
    /// The name is refused or taken, or there are too many.
    pub fn insert(&mut self, name: String, entry: Entry) -> Result<(), FolderError> {
        check_name(&name).map_err(FolderError::Name)?;
        if self.entries.len() >= TREE_ENTRIES_MAX {
            return Err(FolderError::TooMany);
        }
        if self.entries.contains_key(&name) {
            return Err(FolderError::Twice(name));
        }
        self.content_bytes = self.content_bytes.saturating_add(entry.content_bytes);
        self.entries.insert(name, entry);
        Ok(())
    }

    /// No more entries will come.
    ///
    /// # Errors
    /// Two names collide in a sharded folder.
    pub fn finish(&mut self) -> Result<(), FolderError> {
        if !matches!(self.stage, Stage::Open) {
            return Ok(());
        }
        let sharded = self.measure() > FOLDER_BYTES_MAX;
        let entries = std::mem::take(&mut self.entries);
        self.stage = if sharded {
            Stage::Shards(Shards::new(entries)?)
        } else {
            let below_bytes = entries.values().map(|entry| entry.tree_bytes).sum();
            let link = |(name, entry): (String, Entry)| FolderLink {
                name,
                cid: entry.cid,
                tree_bytes: entry.tree_bytes,
            };
            let bytes = node::encode_folder(entries.into_iter().map(link).collect());
            Stage::Block { draft: Some(Draft { codec: Codec::DagPb, bytes }), below_bytes }
        };
        Ok(())
    }

    /// What the profile's rule compares with [`FOLDER_BYTES_MAX`].
    fn measure(&self) -> usize {
        let block =
            |(name, entry): (&String, &Entry)| Link::encoded_bytes(name.len(), entry.tree_bytes);
        match self.profile.shard_rule() {
            ShardRule::BlockBytes => self.entries.iter().map(block).sum::<usize>() + MESSAGE_BYTES,
            ShardRule::LinkBytes => self.entries.keys().map(|name| name.len() + CID_BYTES).sum(),
        }
    }
}

impl Build for FolderBuilder {
    fn next_draft(&mut self) -> Option<Draft> {
        match &mut self.stage {
            Stage::Open | Stage::Done(_) => None,
            Stage::Block { draft, .. } => draft.take(),
            Stage::Shards(shards) => shards.next_draft(),
        }
    }

    fn name(&mut self, cid: Cid, block_bytes: usize) {
        let root = match &mut self.stage {
            Stage::Block { draft: None, below_bytes } => {
                Some((cid, *below_bytes + length(block_bytes)))
            }
            Stage::Shards(shards) => shards.name(cid, block_bytes),
            Stage::Open | Stage::Done(_) | Stage::Block { .. } => panic!("{UNASKED}"),
        };
        if let Some((cid, tree_bytes)) = root {
            let content_bytes = self.content_bytes;
            self.stage = Stage::Done(Entry { cid, content_bytes, tree_bytes });
        }
    }

    fn entry(&self) -> Option<Entry> {
        match &self.stage {
            Stage::Done(entry) => Some(*entry),
            Stage::Open | Stage::Block { .. } | Stage::Shards(_) => None,
        }
    }
}
