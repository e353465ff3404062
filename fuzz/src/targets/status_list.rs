//! Status lists: compressed bytes of each size of entries, and signed tokens.

use identity::{
    SecretKey,
    did::did_key,
    sd_jwt::DidKeys,
    status::{Bits, StatusList, StatusToken, Terms},
};

const NOW_S: u64 = 1_800_000_000;
const URI: &str = "did:key:a#list";
const BITS: [Bits; 4] = [Bits::One, Bits::Two, Bits::Four, Bits::Eight];

/// Reads the bytes; what is read must survive its own form.
pub fn run(bytes: &[u8]) {
    for bits in BITS {
        if let Ok(list) = StatusList::from_compressed(bits, bytes) {
            let count = u64::try_from(list.count()).expect("a list is small");
            assert!(count > 0 && list.get(count - 1).is_some() && list.get(count).is_none());
            // Compressing is the slow part, and large lists say no more than small ones.
            if count < 1 << 16 {
                let again = StatusList::from_compressed(bits, &list.to_compressed());
                assert_eq!(again, Ok(list), "a list that does not survive its own form");
            }
        }
    }
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = StatusList::from_text(Bits::One, text);
        let _ = StatusToken::open(text, URI, &did_key::did(&key().public()), &DidKeys, NOW_S);
    }
}

fn key() -> SecretKey {
    SecretKey::ed25519(&[1; 32])
}

/// A list of each size of entries, and a token.
pub fn seeds() -> Vec<Vec<u8>> {
    let list = |bits| {
        let mut list = StatusList::new(bits, 400).expect("it has entries");
        (0..400).step_by(7).for_each(|index| list.set(index, 1).expect("it has the place"));
        list
    };
    let (uri, ttl_s) = (URI.to_owned(), Some(60));
    let terms = Terms { uri, issued_s: NOW_S, expires_s: Some(NOW_S + 60), ttl_s };
    let key_id = did_key::key_id(&key().public());
    let token = StatusToken::sign(&list(Bits::Two), &terms, &key(), &key_id);
    let lists = BITS.into_iter().map(|bits| list(bits).to_compressed());
    lists.chain([token.into_bytes()]).collect()
}
