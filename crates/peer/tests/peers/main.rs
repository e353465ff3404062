//! Whole peers against each other, in memory: real peers, a small exchange for a signaling server,
//! an origin, and connections that open only when descriptions, fingerprints and candidates fit.
//!
//! Nothing here sleeps: time is the world's own, and every run is the same.

#![expect(clippy::unwrap_used, reason = "a test that panics is a test that failed")]

mod anything;
mod links;
mod origin;
mod player;
mod proofs;
mod rtc;
mod server;
mod session;
mod world;
