//! The room machine in shards, and everything a socket's task asks of the server.
//!
//! Order of locks: a room's before a session's, never the other way round. Messages are queued while
//! the room's lock is held, so that a peer reads `joined` before the first signal of a neighbour who
//! was told of it.

mod hosting;
mod nodes;
mod swarm;
mod testimony;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use axum::extract::ws::Utf8Bytes;
use axum::http::request::Parts;
use primitives::{KeyPair, PeerId, Rng, Seed, SwarmId, Time};
use tokio::sync::watch;
use wire::signaling::{Base64, FromServer, IceServer};

use crate::admin::Token;
use crate::announce::{Tracker, TrackerMetrics};
use crate::bans::Bans;
use crate::budget::Budgets;
use crate::bus::{Bus, InProcess};
use crate::config::{Config, MediaFolder};
use crate::error::ConfigError;
use crate::lock;
use crate::mailbox::{Ending, Mailbox};
use crate::metrics::Metrics;
use crate::policy::Policy;
use crate::relays::Relays;
use crate::room::{Ended, Posted, RoomLimits, Rooms, SessionId, Sessions, SocketId};
use crate::visitor::{Proxies, Visitor};
use crate::witness::Witness;

pub(crate) use hosting::Notice;
pub(crate) use swarm::{Fault, MoreWish, Wish};

/// Shards of swarms and of sessions: more than cores, so that two busy ones seldom share a lock.
const SHARDS: usize = 64;
/// How OpenMetrics text ends.
const METRICS_END: &str = "# EOF\n";
/// How often budgets of quiet addresses are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// Longest and shortest time between two looks at leases.
const TICK_MAX: Duration = Duration::from_secs(1);
const TICK_MIN: Duration = Duration::from_millis(20);

/// What runs beside this server in the same process, and is told with its counters.
pub trait Counted: std::fmt::Debug + Send + Sync {
    /// Counters as OpenMetrics text, with its end.
    fn metrics_text(&self) -> String;
}

/// One signaling server. Clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    key: KeyPair,
    policy: Policy,
    bans: Bans,
    token: Token,
    budgets: Arc<Budgets>,
    metrics: Metrics,
    witness: Witness,
    tracker: Tracker,
    bus: Arc<dyn Bus>,
    relays: OnceLock<Arc<dyn Relays>>,
    counted: OnceLock<Arc<dyn Counted>>,
    /// What the host calls this node.
    name: String,
    nodes: Mutex<nodes::Nodes>,
    started: Instant,
    sessions: Box<[Mutex<Sessions<Mailbox>>]>,
    shards: Box<[Mutex<Shard>]>,
    numbers: AtomicU64,
    /// Every socket holds a receiver.
    notice: watch::Sender<Notice>,
}

/// Some of the swarms, with the randomness their choices are drawn from.
#[derive(Debug)]
struct Shard {
    rooms: Rooms,
    rng: Rng,
}

/// Who speaks on a socket: the key it proved, and the session that gave it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speaker {
    pub(crate) peer: PeerId,
    pub(crate) session: SessionId,
}

impl State {
    /// A server with these settings. `key` signs witness statements; keep it across restarts.
    /// `folders` are the host's own media, witnessed from the disk.
    ///
    /// # Errors
    /// A setting that can't be meant, or no randomness.
    pub fn new(
        config: Config,
        key: KeyPair,
        folders: Vec<MediaFolder>,
    ) -> Result<Self, ConfigError> {
        Self::on_bus(config, key, folders, "", Arc::new(InProcess::alone()))
    }

    /// The same, as one node of a host that has several, called `name` on the status page.
    ///
    /// # Errors
    /// As [`State::new`].
    pub fn on_bus(
        config: Config,
        key: KeyPair,
        folders: Vec<MediaFolder>,
        name: &str,
        bus: Arc<dyn Bus>,
    ) -> Result<Self, ConfigError> {
        if config.idle_timeout_ms <= config.ping_ms {
            let (idle_ms, ping_ms) = (config.idle_timeout_ms, config.ping_ms);
            return Err(ConfigError::Idle { idle_ms, ping_ms });
        }
        let limits = RoomLimits {
            swarms_max: config.swarms_max.div_ceil(SHARDS),
            swarm_peers_max: config.swarm_peers_max,
            push_every_ms: config.push_every_ms,
        };
        let seed = Seed::new(random()?);
        let shard = |index: usize| {
            let rng = seed.derive(&index.to_string()).rng();
            Mutex::new(Shard { rooms: Rooms::new(limits.clone()), rng })
        };
        let inner = Inner {
            policy: Policy::new(&config)?,
            bans: Bans::new(&config.bans)?,
            token: Token::new(&config.admin)?,
            budgets: Arc::new(Budgets::new(&config)?),
            metrics: Metrics::new(&bus.counters()),
            witness: Witness::new(&config.witness, folders)?,
            tracker: Tracker::new(&config.tracker, &seed)?,
            bus,
            relays: OnceLock::new(),
            counted: OnceLock::new(),
            name: name.to_owned(),
            nodes: Mutex::default(),
            started: Instant::now(),
            sessions: (0..SHARDS).map(|_| Mutex::new(Sessions::new(config.lease_ms))).collect(),
            shards: (0..SHARDS).map(shard).collect(),
            numbers: AtomicU64::new(1),
            notice: watch::Sender::default(),
            config,
            key,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Tells every peer goodbye with a time to come back, spread so that they do not come all at
    /// once, and waits until the sockets are closed and the other nodes know. New ones are refused from now on.
    pub async fn shutdown(&self, reason: &str) {
        self.0.notice.send_modify(|notice| notice.closing = Some(reason.into()));
        self.0.notice.closed().await;
        self.bus().leave().await;
    }

    /// Offers the host's relays to peers from now on. The first call counts.
    pub fn offer(&self, relays: Arc<dyn Relays>) {
        // An error: there are relays already.
        let _ = self.0.relays.set(relays);
    }

    /// Tells the counters of something else with its own from now on. The first call counts.
    pub fn count_too(&self, counted: Arc<dyn Counted>) {
        // An error: something is told already.
        let _ = self.0.counted.set(counted);
    }

    /// The address that budgets are kept for, of whoever sent a request: proxies are believed as the settings
    /// say, and an IPv6 address is cut to its /64.
    pub fn place_of(&self, parts: &Parts) -> IpAddr {
        Visitor::of(parts, &self.config().trusted_proxies).place
    }

    /// Proxies that are believed, for doors that know the place of a request and nothing else of this server.
    pub fn proxies(&self) -> Proxies {
        Proxies::new(self.config().trusted_proxies.clone())
    }

    /// The key witness statements are signed with.
    pub fn server_id(&self) -> PeerId {
        self.0.key.id()
    }

    /// Counters as OpenMetrics text.
    pub fn metrics_text(&self) -> String {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.metrics().sessions.set(count(self.session_count()));
        self.metrics().swarms.set(count(self.swarm_count()));
        self.metrics().remote_members.set(count(self.remote_count()));
        self.metrics().nodes.set(count(lock(&self.0.nodes).count() + 1));
        self.count_tracker_swarms();
        let mut text = self.metrics().text();
        let relays = self.relays().map(Relays::metrics_text);
        let counted = self.0.counted.get().map(|counted| counted.metrics_text());
        for more in relays.into_iter().chain(counted) {
            // One text has one end.
            if let Some(open) = text.strip_suffix(METRICS_END).filter(|_| !more.is_empty()) {
                text = format!("{open}{more}");
            }
        }
        text
    }

    pub(crate) fn relays(&self) -> Option<&dyn Relays> {
        self.0.relays.get().map(|relays| &**relays)
    }

    /// How many swarms the peer's session with this token is in; `None`: there is no such session.
    pub(crate) fn swarms_of(&self, peer: &PeerId, token: &str) -> Option<usize> {
        lock(self.sessions_of(peer)).swarms_of(peer, token)
    }

    /// What a welcome names. Where everybody may join everything, being here is as good as being
    /// in a swarm, and the first dial need not wait for `/v1/turn`.
    fn ice_servers(&self, peer: &PeerId) -> Vec<IceServer> {
        let relays = self.relays().filter(|_| self.config().open);
        let invited = relays.map(|relays| relays.invite(peer).servers).unwrap_or_default();
        self.config().ice_servers.iter().cloned().chain(invited).collect()
    }

    pub(crate) fn is_closing(&self) -> bool {
        self.0.notice.borrow().closing.is_some()
    }

    pub(crate) fn notice(&self) -> watch::Receiver<Notice> {
        self.0.notice.subscribe()
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn key(&self) -> &KeyPair {
        &self.0.key
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.0.policy
    }

    pub(crate) fn budgets(&self) -> &Arc<Budgets> {
        &self.0.budgets
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn witness(&self) -> &Witness {
        &self.0.witness
    }

    pub(crate) fn tracker(&self) -> &Tracker {
        &self.0.tracker
    }

    pub(crate) fn tracker_metrics(&self) -> &TrackerMetrics {
        &self.0.metrics.tracker
    }

    pub(crate) fn bus(&self) -> &dyn Bus {
        &*self.0.bus
    }

    /// A number that names one session or socket.
    pub(crate) fn number(&self) -> u64 {
        self.0.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// A socket proved its key: gives it a session, tells it so, and hands it what was held.
    pub(crate) fn open_session(
        &self,
        peer: PeerId,
        resume: Option<&str>,
        socket: SocketId,
        mailbox: &Mailbox,
    ) -> Result<Speaker, ConfigError> {
        let fresh = (SessionId(self.number()), token()?);
        let mut sessions = lock(self.sessions_of(&peer));
        let opened = sessions.open(peer, resume, (socket, mailbox.clone()), fresh);
        mailbox.send(text(&FromServer::Welcome {
            resume: opened.token,
            lease_ms: self.config().lease_ms,
            resumed: opened.resumed,
            ping_ms: self.config().ping_ms,
            ice_servers: self.ice_servers(&peer),
        }));
        opened.held.into_iter().for_each(|held| mailbox.send(held.into()));
        drop(sessions);
        if let Some(replaced) = opened.replaced {
            replaced.end(Ending::Replaced);
        }
        self.end_memberships(opened.ended);
        let speaker = Speaker { peer, session: opened.session };
        self.set_attached(speaker, &opened.swarms, true);
        Ok(speaker)
    }

    /// The socket is gone. Its session waits for another until the lease ends, unless the peer is
    /// known not to come back.
    pub(crate) fn close_session(&self, peer: &PeerId, socket: SocketId, for_good: bool) {
        let mut sessions = lock(self.sessions_of(peer));
        if for_good {
            let ended = sessions.close(peer, socket);
            drop(sessions);
            self.end_memberships(ended);
        } else if let Some(detached) = sessions.detach(self.now(), peer, socket) {
            drop(sessions);
            let speaker = Speaker { peer: *peer, session: detached.session };
            self.set_attached(speaker, &detached.swarms, false);
        }
    }

    /// Puts a message into the queue of a peer's session. `false`: there is none.
    fn post(&self, peer: &PeerId, text: Utf8Bytes) -> bool {
        match lock(self.sessions_of(peer)).post(peer, text.as_str()) {
            Posted::Queue(mailbox) => mailbox.send(text),
            Posted::Held => {}
            Posted::Gone => return false,
        }
        true
    }

    /// Ends leases and sends lonely members neighbours, for as long as the server runs.
    pub(crate) async fn keep(self) {
        let lease = Duration::from_millis(u64::from(self.config().lease_ms));
        let mut ticks = tokio::time::interval((lease / 4).clamp(TICK_MIN, TICK_MAX));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Only weakly, so that a server nobody serves any more ends.
        let inner = Arc::downgrade(&self.0);
        drop(self);
        let (mut forgot, mut renewed) = (Instant::now(), Instant::now());
        let mut looked = Instant::now();
        loop {
            ticks.tick().await;
            let Some(state) = inner.upgrade().map(State) else { return };
            state.tick();
            if renewed.elapsed() >= state.renew_every() {
                renewed = Instant::now();
                state.renew().await;
            }
            if looked.elapsed() >= state.tracker().look_every() {
                looked = Instant::now();
                state.end_tracker_leases(state.now());
            }
            if forgot.elapsed() >= FORGET_EVERY {
                forgot = Instant::now();
                state.budgets().forget_quiet();
            }
        }
    }

    fn tick(&self) {
        let now = self.now();
        for shard in &self.0.sessions {
            let ended = lock(shard).expire(now);
            self.end_memberships(ended);
        }
        for shard in &self.0.shards {
            let mut shard = lock(shard);
            let Shard { rooms, rng } = &mut *shard;
            for push in rooms.tick(now, rng) {
                let message = FromServer::Neighbours {
                    swarm: push.swarm,
                    size: push.introduction.size,
                    peers: push.introduction.peers,
                };
                self.post(&push.to, text(&message));
            }
        }
        self.tell_changed_crowds();
    }

    fn end_memberships(&self, ended: impl IntoIterator<Item = Ended>) {
        for Ended { peer, session, swarms } in ended {
            for swarm in swarms {
                self.end_membership(Speaker { peer, session }, swarm);
            }
        }
    }

    fn end_membership(&self, speaker: Speaker, swarm: SwarmId) {
        let now = self.now();
        let Speaker { peer, session } = speaker;
        let mut shard = lock(self.shard_of(&swarm));
        let Some(departure) = shard.rooms.leave(now, swarm, &peer, session) else { return };
        if departure.last {
            self.bus().unfollow(swarm);
        }
        drop(shard);
        self.tell_left(swarm, peer);
        self.policy().release(departure.site);
        self.metrics().members.dec();
    }

    fn set_attached(&self, speaker: Speaker, swarms: &[SwarmId], attached: bool) {
        for swarm in swarms {
            let mut shard = lock(self.shard_of(swarm));
            shard.rooms.set_attached(*swarm, &speaker.peer, speaker.session, attached);
        }
    }

    pub(crate) fn now(&self) -> Time {
        Time::ZERO + self.0.started.elapsed()
    }

    fn sessions_of(&self, peer: &PeerId) -> &Mutex<Sessions<Mailbox>> {
        &self.0.sessions[shard_index(peer.as_bytes())]
    }

    fn shard_of(&self, swarm: &SwarmId) -> &Mutex<Shard> {
        &self.0.shards[shard_index(swarm.as_bytes())]
    }
}

fn shard_index(id: &[u8; 32]) -> usize {
    usize::from(id[0]) % SHARDS
}

/// A message as it goes over the socket.
pub(crate) fn text(message: &FromServer) -> Utf8Bytes {
    serde_json::to_string(message).expect("messages have text keys only").into()
}

/// 32 bytes nobody can guess.
pub(crate) fn random() -> Result<[u8; 32], ConfigError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| ConfigError::Entropy(error.to_string()))?;
    Ok(bytes)
}

/// A nonce for a hello.
pub(crate) fn nonce() -> Result<Base64, ConfigError> {
    Ok(Base64(random()?.to_vec()))
}

/// The token of a session.
fn token() -> Result<String, ConfigError> {
    Ok(PeerId::new(random()?).to_string())
}

/// The exceptions of a request.
fn set(peers: Vec<PeerId>) -> BTreeSet<PeerId> {
    peers.into_iter().collect()
}
