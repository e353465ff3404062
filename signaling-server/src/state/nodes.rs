//! What is told to other nodes, and heard from them.

use std::time::Duration;

use primitives::{PeerId, SwarmId};

use super::State;
use crate::bus::{MATES_MAX, Mate, News, What};
use crate::lock;

/// How many times a lease its node tells of a peer again: one lost piece of news ends nothing.
const RENEWALS: u32 = 3;

impl State {
    /// Tells that a peer is in a swarm.
    pub(super) fn tell_here(&self, swarm: SwarmId, mate: Mate) {
        if self.bus().is_heard() {
            self.bus().tell(swarm, What::Here(vec![mate]));
        }
    }

    /// Tells that it left.
    pub(super) fn tell_left(&self, swarm: SwarmId, peer: PeerId) {
        if self.bus().is_heard() {
            self.bus().tell(swarm, What::Left(peer));
        }
    }

    /// How often [`State::renew`] is due.
    pub(super) fn renew_every(&self) -> Duration {
        self.lease() / RENEWALS
    }

    /// Tells of everybody again, before their leases at other nodes end.
    pub(super) fn renew(&self) {
        if !self.bus().is_heard() {
            return;
        }
        for shard in &self.0.shards {
            let swarms: Vec<_> = lock(shard).rooms.swarms().collect();
            swarms.into_iter().for_each(|swarm| self.tell_all(swarm));
        }
    }

    fn tell_all(&self, swarm: SwarmId) {
        let mates = lock(self.shard_of(&swarm)).rooms.mates(swarm);
        for part in mates.chunks(MATES_MAX) {
            self.bus().tell(swarm, What::Here(part.to_vec()));
        }
    }

    /// Hears other nodes for as long as the server runs.
    pub(crate) async fn listen(self) {
        let inner = std::sync::Arc::downgrade(&self.0);
        let bus = std::sync::Arc::clone(&self.0.bus);
        drop(self);
        while let Some(news) = bus.next().await {
            let Some(state) = inner.upgrade().map(State) else { return };
            state.on_news(news);
        }
    }

    fn on_news(&self, News { from, swarm, what }: News) {
        match what {
            What::Who => self.tell_all(swarm),
            What::Here(mates) => {
                let until = self.now() + self.lease();
                lock(self.shard_of(&swarm)).rooms.meet(swarm, from, mates, until);
            }
            What::Left(peer) => {
                lock(self.shard_of(&swarm)).rooms.part(self.now(), swarm, from, &peer);
            }
            What::Signal { node, to, text } => {
                if node == self.bus().node() {
                    self.post(&to, text.into());
                }
            }
        }
    }

    fn lease(&self) -> Duration {
        Duration::from_millis(u64::from(self.config().lease_ms))
    }
}
