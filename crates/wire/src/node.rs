//! Node to node: CBOR (RFC 8949) over the bus that joins the signaling servers of one host.
//!
//! A message is an array `[kind, [fields…]]`. Fields are positions; a reader skips fields past those
//! it knows, so that nodes of two versions work side by side while a host upgrades. A kind it does not
//! know is [`DecodeError::Unknown`], to be ignored. Subjects and rules: `docs/spec/signaling.md`,
//! "Several nodes".
//!
//! | kind | message | subject | who sends it, when |
//! |---|---|---|---|
//! | 0 | [`Who`] | the swarm's | who follows a swarm from now on, or is on the bus again |
//! | 1 | [`Here`] | the swarm's | at a join, when asked, and three times a lease |
//! | 2 | [`Left`] | the swarm's | a peer left |
//! | 3 | [`Signal`] | the receiving node's | a peer's message for a peer of that node |
//! | 4 | [`Load`] | that of all nodes | three times a lease, and to a node that was not known |
//! | 5 | [`Bye`] | that of all nodes | a node that ends on purpose |
//! | 6 | [`Census`] | that of all nodes | who is on the bus again |
//! | 7 | [`Crowds`] | that of all nodes | who has members in swarms of the tracker, when that changes, when asked, and three times a lease |
//! | 8 | [`Offers`] | the receiving node's | offers of a tracker's client for clients of that node |
//! | 9 | [`Answer`] | the receiving node's | an answer to one of them |

use minicbor::{Decode, Encode};
use primitives::{PeerId, SwarmId};

use crate::limits;

/// One message on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// See [`Who`].
    #[n(0)]
    Who(#[n(0)] Who),
    /// See [`Here`].
    #[n(1)]
    Here(#[n(0)] Here),
    /// See [`Left`].
    #[n(2)]
    Left(#[n(0)] Left),
    /// See [`Signal`].
    #[n(3)]
    Signal(#[n(0)] Signal),
    /// See [`Load`].
    #[n(4)]
    Load(#[n(0)] Load),
    /// See [`Bye`].
    #[n(5)]
    Bye(#[n(0)] Bye),
    /// See [`Census`].
    #[n(6)]
    Census(#[n(0)] Census),
    /// See [`Crowds`].
    #[n(7)]
    Crowds(#[n(0)] Crowds),
    /// See [`Offers`].
    #[n(8)]
    Offers(#[n(0)] Offers),
    /// See [`Answer`].
    #[n(9)]
    Answer(#[n(0)] Answer),
}

/// Asks who is in a swarm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Who {
    /// The asking node: a number drawn when it starts.
    #[n(0)]
    pub from: u64,
    /// The swarm.
    #[n(1)]
    pub swarm: SwarmId,
}

/// Peers of the sender in a swarm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Here {
    /// Their node.
    #[n(0)]
    pub from: u64,
    /// The swarm.
    #[n(1)]
    pub swarm: SwarmId,
    /// At most [`limits::MATES_MAX`]; not all there are, only more of them.
    #[n(2)]
    pub mates: Vec<Mate>,
}

/// A peer of another node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Mate {
    /// Its key.
    #[n(0)]
    pub peer: PeerId,
    /// Region hint, at most [`limits::REGION_BYTES_MAX`] bytes.
    #[n(1)]
    pub region: Option<String>,
    /// Media sequence number at its playhead.
    #[n(2)]
    pub position: Option<u32>,
}

/// A peer left a swarm.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Left {
    /// Its node.
    #[n(0)]
    pub from: u64,
    /// The swarm.
    #[n(1)]
    pub swarm: SwarmId,
    /// The peer.
    #[n(2)]
    pub peer: PeerId,
}

/// A peer's message for a peer of another node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Signal {
    /// The node of the peer that speaks.
    #[n(0)]
    pub from: u64,
    /// The swarm both are in.
    #[n(1)]
    pub swarm: SwarmId,
    /// The receiver.
    #[n(2)]
    pub to: PeerId,
    /// A `signal` as the receiver gets it, with the sender named: JSON, at most
    /// [`limits::STAMPED_BYTES_MAX`] bytes.
    #[n(3)]
    pub text: String,
}

/// How it is with a node, for the host's status page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub struct Load {
    /// The node.
    #[n(0)]
    pub from: u64,
    /// What the host calls it, at most [`limits::NODE_NAME_BYTES_MAX`] bytes.
    #[n(1)]
    pub name: String,
    /// Version of its program, at most [`limits::NODE_NAME_BYTES_MAX`] bytes.
    #[n(2)]
    pub version: String,
    /// How long it runs, in seconds.
    #[n(3)]
    pub uptime_s: u64,
    /// Sockets open.
    #[n(4)]
    pub sockets: u32,
    /// Swarms its peers are in.
    #[n(5)]
    pub swarms: u32,
    /// Memberships of its peers in swarms.
    #[n(6)]
    pub members: u32,
}

/// A node ends: its peers are gone.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Bye {
    /// The node.
    #[n(0)]
    pub from: u64,
}

/// 20 bytes that name a swarm, a peer or an offer of the tracker.
pub type TrackerName = [u8; 20];

/// Asks all nodes who has members in swarms of the tracker.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Census {
    /// The asking node.
    #[n(0)]
    pub from: u64,
}

/// How many members a node has in swarms of the tracker.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Crowds {
    /// The node.
    #[n(0)]
    pub from: u64,
    /// At most [`limits::CROWDS_MAX`]; not all there are, only more of them.
    #[n(1)]
    pub crowds: Vec<Crowd>,
}

/// The members of a node in one swarm of the tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Crowd {
    /// The swarm.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub swarm: TrackerName,
    /// Members that have everything.
    #[n(1)]
    pub complete: u32,
    /// Members that do not. With none of either the node has nobody there any more.
    #[n(2)]
    pub incomplete: u32,
    /// How often a member of the node said that it has everything now.
    #[n(3)]
    pub downloaded: u32,
}

/// Who makes offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Maker {
    /// The swarm.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub swarm: TrackerName,
    /// What the client calls itself.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub peer: TrackerName,
    /// A number by which its own node knows its socket.
    #[n(2)]
    pub socket: u64,
}

/// Offers of one client, each for another member of the receiving node.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Offers {
    /// The maker's node.
    #[n(0)]
    pub from: u64,
    /// Who made them.
    #[n(1)]
    pub maker: Maker,
    /// At most [`limits::NODE_OFFERS_MAX`].
    #[n(2)]
    pub offers: Vec<Offer>,
}

/// One offer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Offer {
    /// Its name.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub id: TrackerName,
    /// JSON, at most [`limits::TRACKER_DESCRIPTION_BYTES_MAX`] bytes.
    #[n(1)]
    pub description: String,
}

/// An answer to an offer that the receiving node gave away.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Answer {
    /// The node of who answers.
    #[n(0)]
    pub from: u64,
    /// Who made the offer.
    #[n(1)]
    pub maker: Maker,
    /// The offer.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub offer: TrackerName,
    /// Who answers.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub peer: TrackerName,
    /// JSON, at most [`limits::TRACKER_DESCRIPTION_BYTES_MAX`] bytes.
    #[n(4)]
    pub description: String,
}

/// Why bytes are not a message between nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodeError {
    /// A kind this version does not know: ignore the message.
    Unknown(u32),
    /// Larger than [`limits::NODE_BYTES_MAX`].
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
                write!(f, "message is {found} bytes, limit is {}", limits::NODE_BYTES_MAX)
            }
            Self::Malformed => f.write_str("bytes are not a message"),
            Self::Bound(field) => write!(f, "field {field} is outside its bound"),
        }
    }
}

impl core::error::Error for DecodeError {}

/// Highest kind this version knows.
const KIND_MAX: u32 = 9;

impl Message {
    /// The bytes of this message.
    pub fn encode_to_vec(&self) -> Vec<u8> {
        minicbor::to_vec(self).expect("writing to a Vec does not fail")
    }

    /// Reads one message. Total: any bytes give a message within its bounds or an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > limits::NODE_BYTES_MAX {
            return Err(DecodeError::TooLong { found: bytes.len() });
        }
        let kind = kind_of(bytes).ok_or(DecodeError::Malformed)?;
        if kind > KIND_MAX {
            return Err(DecodeError::Unknown(kind));
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let message: Self = decoder.decode().map_err(|_| DecodeError::Malformed)?;
        if decoder.position() != bytes.len() {
            return Err(DecodeError::Malformed);
        }
        message.check()?;
        Ok(message)
    }

    /// The node that sent it.
    pub fn sender(&self) -> u64 {
        match self {
            Self::Who(Who { from, .. })
            | Self::Here(Here { from, .. })
            | Self::Left(Left { from, .. })
            | Self::Signal(Signal { from, .. })
            | Self::Load(Load { from, .. })
            | Self::Bye(Bye { from })
            | Self::Census(Census { from })
            | Self::Crowds(Crowds { from, .. })
            | Self::Offers(Offers { from, .. })
            | Self::Answer(Answer { from, .. }) => *from,
        }
    }

    fn check(&self) -> Result<(), DecodeError> {
        let bound = |ok, field| if ok { Ok(()) } else { Err(DecodeError::Bound(field)) };
        match self {
            Self::Who(_) | Self::Left(_) | Self::Bye(_) | Self::Census(_) => Ok(()),
            Self::Here(here) => {
                bound(here.mates.len() <= limits::MATES_MAX, "mates")?;
                let length = |mate: &Mate| mate.region.as_deref().map_or(0, str::len);
                let fits = |mate| length(mate) <= limits::REGION_BYTES_MAX;
                bound(here.mates.iter().all(fits), "region")
            }
            Self::Signal(signal) => bound(signal.text.len() <= limits::STAMPED_BYTES_MAX, "text"),
            Self::Load(load) => {
                bound(load.name.len() <= limits::NODE_NAME_BYTES_MAX, "name")?;
                bound(load.version.len() <= limits::NODE_NAME_BYTES_MAX, "version")
            }
            Self::Crowds(crowds) => bound(crowds.crowds.len() <= limits::CROWDS_MAX, "crowds"),
            Self::Offers(offers) => {
                bound(offers.offers.len() <= limits::NODE_OFFERS_MAX, "offers")?;
                let fits = |offer: &Offer| is_description(&offer.description);
                bound(offers.offers.iter().all(fits), "description")
            }
            Self::Answer(answer) => bound(is_description(&answer.description), "description"),
        }
    }
}

fn is_description(text: &str) -> bool {
    text.len() <= limits::TRACKER_DESCRIPTION_BYTES_MAX
}

fn kind_of(bytes: &[u8]) -> Option<u32> {
    let mut decoder = minicbor::Decoder::new(bytes);
    (decoder.array().ok()? == Some(2)).then_some(())?;
    decoder.u32().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWARM: SwarmId = SwarmId::new([7; 32]);

    fn mate(region: usize) -> Mate {
        let region = Some("r".repeat(region));
        Mate { peer: PeerId::new([1; 32]), region, position: Some(3) }
    }

    fn check(message: Message, expected: Result<(), DecodeError>) {
        let read = Message::decode(&message.encode_to_vec());
        assert_eq!(read, expected.map(|()| message));
    }

    #[test]
    fn what_is_within_its_bounds_is_read_as_it_was_written() {
        let here = |mates| Message::Here(Here { from: u64::MAX, swarm: SWARM, mates });
        check(here(vec![mate(limits::REGION_BYTES_MAX); limits::MATES_MAX]), Ok(()));
        check(here(vec![mate(0); limits::MATES_MAX + 1]), Err(DecodeError::Bound("mates")));
        check(here(vec![mate(limits::REGION_BYTES_MAX + 1)]), Err(DecodeError::Bound("region")));
    }

    #[test]
    fn texts_are_bounded() {
        let signal = |length: usize| {
            let (to, text) = (PeerId::new([2; 32]), "x".repeat(length));
            Message::Signal(Signal { from: 1, swarm: SWARM, to, text })
        };
        check(signal(limits::STAMPED_BYTES_MAX), Ok(()));
        check(signal(limits::STAMPED_BYTES_MAX + 1), Err(DecodeError::Bound("text")));
        let found = signal(limits::NODE_BYTES_MAX).encode_to_vec();
        let too_long = DecodeError::TooLong { found: found.len() };
        assert_eq!(Message::decode(&found), Err(too_long));
        let name = "n".repeat(limits::NODE_NAME_BYTES_MAX + 1);
        check(Message::Load(Load { name, ..Load::default() }), Err(DecodeError::Bound("name")));
    }

    #[test]
    fn what_the_tracker_tells_is_bounded() {
        let crowd = Crowd { swarm: [7; 20], complete: u32::MAX, incomplete: 1, downloaded: 0 };
        let crowds = |count| Message::Crowds(Crowds { from: 1, crowds: vec![crowd; count] });
        check(crowds(limits::CROWDS_MAX), Ok(()));
        check(crowds(limits::CROWDS_MAX + 1), Err(DecodeError::Bound("crowds")));
        let maker = Maker { swarm: [7; 20], peer: [0xff; 20], socket: u64::MAX };
        let offers = |count, length: usize| {
            let offer = Offer { id: [1; 20], description: "x".repeat(length) };
            Message::Offers(Offers { from: 1, maker, offers: vec![offer; count] })
        };
        check(offers(limits::NODE_OFFERS_MAX, 10), Ok(()));
        check(offers(limits::NODE_OFFERS_MAX + 1, 10), Err(DecodeError::Bound("offers")));
        let most = limits::TRACKER_DESCRIPTION_BYTES_MAX;
        check(offers(1, most), Ok(()));
        check(offers(1, most + 1), Err(DecodeError::Bound("description")));
        let description = "x".repeat(most + 1);
        let answer = Answer { from: 1, maker, offer: [1; 20], peer: [2; 20], description };
        check(Message::Answer(answer), Err(DecodeError::Bound("description")));
    }

    #[test]
    fn a_later_version_may_append_fields_and_kinds() {
        // The bye of node 9 with a second field, and a kind 10.
        let bye = Message::Bye(Bye { from: 9 });
        assert_eq!(bye.encode_to_vec(), [0x82, 5, 0x81, 0x81, 9]);
        assert_eq!(Message::decode(&[0x82, 5, 0x81, 0x82, 9, 0]), Ok(bye));
        assert_eq!(Message::decode(&[0x82, 10, 0x80]), Err(DecodeError::Unknown(10)));
        assert_eq!(Message::decode(&[0x82, 5, 0x81, 0x81, 9, 0]), Err(DecodeError::Malformed));
    }
}
