//! The page's side of assets, held against the ledger's own code.

use ledger::{AccountId, Action, AssetId, domains::assets};

use super::{
    Book, Holding, LOOKED_MAX, Scene, Wish, ask, asked, deciding, holdings, made_by, named,
    preview, remember, wanted,
};
use crate::{
    lending::tests::{WHOLE, World, person},
    view::{self, Act, Command, Fate, Received, Sent},
};

/// Refusals, as `docs/spec/ledger.md` numbers them.
const FROZEN: u16 = 0x0104;
const INSUFFICIENT: u16 = 0x0105;
const NOT_ISSUER: u16 = 0x0205;
const NOT_FREEZABLE: u16 = 0x0206;
const OVER_CAP: u16 = 0x0208;
/// The first asset of a [`World`]: `person(1)` issues it, and I have 500.
const USDX: u32 = 1;

fn me() -> AccountId {
    person(2)
}

fn name(account: AccountId) -> String {
    account.to_string()
}

fn act(world: &mut World, who: AccountId, wish: &Wish) -> Result<(), u16> {
    world.act(who, wish.action().unwrap())
}

fn create(world: &mut World, who: AccountId, symbol: &str, freezable: bool) {
    let (symbol, supply_max) = (symbol.to_owned(), Some(1_000 * WHOLE));
    act(world, who, &Wish::Create { symbol, decimals: 6, supply_max, freezable }).unwrap();
}

/// A page's book, asked until nothing more is wanted, and how many rounds that took.
fn book(world: &World, named: &[u32], more: &[Vec<u8>]) -> (Book, usize) {
    let (mut book, mut keys, mut rounds) = (Book::default(), Vec::new(), 0);
    loop {
        let next = wanted(&book, &name(me()), named, more);
        if next == keys {
            return (book, rounds);
        }
        book = remember(&world.records(&next), &book, &name(me()), named);
        (keys, rounds) = (next, rounds + 1);
    }
}

fn sent(wish: &Wish, fate: Fate) -> Sent {
    let (action, domain) = match wish.action().unwrap() {
        Action::Accounts(action) => (view::to_bytes(&action), 1),
        Action::Assets(action) => (view::to_bytes(&action), 2),
        _ => panic!("it is about an asset"),
    };
    let act = Act { action, code: 0, amount: None, seized: None, domain: Some(domain) };
    Sent {
        id: String::new(),
        to: name(me()),
        units: 0,
        fee: 1,
        signed_ms: 0,
        fate,
        height: 0,
        took_ms: 0,
        act: Some(act),
        pool: None,
        by_balance: None,
        counted: None,
    }
}

#[test]
fn what_is_held_and_what_is_not_are_proved_and_an_issuer_is_named() {
    let mut world = World::new(me());
    create(&mut world, me(), "MINE", true);
    create(&mut world, person(1), "OTHER", false);
    let (book, _) = book(&world, &[], &[]);
    let all = holdings(&book, &name(me()), &[]).unwrap();
    let [held] = &all.held[..] else { panic!("one is held: {all:?}") };
    assert_eq!((held.asset.symbol.as_str(), held.units), ("USDX", 500 * WHOLE));
    assert_eq!(held.asset.issuer, Some(name(person(1))));
    assert_eq!(held.supply, Some(40_500 * WHOLE));
    let [issued] = &all.issued[..] else { panic!("one is issued: {all:?}") };
    assert_eq!((issued.asset.id, issued.freezable, issued.closed), (2, true, false));
    assert_eq!((issued.supply, issued.supply_max), (Some(0), Some(1_000 * WHOLE)));
    assert_eq!((all.made, all.without, all.waiting, all.left_out), (3, 2, 0, 0));
    let symbols: Vec<String> =
        made_by(&book, &name(person(1)), &[]).into_iter().map(|one| one.symbol).collect();
    assert_eq!(symbols, ["OTHER", "USDX"]);
}

#[test]
fn nothing_is_said_before_the_count_is_proved_and_what_waits_is_counted() {
    let mut world = World::new(me());
    assert_eq!(holdings(&Book::default(), &name(me()), &[]), None);
    for number in 0..40 {
        create(&mut world, person(1), &format!("A{number}"), false);
    }
    let mut book = Book::default();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let next = wanted(&book, &name(me()), &[], &[]);
        book = remember(&world.records(&next), &book, &name(me()), &[]);
        let all = holdings(&book, &name(me()), &[]).unwrap();
        assert_eq!(all.without + all.waiting + u32::try_from(all.held.len()).unwrap(), 41);
        waiting.push(all.waiting);
    }
    assert_eq!(waiting, [41, 9, 0, 0], "some at a time, and none is forgotten");
}

#[test]
fn of_many_assets_old_ones_are_looked_at_where_something_names_them() {
    let mut world = World::new(me());
    for number in 0..LOOKED_MAX + 2 {
        create(&mut world, person(1), &format!("A{number}"), false);
    }
    let (found, _) = book(&world, &[], &[]);
    let all = holdings(&found, &name(me()), &[]).unwrap();
    assert_eq!((all.held.len(), all.without, all.left_out), (0, LOOKED_MAX, 3));
    let hinted = [USDX, 2];
    let (found, _) = book(&world, &hinted, &[]);
    let all = holdings(&found, &name(me()), &hinted).unwrap();
    assert_eq!((all.held.len(), all.without, all.left_out), (1, LOOKED_MAX + 1, 1));
    assert_eq!(all.held[0].asset.id, USDX);
}

#[test]
fn what_was_nothing_is_proved_anew_when_a_server_tells_that_some_came() {
    let mut world = World::new(me());
    for number in 0..40 {
        create(&mut world, person(1), &format!("A{number}"), false);
    }
    let (before, _) = book(&world, &[], &[]);
    // Asset 2 is not among those that are followed.
    let issue = Wish::Issue { asset: 2, to: name(me()), amount: 7 };
    act(&mut world, person(1), &issue).unwrap();
    let received = Received {
        id: String::new(),
        from: name(person(1)),
        units: 7,
        height: 1,
        asset: 2,
        issued: true,
    };
    let hinted = named(&[], &[received]);
    assert_eq!(hinted, [2]);
    let next = wanted(&before, &name(me()), &hinted, &[]);
    let after = remember(&world.records(&next), &before, &name(me()), &hinted);
    let units = |book: &Book| {
        let all = holdings(book, &name(me()), &hinted).unwrap();
        all.held.iter().map(|one: &Holding| (one.asset.id, one.units)).collect::<Vec<_>>()
    };
    assert_eq!(units(&before), [(USDX, 500 * WHOLE)]);
    assert_eq!(units(&after), [(2, 7), (USDX, 500 * WHOLE)]);
}

#[test]
fn a_preview_is_what_the_block_does() {
    let mut world = World::new(me());
    create(&mut world, me(), "MINE", true);
    create(&mut world, me(), "FREE", false);
    let to = || name(person(3));
    let list = [
        (Wish::Send { asset: USDX, to: to(), amount: 500 * WHOLE }, None),
        (Wish::Send { asset: USDX, to: to(), amount: 1 }, Some(INSUFFICIENT)),
        (Wish::Issue { asset: USDX, to: to(), amount: 1 }, Some(NOT_ISSUER)),
        (Wish::Issue { asset: 2, to: to(), amount: 1_001 * WHOLE }, Some(OVER_CAP)),
        (Wish::Issue { asset: 2, to: name(me()), amount: 1_000 * WHOLE }, None),
        (Wish::Burn { asset: 2, amount: 400 * WHOLE }, None),
        (Wish::Freeze { asset: 3, account: to(), frozen: true }, Some(NOT_FREEZABLE)),
        (Wish::Freeze { asset: 2, account: to(), frozen: true }, None),
        (Wish::Send { asset: 2, to: to(), amount: 1 }, Some(FROZEN)),
        (Wish::Freeze { asset: 2, account: to(), frozen: false }, None),
        (Wish::Send { asset: 2, to: to(), amount: 1 }, None),
        (Wish::Renounce { asset: 2 }, None),
    ];
    for (wish, refusal) in list {
        let (found, _) = book(&world, &[], &deciding(&name(me()), &wish));
        let scene = Scene { book: &found, account: me(), now_ms: world.now_ms };
        let told = preview(&scene, &[], &wish).unwrap();
        assert_eq!(told.refusal, refusal, "{wish:?}");
        assert!(told.fee > 0);
        assert_eq!(act(&mut world, me(), &wish).err(), refusal, "{wish:?}");
    }
}

#[test]
fn what_is_on_its_way_counts_and_what_is_unproved_is_not_judged() {
    let world = World::new(me());
    let wish = Wish::Send { asset: USDX, to: name(person(3)), amount: 300 * WHOLE };
    let (found, _) = book(&world, &[], &[]);
    let scene = Scene { book: &found, account: me(), now_ms: world.now_ms };
    assert_eq!(preview(&scene, &[], &wish), None, "whether theirs is frozen is not proved");
    let (found, _) = book(&world, &[], &deciding(&name(me()), &wish));
    let scene = Scene { book: &found, account: me(), now_ms: world.now_ms };
    let refusal = |sent: &[Sent]| preview(&scene, sent, &wish).unwrap().refusal;
    assert_eq!(refusal(&[]), None);
    assert_eq!(refusal(&[sent(&wish, Fate::Waiting)]), Some(INSUFFICIENT));
    assert_eq!(refusal(&[sent(&wish, Fate::Done)]), None, "it is in the proved balance");
}

#[test]
fn what_was_asked_is_read_back_and_names_its_asset() {
    let to = name(person(3));
    let list = [
        Wish::Send { asset: 4, to: to.clone(), amount: 9 },
        Wish::Create { symbol: "GOLD".to_owned(), decimals: 2, supply_max: None, freezable: true },
        Wish::Issue { asset: 5, to: to.clone(), amount: u128::MAX },
        Wish::Burn { asset: 4, amount: 1 },
        Wish::Freeze { asset: 6, account: to, frozen: false },
        Wish::Renounce { asset: 7 },
    ];
    let history: Vec<Sent> = list.iter().map(|wish| sent(wish, Fate::Done)).collect();
    for (wish, one) in list.iter().zip(&history) {
        assert_eq!(asked(one.act.as_ref().unwrap()).as_ref(), Some(wish));
    }
    assert_eq!(named(&history, &[]), [4, 5, 6, 7]);
    let elsewhere = Act { domain: None, ..history[0].act.clone().unwrap() };
    assert_eq!(asked(&elsewhere), None, "what was asked of a market is not ours");
    assert!(matches!(ask(&list[0]), Some(Command::Send { asset: 4, units: 9, .. })));
    let Some(Command::Asset(bytes)) = ask(&list[3]) else { panic!("it is an action") };
    let burn = assets::Action::Burn { asset: AssetId(4), amount: 1 };
    assert_eq!(view::read::<assets::Action>(&bytes), Some(burn));
    let nobody = Wish::Issue { asset: 5, to: "nobody".to_owned(), amount: 1 };
    assert_eq!((ask(&nobody), deciding(&name(me()), &nobody)), (None, vec![]));
}
