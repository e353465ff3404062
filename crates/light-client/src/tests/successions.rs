//! Validators are replaced by others: by whom is proved, and nobody else is believed.

use proptest::prelude::*;
use wire::ledger::{Finality, StateProof, Successions};

use super::*;
use crate::{Identity, QueryId, Status, Unproved, Verifier};

const QUERY: QueryId = QueryId(1);

fn records(amount: &u8) -> [(&'static [u8], &[u8]); 3] {
    [(b"held", core::slice::from_ref(amount)), (b"other", b"x"), (b"third", b"y")]
}

/// Blocks 1 to 3 of the root's validators, 4 to 5 of the second ones, 6 of the third.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new(1);
    ledger.add(START_MS, state(1));
    ledger.add(START_MS, state(2));
    ledger.succeed(START_MS, 2, &records(&3));
    ledger.add(START_MS, state(4));
    ledger.succeed(START_MS, 3, &records(&5));
    ledger.add(START_MS, state(6));
    ledger
}

/// The same up to its second block; nobody was named.
fn young() -> Ledger {
    let mut ledger = Ledger::new(1);
    ledger.add(START_MS, state(1));
    ledger.add(START_MS, state(2));
    ledger
}

fn verifier(ledger: &Ledger) -> Verifier {
    Verifier::new(&ledger.root()).unwrap()
}

fn followed(ledger: &Ledger) -> Verifier {
    let mut verifier = verifier(ledger);
    for proof in &ledger.successions(0).0 {
        verifier.succeed(proof).unwrap();
    }
    verifier
}

#[test]
fn from_the_old_root_the_newest_validators_are_found() {
    let ledger = ledger();
    let mut verifier = verifier(&ledger);
    assert!(!verifier.knows(&ledger.finality(6, 0)));
    assert_eq!(verifier.finality(&ledger.finality(6, 0)), Err(Fault::Forged), "nobody named them");
    let Successions(proofs) = ledger.successions(0);
    let heights: Vec<u64> =
        proofs.iter().map(|proof| verifier.succeed(proof).unwrap().0.height).collect();
    assert_eq!((heights, verifier.epoch()), (vec![4, 6], 2));
    for height in 1..=6 {
        let headers = verifier.finality(&ledger.finality(height, 0)).unwrap();
        assert_eq!(headers[0].height, height, "those before are as true as they were");
    }
    let headers = verifier.finality(&ledger.finality(2, 4)).unwrap();
    assert_eq!(headers.len(), 5, "the newest cover what is before them");
    let kept = verifier.identities().to_vec();
    let again = Verifier::resume(&ledger.root(), &kept).unwrap();
    assert!(again.finality(&ledger.finality(6, 0)).is_ok());
}

#[test]
fn a_forged_succession_is_not_followed() {
    let ledger = ledger();
    let Successions(proofs) = ledger.successions(0);
    let mut verifier = verifier(&ledger);
    // Of another ledger: with its own key, and on a chain that looks the same.
    let mut other = Ledger::new(9);
    other.add(START_MS, state(1));
    other.add(START_MS, state(2));
    let foreign = other.succeed(START_MS, 2, &records(&3));
    assert_eq!(verifier.succeed(&foreign), Err(Fault::Forged));
    // The signature of another block.
    let mut moved = proofs[0].clone();
    moved.finality.certificate = ledger.finality(2, 0).certificate;
    assert_eq!(verifier.succeed(&moved), Err(Fault::BrokenChain));
    // Another key than the state's.
    let mut changed = proofs[0].clone();
    changed.record = Some(ledger.naming(8, 4).1.into());
    assert_eq!(verifier.succeed(&changed), Err(Fault::FalseProof));
    // A true proof that nothing is there, or of something else.
    let absent = ledger.state_proof(2, &crate::succession_key(1).unwrap());
    assert_eq!(verifier.succeed(&absent), Err(Fault::Malformed));
    assert_eq!(verifier.succeed(&ledger.state_proof(3, b"held")), Err(Fault::FalseProof));
    // Nobody but those who are replaced says by whom.
    assert_eq!(verifier.succeed(&proofs[1]), Err(Fault::BrokenChain), "one is left out");
    let late = ledger.state_proof(5, &crate::succession_key(2).unwrap());
    assert_eq!(verifier.succeed(&late), Err(Fault::BrokenChain));
    assert_eq!(verifier.epoch(), 0);
    verifier.succeed(&proofs[0]).unwrap();
    assert_eq!(verifier.succeed(&proofs[0]), Err(Fault::BrokenChain), "once only");
    assert_eq!(verifier.epoch(), 1);
}

#[test]
fn a_record_names_the_block_after_its_own() {
    for first in [1, 3, 5, u64::MAX] {
        let mut ledger = young();
        let (key, record) = ledger.naming(2, first);
        let state = State::of(&[(&key, &record), (b"held", b"x")], 1, 0);
        let last = ledger.add(START_MS, state);
        let mut verifier = verifier(&ledger);
        let refused = verifier.succeed(&ledger.state_proof(last, &key));
        assert_eq!(refused, Err(Fault::BrokenChain), "from {first} on, in block {last}");
    }
}

#[test]
fn a_key_that_was_used_before_takes_over_from_nobody() {
    let mut ledger = young();
    ledger.succeed(START_MS, 2, &records(&3));
    ledger.add(START_MS, state(4));
    ledger.succeed(START_MS, 1, &records(&5));
    let Successions(proofs) = ledger.successions(0);
    let mut verifier = verifier(&ledger);
    verifier.succeed(&proofs[0]).unwrap();
    assert_eq!(verifier.succeed(&proofs[1]), Err(Fault::BrokenChain));
}

/// Blocks 1 to 3 of the root's validators, 4 to 5 of others under the same key, 6 of some under a fresh one.
fn reshared() -> Ledger {
    let mut ledger = young();
    ledger.succeed(START_MS, 1, &records(&3));
    ledger.add(START_MS, state(4));
    ledger.succeed(START_MS, 2, &records(&5));
    ledger.add(START_MS, state(6));
    ledger
}

#[test]
fn a_key_that_is_dealt_anew_holds_epoch_by_epoch() {
    let mut ledger = reshared();
    let verifier = followed(&ledger);
    let heights: Vec<u64> = verifier.identities().iter().map(|one| one.height).collect();
    assert_eq!(heights, [0, 4, 6]);
    assert_eq!(verifier.identities()[0].group_key, verifier.identities()[1].group_key);
    assert!(Verifier::resume(&ledger.root(), verifier.identities()).is_ok());
    for height in 1..=6 {
        assert!(verifier.finality(&ledger.finality(height, 0)).is_ok(), "{height}");
    }
    // An epoch's certificates are of its own heights, whoever else has the key.
    let mut old = young();
    (3..=6).for_each(|number| {
        old.add(START_MS, state(number));
    });
    for height in 4..=6 {
        assert_eq!(verifier.finality(&old.finality(height, 0)), Err(Fault::Replaced), "{height}");
    }
    let mut early = Ledger::new(1);
    early.succeed(START_MS, 1, &records(&1));
    (2..=3).for_each(|number| {
        early.add(START_MS, state(number));
    });
    for height in 2..=3 {
        assert_eq!(verifier.finality(&early.finality(height, 0)), Err(Fault::Forged), "{height}");
    }
    // The epoch is signed.
    let shown = old.finality(4, 0);
    let mut certificate = shown.certificate.to_vec();
    certificate[0] = 1;
    let headers = shown.headers.iter().map(|header| header.to_vec()).collect();
    let moved = Finality::new(headers, certificate);
    assert_eq!(verifier.finality(&moved), Err(Fault::Forged));
    // The key of neither of them comes back after another one.
    let back = ledger.succeed(START_MS, 1, &records(&7));
    assert_eq!(verifier.clone().succeed(&back), Err(Fault::BrokenChain));
}

#[test]
fn a_tab_follows_a_key_that_is_dealt_anew_and_believes_its_old_epoch_no_more() {
    let mut ledger = young();
    let mut tab = Tab::new(&ledger, 2);
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    ledger.succeed(tab.now_ms, 1, &records(&3));
    let mut old = young();
    (3..=5).for_each(|number| {
        old.add(START_MS, state(number));
    });
    tab.push(0, &ledger.finality(3, 0).to_bytes());
    ledger.add(tab.now_ms, state(4));
    tab.push(0, &ledger.finality(4, 0).to_bytes());
    assert_eq!(tab.height(), 3, "nobody of its epoch was named");
    tab.answer(|_, question| Some(honest(&ledger, 4, question)));
    assert_eq!((tab.height(), succeeded(&tab), tab.faults()), (4, vec![4], vec![]));
    tab.push(1, &old.finality(5, 0).to_bytes());
    assert_eq!((tab.height(), tab.faults()), (4, vec![(1, Fault::Replaced)]));
    assert_eq!(tab.client.status(), Status::Fresh);
}

#[test]
fn nobody_signs_before_or_after_their_time() {
    let ledger = ledger();
    let verifier = followed(&ledger);
    // Those of the root go on as if nothing had been.
    let mut old = young();
    (3..=7).for_each(|number| {
        old.add(START_MS, state(number));
    });
    let made_up = old.finality(3, 0);
    assert!(verifier.finality(&made_up).is_ok(), "another block, but in their time");
    assert_eq!(verifier.newest(&made_up), Err(Fault::Lags), "which they may say at any time");
    assert_eq!(verifier.newest(&ledger.finality(2, 0)), Err(Fault::Lags));
    for (height, between) in [(3, 0), (2, 4), (1, 2), (6, 0)] {
        let shown = ledger.finality(height, between);
        assert_eq!(verifier.newest(&shown), verifier.finality(&shown), "{height}");
    }
    for height in 4..=7 {
        assert_eq!(verifier.finality(&old.finality(height, 0)), Err(Fault::Replaced), "{height}");
    }
    // The next ones begin too early.
    let mut early = Ledger::new(1);
    early.succeed(START_MS, 2, &records(&1));
    early.add(START_MS, state(2));
    early.add(START_MS, state(3));
    for height in 2..=3 {
        assert_eq!(verifier.finality(&early.finality(height, 0)), Err(Fault::Forged), "{height}");
    }
}

/// The same up to its second block; the third one is made up by whoever has the shares of the root's validators.
fn made_up() -> Ledger {
    let mut ledger = young();
    ledger.add(START_MS, state(99));
    ledger
}

/// A tab that followed at another visit.
fn resumed(ledger: &Ledger, servers: u32) -> Tab {
    let mut tab = Tab::new(ledger, 0);
    let kept = followed(ledger).identities().to_vec();
    tab.client = LightClient::resume(&ledger.root(), &kept).unwrap();
    (0..servers).for_each(|id| tab.step(Input::Up(ServerId(id))));
    tab
}

#[test]
fn who_was_replaced_makes_up_no_newest_block() {
    let (ledger, old) = (ledger(), made_up());
    let mut tab = resumed(&ledger, 1);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, question| Some(honest(&old, 3, question)));
    tab.push(0, &old.finality(3, 0).to_bytes());
    assert_eq!((tab.height(), tab.client.status()), (0, Status::Blind));
    assert_eq!((proved(&tab), tab.faults()), (None, vec![]));
    assert!(tab.events.contains(&Event::Unproved(QUERY, Unproved::NoServer)));
    // A block of their time that is true is no news either, but for their last one.
    tab.push(0, &ledger.finality(2, 0).to_bytes());
    assert_eq!(tab.height(), 0);
    tab.push(0, &ledger.finality(3, 0).to_bytes());
    assert_eq!((tab.height(), tab.client.status(), tab.faults()), (3, Status::Fresh, vec![]));
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, question| Some(honest(&ledger, 3, question)));
    assert_eq!(proved(&tab), Some((3, 0)), "a host of theirs goes on answering");
}

#[test]
fn who_was_replaced_makes_no_fork() {
    let (ledger, old) = (ledger(), made_up());
    let mut tab = Tab::new(&ledger, 2);
    tab.answer(|_, question| Some(honest(&ledger, 6, question)));
    tab.push(1, &old.finality(3, 0).to_bytes());
    assert_eq!((tab.height(), tab.client.status()), (6, Status::Fresh));
    assert_eq!(tab.faults(), []);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, question| Some(honest(&ledger, 6, question)));
    assert!(proved(&tab).is_some_and(|(height, _)| height == 6));
}

#[test]
fn a_last_block_that_is_known_is_handed_on_signed_only() {
    let ledger = ledger();
    let mut tab = resumed(&ledger, 2);
    let shown = ledger.finality(5, 0);
    let mut certificate = shown.certificate.to_vec();
    *certificate.last_mut().unwrap() ^= 1;
    let headers = shown.headers.iter().map(|header| header.to_vec()).collect();
    tab.push(0, &Finality::new(headers, certificate).to_bytes());
    assert_eq!((tab.height(), tab.faults()), (0, vec![(0, Fault::Forged)]));
    tab.push(1, &shown.to_bytes());
    let bytes = tab.client.head().map(|head| head.bytes.clone());
    assert_eq!((tab.height(), bytes), (5, Some(shown.to_bytes())));
}

fn succeeded(tab: &Tab) -> Vec<u64> {
    let height = |event: &Event| match event {
        Event::Succeeded(Identity { height, .. }) => Some(*height),
        _ => None,
    };
    tab.events.iter().filter_map(height).collect()
}

fn proved(tab: &Tab) -> Option<(u64, u32)> {
    tab.events.iter().find_map(|event| match event {
        Event::Proved(proved) => Some((proved.height, proved.from.0)),
        _ => None,
    })
}

#[test]
fn a_tab_that_was_away_follows_and_keeps_what_it_found() {
    let mut ledger = ledger();
    let mut tab = Tab::new(&ledger, 1);
    // Asked before anything is known: it waits for the successions.
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, question| Some(honest(&ledger, 6, question)));
    assert_eq!((tab.height(), succeeded(&tab)), (6, vec![4, 6]));
    assert_eq!(proved(&tab), Some((6, 0)));
    assert_eq!(tab.faults(), []);
    ledger.add(tab.now_ms, state(7));
    tab.push(0, &ledger.finality(7, 0).to_bytes());
    assert_eq!((tab.height(), tab.client.status()), (7, Status::Fresh));

    // At the next visit nobody need be asked, and those before are believed no more.
    let kept = tab.client.identities().to_vec();
    let mut tab = Tab::new(&ledger, 0);
    tab.client = LightClient::resume(&ledger.root(), &kept).unwrap();
    tab.step(Input::Up(ServerId(0)));
    tab.step(Input::Up(ServerId(1)));
    let mut old = young();
    (3..=9).for_each(|number| {
        old.add(START_MS, state(number));
    });
    tab.answer(|server, question| match server.0 {
        0 => Some(honest(&ledger, 7, question)),
        _ => Some(old.finality(9, 0).to_bytes()),
    });
    assert_eq!((tab.height(), succeeded(&tab)), (7, vec![]));
    assert_eq!(tab.faults(), [(1, Fault::Replaced)]);
}

#[test]
fn validators_may_change_while_a_tab_is_open() {
    let mut ledger = young();
    let mut tab = Tab::new(&ledger, 1);
    tab.answer(|_, question| Some(honest(&ledger, 2, question)));
    ledger.succeed(tab.now_ms, 2, &records(&3));
    tab.push(0, &ledger.finality(3, 0).to_bytes());
    ledger.add(tab.now_ms, state(4));
    tab.push(0, &ledger.finality(4, 0).to_bytes());
    assert_eq!((tab.height(), tab.client.status()), (3, Status::Fresh));
    tab.answer(|_, question| Some(honest(&ledger, 4, question)));
    assert_eq!((tab.height(), succeeded(&tab)), (4, vec![4]));
    assert_eq!(tab.faults(), []);
}

#[test]
fn what_the_old_validators_signed_after_their_time_is_dropped() {
    let ledger = ledger();
    let mut old = young();
    (3..=9).for_each(|number| {
        old.add(START_MS, state(number));
    });
    // The block at which they part is another one: two histories under one key.
    let mut tab = Tab::new(&ledger, 2);
    tab.answer(|server, question| match (server.0, question) {
        (0, Question::Latest) => Some(old.finality(9, 0).to_bytes()),
        (_, question) => Some(honest(&ledger, 6, question)),
    });
    assert_eq!((tab.height(), tab.faults()), (6, vec![(0, Fault::Replaced)]));

    let mut tab = Tab::new(&ledger, 2);
    tab.answer(|server, question| match (server.0, question) {
        (0, Question::Latest) => Some(old.finality(3, 0).to_bytes()),
        (_, question) => Some(honest(&ledger, 6, question)),
    });
    assert_eq!(tab.faults(), [(1, Fault::Fork)]);
    assert_eq!(tab.client.status(), Status::Forked);
}

#[test]
fn a_server_that_does_not_say_who_took_over_is_named_and_another_is_asked() {
    let ledger = ledger();
    let mut tab = Tab::new(&ledger, 2);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|server, question| match (server.0, question) {
        (0, Question::Successions(_)) => Some(Successions(vec![]).to_bytes()),
        (_, question) => Some(honest(&ledger, 6, question)),
    });
    assert_eq!((tab.height(), tab.faults()), (6, vec![(0, Fault::Withholds)]));
    assert!(proved(&tab).is_some_and(|(height, _)| height == 6));

    // Alone, it is of no use, and is not asked all the time.
    let mut tab = Tab::new(&ledger, 1);
    tab.step(Input::Prove { query: QUERY, key: b"held" });
    tab.answer(|_, question| match question {
        Question::Successions(_) => None,
        question => Some(honest(&ledger, 6, question)),
    });
    assert_eq!((tab.height(), tab.faults()), (0, vec![(0, Fault::Withholds)]));
    assert!(tab.events.contains(&Event::Unproved(QUERY, Unproved::NoServer)));
    for _ in 0..10 {
        tab.push(0, &ledger.finality(6, 0).to_bytes());
    }
    assert!(tab.asked.len() <= 1, "{:?}", tab.asked);
}

#[test]
fn a_server_that_forges_a_succession_is_not_asked_again() {
    let ledger = ledger();
    let mut other = Ledger::new(9);
    other.add(START_MS, state(1));
    other.succeed(START_MS, 2, &records(&2));
    let mut tab = Tab::new(&ledger, 2);
    tab.answer(|server, question| match (server.0, question) {
        (0, Question::Successions(after)) => Some(other.successions(*after).to_bytes()),
        (_, question) => Some(honest(&ledger, 6, question)),
    });
    assert_eq!((tab.height(), tab.faults()), (6, vec![(0, Fault::Forged)]));
}

#[test]
fn many_successions_come_page_by_page() {
    let mut ledger = Ledger::new(1);
    for number in 2..22 {
        ledger.succeed(START_MS, number, &records(&number));
    }
    let height = ledger.add(START_MS, state(1));
    let mut tab = Tab::new(&ledger, 1);
    tab.answer(|_, question| match question {
        Question::Successions(after) => {
            let mut page = ledger.successions(*after);
            page.0.truncate(wire::limits::LEDGER_SUCCESSIONS_MAX);
            Some(page.to_bytes())
        }
        question => Some(honest(&ledger, height, question)),
    });
    assert_eq!((tab.height(), succeeded(&tab).len()), (height, 20));
    assert_eq!(tab.faults(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// One bit more or less names nobody else.
    #[test]
    fn a_changed_succession_is_followed_by_nobody(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let ledger = ledger();
        let mut bytes = ledger.successions(0).0[0].to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let mut verifier = verifier(&ledger);
        if let Some(proof) = StateProof::read(&bytes)
            && let Ok((next, _)) = verifier.succeed(&proof)
        {
            prop_assert_eq!(next, followed(&ledger).identities()[1], "only what was named");
        }
    }
}
