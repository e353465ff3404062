//! RFC 8656, 9 to 12: permissions, channels, and where data go.

use std::net::SocketAddr;

use super::{World, settings};
use crate::stun::{attribute, method};
use crate::turn::{Drop, Frame, Settings, Verdict};

const PEER: &str = "1.2.3.4:5000";

fn peer() -> SocketAddr {
    PEER.parse().unwrap()
}

#[test]
fn a_permitted_peer_is_reached_by_send_and_heard_by_data() {
    let mut world = World::new(settings());
    let (mut client, relay) = world.allocated();
    assert_eq!(client.send_indication(&mut world, peer(), b"early"), Verdict::Nothing);
    assert_eq!(world.machine.from_peer(world.now, relay, peer(), 5), Verdict::Nothing);
    assert_eq!(world.machine.stats().dropped(Drop::NoPermission), 2);
    assert_eq!(client.permit(&mut world, PEER), 0);
    let verdict = client.send_indication(&mut world, peer(), b"hello");
    assert!(matches!(verdict, Verdict::ToPeer { relay: from, peer: to, .. }
        if from == relay && to == peer()));
    // A permission is for an address: any port of it may answer.
    let other = SocketAddr::new(peer().ip(), 9);
    let verdict = world.machine.from_peer(world.now, relay, other, 5);
    let frame = Frame::Indication(other);
    assert_eq!(verdict, Verdict::ToClient { client: client.tuple, frame, data: 0..5 });
}

#[test]
fn a_channel_is_a_name_for_a_peer_both_ways() {
    let mut world = World::new(settings());
    let (mut client, relay) = world.allocated();
    assert_eq!(client.send_channel(&mut world, 0x4001, b"early"), Verdict::Nothing);
    assert_eq!(world.machine.stats().dropped(Drop::NoChannel), 1);
    assert_eq!(client.bind(&mut world, 0x4001, peer()), 0);
    let verdict = client.send_channel(&mut world, 0x4001, b"hello");
    assert_eq!(verdict, Verdict::ToPeer { relay, peer: peer(), data: 4..9 });
    let verdict = world.machine.from_peer(world.now, relay, peer(), 7);
    let frame = Frame::Channel(0x4001);
    assert_eq!(verdict, Verdict::ToClient { client: client.tuple, frame, data: 0..7 });
}

#[test]
fn permissions_last_five_minutes_and_channels_ten() {
    let mut world = World::new(settings());
    let (mut client, relay) = world.allocated();
    client.refresh(&mut world, 3600);
    assert_eq!(client.bind(&mut world, 0x4001, peer()), 0);
    world.sleep(299);
    assert_ne!(world.machine.from_peer(world.now, relay, peer(), 1), Verdict::Nothing);
    world.sleep(1);
    assert_eq!(world.machine.from_peer(world.now, relay, peer(), 1), Verdict::Nothing);
    assert_ne!(client.send_channel(&mut world, 0x4001, b"x"), Verdict::Nothing);
    assert_eq!(client.permit(&mut world, PEER), 0);
    world.sleep(299);
    assert_ne!(client.send_channel(&mut world, 0x4001, b"x"), Verdict::Nothing);
    world.sleep(1);
    assert_eq!(client.send_channel(&mut world, 0x4001, b"x"), Verdict::Nothing);
    // The name is free again.
    assert_eq!(client.bind(&mut world, 0x4001, "1.2.3.4:5001".parse().unwrap()), 0);
}

#[test]
fn a_channel_has_one_peer_and_a_peer_one_channel() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    let other = "1.2.3.4:5001".parse().unwrap();
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0);
    assert_eq!(client.bind(&mut world, 0x4000, peer()), 0, "that is a refresh");
    assert_eq!(client.bind(&mut world, 0x4000, other), 400);
    assert_eq!(client.bind(&mut world, 0x4fff, peer()), 400);
    assert_eq!(client.bind(&mut world, 0x4fff, other), 0);
    for number in [0x3fff, 0x5000, 0x7fff, 0xffff, 0] {
        assert_eq!(client.bind(&mut world, number, "1.2.3.4:6000".parse().unwrap()), 400);
    }
    let value = client.xor(peer());
    let no_number = [(attribute::XOR_PEER_ADDRESS, &value[..])];
    assert_eq!(client.ask(&mut world, method::CHANNEL_BIND, &no_number).code(), 400);
    let no_peer = [(attribute::CHANNEL_NUMBER, &[0x40, 1, 0, 0][..])];
    assert_eq!(client.ask(&mut world, method::CHANNEL_BIND, &no_peer).code(), 400);
    assert_eq!(client.ask(&mut world, method::CREATE_PERMISSION, &[]).code(), 400);
}

#[test]
fn permissions_of_one_request_are_all_or_none() {
    let mut world = World::new(settings());
    let (mut client, relay) = world.allocated();
    let (open, closed) = (client.xor(peer()), client.xor("10.0.0.1:1".parse().unwrap()));
    let both =
        [(attribute::XOR_PEER_ADDRESS, &open[..]), (attribute::XOR_PEER_ADDRESS, &closed[..])];
    assert_eq!(client.ask(&mut world, method::CREATE_PERMISSION, &both).code(), 403);
    assert_eq!(world.machine.from_peer(world.now, relay, peer(), 1), Verdict::Nothing);
}

#[test]
fn peers_are_of_the_families_of_the_allocation() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    let v6: SocketAddr = "[2606:4700::1111]:53".parse().unwrap();
    assert_eq!(client.permit(&mut world, &v6.to_string()), 443);
    assert_eq!(client.bind(&mut world, 0x4000, v6), 443);
    let mut client = world.client();
    client.allocate(&mut world, &[(attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0])]);
    assert_eq!(client.bind(&mut world, 0x4000, v6), 0);
    assert_eq!(client.bind(&mut world, 0x4001, peer()), 0);
    let check = |verdict: Verdict, is_v6: bool| {
        assert!(matches!(verdict, Verdict::ToPeer { relay, .. } if relay.is_ipv6() == is_v6));
    };
    check(client.send_channel(&mut world, 0x4000, b"x"), true);
    check(client.send_channel(&mut world, 0x4001, b"x"), false);
    // The channel outlives the address it was bound with, but leads nowhere.
    let over: [(u16, &[u8]); 2] =
        [(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]), (attribute::LIFETIME, &[0; 4])];
    assert_eq!(client.ask(&mut world, method::REFRESH, &over).code(), 0);
    assert_eq!(client.send_channel(&mut world, 0x4000, b"x"), Verdict::Nothing);
}

/// CVE-2020-26262 and CVE-2026-27624: every spelling, in every message that brings an address.
#[test]
fn no_message_reaches_an_inner_network() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    let mut dual = world.client();
    dual.allocate(&mut world, &[(attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0])]);
    for peer in [
        "127.0.0.1:80",
        "0.0.0.0:80",
        "10.1.2.3:80",
        "100.64.0.1:80",
        "169.254.169.254:80",
        "172.16.0.1:80",
        "192.168.0.1:80",
        "224.0.0.1:80",
        "255.255.255.255:80",
    ] {
        assert_eq!(client.permit(&mut world, peer), 403, "{peer}");
        assert_eq!(client.bind(&mut world, 0x4000, peer.parse().unwrap()), 403, "{peer}");
        let verdict = client.send_indication(&mut world, peer.parse().unwrap(), b"x");
        assert_eq!(verdict, Verdict::Nothing);
    }
    for peer in [
        "[::1]:80",
        "[::]:80",
        "[::ffff:127.0.0.1]:80",
        "[::127.0.0.1]:80",
        "[64:ff9b::7f00:1]:80",
        "[2002:7f00:1::]:80",
        "[2001:0:7f00:1::]:80",
        "[fe80::1]:80",
        "[fd00::1]:80",
        "[ff02::1]:80",
        "[::ffff:192.0.2.10]:50000",
    ] {
        assert_eq!(dual.permit(&mut world, peer), 403, "{peer}");
        assert_eq!(dual.bind(&mut world, 0x4000, peer.parse().unwrap()), 403, "{peer}");
        let verdict = dual.send_indication(&mut world, peer.parse().unwrap(), b"x");
        assert_eq!(verdict, Verdict::Nothing);
    }
}

#[test]
fn two_clients_of_one_relay_meet_inside() {
    let mut world = World::new(settings());
    let ((mut a, relay_a), (mut b, relay_b)) = (world.allocated(), world.allocated());
    assert_eq!(a.bind(&mut world, 0x4000, relay_b), 0);
    // Not before the other side permits it.
    assert_eq!(a.send_channel(&mut world, 0x4000, b"x"), Verdict::Nothing);
    assert_eq!(b.permit(&mut world, &relay_a.to_string()), 0);
    let frame = Frame::Indication(relay_a);
    let verdict = a.send_channel(&mut world, 0x4000, b"hello");
    assert_eq!(verdict, Verdict::ToClient { client: b.tuple, frame, data: 4..9 });
    assert_eq!(b.bind(&mut world, 0x4abc, relay_a), 0);
    let frame = Frame::Channel(0x4abc);
    let verdict = a.send_channel(&mut world, 0x4000, b"hello");
    assert_eq!(verdict, Verdict::ToClient { client: b.tuple, frame, data: 4..9 });
    let verdict = b.send_indication(&mut world, relay_a, b"back");
    let frame = Frame::Channel(0x4000);
    assert!(matches!(verdict, Verdict::ToClient { client, frame: found, .. }
        if client == a.tuple && found == frame));
    assert_eq!(world.machine.stats().inside, 3);
}

/// Our own address is allowed for its relayed ports alone, and never over the network.
#[test]
fn what_listens_at_our_own_address_is_not_reached() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    let own = world.machine.relay_ips()[0];
    assert_eq!(client.permit(&mut world, &SocketAddr::new(own, 22).to_string()), 0);
    let ssh = SocketAddr::new(own, 22);
    assert_eq!(client.bind(&mut world, 0x4000, ssh), 403);
    assert_eq!(client.send_indication(&mut world, ssh, b"x"), Verdict::Nothing);
    assert_eq!(world.machine.stats().dropped(Drop::Forbidden), 1);
    // A relayed port nobody has leads nowhere, too.
    let free = SocketAddr::new(own, 50_999);
    assert_eq!(client.bind(&mut world, 0x4001, free), 0);
    assert_eq!(client.send_channel(&mut world, 0x4001, b"x"), Verdict::Nothing);
    assert_eq!(world.machine.stats().dropped(Drop::NoAllocation), 1);
}

#[test]
fn the_host_may_open_its_own_address_and_older_channels() {
    let allowed_peers = vec!["192.0.2.10/32".parse().unwrap()];
    let channels = crate::channel_data::OLD_CHANNELS;
    let mut world = World::new(Settings { allowed_peers, channels, ..settings() });
    let ((mut client, _), (_, other)) = (world.allocated(), world.allocated());
    let echo = SocketAddr::new(world.machine.relay_ips()[0], 3480);
    assert_eq!(client.bind(&mut world, 0x7fff, echo), 0);
    let verdict = client.send_channel(&mut world, 0x7fff, b"x");
    assert!(matches!(verdict, Verdict::ToPeer { peer, .. } if peer == echo));
    // Relayed addresses stay inside.
    assert_eq!(client.bind(&mut world, 0x5000, other), 0);
    assert_eq!(client.send_channel(&mut world, 0x5000, b"x"), Verdict::Nothing);
}

#[test]
fn the_host_may_open_a_network_of_its_own() {
    let allowed_peers = vec!["127.0.0.0/8".parse().unwrap()];
    let mut world = World::new(Settings { allowed_peers, ..settings() });
    let (mut client, _) = world.allocated();
    assert_eq!(client.bind(&mut world, 0x4000, "127.0.0.1:3480".parse().unwrap()), 0);
    assert_ne!(client.send_channel(&mut world, 0x4000, b"x"), Verdict::Nothing);
}
