//! Keys on disk: one line of 64 hexadecimal characters, the secret seed of an Ed25519 key.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use primitives::{Hash, KeyPair, Seed};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file can't be read or made.
    #[error("key file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds something else than a key.
    #[error("key file {path}: expected one line of 64 hexadecimal characters")]
    Form {
        /// The file.
        path: PathBuf,
    },
    /// The platform gave no randomness for a new key.
    #[error("no randomness for a new key: {0}")]
    Entropy(getrandom::Error),
}

/// A key, and whether its file was made just now.
#[derive(Debug)]
pub struct Loaded {
    /// The key.
    pub key: KeyPair,
    /// The secret that it follows from.
    pub seed: Seed,
    /// Whether it is new.
    pub created: bool,
}

/// Reads the key in `path`; if there is no such file, makes one that only its owner may read.
///
/// # Errors
/// The file can't be read, made, or is no key.
pub fn load_or_create(path: &Path) -> Result<Loaded, KeyFileError> {
    match read(path)? {
        Some(seed) => Ok(loaded(seed, false)),
        None => create(path),
    }
}

/// Reads the secret of the key in `path`, which must be there.
///
/// # Errors
/// The file can't be read, or is no key.
pub fn load(path: &Path) -> Result<Seed, KeyFileError> {
    let missing =
        || KeyFileError::Io { path: path.to_owned(), source: io::ErrorKind::NotFound.into() };
    read(path)?.ok_or_else(missing)
}

fn loaded(seed: Seed, created: bool) -> Loaded {
    Loaded { key: KeyPair::from_seed(seed), seed, created }
}

fn read(path: &Path) -> Result<Option<Seed>, KeyFileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let seed: Hash =
                text.trim().parse().map_err(|_| KeyFileError::Form { path: path.to_owned() })?;
            Ok(Some(Seed::new(*seed.as_bytes())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyFileError::Io { path: path.to_owned(), source }),
    }
}

/// `create_new`: of two processes that start at once, the second reads what the first made.
fn create(path: &Path) -> Result<Loaded, KeyFileError> {
    let fail = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(KeyFileError::Entropy)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            let line = format!("{}\n", Hash::new(seed));
            file.write_all(line.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)?;
            Ok(loaded(Seed::new(seed), true))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let seed = read(path)?.ok_or_else(|| fail(error))?;
            Ok(loaded(seed, false))
        }
        Err(error) => Err(fail(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/publisher.key");
        let first = load_or_create(&path).unwrap();
        assert!(first.created);
        let again = load_or_create(&path).unwrap();
        assert!(!again.created);
        assert_eq!(first.key.id(), again.key.id());
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(&path).unwrap().permissions(),
            );
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn another_file_is_not_taken_for_a_key_nor_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("publisher.key");
        std::fs::write(&path, "hello").unwrap();
        assert!(matches!(load_or_create(&path), Err(KeyFileError::Form { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hello");
    }
}
