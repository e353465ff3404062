//! What strangers say of DIDs: names, keys, documents, where they lie, logs, and signed ops of `did:starling`.

use identity::{
    PublicKey, SecretKey,
    did::{
        Did, Document, Place, Purpose, did_key,
        starling::{self, Change, Content, KeyMethod, Op, purposes},
        webvh::{ReadLog, are_witnesses},
    },
};

const DID: &str = "did:web:a.example";
const LOGGED: &str = "did:webvh:QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE:a.example";
const NOW_S: u64 = 1_800_000_000;

/// Reads the bytes as each; what is read must keep its laws.
pub fn run(bytes: &[u8]) {
    if let Ok(document) = Document::parse(bytes, DID) {
        for method in &document.methods {
            let purposes = [Purpose::Authentication, Purpose::Assertion];
            for purpose in purposes.into_iter().filter(|one| method.purposes.contains(one)) {
                assert_eq!(document.key(&method.id, purpose), Some(method.key), "a key of two ids");
            }
        }
    }
    if let Ok(op) = minicbor::decode::<Op>(bytes) {
        if let (true, Some(content)) = (op.is_formed(), op.content()) {
            let document = starling::document(op.id(), content).to_string();
            let did = format!("did:starling:{}", op.id());
            let read =
                Document::parse(document.as_bytes(), &did).expect("our own document is read");
            assert_eq!(read.methods.len(), content.methods.len());
        }
    }
    if let Ok(key) = PublicKey::from_prefixed(bytes) {
        assert_eq!(key.to_prefixed(), bytes, "a key of two forms");
    }
    // Nobody finds the log of a hash that was there before.
    assert!(ReadLog::read(bytes, LOGGED, NOW_S).is_err(), "a log of another SCID");
    let _ = are_witnesses(bytes);
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    if let Ok(place) = Place::of(text) {
        let path = place.path();
        assert!(path.starts_with('/') && !path.contains("/../"), "a way up");
    }
    if let Ok(did) = text.parse::<Did>() {
        assert_eq!(did.to_string(), text, "a DID of two forms");
    }
    if let Ok(key) = PublicKey::from_multikey(text) {
        assert_eq!(key.to_multikey(), text, "a key of two forms");
        let document = did_key::document(&key).to_string();
        let read = Document::parse(document.as_bytes(), &did_key::did(&key));
        let read = read.expect("our own document is read");
        assert_eq!(read.key(&did_key::key_id(&key), Purpose::Assertion), Some(key));
    }
}

/// Documents of two keys, their names, and an op.
pub fn seeds() -> Vec<Vec<u8>> {
    let p256 = SecretKey::p256(&[2; 32]).expect("a scalar below the order");
    let keys = [SecretKey::ed25519(&[1; 32]), p256];
    let mut seeds = Vec::new();
    for key in keys.iter().map(SecretKey::public) {
        let document = did_key::document(&key).to_string().replace(&did_key::did(&key), DID);
        seeds.push(document.into_bytes());
        seeds.push(did_key::did(&key).into_bytes());
        seeds.push(key.to_multikey().into_bytes());
        seeds.push(key.to_prefixed());
    }
    let method = KeyMethod {
        id: "login".to_owned(),
        key: keys[1].public(),
        purposes: purposes::AUTHENTICATION,
    };
    let content = Content {
        rotation: vec![keys[0].public()],
        next: vec![starling::promise(&keys[1].public())],
        methods: vec![method],
        services: Vec::new(),
        aliases: vec!["https://a.example".to_owned()],
        guardians: None,
    };
    let op = Op::sign((0, None), Change::Set(content), (0, &keys[0]), &[1; 32]);
    seeds.push(op.to_bytes());
    seeds.push(LOGGED.as_bytes().to_vec());
    let entry = concat!(
        r#"{"versionId":"1-Qm","versionTime":"2025-01-01T00:00:00Z","parameters":{"method":"did:webvh:1.0","#,
        r#""scid":"QmdmPkUdYzbr9txmx8gM2rsHPgr5L6m3gHjJGAf4vUFoGE","updateKeys":[]},"state":{},"proof":[{}]}"#
    );
    seeds.push(entry.as_bytes().to_vec());
    seeds
}
