//! The swarm's simulator: real [`swarm::Swarm`]s on a [`netsim::Network`], with modelled players.
//!
//! Who takes part: viewers (a swarm, a player as hls.js plays, an access link), one origin that serves
//! real bytes, and a tracker that introduces viewers to each other. The bytes of every segment follow
//! from the seed, and their piece proofs are real SHA-256, so a wrong byte is found where it happens.
//!
//! Laws checked in every run, at every step: what is delivered is right to the byte, was asked for, and
//! comes once; no honest peer is taken for a liar; frames are within their bound and go to neighbours
//! only; a wake does not spin. At the end: every viewer that stayed has played to the end.
//!
//! What is not modelled: decoding time, page load, NAT, the signaling protocol (only its delays).

mod audit;
mod content;
mod player;
mod report;
mod scenario;
mod trace;
mod tracker;
mod viewer;
mod world;

pub use report::{FetchNote, Report, ViewerReport, percent, seconds, table};
pub use scenario::{NAMES, Scenario};
pub use viewer::Role;
pub use world::{Options, run};
