//! Where a validator keeps the newest snapshot it made, for whoever asks by HTTP.

use std::fs::{File, rename};
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use super::SnapshotError;
use crate::node::{Handle, Unanswered};

/// The last one is given for this long, if the blocks behind it are kept: making one reads the whole state.
const MADE_EVERY: Duration = Duration::from_secs(600);
/// Most who read one at a time: whoever reads slowly keeps an old file on the disk.
pub(crate) const READERS_MAX: usize = 4;

/// One file, made anew when it is asked for and old.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    /// When the last one was begun, and after which block. One is made at a time, whoever waits for it or
    /// does no longer.
    newest: Arc<Mutex<Option<(Instant, u64)>>>,
    readers: Arc<Semaphore>,
}

/// A snapshot that is read.
#[derive(Debug)]
pub struct Taken {
    /// The file.
    pub file: File,
    /// After which block.
    pub height: u64,
    /// Given back when it is read, or nobody reads it any more.
    pub(crate) place: OwnedSemaphorePermit,
}

impl Shelf {
    pub(crate) fn new(folder: PathBuf) -> Self {
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        Self { folder, newest: Arc::default(), readers }
    }

    /// The newest snapshot. Whoever reads the file keeps it, whatever is made since.
    pub(crate) async fn take(&self, handle: Handle) -> Result<Taken, SnapshotError> {
        let place = Arc::clone(&self.readers).try_acquire_owned();
        let place = place.map_err(|_| SnapshotError::Unanswered(Unanswered::Busy))?;
        let mut newest = Arc::clone(&self.newest).lock_owned().await;
        let path = self.folder.join("snapshot");
        // The last block of its validators is what others begin with: an earlier one is of no use to them.
        let early = |height: u64| handle.is_over() && height < *handle.height().borrow();
        // Who begins with a snapshot needs the blocks right behind it. An error: it is made anew, which tells it.
        let gone = |height: u64| handle.since().is_ok_and(|since| height.saturating_add(1) < since);
        if let Some((made, height)) = *newest
            && made.elapsed() < MADE_EVERY
            && !early(height)
            && !gone(height)
        {
            return Ok(Taken { file: File::open(&path)?, height, place });
        }
        *newest = None;
        let (begun, runtime) = (Instant::now(), tokio::runtime::Handle::current());
        let part = self.folder.join("snapshot.part");
        // It goes on when nobody waits for it any more, and holds the lock until it is through.
        let made = tokio::task::spawn_blocking(move || {
            let mut out = BufWriter::new(File::create(&part)?);
            let height = runtime.block_on(handle.write_snapshot(&mut out))?;
            drop(out);
            rename(&part, &path)?;
            *newest = Some((begun, height));
            Ok::<_, SnapshotError>((File::open(&path)?, height))
        });
        // An error: it panicked, which the log tells.
        let (file, height) = made.await.map_err(std::io::Error::other)??;
        Ok(Taken { file, height, place })
    }
}
