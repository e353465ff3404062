//! Settings of the relay: the `[relay]` table of `starling.toml`.
//!
//! Every field has a default that is safe for a host open to everybody. [`DEFAULT_TOML`] is the same
//! text with a comment on each field; a test holds the two together.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The commented default, without the table's header.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// All settings. See the fields; all have defaults, unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether `starling serve` runs a relay. Default true.
    pub enabled: bool,
    /// Where to listen by UDP and TCP; port 0 is any free one. Default none: `starling serve` takes
    /// the addresses of the page, `starling relay` 127.0.0.1:3478.
    pub listen: Vec<SocketAddr>,
    /// Where to listen by TLS. Default none.
    pub listen_tls: Vec<SocketAddr>,
    /// Certificate chain for TLS, PEM. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// Its key, PEM. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_key: Option<PathBuf>,
    /// Name by which clients find this relay; empty: its address. Needed for TLS. Default empty.
    pub host: String,
    /// More relays with the same secrets, nearest first, as URLs (RFC 7065). Default none.
    pub more_urls: Vec<String>,
    /// Addresses of this machine that relayed addresses are of, at most one of each family. Default
    /// none: those listened on, or of the default route.
    pub relay_ips: Vec<IpAddr>,
    /// What the outside sees in their place, if it is another address (1:1 NAT). Default none.
    pub public_ips: Vec<IpAddr>,
    /// First port of relayed addresses. Default 49152.
    pub port_min: u16,
    /// Last port of relayed addresses. Default 65535.
    pub port_max: u16,
    /// Realm of credentials. Default `starling`.
    pub realm: String,
    /// Secrets shared with those who make credentials, one or two: the first makes them, both are
    /// accepted. Default none: `starling serve` makes one for as long as it runs.
    pub secrets: Vec<String>,
    /// How long a credential is good at least, in seconds. Default 14400. A film lasts so long;
    /// allocations made with it go on.
    pub credential_lifetime_s: u32,
    /// Clients may bind channels up to 0x7FFF (RFC 5766), not only up to 0x4FFF (RFC 8656). Default
    /// false: browsers need no more.
    pub old_channels: bool,
    /// Peers on this machine are allowed: for tests only. Default false.
    pub allow_loopback_peers: bool,
    /// Networks of peers that are allowed though they are not of the public internet. Default none.
    pub allowed_peers: Vec<IpNet>,
    /// Networks of peers that are refused though they are. Default none.
    pub denied_peers: Vec<IpNet>,
    /// Most allocations. Default 10000.
    pub allocations_max: usize,
    /// Most allocations of one credential. Default 128: a page has one per neighbour and transport.
    pub user_allocations_max: u32,
    /// Most bytes relayed for one credential; 0: no bound. Default 21474836480 (20 GiB).
    pub user_bytes_max: u64,
    /// Bits per second of one credential; 0: no bound. Default 50000000.
    pub user_bits_per_s: u64,
    /// Bits per second of all; 0: no bound. Default 0.
    pub bits_per_s: u64,
    /// Answers per second to senders without a credential; 0: no bound. Default 5000.
    pub strangers_per_s: u64,
    /// Most TCP and TLS connections. Default 10000.
    pub connections_max: usize,
    /// Most TCP and TLS connections of one address. Default 256.
    pub connections_per_ip_max: usize,
    /// At shutdown allocations may end by themselves for this long, in milliseconds. Default 0.
    pub drain_ms: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: Vec::new(),
            listen_tls: Vec::new(),
            certificate: None,
            certificate_key: None,
            host: String::new(),
            more_urls: Vec::new(),
            relay_ips: Vec::new(),
            public_ips: Vec::new(),
            port_min: 49_152,
            port_max: 65_535,
            realm: "starling".to_owned(),
            secrets: Vec::new(),
            credential_lifetime_s: 14_400,
            old_channels: false,
            allow_loopback_peers: false,
            allowed_peers: Vec::new(),
            denied_peers: Vec::new(),
            allocations_max: 10_000,
            user_allocations_max: 128,
            user_bytes_max: 20 << 30,
            user_bits_per_s: 50_000_000,
            bits_per_s: 0,
            strangers_per_s: 5_000,
            connections_max: 10_000,
            connections_per_ip_max: 256,
            drain_ms: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_the_default_and_names_every_field() {
        let parsed: Config = toml::from_str(DEFAULT_TOML).unwrap();
        assert_eq!(parsed, Config::default());
        let all = toml::Value::try_from(Config::default()).unwrap();
        assert_eq!(toml::from_str::<toml::Value>(DEFAULT_TOML).unwrap(), all);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(toml::from_str::<Config>("secret = \"x\"").is_err());
    }
}
