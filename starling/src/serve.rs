//! `starling serve`: the page, the media and the signaling server on one port.
//!
//! | path | what |
//! |---|---|
//! | `/signal`, `/announce`, `/v1/turn`, `/healthz`, `/readyz`, `/metrics` | the signaling server |
//! | `/ipfs/*` | the gateway to the block store, and to public shares |
//! | `/ledger/*` | the ledger, here or handed on to other hosts |
//! | `/did/*` | the fetcher of outside DIDs |
//! | `/push/*` | telling people who closed the page |
//! | `/v1/page` | what the page is called that is served here |
//! | `/media/*` | the demo, or the person's own folder |
//! | everything else | the built page |
//!
//! A start goes through three steps, so that nobody reaches a half-made server: [`Server::bind`]
//! takes the port, [`Server::prepare_media`] makes and signs what is missing, [`Server::run`]
//! listens until it is told to stop.

mod assets;
mod config;
mod connections;
mod forward;
pub(crate) mod http;
pub mod ledger;
mod media;
mod own_media;
mod page;
mod policy;
mod security;
mod tls;

pub use config::Config;
pub use forward::ForwardError;
pub use own_media::{MediaState, Progress};
pub use page::{PAGE_BYTES_MAX, Page, PageError};
pub use tls::{TlsConfig, TlsError};

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{any, get};
use primitives::{KeyPair, PeerId};
use signaling_server::{MediaFolder, State, bus, open_at_root};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::content::{FileStore, StoreError};
use crate::gateway;
use crate::key_file::{self, KeyFileError};
use crate::push::{self, Push, PushError};
use crate::relay;
use crate::resolver;

/// URL path of the media.
const MEDIA_PATH: &str = "/media/";
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long answers under way may take after the server was told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// Why the server can't start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address can't be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The settings name no address.
    #[error("`listen` is empty, expected at least one address")]
    NoAddress,
    /// The media folder is not there.
    #[error("--media {0}: no such folder")]
    NoMedia(PathBuf),
    /// A key can't be read or made.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A setting of the signaling server can't be meant.
    #[error("[signaling] {0}")]
    Signaling(#[from] signaling_server::ConfigError),
    /// A setting of the bus can't be meant.
    #[error("[bus] {0}")]
    Bus(signaling_server::ConfigError),
    /// There can't be TLS as the settings want it.
    #[error("[tls] {0}")]
    Tls(#[from] TlsError),
    /// The relay can't start.
    #[error("[relay] {0}")]
    Relay(#[from] ::relay::RelayError),
    /// The gateway can't ask peers as the settings want it.
    #[error("[gateway.swarm] {0}")]
    Swarm(#[from] gateway::SwarmError),
    /// Outside DIDs can't be fetched as the settings want it.
    #[error("[resolver] {0}")]
    Resolver(#[from] resolver::Missing),
    /// A ledger that others run can't be had as the settings want it.
    #[error("[ledger] {0}")]
    Ledger(#[from] ForwardError),
    /// People who closed the page can't be told.
    #[error("[push] {0}")]
    Push(#[from] PushError),
    /// The block store can't be opened.
    #[error("the block store: {0}")]
    Store(#[from] StoreError),
    /// The page that the settings name can't be served.
    #[error("the page {name}: {error}")]
    Page {
        /// How it is named.
        name: String,
        /// Why.
        error: PageError,
    },
    /// Accepting connections failed.
    #[error("serving failed: {0}")]
    Serving(io::Error),
}

impl ServeError {
    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Listen { address, source } => match source.kind() {
                io::ErrorKind::AddrInUse => format!(
                    "Another program uses port {}: stop it, or choose another with \
                     --listen {}:0 (any free one).",
                    address.port(),
                    address.ip()
                ),
                io::ErrorKind::PermissionDenied => {
                    "Ports below 1024 need rights this user lacks: choose a higher one.".to_owned()
                }
                _ => "Check the address in --listen or in the configuration.".to_owned(),
            },
            Self::NoAddress
            | Self::Signaling(_)
            | Self::Bus(_)
            | Self::Tls(_)
            | Self::Ledger(_)
            | Self::Resolver(_) => {
                "`starling serve --print-config` shows every setting with its default.".to_owned()
            }
            Self::Relay(error) => relay::remedy(error).to_owned(),
            Self::Swarm(_) => {
                "Set `server` to the address of your page, as in \"https://host\".".to_owned()
            }
            Self::NoMedia(_) => "Give the folder that holds master.m3u8.".to_owned(),
            Self::Push(PushError::Service(_) | PushError::Contact(_)) => {
                "Correct it, or leave it out: `starling serve --print-config` shows both."
                    .to_owned()
            }
            Self::Key(_) | Self::Store(_) | Self::Push(_) => {
                "Check the data folder, or give another with --data.".to_owned()
            }
            Self::Page { error: PageError::Content(_), .. } => {
                "Bring it into the block store of this data folder: `starling get CID --from \
                 https://HOST --pin`, from a host or gateway that has it."
                    .to_owned()
            }
            Self::Page { .. } => {
                "Name it by what `starling page` or another host's /v1/page says, or leave it out: \
                 then the one in this program is served."
                    .to_owned()
            }
            Self::Serving(_) => "Start it again.".to_owned(),
        }
    }
}

/// A server that has its port but does not listen yet.
#[derive(Debug)]
pub struct Server {
    sockets: Vec<TcpSocket>,
    redirects: Vec<TcpSocket>,
    tls: TlsConfig,
    certificate: Option<Arc<tls::Certificate>>,
    data: PathBuf,
    media: Option<PathBuf>,
    publisher: KeyPair,
    signaling: State,
    relay: Option<::relay::Server>,
    gateway: Router,
    resolver: Router,
    ledger: ledger::Beside,
    push: Option<Push>,
    page: Arc<Page>,
}

impl Server {
    /// Takes the ports and reads or makes the keys. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// In order: no address, a port is taken, a certificate can't be read, the media folder is missing, a key can't be had, a
    /// setting can't be meant, the relay's port is taken, the gateway has nobody to introduce it to peers,
    /// the block store can't be opened, other hosts of the ledger are none, the key or the list of push can't be read, the page can't be served.
    pub fn bind(config: Config) -> Result<Self, ServeError> {
        if config.listen.is_empty() {
            return Err(ServeError::NoAddress);
        }
        let sockets = bind_all(&config.listen)?;
        let redirects = bind_all(&config.tls.redirect)?;
        let certificate = tls::Certificate::open(&config.tls)?;
        if let Some(media) = config.media.as_ref().filter(|media| !media.is_dir()) {
            return Err(ServeError::NoMedia(media.clone()));
        }
        let key = key_file::load_or_create(&config.data.join("server.key"))?.key;
        let publisher = key_file::load_or_create(&publisher_key(&config.data))?.key;
        let folder = media_folder(&config.data, config.media.as_ref());
        let own = MediaFolder { path: MEDIA_PATH.to_owned(), folder };
        let bus = bus::open(&config.bus).map_err(ServeError::Bus)?;
        let signaling = State::on_bus(config.signaling, key, vec![own], &config.bus.name, bus)?;
        let relay = relay::beside(&config.relay, &config.listen)?;
        if let Some(relay) = &relay {
            signaling.offer(Arc::new(relay::Offer(relay.relay())));
        }
        let own = match &certificate {
            Some(_) => None,
            None => Some(from_here(sockets[0].local_addr().map_err(ServeError::Serving)?)),
        };
        let introducer = config.gateway.introducer(own)?;
        let gateway = gateway::router(&config.data, &config.gateway, introducer)?;
        let resolver = resolver::router(&config.resolver, signaling.proxies())?;
        let ledger = ledger::Beside::new(&config.ledger, &config.data, signaling.proxies())?;
        // Without a ledger of this host there is nothing to look at.
        let wanted =
            push::Config { enabled: config.push.enabled && config.ledger.is_own(), ..config.push };
        let push = Push::open(&wanted, &config.data)?;
        if let Some(push) = &push {
            signaling.count_too(Arc::new(push.clone()));
        }
        let page = Arc::new(page_of(config.page.as_deref(), &config.data)?);
        let Config { data, media, tls, .. } = config;
        Ok(Self {
            sockets,
            redirects,
            tls,
            certificate,
            data,
            media,
            publisher,
            signaling,
            relay,
            gateway,
            resolver,
            ledger,
            push,
            page,
        })
    }

    /// The key the server signs its own media with.
    pub fn publisher(&self) -> PeerId {
        self.publisher.id()
    }

    /// Makes the demo unless it is there or other media are served, and signs what is not signed.
    /// Media that can't be made or signed do not keep the server from starting.
    pub async fn prepare_media(&self, progress: &mut dyn FnMut(Progress)) -> MediaState {
        match &self.media {
            Some(folder) => own_media::sign(folder, &self.publisher, progress).await,
            None => own_media::demo(&self.folder(), &self.publisher, progress).await,
        }
    }

    /// All routes.
    pub fn app(&self) -> Router {
        let app = signaling_server::app(self.signaling.clone())
            .merge(self.gateway.clone())
            .merge(self.resolver.clone())
            .merge(self.ledger.router(self.signaling.proxies()))
            .merge(push::router(self.push.clone(), self.signaling.clone()))
            .nest(MEDIA_PATH.trim_end_matches('/'), media::router(&self.folder()))
            // A nested router does not get this one: without it, the page would answer.
            .route(MEDIA_PATH, any(StatusCode::NOT_FOUND))
            .route("/v1/page", get(page::about).with_state(Arc::clone(&self.page)))
            .fallback_service(
                Router::new()
                    .fallback(assets::serve)
                    .with_state(Arc::clone(&self.page))
                    .layer(middleware::from_fn_with_state(self.signaling.clone(), open_at_root)),
            );
        security::layer(app, self.certificate.is_some())
    }

    /// Listens; `ready` is told the addresses. Ends when `stop` does: peers are told to come back,
    /// answers under way are finished.
    ///
    /// # Errors
    /// Listening or accepting fails.
    pub async fn run(
        mut self,
        media: MediaState,
        ready: impl FnOnce(&[SocketAddr]),
        stop: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let app = self.app();
        let listeners = listen(std::mem::take(&mut self.sockets))?;
        let addresses =
            listeners.iter().map(TcpListener::local_addr).collect::<Result<Vec<_>, _>>();
        let addresses = addresses.map_err(ServeError::Serving)?;
        ready(&addresses);
        let watching = media.watch();
        let (stopping, stopped) = watch::channel(false);
        let relay = self.relay.take().map(|relay| {
            tracing::info!("relay at {}", relay.relay().urls().join(" "));
            let mut stopped = stopped.clone();
            tokio::spawn(relay.run(async move {
                // An error: the sender is gone, which is a stop too.
                let _ = stopped.wait_for(|stopped| *stopped).await;
            }))
        });
        let ledger = self.ledger.start(self.push.clone(), stopped.clone());
        let mut tasks = JoinSet::new();
        let tls = self.certificate.as_ref().map(tls::Certificate::acceptor).transpose()?;
        // Before anybody is answered: who sees it serve may send SIGHUP.
        let keeping = self.keep_tls(&addresses, &stopped)?;
        for listener in listeners {
            tasks.spawn(connections::serve(listener, tls.clone(), app.clone(), stopped.clone()));
        }
        tokio::select! {
            () = stop => {}
            Some(ended) = tasks.join_next() => return outcome(ended),
        }
        stopping.send_replace(true);
        drop((watching, keeping));
        let finish = async {
            self.signaling.shutdown("the server is shutting down").await;
            while tasks.join_next().await.is_some() {}
            // An error: it panicked, which the log tells.
            let _ = ledger.await;
            if let Some(relay) = relay {
                let _ = relay.await;
            }
        };
        if tokio::time::timeout(STOP_WITHIN, finish).await.is_err() {
            tracing::warn!("some connections were cut after {} s", STOP_WITHIN.as_secs());
        }
        Ok(())
    }

    /// What goes on beside TLS for as long as it is held: a look at the files, and plain ports that
    /// redirect to the first address.
    fn keep_tls(
        &mut self,
        addresses: &[SocketAddr],
        stopped: &watch::Receiver<bool>,
    ) -> Result<JoinSet<()>, ServeError> {
        let mut tasks = JoinSet::new();
        let (Some(certificate), Some(first)) = (&self.certificate, addresses.first()) else {
            return Ok(tasks);
        };
        tasks.spawn(Arc::clone(certificate).keep());
        let plain = tls::redirect(first.port(), self.tls.challenges.as_deref());
        let plain = security::layer(plain, false);
        for listener in listen(std::mem::take(&mut self.redirects))? {
            tasks.spawn(connections::serve(listener, None, plain.clone(), stopped.clone()));
        }
        Ok(tasks)
    }

    /// Whether it speaks TLS.
    pub fn is_tls(&self) -> bool {
        self.certificate.is_some()
    }

    fn folder(&self) -> PathBuf {
        media_folder(&self.data, self.media.as_ref())
    }
}

/// The page that the settings name, or that of this program.
fn page_of(name: Option<&str>, data: &Path) -> Result<Page, ServeError> {
    let Some(name) = name else { return Ok(Page::built_in()) };
    let page = Page::given(name, &FileStore::open(data)?);
    page.map_err(|error| ServeError::Page { name: name.to_owned(), error })
}

/// Where the key is that signs the media of a data folder.
pub fn publisher_key(data: &Path) -> PathBuf {
    data.join("publisher.key")
}

/// Where a program of this machine finds what listens at an address.
pub fn from_here(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

fn media_folder(data: &Path, media: Option<&PathBuf>) -> PathBuf {
    media.cloned().unwrap_or_else(|| data.join("demo"))
}

fn bind_all(addresses: &[SocketAddr]) -> Result<Vec<TcpSocket>, ServeError> {
    addresses.iter().map(|&address| bind(address)).collect()
}

/// Reserves the address without listening: whoever can connect finds everything ready.
fn bind(address: SocketAddr) -> Result<TcpSocket, ServeError> {
    let fail = |source| ServeError::Listen { address, source };
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(fail)?;
    // A restart must not wait for connections of the run before to time out.
    socket.set_reuseaddr(true).map_err(fail)?;
    // Signals are small and urgent. Accepted sockets inherit it.
    socket.set_nodelay(true).map_err(fail)?;
    socket.bind(address).map_err(fail)?;
    Ok(socket)
}

fn listen(sockets: Vec<TcpSocket>) -> Result<Vec<TcpListener>, ServeError> {
    sockets
        .into_iter()
        .map(|socket| {
            let address = socket.local_addr().map_err(ServeError::Serving)?;
            socket.listen(BACKLOG).map_err(|source| ServeError::Listen { address, source })
        })
        .collect()
}

/// Taking connections ends when it is told to; otherwise it panicked.
fn outcome(ended: Result<(), tokio::task::JoinError>) -> Result<(), ServeError> {
    ended.map_err(|error| ServeError::Serving(io::Error::other(error)))
}
