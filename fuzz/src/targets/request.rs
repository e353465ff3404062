//! Requests of verifiers, and answers. Besides raw text, the bytes are signed as a verifier's payload: who
//! asks may be hostile, and nothing behind the signature would be reached otherwise.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{
    SecretKey,
    dcql::{ClaimPath, ClaimQuery, Query},
    did::did_key,
    limits::REQUEST_BYTES_MAX,
    request::{REQUEST_TYPE, Request, Response},
    sd_jwt::{Credential, DidKeys, Path, Template, Verified, issue},
};
use primitives::Seed;
use serde_json::{Value, json};

const NOW_S: u64 = 1_800_000_000;

/// Reads the bytes as an answer, a question and a request; what is read must keep its laws.
pub fn run(bytes: &[u8]) {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let _ = Request::open(text, &DidKeys, NOW_S);
    if let Ok(response) = Response::parse(text) {
        assert_eq!(Response::parse(&response.to_json()).as_ref(), Ok(&response));
        assert_eq!(Response::parse(&response.to_fragment()).as_ref(), Ok(&response));
        let _ = response.check(&request(), &DidKeys, NOW_S);
    }
    if let Ok(value) = serde_json::from_str::<Value>(text)
        && let Ok(query) = Query::parse(&value)
    {
        assert_eq!(Query::parse(&query.to_json()).as_ref(), Ok(&query));
    }
    let Ok(request) = Request::open(&signed(text), &DidKeys, NOW_S) else { return };
    let again = request.sign(&verifier(), &key_id());
    // What is signed anew says everything that may be left out, and may be too long then.
    if again.len() <= REQUEST_BYTES_MAX {
        assert_eq!(Request::open(&again, &DidKeys, NOW_S).as_ref(), Ok(&request));
    }
    answer(&request);
}

/// What is answered is what was asked, and nothing but what is on the way to it is shown.
fn answer(request: &Request) {
    let credential = credential();
    let held: [&Verified; 1] = [credential.contents()];
    let Ok(answers) = request.query.answers(&held) else { return };
    let audience = request.audience();
    let mut presentations = BTreeMap::new();
    for answer in answers {
        let shown = answer.query.shown(&credential);
        assert!(shown.is_empty() || !answer.query.claims.is_empty(), "shown without being asked");
        let challenge = request.challenge(&audience);
        let text = credential.present(&shown, challenge, &holder(), NOW_S);
        presentations
            .insert(answer.query.id.clone(), text.expect("the holder shows what is there"));
    }
    if presentations.is_empty() {
        return;
    }
    let response =
        Response { presentations, state: request.state.clone(), status_lists: Vec::new() };
    response.check(request, &DidKeys, NOW_S).expect("what answers is taken");
}

fn signed(payload: &str) -> String {
    let header = json!({ "alg": "EdDSA", "typ": REQUEST_TYPE, "kid": key_id() }).to_string();
    let [header, payload] = [&header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    let body = format!("{header}.{payload}");
    let signature = URL_SAFE_NO_PAD.encode(verifier().sign(body.as_bytes()));
    format!("{body}.{signature}")
}

fn verifier() -> SecretKey {
    SecretKey::ed25519(&[7; 32])
}

fn holder() -> SecretKey {
    SecretKey::ed25519(&[2; 32])
}

fn key_id() -> String {
    did_key::key_id(&verifier().public())
}

fn request() -> Request {
    let path = ClaimPath::parse("/age/18").expect("it is a path");
    let text = |text: &str| Some(text.to_owned());
    Request {
        verifier: did_key::did(&verifier().public()),
        nonce: "cYzMCNpzQuAFYhhbNlbEVg".to_owned(),
        state: text("s-1"),
        issued_s: NOW_S,
        expires_s: NOW_S + 600,
        query: Query::of("person", vec![ClaimQuery { path, values: vec![true.into()] }]),
        name: text("The bar"),
        purpose: text("Adults only"),
        return_to: text("https://bar.example/verify"),
    }
}

fn credential() -> Credential {
    let claims = json!({
        "vct": "person", "name": "Ann", "age": { "18": true, "65": false }, "list": ["a", "b"],
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    let hidden = ["/name", "/age", "/age/18", "/age/65", "/list/0", "/list/1"];
    let hidden = hidden.iter().filter_map(|path| Path::parse(path)).collect();
    let template = Template { claims, hidden, decoys: 0 };
    let issuer = SecretKey::ed25519(&[1; 32]);
    let key_id = did_key::key_id(&issuer.public());
    let issued = issue(&template, &issuer, &key_id, &holder().public(), Seed::new([3; 32]));
    let issued = issued.expect("the template is good");
    Credential::open(&issued, &DidKeys, NOW_S).expect("it was issued now")
}

/// A request and its payload, its question, and the answer to it in both forms.
pub fn seeds() -> Vec<Vec<u8>> {
    let (request, credential) = (request(), credential());
    let text = request.sign(&verifier(), &key_id());
    let payload = text.split('.').nth(1).map(|part| URL_SAFE_NO_PAD.decode(part));
    let payload = payload.and_then(Result::ok).unwrap_or_default();
    let audience = request.audience();
    let shown = request.query.credentials[0].shown(&credential);
    let shown = credential.present(&shown, request.challenge(&audience), &holder(), NOW_S);
    let shown = shown.expect("the holder shows what is there");
    let presentations = BTreeMap::from([("credential".to_owned(), shown)]);
    let response =
        Response { presentations, state: request.state.clone(), status_lists: Vec::new() };
    let question = request.query.to_json().to_string();
    let texts = [text, question, response.to_json(), response.to_fragment()];
    texts.into_iter().map(String::into_bytes).chain([payload]).collect()
}
