//! A WebTorrent tracker without its sockets: who is in which swarm, whose offer goes to whom, and the
//! messages of the protocol (`docs/spec/tracker.md`).
//!
//! - [`request`] reads what clients send, [`reply`] writes what they are told. Descriptions pass as
//!   the text they are.
//! - [`Swarms`] is the machine: time, randomness and how a member is reached are arguments.
//!
//! Absent on purpose: sockets, sites, addresses and the bus between nodes (the driver's,
//! `signaling-server`), trackers of BitTorrent over HTTP and UDP.

pub mod reply;
pub mod request;

mod id;
mod swarms;

pub use id::{InfoHash, NAME_BYTES, Name, OfferId, PeerName};
pub use swarms::{
    Announced, Counts, Full, Guest, Limits, Maker, NODES_MAX, NodeId, OFFER_LIFE, OPEN_OFFERS_MAX,
    Receiver, SocketId, Swarms,
};
