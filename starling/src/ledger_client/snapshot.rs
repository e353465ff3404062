//! Fetching a snapshot: a file that is larger than any answer.

use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use super::{Client, ClientError};
use crate::atomic;

/// How long a snapshot may take. It may have to be made first.
const SNAPSHOT_WITHIN: Duration = Duration::from_secs(6 * 3600);

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The validator gives none.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The file can't be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Client {
    /// Writes the validator's newest snapshot to a file, which is there whole or not at all; its bytes.
    /// Nothing of it is checked here: whoever restores it does.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn snapshot(&self, path: &Path) -> Result<u64, FetchError> {
        let part = atomic::beside(path);
        let fetched = self.snapshot_to(&part).await;
        if fetched.is_err() {
            // Best effort: the first error is the one to tell.
            let _ = tokio::fs::remove_file(&part).await;
        }
        let bytes = fetched?;
        tokio::fs::rename(&part, path).await?;
        Ok(bytes)
    }

    async fn snapshot_to(&self, part: &Path) -> Result<u64, FetchError> {
        let url = format!("{}/ledger/snapshot", self.base);
        let fail = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        let request = self.http.get(&url).timeout(SNAPSHOT_WITHIN);
        let mut response = request.send().await.map_err(fail)?;
        if !response.status().is_success() {
            let bytes = response.bytes().await.map_err(fail)?;
            return Err(self.refused(&bytes).into());
        }
        let (mut file, mut count) = (tokio::fs::File::create(part).await?, 0);
        while let Some(bytes) = response.chunk().await.map_err(fail)? {
            file.write_all(&bytes).await?;
            count += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        }
        file.sync_all().await?;
        Ok(count)
    }
}
