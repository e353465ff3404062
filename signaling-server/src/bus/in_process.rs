//! Servers of one process.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use primitives::SwarmId;
use tokio::sync::mpsc;

use super::{BoxFuture, Bus, Heard, Load, News, NodeId, TrackerNews, What};
use crate::lock;

/// Most waiting for one node; more are lost.
const HEARD_MAX: usize = 4096;

/// One node among those of this process.
#[derive(Debug)]
pub struct InProcess {
    id: NodeId,
    nodes: Arc<Mutex<Vec<Node>>>,
    heard: tokio::sync::Mutex<mpsc::Receiver<Heard>>,
}

#[derive(Debug)]
struct Node {
    id: NodeId,
    followed: BTreeSet<SwarmId>,
    heard: mpsc::Sender<Heard>,
}

impl InProcess {
    /// A node that is alone until [`InProcess::another`] is made.
    pub fn alone() -> Self {
        Self::among(Arc::default())
    }

    /// Another node that hears this one and all it hears.
    pub fn another(&self) -> Self {
        Self::among(Arc::clone(&self.nodes))
    }

    fn among(nodes: Arc<Mutex<Vec<Node>>>) -> Self {
        let (sender, receiver) = mpsc::channel(HEARD_MAX);
        let mut all = lock(&nodes);
        let id = NodeId(all.iter().map(|node| node.id.0 + 1).max().unwrap_or(0));
        all.push(Node { id, followed: BTreeSet::new(), heard: sender });
        drop(all);
        Self { id, nodes, heard: tokio::sync::Mutex::new(receiver) }
    }

    fn with_own(&self, act: impl FnOnce(&mut BTreeSet<SwarmId>)) {
        if let Some(own) = lock(&self.nodes).iter_mut().find(|node| node.id == self.id) {
            act(&mut own.followed);
        }
    }

    fn send(&self, heard: &Heard, to: impl Fn(&Node) -> bool) {
        for node in lock(&self.nodes).iter().filter(|node| node.id != self.id && to(node)) {
            // A full queue loses it, as the trait allows.
            let _ = node.heard.try_send(heard.clone());
        }
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        lock(&self.nodes).retain(|node| node.id != self.id);
    }
}

impl Bus for InProcess {
    fn node(&self) -> NodeId {
        self.id
    }

    fn is_heard(&self) -> bool {
        // A second handle to the list is a second node.
        Arc::strong_count(&self.nodes) > 1
    }

    fn follow(&self, swarm: SwarmId) {
        self.with_own(|followed| {
            followed.insert(swarm);
        });
    }

    fn unfollow(&self, swarm: SwarmId) {
        self.with_own(|followed| {
            followed.remove(&swarm);
        });
    }

    fn tell(&self, swarm: SwarmId, what: What) {
        let news = News { from: self.id, swarm, what };
        self.send(&Heard::News(news), |node| node.followed.contains(&swarm));
    }

    fn tell_tracker(&self, to: Option<NodeId>, news: TrackerNews) {
        let is_meant = |node: &Node| to.is_none_or(|to| node.id == to);
        self.send(&Heard::Tracker(self.id, news), is_meant);
    }

    fn report(&self, load: Load) {
        let load = Load { from: self.id.0, ..load };
        self.send(&Heard::Load(self.id, load), |_| true);
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.send(&Heard::Bye(self.id), |_| true) })
    }

    fn next(&self) -> BoxFuture<'_, Option<Heard>> {
        Box::pin(async { self.heard.lock().await.recv().await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SWARM: SwarmId = SwarmId::new([1; 32]);

    #[tokio::test]
    async fn only_followers_hear_and_nobody_hears_itself() {
        let first = InProcess::alone();
        assert!(!first.is_heard());
        let (second, third) = (first.another(), first.another());
        assert!(first.is_heard());
        first.follow(SWARM);
        second.follow(SWARM);
        third.follow(SwarmId::new([2; 32]));
        first.tell(SWARM, What::Who);
        let news = News { from: first.node(), swarm: SWARM, what: What::Who };
        assert_eq!(second.next().await, Some(Heard::News(news)));
        assert!(third.heard.lock().await.try_recv().is_err());
        assert!(first.heard.lock().await.try_recv().is_err());
        second.unfollow(SWARM);
        first.tell(SWARM, What::Who);
        assert!(second.heard.lock().await.try_recv().is_err());
        first.tell_tracker(Some(third.node()), TrackerNews::Census);
        assert_eq!(
            third.next().await,
            Some(Heard::Tracker(first.node(), TrackerNews::Census)),
            "and nobody else hears"
        );
        first.leave().await;
        assert_eq!(second.next().await, Some(Heard::Bye(first.node())));
        assert_eq!(third.next().await, Some(Heard::Bye(first.node())));
    }
}
