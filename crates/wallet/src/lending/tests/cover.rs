//! What is told of covering a deficit is what the block does, and who may not is told so before.

use super::*;
use crate::lending::{ask, asked, blocked};
use crate::view::{Act, Command};

const LESS_SUPPLIED: u16 = 0x050a;
const HEALTH: u16 = 0x0510;
const NO_DEFICIT: u16 = 0x0517;

/// Lent 200 dollars.
fn supplier() -> AccountId {
    person(3)
}

/// Lent 10,000 dollars, and gets what is set aside.
fn treasury() -> AccountId {
    person(1)
}

/// A world in which what stood for 400 dollars fell and was taken: 114 of them are lost.
fn lost() -> World {
    let mut world = indebted();
    let issue = assets::Action::Issue { asset: AssetId(1), to: supplier(), amount: 200 * WHOLE };
    world.act(treasury(), Action::Assets(issue)).unwrap();
    let fees = accounts::Action::Transfer { asset: AssetId::NATIVE, to: supplier(), amount: WHOLE };
    world.act(treasury(), Action::Accounts(fees)).unwrap();
    world.lend(supplier(), USD, 200 * WHOLE);
    // A day's interest: a claim is worth no round number any more.
    world.wait_s(86_400);
    world.report(1, DOLLAR);
    world.report(2, DOLLAR);
    world.wait_s(1);
    world.report(2, DOLLAR);
    let call = rules::Action::Liquidate {
        market: MARKET,
        collateral: STAR.reserve,
        debt: USD.reserve,
        borrower: me(),
        cover: u128::MAX,
    };
    world.act(treasury(), Action::Lending(call)).unwrap();
    world
}

fn scene_of<'a>(world: &World, book: &'a Book, account: AccountId) -> Scene<'a> {
    Scene { account, ..scene(world, book) }
}

fn why_not(world: &World, who: AccountId) -> Option<u16> {
    blocked(&scene_of(world, &world.book(who), who), USD, Kind::Cover)
}

#[test]
fn a_cover_burns_in_the_block_what_was_told_before_and_gives_nothing() {
    for asked in [40 * WHOLE, 1, u128::MAX] {
        let mut world = lost();
        let seen = world.book(supplier());
        let told = preview(&scene_of(&world, &seen, supplier()), USD, Wish::Cover(asked)).unwrap();
        assert_eq!(told.refusal, None, "{asked}");
        let (before, after) = (&told.before, told.after.as_ref().unwrap());
        let amount = asked.min(before.reserve.deficit);
        assert_eq!(told.moved, amount);
        assert_eq!(after.reserve.deficit, before.reserve.deficit - amount);
        assert_eq!(after.held.wallet, before.held.wallet);
        // Claims are counted in more than units, and burned up.
        let given = before.held.supplied - after.held.supplied;
        assert!((amount..=amount + 2).contains(&given), "{given} for {amount}");
        world.wish(supplier(), USD, Wish::Cover(asked), told.fee).unwrap();
        let now = world.book(supplier());
        let then = preview(&scene_of(&world, &now, supplier()), USD, Wish::Pledge(true)).unwrap();
        assert_eq!(told.after, Some(then.before), "{asked}");
    }
}

#[test]
fn the_most_is_the_deficit_or_what_one_has_or_what_health_leaves() {
    let mut world = lost();
    let largest = |world: &World| {
        let seen = world.book(supplier());
        let scene = scene_of(world, &seen, supplier());
        let found = most(&scene, USD, Kind::Cover).unwrap();
        (found, preview(&scene, USD, Wish::Cover(found.amount)).unwrap())
    };
    let (all, told) = largest(&world);
    assert!(all.is_all);
    assert_eq!((all.amount, told.after.unwrap().reserve.deficit), (told.before.reserve.deficit, 0));

    // 200 at 80 % stand for 140: 183.75 must stay for health of 1.05.
    let borrow = Wish::Borrow(140 * WHOLE).action(USD, supplier());
    world.act(supplier(), Action::Lending(borrow)).unwrap();
    let (some, told) = largest(&world);
    assert!(!some.is_all && (16 * WHOLE..17 * WHOLE).contains(&some.amount), "{some:?}");
    assert!(told.after.unwrap().standing.factor >= Factor::Is(ONE + ONE / 20));
    let wish = Wish::Cover(50 * WHOLE);
    let seen = world.book(supplier());
    let told = preview(&scene_of(&world, &seen, supplier()), USD, wish).unwrap();
    assert_eq!(told.refusal, Some(HEALTH));
    assert_eq!(world.wish(supplier(), USD, wish, told.fee), Err(HEALTH));
    world.wait_s(121);
    assert_eq!(why_not(&world, supplier()), Some(STALE_PRICE));
    assert_eq!(why_not(&world, treasury()), None, "who owes nothing needs no price");

    let mut world = lost();
    let back = Wish::Withdraw(Some(190 * WHOLE)).action(USD, supplier());
    world.act(supplier(), Action::Lending(back)).unwrap();
    let (some, told) = largest(&world);
    assert!(!some.is_all);
    assert_eq!((some.amount, told.refusal), (told.before.held.supplied, None));
}

#[test]
fn only_claims_cover_and_only_a_deficit() {
    let mut world = lost();
    assert_eq!(why_not(&world, me()), Some(LESS_SUPPLIED), "units are no claims");
    let book = world.book(supplier());
    let wish = Wish::Cover(40 * WHOLE);
    let Command::Act { action, units } = ask(&scene_of(&world, &book, supplier()), USD, wish)
    else {
        panic!("it is an action")
    };
    assert_eq!(units, 0, "no units leave the account");
    let act = Act { action, code: 0, amount: None, seized: None, domain: None };
    assert_eq!(asked(&act), Some((USD, wish)));
    let all = Wish::Cover(u128::MAX).action(USD, treasury());
    world.act(treasury(), Action::Lending(all)).unwrap();
    assert_eq!(why_not(&world, supplier()), Some(NO_DEFICIT));
}

#[test]
fn what_is_set_aside_covers_once_the_treasury_collected_it() {
    let mut world = lost();
    let theirs = |wish: Wish| Action::Lending(wish.action(USD, treasury()));
    world.act(treasury(), theirs(Wish::Withdraw(None))).unwrap();
    assert_eq!(why_not(&world, treasury()), Some(LESS_SUPPLIED));
    world.act(treasury(), theirs(Wish::Collect)).unwrap();
    assert_eq!(why_not(&world, treasury()), None);
    world.act(treasury(), theirs(Wish::Cover(1_000))).unwrap();
}
