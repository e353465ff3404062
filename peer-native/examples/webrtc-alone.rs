//! The crate `webrtc` as it comes, for the bench: two connections of this process over its loopback
//! interface, one ordered channel, messages of one size. Prints one line of JSON.
//!
//! ```text
//! webrtc-alone BYTES MESSAGE_BYTES
//! ```
//!
//! Nothing is set but a bound of the send buffer, without which all bytes would lie in memory at once.
#![allow(clippy::print_stdout, reason = "the result is its only output")]

use std::{error::Error, sync::Arc, time::Instant};

use async_trait::async_trait;
use bytes::BytesMut;
use tokio::sync::mpsc;
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit},
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceGatheringState,
        RTCSessionDescription,
    },
    runtime::TokioRuntime,
};

type Result<T> = core::result::Result<T, Box<dyn Error>>;

/// Bytes of a channel that are sent and not acknowledged.
const SEND_BUFFER_BYTES: usize = 1 << 20;

/// Tells when all candidates are found.
struct Gathered(mpsc::Sender<()>);

#[async_trait]
impl PeerConnectionEventHandler for Gathered {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            // Said once; whoever waits hears it.
            let _ = self.0.try_send(());
        }
    }
}

struct End {
    connection: Arc<dyn PeerConnection>,
    channel: Arc<dyn DataChannel>,
    gathered: mpsc::Receiver<()>,
}

impl End {
    async fn new() -> Result<Self> {
        let (found, gathered) = mpsc::channel(1);
        let building = PeerConnectionBuilder::new()
            .with_runtime(Arc::new(TokioRuntime))
            .with_handler(Arc::new(Gathered(found)))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .with_data_channel_send_buffer_limit(SEND_BUFFER_BYTES)
            .build();
        let connection: Arc<dyn PeerConnection> = Arc::new(Box::pin(building).await?);
        let init = RTCDataChannelInit { negotiated: Some(0), ..RTCDataChannelInit::default() };
        let channel = connection.create_data_channel("payload", Some(init)).await?;
        Ok(Self { connection, channel, gathered })
    }

    /// Sets a description of our own, and gives it with all its candidates.
    async fn describe(&mut self, local: RTCSessionDescription) -> Result<RTCSessionDescription> {
        self.connection.set_local_description(local).await?;
        self.gathered.recv().await.ok_or("the connection ended")?;
        Ok(self.connection.local_description().await.ok_or("no description")?)
    }

    async fn opened(&self) -> Result<()> {
        while let Some(event) = self.channel.poll().await {
            if matches!(event, DataChannelEvent::OnOpen) {
                return Ok(());
            }
        }
        Err("the channel ended before it was open".into())
    }
}

async fn send(channel: Arc<dyn DataChannel>, bytes: usize, message_bytes: usize) -> Result<()> {
    let message = BytesMut::from(&vec![0; message_bytes][..]);
    for _ in 0..bytes.div_ceil(message_bytes) {
        channel.send(message.clone()).await?;
    }
    Ok(())
}

async fn receive(channel: &dyn DataChannel, bytes: usize) -> Result<()> {
    let mut came = 0;
    while came < bytes {
        match channel.poll().await.ok_or("the channel ended")? {
            DataChannelEvent::OnMessage(message) => came += message.data.len(),
            DataChannelEvent::OnClose | DataChannelEvent::OnError => {
                return Err("the channel was closed".into());
            }
            _ => {}
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<usize> = std::env::args()
        .skip(1)
        .map(|word| word.parse())
        .collect::<core::result::Result<_, _>>()?;
    let [bytes, message_bytes] = words[..] else {
        return Err("expected how many bytes, and how many of a message".into());
    };
    let (mut from, mut to) = (End::new().await?, End::new().await?);
    let offer = from.connection.create_offer(None).await?;
    let offer = from.describe(offer).await?;
    to.connection.set_remote_description(offer).await?;
    let answer = to.connection.create_answer(None).await?;
    let answer = to.describe(answer).await?;
    from.connection.set_remote_description(answer).await?;
    let (here, there) = tokio::join!(from.opened(), to.opened());
    here?;
    there?;
    let start = Instant::now();
    let channel = Arc::clone(&from.channel);
    let (sent, came) =
        tokio::join!(send(channel, bytes, message_bytes), receive(&*to.channel, bytes));
    sent?;
    came?;
    println!("{{\"ms\":{}}}", start.elapsed().as_millis());
    from.connection.close().await?;
    to.connection.close().await?;
    Ok(())
}
