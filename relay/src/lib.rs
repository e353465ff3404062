//! The relay: TURN (RFC 8656) for peers whose networks let no direct path through.
//!
//! Rooms:
//! - [`stun`]: messages (RFC 8489), parsed in place; [`channel_data`]: the short frames.
//! - [`turn`]: the sans-IO machine: allocations, permissions, channels, where data go.
//! - [`credential`]: time-limited credentials that need no list.
//! - [`PeerRules`]: which peer addresses may be reached.
//! - [`Server`]: the driver: UDP, TCP and TLS sockets; [`Relay`]: a handle to it.
//!
//! Laws: no memory is spent before authentication; credentials are short-lived, made for joined
//! peers only and bounded in allocations, bytes and rate; private, loopback and link-local addresses
//! in every spelling are refused as peers, on every path by which a peer address comes in; data
//! between two allocations of one process never touch the network.

pub mod channel_data;
pub mod config;
pub mod credential;
pub mod stun;
pub mod turn;

mod error;
mod metrics;
mod nonce;
mod peers;
mod server;

pub use config::Config;
pub use credential::{Credential, Secret};
pub use error::RelayError;
pub use nonce::NONCE_S;
pub use peers::{PeerRules, Reach};
pub use server::{Invitation, Relay, Server, Transport};
