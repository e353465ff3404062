//! NATS goes and comes back, is not there at the start, or carries what no node says.

use primitives::{PeerId, SwarmId};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use wire::node::{Here, Left, Mate, Message, Signal};
use wire::signaling::{FromServer, ToServer};

use super::nodes_rig::{Nats, Node, reaches, size_becomes, two_with_peers};
use super::signaling_rig::{Client, SWARM, within};

const LEASE_MS: u32 = 2_000;

#[tokio::test]
async fn without_nats_each_node_goes_on_alone_and_with_it_all_meet_again() {
    let mut nats = Nats::running().await;
    let [(first, mut one), (_second, mut two)] = two_with_peers(&nats, LEASE_MS).await;
    nats.kill();
    // Who was told of by the other node is forgotten, who is here stays.
    size_becomes(&mut one, 1).await;
    size_becomes(&mut two, 1).await;
    let (mut three, met) = Client::join(&first, 3).await;
    assert_eq!(met, [one.id()]);
    reaches(&mut three, &mut one).await;
    reaches(&mut one, &mut three).await;
    nats.start().await;
    for client in [&mut one, &mut two, &mut three] {
        size_becomes(client, 3).await;
    }
    reaches(&mut two, &mut three).await;
    reaches(&mut one, &mut two).await;
}

#[tokio::test]
async fn a_node_that_starts_before_nats_serves_and_joins_when_it_can() {
    let mut nats = Nats::absent();
    let (first, second) = (Node::start(&nats, LEASE_MS), Node::start(&nats, LEASE_MS));
    let (mut one, _) = Client::join(&first, 1).await;
    let (mut two, _) = Client::join(&second, 2).await;
    let (mut three, met) = Client::join(&first, 3).await;
    assert_eq!(met, [one.id()]);
    reaches(&mut three, &mut one).await;
    nats.start().await;
    size_becomes(&mut one, 3).await;
    size_becomes(&mut two, 3).await;
    reaches(&mut one, &mut two).await;
}

/// Somebody who can reach NATS and is no node of ours.
struct Stranger(BufReader<TcpStream>);

impl Stranger {
    async fn come(nats: &Nats) -> Self {
        let mut socket = TcpStream::connect(nats.address).await.unwrap();
        socket.write_all(b"CONNECT {\"verbose\":false}\r\n").await.unwrap();
        Self(BufReader::new(socket))
    }

    async fn say(&mut self, subject: &str, bytes: &[u8]) {
        let head = format!("PUB {subject} {}\r\n", bytes.len());
        let all = [head.as_bytes(), bytes, b"\r\nPING\r\n"].concat();
        self.0.get_mut().write_all(&all).await.unwrap();
        let mut line = String::new();
        while !line.starts_with("PONG") {
            line.clear();
            assert_ne!(within("NATS", self.0.read_line(&mut line)).await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn what_no_node_says_is_refused_and_nobody_is_harmed() {
    let nats = Nats::running().await;
    let [(first, mut one), (_second, mut two)] = two_with_peers(&nats, 600_000).await;
    let mut stranger = Stranger::come(&nats).await;
    let subject = format!("starling.1.swarm.{SWARM}");
    let other = SwarmId::new([9; 32]);
    let mates = vec![Mate { peer: PeerId::new([5; 32]), region: None, position: None }; 300];
    let call = Signal { from: 5, swarm: SWARM, to: one.id(), text: "{}".to_owned() };
    for bytes in [
        b"not CBOR".to_vec(),
        vec![0xff; 200_000],
        Message::Here(Here { from: 5, swarm: SWARM, mates }).encode_to_vec(),
        Message::Left(Left { from: 5, swarm: other, peer: two.id() }).encode_to_vec(),
        Message::Signal(call).encode_to_vec(),
    ] {
        stranger.say(&subject, &bytes).await;
    }
    first.metric_becomes("starling_signaling_bus_refused_total", 5).await;
    // Of the protocol, but of a node that does not hold the peer.
    let left = Message::Left(Left { from: 5, swarm: SWARM, peer: two.id() });
    stranger.say(&subject, &left.encode_to_vec()).await;
    reaches(&mut one, &mut two).await;
    assert_eq!(one.size().await, 2);
    one.send(&ToServer::Ping).await;
    assert_eq!(one.next().await, FromServer::Pong);
}
