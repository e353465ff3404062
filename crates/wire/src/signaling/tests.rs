//! A man in the middle changes a description or a statement: each is refused.

use primitives::Seed;

use super::*;

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

#[test]
fn a_swapped_fingerprint_is_refused() {
    let (a, b) = (key(1), key(2));
    let swarm = SwarmId::new([3; 32]);
    let sdp = "v=0\r\na=fingerprint:sha-256 AA:BB\r\n";
    let made = Description { swarm, from: a.id(), to: b.id(), connection: 9, sdp };
    let signature = made.sign(&a).unwrap();
    assert!(made.verify(&signature).is_ok());
    let swapped = "v=0\r\na=fingerprint:sha-256 AA:BC\r\n";
    assert!(Description { sdp: swapped, ..made }.verify(&signature).is_err());
    let two = format!("{sdp}a=fingerprint:sha-256 AA:BC\r\n");
    assert!(Description { sdp: &two, ..made }.verify(&signature).is_err());
    assert!(Description { to: a.id(), ..made }.verify(&signature).is_err());
    assert!(Description { sdp: "v=0", ..made }.sign(&a).is_none());
}

#[test]
fn a_hello_proves_the_key_over_this_nonce_only() {
    let peer = key(1);
    let nonce = Base64(vec![5; 32]);
    let proof = hello_proof(&peer, &nonce);
    assert!(check_hello(&peer.id(), &nonce, &proof).is_ok());
    assert!(check_hello(&peer.id(), &Base64(vec![6; 32]), &proof).is_err());
    assert!(check_hello(&key(2).id(), &nonce, &proof).is_err());
}

#[test]
fn messages_are_the_json_the_specification_shows() {
    let hello = ToServer::Leave { swarm: SwarmId::new([0; 32]) };
    let text = serde_json::to_string(&hello).unwrap();
    assert_eq!(text, format!(r#"{{"type":"leave","swarm":"{}"}}"#, "0".repeat(64)));
    let signal = ToServer::Signal {
        swarm: SwarmId::new([0; 32]),
        to: PeerId::new([1; 32]),
        signal: Signal::Decline { connection: 4 },
    };
    let text = serde_json::to_string(&signal).unwrap();
    assert!(text.contains(r#""kind":"decline","connection":4"#), "{text}");
    assert_eq!(serde_json::from_str::<ToServer>(&text).unwrap(), signal);
}
