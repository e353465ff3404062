//! Settings of the signaling server: the `[signaling]` table of `starling.toml`.
//!
//! Every field has a default that is safe for a host open to everybody. [`DEFAULT_TOML`] is the same
//! text with a comment on each field; a test holds the two together.

use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use wire::signaling::IceServer;

use crate::announce::config::TrackerConfig;

/// The commented default, without the table's header.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// All settings. See the fields; all have defaults, unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long a session survives its socket, in milliseconds. Default 30000.
    pub lease_ms: u32,
    /// How long a socket may take for its hello, in milliseconds. Default 10000.
    pub hello_timeout_ms: u32,
    /// Silence after which either side pings, in milliseconds. Default 30000.
    pub ping_ms: u32,
    /// Silence after which a socket is closed, in milliseconds. Default 90000: background tabs run a
    /// timer a minute, and browsers answer our pings by themselves.
    pub idle_timeout_ms: u32,
    /// How long one message may take to be written, in milliseconds. Default 10000.
    pub write_timeout_ms: u32,
    /// At shutdown peers are told to come back after 1 second plus a random part of this, in
    /// milliseconds. Default 5000.
    pub reconnect_spread_ms: u32,
    /// Most messages waiting for one socket; one more and it is closed as too slow. Default 256.
    pub queue_messages_max: usize,
    /// Most bytes waiting for one socket. Default 1048576.
    pub queue_bytes_max: usize,
    /// Most sockets. Default 50000.
    pub connections_max: u32,
    /// Most sockets of one address (IPv6: of one /64). Default 512: schools and offices share one.
    pub connections_per_ip_max: u32,
    /// New sockets of one address per minute. Default 600.
    pub connects_per_ip_per_minute: u32,
    /// Most sockets of pages of one web origin; 0: no bound. Default 0.
    pub connections_per_origin_max: u32,
    /// Messages per second of one socket, sustained; ten times that at once. Default 50.
    pub messages_per_socket_per_s: u32,
    /// Messages per second of one address, sustained; ten times that at once. Default 2000.
    pub messages_per_ip_per_s: u32,
    /// Messages per second of pages of one web origin; ten times that at once; 0: no bound. Default 0.
    pub messages_per_origin_per_s: u32,
    /// Messages per second in one swarm; ten times that at once; 0: no bound. Default 20000: one
    /// swarm does not take the server from the others.
    pub messages_per_swarm_per_s: u32,
    /// Most swarms on this server. Default 100000.
    pub swarms_max: usize,
    /// Most peers in one swarm. Default 100000.
    pub swarm_peers_max: usize,
    /// Least time between two unasked introductions of one peer, in milliseconds. Default 10000.
    pub push_every_ms: u32,
    /// Reverse proxies, as addresses or networks, whose `Forwarded` and `X-Forwarded-For` are
    /// believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// STUN and TURN servers told to peers. Default none: peers of one network need none, and no
    /// third party learns of them.
    pub ice_servers: Vec<IceServer>,
    /// Pages and peers of no site below are served too. Default true.
    pub open: bool,
    /// What pages of particular sites may do. Default none.
    pub sites: Vec<SiteConfig>,
    /// Who may not be here. Default nobody.
    pub bans: Vec<BanConfig>,
    /// What only the host may ask.
    pub admin: AdminConfig,
    /// The witness.
    pub witness: WitnessConfig,
    /// The tracker.
    pub tracker: TrackerConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            lease_ms: 30_000,
            hello_timeout_ms: 10_000,
            ping_ms: 30_000,
            idle_timeout_ms: 90_000,
            write_timeout_ms: 10_000,
            reconnect_spread_ms: 5_000,
            queue_messages_max: 256,
            queue_bytes_max: 1 << 20,
            connections_max: 50_000,
            connections_per_ip_max: 512,
            connects_per_ip_per_minute: 600,
            connections_per_origin_max: 0,
            messages_per_socket_per_s: 50,
            messages_per_ip_per_s: 2_000,
            messages_per_origin_per_s: 0,
            messages_per_swarm_per_s: 20_000,
            swarms_max: 100_000,
            swarm_peers_max: 100_000,
            push_every_ms: 10_000,
            trusted_proxies: Vec::new(),
            ice_servers: Vec::new(),
            open: true,
            sites: Vec::new(),
            bans: Vec::new(),
            admin: AdminConfig::default(),
            witness: WitnessConfig::default(),
            tracker: TrackerConfig::default(),
        }
    }
}

/// What one site may do: a `[[signaling.sites]]` table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteConfig {
    /// Web origins of its pages (`https://example.com`); empty: pages of any origin that give the
    /// key. Default empty.
    pub origins: Vec<String>,
    /// The key its pages give in `join`, at most 128 bytes; empty: none, the origin decides. Seen by
    /// everybody who reads the page: it tells sites apart, it is no secret. Default empty.
    pub key: String,
    /// Swarms it may use, as first characters of the swarm id; empty: all. Default empty.
    pub swarm_prefixes: Vec<String>,
    /// Most of its peers in swarms at once; 0: no bound. Default 0.
    pub peers_max: u32,
    /// Its peers connect by relay only. Default false.
    pub relay_only: bool,
}

/// Who may not be here, and why: a `[[signaling.bans]]` table, or the host's request. Exactly one of
/// the first four fields says who.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BanConfig {
    /// An address or a network (`203.0.113.0/24`); of IPv6 at least a /64. Default empty.
    pub address: String,
    /// Web origin of pages. Default empty.
    pub origin: String,
    /// A peer's key. Default empty.
    pub peer: String,
    /// A swarm's id, or of the tracker its info hash in hexadecimal: nobody may join it. Default empty.
    pub swarm: String,
    /// Why, as those it keeps out are told; at most 256 bytes. Default empty.
    pub reason: String,
}

/// What only the host may ask: the `[signaling.admin]` table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// The host's token, at least 16 bytes; empty: nobody is the host. Default empty.
    pub token: String,
}

/// The witness: the server fetches a segment once and says what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WitnessConfig {
    /// Origins (`https://media.example`) it fetches from. An origin written here is fetched wherever
    /// its name leads; `*` allows every origin whose name leads to public addresses only. Default
    /// none.
    pub origins: Vec<String>,
    /// How long one fetch may take, in milliseconds. Default 20000.
    pub timeout_ms: u32,
    /// Most fetches at once; others wait. Default 8.
    pub fetches_max: u32,
    /// Most answers remembered. Default 4096; one is about 1 KiB per 2 MiB of segment.
    pub answers_max: usize,
    /// How long a failure is remembered, in milliseconds. Default 3000.
    pub failure_ms: u32,
    /// Questions per second of one address, sustained; ten times that at once. Default 20.
    pub asks_per_ip_per_s: u32,
}

impl Default for WitnessConfig {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            timeout_ms: 20_000,
            fetches_max: 8,
            answers_max: 4096,
            failure_ms: 3_000,
            asks_per_ip_per_s: 20,
        }
    }
}

/// A folder of the host's own media, witnessed from the disk instead of over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaFolder {
    /// URL path it is served under, with slashes at both ends: `/media/`.
    pub path: String,
    /// The folder.
    pub folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_the_default_and_names_every_field() {
        let parsed: Config = toml::from_str(DEFAULT_TOML).unwrap();
        assert_eq!(parsed, Config::default());
        let all = toml::Value::try_from(Config::default()).unwrap();
        let named: toml::Value = toml::from_str(DEFAULT_TOML).unwrap();
        assert_eq!(all, named);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(toml::from_str::<Config>("lease_s = 3").is_err());
        assert!(toml::from_str::<Config>("[[sites]]\nkeys = []").is_err());
    }
}
