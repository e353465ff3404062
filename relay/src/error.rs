//! Why a relay can't start. Clients' faults are answers and counters, not errors.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// What is wrong with the settings or the machine.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// An address can't be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// There is nothing to listen on.
    #[error("`listen` and `listen_tls` are empty, expected at least one address")]
    NoAddress,
    /// More listening addresses than there are numbers for them.
    #[error("{0} listening addresses, expected at most 64")]
    ManyAddresses(usize),
    /// Secrets are missing, too many or too short.
    #[error("{count} secrets of at least {shortest} bytes, expected 1 or 2 of at least 16")]
    Secrets {
        /// How many there are.
        count: usize,
        /// Bytes of the shortest.
        shortest: usize,
    },
    /// A number that must not be zero is.
    #[error("{field} is 0, expected at least 1")]
    Zero {
        /// The setting.
        field: &'static str,
    },
    /// The ports are none.
    #[error("port_min is {min}, expected 1024 to port_max, which is {max}")]
    Ports {
        /// `port_min`.
        min: u16,
        /// `port_max`.
        max: u16,
    },
    /// The realm or the host is no such text.
    #[error("{field} {text:?} is empty, longer than 127 bytes or has characters of no name")]
    Name {
        /// The setting.
        field: &'static str,
        /// Its text.
        text: String,
    },
    /// Addresses of one family are two, or one has no counterpart.
    #[error(
        "relay_ips and public_ips: expected at most one address of each family, got {0} wrongly"
    )]
    Ips(IpAddr),
    /// No address that others could reach was found.
    #[error("no address to relay from was found, expected `relay_ips`")]
    NoRelayIp,
    /// TLS is wished for without a certificate.
    #[error("`listen_tls` needs `certificate` and `certificate_key`")]
    NoCertificate,
    /// The certificate or its key can't be used.
    #[error("{path}: {what}")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The platform gave no randomness.
    #[error("the platform gave no randomness: {0}")]
    Entropy(String),
}
