//! Making one `PeerConnection` as this driver wants it.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZero,
    sync::Arc,
    thread::available_parallelism,
};

use async_trait::async_trait;
use peer::RtcConfig;
use rtc::ice::mdns::MulticastDnsMode;
use tokio::sync::mpsc;
use webrtc::{
    data_channel::{DataChannel, RTCDataChannelInit},
    error::Result,
    peer_connection::{
        PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfiguration,
        RTCConfigurationBuilder, RTCIceGatheringState, RTCIceServer, RTCIceTransportPolicy,
        RTCPeerConnectionIceEvent, RTCPeerConnectionState, SettingEngineBuilder,
    },
    runtime::TokioRuntime,
};

use super::{link::Command, runtime::Widened};

/// SCTP's receive window: what the other side may have under way. One of 1 MiB holds 84 Mbit/s at 100 ms.
const RECEIVE_WINDOW_BYTES: u32 = 4 << 20;
/// Most bytes of one channel that are sent and not acknowledged. The cores stay well below; what comes
/// over it ends the connection.
const SEND_BUFFER_BYTES_MAX: usize = 8 << 20;
/// Most threads for connections of this process: each moves about a gigabit a second.
const REACTORS_MAX: usize = 4;
/// `negotiated` ids of the two channels: both sides make them, no handshake in band.
const CONTROL_ID: u16 = 0;
const PAYLOAD_ID: u16 = 1;

/// A connection with its two channels, not yet negotiated.
pub(super) struct Connected {
    pub(super) connection: Arc<dyn PeerConnection>,
    pub(super) control: Arc<dyn DataChannel>,
    pub(super) payload: Arc<dyn DataChannel>,
}

/// Makes a connection; what it finds and becomes goes to `found`.
pub(super) async fn connect(
    rtc: &RtcConfig,
    loopback: bool,
    found: mpsc::Sender<Command>,
) -> Result<Connected> {
    // Browsers hide their addresses in a local network behind mDNS names. Where port 5353 can't be
    // had, those candidates are of no use, and the others still are.
    let resolving = build(rtc, loopback, MulticastDnsMode::QueryOnly, found.clone()).await;
    let connection = match resolving {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!("WebRTC without mDNS: {error}");
            build(rtc, loopback, MulticastDnsMode::Disabled, found).await?
        }
    };
    let control = channel(&*connection, "control", CONTROL_ID).await?;
    let payload = channel(&*connection, "payload", PAYLOAD_ID).await?;
    Ok(Connected { connection, control, payload })
}

async fn build(
    rtc: &RtcConfig,
    loopback: bool,
    mdns: MulticastDnsMode,
    found: mpsc::Sender<Command>,
) -> Result<Arc<dyn PeerConnection>> {
    let settings = SettingEngineBuilder::new()
        .with_sctp_max_receive_buffer_size(RECEIVE_WINDOW_BYTES)
        .with_multicast_dns_mode(mdns)
        .with_include_loopback_candidate(loopback)
        .build();
    let building = PeerConnectionBuilder::new()
        .with_configuration(configuration(rtc))
        .with_setting_engine(settings)
        .with_runtime(Arc::new(Widened(TokioRuntime)))
        .with_handler(Arc::new(Handler(found)))
        .with_udp_addrs(addresses(loopback))
        .with_dedicated_reactor_pool_size(reactors())
        .with_data_channel_send_buffer_limit(SEND_BUFFER_BYTES_MAX)
        .build();
    // Twenty kilobytes of state: not on the stack of every caller.
    let connection = Box::pin(building).await?;
    Ok(Arc::new(connection))
}

/// Every interface, by its wildcard; the loopback only by its name.
fn addresses(loopback: bool) -> Vec<SocketAddr> {
    let any = [IpAddr::from(Ipv4Addr::UNSPECIFIED), Ipv6Addr::UNSPECIFIED.into()];
    let here = loopback.then_some(IpAddr::from(Ipv4Addr::LOCALHOST));
    any.into_iter().chain(here).map(|address| SocketAddr::new(address, 0)).collect()
}

fn reactors() -> usize {
    available_parallelism().map_or(1, NonZero::get).min(REACTORS_MAX)
}

async fn channel(
    connection: &dyn PeerConnection,
    label: &str,
    id: u16,
) -> Result<Arc<dyn DataChannel>> {
    let init = RTCDataChannelInit { negotiated: Some(id), ..RTCDataChannelInit::default() };
    connection.create_data_channel(label, Some(init)).await
}

/// `RTCConfiguration` of what the signaling server gave.
pub(super) fn configuration(rtc: &RtcConfig) -> RTCConfiguration {
    let servers = rtc.ice_servers.iter().map(|server| RTCIceServer {
        urls: server.urls.clone(),
        username: server.username.clone().unwrap_or_default(),
        credential: server.credential.clone().unwrap_or_default(),
    });
    // One that is malformed would be no connection at all, where a browser says so at once; the server
    // may name kinds that are not known here.
    let servers = servers.filter(|server| server.urls().is_ok());
    let policy =
        if rtc.relay_only { RTCIceTransportPolicy::Relay } else { RTCIceTransportPolicy::All };
    RTCConfigurationBuilder::new()
        .with_ice_servers(servers.collect())
        .with_ice_transport_policy(policy)
        .build()
}

/// Hands on what the connection finds. It is called by the connection's own task, so it never waits: what
/// finds no room is lost, and so is a connection that far behind.
struct Handler(mpsc::Sender<Command>);

#[async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        // Of a family without an interface: an address nobody can reach.
        let nowhere = event.candidate.address.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified());
        if let Ok(init) = event.candidate.to_json()
            && !nowhere
        {
            let _ = self.0.try_send(Command::Candidate(init.candidate));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.0.try_send(Command::Candidate(String::new()));
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        let command = match state {
            // It may heal by itself; ICE says `failed` when it has given up.
            RTCPeerConnectionState::Disconnected => Command::Interrupted,
            RTCPeerConnectionState::Failed | RTCPeerConnectionState::Closed => Command::Failed,
            _ => return,
        };
        let _ = self.0.try_send(command);
    }
}
