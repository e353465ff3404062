//! What WebRTC runs on: tokio, with sockets that hold a burst, and give it one by one at first.

use core::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    task::{Context, Poll},
    time::Duration,
};
use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    time::Instant,
};

use socket2::SockRef;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, RecvMeta, Runtime,
    TokioRuntime, Transmit,
};

/// Bytes of the kernel's buffers of each UDP socket. The default of 208 KiB drops the tail of every burst
/// at full speed, and the shortest retransmission timeout is a second. The system may grant less
/// (`net.core.rmem_max`, `net.core.wmem_max`).
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

/// Datagrams of [`LARGE_BYTES`] and more after which a socket gives all it has at once.
const SINGLY: u32 = 64;
/// Of this size are those of files; handshakes and greetings are smaller.
const LARGE_BYTES: usize = 1_000;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A socket that gives one datagram for each turn of its driver, until files flow.
///
/// The driver (webrtc 0.21.1) takes what a socket has, and looks at what happened only then. Where the last
/// step of the SCTP handshake and the first message come together, the channel is not open yet when the
/// message is read, and the message, a greeting, is lost.
#[derive(Debug)]
struct Singly {
    socket: Arc<dyn AsyncUdpSocket>,
    /// It gave one, and the driver has not looked up since.
    gave: AtomicBool,
    /// Large datagrams that came.
    large: AtomicU32,
}

impl AsyncUdpSocket for Singly {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if self.gave.swap(false, Ordering::Relaxed) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let given = self.socket.poll_recv(cx, bufs, meta);
        if self.large.load(Ordering::Relaxed) < SINGLY
            && let Poll::Ready(Ok(_)) = &given
        {
            self.gave.store(true, Ordering::Relaxed);
            if meta.first().is_some_and(|first| first.len >= LARGE_BYTES) {
                self.large.fetch_add(1, Ordering::Relaxed);
            }
        }
        given
    }

    fn max_gso_segments(&self) -> usize {
        self.socket.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.socket.max_gro_segments()
    }
}

/// Tokio with such sockets, and large buffers in them. Everything else is handed on.
#[derive(Debug)]
pub(super) struct Widened(pub(super) TokioRuntime);

/// Asks for buffers as large as may be had.
fn widen(socket: &UdpSocket) {
    let socket = SockRef::from(socket);
    // What is refused leaves what was there: slower, not broken.
    let asked = [
        socket.set_recv_buffer_size(SOCKET_BUFFER_BYTES),
        socket.set_send_buffer_size(SOCKET_BUFFER_BYTES),
    ];
    if let Some(error) = asked.into_iter().find_map(Result::err) {
        tracing::debug!("a UDP socket keeps its small buffers: {error}");
    }
}

impl Runtime for Widened {
    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.0.spawn(future)
    }

    fn spawn_reactor(&self, threads: usize, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        self.0.spawn_reactor(threads, future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        widen(&socket);
        let socket = self.0.wrap_udp_socket(socket)?;
        Ok(Arc::new(Singly { socket, gave: AtomicBool::new(false), large: AtomicU32::new(0) }))
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        self.0.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.0.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        self.0.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.0.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.0.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.0.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        self.0.yield_now()
    }

    fn name(&self) -> &'static str {
        self.0.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_gets_as_much_as_the_system_grants() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = SockRef::from(&socket).recv_buffer_size().unwrap();
        widen(&socket);
        let after = SockRef::from(&socket).recv_buffer_size().unwrap();
        assert!(after > before, "{after} after {before}");
    }
}
