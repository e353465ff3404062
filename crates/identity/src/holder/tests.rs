//! A person, an issuer of copies, and verifiers who compare what they saw.

use primitives::Seed;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    SecretKey,
    dcql::{ClaimPath, ClaimQuery, Lack, Query},
    did::did_key,
    sd_jwt::{CopyFor, DidKeys, Template, issue_copies},
};

const NOW_S: u64 = 1_800_000_000;

fn root() -> Root {
    Root::new([5; 32])
}

fn issuer() -> SecretKey {
    SecretKey::ed25519(&[1; 32])
}

/// What an issuer makes for these keys.
fn issued(kind: &str, keys: &[PublicKey]) -> Vec<String> {
    issued_hiding(kind, keys, &["/name", "/age", "/age/18", "/age/65"])
}

/// The same, of which this can be left out.
fn issued_hiding(kind: &str, keys: &[PublicKey], hidden: &[&str]) -> Vec<String> {
    let claims = json!({
        "vct": kind, "name": "Ann", "age": { "18": true, "65": false }, "exp": NOW_S + 1000,
        "status": { "status_list": { "idx": 0, "uri": "did:key:a#list" } },
    });
    let hidden: Vec<Path> = hidden.iter().map(|path| Path::parse(path).unwrap()).collect();
    let claims = claims.as_object().cloned().unwrap();
    let template = Template { claims, hidden, decoys: 0 };
    let copies: Vec<CopyFor> =
        (7..).zip(keys).map(|(place, key)| CopyFor { holder: *key, place: Some(place) }).collect();
    let key_id = did_key::key_id(&issuer().public());
    issue_copies(&template, &issuer(), &key_id, &copies, Seed::from_number(1)).unwrap()
}

/// A person with that many copies of a `person`.
fn holder(copies: usize) -> Holder {
    let mut holder = Holder::new(Seed::from_number(2));
    let keys = holder.keys(&root(), "person", copies);
    let list = json!(issued("person", &keys)).to_string();
    assert_eq!(holder.add(&root(), &list, &DidKeys, NOW_S), Ok(copies));
    holder
}

fn request(nonce: u8) -> Request {
    let path = ClaimPath::parse("/age/18").unwrap();
    let claims = vec![ClaimQuery { path, values: vec![true.into()] }];
    Request {
        verifier: did_key::did(&SecretKey::ed25519(&[7; 32]).public()),
        nonce: format!("{nonce:032}"),
        state: None,
        issued_s: NOW_S,
        expires_s: NOW_S + 600,
        query: Query::of("person", claims),
        name: None,
        purpose: None,
        return_to: None,
    }
}

fn pick(card: Hash, more: &[&str]) -> Vec<Pick> {
    let more = more.iter().map(|path| Path::parse(path).unwrap()).collect();
    vec![Pick { id: "credential".to_owned(), card, more }]
}

fn answer(holder: &mut Holder, nonce: u8) -> Answered {
    let card = holder.cards()[0].id;
    holder.answer(&root(), &request(nonce), &pick(card, &[]), NOW_S).unwrap()
}

#[test]
fn copies_that_say_the_same_are_one_card() {
    let mut holder = holder(3);
    let keys = holder.keys(&root(), "other", 1);
    holder.add(&root(), &issued("other", &keys)[0], &DidKeys, NOW_S).unwrap();
    let cards = holder.cards();
    let counts: Vec<_> = cards.iter().map(|card| (card.copies, card.fresh)).collect();
    assert_eq!(counts, [(3, 3), (1, 1)]);
    assert_eq!(cards[0].expires_s, Some(NOW_S + 1000));
    assert_eq!(cards[0].contents.claims["name"], "Ann");
    assert_eq!(holder.choices(cards[0].id).len(), 4);
    assert_eq!(holder.remove(cards[0].id), 3);
    assert_eq!(holder.cards().len(), 1);
}

#[test]
fn a_copy_that_hides_less_is_a_card_of_its_own() {
    let mut holder = holder(1);
    let keys = holder.keys(&root(), "person", 1);
    let open = issued_hiding("person", &keys, &["/age", "/age/18", "/age/65"]);
    holder.add(&root(), &open[0], &DidKeys, NOW_S).unwrap();
    let cards = holder.cards();
    assert_eq!(cards[0].contents.claims["name"], cards[1].contents.claims["name"]);
    let choices: Vec<_> = cards.iter().map(|card| holder.choices(card.id).len()).collect();
    assert_eq!(choices, [4, 3]);
}

#[test]
fn each_verifier_sees_another_copy_while_there_is_one() {
    let mut holder = holder(2);
    let seen: Vec<_> = (0..3).map(|nonce| answer(&mut holder, nonce)).collect();
    let holder_of = |nonce: u8, answered: &Answered| {
        let given = answered.response.check(&request(nonce), &DidKeys, NOW_S).unwrap();
        let verified = &given["credential"];
        assert_eq!(verified.claims["age"], json!({ "18": true }));
        assert_eq!(verified.claims.get("name"), None);
        verified.holder
    };
    let keys: Vec<_> = (0..).zip(&seen).map(|(nonce, one)| holder_of(nonce, one)).collect();
    assert_ne!(keys[0], keys[1]);
    assert_eq!(keys[0], keys[2]);
    let before: Vec<_> = seen.iter().map(|one| one.seen_before.len()).collect();
    assert_eq!(before, [0, 0, 1]);
    assert_eq!(holder.cards()[0].fresh, 0);
}

#[test]
fn a_person_sees_what_would_be_shown_and_may_show_more() {
    let mut holder = holder(1);
    let card = holder.cards()[0].id;
    let parts = holder.ask(&request(1), NOW_S).unwrap();
    let shown: Vec<String> = parts[0].cards[0].1.iter().map(ToString::to_string).collect();
    assert_eq!((parts.len(), parts[0].cards[0].0), (1, card));
    assert_eq!(shown, ["/age", "/age/18"]);
    assert_eq!(parts[0].query(&request(1)).unwrap().types, ["person"]);
    let more = holder.answer(&root(), &request(1), &pick(card, &["/name"]), NOW_S).unwrap();
    let given = more.response.check(&request(1), &DidKeys, NOW_S).unwrap();
    assert_eq!(given["credential"].claims["name"], "Ann");
}

#[test]
fn what_answers_nothing_shows_nothing() {
    let mut holder = holder(1);
    let card = holder.cards()[0].id;
    let root = root();
    let not_chosen = Err(AnswerRefusal::NotChosen("credential".to_owned()));
    assert_eq!(holder.answer(&root, &request(1), &[], NOW_S), not_chosen);
    let other = pick(Hash::new([0; 32]), &[]);
    assert_eq!(holder.answer(&root, &request(1), &other, NOW_S), not_chosen);
    let missing = holder.answer(&root, &request(1), &pick(card, &["/iban"]), NOW_S);
    let path = Path::parse("/iban").unwrap();
    assert_eq!(missing, Err(AnswerRefusal::Present(PresentError::NoSuchClaim(path))));
    let thief = holder.answer(&Root::new([6; 32]), &request(1), &pick(card, &[]), NOW_S);
    assert_eq!(thief, Err(AnswerRefusal::Present(PresentError::OtherKey)));
    assert_eq!(holder.cards()[0].fresh, 1);
    // Expired: kept and shown to its owner, and no answer.
    let lack = Unanswerable { id: "credential".to_owned(), lack: Lack::Type };
    assert_eq!(holder.ask(&request(1), NOW_S + 1000), Err(lack));
    assert_eq!(holder.cards().len(), 1);
}

#[test]
fn what_is_not_this_persons_is_not_taken() {
    let mut holder = holder(1);
    let keys = holder.keys(&root(), "person", 2);
    let copies = issued("person", &keys);
    let mut add = |text: &str| holder.add(&root(), text, &DidKeys, NOW_S);
    let theirs = issued("person", &[SecretKey::ed25519(&[9; 32]).public()]);
    assert_eq!(add(&theirs[0]), Err(AddRefusal::OtherKey));
    assert_eq!(add(&json!([copies[0], theirs[0]]).to_string()), Err(AddRefusal::OtherKey));
    assert_eq!(add(&json!([copies[0], copies[0]]).to_string()), Err(AddRefusal::Twice));
    let spoiled = copies[0].replacen('.', "x.", 1);
    assert!(matches!(add(&spoiled), Err(AddRefusal::Credential(_))));
    for text in ["[]", "[1]", "[", r#"["a","a",]"#] {
        assert_eq!(add(text), Err(AddRefusal::Form), "{text}");
    }
    assert_eq!(add(&copies[1]), Ok(1));
    assert_eq!(add(&copies[1]), Err(AddRefusal::Twice));
}

#[test]
fn what_was_kept_is_there_again_with_what_was_shown() {
    let mut before = holder(2);
    let _ = answer(&mut before, 1);
    let mut after = Holder::from_bytes(&before.to_bytes()).unwrap();
    assert_eq!(after.cards(), before.cards());
    assert_eq!(after.cards()[0].fresh, 1);
    assert!(answer(&mut after, 2).seen_before.is_empty());
    // Keys go on where they were.
    let next = [before.keys(&root(), "person", 1), after.keys(&root(), "person", 1)];
    assert_eq!(next[0], next[1]);
    assert!(Holder::from_bytes(b"").is_none());
}

#[test]
fn keys_are_not_given_out_again_after_a_recovery() {
    // The seed is the same; what was kept is lost.
    let keys = |number| Holder::new(Seed::from_number(number)).keys(&root(), "person", 50);
    let (before, after) = (keys(2), keys(3));
    assert_eq!((before.len(), after.len()), (50, 50));
    assert!(before.iter().all(|key| !after.contains(key)));
}

#[test]
fn what_was_kept_before_numbers_were_drawn_goes_on_from_nought() {
    let given = [("person", 2_u32)];
    let kept = minicbor::to_vec((1_u8, Vec::<String>::new(), given)).unwrap();
    let mut holder = Holder::from_bytes(&kept).unwrap();
    assert_eq!(holder.keys(&root(), "person", 1), [root().holder_key("person", 2).public()]);
}

#[test]
fn what_is_taken_is_read_back_however_much_it_is() {
    // The largest copies there may be: far fewer than the number of copies fill the bytes.
    let large = |holder: &mut Holder, number: usize| {
        let kind = format!("person {number}");
        let keys = holder.keys(&root(), &kind, 1);
        let claims = json!({ "vct": kind, "note": "x".repeat(180 << 10) });
        let template = Template {
            claims: claims.as_object().cloned().unwrap(),
            hidden: Vec::new(),
            decoys: 0,
        };
        let copies = [CopyFor { holder: keys[0], place: None }];
        let key_id = did_key::key_id(&issuer().public());
        issue_copies(&template, &issuer(), &key_id, &copies, Seed::from_number(1)).unwrap()
    };
    let mut holder = Holder::new(Seed::from_number(2));
    let mut taken = 0;
    let refused = (0..HELD_MAX).find_map(|number| {
        let text = large(&mut holder, number).remove(0);
        let added = holder.add(&root(), &text, &DidKeys, NOW_S);
        taken += usize::from(added.is_ok());
        added.err()
    });
    assert_eq!(refused, Some(AddRefusal::Full));
    assert!((100..200).contains(&taken), "{taken}");
    let bytes = holder.to_bytes();
    assert!(bytes.len() <= HELD_BYTES_MAX, "{}", bytes.len());
    assert_eq!(Holder::from_bytes(&bytes).unwrap().cards().len(), taken);
}

#[test]
fn types_that_strangers_name_do_not_pile_up() {
    let mut holder = Holder::new(Seed::from_number(2));
    let mut given = |name: &str| holder.keys(&root(), name, 1).len();
    assert_eq!(given(&"x".repeat(HELD_BYTES_MAX)), 0);
    assert!((0..TYPES_MAX).all(|number| given(&number.to_string()) == 1));
    assert_eq!(given("one more"), 0);
    assert_eq!(given("0"), 1, "a known type goes on");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_a_holder_or_nothing(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(holder) = Holder::from_bytes(&bytes) {
            prop_assert!(holder.cards().is_empty());
        }
    }
}
