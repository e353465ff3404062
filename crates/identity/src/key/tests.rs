use proptest::prelude::*;
use serde_json::json;

use super::*;

fn keys() -> [SecretKey; 2] {
    [SecretKey::ed25519(&[7; 32]), SecretKey::p256(&[7; 32]).unwrap()]
}

#[test]
fn a_key_survives_its_forms() {
    for key in keys().map(|key| key.public()) {
        assert_eq!(PublicKey::from_multikey(&key.to_multikey()), Ok(key));
        assert_eq!(PublicKey::from_prefixed(&key.to_prefixed()), Ok(key));
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()), Ok(key));
    }
}

#[test]
fn only_the_signer_and_the_same_bytes_verify() {
    for key in keys() {
        let signature = key.sign(b"hello");
        assert_eq!(key.public().verify_unique(b"hello", &signature), Ok(()));
        assert_eq!(key.public().verify(b"hellp", &signature), Err(BadSignature));
        assert_eq!(key.public().verify(b"hello", &signature[..63]), Err(BadSignature));
        assert_eq!(key.public().verify(b"hello", &[0; 64]), Err(BadSignature));
    }
}

/// s and n - s both verify; only the smaller has a name.
#[test]
fn the_other_s_is_refused_where_bytes_get_a_name() {
    let [_, key] = keys();
    let signature = p256::ecdsa::Signature::from_slice(&key.sign(b"hello")).unwrap();
    let (r, s) = signature.split_scalars();
    let other = p256::ecdsa::Signature::from_scalars(r.to_bytes(), (-s).to_bytes()).unwrap();
    let other = other.to_bytes();
    assert_eq!(key.public().verify(b"hello", &other), Ok(()));
    assert_eq!(key.public().verify_unique(b"hello", &other), Err(BadSignature));
}

#[test]
fn what_is_no_key_is_refused_with_its_reason() {
    let small_order = [0; 32];
    assert_eq!(PublicKey::ed25519(small_order), Err(KeyError::Point));
    let mut uncompressed = [4; 33];
    assert_eq!(PublicKey::p256(uncompressed), Err(KeyError::Form));
    uncompressed[0] = 2;
    uncompressed[1..].fill(0xff);
    assert_eq!(PublicKey::p256(uncompressed), Err(KeyError::Point));
    let x25519 = multikey::to_multibase(AGREEMENT_PREFIX, &[9; 32]);
    assert_eq!(PublicKey::from_multikey(&x25519), Err(KeyError::Kind));
    for text in ["", "z", "z6Mk", "u6MkvG98", &"z".repeat(200), "z0OIl"] {
        assert!(PublicKey::from_multikey(text).is_err(), "{text}");
    }
}

#[test]
fn a_jwk_is_public_of_a_known_kind_and_of_the_right_length() {
    let key = keys()[0].public().to_jwk();
    let with = |name: &str, value: &str| {
        let mut jwk = key.clone();
        jwk[name] = json!(value);
        PublicKey::from_jwk(&jwk)
    };
    assert_eq!(with("d", "AA"), Err(KeyError::Secret));
    assert_eq!(with("crv", "X25519"), Err(KeyError::Kind));
    assert_eq!(with("x", "AA"), Err(KeyError::Form));
    assert_eq!(with("x", "AA=="), Err(KeyError::Form));
    assert_eq!(PublicKey::from_jwk(&json!([])), Err(KeyError::Form));
    let mut off_curve = keys()[1].public().to_jwk();
    off_curve["y"] = off_curve["x"].clone();
    assert_eq!(PublicKey::from_jwk(&off_curve), Err(KeyError::Point));
}

/// RFC 8032, 7.1, test 1, and the X25519 key that libraries derive from it.
#[test]
fn the_example_of_the_standard_is_met() {
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let seed: primitives::Hash = seed.parse().unwrap();
    let key = SecretKey::ed25519(seed.as_bytes());
    let public = primitives::Hash::new(key.public().as_bytes().try_into().unwrap());
    let expected = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert_eq!(public.to_string(), expected);
    assert_eq!(&key.sign(b"")[..4], [0xe5, 0x56, 0x43, 0x00]);
}

proptest! {
    #[test]
    fn any_bytes_are_a_key_or_refused(bytes: Vec<u8>, text: String) {
        if let Ok(key) = PublicKey::from_prefixed(&bytes) {
            prop_assert_eq!(key.to_prefixed(), bytes);
        }
        if let Ok(key) = PublicKey::from_multikey(&text) {
            prop_assert_eq!(key.to_multikey(), text);
        }
    }
}
