//! Effects, one after the other: to the driver, to the server, or into another part.

use primitives::SwarmId;
use wire::signaling::ToServer;

use super::Peer;
use crate::{
    Output,
    effect::{Effect, Effects},
    room::RoomEvent,
    stream::{Ask, Stream},
};

impl Peer {
    /// Performs what followed, and what follows from that. Ends: an effect causes only effects
    /// further along (server and links, then swarm, then proofs, then output).
    pub(super) fn perform_all(&mut self, out: &mut Vec<Output>) {
        while let Some(effect) = self.fx.pop_front() {
            self.perform(effect, out);
        }
    }

    fn perform(&mut self, effect: Effect, out: &mut Vec<Output>) {
        match effect {
            Effect::Out(output) => out.push(output),
            Effect::Signal { swarm, to, signal } => {
                let message = ToServer::Signal { swarm, to, signal };
                self.session.send(self.now, message, &mut self.fx);
            }
            Effect::Witness { id, url } => {
                self.session.send(self.now, ToServer::Witness { id, url }, &mut self.fx);
            }
            Effect::Up { swarm, peer } => {
                if !self.tell_room(swarm, RoomEvent::Up(peer)) {
                    self.tell(swarm, swarm::Input::PeerUp(peer));
                }
            }
            Effect::Down { swarm, peer } => {
                if !self.tell_room(swarm, RoomEvent::Down(peer)) {
                    self.tell(swarm, swarm::Input::PeerDown(peer));
                }
            }
            Effect::Frame { swarm, from, bytes } => {
                // It may have been hung up by the frame before.
                if self.links.open_link((swarm, from)).is_some() {
                    self.on_frame(swarm, from, bytes);
                }
            }
            Effect::Proof { swarm, segment, proof } => {
                self.tell(swarm, swarm::Input::Proof { segment, proof });
            }
            Effect::Unfetchable { swarm, fetch } => {
                // As if the origin had said that it is not there.
                self.with(swarm, |stream, now, fx| stream.on_fetch_failed(now, fetch, 404, fx));
            }
            Effect::Wrong(swarm, problem) => self.problems.raise(self.now, swarm, problem, out),
            Effect::Right(swarm, code) => self.problems.clear(swarm, code),
        }
    }

    /// Hands one swarm one input.
    pub(super) fn tell(&mut self, swarm: SwarmId, input: swarm::Input<'_>) {
        self.with(swarm, |stream, now, fx| stream.step(now, input, fx));
    }

    /// Lets one stream work, and does what its swarm asks of the other parts.
    pub(super) fn with(
        &mut self,
        swarm: SwarmId,
        work: impl FnOnce(&mut Stream, primitives::Time, &mut Effects) -> Vec<Ask>,
    ) {
        let Some(stream) = self.streams.get_mut(&swarm) else { return };
        for ask in work(stream, self.now, &mut self.fx) {
            match ask {
                Ask::Send { to, channel, bytes } => {
                    if let Some(link) = self.links.open_link((swarm, to)) {
                        self.fx.push_back(Effect::Out(Output::Send { link, channel, bytes }));
                    }
                }
                Ask::HangUp(peer, why) => {
                    self.links.hang_up(self.now, (swarm, peer), why, &mut self.fx);
                }
                Ask::Prove(segment) => {
                    self.prove(swarm, |proofs, cx| proofs.prove(segment, cx));
                }
                Ask::Neighbours(count) => self.ask_for_neighbours(swarm, usize::from(count)),
            }
        }
    }
}
