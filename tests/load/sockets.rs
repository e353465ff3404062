//! Sockets and what is counted of them.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// Counted by all sockets of this process, which has one thread.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) opened: Cell<u64>,
    pub(crate) failed: Cell<u64>,
    pub(crate) closed: Cell<u64>,
    /// Refusals that were read.
    pub(crate) failures: Cell<u64>,
    /// Announces that were answered.
    pub(crate) announces: Cell<u64>,
    /// Offers that were received.
    pub(crate) offers: Cell<u64>,
    /// Answers that were received.
    pub(crate) answers: Cell<u64>,
    /// All sockets are open.
    pub(crate) go: Notify,
}

impl Tally {
    pub(crate) fn add(cell: &Cell<u64>, more: u64) {
        cell.set(cell.get() + more);
    }
}

/// Opens a socket from one of two hundred addresses of the loopback network, as if of as many people.
pub(crate) async fn open(url: &str, address: SocketAddr, number: u32) -> Result<Socket> {
    let socket = TcpSocket::new_v4()?;
    let last = u8::try_from(1 + number % 200)?;
    let net = u8::try_from(1 + number / 20_000)?;
    socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, net, last)), 0))?;
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
    let opening = tokio_tungstenite::client_async_with_config(url, stream, Some(config));
    Ok(opening.await?.0)
}
