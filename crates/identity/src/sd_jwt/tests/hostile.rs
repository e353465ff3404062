//! Each thing that RFC 9901 and its profile say must be refused, made on purpose, and its reason.

use super::*;
use crate::{
    base64url,
    limits::{CLOCK_SKEW_S_MAX, DISCLOSURES_MAX, PRESENTATION_AGE_S_MAX, TOKEN_BYTES_MAX},
    sd_jwt::{NEVER_HIDDEN, NoKey},
};

/// A token by a hostile hand: whatever it says, signatures are good unless the test spoils them.
struct Forge {
    header: Value,
    payload: Map<String, Value>,
    disclosures: Vec<String>,
    binding_header: Value,
    binding: Map<String, Value>,
}

impl Forge {
    fn new() -> Self {
        let payload = json!({
            "iss": issuer_did(), "vct": "https://starling.example/person/1", "iat": NOW_S - 10,
            "exp": NOW_S + 10, "cnf": { "jwk": holder().public().to_jwk() }, "_sd_alg": "sha-256",
        });
        let binding = json!({
            "nonce": CHALLENGE.nonce, "aud": CHALLENGE.audience, "iat": NOW_S,
        });
        Self {
            header: json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": key_id() }),
            payload: object(payload),
            disclosures: Vec::new(),
            binding_header: json!({ "alg": "EdDSA", "typ": KEY_BINDING_TYPE }),
            binding: object(binding),
        }
    }

    fn set(mut self, claim: &str, value: Value) -> Self {
        self.payload.insert(claim.to_owned(), value);
        self
    }

    fn unset(mut self, claim: &str) -> Self {
        self.payload.remove(claim);
        self
    }

    /// Gives this array as a disclosure; its digest.
    fn disclose(&mut self, array: &Value) -> String {
        let text = base64url::encode(array.to_string().as_bytes());
        let digest = HashAlgorithm::Sha256.digest(&text);
        self.disclosures.push(text);
        digest
    }

    /// The same, its digest among those of the payload.
    fn hidden(mut self, array: &Value) -> Self {
        let digest = self.disclose(array);
        let digests = self.payload.entry("_sd").or_insert_with(|| json!([]));
        digests.as_array_mut().unwrap().push(digest.into());
        self
    }

    fn presented(&self) -> String {
        let mut text = sign(&self.header, &self.payload, &issuer()) + "~";
        for disclosure in &self.disclosures {
            text = text + disclosure + "~";
        }
        text
    }

    fn by(mut self, holder: &SecretKey) -> String {
        let presented = self.presented();
        let hash = HashAlgorithm::Sha256.digest(&presented);
        self.binding.entry("sd_hash").or_insert_with(|| hash.into());
        presented + &sign(&self.binding_header, &self.binding, holder)
    }

    fn refused(self) -> Option<Refusal> {
        check(&self.by(&holder())).err()
    }
}

fn sign(header: &Value, payload: &Map<String, Value>, key: &SecretKey) -> String {
    let payload = base64url::encode(&serde_json::to_vec(payload).unwrap());
    let signed = format!("{}.{payload}", base64url::encode(header.to_string().as_bytes()));
    let signature = base64url::encode(&key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[test]
fn the_forge_makes_good_tokens_unless_told_otherwise() {
    assert_eq!(Forge::new().refused(), None);
    assert_eq!(Forge::new().hidden(&json!(["salt", "name", "Ann"])).refused(), None);
}

#[test]
fn hostile_headers_are_refused() {
    let check = |name: &str, value: Value, expected| {
        let mut forged = Forge::new();
        forged.header[name] = value;
        assert_eq!(forged.refused(), Some(expected), "{name}");
    };
    for algorithm in ["none", "None", "HS256", "ES384", "Ed25519", ""] {
        check("alg", json!(algorithm), Refusal::Algorithm);
    }
    check("alg", Value::Null, Refusal::Algorithm);
    // Another algorithm that is known, but not the key's.
    check("alg", json!("ES256"), Refusal::Algorithm);
    for kind in ["JWT", "vc+sd-jwt", "kb+jwt", "DC+SD-JWT", "application/dc+sd-jwt"] {
        check("typ", json!(kind), Refusal::Type);
    }
    check("typ", Value::Null, Refusal::Type);
    check("crit", json!(["exp"]), Refusal::Critical);
    check("kid", Value::Null, Refusal::Issuer);
    check("kid", json!("key-1"), Refusal::Issuer);
    check("kid", json!(did_key::key_id(&holder().public())), Refusal::Issuer);
    let mixed = format!("{}#{}", issuer_did(), holder().public());
    check("kid", json!(mixed), Refusal::Key(NoKey::NotTheirs));
}

#[test]
fn hostile_issuers_are_refused() {
    let check = |issuer: &str, expected| {
        let mut forged = Forge::new().set("iss", json!(issuer));
        forged.header["kid"] = json!(format!("{issuer}#a"));
        assert_eq!(forged.refused(), Some(expected), "{issuer}");
    };
    check("https://issuer.example", Refusal::Key(NoKey::Method));
    check("did:key:z6Mk", Refusal::Key(NoKey::NotTheirs));
    assert_eq!(Forge::new().unset("iss").refused(), Some(Refusal::Issuer));
    // The issuer's name, somebody else's signature.
    let forged = Forge::new();
    let text = sign(&forged.header, &forged.payload, &holder()) + "~";
    assert_eq!(super::check(&text).err(), Some(Refusal::Signature));
}

#[test]
fn hostile_disclosures_are_refused() {
    let refused = |array: Value| Forge::new().hidden(&array).refused();
    for name in ["_sd", "..."] {
        assert_eq!(refused(json!(["salt", name, "x"])), Some(Refusal::ReservedName));
    }
    assert_eq!(refused(json!(["salt", "_sd_alg", "md5"])), Some(Refusal::Overwrites));
    let forms = [
        json!([]),
        json!(["salt"]),
        json!({}),
        json!([1, "a", 2]),
        json!(["s", 1, 2]),
        json!(["s", "a", 1, 2]),
        json!("text"),
    ];
    for array in forms {
        assert_eq!(refused(array.clone()), Some(Refusal::DisclosureForm), "{array}");
    }
    // An element's disclosure where a member's must be, and the other way round.
    assert_eq!(refused(json!(["salt", "x"])), Some(Refusal::DisclosureForm));
    let mut forged = Forge::new();
    let digest = forged.disclose(&json!(["salt", "name", "x"]));
    let forged = forged.set("list", json!([{ "...": digest }]));
    assert_eq!(forged.refused(), Some(Refusal::DisclosureForm));
    // Not base64url, not UTF-8, nothing, a name twice within, padding.
    let twice = base64url::encode(br#"["salt","a",{"b":1,"b":2}]"#);
    for text in ["a+b/", "_w", "", &twice, "WyJzIiwxXQ=="] {
        let mut forged = Forge::new();
        forged.disclosures.push(text.to_owned());
        assert_eq!(forged.refused(), Some(Refusal::DisclosureForm), "{text}");
    }
}

#[test]
fn claims_that_decide_are_never_hidden() {
    for name in NEVER_HIDDEN {
        // `iss` and `cnf` are there too, or nothing could be checked at all.
        let kept = ["iss", "cnf"].contains(&name);
        let forged = if kept { Forge::new() } else { Forge::new().unset(name) };
        let refused = forged.hidden(&json!(["salt", name, NOW_S + 10])).refused();
        assert_eq!(refused, Some(Refusal::NeverHidden), "{name}");
    }
    let mut forged = Forge::new();
    let digest = forged.disclose(&json!(["salt", "idx", 3]));
    let status = json!({ "status_list": { "uri": "u", "idx": 4, "_sd": [digest] } });
    assert_eq!(forged.set("status", status).refused(), Some(Refusal::NeverHidden));
    // `sub` and `iat` may be.
    assert_eq!(Forge::new().hidden(&json!(["salt", "sub", "ann"])).refused(), None);
    let hidden = Forge::new().unset("iat").hidden(&json!(["salt", "iat", NOW_S]));
    assert_eq!(hidden.refused(), None);
}

#[test]
fn nothing_is_replaced() {
    let named = Forge::new().set("name", json!("Ann")).hidden(&json!(["s", "name", "Eve"]));
    assert_eq!(named.refused(), Some(Refusal::Overwrites));
    // The type, which is there, by another one.
    let other = Forge::new().hidden(&json!(["s", "vct", "https://starling.example/king/1"]));
    assert_eq!(other.refused(), Some(Refusal::NeverHidden));
    let (one, two) = (json!(["s", "name", "Ann"]), json!(["t", "name", "Eve"]));
    assert_eq!(Forge::new().hidden(&one).hidden(&two).refused(), Some(Refusal::Overwrites));
}

#[test]
fn a_digest_stands_in_one_place() {
    let digest = "0".repeat(43);
    let refused = |payload: Value| Forge::new().set("claim", payload).refused();
    assert_eq!(refused(json!({ "_sd": [digest, digest] })), Some(Refusal::DuplicateDigest));
    let two = json!([{ "...": digest }, { "_sd": [digest] }]);
    assert_eq!(refused(two), Some(Refusal::DuplicateDigest));
    // Also of a disclosure that was given, and within one.
    let forged = Forge::new().hidden(&json!(["s", "name", "Ann"]));
    let digest = forged.payload["_sd"][0].clone();
    let forged = forged.set("claim", json!({ "_sd": [digest] }));
    assert_eq!(forged.refused(), Some(Refusal::DuplicateDigest));
    let within = Forge::new().set("claim", json!({ "_sd": ["x"] }));
    let within = within.hidden(&json!(["s", "name", { "_sd": ["x"] }]));
    assert_eq!(within.refused(), Some(Refusal::DuplicateDigest));
}

#[test]
fn only_what_the_issuer_signed_is_disclosed() {
    let mut forged = Forge::new();
    forged.disclose(&json!(["salt", "name", "Eve"]));
    assert_eq!(forged.refused(), Some(Refusal::Unreferenced));
    // Tampered: the digest is of other bytes.
    let mut forged = Forge::new().hidden(&json!(["salt", "name", "Ann"]));
    forged.disclosures[0] = base64url::encode(br#"["salt","name","Eve"]"#);
    assert_eq!(forged.refused(), Some(Refusal::Unreferenced));
    // A child without its parent.
    let mut forged = Forge::new();
    let child = forged.disclose(&json!(["salt", "18", true]));
    let mut forged = forged.hidden(&json!(["salt", "age", { "_sd": [child] }]));
    assert_eq!(forged.disclosures.len(), 2);
    forged.disclosures.remove(1);
    assert_eq!(forged.refused(), Some(Refusal::Unreferenced));
    let mut forged = Forge::new().hidden(&json!(["salt", "name", "Ann"]));
    let again = forged.disclosures[0].clone();
    forged.disclosures.push(again);
    assert_eq!(forged.refused(), Some(Refusal::DuplicateDisclosure));
}

#[test]
fn digests_stand_only_where_they_may() {
    let refused = |claim: Value| Forge::new().set("claim", claim).refused();
    let forms = [
        json!({ "_sd": "x" }),
        json!({ "_sd": [1] }),
        json!({ "_sd": null }),
        json!({ "...": "x" }),
        json!([{ "...": 1 }]),
        json!([{ "...": "x", "more": 1 }]),
        json!({ "_sd_alg": "sha-256" }),
    ];
    for claim in forms {
        assert_eq!(refused(claim.clone()), Some(Refusal::DigestForm), "{claim}");
    }
    for hash in [json!("md5"), json!("sha-1"), json!("sha-256-32"), json!("SHA-256"), json!(1)] {
        let refused = Forge::new().set("_sd_alg", hash.clone()).refused();
        assert_eq!(refused, Some(Refusal::HashAlgorithm), "{hash}");
    }
    // Deep by what disclosures hold within each other.
    let mut forged = Forge::new();
    let mut digest = forged.disclose(&json!(["salt", "x", 1]));
    for _ in 0..40 {
        digest = forged.disclose(&json!(["salt", "x", { "_sd": [digest] }]));
    }
    assert_eq!(forged.set("_sd", json!([digest])).refused(), Some(Refusal::TooDeep));
}

#[test]
fn claims_of_wrong_times_and_forms_are_refused() {
    let check = |name: &'static str, value: Value, expected| {
        assert_eq!(Forge::new().set(name, value).refused(), Some(expected), "{name}");
    };
    check("exp", json!(NOW_S), Refusal::Expired);
    check("exp", json!(0), Refusal::Expired);
    check("exp", json!("2100"), Refusal::ClaimForm("exp"));
    check("exp", json!(-1), Refusal::ClaimForm("exp"));
    check("nbf", json!(NOW_S + CLOCK_SKEW_S_MAX + 1), Refusal::NotYetValid);
    check("iat", json!(NOW_S + CLOCK_SKEW_S_MAX + 1), Refusal::NotYetValid);
    check("vct", json!(""), Refusal::ClaimForm("vct"));
    check("vct", json!(["x"]), Refusal::ClaimForm("vct"));
    check("status", json!({ "other": {} }), Refusal::ClaimForm("status"));
    let place = json!({ "status_list": { "idx": -1, "uri": "u" } });
    check("status", place, Refusal::ClaimForm("status"));
    check("cnf", json!({ "kid": "a" }), Refusal::ClaimForm("cnf"));
    check("cnf", json!({ "jwk": { "kty": "oct", "k": "AA" } }), Refusal::ClaimForm("cnf"));
    assert_eq!(Forge::new().unset("cnf").refused(), Some(Refusal::NoHolderKey));
    assert_eq!(Forge::new().unset("vct").refused(), Some(Refusal::Missing("vct")));
    let wanted = Expected { credential_type: Some("other"), ..expected() };
    let other = verify(&Forge::new().by(&holder()), &DidKeys, &wanted).err();
    assert_eq!(other, Some(Refusal::OtherType));
}

#[test]
fn only_the_holder_answers_and_only_this_question() {
    let check = |name: &str, value: Value, expected| {
        let mut forged = Forge::new();
        forged.binding.insert(name.to_owned(), value);
        assert_eq!(forged.refused(), Some(expected), "{name}");
    };
    check("nonce", json!("another"), Refusal::Nonce);
    check("nonce", Value::Null, Refusal::KeyBindingForm);
    check("aud", json!("did:web:other"), Refusal::Audience);
    check("aud", json!([CHALLENGE.audience]), Refusal::KeyBindingForm);
    check("iat", json!(NOW_S - PRESENTATION_AGE_S_MAX - 1), Refusal::Stale);
    check("iat", json!(NOW_S + CLOCK_SKEW_S_MAX + 1), Refusal::FromTheFuture);
    check("nbf", json!(NOW_S + CLOCK_SKEW_S_MAX + 1), Refusal::FromTheFuture);
    check("iat", json!("now"), Refusal::KeyBindingForm);
    check("exp", json!(NOW_S), Refusal::Stale);
    check("sd_hash", json!("0"), Refusal::PresentationHash);
    check("sd_hash", Value::Null, Refusal::KeyBindingForm);
    for name in ["nonce", "aud", "iat"] {
        let mut forged = Forge::new();
        forged.binding.remove(name);
        assert_eq!(forged.refused(), Some(Refusal::KeyBindingForm), "{name}");
    }
    let thief = super::check(&Forge::new().by(&issuer())).err();
    assert_eq!(thief, Some(Refusal::KeyBindingSignature));
}

#[test]
fn hostile_key_bindings_are_refused() {
    let head = |name: &str, value: Value| {
        let mut forged = Forge::new();
        forged.binding_header[name] = value;
        forged.refused()
    };
    assert_eq!(head("typ", json!("JWT")), Some(Refusal::KeyBindingType));
    assert_eq!(head("typ", json!("dc+sd-jwt")), Some(Refusal::KeyBindingType));
    assert_eq!(head("alg", json!("none")), Some(Refusal::KeyBindingAlgorithm));
    assert_eq!(head("alg", json!("ES256")), Some(Refusal::KeyBindingAlgorithm));
    assert_eq!(head("crit", json!(["b64"])), Some(Refusal::KeyBindingForm));
    let presented = Forge::new().presented();
    assert_eq!(super::check(&presented).err(), Some(Refusal::NoKeyBinding));
    assert_eq!(super::check(&(presented.clone() + "a.b")).err(), Some(Refusal::KeyBindingForm));
    // The key binding of one presentation under another.
    let more = Forge::new().hidden(&json!(["salt", "name", "Ann"])).by(&holder());
    let moved = presented + more.rsplit('~').next().unwrap();
    assert_eq!(super::check(&moved).err(), Some(Refusal::PresentationHash));
    let issued = Credential::open(&Forge::new().by(&holder()), &DidKeys, NOW_S).err();
    assert_eq!(issued, Some(Refusal::UnexpectedKeyBinding));
}

#[test]
fn what_is_no_token_is_refused() {
    for text in ["", "~", "a.b.c", "a.b.c~", "e30.e30.AA.AA~"] {
        assert_eq!(super::check(text).err(), Some(Refusal::Form), "{text}");
    }
    assert_eq!(super::check("e30.e30.~").err(), Some(Refusal::Type));
    let large = "~".repeat(TOKEN_BYTES_MAX + 1);
    assert_eq!(super::check(&large).err(), Some(Refusal::TooLarge));
    let many = Forge::new().presented() + &"WyJzIiwxXQ~".repeat(DISCLOSURES_MAX + 1);
    assert_eq!(super::check(&many).err(), Some(Refusal::TooLarge));
    // One signature under two readings.
    let twice = base64url::encode(br#"{"iss":"a","iss":"b"}"#);
    assert_eq!(super::check(&format!("e30.{twice}.AA~")).err(), Some(Refusal::Form));
    let padded = Forge::new().by(&holder()).replacen('.', "=.", 1);
    assert_eq!(super::check(&padded).err(), Some(Refusal::Form));
}

#[test]
fn other_hashes_of_the_standard_are_taken() {
    for (name, hash) in [("sha-384", HashAlgorithm::Sha384), ("sha-512", HashAlgorithm::Sha512)] {
        let disclosure = Disclosure::new("salt", Some("name"), json!("Ann"));
        let mut forged = Forge::new().set("_sd_alg", json!(name));
        forged = forged.set("_sd", json!([hash.digest(&disclosure.text)]));
        forged.disclosures.push(disclosure.text);
        let presented = forged.presented();
        let presented = hash.digest(&presented);
        forged.binding.insert("sd_hash".to_owned(), presented.into());
        assert_eq!(forged.refused(), None, "{name}");
    }
}
