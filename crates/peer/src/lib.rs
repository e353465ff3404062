//! A whole peer, sans-IO: signaling session, connections, swarms, and what the app shows of them.
//!
//! [`Peer::step`] takes the time and one [`Input`], pushes [`Output`]s and returns the next wake.
//! The browser (`peer-wasm`) and native drivers perform the outputs and know nothing of the protocol.

pub mod input;
pub mod output;
pub mod view;

pub use input::{Input, Integrity, LinkId, RequestId, SegmentUrl, StreamConfig};
pub use output::{Output, RtcConfig};
