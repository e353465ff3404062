//! How much the store may hold, and how much it does.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FileStore;
use super::disk::{Guard, StoreError, read, write_whole};
use super::evict;

/// Bytes held at most unless the person says otherwise: 64 GiB.
pub const QUOTA_BYTES_DEFAULT: u64 = 64 << 30;
/// Fewest bytes that can be set: a few blocks must fit.
pub const QUOTA_BYTES_MIN: u64 = 16 << 20;
/// Blocks held at most unless the person says otherwise.
pub const BLOCKS_MAX_DEFAULT: u64 = 1_000_000;
/// Most blocks that can be set: eviction remembers 60 bytes of each.
pub const BLOCKS_MAX_MAX: u64 = 8_000_000;

/// How much the store may hold. All processes that share it keep to the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of all blocks. Default [`QUOTA_BYTES_DEFAULT`].
    pub quota_bytes: u64,
    /// Blocks. Default [`BLOCKS_MAX_DEFAULT`].
    pub blocks_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { quota_bytes: QUOTA_BYTES_DEFAULT, blocks_max: BLOCKS_MAX_DEFAULT }
    }
}

/// How much there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Bytes of all blocks.
    pub bytes: u64,
    /// Blocks.
    pub blocks: u64,
}

impl Usage {
    pub(super) fn and(self, more: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(more.bytes),
            blocks: self.blocks.saturating_add(more.blocks),
        }
    }

    pub(super) fn fits(self, limits: Limits) -> bool {
        self.bytes <= limits.quota_bytes && self.blocks <= limits.blocks_max
    }
}

impl Limits {
    /// What eviction goes down to, so that it is not needed again at once: nine tenths.
    pub(super) fn low(self) -> Self {
        Self {
            quota_bytes: self.quota_bytes / 10 * 9,
            blocks_max: self.blocks_max.saturating_mul(9) / 10,
        }
    }

    /// Those of a store.
    pub(super) fn of(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("limits.toml");
        let Some(bytes) = read(&path)? else { return Ok(Self::default()) };
        let limits = std::str::from_utf8(&bytes).ok().and_then(|text| toml::from_str(text).ok());
        limits.ok_or(StoreError::Form { path, expected: "quota_bytes and blocks_max" })
    }
}

/// What was counted last; none if nobody has, or the count was damaged.
pub(super) fn counted(root: &Path) -> Result<Option<Usage>, StoreError> {
    let Some(bytes) = read(&root.join("usage"))? else { return Ok(None) };
    let text = String::from_utf8(bytes).unwrap_or_default();
    let mut numbers = text.split_whitespace().map(str::parse);
    Ok(match (numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(bytes)), Some(Ok(blocks)), None) => Some(Usage { bytes, blocks }),
        _ => None,
    })
}

/// Keeps a count. It need not survive a crash: a missing one is counted again.
pub(super) fn keep_count(root: &Path, usage: Usage) -> Result<(), StoreError> {
    let path = root.join("usage");
    let temporary = crate::atomic::beside(&path);
    let text = format!("{} {}\n", usage.bytes, usage.blocks);
    let written = std::fs::write(&temporary, text);
    written.and_then(|()| std::fs::rename(&temporary, &path)).map_err(super::disk::at(&path))
}

impl FileStore {
    /// How much it may hold.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn limits(&self) -> Result<Limits, StoreError> {
        Limits::of(&self.root)
    }

    /// Sets how much it may hold, within [`QUOTA_BYTES_MIN`] and [`BLOCKS_MAX_MAX`]. What is too much
    /// is evicted by the next who writes.
    ///
    /// # Errors
    /// The store can't be written.
    pub fn set_limits(&self, limits: Limits) -> Result<(), StoreError> {
        let limits = Limits {
            quota_bytes: limits.quota_bytes.max(QUOTA_BYTES_MIN),
            blocks_max: limits.blocks_max.clamp(1, BLOCKS_MAX_MAX),
        };
        let _guard = Guard::alone(&self.root)?;
        let text = toml::to_string(&limits).expect("two numbers are TOML");
        write_whole(&self.root.join("limits.toml"), text.as_bytes())
    }

    /// How much it holds, counted now.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let _guard = Guard::alone(&self.root)?;
        let usage = evict::sum(&evict::scan(&self.root)?);
        keep_count(&self.root, usage)?;
        Ok(usage)
    }
}
