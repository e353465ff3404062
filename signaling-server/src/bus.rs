//! Where the nodes of one host hear of each other, so that peers of a swarm meet whichever node they
//! reached.
//!
//! A node follows the swarms its own peers are in. It tells who of them is there when they join, when
//! another node asks, and again well before a lease ends; what it told is forgotten by the others when
//! the lease ends, so that the peers of a dead node vanish. News may be lost: the next renewal repairs
//! it, and until then each node serves its own peers as if it were alone.
//!
//! [`InProcess`] joins servers of one process and is what a single server uses; [`Nats`] joins
//! processes. [`open`] makes the one that the settings name.

mod config;
mod in_process;
mod nats;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use primitives::{PeerId, SwarmId};
use prometheus_client::metrics::counter::Counter;

use crate::error::ConfigError;

pub use config::{BusConfig, DEFAULT_TOML};
pub use in_process::InProcess;
pub use nats::Nats;
pub use wire::limits::{CROWDS_MAX, MATES_MAX, NODE_OFFERS_MAX};
pub use wire::node::{Crowd, Load, Maker, Mate, Offer, TrackerName};

/// Names one node of a host, for as long as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What one node tells those that follow a swarm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// Who tells.
    pub from: NodeId,
    /// About which swarm.
    pub swarm: SwarmId,
    /// What.
    pub what: What,
}

/// The kinds of news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// I follow this swarm now: who is there?
    Who,
    /// These are my peers in it, at most [`MATES_MAX`].
    Here(Vec<Mate>),
    /// This peer of mine left.
    Left(PeerId),
    /// For a peer of node `node`.
    Signal {
        /// The receiver's node.
        node: NodeId,
        /// The receiver.
        to: PeerId,
        /// The message as the receiver gets it.
        text: String,
    },
}

/// What nodes tell each other of swarms of the tracker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackerNews {
    /// To all: who has members in which swarms?
    Census,
    /// To all: so many members are here, of at most [`CROWDS_MAX`] swarms.
    Crowds(Vec<Crowd>),
    /// To one node: hand these, at most [`NODE_OFFERS_MAX`], to members of yours.
    Offers {
        /// Who made them.
        maker: Maker,
        /// What is handed on.
        offers: Vec<Offer>,
    },
    /// To the maker's node: a member of mine answers.
    Answer {
        /// Who made the offer.
        maker: Maker,
        /// The offer.
        offer: TrackerName,
        /// Who answers.
        peer: TrackerName,
        /// The description, as JSON.
        description: String,
    },
}

/// What comes from a bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// The line to the others is there, for the first time or again: they may not know of our peers,
    /// nor we of theirs.
    Joined,
    /// News of a swarm that is followed.
    News(News),
    /// News of the tracker's swarms, with who tells.
    Tracker(NodeId, TrackerNews),
    /// How it is with another node.
    Load(NodeId, Load),
    /// Another node ended on purpose.
    Bye(NodeId),
}

/// Counters of a bus. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    /// Messages sent.
    pub told: Counter<u64, AtomicU64>,
    /// Messages that were not: no line, or too many waiting.
    pub lost: Counter<u64, AtomicU64>,
    /// Messages that came and were meant for this node.
    pub heard: Counter<u64, AtomicU64>,
    /// Messages that came and were not of the protocol.
    pub refused: Counter<u64, AtomicU64>,
}

/// A future of a trait object.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One node's end of whatever joins the nodes.
pub trait Bus: std::fmt::Debug + Send + Sync + 'static {
    /// This node's name.
    fn node(&self) -> NodeId;

    /// Whether anybody would hear. Nothing is told to nobody.
    fn is_heard(&self) -> bool;

    /// Hear of this swarm from now on. Must not block: it is called under a lock.
    fn follow(&self, swarm: SwarmId);

    /// Hear of it no longer. Must not block.
    fn unfollow(&self, swarm: SwarmId);

    /// Tells the nodes that follow the swarm. May lose it, must not block.
    fn tell(&self, swarm: SwarmId, what: What);

    /// Tells one node, or all, of the tracker's swarms. May lose it, must not block.
    fn tell_tracker(&self, to: Option<NodeId>, news: TrackerNews);

    /// Tells all nodes how it is with this one. May lose it, must not block.
    fn report(&self, load: Load);

    /// Tells all nodes that this one ends; done when that is on its way or can't be.
    fn leave(&self) -> BoxFuture<'_, ()>;

    /// What comes next; `None` when nothing will.
    fn next(&self) -> BoxFuture<'_, Option<Heard>>;

    /// What was counted.
    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// The bus that the settings name. Call it inside a tokio runtime.
///
/// # Errors
/// An address that is none, a subject that can't be one, or no randomness. A bus that can't be reached
/// is no error: it is joined once it can.
pub fn open(config: &BusConfig) -> Result<Arc<dyn Bus>, ConfigError> {
    if config.nats.is_empty() {
        return Ok(Arc::new(InProcess::alone()));
    }
    Ok(Arc::new(Nats::start(config)?))
}
