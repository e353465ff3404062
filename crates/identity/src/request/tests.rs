//! A question from the verifier to the holder and back, and what each of them may do to the other.

use std::collections::BTreeMap;

use primitives::Seed;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    SecretKey,
    dcql::{ClaimPath, ClaimQuery, Lack, QueryError, Unanswered},
    did::did_key,
    limits::{RESPONSE_BYTES_MAX, VERIFIER_NAME_BYTES_MAX},
    sd_jwt::{Credential, DidKeys, NoKey, Path, Refusal, Template, issue},
};

const NOW_S: u64 = 1_800_000_000;
const NONCE: &str = "cYzMCNpzQuAFYhhbNlbEVg";

fn verifier() -> SecretKey {
    SecretKey::ed25519(&[7; 32])
}

fn holder() -> SecretKey {
    SecretKey::ed25519(&[2; 32])
}

fn key_id(key: &SecretKey) -> String {
    did_key::key_id(&key.public())
}

fn adult() -> Query {
    let path = ClaimPath::parse("/age/18").unwrap();
    Query::of("person", vec![ClaimQuery { path, values: vec![true.into()] }])
}

fn request() -> Request {
    Request {
        verifier: did_key::did(&verifier().public()),
        nonce: NONCE.to_owned(),
        state: Some("s-1".to_owned()),
        issued_s: NOW_S,
        expires_s: NOW_S + 600,
        query: adult(),
        name: Some("The bar at the corner".to_owned()),
        purpose: Some("We may serve adults only".to_owned()),
        return_to: Some("https://bar.example/verify".to_owned()),
    }
}

fn credential(adult: bool) -> Credential {
    let claims = json!({ "vct": "person", "name": "Ann", "age": { "18": adult, "65": false } });
    let hidden = ["/name", "/age", "/age/18", "/age/65"].map(|path| Path::parse(path).unwrap());
    let claims = claims.as_object().cloned().unwrap();
    let template = Template { claims, hidden: hidden.to_vec(), decoys: 0 };
    let issuer = SecretKey::ed25519(&[1; 32]);
    let seed = Seed::from_number(1);
    let issued = issue(&template, &issuer, &key_id(&issuer), &holder().public(), seed).unwrap();
    Credential::open(&issued, &DidKeys, NOW_S).unwrap()
}

/// The holder's answer to a request.
fn answer(request: &Request, credential: &Credential, shown: &[Path]) -> Response {
    let audience = request.audience();
    let text = credential.present(shown, request.challenge(&audience), &holder(), NOW_S).unwrap();
    let presentations = BTreeMap::from([("credential".to_owned(), text)]);
    Response { presentations, state: request.state.clone(), status_lists: Vec::new() }
}

fn good() -> Response {
    let (request, credential) = (request(), credential(true));
    let shown = request.query.credentials[0].shown(&credential);
    answer(&request, &credential, &shown)
}

/// A request by a hostile hand: its signature is good, whatever it says.
fn forged(header: Value, change: impl FnOnce(&mut Map<String, Value>)) -> Option<RequestRefusal> {
    let text = request().sign(&verifier(), &key_id(&verifier()));
    let mut payload = Jws::parse(&text).unwrap().payload;
    change(&mut payload);
    let encode = |value: &Value| crate::base64url::encode(value.to_string().as_bytes());
    let body = format!("{}.{}", encode(&header), encode(&Value::Object(payload)));
    let signature = crate::base64url::encode(&verifier().sign(body.as_bytes()));
    Request::open(&format!("{body}.{signature}"), &DidKeys, NOW_S).err()
}

fn header() -> Value {
    json!({ "alg": "EdDSA", "typ": REQUEST_TYPE, "kid": key_id(&verifier()) })
}

fn with(name: &str, value: Value) -> Option<RequestRefusal> {
    forged(header(), |payload| drop(payload.insert(name.to_owned(), value)))
}

fn without(name: &str) -> Option<RequestRefusal> {
    forged(header(), |payload| drop(payload.remove(name)))
}

#[test]
fn a_question_is_read_as_it_was_signed() {
    let text = request().sign(&verifier(), &key_id(&verifier()));
    assert_eq!(Request::open(&text, &DidKeys, NOW_S + 599), Ok(request()));
    let bare = Request { state: None, name: None, purpose: None, return_to: None, ..request() };
    let p256 = SecretKey::p256(&[9; 32]).unwrap();
    let bare = Request { verifier: did_key::did(&p256.public()), ..bare };
    let text = bare.sign(&p256, &key_id(&p256));
    assert_eq!(Request::open(&text, &DidKeys, NOW_S), Ok(bare));
    assert_eq!(forged(header(), |_| {}), None);
}

#[test]
fn hostile_headers_of_requests_are_refused() {
    let refused = |name: &str, value: Value| {
        let mut header = header();
        header[name] = value;
        forged(header, |_| {})
    };
    assert_eq!(refused("typ", json!("JWT")), Some(RequestRefusal::Type));
    assert_eq!(refused("alg", json!("none")), Some(RequestRefusal::Algorithm));
    assert_eq!(refused("alg", json!("ES256")), Some(RequestRefusal::Algorithm));
    assert_eq!(refused("crit", json!(["x"])), Some(RequestRefusal::Critical));
    // Another's name over our signature, as one and in two halves.
    let other = SecretKey::ed25519(&[8; 32]);
    let kid = refused("kid", key_id(&other).into());
    assert_eq!(kid, Some(RequestRefusal::Verifier));
    let did = format!("decentralized_identifier:{}", did_key::did(&other.public()));
    assert_eq!(with("client_id", did.clone().into()), Some(RequestRefusal::Verifier));
    let mut theirs = header();
    theirs["kid"] = key_id(&other).into();
    let both = forged(theirs, |payload| drop(payload.insert("client_id".to_owned(), did.into())));
    assert_eq!(both, Some(RequestRefusal::Signature));
    let plain = with("client_id", json!("https://bar.example"));
    assert_eq!(plain, Some(RequestRefusal::Verifier));
    let mut web = header();
    web["kid"] = json!("did:web:bar.example#1");
    let web = forged(web, |payload| {
        let id = "decentralized_identifier:did:web:bar.example";
        payload.insert("client_id".to_owned(), id.into());
    });
    assert_eq!(web, Some(RequestRefusal::Key(NoKey::Method)));
}

#[test]
fn hostile_members_of_requests_are_refused() {
    for name in ["client_id", "iat", "exp", "aud", "response_type", "dcql_query", "nonce"] {
        assert_eq!(without(name), Some(RequestRefusal::Missing(name)), "{name}");
    }
    assert_eq!(with("exp", NOW_S.into()), Some(RequestRefusal::Expired));
    assert_eq!(with("exp", json!("soon")), Some(RequestRefusal::MemberForm("exp")));
    assert_eq!(with("exp", (NOW_S + 86_401).into()), Some(RequestRefusal::LongLived));
    assert_eq!(with("iat", (NOW_S + 61).into()), Some(RequestRefusal::FromTheFuture));
    assert_eq!(with("aud", json!("https://wallet.example")), Some(RequestRefusal::ForOthers));
    for (name, value) in [
        ("response_type", "code"),
        ("response_mode", "direct_post"),
        ("transaction_data", "pay"),
        ("request_uri", "https://bar.example"),
        ("scope", "person"),
    ] {
        assert_eq!(with(name, value.into()), Some(RequestRefusal::Unsupported(name)), "{name}");
    }
    assert_eq!(with("nonce", json!("1234")), Some(RequestRefusal::ShortNonce));
    for (name, value) in [("nonce", "a b".repeat(10)), ("nonce", "a".repeat(129))] {
        assert_eq!(with(name, value.into()), Some(RequestRefusal::MemberForm(name)));
    }
    assert_eq!(with("state", json!("a&b=c")), Some(RequestRefusal::MemberForm("state")));
    let query = with("dcql_query", json!({ "credentials": [] }));
    assert_eq!(query, Some(RequestRefusal::Query(QueryError::Form("credentials"))));
    let large = with("comment", "x".repeat(crate::limits::REQUEST_BYTES_MAX).into());
    assert_eq!(large, Some(RequestRefusal::TooLarge));
}

/// What stands on the page of who is asked.
#[test]
fn words_and_addresses_that_deceive_are_refused() {
    let name = |text: String| with("client_metadata", json!({ "client_name": text }));
    let form = Some(RequestRefusal::MemberForm("client_name"));
    for text in ["\u{202e}knab ruoY", "a\nb", "\u{200b}", "  "] {
        assert_eq!(name(text.to_owned()), form, "{text:?}");
    }
    assert_eq!(name("x".repeat(VERIFIER_NAME_BYTES_MAX + 1)), form);
    assert_eq!(name("Köln: ยินดี".to_owned()), None);
    for address in [
        "http://bar.example/",
        "javascript:alert(1)",
        "https://",
        "https://bank.example@bar.example/",
        "https://bar.example/#a",
        "https://bar.example/ a",
        "http://localhost.bar.example/",
        "data:text/html,x",
        "https:\\\\bar.example",
    ] {
        let form = Some(RequestRefusal::MemberForm("redirect_uri"));
        assert_eq!(with("redirect_uri", address.into()), form, "{address}");
    }
    for address in
        ["http://localhost:8080/verify", "http://127.0.0.1/", "https://bar.example/a?b=c@d"]
    {
        assert_eq!(with("redirect_uri", address.into()), None, "{address}");
    }
}

#[test]
fn an_answer_proves_what_was_asked_and_nothing_else() {
    let response = good();
    for text in [
        response.to_json(),
        response.to_fragment(),
        format!("https://bar.example/verify#{}", response.to_fragment()),
    ] {
        let read = Response::parse(&text).unwrap();
        assert_eq!(read, response);
        let given = read.check(&request(), &DidKeys, NOW_S + 60).unwrap();
        let claims = &given["credential"].claims;
        assert_eq!(claims["age"], json!({ "18": true }));
        assert_eq!(claims.get("name"), None);
    }
}

#[test]
fn an_answer_counts_for_its_question_only() {
    let check = |request: &Request, now_s| good().check(request, &DidKeys, now_s).err();
    let presentation = |why| Some(ResponseRefusal::Presentation("credential".to_owned(), why));
    assert_eq!(check(&request(), NOW_S + 600), Some(ResponseRefusal::Late));
    let other = Request { state: None, ..request() };
    assert_eq!(check(&other, NOW_S), Some(ResponseRefusal::State));
    let other = Request { nonce: "x".repeat(22), ..request() };
    assert_eq!(check(&other, NOW_S), presentation(Refusal::Nonce));
    let other = Request { verifier: did_key::did(&holder().public()), ..request() };
    assert_eq!(check(&other, NOW_S), presentation(Refusal::Audience));
    assert_eq!(check(&request(), NOW_S + 301), presentation(Refusal::Stale));
    let other = Request { query: Query::of("passport", Vec::new()), ..request() };
    let unanswered = |why| Some(ResponseRefusal::Unanswered(why));
    let lacks = |lack| unanswered(Unanswered::Lacks("credential".to_owned(), lack));
    assert_eq!(check(&other, NOW_S), lacks(Lack::Type));
    let path = ClaimPath::parse("/age/18").unwrap();
    let less = answer(&request(), &credential(true), &[]);
    assert_eq!(less.check(&request(), &DidKeys, NOW_S).err(), lacks(Lack::Claim(path.clone())));
    let minor = answer(&request(), &credential(false), &[Path::parse("/age/18").unwrap()]);
    assert_eq!(minor.check(&request(), &DidKeys, NOW_S).err(), lacks(Lack::Value(path)));
    let mut more = good();
    let text = more.presentations["credential"].clone();
    more.presentations.insert("passport".to_owned(), text);
    let not_asked = unanswered(Unanswered::NotAsked("passport".to_owned()));
    assert_eq!(more.check(&request(), &DidKeys, NOW_S).err(), not_asked);
}

#[test]
fn what_is_no_answer_is_refused() {
    for text in [
        "",
        "{}",
        "[]",
        "vp_token=",
        "vp_token={}",
        "state=a",
        "vp_token=%7B%7D&vp_token=%7B%7D",
        r#"{"vp_token":{}}"#,
        r#"{"vp_token":{"a":[]}}"#,
        r#"{"vp_token":{"a":["x","y"]}}"#,
        r#"{"vp_token":{"a":"x"}}"#,
        r#"{"vp_token":{"a":["x"],"a":["y"]}}"#,
        r#"{"vp_token":{"a":["x"]},"state":1}"#,
        "vp_token=%ff",
    ] {
        assert_eq!(Response::parse(text), Err(ResponseRefusal::Form), "{text}");
    }
    let large = "x".repeat(RESPONSE_BYTES_MAX + 1);
    assert_eq!(Response::parse(&large), Err(ResponseRefusal::TooLarge));
    let declined = Err(ResponseRefusal::Declined("access_denied".to_owned()));
    assert_eq!(Response::parse("error=access_denied&state=s-1"), declined);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_no_request_and_no_answer(text in "\\PC{0,200}|[A-Za-z0-9._~%&=#-]{0,200}") {
        prop_assert!(Request::open(&text, &DidKeys, NOW_S).is_err());
        prop_assert!(Response::parse(&text).is_err());
    }

    #[test]
    fn any_flipped_bit_of_a_request_is_refused(place in 0..10_000_usize, bit in 0..8_u32) {
        let mut bytes = request().sign(&verifier(), &key_id(&verifier())).into_bytes();
        let place = place % bytes.len();
        bytes[place] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(Request::open(&changed, &DidKeys, NOW_S).is_err(), "byte {place}, bit {bit}");
        }
    }

    #[test]
    fn an_answer_is_read_as_it_was_written(ids in prop::collection::btree_map("[a-z0-9_-]{1,8}", "\\PC{0,20}", 1..5), state in prop::option::of("[A-Za-z0-9._~-]{1,9}")) {
        let response = Response { presentations: ids, state, status_lists: Vec::new() };
        prop_assert_eq!(Response::parse(&response.to_json()), Ok(response.clone()));
        prop_assert_eq!(Response::parse(&response.to_fragment()), Ok(response.clone()));
    }
}
