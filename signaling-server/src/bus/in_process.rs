//! Servers of one process.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use primitives::SwarmId;
use tokio::sync::mpsc;

use super::{Bus, News, NodeId, What};
use crate::lock;

/// Most news waiting for one node; more are lost.
const NEWS_MAX: usize = 4096;

/// One node among those of this process.
#[derive(Debug)]
pub struct InProcess {
    id: NodeId,
    nodes: Arc<Mutex<Vec<Node>>>,
    news: tokio::sync::Mutex<mpsc::Receiver<News>>,
}

#[derive(Debug)]
struct Node {
    id: NodeId,
    followed: BTreeSet<SwarmId>,
    news: mpsc::Sender<News>,
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
        let (sender, receiver) = mpsc::channel(NEWS_MAX);
        let mut all = lock(&nodes);
        let id = NodeId(all.iter().map(|node| node.id.0 + 1).max().unwrap_or(0));
        all.push(Node { id, followed: BTreeSet::new(), news: sender });
        drop(all);
        Self { id, nodes, news: tokio::sync::Mutex::new(receiver) }
    }

    fn with_own(&self, act: impl FnOnce(&mut BTreeSet<SwarmId>)) {
        if let Some(own) = lock(&self.nodes).iter_mut().find(|node| node.id == self.id) {
            act(&mut own.followed);
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
        for node in lock(&self.nodes).iter() {
            if node.id != self.id && node.followed.contains(&swarm) {
                let news = News { from: self.id, swarm, what: what.clone() };
                // A full queue loses it, as the trait allows.
                let _ = node.news.try_send(news);
            }
        }
    }

    fn next(&self) -> Pin<Box<dyn Future<Output = Option<News>> + Send + '_>> {
        Box::pin(async { self.news.lock().await.recv().await })
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
        assert_eq!(second.next().await, Some(news));
        assert!(third.news.lock().await.try_recv().is_err());
        assert!(first.news.lock().await.try_recv().is_err());
        second.unfollow(SWARM);
        first.tell(SWARM, What::Who);
        assert!(second.news.lock().await.try_recv().is_err());
    }
}
