//! Paying for bytes, from peer to peer: CBOR over the control channel of any swarm.
//!
//! Kinds of their own, beside those of [`crate::peer`] and [`crate::blocks`]: who does not pay or earn skips
//! them, as readers skip what they do not know. CDDL: `docs/spec/payments.md`.
//!
//! | kind | message | who sends it, when |
//! |---|---|---|
//! | 32 | [`Terms`] | who gives bytes: what they cost, and whom to pay |
//! | 33 | [`Lane`] | who takes bytes: this much is set aside for you, look it up |
//! | 34 | [`Promise`] | who takes bytes: this much is yours, in all |
//! | 35 | [`Stop`] | either: no more, and why |
//! | 36 | [`Keep`] | a payee, to a neighbour that does not pay it: keep this in case I don't come back |

use minicbor::{Decode, Encode, bytes::ByteArray};

use crate::peer::{DecodeError, bound, decode_kind};

/// Largest frame about payment, in bytes.
pub const PAY_BYTES_MAX: usize = 256;
/// Smallest and largest unit that is paid after, in bytes.
pub const QUANTUM_BYTES: (u32, u32) = (1 << 16, 1 << 24);
/// Neighbours with whom one voucher is left.
pub const KEEPERS: u8 = 2;

/// Their kinds.
const KINDS: core::ops::RangeInclusive<u32> = 32..=36;

/// One frame about payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum PayMessage {
    /// See [`Terms`].
    #[n(32)]
    Terms(#[n(0)] Terms),
    /// See [`Lane`].
    #[n(33)]
    Lane(#[n(0)] Lane),
    /// See [`Promise`].
    #[n(34)]
    Promise(#[n(0)] Promise),
    /// See [`Stop`].
    #[n(35)]
    Stop(#[n(0)] Stop),
    /// See [`Keep`].
    #[n(36)]
    Keep(#[n(0)] Keep),
}

/// What the sender's bytes cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Terms {
    /// On which ledger: its chain.
    #[n(0)]
    pub chain: ByteArray<32>,
    /// Whom to pay: an account.
    #[n(1)]
    pub account: ByteArray<32>,
    /// In which asset.
    #[n(2)]
    pub asset: u32,
    /// Units for a MiB of payload.
    #[n(3)]
    pub per_mib: u64,
    /// A promise is due after so many bytes, within [`QUANTUM_BYTES`].
    #[n(4)]
    pub quantum_bytes: u32,
    /// Whoever does not pay is not served beyond a first credit.
    #[n(5)]
    pub required: bool,
}

/// Where units are set aside for the receiver of this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Lane {
    /// In which pool.
    #[n(0)]
    pub pool: u64,
    /// Which lane of the payee.
    #[n(1)]
    pub epoch: u32,
}

/// A voucher: the newest replaces all before it. Pool and payee are those of the [`Lane`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Promise {
    /// Of which lane.
    #[n(0)]
    pub lane: Lane,
    /// Units in all, from the lane's beginning.
    #[n(1)]
    pub cumulative: u128,
    /// Ed25519 by the pool's voucher key, as the ledger checks it.
    #[n(2)]
    pub signature: ByteArray<64>,
}

/// A voucher of somebody else than the receiver, to be handed in if its payee does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Keep {
    /// On which ledger: its chain.
    #[n(0)]
    pub chain: ByteArray<32>,
    /// Whom it pays: an account.
    #[n(1)]
    pub payee: ByteArray<32>,
    /// The rest of it.
    #[n(2)]
    pub promise: Promise,
    /// Who else has it, and waits less long: fewer than [`KEEPERS`].
    #[n(3)]
    pub turn: u8,
}

/// No more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Stop {
    /// Why.
    #[n(0)]
    pub reason: StopReason,
}

/// Why one side pays, or gives, no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum StopReason {
    /// The payer does not pay that much for a MiB, in that asset, or on that ledger.
    #[n(0)]
    Terms,
    /// The payer's limit is reached.
    #[n(1)]
    Limit,
    /// The payer has no more set aside, and can't set more aside.
    #[n(2)]
    Funds,
    /// The payee can't find the lane, or it is not what was agreed.
    #[n(3)]
    Lane,
    /// The payee can't check the promise.
    #[n(4)]
    Promise,
}

/// Whether a frame is about payment, so that it goes neither to a stream nor to a share.
pub fn is_payment(frame: &[u8]) -> bool {
    decode_kind(frame).is_some_and(|kind| KINDS.contains(&kind))
}

/// Whether a frame is [`Keep`], by its kind: of any share, and for whoever has a wallet.
pub fn is_keep(frame: &[u8]) -> bool {
    decode_kind(frame) == Some(36)
}

/// Whether a frame is a payee's [`Terms`], by its kind.
pub fn is_terms(frame: &[u8]) -> bool {
    decode_kind(frame) == Some(32)
}

impl PayMessage {
    /// The bytes of this message.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }

    /// Reads one frame. Total: any bytes give a message within its bounds or an error.
    ///
    /// # Errors
    /// As of [`crate::peer::Message::decode`].
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        if frame.len() > PAY_BYTES_MAX {
            return Err(DecodeError::TooLong { found: frame.len() });
        }
        let kind = decode_kind(frame).ok_or(DecodeError::Malformed)?;
        if !KINDS.contains(&kind) {
            return Err(DecodeError::Unknown(kind));
        }
        let mut decoder = minicbor::Decoder::new(frame);
        let message: Self = decoder.decode().map_err(|_| DecodeError::Malformed)?;
        if decoder.position() != frame.len() {
            return Err(DecodeError::Malformed);
        }
        match &message {
            Self::Terms(terms) => {
                let (least, most) = QUANTUM_BYTES;
                bound((least..=most).contains(&terms.quantum_bytes), "quantum_bytes")?;
            }
            Self::Keep(keep) => bound(keep.turn < KEEPERS, "turn")?,
            Self::Lane(_) | Self::Promise(_) | Self::Stop(_) => {}
        }
        Ok(message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(quantum_bytes: u32) -> PayMessage {
        PayMessage::Terms(Terms {
            chain: [1; 32].into(),
            account: [2; 32].into(),
            asset: 0,
            per_mib: 5,
            quantum_bytes,
            required: true,
        })
    }

    fn keep(turn: u8) -> PayMessage {
        let lane = Lane { pool: u64::MAX, epoch: u32::MAX };
        let promise = Promise { lane, cumulative: u128::MAX, signature: [7; 64].into() };
        PayMessage::Keep(Keep { chain: [1; 32].into(), payee: [2; 32].into(), promise, turn })
    }

    #[test]
    fn what_is_left_with_a_neighbour_is_read_whole_or_not_at_all() {
        let frame = keep(1).encode_to_vec();
        for end in 0..frame.len() {
            assert!(PayMessage::decode(&frame[..end]).is_err(), "{end} bytes");
        }
        let longer = [frame.as_slice(), &[0]].concat();
        assert_eq!(PayMessage::decode(&longer), Err(DecodeError::Malformed));
        let third = keep(KEEPERS).encode_to_vec();
        assert_eq!(PayMessage::decode(&third), Err(DecodeError::Bound("turn")));
    }

    #[test]
    fn what_is_written_is_read() {
        let lane = Lane { pool: u64::MAX, epoch: u32::MAX };
        let promise = Promise { lane, cumulative: u128::MAX, signature: [7; 64].into() };
        let stop = Stop { reason: StopReason::Limit };
        for message in [
            terms(1 << 18),
            PayMessage::Lane(lane),
            PayMessage::Promise(promise),
            PayMessage::Stop(stop),
            keep(1),
        ] {
            let frame = message.encode_to_vec();
            assert_eq!(PayMessage::decode(&frame), Ok(message));
            assert!(is_payment(&frame));
            assert_eq!(is_terms(&frame), matches!(message, PayMessage::Terms(_)));
            assert_eq!(is_keep(&frame), matches!(message, PayMessage::Keep(_)));
            assert!(frame.len() <= PAY_BYTES_MAX);
        }
    }

    #[test]
    fn a_quantum_is_bounded_and_other_kinds_are_skipped() {
        let frame = terms(1).encode_to_vec();
        assert_eq!(PayMessage::decode(&frame), Err(DecodeError::Bound("quantum_bytes")));
        let bye = [0x82, 0x09, 0x81, 0x80];
        assert!(!is_payment(&bye));
        assert_eq!(PayMessage::decode(&bye), Err(DecodeError::Unknown(9)));
    }

    #[test]
    fn readers_of_blocks_skip_payment() {
        let frame = terms(1 << 18).encode_to_vec();
        let read = crate::blocks::BlockMessage::decode(&frame).map(drop);
        assert_eq!(read, Err(DecodeError::Unknown(32)));
    }
}
