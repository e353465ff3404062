//! Documents of DIDs that web servers keep (`did:web`, `did:webvh`), fetched for pages: most servers do not let
//! pages of other sites read them.
//!
//! | request | answer |
//! |---|---|
//! | `/did/{did}` | `did.json` of a `did:web`, `did.jsonl` of a `did:webvh`, as it lies there |
//! | `/did/{did}/witness` | `did-witness.json` beside such a log |
//!
//! It fetches and vouches for nothing: who asked checks the log, and believes a `did:web` as far as its web server
//! (`identity::did::Issuers`). Where it goes, a stranger says: public addresses only ([`signaling_server::reach`]),
//! names that [`identity::did::Place`] allows, so many bytes, so many at once, so many of one address in a minute, an
//! answer kept for a minute. It gives away nothing but what has the form of such a file of this DID, so that it is no way to read other things.

mod config;
mod fetch;

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use identity::did::Place;
use lru::LruCache;
use serde_json::json;
use signaling_server::Proxies;
use tokio::sync::{OnceCell, Semaphore};

pub use config::{Config, DEFAULT_TOML};
pub use fetch::{Fetcher, File, Missing};

/// How long a failure is remembered: whoever is slow is not asked by everybody.
const FAILURE_KEPT: Duration = Duration::from_secs(5);
/// Requests after which addresses are forgotten that asked for nothing lately.
const FORGET_EVERY: u32 = 1024;

type Outcome = Result<Arc<[u8]>, Missing>;
type Slot = Arc<OnceCell<(Instant, Outcome)>>;

/// What every answer needs.
#[derive(Debug)]
struct Resolver {
    fetcher: Fetcher,
    slots: Mutex<LruCache<(String, File), Slot>>,
    fetches: Arc<Semaphore>,
    kept: Duration,
    visitors: Visitors,
}

/// How often each address asks.
#[derive(Debug)]
struct Visitors {
    proxies: Proxies,
    asks: DefaultKeyedRateLimiter<IpAddr>,
    count: AtomicU32,
}

impl Visitors {
    fn new(proxies: Proxies, per_minute: u32) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let asks = RateLimiter::keyed(Quota::per_minute(per_minute));
        Self { proxies, asks, count: AtomicU32::new(0) }
    }

    /// Counts a request of whoever sent it.
    fn admit(&self, parts: &Parts) -> Result<(), Missing> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(FORGET_EVERY) {
            self.asks.retain_recent();
            self.asks.shrink_to_fit();
        }
        self.asks.check_key(&self.proxies.place(parts)).map_err(|_| Missing::Place)
    }
}

/// The routes; none, if the host wants none. `proxies`: whose word about who asked counts.
///
/// # Errors
/// The platform gives no HTTP client, or an address in the settings is none.
pub fn router(config: &Config, proxies: Proxies) -> Result<Router, Missing> {
    if !config.enabled {
        return Ok(Router::new());
    }
    let answers_max = NonZeroUsize::new(config.answers_max).unwrap_or(NonZeroUsize::MIN);
    let resolver = Resolver {
        fetcher: Fetcher::new(Duration::from_millis(config.timeout_ms), &config.instead)?,
        slots: Mutex::new(LruCache::new(answers_max)),
        fetches: Arc::new(Semaphore::new(config.fetches_max.clamp(1, Semaphore::MAX_PERMITS))),
        kept: Duration::from_millis(config.kept_ms),
        visitors: Visitors::new(proxies, config.asks_per_ip_per_minute),
    };
    Ok(Router::new()
        .route("/did/{did}", get(document))
        .route("/did/{did}/witness", get(witness))
        .with_state(Arc::new(resolver)))
}

type Shared = State<Arc<Resolver>>;

async fn document(State(resolver): Shared, Path(did): Path<String>, parts: Parts) -> Response {
    resolver.answer(&parts, did, File::Document).await
}

async fn witness(State(resolver): Shared, Path(did): Path<String>, parts: Parts) -> Response {
    resolver.answer(&parts, did, File::Witness).await
}

impl Resolver {
    async fn answer(&self, parts: &Parts, did: String, file: File) -> Response {
        if let Err(often) = self.visitors.admit(parts) {
            return refusal(often);
        }
        let Ok(place) = Place::of(&did) else { return refusal(Missing::Did) };
        if file == File::Witness && place.scid().is_none() {
            return refusal(Missing::Did);
        }
        let kind = match (file, place.scid()) {
            (File::Document, Some(_)) => "text/jsonl",
            _ => "application/json",
        };
        match self.once(did, place, file).await {
            Ok(bytes) => {
                let mut response = bytes.to_vec().into_response();
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
                response
            }
            Err(why) => refusal(why),
        }
    }

    /// Fetches unless that was done just now or is being done; all who ask meanwhile get its outcome.
    async fn once(&self, did: String, place: Place, file: File) -> Outcome {
        let slot = self.slot((did.clone(), file));
        let run = async {
            let (fetcher, fetches) = (self.fetcher.clone(), Arc::clone(&self.fetches));
            let Ok(permit) = fetches.try_acquire_owned() else {
                return (Instant::now(), Err(Missing::Busy));
            };
            // A task of its own: an asker who leaves does not stop the fetch of the others.
            let task = tokio::spawn(async move {
                let fetched = fetcher.get(&did, &place, file).await;
                drop(permit);
                fetched
            });
            let outcome = task.await.unwrap_or(Err(Missing::Unreachable));
            (Instant::now(), outcome.map(Into::into))
        };
        let (_, outcome) = slot.get_or_init(|| run).await;
        outcome.clone()
    }

    fn slot(&self, of: (String, File)) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = slots.peek(&of).and_then(|slot| slot.get()).is_some_and(|(at, outcome)| {
            let kept = match outcome {
                Ok(_) => self.kept,
                Err(Missing::Busy) => Duration::ZERO,
                Err(_) => FAILURE_KEPT.min(self.kept),
            };
            at.elapsed() >= kept
        });
        if is_over {
            slots.pop(&of);
        }
        Arc::clone(slots.get_or_insert(of, Slot::default))
    }
}

fn refusal(why: Missing) -> Response {
    let status = match why {
        Missing::Did => StatusCode::BAD_REQUEST,
        Missing::NotPublic => StatusCode::FORBIDDEN,
        Missing::Nothing => StatusCode::NOT_FOUND,
        Missing::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Missing::Place => StatusCode::TOO_MANY_REQUESTS,
        Missing::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        Missing::Unreachable
        | Missing::Status(_)
        | Missing::TooLarge
        | Missing::Form
        | Missing::Server(_) => StatusCode::BAD_GATEWAY,
    };
    let told = json!({ "error": { "code": why.code(), "message": why.to_string() } });
    (status, Json(told)).into_response()
}
