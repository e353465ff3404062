//! Messages between nodes: any bytes give a message within its bounds or an error, and what was read is
//! written and read again as the same.

use primitives::{PeerId, SwarmId};
use wire::limits::{CROWDS_MAX, MATES_MAX, NODE_BYTES_MAX, NODE_OFFERS_MAX, STAMPED_BYTES_MAX};
use wire::node::{
    Answer, Bye, Census, Crowd, Crowds, Here, Left, Load, Maker, Mate, Message, Offer, Offers,
    Signal, Who,
};

/// Decodes, and encodes what was decoded.
pub fn run(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    match &message {
        Message::Here(here) => assert!(here.mates.len() <= MATES_MAX),
        Message::Signal(signal) => assert!(signal.text.len() <= STAMPED_BYTES_MAX),
        Message::Crowds(crowds) => assert!(crowds.crowds.len() <= CROWDS_MAX),
        Message::Offers(offers) => assert!(offers.offers.len() <= NODE_OFFERS_MAX),
        Message::Who(_) | Message::Left(_) | Message::Load(_) | Message::Bye(_) => {}
        Message::Census(_) | Message::Answer(_) => {}
    }
    let again = message.encode_to_vec();
    assert!(again.len() <= NODE_BYTES_MAX);
    assert_eq!(Message::decode(&again), Ok(message));
}

/// A message of every kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let (from, swarm, peer) = (9, SwarmId::new([7; 32]), PeerId::new([2; 32]));
    let mate = Mate { peer, region: Some("eu".to_owned()), position: Some(12) };
    let crowd = Crowd { swarm: [7; 20], complete: 1, incomplete: 2, downloaded: 3 };
    let maker = Maker { swarm: [7; 20], peer: [2; 20], socket: 4 };
    let offer = Offer { id: [3; 20], description: "{}".to_owned() };
    let (description, offers) = (offer.description.clone(), vec![offer.clone(), offer]);
    let load = Load { from, name: "a".to_owned(), version: "1".to_owned(), ..Load::default() };
    [
        Message::Who(Who { from, swarm }),
        Message::Here(Here { from, swarm, mates: vec![mate.clone(), mate] }),
        Message::Left(Left { from, swarm, peer }),
        Message::Signal(Signal { from, swarm, to: peer, text: "{}".to_owned() }),
        Message::Load(load),
        Message::Bye(Bye { from }),
        Message::Census(Census { from }),
        Message::Crowds(Crowds { from, crowds: vec![crowd, crowd] }),
        Message::Offers(Offers { from, maker, offers }),
        Message::Answer(Answer { from, maker, offer: [3; 20], peer: [5; 20], description }),
    ]
    .iter()
    .map(Message::encode_to_vec)
    .collect()
}
