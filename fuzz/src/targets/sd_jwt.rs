//! Credentials. Besides raw text, the bytes are signed as an issuer's: lines of JSON, the first the
//! payload, the others disclosures. An issuer may be hostile too, and nothing behind the signature
//! would be reached otherwise.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::{
    SecretKey,
    did::did_key,
    sd_jwt::{Challenge, Credential, DidKeys, Expected, Template, Verified, issue, verify},
};
use primitives::Seed;
use serde_json::{Value, json};

const NOW_S: u64 = 1_800_000_000;
const CHALLENGE: Challenge<'static> = Challenge { nonce: "nonce", audience: "did:web:verifier" };

/// Verifies and opens the bytes; what is verified must keep its laws.
pub fn run(bytes: &[u8]) {
    let expected = Expected::new(CHALLENGE, NOW_S);
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = verify(text, &DidKeys, &expected);
        let _ = Credential::open(text, &DidKeys, NOW_S);
    }
    let text = signed(bytes);
    let disclosures = text.matches('~').count() - 1;
    let Ok(credential) = Credential::open(&text, &DidKeys, NOW_S) else { return };
    check(credential.contents(), disclosures);
    assert_eq!(credential.to_text(), text, "a credential that is kept as another");
    let all = credential.choices().to_vec();
    match credential.present(&all, CHALLENGE, &holder(), NOW_S) {
        Ok(shown) => {
            let verified = verify(&shown, &DidKeys, &expected).expect("what opens can be shown");
            assert_eq!(&verified, credential.contents());
        }
        Err(_) => assert_ne!(credential.contents().holder, holder().public()),
    }
}

fn check(verified: &Verified, disclosures: usize) {
    assert_eq!(verified.disclosed.len(), disclosures, "a disclosure that went nowhere");
    assert_eq!(verified.issuer, did_key::did(&issuer().public()), "another issuer");
    check_no_digests(&Value::Object(verified.claims.clone()));
}

fn check_no_digests(value: &Value) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            assert!(!["_sd", "_sd_alg", "..."].contains(&name.as_str()), "a digest is shown");
            check_no_digests(value);
        }),
        Value::Array(elements) => elements.iter().for_each(check_no_digests),
        _ => {}
    }
}

/// The bytes as a token of our issuer.
fn signed(bytes: &[u8]) -> String {
    let header = json!({ "alg": "EdDSA", "typ": "dc+sd-jwt", "kid": key_id() }).to_string();
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| URL_SAFE_NO_PAD.encode(line));
    let payload = lines.next().unwrap_or_default();
    let body = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(header));
    let signature = URL_SAFE_NO_PAD.encode(issuer().sign(body.as_bytes()));
    lines.fold(format!("{body}.{signature}~"), |text, disclosure| text + &disclosure + "~")
}

fn issuer() -> SecretKey {
    SecretKey::ed25519(&[1; 32])
}

fn holder() -> SecretKey {
    SecretKey::ed25519(&[2; 32])
}

fn key_id() -> String {
    did_key::key_id(&issuer().public())
}

/// A credential with all its disclosures and one presentation of it, as text; the credential as lines.
pub fn seeds() -> Vec<Vec<u8>> {
    let claims = json!({
        "vct": "https://a.example/1", "iat": NOW_S, "exp": NOW_S + 9, "age": { "18": true, "65": false },
        "names": ["Ann", "Eve"], "status": { "status_list": { "idx": 3, "uri": "did:key:a#list" } },
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    let hidden = ["/age", "/age/18", "/names/1"];
    let hidden = hidden.iter().filter_map(|path| identity::sd_jwt::Path::parse(path)).collect();
    let template = Template { claims, hidden, decoys: 1 };
    let seed = Seed::new([3; 32]);
    let issued = issue(&template, &issuer(), &key_id(), &holder().public(), seed);
    let issued = issued.expect("the template is good");
    let credential = Credential::open(&issued, &DidKeys, NOW_S).expect("it was issued now");
    let all = credential.choices().to_vec();
    let shown = credential.present(&all, CHALLENGE, &holder(), NOW_S);
    let shown = shown.expect("the holder shows what is there");
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
    let payload = issued.split('.').nth(1).map(decode).unwrap_or_default();
    let disclosures = issued.split('~').skip(1).filter(|part| !part.is_empty()).map(decode);
    let lines: Vec<Vec<u8>> = core::iter::once(payload).chain(disclosures).collect();
    vec![issued.into_bytes(), shown.into_bytes(), lines.join(&b'\n')]
}
