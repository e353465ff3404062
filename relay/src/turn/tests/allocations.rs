//! RFC 8656, 6 to 8: Allocate and Refresh.

use super::client::UDP;
use super::{Answer, World, settings};
use crate::stun::{attribute, method};
use crate::turn::Settings;

const V4: (u16, &[u8]) = (attribute::REQUESTED_ADDRESS_FAMILY, &[1, 0, 0, 0]);
const V6: (u16, &[u8]) = (attribute::REQUESTED_ADDRESS_FAMILY, &[2, 0, 0, 0]);
const ALSO_V6: (u16, &[u8]) = (attribute::ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
const EVEN: (u16, &[u8]) = (attribute::EVEN_PORT, &[0]);
const EVEN_WITH_NEXT: (u16, &[u8]) = (attribute::EVEN_PORT, &[0x80]);
const NOW_OVER: (u16, &[u8]) = (attribute::LIFETIME, &[0; 4]);

fn only_v4() -> Settings {
    Settings { relay_ips: vec!["192.0.2.10".parse().unwrap()], ..settings() }
}

#[test]
fn an_allocation_has_its_address_lifetime_and_socket() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let answer = client.allocate(&mut world, &[]);
    let relayed = answer.relayed();
    assert_eq!(relayed[0].ip(), world.machine.relay_ips()[0]);
    assert!((50_000..=50_999).contains(&relayed[0].port()));
    assert_eq!(answer.lifetime_s(), 600);
    assert_eq!(answer.addresses(attribute::XOR_MAPPED_ADDRESS), [client.tuple.remote]);
    assert_eq!(world.open.iter().copied().collect::<Vec<_>>(), relayed);
}

#[test]
fn a_lifetime_is_between_ten_minutes_and_an_hour() {
    for (asked, granted) in
        [(0_u32, 600), (1, 600), (600, 600), (1000, 1000), (3600, 3600), (u32::MAX, 3600)]
    {
        let mut world = World::new(settings());
        let mut client = world.client();
        let value = asked.to_be_bytes();
        let answer = client.allocate(&mut world, &[(attribute::LIFETIME, &value)]);
        assert_eq!(answer.lifetime_s(), granted, "asked for {asked}");
        world.sleep(u64::from(granted) - 1);
        assert_eq!(world.open.len(), 1);
        world.sleep(1);
        assert!(world.is_empty());
    }
}

#[test]
fn a_retransmission_gets_the_same_answer_and_another_request_a_mismatch() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let first = client.allocate(&mut world, &[ALSO_V6]);
    let again = client.signed_again(method::ALLOCATE, &[UDP, ALSO_V6]);
    let again = client.exchange(&mut world, &again);
    assert_eq!(again.0, first.0);
    assert_eq!(client.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 437);
    assert_eq!((world.open.len(), world.machine.stats().allocations), (2, 1));
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let token: (u16, &[u8]) = (attribute::RESERVATION_TOKEN, &[1; 8]);
    let check = |attributes: &[(u16, &[u8])], code| {
        let mut world = World::new(settings());
        let mut client = world.client();
        let answer = client.ask(&mut world, method::ALLOCATE, attributes);
        assert_eq!(answer.code(), code, "{attributes:?}");
        assert!(code == 0 || world.is_empty() && world.machine.stats().users_now == 0);
    };
    check(&[], 400);
    check(&[(attribute::REQUESTED_TRANSPORT, &[17])], 400);
    check(&[(attribute::REQUESTED_TRANSPORT, &[6, 0, 0, 0])], 442);
    check(&[UDP, (attribute::REQUESTED_ADDRESS_FAMILY, &[3, 0, 0, 0])], 440);
    check(&[UDP, (attribute::REQUESTED_ADDRESS_FAMILY, &[1])], 400);
    check(&[UDP, (attribute::ADDITIONAL_ADDRESS_FAMILY, &[1, 0, 0, 0])], 400);
    check(&[UDP, V4, ALSO_V6], 400);
    check(&[UDP, EVEN_WITH_NEXT, ALSO_V6], 400);
    check(&[UDP, token, EVEN], 400);
    check(&[UDP, token, V6], 400);
    check(&[UDP, token], 508);
    check(&[UDP, (attribute::RESERVATION_TOKEN, &[1; 4])], 400);
    check(&[UDP, (attribute::EVEN_PORT, &[0, 0])], 400);
    check(&[UDP, (attribute::LIFETIME, &[0; 3])], 400);
    check(&[UDP, (attribute::DONT_FRAGMENT, &[])], 0);
    check(&[UDP, V4], 0);
    check(&[UDP, EVEN, ALSO_V6], 0);
}

#[test]
fn a_client_gets_the_family_it_asks_for() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let relayed = client.allocate(&mut world, &[V6]).relayed();
    assert!(relayed.len() == 1 && relayed[0].is_ipv6());
    let mut world = World::new(only_v4());
    let mut client = world.client();
    assert_eq!(client.ask(&mut world, method::ALLOCATE, &[UDP, V6]).code(), 440);
}

#[test]
fn who_names_no_family_gets_ipv6_where_there_is_nothing_else() {
    let only_v6 = Settings { relay_ips: vec!["2001:db8::10".parse().unwrap()], ..settings() };
    let mut world = World::new(only_v6);
    let mut client = world.client();
    assert_eq!(client.ask(&mut world, method::ALLOCATE, &[UDP, V4]).code(), 440);
    let relayed = client.allocate(&mut world, &[]).relayed();
    assert!(relayed.len() == 1 && relayed[0].is_ipv6());
}

#[test]
fn a_dual_allocation_has_both_and_can_give_one_back() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let draft: (u16, &[u8]) = (attribute::DRAFT_ADDITIONAL_ADDRESS_FAMILY, &[2, 0, 0, 0]);
    let mut other = world.client();
    assert_eq!(other.allocate(&mut world, &[draft]).relayed().len(), 2);
    let mut world = World::new(settings());
    let relayed = client.allocate(&mut world, &[ALSO_V6]).relayed();
    assert!(relayed[0].is_ipv4() && relayed[1].is_ipv6());
    assert_eq!(client.ask(&mut world, method::REFRESH, &[V6, NOW_OVER]).code(), 0);
    assert_eq!(world.open.iter().copied().collect::<Vec<_>>(), relayed[..1]);
    assert_eq!(client.ask(&mut world, method::REFRESH, &[V6, NOW_OVER]).code(), 443);
    assert_eq!(client.ask(&mut world, method::REFRESH, &[V4, NOW_OVER]).code(), 0);
    assert!(world.is_empty());
}

#[test]
fn half_a_dual_allocation_says_which_half_is_missing() {
    let check = |settings, all_v6_busy: bool, code: u8| {
        let mut world = World::new(settings);
        world.busy.extend(all_v6_busy.then_some(50_000..=50_999).into_iter().flatten());
        let mut client = world.client();
        let answer: Answer = client.ask(&mut world, method::ALLOCATE, &[UDP, ALSO_V6]);
        if all_v6_busy {
            // Both are: nothing is left.
            return assert_eq!(answer.code(), 508);
        }
        assert!(answer.relayed().len() == 1 && answer.relayed()[0].is_ipv4());
        let missing = answer.message().get(attribute::ADDRESS_ERROR_CODE).unwrap();
        assert_eq!(missing[..4], [2, 0, 4, code]);
    };
    check(only_v4(), false, 40);
    check(settings(), true, 0);
}

#[test]
fn an_even_port_has_a_successor_for_the_bearer_of_the_token() {
    let mut world = World::new(settings());
    let (mut first, mut second) = (world.client(), world.client());
    let answer = first.allocate(&mut world, &[EVEN_WITH_NEXT]);
    let even = answer.relayed()[0];
    assert_eq!(even.port() % 2, 0);
    let token = answer.message().get(attribute::RESERVATION_TOKEN).unwrap().to_vec();
    let token: (u16, &[u8]) = (attribute::RESERVATION_TOKEN, &token);
    assert_eq!(world.open.len(), 2);
    let odd = second.allocate(&mut world, &[token]).relayed()[0];
    assert_eq!((odd.ip(), odd.port()), (even.ip(), even.port() + 1));
    let mut third = world.client();
    assert_eq!(third.ask(&mut world, method::ALLOCATE, &[UDP, token]).code(), 508);
    first.refresh(&mut world, 0);
    second.refresh(&mut world, 0);
    assert!(world.is_empty());
}

#[test]
fn a_reserved_port_waits_for_thirty_seconds() {
    let mut world = World::new(settings());
    let (mut first, mut second) = (world.client(), world.client());
    let answer = first.allocate(&mut world, &[EVEN_WITH_NEXT]);
    let token = answer.message().get(attribute::RESERVATION_TOKEN).unwrap().to_vec();
    world.sleep(30);
    assert_eq!(world.open.len(), 1);
    let token: (u16, &[u8]) = (attribute::RESERVATION_TOKEN, &token);
    assert_eq!(second.ask(&mut world, method::ALLOCATE, &[UDP, token]).code(), 508);
}

#[test]
fn a_port_another_program_has_is_passed_over() {
    let mut world = World::new(settings());
    world.busy.extend((50_000..=50_999).filter(|port| port % 2 == 0));
    for _ in 0..10 {
        let (_, relay) = world.allocated();
        assert_eq!(relay.port() % 2, 1);
    }
    let mut world = World::new(settings());
    world.all_busy = true;
    let mut client = world.client();
    assert_eq!(client.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 508);
    assert_eq!(client.ask(&mut world, method::ALLOCATE, &[UDP, EVEN_WITH_NEXT]).code(), 508);
    assert!(world.is_empty());
    assert_eq!(world.machine.stats().users_now, 0);
}

#[test]
fn refresh_without_an_allocation_is_a_mismatch() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    assert_eq!(client.refresh(&mut world, 0).lifetime_s(), 0);
    assert!(world.is_empty());
    assert_eq!(client.refresh(&mut world, 0).code(), 437);
    assert_eq!(client.refresh(&mut world, 600).code(), 437);
    assert_eq!(client.permit(&mut world, "1.1.1.1:1"), 437);
    assert_eq!(client.bind(&mut world, 0x4000, "1.1.1.1:1".parse().unwrap()), 437);
}

#[test]
fn a_refresh_prolongs() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    world.sleep(500);
    assert_eq!(client.refresh(&mut world, 5000).lifetime_s(), 3600);
    world.sleep(3599);
    assert_eq!(world.open.len(), 1);
    world.sleep(1);
    assert!(world.is_empty());
}

#[test]
fn the_end_of_a_stream_ends_its_allocation() {
    let mut world = World::new(settings());
    let (client, _) = world.allocated();
    world.machine.closed(&client.tuple);
    world.perform();
    assert!(world.is_empty());
}

#[test]
fn a_draining_relay_takes_nobody_new() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    world.machine.drain();
    let mut late = world.client();
    assert_eq!(late.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 508);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
}
