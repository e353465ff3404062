//! Ports that clients come to.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Type};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::Transport;
use super::socket::Socket;
use super::tls;
use crate::config::Config;
use crate::error::RelayError;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;
/// Most UDP sockets for one address, and so most cores that read from it.
const SOCKETS_MAX: usize = 16;
/// How often another free port is tried when UDP has one that TCP has not.
const FREE_PORT_TRIES: usize = 16;

/// All of them, numbered by their place in `all`.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) all: Vec<(Transport, SocketAddr)>,
    pub(super) udp: BTreeMap<u16, Vec<Socket>>,
    pub(super) streams: Vec<StreamListener>,
}

/// A port of TCP or TLS.
pub(super) struct StreamListener {
    pub(super) number: u16,
    pub(super) listener: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
}

impl std::fmt::Debug for StreamListener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StreamListener").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Listeners {
    pub(super) fn bind(config: &Config) -> Result<Self, RelayError> {
        let mut new = Self { all: Vec::new(), udp: BTreeMap::new(), streams: Vec::new() };
        for &address in &config.listen {
            let fail = |source| RelayError::Listen { address, source };
            let (udp, tcp) = pair(address).map_err(fail)?;
            let number = new.number(Transport::Udp, udp[0].local().map_err(fail)?);
            new.udp.insert(number, udp);
            new.add_stream(tcp, None).map_err(fail)?;
        }
        let acceptor =
            if config.listen_tls.is_empty() { None } else { Some(tls::acceptor(config)?) };
        for &address in &config.listen_tls {
            let fail = |source| RelayError::Listen { address, source };
            let listener = tcp(address).map_err(fail)?;
            new.add_stream(listener, acceptor.clone()).map_err(fail)?;
        }
        Ok(new)
    }

    fn add_stream(&mut self, listener: TcpListener, tls: Option<TlsAcceptor>) -> io::Result<()> {
        let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
        let number = self.number(transport, listener.local_addr()?);
        self.streams.push(StreamListener { number, listener, tls });
        Ok(())
    }

    fn number(&mut self, transport: Transport, address: SocketAddr) -> u16 {
        self.all.push((transport, address));
        u16::try_from(self.all.len() - 1).expect("settings bound the number of addresses")
    }
}

/// One port for UDP and TCP.
fn pair(address: SocketAddr) -> io::Result<(Vec<Socket>, TcpListener)> {
    let mut tries = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        let udp = udp(address)?;
        tries -= 1;
        match tcp(udp[0].local()?) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            other => return Ok((udp, other?)),
        }
    }
}

/// Sockets that share one port: the kernel gives each client to one of them.
fn udp(address: SocketAddr) -> io::Result<Vec<Socket>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let count = if cfg!(unix) { cores.min(SOCKETS_MAX) } else { 1 };
    // A shared port would be shared with another relay, too: first see that nobody has it.
    drop(UdpSocket::bind(address)?);
    let first = Socket::bind(address, count > 1)?;
    let address = first.local()?;
    let mut sockets = vec![first];
    for _ in 1..count {
        sockets.push(Socket::bind(address, true)?);
    }
    Ok(sockets)
}

fn tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // A restart must not wait for connections of the run before to time out.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
