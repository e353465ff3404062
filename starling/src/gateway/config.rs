//! Settings of the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use peer_native::{AddressError, Server};
use serde::{Deserialize, Serialize};

/// The commented default.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// Answers under way at once, unless the person says otherwise. Each holds one block of at most 2 MiB,
/// and up to 16 where a file repeats itself.
pub const STREAMS_MAX_DEFAULT: usize = 64;
/// Contents fetched from at once, unless the person says otherwise. Each has at most 24 MiB of blocks under
/// way and 16 connections.
pub const FETCHES_MAX_DEFAULT: usize = 8;
/// Bytes fetched of one content, unless the person says otherwise: 4 GiB.
pub const FETCH_BYTES_MAX_DEFAULT: u64 = 4 << 30;
/// How long an answer waits for its next block, unless the person says otherwise: two browsers meet through
/// a relay in it, and a megabyte comes over 2 Mbit/s. Clients and proxies give up after 30 s.
pub const WAIT_DEFAULT: Duration = Duration::from_secs(20);

/// What `/ipfs/` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether there is a gateway. Default true.
    pub enabled: bool,
    /// Whether it shows files and folders, not blocks only. Default true.
    pub files: bool,
    /// Answers under way at once; more are told to come back. Default [`STREAMS_MAX_DEFAULT`].
    pub streams_max: usize,
    /// What the store lacks.
    pub swarm: SwarmConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            files: true,
            streams_max: STREAMS_MAX_DEFAULT,
            swarm: SwarmConfig::default(),
        }
    }
}

/// Whether what the store lacks is fetched from peers, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwarmConfig {
    /// Whether it is. Default false.
    pub enabled: bool,
    /// Who introduces peers. Default: this server by its own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Contents fetched from at once. Default [`FETCHES_MAX_DEFAULT`].
    pub fetches_max: usize,
    /// Bytes of blocks fetched of one content. Default [`FETCH_BYTES_MAX_DEFAULT`].
    pub bytes_max: u64,
    /// How long an answer waits for its next block, in milliseconds. Default [`WAIT_DEFAULT`].
    pub wait_ms: u64,
}

impl Default for SwarmConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            server: None,
            fetches_max: FETCHES_MAX_DEFAULT,
            bytes_max: FETCH_BYTES_MAX_DEFAULT,
            wait_ms: u64::try_from(WAIT_DEFAULT.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Why peers can't be asked for what the store lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwarmError {
    /// A certificate is for a name, and this server does not know its own.
    #[error("`server` is not set, which [tls] needs")]
    NoServer,
    /// The address of the server is none.
    #[error("`server`: {0}")]
    Server(#[from] AddressError),
}

impl Config {
    /// Who introduces peers; none if nobody is to. `own` is where this server can be reached from its own
    /// machine without TLS; none: not at all.
    ///
    /// # Errors
    /// There is to be one, and none is known.
    pub fn introducer(&self, own: Option<SocketAddr>) -> Result<Option<Server>, SwarmError> {
        if !(self.enabled && self.swarm.enabled) {
            return Ok(None);
        }
        let server = match (&self.swarm.server, own) {
            (Some(named), _) => Server::new(named)?,
            (None, Some(own)) => Server::new(&format!("http://{own}"))?,
            (None, None) => return Err(SwarmError::NoServer),
        };
        Ok(Some(server))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_introduced_by_who_is_named_or_by_this_server() {
        let own = Some(SocketAddr::from(([127, 0, 0, 1], 8787)));
        let mut config = Config::default();
        assert_eq!(config.introducer(own), Ok(None));
        config.swarm.enabled = true;
        let page =
            |config: &Config, own| config.introducer(own).unwrap().unwrap().page().to_owned();
        assert_eq!(page(&config, own), "http://127.0.0.1:8787/");
        assert_eq!(config.introducer(None), Err(SwarmError::NoServer));
        config.swarm.server = Some("https://video.example.com".to_owned());
        assert_eq!(page(&config, own), "https://video.example.com/");
        assert_eq!(page(&config, None), "https://video.example.com/");
        config.swarm.server = Some("video.example.com".to_owned());
        assert!(matches!(config.introducer(own), Err(SwarmError::Server(_))));
        config.enabled = false;
        assert_eq!(config.introducer(own), Ok(None));
    }
}
