//! TCP and TLS clients (RFC 8656, 3.1): messages follow each other, ChannelData padded to 4 bytes.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufWriter};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::addresses::StreamListener;
use super::hub::{Hub, lock};
use super::plan::{HEADROOM, Plan, Segment};
use crate::channel_data::{FRAME_BYTES_MAX, Next, next_on_stream};
use crate::turn::FiveTuple;

/// Most messages that wait for one stream.
const QUEUE_MESSAGES_MAX: usize = 512;
/// Most bytes that wait for one stream.
const QUEUE_BYTES_MAX: usize = 1 << 20;
/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// How long a stream may be without an allocation.
const ALLOCATE_WITHIN: Duration = Duration::from_secs(15);
/// How long one write may take.
const WRITE_WITHIN: Duration = Duration::from_secs(15);
/// Pause after the system refused a connection: it has no files left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes taken from a stream at once.
const READ_BYTES: usize = 16 << 10;

/// What waits to be written to one stream.
#[derive(Debug)]
pub(super) struct Queue {
    sender: mpsc::Sender<Vec<u8>>,
    bytes: Arc<AtomicUsize>,
}

impl Queue {
    /// Puts a message in, padded. `false`: it is full, and the message is lost, as on UDP.
    pub(super) fn push(&self, message: &[u8]) -> bool {
        if self.bytes.load(Ordering::Relaxed) + message.len() > QUEUE_BYTES_MAX {
            return false;
        }
        let mut padded = Vec::with_capacity(message.len().next_multiple_of(4));
        padded.extend_from_slice(message);
        padded.resize(message.len().next_multiple_of(4), 0);
        let length = padded.len();
        let pushed = self.sender.try_send(padded).is_ok();
        if pushed {
            self.bytes.fetch_add(length, Ordering::Relaxed);
        }
        pushed
    }
}

/// A stream's place in the bounds; given back when dropped.
struct Permit {
    hub: Arc<Hub>,
    ip: IpAddr,
}

impl Permit {
    fn take(hub: &Arc<Hub>, ip: IpAddr) -> Option<Self> {
        let mut of_ip = lock(&hub.connections.of_ip);
        let all: usize = usize::try_from(hub.traffic().streams.load(Ordering::Relaxed)).ok()?;
        let count = of_ip.get(&ip).copied().unwrap_or(0);
        if all >= hub.connections.all_max || count >= hub.connections.of_ip_max {
            hub.traffic().streams_refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        of_ip.insert(ip, count + 1);
        hub.traffic().streams.fetch_add(1, Ordering::Relaxed);
        Some(Self { hub: Arc::clone(hub), ip })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut of_ip = lock(&self.hub.connections.of_ip);
        if let Some(count) = of_ip.get_mut(&self.ip) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                of_ip.remove(&self.ip);
            }
        }
        self.hub.traffic().streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts a task for each listening address, which starts one for each stream.
pub(super) fn spawn(
    hub: &Arc<Hub>,
    listeners: Vec<StreamListener>,
    stopped: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) {
    for listener in listeners {
        tasks.spawn(accept(Arc::clone(hub), listener, stopped.clone()));
    }
}

async fn accept(hub: Arc<Hub>, listener: StreamListener, stopped: watch::Receiver<bool>) {
    loop {
        let Ok((stream, remote)) = listener.listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(permit) = Permit::take(&hub, remote.ip()) else { continue };
        let (tls, number, mut stopped) = (listener.tls.clone(), listener.number, stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = open(&permit, stream, (number, remote), tls) => {}
                // An error: the server is gone, which is a stop too.
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
    }
}

async fn open(
    permit: &Permit,
    stream: TcpStream,
    (listener, remote): (u16, SocketAddr),
    tls: Option<TlsAcceptor>,
) {
    let Ok(local) = stream.local_addr() else { return };
    // Messages are whole when they are written: waiting for more helps nobody.
    let _ = stream.set_nodelay(true);
    let client = FiveTuple { listener, local: local.ip(), remote };
    let Some(tls) = tls else { return serve(&permit.hub, stream, client, Flush::WhenQuiet).await };
    if let Ok(Ok(stream)) = timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
        serve(&permit.hub, stream, client, Flush::EachMessage).await;
    }
}

/// When messages leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// Those that wait leave together.
    WhenQuiet,
    /// Each by itself, so that it is a TLS record: some clients (coturn's) take a record for a
    /// message.
    EachMessage,
}

/// Ends the client's allocation however its stream ends.
struct Registered<'a> {
    hub: &'a Arc<Hub>,
    client: FiveTuple,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        lock(&self.hub.streams).remove(&self.client);
        let mut outputs = Vec::new();
        let mut machine = self.hub.machine();
        machine.closed(&self.client);
        machine.take_outputs(&mut outputs);
        drop(machine);
        self.hub.perform(&mut outputs);
    }
}

async fn serve<S: AsyncRead + AsyncWrite>(
    hub: &Arc<Hub>,
    stream: S,
    client: FiveTuple,
    flush: Flush,
) {
    let (reader, writer) = tokio::io::split(stream);
    let (sender, receiver) = mpsc::channel(QUEUE_MESSAGES_MAX);
    let bytes = Arc::new(AtomicUsize::new(0));
    lock(&hub.streams).insert(client, Queue { sender, bytes: Arc::clone(&bytes) });
    let _registered = Registered { hub, client };
    tokio::select! {
        () = read(hub, reader, client) => {}
        () = write(writer, receiver, &bytes, flush) => {}
    }
}

async fn write<W: AsyncWrite>(
    writer: W,
    mut queue: mpsc::Receiver<Vec<u8>>,
    bytes: &AtomicUsize,
    flush: Flush,
) {
    let mut writer = std::pin::pin!(BufWriter::new(writer));
    while let Some(first) = queue.recv().await {
        let mut next = Some(first);
        let all = async {
            while let Some(message) = next {
                bytes.fetch_sub(message.len(), Ordering::Relaxed);
                writer.write_all(&message).await?;
                if flush == Flush::EachMessage {
                    writer.flush().await?;
                }
                next = queue.try_recv().ok();
            }
            writer.flush().await
        };
        if !matches!(timeout(WRITE_WITHIN, all).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn read<R: AsyncRead>(hub: &Arc<Hub>, reader: R, client: FiveTuple) {
    let mut reader = std::pin::pin!(reader);
    let mut bytes = vec![0; HEADROOM];
    let mut plan = Plan::default();
    loop {
        bytes.reserve(READ_BYTES);
        match timeout(ALLOCATE_WITHIN, reader.read_buf(&mut bytes)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(_)) => {}
            Err(_) if hub.machine().has_allocation(&client) => continue,
            Err(_) => return,
        }
        let Some(used) = messages(hub, &mut bytes, client, &mut plan) else { return };
        bytes.drain(HEADROOM..used);
    }
}

/// Handles the whole messages there are; where the first that is not begins. `None`: the stream
/// makes no sense.
fn messages(hub: &Arc<Hub>, bytes: &mut [u8], client: FiveTuple, plan: &mut Plan) -> Option<usize> {
    let (mut start, mut outputs) = (HEADROOM, Vec::new());
    loop {
        let (length, padding) = match next_on_stream(&bytes[start..]) {
            Next::Message { bytes, padding } if bytes <= FRAME_BYTES_MAX => (bytes, padding),
            Next::Unknown => return Some(start),
            Next::Message { .. } | Next::Garbage => return None,
        };
        let range = start..start + length;
        if range.end + padding > bytes.len() {
            return Some(start);
        }
        let mut machine = hub.machine();
        let verdict = machine.datagram(hub.now(), &client, &bytes[range.clone()]);
        machine.take_outputs(&mut outputs);
        drop(machine);
        plan.clear();
        let segment = Segment { buffer: 0, range: range.clone(), alone: true };
        plan.push(bytes, &segment, verdict);
        hub.send_all(plan, |_| &*bytes);
        hub.perform(&mut outputs);
        start = range.end + padding;
    }
}
