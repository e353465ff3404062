//! The page's side of assets, held against the ledger's own code.

use ledger::{AccountId, Action, AssetId, domains::assets};

use super::{
    Book, FIRST_MAX, Holding, KNOWN_MAX, Known, LOOKED_MAX, Scene, Wish, ask, asked, deciding,
    holdings, made_by, named, preview, remember, wanted,
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
        note: None,
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
        pool: None,
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

/// So many assets, made by somebody, of each of which I am given a unit.
fn dust(world: &mut World, count: u32) {
    for number in 0..count {
        create(world, person(1), &format!("D{number}"), false);
        let asset = world_count(world);
        let gift = Wish::Issue { asset, to: name(me()), amount: 1 };
        act(world, person(1), &gift).unwrap();
    }
}

fn world_count(world: &World) -> u32 {
    let mut book = Book::default();
    let keys = wanted(&book, &name(me()), &[], &[]);
    book = remember(&world.records(&keys), &book, &name(me()), &[]);
    holdings(&book, &name(me()), &[]).unwrap().made
}

fn ids(list: &[Holding]) -> Vec<u32> {
    list.iter().map(|one| one.asset.id).collect()
}

/// When something came.
const NOW_S: u64 = 1_790_000_000;
/// When it was had for long.
const LATER_S: u64 = NOW_S + 8 * 86_400;

#[test]
fn what_came_in_a_flood_is_not_had_for_long_at_once() {
    let mut world = World::new(me());
    dust(&mut world, 70);
    let mut known = Known::default();
    let (before, _) = book(&world, &[], &[]);
    assert!(known.notice((&before, &name(me())), 1..=71, NOW_S));
    let received = Received {
        id: String::new(),
        from: name(person(1)),
        units: 7,
        height: 1,
        asset: 500,
        issued: true,
        pool: None,
    };
    let told = [received];
    let first = known.names(0, (&[], &told), NOW_S);
    assert_eq!(first[..2], [1, 500], "what came first, and what a server tells of: by turns");
    let kept = Known::read(&known.to_text());
    assert_eq!(kept, known, "the day is kept");
    assert_eq!(kept.names(0, (&[], &told), LATER_S)[0], USDX);
    assert_eq!(kept.names(0, (&[], &told), LATER_S).last(), Some(&500));
    assert_eq!(Known::read("|5 6@20 7@x").to_text(), "|5 6@20");
}

#[test]
fn what_strangers_send_does_not_hide_what_was_there() {
    let mut world = World::new(me());
    create(&mut world, me(), "MINE", false);
    let mut known = Known::default();
    let (before, _) = book(&world, &[], &[]);
    assert!(known.notice((&before, &name(me())), 1..=2, NOW_S));
    assert!(!known.notice((&before, &name(me())), 1..=2, NOW_S), "it is known already");
    assert_eq!(known.names(0, (&[], &[]), LATER_S), [USDX]);

    dust(&mut world, 200);
    let names = known.names(0, (&[], &[]), LATER_S);
    let (after, _) = book(&world, &names, &[]);
    let all = holdings(&after, &name(me()), &names).unwrap();
    assert_eq!((all.held.len(), all.others.len()), (FIRST_MAX, 201 - FIRST_MAX));
    assert!(ids(&all.held).contains(&USDX) && ids(&all.issued) == [2], "{all:?}");
    assert!(!ids(&all.others).contains(&USDX));
    assert_eq!(all.all_held().count(), 201, "the rest is counted, and none is forgotten");
    // With the next block what matters is proved anew, and what came last is seen.
    let next = wanted(&after, &name(me()), &names, &[]);
    assert!(next.len() <= 3 + 3 * (FIRST_MAX + 1) + 16 + names.len(), "{}", next.len());
    // What I use myself comes before what I only have.
    let last = ids(&all.others)[0];
    let used = sent(&Wish::Burn { asset: last, amount: 1 }, Fate::Done);
    let names = known.names(0, (&[used], &[]), LATER_S);
    assert_eq!(names, [last, USDX]);
    assert!(ids(&holdings(&after, &name(me()), &names).unwrap().held).contains(&last));

    // It fills up, and what is there stays; what is held no more makes room.
    assert!(known.notice((&after, &name(me())), 1..=202, NOW_S));
    assert_eq!(known.names(0, (&[], &[]), LATER_S).len(), KNOWN_MAX);
    assert_eq!(known.names(0, (&[], &[]), LATER_S)[..2], [USDX, 3]);
    let burn = Wish::Burn { asset: USDX, amount: 500 * WHOLE };
    act(&mut world, me(), &burn).unwrap();
    let (burned, _) = book(&world, &known.names(0, (&[], &[]), LATER_S), &[]);
    assert!(known.notice((&burned, &name(me())), 1..=202, NOW_S));
    assert_eq!(known.names(0, (&[], &[]), LATER_S)[..2], [3, 4]);
}

#[test]
fn what_a_person_knows_is_looked_at_whatever_is_made_later() {
    let mut world = World::new(me());
    let (before, _) = book(&world, &[], &[]);
    let mut known = Known::default();
    known.notice((&before, &name(me())), [USDX], NOW_S);
    for number in 0..LOOKED_MAX + 1 {
        create(&mut world, person(1), &format!("A{number}"), false);
    }
    let names = Known::read(&known.to_text()).names(0, (&[], &[]), LATER_S);
    let (found, _) = book(&world, &names, &[]);
    assert_eq!(ids(&holdings(&found, &name(me()), &names).unwrap().held), [USDX]);
}

#[test]
fn what_a_person_marked_is_kept_as_a_text() {
    let mut known = Known::default();
    known.mark(7, true);
    known.mark(5, true);
    known.mark(7, true);
    assert_eq!(known.to_text(), "5 7|");
    assert_eq!(Known::read("5 7|"), known);
    assert!(known.is_marked(7));
    known.mark(7, false);
    assert!(!known.is_marked(7));
    assert_eq!(Known::read("5 5 x 9|1 1 2").to_text(), "5 9|1 2");
    for junk in ["", "junk", "|", "-1|99999999999"] {
        assert_eq!(Known::read(junk), Known::default(), "{junk}");
    }
    let received = |asset| Received {
        id: String::new(),
        from: name(person(1)),
        units: 7,
        height: 1,
        asset,
        issued: true,
        pool: None,
    };
    let used = sent(&Wish::Burn { asset: 4, amount: 1 }, Fate::Done);
    let known = Known::read("5|6 5");
    let names = known.names(9, (&[used], &[received(0), received(8), received(4)]), NOW_S);
    assert_eq!(names, [9, 5, 4, 6, 8]);
    let many = (0..200).map(|one: u32| one.to_string()).collect::<Vec<_>>().join(" ");
    let mut full = Known::read(&format!("{many}|"));
    assert!(!full.mark(500, true) && !full.is_marked(500));
    assert!(full.mark(7, false) && full.mark(500, true), "there is room again");
    assert!(full.mark(500, false) && full.mark(7, true));
    assert_eq!(
        full.names(0, (&[], &[]), LATER_S).len(),
        KNOWN_MAX - 1,
        "the ledger\u{2019}s own is no asset beside it"
    );
}
