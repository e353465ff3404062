//! Messages as stock clients send them, and what is refused.

use proptest::prelude::*;

use super::*;

const SWARM: &str = "aaaaaaaaaaaaaaaaaaaa";
const PEER: &str = "-WW0208-abcdefghijkl";

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn announce(more: &str) -> String {
    format!(r#"{{"action":"announce","info_hash":"{SWARM}","peer_id":"{PEER}"{more}}}"#)
}

fn read_announce(text: &str) -> Announce<'_> {
    match read(text) {
        Ok(Request::Announce(announce)) => announce,
        other => panic!("expected an announce, found {other:?}"),
    }
}

fn reason(text: &str) -> String {
    read(text).unwrap_err().reason
}

#[test]
fn an_announce_of_a_stock_client_is_read() {
    let text = announce(
        r#","numwant":2,"uploaded":0,"downloaded":0,"left":null,"event":"started","offers":[
        {"offer":{"type":"offer","sdp":"v=0\r\n"},"offer_id":"bbbbbbbbbbbbbbbbbbbb"},
        {"offer_id":"cccccccccccccccccccc","offer":"whatever"}],"trackerid":"x""#,
    );
    let announce = read_announce(&text);
    assert_eq!((announce.swarm, announce.peer), (name(SWARM), name(PEER)));
    assert_eq!((announce.event, announce.left), (Event::Present, None));
    let descriptions: Vec<_> = announce.offers.iter().map(|offer| offer.description).collect();
    assert_eq!(descriptions, [r#"{"type":"offer","sdp":"v=0\r\n"}"#, r#""whatever""#]);
    assert_eq!(announce.offers[1].id, name("cccccccccccccccccccc"));
}

#[test]
fn names_of_any_bytes_are_read_escaped_or_not() {
    let text = announce("").replace(SWARM, r#"\u0000\u001f\"\\\u00ff\n\/ÿéaaaaaaaaaaa"#);
    let expected = b"\x00\x1f\"\\\xff\n/\xff\xe9aaaaaaaaaaa";
    assert_eq!(read_announce(&text).swarm.as_bytes(), expected);
}

#[test]
fn fields_may_be_missing_null_or_numbers_in_text() {
    assert_eq!(read_announce(&announce("")).offers, []);
    let quiet = announce(r#","offers":null,"event":null,"answer":null,"numwant":"3","left":"0""#);
    assert_eq!(read_announce(&quiet).left, Some(0));
    assert_eq!(read_announce(&announce(r#","left":0.0"#)).left, Some(0));
    assert_eq!(read_announce(&announce(r#","left":1e99"#)).left, Some(u64::MAX));
    assert_eq!(read_announce(&announce(r#","left":-1"#)).left, None);
    for (word, event) in [
        ("", Event::Present),
        ("empty", Event::Present),
        ("update", Event::Present),
        ("paused", Event::Present),
        ("completed", Event::Completed),
        ("stopped", Event::Stopped),
    ] {
        let text = announce(&format!(r#","event":"{word}""#));
        assert_eq!(read_announce(&text).event, event, "{word}");
    }
}

#[test]
fn no_more_offers_are_taken_than_wanted_and_allowed() {
    let offer = r#"{"offer":{},"offer_id":"bbbbbbbbbbbbbbbbbbbb"}"#;
    let many = |numwant: &str| {
        let list = vec![offer; OFFERS_MAX + 5].join(",");
        announce(&format!(r#"{numwant},"offers":[{list}]"#))
    };
    assert_eq!(read_announce(&many("")).offers.len(), OFFERS_MAX);
    assert_eq!(read_announce(&many(r#","numwant":50"#)).offers.len(), OFFERS_MAX);
    assert_eq!(read_announce(&many(r#","numwant":3"#)).offers.len(), 3);
}

#[test]
fn an_answer_needs_to_say_to_which_offer_of_whom() {
    let full = announce(
        r#","to_peer_id":"dddddddddddddddddddd","offer_id":"bbbbbbbbbbbbbbbbbbbb","answer":{"sdp":1}"#,
    );
    let expected = Answer {
        swarm: name(SWARM),
        peer: name(PEER),
        to: name("dddddddddddddddddddd"),
        offer: name("bbbbbbbbbbbbbbbbbbbb"),
        description: r#"{"sdp":1}"#,
    };
    assert_eq!(read(&full), Ok(Request::Answer(expected)));
    assert_eq!(reason(&full.replace("to_peer_id", "x")), "an answer needs to_peer_id");
    assert_eq!(reason(&full.replace("offer_id", "x")), "an answer needs offer_id");
}

#[test]
fn a_scrape_names_its_swarms() {
    let one = format!(r#"{{"action":"scrape","info_hash":"{SWARM}"}}"#);
    assert_eq!(read(&one), Ok(Request::Scrape(vec![name(SWARM)])));
    let list = |count: usize| {
        let names = vec![format!("\"{SWARM}\""); count].join(",");
        format!(r#"{{"action":"scrape","info_hash":[{names}]}}"#)
    };
    assert_eq!(read(&list(2)), Ok(Request::Scrape(vec![name(SWARM); 2])));
    assert!(read(&list(SCRAPE_MAX)).is_ok());
    assert!(reason(&list(SCRAPE_MAX + 1)).contains("limit is 64"));
    let all = r#"{"action":"scrape"}"#;
    assert!(read(all).unwrap_err().scrape);
}

#[test]
fn a_refusal_repeats_the_swarm_it_is_about() {
    let check = |text: &str, swarm: Option<&str>| assert_eq!(read(text).unwrap_err().swarm, swarm);
    check(&announce("").replace(PEER, "short"), Some("\"aaaaaaaaaaaaaaaaaaaa\""));
    check(&announce("").replace(SWARM, "aĀ"), Some("\"aĀ\""));
    check(&announce(r#","event":"eaten""#), Some("\"aaaaaaaaaaaaaaaaaaaa\""));
    check(&announce("").replace("announce", "connect"), Some("\"aaaaaaaaaaaaaaaaaaaa\""));
    check(&announce("").replace(SWARM, &"a".repeat(200)), None);
    check(r#"{"action":"announce","info_hash":["aaaaaaaaaaaaaaaaaaaa"]}"#, None);
    check("no json", None);
    check("[]", None);
}

#[test]
fn descriptions_and_reasons_are_bounded() {
    let with = |count: usize| {
        let sdp = "x".repeat(count);
        announce(&format!(r#","offers":[{{"offer":"{sdp}","offer_id":"{SWARM}"}}]"#))
    };
    assert!(read(&with(DESCRIPTION_BYTES_MAX - 2)).is_ok());
    assert!(reason(&with(DESCRIPTION_BYTES_MAX - 1)).contains("limit is 16384"));
    let long = announce(&format!(r#","left":{{"{}":1}}"#, "ÿ".repeat(5_000)));
    assert!(reason(&long).len() <= 200);
    let long = format!(r#"{{"action":"announce","offers":"{}"}}"#, "é".repeat(5_000));
    assert!(reason(&long).len() <= 200);
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,300}") {
        let _ = read(&text);
    }

    #[test]
    fn descriptions_pass_byte_for_byte(sdp in "\\PC{0,100}", spaces in " {0,3}") {
        let description = format!("{{{spaces}{}:[1,{{}}]}}", serde_json::json!(sdp));
        let text = announce(&format!(
            r#","offers":[{{"offer": {description} ,"offer_id":"{SWARM}"}}]"#
        ));
        prop_assert_eq!(read_announce(&text).offers[0].description, description.as_str());
    }
}
