//! Swarms of the tracker that have members on several nodes of the host.
//!
//! Every node tells all others how many members it has in which swarm: of a swarm's first at once, of
//! other changes within a second. Who they are it tells nobody. An offer that was drawn for a member of
//! another node is given to that node, which hands it to one of its own and, when that answers, gives the
//! answer back. What comes is checked like what a client says. Why so: `docs/adr/0040-tracker-nodes.md`.

use std::collections::BTreeMap;

use primitives::Time;
use tokio::task::yield_now;
use tracker::reply::Tail;
use tracker::request::{self, Answer, OFFERS_MAX, Offer};
use tracker::{Counts, Guest, InfoHash, PeerName, SocketId};

use super::{Shard, Tracker, Way};
use crate::bus::{self, CROWDS_MAX, Crowd, Maker, NODE_OFFERS_MAX, NodeId, TrackerNews};
use crate::lock;
use crate::state::State;

/// Most bytes of descriptions in one message to another node, unless a single one is longer.
const PARCEL_BYTES_MAX: usize = 65_536;

/// The offers of one announce that other nodes get.
#[derive(Debug, Default)]
pub(super) struct Parcels(BTreeMap<NodeId, Vec<bus::Offer>>);

impl Parcels {
    pub(super) fn put(&mut self, node: tracker::NodeId, offer: &Offer<'_>) {
        let (id, description) = (*offer.id.as_bytes(), offer.description.to_owned());
        self.0.entry(NodeId(node.0)).or_default().push(bus::Offer { id, description });
    }
}

/// Cuts a list of offers where a message would become too long.
fn parts(offers: Vec<bus::Offer>) -> Vec<Vec<bus::Offer>> {
    let mut parts = Vec::new();
    let (mut part, mut size_bytes) = (Vec::new(), 0);
    for offer in offers {
        let more = offer.description.len();
        if !part.is_empty()
            && (size_bytes + more > PARCEL_BYTES_MAX || part.len() == NODE_OFFERS_MAX)
        {
            parts.push(std::mem::take(&mut part));
            size_bytes = 0;
        }
        size_bytes += more;
        part.push(offer);
    }
    parts.push(part);
    parts
}

/// What this node tells.
impl State {
    /// Gives offers to the nodes they were drawn for.
    pub(super) fn send_parcels(&self, maker: Maker, parcels: Parcels) {
        for (node, offers) in parcels.0 {
            let count = u64::try_from(offers.len()).unwrap_or(u64::MAX);
            self.tracker_metrics().offers_away.inc_by(count);
            for offers in parts(offers) {
                self.bus().tell_tracker(Some(node), TrackerNews::Offers { maker, offers });
            }
        }
    }

    /// Gives an answer back to the node whose client made the offer.
    pub(super) fn send_answer(&self, node: tracker::NodeId, to: SocketId, answer: &Answer<'_>) {
        let maker = maker(&answer.swarm, &answer.to, to);
        let news = TrackerNews::Answer {
            maker,
            offer: *answer.offer.as_bytes(),
            peer: *answer.peer.as_bytes(),
            description: answer.description.to_owned(),
        };
        self.tracker_metrics().answers_away.inc();
        self.bus().tell_tracker(Some(NodeId(node.0)), news);
    }

    /// Tells of one swarm.
    pub(super) fn tell_crowd(&self, swarm: InfoHash, counts: Counts) {
        if self.bus().is_heard() {
            self.bus().tell_tracker(None, TrackerNews::Crowds(vec![crowd(swarm, counts)]));
        }
    }

    /// Tells of the swarms whose members changed.
    pub(crate) fn tell_changed_crowds(&self) {
        let changed: Vec<_> =
            self.tracker().shards.iter().flat_map(|s| lock(s).swarms.take_changed()).collect();
        if self.bus().is_heard() {
            self.tell_crowds(&changed);
        }
    }

    /// Tells of all swarms. Between shards others have their turn, so that what waits to be sent is sent.
    pub(crate) async fn tell_all_crowds(&self) {
        for shard in &self.tracker().shards {
            let all = lock(shard).swarms.all_here();
            self.tell_crowds(&all);
            yield_now().await;
        }
    }

    /// Asks the others for all of theirs.
    pub(crate) fn ask_for_crowds(&self) {
        self.bus().tell_tracker(None, TrackerNews::Census);
    }

    fn tell_crowds(&self, crowds: &[(InfoHash, Counts)]) {
        for part in crowds.chunks(CROWDS_MAX) {
            let part = part.iter().map(|(swarm, counts)| crowd(*swarm, *counts)).collect();
            self.bus().tell_tracker(None, TrackerNews::Crowds(part));
        }
    }
}

/// What it hears.
impl State {
    pub(crate) async fn on_tracker_news(&self, from: NodeId, news: TrackerNews) {
        match news {
            TrackerNews::Census => self.tell_all_crowds().await,
            TrackerNews::Crowds(crowds) => {
                let until = self.now() + self.lease();
                self.tracker().hear_crowds(from, &crowds, until);
            }
            TrackerNews::Offers { maker, offers } => self.hand_in(from, maker, &offers),
            TrackerNews::Answer { maker, offer, peer, description } => {
                // No description: what is no JSON would harm who gets it.
                let Some(description) = request::description(&description) else { return };
                let (swarm, to) = (InfoHash::new(maker.swarm), PeerName::new(maker.peer));
                let (offer, peer) = (tracker::Name::new(offer), PeerName::new(peer));
                let answer = Answer { swarm, peer, to, offer, description };
                self.hand_answer_from(from, SocketId(maker.socket), &answer);
            }
        }
    }

    /// Another node ended.
    pub(crate) fn forget_tracker_node(&self, node: NodeId) {
        for shard in &self.tracker().shards {
            lock(shard).swarms.forget_node(tracker::NodeId(node.0));
        }
    }

    /// Hands offers of another node's client to members here.
    fn hand_in(&self, from: NodeId, maker: Maker, offers: &[bus::Offer]) {
        let offers: Vec<_> = offers.iter().take(OFFERS_MAX).filter_map(read).collect();
        let (swarm, peer) = (InfoHash::new(maker.swarm), PeerName::new(maker.peer));
        let node = tracker::NodeId(from.0);
        let guest = Guest { node, socket: SocketId(maker.socket), swarm, peer };
        let mut ways: [Option<Way>; OFFERS_MAX] = Default::default();
        let now = self.now();
        let mut shard = lock(self.tracker().shard_of(&swarm));
        let Shard { swarms, rng } = &mut *shard;
        swarms.hand_in(now, &guest, &offers, rng, |member, index| {
            if let Some(way) = ways.get_mut(index) {
                *way = Some(Way::Here(member.mailbox.clone()));
            }
        });
        drop(shard);
        self.deliver(maker, &Tail::new(&swarm, &peer), &offers, ways);
    }

    /// Hands an answer from another node to who made the offer here.
    fn hand_answer_from(&self, from: NodeId, socket: SocketId, answer: &Answer<'_>) {
        let now = self.now();
        let key = (answer.swarm, answer.to, socket);
        let mut shard = lock(self.tracker().shard_of(&answer.swarm));
        let maker = shard.swarms.answer_from(now, tracker::NodeId(from.0), key, &answer.offer);
        let maker = maker.map(|membership| membership.mailbox.clone());
        drop(shard);
        self.post_answer(maker, answer);
    }
}

impl Tracker {
    fn hear_crowds(&self, from: NodeId, crowds: &[Crowd], until: Time) {
        for &Crowd { swarm, complete, incomplete, downloaded } in crowds {
            let swarm = InfoHash::new(swarm);
            let counts = Counts { complete, incomplete, downloaded };
            let mut shard = lock(self.shard_of(&swarm));
            shard.swarms.hear(tracker::NodeId(from.0), swarm, counts, until);
        }
    }
}

/// How the maker of an offer is named to another node.
pub(super) fn maker(swarm: &InfoHash, peer: &PeerName, socket: SocketId) -> Maker {
    Maker { swarm: *swarm.as_bytes(), peer: *peer.as_bytes(), socket: socket.0 }
}

fn crowd(swarm: InfoHash, counts: Counts) -> Crowd {
    let Counts { complete, incomplete, downloaded } = counts;
    Crowd { swarm: *swarm.as_bytes(), complete, incomplete, downloaded }
}

/// An offer of another node, if its description is one.
fn read(offer: &bus::Offer) -> Option<Offer<'_>> {
    let description = request::description(&offer.description)?;
    Some(Offer { id: tracker::Name::new(offer.id), description })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_offers_go_in_several_messages_and_none_is_lost() {
        let offer = |length: usize| bus::Offer { id: [1; 20], description: "x".repeat(length) };
        let lengths = |offers: Vec<bus::Offer>| -> Vec<usize> {
            parts(offers).iter().map(Vec::len).collect()
        };
        assert_eq!(lengths(vec![offer(600); 5]), [5]);
        assert_eq!(lengths(vec![offer(16_384); 10]), [4, 4, 2]);
        assert_eq!(lengths(vec![offer(10); 11]), [10, 1]);
        assert_eq!(lengths(vec![offer(100_000)]), [1]);
    }
}
