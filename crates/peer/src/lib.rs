//! A whole peer, sans-IO: signaling session, connections, swarms, and what the app shows of them.
//!
//! [`Peer::step`] takes the time and one [`Input`], pushes [`Output`]s and returns the next [`Wake`].
//! The browser (`peer-wasm`) and native drivers perform the outputs and know nothing of the protocol.
//!
//! | part | what it decides |
//! |---|---|
//! | `session` | when to connect to the signaling server, what to tell it, when to come back |
//! | `links` | whom to dial, whom to accept, whom never again; who made which description |
//! | `proofs` | what a segment must hash to, from the strongest source there is |
//! | `room` | a swarm whose messages are the driver's to read: of a share |
//! | `stream` | where segments are fetched, and one [`swarm::Swarm`] for each stream |
//! | `peer` | hands what one part says to the others |
//!
//! Laws: nothing from the server or from a stranger is believed before its signature or hash is
//! checked; nothing of theirs makes this code panic or grow without a named bound; the same seed and
//! inputs give the same outputs.

mod effect;
mod history;
pub mod input;
mod links;
pub mod output;
mod peer;
mod problems;
mod proofs;
mod room;
mod session;
mod stream;
mod swarm_id;
mod urls;
pub mod view;
mod wake;

pub use input::{Input, Integrity, LinkId, RequestId, SegmentUrl, StreamConfig};
pub use output::{Output, RtcConfig};
pub use peer::{Peer, PeerConfig, STREAMS_MAX};
pub use room::{RoomEvent, RoomInput};
/// What drivers pass on to and from the swarm, so that they import this crate only.
pub use swarm::{Channel, FetchId, HangupReason, Limits, Playhead, Sources, Track, TrackSegment};
pub use wake::{Wake, WakeReason};
