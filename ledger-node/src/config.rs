//! Settings of a validator: one TOML file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The commented default.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// All settings. All have defaults, unknown ones are refused. Relative paths are relative to the
/// file that names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Folder of the validator's secrets and of the ledger. Default `ledger`.
    pub data: PathBuf,
    /// The network's file. Default none: a network of this validator alone, made at the first
    /// start, with all units in the account of the key `faucet.key` of the folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<PathBuf>,
    /// Where to listen for other validators. Default 127.0.0.1, any free port.
    pub listen: SocketAddr,
    /// Where to answer HTTP. Default 127.0.0.1:8788; port 0 is any free one.
    pub http: SocketAddr,
    /// How long a block waits for its first transaction, in milliseconds. Default 0: 10,000 for a
    /// validator alone, 2,000 among others, who notice an absent leader by it.
    pub heartbeat_ms: u64,
    /// Threads of the engine. Default 2.
    pub threads: usize,
    /// Whether a network made at the first start is a demo network, whose faucet gives units away.
    /// Default true.
    pub demo: bool,
    /// How many of the last blocks are kept, with receipts and events; at least 128. Default 0: all.
    pub keep_blocks: u64,
    /// Whether `/ledger/snapshot` gives a copy of the state. Default true.
    pub snapshots: bool,
    /// Reverse proxies, as networks or addresses, whose word about who asks is believed. Default none.
    pub trusted_proxies: Vec<String>,
    /// Addresses of other hosts of this ledger, for pages to ask as well. Default none.
    pub others: Vec<String>,
    /// Hosts of this ledger to fetch a snapshot from where the folder has no ledger yet: whoever starts the
    /// validator does, [`Node::start`](crate::Node::start) asks nobody. Default none.
    pub snapshot_from: Vec<String>,
    /// Whether a ledger that ends before the blocks that others keep is moved aside for such a snapshot.
    /// Default false.
    pub replace_late: bool,
}

impl Default for Config {
    fn default() -> Self {
        let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            data: PathBuf::from("ledger"),
            network: None,
            listen: local(0),
            http: local(8788),
            heartbeat_ms: 0,
            threads: 2,
            demo: true,
            keep_blocks: 0,
            snapshots: true,
            trusted_proxies: Vec::new(),
            others: Vec::new(),
            snapshot_from: Vec::new(),
            replace_late: false,
        }
    }
}

impl Config {
    /// The same with the paths of a file in `folder`, which are relative to it.
    #[must_use]
    pub fn within(self, folder: &Path) -> Self {
        let (data, network) =
            (folder.join(&self.data), self.network.as_ref().map(|one| folder.join(one)));
        Self { data, network, ..self }
    }

    /// Where the network's file is, if there is one.
    pub fn network_file(&self) -> PathBuf {
        self.network.clone().unwrap_or_else(|| self.data.join("network.toml"))
    }

    pub(crate) fn heartbeat(&self, validators: usize) -> Duration {
        let default_ms = if validators == 1 { 10_000 } else { 2_000 };
        Duration::from_millis(if self.heartbeat_ms == 0 { default_ms } else { self.heartbeat_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_the_default() {
        assert_eq!(toml::from_str::<Config>(DEFAULT_TOML).unwrap(), Config::default());
        assert!(toml::from_str::<Config>("port = 1").is_err());
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config: Config = toml::from_str("data = \"one\"\nnetwork = \"/etc/two\"").unwrap();
        let config = config.within(Path::new("/srv"));
        assert_eq!(config.data, Path::new("/srv/one"));
        assert_eq!(config.network.as_deref(), Some(Path::new("/etc/two")));
        assert_eq!(config.network_file(), Path::new("/etc/two"));
        let config = Config { network: None, ..config };
        assert_eq!(config.network_file(), Path::new("/srv/one/network.toml"));
    }
}
