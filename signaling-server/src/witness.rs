//! The witness: fetches a segment once for everybody and says, signed, what it is.
//!
//! Where no publisher signed a manifest and the origin gives no digest, viewers still need a hash that
//! no stranger chose. The server fetches the URL itself, from an origin its host allows, and tells
//! size, SHA-256 and the SHA-256 of each piece. One fetch serves all who ask; failures are remembered
//! for a moment, so that a missing segment is not hammered.
//!
//! Not a proxy: no byte of the body leaves the server. What an asker can learn of an address it can't
//! reach is bounded by [`Reach`].

mod fetch;
mod folder;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use lru::LruCache;
use primitives::{Hash, Hasher};
use reqwest::Url;
use tokio::sync::{OnceCell, Semaphore};
use wire::limits::{PIECE_BYTES, SEGMENT_BYTES_MAX};

use crate::config::{MediaFolder, WitnessConfig};
use crate::error::ConfigError;
use crate::lock;
use crate::origin;
use crate::reach::Reach;
use fetch::Fetcher;

/// An origin written in the settings that stands for all public ones.
const ANY_PUBLIC: &str = "*";

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unseen {
    /// This server is no witness.
    #[error("this server gives no witness")]
    Nothing,
    /// Not an origin the host allows.
    #[error("the host of this server does not allow that origin")]
    Forbidden,
    /// The name leads to an address that is not public, or there is none.
    #[error("the origin's name leads to no public address")]
    NotPublic,
    /// No connection, or it broke.
    #[error("the origin did not answer")]
    Unreachable,
    /// Too slow.
    #[error("the origin took too long")]
    TimedOut,
    /// Another status than 200, or an encoded body.
    #[error("the origin answered with status {0}, expected 200 and no content encoding")]
    Status(u16),
    /// Longer than a segment may be.
    #[error("the body is longer than {SEGMENT_BYTES_MAX} bytes")]
    TooLong,
    /// No such file in the host's own media.
    #[error("there is no such file")]
    NoFile,
}

/// What a body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) size_bytes: u32,
    pub(crate) sha256: Hash,
    /// SHA-256 of each piece, concatenated.
    pub(crate) pieces: Vec<u8>,
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Subject {
    Url(String),
    /// A file as it was at one time: a rewritten file is another subject.
    File {
        path: PathBuf,
        size_bytes: u64,
        modified: Option<SystemTime>,
    },
}

type Outcome = Result<Arc<Seen>, Unseen>;
type Slot = Arc<OnceCell<(Instant, Outcome)>>;

/// The witness of one server.
#[derive(Debug)]
pub(crate) struct Witness {
    origins: BTreeSet<String>,
    any_public: bool,
    folders: Vec<MediaFolder>,
    fetcher: Fetcher,
    slots: Mutex<LruCache<Subject, Slot>>,
    fetches: Arc<Semaphore>,
    failure: Duration,
}

impl Witness {
    pub(crate) fn new(
        config: &WitnessConfig,
        folders: Vec<MediaFolder>,
    ) -> Result<Self, ConfigError> {
        let named = config.origins.iter().filter(|text| *text != ANY_PUBLIC);
        let zero = |field| ConfigError::Zero { field };
        let answers_max = NonZeroUsize::new(config.answers_max);
        let fetches_max = usize::try_from(config.fetches_max).unwrap_or(Semaphore::MAX_PERMITS);
        if fetches_max == 0 {
            return Err(zero("witness.fetches_max"));
        }
        Ok(Self {
            origins: named.map(|text| origin::parse(text)).collect::<Result<_, _>>()?,
            any_public: config.origins.iter().any(|text| text == ANY_PUBLIC),
            folders,
            fetcher: Fetcher::new(Duration::from_millis(u64::from(config.timeout_ms)))?,
            slots: Mutex::new(LruCache::new(
                answers_max.ok_or_else(|| zero("witness.answers_max"))?,
            )),
            fetches: Arc::new(Semaphore::new(fetches_max)),
            failure: Duration::from_millis(u64::from(config.failure_ms)),
        })
    }

    /// Looks at a URL for a visitor who reached this server as `host`. The flag says that this call
    /// did the looking.
    pub(crate) async fn look(&self, host: Option<&str>, text: &str) -> (Outcome, bool) {
        if self.origins.is_empty() && !self.any_public && self.folders.is_empty() {
            return (Err(Unseen::Nothing), false);
        }
        let url = match Url::parse(text) {
            Ok(url) if is_plain(&url) => url,
            _ => return (Err(Unseen::Forbidden), false),
        };
        if let Some(path) = folder::file(&self.folders, host, &url) {
            return self.look_at_file(path).await;
        }
        let Some(reach) = self.reach(&url) else { return (Err(Unseen::Forbidden), false) };
        let fetcher = self.fetcher.clone();
        let subject = Subject::Url(url.as_str().into());
        self.once(subject, async move { fetcher.fetch(url, reach).await }).await
    }

    fn reach(&self, url: &Url) -> Option<Reach> {
        if self.origins.contains(&origin::of(url)) {
            return Some(Reach::Anywhere);
        }
        self.any_public.then_some(Reach::Public)
    }

    async fn look_at_file(&self, path: PathBuf) -> (Outcome, bool) {
        let Ok(metadata) = tokio::fs::metadata(&path).await else {
            return (Err(Unseen::NoFile), false);
        };
        let (size_bytes, modified) = (metadata.len(), metadata.modified().ok());
        let subject = Subject::File { path: path.clone(), size_bytes, modified };
        self.once(subject, async move { folder::read(&path).await }).await
    }

    /// Runs `look` unless it ran already or is running; all who ask meanwhile get its outcome.
    async fn once(
        &self,
        subject: Subject,
        look: impl Future<Output = Result<Seen, Unseen>> + Send + 'static,
    ) -> (Outcome, bool) {
        let slot = self.slot(subject);
        let mut looked = false;
        let run = async {
            looked = true;
            let fetches = Arc::clone(&self.fetches);
            // A task of its own: an asker who leaves does not stop the fetch of the others.
            let task = tokio::spawn(async move {
                let _permit = fetches.acquire_owned().await.ok();
                look.await
            });
            let outcome = task.await.unwrap_or(Err(Unseen::Unreachable));
            (Instant::now(), outcome.map(Arc::new))
        };
        let (_, outcome) = slot.get_or_init(|| run).await;
        (outcome.clone(), looked)
    }

    fn slot(&self, subject: Subject) -> Slot {
        let mut slots = lock(&self.slots);
        let stale = slots
            .peek(&subject)
            .and_then(|slot| slot.get())
            .is_some_and(|(at, outcome)| outcome.is_err() && at.elapsed() >= self.failure);
        if stale {
            slots.pop(&subject);
        }
        Arc::clone(slots.get_or_insert(subject, Slot::default))
    }
}

/// No credentials, which the asker has no right to make us send, and no fragment, which no server
/// sees.
fn is_plain(url: &Url) -> bool {
    origin::is_web(url)
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

/// Makes a [`Seen`] of a body that comes in parts.
#[derive(Debug, Default)]
struct Looking {
    size_bytes: u32,
    whole: Hasher,
    piece: Hasher,
    piece_bytes: usize,
    pieces: Vec<u8>,
}

impl Looking {
    fn update(&mut self, mut bytes: &[u8]) -> Result<(), Unseen> {
        let added = u32::try_from(bytes.len()).map_err(|_| Unseen::TooLong)?;
        let size_bytes = self.size_bytes.checked_add(added).ok_or(Unseen::TooLong)?;
        if size_bytes > SEGMENT_BYTES_MAX {
            return Err(Unseen::TooLong);
        }
        self.size_bytes = size_bytes;
        self.whole.update(bytes);
        let piece_bytes_max = usize::try_from(PIECE_BYTES).unwrap_or(usize::MAX);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(piece_bytes_max - self.piece_bytes));
            self.piece.update(now);
            self.piece_bytes += now.len();
            if self.piece_bytes == piece_bytes_max {
                self.end_piece();
            }
            bytes = later;
        }
        Ok(())
    }

    fn end_piece(&mut self) {
        let piece = std::mem::take(&mut self.piece);
        self.pieces.extend_from_slice(piece.finish().as_bytes());
        self.piece_bytes = 0;
    }

    fn finish(mut self) -> Seen {
        if self.piece_bytes > 0 {
            self.end_piece();
        }
        Seen { size_bytes: self.size_bytes, sha256: self.whole.finish(), pieces: self.pieces }
    }
}

#[cfg(test)]
mod tests {
    use primitives::sha256;

    use super::*;

    #[test]
    fn a_body_is_the_same_in_whatever_parts_it_comes() {
        let body: Vec<u8> = (0..150_000u32).map(|n| n.to_le_bytes()[1]).collect();
        let pieces: Vec<u8> =
            body.chunks(65_536).flat_map(|piece| *sha256(piece).as_bytes()).collect();
        for part_bytes in [1_000, 65_536, 70_001, 150_000] {
            let mut looking = Looking::default();
            body.chunks(part_bytes).for_each(|part| looking.update(part).unwrap());
            let expected =
                Seen { size_bytes: 150_000, sha256: sha256(&body), pieces: pieces.clone() };
            assert_eq!(looking.finish(), expected);
        }
    }

    #[test]
    fn a_body_longer_than_a_segment_is_not_looked_at() {
        let mut looking = Looking::default();
        let part = vec![0; 16 << 20];
        (0..4).for_each(|_| looking.update(&part).unwrap());
        assert_eq!(looking.update(&[0]), Err(Unseen::TooLong));
    }

    #[tokio::test]
    async fn many_who_ask_at_once_make_one_look_and_a_failure_is_looked_at_again() {
        let config = WitnessConfig { failure_ms: 0, ..WitnessConfig::default() };
        let witness = Witness::new(&config, Vec::new()).unwrap();
        let subject = || Subject::Url("http://a.example/".into());
        let asks =
            (0..20).map(|_| witness.once(subject(), async { Ok(Looking::default().finish()) }));
        let outcomes = futures_util::future::join_all(asks).await;
        assert!(outcomes.iter().all(|(outcome, _)| outcome.is_ok()));
        assert_eq!(outcomes.iter().filter(|(_, looked)| *looked).count(), 1);
        let other = || Subject::Url("http://b.example/".into());
        assert!(witness.once(other(), async { Err(Unseen::NoFile) }).await.1);
        assert!(witness.once(other(), async { Err(Unseen::NoFile) }).await.1);
    }
}
