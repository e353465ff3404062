//! The relay as its clients see it: a real `starling relay` process, real sockets, and coturn's own
//! tools, which were written by others against the same RFCs.
//!
//! Run as a test of the package `starling`, which is what can name its binary.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod relay_coturn;
mod relay_rig;
mod relay_streams;
