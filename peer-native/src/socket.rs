//! The signaling socket: one WebSocket of text messages, in a task of its own.

use core::time::Duration;
use std::{io, sync::Arc};

use futures_util::{SinkExt as _, StreamExt as _};
use peer::Input;
use rustls::{
    ClientConfig,
    pki_types::{InvalidDnsNameError, ServerName},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::mpsc,
};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest as _,
        http::{HeaderValue, header},
        protocol::WebSocketConfig,
    },
};
use url::Host;

use crate::{
    PeerError,
    address::Server,
    pump::{Event, Inbox},
};

/// Messages that may wait to be sent: past it the line is dead and is given up.
const OUTGOING_MAX: usize = 512;
/// Longest message taken: twice what the protocol allows, so that the core is what refuses.
const MESSAGE_BYTES_MAX: usize = 128 << 10;
/// How long each step of connecting may take: TCP, TLS, WebSocket.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// At most one open socket.
#[derive(Debug)]
pub(crate) struct Socket {
    server: Server,
    /// None where the server is reached without it: then a machine needs no certificates.
    tls: Option<Arc<ClientConfig>>,
    inbox: Inbox,
    /// Which socket is the one of now. What an earlier one still says is passed over.
    number: u32,
    outgoing: Option<mpsc::Sender<String>>,
}

impl Socket {
    /// No socket yet.
    pub(crate) fn new(server: Server, inbox: Inbox) -> Result<Self, PeerError> {
        let tls = if server.signal().scheme() == "ws" { None } else { Some(secure()?) };
        Ok(Self { server, tls, inbox, number: 0, outgoing: None })
    }

    /// Opens one, after closing an earlier one.
    pub(crate) fn connect(&mut self) {
        self.number = self.number.wrapping_add(1);
        let (sender, outgoing) = mpsc::channel(OUTGOING_MAX);
        self.outgoing = Some(sender);
        let (server, tls) = (self.server.clone(), self.tls.clone());
        let line = Line { server, tls, number: self.number, inbox: self.inbox.clone() };
        tokio::spawn(line.run(outgoing));
    }

    /// Sends one message; `false`: the line is dead and was given up.
    pub(crate) fn send(&mut self, text: String) -> bool {
        let Some(outgoing) = &self.outgoing else { return true };
        let sent = outgoing.try_send(text).is_ok();
        if !sent {
            self.disconnect();
        }
        sent
    }

    /// Closes it, after what waits was sent, without a word to the peer.
    pub(crate) fn disconnect(&mut self) {
        self.number = self.number.wrapping_add(1);
        self.outgoing = None;
    }

    /// Whether that is the socket of now.
    pub(crate) const fn is(&self, number: u32) -> bool {
        self.number == number
    }
}

/// TLS with the certificates that the system trusts.
fn secure() -> Result<Arc<ClientConfig>, PeerError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_platform_verifier()?
        .with_no_client_auth();
    Ok(Arc::new(tls))
}

/// One socket.
struct Line {
    server: Server,
    tls: Option<Arc<ClientConfig>>,
    number: u32,
    inbox: Inbox,
}

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("no answer within {} s", CONNECT_WITHIN.as_secs())]
    Late,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the name in the certificate: {0}")]
    Name(#[from] InvalidDnsNameError),
    #[error("{0}")]
    WebSocket(#[from] Box<tungstenite::Error>),
}

impl Line {
    async fn run(self, outgoing: mpsc::Receiver<String>) {
        if let Err(error) = self.open(outgoing).await {
            // The core tries again at its own pace, and says so when it does not get better.
            tracing::debug!(server = self.server.page(), "the signaling socket: {error}");
        }
        self.tell(Input::SocketClosed).await;
    }

    async fn open(&self, outgoing: mpsc::Receiver<String>) -> Result<(), Failed> {
        let late = |_| Failed::Late;
        let connecting = tokio::time::timeout(CONNECT_WITHIN, self.connect());
        let stream = connecting.await.map_err(late)??;
        let Some(tls) = &self.tls else {
            return self.talk(stream, outgoing).await;
        };
        let host = self.server.signal().host_str().unwrap_or_default();
        // An IPv6 address has brackets in a URL and none in a certificate.
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name)?;
        let securing = TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        let stream = tokio::time::timeout(CONNECT_WITHIN, securing).await.map_err(late)??;
        self.talk(stream, outgoing).await
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let url = self.server.signal();
        let port = url.port_or_known_default().unwrap_or_default();
        let stream = match url.host() {
            Some(Host::Domain(name)) => TcpStream::connect((name, port)).await?,
            Some(Host::Ipv4(address)) => TcpStream::connect((address, port)).await?,
            Some(Host::Ipv6(address)) => TcpStream::connect((address, port)).await?,
            None => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn talk<S>(&self, stream: S, mut outgoing: mpsc::Receiver<String>) -> Result<(), Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shaking = tokio::time::timeout(CONNECT_WITHIN, self.shake_hands(stream));
        let mut socket = shaking.await.map_err(|_| Failed::Late)??;
        self.tell(Input::SocketOpen).await;
        loop {
            tokio::select! {
                text = outgoing.recv() => match text {
                    Some(text) => socket.send(Message::text(text)).await.map_err(Box::new)?,
                    None => {
                        // Best effort: the server notices either way.
                        drop(socket.close(None).await);
                        return Ok(());
                    }
                },
                message = socket.next() => match message.transpose().map_err(Box::new)? {
                    Some(Message::Text(text)) => {
                        self.tell(Input::SocketText(text.as_str().to_owned())).await;
                    }
                    Some(Message::Close(_)) | None => return Ok(()),
                    // Pings are answered by the socket; other kinds are not of this protocol.
                    Some(_) => {}
                },
            }
        }
    }

    async fn shake_hands<S>(&self, stream: S) -> Result<WebSocketStream<S>, Failed>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut request = self.server.signal().as_str().into_client_request().map_err(Box::new)?;
        // As the server's own page says: a host may let in its own pages only.
        if let Ok(origin) = HeaderValue::from_str(&self.server.origin()) {
            request.headers_mut().insert(header::ORIGIN, origin);
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let shaken = client_async_with_config(request, stream, Some(config)).await;
        Ok(shaken.map_err(Box::new)?.0)
    }

    async fn tell(&self, input: Input) {
        self.inbox.put(Event::Socket { number: self.number, input }).await;
    }
}
