//! Relays of this host, for peers whose networks let no direct path through.

use primitives::PeerId;
use serde::Serialize;
use wire::signaling::IceServer;

/// Who makes credentials for relays. Asked under no lock of the server's; answers at once.
pub trait Relays: std::fmt::Debug + Send + Sync {
    /// Servers with a credential for this peer, nearest first.
    fn invite(&self, peer: &PeerId) -> Invitation;

    /// Counters as OpenMetrics text, with its end; empty if they are told elsewhere.
    fn metrics_text(&self) -> String;

    /// How it is with the relay of this process; `None`: it is elsewhere.
    fn load(&self) -> Option<RelayLoad> {
        None
    }
}

/// How it is with a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct RelayLoad {
    /// Allocations now.
    pub allocations: u64,
    /// Credentials remembered.
    pub credentials: u64,
    /// Bytes of data relayed since the start, both ways.
    pub relayed_bytes: u64,
    /// Requests refused since the start.
    pub refused: u64,
    /// Requests with a wrong credential since the start.
    pub auth_failures: u64,
}

/// What a peer needs to use relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Entries of `RTCConfiguration.iceServers`.
    pub servers: Vec<IceServer>,
    /// How long their credentials are good, in seconds.
    pub expires_in_s: u64,
}
