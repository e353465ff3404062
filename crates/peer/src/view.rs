//! What the app shows: plain values, made anew on request by [`crate::Peer::view`].
//!
//! Serialised to the page as a JavaScript object with camel-case names; 64-bit counters fit a
//! double up to 9 PB.

use serde::{Deserialize, Serialize};

/// A whole peer, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// This peer's key, hexadecimal.
    pub peer: String,
    /// The signaling connection.
    pub signaling: SignalingView,
    /// Streams that are open.
    pub streams: Vec<StreamView>,
    /// Rooms that are open. Not for JavaScript: the page that opens them is ours.
    #[serde(skip)]
    pub rooms: Vec<RoomView>,
    /// Limits in force.
    pub limits: LimitsView,
    /// What is wrong now, newest first, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
}

/// Most problems shown.
pub const PROBLEMS_MAX: usize = 8;
/// Most seconds of history in [`StreamView::history`].
pub const HISTORY_SECONDS_MAX: usize = 300;

/// State of the signaling connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum SignalingState {
    /// Not needed: no stream is open, or the page sleeps.
    #[default]
    Off,
    /// First attempt under way.
    Connecting,
    /// Joined.
    Connected,
    /// Lost; trying again. Connected peers go on.
    Reconnecting,
}

/// The signaling connection, as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct SignalingView {
    /// Its state.
    pub state: SignalingState,
    /// Milliseconds until the next attempt, while reconnecting.
    pub retry_in_ms: Option<u32>,
}

/// One stream, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct StreamView {
    /// Swarm id, hexadecimal.
    pub swarm: String,
    /// The playlist.
    pub playlist_url: String,
    /// Peers in the swarm by the server's word, this one included.
    pub swarm_size: u32,
    /// How strangers' bytes are checked now.
    pub integrity: IntegrityView,
    /// Totals since the stream was opened.
    pub totals: Totals,
    /// What the device gets, in bytes per second, as told to the player's estimator.
    pub bandwidth_bytes_per_s: u64,
    /// Neighbours: connected and connecting.
    pub peers: Vec<PeerView>,
    /// Bytes per whole second, oldest first; the last is the running second.
    pub history: Vec<Second>,
    /// Segments around the playhead, in order.
    pub segments: Vec<SegmentView>,
    /// Segments held in memory and store.
    pub held_segments: u32,
}

/// A swarm whose messages are the driver's to read.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RoomView {
    /// Swarm id, hexadecimal.
    pub swarm: String,
    /// Peers in the swarm by the server's word, this one included.
    pub size: u32,
    /// Neighbours: connected and connecting. What flowed is for the room's core to say.
    pub peers: Vec<PeerView>,
}

/// Where the proof of a segment comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrityView {
    /// Not known yet.
    #[default]
    Unknown,
    /// The publisher's signed manifest.
    Manifest,
    /// The origin's `Repr-Digest`.
    Digest,
    /// The signaling server's witness.
    Witness,
    /// Not checked, by the embedder's choice.
    Unchecked,
    /// Nobody can say: HTTP only.
    HttpOnly,
}

/// Byte totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Media bytes from the origin, those that a peer had brought before included.
    pub origin_bytes: u64,
    /// Verified media bytes from peers.
    pub peer_bytes: u64,
    /// Media bytes from the store of an earlier visit.
    pub cache_bytes: u64,
    /// Media bytes to peers.
    pub upload_bytes: u64,
    /// Media bytes that came twice or were thrown away.
    pub wasted_bytes: u64,
    /// Bytes of control messages received.
    pub control_in_bytes: u64,
    /// Bytes of control messages sent.
    pub control_out_bytes: u64,
    /// Peers caught sending wrong bytes.
    pub liars: u32,
}

/// One second of traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Second {
    /// From the origin.
    pub origin_bytes: u32,
    /// From peers.
    pub peer_bytes: u32,
    /// From the store.
    pub cache_bytes: u32,
    /// To peers.
    pub upload_bytes: u32,
}

/// State of one neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// ICE and DTLS under way.
    #[default]
    Connecting,
    /// Data channels open.
    Open,
}

/// One neighbour, as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct PeerView {
    /// Its key, hexadecimal.
    pub peer: String,
    /// Connecting or open.
    pub state: LinkState,
    /// Through a relay; `None` while not known.
    pub relayed: Option<bool>,
    /// Round-trip time.
    pub rtt_ms: Option<u32>,
    /// Bytes from it, checked or yet to be.
    pub received_bytes: u64,
    /// Of what it gave of a stream, what was checked and kept.
    pub verified_bytes: u64,
    /// Bytes to it.
    pub sent_bytes: u64,
    /// Goodput from it, bytes per second, over the last seconds.
    pub receive_bytes_per_s: u64,
    /// Goodput to it.
    pub send_bytes_per_s: u64,
    /// Share of the segments around my playhead that it holds, in percent.
    pub has_percent: u8,
    /// Whether it uploads.
    pub uploads: bool,
}

/// Where a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub enum SegmentState {
    /// Not here.
    #[default]
    Missing,
    /// Arriving.
    Arriving,
    /// Whole.
    Held,
}

/// One segment, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct SegmentView {
    /// Track.
    pub track: u16,
    /// Media sequence number.
    pub index: u32,
    /// State.
    pub state: SegmentState,
    /// Share that came from peers, percent of what is here.
    pub peer_percent: u8,
    /// Neighbours that hold it whole.
    pub holders: u8,
}

/// Limits, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct LimitsView {
    /// Upload limit; `None`: none.
    pub upload_bytes_per_s: Option<u64>,
    /// Relay only.
    pub relay_only: bool,
}

/// What went wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Stable, for code: `signaling-unreachable`, `origin-refused`, `publisher-mismatch`, `peer-lied`,
    /// `no-integrity`, …
    pub code: String,
    /// What happened, for a person.
    pub what: String,
    /// What to do about it, for a person; may be empty when nothing needs doing.
    pub remedy: String,
}
