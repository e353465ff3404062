//! What can happen to a swarm.

use core::time::Duration;

use primitives::{Hash, PeerId, SegmentId};

/// One thing that happened. Given to [`crate::Swarm::step`] with the time it happened.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// The wake time came; nothing else happened.
    Tick,
    /// Data channels to this peer are open both ways.
    PeerUp(PeerId),
    /// They are gone. Nothing more comes from it, nothing more goes to it.
    PeerDown(PeerId),
    /// One message of a data channel, from a stranger: any bytes.
    Frame {
        /// Who sent it.
        from: PeerId,
        /// At most [`wire::limits::FRAME_BYTES_MAX`]; longer is misbehaviour.
        bytes: &'a [u8],
    },
    /// The transport sent this much of what [`crate::Output::Send`] gave it for this peer's payload
    /// channel; without it no more payload is handed out (back-pressure).
    Sent {
        /// To whom.
        to: PeerId,
        /// Payload bytes that left the transport's buffer.
        bytes: u64,
    },
    /// The player's list of one track: replaces what was known. Live windows come again and again.
    Track(Track),
    /// What a segment must hash to, from the signed manifest, the origin's digest or the witness.
    Proof {
        /// The segment.
        segment: SegmentId,
        /// What it must be, or why nobody can say.
        proof: Proof,
    },
    /// These segments are in the store from an earlier visit. At most 65,536.
    Held(Vec<SegmentId>),
    /// The answer to [`crate::Output::Load`]. `None`: the store has it no longer.
    Loaded {
        /// The segment.
        segment: SegmentId,
        /// Its bytes, verified again before use.
        bytes: Option<&'a [u8]>,
    },
    /// The store dropped these to make room.
    Evicted(Vec<SegmentId>),
    /// The player needs this segment now or soon; answered by [`crate::Output::Deliver`] or
    /// [`crate::Output::Fail`], unless [`Input::Unwant`] comes first.
    Want(SegmentId),
    /// The player no longer waits for it (seek, rendition switch).
    Unwant(SegmentId),
    /// The player loads this one by itself: it is not fetched meanwhile, for
    /// [`crate::config::ELSEWHERE_MAX`] at most. [`Input::Given`] or [`Input::Want`] ends it.
    Elsewhere(SegmentId),
    /// What the player loaded by itself: checked as the origin's, shared and kept; not counted in
    /// [`crate::Totals`]. `None`: it gave up.
    Given {
        /// The segment.
        segment: SegmentId,
        /// All of it.
        bytes: Option<&'a [u8]>,
        /// How long the origin took for it: what is believed of its line.
        took: Duration,
    },
    /// The player's own load of a segment, under way, becomes one of this swarm's fetches: it may be
    /// shared out, finished by peers, broken off. Answered by [`crate::Output::Adopt`] at once; the rest
    /// comes as [`Input::Fetched`]. What the player waits for it says by [`Input::Want`].
    HandOver {
        /// The segment.
        segment: SegmentId,
        /// Its size, if the origin told it.
        segment_bytes: Option<u32>,
        /// What came so far, from the segment's first byte on.
        bytes: &'a [u8],
        /// How long that took since the origin answered.
        took: Duration,
    },
    /// Where the player is.
    Playback(Playhead),
    /// The next bytes of an origin fetch, in order.
    Fetched {
        /// The fetch.
        fetch: FetchId,
        /// Size of the whole segment as the origin tells it (`Content-Length`, `Content-Range`).
        segment_bytes: Option<u32>,
        /// The bytes, from the range's start on.
        bytes: &'a [u8],
    },
    /// The origin finished that fetch. `segment_bytes` is the whole segment's size.
    FetchEnded {
        /// The fetch.
        fetch: FetchId,
    },
    /// It failed: network, CORS, status. The bytes that came before count.
    FetchFailed {
        /// The fetch.
        fetch: FetchId,
        /// HTTP status; 0 when there was no answer (network, CORS).
        status: u16,
    },
    /// How many peers the swarm has, by the signaling server's word.
    SwarmSize(u32),
    /// The person's limits.
    Limits(Limits),
}

/// Names one origin fetch of one swarm. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u64);

/// One rendition as the player's playlist lists it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Track {
    /// 0-based rendition.
    pub track: u16,
    /// Whether more segments will come.
    pub live: bool,
    /// In order of index, without gaps in time. At most [`crate::config::TRACK_SEGMENTS_MAX`].
    pub segments: Vec<TrackSegment>,
}

/// One segment of a [`Track`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackSegment {
    /// Media sequence number.
    pub index: u32,
    /// Start on this player's timeline, in milliseconds. Players of one live stream differ in it.
    pub start_ms: u64,
    /// Duration in milliseconds.
    pub duration_ms: u32,
}

/// What a segment must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The size and the SHA-256 of each piece of [`wire::limits::PIECE_BYTES`]: each piece is
    /// verified, shown to neighbours and passed on as it arrives.
    Pieces {
        /// Size of the segment.
        segment_bytes: u32,
        /// One digest per piece.
        pieces: Vec<Hash>,
    },
    /// Only the digest of the whole: nothing is passed on before all of it is there.
    Whole {
        /// SHA-256 of the segment.
        sha256: Hash,
    },
    /// Nobody can say, and the embedder spelled out that strangers' bytes are taken all the same
    /// (`integrity="none"`).
    Unchecked,
    /// Nobody can say: this segment comes from the origin only and is not passed on.
    Missing,
}

/// Where the player is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Playhead {
    /// The rendition that plays.
    pub track: u16,
    /// Position on the player's timeline, in milliseconds.
    pub position_ms: u64,
    /// End of what the player has buffered from there without a gap, in milliseconds.
    pub buffered_ms: u64,
    /// Playback rate in percent; 0 while paused.
    pub rate_percent: u16,
}

/// What the person allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes per second to all peers together; `None`: as much as the line takes; `Some(0)`: no uploads.
    pub upload_bytes_per_s: Option<u64>,
    /// Bytes of verified segments held in memory.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { upload_bytes_per_s: None, memory_bytes: 96 << 20 }
    }
}
