//! The driver: sockets, threads, time. It decides nothing about TURN.
//!
//! [`Server::bind`] takes the ports, [`Server::run`] serves until told to stop. One UDP socket per
//! core and listening address (`SO_REUSEPORT`), one per relayed address; one task per stream.
//! Datagrams are taken from the kernel many at a time (GRO, `recvmmsg`), judged under one short
//! lock, and sent on many at a time (GSO).

mod addresses;
mod hub;
mod plan;
mod relayed;
mod settings;
mod socket;
mod stream;
mod tls;
mod udp;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config::Config;
use crate::credential::Credential;
use crate::error::RelayError;
use crate::metrics;
use crate::turn::Stats;
use addresses::{Listeners, StreamListener};
use hub::Hub;

pub(crate) use hub::Traffic;

/// How often the machine is told that time passed.
const TICK_EVERY: Duration = Duration::from_millis(500);
/// How often a stopping relay looks whether all allocations ended.
const DRAIN_LOOK_EVERY: Duration = Duration::from_millis(100);

/// What a listening address speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `turn:…?transport=udp`
    Udp,
    /// `turn:…?transport=tcp`
    Tcp,
    /// `turns:…?transport=tcp`
    Tls,
}

/// A relay that has its ports but does not serve yet.
#[derive(Debug)]
pub struct Server {
    hub: Arc<Hub>,
    streams: Vec<StreamListener>,
    drain: Duration,
}

/// A handle to a relay: credentials, counters. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Relay(Arc<Hub>);

/// A relay's URLs and a credential for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// URLs (RFC 7065), the fastest first.
    pub urls: Vec<String>,
    /// Good for all of them.
    pub credential: Credential,
    /// How long it is good, in seconds.
    pub expires_in_s: u64,
}

impl Server {
    /// Takes the ports. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// A setting that can't be meant, a certificate that can't be read, a port that is taken.
    pub fn bind(config: &Config) -> Result<Self, RelayError> {
        let checked = settings::check(config)?;
        let Listeners { all, udp, streams } = Listeners::bind(config)?;
        let drain = Duration::from_millis(u64::from(config.drain_ms));
        let hub = Hub::new(config, checked, all, udp)?;
        Ok(Self { hub: Arc::new(hub), streams, drain })
    }

    /// Where it listens.
    pub fn addresses(&self) -> Vec<(Transport, SocketAddr)> {
        self.hub.addresses().to_vec()
    }

    /// A handle that goes on while the server runs.
    pub fn relay(&self) -> Relay {
        Relay(Arc::clone(&self.hub))
    }

    /// Serves until `stop` ends; then takes nobody new, waits for as long as the settings say that
    /// allocations end, and closes everything.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { hub, streams, drain } = self;
        let (stopping, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        udp::spawn(&hub, &mut tasks);
        stream::spawn(&hub, streams, &stopped, &mut tasks);
        let ticking = async {
            let mut ticks = tokio::time::interval(TICK_EVERY);
            loop {
                ticks.tick().await;
                hub.tick();
            }
        };
        tokio::select! {
            () = stop => {}
            () = ticking => {}
        }
        hub.drain();
        let drained = async {
            while hub.stats().allocations_now > 0 {
                tokio::time::sleep(DRAIN_LOOK_EVERY).await;
                hub.tick();
            }
        };
        // An error: the time is over before the last allocation.
        let _ = tokio::time::timeout(drain, drained).await;
        stopping.send_replace(true);
        tasks.shutdown().await;
        hub.close_all();
    }
}

impl Relay {
    /// URLs and a credential for a client of this name.
    ///
    /// Who asks again soon gets the same credential, so that asking does not multiply what its
    /// bounds allow.
    pub fn invite(&self, name: &str) -> Invitation {
        self.0.invite(name)
    }

    /// URLs of this relay and of the others the settings name.
    pub fn urls(&self) -> &[String] {
        self.0.urls()
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        self.0.stats()
    }

    /// Counters as OpenMetrics text.
    pub fn metrics_text(&self) -> String {
        metrics::text(&self.0.stats(), self.0.traffic())
    }
}
