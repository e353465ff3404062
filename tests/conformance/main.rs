//! Frozen bytes: every message between peers, to and from the signaling server, between nodes, and of the
//! tracker.
//!
//! Proves that today's code writes and reads the bytes of the vectors. A vector changes only by a
//! reviewed decision, noted in the changelog under **Formats**: `UPDATE_VECTORS=1` writes them anew.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod announce;

use std::{fmt::Write as _, fs, path::PathBuf};

use primitives::{Hash, KeyPair, PeerId, Seed, SegmentId, SwarmId};
use serde_json::{Value, json};
use wire::{
    blocks::{Ask, AskedBlock, BlockMessage, Decline, Forget, Holds, Part},
    fund,
    near::{self, NearMessage},
    node,
    pay::{Keep, Lane, PayMessage, Promise, Stop, StopReason, Terms},
    peer::{
        Ack, Bye, Cancel, Choke, Data, Have, Hello, Message, Pieces, Playback, Refuse,
        RefuseReason, Request, Run,
    },
    signaling::{
        Base64, Description, ErrorCode, FromServer, IceServer, Neighbour, Signal, ToServer,
        WitnessStatement, hello_proof,
    },
};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance/vectors").join(name)
}

/// Compares with the file, or writes it when that was decided.
fn check_file(name: &str, vectors: &[Value]) {
    let document = json!({ "vectors": vectors });
    let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        fs::write(file(name), &text).unwrap();
    }
    let frozen: Value = serde_json::from_str(&fs::read_to_string(file(name)).unwrap()).unwrap();
    let frozen = frozen["vectors"].as_array().unwrap();
    assert_eq!(frozen.len(), vectors.len(), "{name}: number of vectors");
    for (expected, found) in frozen.iter().zip(vectors) {
        assert_eq!(expected, found, "{name}");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

fn peer_messages() -> Vec<(&'static str, Message<'static>)> {
    let segment = SegmentId::new(1, 1_000);
    let run = |first, count| Run { first, count };
    let data: &'static [u8] = b"sixteen KiB at most";
    vec![
        (
            "hello",
            Message::Hello(Hello { version: 1, swarm: SwarmId::new([7; 32]), uploads: true }),
        ),
        (
            "have",
            Message::Have(Have {
                track: 1,
                added: vec![run(0, 24), run(30, 1)],
                removed: vec![run(2, 1)],
            }),
        ),
        ("pieces", Message::Pieces(Pieces { segment, held: vec![0b101, 0x80], fetching: vec![2] })),
        ("pieces-stopped", Message::Pieces(Pieces { segment, held: vec![], fetching: vec![] })),
        (
            "playback",
            Message::Playback(Playback {
                at: segment,
                offset_ms: 1_500,
                rate_percent: 100,
                uploads: false,
                next_missing: 1_004,
            }),
        ),
        ("request", Message::Request(Request { segment, first: 3, count: 2, due_in_ms: 4_000 })),
        ("cancel", Message::Cancel(Cancel { segment, first: 3, count: 2 })),
        (
            "data",
            Message::Data(Data {
                segment,
                segment_bytes: 1_300_000,
                offset: 65_536,
                bytes: data.into(),
            }),
        ),
        (
            "refuse",
            Message::Refuse(Refuse { segment, first: 3, count: 2, reason: RefuseReason::Busy }),
        ),
        ("choke", Message::Choke(Choke { on: true, reason: RefuseReason::UploadsOff })),
        ("bye", Message::Bye(Bye { reason: 0 })),
        ("ack", Message::Ack(Ack { bytes: 1_376_256 })),
    ]
}

#[test]
fn peer_messages_are_the_frozen_bytes() {
    let vectors: Vec<Value> = peer_messages()
        .into_iter()
        .map(|(name, message)| {
            json!({ "name": name, "kind": "peer-message", "cbor": hex(&message.encode_to_vec()) })
        })
        .collect();
    check_file("peer.json", &vectors);
    for (vector, (name, message)) in vectors.iter().zip(peer_messages()) {
        let bytes = unhex(vector["cbor"].as_str().unwrap());
        assert_eq!(Message::decode(&bytes), Ok(message), "{name}");
    }
}

fn block_messages() -> Vec<(&'static str, BlockMessage<'static>)> {
    let run = |first, count| Run { first, count };
    let cid = unhex(&format!("01551220{}", "5a".repeat(32)));
    let cid: [u8; 36] = cid.try_into().unwrap();
    let block = |id| AskedBlock { id, cid: cid.into() };
    let bytes: &'static [u8] = b"60 KiB at most";
    let part = Part { id: 8, block_bytes: 1_048_618, offset: 61_440, bytes: bytes.into() };
    vec![
        (
            "hello",
            BlockMessage::Hello(Hello { version: 1, swarm: SwarmId::new([7; 32]), uploads: true }),
        ),
        ("choke", BlockMessage::Choke(Choke { on: true, reason: RefuseReason::UploadsOff })),
        ("bye", BlockMessage::Bye(Bye { reason: 0 })),
        (
            "holds",
            BlockMessage::Holds(Holds {
                added: vec![run(0, 24), run(30, 1)],
                removed: vec![run(2, 1)],
            }),
        ),
        ("ask", BlockMessage::Ask(Ask { blocks: vec![block(8), block(9)], due_in_ms: None })),
        ("ask-due", BlockMessage::Ask(Ask { blocks: vec![block(8)], due_in_ms: Some(500) })),
        ("forget", BlockMessage::Forget(Forget { ids: vec![8, 9] })),
        ("part", BlockMessage::Part(part)),
        ("decline", BlockMessage::Decline(Decline { ids: vec![9], reason: RefuseReason::NotHeld })),
    ]
}

#[test]
fn block_messages_are_the_frozen_bytes() {
    let vectors: Vec<Value> = block_messages()
        .into_iter()
        .map(|(name, message)| {
            json!({ "name": name, "kind": "block-message", "cbor": hex(&message.encode_to_vec()) })
        })
        .collect();
    check_file("blocks.json", &vectors);
    for (vector, (name, message)) in vectors.iter().zip(block_messages()) {
        let bytes = unhex(vector["cbor"].as_str().unwrap());
        assert_eq!(BlockMessage::decode(&bytes), Ok(message), "{name}");
    }
}

fn pay_messages() -> Vec<(&'static str, PayMessage)> {
    let terms = Terms {
        chain: [3; 32].into(),
        account: [4; 32].into(),
        asset: 0,
        per_mib: 1_000,
        quantum_bytes: 524_288,
        required: true,
    };
    let lane = Lane { pool: 7, epoch: 1 };
    // Larger than 64 bits: a big number of RFC 8949.
    let cumulative = 1 << 64;
    let promise = Promise { lane, cumulative, signature: [9; 64].into() };
    let keep = Keep { chain: [3; 32].into(), payee: [4; 32].into(), promise, turn: 1 };
    vec![
        ("terms", PayMessage::Terms(terms)),
        ("lane", PayMessage::Lane(lane)),
        ("promise", PayMessage::Promise(promise)),
        ("stop", PayMessage::Stop(Stop { reason: StopReason::Limit })),
        ("keep", PayMessage::Keep(keep)),
    ]
}

#[test]
fn messages_about_payment_are_the_frozen_bytes() {
    let vectors: Vec<Value> = pay_messages()
        .into_iter()
        .map(|(name, message)| {
            json!({ "name": name, "kind": "pay-message", "cbor": hex(&message.encode_to_vec()) })
        })
        .collect();
    check_file("pay.json", &vectors);
    for (vector, (name, message)) in vectors.iter().zip(pay_messages()) {
        let bytes = unhex(vector["cbor"].as_str().unwrap());
        assert_eq!(PayMessage::decode(&bytes), Ok(message), "{name}");
    }
}

/// What viewers sign and a fund tells: texts, so that each field has its place in them.
#[test]
fn reports_to_a_fund_are_the_frozen_texts() {
    let key = KeyPair::from_seed(Seed::from_number(1));
    let said = fund::Said {
        chain: Hash::new([3; 32]),
        pool: 7,
        session: Hash::new([5; 32]),
        swarm: SwarmId::new([7; 32]),
        account: Some(Hash::new([4; 32])),
        from: vec![(PeerId::new([2; 32]), 1 << 40)],
    };
    let report = fund::Report::make(key.id(), &said, |bytes| key.sign(bytes));
    let (chain, session) = (said.chain, said.session);
    let terms = fund::Terms { chain, pool: 7, session, per_mib: 1_000, every_s: 15 };
    let voucher = fund::Promised {
        pool: 7,
        payee: Hash::new([4; 32]),
        epoch: 1,
        cumulative: (1_u128 << 64).to_string(),
        signature: Base64(vec![9; 64]),
    };
    let told = fund::Told { earned: "12".to_owned(), paid: "5".to_owned(), voucher: Some(voucher) };
    let vectors = [
        json!({ "name": "terms", "kind": "fund-message", "json": terms }),
        json!({ "name": "report", "kind": "fund-message", "json": report }),
        json!({ "name": "told", "kind": "fund-message", "json": told }),
    ];
    check_file("fund.json", &vectors);
    let body = serde_json::to_vec(&vectors[1]["json"]).unwrap();
    let (read, what) = fund::Report::read(&body).unwrap();
    assert_eq!((read.verify(), what), (Ok(()), said));
}

fn near_messages() -> Vec<(&'static str, NearMessage)> {
    let ask = |request, key: Option<Vec<u8>>| {
        NearMessage::Ask(near::Ask { request, key: key.map(Into::into) })
    };
    let answer = |bytes: Option<Vec<u8>>| {
        NearMessage::Answer(near::Answer { request: 7, bytes: bytes.map(Into::into) })
    };
    let key = [&[1, 1][..], &[5; 36]].concat();
    let finality = b"a finality".to_vec().into();
    let transaction = b"a transaction".to_vec().into();
    vec![
        ("follows", NearMessage::Follows(near::Follows { chain: [3; 32].into() })),
        ("ask-newest", ask(7, None)),
        ("ask", ask(u32::MAX, Some(key))),
        ("answer", answer(Some(b"a state proof or a finality".to_vec()))),
        ("answer-none", answer(None)),
        ("new-head", NearMessage::NewHead(near::NewHead { finality })),
        ("submit", NearMessage::Submit(near::Submit { transaction })),
    ]
}

#[test]
fn messages_about_the_ledger_are_the_frozen_bytes() {
    let vectors: Vec<Value> = near_messages()
        .into_iter()
        .map(|(name, message)| {
            json!({ "name": name, "kind": "near-message", "cbor": hex(&message.encode_to_vec()) })
        })
        .collect();
    check_file("near.json", &vectors);
    for (vector, (name, message)) in vectors.iter().zip(near_messages()) {
        let bytes = unhex(vector["cbor"].as_str().unwrap());
        assert_eq!(NearMessage::decode(&bytes), Ok(message), "{name}");
    }
}

#[test]
fn a_later_version_may_append_fields_and_kinds() {
    // The bye of the vectors with a second field, and a kind 11.
    assert_eq!(Message::decode(&unhex("82098182000a")), Ok(Message::Bye(Bye { reason: 0 })));
    assert!(matches!(Message::decode(&unhex("820b80")), Err(wire::peer::DecodeError::Unknown(11))));
}

fn to_server() -> Vec<ToServer> {
    let key = KeyPair::from_seed(Seed::from_number(1));
    let (swarm, nonce) = (SwarmId::new([7; 32]), Base64(vec![9; 32]));
    let sdp = "v=0\r\na=fingerprint:sha-256 AA:BB\r\n";
    let to = PeerId::new([2; 32]);
    let description = Description { swarm, from: key.id(), to, connection: 5, sdp };
    let signature = description.sign(&key).unwrap();
    let signal = |signal| ToServer::Signal { swarm, to, signal };
    let sdp = sdp.to_owned();
    vec![
        ToServer::Hello {
            version: 1,
            peer: key.id(),
            proof: hello_proof(&key, &nonce),
            resume: None,
        },
        ToServer::Join {
            swarm,
            want: 8,
            region: Some("eu-west".to_owned()),
            site: None,
            position: Some(12),
        },
        ToServer::More { swarm, want: 4, except: vec![to], position: None },
        signal(Signal::Offer { connection: 5, sdp: sdp.clone(), signature: signature.clone() }),
        signal(Signal::Answer { connection: 5, sdp, signature }),
        signal(Signal::Candidate {
            connection: 5,
            candidate: String::new(),
            mid: Some("0".to_owned()),
        }),
        signal(Signal::Decline { connection: 5 }),
        ToServer::Leave { swarm },
        ToServer::Witness { id: 3, url: "https://media.example/s0.m4s".to_owned() },
        ToServer::Ping,
    ]
}

fn from_server() -> Vec<FromServer> {
    let server = KeyPair::from_seed(Seed::from_number(2));
    let (swarm, peer) = (SwarmId::new([7; 32]), PeerId::new([2; 32]));
    let statement = WitnessStatement {
        url: "https://media.example/s0.m4s".to_owned(),
        size_bytes: 3,
        sha256: Hash::new([4; 32]),
        pieces: Base64(vec![5; 32]),
    };
    let peers = vec![Neighbour { peer, region: None }];
    vec![
        FromServer::Challenge { version: 1, nonce: Base64(vec![9; 32]), server: server.id() },
        FromServer::Welcome {
            resume: "token".to_owned(),
            lease_ms: 30_000,
            resumed: false,
            ping_ms: 20_000,
            ice_servers: vec![IceServer {
                urls: vec!["stun:host.example:3478".to_owned()],
                username: None,
                credential: None,
            }],
        },
        FromServer::Joined { swarm, size: 2, peers: peers.clone(), relay_only: false },
        FromServer::Neighbours { swarm, size: 2, peers },
        FromServer::Gone { swarm, peer },
        FromServer::Witness { id: 3, signature: statement.sign(&server), statement },
        FromServer::Goodbye { reason: "restarting".to_owned(), reconnect_after_ms: 1_500 },
        FromServer::Pong,
    ]
}

#[test]
fn signaling_messages_are_the_frozen_texts() {
    let asked = to_server();
    let told = from_server();
    let vector = |direction: &str, message: Value| json!({ "kind": direction, "name": message["type"], "json": message });
    let to = asked.iter().map(|m| vector("to-server", serde_json::to_value(m).unwrap()));
    let from = told.iter().map(|m| vector("from-server", serde_json::to_value(m).unwrap()));
    let vectors: Vec<Value> = to.chain(from).collect();
    check_file("signaling.json", &vectors);
    for (vector, message) in vectors.iter().zip(&asked) {
        let read: ToServer = serde_json::from_value(vector["json"].clone()).unwrap();
        assert_eq!(read, *message);
    }
    for (vector, message) in vectors.iter().skip(asked.len()).zip(&told) {
        let read: FromServer = serde_json::from_value(vector["json"].clone()).unwrap();
        assert_eq!(read, *message);
    }
}

#[test]
fn every_error_code_has_its_frozen_text() {
    let codes = [
        (ErrorCode::BadMessage, "bad-message"),
        (ErrorCode::BadProof, "bad-proof"),
        (ErrorCode::HelloFirst, "hello-first"),
        (ErrorCode::NotJoined, "not-joined"),
        (ErrorCode::TooMany, "too-many"),
        (ErrorCode::Forbidden, "forbidden"),
        (ErrorCode::Unfetched, "unfetched"),
        (ErrorCode::NoWitness, "no-witness"),
    ];
    for (code, text) in codes {
        assert_eq!(serde_json::to_value(code).unwrap(), text);
    }
}

fn node_messages() -> Vec<(&'static str, node::Message)> {
    let (swarm, peer) = (SwarmId::new([7; 32]), PeerId::new([2; 32]));
    let from = 0x0123_4567_89ab_cdef;
    let mate = node::Mate { peer, region: Some("eu-west".to_owned()), position: Some(12) };
    let quiet = node::Mate { peer, region: None, position: None };
    let text = r#"{"from":"…","type":"signal"}"#.to_owned();
    let load = node::Load {
        from,
        name: "eu-1".to_owned(),
        version: "0.1.0".to_owned(),
        uptime_s: 86_400,
        sockets: 1_200,
        swarms: 30,
        members: 1_300,
    };
    vec![
        ("who", node::Message::Who(node::Who { from, swarm })),
        ("here", node::Message::Here(node::Here { from, swarm, mates: vec![mate, quiet] })),
        ("left", node::Message::Left(node::Left { from, swarm, peer })),
        ("signal", node::Message::Signal(node::Signal { from, swarm, to: peer, text })),
        ("load", node::Message::Load(load)),
        ("bye", node::Message::Bye(node::Bye { from })),
        ("census", node::Message::Census(node::Census { from })),
    ]
}

/// What nodes tell each other of swarms of the tracker.
fn tracker_node_messages() -> Vec<(&'static str, node::Message)> {
    let from = 0x0123_4567_89ab_cdef;
    let many = node::Crowd { swarm: [7; 20], complete: 2, incomplete: 70_000, downloaded: 300 };
    let none = node::Crowd { swarm: [8; 20], complete: 0, incomplete: 0, downloaded: 0 };
    let maker = node::Maker { swarm: [7; 20], peer: [0xff; 20], socket: 1_000 };
    let offer = |id, sdp| {
        let description = format!(r#"{{"type":"offer","sdp":"{sdp}"}}"#);
        node::Offer { id: [id; 20], description }
    };
    let description = r#"{"type":"answer"}"#.to_owned();
    let answer = node::Answer { from, maker, offer: [1; 20], peer: [3; 20], description };
    let offers = node::Offers { from, maker, offers: vec![offer(1, "v=0"), offer(2, "ü")] };
    vec![
        ("crowds", node::Message::Crowds(node::Crowds { from, crowds: vec![many, none] })),
        ("offers", node::Message::Offers(offers)),
        ("answer", node::Message::Answer(answer)),
    ]
}

#[test]
fn messages_between_nodes_are_the_frozen_bytes() {
    let vector = |(name, message): (&str, node::Message)| json!({ "name": name, "kind": "node-message", "cbor": hex(&message.encode_to_vec()) });
    let messages: Vec<_> = node_messages().into_iter().chain(tracker_node_messages()).collect();
    let vectors: Vec<Value> = messages.iter().cloned().map(vector).collect();
    check_file("node.json", &vectors);
    for (vector, (name, message)) in vectors.iter().zip(messages) {
        let bytes = unhex(vector["cbor"].as_str().unwrap());
        assert_eq!(node::Message::decode(&bytes), Ok(message), "{name}");
    }
}
