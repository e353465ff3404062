//! Who fetches what from where.
//!
//! A [`Swarm`] is a value: [`Swarm::step`] takes the time and one [`Input`], pushes [`Output`]s and
//! returns the next [`Wake`]. No clock, no IO, no randomness but its seed; the browser, the native
//! driver and the simulator run the same code.
//!
//! Goals: each segment is here before it is due, at the least cost to the origin, never later and never
//! wronger than plain HTTP. Non-goals: money (the swarm says [`Event::Served`] and knows no prices),
//! finding peers (the signaling session does), deciding which rendition plays (the player does).

pub mod config;
mod fetches;
pub mod input;
mod neighbour;
mod neighbours;
mod order;
mod origin;
pub mod output;
mod piece;
mod proof;
pub mod rate;
mod segment;
mod serving;
mod swarm;
mod telling;
mod timeline;
pub mod view;
mod window;

pub use config::Config;
pub use input::{FetchId, Input, Limits, Playhead, Proof, Track, TrackSegment};
pub use output::{Channel, Event, HangupReason, Output, Sources};
pub use swarm::{Swarm, Wake, WakeReason};
pub use view::{NeighbourView, SegmentState, SegmentView, SwarmView, Totals};
