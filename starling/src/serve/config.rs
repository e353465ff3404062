//! Settings of `starling serve`: one TOML file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use signaling_server::{BusConfig, bus};

use super::ledger;
use super::tls::{self, TlsConfig};
use crate::{gateway, push, resolver};

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
    /// CID of a page in the block store to serve instead of the one in this program. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// TLS.
    pub tls: TlsConfig,
    /// The signaling server.
    pub signaling: signaling_server::Config,
    /// What joins several nodes.
    pub bus: BusConfig,
    /// The relay.
    pub relay: relay::Config,
    /// The gateway to the block store.
    pub gateway: gateway::Config,
    /// The fetcher of outside DIDs.
    pub resolver: resolver::Config,
    /// The ledger.
    pub ledger: ledger::Config,
    /// Telling people who closed the page.
    pub push: push::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8787))],
            data: PathBuf::from("starling-data"),
            media: None,
            page: None,
            tls: TlsConfig::default(),
            signaling: signaling_server::Config::default(),
            bus: BusConfig::default(),
            relay: relay::Config::default(),
            gateway: gateway::Config::default(),
            resolver: resolver::Config::default(),
            ledger: ledger::Config::default(),
            push: push::Config::default(),
        }
    }
}

impl Config {
    /// The default, with a comment on every field.
    pub fn commented_default() -> String {
        let signaling = signaling_server::config::DEFAULT_TOML
            .replace("\n[admin]", "\n[signaling.admin]")
            .replace("\n[witness]", "\n[signaling.witness]")
            .replace("\n[tracker]", "\n[signaling.tracker]");
        let gateway = gateway::DEFAULT_TOML.replace("\n[swarm]", "\n[gateway.swarm]");
        let tables = [
            ("tls", tls::DEFAULT_TOML),
            ("signaling", &*signaling),
            ("bus", bus::DEFAULT_TOML),
            ("relay", relay::config::DEFAULT_TOML),
            ("gateway", &*gateway),
            ("resolver", resolver::DEFAULT_TOML),
            ("ledger", ledger::DEFAULT_TOML),
            ("push", push::DEFAULT_TOML),
        ];
        let mut text = DEFAULT_TOML.to_owned();
        for (name, fields) in tables {
            text.push_str(&format!("[{name}]\n{fields}\n"));
        }
        text.truncate(text.trim_end().len());
        text + "\n"
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

    /// What has no default stands there as a comment: with its mark taken off it is read.
    #[test]
    fn what_is_left_out_by_default_is_named_too() {
        let text = Config::commented_default();
        let is_field = |line: &str| {
            let name = line.split(" = ").next().unwrap_or_default();
            line.contains(" = ")
                && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let mut left_out = 0;
        let lines: Vec<&str> = text
            .lines()
            .map(|line| match line.trim_start_matches(['#', ' ']) {
                field if line.starts_with('#') && is_field(field) && !line.starts_with("#   ") => {
                    left_out += 1;
                    field
                }
                _ => line,
            })
            .collect();
        let config = toml::from_str::<Config>(&lines.join("\n")).unwrap();
        assert!(config.media.is_some() && config.page.is_some() && config.bus.ca.is_some());
        assert!(config.tls.cert.is_some() && config.tls.key.is_some());
        assert!(config.tls.challenges.is_some());
        assert!(config.gateway.swarm.server.is_some() && config.push.contact.is_some());
        assert!(config.ledger.network.is_some() && config.ledger.root.is_some());
        assert_eq!(left_out, 10);
    }

    #[test]
    fn an_unknown_field_is_refused() {
        assert!(toml::from_str::<Config>("listne = []").is_err());
        assert!(toml::from_str::<Config>("[signaling]\nx = 1").is_err());
    }
}
