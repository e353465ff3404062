//! Meeting, handing on, forgery, resuming, leaving, and goodbye.

use std::collections::BTreeSet;

use futures_util::SinkExt as _;
use primitives::{KeyPair, PeerId};
use signaling_server::Config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use wire::signaling::{Base64, Description, ErrorCode, FromServer, Signal, ToServer, hello_proof};

use super::signaling_rig::{Client, SWARM, Server, join};

const SDP: &str = "v=0\r\na=fingerprint:sha-256 AA:BB:CC\r\n";
const SOCKETS: &str = "starling_signaling_sockets";

fn description(from: PeerId, to: PeerId) -> Description<'static> {
    Description { swarm: SWARM, from, to, connection: 3, sdp: SDP }
}

fn offer(key: &KeyPair, to: PeerId) -> Signal {
    let signature = description(key.id(), to).sign(key).unwrap();
    Signal::Offer { connection: 3, sdp: SDP.into(), signature }
}

async fn hand(client: &mut Client, to: PeerId, signal: Signal) {
    client.send(&ToServer::Signal { swarm: SWARM, to, signal }).await;
}

fn candidate() -> Signal {
    let candidate = "candidate:1 1 udp 2130706431 192.0.2.1 50000 typ host".into();
    Signal::Candidate { connection: 3, candidate, mid: Some("0".into()) }
}

#[tokio::test]
async fn two_peers_meet_and_hand_each_other_signed_descriptions() {
    let server = Server::start(Config::default()).await;
    let (mut first, met) = Client::join(&server, 1).await;
    assert_eq!(met, []);
    let (mut second, met) = Client::join(&server, 2).await;
    assert_eq!(met, [first.id()]);

    let (a, b) = (first.id(), second.id());
    let sent = offer(&second.key, a);
    hand(&mut second, a, sent.clone()).await;
    assert_eq!(
        first.next().await,
        FromServer::Signal { swarm: SWARM, from: b, signal: sent.clone() }
    );
    let Signal::Offer { signature, .. } = sent else { unreachable!() };
    assert!(description(b, a).verify(&signature).is_ok());

    let signature = description(a, b).sign(&first.key).unwrap();
    let answer = Signal::Answer { connection: 3, sdp: SDP.into(), signature };
    hand(&mut first, b, answer.clone()).await;
    hand(&mut first, b, candidate()).await;
    assert_eq!(second.next().await, FromServer::Signal { swarm: SWARM, from: a, signal: answer });
    let trickled = FromServer::Signal { swarm: SWARM, from: a, signal: candidate() };
    assert_eq!(second.next().await, trickled);
}

#[tokio::test]
async fn hello_and_join_in_one_breath_are_answered_in_order() {
    let server = Server::start(Config::default()).await;
    let mut client = Client::open(&server, 1, None).await.unwrap();
    let proof = hello_proof(&client.key, &client.nonce);
    client.send(&client.hello_with(proof, None)).await;
    client.send(&join(SWARM)).await;
    assert!(matches!(client.next().await, FromServer::Welcome { resumed: false, .. }));
    assert!(matches!(client.next().await, FromServer::Joined { size: 1, .. }));
}

#[tokio::test]
async fn a_forged_or_replayed_proof_is_refused_and_ends_the_socket() {
    let server = Server::start(Config::default()).await;
    let victim = Client::open(&server, 1, None).await.unwrap();
    let replayed = hello_proof(&victim.key, &victim.nonce);
    let stranger = hello_proof(&Client::open(&server, 2, None).await.unwrap().key, &victim.nonce);
    for proof in [replayed, stranger, Base64(vec![0; 64]), Base64(Vec::new())] {
        let mut forger = Client::open(&server, 1, None).await.unwrap();
        forger.send(&forger.hello_with(proof, None)).await;
        assert_eq!(forger.refusal().await, (ErrorCode::BadProof, None));
        forger.goodbye().await;
    }
    assert_eq!(server.metric("starling_signaling_sessions").await, 0);
}

#[tokio::test]
async fn nobody_speaks_in_anothers_name() {
    let server = Server::start(Config::default()).await;
    let (mut receiver, _) = Client::join(&server, 1).await;
    let (victim, _) = Client::join(&server, 2).await;
    let (mut liar, _) = Client::join(&server, 3).await;
    let to = receiver.id();
    let message = ToServer::Signal { swarm: SWARM, to, signal: candidate() };
    let text = serde_json::to_string(&message).unwrap();
    let named = format!(r#"{},"from":"{}"}}"#, &text[..text.len() - 1], victim.id());
    liar.send_text(named).await;
    assert_eq!(liar.refusal().await.0, ErrorCode::BadMessage);
    liar.send_text(text).await;
    let expected = FromServer::Signal { swarm: SWARM, from: liar.id(), signal: candidate() };
    assert_eq!(receiver.next().await, expected);
}

#[tokio::test]
async fn only_members_of_a_swarm_are_handed_signals() {
    let server = Server::start(Config::default()).await;
    let (mut member, _) = Client::join(&server, 1).await;
    let mut outsider = Client::hello(&server, 2).await;
    let (a, b) = (member.id(), outsider.id());
    hand(&mut outsider, a, candidate()).await;
    assert_eq!(outsider.refusal().await.0, ErrorCode::NotJoined);
    hand(&mut member, b, candidate()).await;
    assert_eq!(member.next().await, FromServer::Gone { swarm: SWARM, peer: b });
}

#[tokio::test]
async fn a_resumed_session_keeps_its_swarms_and_nobody_notices() {
    let server = Server::start(Config::default()).await;
    let (mut stays, _) = Client::join(&server, 1).await;
    let (drops, _) = Client::join(&server, 2).await;
    let (a, b, token) = (stays.id(), drops.id(), drops.resume.clone());
    drop(drops);
    server.metric_becomes(SOCKETS, 1).await;
    assert_eq!(stays.size().await, 2);
    hand(&mut stays, b, candidate()).await;

    let mut back = Client::open(&server, 2, None).await.unwrap();
    assert!(back.greet(Some(token)).await, "the session is taken up");
    let held = FromServer::Signal { swarm: SWARM, from: a, signal: candidate() };
    assert_eq!(back.next().await, held, "what was sent meanwhile arrives");
    hand(&mut back, a, Signal::Decline { connection: 3 }).await;
    let heard = stays.next().await;
    assert!(matches!(heard, FromServer::Signal { from, .. } if from == b), "{heard:?}");
}

#[tokio::test]
async fn a_lease_that_ends_ends_the_membership() {
    let server = Server::start(Config { lease_ms: 100, ..Config::default() }).await;
    let (mut stays, _) = Client::join(&server, 1).await;
    let (drops, _) = Client::join(&server, 2).await;
    let (b, token) = (drops.id(), drops.resume.clone());
    drop(drops);
    server.metric_becomes("starling_signaling_members", 1).await;
    assert_eq!(stays.size().await, 1);
    hand(&mut stays, b, candidate()).await;
    assert_eq!(stays.next().await, FromServer::Gone { swarm: SWARM, peer: b });
    let mut late = Client::open(&server, 2, None).await.unwrap();
    assert!(!late.greet(Some(token)).await, "nothing is left to take up");
}

#[tokio::test]
async fn a_page_that_is_closed_leaves_at_once() {
    let server = Server::start(Config::default()).await;
    let (mut stays, _) = Client::join(&server, 1).await;
    let (mut leaves, _) = Client::join(&server, 2).await;
    let frame = CloseFrame { code: CloseCode::Away, reason: "".into() };
    leaves.socket.send(Message::Close(Some(frame))).await.unwrap();
    server.metric_becomes("starling_signaling_members", 1).await;
    assert_eq!(stays.size().await, 1);
}

#[tokio::test]
async fn the_newer_socket_of_a_key_wins() {
    let server = Server::start(Config::default()).await;
    let (mut older, _) = Client::join(&server, 1).await;
    let mut newer = Client::hello(&server, 1).await;
    let (reason, _) = older.goodbye().await;
    assert!(reason.contains("newer"), "{reason}");
    assert_eq!(newer.enter(SWARM).await, []);
    assert_eq!(newer.size().await, 1);
    server.metric_becomes(SOCKETS, 1).await;
    assert_eq!(server.metric("starling_signaling_members").await, 1);
}

#[tokio::test]
async fn leaving_is_final_and_the_rest_are_introduced_anew() {
    let config = Config { push_every_ms: 0, ..Config::default() };
    let server = Server::start(config).await;
    let mut peers = Vec::new();
    for number in 0..12 {
        peers.push(Client::join(&server, number).await.0);
    }
    let gone: BTreeSet<PeerId> = peers[..8].iter().map(Client::id).collect();
    for client in &mut peers[..8] {
        client.send(&ToServer::Leave { swarm: SWARM }).await;
    }
    server.metric_becomes("starling_signaling_members", 4).await;
    let more = ToServer::More { swarm: SWARM, want: 8, except: Vec::new(), position: None };
    let last = &mut peers[11];
    last.send(&more).await;
    loop {
        let FromServer::Neighbours { peers, size, .. } = last.next().await else { continue };
        if size == 4 && peers.len() == 3 {
            assert!(peers.iter().all(|neighbour| !gone.contains(&neighbour.peer)));
            break;
        }
    }
}

#[tokio::test]
async fn at_shutdown_every_peer_is_told_when_to_come_back() {
    let config = Config { reconnect_spread_ms: 60_000, ..Config::default() };
    let server = Server::start(config).await;
    let mut peers = Vec::new();
    for number in 0..10 {
        peers.push(Client::join(&server, number).await.0);
    }
    assert_eq!(server.get("/readyz").await.status(), 200);
    let state = server.state.clone();
    let shutdown = tokio::spawn(async move { state.shutdown("the host restarts").await });
    let mut times = BTreeSet::new();
    for mut client in peers {
        let (reason, after_ms) = client.goodbye().await;
        assert_eq!(reason, "the host restarts");
        assert!((1_000..=61_000).contains(&after_ms), "{after_ms} ms");
        times.insert(after_ms);
    }
    assert!(times.len() > 5, "the times are spread: {times:?}");
    super::signaling_rig::within("the end of the shutdown", shutdown).await.unwrap();
    assert_eq!(server.get("/readyz").await.status(), 503);
    assert!(Client::open(&server, 99, None).await.is_err());
}
