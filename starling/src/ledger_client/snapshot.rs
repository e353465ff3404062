//! Fetching a snapshot: a file that is larger than any answer.

use std::path::Path;
use std::time::Duration;

use ledger::ChainId;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;

use super::{Client, ClientError};
use crate::atomic;

/// How long a snapshot may take. It may have to be made first.
const SNAPSHOT_WITHIN: Duration = Duration::from_secs(6 * 3600);
/// How long making it may take, and how long nothing of it may come.
const MADE_WITHIN: Duration = Duration::from_secs(3600);
const NEXT_WITHIN: Duration = Duration::from_secs(60);
/// Longest snapshot that is taken, in bytes.
const SNAPSHOT_BYTES_MAX: u64 = 1 << 40;

/// Which ledger a host has, and what of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Which.
    pub chain: ChainId,
    /// The first block that it keeps.
    pub since: u64,
    /// The last final one.
    pub height: u64,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The validator gives none.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It gives one and stops in the middle, or never begins.
    #[error("{0}: no more of the snapshot came")]
    Stalled(String),
    /// More than any snapshot.
    #[error("{0}: more than {max} bytes", max = SNAPSHOT_BYTES_MAX)]
    TooLong(String),
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
        let fetched = self.snapshot_to(&part, |_, _| {}).await;
        if fetched.is_err() {
            // Best effort: the first error is the one to tell.
            let _ = tokio::fs::remove_file(&part).await;
        }
        let bytes = fetched?;
        tokio::fs::rename(&part, path).await?;
        Ok(bytes)
    }

    /// Writes it to a file that may be there in part when this fails; its bytes. `told`: how many came, and of how
    /// many, if that is known.
    ///
    /// # Errors
    /// See [`FetchError`].
    pub async fn snapshot_to(
        &self,
        part: &Path,
        mut told: impl FnMut(u64, Option<u64>) + Send,
    ) -> Result<u64, FetchError> {
        let url = format!("{}/ledger/snapshot", self.base);
        let fail = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        let stalled = |_| FetchError::Stalled(url.clone());
        let request = self.http.get(&url).timeout(SNAPSHOT_WITHIN).send();
        let mut response = timeout(MADE_WITHIN, request).await.map_err(stalled)?.map_err(fail)?;
        if !response.status().is_success() {
            let bytes = response.bytes().await.map_err(fail)?;
            return Err(self.refused(&bytes).into());
        }
        let of = response.content_length();
        let (mut file, mut count) = (tokio::fs::File::create(part).await?, 0);
        loop {
            let next = timeout(NEXT_WITHIN, response.chunk()).await.map_err(stalled)?;
            let Some(bytes) = next.map_err(fail)? else { break };
            count += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if count > SNAPSHOT_BYTES_MAX {
                return Err(FetchError::TooLong(url.clone()));
            }
            file.write_all(&bytes).await?;
            told(count, of);
        }
        file.sync_all().await?;
        Ok(count)
    }

    /// Which ledger the host has, and what of it, by its own word.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn reach(&self) -> Result<Reach, ClientError> {
        let status = self.answer("status", None).await?;
        let chain = status["chain"].as_str().and_then(|text| text.parse().ok());
        let (since, height) = (status["since"].as_u64(), status["height"].as_u64());
        match (chain, since, height) {
            (Some(chain), Some(since), Some(height)) => Ok(Reach { chain, since, height }),
            _ => Err(self.form()),
        }
    }
}
