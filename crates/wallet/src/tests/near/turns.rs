//! Whom a wallet asks and tells next, and how soon again.

use super::*;

fn follows(rig: &Rig) -> NearMessage {
    let chain = rig.ledger.root().chain.as_bytes().to_owned().into();
    NearMessage::Follows(Follows { chain })
}

#[test]
fn a_server_that_shows_no_block_is_no_reason_to_ask_nobody() {
    let mut street = Street::new();
    let ledger = street.lone.ledger.clone();
    street.wait(1_000);
    street.lone.ledger = Ledger::new(1);
    street.lone.up();
    assert!(street.lone.view.servers[0].is_up);
    street.wait(ALONE_MS);
    assert_eq!(street.units(), Some((7_000_000, 2)));
    assert!(street.lone.view.by_neighbour);
    assert_eq!(street.lone.view.neighbours.len(), 1, "the server is not there yet");
    // It catches up.
    street.lone.ledger = ledger;
    let bytes = street.lone.ledger.finality(2, 0).to_bytes();
    (0..20).for_each(|server| street.lone.step(Input::Pushed(ServerId(server), &bytes)));
    assert_eq!(street.lone.view.neighbours, []);
}

#[test]
fn what_a_server_took_is_told_to_neighbours_in_turn_once_the_server_is_gone() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig.command(send(somebody(), 1_000));
    rig.answer();
    assert_eq!(rig.view.sent[0].fate, Fate::Waiting);
    rig.step(Input::Down(ServerId(0)));
    let message = follows(&rig);
    for number in 1..=4 {
        rig.command(told(Told::Up([number; 32].into())));
        rig.command(frame([number; 32], &message));
    }
    rig.carried.clear();
    let bytes = rig.saved.sent[0].bytes.clone();
    let submit = NearMessage::Submit(Submit { transaction: bytes.into() }).encode_to_vec();
    let mut all: Vec<[u8; 32]> = Vec::new();
    for _ in 0..8 {
        rig.now_ms += 1_000;
        rig.step(Input::Tick);
        let before = all.len();
        for carry in std::mem::take(&mut rig.carried) {
            if let Carry::Tell { to, frame } = carry
                && frame.as_slice() == submit.as_slice()
            {
                all.push(*to);
            }
        }
        assert!(all.len() - before <= 2, "two at a time");
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all, [[1; 32], [2; 32], [3; 32], [4; 32]]);
}

#[test]
fn who_is_behind_is_asked_again_after_a_rest() {
    let mut rig = Rig::new();
    rig.up();
    rig.block(6_000_000, 0);
    rig.command(Command::AddServer(OTHER.to_owned()));
    rig.up();
    // The one that shows the second block goes, the other is at the first.
    let early = rig.ledger.clone();
    rig.now_ms += 3_000;
    rig.ledger.add(rig.now_ms, state(7_000_000, 0));
    let bytes = rig.ledger.finality(2, 0).to_bytes();
    rig.step(Input::Pushed(ServerId(0), &bytes));
    rig.step(Input::Down(ServerId(0)));
    rig.ledger = early;
    let proved = |rig: &mut Rig| {
        let mut count = 0;
        while !rig.asks.is_empty() {
            let (request, url, body) = rig.asks.remove(0);
            // Of the one that is gone.
            if url.starts_with(ORIGIN) {
                continue;
            }
            count += usize::from(url.contains("/state/"));
            assert!(count < 20, "it is asked without a pause");
            let (status, bytes) = rig.told(&url, body.as_deref());
            rig.step(Input::Answered(request, status, "", &bytes));
        }
        count
    };
    assert_eq!(proved(&mut rig), 2);
    for _ in 0..3 {
        rig.now_ms += 500;
        rig.step(Input::Tick);
        assert_eq!(proved(&mut rig), 0);
        rig.now_ms += 500;
        rig.step(Input::Tick);
        assert_eq!(proved(&mut rig), 2);
    }
    assert_eq!(rig.view.balance.unwrap().height, 1);
}

#[test]
fn a_neighbour_that_says_anew_that_it_follows_is_asked_anew_as_far_as_its_budget_goes() {
    let mut street = Street::new();
    street.wait(ALONE_MS);
    let message = follows(&street.first);
    let newest = |message: &NearMessage| matches!(message, NearMessage::Ask(Ask { key: None, .. }));
    street.lone.command(frame(FIRST, &message));
    assert_eq!(said(&mut street.lone).iter().filter(|one| newest(one)).count(), 1);
    (0..40).for_each(|_| street.lone.command(frame(FIRST, &message)));
    assert_eq!(said(&mut street.lone).iter().filter(|one| newest(one)).count(), 3);
    street.block(8_000_000, 0);
    assert_eq!(street.units().map(|(units, _)| units), Some(8_000_000));
    // Of another ledger, it is asked no more.
    let other = NearMessage::Follows(Follows { chain: [9; 32].into() });
    street.lone.command(frame(FIRST, &other));
    assert_eq!(street.lone.view.neighbours, []);
}

#[test]
fn a_question_without_a_key_of_a_byte_reaches_no_server() {
    let mut street = Street::new();
    street.first.answer();
    street.first.carried.clear();
    let ask = NearMessage::Ask(Ask { request: 1, key: Some(vec![].into()) });
    street.first.command(frame(LONE, &ask));
    assert_eq!((street.first.asks.len(), said(&mut street.first)), (0, vec![]));
}
