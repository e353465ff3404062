//! What a swarm asks of its driver.

use std::sync::Arc;

use primitives::{PeerId, SegmentId};

use crate::input::FetchId;

/// One thing to do. The driver does them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send one frame.
    Send {
        /// To whom.
        to: PeerId,
        /// On which channel.
        channel: Channel,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// Close the connection to this peer.
    Hangup {
        /// To whom.
        peer: PeerId,
        /// Why.
        why: HangupReason,
    },
    /// Fetch a segment, or part of it, from the origin; answered by `Fetched…`, `FetchEnded` or `FetchFailed`.
    Fetch {
        /// Names the fetch.
        fetch: FetchId,
        /// What to fetch.
        segment: SegmentId,
        /// First byte.
        from: u32,
        /// One past the last byte; `None`: to the end. `from` 0 and `None`: no `Range` header.
        to: Option<u32>,
    },
    /// The load that [`crate::Input::HandOver`] told of is this fetch from now on. If it is of no use an
    /// `AbortFetch` follows.
    Adopt {
        /// Names the fetch.
        fetch: FetchId,
        /// What it fetches.
        segment: SegmentId,
    },
    /// Stop that fetch; nothing more of it is wanted. No answer follows.
    AbortFetch(FetchId),
    /// Find out what this segment must hash to; answered by [`crate::Input::Proof`].
    Prove(SegmentId),
    /// Keep these verified bytes across reloads.
    Store {
        /// The segment.
        segment: SegmentId,
        /// Its bytes.
        bytes: Arc<[u8]>,
    },
    /// Read this segment from the store; answered by [`crate::Input::Loaded`].
    Load(SegmentId),
    /// What the player waited for. Verified, or straight from the origin it would have used anyway.
    Deliver {
        /// The segment.
        segment: SegmentId,
        /// Its bytes.
        bytes: Arc<[u8]>,
        /// Where the bytes came from.
        sources: Sources,
    },
    /// The player's segment can't be had: the origin failed and no peer has it.
    Fail {
        /// The segment.
        segment: SegmentId,
        /// HTTP status of the origin; 0 when there was none.
        status: u16,
        /// Whether the origin's bytes were refused because the pinned publisher signed others.
        forged: bool,
    },
    /// Something for the app and the peer to know.
    Event(Event),
}

/// The two data channels of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Small messages; never waits behind payload.
    Control,
    /// Segment bytes; counts towards [`crate::Input::Sent`].
    Payload,
}

/// Where a delivered segment's bytes came from, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sources {
    /// Bytes from the origin by HTTP.
    pub origin_bytes: u32,
    /// Bytes from peers.
    pub peer_bytes: u32,
    /// Bytes from the store of an earlier visit.
    pub cache_bytes: u32,
    /// What the player's bandwidth estimator should believe this device gets, in bytes per second:
    /// the rate of real transfers, not of memory.
    pub bytes_per_s: u64,
}

/// Why a connection is closed from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangupReason {
    /// It sent bytes that do not hash to what was signed. Not dialled again in this session.
    WrongBytes,
    /// It broke the protocol.
    BadFrame,
    /// It never answers.
    Silent,
    /// A better neighbour takes its place.
    Replaced,
}

/// What the app and the peer may want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Payload left for this peer (what payments count).
    Served {
        /// To whom.
        peer: PeerId,
        /// How much.
        bytes: u32,
    },
    /// Verified payload came from this peer.
    Received {
        /// From whom.
        peer: PeerId,
        /// How much.
        bytes: u32,
    },
    /// A peer was caught.
    Misbehaved {
        /// Who.
        peer: PeerId,
        /// At what.
        why: HangupReason,
    },
    /// The origin sent bytes the publisher did not sign. They are not shared.
    OriginMismatch(SegmentId),
    /// A segment is whole and verified here.
    Completed {
        /// The segment.
        segment: SegmentId,
        /// Where it came from.
        sources: Sources,
    },
    /// Fewer neighbours than useful: ask the signaling server for more.
    NeighboursWanted(u16),
}
