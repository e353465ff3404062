//! Nodes joined by NATS.
//!
//! | subject | carries | who hears it |
//! |---|---|---|
//! | `starling.1.swarm.<id>` | who is in that swarm | all nodes; those that do not follow it read the subject only |
//! | `starling.1.node.<id>` | signals, offers and answers for peers of that node | that node |
//! | `starling.1.nodes` | load, farewells, how many are in which swarms of the tracker | all nodes |
//!
//! Three subscriptions in all, however many swarms: what must be restored when the line comes back is
//! the same three. While NATS is away, what would be told is dropped, not kept: it would be old when it
//! could be told, and [`Heard::Joined`] makes the server tell anew. Why so: `docs/adr/0026-nats.md`.

mod line;
mod message;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::{ConnectOptions, Event, ServerAddr};
use primitives::SwarmId;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use wire::limits::{NODE_NAME_BYTES_MAX, NODE_VERSION};
use wire::node::{Bye, Message};

use super::{BoxFuture, Bus, BusConfig, Counters, Heard, Load, NodeId, TrackerNews, What};
use crate::error::ConfigError;
use crate::lock;
use line::{Line, Told};

/// Most that waits for this node, of each subscription and then for the server; more is lost.
const HEARD_MAX: usize = 4096;
/// Most that waits to be sent; more is lost.
const TOLD_MAX: usize = 65_536;
/// Most bytes of that.
const TOLD_BYTES_MAX: usize = 16 << 20;
/// How much of it may be with the client: what is there when the line breaks is sent, old, when it is
/// back.
const SENDING_MAX: usize = 64;
/// Silence after which the line is tried; two tries without an answer end it.
const PING_EVERY: Duration = Duration::from_secs(5);
/// How long one attempt to connect may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a farewell may take.
const LEAVE_WITHIN: Duration = Duration::from_secs(2);

/// One node's end of a NATS server, or of a cluster of them.
#[derive(Debug)]
pub struct Nats {
    line: Arc<Line>,
    heard: tokio::sync::Mutex<mpsc::Receiver<Heard>>,
    /// Ends with this.
    _tasks: JoinSet<()>,
}

/// The subjects of one host.
#[derive(Debug, Clone)]
struct Subjects {
    /// `starling.1.swarm.`
    swarm: String,
    /// `starling.1.node.`
    node: String,
    /// `starling.1.nodes`
    nodes: String,
}

impl Nats {
    /// Starts to connect and goes on trying. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// An address that is none, a subject that can't be one, a name that is too long, or no randomness.
    pub fn start(config: &BusConfig) -> Result<Self, ConfigError> {
        let servers = servers(&config.nats)?;
        let subjects = Subjects::under(&config.subject)?;
        if config.name.len() > NODE_NAME_BYTES_MAX {
            return Err(ConfigError::NodeName { found: config.name.len() });
        }
        let random = crate::state::random()?;
        let id = u64::from_be_bytes(random[..8].try_into().expect("eight of 32 bytes"));
        let (told, waiting) = mpsc::channel(TOLD_MAX);
        let (hearing, heard) = mpsc::channel(HEARD_MAX);
        let line = Arc::new(Line::new(NodeId(id), subjects, told));
        let mut tasks = JoinSet::new();
        let connecting = options(config, &line).connect(servers);
        tasks.spawn(line::run(Arc::clone(&line), connecting, waiting, hearing));
        Ok(Self { line, heard: tokio::sync::Mutex::new(heard), _tasks: tasks })
    }
}

impl Bus for Nats {
    fn node(&self) -> NodeId {
        self.line.id
    }

    fn is_heard(&self) -> bool {
        self.line.is_up()
    }

    fn follow(&self, swarm: SwarmId) {
        lock(&self.line.followed).insert(swarm);
    }

    fn unfollow(&self, swarm: SwarmId) {
        lock(&self.line.followed).remove(&swarm);
    }

    fn tell(&self, swarm: SwarmId, what: What) {
        let subject = match &what {
            What::Signal { node, .. } => self.line.subjects.of_node(*node),
            What::Who | What::Here(_) | What::Left(_) => self.line.subjects.of_swarm(&swarm),
        };
        self.line.tell(subject, &message::of(self.line.id, swarm, what));
    }

    fn tell_tracker(&self, to: Option<NodeId>, news: TrackerNews) {
        let subjects = &self.line.subjects;
        let subject = to.map_or_else(|| subjects.nodes.clone(), |node| subjects.of_node(node));
        self.line.tell(subject, &message::of_tracker(self.line.id, news));
    }

    fn report(&self, load: Load) {
        let load = Load { from: self.line.id.0, ..load };
        self.line.tell(self.line.subjects.nodes.clone(), &Message::Load(load));
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            if !self.line.is_up() {
                return;
            }
            let bye = Message::Bye(Bye { from: self.line.id.0 });
            self.line.tell(self.line.subjects.nodes.clone(), &bye);
            let (sent, wait) = oneshot::channel();
            if self.line.put(Told::Flush(sent)) {
                // An error: it took too long. Leases say the same later.
                let _ = tokio::time::timeout(LEAVE_WITHIN, wait).await;
            }
        })
    }

    fn next(&self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(async { self.heard.lock().await.recv().await })
    }

    fn counters(&self) -> Counters {
        self.line.counters.clone()
    }
}

impl Subjects {
    /// The subjects under a first word, which may have dots inside.
    fn under(word: &str) -> Result<Self, ConfigError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !word.split('.').all(|part| !part.is_empty() && part.chars().all(plain)) {
            return Err(ConfigError::Subject { text: word.into() });
        }
        let root = format!("{word}.{NODE_VERSION}");
        Ok(Self {
            swarm: format!("{root}.swarm."),
            node: format!("{root}.node."),
            nodes: format!("{root}.nodes"),
        })
    }

    fn of_swarm(&self, swarm: &SwarmId) -> String {
        format!("{}{swarm}", self.swarm)
    }

    fn of_node(&self, node: NodeId) -> String {
        format!("{}{:016x}", self.node, node.0)
    }
}

fn servers(text: &str) -> Result<Vec<ServerAddr>, ConfigError> {
    let parse = |address: &str| address.trim().parse::<ServerAddr>();
    let all: Result<Vec<_>, _> = text.split(',').map(parse).collect();
    // The text may hold a password: the error does not repeat it.
    all.map_err(|error| ConfigError::Nats { what: error.to_string() })
}

fn options(config: &BusConfig, line: &Arc<Line>) -> ConnectOptions {
    let events = Arc::downgrade(line);
    let options = ConnectOptions::new()
        .name(if config.name.is_empty() { "starling" } else { &config.name })
        .no_echo()
        .retry_on_initial_connect()
        .subscription_capacity(HEARD_MAX)
        .client_capacity(SENDING_MAX)
        .ping_interval(PING_EVERY)
        .connection_timeout(CONNECT_WITHIN)
        .event_callback(move |event| {
            let line = events.upgrade();
            async move {
                match (event, line) {
                    (Event::Connected, Some(line)) => line.rise(),
                    (Event::Disconnected | Event::Closed, Some(line)) => line.fall(),
                    (Event::SlowConsumer(_), Some(line)) => {
                        line.counters.lost.inc();
                    }
                    _ => {}
                }
            }
        });
    match &config.ca {
        Some(ca) => options.add_root_certificates(ca.clone()).require_tls(true),
        None => options,
    }
}

/// Swarms of this node.
type Followed = Mutex<BTreeSet<SwarmId>>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_the_ones_the_specification_names() {
        let subjects = Subjects::under("starling").unwrap();
        let swarm = SwarmId::new([7; 32]);
        assert_eq!(subjects.of_swarm(&swarm), format!("starling.1.swarm.{swarm}"));
        assert_eq!(subjects.of_node(NodeId(255)), "starling.1.node.00000000000000ff");
        assert_eq!(subjects.nodes, "starling.1.nodes");
    }

    #[test]
    fn a_first_word_that_would_hear_others_is_refused() {
        for word in ["", "a.", ".a", "a..b", "*", "a.>", "a b", "ü"] {
            assert!(matches!(Subjects::under(word), Err(ConfigError::Subject { .. })), "{word}");
        }
        assert!(Subjects::under("video.eu-1_a").is_ok());
    }

    #[test]
    fn an_address_that_is_none_is_refused_without_its_password() {
        assert_eq!(servers("nats://a:4222, tls://b").unwrap().len(), 2);
        for text in ["http://u:hush@a", "nats://u:hush@:x"] {
            let error = servers(text).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn without_a_server_it_is_heard_by_nobody_and_nothing_waits() {
        // Nobody listens on the discard port.
        let config = BusConfig { nats: "nats://127.0.0.1:9".to_owned(), ..BusConfig::default() };
        let bus = Nats::start(&config).unwrap();
        assert!(!bus.is_heard());
        bus.tell(SwarmId::new([1; 32]), What::Who);
        bus.report(Load::default());
        assert_eq!(bus.counters().lost.get(), 2);
        assert_eq!(bus.counters().told.get(), 0);
        bus.leave().await;
    }
}
