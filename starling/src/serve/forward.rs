//! `/ledger/*` of a host that runs no validator: handed on to hosts that do.
//!
//! | request | what becomes of it |
//! |---|---|
//! | `GET /ledger/status` | a source's, with the hosts that this one names |
//! | `GET /ledger/ws` | the newest block of all sources, over one socket to each, however many read |
//! | `GET /ledger/state/{key}`, `…/certificates/latest` as CBOR | a source's, once it is proved |
//! | `GET /ledger/snapshot` | `unknown`, as of a host that gives none |
//! | the others that a validator answers | a source's, as it is |
//!
//! Sources are strangers to who asks, and so is this host. It could hand on anything, for a tab checks every answer
//! for itself; but what it hands on is said by it, and a tab asks nobody again who lied. So blocks and proofs are
//! checked here as well (`sources`), and an answer that is older than what was shown before is asked of another
//! source, for about a second; then it is handed on, for a host that lags is no liar (`asking`). What nothing proves
//! (receipts, events, lists) passes; a source that is behind is not believed that a transaction is unknown.
//!
//! A source whose `/ledger/status` names another trust root than `root` of the settings is not asked, and the log
//! says so. Without `root`, what the first one names holds until the end.
//!
//! Of a request, path and body go to a source, and which form the answer is to have; of an answer, its status, its
//! body and its form come back. Sources see this host's address and no visitor's. A forwarder asks no forwarder:
//! they could ask each other for ever.

mod asking;
#[cfg(test)]
mod lies;
mod limits;
mod settings;
mod sources;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use futures_util::{SinkExt as _, StreamExt as _};
use ledger::limits::TRANSACTION_BYTES_MAX;
use ledger_node::api::{ApiError, Seat};
use light_client::{Header, TrustRoot};
use serde_json::json;
use signaling_server::Proxies;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_http::cors::{Any, CorsLayer};

use crate::ledger_client::Follower;

pub use settings::{ForwardError, hosts, snapshot_hosts};

use asking::{Asked, CBOR};
use limits::Visitors;
use sources::Source;

/// How this host names itself to sources, and knows another of its kind by (RFC 9110, 7.6.3).
const VIA: &str = "1.1 starling-ledger";
/// How long a message may take to be taken.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// Longest message of a reader, in bytes: it has nothing to say.
const READ_BYTES_MAX: usize = 1024;
/// What was checked and is known when it comes again: each source shows the newest block.
const CHECKED_MAX: usize = 16;

/// A request for a WebSocket, or that it is none.
type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

/// What the settings say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) from: &'a [String],
    pub(super) root: Option<&'a str>,
    pub(super) others: &'a [String],
    pub(super) asks_per_ip_per_minute: u32,
}

/// Hands on. Clones of the `Arc` around it are the same.
#[derive(Debug)]
pub(super) struct Forwarder {
    http: reqwest::Client,
    sources: Vec<Source>,
    /// Named to pages.
    hosts: Vec<String>,
    /// Which ledger; not there before the first source answered, where the settings do not say.
    ledger: OnceLock<Ledger>,
    news: watch::Sender<News>,
    /// Whether a source can be asked.
    open: watch::Sender<bool>,
    checked: Mutex<VecDeque<Checked>>,
    /// The highest block that was checked, and so may have been shown.
    highest: AtomicU64,
    visitors: Visitors,
}

/// The one that is handed on.
#[derive(Debug)]
struct Ledger {
    root: TrustRoot,
    follower: Follower,
}

/// The newest final block, and the bytes of a [`wire::ledger::Finality`] that say so; empty before the first.
#[derive(Debug, Default, Clone)]
struct News {
    height: u64,
    bytes: Bytes,
}

/// What was shown as final and is.
#[derive(Debug, Clone)]
struct Checked {
    bytes: Vec<u8>,
    /// The block meant.
    first: Header,
    /// Height of the block signed.
    height: u64,
}

/// Why there is no answer, beside what a validator may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// The sources have not been heard yet.
    Starting,
    /// None of them answers.
    Unreachable,
    /// Those that answer are of another ledger.
    OtherLedger,
    /// A forwarder asks, or this host itself.
    Loop,
    /// This place asks too often.
    Place,
}

impl Refusal {
    const fn code(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Unreachable => "unreachable",
            Self::OtherLedger => "other-ledger",
            Self::Loop => "off",
            Self::Place => "place",
        }
    }

    fn response(self) -> Response {
        let status = match self {
            Self::Starting | Self::Unreachable | Self::OtherLedger => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Loop => StatusCode::NOT_FOUND,
            Self::Place => StatusCode::TOO_MANY_REQUESTS,
        };
        (status, Json(json!({ "error": { "code": self.code() } }))).into_response()
    }
}

impl Forwarder {
    /// One that hands on to these.
    ///
    /// # Errors
    /// A setting can't be meant, or the platform gives no HTTP client.
    pub(super) fn new(wanted: &Wanted<'_>, proxies: Proxies) -> Result<Arc<Self>, ForwardError> {
        let sources = settings::sources(wanted.from)?;
        let ledger = OnceLock::new();
        if let Some(text) = wanted.root {
            let root: TrustRoot = text.trim().parse().map_err(ForwardError::Root)?;
            let follower = Follower::new(&root).map_err(ForwardError::Root)?;
            // An error: it was set before, which it was not.
            let _ = ledger.set(Ledger { root, follower });
        }
        Ok(Arc::new(Self {
            http: sources::http()?,
            hosts: settings::named(wanted.others, &sources)?,
            sources: sources.iter().map(|base| Source::new(base)).collect::<Result<_, _>>()?,
            ledger,
            news: watch::Sender::new(News::default()),
            open: watch::Sender::new(false),
            checked: Mutex::default(),
            highest: AtomicU64::new(0),
            visitors: Visitors::new(proxies, wanted.asks_per_ip_per_minute),
        }))
    }

    /// Follows the sources until it is told to stop.
    pub(super) async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut following = JoinSet::new();
        for at in 0..self.sources.len() {
            let this = Arc::clone(&self);
            following.spawn(async move { this.follow(at).await });
        }
        // An error: the sender is gone, which is a stop too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
        following.shutdown().await;
        // Who reads is told to go.
        self.open.send_replace(false);
    }

    /// All routes under `/ledger`.
    pub(super) fn router(self: &Arc<Self>) -> Router {
        let open = |this: State<Arc<Self>>, parts: Parts, upgrade: Upgrade| async move {
            enter(&this.0, &parts, upgrade)
        };
        Router::new()
            .route("/ledger/status", get(read))
            .route("/ledger/transactions", post(write))
            .route("/ledger/receipts/{transaction}", get(read))
            .route("/ledger/blocks/{height}", get(read))
            .route("/ledger/certificates/{height}", get(read))
            .route("/ledger/state/{key}", get(read))
            .route("/ledger/successions", get(read))
            .route("/ledger/records/{prefix}", get(read))
            .route("/ledger/accounts/{account}", get(read))
            .route("/ledger/accounts/{account}/events", get(read))
            .route("/ledger/faucet/{account}", post(write))
            .route("/ledger/snapshot", get(async || ApiError::Unknown.into_response()))
            // A socket over HTTP/2 comes as CONNECT (RFC 8441).
            .route("/ledger/ws", any(open))
            .route("/ledger/{*path}", any(async || ApiError::Unknown.into_response()))
            .layer(DefaultBodyLimit::max(TRANSACTION_BYTES_MAX))
            .layer(CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any))
            .with_state(Arc::clone(self))
    }

    fn checked(&self) -> MutexGuard<'_, VecDeque<Checked>> {
        // Nothing panics while it is held.
        self.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The highest block that anybody may have been shown.
    fn highest(&self) -> u64 {
        self.highest.load(Ordering::Relaxed)
    }

    /// Why nobody can be asked.
    fn refusal(&self) -> Refusal {
        if self.sources.iter().any(Source::is_unheard) {
            Refusal::Starting
        } else if self.sources.iter().all(Source::is_of_another_ledger) {
            Refusal::OtherLedger
        } else {
            Refusal::Unreachable
        }
    }

    fn admit(&self, parts: &Parts) -> Result<(), Refusal> {
        if is_forwarded(&parts.headers) {
            return Err(Refusal::Loop);
        }
        self.visitors.admit(parts)
    }

    async fn hand_on(&self, parts: &Parts, asked: Result<Asked, ApiError>) -> Response {
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => return error.into_response(),
        };
        let Some(room) = self.visitors.room(parts) else { return ApiError::Busy.into_response() };
        match self.ask(&asked).await {
            Some(answer) => answer.response(room),
            None => self.refusal().response(),
        }
    }
}

async fn read(State(forwarder): State<Arc<Forwarder>>, parts: Parts) -> Response {
    if let Err(refusal) = forwarder.admit(&parts) {
        return refusal.response();
    }
    let asked = Asked::read(&parts.uri, accepts_cbor(&parts.headers));
    forwarder.hand_on(&parts, asked).await
}

async fn write(
    State(forwarder): State<Arc<Forwarder>>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if let Err(refusal) = forwarder.admit(&parts) {
        return refusal.response();
    }
    let body = body.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge,
        _ => ApiError::Malformed,
    });
    let asked =
        body.and_then(|body| Ok(Asked::read(&parts.uri, accepts_cbor(&parts.headers))?.with(body)));
    forwarder.hand_on(&parts, asked).await
}

fn enter(forwarder: &Forwarder, parts: &Parts, upgrade: Upgrade) -> Response {
    if let Err(refusal) = forwarder.admit(parts) {
        return refusal.response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejected) => return rejected.into_response(),
    };
    if !*forwarder.open.borrow() {
        return forwarder.refusal().response();
    }
    let Some(seat) = forwarder.visitors.sit(parts) else { return ApiError::Busy.into_response() };
    let (news, open) = (forwarder.news.subscribe(), forwarder.open.subscribe());
    upgrade
        .max_message_size(READ_BYTES_MAX)
        .max_frame_size(READ_BYTES_MAX)
        .on_upgrade(move |socket| tell(socket, news, open, seat))
}

/// Sends the newest block, and each newer one, for as long as a source can be asked.
async fn tell(
    socket: WebSocket,
    mut news: watch::Receiver<News>,
    mut open: watch::Receiver<bool>,
    _seat: Seat,
) {
    news.mark_changed();
    let (mut sender, mut receiver) = socket.split();
    loop {
        tokio::select! {
            changed = news.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            // Pings are answered by reading; anything else is of no interest.
            message = receiver.next() => match message {
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            () = closed(&mut open) => {
                let away = CloseFrame { code: close_code::AWAY, reason: "no source answers".into() };
                // Whoever is gone need not be told.
                drop(tokio::time::timeout(SEND_WITHIN, sender.send(Message::Close(Some(away)))).await);
                return;
            }
        }
        let newest = news.borrow_and_update().bytes.clone();
        if newest.is_empty() {
            continue;
        }
        let sent = tokio::time::timeout(SEND_WITHIN, sender.send(Message::Binary(newest))).await;
        if !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// Waits until no source can be asked.
async fn closed(open: &mut watch::Receiver<bool>) {
    // An error: the server is gone.
    let _ = open.wait_for(|open| !*open).await;
}

fn accepts_cbor(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|text| text.split(',').any(|one| one.trim().starts_with(CBOR)))
}

/// Whether a forwarder is behind a request.
fn is_forwarded(headers: &HeaderMap) -> bool {
    let named = headers.get_all(header::VIA).iter().filter_map(|value| value.to_str().ok());
    named.flat_map(|value| value.split(',')).any(|one| one.trim() == VIA)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderValue, Request, Version};
    use hyper::ext::Protocol;
    use tower::ServiceExt as _;

    use super::*;

    /// Where a validator's requests are specified.
    const SPEC: &str = include_str!("../../../docs/spec/ledger-openapi.json");
    const SOURCE: &str = include_str!("forward.rs");

    #[test]
    fn what_a_validator_answers_is_routed_and_nothing_else() {
        let spec: serde_json::Value = serde_json::from_str(SPEC).unwrap();
        let specified: std::collections::BTreeSet<&str> =
            spec["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let routed: std::collections::BTreeSet<&str> = SOURCE
            .split(".route(\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            // What is no request with an answer is specified in words.
            .filter(|path| *path != "/ledger/ws" && !path.contains('*'))
            .collect();
        assert_eq!(routed, specified);
    }

    #[tokio::test]
    async fn a_socket_over_http_2_is_let_in() {
        let from = ["https://a.example".to_owned()];
        let wanted = Wanted { from: &from, root: None, others: &[], asks_per_ip_per_minute: 1 };
        let forwarder = Forwarder::new(&wanted, Proxies::default()).unwrap();
        let request = Request::builder()
            .method("CONNECT")
            .version(Version::HTTP_2)
            .uri("https://here.example/ledger/ws")
            .header("sec-websocket-version", "13")
            .extension(Protocol::from_static("websocket"))
            .body(Body::empty())
            .unwrap();
        let response = forwarder.router().oneshot(request).await.unwrap();
        // All that is wrong with it is that there is no connection to upgrade.
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    }

    #[test]
    fn a_forwarder_is_known_among_other_proxies() {
        let headers = |text: &'static str| {
            HeaderMap::from_iter([(header::VIA, HeaderValue::from_static(text))])
        };
        assert!(is_forwarded(&headers("1.1 starling-ledger")));
        assert!(is_forwarded(&headers("1.1 starling-ledger, 2 proxy.example")));
        assert!(!is_forwarded(&headers("1.1 proxy.example")));
        assert!(!is_forwarded(&HeaderMap::new()));
    }
}
