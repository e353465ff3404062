//! What the wallet does for the page of markets: it proves what is watched, and signs what is asked.

use ledger::{Event, Scan as _, domains::lending as rules};
use light_client::testing::State;

use super::{Rig, account};
use crate::{
    Input,
    lending::{
        self, Book, Factor, Scene, Wish,
        tests::{STAR, USD, WHOLE, World},
    },
    view::{Command, Fate},
};

/// All records of a ledger, with proofs.
fn proved(world: &World) -> State {
    let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    world.store.scan(&[], &mut |key, record| {
        records.push((key.as_bytes().to_vec(), record.to_vec()));
    });
    let list: Vec<(&[u8], &[u8])> =
        records.iter().map(|(key, record)| (key.as_slice(), record.as_slice())).collect();
    State::of(&list, 2, 0)
}

/// Watches as a page does: until what is proved asks for nothing more.
fn watched(rig: &mut Rig) -> Book {
    let mut keys = Vec::new();
    loop {
        let book = Book::new(&rig.records.0);
        let next = lending::wanted(&book, &account().to_string(), Some(1), &[]);
        if next == keys {
            return book;
        }
        keys = next.clone();
        rig.command(lending::watch(next));
        rig.answer();
    }
}

fn scene<'a>(rig: &Rig, book: &'a Book) -> Scene<'a> {
    let now_ms = lending::ledger_ms(&rig.view.blocks[0], rig.now_ms);
    Scene::new(book, &rig.view.account, now_ms).unwrap()
}

/// A rig whose newest block has the market; its time is the market's.
fn rig_with(world: &mut World) -> Rig {
    let mut rig = Rig::new();
    rig.up();
    world.now_ms = rig.now_ms + 3_000;
    world.report(1, 100_000_000);
    world.report(2, 200_000_000);
    rig.block_of(proved(world));
    rig
}

#[test]
fn what_is_watched_is_proved_together_and_again_after_a_later_block() {
    let mut world = World::new(account());
    let mut rig = rig_with(&mut world);
    let book = watched(&mut rig);
    let shown = lending::market(&book, 1, rig.now_ms).unwrap();
    assert_eq!((shown.seen.from_height, shown.seen.to_height), (1, 1));
    let told = rig.records.1;
    world.lend(account(), STAR, 7 * WHOLE);
    rig.block_of(proved(&world));
    assert_eq!(rig.records.1, told + 1, "one round for one block");
    let book = Book::new(&rig.records.0);
    let mine = lending::position(&scene(&rig, &book), 1).unwrap();
    assert_eq!((mine.held[1].supplied, mine.seen.from_height), (7 * WHOLE, 2));
    rig.command(lending::watch(vec![]));
    rig.block_of(proved(&world));
    assert_eq!(rig.records.1, told + 1, "nobody watches any more");
}

#[test]
fn what_a_page_watches_before_a_server_is_there_is_asked_when_one_comes() {
    let (world, mut rig) = (World::new(account()), Rig::new());
    rig.now_ms += 3_000;
    rig.ledger.add(rig.now_ms, proved(&world));
    let first = lending::wanted(&Book::default(), &rig.wallet.account().to_string(), None, &[]);
    // A page opens, and the connection stands a moment later.
    rig.command(lending::watch(first));
    assert_eq!(rig.records.1, 0);
    rig.now_ms += 100;
    rig.up();
    assert_eq!(rig.records.1, 1, "without a rest");
}

#[test]
fn a_round_that_nobody_answers_is_tried_again() {
    let mut world = World::new(account());
    let mut rig = rig_with(&mut world);
    let first = lending::wanted(&Book::default(), &rig.view.account, None, &[]);
    rig.command(lending::watch(first));
    while !rig.asks.is_empty() {
        let (request, _, _) = rig.asks.remove(0);
        rig.step(Input::Answered(request, 503, "busy", &[]));
    }
    assert_eq!(rig.records.1, 0);
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    assert_eq!(rig.records.1, 1);
}

#[test]
fn what_is_asked_of_a_market_is_signed_followed_and_told_with_its_number() {
    let mut world = World::new(account());
    let mut rig = rig_with(&mut world);
    let book = watched(&mut rig);
    let command = lending::ask(&scene(&rig, &book), STAR, Wish::Supply(5 * WHOLE));
    assert!(matches!(command, Command::Act { units, .. } if units == 5 * WHOLE));
    rig.command(command);
    assert_eq!(rig.view.refused, "");
    rig.command(lending::ask(&scene(&rig, &book), USD, Wish::Borrow(900 * WHOLE)));
    let at_most = lending::fee(&scene(&rig, &book), USD, Wish::Borrow(900 * WHOLE)).unwrap();
    let [borrow, supply] = [rig.view.sent[0].clone(), rig.view.sent[1].clone()];
    assert!(borrow.fee > supply.fee && borrow.fee <= at_most);
    assert_eq!(rig.view.outgoing, 5 * WHOLE + borrow.fee + supply.fee);
    assert_eq!(lending::acted(&rig.view.sent), [1], "each market once");
    rig.answer();
    let event = Event { kind: 0x0502, accounts: vec![account()], numbers: vec![1, 1, 5 * WHOLE] };
    rig.receipt(&supply.id, 0, vec![event]);
    rig.receipt(&borrow.id, 0x0511, vec![]);
    // Both are counted: the account's number says so.
    let counted = ledger::domains::accounts::Account { nonce: 2, policy: None };
    let key = ledger::domains::accounts::account_key(account());
    let record = minicbor::to_vec(&counted).unwrap();
    world.store.commit([(key, Some(record))].into());
    rig.block_of(proved(&world));
    rig.now_ms += 3_000;
    rig.step(Input::Tick);
    rig.answer();
    let [borrow, supply] = [rig.view.sent[0].clone(), rig.view.sent[1].clone()];
    assert_eq!((supply.fate, borrow.fate), (Fate::Done, Fate::Refused));
    let (done, refused) = (supply.act.unwrap(), borrow.act.unwrap());
    assert_eq!((done.code, done.amount), (0, Some(5 * WHOLE)));
    assert_eq!((refused.code, refused.amount), (0x0511, None));
    assert_eq!(lending::asked(&done), Some((STAR, Wish::Supply(5 * WHOLE))));
}

#[test]
fn only_what_a_market_could_be_asked_is_signed() {
    let mut world = World::new(account());
    let mut rig = rig_with(&mut world);
    let nothing = rules::Action::Supply { market: 1, reserve: 0, amount: 0 };
    for bytes in [vec![0x80], minicbor::to_vec(nothing).unwrap()] {
        rig.command(Command::Act { action: bytes, units: 0 });
        assert_eq!(rig.view.refused, "action");
    }
    let book = watched(&mut rig);
    let much = lending::ask(&scene(&rig, &book), STAR, Wish::Supply(WHOLE));
    let Command::Act { action, .. } = much else { panic!("it is an action") };
    rig.command(Command::Act { action, units: 5_000 * WHOLE });
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("too-much", 0));
}

#[test]
fn health_is_known_to_somebody_who_owes_nothing() {
    let mut world = World::new(account());
    let mut rig = rig_with(&mut world);
    let book = watched(&mut rig);
    let mine = lending::position(&scene(&rig, &book), 1).unwrap();
    assert_eq!(mine.standing.factor, Factor::Endless);
}
