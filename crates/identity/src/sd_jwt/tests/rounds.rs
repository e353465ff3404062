//! From the issuer to the verifier by way of the holder.

use proptest::prelude::*;

use super::*;
use crate::{
    limits::COPIES_MAX,
    sd_jwt::{CopyFor, IssueError, PresentError, Step, issue_copies},
};

fn present(shown: &[&str]) -> String {
    credential().present(&paths(shown), CHALLENGE, &holder(), NOW_S).unwrap()
}

#[test]
fn one_claim_is_shown_and_nothing_else() {
    let verified = check(&present(&["/age/18"])).unwrap();
    let jwk = holder().public().to_jwk();
    let shown = json!({
        "iss": issuer_did(), "vct": "https://starling.example/person/1",
        "iat": NOW_S - 1000, "exp": NOW_S + 1000, "member": true, "cnf": { "jwk": jwk },
        "status": { "status_list": { "idx": 17, "uri": "did:starling:abc#list" } },
        "age": { "18": true }, "nationalities": [],
    });
    assert_eq!(Value::Object(verified.claims), shown);
    let mut disclosed: Vec<String> = verified.disclosed.iter().map(Path::to_string).collect();
    disclosed.sort();
    assert_eq!(disclosed, ["/age", "/age/18"]);
    assert_eq!(verified.issuer, issuer_did());
    assert_eq!(verified.status.unwrap().index, 17);
}

#[test]
fn elements_are_numbered_as_they_are_shown() {
    let verified = check(&present(&["/nationalities/1"])).unwrap();
    assert_eq!(verified.claims["nationalities"], json!(["FR"]));
    assert_eq!(verified.disclosed, paths(&["/nationalities/0"]));
}

#[test]
fn all_that_was_issued_can_be_shown() {
    let credential = credential();
    let all: Vec<Path> = credential.choices().to_vec();
    let shown = credential.present(&all, CHALLENGE, &holder(), NOW_S).unwrap();
    let claims = check(&shown).unwrap().claims;
    for (name, value) in &template().claims {
        assert_eq!(claims.get(name), Some(value), "{name}");
    }
    assert_eq!(credential.to_text(), issued());
}

#[test]
fn p256_issues_and_presents_as_ed25519_does() {
    let [issuer, holder] = [[3; 32], [4; 32]].map(|key| SecretKey::p256(&key).unwrap());
    let key_id = did_key::key_id(&issuer.public());
    let seed = Seed::from_number(2);
    let issued = issue(&template(), &issuer, &key_id, &holder.public(), seed).unwrap();
    let credential = Credential::open(&issued, &DidKeys, NOW_S).unwrap();
    let shown = credential.present(&paths(&["/address"]), CHALLENGE, &holder, NOW_S).unwrap();
    let claims = check(&shown).unwrap().claims;
    assert_eq!(claims["address"], json!({ "city": "Köln" }));
    let other = credential.present(&[], CHALLENGE, &issuer, NOW_S);
    assert_eq!(other, Err(PresentError::OtherKey));
}

#[test]
fn a_holder_shows_only_what_is_there_to_choose() {
    for missing in ["/iss", "/nationalities/2", "/member"] {
        let shown = credential().present(&paths(&[missing]), CHALLENGE, &holder(), NOW_S);
        assert_eq!(shown, Err(PresentError::NoSuchClaim(path(missing))), "{missing}");
    }
}

#[test]
fn copies_of_a_credential_have_nothing_in_common_but_what_they_say() {
    let one = issued();
    let other = Seed::from_number(2);
    let two = issue(&template(), &issuer(), &key_id(), &holder().public(), other).unwrap();
    let common = one.split('~').filter(|part| !part.is_empty() && two.contains(part));
    assert_eq!(common.count(), 0);
}

#[test]
fn each_copy_has_a_key_and_a_place_of_its_own() {
    let issue = |places: &[(u8, Option<u64>)], template: &Template| {
        let copy = |(key, place): &(u8, Option<u64>)| CopyFor {
            holder: SecretKey::ed25519(&[*key; 32]).public(),
            place: *place,
        };
        let copies: Vec<CopyFor> = places.iter().map(copy).collect();
        issue_copies(template, &issuer(), &key_id(), &copies, Seed::from_number(4))
    };
    let issued = issue(&[(2, Some(9)), (3, Some(4))], &template()).unwrap();
    let read: Vec<_> = issued
        .iter()
        .map(|text| Credential::open(text, &DidKeys, NOW_S).unwrap().contents().clone())
        .map(|read| (read.holder, read.status.unwrap().index))
        .collect();
    let key = |key: u8| SecretKey::ed25519(&[key; 32]).public();
    assert_eq!(read, [(key(2), 9), (key(3), 4)]);
    let common = issued[0].split('~').filter(|part| !part.is_empty() && issued[1].contains(part));
    assert_eq!(common.count(), 0);
    for copies in
        [[(2, Some(9)), (2, Some(4))], [(2, Some(9)), (3, Some(9))], [(2, Some(9)), (3, None)]]
    {
        assert_eq!(issue(&copies, &template()), Err(IssueError::NotApart));
    }
    let mut unlisted = template();
    unlisted.claims.remove("status");
    assert_eq!(issue(&[(2, Some(9))], &unlisted), Err(IssueError::NotApart));
    assert_eq!(issue(&[(2, None), (3, None)], &unlisted).map(|list| list.len()), Ok(2));
    let many = vec![(2, None); COPIES_MAX + 1];
    assert_eq!(issue(&many, &unlisted), Err(IssueError::TooMany));
}

#[test]
fn what_must_not_be_issued_is_refused() {
    let try_issue = |change: fn(&mut Template)| {
        let mut template = template();
        change(&mut template);
        let seed = Seed::from_number(1);
        issue(&template, &issuer(), &key_id(), &holder().public(), seed).unwrap_err()
    };
    let refused = try_issue(|template| drop(template.claims.remove("vct")));
    assert_eq!(refused, IssueError::NoType);
    for name in ["/exp", "/status/status_list/idx"] {
        let mut template = template();
        template.hidden.push(path(name));
        let seed = Seed::from_number(1);
        let refused = issue(&template, &issuer(), &key_id(), &holder().public(), seed);
        assert_eq!(refused, Err(IssueError::NeverHidden(path(name))));
    }
    let refused = try_issue(|template| template.hidden.push(path("/given_name")));
    assert_eq!(refused, IssueError::NoSuchClaim(path("/given_name")));
    let refused = try_issue(|template| template.hidden.push(path("/nationalities/7")));
    assert_eq!(refused, IssueError::NoSuchClaim(path("/nationalities/7")));
    let reserved = |template: &mut Template| {
        template.claims.insert("a".to_owned(), json!([{ "...": "x" }]));
    };
    assert_eq!(try_issue(reserved), IssueError::ReservedName);
    assert_eq!(try_issue(|template| template.decoys = 1000), IssueError::TooMany);
    let seed = Seed::from_number(1);
    let refused = issue(&template(), &issuer(), "did:key:z6Mk", &holder().public(), seed);
    assert_eq!(refused, Err(IssueError::KeyId));
}

/// Claims of any shape, each member and element hidden or not, shown or not.
fn any_template() -> impl Strategy<Value = (Template, Vec<bool>)> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        let members = prop::collection::btree_map("[a-z~/ü0-9]{1,4}", inner.clone(), 0..4);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    let choices = prop::collection::vec(any::<bool>(), 200);
    (value, choices.clone(), choices, 0..3_usize).prop_map(|(value, hide, show, decoys)| {
        let claims = object(json!({ "vct": "any", "claim": value }));
        let mut all = Vec::new();
        walk(&Value::Object(claims.clone()), &Path::default(), &mut all);
        let below_top = all.into_iter().zip(hide).filter(|(path, hide)| *hide && path.0.len() > 1);
        let hidden = below_top.map(|(path, _)| path).collect();
        (Template { claims, hidden, decoys }, show)
    })
}

fn children(value: &Value) -> Vec<(Step, &Value)> {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (Step::Name(name.clone()), value)).collect()
        }
        Value::Array(elements) => {
            elements.iter().enumerate().map(|(at, value)| (Step::Index(at), value)).collect()
        }
        _ => Vec::new(),
    }
}

fn walk(value: &Value, at: &Path, all: &mut Vec<Path>) {
    for (step, value) in children(value) {
        let path = at.join(step);
        walk(value, &path, all);
        all.push(path);
    }
}

/// The claims without what is hidden and not shown.
fn without(value: &Value, at: &Path, gone: &dyn Fn(&Path) -> bool) -> Value {
    let kept = children(value).into_iter().filter_map(|(step, value)| {
        let path = at.join(step.clone());
        (!gone(&path)).then(|| (step, without(value, &path, gone)))
    });
    match value {
        Value::Object(_) => Value::Object(
            kept.map(|(step, value)| (Path(vec![step]), value))
                .map(|(path, value)| match &path.0[0] {
                    Step::Name(name) => (name.clone(), value),
                    Step::Index(index) => (index.to_string(), value),
                })
                .collect(),
        ),
        Value::Array(_) => Value::Array(kept.map(|(_, value)| value).collect()),
        _ => value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What a verifier sees is what is always shown, what was chosen, and what leads there.
    #[test]
    fn a_verifier_sees_exactly_what_was_chosen((template, show) in any_template()) {
        let seed = Seed::from_number(3);
        let issued = issue(&template, &issuer(), &key_id(), &holder().public(), seed).unwrap();
        let credential = Credential::open(&issued, &DidKeys, NOW_S).unwrap();
        prop_assert_eq!(credential.choices().len(), template.hidden.len());
        let choices = credential.choices().iter().cloned().zip(show);
        let chosen: Vec<Path> = choices.filter(|(_, show)| *show).map(|(path, _)| path).collect();
        let shown = credential.present(&chosen, CHALLENGE, &holder(), NOW_S).unwrap();
        let verified = check(&shown).unwrap();
        let gone = |path: &Path| {
            template.hidden.contains(path) && !chosen.iter().any(|chosen| path.leads_to(chosen))
        };
        let whole = Value::Object(template.claims.clone());
        let expected = without(&whole, &Path::default(), &gone);
        prop_assert_eq!(verified.claims.get("claim"), expected.get("claim"));
    }

    #[test]
    fn any_text_is_a_refusal(text in "\\PC{0,200}|[A-Za-z0-9._~-]{0,200}") {
        prop_assert!(check(&text).is_err());
    }

    #[test]
    fn any_flipped_bit_is_refused(place in 0..10_000_usize, bit in 0..8_u32) {
        let shown = present(&["/age/18", "/nationalities/1"]);
        let place = place % shown.len();
        let mut bytes = shown.into_bytes();
        bytes[place] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(check(&changed).is_err(), "byte {place}, bit {bit}");
        }
    }
}
