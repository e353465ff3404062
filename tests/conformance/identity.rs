//! Frozen bytes of identity: what was issued, sealed and kept stays readable.
//!
//! A vector changes only by a reviewed decision, noted in the changelog under **Formats**:
//! `UPDATE_VECTORS=1` writes them anew. Vectors of others are run by `cargo xtask vectors`, and with its
//! tests.
#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::{fmt::Write as _, fs, path::PathBuf};

use identity::{
    PublicKey, SecretKey,
    access::{Access, Consent, Envelope, Receipt},
    custody::{
        Keyring, NewPhrase, PasswordCost, Phrase, Root, Slot, SlotKind, Unlock, combine, split,
    },
    did::{
        did_key,
        starling::{Change, Content, KeyMethod, Op, document, promise, purposes},
    },
    grant::{Grant, Recipient, Terms},
    sd_jwt::{Challenge, Credential, DidKeys, Expected, Path, Template, issue, verify},
    status::{Bits, StatusList, StatusToken},
};
use primitives::{Hash, Seed};
use serde_json::{Value, json};

const NOW_S: u64 = 1_800_000_000;
const URI: &str = "did:starling:abc#list";

fn file() -> PathBuf {
    // Built as a test of `crates/identity`: what it proves needs nothing else.
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("tests/conformance/vectors/identity.json")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn root() -> Root {
    Root::new([7; 32])
}

fn phrase() -> Phrase {
    let phrase = NewPhrase::new([5; 32]);
    let words = phrase.words().join(" ");
    phrase.confirm(&words).unwrap()
}

fn terms() -> Terms {
    Terms { resource: Hash::new([1; 32]), consent: Hash::new([2; 32]), scope: "read".to_owned() }
}

fn keyring() -> Keyring {
    let (phrase, shares) = (phrase(), split(&[3; 32], 2, 3, Seed::from_number(1)).unwrap());
    assert_eq!(*combine(&shares[1..]).unwrap(), [3; 32]);
    let cost = PasswordCost { memory_mib: 8, passes: 1 };
    let ways = [
        (SlotKind::Password { cost }, Unlock::Password("correct horse battery staple")),
        (SlotKind::Phrase, Unlock::Phrase(&phrase)),
        (SlotKind::Passkey { id: vec![1, 2, 3] }, Unlock::Passkey(&[9; 32])),
        (SlotKind::Guardians { threshold: 2 }, Unlock::Guardians(&shares)),
    ];
    let mut keyring: Option<Keyring> = None;
    for (number, (kind, way)) in (1..).zip(ways) {
        let slot = Slot::seal(&root(), kind, way, [number; 32], [number; 24]).unwrap();
        match &mut keyring {
            Some(keyring) => keyring.add(&root(), slot, way).unwrap(),
            None => keyring = Some(Keyring::new(&root(), slot, way).unwrap()),
        }
    }
    keyring.unwrap()
}

fn credential(issuer: &SecretKey, holder: &PublicKey) -> String {
    let claims = json!({
        "vct": "https://town.example/age/1", "iat": NOW_S, "exp": NOW_S + 1000, "name": "Érika",
        "age": { "18": true, "65": false }, "nationalities": ["DE", "FR"],
        "status": { "status_list": { "idx": 17, "uri": URI } },
    });
    let hidden = ["/name", "/age", "/age/18", "/age/65", "/nationalities/1"];
    let hidden = hidden.iter().map(|path| Path::parse(path).unwrap()).collect();
    let template = Template { claims: claims.as_object().unwrap().clone(), hidden, decoys: 1 };
    let key_id = did_key::key_id(&issuer.public());
    issue(&template, issuer, &key_id, holder, Seed::from_number(1)).unwrap()
}

fn credentials() -> Vec<Value> {
    let kinds = [SecretKey::ed25519(&[1; 32]), SecretKey::p256(&[1; 32]).unwrap()];
    let holder = root().holder_key("https://town.example/age/1", 3);
    let challenge = Challenge { nonce: "nonce", audience: "did:web:bar.example" };
    let mut vectors = Vec::new();
    for issuer in kinds {
        let issued = credential(&issuer, &holder.public());
        let opened = Credential::open(&issued, &DidKeys, NOW_S).unwrap();
        let shown = [Path::parse("/age/18").unwrap()];
        let shown = opened.present(&shown, challenge, &holder, NOW_S).unwrap();
        let verified = verify(&shown, &DidKeys, &Expected::new(challenge, NOW_S)).unwrap();
        assert_eq!(verified.claims["age"], json!({ "18": true }));
        vectors.push(json!({
            "name": issuer.public().to_multikey(), "kind": "identity-credential",
            "issued": issued, "presented": shown,
        }));
    }
    vectors
}

/// A list that was signed. Another version of the compressor may make other bytes of it: then the vector
/// changes, and the old one must still be read.
fn status() -> Value {
    let mut list = StatusList::new(Bits::Two, 1000).unwrap();
    list.set(17, 2).unwrap();
    let issuer = SecretKey::ed25519(&[1; 32]);
    let terms = identity::status::Terms {
        uri: URI.to_owned(),
        issued_s: NOW_S,
        expires_s: Some(NOW_S + 1000),
        ttl_s: Some(600),
    };
    let token = StatusToken::sign(&list, &terms, &issuer, &did_key::key_id(&issuer.public()));
    json!({ "name": "suspended", "kind": "identity-status", "token": token })
}

fn op() -> Value {
    let (first, second) = (root().rotation_key(0), root().rotation_key(1));
    let method = KeyMethod {
        id: "sign".to_owned(),
        key: root().identity_key().public(),
        purposes: purposes::AUTHENTICATION | purposes::ASSERTION,
    };
    let content = Content {
        rotation: vec![first.public()],
        next: vec![promise(&second.public())],
        methods: vec![method],
        services: Vec::new(),
        aliases: Vec::new(),
        guardians: None,
    };
    let change = Change::Set(content.clone());
    let op = Op::sign((0, None), change, (0, &first), &[1; 32]);
    json!({
        "name": op.id().to_string(), "kind": "identity-op", "cbor": hex(&op.to_bytes()),
        "document": document(op.id(), &content),
    })
}

/// A share that somebody granted to who has the seed, and the receipt.
fn access() -> Value {
    let (giver, reader) = (SecretKey::ed25519(&[1; 32]), root().identity_key());
    let consent = Consent {
        by: did_key::key_id(&giver.public()),
        to: did_key::did(&reader.public()),
        reader: reader.public(),
        resource: "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi".to_owned(),
        name: "x-ray.png".to_owned(),
        purpose: "A second opinion".to_owned(),
        at_s: NOW_S,
        until_s: NOW_S + 1000,
    };
    let access = Access::give(&[4; 32], consent, &giver, Seed::from_number(1)).unwrap();
    let text = Envelope::seal(&access, Seed::from_number(2)).unwrap().to_text();
    let receipt = Receipt::sign(&access, &reader, NOW_S + 1).to_text();
    json!({ "name": "second opinion", "kind": "identity-access", "cbor": hex(&access.to_bytes()),
            "id": hex(access.id().as_bytes()), "text": text, "receipt": receipt })
}

#[test]
fn what_is_issued_sealed_and_kept_are_the_frozen_bytes() {
    let recipient = root().recipient();
    let grant = Grant::seal(&[4; 32], &terms(), &recipient.public(), Seed::from_number(1)).unwrap();
    let keyring = keyring();
    let mut vectors = vec![
        json!({ "name": "read", "kind": "identity-grant", "cbor": hex(&grant.to_bytes()),
                "terms": hex(&terms().to_bytes()), "recipient": hex(&recipient.public()) }),
        json!({ "name": "four ways", "kind": "identity-keyring", "cbor": hex(&keyring.to_bytes()),
                "locator": hex(&phrase().locator()) }),
        json!({ "name": "vault", "kind": "identity-key", "bytes": hex(&*root().vault_key(&[1; 32])) }),
        op(),
        status(),
        access(),
    ];
    vectors.extend(credentials());
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(&json!({ "vectors": vectors })).unwrap() + "\n";
        fs::write(file(), text).unwrap();
    }
    assert_eq!(frozen(), vectors);
}

fn frozen() -> Vec<Value> {
    let document: Value = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    document["vectors"].as_array().unwrap().clone()
}

fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(digit).collect()
}

#[test]
fn the_frozen_bytes_are_read() {
    let vectors = frozen();
    let of = |kind: &str| vectors.iter().find(|vector| vector["kind"] == kind).unwrap();
    let grant = Grant::from_bytes(&bytes(&of("identity-grant")["cbor"])).unwrap();
    assert_eq!(grant.open(&root().recipient(), &terms()), Ok([4; 32]));
    assert!(grant.open(&Recipient::new(&[1; 32]), &terms()).is_err());
    let keyring = Keyring::from_bytes(&bytes(&of("identity-keyring")["cbor"])).unwrap();
    assert_eq!(keyring.open(1, Unlock::Phrase(&phrase())), Ok(root()));
    let password = Unlock::Password("correct horse battery staple");
    assert_eq!(keyring.open(0, password), Ok(root()));
    let token = of("identity-status")["token"].as_str().unwrap();
    let issuer = did_key::did(&SecretKey::ed25519(&[1; 32]).public());
    let status = StatusToken::open(token, URI, &issuer, &DidKeys, NOW_S).unwrap();
    assert_eq!((status.list.get(17), status.list.get(16)), (Some(2), Some(0)));
    let text = |member: &str| of("identity-access")[member].as_str().unwrap();
    let access = Envelope::parse(text("text")).unwrap().open(&root().recipient()).unwrap();
    assert_eq!(hex(&access.to_bytes()), text("cbor"));
    assert_eq!((access.verify(&DidKeys), access.hold(NOW_S)), (Ok(()), Ok(())));
    assert_eq!(access.open(&root().recipient()), Ok([4; 32]));
    let receipt = Receipt::parse(text("receipt")).unwrap();
    assert_eq!(receipt.verify(&access, NOW_S + 1), Ok(()));
    let op: Op = minicbor::decode(&bytes(&of("identity-op")["cbor"])).unwrap();
    assert!(op.is_formed() && op.verify(&root().rotation_key(0).public(), &[1; 32]).is_ok());
}
