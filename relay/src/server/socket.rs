//! One UDP socket that takes and gives many datagrams at a time.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socket2::{Domain, Protocol, Type};
use tokio::io::Interest;

/// Batches taken from the kernel at once; each may be many datagrams of one sender.
pub(super) const BATCH: usize = 16;
/// Room for one batch: the longest the kernel puts together.
pub(super) const BATCH_BYTES: usize = 65_536;
/// Asked of the kernel for each socket; it gives at most `net.core.rmem_max`.
const BUFFER_BYTES: usize = 4 << 20;

#[derive(Debug)]
pub(super) struct Socket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
}

impl Socket {
    /// Binds. `shared`: others of this process bind the same address.
    pub(super) fn bind(address: SocketAddr, shared: bool) -> io::Result<Self> {
        let socket =
            socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            // Each family has sockets of its own: no address comes in two spellings.
            socket.set_only_v6(true)?;
        }
        #[cfg(unix)]
        socket.set_reuse_port(shared)?;
        #[cfg(not(unix))]
        let _ = shared;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        // Smaller ones work too.
        let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
        let _ = socket.set_send_buffer_size(BUFFER_BYTES);
        let io = tokio::net::UdpSocket::from_std(socket.into())?;
        let state = UdpSocketState::new((&io).into())?;
        Ok(Self { io, state })
    }

    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// Waits until there is something to take.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.io.readable().await
    }

    /// Takes what is there; how many batches.
    pub(super) fn take(
        &self,
        buffers: &mut [IoSliceMut<'_>; BATCH],
        metas: &mut [RecvMeta; BATCH],
    ) -> io::Result<usize> {
        let take = || self.state.recv((&self.io).into(), buffers, metas);
        self.io.try_io(Interest::READABLE, take)
    }

    /// Most datagrams in one run.
    pub(super) fn run_max(&self) -> usize {
        self.state.max_gso_segments()
    }

    /// Sends a run of datagrams of `segment` bytes, the last maybe shorter. A full socket sends
    /// nothing: UDP may lose, and waiting would keep others waiting.
    pub(super) fn send(
        &self,
        from: Option<IpAddr>,
        to: SocketAddr,
        run: &[u8],
        segment: usize,
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents: run,
            segment_size: (segment < run.len()).then_some(segment),
            src_ip: from,
        };
        self.state.try_send((&self.io).into(), &transmit)
    }
}
