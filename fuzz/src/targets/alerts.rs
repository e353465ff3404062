//! What pages ask of a server that tells them of their health, and the list on its disk: any bytes are refused or are a
//! subscription within its bounds, and what is kept is read again as it was.

use primitives::Hash;
use push::{Forget, Health, List, Outcome, Place, Wish, limits};

/// Subscriptions of the list.
const SUBSCRIPTIONS_MAX: usize = 16;
/// Looks at health after each input.
const LOOKS_MAX: usize = 32;
/// RFC 8291, section 5.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// Reads it as a wish, as the wish to be forgotten, and as a list that was kept.
pub fn run(bytes: &[u8]) {
    let mut list = List::new(SUBSCRIPTIONS_MAX);
    if let Ok(wish) = Wish::read(bytes) {
        assert!(bytes.len() <= limits::REQUEST_BYTES_MAX);
        assert!((1..=limits::ENDPOINT_BYTES_MAX).contains(&wish.endpoint().len()));
        drop(wish.first().expect("its keys were read"));
        let network = Hash::new([1; 32]);
        assert_eq!(list.add(wish.clone(), network, 0), Ok(Place::New));
        assert_eq!(list.add(wish, network, 1), Ok(Place::Renewed));
        look(&mut list);
    }
    if let Ok(forget) = Forget::read(bytes) {
        list.forget(&forget);
    }
    if let Ok(mut list) = List::read(bytes, SUBSCRIPTIONS_MAX) {
        look(&mut list);
    }
}

/// Lets everybody's health fall and rise, at odd times.
fn look(list: &mut List) {
    assert!(list.count() <= SUBSCRIPTIONS_MAX);
    for now_s in [0, 1 << 33, u64::MAX] {
        for look in list.next(LOOKS_MAX) {
            let falls =
                [Health::Endless, Health::Is(u128::MAX / 2), Health::Is(0), Health::Unknown];
            for (health, outcome) in falls.into_iter().zip([
                Outcome::Taken,
                Outcome::Failed,
                Outcome::Taken,
                Outcome::Gone,
            ]) {
                if let Some(alert) = list.see(&look, health, now_s) {
                    assert!(alert.letter.message.to_bytes().len() <= limits::MESSAGE_BYTES);
                    list.settle(&alert.look, outcome, now_s);
                }
            }
        }
        kept(list);
        list.expire(now_s);
    }
}

/// What is on the disk is what is known.
fn kept(list: &List) {
    let bytes = list.to_bytes();
    let again = List::read(&bytes, SUBSCRIPTIONS_MAX).expect("as it was kept");
    assert_eq!((again.count(), again.to_bytes()), (list.count(), bytes));
}

/// A wish, its end, and a list with it.
pub fn seeds() -> Vec<Vec<u8>> {
    let account = Hash::new([1; 32]);
    let endpoint = "https://push.example/a";
    let wish = serde_json::json!({
        "endpoint": endpoint, "p256dh": P256DH, "auth": AUTH,
        "account": account, "limit": 110, "markets": [7, 1],
    });
    let wish = wish.to_string().into_bytes();
    let forget = serde_json::json!({ "endpoint": endpoint, "auth": AUTH }).to_string();
    let mut list = List::new(SUBSCRIPTIONS_MAX);
    let read = Wish::read(&wish).expect("a wish");
    list.add(read, Hash::new([1; 32]), 5).expect("there is room");
    vec![wish, forget.into_bytes(), list.to_bytes()]
}
