//! Sockets of relayed addresses: where peers send to.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::AbortHandle;

use super::hub::Hub;
use super::socket::Socket;
use super::udp;

/// A relayed address in use. Dropping it ends its task, which closes the socket.
#[derive(Debug)]
pub(super) struct Relayed {
    pub(super) socket: Arc<Socket>,
    task: AbortHandle,
}

impl Drop for Relayed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts to read from peers.
pub(super) fn spawn(hub: &Arc<Hub>, relay: SocketAddr, socket: Socket) -> Relayed {
    let socket = Arc::new(socket);
    // Weakly: the hub holds the task's handle.
    let (weak, reading) = (Arc::downgrade(hub), Arc::clone(&socket));
    let task = tokio::spawn(async move {
        let Some(hub) = weak.upgrade() else { return };
        udp::serve(&hub, &reading, |machine, meta, bytes| {
            machine.from_peer(hub.now(), relay, meta.addr, bytes.len())
        })
        .await;
    });
    Relayed { socket, task: task.abort_handle() }
}
