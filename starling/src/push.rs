//! Web push beside the page: people who closed it hear that their health in a market of the ledger fell.
//!
//! | request | answer |
//! |---|---|
//! | `GET /push/key` | what a browser subscribes with |
//! | `POST /push/subscriptions` | subscribes a browser for an account, or renews it |
//! | `DELETE /push/subscriptions` | forgets a browser |
//!
//! After each final block some of those subscribed are looked at, and who is to be told is told through the
//! push service of their browser, sealed for it. Who, when and how: `crates/push`; formats: `docs/spec/push.md`;
//! why so: `docs/adr/0064-web-push.md`.
//!
//! The address of a browser is a stranger's word: only https at public addresses is asked, no redirect is
//! followed, and a new one must take a first message. What is written down (`push.json`, `push.key`) is for the
//! host's eyes only.

mod address;
mod config;
mod follow;
mod lines;
mod metrics;
mod routes;
mod sending;

use std::io::ErrorKind;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ::push::{List, Network, Vapid};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use primitives::Seed;
use tokio::sync::Semaphore;

use crate::atomic;
use crate::key_file::{self, KeyFileError};

pub use config::{Config, DEFAULT_TOML};
pub(crate) use routes::router;

use metrics::Metrics;
use sending::Post;

/// First messages under way at once: each waits for a push service.
const CONFIRMING_MAX: usize = 16;
/// New subscriptions of one address in an hour.
const NEW_PER_HOUR: NonZeroU32 = NonZeroU32::new(20).expect("it is not zero");
/// Requests of one address in a minute that change something.
const CHANGES_PER_MINUTE: NonZeroU32 = NonZeroU32::new(30).expect("it is not zero");

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// The key can't be read or made.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The seed in the key's file gives no key.
    #[error("{0}: no key follows from it; remove it")]
    Seed(PathBuf),
    /// The list can't be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The list is none, or of a later version.
    #[error("{0}: not a list of subscriptions of this version")]
    Damaged(PathBuf),
    /// A setting that is no origin.
    #[error("`services`: {0:?} is not scheme, host and port only, as in https://push.example")]
    Service(String),
    /// A setting that push services would refuse.
    #[error("`contact`: {0:?} begins neither with mailto: nor with https://")]
    Contact(String),
    /// No HTTP client.
    #[error("no HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// Who is told, and by what. Clones are handles to the same.
#[derive(Debug, Clone)]
pub(crate) struct Push(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    vapid: Vapid,
    /// What names of networks are made with, so that the list does not say who was where.
    networks: Seed,
    contact: Option<String>,
    post: Post,
    list: Mutex<List>,
    path: PathBuf,
    /// Held while the list is written, so that the newest is written last.
    disk: tokio::sync::Mutex<()>,
    confirming: Semaphore,
    new: DefaultKeyedRateLimiter<IpAddr>,
    changes: DefaultKeyedRateLimiter<IpAddr>,
    metrics: Metrics,
}

impl Push {
    /// With the key and the list of a data folder. `None`: the host wants nobody told.
    ///
    /// # Errors
    /// See [`PushError`].
    pub(crate) fn open(config: &Config, data: &Path) -> Result<Option<Self>, PushError> {
        if !config.enabled {
            return Ok(None);
        }
        let contact = config.contact()?;
        let post = Post::new(config.services()?)?;
        let key = data.join("push.key");
        let seed = key_file::load_or_create(&key)?.seed;
        let networks = seed.derive("push/network");
        let vapid = Vapid::new(&seed).ok_or(PushError::Seed(key))?;
        let path = data.join("push.json");
        let list = read(&path, config.subscriptions_max)?;
        let metrics = Metrics::new();
        metrics.subscriptions(list.count());
        Ok(Some(Self(Arc::new(Inner {
            vapid,
            networks,
            contact,
            post,
            list: Mutex::new(list),
            path,
            disk: tokio::sync::Mutex::default(),
            confirming: Semaphore::new(CONFIRMING_MAX),
            new: RateLimiter::keyed(Quota::per_hour(NEW_PER_HOUR)),
            changes: RateLimiter::keyed(Quota::per_minute(CHANGES_PER_MINUTE)),
            metrics,
        }))))
    }

    fn list(&self) -> MutexGuard<'_, List> {
        // No code here panics while it holds the lock, so a poisoned one is still whole.
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of a block of addresses, the same after a restart.
    fn network(&self, address: IpAddr) -> Network {
        Network::new(*self.0.networks.derive(&address.to_string()).as_bytes())
    }

    /// Writes the list down if it changed.
    async fn save(&self) {
        let _one = self.0.disk.lock().await;
        let bytes = {
            let mut list = self.list();
            if !list.take_changed() {
                return;
            }
            self.0.metrics.subscriptions(list.count());
            list.to_bytes()
        };
        if let Err(error) = atomic::write_private(&self.0.path, &bytes).await {
            // The next change tries again; until then a restart forgets this one.
            tracing::warn!("{}: {error}", self.0.path.display());
        }
    }

    /// Forgets addresses that asked for nothing lately.
    fn forget_quiet(&self) {
        for limiter in [&self.0.new, &self.0.changes] {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

impl signaling_server::Counted for Push {
    fn metrics_text(&self) -> String {
        self.0.metrics.text()
    }
}

fn read(path: &Path, max: usize) -> Result<List, PushError> {
    match std::fs::read(path) {
        Ok(bytes) => List::read(&bytes, max).map_err(|_| PushError::Damaged(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(List::new(max)),
        Err(source) => Err(PushError::Io { path: path.to_owned(), source }),
    }
}

/// Now, in seconds since 1970.
fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Push::open(&Config::default(), folder.path()).unwrap().unwrap();
        let first = open().0.vapid.public().to_owned();
        assert_eq!(open().0.vapid.public(), first);
        let off = Config { enabled: false, ..Config::default() };
        let other = tempfile::tempdir().unwrap();
        assert!(Push::open(&off, other.path()).unwrap().is_none());
        assert!(!other.path().join("push.key").exists());
    }

    #[test]
    fn a_list_that_is_none_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("push.json"), "hello").unwrap();
        let opened = Push::open(&Config::default(), folder.path());
        assert!(matches!(opened, Err(PushError::Damaged(_))));
    }
}
