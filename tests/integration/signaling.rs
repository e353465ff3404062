//! The signaling server as its peers see it: a real server on port 0, real WebSockets, and for the
//! witness a real origin. Proves what `docs/spec/signaling.md` and `docs/spec/tracker.md` promise.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod signaling_host;
mod signaling_limits;
mod signaling_nodes;
mod signaling_relays;
mod signaling_rig;
mod signaling_sessions;
mod signaling_spec;
mod signaling_witness;
mod tracker;
mod tracker_limits;
mod tracker_nodes;
mod tracker_rig;
mod tracker_spec;
