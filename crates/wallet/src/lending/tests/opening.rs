//! What is told of a market before it opens is what the block does, and what it became is found by its records.

use super::*;
use crate::lending::{
    Fault, Rules, ask_to_open, bend, choices, curve, curve_of, faults, market_opened, opened,
    opening, with_choices,
};
use crate::view::{Act, Command};

const BAD_RESERVE: u16 = 0x0502;
const NOT_CREATOR: u16 = 0x0504;

/// As a page asks while somebody fills the form in.
fn book(world: &World, chosen: Option<u32>) -> Book {
    let (mut book, mut keys) = (Book::default(), Vec::new());
    loop {
        let next = with_choices(&book, wanted(&book, &me().to_string(), chosen, &[]));
        if next == keys {
            return book;
        }
        book = Book::new(&world.records(&next));
        keys = next;
    }
}

fn pair() -> Vec<Rules> {
    vec![rules_of(AssetId::NATIVE, 2), rules_of(AssetId(1), 1)]
}

#[test]
fn assets_and_feeds_are_offered_by_their_records_with_what_they_are_taken_for() {
    let mut world = World::new(me());
    for _ in 0..LISTED_MAX {
        let create = oracle::Action::Create { reporters: reporters(), age_max_s: 120 };
        world.act(person(1), Action::Oracle(create)).unwrap();
    }
    let none = Book::default();
    assert_eq!(choices(&scene(&world, &none)), None, "how many there are is not proved");
    let book = book(&world, None);
    let offered = choices(&scene(&world, &book)).unwrap();
    let symbols: Vec<&str> = offered.assets.iter().map(|one| one.symbol.as_str()).collect();
    assert_eq!(symbols, ["", "USDX"]);
    // The newest, and those that the market of before takes.
    let feeds: Vec<u32> = offered.feeds.iter().map(|feed| feed.id).collect();
    assert_eq!(feeds, [14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 1, 2]);
    assert_eq!(
        (offered.feed_of(0), offered.feed_of(1), offered.feed_of(2)),
        (Some(2), Some(1), None)
    );
    let prices = offered.feeds.iter().map(|feed| (feed.price.state, feed.price.price));
    let prices: Vec<_> = prices.skip(11).collect();
    assert_eq!(prices[0], (PriceState::Stale, 0));
    assert_eq!(prices[1..], [(PriceState::Fresh, DOLLAR), (PriceState::Fresh, 2 * DOLLAR)]);
}

#[test]
fn what_opening_is_told_to_do_is_what_the_block_does_and_its_market_is_found() {
    let mut world = World::new(me());
    let before = book(&world, None);
    let told = opening(&scene(&world, &before), &pair()).unwrap();
    assert_eq!(told.refusal, None);
    assert!(told.fee > 0);
    assert_eq!(market_opened(&scene(&world, &before), &pair()), None);
    let Command::Act { action, units } = ask_to_open(&scene(&world, &before), &pair()) else {
        panic!("it asks for something else");
    };
    assert_eq!(units, 0);
    let act = Act { action, code: 0, amount: None, seized: None, domain: None };
    assert_eq!(opened(&act), Some(pair()));
    let asked = view::read::<rules::Action>(&act.action).unwrap();
    world.act(me(), Action::Lending(asked)).unwrap();
    world.wait_s(1);
    let after = book(&world, None);
    let (number, seen) = market_opened(&scene(&world, &after), &pair()).unwrap();
    assert_eq!((number, seen.from_height), (2, 2));
    assert_eq!(market(&after, number, world.now_ms).unwrap().creator, me());
    let other = vec![Rules { ltv_bps: 7_499, ..pair()[0].clone() }, pair()[1].clone()];
    assert_eq!(market_opened(&scene(&world, &after), &other), None, "rules are its own");
    let place = Place { market: number, reserve: 0 };
    assert_eq!(curve(&after, place), curve_of(&pair()[0]), "drawn before as after");
    let at = bend(&pair()[0]).unwrap();
    assert_eq!((at.used_ppm, at.borrow_ppm), (900_000, 50_000));
}

#[test]
fn what_the_ledger_would_refuse_is_known_before() {
    let world = World::new(me());
    let book = book(&world, None);
    let tried = |reserves: &[Rules]| opening(&scene(&world, &book), reserves);
    let missing = [Rules { feed: 3, ..rules_of(AssetId(1), 1) }];
    assert_eq!(tried(&missing), None, "that there is no such feed is not proved");
    let keys = [oracle::feed_key(3), rules::count_key(), ledger::params_key()];
    let keys = keys
        .into_iter()
        .chain([accounts::balance_key(me(), AssetId::NATIVE), assets::asset_key(AssetId(1))]);
    let keys: Vec<Vec<u8>> = keys.map(|key| key.as_bytes().to_vec()).collect();
    let proved = Book::new(&world.records(&keys));
    let told = opening(&scene(&world, &proved), &missing).unwrap();
    assert_eq!(told.refusal, Some(BAD_RESERVE));
    let poor = Scene { account: person(9), ..scene(&world, &book) };
    assert_eq!(opening(&poor, &pair()), None, "what they hold is not proved");
    let steep = [Rules { ltv_bps: 8_001, ..rules_of(AssetId(1), 1) }];
    assert_eq!(faults(&steep), [(0, Fault::Ltv)]);
    assert_eq!(tried(&steep).unwrap().refusal, Some(BAD_RESERVE));
}

#[test]
fn who_opened_a_market_stops_it_and_its_treasury_collects_what_is_set_aside() {
    let mut world = indebted();
    world.wait_s(30 * 86_400);
    world.lend(person(1), USD, WHOLE);
    let book = world.book(person(1));
    let theirs = Scene { account: person(1), ..scene(&world, &book) };
    let told = preview(&theirs, USD, Wish::Collect).unwrap();
    let after = told.after.unwrap();
    assert!(told.before.reserve.kept > 0);
    assert_eq!(after.reserve.kept, 0);
    assert!(after.held.supplied > told.before.held.supplied);
    let stopped = preview(&theirs, USD, Wish::Stop(true)).unwrap();
    assert!(stopped.after.unwrap().reserve.is_frozen);
    let mine = world.book(me());
    let told = preview(&scene(&world, &mine), USD, Wish::Stop(true)).unwrap();
    assert_eq!(told.refusal, Some(NOT_CREATOR));
}
