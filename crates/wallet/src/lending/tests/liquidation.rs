//! What is told of a liquidation is what the block does, and a server's list only names what is to be proved.

use wire::ledger::Records;

use super::*;
use crate::lending::{
    Call, Hints, NEAR, Part, ask_to_liquidate, liquidated, liquidation, target, wanted_to_liquidate,
};
use crate::view::Command;

const NOT_BELOW: u16 = 0x0513;
const ITSELF: u16 = 0x0512;

fn keeper() -> AccountId {
    person(3)
}

/// Somebody owes 400 dollars for 300 of the ledger's own asset; a keeper holds dollars and fees.
fn with_keeper() -> World {
    let mut world = indebted();
    let issue = assets::Action::Issue { asset: AssetId(1), to: keeper(), amount: 500 * WHOLE };
    world.act(person(1), Action::Assets(issue)).unwrap();
    let fees = accounts::Action::Transfer { asset: AssetId::NATIVE, to: keeper(), amount: WHOLE };
    world.act(person(1), Action::Accounts(fees)).unwrap();
    world
}

fn book(world: &World, who: AccountId, borrowers: &[AccountId]) -> Book {
    let (mut book, mut keys) = (Book::default(), Vec::new());
    loop {
        let next = wanted_to_liquidate(&book, &who.to_string(), Some(MARKET), borrowers);
        if next == keys {
            return book;
        }
        book = Book::new(&world.records(&next));
        keys = next;
    }
}

fn scene_of<'a>(world: &World, book: &'a Book) -> Scene<'a> {
    Scene { book, account: keeper(), now_ms: world.now_ms }
}

/// The market's positions, as an honest server lists them.
fn listed(world: &World, market: u32, more: bool) -> Vec<u8> {
    let prefix = rules::positions_prefix(market);
    let mut records = Vec::new();
    ledger::Scan::scan(&world.store, prefix.as_bytes(), &mut |key, record| {
        records.push((key.as_bytes().to_vec().into(), record.to_vec().into()));
    });
    Records { height: 1, time_ms: world.now_ms, records, more }.to_bytes()
}

fn hints(world: &World) -> Hints {
    let mut hints = Hints::new(MARKET);
    assert!(hints.take(&listed(world, MARKET, false)));
    hints
}

#[test]
fn a_liquidation_does_in_the_block_what_was_told_before() {
    // Half at most just below 1, all far below it, and a debt that the collateral does not pay.
    for (price, halves, loses) in [(165, false, false), (130, false, true), (100, false, true)] {
        let mut world = with_keeper();
        world.report(2, DOLLAR * price / 100);
        world.wait_s(1);
        world.report(2, DOLLAR * price / 100);
        let seen = book(&world, keeper(), &[me()]);
        let scene = scene_of(&world, &seen);
        let found = target(&scene, MARKET, me()).unwrap();
        assert_eq!(found.pledged, [Part { place: STAR, amount: 300 * WHOLE }]);
        assert_eq!(found.owed[0].place, USD);
        let (mine, anybody) = (found.mine.unwrap(), found.anybody.unwrap());
        assert_eq!((mine.call.collateral, mine.call.debt), (STAR, USD));
        assert_eq!(
            (mine.repaid, mine.seized, mine.gain),
            (anybody.repaid, anybody.seized, anybody.gain)
        );
        assert_eq!(mine.repaid < found.owed[0].amount, halves || loses, "at {price}");

        let told = liquidation(&scene, mine.call).unwrap();
        let (bid, after) = told.after.unwrap();
        assert_eq!((bid.repaid, bid.seized, bid.fee), (mine.repaid, mine.seized, mine.fee));
        assert_eq!(!told.lost.is_empty(), loses, "at {price}");
        let Command::Act { action, units } = ask_to_liquidate(&scene, mine.call) else {
            panic!("it is an action")
        };
        assert_eq!(units, 0, "dollars are not the ledger's own");
        let act =
            view::Act { action: action.clone(), code: 0, amount: None, seized: None, domain: None };
        assert_eq!(liquidated(&act), Some(mine.call));
        let action: rules::Action = view::read(&action).unwrap();
        let held = accounts::balance(&world.store, keeper(), AssetId::NATIVE);
        world.act(keeper(), Action::Lending(action)).unwrap();
        let got = accounts::balance(&world.store, keeper(), AssetId::NATIVE) - held;
        assert_eq!(got, bid.seized);
        let then = book(&world, keeper(), &[me()]);
        let left = target(&scene_of(&world, &then), MARKET, me()).unwrap();
        assert_eq!(left.standing, after, "at {price}");
        let deficit = rules::reserve(&world.store, MARKET, 0).unwrap().deficit;
        assert_eq!(deficit, told.lost.first().map_or(0, |part| part.amount));
    }
}

#[test]
fn what_the_block_would_refuse_is_refused_before_by_the_same_number() {
    let mut world = with_keeper();
    let call = Call { borrower: me(), collateral: STAR, debt: USD, cover: 10 * WHOLE };
    let seen = book(&world, keeper(), &[me()]);
    let healthy = target(&scene_of(&world, &seen), MARKET, me()).unwrap();
    assert_eq!((healthy.mine, healthy.anybody), (None, None));
    let told = liquidation(&scene_of(&world, &seen), call).unwrap();
    assert_eq!((told.refusal, told.after), (Some(NOT_BELOW), None));
    assert_eq!(world.act(keeper(), Action::Lending(call.action())), Err(NOT_BELOW));

    world.report(2, DOLLAR * 165 / 100);
    let seen = book(&world, me(), &[me()]);
    let own = Scene { account: me(), ..scene_of(&world, &seen) };
    assert_eq!(liquidation(&own, call).unwrap().refusal, Some(ITSELF));
    assert_eq!(target(&own, MARKET, me()).unwrap().mine, None);

    world.wait_s(121);
    let seen = book(&world, keeper(), &[me()]);
    let stale = target(&scene_of(&world, &seen), MARKET, me()).unwrap();
    assert_eq!(stale.standing.factor, Factor::Unknown);
    assert_eq!(liquidation(&scene_of(&world, &seen), call).unwrap().refusal, Some(STALE_PRICE));
}

#[test]
fn nothing_is_told_of_a_position_that_is_not_proved() {
    let mut world = with_keeper();
    world.report(2, DOLLAR * 165 / 100);
    let seen = book(&world, keeper(), &[]);
    let call = Call { borrower: me(), collateral: STAR, debt: USD, cover: 10 * WHOLE };
    let scene = scene_of(&world, &seen);
    assert_eq!((target(&scene, MARKET, me()), liquidation(&scene, call)), (None, None));
    assert_eq!(hints(&world).ranked(&seen, world.now_ms).unwrap().accounts, [me()]);
}

#[test]
fn a_servers_list_names_who_owes_and_is_close_to_one() {
    let mut world = with_keeper();
    let seen = book(&world, keeper(), &[]);
    let ranked = hints(&world).ranked(&seen, world.now_ms).unwrap();
    assert_eq!(ranked.borrowers, 1, "whoever only lends is not named");
    assert_eq!((ranked.near, ranked.accounts.as_slice()), (1, [me()].as_slice()));
    const { assert!(NEAR > ONE + ONE / 5) };

    let repay = Wish::Repay(Some(100 * WHOLE)).action(USD, me());
    world.act(me(), Action::Lending(repay)).unwrap();
    let seen = book(&world, keeper(), &[]);
    assert_eq!(hints(&world).ranked(&seen, world.now_ms).unwrap().near, 0, "1.6 is far");

    world.wait_s(121);
    let seen = book(&world, keeper(), &[]);
    let ranked = hints(&world).ranked(&seen, world.now_ms).unwrap();
    assert_eq!((ranked.near, ranked.unpriced), (0, 1));
}

#[test]
fn a_list_of_something_else_or_without_an_end_is_no_list() {
    let mut world = with_keeper();
    open(&mut world, vec![rules_of(AssetId(1), 1)]);
    world.lend(person(1), Place { market: 2, reserve: 0 }, WHOLE);
    let mut hints = Hints::new(MARKET);
    let first = hints.next_path().unwrap();
    assert!(first.starts_with("/records/") && !first.contains('?'));
    assert!(!hints.take(&listed(&world, 2, false)), "of another market");
    assert!(!hints.take(b"nonsense"));
    let empty = Records { height: 1, time_ms: 1, records: Vec::new(), more: true };
    assert!(!hints.take(&empty.to_bytes()), "it would be asked for without an end");
    assert!(hints.take(&listed(&world, MARKET, true)));
    assert!(hints.next_path().unwrap().contains("?after="));
    assert!(!hints.take(&listed(&world, MARKET, true)), "what was listed before");
}
