//! What a purse writes down, as JSON: what can't be read is not taken for nothing.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use super::PurseError;
use crate::atomic;

/// What is in a file; nothing, if there is none.
pub(super) async fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, PurseError> {
    match tokio::fs::read(path).await {
        Ok(text) => {
            serde_json::from_slice(&text).map_err(|_| PurseError::Damaged { path: path.to_owned() })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(T::default()),
        Err(source) => Err(PurseError::Io { path: path.to_owned(), source }),
    }
}

/// Writes it whole or not at all.
pub(super) async fn write<T: Serialize + Sync>(path: &Path, what: &T) -> Result<(), PurseError> {
    let text = serde_json::to_vec(what).expect("names and numbers are JSON");
    let written = atomic::write(path, &text).await;
    written.map_err(|source| PurseError::Io { path: path.to_owned(), source })
}
