use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    SecretKey, base64url,
    did::{Did, did_key},
    limits::{CLOCK_SKEW_S_MAX, STATUS_BYTES_MAX},
    sd_jwt::DidKeys,
};

const NOW_S: u64 = 1_800_000_000;
const URI: &str = "did:starling:abc#list";

fn key() -> SecretKey {
    SecretKey::ed25519(&[1; 32])
}

fn did() -> String {
    did_key::did(&key().public())
}

fn key_id() -> String {
    did_key::key_id(&key().public())
}

fn terms() -> Terms {
    let (expires_s, ttl_s) = (Some(NOW_S + 1000), Some(600));
    Terms { uri: URI.to_owned(), issued_s: NOW_S, expires_s, ttl_s }
}

fn list() -> StatusList {
    let mut list = StatusList::new(Bits::Two, 100).unwrap();
    list.set(7, Status::Invalid.value()).unwrap();
    list.set(8, Status::Suspended.value()).unwrap();
    list
}

fn open(token: &str, now_s: u64) -> Result<StatusToken, StatusRefusal> {
    StatusToken::open(token, URI, &did(), &DidKeys, now_s)
}

fn place(index: u64) -> StatusRef {
    StatusRef { index, uri: URI.to_owned() }
}

/// The examples of draft-ietf-oauth-status-list, 4.1 and 4.2: bytes b9 a3 and c9 44 f9.
#[test]
fn the_examples_of_the_draft_are_met() {
    let one = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
    let two = [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3];
    for (bits, values, bytes) in
        [(Bits::One, &one[..], &[0xb9, 0xa3][..]), (Bits::Two, &two[..], &[0xc9, 0x44, 0xf9][..])]
    {
        let mut list = StatusList::new(bits, values.len()).unwrap();
        for (index, value) in (0..).zip(values) {
            list.set(index, *value).unwrap();
        }
        let expected = miniz_oxide::deflate::compress_to_vec_zlib(bytes, 9);
        assert_eq!(StatusList::from_compressed(bits, &expected), Ok(list));
    }
    let one = StatusList::from_text(Bits::One, "eNrbuRgAAhcBXQ").unwrap();
    assert_eq!((one.count(), one.get(0), one.get(1)), (16, Some(1), Some(0)));
}

#[test]
fn a_list_says_who_is_revoked_until_it_is_old() {
    let token = StatusToken::sign(&list(), &terms(), &key(), &key_id());
    let opened = open(&token, NOW_S).unwrap();
    assert_eq!(opened.status(&place(6), NOW_S), Ok(Status::Valid));
    assert_eq!(opened.status(&place(7), NOW_S), Ok(Status::Invalid));
    assert_eq!(opened.status(&place(8), NOW_S + 600), Ok(Status::Suspended));
    assert_eq!(opened.status(&place(8), NOW_S + 601), Err(StatusRefusal::Stale));
    assert_eq!(opened.status(&place(100), NOW_S), Err(StatusRefusal::NoPlace));
    let elsewhere = StatusRef { uri: "other".to_owned(), ..place(7) };
    assert_eq!(opened.status(&elsewhere, NOW_S), Err(StatusRefusal::OtherList));
    let unlimited = Terms { ttl_s: None, ..terms() };
    let token = StatusToken::sign(&list(), &unlimited, &key(), &key_id());
    assert!(open(&token, NOW_S + 999).is_ok());
    assert_eq!(open(&token, NOW_S + 1000), Err(StatusRefusal::Expired));
    let before = NOW_S - CLOCK_SKEW_S_MAX - 1;
    assert_eq!(open(&token, before), Err(StatusRefusal::FromTheFuture));
}

fn forged(
    change: impl Fn(&mut serde_json::Value, &mut serde_json::Value),
) -> Option<StatusRefusal> {
    let mut header = json!({ "alg": "EdDSA", "typ": STATUS_TYPE, "kid": key_id() });
    let inner = json!({ "bits": 2, "lst": list().to_text() });
    let mut payload = json!({ "sub": URI, "iat": NOW_S, "ttl": 600, "status_list": inner });
    change(&mut header, &mut payload);
    let part = |value: &serde_json::Value| base64url::encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&header), part(&payload));
    let signature = base64url::encode(&key().sign(signed.as_bytes()));
    open(&format!("{signed}.{signature}"), NOW_S).err()
}

#[test]
fn hostile_tokens_are_refused_with_their_reason() {
    assert_eq!(forged(|_, _| ()), None);
    let head =
        |name: &str, value: serde_json::Value| forged(|header, _| header[name] = value.clone());
    assert_eq!(head("typ", json!("JWT")), Some(StatusRefusal::Type));
    assert_eq!(head("alg", json!("none")), Some(StatusRefusal::Algorithm));
    assert_eq!(head("alg", json!("ES256")), Some(StatusRefusal::Algorithm));
    assert_eq!(head("crit", json!([])), Some(StatusRefusal::Critical));
    assert_eq!(head("kid", json!("did:key:a#a")), Some(StatusRefusal::Issuer));
    let body =
        |name: &str, value: serde_json::Value| forged(|_, payload| payload[name] = value.clone());
    assert_eq!(body("sub", json!("other")), Some(StatusRefusal::OtherList));
    assert_eq!(body("sub", json!(1)), Some(StatusRefusal::Form));
    assert_eq!(body("iat", json!(null)), Some(StatusRefusal::Form));
    assert_eq!(body("ttl", json!(0)), Some(StatusRefusal::Form));
    assert_eq!(body("exp", json!(NOW_S)), Some(StatusRefusal::Expired));
    assert_eq!(body("status_list", json!(1)), Some(StatusRefusal::Form));
    let bits = json!({ "bits": 3, "lst": list().to_text() });
    assert_eq!(body("status_list", bits), Some(StatusRefusal::Bits));
    let text = json!({ "bits": 1, "lst": "!" });
    assert_eq!(body("status_list", text), Some(StatusRefusal::List(ListError::Text)));
    let mut token = StatusToken::sign(&list(), &terms(), &key(), &key_id());
    token.replace_range(token.len() - 4.., "AAAA");
    assert_eq!(open(&token, NOW_S), Err(StatusRefusal::Signature));
}

#[test]
fn damaged_and_swelling_lists_are_refused() {
    let good = list().to_compressed();
    let read = |bytes: &[u8]| StatusList::from_compressed(Bits::One, bytes).err();
    assert_eq!(read(&good), None);
    assert_eq!(read(&good[..good.len() - 1]), Some(ListError::Compressed));
    assert_eq!(read(&[&good[..], &[0]].concat()), Some(ListError::Compressed));
    // Raw deflate, and gzip's first bytes.
    assert_eq!(read(&good[2..]), Some(ListError::Compressed));
    assert_eq!(read(&[0x1f, 0x8b, 8, 0]), Some(ListError::Compressed));
    assert_eq!(read(&[]), Some(ListError::Compressed));
    let mut checksum = good.clone();
    *checksum.last_mut().unwrap() ^= 1;
    assert_eq!(read(&checksum), Some(ListError::Compressed));
    let compress = |count| miniz_oxide::deflate::compress_to_vec_zlib(&vec![0; count], 9);
    assert_eq!(read(&compress(0)), Some(ListError::Empty));
    assert_eq!(read(&compress(STATUS_BYTES_MAX)), None);
    // 16 KiB that would become 16 MiB and a byte.
    assert_eq!(read(&compress(STATUS_BYTES_MAX + 1)), Some(ListError::TooLarge));
}

#[test]
fn entries_have_the_values_their_bits_allow() {
    let mut list = list();
    assert_eq!(list.set(0, 4), Err(ListError::Value));
    assert_eq!(list.set(100, 1), Err(ListError::NoPlace));
    assert_eq!(list.set(u64::MAX, 1), Err(ListError::NoPlace));
    assert_eq!(StatusList::new(Bits::One, 0), Err(ListError::Empty));
    assert_eq!(StatusList::new(Bits::Eight, STATUS_BYTES_MAX + 1), Err(ListError::TooLarge));
}

proptest! {
    #[test]
    fn a_list_survives_its_forms_and_entries_do_not_touch_each_other(
        bits in prop::sample::select(vec![Bits::One, Bits::Two, Bits::Four, Bits::Eight]),
        entries in prop::collection::btree_map(0..500_u64, any::<u8>(), 0..40),
    ) {
        let mut list = StatusList::new(bits, 500).unwrap();
        let mask = u8::MAX >> (8 - bits.count());
        for (index, value) in &entries {
            list.set(*index, mask).unwrap();
            list.set(*index, value & mask).unwrap();
        }
        let list = StatusList::from_text(bits, &list.to_text()).unwrap();
        for index in 0..500 {
            let expected = entries.get(&index).map_or(0, |value| value & mask);
            prop_assert_eq!(list.get(index), Some(expected));
        }
    }

    #[test]
    fn any_bytes_are_a_list_or_refused(bytes: Vec<u8>) {
        let _ = StatusList::from_compressed(Bits::One, &bytes);
    }
}

#[test]
fn an_anchor_is_its_issuers_for_one_ledger() {
    let key = SecretKey::ed25519(&[1; 32]);
    let issuer = Did::Key(key.public());
    let anchor = Anchor::sign((issuer.clone(), "did:key:a#list"), 1, "token", (0, &key), &[5; 32]);
    assert!(anchor.is_formed());
    assert_eq!(anchor.verify(&key.public(), &[5; 32]), Ok(()));
    assert!(anchor.verify(&key.public(), &[6; 32]).is_err());
    for changed in [
        Anchor { number: 2, ..anchor.clone() },
        Anchor { uri: "did:key:b#list".to_owned(), ..anchor.clone() },
        Anchor { token: token_hash("other"), ..anchor.clone() },
        Anchor { issuer: Did::Key(SecretKey::ed25519(&[2; 32]).public()), ..anchor.clone() },
        Anchor { by: 1, ..anchor.clone() },
    ] {
        assert!(changed.verify(&key.public(), &[5; 32]).is_err());
    }
    assert_eq!(check_newest("token", anchor.token), Ok(()));
    assert_eq!(check_newest("other", anchor.token), Err(StatusRefusal::NotNewest));
    let sign = |uri: &str, number| {
        Anchor::sign((issuer.clone(), uri), number, "token", (0, &key), &[5; 32]).is_formed()
    };
    assert_eq!([sign("", 1), sign("a", 0), sign(&"a".repeat(513), 1)], [false; 3]);
}

#[test]
fn a_list_is_called_among_blocks_by_its_hash() {
    // The empty block, as every gateway has it but by SHA-256: `ipfs block put --format=raw`.
    assert_eq!(
        token_cid(&token_hash("")),
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    );
}
