//! What the signaling server says, and what is said to it.

use primitives::SwarmId;
use wire::signaling::{ErrorCode, FromServer, Neighbour};

use super::Peer;
use crate::{problems::wrong, room, stream::clamp_want};

impl Peer {
    /// A text message, from a server that is not believed more than it must be.
    pub(super) fn on_text(&mut self, text: &str) {
        if let Some(message) = self.session.hear(self.now, text, &mut self.fx) {
            self.on_message(message);
        }
        if let Some(since) = self.session.answers_since() {
            self.links.on_answering(self.now, since, &mut self.fx);
        }
    }

    fn on_message(&mut self, message: FromServer) {
        match message {
            FromServer::Challenge { .. } => self.on_challenge(),
            FromServer::Welcome { ice_servers, .. } => self.links.set_ice_servers(ice_servers),
            FromServer::Joined { swarm, size, peers, relay_only } => {
                self.links.set_site_policy(swarm, relay_only, &mut self.fx);
                self.on_neighbours(swarm, size, &peers);
            }
            FromServer::Neighbours { swarm, size, peers } => {
                self.on_neighbours(swarm, size, &peers);
            }
            FromServer::Signal { swarm, from, signal } => {
                let (now, ids, fx) = (self.now, &mut self.ids, &mut self.fx);
                self.links.on_signal(now, (swarm, from), signal, ids, fx);
            }
            FromServer::Gone { swarm, peer } => self.links.on_gone((swarm, peer), &mut self.fx),
            FromServer::Witness { id, statement, signature } => {
                for swarm in self.streams.keys().copied().collect::<Vec<_>>() {
                    self.prove(swarm, |p, cx| p.on_witness(id, &statement, &signature, cx));
                }
            }
            FromServer::Error { code, message, id, retry_after_ms, .. } => {
                self.on_refused(code, &message, id, retry_after_ms);
            }
            FromServer::Goodbye { .. } | FromServer::Pong => {}
        }
    }

    /// The hello is out: join in the same breath, then say what waited.
    fn on_challenge(&mut self) {
        for swarm in self.swarms() {
            self.join(swarm);
            self.prove(swarm, |proofs, cx| proofs.on_server(cx));
        }
        self.session.flush(self.now, &mut self.fx);
    }

    fn on_neighbours(&mut self, swarm: SwarmId, size: u32, peers: &[Neighbour]) {
        if let Some(room) = self.rooms.get_mut(&swarm) {
            room.size = size;
            return self.links.on_neighbours(swarm, peers);
        }
        let Some(stream) = self.streams.get_mut(&swarm) else { return };
        stream.size = size;
        self.links.on_neighbours(swarm, peers);
        self.tell(swarm, swarm::Input::SwarmSize(size));
    }

    fn on_refused(
        &mut self,
        code: ErrorCode,
        message: &str,
        id: Option<u32>,
        retry_after_ms: Option<u32>,
    ) {
        if let Some(id) = id {
            for swarm in self.streams.keys().copied().collect::<Vec<_>>() {
                self.prove(swarm, |p, cx| p.on_witness_refused(id, code, retry_after_ms, cx));
            }
        } else if matches!(code, ErrorCode::Forbidden | ErrorCode::BadProof) {
            let what: String = message.chars().take(200).collect();
            let remedy = "Ask the host of the signaling server to allow this site.";
            wrong(
                &mut self.fx,
                None,
                "signaling-refused",
                format!("the signaling server refused: {what}"),
                remedy,
            );
        }
    }

    pub(super) fn join(&mut self, swarm: SwarmId) {
        let want = self.links.room(swarm);
        let join = match self.streams.get(&swarm) {
            Some(stream) => stream.join(want),
            None if self.rooms.contains_key(&swarm) => room::join(swarm, clamp_want(want)),
            None => return,
        };
        self.session.join(self.now, swarm, join, &mut self.fx);
    }

    /// The swarm has fewer neighbours than useful. Asks the server unless somebody is left to dial.
    pub(crate) fn ask_for_neighbours(&mut self, swarm: SwarmId, count: usize) {
        let (stream, room) = (self.streams.get(&swarm), self.rooms.get(&swarm));
        let size = stream.map(|stream| stream.size).or(room.map(|room| room.size));
        let Some(size) = size else { return };
        let linked = self.links.of(swarm).count();
        let alone = usize::try_from(size).is_ok_and(|size| size <= linked + 1);
        let want = count.min(self.links.room(swarm));
        if want > 0 && !self.links.has_candidates(swarm) && !(alone && linked > 0) {
            let known = self.links.known_to(swarm);
            let more = match stream {
                Some(stream) => stream.more(want, known),
                None => room::more(swarm, clamp_want(want), known),
            };
            self.session.send(self.now, more, &mut self.fx);
        }
    }

    /// Tells the person when the server is not to be had, and when it is again.
    pub(super) fn tell_signaling(&mut self) {
        let troubled = self.session.is_troubled();
        if troubled && !self.told_signaling {
            let what = "the signaling server can't be reached";
            let remedy = "The video plays on, and new viewers are found as soon as it is back. Nothing \
                          needs doing.";
            wrong(&mut self.fx, None, "signaling-unreachable", what, remedy);
        } else if !troubled && self.told_signaling {
            self.problems.clear(None, "signaling-unreachable");
        }
        self.told_signaling = troubled;
    }
}
