//! Where a validator keeps the newest snapshot it made, for whoever asks by HTTP.

use std::fs::{File, rename};
use std::io::BufWriter;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::SnapshotError;
use crate::node::Handle;

/// The last one is given for this long: making one reads the whole state.
const MADE_EVERY: Duration = Duration::from_secs(600);

/// One file, made anew when it is asked for and old.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    /// When the last one was begun, and after which block. One is made at a time.
    newest: Mutex<Option<(Instant, u64)>>,
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, newest: Mutex::default() }
    }

    /// The newest snapshot and its height. Whoever reads the file keeps it, whatever is made since.
    pub(crate) async fn take(&self, handle: Handle) -> Result<(File, u64), SnapshotError> {
        let mut newest = self.newest.lock().await;
        let path = self.folder.join("snapshot");
        if let Some((made, height)) = *newest
            && made.elapsed() < MADE_EVERY
        {
            return Ok((File::open(&path)?, height));
        }
        *newest = None;
        let (begun, runtime) = (Instant::now(), tokio::runtime::Handle::current());
        let (part, whole) = (self.folder.join("snapshot.part"), path.clone());
        let made = tokio::task::spawn_blocking(move || {
            let mut out = BufWriter::new(File::create(&part)?);
            let height = runtime.block_on(handle.write_snapshot(&mut out))?;
            drop(out);
            rename(&part, &whole)?;
            Ok::<_, SnapshotError>(height)
        });
        // An error: it panicked, which the log tells.
        let height = made.await.map_err(std::io::Error::other)??;
        *newest = Some((begun, height));
        Ok((File::open(&path)?, height))
    }
}
