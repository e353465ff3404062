//! Several nodes of one host: real `starling serve` processes joined by a real `nats-server`, and what
//! is left of them when either is killed.
//!
//! Run as a test of the package `starling`, which is what can name its binary.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod nodes_nats;
mod nodes_processes;
mod nodes_rig;
mod nodes_tracker;
#[allow(dead_code, reason = "shared with the tests of one server, which use all of it")]
mod signaling_rig;
#[allow(dead_code, reason = "shared with the tests of one server, which use all of it")]
mod tracker_rig;
