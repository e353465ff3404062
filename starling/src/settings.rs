//! Settings from a TOML file.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not TOML, or has a field that is unknown or of another type.
    #[error("{path}: {source}")]
    Form {
        /// The file.
        path: PathBuf,
        /// What and where.
        source: Box<toml::de::Error>,
    },
}

/// The settings in a file.
///
/// # Errors
/// The file can't be read or says something unknown.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, SettingsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SettingsError::Io { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|source| SettingsError::Form { path: path.to_owned(), source: Box::new(source) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::Config;

    #[test]
    fn a_file_that_is_not_there_and_a_field_nobody_knows_are_told_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("starling.toml");
        let absent = read::<Config>(&path).unwrap_err();
        assert!(matches!(&absent, SettingsError::Io { path: told, .. } if *told == path));
        std::fs::write(&path, "listne = []").unwrap();
        let unknown = read::<Config>(&path).unwrap_err();
        assert!(matches!(unknown, SettingsError::Form { .. }));
        assert!(unknown.to_string().starts_with(&path.display().to_string()), "{unknown}");
    }
}
