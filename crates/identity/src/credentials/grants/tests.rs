//! Somebody who shares, somebody who is given it, and a third one, each with a browser of their own.

use super::*;
use crate::{
    SecretKey,
    credentials::{
        Command, KeyFact, Reply, View,
        tests::{Browser, NOW_S},
    },
    did::{
        StarlingId,
        starling::{Content, KeyMethod, promise, purposes},
    },
    limits::CLOCK_SKEW_S_MAX,
    session::Head,
};

const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
const ORIGIN: &str = "https://town.example";

fn share_key() -> String {
    base64url::encode(&[9; 32])
}

fn link() -> String {
    format!("#/get/{CID}?k={}", share_key())
}

fn order(to: &str) -> Give {
    Give {
        link: link(),
        name: "x-ray.png".to_owned(),
        to: to.to_owned(),
        purpose: "A second opinion".to_owned(),
        days: 7,
        head: None,
    }
}

fn give(order: Give) -> GrantAsk {
    GrantAsk::Give(Box::new(order))
}

impl Browser {
    fn ask(&mut self, ask: GrantAsk) -> Reply {
        self.call(Command::Grants { ask, facts: Facts::default() })
    }

    fn good(&mut self, ask: GrantAsk) -> Reply {
        self.done(Command::Grants { ask, facts: Facts::default() })
    }

    fn refused(&mut self, ask: GrantAsk) -> String {
        let before = self.kept.clone();
        let why = self.ask(ask).refused.unwrap();
        assert_eq!(self.kept, before, "a refusal changes nothing: {why}");
        why
    }

    fn given(&mut self) -> Vec<Given> {
        self.done(Command::Look).view.given
    }

    /// Reads and opens what was handed over.
    fn opened(&mut self, text: &str) -> Reading {
        let seen = self.good(GrantAsk::Read(text.to_owned())).reading.unwrap();
        assert_eq!((&*seen.link, &*seen.receipt), ("", ""), "looking opens nothing");
        let open = GrantAsk::Open { text: text.to_owned(), read: seen.read };
        self.good(open).reading.unwrap()
    }
}

/// Ann, Bob, and what she gave him, as a link.
fn people() -> (Browser, Browser, String) {
    let (mut ann, bob) = (Browser::new(1), Browser::new(2));
    let text = ann.good(give(order(&bob.did()))).text;
    (ann, bob, format!("{ORIGIN}/identity/shared#grant={text}"))
}

#[test]
fn a_share_is_granted_opened_and_the_receipt_comes_back() {
    let (mut ann, mut bob, text) = people();
    assert!(!text.contains(&share_key()) && !text.contains(CID), "the link holds no key");
    let given = ann.given();
    let [only] = given.as_slice() else { panic!("{given:?}") };
    assert_eq!((&only.to, &*only.resource, &*only.purpose), (&bob.did(), CID, "A second opinion"));
    assert_eq!((only.until_s, only.revoked_s), (NOW_S + 7 * DAY_S, None));
    assert!(only.receipts.is_empty(), "whether he opened it is not known");

    bob.now_s += 60;
    let reading = bob.opened(&text);
    assert_eq!((&reading.by, &*reading.name, reading.proved), (&ann.did(), "x-ray.png", None));
    let until_s = NOW_S + 7 * DAY_S;
    assert_eq!(reading.link, format!("#/get/{CID}?k={}&x={until_s}", share_key()));
    assert_eq!(bob.kept, None, "he keeps nothing here");

    ann.now_s += 120;
    let receipt = format!("{ORIGIN}/identity/shared#receipt={}", reading.receipt);
    assert_eq!(ann.good(GrantAsk::Receive(receipt.clone())).taken, 1);
    assert_eq!(ann.given()[0].receipts, [NOW_S + 60]);
    ann.good(GrantAsk::Receive(receipt));
    ann.reload();
    assert_eq!(ann.given()[0].receipts, [NOW_S + 60], "once, and kept");
    assert_eq!(ann.good(GrantAsk::Again(1)).text, text.split_once("grant=").unwrap().1);
}

#[test]
fn a_third_person_is_told_for_whom_it_is() {
    let (mut ann, bob, text) = people();
    let why = Browser::new(3).refused(GrantAsk::Read(text.clone()));
    assert!(why.contains(&bob.did()) && why.contains("not for you"), "{why}");
    assert!(ann.refused(GrantAsk::Read(text)).contains("not for you"), "not even the giver");
}

#[test]
fn what_can_not_be_granted_is_refused_with_its_reason() {
    let mut ann = Browser::new(1);
    let (own, to) = (ann.did(), Browser::new(2).did());
    let mut refused = |change: &dyn Fn(&mut Give)| {
        let mut order = order(&to);
        change(&mut order);
        ann.refused(give(order))
    };
    let with = |query: &str| format!("#/get/{CID}{query}");
    let link = |text: String| move |order: &mut Give| order.link.clone_from(&text);
    assert!(refused(&link(String::new())).contains("choose a share"));
    assert!(refused(&link(with(""))).contains("public"));
    assert!(refused(&link(with("?n=a.txt"))).contains("public"));
    assert!(refused(&link(with("?p=abc"))).contains("password"));
    assert!(refused(&link(with("?k=abc"))).contains("damaged"));
    assert!(refused(&link(with(&format!("?k={}&x={NOW_S}", share_key())))).contains("has ended"));
    assert!(refused(&link(format!("#/get/!?k={}", share_key()))).contains("CID"));
    for to in ["", "Bob", "did:web:bob.example"] {
        assert!(refused(&|order| order.to = to.to_owned()).contains("did:key"), "{to}");
    }
    let p256 = SecretKey::p256(&[1; 32]).unwrap().public();
    let p256 = crate::did::did_key::did(&p256);
    assert!(refused(&|order| order.to.clone_from(&p256)).contains("sealed"));
    assert!(refused(&|order| order.to.clone_from(&own)).contains("your own name"));
    assert!(refused(&|order| order.purpose = "  ".to_owned()).contains("what it is for"));
    assert!(refused(&|order| order.purpose = "a\nb".to_owned()).contains("what it is for"));
    assert!(refused(&|order| order.days = 0).contains("end within"));
    assert!(refused(&|order| order.days = 3_651).contains("end within"));
    assert_eq!(ann.given(), []);
}

#[test]
fn a_grant_ends_with_its_share_and_odd_letters_of_a_name_are_left_out() {
    let mut ann = Browser::new(1);
    let mut order = order(&Browser::new(2).did());
    order.link = format!("{}&x={}", link(), NOW_S + DAY_S);
    order.name = format!("a\u{202e}gnp.exe{}", "x".repeat(300));
    ann.good(give(order));
    let [only]: [Given; 1] = ann.given().try_into().unwrap();
    assert_eq!((only.until_s, only.name.len()), (NOW_S + DAY_S, GRANTED_NAME_BYTES_MAX));
    assert!(only.name.starts_with("agnp.exe"));
}

#[test]
fn what_was_changed_is_over_or_not_a_grant_is_not_opened() {
    let (mut ann, mut bob, text) = people();
    let read = |bob: &mut Browser, text: &str| bob.refused(GrantAsk::Read(text.to_owned()));
    assert!(read(&mut bob, "hello").contains("expected a grant"));
    assert!(read(&mut bob, &text[..text.len() - 8]).contains("expected a grant"));
    // Another letter of what is sealed.
    let at = text.len() - 20;
    let other = if &text[at..=at] == "A" { "B" } else { "A" };
    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
    assert!(read(&mut bob, &changed).contains("does not open"));
    let seen = bob.good(GrantAsk::Read(text.clone())).reading.unwrap().read;
    let second = ann.good(give(order(&bob.did()))).text;
    let why = bob.refused(GrantAsk::Open { text: second, read: seen });
    assert!(why.contains("another grant than the one you saw"), "{why}");
    bob.now_s = NOW_S - CLOCK_SKEW_S_MAX - 1;
    assert!(read(&mut bob, &text).contains("clock"));
    bob.now_s = NOW_S + 7 * DAY_S;
    assert!(read(&mut bob, &text).contains("has ended"));
    let why = bob.refused(GrantAsk::Open { text, read: seen });
    assert!(why.contains("has ended"), "{why}");
}

#[test]
fn receipts_of_others_and_of_other_grants_are_refused() {
    let (mut ann, mut bob, text) = people();
    let receive = |ann: &mut Browser, text: &str| ann.refused(GrantAsk::Receive(text.to_owned()));
    assert!(receive(&mut ann, "hello").contains("expected a receipt"));
    assert!(receive(&mut ann, &text).contains("expected a receipt"));
    // Another person's grant of the same share.
    let (mut cleo, mut dan) = (Browser::new(4), Browser::new(5));
    let elsewhere = cleo.good(give(order(&dan.did()))).text;
    let strange = dan.opened(&elsewhere).receipt;
    assert!(receive(&mut ann, &strange).contains("another grant"));
    // The giver says that it was opened.
    let forged = Receipt::sign(&ann.store.given[0].access, &ann.root.identity_key(), NOW_S);
    assert!(receive(&mut ann, &forged.to_text()).contains("signature is not theirs"));
    bob.now_s += 3_600;
    let ahead = bob.opened(&text).receipt;
    assert!(receive(&mut ann, &ahead).contains("times"));
    ann.now_s += 3_600;
    ann.good(GrantAsk::Receive(ahead));
    for _ in 1..RECEIPTS_MAX {
        (ann.now_s, bob.now_s) = (ann.now_s + 1, bob.now_s + 1);
        let receipt = bob.opened(&text).receipt;
        ann.good(GrantAsk::Receive(receipt));
    }
    (ann.now_s, bob.now_s) = (ann.now_s + 1, bob.now_s + 1);
    let more = bob.opened(&text).receipt;
    assert!(receive(&mut ann, &more).contains("at most 16 receipts"));
}

#[test]
fn what_was_revoked_is_not_handed_on_and_its_history_stays() {
    let (mut ann, mut bob, text) = people();
    assert!(ann.refused(GrantAsk::Forget(1)).contains("still holds"));
    for ask in [GrantAsk::Again(7), GrantAsk::Revoke(7), GrantAsk::Forget(7)] {
        assert!(ann.refused(ask).contains("not remembered"));
    }
    ann.now_s += 10;
    ann.good(GrantAsk::Revoke(1));
    assert!(ann.refused(GrantAsk::Revoke(1)).contains("revoked already"));
    assert!(ann.refused(GrantAsk::Again(1)).contains("give a new one"));
    ann.reload();
    assert_eq!(ann.given()[0].revoked_s, Some(NOW_S + 10));
    // Who has it opens it still: nothing can be taken back. That he did is history.
    let receipt = bob.opened(&text).receipt;
    ann.good(GrantAsk::Receive(receipt));
    assert_eq!(ann.given()[0].receipts, [NOW_S]);
    ann.good(GrantAsk::Forget(1));
    assert_eq!(ann.given(), []);

    let (mut ann, _, _) = people();
    ann.now_s += 7 * DAY_S;
    assert!(ann.refused(GrantAsk::Revoke(1)).contains("has ended already"));
    assert!(ann.refused(GrantAsk::Again(1)).contains("give a new one"));
    ann.good(GrantAsk::Forget(1));
}

#[test]
fn no_more_are_remembered_than_there_is_room_for() {
    let mut ann = Browser::new(1);
    let to = Browser::new(2).did();
    for _ in 0..GIVEN_MAX {
        ann.good(give(order(&to)));
    }
    assert!(ann.refused(give(order(&to))).contains("at most 256 grants"));
    ann.good(GrantAsk::Revoke(3));
    ann.good(GrantAsk::Forget(3));
    ann.good(give(order(&to)));
    let numbers: Vec<u32> = ann.given().iter().map(|one| one.number).collect();
    assert_eq!((numbers.len(), numbers[0]), (GIVEN_MAX, 257), "newest first, no number twice");
    ann.reload();
    assert_eq!(ann.given().len(), GIVEN_MAX);
}

/// Where a name on a ledger stands whose keys are this seed's, the signing one of this generation.
fn head(root: &crate::custody::Root, generation: u32) -> Head {
    let content = Content {
        rotation: vec![root.rotation_key(generation).public()],
        next: vec![promise(&root.rotation_key(generation + 1).public())],
        methods: vec![KeyMethod {
            id: format!("key-{generation}"),
            key: root.signing_key(generation).public(),
            purposes: purposes::AUTHENTICATION
                | purposes::ASSERTION
                | purposes::AGREEMENT
                | purposes::INVOCATION
                | purposes::DELEGATION,
        }],
        services: Vec::new(),
        aliases: Vec::new(),
        guardians: None,
    };
    Head {
        network: [0; 32],
        did: StarlingId::new([7; 20]),
        op: Hash::new([1; 32]),
        seq: generation.into(),
        rotation: content.rotation.clone(),
        content: content.hash(),
        guardians: None,
    }
}

fn fact(id: &str, at_s: Option<u64>, key: Option<PublicKey>) -> Facts {
    let id = id.to_owned();
    let fact = KeyFact { id, at_s, key, version: 2, since: 3, height: 8 };
    Facts { keys: vec![fact], ..Facts::default() }
}

#[test]
fn names_on_the_ledger_are_proved_on_both_sides() {
    let (mut ann, mut bob) = (Browser::new(1), Browser::new(2));
    let did = format!("did:starling:{}", StarlingId::new([8; 20]));
    let gives = |head| give(Give { head, ..order(&did) });
    let asked = ann.ask(gives(None));
    let need = Need::Key { did: did.clone(), id: did.clone(), at_s: None };
    assert_eq!((asked.needs, asked.refused), (vec![need], None));
    assert_eq!(asked.view, View::default(), "nothing is done before it is proved");
    let grants = |ask, facts| Command::Grants { ask, facts };
    let none = ann.call(grants(gives(None), fact(&did, None, None)));
    assert!(none.refused.unwrap().contains("proved at block 8"));
    // His keys changed twice; hers once.
    let his = bob.root.signing_key(2).public();
    let hers = head(&ann.root, 1);
    let text = ann.done(grants(gives(Some(hers.clone())), fact(&did, None, Some(his)))).text;
    let wrong = Head { content: Hash::new([6; 32]), ..hers.clone() };
    let wrong = ann.call(grants(gives(Some(wrong)), fact(&did, None, Some(his))));
    assert!(wrong.refused.unwrap().contains("no key of this identity"));

    let by = format!("did:starling:{}", hers.did);
    let id = format!("{by}#key-1");
    let read = GrantAsk::Read(text.clone());
    let asked = bob.ask(read.clone());
    assert_eq!(asked.needs, [Need::Key { did: by.clone(), id: id.clone(), at_s: Some(NOW_S) }]);
    assert_eq!(asked.reading, None);
    let proved = |key| fact(&id, Some(NOW_S), key);
    let none = bob.call(grants(read.clone(), proved(None)));
    assert!(none.refused.unwrap().contains("not the giver"));
    let other = bob.call(grants(read.clone(), proved(Some(his))));
    assert!(other.refused.unwrap().contains("signature"));
    let key = ann.root.signing_key(1).public();
    let seen = bob.done(grants(read, proved(Some(key)))).reading.unwrap();
    assert_eq!((seen.by, seen.to, seen.proved), (by, did, Some((2, 3, 8))));
    let open = GrantAsk::Open { text, read: seen.read };
    let opened = bob.done(grants(open, proved(Some(key)))).reading.unwrap();
    // The receipt needs no ledger: the key that it was sealed for signed.
    ann.good(GrantAsk::Receive(opened.receipt));
    assert_eq!(ann.given()[0].receipts, [NOW_S]);
}
