//! The folder the manifest and its parts are written to.

use std::io;
use std::path::{Path, PathBuf};

use media::{MANIFEST_NAME, Manifest, PART_PLACEHOLDER, Part, Rendition};
use primitives::KeyPair;

use super::PublishError;
use crate::atomic;

/// Folder of the parts, beside the manifest.
const PARTS_FOLDER: &str = "starling";

/// Writes what one key signs into one folder.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    key: KeyPair,
}

impl Store {
    /// The store in `folder`. Refuses where another publisher's manifest is, unless `replace`.
    pub(super) async fn open(
        folder: &Path,
        key: &KeyPair,
        replace: bool,
    ) -> Result<Self, PublishError> {
        let store = Self { folder: folder.to_owned(), key: key.clone() };
        let path = store.manifest_path();
        match tokio::fs::read(&path).await {
            Ok(bytes) => {
                let publisher = Manifest::open(&bytes).ok().map(|manifest| manifest.publisher);
                if publisher != Some(key.id()) && !replace {
                    return Err(PublishError::Taken { path, publisher });
                }
                Ok(store)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(store),
            Err(source) => Err(PublishError::Io { path, source }),
        }
    }

    pub(super) fn manifest_path(&self) -> PathBuf {
        self.folder.join(MANIFEST_NAME)
    }

    pub(super) async fn write_manifest(&self, manifest: &Manifest) -> Result<(), PublishError> {
        manifest.check()?;
        self.write(&self.manifest_path(), &manifest.seal(&self.key)).await
    }

    pub(super) async fn write_part(&self, number: u32, part: &Part) -> Result<(), PublishError> {
        part.check()?;
        self.write(&self.part_path(part.track, number), &part.seal(&self.key)).await
    }

    /// Removes the parts of `track` whose number `goes`. Files of other names are left alone.
    pub(super) async fn remove_parts(
        &self,
        track: u16,
        goes: impl Fn(u32) -> bool,
    ) -> Result<(), PublishError> {
        let folder = self.folder.join(PARTS_FOLDER);
        let fail = |source| PublishError::Io { path: folder.clone(), source };
        let mut entries = match tokio::fs::read_dir(&folder).await {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(fail(error)),
        };
        while let Some(entry) = entries.next_entry().await.map_err(fail)? {
            if part_number(track, &entry.file_name().to_string_lossy()).is_some_and(&goes) {
                tokio::fs::remove_file(entry.path()).await.map_err(fail)?;
            }
        }
        Ok(())
    }

    fn part_path(&self, track: u16, number: u32) -> PathBuf {
        let name = parts_of(track).replace(PART_PLACEHOLDER, &number.to_string());
        self.folder.join(name)
    }

    async fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
        atomic::write(path, bytes)
            .await
            .map_err(|source| PublishError::Io { path: path.to_owned(), source })
    }
}

/// A rendition whose parts are where [`Store`] writes them.
pub(super) fn rendition(track: u16, playlist: String) -> Rendition {
    Rendition { track, playlist, parts: parts_of(track), root: None, first: 0, count: 0 }
}

fn parts_of(track: u16) -> String {
    format!("{PARTS_FOLDER}/{track}-{PART_PLACEHOLDER}.json")
}

/// The number of a part of `track` by its file name.
fn part_number(track: u16, name: &str) -> Option<u32> {
    name.strip_prefix(&format!("{track}-"))?.strip_suffix(".json")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_parts_of_the_track_have_a_number() {
        assert_eq!(part_number(1, "1-12.json"), Some(12));
        assert_eq!(part_number(1, "11-2.json"), None);
        assert_eq!(part_number(1, "1-x.json"), None);
        assert_eq!(part_number(1, ".1-2.json.77.tmp"), None);
    }
}
