//! The media this server offers: the demo it made, or the person's own folder, signed.

use std::path::{Path, PathBuf};

use media::{MANIFEST_NAME, Manifest};
use primitives::{KeyPair, PeerId};

use crate::demo::{self, DemoError, Shape};
use crate::publish::{self, Job, POLL_EVERY, PublishError, Source, Step, Watch};

/// What goes on while media are prepared.
#[derive(Debug)]
pub enum Progress {
    /// The demo is being encoded: percent done.
    Encoding(u32),
    /// Segments are being hashed.
    Signing(Step),
}

/// What the server can offer.
#[derive(Debug)]
pub enum MediaState {
    /// Signed, by this server's key or another.
    Signed {
        /// Who signed it.
        publisher: PeerId,
    },
    /// Live: signed as it grows.
    Live(Box<Watch>),
    /// Served without a manifest: why.
    Unsigned(PublishError),
    /// There is no demo: why.
    NoDemo(DemoError),
}

/// Signs a live stream until dropped.
#[derive(Debug)]
pub(super) struct Watching(Option<tokio::task::JoinHandle<()>>);

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl MediaState {
    /// Goes on signing if the media are live.
    pub(super) fn watch(self) -> Watching {
        let Self::Live(mut watch) = self else { return Watching(None) };
        Watching(Some(tokio::spawn(async move {
            loop {
                match watch.poll().await {
                    Ok(added) if added.ended => break,
                    Ok(_) => tokio::time::sleep(POLL_EVERY).await,
                    Err(error) => {
                        tracing::error!("signing the live stream stopped: {error}");
                        break;
                    }
                }
            }
        })))
    }
}

/// The demo in `folder`, made and signed if it is missing.
pub(super) async fn demo(
    folder: &Path,
    key: &KeyPair,
    progress: &mut dyn FnMut(Progress),
) -> MediaState {
    if !folder.join(demo::PLAYLIST).is_file() {
        let mut encoding = |percent| progress(Progress::Encoding(percent));
        if let Err(error) = demo::make(folder, Shape::default(), &mut encoding).await {
            return MediaState::NoDemo(error);
        }
    }
    sign(folder, key, progress).await
}

/// The media in `folder`, signed unless somebody has signed them.
pub(super) async fn sign(
    folder: &Path,
    key: &KeyPair,
    progress: &mut dyn FnMut(Progress),
) -> MediaState {
    let manifest = folder.join(MANIFEST_NAME);
    let signed = tokio::fs::read(&manifest).await.map(|bytes| Manifest::open(&bytes));
    match signed {
        Ok(Ok(manifest))
            if manifest.publisher != key.id() || is_current(folder, &manifest).await =>
        {
            return MediaState::Signed { publisher: manifest.publisher };
        }
        Ok(Err(_)) => {
            return MediaState::Unsigned(PublishError::Taken { path: manifest, publisher: None });
        }
        Ok(Ok(_)) | Err(_) => {}
    }
    let job = || Job {
        source: Source::folder(folder),
        playlist: None,
        out: PathBuf::from(folder),
        key: key.clone(),
        replace: false,
    };
    match publish::whole(&job(), &mut |step| progress(Progress::Signing(step))).await {
        Ok(report) => MediaState::Signed { publisher: report.publisher },
        Err(PublishError::Live(_)) => match Watch::start(job()).await {
            Ok(watch) => MediaState::Live(Box::new(watch)),
            Err(error) => MediaState::Unsigned(error),
        },
        Err(error) => MediaState::Unsigned(error),
    }
}

/// Whether our own manifest still says what is there: it is not live, whose parts end with the
/// process that wrote them, and no playlist was written after it.
async fn is_current(folder: &Path, manifest: &Manifest) -> bool {
    let modified = async |name: &str| tokio::fs::metadata(folder.join(name)).await?.modified();
    let Ok(signed) = modified(MANIFEST_NAME).await else { return false };
    let renditions = manifest.renditions.iter().map(|rendition| &rendition.playlist);
    for playlist in renditions.chain([&manifest.playlist]) {
        if !modified(playlist).await.is_ok_and(|written| written <= signed) {
            return false;
        }
    }
    !manifest.live
}
