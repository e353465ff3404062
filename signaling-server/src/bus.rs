//! Where the nodes of one host hear of each other, so that peers of a swarm meet whichever node they
//! reached.
//!
//! A node follows the swarms its own peers are in. It tells who of them is there when they join, when
//! another node asks, and again well before a lease ends; what it told is forgotten by the others when
//! the lease ends, so that the peers of a dead node vanish. News may be lost: the next renewal repairs
//! it, and until then each node serves its own peers as if it were alone.
//!
//! [`InProcess`] joins servers of one process and is what a single server uses.

mod in_process;

use std::pin::Pin;

use primitives::{PeerId, SwarmId};

pub use in_process::InProcess;

/// Most peers told of in one piece of news.
pub const MATES_MAX: usize = 256;

/// Names one node of a host, for as long as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u64);

/// What one node tells the others.
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

/// A peer of another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mate {
    /// Its key.
    pub peer: PeerId,
    /// Region hint.
    pub region: Option<String>,
    /// Media sequence number at its playhead.
    pub position: Option<u32>,
}

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

    /// The next news of another node; `None` when there will be none.
    fn next(&self) -> Pin<Box<dyn Future<Output = Option<News>> + Send + '_>>;
}
