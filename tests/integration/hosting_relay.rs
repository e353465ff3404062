//! No default of ours is an open relay: without a credential of this server nothing is relayed, and
//! credentials are for peers in a swarm.

use tokio::net::UdpSocket;

use super::hosting_rig::{Host, checkout, within};

/// RFC 8489, 5.
const MAGIC: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const ALLOCATE: u16 = 0x0003;
const ALLOCATE_ERROR: u16 = 0x0113;

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    let mut bytes = [kind.to_be_bytes(), length.to_be_bytes()].concat();
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn allocate(attributes: &[Vec<u8>]) -> Vec<u8> {
    // Requested transport: UDP (RFC 8656, 18.7).
    let body = [attribute(0x0019, &[17, 0, 0, 0]), attributes.concat()].concat();
    let length = u16::try_from(body.len()).unwrap();
    let head = [&ALLOCATE.to_be_bytes()[..], &length.to_be_bytes(), &MAGIC, &[7; 12]].concat();
    [head, body].concat()
}

/// The relay's answer: its type and its attributes. A nonce is good for the address it was sent to, so
/// a client that goes on uses the same socket.
async fn answer(socket: &UdpSocket, request: &[u8]) -> (u16, Vec<(u16, Vec<u8>)>) {
    socket.send(request).await.unwrap();
    let mut bytes = vec![0; 1500];
    let size = within("the relay", socket.recv(&mut bytes)).await.unwrap();
    let number = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let mut attributes = Vec::new();
    let mut at = 20;
    while at + 4 <= size {
        let length = usize::from(number(at + 2));
        attributes.push((number(at), bytes[at + 4..at + 4 + length].to_vec()));
        at += 4 + length.next_multiple_of(4);
    }
    (number(0), attributes)
}

fn error_code(attributes: &[(u16, Vec<u8>)]) -> u16 {
    let (_, value) = attributes.iter().find(|(kind, _)| *kind == 0x0009).unwrap();
    u16::from(value[2]) * 100 + u16::from(value[3])
}

#[tokio::test]
async fn strangers_get_nothing_from_a_server_with_default_settings() {
    // Metrics do not tell where the relay is; a port of the settings does.
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let relay = free.local_addr().unwrap();
    drop(free);
    let host = Host::start(&format!("[relay]\nlisten = [\"{relay}\"]\n"));

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(relay).await.unwrap();
    let (kind, attributes) = answer(&socket, &allocate(&[])).await;
    assert_eq!((kind, error_code(&attributes)), (ALLOCATE_ERROR, 401));
    let echo = |kind| {
        let (_, value) = attributes.iter().find(|(found, _)| *found == kind).unwrap();
        attribute(kind, value)
    };
    // The server's realm and nonce, a name that is good for years, and a guess.
    let username = attribute(0x0006, b"4102444800:stranger");
    let guess = attribute(0x0008, &[1; 20]);
    let request = allocate(&[username, echo(0x0014), echo(0x0015), guess]);
    let (kind, attributes) = answer(&socket, &request).await;
    assert_eq!((kind, error_code(&attributes)), (ALLOCATE_ERROR, 401));

    let peer = "5c0d8f6b1e4a7d3c92b5e8f1046a7d9c3b2e5f8014a7c6d9e2b5f80134a6c7d9";
    assert_eq!(host.get(&format!("/v1/turn?peer={peer}")).await.status(), 401);
    let metrics = host.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains("\nstarling_relay_allocations 0\n"), "{metrics}");
}

#[test]
fn no_settings_of_ours_open_the_relay() {
    let default = starling::serve::Config::commented_default();
    let ours = ["deploy/starling.toml", "deploy/compose/node1.toml", "deploy/compose/node2.toml"];
    for text in ours.map(checkout).into_iter().chain([default]) {
        let config: starling::serve::Config = toml::from_str(&text).unwrap();
        let relay = config.relay;
        assert!(!relay.allow_loopback_peers && relay.allowed_peers.is_empty());
        // A secret that is printed in a file of ours is known to everybody.
        assert!(relay.secrets.is_empty());
        assert!(relay.user_bytes_max > 0 && relay.user_bits_per_s > 0);
        assert!(relay.user_allocations_max > 0 && relay.allocations_max > 0);
        assert_eq!(config.signaling.admin.token, "", "nor is a token");
    }
}
