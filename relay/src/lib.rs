//! The place of the relay: TURN (RFC 8656) for peers whose networks let no direct path through.
//!
//! What will stand here: the message codec of STUN (RFC 8489) from a well-kept crate; a sans-IO machine
//! for allocations, permissions and channels; UDP, TCP and TLS sockets apart from it. Channel data is
//! forwarded in place, and between two allocations of one process it never touches the network, for
//! that is the swarm's common case.
//!
//! Laws it will keep: no memory is spent before authentication; credentials are short-lived, made by
//! the signaling server for joined peers only and bounded in allocations, bytes and rate; private,
//! loopback and link-local addresses in every spelling are refused as peers, on every path by which
//! a peer address comes in.
