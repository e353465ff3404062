//! Files that are there whole or not at all.

use std::io;
use std::path::{Path, PathBuf};

/// Writes `bytes` beside `path` and renames them into place. Makes the folder.
pub(crate) async fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let temporary = beside(path);
    let written = async {
        tokio::fs::write(&temporary, bytes).await?;
        tokio::fs::rename(&temporary, path).await
    };
    let result = written.await;
    if result.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = tokio::fs::remove_file(&temporary).await;
    }
    result
}

/// The same for what only its owner may read.
pub(crate) async fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use tokio::io::AsyncWriteExt as _;
    let temporary = beside(path);
    let written = async {
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&temporary).await?;
        file.write_all(bytes).await?;
        file.sync_all().await?;
        tokio::fs::rename(&temporary, path).await
    };
    let result = written.await;
    if result.is_err() {
        // Best effort: the first error is the one to tell.
        let _ = tokio::fs::remove_file(&temporary).await;
    }
    result
}

/// A hidden name in the same folder, of this process only.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}
