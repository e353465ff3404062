//! Verdicts of one batch, made into as few sends as can be.
//!
//! Datagrams that came together from one client to one peer leave together. ChannelData that become
//! ChannelData (two clients of this relay) are sent from the very bytes they came in, with another
//! number in the header; the rest of a batch is moved together once, a lone datagram never.

use std::net::SocketAddr;
use std::ops::Range;

use crate::channel_data::{self, HEADER_BYTES};
use crate::stun::Transaction;
use crate::turn::{FiveTuple, Frame, Verdict, data_indication};

/// Room before the first datagram of a buffer, for the header it may get.
pub(super) const HEADROOM: usize = HEADER_BYTES;
/// Longest run: a datagram's length as the kernel counts it, with its headers.
const RUN_BYTES_MAX: usize = 65_000;

/// Where a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    Client(FiveTuple),
    Peer { relay: SocketAddr, peer: SocketAddr },
}

/// Which memory bytes are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Buffer(usize),
    Spare,
}

#[derive(Debug)]
struct Piece {
    to: Destination,
    place: Place,
    range: Range<usize>,
}

/// Datagrams for one destination, one after the other in memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run<'a> {
    pub(super) to: Destination,
    pub(super) bytes: &'a [u8],
    /// Length of each but the last, which may be shorter.
    pub(super) segment: usize,
}

/// What one batch is to send. Kept between batches for its memory.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pieces: Vec<Piece>,
    spare: Vec<u8>,
    indications: u64,
}

/// A datagram in its buffer.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) buffer: usize,
    /// Its bytes in the buffer.
    pub(super) range: Range<usize>,
    /// No other datagram is in the buffer.
    pub(super) alone: bool,
}

impl Plan {
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.spare.clear();
    }

    /// Adds what the machine said of a datagram in `buffer`.
    pub(super) fn push(&mut self, buffer: &mut [u8], segment: &Segment, verdict: Verdict) {
        let inside =
            |data: &Range<usize>| segment.range.start + data.start..segment.range.start + data.end;
        match verdict {
            Verdict::Nothing => {}
            Verdict::ToPeer { relay, peer, data } => {
                let to = Destination::Peer { relay, peer };
                let range = inside(&data);
                if segment.alone {
                    self.add(to, Place::Buffer(segment.buffer), range);
                } else {
                    self.copy(to, &[&buffer[range]]);
                }
            }
            Verdict::ToClient { client, frame: Frame::Channel(channel), data } => {
                let (to, range) = (Destination::Client(client), inside(&data));
                let length = u16::try_from(data.len()).expect("the machine bounds data");
                let header = channel_data::header(channel, length);
                // Its own bytes, or the headroom no other datagram uses.
                let own = data.start >= HEADER_BYTES || segment.alone;
                match range.start.checked_sub(HEADER_BYTES).filter(|_| own) {
                    Some(start) => {
                        buffer[start..range.start].copy_from_slice(&header);
                        self.add(to, Place::Buffer(segment.buffer), start..range.end);
                    }
                    None => self.copy(to, &[&header, &buffer[range]]),
                }
            }
            Verdict::ToClient { client, frame: Frame::Indication(peer), data } => {
                let indication = data_indication(self.transaction(), peer, &buffer[inside(&data)]);
                self.copy(Destination::Client(client), &[&indication]);
            }
        }
    }

    fn add(&mut self, to: Destination, place: Place, range: Range<usize>) {
        self.pieces.push(Piece { to, place, range });
    }

    fn copy(&mut self, to: Destination, parts: &[&[u8]]) {
        let start = self.spare.len();
        parts.iter().for_each(|part| self.spare.extend_from_slice(part));
        self.add(to, Place::Spare, start..self.spare.len());
    }

    /// Nobody answers an indication: a number is as good as randomness.
    fn transaction(&mut self) -> Transaction {
        self.indications = self.indications.wrapping_add(1);
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.indications.to_be_bytes());
        transaction
    }

    /// The runs, in order. `of` gives the bytes of a buffer.
    pub(super) fn runs<'a>(
        &'a self,
        run_max: usize,
        of: impl Fn(usize) -> &'a [u8],
    ) -> impl Iterator<Item = Run<'a>> {
        let mut rest = &self.pieces[..];
        std::iter::from_fn(move || {
            let first = rest.first()?;
            let count = count(rest, run_max);
            let (run, after) = rest.split_at(count);
            rest = after;
            let memory = match first.place {
                Place::Buffer(index) => of(index),
                Place::Spare => &self.spare,
            };
            let end = run.last().map_or(first.range.end, |last| last.range.end);
            let bytes = &memory[first.range.start..end];
            Some(Run { to: first.to, bytes, segment: first.range.len() })
        })
    }
}

/// How many pieces from the first on can be sent as one run.
fn count(pieces: &[Piece], run_max: usize) -> usize {
    let first = &pieces[0];
    let mut count = 1;
    while count < run_max.min(pieces.len()) {
        let (last, next) = (&pieces[count - 1], &pieces[count]);
        let follows = next.to == first.to
            && next.place == first.place
            && next.range.start == last.range.end
            && last.range.len() == first.range.len()
            && next.range.len() <= first.range.len()
            && !next.range.is_empty()
            && next.range.end - first.range.start <= RUN_BYTES_MAX;
        if !follows {
            break;
        }
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{Message, attribute, method};

    fn client(port: u16) -> FiveTuple {
        let ip = [127, 0, 0, 1].into();
        FiveTuple { listener: 0, local: ip, remote: SocketAddr::new(ip, port) }
    }

    fn peer() -> (SocketAddr, SocketAddr) {
        ("192.0.2.1:50000".parse().unwrap(), "1.2.3.4:5".parse().unwrap())
    }

    /// A buffer of datagrams of `size`, each of its own byte, and the plan of `verdict` for each.
    fn plan(count: u8, size: usize, verdict: impl Fn(usize) -> Verdict) -> (Vec<u8>, Plan) {
        let mut buffer = vec![0xee; HEADROOM];
        (0..count).for_each(|byte| buffer.extend(std::iter::repeat_n(byte, size)));
        let mut plan = Plan::default();
        for index in 0..usize::from(count) {
            let start = HEADROOM + index * size;
            let segment = Segment { buffer: 0, range: start..start + size, alone: count == 1 };
            plan.push(&mut buffer, &segment, verdict(index));
        }
        (buffer, plan)
    }

    fn runs(buffer: &[u8], plan: &Plan, run_max: usize) -> Vec<(Destination, Vec<u8>, usize)> {
        let runs = plan.runs(run_max, |_| buffer);
        runs.map(|run| (run.to, run.bytes.to_vec(), run.segment)).collect()
    }

    #[test]
    fn channel_data_become_channel_data_where_they_are() {
        let verdict =
            |_| Verdict::ToClient { client: client(1), frame: Frame::Channel(0x4abc), data: 4..14 };
        let (buffer, plan) = plan(3, 14, verdict);
        assert!(plan.spare.is_empty());
        let runs = runs(&buffer, &plan, 64);
        assert_eq!(runs.len(), 1);
        let (to, bytes, segment) = &runs[0];
        assert_eq!((*to, *segment, bytes.len()), (Destination::Client(client(1)), 14, 42));
        for (index, message) in bytes.chunks(14).enumerate() {
            assert_eq!(channel_data::parse(message), Some((0x4abc, 10)));
            assert!(message[4..].iter().all(|byte| usize::from(*byte) == index));
        }
    }

    #[test]
    fn a_batch_for_a_peer_is_moved_together_and_a_lone_datagram_is_not() {
        let (relay, to) = peer();
        let verdict = |_| Verdict::ToPeer { relay, peer: to, data: 4..14 };
        let (buffer, many) = plan(3, 14, verdict);
        let found = runs(&buffer, &many, 64);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].1.len(), found[0].2), (30, 10));
        assert_eq!(found[0].1[10..20], [1; 10]);
        let (buffer, one) = plan(1, 14, verdict);
        assert!(one.spare.is_empty());
        assert_eq!(runs(&buffer, &one, 64)[0].1, [0; 10]);
    }

    #[test]
    fn datagrams_of_a_peer_get_their_headers() {
        let verdict =
            |_| Verdict::ToClient { client: client(1), frame: Frame::Channel(0x4000), data: 0..10 };
        for count in [1, 4] {
            let (buffer, plan) = plan(count, 10, verdict);
            assert_eq!(plan.spare.is_empty(), count == 1);
            let runs = runs(&buffer, &plan, 64);
            assert_eq!((runs.len(), runs[0].2), (1, 14));
            for (index, message) in runs[0].1.chunks(14).enumerate() {
                assert_eq!(channel_data::parse(message), Some((0x4000, 10)));
                assert!(message[4..].iter().all(|byte| usize::from(*byte) == index));
            }
        }
    }

    #[test]
    fn a_peer_without_a_channel_comes_in_an_indication() {
        let frame = Frame::Indication(peer().1);
        let (buffer, plan) =
            plan(2, 10, |_| Verdict::ToClient { client: client(1), frame, data: 0..10 });
        let runs = runs(&buffer, &plan, 1);
        assert_eq!(runs.len(), 2);
        let message = Message::parse(&runs[1].1).unwrap();
        assert_eq!(message.method(), method::DATA);
        assert_eq!(message.get(attribute::DATA), Some(&[1; 10][..]));
    }

    #[test]
    fn a_run_ends_where_destination_size_or_bound_change() {
        let to = |index: usize| if index < 2 { client(1) } else { client(2) };
        let verdict = |index| Verdict::ToClient {
            client: to(index),
            frame: Frame::Channel(0x4000),
            // The fifth is padded: its message is shorter than its datagram.
            data: if index == 4 { 4..10 } else { 4..14 },
        };
        let (buffer, plan) = plan(7, 14, verdict);
        let lengths: Vec<_> =
            runs(&buffer, &plan, 64).iter().map(|(_, bytes, _)| bytes.len()).collect();
        assert_eq!(lengths, [28, 38, 28]);
        let lengths: Vec<_> =
            runs(&buffer, &plan, 1).iter().map(|(_, bytes, _)| bytes.len()).collect();
        assert_eq!(lengths, [14, 14, 14, 14, 10, 14, 14]);
    }
}
