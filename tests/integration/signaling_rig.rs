//! A server to test and a peer that speaks to it. Every wait has one generous deadline.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::{SinkExt as _, StreamExt as _};
use primitives::{KeyPair, PeerId, Seed, SwarmId};
use signaling_server::bus::Bus;
use signaling_server::{Config, MediaFolder, State, app};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use wire::limits::SIGNALING_VERSION;
use wire::signaling::{Base64, ErrorCode, FromServer, Neighbour, ToServer, hello_proof};

/// No wait of these tests is this long unless something is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// The swarm most tests meet in.
pub(crate) const SWARM: SwarmId = SwarmId::new([7; 32]);

/// Where peers come in.
pub(crate) trait Door {
    /// Address of the HTTP port.
    fn address(&self) -> SocketAddr;

    /// The key the server should have, where the test knows it.
    fn server_id(&self) -> Option<PeerId> {
        None
    }
}

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) state: State,
    http: reqwest::Client,
}

impl Door for Server {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn server_id(&self) -> Option<PeerId> {
        Some(self.state.server_id())
    }
}

impl Server {
    pub(crate) async fn start(config: Config) -> Self {
        Self::with_media(config, Vec::new()).await
    }

    pub(crate) async fn with_media(config: Config, folders: Vec<MediaFolder>) -> Self {
        Self::of(State::new(config, server_key(), folders).unwrap()).await
    }

    /// One node of a host that has several.
    pub(crate) async fn node(config: Config, bus: impl Bus) -> Self {
        Self::of(State::on_bus(config, server_key(), Vec::new(), "", Arc::new(bus)).unwrap()).await
    }

    async fn of(state: State) -> Self {
        let address = serve(app(state.clone())).await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, state, http }
    }

    pub(crate) async fn get(&self, path: &str) -> reqwest::Response {
        let url = format!("http://{}{path}", self.address);
        self.http.get(url).send().await.unwrap()
    }

    /// The value of one line of `/metrics`; 0 when the line is not there yet.
    pub(crate) async fn metric(&self, line: &str) -> u64 {
        let text = self.get("/metrics").await.text().await.unwrap();
        let found = text.lines().find_map(|found| found.strip_prefix(line)?.strip_prefix(' '));
        found.map_or(0, |value| value.parse().unwrap())
    }

    /// Waits until a line of `/metrics` has this value.
    pub(crate) async fn metric_becomes(&self, line: &str, expected: u64) {
        let wait = async {
            while self.metric(line).await != expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(line, wait).await;
    }
}

fn server_key() -> KeyPair {
    KeyPair::from_seed(Seed::from_number(1_000))
}

/// Serves a router on a free port of the loopback.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

/// Fails the test when `wait` takes longer than [`DEADLINE`].
pub(crate) async fn within<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("waited for {what}"))
}

/// A peer on one socket.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) key: KeyPair,
    pub(crate) nonce: Base64,
    pub(crate) server: PeerId,
    pub(crate) resume: String,
}

impl Client {
    /// Opens a socket, with an `Origin` if one is given, and reads the challenge.
    pub(crate) async fn open(
        server: &impl Door,
        number: u64,
        origin: Option<&str>,
    ) -> Result<Self, tungstenite::Error> {
        let mut request = format!("ws://{}/signal", server.address()).into_client_request()?;
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
        }
        let (socket, _) = connect_async(request).await?;
        let key = KeyPair::from_seed(Seed::from_number(number));
        let mut client =
            Self { socket, server: key.id(), key, nonce: Base64::default(), resume: String::new() };
        match client.next().await {
            FromServer::Challenge { nonce, server: id, .. } => {
                assert_eq!(id, server.server_id().unwrap_or(id));
                client.server = id;
                client.nonce = nonce;
            }
            other => panic!("expected a challenge, found {other:?}"),
        }
        Ok(client)
    }

    /// Opens a socket and says hello as peer `number`.
    pub(crate) async fn hello(server: &impl Door, number: u64) -> Self {
        let mut client = Self::open(server, number, None).await.unwrap();
        assert!(!client.greet(None).await);
        client
    }

    /// Opens a socket, says hello and joins [`SWARM`]; with whom it met.
    pub(crate) async fn join(server: &impl Door, number: u64) -> (Self, Vec<PeerId>) {
        let mut client = Self::hello(server, number).await;
        let peers = client.enter(SWARM).await;
        (client, peers)
    }

    /// Says hello; whether a session was taken up.
    pub(crate) async fn greet(&mut self, resume: Option<String>) -> bool {
        let proof = hello_proof(&self.key, &self.nonce);
        self.send(&self.hello_with(proof, resume)).await;
        match self.next().await {
            FromServer::Welcome { resume, resumed, .. } => {
                self.resume = resume;
                resumed
            }
            other => panic!("expected a welcome, found {other:?}"),
        }
    }

    pub(crate) fn hello_with(&self, proof: Base64, resume: Option<String>) -> ToServer {
        ToServer::Hello { version: SIGNALING_VERSION, peer: self.id(), proof, resume }
    }

    /// Joins a swarm; whom it is told to dial.
    pub(crate) async fn enter(&mut self, swarm: SwarmId) -> Vec<PeerId> {
        self.send(&join(swarm)).await;
        match self.next().await {
            FromServer::Joined { peers, .. } => ids(peers),
            other => panic!("expected joined, found {other:?}"),
        }
    }

    /// How many peers the swarm has.
    pub(crate) async fn size(&mut self) -> u32 {
        let more = ToServer::More { swarm: SWARM, want: 0, except: Vec::new(), position: None };
        self.send(&more).await;
        match self.next().await {
            FromServer::Neighbours { size, .. } => size,
            other => panic!("expected neighbours, found {other:?}"),
        }
    }

    pub(crate) fn id(&self) -> PeerId {
        self.key.id()
    }

    pub(crate) async fn send(&mut self, message: &ToServer) {
        self.send_text(serde_json::to_string(message).unwrap()).await;
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        within("a write", self.socket.send(Message::text(text))).await.unwrap();
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> FromServer {
        let next = self.next_or_end().await;
        next.unwrap_or_else(|| panic!("the socket ended, expected a message"))
    }

    /// The next message; `None` when the socket ended.
    pub(crate) async fn next_or_end(&mut self) -> Option<FromServer> {
        loop {
            match within("a message", self.socket.next()).await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next refusal.
    pub(crate) async fn refusal(&mut self) -> (ErrorCode, Option<u32>) {
        match self.next().await {
            FromServer::Error { code, retry_after_ms, .. } => (code, retry_after_ms),
            other => panic!("expected an error, found {other:?}"),
        }
    }

    /// Reads to the end; the goodbye on the way.
    pub(crate) async fn goodbye(&mut self) -> (String, u32) {
        loop {
            match self.next_or_end().await {
                Some(FromServer::Goodbye { reason, reconnect_after_ms }) => {
                    assert_eq!(self.next_or_end().await, None, "goodbye is the last word");
                    return (reason, reconnect_after_ms);
                }
                Some(_) => {}
                None => panic!("the socket ended without goodbye"),
            }
        }
    }
}

/// A wish to join with room for eight.
pub(crate) fn join(swarm: SwarmId) -> ToServer {
    ToServer::Join { swarm, want: 8, region: None, site: None, position: None }
}

/// The keys of neighbours.
pub(crate) fn ids(peers: Vec<Neighbour>) -> Vec<PeerId> {
    peers.into_iter().map(|neighbour| neighbour.peer).collect()
}
