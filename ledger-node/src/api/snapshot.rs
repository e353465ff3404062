//! A copy of the state, read as a file. It is taken from whoever reads too slowly: he keeps a seat from others,
//! and an old file on the disk.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{
    body::Body,
    extract::State as Shared,
    http::header,
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, get},
};
use futures_util::stream;
use tokio::io::AsyncReadExt as _;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::ApiError;
use super::places::{Seats, Whence};
use crate::node::Handle;
use crate::snapshot::{READERS_MAX, Taken};

/// Most who read one at a time from one place.
const READERS_PER_PLACE_MAX: usize = 2;
/// How fast it is read at least, in bytes a second: a megabit.
const LEAST_BYTES_PER_S: u64 = 128 << 10;
/// What everybody has besides.
const GRACE: Duration = Duration::from_secs(30);
/// How a file is read, in bytes at a time.
const PART_BYTES: usize = 1 << 16;

/// How the route is answered.
pub(super) fn method() -> MethodRouter<Handle> {
    let seats = Seats::new(READERS_MAX, READERS_PER_PLACE_MAX);
    get(move |Shared(node): Shared<Handle>, whence: Whence| async move {
        give(&node, &seats, whence.0).await
    })
}

async fn give(
    node: &Handle,
    seats: &Arc<Seats>,
    whence: Option<IpAddr>,
) -> Result<Response, ApiError> {
    let seat = seats.take(whence).ok_or(ApiError::Busy)?;
    let Taken { file, height, place } = node.snapshot().await?.ok_or(ApiError::Unknown)?;
    let bytes = file.metadata().map_err(|_| ApiError::Stopped)?.len();
    let reading = Reading::new(tokio::fs::File::from_std(file), (seat, place), within(bytes));
    let parts = stream::try_unfold(reading, |reading| async move {
        let part = reading.part().await?;
        Ok::<_, io::Error>(part.map(|part| (part, reading)))
    });
    let name = format!("attachment; filename=\"ledger-{height}.snapshot\"");
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// How long reading so much may take.
fn within(bytes: u64) -> Duration {
    GRACE + Duration::from_secs(bytes / LEAST_BYTES_PER_S)
}

/// A file, and what its reader keeps from others.
type Kept<T> = Option<(tokio::fs::File, T)>;

/// A file that is read. Whoever does not take what is read never asks for more, so a timer takes it away.
struct Reading<T> {
    kept: Arc<Mutex<Kept<T>>>,
    timer: JoinHandle<()>,
}

impl<T: Send + 'static> Reading<T> {
    fn new(file: tokio::fs::File, seat: T, within: Duration) -> Self {
        let kept = Arc::new(Mutex::new(Some((file, seat))));
        let weak = Arc::downgrade(&kept);
        let timer = tokio::spawn(async move {
            tokio::time::sleep(within).await;
            if let Some(kept) = weak.upgrade() {
                drop(kept.lock().await.take());
            }
        });
        Self { kept, timer }
    }

    /// The next part of it; none: that was all.
    async fn part(&self) -> io::Result<Option<Vec<u8>>> {
        let mut kept = self.kept.lock().await;
        let Some((file, _)) = kept.as_mut() else { return Err(io::ErrorKind::TimedOut.into()) };
        let mut part = Vec::with_capacity(PART_BYTES);
        let read = file.read_buf(&mut part).await?;
        Ok((read > 0).then_some(part))
    }
}

impl<T> Drop for Reading<T> {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn file(folder: &tempfile::TempDir) -> tokio::fs::File {
        let path = folder.path().join("file");
        std::fs::write(&path, vec![7; PART_BYTES + 1]).unwrap();
        tokio::fs::File::open(&path).await.unwrap()
    }

    #[tokio::test]
    async fn a_file_is_read_to_its_end_and_its_seat_given_back() {
        let (folder, seats) = (tempfile::tempdir().unwrap(), Seats::new(1, 1));
        let seat = seats.take(None).unwrap();
        let reading = Reading::new(file(&folder).await, seat, GRACE);
        let mut read = 0;
        while let Some(part) = reading.part().await.unwrap() {
            read += part.len();
        }
        assert_eq!(read, PART_BYTES + 1);
        assert!(seats.take(None).is_none());
        drop(reading);
        assert!(seats.take(None).is_some());
    }

    #[tokio::test]
    async fn who_reads_too_slowly_loses_the_file_and_the_seat() {
        let (folder, seats) = (tempfile::tempdir().unwrap(), Seats::new(1, 1));
        let seat = seats.take(None).unwrap();
        let mut reading = Reading::new(file(&folder).await, seat, Duration::ZERO);
        (&mut reading.timer).await.unwrap();
        assert!(seats.take(None).is_some(), "though he is still there");
        let late = reading.part().await.unwrap_err();
        assert_eq!(late.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_large_file_may_take_longer() {
        assert_eq!(within(0), Duration::from_secs(30));
        assert_eq!(within(1 << 30), Duration::from_secs(30 + 8_192));
    }
}
