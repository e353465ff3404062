//! How bytes are cut and linked: parameters that change CIDs and nothing else.

use crate::limits::{BLOCK_BYTES_MAX, FILE_LINKS_MAX};

/// What of a folder is compared with [`crate::limits::FOLDER_BYTES_MAX`] to decide on sharding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardRule {
    /// The bytes of the folder's block.
    BlockBytes,
    /// The bytes of names and CIDs alone.
    LinkBytes,
}

/// How a file is cut into blocks and a folder into shards. Leaves are raw and all at the same depth,
/// CIDs are version 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    name: &'static str,
    chunk_bytes: usize,
    links_max: usize,
    shard_rule: ShardRule,
}

impl Profile {
    /// `unixfs-v1-2025`, our default: what IPFS tools agreed on for CIDs that repeat (IPIP-499).
    pub const V1_2025: Self = Self {
        name: "unixfs-v1-2025",
        chunk_bytes: 1 << 20,
        links_max: 1024,
        shard_rule: ShardRule::BlockBytes,
    };

    /// `kubo-cidv1-256k-174`: what `ipfs add --cid-version=1` did for ten years.
    pub const KUBO: Self = Self {
        name: "kubo-cidv1-256k-174",
        chunk_bytes: 256 << 10,
        links_max: 174,
        shard_rule: ShardRule::LinkBytes,
    };

    /// `sweep-16-4`: 16-byte chunks and 4 links, so that tests have deep trees of few bytes.
    pub const SWEEP: Self = Self {
        name: "sweep-16-4",
        chunk_bytes: 16,
        links_max: 4,
        shard_rule: ShardRule::BlockBytes,
    };

    /// Every profile.
    pub const ALL: [Self; 3] = [Self::V1_2025, Self::KUBO, Self::SWEEP];

    /// The profile of this name; `kubo` is short for the second.
    pub fn by_name(name: &str) -> Option<Self> {
        let name = if name == "kubo" { Self::KUBO.name } else { name };
        Self::ALL.into_iter().find(|profile| profile.name == name)
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Bytes of a file's leaf.
    pub const fn chunk_bytes(&self) -> usize {
        self.chunk_bytes
    }

    /// Links of a full link node.
    pub const fn links_max(&self) -> usize {
        self.links_max
    }

    /// When a folder is sharded.
    pub const fn shard_rule(&self) -> ShardRule {
        self.shard_rule
    }
}

/// By default [`Profile::V1_2025`].
impl Default for Profile {
    fn default() -> Self {
        Self::V1_2025
    }
}

const _: () = {
    let mut at = 0;
    while at < Profile::ALL.len() {
        let profile = &Profile::ALL[at];
        assert!(profile.chunk_bytes > 0 && profile.chunk_bytes < BLOCK_BYTES_MAX);
        assert!(profile.links_max > 1 && profile.links_max <= FILE_LINKS_MAX);
        at += 1;
    }
};
