use serde_json::{Value, json};

use super::*;
use crate::limits::{MARKETS_MAX, MESSAGES_PER_DAY_MAX};
use crate::{Account, ONE};

/// RFC 8291, section 5.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
const HUNDREDTH: u128 = ONE / 100;

fn account(number: u8) -> Account {
    Account::new([number; 32])
}

fn network(number: u8) -> Network {
    Network::new([number; 32])
}

fn asked(of: u8, browser: &str, limit: u16, markets: &[u32]) -> Value {
    json!({
        "endpoint": format!("https://push.example/{browser}"), "p256dh": P256DH, "auth": AUTH,
        "account": account(of), "limit": limit, "markets": markets,
    })
}

fn wish(of: u8, browser: &str, markets: &[u32]) -> Wish {
    Wish::read(asked(of, browser, 110, markets).to_string().as_bytes()).unwrap()
}

/// One account in market 7, looked at once at a health of 1.50.
fn one() -> (List, Look) {
    let mut list = List::new(10);
    assert_eq!(list.add(wish(1, "a", &[7]), network(1), 0), Ok(Place::New));
    let look = list.next(10).pop().unwrap();
    assert!(list.see(&look, at(150), 0).is_none());
    (list, look)
}

fn at(hundredth: u128) -> Health {
    Health::Is(hundredth * HUNDREDTH)
}

/// What a message says.
fn said(alert: Option<Alert>) -> Value {
    serde_json::from_slice(&alert.unwrap().letter.message.to_bytes()).unwrap()
}

#[test]
fn a_fall_is_told_once_and_again_only_after_it_was_clearly_better() {
    let (mut list, look) = one();
    assert_eq!(
        said(list.see(&look, at(109), 1)),
        json!({
            "kind": "low", "account": "01010101", "limit": "1.10", "market": 7, "health": "1.09",
        })
    );
    assert!(list.see(&look, at(108), 2).is_none(), "it is on its way");
    list.settle(&look, Outcome::Taken, 3);
    for hundredth in [108, 110, 109, 114, 101] {
        assert!(list.see(&look, at(hundredth), 4).is_none(), "{hundredth}");
    }
    assert_eq!(said(list.see(&look, Health::Is(ONE - 1), 5))["kind"], "seizable");
    list.settle(&look, Outcome::Taken, 5);
    assert!(list.see(&look, at(103), 6).is_none());
    assert!(list.see(&look, at(99), 6).is_none(), "it was not clearly better");
    assert!(list.see(&look, Health::Endless, 7).is_none());
    assert_eq!(said(list.see(&look, at(105), 8))["kind"], "low");
}

#[test]
fn what_is_wrong_when_a_person_subscribes_the_page_has_told() {
    let mut list = List::new(10);
    list.add(wish(1, "a", &[7]), network(1), 0).unwrap();
    let look = list.next(10).pop().unwrap();
    assert!(list.see(&look, Health::Unknown, 0).is_none());
    assert!(list.see(&look, at(105), 0).is_none());
    assert_eq!(said(list.see(&look, at(99), 0))["kind"], "seizable");
}

#[test]
fn a_fall_under_one_before_the_first_look_is_told_once() {
    let mut list = List::new(10);
    list.add(wish(1, "a", &[7]), network(1), 0).unwrap();
    let look = list.next(10).pop().unwrap();
    assert_eq!(said(list.see(&look, at(99), 0))["kind"], "seizable");
    assert!(list.see(&look, at(99), 1).is_none(), "it is on its way");
    list.settle(&look, Outcome::Failed, 1);
    assert!(list.see(&look, at(99), 1 + RETRY_S).is_some(), "nobody knows it yet");
    list.settle(&look, Outcome::Taken, 1 + RETRY_S);
    assert!(list.see(&look, at(98), 100).is_none());
    let higher = asked(1, "a", 125, &[7]).to_string();
    list.add(Wish::read(higher.as_bytes()).unwrap(), network(1), 101).unwrap();
    assert!(list.see(&look, at(98), 102).is_none(), "it is so by any limit");
}

#[test]
fn a_stale_price_is_no_news() {
    let (mut list, look) = one();
    assert!(list.see(&look, Health::Unknown, 1).is_none());
    assert!(list.see(&look, at(105), 1).is_some());
}

#[test]
fn a_browser_that_is_gone_is_forgotten() {
    let (mut list, look) = one();
    list.see(&look, at(99), 1).unwrap();
    assert!(list.take_changed());
    list.settle(&look, Outcome::Gone, 2);
    assert_eq!(list.count(), 0);
    assert!(list.take_changed());
    assert!(list.next(10).is_empty() && list.see(&look, at(50), 3).is_none());
}

#[test]
fn a_message_that_failed_is_tried_again_ever_later_and_not_for_ever() {
    let (mut list, look) = one();
    let mut now_s = 1;
    for failure in 0..FAILURES_MAX {
        assert!(list.see(&look, at(99), now_s).is_some(), "{failure}");
        list.settle(&look, Outcome::Failed, now_s);
        let wait_s = RETRY_S << failure;
        assert!(list.see(&look, at(99), now_s + wait_s - 1).is_none());
        now_s += wait_s;
    }
    assert_eq!(list.count(), 0);
}

/// One account in as many markets as one may have, each looked at once at a health of 1.50.
fn many() -> (List, Vec<Look>) {
    let mut list = List::new(10);
    let markets: Vec<u32> = (1..).take(MARKETS_MAX).collect();
    list.add(wish(1, "a", &markets), network(1), 0).unwrap();
    let looks = list.next(MARKETS_MAX);
    assert_eq!(looks.len(), MARKETS_MAX);
    for look in &looks {
        assert!(list.see(look, at(150), 0).is_none());
    }
    (list, looks)
}

#[test]
fn failures_of_one_burst_count_once() {
    let (mut list, looks) = many();
    let mut now_s = 1;
    for failure in 0..FAILURES_MAX {
        assert_eq!(list.count(), 1, "{failure}");
        for look in &looks {
            assert!(list.see(look, at(99), now_s).is_some(), "{failure}");
        }
        for look in &looks {
            list.settle(look, Outcome::Failed, now_s);
        }
        let wait_s = RETRY_S << failure;
        for look in &looks {
            assert!(list.see(look, at(99), now_s + wait_s - 1).is_none(), "{failure}");
        }
        now_s += wait_s;
    }
    assert_eq!(list.count(), 0);
}

#[test]
fn what_is_on_its_way_counts_for_the_day() {
    let (mut list, looks) = many();
    for look in looks.iter().cycle().take(usize::from(MESSAGES_PER_DAY_MAX) - 2) {
        list.see(look, at(99), 10).unwrap();
        list.settle(look, Outcome::Taken, 10);
        assert!(list.see(look, at(150), 10).is_none());
    }
    let told = looks.iter().filter(|look| list.see(look, at(99), 20).is_some()).count();
    assert_eq!(told, 2);
}

#[test]
fn one_that_works_again_has_no_past() {
    let (mut list, look) = one();
    list.see(&look, at(99), 1).unwrap();
    list.settle(&look, Outcome::Failed, 1);
    list.see(&look, at(99), 1 + RETRY_S).unwrap();
    list.settle(&look, Outcome::Taken, 1 + RETRY_S);
    list.see(&look, at(150), 100);
    list.see(&look, at(99), 100).unwrap();
    list.settle(&look, Outcome::Failed, 100);
    assert!(list.see(&look, at(99), 100 + RETRY_S).is_some());
}

#[test]
fn a_day_has_its_most_messages_and_the_next_begins_anew() {
    let (mut list, look) = one();
    for _ in 0..MESSAGES_PER_DAY_MAX {
        list.see(&look, at(99), 10).unwrap();
        list.settle(&look, Outcome::Taken, 10);
        assert!(list.see(&look, at(150), 10).is_none());
    }
    assert!(list.see(&look, at(99), 20).is_none());
    assert!(list.see(&look, at(99), DAY_S - 1).is_none());
    assert!(list.see(&look, at(99), DAY_S).is_some());
}

#[test]
fn what_strangers_fill_has_an_end() {
    let most = PER_NETWORK_MAX + PER_ENDPOINT_MAX + 2;
    let mut list = List::new(most);
    for number in 0..PER_NETWORK_MAX {
        list.add(wish(1, &format!("many-{number}"), &[1]), network(1), 0).unwrap();
    }
    assert_eq!(list.check(&wish(2, "more", &[1]), network(1)), Err(Refused::NetworkFull));
    let owner = list.add(wish(1, "owner", &[1]), network(2), 0);
    assert_eq!(owner, Ok(Place::New), "strangers don't leave an account's owner out");
    for number in (2..).take(PER_ENDPOINT_MAX) {
        list.add(wish(number, "one", &[1]), network(3), 0).unwrap();
    }
    assert_eq!(list.check(&wish(99, "one", &[1]), network(3)), Err(Refused::EndpointFull));
    list.add(wish(1, "new", &[1]), network(4), 0).unwrap();
    assert_eq!(list.count(), most);
    assert_eq!(list.add(wish(1, "last", &[1]), network(5), 0), Err(Refused::Full));
    let stays = list.add(wish(1, "many-0", &[2]), network(1), 0);
    assert_eq!(stays, Ok(Place::Renewed), "who is here may stay");
    assert_eq!(list.count(), most);
}

#[test]
fn a_network_counts_what_was_made_from_it() {
    let mut list = List::new(1_000);
    for number in 0..PER_NETWORK_MAX {
        list.add(wish(1, &format!("many-{number}"), &[1]), network(1), 0).unwrap();
    }
    // Elsewhere with all of them: they still count where they were made, and only there.
    for number in 0..PER_NETWORK_MAX {
        list.add(wish(1, &format!("many-{number}"), &[1]), network(2), 0).unwrap();
    }
    assert_eq!(list.check(&wish(1, "new", &[1]), network(2)), Ok(Place::New));
    let mut list = List::read(&list.to_bytes(), 1_000).unwrap();
    assert_eq!(list.check(&wish(1, "new", &[1]), network(1)), Err(Refused::NetworkFull));
    let gone = Look { name: wish(1, "many-0", &[1]).name(), market: 1 };
    list.settle(&gone, Outcome::Gone, 1);
    assert_eq!(list.check(&wish(1, "new", &[1]), network(1)), Ok(Place::New));
}

#[test]
fn one_of_before_networks_were_kept_is_read_and_gets_its_own() {
    let (list, _) = one();
    let mut kept: Value = serde_json::from_slice(&list.to_bytes()).unwrap();
    kept["subscriptions"][0].as_object_mut().unwrap().remove("network").unwrap();
    let mut list = List::read(kept.to_string().as_bytes(), 10).unwrap();
    assert_eq!(list.count(), 1);
    list.add(wish(1, "a", &[7]), network(3), 1).unwrap();
    let kept: Value = serde_json::from_slice(&list.to_bytes()).unwrap();
    assert_eq!(kept["subscriptions"][0]["network"], json!(network(3)));
}

#[test]
fn what_is_no_request_is_refused() {
    let check = |change: fn(&mut Value), expected| {
        let mut asked = asked(1, "a", 110, &[7, 7, 3]);
        change(&mut asked);
        assert_eq!(Wish::read(asked.to_string().as_bytes()).map(|_| ()), expected, "{asked}");
    };
    check(|_| (), Ok(()));
    check(|asked| asked["limit"] = 99.into(), Err(Refused::Malformed));
    check(|asked| asked["limit"] = 1_001.into(), Err(Refused::Malformed));
    check(|asked| asked["markets"] = json!([]), Err(Refused::Malformed));
    let many: fn(&mut Value) =
        |asked| asked["markets"] = (0..=MARKETS_MAX).collect::<Vec<_>>().into();
    check(many, Err(Refused::Malformed));
    check(|asked| asked["endpoint"] = "".into(), Err(Refused::Malformed));
    check(|asked| asked["endpoint"] = "a".repeat(1_025).into(), Err(Refused::Malformed));
    check(|asked| asked["account"] = "12".into(), Err(Refused::Malformed));
    check(|asked| asked["more"] = 1.into(), Err(Refused::Malformed));
    check(|asked| asked["auth"] = "AAAA".into(), Err(Refused::Keys));
    check(|asked| asked["p256dh"] = "AAAA".into(), Err(Refused::Keys));
    assert_eq!(Wish::read(b"nothing").map(|_| ()), Err(Refused::Malformed));
    assert_eq!(Wish::read(&[b' '; 5_000]).map(|_| ()), Err(Refused::Malformed));
}

#[test]
fn only_who_knows_its_secret_changes_a_subscription() {
    let (mut list, _) = one();
    let other = "AAAAAAAAAAAAAAAAAAAAAA";
    let mut request = asked(1, "a", 110, &[9]);
    request["auth"] = other.into();
    let stranger = Wish::read(request.to_string().as_bytes()).unwrap();
    assert_eq!(list.add(stranger, network(1), 0), Err(Refused::Keys));
    let forget = |auth: &str| {
        let request = json!({ "endpoint": "https://push.example/a", "auth": auth });
        Forget::read(request.to_string().as_bytes()).unwrap()
    };
    assert!(!list.forget(&forget(other)));
    assert_eq!(list.count(), 1);
    assert!(list.forget(&forget(AUTH)));
    assert!(!list.forget(&forget(AUTH)));
    assert_eq!(list.count(), 0);
}

#[test]
fn renewing_keeps_what_was_told_unless_the_limit_is_another() {
    let (mut list, look) = one();
    list.see(&look, at(105), 1).unwrap();
    list.settle(&look, Outcome::Taken, 1);
    assert_eq!(list.add(wish(1, "a", &[3, 7]), network(1), 5), Ok(Place::Renewed));
    assert_eq!(list.next(10).iter().map(|look| look.market).collect::<Vec<_>>(), [3, 7]);
    assert!(list.see(&look, at(104), 6).is_none());
    let lower = asked(1, "a", 100, &[7]).to_string();
    list.add(Wish::read(lower.as_bytes()).unwrap(), network(1), 7).unwrap();
    assert!(list.see(&look, at(104), 8).is_none(), "it is well by the new limit");
    assert!(list.see(&look, at(99), 9).is_some());
}

#[test]
fn a_failure_of_before_a_new_limit_is_nobodys() {
    let (mut list, look) = one();
    list.see(&look, at(99), 1).unwrap();
    let other = asked(1, "a", 125, &[7]).to_string();
    list.add(Wish::read(other.as_bytes()).unwrap(), network(1), 2).unwrap();
    list.settle(&look, Outcome::Failed, 3);
    assert!(list.see(&look, at(150), 4).is_none());
    assert!(list.see(&look, at(120), 5).is_some(), "it does not wait");
}

#[test]
fn looks_go_round_and_leave_nobody_out() {
    let mut list = List::new(10);
    for number in 1..=5 {
        list.add(
            wish(number, "a-browser-of-its-own".get(..usize::from(number)).unwrap(), &[1, 2]),
            network(1),
            0,
        )
        .unwrap();
    }
    let mut accounts = |most| {
        let looks = list.next(most);
        assert!(looks.len() <= most);
        looks.iter().map(|look| look.name.account.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(accounts(5), [1, 1, 2, 2]);
    assert_eq!(accounts(4), [3, 3, 4, 4]);
    assert_eq!(accounts(4), [5, 5, 1, 1]);
    assert_eq!(accounts(100), [2, 2, 3, 3, 4, 4, 5, 5, 1, 1]);
}

#[test]
fn what_is_kept_comes_back_without_what_was_on_its_way() {
    let (mut list, look) = one();
    list.see(&look, at(105), 1).unwrap();
    let bytes = list.to_bytes();
    let mut again = List::read(&bytes, 10).unwrap();
    assert!(!again.take_changed());
    assert_eq!(again.count(), 1);
    assert_eq!(said(again.see(&look, at(105), 2))["kind"], "low", "nobody knows it yet");
    again.settle(&look, Outcome::Taken, 2);
    let mut third = List::read(&again.to_bytes(), 10).unwrap();
    assert!(third.see(&look, at(105), 3).is_none());
    assert_eq!(List::read(&bytes, 0).unwrap().count(), 0);
    assert_eq!(List::read(b"{}", 10).map(|_| ()), Err(Damaged));
    let later = String::from_utf8(bytes).unwrap().replace("\"version\":1", "\"version\":2");
    assert_eq!(List::read(later.as_bytes(), 10).map(|_| ()), Err(Damaged));
}

#[test]
fn who_never_comes_back_is_forgotten() {
    let (mut list, _) = one();
    list.expire(AGE_MAX_S - 1);
    assert_eq!(list.count(), 1);
    list.add(wish(1, "a", &[7]), network(1), 100).unwrap();
    list.expire(AGE_MAX_S);
    assert_eq!(list.count(), 1);
    list.expire(AGE_MAX_S + 100);
    assert_eq!(list.count(), 0);
}
