//! The ledger beside the page: a validator of this host, or hosts that it hands `/ledger/*` on to
//! (`super::forward`).
//!
//! It starts when the server already listens and takes its time: until then `/ledger/*` says
//! `starting`. A ledger that can't start keeps nobody from watching: the log says why, `/ledger/*`
//! says `stopped`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use axum::{Json, Router};
use ledger_node::{Node, api};
use serde::{Deserialize, Serialize};
use serde_json::json;
use signaling_server::Proxies;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use super::forward::{ForwardError, Forwarder, Wanted};
use crate::beginning;
use crate::push::Push;

pub use super::forward::{hosts, snapshot_hosts};

/// The commented default of [`Config`].
pub(super) const DEFAULT_TOML: &str = include_str!("ledger.toml");
/// Threads of the engine: it is idle mostly.
const THREADS: usize = 2;

/// Settings of the ledger of `starling serve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether there is one. Default true.
    pub enabled: bool,
    /// Whether one made at the first start is a demo network. Default true.
    pub demo: bool,
    /// A network's file. Default none: a network of this server alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<PathBuf>,
    /// Where to listen for other validators. Default 127.0.0.1, any free port.
    pub listen: SocketAddr,
    /// How long a block waits for its first transaction, in milliseconds. Default 0: 10,000 alone,
    /// 2,000 among others.
    pub heartbeat_ms: u64,
    /// How many of the last blocks are kept, with receipts and events; at least 128. Default 0: all.
    pub keep_blocks: u64,
    /// Whether `/ledger/snapshot` gives a copy of the state. Default true.
    pub snapshots: bool,
    /// Hosts to fetch a snapshot from where this one is a validator without a ledger yet. Default none.
    pub snapshot_from: Vec<String>,
    /// Whether a ledger that ends before the blocks that others keep is moved aside for it. Default false.
    pub replace_late: bool,
    /// Hosts that run the ledger: this one runs none and hands on. Default none.
    pub from: Vec<String>,
    /// Which ledger theirs must be: its trust root. Default none: the one that the first names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// Other hosts of the ledger, for pages to ask as well. Default none.
    pub others: Vec<String>,
    /// With `from`: requests of one address in a minute, and at once; 0 counts as 1. Default 6000.
    pub asks_per_ip_per_minute: u32,
}

impl Default for Config {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            enabled: true,
            demo: true,
            network: None,
            listen,
            heartbeat_ms: 0,
            keep_blocks: 0,
            snapshots: true,
            snapshot_from: Vec::new(),
            replace_late: false,
            from: Vec::new(),
            root: None,
            others: Vec::new(),
            asks_per_ip_per_minute: 6_000,
        }
    }
}

impl Config {
    /// Whether this host runs a validator.
    pub(super) const fn is_own(&self) -> bool {
        self.enabled && self.from.is_empty()
    }
}

/// A ledger that runs, will run, or will not.
#[derive(Debug)]
pub(super) enum Beside {
    /// The host wants none.
    Off,
    /// It runs one.
    Own {
        /// What.
        settings: Box<ledger_node::Config>,
        /// How far it is.
        stage: Stage,
    },
    /// Others do.
    From(Arc<Forwarder>),
}

/// What `/ledger/*` answers by: not there while it starts, none if it can't.
type Stage = Arc<OnceLock<Option<Router>>>;

impl Beside {
    /// What the settings want. `proxies`: whose word about who asked counts.
    ///
    /// # Errors
    /// A setting about other hosts can't be meant.
    pub(super) fn new(
        config: &Config,
        data: &Path,
        proxies: Proxies,
    ) -> Result<Self, ForwardError> {
        if !config.enabled {
            return Ok(Self::Off);
        }
        if !config.from.is_empty() {
            if config.network.is_some() {
                return Err(ForwardError::Both);
            }
            if !config.snapshot_from.is_empty() {
                return Err(ForwardError::SnapshotAlone);
            }
            let wanted = Wanted {
                from: &config.from,
                root: config.root.as_deref(),
                others: &config.others,
                asks_per_ip_per_minute: config.asks_per_ip_per_minute,
            };
            return Forwarder::new(&wanted, proxies).map(Self::From);
        }
        if config.root.is_some() {
            return Err(ForwardError::RootAlone);
        }
        let settings = ledger_node::Config {
            data: data.join("ledger"),
            network: config.network.clone(),
            listen: config.listen,
            heartbeat_ms: config.heartbeat_ms,
            threads: THREADS,
            demo: config.demo,
            keep_blocks: config.keep_blocks,
            snapshots: config.snapshots,
            others: hosts(&config.others)?,
            snapshot_from: snapshot_hosts(&config.snapshot_from)?,
            replace_late: config.replace_late,
            ..ledger_node::Config::default()
        };
        Ok(Self::Own { settings: Box::new(settings), stage: Stage::default() })
    }

    /// `/ledger/*`, at any stage. `proxies`: whose word about who asked counts.
    pub(super) fn router(&self, proxies: Proxies) -> Router {
        let answer = match self {
            Self::From(forwarder) => return forwarder.router(),
            Self::Own { stage, .. } => any(ask).with_state((stage.clone(), proxies)),
            Self::Off => any(async || error(StatusCode::NOT_FOUND, "off")),
        };
        Router::new().route("/ledger/{*path}", answer)
    }

    /// Starts it; the task ends when `stopped` says so and the ledger has stopped. Meanwhile `push` tells people
    /// what happens to them there.
    pub(super) fn start(
        &self,
        push: Option<Push>,
        stopped: watch::Receiver<bool>,
    ) -> JoinHandle<()> {
        match self {
            Self::Off => tokio::spawn(async {}),
            Self::From(forwarder) => tokio::spawn(Arc::clone(forwarder).run(stopped)),
            Self::Own { settings, stage } => {
                tokio::spawn(run((**settings).clone(), stage.clone(), push, stopped))
            }
        }
    }
}

/// A validator of this host.
async fn run(
    settings: ledger_node::Config,
    stage: Stage,
    push: Option<Push>,
    mut stopped: watch::Receiver<bool>,
) {
    let hosts = settings.others.clone();
    let begun = tokio::select! {
        begun = beginning::begin(&settings) => begun,
        () = told(&mut stopped) => return,
    };
    if let Err(error) = begun {
        return refuse(&stage, &error);
    }
    // It waits for its disk.
    let started = tokio::task::spawn_blocking(move || Node::start(&settings)).await;
    let mut node = match started {
        Ok(Ok(node)) => node,
        Ok(Err(error)) => return refuse(&stage, &error),
        Err(error) => return refuse(&stage, &error),
    };
    tracing::info!("ledger with trust root {}", node.handle().root());
    // An error: it was set before, which nobody else does.
    let _ = stage.set(Some(api::router(node.handle(), &hosts)));
    let telling = push.map(|push| push.follow(node.handle(), stopped.clone()));
    let telling = telling.map(tokio::spawn);
    tokio::select! {
        () = told(&mut stopped) => {}
        error = node.failed() => return tracing::error!("{error}"),
    }
    node.stop().await;
    if let Some(telling) = telling {
        // An error: it panicked, which the log tells.
        let _ = telling.await;
    }
}

/// Waits until it is to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error: the sender is gone, which is a stop too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

fn refuse(stage: &Stage, error: &dyn std::error::Error) {
    tracing::warn!("no ledger: {error}");
    // As above.
    let _ = stage.set(None);
}

async fn ask(State((stage, proxies)): State<(Stage, Proxies)>, request: Request) -> Response {
    match stage.get() {
        Some(Some(router)) => match router.clone().oneshot(unrouted(request, &proxies)).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        Some(None) => error(StatusCode::SERVICE_UNAVAILABLE, "stopped"),
        None => error(StatusCode::SERVICE_UNAVAILABLE, "starting"),
    }
}

/// The request without what routing it here left on it: the ledger's own routes would read the path's
/// parts from there. What upgrades it to a WebSocket stays, over HTTP/2 with the protocol that it named, and where
/// it comes from is told.
fn unrouted(request: Request, proxies: &Proxies) -> Request {
    let (mut parts, body) = request.into_parts();
    let place = api::Place(proxies.place(&parts));
    let upgrade = parts.extensions.remove::<hyper::upgrade::OnUpgrade>();
    let protocol = parts.extensions.remove::<hyper::ext::Protocol>();
    parts.extensions.clear();
    parts.extensions.insert(place);
    if let Some(upgrade) = upgrade {
        parts.extensions.insert(upgrade);
    }
    if let Some(protocol) = protocol {
        parts.extensions.insert(protocol);
    }
    Request::from_parts(parts, body)
}

fn error(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "error": { "code": code } }))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use hyper::ext::Protocol;

    use super::*;

    #[test]
    fn where_a_snapshot_is_fetched_from_is_for_a_validator_of_this_host() {
        let here = Path::new("data");
        let new = |config: &Config| Beside::new(config, here, Proxies::default());
        let mut config = Config {
            snapshot_from: vec!["http://10.0.0.5:8788/".to_owned()],
            replace_late: true,
            ..Config::default()
        };
        let Ok(Beside::Own { settings, .. }) = new(&config) else { panic!("its own") };
        assert_eq!(settings.snapshot_from, ["http://10.0.0.5:8788"]);
        assert!(settings.replace_late);
        config.from = vec!["https://a.example".to_owned()];
        assert!(matches!(new(&config), Err(ForwardError::SnapshotAlone)));
        config.from.clear();
        config.snapshot_from = vec!["a.example".to_owned()];
        assert!(matches!(new(&config), Err(ForwardError::Source("snapshot_from", _))));
    }

    #[test]
    fn a_socket_over_http_2_keeps_its_protocol_and_nothing_else() {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Protocol::from_static("websocket"));
        request.extensions_mut().insert("of the route before");
        let request = unrouted(request, &Proxies::default());
        let protocol = request.extensions().get::<Protocol>();
        assert_eq!(protocol.map(Protocol::as_str), Some("websocket"));
        assert!(request.extensions().get::<&'static str>().is_none());
        assert!(request.extensions().get::<api::Place>().is_some());
    }
}
