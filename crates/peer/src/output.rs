//! What a peer asks of its driver.

use std::sync::Arc;

use primitives::{SegmentId, SwarmId};
use swarm::{Channel, FetchId, Sources};

use crate::input::{LinkId, RequestId};

/// One thing to do. The driver does them in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open the signaling socket (close an earlier one first).
    Connect,
    /// Send this text on it.
    SocketSend(String),
    /// Close it; no [`crate::Input::SocketClosed`] is needed.
    Disconnect,

    /// Make an `RTCPeerConnection` with a `control` (id 0) and a `payload` (id 1) channel, both
    /// `negotiated`, ordered and reliable, make an offer and tell it.
    Dial {
        /// The connection.
        link: LinkId,
        /// `RTCConfiguration`.
        rtc: RtcConfig,
    },
    /// The same for an incoming offer: set it, make an answer and tell it.
    Accept {
        /// The connection.
        link: LinkId,
        /// The offer.
        sdp: String,
        /// `RTCConfiguration`.
        rtc: RtcConfig,
    },
    /// The answer to our offer came: set it.
    RemoteAnswer {
        /// The connection.
        link: LinkId,
        /// The answer.
        sdp: String,
    },
    /// A remote candidate; empty text: no more.
    RemoteCandidate {
        /// The connection.
        link: LinkId,
        /// The candidate line.
        candidate: String,
        /// Media identification.
        mid: Option<String>,
    },
    /// Find new paths after a change of network: `restartIce()`, make a new offer on the same
    /// connection and tell it by [`crate::Input::RtcDescription`].
    RestartIce {
        /// The connection.
        link: LinkId,
        /// Servers and policy of today: credentials of the first description may be no good any more.
        rtc: RtcConfig,
    },
    /// The remote restarts ICE: set its new offer on the same connection (taking back our own if one
    /// is open), make an answer and tell it by [`crate::Input::RtcDescription`].
    RemoteOffer {
        /// The connection.
        link: LinkId,
        /// The offer.
        sdp: String,
        /// Servers and policy of today.
        rtc: RtcConfig,
    },
    /// Close the connection and forget it. No [`crate::Input::RtcClosed`] is needed.
    CloseLink(LinkId),
    /// Send one message.
    Send {
        /// The connection.
        link: LinkId,
        /// The channel.
        channel: Channel,
        /// The message.
        bytes: Vec<u8>,
    },

    /// Fetch part of a segment from the origin, telling bytes as they come.
    Fetch {
        /// The stream.
        swarm: SwarmId,
        /// The fetch.
        fetch: FetchId,
        /// Absolute URL.
        url: String,
        /// First byte of the *file*, and one past the last; `None`: no `Range` header.
        range: Option<(u64, Option<u64>)>,
        /// Offset in the file where the segment starts, to be taken off `Content-Range`.
        segment_at: u64,
    },
    /// The answer to [`crate::Input::HandOver`]: the player's load is this fetch from now on.
    Adopt {
        /// The stream.
        swarm: SwarmId,
        /// The fetch.
        fetch: FetchId,
        /// What it fetches.
        segment: SegmentId,
    },
    /// Stop it.
    AbortFetch {
        /// The stream.
        swarm: SwarmId,
        /// The fetch.
        fetch: FetchId,
    },
    /// A small HTTP request; answered by [`crate::Input::Http`].
    Http {
        /// The request.
        request: RequestId,
        /// Absolute URL.
        url: String,
        /// HEAD instead of GET.
        head: bool,
        /// Ask the origin anew, past the browser's cache (live manifests).
        fresh: bool,
    },

    /// Open the store for this stream; answered by [`crate::Input::StoreOpen`].
    OpenStore(SwarmId),
    /// Keep these bytes across reloads.
    Store {
        /// The stream.
        swarm: SwarmId,
        /// The segment.
        segment: SegmentId,
        /// The bytes.
        bytes: Arc<[u8]>,
    },
    /// Read them again; answered by [`crate::Input::Loaded`].
    Load {
        /// The stream.
        swarm: SwarmId,
        /// The segment.
        segment: SegmentId,
    },

    /// See [`swarm::Output::Deliver`].
    Deliver {
        /// The stream.
        swarm: SwarmId,
        /// The segment.
        segment: SegmentId,
        /// The bytes.
        bytes: Arc<[u8]>,
        /// Where they came from.
        sources: Sources,
    },
    /// See [`swarm::Output::Fail`].
    Fail {
        /// The stream.
        swarm: SwarmId,
        /// The segment.
        segment: SegmentId,
        /// HTTP status; 0 without an answer.
        status: u16,
        /// The origin's bytes are not the pinned publisher's.
        forged: bool,
    },
    /// For the core of a room.
    Room {
        /// The swarm.
        swarm: SwarmId,
        /// What happened.
        event: crate::RoomEvent,
    },
    /// Something a person may want to read; also kept in the [`crate::view::View`].
    Problem(crate::view::Problem),
}

/// What goes into `RTCConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RtcConfig {
    /// As the signaling server gave them.
    pub ice_servers: Vec<wire::signaling::IceServer>,
    /// `iceTransportPolicy: "relay"`.
    pub relay_only: bool,
}
