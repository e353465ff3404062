//! Settings of the gateway.

use serde::{Deserialize, Serialize};

/// The commented default.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// Answers under way at once, unless the person says otherwise. Each holds one block of at most 2 MiB,
/// and up to 16 where a file repeats itself.
pub const STREAMS_MAX_DEFAULT: usize = 64;

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
}

impl Default for Config {
    fn default() -> Self {
        Self { enabled: true, files: true, streams_max: STREAMS_MAX_DEFAULT }
    }
}
