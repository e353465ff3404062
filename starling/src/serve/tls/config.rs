//! Settings of TLS: the `[tls]` table of `starling.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The commented default, without the table's header.
pub(in crate::serve) const DEFAULT_TOML: &str = include_str!("config.toml");

/// All settings. All have defaults, unknown ones are refused.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// Certificate chain, PEM. Default none: plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Its key, PEM. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Where plain HTTP is answered with the address of the same page over TLS. Default none.
    pub redirect: Vec<SocketAddr>,
    /// Webroot of an ACME client: what it puts into `.well-known/acme-challenge/` is found there by
    /// the certificate authority (RFC 8555, 8.3). Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub challenges: Option<PathBuf>,
}
