//! Settings of the tracker: the table `[signaling.tracker]`.

use serde::{Deserialize, Serialize};

/// All settings of the tracker. What both doors share (sockets, addresses, origins, sites, times of
/// silence) stands in [`Config`](crate::Config).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrackerConfig {
    /// WebTorrent clients are served at `/announce`. Default true.
    pub enabled: bool,
    /// How often clients are told to announce themselves, in seconds. Default 120.
    pub interval_s: u32,
    /// How long a peer stays in a swarm without announcing itself, in seconds. Default 300: two
    /// announces may be lost.
    pub lease_s: u32,
    /// Most swarms. Default 100000.
    pub swarms_max: usize,
    /// Most peers in one swarm. Default 100000.
    pub swarm_peers_max: usize,
    /// Most swarms of one socket. Default 256: a page has one socket for all its torrents.
    pub swarms_per_socket_max: usize,
    /// Most peers in swarms of one address (IPv6: of one /64). Default 16384.
    pub peers_per_ip_max: u32,
    /// Messages per second of one socket, sustained; ten times that at once. Default 200. The
    /// bound of its address counts as well.
    pub messages_per_socket_per_s: u32,
    /// Offers handed on in one swarm per second, sustained; ten times that at once; 0: no bound.
    /// Default 20000.
    pub offers_per_swarm_per_s: u32,
}

impl Default for TrackerConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_s: 120,
            lease_s: 300,
            swarms_max: 100_000,
            swarm_peers_max: 100_000,
            swarms_per_socket_max: 256,
            peers_per_ip_max: 16_384,
            messages_per_socket_per_s: 200,
            offers_per_swarm_per_s: 20_000,
        }
    }
}
