//! Messages of the tracker: what is understood of those of clients, and the bytes of ours.

use serde_json::{Value, json};
use tracker::reply::{self, Tail};
use tracker::request::{self, Event, Offer, Refused, Request};
use tracker::{Counts, Name};

use super::check_file;

/// A name with a byte of every kind that JSON treats differently.
const AWKWARD: Name = Name::new(*b"\x00\x08\n\x1f\"\\/\x7f\x80\xff-WW0208-xy");
const SWARM: Name = Name::new(*b"aaaaaaaaaaaaaaaaaaaa");
const OFFER: Name = Name::new(*b"oooooooooooooooooooo");

/// Texts of clients: as stock ones write them, then odd ones.
fn texts() -> Vec<(&'static str, String)> {
    let escaped = serde_json::to_string(&text(&AWKWARD)).unwrap();
    let stock = format!(
        r#"{{"numwant":1,"uploaded":0,"downloaded":0,"left":null,"event":"started","action":"announce","info_hash":"aaaaaaaaaaaaaaaaaaaa","peer_id":{escaped},"offers":[{{"offer":{{"type":"offer","sdp":"v=0\r\n"}},"offer_id":"oooooooooooooooooooo"}}]}}"#
    );
    let ascii = format!(
        r#"{{"action":"announce","event":"completed","left":0,"info_hash":"aaaaaaaaaaaaaaaaaaaa","peer_id":"{}"}}"#,
        r"\u0000\u0008\u000a\u001f\u0022\u005c\u002f\u007f\u0080\u00ff-WW0208-xy"
    );
    vec![
        ("a stock announce", stock),
        ("escapes mean the same", ascii),
        (
            "an answer",
            r#"{"action":"announce","info_hash":"aaaaaaaaaaaaaaaaaaaa","peer_id":"pppppppppppppppppppp","to_peer_id":"qqqqqqqqqqqqqqqqqqqq","answer":{"type":"answer", "sdp":"é"},"offer_id":"oooooooooooooooooooo"}"#.into(),
        ),
        ("a scrape", r#"{"action":"scrape","info_hash":"aaaaaaaaaaaaaaaaaaaa"}"#.into()),
        (
            "stopped",
            r#"{"action":"announce","info_hash":"aaaaaaaaaaaaaaaaaaaa","peer_id":"pppppppppppppppppppp","event":"stopped","left":"12"}"#.into(),
        ),
        (
            "a name of 19",
            r#"{"action":"announce","info_hash":"aaaaaaaaaaaaaaaaaaaa","peer_id":"ppppppppppppppppppp"}"#.into(),
        ),
        (
            "a code point above a byte",
            r#"{"action":"scrape","info_hash":"aaaaaaaaaaaaaaaaaaaĀ"}"#.into(),
        ),
        ("no json", "announce".into()),
    ]
}

fn text(name: &Name) -> String {
    name.as_bytes().iter().map(|&byte| char::from(byte)).collect()
}

fn meaning(request: Result<Request<'_>, Refused<'_>>) -> Value {
    match request {
        Ok(Request::Announce(announce)) => {
            let offer = |offer: &Offer<'_>| json!({ "id": offer.id.to_string(), "description": offer.description });
            let event = match announce.event {
                Event::Present => "present",
                Event::Completed => "completed",
                Event::Stopped => "stopped",
            };
            json!({
                "announce": announce.swarm.to_string(), "peer": announce.peer.to_string(),
                "event": event, "left": announce.left,
                "offers": announce.offers.iter().map(offer).collect::<Vec<_>>(),
            })
        }
        Ok(Request::Answer(answer)) => json!({
            "answer": answer.swarm.to_string(), "peer": answer.peer.to_string(),
            "to": answer.to.to_string(), "offer": answer.offer.to_string(),
            "description": answer.description,
        }),
        Ok(Request::Scrape(swarms)) => {
            json!({ "scrape": swarms.iter().map(Name::to_string).collect::<Vec<_>>() })
        }
        Err(refused) => json!({ "refused": refused.swarm, "scrape": refused.scrape }),
    }
}

/// What we say, one of each kind.
fn said() -> Vec<(&'static str, String)> {
    let tail = Tail::new(&SWARM, &AWKWARD);
    let counts = Counts { complete: 1, incomplete: 2, downloaded: 3 };
    let offer = Offer { id: OFFER, description: r#"{"type":"offer","sdp":"v=0\r\n"}"# };
    let answer = tracker::request::Answer {
        swarm: SWARM,
        peer: AWKWARD,
        to: OFFER,
        offer: OFFER,
        description: "[1, null]",
    };
    let refused = Refused {
        scrape: false,
        swarm: Some("\"aaaaaaaaaaaaaaaaaaaa\""),
        reason: "a \"reason\"".into(),
    };
    vec![
        ("the reply to an announce", tail.welcome(120, counts)),
        ("an offer handed on", tail.offer(&offer)),
        ("an answer handed on", tail.answer(&answer)),
        ("a scrape answered", reply::scrape([(SWARM, counts), (AWKWARD, Counts::default())])),
        ("a failure", reply::failure(&refused)),
    ]
}

#[test]
fn messages_of_the_tracker_are_the_frozen_ones() {
    let heard = texts().into_iter().map(|(name, text)| {
        let means = meaning(request::read(&text));
        json!({ "name": name, "kind": "tracker-hears", "text": text, "means": means })
    });
    let said = said().into_iter().map(|(name, text)| {
        let _: Value = serde_json::from_str(&text).unwrap();
        json!({ "name": name, "kind": "tracker-says", "text": text })
    });
    check_file("tracker.json", &heard.chain(said).collect::<Vec<_>>());
}
