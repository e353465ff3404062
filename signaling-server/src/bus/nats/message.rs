//! Messages of the bus, and what of them is believed: of each subject its own kinds, from somebody
//! else, about the swarm of the subject.

use primitives::SwarmId;
use wire::node::{Answer, Census, Crowds, Here, Left, Message, Offers, Signal, Who};

use crate::bus::{Heard, News, NodeId, TrackerNews, What};

/// What a node tells about a swarm, as it goes over the bus.
pub(super) fn of(from: NodeId, swarm: SwarmId, what: What) -> Message {
    let from = from.0;
    match what {
        What::Who => Message::Who(Who { from, swarm }),
        What::Here(mates) => Message::Here(Here { from, swarm, mates }),
        What::Left(peer) => Message::Left(Left { from, swarm, peer }),
        What::Signal { node: _, to, text } => Message::Signal(Signal { from, swarm, to, text }),
    }
}

/// What a node tells of the tracker's swarms, as it goes over the bus.
pub(super) fn of_tracker(from: NodeId, news: TrackerNews) -> Message {
    let from = from.0;
    match news {
        TrackerNews::Census => Message::Census(Census { from }),
        TrackerNews::Crowds(crowds) => Message::Crowds(Crowds { from, crowds }),
        TrackerNews::Offers { maker, offers } => Message::Offers(Offers { from, maker, offers }),
        TrackerNews::Answer { maker, offer, peer, description } => {
            Message::Answer(Answer { from, maker, offer, peer, description })
        }
    }
}

/// What came on the subject of a swarm.
pub(super) fn of_swarm(bytes: &[u8], own: NodeId, subject: SwarmId) -> Option<Heard> {
    let (from, swarm, what) = match read(bytes, own)? {
        Message::Who(Who { from, swarm }) => (from, swarm, What::Who),
        Message::Here(Here { from, swarm, mates }) => (from, swarm, What::Here(mates)),
        Message::Left(Left { from, swarm, peer }) => (from, swarm, What::Left(peer)),
        Message::Signal(_) | Message::Load(_) | Message::Bye(_) => return None,
        Message::Census(_) | Message::Crowds(_) => return None,
        Message::Offers(_) | Message::Answer(_) => return None,
    };
    (swarm == subject).then_some(Heard::News(News { from: NodeId(from), swarm, what }))
}

/// What came on the subject of this node.
pub(super) fn of_one(bytes: &[u8], own: NodeId) -> Option<Heard> {
    match read(bytes, own)? {
        Message::Signal(Signal { from, swarm, to, text }) => {
            let what = What::Signal { node: own, to, text };
            Some(Heard::News(News { from: NodeId(from), swarm, what }))
        }
        Message::Offers(Offers { from, maker, offers }) => {
            Some(Heard::Tracker(NodeId(from), TrackerNews::Offers { maker, offers }))
        }
        Message::Answer(Answer { from, maker, offer, peer, description }) => {
            let news = TrackerNews::Answer { maker, offer, peer, description };
            Some(Heard::Tracker(NodeId(from), news))
        }
        Message::Who(_) | Message::Here(_) | Message::Left(_) => None,
        Message::Load(_) | Message::Bye(_) | Message::Census(_) | Message::Crowds(_) => None,
    }
}

/// What came on the subject of all nodes.
pub(super) fn of_all(bytes: &[u8], own: NodeId) -> Option<Heard> {
    match read(bytes, own)? {
        Message::Load(load) => Some(Heard::Load(NodeId(load.from), load)),
        Message::Bye(bye) => Some(Heard::Bye(NodeId(bye.from))),
        Message::Census(Census { from }) => Some(Heard::Tracker(NodeId(from), TrackerNews::Census)),
        Message::Crowds(Crowds { from, crowds }) => {
            Some(Heard::Tracker(NodeId(from), TrackerNews::Crowds(crowds)))
        }
        Message::Who(_) | Message::Here(_) | Message::Left(_) => None,
        Message::Signal(_) | Message::Offers(_) | Message::Answer(_) => None,
    }
}

/// A message of somebody else: NATS does not send ours back, so who names us is not us.
fn read(bytes: &[u8], own: NodeId) -> Option<Message> {
    Message::decode(bytes).ok().filter(|message| message.sender() != own.0)
}

#[cfg(test)]
mod tests {
    use primitives::PeerId;

    use super::*;
    use crate::bus::{Crowd, Maker, Offer};

    type Reader = fn(&[u8], NodeId) -> Option<Heard>;

    const OWN: NodeId = NodeId(1);
    const SWARM: SwarmId = SwarmId::new([7; 32]);

    fn bytes(from: u64, what: What) -> Vec<u8> {
        of(NodeId(from), SWARM, what).encode_to_vec()
    }

    #[test]
    fn news_are_read_as_they_were_told() {
        for what in [What::Who, What::Here(Vec::new()), What::Left(PeerId::new([2; 32]))] {
            let news = News { from: NodeId(2), swarm: SWARM, what: what.clone() };
            assert_eq!(of_swarm(&bytes(2, what), OWN, SWARM), Some(Heard::News(news)));
        }
    }

    #[test]
    fn what_the_tracker_tells_is_read_as_it_was_told() {
        let maker = Maker { swarm: [7; 20], peer: [1; 20], socket: 3 };
        let offers = vec![Offer { id: [2; 20], description: "{}".to_owned() }];
        let crowd = Crowd { swarm: [7; 20], complete: 1, incomplete: 0, downloaded: 0 };
        let description = "{}".to_owned();
        let answer = TrackerNews::Answer { maker, offer: [2; 20], peer: [4; 20], description };
        for (news, is_for_all) in [
            (TrackerNews::Census, true),
            (TrackerNews::Crowds(vec![crowd]), true),
            (TrackerNews::Offers { maker, offers }, false),
            (answer, false),
        ] {
            let bytes = of_tracker(NodeId(2), news.clone()).encode_to_vec();
            let heard = Some(Heard::Tracker(NodeId(2), news));
            let (read, refused): (Reader, Reader) =
                if is_for_all { (of_all, of_one) } else { (of_one, of_all) };
            assert_eq!(read(&bytes, OWN), heard);
            assert_eq!(refused(&bytes, OWN), None);
        }
    }

    #[test]
    fn a_message_on_a_subject_that_is_not_its_own_is_refused() {
        let who = bytes(2, What::Who);
        assert_eq!(of_swarm(&who, OWN, SwarmId::new([8; 32])), None);
        assert_eq!(of_one(&who, OWN), None);
        assert_eq!(of_all(&who, OWN), None);
        let to = PeerId::new([2; 32]);
        let call = bytes(2, What::Signal { node: OWN, to, text: "{}".to_owned() });
        assert_eq!(of_swarm(&call, OWN, SWARM), None);
        assert!(of_one(&call, OWN).is_some());
        let census = of_tracker(NodeId(2), TrackerNews::Census).encode_to_vec();
        assert_eq!(of_one(&census, OWN), None);
        assert_eq!(of_swarm(&census, OWN, SWARM), None);
        assert!(of_all(&census, OWN).is_some());
    }

    #[test]
    fn who_speaks_in_our_name_is_refused() {
        assert_eq!(of_swarm(&bytes(OWN.0, What::Who), OWN, SWARM), None);
        assert_eq!(of_swarm(b"no message", OWN, SWARM), None);
    }
}
