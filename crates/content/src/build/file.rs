//! A file as a balanced tree: raw leaves, all at the same depth.

use std::{collections::VecDeque, mem};

use super::{Build, Entry, UNASKED, length};
use crate::{Child, Cid, Codec, Draft, Profile, node};

/// Builds a file from bytes that come in any cuts.
///
/// Holds one chunk and one open link node per level: for 4 GiB in the default profile 1 MiB and two
/// lists of at most 1024 links.
#[derive(Debug)]
pub struct FileBuilder {
    profile: Profile,
    chunk: Vec<u8>,
    drafts: VecDeque<Draft>,
    awaited: VecDeque<Awaited>,
    /// Links of the open node of each level; 0 is the leaves'.
    levels: Vec<Vec<(Child, u64)>>,
    size_bytes: u64,
    input_ended: bool,
    entry: Option<Entry>,
}

/// A draft without its name.
#[derive(Debug, Clone, Copy)]
struct Awaited {
    level: usize,
    size_bytes: u64,
    /// Bytes of the blocks below.
    below_bytes: u64,
}

impl FileBuilder {
    /// A file of no bytes yet.
    pub fn new(profile: Profile) -> Self {
        Self {
            profile,
            chunk: Vec::new(),
            drafts: VecDeque::new(),
            awaited: VecDeque::new(),
            levels: Vec::new(),
            size_bytes: 0,
            input_ended: false,
            entry: None,
        }
    }

    /// Takes the next bytes, and says how many of them: fewer than given when a block is ready, which
    /// must be taken by [`Build::next_draft`] first. Takes none after [`FileBuilder::finish`].
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        if !self.drafts.is_empty() || self.input_ended {
            return 0;
        }
        let count = bytes.len().min(self.profile.chunk_bytes() - self.chunk.len());
        if self.chunk.is_empty() && count > 0 {
            // One allocation for a whole chunk, but not a whole chunk for a few bytes.
            let likely = if count < bytes.len() { self.profile.chunk_bytes() } else { count };
            self.chunk.reserve_exact(likely);
        }
        self.chunk.extend_from_slice(&bytes[..count]);
        if self.chunk.len() == self.profile.chunk_bytes() {
            self.cut();
        }
        count
    }

    /// No more bytes will come.
    pub fn finish(&mut self) {
        if self.input_ended {
            return;
        }
        self.input_ended = true;
        // An empty file is one empty leaf.
        if !self.chunk.is_empty() || self.size_bytes == 0 {
            self.cut();
        }
        self.collapse();
    }

    /// Bytes taken so far, whole chunks only.
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn cut(&mut self) {
        let bytes = mem::take(&mut self.chunk);
        let size_bytes = length(bytes.len());
        self.size_bytes += size_bytes;
        self.awaited.push_back(Awaited { level: 0, size_bytes, below_bytes: 0 });
        self.drafts.push_back(Draft { codec: Codec::Raw, bytes });
    }

    /// Makes a node of the open links of a level.
    fn close(&mut self, level: usize) {
        let links = mem::take(&mut self.levels[level]);
        let size_bytes = links.iter().map(|(child, _)| child.size_bytes).sum();
        let below_bytes = links.iter().map(|(_, bytes)| bytes).sum();
        self.awaited.push_back(Awaited { level: level + 1, size_bytes, below_bytes });
        self.drafts.push_back(Draft { codec: Codec::DagPb, bytes: node::encode_file(&links) });
    }

    /// After the last byte: closes the lowest open node, until one link is left.
    fn collapse(&mut self) {
        if !self.input_ended || !self.awaited.is_empty() || self.entry.is_some() {
            return;
        }
        let Some(lowest) = self.levels.iter().position(|links| !links.is_empty()) else { return };
        let top = lowest + 1 == self.levels.len();
        match self.levels[lowest].as_slice() {
            [(child, tree_bytes)] if top => {
                let (cid, content_bytes) = (child.cid, child.size_bytes);
                self.entry = Some(Entry { cid, content_bytes, tree_bytes: *tree_bytes });
            }
            _ => self.close(lowest),
        }
    }
}

impl Build for FileBuilder {
    fn next_draft(&mut self) -> Option<Draft> {
        self.drafts.pop_front()
    }

    fn name(&mut self, cid: Cid, block_bytes: usize) {
        let Awaited { level, size_bytes, below_bytes } = self.awaited.pop_front().expect(UNASKED);
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        // Only when one more comes: a full node may be the root's only child, and so the root.
        if self.levels[level].len() == self.profile.links_max() {
            self.close(level);
        }
        let tree_bytes = below_bytes + length(block_bytes);
        self.levels[level].push((Child { cid, size_bytes }, tree_bytes));
        self.collapse();
    }

    fn entry(&self) -> Option<Entry> {
        self.entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_builder_holds_one_chunk_and_the_open_nodes() {
        let mut builder = FileBuilder::new(Profile::SWEEP);
        let bytes = [7; 16 * 5];
        // A ready block stops the input until it is taken.
        assert_eq!(builder.push(&bytes), 16);
        assert_eq!(builder.push(&bytes), 0);
        for _ in 0..10_000 {
            builder.push(&bytes);
            builder.drain(|_| Ok::<_, ()>(())).unwrap();
            assert!(builder.levels.iter().all(|links| links.len() <= 4));
            assert!(builder.levels.len() <= 8 && builder.chunk.len() < 16);
            assert!(builder.drafts.is_empty() && builder.awaited.is_empty());
        }
    }
}
