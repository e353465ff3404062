//! Peer to peer: CBOR (RFC 8949) over two data channels, control and payload.
//!
//! A message is an array `[kind, [fields…]]`. Fields are positions; a reader skips fields past those
//! it knows, and takes a missing optional field as absent, so that a later version may append.
//! A kind it does not know is [`DecodeError::Unknown`], to be ignored. CDDL: `docs/spec/swarm.md`.
//!
//! | kind | message | channel | who sends it, when |
//! |---|---|---|---|
//! | 0 | [`Hello`] | control | both, first |
//! | 1 | [`Have`] | control | what I hold whole: first in full, then what changed |
//! | 2 | [`Pieces`] | control | progress of a segment that is still arriving |
//! | 3 | [`Playback`] | control | where I play, and what I will need |
//! | 4 | [`Request`] | control | pieces, please, before they are due |
//! | 5 | [`Cancel`] | control | no longer needed |
//! | 6 | [`Data`] | payload | part of one piece |
//! | 7 | [`Refuse`] | control | I will not send these: ask elsewhere |
//! | 8 | [`Choke`] | control | uploads to you are off or on again |
//! | 9 | [`Bye`] | control | leaving |
//! | 10 | [`Ack`] | control | so much of your payload is here |

use minicbor::{
    Decode, Decoder, Encode,
    bytes::{ByteSlice, ByteVec},
    decode::Error,
};
use primitives::{SegmentId, SwarmId, cbor::Fields};

use crate::limits;

/// One frame on a data channel.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub enum Message<'b> {
    /// See [`Hello`].
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// See [`Have`].
    #[n(1)]
    Have(#[n(0)] Have),
    /// See [`Pieces`].
    #[n(2)]
    Pieces(#[n(0)] Pieces),
    /// See [`Playback`].
    #[n(3)]
    Playback(#[n(0)] Playback),
    /// See [`Request`].
    #[n(4)]
    Request(#[n(0)] Request),
    /// See [`Cancel`].
    #[n(5)]
    Cancel(#[n(0)] Cancel),
    /// See [`Data`].
    #[n(6)]
    Data(#[b(0)] Data<'b>),
    /// See [`Refuse`].
    #[n(7)]
    Refuse(#[n(0)] Refuse),
    /// See [`Choke`].
    #[n(8)]
    Choke(#[n(0)] Choke),
    /// See [`Bye`].
    #[n(9)]
    Bye(#[n(0)] Bye),
    /// See [`Ack`].
    #[n(10)]
    Ack(#[n(0)] Ack),
}

/// Who I am here. First message both ways; anything before it is misbehaviour.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub struct Hello {
    /// [`limits::PEER_VERSION`] of the sender. A higher one is not refused: fields only append.
    #[n(0)]
    pub version: u32,
    /// The swarm this connection serves.
    #[n(1)]
    pub swarm: SwarmId,
    /// Whether the sender will upload at all (off on metered connections, or by the person's choice).
    #[n(2)]
    pub uploads: bool,
}

/// A run of segments of one track: `first, first + 1, … first + count - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Run {
    /// Index of the first segment.
    #[n(0)]
    pub first: u32,
    /// How many; 0 is allowed and empty.
    #[n(1)]
    pub count: u32,
}

/// Whole verified segments of one track that the sender holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub struct Have {
    /// The track.
    #[n(0)]
    pub track: u16,
    /// Newly held, at most [`limits::HAVE_RANGES_MAX`] runs.
    #[n(1)]
    pub added: Vec<Run>,
    /// No longer held, at most [`limits::HAVE_RANGES_MAX`] runs.
    #[n(2)]
    pub removed: Vec<Run>,
}

/// Progress of a segment that is still arriving at the sender. Both bitmaps: bit `i % 8` (least
/// significant first) of byte `i / 8` is piece `i`; at most [`limits::PIECES_MAX`]` / 8` bytes, trailing
/// zero bytes left out. Both empty: it is not arriving any more, do not wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode)]
pub struct Pieces {
    /// The segment.
    #[n(0)]
    pub segment: SegmentId,
    /// Verified pieces that can be asked for now.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub held: Vec<u8>,
    /// Pieces the sender is fetching from the origin now: others may wait for that.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub fetching: Vec<u8>,
}

/// Where the sender plays, so that others know what it will need and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Playback {
    /// The segment at the playhead.
    #[n(0)]
    pub at: SegmentId,
    /// Position inside that segment, in milliseconds.
    #[n(1)]
    pub offset_ms: u32,
    /// Playback rate in percent of normal; 0 while paused.
    #[n(2)]
    pub rate_percent: u16,
    /// Whether the sender uploads now.
    #[n(3)]
    pub uploads: bool,
    /// The sender holds everything from `at` on before this index: what it still needs starts here.
    #[n(4)]
    pub next_missing: u32,
}

/// Asks for pieces of one segment, which come as [`Data`] in any order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Request {
    /// The segment.
    #[n(0)]
    pub segment: SegmentId,
    /// First piece asked for.
    #[n(1)]
    pub first: u32,
    /// How many pieces, 1 to [`limits::REQUEST_PIECES_MAX`].
    #[n(2)]
    pub count: u32,
    /// Milliseconds from now after which the sender's player stalls: the uploader serves the
    /// earliest first among what fairness allows.
    #[n(3)]
    pub due_in_ms: u32,
}

/// Takes back a [`Request`], whole or in part. Data already under way may still come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Cancel {
    /// The segment.
    #[n(0)]
    pub segment: SegmentId,
    /// First piece.
    #[n(1)]
    pub first: u32,
    /// How many pieces.
    #[n(2)]
    pub count: u32,
}

/// Part of one piece. Never crosses a piece's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Data<'b> {
    /// The segment.
    #[n(0)]
    pub segment: SegmentId,
    /// Size of the whole segment in bytes: a receiver may not know it before.
    #[n(1)]
    pub segment_bytes: u32,
    /// Offset of the first byte in the segment.
    #[n(2)]
    pub offset: u32,
    /// The bytes: 1 to [`limits::FRAME_PAYLOAD_BYTES_MAX`].
    #[b(3)]
    pub bytes: &'b ByteSlice,
}

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum RefuseReason {
    /// Not held (any more).
    #[n(0)]
    NotHeld,
    /// Uploads are off.
    #[n(1)]
    UploadsOff,
    /// Too much is asked already.
    #[n(2)]
    Busy,
}

/// The pieces of this request will not come from the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Refuse {
    /// The segment.
    #[n(0)]
    pub segment: SegmentId,
    /// First piece refused.
    #[n(1)]
    pub first: u32,
    /// How many pieces.
    #[n(2)]
    pub count: u32,
    /// Why.
    #[n(3)]
    pub reason: RefuseReason,
}

/// Uploads to the receiver stop (`on`) or go on again. All its open requests are void while on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Choke {
    /// Whether uploads are stopped.
    #[n(0)]
    pub on: bool,
    /// Why.
    #[n(1)]
    pub reason: RefuseReason,
}

/// The sender leaves (page closed, neighbour dropped for a better one). Nothing more will come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Bye {
    /// 0: page closes; 1: replaced by a better neighbour; 2: protocol error seen.
    #[n(0)]
    pub reason: u8,
}

/// What came of the receiver's payload: by this it keeps the queue on its line short. Sent by peers of
/// version 2 and later, at least 20 ms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode)]
pub struct Ack {
    /// Bytes of all [`Data::bytes`] since the connection began, wanted or not.
    #[n(0)]
    pub bytes: u64,
}

/// Why a frame is not a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// A kind this version does not know: ignore the frame.
    Unknown(u32),
    /// Larger than [`limits::FRAME_BYTES_MAX`].
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// Not CBOR of the shape, or bytes after the message.
    Malformed,
    /// A field is outside its bound; the name of the field.
    Bound(&'static str),
}

impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Unknown(kind) => write!(f, "message kind {kind} is not known"),
            Self::TooLong { found } => {
                write!(f, "frame is {found} bytes, limit is {}", limits::FRAME_BYTES_MAX)
            }
            Self::Malformed => f.write_str("frame is not a message"),
            Self::Bound(field) => write!(f, "field {field} is outside its bound"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Highest kind this version knows.
const KIND_MAX: u32 = 10;
/// [`limits::PIECES_MAX`] as a count of bits.
const PIECES_MAX: usize = 1024;
const _: () = assert!(limits::PIECES_MAX == 1024);

/// Reads a struct whose fields are named in the order of their numbers.
macro_rules! read_in_order {
    ($name:ident { $($field:ident),* }) => {
        impl<'b, C> Decode<'b, C> for $name {
            fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
                let mut fields = Fields::of(decoder)?;
                let read = Self { $($field: fields.read()?),* };
                fields.end()?;
                Ok(read)
            }
        }
    };
}

read_in_order!(Hello { version, swarm, uploads });
read_in_order!(Run { first, count });
read_in_order!(Have { track, added, removed });
read_in_order!(Playback { at, offset_ms, rate_percent, uploads, next_missing });
read_in_order!(Request { segment, first, count, due_in_ms });
read_in_order!(Cancel { segment, first, count });
read_in_order!(Refuse { segment, first, count, reason });
read_in_order!(Choke { on, reason });
read_in_order!(Bye { reason });
read_in_order!(Ack { bytes });

impl<'b, C> Decode<'b, C> for Pieces {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let mut fields = Fields::of(decoder)?;
        let segment = fields.read()?;
        let held: ByteVec = fields.read()?;
        let fetching: ByteVec = fields.read()?;
        fields.end()?;
        Ok(Self { segment, held: held.into(), fetching: fetching.into() })
    }
}

impl<'b, C> Decode<'b, C> for Data<'b> {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let mut fields = Fields::of(decoder)?;
        let (segment, segment_bytes) = (fields.read()?, fields.read()?);
        let read = Self { segment, segment_bytes, offset: fields.read()?, bytes: fields.read()? };
        fields.end()?;
        Ok(read)
    }
}

impl<'b, C> Decode<'b, C> for Message<'b> {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        if decoder.array()? != Some(2) {
            return Err(Error::message("expected kind and fields"));
        }
        let kind = decoder.u32()?;
        let mut fields = Fields::of(decoder)?;
        let read = match kind {
            0 => Self::Hello(fields.read()?),
            1 => Self::Have(fields.read()?),
            2 => Self::Pieces(fields.read()?),
            3 => Self::Playback(fields.read()?),
            4 => Self::Request(fields.read()?),
            5 => Self::Cancel(fields.read()?),
            6 => Self::Data(fields.read()?),
            7 => Self::Refuse(fields.read()?),
            8 => Self::Choke(fields.read()?),
            9 => Self::Bye(fields.read()?),
            10 => Self::Ack(fields.read()?),
            _ => return Err(Error::unknown_variant(i64::from(kind))),
        };
        fields.end()?;
        Ok(read)
    }
}

impl<'b> Message<'b> {
    /// The bytes of this message.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }

    /// Reads one frame. Total: any bytes give a message within its bounds or an error.
    pub fn decode(frame: &'b [u8]) -> Result<Self, DecodeError> {
        if frame.len() > limits::FRAME_BYTES_MAX {
            return Err(DecodeError::TooLong { found: frame.len() });
        }
        let mut decoder = minicbor::Decoder::new(frame);
        let kind = decode_kind(frame).ok_or(DecodeError::Malformed)?;
        if kind > KIND_MAX {
            return Err(DecodeError::Unknown(kind));
        }
        let message: Self = decoder.decode().map_err(|_| DecodeError::Malformed)?;
        if decoder.position() != frame.len() {
            return Err(DecodeError::Malformed);
        }
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Hello(_) | Self::Refuse(_) | Self::Choke(_) | Self::Bye(_) | Self::Ack(_) => {
                Ok(())
            }
            Self::Have(have) => {
                bound(have.track < limits::TRACKS_MAX, "track")?;
                bound(have.added.len() <= limits::HAVE_RANGES_MAX, "added")?;
                bound(have.removed.len() <= limits::HAVE_RANGES_MAX, "removed")
            }
            Self::Pieces(pieces) => {
                bound(pieces.segment.track < limits::TRACKS_MAX, "track")?;
                let fits = |bitmap: &[u8]| bitmap.len() * 8 <= PIECES_MAX;
                bound(fits(&pieces.held), "held")?;
                bound(fits(&pieces.fetching), "fetching")
            }
            Self::Playback(playback) => {
                bound(playback.at.track < limits::TRACKS_MAX, "track")?;
                bound(playback.rate_percent <= 1600, "rate_percent")
            }
            Self::Request(Request { segment, first, count, .. }) => {
                bound(segment.track < limits::TRACKS_MAX, "track")?;
                bound((1..=limits::REQUEST_PIECES_MAX).contains(count), "count")?;
                bound(*first < limits::PIECES_MAX, "first")
            }
            Self::Cancel(Cancel { segment, first, count }) => {
                bound(segment.track < limits::TRACKS_MAX, "track")?;
                bound((1..=limits::PIECES_MAX).contains(count), "count")?;
                bound(*first < limits::PIECES_MAX, "first")
            }
            Self::Data(data) => data.check(),
        }
    }
}

impl Data<'_> {
    fn check(&self) -> Result<(), DecodeError> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        bound(self.segment.track < limits::TRACKS_MAX, "track")?;
        bound(self.segment_bytes <= limits::SEGMENT_BYTES_MAX, "segment_bytes")?;
        bound((1..=limits::FRAME_PAYLOAD_BYTES_MAX).contains(&self.bytes.len()), "bytes")?;
        let end = self.offset.checked_add(length).ok_or(DecodeError::Bound("offset"))?;
        bound(end <= self.segment_bytes, "offset")?;
        bound(self.offset / limits::PIECE_BYTES == (end - 1) / limits::PIECE_BYTES, "offset")
    }
}

/// Whether a field is within its bound.
pub(crate) fn bound(ok: bool, field: &'static str) -> Result<(), DecodeError> {
    if ok { Ok(()) } else { Err(DecodeError::Bound(field)) }
}

/// The kind of a frame, if it has the outer shape of a message.
pub(crate) fn decode_kind(frame: &[u8]) -> Option<u32> {
    let mut decoder = minicbor::Decoder::new(frame);
    (decoder.array().ok()? == Some(2)).then_some(())?;
    decoder.u32().ok()
}
