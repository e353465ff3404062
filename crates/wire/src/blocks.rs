//! Blocks of a share, from peer to peer: CBOR over the same two data channels as [`crate::peer`].
//!
//! A link serves one swarm, and a swarm is of a stream or of a share: which messages are spoken follows
//! from it. Hello, choke and bye are those of [`crate::peer`]; the others have kinds of their own. Readers
//! skip what they do not know, as there. CDDL: `docs/spec/files.md`.
//!
//! | kind | message | channel | who sends it, when |
//! |---|---|---|---|
//! | 0 | [`Hello`] | control | both, first |
//! | 8 | [`Choke`] | control | uploads to you are off or on again |
//! | 9 | [`Bye`] | control | leaving |
//! | 16 | [`Holds`] | control | which places of the share's list I hold: first in full, then what changed |
//! | 17 | [`Ask`] | control | these blocks, please |
//! | 18 | [`Forget`] | control | no longer needed |
//! | 19 | [`Part`] | payload | part of one block |
//! | 20 | [`Decline`] | control | I will not send these: ask elsewhere |

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteSlice},
};

use crate::{
    limits::{
        ASKS_MAX, BLOCK_BYTES_MAX, FRAME_BYTES_MAX, HAVE_RANGES_MAX, PART_BYTES_MAX,
        SHARE_BLOCKS_MAX,
    },
    peer::{Bye, Choke, DecodeError, Hello, RefuseReason, Run, bound, decode_kind},
};

/// One frame on a data channel of a share's swarm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum BlockMessage<'b> {
    /// See [`Hello`].
    #[n(0)]
    Hello(#[n(0)] Hello),
    /// See [`Choke`].
    #[n(8)]
    Choke(#[n(0)] Choke),
    /// See [`Bye`].
    #[n(9)]
    Bye(#[n(0)] Bye),
    /// See [`Holds`].
    #[n(16)]
    Holds(#[n(0)] Holds),
    /// See [`Ask`].
    #[n(17)]
    Ask(#[n(0)] Ask),
    /// See [`Forget`].
    #[n(18)]
    Forget(#[n(0)] Forget),
    /// See [`Part`].
    #[n(19)]
    Part(#[b(0)] Part<'b>),
    /// See [`Decline`].
    #[n(20)]
    Decline(#[n(0)] Decline),
}

/// Places of the share's block list whose blocks the sender holds. Both lists have at most
/// [`HAVE_RANGES_MAX`] runs, which end at or before [`SHARE_BLOCKS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Holds {
    /// Newly held.
    #[n(0)]
    pub added: Vec<Run>,
    /// No longer held.
    #[n(1)]
    pub removed: Vec<Run>,
}

/// Asks for blocks by their names, most wanted first. Each comes as [`Part`]s in order, or is declined.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ask {
    /// 1 to [`ASKS_MAX`].
    #[n(0)]
    pub blocks: Vec<AskedBlock>,
    /// They are due so many milliseconds from now, and come before what this neighbour asked for without;
    /// none: when there is time. Reorders nobody else's blocks.
    #[n(1)]
    pub due_in_ms: Option<u32>,
}

/// One block that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct AskedBlock {
    /// Names this asking on this link; each is used once.
    #[n(0)]
    pub id: u32,
    /// The block's CID.
    #[n(1)]
    pub cid: ByteArray<36>,
}

/// Takes back what was asked. Parts already under way may still come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Forget {
    /// 1 to [`ASKS_MAX`].
    #[n(0)]
    pub ids: Vec<u32>,
}

/// Part of a block that was asked for. Parts of one block come in order and without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Part<'b> {
    /// Which asking it answers.
    #[n(0)]
    pub id: u32,
    /// Size of the whole block, at most [`BLOCK_BYTES_MAX`].
    #[n(1)]
    pub block_bytes: u32,
    /// Offset of the first byte.
    #[n(2)]
    pub offset: u32,
    /// The bytes: 1 to [`PART_BYTES_MAX`]; none of an empty block.
    #[b(3)]
    pub bytes: &'b ByteSlice,
}

/// What was asked and will not come.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Decline {
    /// 1 to [`ASKS_MAX`].
    #[n(0)]
    pub ids: Vec<u32>,
    /// Why.
    #[n(1)]
    pub reason: RefuseReason,
}

impl<'b> BlockMessage<'b> {
    /// The bytes of this message.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }

    /// Reads one frame. Total: any bytes give a message within its bounds or an error.
    ///
    /// # Errors
    /// As of [`crate::peer::Message::decode`].
    pub fn decode(frame: &'b [u8]) -> Result<Self, DecodeError> {
        if frame.len() > FRAME_BYTES_MAX {
            return Err(DecodeError::TooLong { found: frame.len() });
        }
        let kind = decode_kind(frame).ok_or(DecodeError::Malformed)?;
        if !matches!(kind, 0 | 8 | 9 | 16..=20) {
            return Err(DecodeError::Unknown(kind));
        }
        let mut decoder = minicbor::Decoder::new(frame);
        let message: Self = decoder.decode().map_err(|_| DecodeError::Malformed)?;
        if decoder.position() != frame.len() {
            return Err(DecodeError::Malformed);
        }
        message.check()?;
        Ok(message)
    }

    fn check(&self) -> Result<(), DecodeError> {
        match self {
            Self::Hello(_) | Self::Choke(_) | Self::Bye(_) => Ok(()),
            Self::Holds(Holds { added, removed }) => {
                check_runs(added, "added")?;
                check_runs(removed, "removed")
            }
            Self::Ask(ask) => bound((1..=ASKS_MAX).contains(&ask.blocks.len()), "blocks"),
            Self::Forget(Forget { ids }) | Self::Decline(Decline { ids, .. }) => {
                bound((1..=ASKS_MAX).contains(&ids.len()), "ids")
            }
            Self::Part(part) => part.check(),
        }
    }
}

fn check_runs(runs: &[Run], field: &'static str) -> Result<(), DecodeError> {
    let fits =
        |run: &Run| run.first.checked_add(run.count).is_some_and(|end| end <= SHARE_BLOCKS_MAX);
    // Runs that overlap cost their reader time and tell nothing.
    let places = runs.iter().fold(0_u32, |sum, run| sum.saturating_add(run.count));
    let few = runs.len() <= HAVE_RANGES_MAX && places <= SHARE_BLOCKS_MAX;
    bound(few && runs.iter().all(fits), field)
}

impl Part<'_> {
    fn check(&self) -> Result<(), DecodeError> {
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        bound(self.block_bytes <= BLOCK_BYTES_MAX, "block_bytes")?;
        let least = usize::from(self.block_bytes > 0);
        bound((least..=PART_BYTES_MAX).contains(&self.bytes.len()), "bytes")?;
        let end = self.offset.checked_add(length);
        bound(end.is_some_and(|end| end <= self.block_bytes), "offset")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(block_bytes: u32, offset: u32, bytes: &[u8]) -> Result<(), DecodeError> {
        let part = BlockMessage::Part(Part { id: 1, block_bytes, offset, bytes: bytes.into() });
        let frame = part.encode_to_vec();
        BlockMessage::decode(&frame).map(|read| assert_eq!(read, part))
    }

    #[test]
    fn a_part_lies_within_its_block() {
        assert_eq!(part(10, 8, b"ab"), Ok(()));
        assert_eq!(part(0, 0, b""), Ok(()));
        assert_eq!(part(10, 9, b"ab"), Err(DecodeError::Bound("offset")));
        assert_eq!(part(10, u32::MAX, b"ab"), Err(DecodeError::Bound("offset")));
        assert_eq!(part(10, 0, b""), Err(DecodeError::Bound("bytes")));
        assert_eq!(part(BLOCK_BYTES_MAX + 1, 0, b"a"), Err(DecodeError::Bound("block_bytes")));
        let most = vec![7; PART_BYTES_MAX + 1];
        assert_eq!(part(BLOCK_BYTES_MAX, 0, &most[1..]), Ok(()));
        assert_eq!(part(BLOCK_BYTES_MAX, 0, &most), Err(DecodeError::Bound("bytes")));
    }

    #[test]
    fn a_list_of_places_is_bounded() {
        let holds = |first, count, runs| {
            let added = vec![Run { first, count }; runs];
            let frame = BlockMessage::Holds(Holds { added, removed: vec![] }).encode_to_vec();
            BlockMessage::decode(&frame).map(drop)
        };
        assert_eq!(holds(0, SHARE_BLOCKS_MAX, 1), Ok(()));
        assert_eq!(holds(0, 1, HAVE_RANGES_MAX), Ok(()));
        assert_eq!(holds(0, SHARE_BLOCKS_MAX, 2), Err(DecodeError::Bound("added")));
        assert_eq!(holds(0, 1, HAVE_RANGES_MAX + 1), Err(DecodeError::Bound("added")));
        assert_eq!(holds(1, SHARE_BLOCKS_MAX, 1), Err(DecodeError::Bound("added")));
        assert_eq!(holds(u32::MAX, 2, 1), Err(DecodeError::Bound("added")));
        let none = BlockMessage::Forget(Forget { ids: vec![] }).encode_to_vec();
        assert_eq!(BlockMessage::decode(&none), Err(DecodeError::Bound("ids")));
    }

    /// Older peers end an ask after its blocks, and skip what newer ones append.
    #[test]
    fn what_is_not_due_is_asked_for_as_ever() {
        let blocks = vec![AskedBlock { id: 7, cid: [9; 36].into() }];
        let ask = |due_in_ms| BlockMessage::Ask(Ask { blocks: blocks.clone(), due_in_ms });
        let (plain, due) = (ask(None).encode_to_vec(), ask(Some(0)).encode_to_vec());
        assert_eq!(BlockMessage::decode(&plain), Ok(ask(None)));
        assert_eq!(BlockMessage::decode(&due), Ok(ask(Some(0))));
        assert_eq!((plain[3], due[3], due.len()), (0x81, 0x82, plain.len() + 1));
    }

    #[test]
    fn messages_of_streams_are_skipped() {
        // A request of the stream protocol.
        let request = [0x82, 0x04, 0x81, 0x84, 0x82, 0x01, 0x01, 0x03, 0x02, 0x00];
        assert_eq!(BlockMessage::decode(&request), Err(DecodeError::Unknown(4)));
    }
}
