//! A folder too large for one block: a trie over the hashes of its names (UnixFS, HAMT).

use std::collections::{BTreeMap, VecDeque};

use super::{Entry, FolderError, UNASKED, length};
use crate::{Cid, Codec, Draft, ShardLink, limits::SHARD_DEPTH_MAX, murmur, node};

/// Builds the shards of one folder, deepest first.
#[derive(Debug)]
pub(super) struct Shards {
    /// Parents stand after their children.
    shards: Vec<Shard>,
    /// The next one to hand out.
    next: usize,
    awaited: VecDeque<(usize, u64)>,
}

#[derive(Debug)]
struct Shard {
    links: Vec<ShardLink>,
    /// Children that have no name yet.
    unnamed: usize,
    /// The shard above and the place there; none: the root.
    above: Option<(usize, u8)>,
}

/// An entry with its hash.
type Hashed = ([u8; SHARD_DEPTH_MAX], String, Entry);

impl Shards {
    pub(super) fn new(entries: BTreeMap<String, Entry>) -> Result<Self, FolderError> {
        let mut hashed: Vec<Hashed> =
            entries.into_iter().map(|(name, entry)| (murmur::places(&name), name, entry)).collect();
        hashed.sort_unstable_by_key(|entry| entry.0);
        for pair in hashed.windows(2) {
            if pair[0].0 == pair[1].0 {
                return Err(FolderError::Collision(pair[0].1.clone(), pair[1].1.clone()));
            }
        }
        let mut shards = Vec::new();
        add(&mut shards, &hashed, 0);
        Ok(Self { shards, next: 0, awaited: VecDeque::new() })
    }

    pub(super) fn next_draft(&mut self) -> Option<Draft> {
        let shard = self.shards.get_mut(self.next).filter(|shard| shard.unnamed == 0)?;
        let mut links = std::mem::take(&mut shard.links);
        links.sort_unstable_by_key(|link| link.place);
        let below_bytes = links.iter().map(|link| link.tree_bytes).sum();
        self.awaited.push_back((self.next, below_bytes));
        self.next += 1;
        Some(Draft { codec: Codec::DagPb, bytes: node::encode_shard(links) })
    }

    /// The root and the bytes of all blocks, when this was the root.
    pub(super) fn name(&mut self, cid: Cid, block_bytes: usize) -> Option<(Cid, u64)> {
        let (at, below_bytes) = self.awaited.pop_front().expect(UNASKED);
        let tree_bytes = below_bytes + length(block_bytes);
        let Some((above, place)) = self.shards[at].above else { return Some((cid, tree_bytes)) };
        let above = &mut self.shards[above];
        above.links.push(ShardLink { place, name: None, cid, tree_bytes });
        above.unnamed -= 1;
        None
    }
}

/// Adds the shard of `entries`, which share their first `depth` places and are sorted; its index.
/// Recursion ends: no two hashes are the same, and a hash has eight places.
fn add(shards: &mut Vec<Shard>, entries: &[Hashed], depth: usize) -> usize {
    let mut links = Vec::new();
    let mut below = Vec::new();
    for group in entries.chunk_by(|a, b| a.0[depth] == b.0[depth]) {
        let place = group[0].0[depth];
        if let [(_, name, entry)] = group {
            let Entry { cid, tree_bytes, .. } = *entry;
            links.push(ShardLink { place, name: Some(name.clone()), cid, tree_bytes });
        } else {
            below.push((add(shards, group, depth + 1), place));
        }
    }
    let at = shards.len();
    for (child, place) in &below {
        shards[*child].above = Some((at, *place));
    }
    shards.push(Shard { links, unnamed: below.len(), above: None });
    at
}
