//! RFC 8489, 9.2: who is believed.

use super::client::UDP;
use super::world::START_UNIX_S;
use super::{World, settings};
use crate::credential::Secret;
use crate::stun::{Builder, Class, Integrity, attribute, method};
use crate::turn::Verdict;

#[test]
fn thirty_thousand_strangers_leave_no_trace() {
    let mut world = World::new(settings());
    for stranger in 0..30_000_u16 {
        let mut client = super::client::Client::new(stranger);
        let request = match stranger % 3 {
            0 => client.plain(method::ALLOCATE, &[UDP]),
            1 => client.signed(method::ALLOCATE, &[UDP]),
            _ => client.plain(method::BINDING, &[]),
        };
        world.send(&client.tuple, &request);
        assert!(!world.is_silent(&client.tuple));
    }
    world.inbox.clear();
    assert!(world.is_empty());
    let machine = &world.machine;
    assert_eq!(machine.users.count(), 0);
    assert_eq!((machine.by_client.capacity(), machine.slots.capacity()), (0, 0));
}

#[test]
fn a_first_request_is_told_realm_nonce_and_algorithms() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let request = client.plain(method::ALLOCATE, &[UDP]);
    world.send(&client.tuple, &request);
    let answer = world.answer(&client.tuple);
    assert_eq!(answer.code(), 401);
    let message = answer.message();
    assert_eq!(message.text(attribute::REALM), Some("starling"));
    assert!(message.text(attribute::NONCE).unwrap().starts_with("obMatJos2"));
    let algorithms = message.get(attribute::PASSWORD_ALGORITHMS);
    assert_eq!(algorithms, Some(&attribute::OUR_PASSWORD_ALGORITHMS[..]));
    assert_eq!(message.integrity(), None);
}

#[test]
fn both_secrets_are_valid_and_no_other() {
    for (secret, code) in
        [("first secret, new", 0), ("second secret, old", 0), ("another secret", 401)]
    {
        let mut world = World::new(settings());
        let mut client = world.client();
        client.credential = Secret::new(secret).credential("me", START_UNIX_S + 10);
        let answer = client.ask(&mut world, method::ALLOCATE, &[UDP]);
        assert_eq!(answer.code(), code, "{secret}");
        assert_eq!(world.machine.stats().authentication_failures, u64::from(code > 0));
    }
}

#[test]
fn a_credential_ends_but_its_allocation_goes_on() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    let mut late = world.client();
    client.refresh(&mut world, 3600);
    world.sleep(3500);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
    world.sleep(101);
    // The nonce is over an hour old, too.
    assert_eq!(client.refresh(&mut world, 600).code(), 438);
    client.greet(&mut world);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
    assert_eq!(late.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 401);
}

#[test]
fn a_nonce_of_another_client_is_stale_and_the_new_one_is_good() {
    let mut world = World::new(settings());
    let (first, _) = world.allocated();
    let mut second = world.client();
    second.nonce = first.nonce.clone();
    let answer = second.ask(&mut world, method::ALLOCATE, &[UDP]);
    assert_eq!(answer.code(), 438);
    second.nonce = answer.message().text(attribute::NONCE).unwrap().to_owned();
    assert_eq!(second.ask(&mut world, method::ALLOCATE, &[UDP]).code(), 0);
}

#[test]
fn an_allocation_belongs_to_one_credential() {
    let mut world = World::new(settings());
    let (mut client, _) = world.allocated();
    client.credential = Secret::new("first secret, new").credential("other", START_UNIX_S + 10);
    assert_eq!(client.refresh(&mut world, 600).code(), 441);
    assert_eq!(client.permit(&mut world, "1.1.1.1:5"), 441);
}

#[test]
fn sha_256_is_offered_and_taken() {
    let mut world = World::new(settings());
    let mut client = world.client();
    client.sha256 = true;
    client.allocate(&mut world, &[]);
    assert_eq!(client.refresh(&mut world, 600).code(), 0);
}

/// RFC 8489, 16.1.3: whoever takes the better algorithm out of our list is noticed.
#[test]
fn a_shortened_list_of_algorithms_is_a_bad_request() {
    let mut world = World::new(settings());
    let mut client = world.client();
    client.greet(&mut world);
    let only_md5: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHMS, &attribute::MD5);
    let md5: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHM, &attribute::MD5);
    for attributes in [&[UDP, only_md5, md5][..], &[UDP, md5], &[UDP, only_md5]] {
        assert_eq!(client.ask(&mut world, method::ALLOCATE, attributes).code(), 400);
    }
    let list: (u16, &[u8]) = (attribute::PASSWORD_ALGORITHMS, &attribute::OUR_PASSWORD_ALGORITHMS);
    assert_eq!(client.ask(&mut world, method::ALLOCATE, &[UDP, list, md5]).code(), 0);
}

#[test]
fn a_signed_request_without_its_parts_is_bad() {
    let mut world = World::new(settings());
    let mut client = world.client();
    client.greet(&mut world);
    let parts: [(u16, Vec<u8>); 3] = [
        (attribute::USERNAME, client.credential.username.clone().into()),
        (attribute::REALM, b"starling".to_vec()),
        (attribute::NONCE, client.nonce.clone().into()),
    ];
    for without in 0..3 {
        client.next_transaction();
        let mut builder = Builder::new(Class::Request, method::ALLOCATE, client.transaction);
        for (_, (kind, value)) in parts.iter().enumerate().filter(|(index, _)| *index != without) {
            builder = builder.put(*kind, value);
        }
        let request = builder.sign(Integrity::Sha1, &client.key()).finish(true);
        assert_eq!(client.exchange(&mut world, &request).code(), 400, "without {without}");
    }
}

#[test]
fn a_request_with_something_that_must_be_understood_is_refused_by_name() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let answer = client.ask(&mut world, method::ALLOCATE, &[UDP, (0x7001, b"?"), (0x9001, b"!")]);
    assert_eq!(answer.code(), 420);
    assert_eq!(answer.message().get(attribute::UNKNOWN_ATTRIBUTES), Some(&[0x70, 0x01][..]));
    let request = client.plain(method::BINDING, &[(0x0003, &[0; 4])]);
    assert_eq!(client.exchange_unsigned(&mut world, &request).code(), 420);
}

#[test]
fn anybody_is_told_their_address() {
    let mut world = World::new(settings());
    let mut client = world.client();
    let request = client.plain(method::BINDING, &[]);
    let answer = client.exchange_unsigned(&mut world, &request);
    assert_eq!(answer.addresses(attribute::XOR_MAPPED_ADDRESS), [client.tuple.remote]);
}

#[test]
fn strangers_get_so_many_answers_a_second_and_clients_all() {
    let mut world = World::new(crate::turn::Settings { strangers_per_s: 5, ..settings() });
    let (mut client, _) = world.allocated();
    for _ in 0..20 {
        let mut stranger = world.client();
        let request = stranger.plain(method::ALLOCATE, &[UDP]);
        world.send(&stranger.tuple, &request);
    }
    assert_eq!(world.inbox.len(), 4, "one was the client's own first request");
    world.inbox.clear();
    for _ in 0..20 {
        assert_eq!(client.refresh(&mut world, 600).code(), 0);
    }
}

#[test]
fn responses_and_unknown_methods_are_not_answered() {
    let mut world = World::new(settings());
    let mut client = world.client();
    for (class, method) in [
        (Class::Success, method::ALLOCATE),
        (Class::Error, method::REFRESH),
        (Class::Indication, method::DATA),
        (Class::Request, method::SEND),
        (Class::Request, 0x00a),
        (Class::Indication, method::BINDING),
    ] {
        client.next_transaction();
        let bytes = Builder::new(class, method, client.transaction).finish(false);
        assert_eq!(world.send(&client.tuple, &bytes), Verdict::Nothing);
        assert!(world.is_silent(&client.tuple), "{class:?} {method}");
    }
}
