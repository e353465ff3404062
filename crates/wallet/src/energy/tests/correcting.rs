//! Readings that are said again: what the ledger takes, what it changes, and that nothing is said twice.

use super::*;
use crate::{
    energy::{corrections, is_short, on_way, revisions, waiting_keys},
    view::{Act, Fate, Sent},
};

/// What my meter says when it signs.
fn signed(said: &Reading) -> Reading {
    let place = ((STREET, 0), (said.slot, said.revision));
    Reading::sign(&key(60), chain(), place.0, place.1, said.content)
}

fn said(slot: u64, import_wh: u64) -> Said {
    Said { slot, import_wh, export_wh: 0 }
}

fn held(street: &Street) -> u128 {
    rules::member(&street.store, STREET, person(1)).unwrap().held
}

/// A transaction with these readings, as a wallet remembers it.
fn sent(readings: &[Reading], fate: Fate, counted: Option<u64>) -> Sent {
    let action = view::to_bytes(&rules::Action::Read { readings: readings.to_vec() });
    let domain = Some(ledger::Prefix::Energy.byte());
    Sent {
        id: String::new(),
        to: String::new(),
        units: 0,
        fee: 1,
        signed_ms: 0,
        fate,
        height: 0,
        took_ms: 0,
        act: Some(Act { action, code: 0, amount: None, seized: None, domain }),
        pool: None,
        by_balance: None,
        note: None,
        counted,
    }
}

#[test]
fn a_correction_is_what_the_ledger_takes_with_what_it_changes() {
    let mut street = Street::new(2, RULES);
    street.wait(4);
    street.read(START + 1, &[(0, 500, 0), (1, 0, 300)]);
    street.read(START + 2, &[(0, 400, 0)]);
    street.read(START + 3, &[(0, 100, 0)]);
    let named = Named { span: Some(SPAN), slot: Some(START + 1), trade: None };
    let book = street.look(named).0;
    let file =
        [said(START + 1, 350), said(START + 2, 450), said(START + 3, 150), said(START + 4, 9)];
    let told = corrections(&scene(&street, &book), STREET, 0, &file, &Spoken::default()).unwrap();
    let changes: Vec<(u64, u64, u64, u8)> = told
        .changes
        .iter()
        .map(|one| (one.was.import_wh, one.now().import_wh, one.now().slot, one.reading.revision))
        .collect();
    assert_eq!(changes, [(500, 350, START + 1, 1), (100, 150, START + 3, 1)]);
    assert_eq!(told.stays.counted_on, 1, "what came later was counted from it");
    // 300 Wh of the neighbour's at 21.5 cents and 200 of the grid's at 30, then 50; 100, then 150 of the grid's.
    assert_eq!((told.money.slots, told.money.unproved), (2, 0));
    assert_eq!((told.money.was.net, told.money.would.net), (124_500 + 30_000, 79_500 + 45_000));
    let before = held(&street);
    let readings = told.changes.iter().map(|one| signed(&one.reading)).collect();
    street.done(1, rules::Action::Read { readings });
    assert_eq!(before + told.cover.1 - told.cover.0, held(&street));
    let known = rules::meter(&street.store, STREET, 0).unwrap().last.unwrap();
    assert_eq!((known.slot, known.import_wh), (START + 3, 1_050));
    // As the page said, the one between can't be more.
    let content = Content {
        import_wh: 450,
        export_wh: 0,
        import_total_wh: 950,
        export_total_wh: 0,
        commitment: Hash::new([0; 32]),
    };
    let (slot, signature) = (START + 2, [0; 64]);
    let more = Reading { community: STREET, meter: 0, slot, revision: 1, content, signature };
    assert_eq!(street.act(1, rules::Action::Read { readings: vec![signed(&more)] }), Err(0x071b));
    let book = street.look(named).0;
    assert_eq!(revisions(&book, STREET, START + 1), [(0, 1)]);
    let day = day(&scene(&street, &book), SPAN).unwrap();
    let revised: Vec<usize> = day.slots.iter().map(|shown| shown.revised).collect();
    assert_eq!(revised, [0, 1, 0, 1, 0]);
    // It is settled as it was corrected.
    street.wait(u64::from(WINDOW) + 1);
    street.settle(START + 1);
    let due = rules::record(&street.store, STREET, START + 1, 0).unwrap().due.unwrap();
    assert_eq!(due.paid, 79_500);
}

#[test]
fn what_stays_is_said_by_why() {
    let mut street = Street::new(1, RULES);
    street.wait(2);
    street.read(START + 1, &[(0, 100, 0)]);
    street.wait(2);
    street.read(START + 3, &[(0, 100, 0)]);
    street.wait(2);
    street.read(START + 4, &[(0, 100, 0)]);
    street.read(START + 5, &[(0, 100, 0)]);
    let amount = rules::member(&street.store, STREET, person(1)).unwrap().free - 100_000;
    let withdraw =
        rules::Action::Withdraw { community: STREET, purse: Purse::Member, to: person(1), amount };
    street.done(1, withdraw);
    let book = street.seen();
    let file = [
        said(START + 1, 50),
        said(START + 2, 5),
        said(START + 3, 100),
        said(START + 4, 900_000),
        said(START + 5, 4_000),
    ];
    let told = corrections(&scene(&street, &book), STREET, 0, &file, &Spoken::default()).unwrap();
    let stays = told.stays;
    assert_eq!((stays.over, stays.left_out, stays.same), (1, 1, 1));
    assert_eq!((stays.too_much, stays.not_covered, told.changes.len()), (1, 1, 0));
    // 3,900 Wh more at 30 cents, of which 10 cents are there.
    assert_eq!(told.missing, 1_170_000 - 100_000);
    // Of another day nothing is known here.
    let empty = Span { community: STREET, from: START + 90, to: START + 96 };
    let book = street.look(Named { span: Some(empty), slot: None, trade: None }).0;
    let told = corrections(&scene(&street, &book), STREET, 0, &file, &Spoken::default()).unwrap();
    assert_eq!((told.stays.over, told.stays.unproved), (1, 4));
}

#[test]
fn a_word_that_no_block_took_is_not_contradicted_but_said_again_under_another_number() {
    let mut street = Street::new(1, RULES);
    street.wait(3);
    let book = street.seen();
    let first = [said(START + 1, 100), said(START + 2, 200)];
    let none = Spoken::default();
    let before = plan(&scene(&street, &book), STREET, 0, &first, &none).unwrap().readings;
    let lost = Spoken::of(&[sent(&before, Fate::Expired, None)], STREET, 0);
    // The first slot is not in the new file, so that the counters of the other are not the same either.
    let again = plan(&scene(&street, &book), STREET, 0, &first[1..], &lost).unwrap().readings;
    assert_eq!(again.iter().map(|one| one.revision).collect::<Vec<_>>(), [1]);
    let accuse = |first: &Reading, second: &Reading| rules::Action::Accuse {
        first: Box::new(signed(first)),
        second: Box::new(signed(second)),
    };
    assert_eq!(street.act(50, accuse(&before[1], &again[0])), Err(0x0707), "no evidence");
    let careless = plan(&scene(&street, &book), STREET, 0, &first[1..], &none).unwrap().readings;
    assert!(rules::contradict(&before[1], &careless[0]), "it would be");
    street.done(1, rules::Action::Read { readings: again.iter().map(signed).collect() });
    // Of a correction that was refused, too: the next one is another.
    let book = street.seen();
    let fix = |import_wh, spoken: &Spoken| {
        let file = [said(START + 2, import_wh)];
        let told = corrections(&scene(&street, &book), STREET, 0, &file, spoken).unwrap();
        told.changes[0].reading.clone()
    };
    let refused = fix(150, &lost);
    let spoken = Spoken::of(&[sent(&[refused], Fate::Refused, Some(7))], STREET, 0);
    assert_eq!((fix(150, &lost).revision, fix(160, &spoken).revision), (2, 3));
    assert_eq!(Spoken::of(&[sent(&before, Fate::Done, Some(7))], STREET, 1), none);
    let most = Reading { revision: u8::MAX, ..before[0].clone() };
    let spoken = Spoken::of(&[sent(&[most], Fate::Expired, None)], STREET, 0);
    assert_eq!(spoken.next(START + 1, None), None);
}

#[test]
fn what_was_signed_waits_until_it_is_proved_or_expired() {
    let mut street = Street::new(2, RULES);
    street.wait(3);
    let reading = street.say(START + 1, (0, 100, 0));
    let book = street.seen();
    // What is proved here is of block 7.
    for (fate, counted, waits) in [
        (Fate::Sending, None, true),
        (Fate::Waiting, None, true),
        (Fate::Final, Some(8), true),
        (Fate::Refused, Some(8), true),
        (Fate::Final, Some(7), false),
        (Fate::Done, Some(6), false),
        (Fate::Expired, None, false),
    ] {
        let all = [sent(std::slice::from_ref(&reading), fate, counted)];
        assert_eq!(on_way(&book, &all, STREET, 0, &[]), waits, "{fate:?} {counted:?}");
        assert!(!on_way(&book, &all, STREET, 1, &[]), "another meter");
    }
    let all = [sent(&[reading], Fate::Done, Some(7))];
    assert!(on_way(&book, &all, STREET, 0, &[START + 1]), "the slot is not proved");
    assert!(on_way(&Book::default(), &[], STREET, 0, &[]), "nothing is");
}

#[test]
fn who_looks_through_all_is_told_what_waits() {
    let mut street = Street::new(3, RULES);
    street.wait(3);
    street.read(START + 1, &[(0, 10, 0), (1, 10, 0), (2, 0, 10)]);
    street.read(START + 2, &[(1, 10, 0)]);
    let book = street.seen();
    let (wanted, is_all) = waiting_keys(&book, SPAN, street.now_ms, &[]);
    let of = |slot, meter| rules::record_key(STREET, slot, meter).as_bytes().to_vec();
    let all = [of(START + 2, 1), of(START + 1, 0), of(START + 1, 1), of(START + 1, 2)];
    assert_eq!((&wanted[..], is_all), (&all[..], true));
    // What is to be corrected comes before what is newer.
    let (first, _) = waiting_keys(&book, SPAN, street.now_ms, &[START + 1]);
    assert_eq!((&first[..3], &first[3..]), (&all[1..], &all[..1]));
    street.wait(u64::from(WINDOW));
    street.settle(START + 2);
    let (wanted, _) = waiting_keys(&street.seen(), SPAN, street.now_ms, &[]);
    assert_eq!(wanted, all[1..], "what is settled is asked for by itself");
}

#[test]
fn what_is_more_than_is_asked_for_at_a_time_is_told() {
    let mut street = Street::new(10, RULES);
    let all: Vec<(u32, u64, u64)> = (0..10).map(|meter| (meter, 10, 0)).collect();
    street.wait(2);
    for slot in START + 1..=START + 20 {
        street.read(slot, &all);
        street.wait(1);
    }
    let book = Book::with_kept(&street.proved(&all_keys(&street)), &Book::default());
    let (keys, is_all) = waiting_keys(&book, SPAN, street.now_ms, &[START + 1]);
    assert_eq!((keys.len(), is_all), (192, false));
    let of = rules::record_key(STREET, START + 1, 0).as_bytes().to_vec();
    assert_eq!(keys.first(), Some(&of));
    let many = |count: u32| (0..count).map(|one| one.to_be_bytes().to_vec()).collect::<Vec<_>>();
    assert!(is_short(&many(512)) && !is_short(&many(511)));
    assert!(!is_short(&[many(300), many(300)].concat()), "each is watched once");
}
