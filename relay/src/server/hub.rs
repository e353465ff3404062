//! What all tasks share: the machine behind its lock, the sockets, the clock.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ipnet::IpNet;
use primitives::{Seed, Time};

use super::plan::{Destination, Plan, Run};
use super::relayed::{self, Relayed};
use super::settings::Checked;
use super::socket::Socket;
use super::stream::Queue;
use super::{Invitation, Transport};
use crate::channel_data::{CHANNELS, OLD_CHANNELS};
use crate::config::Config;
use crate::credential::Secret;
use crate::error::RelayError;
use crate::turn::{FiveTuple, Machine, Output, Settings, Stats};

/// Networks of this machine itself.
const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

#[derive(Debug)]
pub(super) struct Hub {
    machine: Mutex<Machine>,
    started: Instant,
    started_unix_s: u64,
    addresses: Vec<(Transport, SocketAddr)>,
    pub(super) udp: BTreeMap<u16, Vec<Socket>>,
    /// What the outside sees of us: the address that is bound.
    bound: BTreeMap<IpAddr, IpAddr>,
    relayed: Mutex<HashMap<SocketAddr, Relayed>>,
    pub(super) streams: Mutex<HashMap<FiveTuple, Queue>>,
    pub(super) connections: Connections,
    traffic: Traffic,
    secret: Secret,
    urls: Vec<String>,
    lifetime_s: u64,
}

/// Bounds of streams, and who has how many.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) all_max: usize,
    pub(super) of_ip_max: usize,
    pub(super) of_ip: Mutex<BTreeMap<IpAddr, usize>>,
}

/// What the kernel did with what was to be sent.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// Sends; each may be many datagrams.
    pub(crate) sends: AtomicU64,
    /// Sends that the kernel refused: its buffer was full, or the address can't be reached.
    pub(crate) send_failures: AtomicU64,
    /// Messages for a stream that was too slow.
    pub(crate) slow_streams: AtomicU64,
    /// Streams open.
    pub(crate) streams: AtomicU64,
    /// Streams not taken: too many.
    pub(crate) streams_refused: AtomicU64,
}

impl Hub {
    pub(super) fn new(
        config: &Config,
        checked: Checked,
        addresses: Vec<(Transport, SocketAddr)>,
        udp: BTreeMap<u16, Vec<Socket>>,
    ) -> Result<Self, RelayError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| RelayError::Entropy(error.to_string()))?;
        let now_unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let loopback = LOOPBACK.iter().map(|net| net.parse().expect("the networks are networks"));
        let loopback = config.allow_loopback_peers.then_some(loopback).into_iter().flatten();
        let settings = Settings {
            realm: config.realm.clone(),
            secrets: checked.secrets.clone(),
            unix_s_at_zero: now_unix.as_secs(),
            relay_ips: checked.relay_ips.iter().map(|(_, outside)| *outside).collect(),
            ports: config.port_min..=config.port_max,
            channels: if config.old_channels { OLD_CHANNELS } else { CHANNELS },
            allowed_peers: config
                .allowed_peers
                .iter()
                .copied()
                .chain(loopback)
                .collect::<Vec<IpNet>>(),
            denied_peers: config.denied_peers.clone(),
            allocations_max: config.allocations_max,
            user_allocations_max: config.user_allocations_max,
            user_bytes_max: config.user_bytes_max,
            user_bits_per_s: config.user_bits_per_s,
            bits_per_s: config.bits_per_s,
            strangers_per_s: config.strangers_per_s,
        };
        let urls = urls(config, &addresses, &settings.relay_ips);
        Ok(Self {
            machine: Mutex::new(Machine::new(settings, &Seed::new(seed))),
            started: Instant::now(),
            started_unix_s: now_unix.as_secs(),
            addresses,
            udp,
            bound: checked.relay_ips.iter().map(|(bound, outside)| (*outside, *bound)).collect(),
            relayed: Mutex::default(),
            streams: Mutex::default(),
            connections: Connections {
                all_max: config.connections_max,
                of_ip_max: config.connections_per_ip_max,
                of_ip: Mutex::default(),
            },
            traffic: Traffic::default(),
            secret: checked.secrets.into_iter().next().expect("there is at least one secret"),
            urls,
            lifetime_s: u64::from(config.credential_lifetime_s),
        })
    }

    pub(super) fn addresses(&self) -> &[(Transport, SocketAddr)] {
        &self.addresses
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) fn stats(&self) -> Stats {
        self.machine().stats()
    }

    pub(super) fn now(&self) -> Time {
        Time::ZERO + self.started.elapsed()
    }

    pub(super) fn machine(&self) -> MutexGuard<'_, Machine> {
        lock(&self.machine)
    }

    /// A credential until the end of the step of half a lifetime after the next whole lifetime:
    /// the same for everybody who asks in this step.
    pub(super) fn invite(&self, name: &str) -> Invitation {
        let now = self.started_unix_s + self.started.elapsed().as_secs();
        let step = (self.lifetime_s / 2).max(1);
        let expires_unix_s = (now / step + 1) * step + self.lifetime_s;
        let credential = self.secret.credential(name, expires_unix_s);
        Invitation { urls: self.urls.clone(), credential, expires_in_s: expires_unix_s - now }
    }

    pub(super) fn urls(&self) -> &[String] {
        &self.urls
    }

    pub(super) fn tick(self: &Arc<Self>) {
        let mut outputs = Vec::new();
        let mut machine = self.machine();
        machine.tick(self.now());
        machine.take_outputs(&mut outputs);
        drop(machine);
        self.perform(&mut outputs);
    }

    pub(super) fn drain(&self) {
        self.machine().drain();
    }

    /// Closes the sockets of relayed addresses.
    pub(super) fn close_all(&self) {
        lock(&self.relayed).clear();
    }

    /// Does what the machine asked for, until it asks for nothing more.
    pub(super) fn perform(self: &Arc<Self>, outputs: &mut Vec<Output>) {
        while !outputs.is_empty() {
            for output in outputs.drain(..) {
                match output {
                    Output::Reply { to, bytes } => {
                        let segment = bytes.len();
                        self.send(&Run { to: Destination::Client(to), bytes: &bytes, segment });
                    }
                    Output::Open(relay) => self.open(relay),
                    Output::Close(relay) => {
                        // Dropping it ends its task.
                        lock(&self.relayed).remove(&relay);
                    }
                }
            }
            self.machine().take_outputs(outputs);
        }
    }

    fn open(self: &Arc<Self>, relay: SocketAddr) {
        let ip = self.bound.get(&relay.ip()).copied().unwrap_or(relay.ip());
        let socket = Socket::bind(SocketAddr::new(ip, relay.port()), false);
        let ok = socket.is_ok();
        match socket {
            Ok(socket) => {
                let relayed = relayed::spawn(self, relay, socket);
                lock(&self.relayed).insert(relay, relayed);
            }
            Err(error) => tracing::debug!(%relay, %error, "no socket for a relayed address"),
        }
        self.machine().opened(self.now(), relay, ok);
    }

    /// Sends what a batch led to.
    pub(super) fn send_all<'a>(&self, plan: &'a Plan, of: impl Fn(usize) -> &'a [u8]) {
        let run_max = self.udp.values().flatten().next().map_or(1, Socket::run_max);
        plan.runs(run_max, of).for_each(|run| self.send(&run));
    }

    fn send(&self, run: &Run<'_>) {
        let sent = match run.to {
            Destination::Peer { relay, peer } => {
                let relayed = lock(&self.relayed);
                let Some(relayed) = relayed.get(&relay) else { return };
                let socket = Arc::clone(&relayed.socket);
                socket.send(None, peer, run.bytes, run.segment).is_ok()
            }
            Destination::Client(client) => match self.udp.get(&client.listener) {
                Some(sockets) => {
                    // Any of them has the address clients know; one client keeps to one.
                    let socket = &sockets[usize::from(client.remote.port()) % sockets.len()];
                    let from = Some(client.local);
                    socket.send(from, client.remote, run.bytes, run.segment).is_ok()
                }
                None => return self.send_stream(&client, run),
            },
        };
        self.traffic.sends.fetch_add(1, Ordering::Relaxed);
        if !sent {
            self.traffic.send_failures.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn send_stream(&self, client: &FiveTuple, run: &Run<'_>) {
        let streams = lock(&self.streams);
        let Some(queue) = streams.get(client) else { return };
        for message in run.bytes.chunks(run.segment.max(1)) {
            if !queue.push(message) {
                self.traffic.slow_streams.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// URLs of the listening addresses, UDP first: it is the fastest.
fn urls(config: &Config, addresses: &[(Transport, SocketAddr)], own: &[IpAddr]) -> Vec<String> {
    let mut urls = Vec::new();
    for wanted in [Transport::Udp, Transport::Tcp, Transport::Tls] {
        for (_, address) in addresses.iter().filter(|(transport, _)| *transport == wanted) {
            let same = |ip: &&IpAddr| ip.is_ipv4() == address.is_ipv4();
            let ip = Some(address.ip()).filter(|ip| !ip.is_unspecified());
            let outside = own.iter().find(same).filter(|_| ip.is_none_or(|ip| !ip.is_loopback()));
            let Some(ip) = outside.copied().or(ip) else { continue };
            let host = match (&config.host[..], ip) {
                ("", IpAddr::V4(ip)) => ip.to_string(),
                ("", IpAddr::V6(ip)) => format!("[{ip}]"),
                (name, _) => name.to_owned(),
            };
            let port = address.port();
            let url = match wanted {
                Transport::Udp => format!("turn:{host}:{port}?transport=udp"),
                Transport::Tcp => format!("turn:{host}:{port}?transport=tcp"),
                Transport::Tls => format!("turns:{host}:{port}?transport=tcp"),
            };
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
    }
    urls.extend(config.more_urls.iter().cloned());
    urls
}

/// Locks; no code here panics while it holds a lock, so a poisoned one is still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
