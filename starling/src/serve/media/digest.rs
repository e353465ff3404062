//! SHA-256 of files, computed once per version.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use primitives::{Hash, Hasher};
use wire::limits::SEGMENT_BYTES_MAX;

use super::Version;

/// Most digests remembered: 18 hours of 4 s segments.
const DIGESTS_MAX: usize = 16_384;
const READ_BYTES: usize = 65_536;

/// What files hash to. Longer files than a segment may be have no digest.
#[derive(Debug, Default)]
pub(super) struct Digests(Mutex<BTreeMap<PathBuf, (Version, Hash)>>);

impl Digests {
    /// The digest of this version of a file; `None` if it is too long or changes meanwhile.
    pub(super) async fn of(&self, path: &Path, version: Version) -> Option<Hash> {
        if version.bytes > u64::from(SEGMENT_BYTES_MAX) {
            return None;
        }
        if let Some(known) = self.known(path, version) {
            return Some(known);
        }
        let file = path.to_owned();
        let hash = tokio::task::spawn_blocking(move || hash(&file)).await.ok()?.ok()?;
        if Version::of(path).await? != version {
            return None;
        }
        self.remember(path, version, hash);
        Some(hash)
    }

    fn known(&self, path: &Path, version: Version) -> Option<Hash> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(path).filter(|(of, _)| *of == version).map(|(_, hash)| *hash)
    }

    /// A full memory forgets the first path: live segments are numbered, so that is the oldest.
    fn remember(&self, path: &Path, version: Version, hash: Hash) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(path.to_owned(), (version, hash));
        if known.len() > DIGESTS_MAX {
            known.pop_first();
        }
    }
}

fn hash(path: &Path) -> std::io::Result<Hash> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read_bytes = file.read(&mut buffer)?;
        if read_bytes == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(&buffer[..read_bytes]);
    }
}
