//! Messages between nodes: any bytes give a message within its bounds or an error, and what was read is
//! written and read again as the same.

use primitives::{PeerId, SwarmId};
use wire::limits::{MATES_MAX, NODE_BYTES_MAX, STAMPED_BYTES_MAX};
use wire::node::{Bye, Here, Left, Load, Mate, Message, Signal, Who};

/// Decodes, and encodes what was decoded.
pub fn run(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    match &message {
        Message::Here(here) => assert!(here.mates.len() <= MATES_MAX),
        Message::Signal(signal) => assert!(signal.text.len() <= STAMPED_BYTES_MAX),
        Message::Who(_) | Message::Left(_) | Message::Load(_) | Message::Bye(_) => {}
    }
    let again = message.encode_to_vec();
    assert!(again.len() <= NODE_BYTES_MAX);
    assert_eq!(Message::decode(&again), Ok(message));
}

/// A message of every kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let (from, swarm, peer) = (9, SwarmId::new([7; 32]), PeerId::new([2; 32]));
    let mate = Mate { peer, region: Some("eu".to_owned()), position: Some(12) };
    let load = Load { from, name: "a".to_owned(), version: "1".to_owned(), ..Load::default() };
    [
        Message::Who(Who { from, swarm }),
        Message::Here(Here { from, swarm, mates: vec![mate.clone(), mate] }),
        Message::Left(Left { from, swarm, peer }),
        Message::Signal(Signal { from, swarm, to: peer, text: "{}".to_owned() }),
        Message::Load(load),
        Message::Bye(Bye { from }),
    ]
    .iter()
    .map(Message::encode_to_vec)
    .collect()
}
