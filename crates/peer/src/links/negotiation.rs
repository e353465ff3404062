//! Offers, answers and candidates: made, signed, checked, in the right order.

use primitives::{PeerId, SwarmId, Time};
use wire::{
    limits::SDP_BYTES_MAX,
    signaling::{Base64, Description, Signal},
};

use super::{CONNECT_TIMEOUT, LINKS_MAX, Link, Links, SWARM_LINKS_MAX, Stage, retry};
use crate::{
    Output,
    effect::{Effect, Effects, Ids},
    input::LinkId,
    problems::wrong,
};

/// A description as it came, with who says that it made it.
struct Received {
    swarm: SwarmId,
    from: PeerId,
    connection: u32,
    sdp: String,
    signature: Base64,
}

impl Links {
    /// The driver made the local description: sign it and hand it over.
    pub(crate) fn on_description(&mut self, now: Time, id: LinkId, sdp: String, fx: &mut Effects) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let (swarm, to, connection) = (link.swarm, link.remote, link.connection);
        let description = Description { swarm, from: self.me, to, connection, sdp: &sdp };
        let signature = description.sign(&self.key).filter(|_| sdp.len() <= SDP_BYTES_MAX);
        let Some(signature) = signature else {
            wrong(fx, None, "no-fingerprint", "the browser's session description is unusable", "");
            self.remotes.fail(now, (swarm, to), retry::HUNG_UP);
            return self.close(id, fx);
        };
        let answers = match link.stage {
            Stage::Offering => false,
            Stage::Answering => true,
            Stage::Offered | Stage::Settled => return,
        };
        let signal = if answers {
            link.stage = Stage::Settled;
            Signal::Answer { connection, sdp, signature }
        } else {
            link.stage = Stage::Offered;
            Signal::Offer { connection, sdp, signature }
        };
        link.describe(signal, fx);
        if answers {
            if link.open {
                link.deadline = Time::NEVER;
            }
            link.remote_described(fx);
        }
    }

    /// The driver found a local candidate.
    pub(crate) fn on_candidate(
        &mut self,
        id: LinkId,
        candidate: (String, Option<String>),
        fx: &mut Effects,
    ) {
        if let Some(link) = self.links.get_mut(&id) {
            link.on_local_candidate(candidate, fx);
        }
    }

    /// Handed over from a peer by the server: anything at all.
    pub(crate) fn on_signal(
        &mut self,
        now: Time,
        (swarm, from): (SwarmId, PeerId),
        signal: Signal,
        ids: &mut Ids,
        fx: &mut Effects,
    ) {
        if from == self.me || !self.swarms.contains_key(&swarm) {
            return;
        }
        match signal {
            Signal::Offer { connection, sdp, signature } => {
                let offer = Received { swarm, from, connection, sdp, signature };
                self.on_offer(now, offer, ids, fx);
            }
            Signal::Answer { connection, sdp, signature } => {
                let answer = Received { swarm, from, connection, sdp, signature };
                self.on_answer(now, answer, fx);
            }
            Signal::Candidate { connection, candidate, mid } => {
                if let Some(link) = self.attempt((swarm, from), connection) {
                    link.on_remote_candidate((candidate, mid), fx);
                }
            }
            Signal::Decline { connection } => self.on_decline(now, (swarm, from), connection, fx),
        }
    }

    fn on_offer(&mut self, now: Time, offer: Received, ids: &mut Ids, fx: &mut Effects) {
        let pair = (offer.swarm, offer.from);
        if self.remotes.is_cut(offer.from) {
            return Self::decline(&offer, fx);
        }
        if !self.is_genuine(&offer, fx) {
            return;
        }
        let Some(id) = self.pairs.get(&pair).copied() else {
            return self.accept(now, offer, ids, fx);
        };
        let rtc = self.rtc(offer.swarm);
        let Some(link) = self.links.get_mut(&id) else { return };
        let we_win = link.is_asking() && self.me < offer.from;
        if link.connection == offer.connection {
            // A restart of this very connection; an attempt's own offer comes only once.
            if link.open && we_win {
                link.say_again(fx);
            } else if link.open && link.stage != Stage::Answering {
                link.stage = Stage::Answering;
                link.remote_set = false;
                link.relay_only = rtc.relay_only;
                link.deadline = now + CONNECT_TIMEOUT;
                fx.push_back(Effect::Out(Output::RemoteOffer { link: id, sdp: offer.sdp, rtc }));
            }
            return;
        }
        if !link.open && we_win {
            return;
        }
        // It dialled again, so it holds the earlier connection for lost; or its attempt wins.
        self.close(id, fx);
        self.accept(now, offer, ids, fx);
    }

    fn accept(&mut self, now: Time, offer: Received, ids: &mut Ids, fx: &mut Effects) {
        let room = self.of(offer.swarm).count() < SWARM_LINKS_MAX && self.links.len() < LINKS_MAX;
        if !room || !self.can_connect(offer.swarm) {
            return Self::decline(&offer, fx);
        }
        let rtc = self.rtc(offer.swarm);
        let pair = (offer.swarm, offer.from);
        let mut link = Link::new(ids.link(), pair, offer.connection, now);
        link.relay_only = rtc.relay_only;
        fx.push_back(Effect::Out(Output::Accept { link: link.id, sdp: offer.sdp, rtc }));
        self.insert(link);
    }

    fn on_answer(&mut self, now: Time, answer: Received, fx: &mut Effects) {
        let pair = (answer.swarm, answer.from);
        let asked = |link: &Link| link.stage == Stage::Offered;
        if !self.attempt(pair, answer.connection).is_some_and(|link| asked(link)) {
            return;
        }
        if !self.is_genuine(&answer, fx) {
            return;
        }
        let Some(link) = self.attempt(pair, answer.connection) else { return };
        link.stage = Stage::Settled;
        link.deadline = if link.open { Time::NEVER } else { now + CONNECT_TIMEOUT };
        fx.push_back(Effect::Out(Output::RemoteAnswer { link: link.id, sdp: answer.sdp }));
        link.remote_described(fx);
    }

    fn on_decline(
        &mut self,
        now: Time,
        pair: (SwarmId, PeerId),
        connection: u32,
        fx: &mut Effects,
    ) {
        let declined = self.attempt(pair, connection).filter(|link| link.dialled && !link.open);
        if let Some(id) = declined.map(|link| link.id) {
            self.close(id, fx);
            self.remotes.fail(now, pair, retry::DECLINED);
        }
    }

    /// Whether `from` signed it for us. The server in the middle can make such messages: they are
    /// reported and otherwise ignored, so that they can't end an honest attempt either.
    fn is_genuine(&self, received: &Received, fx: &mut Effects) -> bool {
        let Received { swarm, from, connection, ref sdp, ref signature } = *received;
        let description = Description { swarm, from, to: self.me, connection, sdp };
        let genuine = sdp.len() <= SDP_BYTES_MAX && description.verify(signature).is_ok();
        if !genuine {
            let what =
                format!("a connection offer in the name of peer {from:?} was not signed by it");
            let remedy = "The signaling server may be tampering: use one that you trust.";
            wrong(fx, Some(swarm), "forged-description", what, remedy);
        }
        genuine
    }

    fn attempt(&mut self, pair: (SwarmId, PeerId), connection: u32) -> Option<&mut Link> {
        let id = self.pairs.get(&pair)?;
        self.links.get_mut(id).filter(|link| link.connection == connection)
    }

    fn decline(offer: &Received, fx: &mut Effects) {
        let signal = Signal::Decline { connection: offer.connection };
        fx.push_back(Effect::Signal { swarm: offer.swarm, to: offer.from, signal });
    }
}
