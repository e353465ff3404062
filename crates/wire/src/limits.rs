//! Bounds of everything a stranger can make us hold.

/// Version of the peer protocol, told in the hello. From 2 on, [`crate::peer::Ack`] is sent.
pub const PEER_VERSION: u32 = 2;
/// Version of the signaling protocol, told in the challenge and the hello.
pub const SIGNALING_VERSION: u32 = 1;
/// Version of what nodes of one host tell each other; a part of the subjects they tell it on.
pub const NODE_VERSION: u32 = 1;

/// Unit of verification and of relaying: a segment is cut into pieces of this size, the last shorter.
pub const PIECE_BYTES: u32 = 65_536;
/// Largest payload of one data frame. 16 KiB keeps a control message from waiting long behind payload
/// (26 ms at 5 Mbit/s) and is what every browser takes (RFC 8831, 6.6).
pub const FRAME_PAYLOAD_BYTES_MAX: usize = 16_384;
/// Largest frame on a data channel, payload and header.
pub const FRAME_BYTES_MAX: usize = 65_536;

/// Largest segment: 64 MiB is 30 s at 17 Mbit/s.
pub const SEGMENT_BYTES_MAX: u32 = 64 << 20;
/// Most pieces of one segment.
pub const PIECES_MAX: u32 = SEGMENT_BYTES_MAX / PIECE_BYTES;
/// Most ranges in one `have`.
pub const HAVE_RANGES_MAX: usize = 1024;
/// Most pieces asked for in one request.
pub const REQUEST_PIECES_MAX: u32 = 64;
/// Most tracks (renditions) of one swarm.
pub const TRACKS_MAX: u16 = 64;

/// Largest block of a share, in bytes: that of `content`.
pub const BLOCK_BYTES_MAX: u32 = 2 << 20;
/// Largest part of a block in one frame. Nothing of a file is due in the next moments, so the larger the
/// better: at 60 KiB the frame with its header is below [`FRAME_BYTES_MAX`].
pub const PART_BYTES_MAX: usize = 61_440;
/// Most blocks of a share: 1 TiB of the default profile.
pub const SHARE_BLOCKS_MAX: u32 = 1 << 20;
/// Most blocks in one message that asks, takes back or declines, and most asked of one peer at a time.
pub const ASKS_MAX: usize = 64;

/// Largest signaling text message, in bytes.
pub const SIGNALING_BYTES_MAX: usize = 65_536;
/// Largest session description (RFC 8866), in bytes. Data-channel-only descriptions are about 500.
pub const SDP_BYTES_MAX: usize = 16_384;
/// Largest ICE candidate line (RFC 8839), in bytes.
pub const CANDIDATE_BYTES_MAX: usize = 1024;
/// Most swarms one signaling connection may be in.
pub const SWARMS_PER_CONNECTION_MAX: usize = 32;
/// Most neighbours handed out in one message.
pub const NEIGHBOURS_MAX: usize = 24;
/// Largest URL in a message, in bytes.
pub const URL_BYTES_MAX: usize = 2048;
/// Most peers named as exceptions when more neighbours are asked for.
pub const EXCEPT_MAX: usize = NEIGHBOURS_MAX * 2;
/// Largest region hint, in bytes.
pub const REGION_BYTES_MAX: usize = 32;
/// Largest site key and resume token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 128;

/// Most peers told of in one message between nodes.
pub const MATES_MAX: usize = 256;
/// Largest signal with its sender's name put in front, in bytes.
pub const STAMPED_BYTES_MAX: usize = SIGNALING_BYTES_MAX + 128;
/// Most swarms of the tracker told of in one message between nodes.
pub const CROWDS_MAX: usize = 1024;
/// Most offers of the tracker in one message between nodes.
pub const NODE_OFFERS_MAX: usize = 10;
/// Largest offer or answer of the tracker between nodes, as JSON, in bytes: that of `tracker`.
pub const TRACKER_DESCRIPTION_BYTES_MAX: usize = 16_384;
/// Largest message between nodes, in bytes.
pub const NODE_BYTES_MAX: usize = 128 << 10;
/// Largest name and version of a node, in bytes.
pub const NODE_NAME_BYTES_MAX: usize = 64;
/// Most headers between a block and the certificate that makes it final, both counted.
pub const LEDGER_HEADERS_MAX: usize = 65;
/// Longest record and longest proof together with their headers, in bytes.
pub const LEDGER_ANSWER_BYTES_MAX: usize = 131_072;
/// Most records in one page of a listing of the ledger.
pub const LEDGER_RECORDS_MAX: usize = 256;
/// Most successions of validators in one answer. A proof is about 2 KiB, 5 KiB at most.
pub const LEDGER_SUCCESSIONS_MAX: usize = 16;
/// Longest key of a record that a neighbour is asked for, in bytes: as a server reads it.
pub const NEAR_KEY_BYTES_MAX: usize = 128;
/// Longest answer about the ledger between neighbours, in bytes: with its header it is below [`FRAME_BYTES_MAX`].
pub const NEAR_ANSWER_BYTES_MAX: usize = 61_440;
/// Longest transaction that a neighbour hands on, in bytes: as `ledger` has it.
pub const NEAR_TRANSACTION_BYTES_MAX: usize = 16 << 10;
