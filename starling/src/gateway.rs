//! Files and blocks of the store over HTTP: a path gateway and a trustless gateway of IPFS.
//!
//! | request | answer |
//! |---|---|
//! | `/ipfs/{cid}[/path]` | the file, or a folder's `index.html` or listing |
//! | with `?format=raw` or `Accept: application/vnd.ipld.raw` | the block |
//! | with `?format=car` or `Accept: application/vnd.ipld.car` | blocks, each checkable |
//!
//! It serves what the local store holds. What is not there is missing or, if the owner says so, fetched
//! into it from peers that give it as a public share (`swarm`): an answer begins and goes on as blocks
//! come. Every block is verified when it is read and none is held longer than it takes to send it. Content
//! is a stranger's: no script in it runs, and no type is sent that a browser would run as one of this
//! origin's.
//!
//! Source: the Path Gateway and Trustless Gateway specifications of IPFS (specs.ipfs.tech/http-gateways).

mod car;
mod config;
mod file;
mod listing;
mod media_type;
mod range;
mod refusal;
mod request;
mod respond;
mod source;
mod swarm;

use std::path::Path;
use std::sync::Arc;

use ::content::{Block, Node, decode};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use peer_native::Server;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::content::{FileStore, StoreError};

pub use config::{
    Config, DEFAULT_TOML, FETCH_BYTES_MAX_DEFAULT, FETCHES_MAX_DEFAULT, STREAMS_MAX_DEFAULT,
    SwarmConfig, SwarmError, WAIT_DEFAULT,
};
use refusal::Refusal;
use request::{Asked, Format};
use source::Source;
use swarm::Swarm;

/// What every answer needs.
#[derive(Debug)]
struct Gateway {
    store: FileStore,
    files: bool,
    streams: Arc<Semaphore>,
    /// None: what is not in the store is missing.
    swarm: Option<Arc<Swarm>>,
}

/// The routes of a gateway to the store of a data folder. With somebody who introduces it to peers
/// ([`Config::introducer`]) it fetches what the store lacks; then call it inside a tokio runtime.
///
/// # Errors
/// The store's folder can't be made.
pub fn router(
    data: &Path,
    config: &Config,
    introducer: Option<Server>,
) -> Result<Router, StoreError> {
    if !config.enabled {
        return Ok(Router::new());
    }
    let gateway = Gateway {
        store: FileStore::open(data)?,
        files: config.files,
        streams: Arc::new(Semaphore::new(config.streams_max)),
        swarm: introducer.map(|server| Arc::new(Swarm::new(data, config, server))),
    };
    Ok(Router::new().route("/ipfs/{*path}", any(answer)).with_state(Arc::new(gateway)))
}

async fn answer(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let head = match *request.method() {
        Method::GET => false,
        Method::HEAD => true,
        Method::OPTIONS => return respond::preflight(),
        _ => return Refusal::method().into_response(),
    };
    let (parts, _) = request.into_parts();
    match serve(&gateway, &parts, head).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn serve(
    gateway: &Arc<Gateway>,
    parts: &axum::http::request::Parts,
    head: bool,
) -> Result<Response, Refusal> {
    let asked = Asked::read(parts)?;
    if asked.is_probe {
        return Ok(respond::probe(&asked));
    }
    if matches!(asked.format, Format::File) && !gateway.files {
        return Err(Refusal::new(
            StatusCode::NOT_ACCEPTABLE,
            "only blocks are served here: ask for ?format=raw or ?format=car",
        ));
    }
    let permit = gateway.permit()?;
    let missing =
        |error: Refusal| if asked.only_if_cached { error.only_if_cached() } else { error };
    let mut source = Source::new(gateway, &asked);
    let way = source.way(&asked).await.map_err(missing)?;
    match &asked.format {
        Format::Raw => file::block(&asked, &way, head),
        Format::Car(car) => car::answer(source, &asked, car, way, permit, head),
        Format::File => file::answer(source, &asked, way, permit, head).await,
    }
    .map_err(missing)
}

/// The blocks from the root to what a path names.
#[derive(Debug)]
struct Way {
    /// Blocks before the end, root first.
    above: Vec<Block>,
    /// The end.
    end: Block,
}

impl Way {
    fn node(&self) -> Result<Node, Refusal> {
        decode(self.end.cid().codec(), self.end.bytes())
            .map_err(|error| Refusal::unreadable(&error))
    }
}

impl Gateway {
    /// A place among the answers under way.
    fn permit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| Refusal::busy())
    }
}
