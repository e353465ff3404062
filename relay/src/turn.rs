//! The TURN machine (RFC 8656): a value without sockets, clock or entropy.
//!
//! [`Machine`] is told what came in ([`Machine::datagram`], [`Machine::from_peer`]), that a socket was
//! opened or not ([`Machine::opened`]), that a stream ended ([`Machine::closed`]) and that time passed
//! ([`Machine::tick`]). Data are answered at once by a [`Verdict`], which says where the caller's own
//! bytes go, so that relaying copies nothing; everything else is queued as [`Output`].
//!
//! Laws:
//! - Before a request's integrity was checked, nothing is remembered of its sender.
//! - Whatever a stranger sends is an error response or a counted [`Drop`], never a panic.
//! - Every peer address passes [`PeerRules`](crate::PeerRules), in every message that brings one.
//! - A peer at one of our own relayed addresses is reached inside the machine.
//! - Whatever grows has its bound in [`limits`].

pub mod limits;

mod allocate;
mod allocation;
mod asker;
mod authentication;
mod bucket;
mod machine;
mod peers;
mod ports;
mod relaying;
mod stats;
mod users;

#[cfg(test)]
mod tests;

use std::net::{IpAddr, SocketAddr};
use std::ops::{Range, RangeInclusive};

use ipnet::IpNet;

pub use machine::Machine;
pub use stats::{Drop, Stats};

use crate::credential::Secret;
use crate::stun::{Builder, Class, Transaction, attribute, method};

/// One client's way to us: the 5-tuple of RFC 8656, its protocol and local port told by a number
/// of the driver's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiveTuple {
    /// The driver's number of the listening address.
    pub listener: u16,
    /// The address of ours it was sent to.
    pub local: IpAddr,
    /// The client.
    pub remote: SocketAddr,
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this to a client.
    Reply {
        /// The client.
        to: FiveTuple,
        /// A whole message.
        bytes: Vec<u8>,
    },
    /// Open a UDP socket for this relayed address and tell [`Machine::opened`].
    Open(SocketAddr),
    /// Close that socket.
    Close(SocketAddr),
}

/// Where data go. Ranges are of the bytes the machine was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nowhere.
    Nothing,
    /// To a peer, from the socket of a relayed address.
    ToPeer {
        /// The relayed address.
        relay: SocketAddr,
        /// The peer.
        peer: SocketAddr,
        /// The data.
        data: Range<usize>,
    },
    /// To a client, in a frame.
    ToClient {
        /// The client.
        client: FiveTuple,
        /// What is put round the data.
        frame: Frame,
        /// The data.
        data: Range<usize>,
    },
}

/// What data travel to a client in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// ChannelData with this number.
    Channel(u16),
    /// A Data indication that names this peer.
    Indication(SocketAddr),
}

/// What a machine is made with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The realm of credentials.
    pub realm: String,
    /// Secrets credentials are checked with: one or two.
    pub secrets: Vec<Secret>,
    /// Unix time, in seconds, at [`primitives::Time::ZERO`].
    pub unix_s_at_zero: u64,
    /// Addresses of which relayed addresses are given out: at most one of each family.
    pub relay_ips: Vec<IpAddr>,
    /// Ports of relayed addresses.
    pub ports: RangeInclusive<u16>,
    /// Numbers that channels may be bound to.
    pub channels: RangeInclusive<u16>,
    /// Networks of peers that are allowed though they are not of the public internet.
    pub allowed_peers: Vec<IpNet>,
    /// Networks of peers that are refused though they are.
    pub denied_peers: Vec<IpNet>,
    /// Most allocations.
    pub allocations_max: usize,
    /// Most allocations of one credential.
    pub user_allocations_max: u32,
    /// Most bytes relayed for one credential, both ways together; 0: no bound.
    pub user_bytes_max: u64,
    /// Bits per second of one credential, both ways together; 0: no bound.
    pub user_bits_per_s: u64,
    /// Bits per second of all; 0: no bound.
    pub bits_per_s: u64,
    /// Answers per second to senders that are not authenticated; 0: no bound.
    pub strangers_per_s: u64,
}

/// A Data indication (RFC 8656, 11.6) as it goes to a client.
pub fn data_indication(transaction: Transaction, peer: SocketAddr, data: &[u8]) -> Vec<u8> {
    Builder::new(Class::Indication, method::DATA, transaction)
        .put_address(attribute::XOR_PEER_ADDRESS, peer)
        .put(attribute::DATA, data)
        .finish(false)
}
