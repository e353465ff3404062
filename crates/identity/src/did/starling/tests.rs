use primitives::Hash;
use serde_json::json;

use super::*;
use crate::{
    PublicKey, SecretKey,
    did::{Did, Document, Purpose},
};

const NETWORK: [u8; 32] = [1; 32];

fn key(number: u8) -> SecretKey {
    SecretKey::ed25519(&[number; 32])
}

fn public(number: u8) -> PublicKey {
    key(number).public()
}

fn content() -> Content {
    let method =
        |id: &str, number, purposes| KeyMethod { id: id.to_owned(), key: public(number), purposes };
    Content {
        rotation: vec![public(1), public(2)],
        next: vec![promise(&public(3))],
        methods: vec![
            method("issue", 4, purposes::ASSERTION),
            method("login", 5, purposes::AUTHENTICATION | purposes::INVOCATION),
        ],
        services: vec![Service {
            id: "inbox".to_owned(),
            kind: "Inbox".to_owned(),
            endpoint: "https://a.example/inbox".to_owned(),
        }],
        aliases: vec!["https://a.example".to_owned()],
        guardians: None,
    }
}

fn genesis() -> Op {
    Op::sign((0, None), Change::Set(content()), (0, &key(1)), &NETWORK)
}

#[test]
fn the_document_says_what_each_key_is_for() {
    let id = genesis().id();
    let document = document(id, &content());
    let did = format!("did:starling:{id}");
    assert_eq!(document["service"][0]["id"], json!(format!("{did}#inbox")));
    let read = Document::parse(document.to_string().as_bytes(), &did).unwrap();
    let (issue, login) = (format!("{did}#issue"), format!("{did}#login"));
    assert_eq!(read.key(&issue, Purpose::Assertion), Some(public(4)));
    assert_eq!(read.key(&login, Purpose::Assertion), None);
    assert_eq!(read.key(&login, Purpose::Authentication), Some(public(5)));
}

#[test]
fn an_op_is_of_one_network_one_place_and_one_signer() {
    let op = genesis();
    assert!(op.is_formed());
    assert_eq!(op.verify(&public(1), &NETWORK), Ok(()));
    assert!(op.verify(&public(2), &NETWORK).is_err());
    assert!(op.verify(&public(1), &[2; 32]).is_err());
    let moved = Op { seq: 1, ..op.clone() };
    assert!(moved.verify(&public(1), &NETWORK).is_err());
    assert_ne!(moved.id(), op.id());
    let bytes = op.to_bytes();
    assert_eq!(minicbor::decode::<Op>(&bytes).unwrap(), op);
}

#[test]
fn keys_are_promised_by_their_hash() {
    let next = content().next;
    assert!(are_promised(&[public(3)], &next));
    assert!(!are_promised(&[public(3), public(4)], &next));
    assert!(are_promised(&[public(4)], &[]));
}

#[test]
fn what_a_did_can_not_say_is_refused() {
    let check = |change: fn(&mut Content), expected| {
        let mut content = content();
        change(&mut content);
        assert_eq!(content.check(), Err(expected));
    };
    assert_eq!(content().check(), Ok(()));
    check(|content| content.rotation.clear(), ContentError::Rotation);
    check(|content| content.rotation[1] = content.rotation[0], ContentError::Rotation);
    check(|content| content.rotation = (1..=6).map(public).collect(), ContentError::Rotation);
    check(|content| content.next = vec![Hash::new([0; 32]); 2], ContentError::Next);
    check(|content| content.methods.reverse(), ContentError::Methods);
    check(|content| content.methods[0].id = "a#b".to_owned(), ContentError::Methods);
    check(|content| content.methods[0].purposes = 0, ContentError::Methods);
    check(|content| content.methods[0].purposes = 32, ContentError::Methods);
    check(|content| content.services[0].id = "login".to_owned(), ContentError::Services);
    check(|content| content.services[0].endpoint.clear(), ContentError::Services);
    check(|content| content.aliases = vec!["a b".to_owned()], ContentError::Aliases);
    let guard = |threshold, members: Vec<Did>| {
        let content = Content { guardians: Some(Guardians { threshold, members }), ..content() };
        content.check()
    };
    let mut members: Vec<Did> = (1..=3).map(|number| Did::Key(public(number))).collect();
    members.sort();
    assert_eq!(guard(2, members.clone()), Ok(()));
    assert_eq!(guard(4, members.clone()), Err(ContentError::Guardians));
    assert_eq!(guard(0, members.clone()), Err(ContentError::Guardians));
    members.reverse();
    assert_eq!(guard(2, members), Err(ContentError::Guardians));
    assert_eq!(guard(1, vec![]), Err(ContentError::Guardians));
    let web = Did::Web("did:web:a.example".to_owned());
    assert_eq!(guard(1, vec![web]), Err(ContentError::Guardians));
}
