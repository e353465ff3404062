//! Frames of a data channel: any bytes decode to a message within its bounds or to an error, and a
//! message that decoded survives its own encoding.

use primitives::{SegmentId, SwarmId};
use wire::peer::{
    Bye, Cancel, Choke, Data, Have, Hello, Message, Pieces, Playback, Refuse, RefuseReason,
    Request, Run,
};

/// Decodes, and encodes what decoded.
pub fn run(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    let again = message.encode_to_vec();
    assert_eq!(
        Message::decode(&again).as_ref(),
        Ok(&message),
        "what decodes must survive encoding"
    );
}

/// One message of every kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let segment = SegmentId::new(1, 70_000);
    let run = Run { first: 3, count: 40 };
    let messages = [
        Message::Hello(Hello { version: 1, swarm: SwarmId::new([7; 32]), uploads: true }),
        Message::Have(Have { track: 0, added: vec![run, run], removed: vec![run] }),
        Message::Pieces(Pieces { segment, held: vec![0xff, 1], fetching: vec![2] }),
        Message::Playback(Playback {
            at: segment,
            offset_ms: 1200,
            rate_percent: 100,
            uploads: true,
            next_missing: 70_004,
        }),
        Message::Request(Request { segment, first: 0, count: 8, due_in_ms: 9000 }),
        Message::Cancel(Cancel { segment, first: 0, count: 8 }),
        Message::Data(Data {
            segment,
            segment_bytes: 200_000,
            offset: 65_536,
            bytes: b"payload".as_slice().into(),
        }),
        Message::Refuse(Refuse { segment, first: 1, count: 2, reason: RefuseReason::Busy }),
        Message::Choke(Choke { on: true, reason: RefuseReason::UploadsOff }),
        Message::Bye(Bye { reason: 1 }),
    ];
    messages.iter().map(Message::encode_to_vec).collect()
}
