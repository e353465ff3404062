//! What is in one folder, not below it.

use super::ReadError;
use crate::{
    Cid, FolderLink, Node, Opened, decode,
    limits::{READ_AHEAD_BLOCKS_MAX, SHARD_DEPTH_MAX, TREE_ENTRIES_MAX},
    murmur,
};

/// Reads the entries of a folder: one block, or all its shards.
#[derive(Debug)]
pub struct FolderReader {
    /// Last: next. A block and its places in the shards above.
    todo: Vec<(Cid, Vec<u8>)>,
    links: Vec<FolderLink>,
    counted: usize,
}

impl FolderReader {
    /// A reader of the folder `root`.
    pub fn new(root: Cid) -> Self {
        Self { todo: vec![(root, Vec::new())], links: Vec::new(), counted: 0 }
    }

    /// The blocks needed next, the next one first: at most `count`, and never more than
    /// [`READ_AHEAD_BLOCKS_MAX`]. Only the first is taken by [`FolderReader::put`].
    pub fn wanted(&self, count: usize) -> Vec<Cid> {
        let next = self.todo.iter().rev().take(count.min(READ_AHEAD_BLOCKS_MAX));
        next.map(|(cid, _)| *cid).collect()
    }

    /// Takes the block that is next.
    ///
    /// # Errors
    /// It is another ([`ReadError::NotWanted`]; nothing changed), is no folder, or there are too many
    /// entries.
    pub fn put(&mut self, block: &Opened) -> Result<(), ReadError> {
        let cid = block.cid;
        let Some((_, above)) = self.todo.last().filter(|(next, _)| *next == cid).cloned() else {
            return Err(ReadError::NotWanted(cid));
        };
        let node =
            decode(block.codec, &block.bytes).map_err(|error| ReadError::Node { cid, error })?;
        self.todo.pop();
        let from = self.todo.len();
        match node {
            Node::Folder(links) if above.is_empty() => self.links.extend(links),
            Node::Shard(links) => {
                for link in links {
                    let places = [above.as_slice(), &[link.place]].concat();
                    let Some(name) = link.name else {
                        if places.len() >= SHARD_DEPTH_MAX {
                            return Err(ReadError::Misplaced(cid));
                        }
                        self.counted += 1;
                        self.todo.push((link.cid, places));
                        continue;
                    };
                    if !murmur::places(&name).starts_with(&places) {
                        return Err(ReadError::Misplaced(cid));
                    }
                    let tree_bytes = link.tree_bytes;
                    self.links.push(FolderLink { name, cid: link.cid, tree_bytes });
                }
            }
            _ => return Err(ReadError::NotAFolder(cid)),
        }
        if self.links.len() + self.counted > TREE_ENTRIES_MAX {
            return Err(ReadError::TooManyEntries);
        }
        self.todo[from..].reverse();
        Ok(())
    }

    /// The entries so far, in the order of the blocks.
    pub fn links(&self) -> &[FolderLink] {
        &self.links
    }

    /// Whether every block was taken.
    pub fn is_done(&self) -> bool {
        self.todo.is_empty()
    }
}
