//! The relay: alone (`starling relay`), or beside the page (`starling serve`).
//!
//! Beside the page it listens where the page does. A page served to this machine only gets a relay
//! for this machine only, on any free port: it hands data from one tab to another and reaches
//! nothing else, so it can be on by default.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::http::header;
use axum::routing::get;
use primitives::PeerId;
use relay::stun::ErrorCode;
use relay::{Config, Relay, RelayError, Server};
use signaling_server::{Invitation, RelayLoad, Relays};
use tokio::net::TcpListener;
use wire::signaling::IceServer;

/// The port of TURN (RFC 8656, 4).
const PORT: u16 = 3478;
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Settings of a relay that runs alone: where to listen, unless they say.
pub fn alone(config: Config) -> Config {
    let listen = vec![SocketAddr::from(([127, 0, 0, 1], PORT))];
    let is_told = !config.listen.is_empty() || !config.listen_tls.is_empty();
    Config { listen: if is_told { config.listen } else { listen }, ..config }
}

/// A relay beside a page that listens at `page`. `None`: the host wants none, or the settings leave
/// the port to us and none can be had.
///
/// # Errors
/// Settings that can't be meant, or a port they name is taken.
pub fn beside(config: &Config, page: &[SocketAddr]) -> Result<Option<Server>, RelayError> {
    if !config.enabled {
        return Ok(None);
    }
    let mut config = config.clone();
    if config.secrets.is_empty() {
        config.secrets.push(secret()?);
    }
    if !config.listen.is_empty() || !config.listen_tls.is_empty() {
        return Server::bind(&config).map(Some);
    }
    let first = Server::bind(&Config { listen: like(page, PORT), ..config.clone() });
    match first.or_else(|_| Server::bind(&Config { listen: like(page, 0), ..config.clone() })) {
        Ok(server) => Ok(Some(server)),
        Err(error @ (RelayError::Listen { .. } | RelayError::NoRelayIp)) => {
            tracing::warn!("no relay: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The page's addresses with another port; any free one for this machine itself.
fn like(page: &[SocketAddr], port: u16) -> Vec<SocketAddr> {
    let mut ips: Vec<IpAddr> = page.iter().map(SocketAddr::ip).collect();
    ips.sort();
    ips.dedup();
    let port_of = |ip: IpAddr| if ip.is_loopback() { 0 } else { port };
    ips.into_iter().map(|ip| SocketAddr::new(ip, port_of(ip))).collect()
}

fn secret() -> Result<String, RelayError> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| RelayError::Entropy(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What a person can do about a relay that does not start.
pub fn remedy(error: &RelayError) -> &'static str {
    match error {
        RelayError::Listen { .. } => {
            "Another program uses the port, or this user may not: choose another under [relay]."
        }
        RelayError::Secrets { .. } => {
            "Put a random text under [relay], secrets = [\"…\"], and the same for who makes credentials."
        }
        _ => "`starling serve --print-config` shows every setting under [relay] with its default.",
    }
}

/// The signaling server's way to a relay of this process.
pub struct Offer(pub Relay);

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Offer")
    }
}

impl Relays for Offer {
    fn invite(&self, peer: &PeerId) -> Invitation {
        let invitation = self.0.invite(&peer.to_string());
        let server = IceServer {
            urls: invitation.urls,
            username: Some(invitation.credential.username),
            credential: Some(invitation.credential.password),
        };
        Invitation { servers: vec![server], expires_in_s: invitation.expires_in_s }
    }

    fn metrics_text(&self) -> String {
        self.0.metrics_text()
    }

    fn load(&self) -> Option<RelayLoad> {
        let stats = self.0.stats();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Some(RelayLoad {
            allocations: count(stats.allocations_now),
            credentials: count(stats.users_now),
            relayed_bytes: stats.from_clients_bytes.saturating_add(stats.to_clients_bytes),
            refused: ErrorCode::ALL.into_iter().map(|code| stats.refused(code)).sum(),
            auth_failures: stats.authentication_failures,
        })
    }
}

/// `/metrics` and `/healthz` of a relay that runs alone, for as long as it runs.
///
/// # Errors
/// Accepting connections fails.
pub async fn serve_metrics(listener: TcpListener, relay: Relay) -> std::io::Result<()> {
    let text = async move || ([(header::CONTENT_TYPE, METRICS_TYPE)], relay.metrics_text());
    let app = Router::new().route("/metrics", get(text)).route("/healthz", get(async || "ok\n"));
    axum::serve(listener, app).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_beside_a_page_of_this_machine_takes_any_free_port() {
        let check = |page: &[&str], expected: &[&str]| {
            let parse = |texts: &[&str]| -> Vec<SocketAddr> {
                texts.iter().map(|text| text.parse().unwrap()).collect()
            };
            assert_eq!(like(&parse(page), PORT), parse(expected));
        };
        check(&["127.0.0.1:8787"], &["127.0.0.1:0"]);
        check(&["127.0.0.1:80", "127.0.0.1:81", "[::1]:80"], &["127.0.0.1:0", "[::1]:0"]);
        check(&["0.0.0.0:443", "[::]:443"], &["0.0.0.0:3478", "[::]:3478"]);
    }

    #[tokio::test]
    async fn a_page_of_this_machine_has_a_relay_that_reaches_nothing() {
        let page = ["127.0.0.1:8787".parse().unwrap()];
        let server = beside(&Config::default(), &page).unwrap().unwrap();
        assert!(server.addresses().iter().all(|(_, address)| address.ip().is_loopback()));
        let offer = Offer(server.relay());
        let invitation = offer.invite(&PeerId::new([7; 32]));
        assert!(invitation.servers[0].urls[0].starts_with("turn:127.0.0.1:"));
        assert!(invitation.expires_in_s >= 14_400);
        assert_eq!(offer.invite(&PeerId::new([7; 32])).servers, invitation.servers);
        assert_ne!(offer.invite(&PeerId::new([8; 32])).servers, invitation.servers);
    }

    #[tokio::test]
    async fn a_host_may_want_no_relay() {
        let config = Config { enabled: false, ..Config::default() };
        assert!(beside(&config, &["127.0.0.1:8787".parse().unwrap()]).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_port_that_was_asked_for_and_is_taken_is_an_error() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = Config { listen: vec![taken.local_addr().unwrap()], ..Config::default() };
        assert!(matches!(beside(&config, &[]), Err(RelayError::Listen { .. })));
    }
}
