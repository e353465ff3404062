//! Everything that grows has its bound.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use primitives::Time;

use super::client::UDP;
use super::world::START_UNIX_S;
use super::{World, settings};
use crate::credential::Secret;
use crate::stun::{attribute, method};
use crate::turn::limits::{CHANNELS_MAX, PEERS_PER_REQUEST_MAX, PERMISSIONS_MAX};
use crate::turn::{Drop, Settings, Verdict};

fn peer(number: usize) -> SocketAddr {
    let bits = 0x0101_0000 + u32::try_from(number).unwrap();
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(bits)), 5000)
}

#[test]
fn a_credential_has_its_most_allocations() {
    let mut world = World::new(Settings { user_allocations_max: 2, ..settings() });
    let (mut first, _) = world.allocated();
    world.allocated();
    let mut third = world.client();
    assert_eq!(third.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 486);
    third.credential = Secret::new("first secret, new").credential("other", START_UNIX_S + 10);
    assert_eq!(third.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 0);
    first.refresh(&mut world, 0);
    world.allocated();
}

#[test]
fn the_relay_has_its_most_allocations_and_ports() {
    let mut world = World::new(Settings { allocations_max: 2, ..settings() });
    world.allocated();
    world.allocated();
    let mut third = world.client();
    assert_eq!(third.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 508);
    let mut world = World::new(Settings { ports: 50_001..=50_003, ..settings() });
    let both: (u16, &[u8]) = (attribute::EVEN_PORT, &[0x80]);
    let mut first = world.client();
    first.allocate(&mut world, &[both]);
    world.allocated();
    let mut third = world.client();
    assert_eq!(third.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 508);
}

#[test]
fn bytes_of_a_credential_are_counted_over_all_its_allocations() {
    let mut world = World::new(Settings { user_bytes_max: 1000, ..settings() });
    let ((mut a, relay), (mut b, _)) = (world.allocated(), world.allocated());
    assert_eq!(a.bind(&mut world, 0x4000, peer(1)), 0);
    assert_eq!(b.bind(&mut world, 0x4000, peer(1)), 0);
    assert_ne!(a.send_channel(&mut world, 0x4000, &[0; 400]), Verdict::Nothing);
    assert_ne!(b.send_channel(&mut world, 0x4000, &[0; 400]), Verdict::Nothing);
    assert_ne!(world.machine.from_peer(world.now, relay, peer(1), 200), Verdict::Nothing);
    assert_eq!(a.send_channel(&mut world, 0x4000, &[0; 1]), Verdict::Nothing);
    assert_eq!(world.machine.from_peer(world.now, relay, peer(1), 1), Verdict::Nothing);
    assert_eq!(world.machine.stats().dropped(Drop::Quota), 2);
    let mut third = world.client();
    assert_eq!(third.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 486);
}

#[test]
fn a_credential_and_the_relay_have_their_bits_per_second() {
    let check = |settings: Settings| {
        let mut world = World::new(settings);
        let (mut client, _) = world.allocated();
        assert_eq!(client.bind(&mut world, 0x4000, peer(1)), 0);
        let mut passed = 0;
        for ms in 0..10_000 {
            world.now = Time::from_ms(ms);
            let verdict = client.send_channel(&mut world, 0x4000, &[0; 1000]);
            passed += u32::from(verdict != Verdict::Nothing);
        }
        // 80 kbit/s are ten of these a second, and a second's worth at once.
        assert!((105..=111).contains(&passed), "{passed} passed");
        assert_eq!(world.machine.stats().dropped(Drop::Rate), u64::from(10_000 - passed));
    };
    check(Settings { user_bits_per_s: 80_000, ..settings() });
    check(Settings { bits_per_s: 80_000, ..settings() });
}

#[test]
fn permissions_and_channels_have_their_most_and_expired_ones_make_room() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    client.refresh(&mut world, 3600);
    for number in 0..CHANNELS_MAX {
        let channel = 0x4000 + u16::try_from(number).unwrap();
        assert_eq!(client.bind(&mut world, channel, peer(number)), 0);
    }
    assert_eq!(client.bind(&mut world, 0x4f00, peer(CHANNELS_MAX)), 508);
    assert_eq!(client.permit(&mut world, &peer(PERMISSIONS_MAX).to_string()), 508);
    assert_eq!(client.permit(&mut world, &peer(0).to_string()), 0, "a refresh needs no room");
    world.sleep(300);
    assert_eq!(client.permit(&mut world, &peer(PERMISSIONS_MAX).to_string()), 0);
    world.sleep(300);
    assert_eq!(client.bind(&mut world, 0x4f00, peer(CHANNELS_MAX)), 0);
    let allocation = world.machine.allocation_of(&client.tuple).unwrap();
    let (permissions, channels, numbers) = allocation.held();
    assert!(permissions <= PERMISSIONS_MAX && channels == 1 && numbers == 1);
}

#[test]
fn one_request_permits_so_many_peers() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    for (count, code) in [(PEERS_PER_REQUEST_MAX, 0), (PEERS_PER_REQUEST_MAX + 1, 508)] {
        let values: Vec<Vec<u8>> = (0..count).map(|number| client.xor(peer(number))).collect();
        let attributes: Vec<(u16, &[u8])> =
            values.iter().map(|value| (attribute::XOR_PEER_ADDRESS, &value[..])).collect();
        assert_eq!(client.ask(&mut world, method::CREATE_PERMISSION, &attributes).code(), code);
    }
}

#[test]
fn a_datagram_too_long_for_its_frame_is_dropped() {
    let mut world = World::new(settings());
    let (mut client, relay) = world.allocated();
    assert_eq!(client.permit(&mut world, &peer(1).to_string()), 0);
    assert_eq!(world.machine.from_peer(world.now, relay, peer(1), 65_500), Verdict::Nothing);
    assert_eq!(world.machine.stats().dropped(Drop::Long), 1);
}
