//! Settings of the resolver.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The commented default.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// What `/did/` fetches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether it fetches anything. Default true.
    pub enabled: bool,
    /// Fetches at once; more are told to come back. Default 8.
    pub fetches_max: usize,
    /// Requests of one address in a minute, and at once; 0 counts as 1. Default 60.
    pub asks_per_ip_per_minute: u32,
    /// Answers kept, each of at most 1 MiB. Default 32.
    pub answers_max: usize,
    /// How long one is kept, in milliseconds. Default 60000.
    pub kept_ms: u64,
    /// How long a fetch may take, in milliseconds. Default 10000.
    pub timeout_ms: u64,
    /// Where to ask instead of a host, by its name as in the DID, with its port. Default none.
    pub instead: BTreeMap<String, String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            fetches_max: 8,
            asks_per_ip_per_minute: 60,
            answers_max: 32,
            kept_ms: 60_000,
            timeout_ms: 10_000,
            instead: BTreeMap::new(),
        }
    }
}
