//! The examples of `docs/spec/tracker.md` are messages of the protocol.

use serde_json::Value;
use tracker::reply::{self, Tail};
use tracker::request::{self, Request};
use tracker::{Counts, Name};

const SPEC: &str = include_str!("../../docs/spec/tracker.md");

/// The lines of the block that opens with this fence.
fn examples(fence: &str) -> Vec<&'static str> {
    let block = SPEC.split_once(fence).unwrap().1.split_once("```").unwrap().0;
    block.lines().filter(|line| !line.is_empty()).collect()
}

fn same(found: &str, example: &str) {
    let parse = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(parse(found), parse(example));
}

#[test]
fn what_the_examples_of_clients_ask_is_answered_as_the_examples_say() {
    let [announce, answer, scrape] = examples("```json client\n").try_into().unwrap();
    let [reply, offered, answered, scraped, failure]: [&str; 5] =
        examples("```json tracker\n").try_into().unwrap();
    let counts = Counts { complete: 0, incomplete: 2, downloaded: 0 };
    let Ok(Request::Announce(announce)) = request::read(announce) else { panic!("an announce") };
    let tail = Tail::new(&announce.swarm, &announce.peer);
    same(&tail.welcome(120, counts), reply);
    same(&tail.offer(&announce.offers[0]), offered);
    let Ok(Request::Answer(answer)) = request::read(answer) else { panic!("an answer") };
    assert_eq!(answer.to, announce.peer);
    same(&Tail::new(&answer.swarm, &answer.peer).answer(&answer), answered);
    let Ok(Request::Scrape(swarms)) = request::read(scrape) else { panic!("a scrape") };
    same(&reply::scrape(swarms.into_iter().map(|swarm: Name| (swarm, counts))), scraped);
    let eaten = examples("```json client\n")[0].replace("started", "eaten");
    let refused = request::read(&eaten).unwrap_err();
    let found: Value = serde_json::from_str(&reply::failure(&refused)).unwrap();
    let example: Value = serde_json::from_str(failure).unwrap();
    assert_eq!(found["info_hash"], example["info_hash"]);
    let reason = example["failure reason"].as_str().unwrap();
    assert!(found["failure reason"].as_str().unwrap().starts_with(reason));
}
