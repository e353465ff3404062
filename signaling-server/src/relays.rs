//! Relays of this host, for peers whose networks let no direct path through.

use primitives::PeerId;
use wire::signaling::IceServer;

/// Who makes credentials for relays. Asked under no lock of the server's; answers at once.
pub trait Relays: std::fmt::Debug + Send + Sync {
    /// Servers with a credential for this peer, nearest first.
    fn invite(&self, peer: &PeerId) -> Invitation;

    /// Counters as OpenMetrics text, with its end; empty if they are told elsewhere.
    fn metrics_text(&self) -> String;
}

/// What a peer needs to use relays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Entries of `RTCConfiguration.iceServers`.
    pub servers: Vec<IceServer>,
    /// How long their credentials are good, in seconds.
    pub expires_in_s: u64,
}
