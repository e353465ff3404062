//! Servers that lie, fork, go back, withhold or lag are named, and honest ones are not.

use super::*;
use crate::{QueryId, Status, Unproved};

const QUERY: QueryId = QueryId(1);

fn ask(tab: &mut Tab) {
    tab.step(Input::Prove { query: QUERY, key: b"held" });
}

fn proved(tab: &Tab) -> Option<(u64, Option<Vec<u8>>, u32)> {
    tab.events.iter().find_map(|event| match event {
        Event::Proved(proved) => Some((proved.height, proved.record.clone(), proved.from.0)),
        _ => None,
    })
}

fn ledger(blocks: u8) -> Ledger {
    let mut ledger = Ledger::new(1);
    (1..=blocks).for_each(|number| {
        ledger.add(START_MS, state(number));
    });
    ledger
}

/// A tab in front of servers that are at the newest block.
fn following(ledger: &Ledger, servers: u32) -> Tab {
    let mut tab = Tab::new(ledger, servers);
    tab.answer(|_, question| Some(honest(ledger, ledger.height(), question)));
    assert_eq!(tab.height(), ledger.height());
    tab
}

#[test]
fn a_tab_follows_headers_and_a_proof_names_its_height() {
    let mut ledger = ledger(1);
    let mut tab = following(&ledger, 2);
    for number in 2..=5 {
        ledger.add(tab.now_ms, state(number));
        tab.push(0, &ledger.finality(number.into(), 0).to_bytes());
        tab.push(1, &ledger.finality(number.into(), 0).to_bytes());
    }
    assert_eq!((tab.height(), tab.client.status()), (5, Status::Fresh));
    assert_eq!(tab.client.verified(), 5, "what is known is not verified again");
    ask(&mut tab);
    tab.answer(|_, question| Some(honest(&ledger, 5, question)));
    assert_eq!(proved(&tab), Some((5, Some(vec![5]), 0)));
    assert_eq!(tab.faults(), []);
}

#[test]
fn a_week_offline_is_one_header() {
    let mut ledger = ledger(200);
    let week_ms = 7 * 24 * 3_600_000;
    ledger.add(START_MS + week_ms, state(9));
    let mut tab = Tab::new(&ledger, 1);
    tab.now_ms += week_ms;
    tab.answer(|_, question| Some(honest(&ledger, 201, question)));
    assert_eq!((tab.height(), tab.client.verified()), (201, 1));
    assert_eq!(tab.client.status(), Status::Fresh);
}

#[test]
fn after_a_week_asleep_the_tab_says_that_it_is_stale_and_asks() {
    let mut ledger = ledger(1);
    let mut tab = following(&ledger, 1);
    tab.now_ms += 7 * 24 * 3_600_000;
    tab.step(Input::Tick);
    assert_eq!(tab.client.status(), Status::Stale);
    let now_ms = tab.now_ms;
    ledger.add(now_ms, state(2));
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    assert_eq!((tab.height(), tab.client.status()), (2, Status::Fresh));
}

#[test]
fn a_server_that_proves_falsely_is_named_and_another_is_asked() {
    let ledger = ledger(3);
    let mut tab = following(&ledger, 2);
    ask(&mut tab);
    tab.answer(|server, question| {
        let Question::State(key) = question else { return None };
        let mut proof = ledger.state_proof(3, key);
        if server == ServerId(0) {
            proof.record = Some(vec![99].into());
        }
        Some(proof.to_bytes())
    });
    assert_eq!(tab.faults(), [(0, Fault::FalseProof)]);
    assert_eq!(proved(&tab), Some((3, Some(vec![3]), 1)));
    tab.events.clear();
    ask(&mut tab);
    tab.answer(|server, question| {
        assert_eq!(server, ServerId(1), "a liar is not asked again");
        Some(honest(&ledger, 3, question))
    });
    assert_eq!(proved(&tab), Some((3, Some(vec![3]), 1)));
}

#[test]
fn a_liar_that_is_never_first_is_audited_and_named() {
    let mut ledger = ledger(1);
    let mut tab = following(&ledger, 2);
    for number in 2..=5 {
        ledger.add(tab.now_ms, state(number));
        // The honest one tells of the block, and so it is asked.
        tab.push(0, &ledger.finality(number.into(), 0).to_bytes());
        ask(&mut tab);
        assert_eq!(tab.asked[0].0, ServerId(0));
        tab.answer(|server, question| {
            let Question::State(key) = question else {
                return Some(honest(&ledger, number.into(), question));
            };
            let mut proof = ledger.state_proof(number.into(), key);
            if server == ServerId(1) && number > 2 {
                proof.record = Some(vec![99].into());
            }
            Some(proof.to_bytes())
        });
        tab.push(1, &ledger.finality(number.into(), 0).to_bytes());
        tab.wait(8_000);
    }
    assert_eq!(tab.faults(), [(1, Fault::FalseProof)]);
    assert!(
        tab.events.iter().all(|event| !matches!(event, Event::Proved(it) if it.from.0 == 1)),
        "what an audit brings is not told"
    );
}

#[test]
fn a_server_with_another_key_forges() {
    let (real, mut other) = (ledger(2), Ledger::new(9));
    (1..=9).for_each(|number| {
        other.add(START_MS, state(number));
    });
    let mut tab = following(&real, 1);
    tab.push(0, &other.finality(9, 0).to_bytes());
    assert_eq!(tab.faults(), [(0, Fault::Forged)]);
    assert_eq!(tab.height(), 2);
}

#[test]
fn rubbish_and_cut_headers_are_malformed() {
    let ledger = ledger(2);
    for bytes in [vec![], vec![0; 40], ledger.finality(2, 0).to_bytes()[..200].to_vec()] {
        let mut tab = following(&ledger, 1);
        tab.push(0, &bytes);
        assert_eq!(tab.faults(), [(0, Fault::Malformed)]);
    }
}

#[test]
fn a_server_that_goes_back_over_one_socket_is_named() {
    let ledger = ledger(5);
    let mut tab = following(&ledger, 1);
    tab.push(0, &ledger.finality(5, 0).to_bytes());
    tab.push(0, &ledger.finality(3, 0).to_bytes());
    assert_eq!(tab.faults(), [(0, Fault::Backwards)]);
}

#[test]
fn behind_one_name_there_may_be_several_validators_and_one_of_them_a_block_behind() {
    let ledger = ledger(5);
    let mut tab = following(&ledger, 1);
    tab.push(0, &ledger.finality(5, 0).to_bytes());
    tab.wait(16_000);
    assert_eq!(tab.asked.len(), 1, "the newest block is asked for");
    tab.answer(|_, question| Some(honest(&ledger, 4, question)));
    ask(&mut tab);
    tab.answer(|_, question| Some(honest(&ledger, 4, question)));
    assert_eq!((tab.faults(), tab.height()), (vec![], 5));
    assert_eq!(proved(&tab), Some((4, Some(vec![4]), 0)), "it says of which block it is");
}

#[test]
fn a_server_whose_answers_stay_behind_lags_until_they_do_not_and_nothing_old_is_told() {
    let mut ledger = ledger(1);
    let mut tab = following(&ledger, 2);
    for number in 2..=4_u8 {
        tab.wait(10_000);
        ledger.add(tab.now_ms, state(number));
        for server in 0..2 {
            tab.push(server, &ledger.finality(number.into(), 0).to_bytes());
        }
        ask(&mut tab);
        assert_eq!(tab.asked[0].0, ServerId(0));
        tab.answer(|server, question| {
            let height = if server == ServerId(0) { 1 } else { number.into() };
            Some(honest(&ledger, height, question))
        });
    }
    assert_eq!(tab.faults(), [(0, Fault::Lags)]);
    let told = |event: &Event| match event {
        Event::Proved(proved) => Some((proved.height, proved.from.0)),
        _ => None,
    };
    let told: Vec<_> = tab.events.iter().filter_map(told).collect();
    assert_eq!(told, [(1, 0), (3, 1), (4, 1)], "what is a block behind, but nothing older");
    tab.step(Input::Down(ServerId(1)));
    ask(&mut tab);
    tab.answer(|_, question| Some(honest(&ledger, 4, question)));
    assert!(tab.events.contains(&Event::Recovered(ServerId(0), Fault::Lags)));
}

#[test]
fn an_answer_that_a_pushed_header_overtook_is_no_fault() {
    let mut ledger = ledger(4);
    let mut tab = following(&ledger, 1);
    ask(&mut tab);
    ledger.add(START_MS, state(5));
    tab.push(0, &ledger.finality(5, 0).to_bytes());
    tab.answer(|_, question| Some(honest(&ledger, 4, question)));
    assert_eq!(proved(&tab), Some((4, Some(vec![4]), 0)));
    assert_eq!(tab.faults(), []);
}

#[test]
fn two_histories_under_one_key_are_a_fork_and_nothing_is_told_any_more() {
    let (mut one, mut two) = (ledger(3), ledger(3));
    one.add(START_MS, state(7));
    two.add(START_MS, state(8));
    let mut tab = following(&one, 2);
    tab.push(1, &two.finality(4, 0).to_bytes());
    assert_eq!(tab.faults(), [(1, Fault::Fork)]);
    assert_eq!(tab.client.status(), Status::Forked);
    ask(&mut tab);
    assert!(tab.events.contains(&Event::Unproved(QUERY, Unproved::Forked)));

    // Higher than what is known, and built on another block.
    two.add(START_MS, state(9));
    let mut tab = following(&one, 2);
    tab.push(1, &two.finality(5, 0).to_bytes());
    assert_eq!(tab.faults(), [(1, Fault::Fork)]);
}

#[test]
fn a_server_that_keeps_answers_back_is_named_until_it_answers() {
    let ledger = ledger(2);
    let mut tab = following(&ledger, 2);
    ask(&mut tab);
    assert_eq!(tab.asked.remove(0).0, ServerId(0));
    tab.wait(6_000);
    assert_eq!(tab.faults(), [(0, Fault::Withholds)]);
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    assert_eq!(proved(&tab).map(|(.., from)| from), Some(1));
    tab.wait(10_000);
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    assert!(tab.events.contains(&Event::Recovered(ServerId(0), Fault::Withholds)));
}

#[test]
fn a_server_that_stays_behind_is_named_until_it_is_not() {
    let mut ledger = ledger(2);
    let mut tab = following(&ledger, 2);
    ledger.add(START_MS, state(3));
    tab.push(0, &ledger.finality(3, 0).to_bytes());
    tab.wait(10_000);
    assert_eq!(tab.faults(), []);
    tab.wait(6_000);
    assert_eq!(tab.faults(), [(1, Fault::Lags)]);
    tab.push(1, &ledger.finality(3, 0).to_bytes());
    assert!(tab.events.contains(&Event::Recovered(ServerId(1), Fault::Lags)));
}

#[test]
fn without_servers_there_is_no_answer_and_with_the_first_there_is() {
    let ledger = ledger(1);
    let mut tab = Tab::new(&ledger, 0);
    ask(&mut tab);
    assert_eq!(tab.events, [Event::Unproved(QUERY, Unproved::NoServer)]);
    assert_eq!((tab.client.status(), tab.wake), (Status::Blind, None));
}

#[test]
fn what_a_stranger_can_make_it_hold_is_bounded() {
    let ledger = ledger(1);
    let mut tab = Tab::new(&ledger, 100);
    assert_eq!(tab.client.servers().count(), 32);
    for number in 0..100 {
        tab.step(Input::Prove { query: QueryId(number), key: b"held" });
    }
    let refused =
        tab.events.iter().filter(|one| matches!(one, Event::Unproved(_, Unproved::TooMany)));
    assert_eq!(refused.count(), 36);
    tab.push(0, &vec![0; 1 << 20]);
    assert_eq!(tab.faults(), [], "too long to be kept, or to be looked at");
}
