//! Messages of the signaling socket, both ways: any text parses to a message or to an error, what
//! parsed survives its own text, and no signature check panics on what a stranger wrote.

use primitives::{KeyPair, Seed, SwarmId, sha256};
use wire::signaling::{
    Base64, Description, FromServer, Signal, ToServer, WitnessStatement, check_hello, hello_proof,
};

/// Parses as either side would, and writes what parsed.
pub fn run(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Ok(message) = serde_json::from_str::<ToServer>(text) {
        let again = serde_json::to_string(&message).expect("every message has a JSON form");
        assert_eq!(serde_json::from_str::<ToServer>(&again).ok().as_ref(), Some(&message));
        check_to_server(&message);
    }
    if let Ok(message) = serde_json::from_str::<FromServer>(text) {
        let again = serde_json::to_string(&message).expect("every message has a JSON form");
        assert_eq!(serde_json::from_str::<FromServer>(&again).ok().as_ref(), Some(&message));
        check_from_server(&message);
    }
}

fn check_to_server(message: &ToServer) {
    match message {
        ToServer::Hello { peer, proof, .. } => {
            // Whether it verifies is the stranger's luck; that it returns is ours.
            let _ = check_hello(peer, &Base64(vec![1; 32]), proof);
        }
        ToServer::Signal { swarm, to, signal } => check_signal(*swarm, *to, signal),
        _ => {}
    }
}

fn check_from_server(message: &FromServer) {
    match message {
        FromServer::Signal { swarm, from, signal } => check_signal(*swarm, *from, signal),
        FromServer::Witness { statement, signature, .. } => {
            let _ = statement.verify(&key().id(), signature);
        }
        _ => {}
    }
}

fn check_signal(swarm: SwarmId, from: primitives::PeerId, signal: &Signal) {
    if let Signal::Offer { connection, sdp, signature }
    | Signal::Answer { connection, sdp, signature } = signal
    {
        let to = key().id();
        let _ = Description { swarm, from, to, connection: *connection, sdp }.verify(signature);
    }
}

fn key() -> KeyPair {
    KeyPair::from_seed(Seed::new([1; 32]))
}

/// A message of every weighty kind.
pub fn seeds() -> Vec<Vec<u8>> {
    let swarm = SwarmId::new([7; 32]);
    let peer = key().id();
    let nonce = Base64(vec![1; 32]);
    let sdp = "v=0\r\na=fingerprint:sha-256 AB:CD\r\n".to_owned();
    let connection = 9;
    let description = Description { swarm, from: peer, to: peer, connection, sdp: &sdp };
    let signature = description.sign(&key()).expect("the description has one fingerprint");
    let statement = WitnessStatement {
        url: "https://example.org/a.m4s".to_owned(),
        size_bytes: 4,
        sha256: sha256(b"abcd"),
        pieces: Base64(sha256(b"abcd").as_bytes().to_vec()),
    };
    let to_server = [
        ToServer::Hello { version: 1, peer, proof: hello_proof(&key(), &nonce), resume: None },
        ToServer::More { swarm, want: 4, except: vec![peer], position: Some(3) },
        ToServer::Signal {
            swarm,
            to: peer,
            signal: Signal::Offer { connection, sdp: sdp.clone(), signature },
        },
        ToServer::Witness { id: 1, url: "https://example.org/a.m4s".to_owned() },
        ToServer::Ping,
    ];
    let from_server = [
        FromServer::Challenge { version: 1, nonce, server: peer },
        FromServer::Joined { swarm, size: 2, peers: vec![], relay_only: false },
        FromServer::Gone { swarm, peer },
        FromServer::Witness { id: 1, signature: statement.sign(&key()), statement },
    ];
    let to_server = to_server.iter().map(serde_json::to_vec);
    let from_server = from_server.iter().map(serde_json::to_vec);
    to_server.chain(from_server).map(|text| text.expect("every message has a JSON form")).collect()
}
