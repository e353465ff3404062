//! A symlink.

use super::{Build, Entry, UNASKED, length};
use crate::{Cid, Codec, Draft, limits::SYMLINK_BYTES_MAX, node};

/// Builds a symlink. The target is kept as it is, wherever it points.
#[derive(Debug)]
pub struct SymlinkBuilder {
    draft: Option<Draft>,
    awaited: bool,
    entry: Option<Entry>,
}

impl SymlinkBuilder {
    /// A symlink to `target`; none when that is empty or longer than [`SYMLINK_BYTES_MAX`].
    pub fn new(target: &str) -> Option<Self> {
        let fits = (1..=SYMLINK_BYTES_MAX).contains(&target.len());
        let draft = Draft { codec: Codec::DagPb, bytes: node::encode_symlink(target) };
        fits.then_some(Self { draft: Some(draft), awaited: true, entry: None })
    }
}

impl Build for SymlinkBuilder {
    fn next_draft(&mut self) -> Option<Draft> {
        self.draft.take()
    }

    fn name(&mut self, cid: Cid, block_bytes: usize) {
        assert!(self.awaited && self.draft.is_none(), "{UNASKED}");
        self.awaited = false;
        self.entry = Some(Entry { cid, content_bytes: 0, tree_bytes: length(block_bytes) });
    }

    fn entry(&self) -> Option<Entry> {
        self.entry
    }
}
