//! An issuer, a holder and a verifier, and what each of them may do to the others.

mod hostile;
mod rounds;

use primitives::Seed;
use serde_json::{Map, Value, json};

use super::{
    Challenge, Credential, DidKeys, Disclosure, Expected, HashAlgorithm, KEY_BINDING_TYPE, Path,
    Refusal, Template, Verified, issue, verify,
};
use crate::{SecretKey, did::did_key};

const NOW_S: u64 = 1_800_000_000;
const CHALLENGE: Challenge<'static> =
    Challenge { nonce: "cYzMCNpzQuAFYhhbNlbEVg", audience: "did:web:verifier.example" };

fn issuer() -> SecretKey {
    SecretKey::ed25519(&[1; 32])
}

fn holder() -> SecretKey {
    SecretKey::ed25519(&[2; 32])
}

fn issuer_did() -> String {
    did_key::did(&issuer().public())
}

fn key_id() -> String {
    did_key::key_id(&issuer().public())
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn paths(texts: &[&str]) -> Vec<Path> {
    texts.iter().map(|text| path(text)).collect()
}

/// A person, with an age that hides in two layers and nationalities that hide one by one.
fn template() -> Template {
    let claims = json!({
        "vct": "https://starling.example/person/1",
        "iat": NOW_S - 1000,
        "exp": NOW_S + 1000,
        "status": { "status_list": { "idx": 17, "uri": "did:starling:abc#list" } },
        "given_name": "Érika",
        "age": { "18": true, "65": false },
        "nationalities": ["DE", "FR"],
        "address": { "street": "Heidestr. 17", "city": "Köln" },
        "member": true,
    });
    let hidden = [
        "/given_name",
        "/age",
        "/age/18",
        "/age/65",
        "/nationalities/0",
        "/nationalities/1",
        "/address/street",
        "/address",
    ];
    Template { claims: object(claims), hidden: paths(&hidden), decoys: 2 }
}

fn issued() -> String {
    issue(&template(), &issuer(), &key_id(), &holder().public(), Seed::from_number(1)).unwrap()
}

fn credential() -> Credential {
    Credential::open(&issued(), &DidKeys, NOW_S).unwrap()
}

fn expected() -> Expected<'static> {
    Expected::new(CHALLENGE, NOW_S)
}

fn check(presentation: &str) -> Result<Verified, Refusal> {
    verify(presentation, &DidKeys, &expected())
}
