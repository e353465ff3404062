//! Two nodes of one host on a bus: their peers meet, and those of a dead node vanish.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use primitives::{PeerId, SwarmId};
use signaling_server::Config;
use signaling_server::bus::{BoxFuture, Bus, Heard, InProcess, Load, NodeId, TrackerNews, What};
use wire::signaling::{FromServer, Signal, ToServer};

use super::signaling_rig::{Client, SWARM, Server, within};

/// A node whose line to the others can be cut, and that counts how often it told who is there.
#[derive(Debug, Clone)]
struct Line {
    bus: Arc<InProcess>,
    cut: Arc<AtomicBool>,
    told: Arc<AtomicU32>,
}

impl Line {
    fn new(bus: InProcess) -> Self {
        Self { bus: Arc::new(bus), cut: Arc::default(), told: Arc::default() }
    }

    async fn tells(&self, times: u32) {
        let until = self.told.load(Ordering::SeqCst) + times;
        let wait = async {
            while self.told.load(Ordering::SeqCst) < until {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within("renewals", wait).await;
    }
}

impl Bus for Line {
    fn node(&self) -> NodeId {
        self.bus.node()
    }

    fn is_heard(&self) -> bool {
        true
    }

    fn follow(&self, swarm: SwarmId) {
        self.bus.follow(swarm);
    }

    fn unfollow(&self, swarm: SwarmId) {
        self.bus.unfollow(swarm);
    }

    fn tell(&self, swarm: SwarmId, what: What) {
        if matches!(what, What::Here(_)) {
            self.told.fetch_add(1, Ordering::SeqCst);
        }
        if !self.cut.load(Ordering::SeqCst) {
            self.bus.tell(swarm, what);
        }
    }

    fn tell_tracker(&self, to: Option<NodeId>, news: TrackerNews) {
        if !self.cut.load(Ordering::SeqCst) {
            self.bus.tell_tracker(to, news);
        }
    }

    fn report(&self, load: Load) {
        self.bus.report(load);
    }

    fn leave(&self) -> BoxFuture<'_, ()> {
        self.bus.leave()
    }

    fn next(&self) -> BoxFuture<'_, Option<Heard>> {
        self.bus.next()
    }
}

fn decline(to: PeerId) -> ToServer {
    ToServer::Signal { swarm: SWARM, to, signal: Signal::Decline { connection: 1 } }
}

async fn size_becomes(client: &mut Client, expected: u32) {
    let wait = async {
        while client.size().await != expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within("the swarm's size", wait).await;
}

/// A node with one peer.
struct Node {
    line: Line,
    server: Server,
    client: Client,
}

/// Two nodes, each with a peer that knows of the other's.
async fn two_nodes(config: Config) -> (Node, Node) {
    let bus = InProcess::alone();
    let other = bus.another();
    let mut nodes = Vec::new();
    for (number, bus) in [(1, bus), (2, other)] {
        let line = Line::new(bus);
        let server = Server::node(config.clone(), line.clone()).await;
        let (client, _) = Client::join(&server, number).await;
        nodes.push(Node { line, server, client });
    }
    let (mut second, mut first) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    size_becomes(&mut first.client, 2).await;
    size_becomes(&mut second.client, 2).await;
    (first, second)
}

#[tokio::test]
async fn peers_of_two_nodes_meet_and_part() {
    let (first, second) = two_nodes(Config::default()).await;
    let (mut one, mut two) = (first.client, second.client);
    two.send(&decline(one.id())).await;
    let signal = Signal::Decline { connection: 1 };
    let expected = FromServer::Signal { swarm: SWARM, from: two.id(), signal };
    assert_eq!(one.next().await, expected);
    let (_three, met) = Client::join(&second.server, 3).await;
    assert_eq!(met.len(), 2, "one of each node");
    two.send(&ToServer::Leave { swarm: SWARM }).await;
    // Peers 1 and 3.
    size_becomes(&mut one, 2).await;
    one.send(&decline(two.id())).await;
    assert_eq!(one.next().await, FromServer::Gone { swarm: SWARM, peer: two.id() });
}

#[tokio::test]
async fn peers_of_a_live_node_stay_and_those_of_a_dead_one_vanish() {
    let (mut first, mut second) = two_nodes(Config { lease_ms: 1_500, ..Config::default() }).await;
    // Three renewals take longer than one lease.
    second.line.tells(3).await;
    assert_eq!(first.client.size().await, 2);
    second.line.cut.store(true, Ordering::SeqCst);
    size_becomes(&mut first.client, 1).await;
    assert_eq!(second.client.size().await, 2, "the other way still holds");
    second.line.cut.store(false, Ordering::SeqCst);
    size_becomes(&mut first.client, 2).await;
}

#[tokio::test]
async fn a_node_that_ends_takes_its_peers_along_at_once() {
    let (mut first, second) = two_nodes(Config { lease_ms: 600_000, ..Config::default() }).await;
    second.server.state.shutdown("upgrade").await;
    size_becomes(&mut first.client, 1).await;
}
