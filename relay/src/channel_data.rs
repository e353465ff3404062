//! ChannelData (RFC 8656, 12.4), and how messages follow each other on a stream.
//!
//! | bytes | what |
//! |---|---|
//! | 0-1 | channel, 0x4000-0x4FFF (to 0x7FFF in RFC 5766) |
//! | 2-3 | length of the data |
//! | 4- | the data; on a stream padded to 4 bytes |

use std::ops::RangeInclusive;

/// Bytes before the data.
pub const HEADER_BYTES: usize = 4;
/// Numbers a channel can have (RFC 8656, 12).
pub const CHANNELS: RangeInclusive<u16> = 0x4000..=0x4fff;
/// Numbers it could have before (RFC 5766, 11): no STUN message begins so, and so all are read; which
/// can be bound is a setting.
pub const OLD_CHANNELS: RangeInclusive<u16> = 0x4000..=0x7fff;
/// Longest message on a stream: a STUN header, and as many attributes as its length can tell.
pub const FRAME_BYTES_MAX: usize = crate::stun::HEADER_BYTES + 0xffff;

/// The header of a message to be sent.
pub fn header(channel: u16, data_bytes: u16) -> [u8; HEADER_BYTES] {
    let ([a, b], [c, d]) = (channel.to_be_bytes(), data_bytes.to_be_bytes());
    [a, b, c, d]
}

/// Channel and length of the data, if `datagram` is a ChannelData message: what follows the data is
/// padding, of any length (RFC 8656, 12.5, asks to ignore it).
pub fn parse(datagram: &[u8]) -> Option<(u16, usize)> {
    let [a, b, c, d] = *datagram.first_chunk::<HEADER_BYTES>()?;
    let (channel, length) = (u16::from_be_bytes([a, b]), usize::from(u16::from_be_bytes([c, d])));
    let whole = length <= datagram.len() - HEADER_BYTES;
    (OLD_CHANNELS.contains(&channel) && whole).then_some((channel, length))
}

/// How the bytes of a stream begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// More bytes are needed to tell.
    Unknown,
    /// A message of `bytes`, after which `padding` follows.
    Message {
        /// Its length with its header, without padding.
        bytes: usize,
        /// Bytes between it and the next message.
        padding: usize,
    },
    /// Neither STUN nor ChannelData: nothing after it can be read either.
    Garbage,
}

/// The length of the first message of a stream.
pub fn next_on_stream(stream: &[u8]) -> Next {
    let Some(&[first, _, c, d]) = stream.first_chunk::<4>() else { return Next::Unknown };
    let length = usize::from(u16::from_be_bytes([c, d]));
    match first {
        0x00..0x40 if length % 4 == 0 => {
            Next::Message { bytes: crate::stun::HEADER_BYTES + length, padding: 0 }
        }
        0x40..0x80 => {
            let bytes = HEADER_BYTES + length;
            Next::Message { bytes, padding: bytes.next_multiple_of(4) - bytes }
        }
        _ => Next::Garbage,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_two_bits_and_the_range_tell_channel_data() {
        assert_eq!(parse(&[0x40, 0, 0, 2, 7, 8]), Some((0x4000, 2)));
        assert_eq!(parse(&[0x7f, 0xff, 0, 0]), Some((0x7fff, 0)));
        assert_eq!(parse(&[0x40, 1, 0, 1, 9, 0, 0, 0]), Some((0x4001, 1)), "with padding");
        for none in [&[0x80, 0, 0, 0][..], &[0x3f, 0xff, 0, 0], &[0x40, 0, 0, 1], &[0x40, 0, 0]] {
            assert_eq!(parse(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_stream_is_cut_into_messages() {
        assert_eq!(next_on_stream(&[0x40, 0, 0]), Next::Unknown);
        let channel = Next::Message { bytes: 9, padding: 3 };
        assert_eq!(next_on_stream(&[0x40, 0, 0, 5]), channel);
        assert_eq!(next_on_stream(&[0, 1, 0, 8]), Next::Message { bytes: 28, padding: 0 });
        assert_eq!(next_on_stream(&[0, 1, 0, 7]), Next::Garbage);
        assert_eq!(next_on_stream(&[0x80, 0, 0, 0]), Next::Garbage);
    }

    proptest! {
        #[test]
        fn what_has_a_header_is_read(channel in OLD_CHANNELS, data: Vec<u8>, padding in 0_usize..8) {
            let length = u16::try_from(data.len()).unwrap();
            let mut bytes = [&header(channel, length)[..], &data].concat();
            bytes.resize(bytes.len() + padding, 0);
            prop_assert_eq!(parse(&bytes), Some((channel, data.len())));
            let whole = HEADER_BYTES + data.len();
            let padding = whole.next_multiple_of(4) - whole;
            prop_assert_eq!(next_on_stream(&bytes), Next::Message { bytes: whole, padding });
        }

        #[test]
        fn a_message_fits_the_longest(stream: Vec<u8>) {
            if let Next::Message { bytes, padding } = next_on_stream(&stream) {
                prop_assert!(bytes + padding <= FRAME_BYTES_MAX.next_multiple_of(4));
                prop_assert!(bytes >= HEADER_BYTES);
            }
        }
    }
}
