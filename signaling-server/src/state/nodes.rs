//! What is told to other nodes, and heard from them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use primitives::{PeerId, SwarmId};
use tokio::task::yield_now;

use super::State;
use crate::bus::{Heard, Load, MATES_MAX, Mate, News, NodeId, What};
use crate::inbound;
use crate::lock;

/// How many times a lease its node tells of a peer again: one lost piece of news ends nothing.
const RENEWALS: u32 = 3;
/// Most other nodes whose load is remembered; more are heard all the same.
const NODES_MAX: usize = 256;

/// Other nodes, by what they last told.
#[derive(Debug, Default)]
pub(crate) struct Nodes(BTreeMap<NodeId, (Instant, Load)>);

impl Nodes {
    /// Whether the node was not known, and is now.
    fn hear(&mut self, node: NodeId, load: Load) -> bool {
        let has_room = self.0.len() < NODES_MAX || self.0.contains_key(&node);
        has_room && self.0.insert(node, (Instant::now(), load)).is_none()
    }

    /// Forgets those that were silent for a lease.
    fn forget_silent(&mut self, lease: Duration) {
        self.0.retain(|_, (heard, _)| heard.elapsed() < lease);
    }

    /// How long ago each was heard, and what it told.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Duration, &Load)> {
        self.0.values().map(|(heard, load)| (heard.elapsed(), load))
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}

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

    /// Tells of everybody again, before their leases at other nodes end, and how it is here.
    pub(super) async fn renew(&self) {
        lock(&self.0.nodes).forget_silent(self.lease());
        if !self.bus().is_heard() {
            return;
        }
        self.bus().report(self.load());
        self.tell_everything(false).await;
        self.tell_all_crowds().await;
    }

    /// Tells of everybody, and asks for everybody if `ask`. Between shards others have their turn, so
    /// that what waits to be sent is sent.
    async fn tell_everything(&self, ask: bool) {
        for shard in &self.0.shards {
            let swarms: Vec<_> = lock(shard).rooms.swarms().collect();
            for swarm in swarms {
                if ask {
                    self.bus().tell(swarm, What::Who);
                }
                self.tell_all(swarm);
            }
            yield_now().await;
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
        while let Some(heard) = bus.next().await {
            let Some(state) = inner.upgrade().map(State) else { return };
            state.on_heard(heard).await;
        }
    }

    async fn on_heard(&self, heard: Heard) {
        match heard {
            Heard::Joined => {
                self.bus().report(self.load());
                self.tell_everything(true).await;
                self.ask_for_crowds();
                self.tell_all_crowds().await;
            }
            Heard::Tracker(from, news) => self.on_tracker_news(from, news).await,
            Heard::News(news) => self.on_news(news),
            Heard::Load(node, load) => {
                let is_new = lock(&self.0.nodes).hear(node, load);
                if is_new {
                    // It is as new to us as we are to it.
                    self.bus().report(self.load());
                }
            }
            Heard::Bye(node) => {
                lock(&self.0.nodes).0.remove(&node);
                for shard in &self.0.shards {
                    lock(shard).rooms.part_all(self.now(), node);
                }
                self.forget_tracker_node(node);
            }
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
                    self.on_signal(swarm, to, text);
                }
            }
        }
    }

    /// A signal of another node's peer. The bus is believed no more than a peer: what is no signal for
    /// a member of that swarm goes nowhere.
    fn on_signal(&self, swarm: SwarmId, to: PeerId, text: String) {
        if !lock(self.shard_of(&swarm)).rooms.is_here(swarm, &to) {
            // The other node does not know yet.
            self.tell_left(swarm, to);
        } else if inbound::is_stamped(&text, &swarm) {
            self.post(&to, text.into());
        }
    }

    /// How it is with this node.
    pub(crate) fn load(&self) -> Load {
        let count = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let swarms = self.swarm_count();
        Load {
            from: self.bus().node().0,
            name: self.0.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            uptime_s: self.0.started.elapsed().as_secs(),
            sockets: count(self.metrics().sockets.get()),
            swarms: u32::try_from(swarms).unwrap_or(u32::MAX),
            members: count(self.metrics().members.get()),
        }
    }

    /// How long what a node told counts.
    pub(crate) fn lease(&self) -> Duration {
        Duration::from_millis(u64::from(self.config().lease_ms))
    }
}
