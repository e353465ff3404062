//! What can happen to a peer. The driver queues these and hands them to [`crate::Peer::step`].

use core::time::Duration;

use primitives::{PeerId, SegmentId, SwarmId};
use swarm::{FetchId, Limits, Playhead, Track};

/// One thing that happened.
#[derive(Debug, Clone)]
pub enum Input {
    /// The wake time came; nothing else happened.
    Tick,

    /// The app opens a stream. Its swarm id comes from [`StreamConfig::swarm_id`].
    Open(StreamConfig),
    /// The app closes it.
    Close(SwarmId),
    /// The page is about to be hidden for good or frozen (`pagehide`): leave politely, keep what is held.
    Pause,
    /// The page is back (`pageshow`): join again.
    Resume,
    /// The machine's network changed or came back (`online`): restart ICE, reconnect now.
    NetworkChanged,
    /// New limits of the person; for all streams together.
    Limits(Limits),
    /// So many shares send beside the streams: the upload limit is for these, too, and as much for each.
    Shares(u64),
    /// Relay-only connections on or off. Existing direct ones are closed when turned on.
    RelayOnly(bool),

    /// The player's list of one track, with where each segment is fetched.
    Track {
        /// The stream.
        swarm: SwarmId,
        /// The list.
        track: Track,
        /// Absolute URL and byte range in it of each segment, in the order of `track.segments`.
        urls: Vec<SegmentUrl>,
    },
    /// See [`swarm::Input::Want`].
    Want(SwarmId, SegmentId),
    /// See [`swarm::Input::Unwant`].
    Unwant(SwarmId, SegmentId),
    /// See [`swarm::Input::Elsewhere`].
    Elsewhere(SwarmId, SegmentId),
    /// See [`swarm::Input::Given`].
    Given {
        /// The stream.
        swarm: SwarmId,
        /// The segment.
        segment: SegmentId,
        /// All of it; `None`: the player gave up.
        bytes: Option<Vec<u8>>,
        /// How long the origin took for it.
        took: Duration,
    },
    /// See [`swarm::Input::HandOver`].
    HandOver {
        /// The stream.
        swarm: SwarmId,
        /// The segment: a whole file, no range of one.
        segment: SegmentId,
        /// Its size, if the origin told it.
        segment_bytes: Option<u32>,
        /// What came so far.
        bytes: Vec<u8>,
        /// How long that took.
        took: Duration,
    },
    /// See [`swarm::Input::Playback`].
    Playback(SwarmId, Playhead),

    /// What the core of a room says.
    Room(SwarmId, crate::RoomInput),

    /// The signaling socket is open.
    SocketOpen,
    /// A text message from the signaling server.
    SocketText(String),
    /// The signaling socket closed or could not be opened.
    SocketClosed,

    /// `RTCPeerConnection` made the local description asked for by [`crate::Output::Dial`] or
    /// [`crate::Output::Accept`].
    RtcDescription {
        /// The connection.
        link: LinkId,
        /// Session description.
        sdp: String,
    },
    /// A local ICE candidate; empty text: no more.
    RtcCandidate {
        /// The connection.
        link: LinkId,
        /// The candidate line.
        candidate: String,
        /// Media identification.
        mid: Option<String>,
    },
    /// Both data channels are open.
    RtcOpen {
        /// The connection.
        link: LinkId,
    },
    /// The other side does not answer any more (`disconnected`). It may heal by itself, or fail.
    RtcInterrupted {
        /// The connection.
        link: LinkId,
    },
    /// The connection failed or was closed from the other side. The driver has closed and forgotten
    /// it; no [`crate::Output::CloseLink`] follows.
    RtcClosed {
        /// The connection.
        link: LinkId,
    },
    /// How the connection goes through the network, as `getStats` tells it.
    RtcPath {
        /// The connection.
        link: LinkId,
        /// Through a relay or not.
        relayed: bool,
        /// Current round-trip time in milliseconds, if known.
        rtt_ms: Option<u32>,
    },
    /// One message of a data channel.
    RtcMessage {
        /// The connection.
        link: LinkId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Payload bytes left the transport's buffer (`bufferedAmount` fell).
    RtcSent {
        /// The connection.
        link: LinkId,
        /// How many.
        bytes: u64,
    },

    /// See [`swarm::Input::Fetched`].
    Fetched {
        /// The stream.
        swarm: SwarmId,
        /// The fetch.
        fetch: FetchId,
        /// Size of the whole segment.
        segment_bytes: Option<u32>,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// See [`swarm::Input::FetchEnded`].
    FetchEnded {
        /// The stream.
        swarm: SwarmId,
        /// The fetch.
        fetch: FetchId,
    },
    /// See [`swarm::Input::FetchFailed`].
    FetchFailed {
        /// The stream.
        swarm: SwarmId,
        /// The fetch.
        fetch: FetchId,
        /// HTTP status; 0 without an answer.
        status: u16,
    },

    /// The answer to [`crate::Output::Http`].
    Http {
        /// The request.
        request: RequestId,
        /// What came.
        answer: Result<HttpAnswer, HttpError>,
    },

    /// The store is open and holds these segments of the stream.
    StoreOpen {
        /// The stream.
        swarm: SwarmId,
        /// Held from earlier visits.
        held: Vec<SegmentId>,
    },
    /// See [`swarm::Input::Loaded`].
    Loaded {
        /// The stream.
        swarm: SwarmId,
        /// The segment.
        segment: SegmentId,
        /// The bytes.
        bytes: Option<Vec<u8>>,
    },
    /// See [`swarm::Input::Evicted`].
    Evicted {
        /// The stream.
        swarm: SwarmId,
        /// The segments.
        segments: Vec<SegmentId>,
    },
}

/// Names one `RTCPeerConnection` of this peer. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// Names one small HTTP request of this peer. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// Where a segment is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentUrl {
    /// Absolute.
    pub url: String,
    /// `EXT-X-BYTERANGE`: first byte and one past the last, where the segment is part of a file.
    pub range: Option<(u64, u64)>,
}

/// What the driver was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// HTTP status.
    pub status: u16,
    /// The value of `Repr-Digest` (RFC 9530), if the origin shows it.
    pub repr_digest: Option<String>,
    /// The body; empty for HEAD. At most [`HTTP_BODY_BYTES_MAX`].
    pub body: Vec<u8>,
}

/// Largest body of a small HTTP request (manifests); longer is [`HttpError::TooLong`].
pub const HTTP_BODY_BYTES_MAX: usize = 4 << 20;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpError {
    /// Network, CORS, or the page is offline.
    Unreachable,
    /// The body is longer than [`HTTP_BODY_BYTES_MAX`].
    TooLong,
}

/// A stream to watch and share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// Absolute URL of the playlist the player was given (multivariant, or media alone).
    pub playlist_url: String,
    /// Overrides the swarm's name: viewers of mirrors who give the same text share.
    pub swarm_name: Option<String>,
    /// How segments from strangers are checked.
    pub integrity: Integrity,
    /// The host's site key, if it gives any.
    pub site: Option<String>,
    /// Region hint of the embedder's choosing.
    pub region: Option<String>,
}

/// How segments from strangers are checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    /// The strongest that is there: signed manifest, else the origin's digest, else the witness, else
    /// HTTP only. `publisher`: the only key whose manifest is accepted; then nothing weaker is.
    Best {
        /// The pinned publisher.
        publisher: Option<PeerId>,
    },
    /// Strangers' bytes are taken unchecked: the embedder spelled it out.
    None,
}
