//! Questions as they are read, and which credentials fit.

use std::collections::BTreeMap;

use primitives::Seed;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{
    SecretKey,
    did::did_key,
    limits::{CLAIM_DEPTH_MAX, QUERY_CLAIMS_MAX, QUERY_CREDENTIALS_MAX},
    sd_jwt::{Credential, DidKeys, Path, Template, Verified, issue},
};

const NOW_S: u64 = 1_800_000_000;
const PERSON: &str = "https://town.example/person/1";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn credential(claims: Value, hidden: &[&str]) -> Credential {
    let key = SecretKey::ed25519(&[1; 32]);
    let holder = SecretKey::ed25519(&[2; 32]).public();
    let hidden = hidden.iter().map(|path| Path::parse(path).unwrap()).collect();
    let template = Template { claims: object(claims), hidden, decoys: 1 };
    let key_id = did_key::key_id(&key.public());
    let issued = issue(&template, &key, &key_id, &holder, Seed::from_number(1)).unwrap();
    Credential::open(&issued, &DidKeys, NOW_S).unwrap()
}

fn person() -> Credential {
    let claims = json!({
        "vct": PERSON, "given_name": "Ann", "age": { "18": true, "65": false },
        "nationalities": ["DE", "FR"], "address": { "street": "Heidestr. 17", "city": "Köln" },
    });
    let hidden = ["/given_name", "/age", "/age/18", "/age/65", "/nationalities/0"];
    let more = ["/nationalities/1", "/address", "/address/street"];
    credential(claims, &[&hidden[..], &more[..]].concat())
}

fn student() -> Credential {
    credential(json!({ "vct": "student", "school": "Town" }), &["/school"])
}

fn asking(claims: Value) -> Value {
    json!({ "credentials": [{
        "id": "person", "format": "dc+sd-jwt", "meta": { "vct_values": [PERSON] }, "claims": claims,
    }] })
}

fn query(claims: Value) -> Query {
    Query::parse(&asking(claims)).unwrap()
}

/// Refused after a change of a good question's credential.
fn refused(change: impl FnOnce(&mut Value)) -> Option<QueryError> {
    let mut value = asking(json!([{ "path": ["age", "18"], "values": [true] }]));
    change(&mut value["credentials"][0]);
    Query::parse(&value).err()
}

#[test]
fn a_question_is_read_as_it_is_written() {
    let value = json!({
        "credentials": [
            { "id": "a", "format": "dc+sd-jwt", "meta": { "vct_values": ["x", "y"] } },
            { "id": "b-1", "format": "dc+sd-jwt", "meta": { "vct_values": ["z"] }, "claims": [
                { "path": ["age", "18"], "values": [true, 18, "yes"] }, { "path": ["list", null] },
            ] },
        ],
        "credential_sets": [{ "options": [["a"], ["b-1", "a"]], "required": false }],
    });
    let query = Query::parse(&value).unwrap();
    assert_eq!(query.to_json(), value);
    let paths: Vec<String> =
        query.credentials[1].claims.iter().map(|claim| claim.path.to_string()).collect();
    assert_eq!(paths, ["/age/18", "/list/*"]);
    assert_eq!(ClaimPath::parse("/list/*"), Some(query.credentials[1].claims[1].path.clone()));
}

#[test]
fn what_would_change_the_question_is_refused_by_name() {
    assert_eq!(refused(|_| {}), None);
    assert_eq!(refused(|query| query["comment"] = json!("passed over")), None);
    let set = |name: &'static str, value: Value| refused(move |query| query[name] = value);
    for (name, value) in [
        ("format", json!("mso_mdoc")),
        ("multiple", json!(true)),
        ("require_cryptographic_holder_binding", json!(false)),
        ("claim_sets", json!([["a"]])),
        ("trusted_authorities", json!([])),
    ] {
        assert_eq!(set(name, value), Some(QueryError::Unsupported(name)));
    }
    let number = json!([{ "path": ["nationalities", 0] }]);
    assert_eq!(set("claims", number), Some(QueryError::Unsupported("a number in a path")));
    let list = json!([{ "path": ["nationalities", null], "values": ["DE"] }]);
    assert_eq!(set("claims", list), Some(QueryError::Unsupported("values of a list")));
}

#[test]
fn forms_and_bounds_of_a_question_are_kept() {
    let set = |name: &'static str, value: Value| refused(move |query| query[name] = value);
    for (name, value) in [
        ("id", json!("")),
        ("id", json!("a b")),
        ("meta", json!([])),
        ("claims", json!([])),
        ("claims", json!({})),
    ] {
        assert_eq!(set(name, value), Some(QueryError::Form(name)), "{name}");
    }
    assert_eq!(set("meta", json!({ "vct_values": [] })), Some(QueryError::Form("vct_values")));
    assert_eq!(set("meta", json!({ "vct_values": [1] })), Some(QueryError::Form("vct_values")));
    for path in [json!([]), json!([null]), json!([""]), json!([true]), json!("age")] {
        assert_eq!(set("claims", json!([{ "path": path }])), Some(QueryError::Form("path")));
    }
    for values in [json!([]), json!([null]), json!([0.5]), json!([[1]])] {
        let claims = json!([{ "path": ["a"], "values": values }]);
        assert_eq!(set("claims", claims), Some(QueryError::Form("values")));
    }
    let claims = vec![json!({ "path": ["a"] }); QUERY_CLAIMS_MAX + 1];
    assert_eq!(set("claims", claims.into()), Some(QueryError::TooMany("claims")));
    let path = vec!["a"; CLAIM_DEPTH_MAX + 1];
    assert_eq!(set("claims", json!([{ "path": path }])), Some(QueryError::TooMany("path")));
    let long = json!([{ "path": ["a".repeat(1000)] }]);
    assert_eq!(set("claims", long), Some(QueryError::TooMany("letters")));
}

#[test]
fn ids_stand_once_and_sets_name_them() {
    let mut twice = asking(json!([{ "path": ["a"] }]));
    let one = twice["credentials"][0].clone();
    twice["credentials"] = json!([one, one]);
    assert_eq!(Query::parse(&twice), Err(QueryError::Id));
    let many = vec![one; QUERY_CREDENTIALS_MAX + 1];
    assert_eq!(
        Query::parse(&json!({ "credentials": many })),
        Err(QueryError::TooMany("credentials"))
    );
    let mut named = asking(json!([{ "path": ["a"] }]));
    named["credential_sets"] = json!([{ "options": [["nobody"]] }]);
    assert_eq!(Query::parse(&named), Err(QueryError::Id));
    named["credential_sets"] = json!([{ "options": [[]] }]);
    assert_eq!(Query::parse(&named), Err(QueryError::Form("options")));
    assert_eq!(Query::parse(&json!([])), Err(QueryError::Form("dcql_query")));
    assert_eq!(Query::parse(&json!({})), Err(QueryError::Form("credentials")));
}

#[test]
fn a_credential_fits_by_type_claims_and_values() {
    let (person, student) = (person(), student());
    let held = [student.contents(), person.contents()];
    let answer = |claims: Value| {
        let query = query(claims);
        query.answers(&held).map(|answers| answers[0].held.clone())
    };
    let lack = |lack| Err(Unanswerable { id: "person".to_owned(), lack });
    let path = |text: &str| ClaimPath::parse(text).unwrap();
    assert_eq!(answer(json!([{ "path": ["age", "18"], "values": [true] }])), Ok(vec![1]));
    assert_eq!(answer(json!([{ "path": ["nationalities", null] }])), Ok(vec![1]));
    assert_eq!(
        answer(json!([{ "path": ["age", "65"], "values": [true] }])),
        lack(Lack::Value(path("/age/65")))
    );
    assert_eq!(answer(json!([{ "path": ["age", "21"] }])), lack(Lack::Claim(path("/age/21"))));
    assert_eq!(answer(json!([{ "path": ["age", null] }])), lack(Lack::Claim(path("/age/*"))));
    let other = Query::of("passport", Vec::new());
    assert_eq!(other.answers(&held).unwrap_err().lack, Lack::Type);
}

#[test]
fn nothing_is_shown_but_what_was_asked_and_what_leads_there() {
    let person = person();
    let shown = |claims: Value| -> Vec<String> {
        let query = query(claims);
        query.credentials[0].shown(&person).iter().map(ToString::to_string).collect()
    };
    assert_eq!(shown(json!([{ "path": ["age", "18"] }])), ["/age", "/age/18"]);
    assert_eq!(shown(json!([{ "path": ["vct"] }])), [""; 0]);
    assert_eq!(shown(json!([{ "path": ["address", "city"] }])), ["/address"]);
    assert_eq!(shown(json!([{ "path": ["address"] }])), ["/address", "/address/street"]);
    let all = ["/nationalities/0", "/nationalities/1"];
    assert_eq!(shown(json!([{ "path": ["nationalities", null] }])), all);
    let none: Vec<Path> = Query::of(PERSON, Vec::new()).credentials[0].shown(&person);
    assert!(none.is_empty());
}

/// Credentials `a` and `b` of types `a` and `b`, and this set of them.
fn with_sets(sets: Value) -> Query {
    let one = |id: &str| json!({ "id": id, "format": "dc+sd-jwt", "meta": { "vct_values": [id] } });
    let query = json!({ "credentials": [one("a"), one("b")], "credential_sets": sets });
    Query::parse(&query).unwrap()
}

#[test]
fn the_first_option_that_can_be_answered_is_taken() {
    let [a, b] = ["a", "b"].map(|kind| credential(json!({ "vct": kind }), &[]));
    let answered = |sets: Value, held: &[&Verified]| {
        let query = with_sets(sets);
        let answers = query.answers(held).map_err(|lack| lack.id)?;
        Ok::<_, String>(answers.iter().map(|answer| answer.query.id.clone()).collect::<Vec<_>>())
    };
    let either = json!([{ "options": [["a"], ["b"]] }]);
    let (a, b) = (a.contents(), b.contents());
    assert_eq!(answered(either.clone(), &[a, b]), Ok(vec!["a".to_owned()]));
    assert_eq!(answered(either.clone(), &[b]), Ok(vec!["b".to_owned()]));
    assert_eq!(answered(either, &[]), Err("a".to_owned()));
    let optional = json!([{ "options": [["a"]] }, { "options": [["b"]], "required": false }]);
    assert_eq!(answered(optional, &[a, b]), Ok(vec!["a".to_owned()]));
    let both = json!([{ "options": [["a"]] }, { "options": [["b", "a"]] }]);
    assert_eq!(answered(both, &[a, b]), Ok(vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_verifier_takes_what_it_asked_for_and_no_less() {
    let person = person().contents().clone();
    let given = |list: &[(&str, &Verified)]| -> BTreeMap<String, Verified> {
        list.iter().map(|(id, verified)| ((*id).to_owned(), (*verified).clone())).collect()
    };
    let query = query(json!([{ "path": ["age", "18"], "values": [true] }]));
    assert_eq!(query.check(&given(&[("person", &person)])), Ok(()));
    assert_eq!(query.check(&given(&[])), Err(Unanswered::Missing("person".to_owned())));
    let other = Err(Unanswered::NotAsked("other".to_owned()));
    assert_eq!(query.check(&given(&[("other", &person), ("person", &person)])), other);
    let mut minor = person.clone();
    minor.claims["age"]["18"] = false.into();
    let path = ClaimPath::parse("/age/18").unwrap();
    let lacks = |lack| Err(Unanswered::Lacks("person".to_owned(), lack));
    assert_eq!(query.check(&given(&[("person", &minor)])), lacks(Lack::Value(path.clone())));
    minor.claims.remove("age");
    assert_eq!(query.check(&given(&[("person", &minor)])), lacks(Lack::Claim(path)));
    minor.credential_type = "passport".to_owned();
    assert_eq!(query.check(&given(&[("person", &minor)])), lacks(Lack::Type));
    let sets = with_sets(json!([{ "options": [["a"], ["b"]] }]));
    let kind = |kind: &str| Verified { credential_type: kind.to_owned(), ..person.clone() };
    assert_eq!(sets.check(&given(&[("b", &kind("b"))])), Ok(()));
    assert_eq!(sets.check(&given(&[])), Err(Unanswered::Missing("a".to_owned())));
}

/// JSON that is near a question.
fn any_query() -> impl Strategy<Value = Value> {
    let text = prop::sample::select(vec!["a", "b", "dc+sd-jwt", "", "c d"]);
    let leaf = prop_oneof![
        text.prop_map(Value::from),
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..3_u8).prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "credentials",
        "id",
        "format",
        "meta",
        "vct_values",
        "claims",
        "path",
        "values",
        "credential_sets",
        "options",
    ]);
    leaf.prop_recursive(6, 48, 4, move |inner| {
        let members = prop::collection::btree_map(name.clone(), inner.clone(), 0..5);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| {
                Value::Object(
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

/// A question for some of these claims.
fn any_claims() -> impl Strategy<Value = Vec<&'static str>> {
    let claims = [
        "/given_name",
        "/age",
        "/age/18",
        "/age/65",
        "/nationalities/*",
        "/address",
        "/address/city",
        "/vct",
    ];
    prop::sample::subsequence(claims.to_vec(), 0..claims.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_json_is_a_question_that_is_written_as_it_was_read_or_refused(value in any_query()) {
        if let Ok(query) = Query::parse(&value) {
            prop_assert_eq!(Query::parse(&query.to_json()), Ok(query));
        }
    }

    /// What is shown answers the question, and each part of it is on the way to something asked for.
    #[test]
    fn what_is_shown_is_enough_and_all_of_it_was_asked_for(claims in any_claims()) {
        let claim = |text: &&str| ClaimQuery { path: ClaimPath::parse(text).unwrap(), values: Vec::new() };
        let query = Query::of(PERSON, claims.iter().map(claim).collect());
        let person = person();
        let shown = query.credentials[0].shown(&person);
        let key = SecretKey::ed25519(&[2; 32]);
        let challenge = crate::sd_jwt::Challenge { nonce: "n", audience: "a" };
        let text = person.present(&shown, challenge, &key, NOW_S).unwrap();
        let expected = crate::sd_jwt::Expected::new(challenge, NOW_S);
        let verified = crate::sd_jwt::verify(&text, &DidKeys, &expected).unwrap();
        prop_assert_eq!(verified.disclosed.len(), shown.len());
        let given = BTreeMap::from([("credential".to_owned(), verified)]);
        prop_assert_eq!(query.check(&given), Ok(()));
        for path in &shown {
            let path = path.to_string();
            let asked = claims.iter().any(|claim| {
                let claim = claim.trim_end_matches("/*");
                path.starts_with(claim) || claim.starts_with(&path)
            });
            prop_assert!(asked, "{path} was not asked for");
        }
    }
}
