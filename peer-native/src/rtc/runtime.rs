//! What WebRTC runs on: tokio, with sockets that hold a burst.

use core::{future::Future, pin::Pin, time::Duration};
use std::{
    io,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::Arc,
    time::Instant,
};

use socket2::SockRef;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

/// Bytes of the kernel's buffers of each UDP socket. The default of 208 KiB drops the tail of every burst
/// at full speed, and the shortest retransmission timeout is a second. The system may grant less
/// (`net.core.rmem_max`, `net.core.wmem_max`).
const SOCKET_BUFFER_BYTES: usize = 4 << 20;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tokio with large socket buffers. Everything else is handed on.
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
        self.0.wrap_udp_socket(socket)
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
        assert!(after >= before, "{after} after {before}");
    }
}
