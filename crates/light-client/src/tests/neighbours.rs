//! Neighbours are asked where no server is as good, checked like one, and never for a neighbour.

use super::*;
use crate::{QueryId, Unproved};

const QUERY: QueryId = QueryId(1);
const NEAR: ServerId = ServerId(ServerId::NEIGHBOURS);

/// A tab in front of servers and one neighbour, all of whom showed the newest block.
fn following(ledger: &Ledger, servers: u32) -> Tab {
    let mut tab = Tab::new(ledger, servers);
    tab.step(Input::Up(NEAR));
    tab.answer(|_, question| Some(honest(ledger, ledger.height(), question)));
    assert_eq!(tab.height(), ledger.height());
    tab
}

fn ledger(blocks: u8) -> Ledger {
    let mut ledger = Ledger::new(1);
    (1..=blocks).for_each(|number| {
        ledger.add(START_MS, state(number));
    });
    ledger
}

fn asked(tab: &Tab) -> Vec<ServerId> {
    tab.asked.iter().map(|(server, ..)| *server).collect()
}

fn proved_by(tab: &Tab) -> Option<ServerId> {
    tab.events.iter().find_map(|event| match event {
        Event::Proved(proved) => Some(proved.from),
        _ => None,
    })
}

#[test]
fn a_server_is_asked_first_and_a_neighbour_where_it_does_not_answer() {
    let ledger = ledger(2);
    let mut tab = following(&ledger, 1);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    assert_eq!(asked(&tab), [ServerId(0)]);
    tab.answer(|server, question| server.is_neighbour().then(|| honest(&ledger, 2, question)));
    assert_eq!(proved_by(&tab), Some(NEAR));
    assert_eq!(tab.faults(), [(0, Fault::Withholds)]);
}

#[test]
fn what_a_neighbour_wants_to_know_is_asked_of_no_neighbour() {
    let ledger = ledger(2);
    for servers in [0, 1] {
        let mut tab = following(&ledger, servers);
        tab.step(Input::ProveFor { query: QUERY, key: b"held" });
        tab.answer(|server, _| {
            assert!(!server.is_neighbour(), "it goes round");
            None
        });
        assert!(tab.events.contains(&Event::Unproved(QUERY, Unproved::NoServer)));
    }
    let mut tab = following(&ledger, 1);
    tab.step(Input::ProveFor { query: QUERY, key: b"held" });
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    assert_eq!(proved_by(&tab), Some(ServerId(0)));
}

#[test]
fn a_server_without_an_answer_for_a_neighbour_is_not_blamed_and_one_that_forges_is() {
    let ledger = ledger(2);
    // None: it says that there is nothing. Or a page of another program.
    for answer in [None, Some(b"<!doctype html>".to_vec())] {
        let mut tab = following(&ledger, 2);
        tab.step(Input::ProveFor { query: QUERY, key: b"no such record" });
        tab.answer(|_, _| answer.clone());
        assert!(tab.events.contains(&Event::Unproved(QUERY, Unproved::NoServer)));
        assert_eq!(tab.faults(), []);
    }
    let mut tab = following(&ledger, 1);
    tab.step(Input::ProveFor { query: QUERY, key: b"held" });
    tab.wait(6_000);
    assert!(tab.events.contains(&Event::Unproved(QUERY, Unproved::NoServer)));
    assert_eq!(tab.faults(), [], "it may be the question that takes long");

    let mut tab = following(&ledger, 1);
    tab.step(Input::ProveFor { query: QUERY, key: b"held" });
    tab.answer(|_, _| {
        let mut proof = ledger.state_proof(2, b"held");
        proof.record = Some(vec![99].into());
        Some(proof.to_bytes())
    });
    assert_eq!(tab.faults(), [(0, Fault::FalseProof)]);

    let mut tab = following(&ledger, 1);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, _| None);
    let expected = [(0, Fault::Withholds), (NEAR.0, Fault::Withholds)];
    assert_eq!(tab.faults(), expected, "its own question is another matter");
}

#[test]
fn what_was_proved_for_a_neighbour_is_audited_nowhere() {
    let ledger = ledger(2);
    let mut tab = following(&ledger, 2);
    tab.now_ms += 25_000;
    tab.step(Input::Tick);
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    tab.step(Input::ProveFor { query: QUERY, key: b"held" });
    assert_eq!(tab.asked.len(), 1);
    let (_, request, question) = tab.asked.remove(0);
    tab.step(Input::Answered { request, bytes: &honest(&ledger, 2, &question) });
    assert!(proved_by(&tab).is_some());
    assert_eq!(asked(&tab), []);
}

#[test]
fn a_neighbour_that_lies_is_named_like_a_server() {
    let ledger = ledger(2);
    let mut tab = following(&ledger, 0);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, _| {
        let mut proof = ledger.state_proof(2, b"held");
        proof.record = Some(vec![99].into());
        Some(proof.to_bytes())
    });
    assert_eq!(tab.faults(), [(NEAR.0, Fault::FalseProof)]);
    assert_eq!(proved_by(&tab), None);
}

#[test]
fn neighbours_are_asked_for_nothing_that_is_not_needed() {
    let ledger = ledger(2);
    let mut tab = following(&ledger, 1);
    tab.now_ms += 25_000;
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.asked.retain(|(.., question)| matches!(question, Question::State(_)));
    tab.answer(|server, question| {
        assert_eq!(server, ServerId(0), "no neighbour is audited");
        Some(honest(&ledger, 2, question))
    });
    assert_eq!(proved_by(&tab), Some(ServerId(0)));
}

#[test]
fn the_newest_block_is_kept_with_its_certificate_and_no_other() {
    let ledger = ledger(3);
    let mut tab = Tab::new(&ledger, 1);
    tab.push(0, &ledger.finality(1, 2).to_bytes());
    let bytes = tab.client.head().map(|head| head.bytes.clone());
    assert_eq!(bytes, Some(ledger.finality(3, 0).to_bytes()));
}
