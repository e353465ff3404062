//! Settings of the bus: the `[bus]` table of `starling.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The commented default, without the table's header.
pub const DEFAULT_TOML: &str = include_str!("config.toml");

/// All settings. All have defaults, unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusConfig {
    /// Address of a NATS server, or of several with commas between; empty: this node is alone.
    /// Default empty.
    pub nats: String,
    /// First word of the subjects: hosts that share a NATS server choose different ones. Default
    /// `starling`.
    pub subject: String,
    /// What this node is called on the status page, at most 64 bytes. Default empty.
    pub name: String,
    /// Certificates that the NATS server's may be signed by, PEM. Default none: those of the system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
}

impl Default for BusConfig {
    fn default() -> Self {
        Self { nats: String::new(), subject: "starling".to_owned(), name: String::new(), ca: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_the_default_and_names_every_field() {
        assert_eq!(toml::from_str::<BusConfig>(DEFAULT_TOML).unwrap(), BusConfig::default());
        let all = toml::Value::try_from(BusConfig::default()).unwrap();
        assert_eq!(toml::from_str::<toml::Value>(DEFAULT_TOML).unwrap(), all);
        assert!(toml::from_str::<BusConfig>("url = \"nats://a\"").is_err());
    }
}
