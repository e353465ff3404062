//! A ledger with one market, acted on by the ledger's own code; the page's side is held against it.

mod cover;
mod liquidation;
mod opening;

use ledger::{
    AccountId, Action, AssetId, BlockContext, ChainId, Genesis, MemoryStore, Overlay, Params,
    Store,
    domains::{accounts, assets, lending as rules, oracle},
};
use primitives::{KeyPair, Seed};

use super::{
    Book, Factor, Kind, LISTED_MAX, NATIVE_DECIMALS, ONE, Place, PriceState, Scene, Wish,
    is_miscounted, listing, market, most, position, preview, wanted,
};
use crate::view;

/// Units of one whole: both assets have six decimals.
pub(crate) const WHOLE: u128 = 1_000_000;
/// A price of one, with 8 decimals.
pub(crate) const DOLLAR: u64 = 100_000_000;
const MARKET: u32 = 1;
pub(crate) const USD: Place = Place { market: MARKET, reserve: 0 };
/// The ledger's own asset.
pub(crate) const STAR: Place = Place { market: MARKET, reserve: 1 };
/// Refusals, as `docs/spec/ledger.md` numbers them.
const INSUFFICIENT: u16 = 0x0105;
const SUPPLY_CAP: u16 = 0x0508;
const TOO_LITTLE_COLLATERAL: u16 = 0x0511;
const STALE_PRICE: u16 = 0x0518;

/// The ledger: its state and the block that is being made.
pub(crate) struct World {
    pub(crate) store: MemoryStore,
    pub(crate) now_ms: u64,
    height: u64,
    reports: u64,
}

pub(crate) fn person(number: u64) -> AccountId {
    AccountId::of_key(KeyPair::from_seed(Seed::from_number(number)).id())
}

fn rules_of(asset: AssetId, feed: u32) -> rules::Config {
    rules::Config {
        asset,
        feed,
        decimals: 6,
        ltv_bps: 7_500,
        threshold_bps: 8_000,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: 50_000 * WHOLE,
        borrow_cap: 20_000 * WHOLE,
        borrowable: true,
        curve: rules::Curve {
            optimal_bps: 9_000,
            base_bps: 100,
            slope1_bps: 400,
            slope2_bps: 6_000,
        },
    }
}

impl World {
    /// A market of a dollar and the ledger's own asset, each at its price, with 10,000 dollars in it;
    /// `me` has 1,000 of the ledger's own and 500 dollars.
    pub(crate) fn new(me: AccountId) -> Self {
        let genesis = Genesis {
            name: "test".to_owned(),
            time_ms: 1_790_000_000_000,
            params: Params::default(),
            symbol: "STAR".to_owned(),
            decimals: 6,
            allocations: vec![(me, 1_000 * WHOLE), (person(1), 1_000 * WHOLE)],
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().unwrap());
        let mut world = Self { store, now_ms: genesis.time_ms, height: 1, reports: 0 };
        let issuer = person(1);
        let create = assets::Action::Create {
            symbol: "USDX".to_owned(),
            decimals: 6,
            supply_max: None,
            freezable: false,
        };
        world.act(issuer, Action::Assets(create)).unwrap();
        for (to, amount) in [(person(1), 40_000 * WHOLE), (me, 500 * WHOLE)] {
            let issue = assets::Action::Issue { asset: AssetId(1), to, amount };
            world.act(issuer, Action::Assets(issue)).unwrap();
        }
        for feed in [1, 2] {
            let create = oracle::Action::Create { reporters: reporters(), age_max_s: 120 };
            world.act(issuer, Action::Oracle(create)).unwrap();
            world.report(feed, if feed == 1 { DOLLAR } else { 2 * DOLLAR });
        }
        let reserves = vec![rules_of(AssetId(1), 1), rules_of(AssetId::NATIVE, 2)];
        let open = rules::Action::Open { treasury: issuer, reserves };
        world.act(issuer, Action::Lending(open)).unwrap();
        world.lend(issuer, USD, 10_000 * WHOLE);
        world
    }

    fn context(&self) -> BlockContext {
        let chain = ChainId::new([1; 32]);
        BlockContext { chain, height: self.height, time_ms: self.now_ms }
    }

    pub(crate) fn act(&mut self, who: AccountId, action: Action) -> Result<(), u16> {
        let mut state = Overlay::new(&self.store);
        let outcome = ledger::execute(&self.context(), who, &action, &mut state);
        let (changes, _) = state.into_parts();
        if outcome.is_ok() {
            self.store.commit(changes);
        }
        outcome
    }

    /// Pays the fee and acts, as a block does.
    fn wish(&mut self, who: AccountId, place: Place, wish: Wish, fee: u128) -> Result<(), u16> {
        let mut state = Overlay::new(&self.store);
        accounts::burn(&mut state, AssetId::NATIVE, who, fee).unwrap();
        let (changes, _) = state.into_parts();
        self.store.commit(changes);
        self.act(who, Action::Lending(wish.action(place, who)))
    }

    pub(crate) fn lend(&mut self, who: AccountId, place: Place, amount: u128) {
        let supply = Wish::Supply(amount).action(place, who);
        self.act(who, Action::Lending(supply)).unwrap();
    }

    /// All reporters say a price.
    pub(crate) fn report(&mut self, feed: u32, price: u64) {
        self.reports += 1;
        for reporter in reporters() {
            let seen_s = self.now_ms / 1_000;
            let report = oracle::Action::Report { feed, price, seen_s, number: self.reports };
            self.act(reporter, Action::Oracle(report)).unwrap();
        }
    }

    pub(crate) fn wait_s(&mut self, seconds: u64) {
        self.now_ms += seconds * 1_000;
        self.height += 1;
    }

    /// What a wallet would prove of these.
    pub(crate) fn records(&self, keys: &[Vec<u8>]) -> view::Records {
        let record = |key: &Vec<u8>| view::Record {
            key: key.clone().into(),
            record: self.store.get(&ledger::Key::from_bytes(key.clone())).map(Into::into),
            height: self.height,
            time_ms: self.now_ms,
        };
        view::Records { list: keys.iter().map(record).collect() }
    }

    /// Asks until nothing more is wanted.
    pub(crate) fn book(&self, who: AccountId) -> Book {
        self.book_of(who, Some(MARKET), &[])
    }

    fn book_of(&self, who: AccountId, chosen: Option<u32>, acted: &[u32]) -> Book {
        let (mut book, mut keys) = (Book::default(), Vec::new());
        loop {
            let next = wanted(&book, &who.to_string(), chosen, acted);
            if next == keys {
                return book;
            }
            book = Book::new(&self.records(&next));
            keys = next;
        }
    }
}

fn reporters() -> Vec<AccountId> {
    let mut reporters: Vec<AccountId> = (60..64).map(person).collect();
    reporters.sort();
    reporters
}

fn me() -> AccountId {
    person(2)
}

fn scene<'a>(world: &World, book: &'a Book) -> Scene<'a> {
    Scene { book, account: me(), now_ms: world.now_ms }
}

/// A world in which 300 of the ledger's own asset, worth 600, stand for 400 dollars.
fn indebted() -> World {
    let mut world = World::new(me());
    world.lend(me(), STAR, 300 * WHOLE);
    let borrow = Wish::Borrow(400 * WHOLE).action(USD, me());
    world.act(me(), Action::Lending(borrow)).unwrap();
    world
}

#[test]
fn a_page_learns_of_markets_from_a_count_and_of_what_they_need_from_each_record() {
    let world = World::new(me());
    let first = wanted(&Book::default(), &me().to_string(), None, &[]);
    let only_count = Book::new(&world.records(&first));
    let found = listing(&only_count).unwrap();
    assert_eq!((found.count, found.markets), (1, vec![1]));
    assert_eq!(market(&only_count, MARKET, world.now_ms), None, "nothing is shown half");
    let book = world.book(me());
    let shown = market(&book, MARKET, world.now_ms).unwrap();
    let symbols: Vec<&str> = shown.reserves.iter().map(|one| one.asset.symbol.as_str()).collect();
    assert_eq!(symbols, ["USDX", ""]);
    assert_eq!(shown.reserves[0].supplied, 10_000 * WHOLE);
    assert_eq!(shown.reserves[0].price.state, PriceState::Fresh);
    assert_eq!(shown.reserves[1].value(3 * WHOLE), Some(600_000_000));
}

#[test]
fn a_preview_is_what_the_block_does() {
    let list = [
        (USD, Wish::Supply(100 * WHOLE)),
        (USD, Wish::Borrow(10 * WHOLE)),
        (USD, Wish::Repay(Some(50 * WHOLE))),
        (USD, Wish::Repay(None)),
        (STAR, Wish::Supply(5 * WHOLE)),
        (STAR, Wish::Withdraw(Some(30 * WHOLE))),
        (STAR, Wish::Pledge(true)),
    ];
    for (place, wish) in list {
        let mut world = indebted();
        world.wait_s(50);
        let book = world.book(me());
        let told = preview(&scene(&world, &book), place, wish).unwrap();
        assert_eq!(told.refusal, None, "{wish:?}");
        world.wish(me(), place, wish, told.fee).unwrap();
        let now = world.book(me());
        let then = preview(&scene(&world, &now), place, Wish::Pledge(true)).unwrap().before;
        assert_eq!(told.after, Some(then), "{wish:?}");
    }
}

#[test]
fn a_preview_names_the_refusal_that_the_block_would_give() {
    for (place, wish, number) in [
        (USD, Wish::Borrow(60 * WHOLE), TOO_LITTLE_COLLATERAL),
        (USD, Wish::Supply(600_000 * WHOLE), SUPPLY_CAP),
        (USD, Wish::Supply(1_000 * WHOLE), INSUFFICIENT),
    ] {
        let mut world = indebted();
        let book = world.book(me());
        let told = preview(&scene(&world, &book), place, wish).unwrap();
        assert_eq!((told.refusal, told.after), (Some(number), None), "{wish:?}");
        assert_eq!(world.wish(me(), place, wish, told.fee), Err(number), "{wish:?}");
    }
}

#[test]
fn health_is_exact_and_below_one_at_the_price_that_is_named() {
    let mut world = indebted();
    let book = world.book(me());
    let shown = position(&scene(&world, &book), MARKET).unwrap();
    // 600 at 80 % stand for 400.
    assert_eq!(shown.standing.factor, Factor::Is(ONE + ONE / 5));
    // 400 of 10,000 dollars are lent: borrowing costs 1 % and 4 % of 4/90, by the day 1.18 %.
    let interest = shown.interest.unwrap();
    assert_eq!(interest.earned, 0, "nobody borrows what is supplied");
    assert!((470_000_000..475_000_000).contains(&interest.paid), "{interest:?}");
    let [usd, star] = [shown.held[0], shown.held[1]];
    assert_eq!((usd.owed, usd.liquidation), (400 * WHOLE, None));
    let named = star.liquidation.unwrap();
    assert_eq!(named.fall_bps, 1_666);
    for (price, is_below) in [(named.price + 1, false), (named.price, true)] {
        world.report(2, price);
        let book = world.book(me());
        let Factor::Is(factor) = position(&scene(&world, &book), MARKET).unwrap().standing.factor
        else {
            panic!("there is a price")
        };
        assert_eq!(factor < ONE, is_below, "at {price}: {factor}");
    }
}

#[test]
fn the_most_leaves_health_caps_and_fees() {
    let world = indebted();
    let book = world.book(me());
    let scene = scene(&world, &book);
    let after = |place, kind: Kind| {
        let most = most(&scene, place, kind).unwrap();
        let told = preview(&scene, place, kind.wish(most.amount)).unwrap();
        assert_eq!(told.refusal, None, "{kind:?} {most:?}");
        (most, told)
    };
    for (place, kind) in [(USD, Kind::Borrow), (STAR, Kind::Withdraw)] {
        let (most, told) = after(place, kind);
        assert!(most.amount > 0 && !most.is_all);
        assert!(told.after.unwrap().standing.factor >= Factor::Is(ONE + ONE / 20));
        let more = preview(&scene, place, kind.wish(most.amount + WHOLE)).unwrap();
        let left = more.after.map(|state| state.standing.factor);
        assert!(left.is_none_or(|factor| factor < Factor::Is(ONE + ONE / 20)));
    }
    let (most, told) = after(STAR, Kind::Supply);
    let left = told.after.unwrap().held.wallet;
    assert!(most.amount > 600 * WHOLE && left >= told.fee * 8, "{left} left");
    assert!(super::most(&scene, USD, Kind::Repay).unwrap().is_all);
}

#[test]
fn what_is_full_or_beyond_a_cap_has_nothing_left_and_says_why() {
    let mut world = World::new(me());
    world.lend(person(1), USD, 30_000 * WHOLE);
    let fill = Action::Assets(assets::Action::Issue {
        asset: AssetId(1),
        to: person(1),
        amount: 10_000 * WHOLE,
    });
    world.act(person(1), fill).unwrap();
    world.lend(person(1), USD, 10_000 * WHOLE);
    // Interest takes what is supplied beyond its cap.
    world.lend(me(), STAR, 300 * WHOLE);
    world.act(me(), Action::Lending(Wish::Borrow(300 * WHOLE).action(USD, me()))).unwrap();
    world.wait_s(10_000_000);
    let book = world.book(me());
    let shown = market(&book, MARKET, world.now_ms).unwrap();
    let usd = &shown.reserves[0];
    assert!(usd.supplied > usd.supply_cap);
    assert_eq!(usd.supply_left, 0);
    let scene = scene(&world, &book);
    let most_supply = most(&scene, USD, Kind::Supply).unwrap();
    assert_eq!((most_supply.amount, most_supply.refusal), (0, Some(SUPPLY_CAP)));
    let most_borrow = most(&scene, USD, Kind::Borrow).unwrap();
    assert_eq!((most_borrow.amount, most_borrow.refusal), (0, Some(STALE_PRICE)));
    assert!(most(&scene, USD, Kind::Repay).unwrap().amount > 0, "repaying needs no price");
}

#[test]
fn a_stale_and_an_unconfirmed_price_are_told_apart_and_health_is_not_guessed() {
    let mut world = indebted();
    let state = |world: &World| {
        let book = world.book(me());
        let star = market(&book, MARKET, world.now_ms).unwrap().reserves[1].price;
        let factor = position(&scene(world, &book), MARKET).unwrap().standing.factor;
        (star.state, star.price, star.fresh, factor)
    };
    world.wait_s(200);
    assert_eq!(state(&world), (PriceState::Stale, 2 * DOLLAR, 0, Factor::Unknown));
    world.report(1, DOLLAR);
    world.report(2, DOLLAR);
    assert_eq!(state(&world), (PriceState::Confirming, 2 * DOLLAR, 4, Factor::Unknown));
    world.wait_s(1);
    world.report(2, DOLLAR);
    let (price, worth, fresh, factor) = state(&world);
    assert_eq!((price, worth, fresh), (PriceState::Fresh, DOLLAR, 4));
    assert!(factor < Factor::Is(ONE), "{factor:?}");
}

#[test]
fn a_record_of_another_version_is_not_proved_and_not_a_panic() {
    let world = indebted();
    let keys = wanted(&world.book(me()), &me().to_string(), Some(MARKET), &[]);
    let mut records = world.records(&keys);
    let reserve = rules::reserve_key(MARKET, 0);
    let found = records.list.iter_mut().find(|one| **one.key == *reserve.as_bytes()).unwrap();
    found.record = Some(vec![0x80].into());
    let book = Book::new(&records);
    assert_eq!(market(&book, MARKET, world.now_ms), None);
    assert_eq!(preview(&scene(&world, &book), USD, Wish::Supply(WHOLE)), None);
}

/// Opens one more market.
fn open(world: &mut World, reserves: Vec<rules::Config>) {
    let open = rules::Action::Open { treasury: person(1), reserves };
    world.act(person(1), Action::Lending(open)).unwrap();
}

#[test]
fn a_debt_in_a_market_that_is_not_listed_any_more_is_known_to_who_made_it() {
    let mut world = indebted();
    for _ in 0..LISTED_MAX {
        open(&mut world, vec![rules_of(AssetId(1), 1)]);
    }
    let health = |acted: &[u32]| {
        let book = world.book_of(me(), None, acted);
        assert!(!listing(&book).unwrap().markets.contains(&MARKET));
        position(&scene(&world, &book), MARKET).map(|mine| mine.standing.factor)
    };
    assert_eq!(health(&[]), None);
    assert_eq!(health(&[MARKET]), Some(Factor::Is(ONE + ONE / 5)));
}

#[test]
fn a_market_that_counts_the_ledgers_own_asset_by_other_decimals_is_not_shown() {
    let mut world = World::new(me());
    let odd = rules::Config { decimals: NATIVE_DECIMALS + 1, ..rules_of(AssetId::NATIVE, 2) };
    open(&mut world, vec![rules_of(AssetId(1), 1), odd]);
    let book = world.book_of(me(), Some(MARKET + 1), &[]);
    assert!(is_miscounted(&book, MARKET + 1) && !is_miscounted(&book, MARKET));
    assert_eq!(market(&book, MARKET + 1, world.now_ms), None);
    assert!(market(&book, MARKET, world.now_ms).is_some(), "the other one is");
}

#[test]
fn what_was_seen_is_as_old_as_its_oldest_record() {
    let world = World::new(me());
    let keys = wanted(&world.book(me()), &me().to_string(), Some(MARKET), &[]);
    let mut records = world.records(&keys);
    let seen =
        |records: &view::Records| market(&Book::new(records), MARKET, world.now_ms).unwrap().seen;
    assert!(!seen(&records).is_old(world.now_ms + 30_000));
    let reserve = rules::reserve_key(MARKET, 0);
    let kept_back = records.list.iter_mut().find(|one| **one.key == *reserve.as_bytes()).unwrap();
    kept_back.time_ms -= 1;
    assert_eq!(seen(&records).from_ms, world.now_ms - 1);
    assert!(seen(&records).is_old(world.now_ms + 30_000));
}
