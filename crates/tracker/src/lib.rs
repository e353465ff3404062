//! A WebTorrent tracker without its sockets: who is in which swarm, whose offer goes to whom, and the
//! messages of the protocol (`docs/spec/tracker.md`).
//!
//! - [`request`] reads what clients send, [`reply`] writes what they are told. Descriptions pass as
//!   the text they are.
//! - [`Swarms`] is the machine: time, randomness and how a member is reached are arguments.
//!
//! Absent on purpose: sockets, sites and addresses (the driver's, `signaling-server`), other nodes,
//! trackers of BitTorrent over HTTP and UDP.

pub mod reply;
pub mod request;

mod id;
mod swarms;

pub use id::{InfoHash, NAME_BYTES, Name, OfferId, PeerName};
pub use swarms::{Announced, Counts, Full, Limits, OFFER_LIFE, OPEN_OFFERS_MAX, SocketId, Swarms};
