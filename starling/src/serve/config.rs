//! Settings of `starling serve`: one TOML file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::gateway;

/// The commented default of the fields here.
const DEFAULT_TOML: &str = include_str!("config.toml");

/// All settings. All have defaults, unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen. Default 127.0.0.1:8787; port 0 is any free one.
    pub listen: Vec<SocketAddr>,
    /// Folder of the server's keys and of the demo video. Default `starling-data`.
    pub data: PathBuf,
    /// Folder with an HLS stream to serve instead of the demo. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<PathBuf>,
    /// The signaling server.
    pub signaling: signaling_server::Config,
    /// The relay.
    pub relay: relay::Config,
    /// The gateway to the block store.
    pub gateway: gateway::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8787))],
            data: PathBuf::from("starling-data"),
            media: None,
            signaling: signaling_server::Config::default(),
            relay: relay::Config::default(),
            gateway: gateway::Config::default(),
        }
    }
}

impl Config {
    /// The default, with a comment on every field.
    pub fn commented_default() -> String {
        let signaling =
            signaling_server::config::DEFAULT_TOML.replace("\n[witness]", "\n[signaling.witness]");
        let relay = relay::config::DEFAULT_TOML;
        let gateway = gateway::DEFAULT_TOML;
        format!("{DEFAULT_TOML}[signaling]\n{signaling}\n[relay]\n{relay}\n[gateway]\n{gateway}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_default_is_the_default_and_names_every_field() {
        let text = Config::commented_default();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), Config::default());
        let all = toml::Value::try_from(Config::default()).unwrap();
        assert_eq!(toml::from_str::<toml::Value>(&text).unwrap(), all);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(toml::from_str::<Config>("listne = []").is_err());
        assert!(toml::from_str::<Config>("[signaling]\nx = 1").is_err());
    }
}
