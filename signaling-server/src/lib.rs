//! Introduces peers to each other.
//!
//! A peer opens one WebSocket at `/signal`, proves its key, joins swarms, is told of neighbours and
//! hands them signed session descriptions through the server, which reads none of them. Protocol,
//! limits and what the server can and can't do: `docs/spec/signaling.md`.
//!
//! Rooms:
//! - [`room`]: the sans-IO machine: sessions, swarms, who is introduced to whom.
//! - `state`: that machine in shards, each behind its own lock, and what is around it.
//! - `socket`: one task per WebSocket. It waits for nobody: its queue is bounded (`mailbox`).
//! - `policy`, `budget`, `bans`, `visitor`: who may do what, how much, who may not, and who it is.
//! - `admin`: what only the host may ask.
//! - [`announce`]: the second door, `/announce`, for WebTorrent clients.
//! - `witness`: fetches a segment once and says, signed, what it is.
//! - [`reach`]: how far a fetch goes that a stranger asks for; the binary's other fetches keep to it too.
//! - [`Relays`], `turn`: the host's relays, and the route that gives joined peers credentials.
//! - [`bus`]: where the nodes of one host hear of each other.
//!
//! Absent on purpose: no media passes here, no account exists, nothing is written to disk, and no
//! lock is shared by all swarms.

pub mod announce;
pub mod bus;
pub mod config;
pub mod reach;
pub mod room;

mod admin;
mod bans;
mod budget;
mod error;
mod inbound;
mod mailbox;
mod metrics;
mod origin;
mod policy;
mod relays;
mod socket;
mod state;
mod turn;
mod visitor;
mod witness;

use std::sync::{Mutex, MutexGuard};

use axum::Router;
use axum::extract;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{any, get};

pub use announce::{config::TrackerConfig, open_at_root};
pub use bus::BusConfig;
pub use config::{AdminConfig, BanConfig, Config, MediaFolder, SiteConfig, WitnessConfig};
pub use error::ConfigError;
pub use relays::{Invitation, RelayLoad, Relays};
pub use state::{Counted, State};
pub use visitor::Proxies;

/// The routes: `/signal`, `/announce`, `/v1/turn`, `/v1/status`, `/v1/bans`, `/healthz`, `/readyz` and
/// `/metrics`.
///
/// Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, or all peers count as one
/// address. Starts the tasks that end leases and hear other nodes; call it once, inside a tokio runtime.
pub fn app(state: State) -> Router {
    tokio::spawn(state.clone().keep());
    tokio::spawn(state.clone().listen());
    let bans = get(admin::bans).post(admin::ban).delete(admin::lift);
    let bans = bans.layer(extract::DefaultBodyLimit::max(admin::BODY_BYTES_MAX));
    Router::new()
        .route("/signal", any(socket::open))
        .route("/announce", any(announce::open))
        .route("/v1/turn", get(turn::credentials).options(turn::preflight))
        .route("/v1/status", get(admin::status))
        .route("/v1/bans", bans)
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(metrics))
        .with_state(state)
}

async fn readiness(extract::State(state): extract::State<State>) -> impl IntoResponse {
    if state.is_closing() {
        return (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n");
    }
    (StatusCode::OK, "ready\n")
}

async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], state.metrics_text())
}

/// Locks; no code here panics while it holds a lock, so a poisoned one is still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
