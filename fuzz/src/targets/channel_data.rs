//! ChannelData, and streams of messages: any bytes are cut into messages that fit, and a stream
//! cut anywhere gives the same messages.

use relay::channel_data::{FRAME_BYTES_MAX, HEADER_BYTES, Next, header, next_on_stream, parse};

/// Reads as a datagram and as a stream.
pub fn run(bytes: &[u8]) {
    if let Some((channel, length)) = parse(bytes) {
        let length_u16 = u16::try_from(length).expect("a length is 16 bits");
        assert_eq!(header(channel, length_u16), bytes[..HEADER_BYTES]);
        assert!(HEADER_BYTES + length <= bytes.len());
    }
    let whole = cut(bytes);
    let half = bytes.len() / 2;
    assert!(whole.starts_with(&cut(&bytes[..half])));
}

/// Ends of the whole messages of a stream.
fn cut(stream: &[u8]) -> Vec<usize> {
    let (mut at, mut ends) = (0, Vec::new());
    while let Next::Message { bytes, padding } = next_on_stream(&stream[at..]) {
        assert!((HEADER_BYTES..=FRAME_BYTES_MAX).contains(&bytes));
        assert_eq!((bytes + padding) % 4, 0);
        at += bytes + padding;
        if at > stream.len() {
            break;
        }
        ends.push(at);
    }
    ends
}

/// A datagram, and streams of both kinds.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut stream = Vec::new();
    for data in ["", "a", "four", "hello"] {
        let length = u16::try_from(data.len()).expect("short");
        stream.extend_from_slice(&header(0x4000 + length, length));
        stream.extend_from_slice(data.as_bytes());
        stream.resize(stream.len().next_multiple_of(4), 0);
    }
    let mut mixed = super::stun::seeds().concat();
    mixed.extend_from_slice(&stream);
    vec![[&header(0x4abc, 5)[..], b"hello"].concat(), stream, mixed]
}
