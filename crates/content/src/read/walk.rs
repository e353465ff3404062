//! Every block below a root.

use std::collections::BTreeSet;

use super::ReadError;
use crate::{
    Cid, Node, Opened, decode,
    limits::{READ_AHEAD_BLOCKS_MAX, WALK_BLOCKS_MAX},
};

/// Walks over a graph, parents before children, children in their order, each block once.
#[derive(Debug)]
pub struct WalkReader {
    /// Last: next.
    todo: Vec<Cid>,
    seen: BTreeSet<Cid>,
}

impl WalkReader {
    /// A walk from `root`.
    pub fn new(root: Cid) -> Self {
        Self { todo: vec![root], seen: BTreeSet::from([root]) }
    }

    /// The blocks needed next, the next one first: at most `count`, and never more than
    /// [`READ_AHEAD_BLOCKS_MAX`]. Only the first is taken by [`WalkReader::put`].
    pub fn wanted(&self, count: usize) -> Vec<Cid> {
        self.todo.iter().rev().take(count.min(READ_AHEAD_BLOCKS_MAX)).copied().collect()
    }

    /// Takes the block that is next.
    ///
    /// # Errors
    /// It is another block ([`ReadError::NotWanted`]; nothing changed), means nothing, or there are too
    /// many.
    pub fn put(&mut self, block: &Opened) -> Result<(), ReadError> {
        let cid = block.cid;
        if self.todo.last() != Some(&cid) {
            return Err(ReadError::NotWanted(cid));
        }
        let node =
            decode(block.codec, &block.bytes).map_err(|error| ReadError::Node { cid, error })?;
        self.todo.pop();
        let below: Vec<Cid> = match node {
            Node::File { children, .. } => children.iter().map(|child| child.cid).collect(),
            Node::Folder(links) => links.iter().map(|link| link.cid).collect(),
            Node::Shard(links) => links.iter().map(|link| link.cid).collect(),
            Node::Symlink(_) => Vec::new(),
        };
        let at = self.todo.len();
        for cid in below {
            if self.seen.insert(cid) {
                self.todo.push(cid);
            }
        }
        if self.seen.len() > WALK_BLOCKS_MAX {
            return Err(ReadError::TooManyBlocks);
        }
        self.todo[at..].reverse();
        Ok(())
    }

    /// Whether every block was taken.
    pub fn is_done(&self) -> bool {
        self.todo.is_empty()
    }
}
