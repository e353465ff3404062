//! What neighbours ask each other of the ledger, when one of them reaches no server: CBOR over the control channel of
//! a share's swarm.
//!
//! Kinds of their own, beside those of [`crate::peer`], [`crate::blocks`] and [`crate::pay`]: who follows no ledger
//! skips them. CDDL and rules: `docs/spec/ledger.md`, "Neighbours".
//!
//! | kind | message | who sends it, when |
//! |---|---|---|
//! | 40 | [`Follows`] | who has a server: you may ask me of this ledger |
//! | 41 | [`Ask`] | who has none: the newest block, or what is under a key |
//! | 42 | [`Answer`] | the other: that, or nothing |
//! | 43 | [`NewHead`] | the other, for a while after it was asked: a newer block |
//! | 44 | [`Submit`] | who has no server: tell yours this transaction |
//! | 45 to 47 | none yet | [kept](OFFER_KINDS) for offers of markets |

use core::ops::RangeInclusive;

use minicbor::{
    Decode, Encode,
    bytes::{ByteArray, ByteVec},
};

use crate::{
    limits,
    peer::{DecodeError, bound, decode_kind},
};

/// Kinds that are kept for handing on offers of fixed terms (`docs/adr/0084-a-door-for-fixed-terms.md`): nobody reads
/// them yet, nothing else takes them.
pub const OFFER_KINDS: RangeInclusive<u32> = 45..=47;

/// One frame about the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum NearMessage {
    /// See [`Follows`].
    #[n(40)]
    Follows(#[n(0)] Follows),
    /// See [`Ask`].
    #[n(41)]
    Ask(#[n(0)] Ask),
    /// See [`Answer`].
    #[n(42)]
    Answer(#[n(0)] Answer),
    /// See [`NewHead`].
    #[n(43)]
    NewHead(#[n(0)] NewHead),
    /// See [`Submit`].
    #[n(44)]
    Submit(#[n(0)] Submit),
}

/// The sender has a server of this ledger, and may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Follows {
    /// Which ledger: its chain.
    #[n(0)]
    pub chain: ByteArray<32>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Ask {
    /// Named in the answer.
    #[n(0)]
    pub request: u32,
    /// What is under this key, of 1 to [`limits::NEAR_KEY_BYTES_MAX`] bytes; none: what the newest block is. A key
    /// without a byte is not read: no server has a record of that name, and one asked for it would seem to be at fault.
    #[n(1)]
    pub key: Option<ByteVec>,
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// Which question.
    #[n(0)]
    pub request: u32,
    /// A [`crate::ledger::Finality`] or a [`crate::ledger::StateProof`], of at most
    /// [`limits::NEAR_ANSWER_BYTES_MAX`]; none: the sender can't or won't say.
    #[n(1)]
    pub bytes: Option<ByteVec>,
}

/// A newer block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct NewHead {
    /// A [`crate::ledger::Finality`], of at most [`limits::NEAR_ANSWER_BYTES_MAX`].
    #[n(0)]
    pub finality: ByteVec,
}

/// A transaction to be told to a server. Nothing is answered: its account's number, proved, says that it is in a block.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Submit {
    /// Its bytes, at most [`limits::NEAR_TRANSACTION_BYTES_MAX`].
    #[n(0)]
    pub transaction: ByteVec,
}

/// Whether a frame is about the ledger, so that it goes neither to a share nor to a till.
pub fn is_near(frame: &[u8]) -> bool {
    decode_kind(frame).is_some_and(|kind| (40..=44).contains(&kind))
}

/// Whether a frame is [`Follows`], by its kind.
pub fn is_follows(frame: &[u8]) -> bool {
    decode_kind(frame) == Some(40)
}

impl NearMessage {
    /// The bytes of this message.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }

    /// Reads one frame. Total: any bytes give a message within its bounds or an error.
    ///
    /// # Errors
    /// As of [`crate::peer::Message::decode`].
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        if frame.len() > limits::FRAME_BYTES_MAX {
            return Err(DecodeError::TooLong { found: frame.len() });
        }
        let kind = decode_kind(frame).ok_or(DecodeError::Malformed)?;
        if !is_near(frame) {
            return Err(DecodeError::Unknown(kind));
        }
        let mut decoder = minicbor::Decoder::new(frame);
        let message: Self = decoder.decode().map_err(|_| DecodeError::Malformed)?;
        if decoder.position() != frame.len() {
            return Err(DecodeError::Malformed);
        }
        if let Self::Ask(Ask { key: Some(key), .. }) = &message {
            bound(!key.is_empty(), "key")?;
        }
        let (found, most, field) = match &message {
            Self::Ask(Ask { key: Some(key), .. }) => (key, limits::NEAR_KEY_BYTES_MAX, "key"),
            Self::Answer(Answer { bytes: Some(bytes), .. }) => {
                (bytes, limits::NEAR_ANSWER_BYTES_MAX, "bytes")
            }
            Self::NewHead(NewHead { finality }) => {
                (finality, limits::NEAR_ANSWER_BYTES_MAX, "finality")
            }
            Self::Submit(Submit { transaction }) => {
                (transaction, limits::NEAR_TRANSACTION_BYTES_MAX, "transaction")
            }
            Self::Follows(_) | Self::Ask(_) | Self::Answer(_) => return Ok(message),
        };
        bound(found.len() <= most, field)?;
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(key: Option<Vec<u8>>) -> NearMessage {
        NearMessage::Ask(Ask { request: 7, key: key.map(Into::into) })
    }

    fn answer(bytes: Option<Vec<u8>>) -> NearMessage {
        NearMessage::Answer(Answer { request: u32::MAX, bytes: bytes.map(Into::into) })
    }

    fn new_head(finality: Vec<u8>) -> NearMessage {
        NearMessage::NewHead(NewHead { finality: finality.into() })
    }

    fn submit(transaction: Vec<u8>) -> NearMessage {
        NearMessage::Submit(Submit { transaction: transaction.into() })
    }

    #[test]
    fn what_is_written_is_read_whole_or_not_at_all() {
        let follows = NearMessage::Follows(Follows { chain: [3; 32].into() });
        for message in [
            follows.clone(),
            ask(None),
            ask(Some(vec![1])),
            ask(Some(vec![1; limits::NEAR_KEY_BYTES_MAX])),
            answer(None),
            answer(Some(vec![2; 700])),
            new_head(vec![3; 310]),
            submit(vec![4; limits::NEAR_TRANSACTION_BYTES_MAX]),
        ] {
            let mut frame = message.encode_to_vec();
            assert_eq!(NearMessage::decode(&frame), Ok(message.clone()));
            assert!(is_near(&frame));
            assert_eq!(is_follows(&frame), message == follows);
            for end in 0..frame.len().min(900) {
                assert!(NearMessage::decode(&frame[..end]).is_err(), "cut at {end}");
            }
            frame.push(0);
            assert_eq!(NearMessage::decode(&frame), Err(DecodeError::Malformed));
        }
    }

    #[test]
    fn what_is_longer_than_it_may_be_is_not_read() {
        let long = limits::NEAR_ANSWER_BYTES_MAX;
        assert!(answer(Some(vec![0; long])).encode_to_vec().len() <= limits::FRAME_BYTES_MAX);
        for (message, field) in [
            (ask(Some(vec![0; limits::NEAR_KEY_BYTES_MAX + 1])), "key"),
            (answer(Some(vec![0; long + 1])), "bytes"),
            (new_head(vec![0; long + 1]), "finality"),
            (submit(vec![0; limits::NEAR_TRANSACTION_BYTES_MAX + 1]), "transaction"),
        ] {
            let read = NearMessage::decode(&message.encode_to_vec());
            assert_eq!(read, Err(DecodeError::Bound(field)));
        }
        let frame = answer(Some(vec![0; limits::FRAME_BYTES_MAX])).encode_to_vec();
        let found = frame.len();
        assert_eq!(NearMessage::decode(&frame), Err(DecodeError::TooLong { found }));
    }

    #[test]
    fn a_key_without_a_byte_is_not_read() {
        let read = NearMessage::decode(&ask(Some(vec![])).encode_to_vec());
        assert_eq!(read, Err(DecodeError::Bound("key")));
    }

    #[test]
    fn readers_of_blocks_and_of_payment_skip_it() {
        let frame = ask(None).encode_to_vec();
        let read = crate::blocks::BlockMessage::decode(&frame).map(drop);
        assert_eq!(read, Err(DecodeError::Unknown(41)));
        assert!(!crate::pay::is_payment(&frame));
        let bye = [0x82, 0x09, 0x81, 0x80];
        assert!(!is_near(&bye));
        assert_eq!(NearMessage::decode(&bye), Err(DecodeError::Unknown(9)));
    }

    #[test]
    fn what_is_kept_for_offers_is_skipped_by_all() {
        for kind in OFFER_KINDS {
            let frame = minicbor::to_vec((kind, [[0_u8; 32]])).unwrap();
            assert!(!is_near(&frame) && !crate::pay::is_payment(&frame), "{kind}");
            assert_eq!(NearMessage::decode(&frame), Err(DecodeError::Unknown(kind)));
            let read = crate::blocks::BlockMessage::decode(&frame).map(drop);
            assert_eq!(read, Err(DecodeError::Unknown(kind)));
            let read = crate::peer::Message::decode(&frame).map(drop);
            assert_eq!(read, Err(DecodeError::Unknown(kind)));
        }
    }

    #[test]
    fn a_frame_with_any_byte_changed_is_a_message_within_its_bounds_or_an_error() {
        let messages = [ask(Some(vec![1; 40])), answer(Some(vec![2; 60])), submit(vec![3; 30])];
        for frame in messages.map(|message| message.encode_to_vec()) {
            for (at, byte) in
                (0..frame.len()).flat_map(|at| (0..=u8::MAX).map(move |one| (at, one)))
            {
                let mut changed = frame.clone();
                changed[at] = byte;
                if let Ok(message) = NearMessage::decode(&changed) {
                    assert_eq!(NearMessage::decode(&message.encode_to_vec()), Ok(message));
                }
            }
        }
    }
}
