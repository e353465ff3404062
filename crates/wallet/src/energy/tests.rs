//! A street acted on by the ledger's own code; the page's side is held against it.

mod correcting;
mod keeping;
mod members;
mod trial;

use ledger::{
    AccountId, Action, AssetId, BlockContext, ChainId, Genesis, MemoryStore, Overlay, Params,
    Scan as _, Store as _,
    domains::energy::{self as rules, Content, Reading, meter_proof},
};
use primitives::{Hash, KeyPair, Seed};

use super::{
    Book, Friend, Left, Limits, Mode, NOTICE_SLOTS, Named, Order, Purse, Rules, Said, Scene, Side,
    Source, Span, Spoken, State, Tariff, Trust, Wish, community, day, depth, keep, left, listing,
    meets, meters, neighbours, open_slots, orders, plan, refusal, sum, supplies, wanted, what_if,
    what_if_friend,
};
use crate::{explain::hex, view};

const STREET: u32 = 1;
/// The slot in which the street comes together; its meters read from the next on.
const START: u64 = 1_988_888;
const WINDOW: u16 = 4;
const DEPOSIT: u128 = 5_000_000;
/// 30 cents from the grid, 8 to it, 5 for the way between neighbours: 16.5 in the middle.
const RULES: Rules = Rules {
    mode: Mode::Sharing,
    tariff: Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 50_000 },
    loss_ppm: 0,
    trust_min: Trust::SelfReported,
};
const AUCTION: Rules = Rules { mode: Mode::Auction, ..RULES };
const BOOK: Rules = Rules { mode: Mode::Book, ..RULES };
const SPAN: Span = Span { community: STREET, from: START, to: START + 96 };

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn person(number: u64) -> AccountId {
    AccountId::of_key(key(number).id())
}

/// Household 1 has meter 0, and so on; I am household 1, the operator is 50, the retailer 51.
struct Street {
    store: MemoryStore,
    now_ms: u64,
    totals: Vec<(u64, u64)>,
}

impl Street {
    fn new(households: u32, rules: Rules) -> Self {
        let (grid, network) = (person(51), person(51));
        let (asset, window_slots) = (AssetId::NATIVE, WINDOW);
        Self::opened(households, rules::Action::Open { asset, grid, network, window_slots, rules })
    }

    fn opened(households: u32, open: rules::Action) -> Self {
        let people = (1..=u64::from(households)).chain([50, 51]);
        let genesis = Genesis {
            name: "street".to_owned(),
            time_ms: super::starts_ms(START),
            params: Params::default(),
            symbol: "STAR".to_owned(),
            decimals: 6,
            allocations: people.map(|who| (person(who), 100_000_000)).collect(),
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().unwrap());
        let mut street = Self { store, now_ms: super::starts_ms(START), totals: vec![] };
        street.done(50, open);
        street.done(51, deposit(Purse::Grid));
        for number in 0..households {
            let who = u64::from(number) + 1;
            let account = person(who);
            street.done(50, rules::Action::Admit { community: STREET, account });
            street.done(who, deposit(Purse::Member));
            let device = key(60 + u64::from(number));
            let proof = device.sign(&meter_proof(chain(), STREET, account));
            street.done(
                who,
                rules::Action::AddMeter {
                    community: STREET,
                    key: device.id(),
                    source: Source::Solar,
                    connection_w: 20_000,
                    proof,
                },
            );
            street.totals.push((0, 0));
        }
        street
    }

    fn act(&mut self, who: u64, action: rules::Action) -> Result<(), u16> {
        let context = BlockContext { chain: chain(), height: 7, time_ms: self.now_ms };
        let mut state = Overlay::new(&self.store);
        let outcome = ledger::execute(&context, person(who), &Action::Energy(action), &mut state);
        let (changes, _) = state.into_parts();
        if outcome.is_ok() {
            self.store.commit(changes);
        }
        outcome
    }

    fn done(&mut self, who: u64, action: rules::Action) {
        self.act(who, action).unwrap();
    }

    /// Passes so many slots.
    fn wait(&mut self, slots: u64) {
        self.now_ms += super::starts_ms(slots);
    }

    /// Meters read a slot: Wh taken and given, by meter.
    fn read(&mut self, slot: u64, energy: &[(u32, u64, u64)]) {
        let readings = energy.iter().map(|one| self.say(slot, *one)).collect();
        self.done(50, rules::Action::Read { readings });
    }

    fn say(&mut self, slot: u64, (meter, import_wh, export_wh): (u32, u64, u64)) -> Reading {
        let totals = &mut self.totals[usize::try_from(meter).unwrap()];
        *totals = (totals.0 + import_wh, totals.1 + export_wh);
        let content = Content {
            import_wh,
            export_wh,
            import_total_wh: totals.0,
            export_total_wh: totals.1,
            commitment: Hash::new([9; 32]),
        };
        let device = key(60 + u64::from(meter));
        Reading::sign(&device, chain(), (STREET, meter), (slot, 0), content)
    }

    fn settle(&mut self, slot: u64) {
        self.done(50, rules::Action::Settle { community: STREET, slot, readings_max: 128 });
    }

    /// What a wallet proved of these keys.
    fn proved(&self, keys: &[Vec<u8>]) -> view::Records {
        let record = |key: &Vec<u8>| view::Record {
            key: key.clone().into(),
            record: self.store.get(&ledger::Key::from_bytes(key.clone())).map(Into::into),
            height: 7,
            time_ms: self.now_ms,
        };
        view::Records { list: keys.iter().map(record).collect() }
    }

    /// Looks as a page does, until what is proved asks for nothing more; the most keys of a round.
    fn look(&self, named: Named) -> (Book, usize) {
        let (mut kept, mut records, mut most) = (Book::default(), view::Records::default(), 0);
        let me = person(1).to_string();
        let mut before = Vec::new();
        loop {
            let book = Book::with_kept(&records, &kept);
            let next = wanted((&book, &kept), &me, self.now_ms, named, &my_keys());
            if next == before {
                return (book, most);
            }
            most = most.max(next.len());
            records = self.proved(&next);
            before = next;
            keep(&mut kept, &records, SPAN, self.now_ms);
        }
    }

    fn seen(&self) -> Book {
        self.look(Named { span: Some(SPAN), slot: None, trade: None }).0
    }
}

fn chain() -> ChainId {
    ChainId::new([1; 32])
}

/// Keys of my wallet: household 1's meter has the first.
fn my_keys() -> [String; 2] {
    [60, 90].map(|number| hex(key(number).id().as_bytes()))
}

fn deposit(purse: Purse) -> rules::Action {
    rules::Action::Deposit { community: STREET, purse, amount: DEPOSIT }
}

fn scene<'a>(street: &Street, book: &'a Book) -> Scene<'a> {
    Scene { book, account: person(1), now_ms: street.now_ms }
}

fn state(street: &Street, book: &Book, slot: u64) -> State {
    let day = day(&scene(street, book), SPAN).unwrap();
    day.slots.iter().find(|shown| shown.slot == slot).unwrap().state
}

#[test]
fn a_community_without_proofs_is_not_shown_and_with_them_says_what_i_have() {
    let street = Street::new(2, RULES);
    let none = Book::default();
    assert_eq!(listing(&none), None);
    assert_eq!(community(&scene(&street, &none), STREET), None);
    let book = street.seen();
    assert_eq!(listing(&book).unwrap().communities, [STREET]);
    let shown = community(&scene(&street, &book), STREET).unwrap();
    assert_eq!((shown.members, shown.meters), (2, 2));
    assert_eq!(shown.me.unwrap().free, DEPOSIT);
    assert_eq!(shown.wallet, Some(100_000_000 - DEPOSIT));
    assert!(!shown.is_operator && !shown.is_grid);
    assert_eq!((shown.seen.from_height, shown.seen.to_height), (7, 7));
}

#[test]
fn a_shared_slot_is_open_then_due_then_settled_with_what_was_saved() {
    let mut street = Street::new(2, RULES);
    street.wait(2);
    let slot = START + 1;
    assert!(matches!(state(&street, &street.seen(), slot), State::Waiting { .. }));
    street.read(slot, &[(0, 1_000, 0), (1, 0, 600)]);
    let until_ms = super::starts_ms(slot + u64::from(WINDOW) + 1);
    assert_eq!(state(&street, &street.seen(), slot), State::Open { until_ms });
    let book = street.seen();
    let waits = sum(&day(&scene(&street, &book), SPAN).unwrap().slots);
    assert_eq!((waits.import_wh, waits.paid, waits.saved()), (1_000, 0, 0));
    assert!(waits.cover > 0);
    street.wait(u64::from(WINDOW) - 1);
    assert!(matches!(state(&street, &street.seen(), slot), State::Open { .. }), "a moment left");
    street.wait(1);
    assert_eq!(state(&street, &street.seen(), slot), State::Due);
    street.settle(slot);
    let book = street.seen();
    let State::Settled(summary) = state(&street, &book, slot) else { panic!("it is settled") };
    assert_eq!((summary.volume_wh, summary.price), (600, 165_000));
    let mine = sum(&day(&scene(&street, &book), SPAN).unwrap().slots);
    // 0.6 kWh at 0.165 and 0.05, 0.4 kWh at 0.3; by the grid alone 1 kWh at 0.3.
    assert_eq!((mine.local_import_wh, mine.paid), (600, 249_000));
    assert_eq!((mine.grid_only, mine.saved()), (300_000, 51_000));
    let member = rules::member(&street.store, STREET, person(1)).unwrap();
    assert_eq!(member.free, DEPOSIT - mine.paid, "as the ledger counts");
}

#[test]
fn what_is_given_is_saved_against_feed_in_and_leaves_certificates() {
    let mut street = Street::new(2, RULES);
    street.wait(2);
    street.read(START + 1, &[(0, 0, 1_000), (1, 400, 0)]);
    street.wait(u64::from(WINDOW));
    street.settle(START + 1);
    let book = street.seen();
    let mine = sum(&day(&scene(&street, &book), SPAN).unwrap().slots);
    assert_eq!((mine.got, mine.grid_only), (66_000 + 48_000, -80_000));
    assert_eq!((mine.saved(), mine.left_wh), (34_000, 600));
}

#[test]
fn a_silent_meter_is_missing_in_every_slot_it_could_have_read() {
    let mut street = Street::new(2, RULES);
    street.wait(4);
    street.read(START + 1, &[(0, 10, 0), (1, 10, 0)]);
    street.read(START + 3, &[(1, 10, 0)]);
    let book = street.seen();
    let all = meters(&scene(&street, &book), SPAN, &[]).unwrap();
    let of = |number: u32| all.iter().find(|meter| meter.number == number).unwrap().health;
    assert_eq!((of(0).last, of(0).missing, of(0).in_time), (Some(START + 1), Some(2), 2));
    assert_eq!((of(1).last, of(1).missing, of(1).in_time), (Some(START + 3), Some(1), 0));
    assert!(all[0].is_mine && !all[1].is_mine);
    let day = day(&scene(&street, &book), SPAN).unwrap();
    let missing: Vec<usize> = day.slots.iter().map(|shown| shown.missing).collect();
    assert_eq!(missing, [0, 0, 1, 1, 0], "not before it came, not in the slot that runs");
}

#[test]
fn a_meter_that_says_two_things_is_shown_cut() {
    let mut street = Street::new(1, RULES);
    street.wait(2);
    let first = street.say(START + 1, (0, 10, 0));
    street.totals[0] = (0, 0);
    let second = street.say(START + 1, (0, 20, 0));
    let accuse = rules::Action::Accuse { first: Box::new(first), second: Box::new(second) };
    street.done(50, accuse);
    let book = street.seen();
    assert!(meters(&scene(&street, &book), SPAN, &[]).unwrap()[0].health.is_cut);
}

#[test]
fn settled_slots_are_asked_for_once_and_a_day_fits_into_portions() {
    // The window is an hour: slots are read and settled as they come.
    let mut street = Street::new(12, RULES);
    for slot in START + 1..START + 96 {
        street.now_ms = super::starts_ms(slot + 1);
        let energy: Vec<(u32, u64, u64)> =
            (0..12).map(|meter| if meter < 6 { (meter, 100, 0) } else { (meter, 0, 90) }).collect();
        street.read(slot, &energy);
        if slot >= START + 6 {
            street.settle(slot - 5);
        }
    }
    let (book, most) = street.look(Named { span: Some(SPAN), slot: None, trade: None });
    assert!(most <= crate::watch::WATCHED_MAX, "{most}");
    let told = what_if(&scene(&street, &book), SPAN, 0, RULES.standing(), Mode::Sharing);
    assert_eq!((told.slots, told.unproved), (90, 0), "all that is settled is known in the end");
    assert_eq!(told.was, told.would);
    // What is kept is not asked for again.
    let mut kept = Book::default();
    keep(&mut kept, &street.proved(&all_keys(&street)), SPAN, street.now_ms);
    let named = Named { span: Some(SPAN), slot: None, trade: None };
    let book = Book::with_kept(&street.proved(&all_keys(&street)), &kept);
    let me = person(1).to_string();
    let next = wanted((&book, &kept), &me, street.now_ms, named, &my_keys());
    assert!(next.len() < 60, "{}", next.len());
}

fn all_keys(street: &Street) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    street.store.scan(&[], &mut |key, _| keys.push(key.as_bytes().to_vec()));
    keys
}

#[test]
fn an_auction_says_who_supplied_whom_and_its_curves_cross_at_its_price() {
    let mut street = Street::new(3, AUCTION);
    for (who, meter, buy, sell) in
        [(1, 0, 260_000, 90_000), (2, 1, 300_000, 100_000), (3, 2, 250_000, 150_000)]
    {
        let limits = Limits { buy, sell };
        street.done(who, rules::Action::SetLimits { community: STREET, meter, limits });
    }
    street.wait(2);
    street.read(START + 1, &[(0, 700, 0), (1, 0, 500), (2, 0, 900)]);
    let book = street.look(Named { span: Some(SPAN), slot: Some(START + 1), trade: None }).0;
    let given = supplies(&book, STREET, START + 1).unwrap();
    let parts: Vec<(u32, u32, u64)> =
        given.iter().map(|one| (one.from, one.to, one.quantity_wh)).collect();
    assert_eq!(parts, [(1, 0, 500), (2, 0, 200)]);
    let depth = depth(&book, STREET, START + 1).unwrap();
    let (volume_wh, price) = depth.cross.unwrap();
    assert_eq!((volume_wh, depth.bids[0].price), (700, 210_000));
    assert_eq!(depth.offers.iter().map(|step| step.to_wh).collect::<Vec<_>>(), [500, 1_400]);
    street.wait(u64::from(WINDOW));
    street.settle(START + 1);
    let settled = rules::slot(&street.store, STREET, START + 1).unwrap().summary.unwrap();
    assert_eq!((settled.volume_wh, settled.price), (volume_wh, price), "told as it was settled");
    let book = street.seen();
    let all = neighbours(&scene(&street, &book), STREET, START + 1).unwrap();
    let mine = all.iter().find(|one| one.is_mine).unwrap();
    assert_eq!((mine.taken_wh, mine.given_wh), (700, 0));
}

#[test]
fn a_pool_names_no_pairs_and_a_slot_with_unproved_readings_says_nothing() {
    let mut street = Street::new(2, RULES);
    street.wait(2);
    street.read(START + 1, &[(0, 700, 0), (1, 0, 500)]);
    let book = street.seen();
    assert_eq!(supplies(&book, STREET, START + 1), None, "others' readings were not asked for");
    let book = street.look(Named { span: Some(SPAN), slot: Some(START + 1), trade: None }).0;
    assert_eq!(supplies(&book, STREET, START + 1), Some(vec![]));
    let all = neighbours(&scene(&street, &book), STREET, START + 1).unwrap();
    assert_eq!(
        all.iter().map(|one| (one.given_wh, one.taken_wh)).collect::<Vec<_>>(),
        [(0, 500), (500, 0)]
    );
}

#[test]
fn limits_that_are_tried_come_to_what_the_ledger_settles_with_them() {
    let limits = Limits { buy: 100_000, sell: 100_000 };
    let play = |limits: Option<Limits>| {
        let mut street = Street::new(2, AUCTION);
        if let Some(limits) = limits {
            street.done(1, rules::Action::SetLimits { community: STREET, meter: 0, limits });
        }
        street.wait(2);
        street.read(START + 1, &[(0, 1_000, 0), (1, 0, 600)]);
        street.wait(u64::from(WINDOW));
        street.settle(START + 1);
        let due = rules::record(&street.store, STREET, START + 1, 0).unwrap().due.unwrap();
        (street, i128::try_from(due.paid).unwrap())
    };
    let (street, was) = play(None);
    let (_, would) = play(Some(limits));
    let book = street.seen();
    let told = what_if(&scene(&street, &book), SPAN, 0, limits, Mode::Auction);
    assert_eq!((told.slots, told.was.net, told.would.net), (1, was, would));
    let local = (told.was.local_import_wh, told.would.local_import_wh);
    assert_eq!(local, (600, 0), "a bid below every offer buys nothing from neighbours");
}

#[test]
fn of_a_file_what_the_ledger_takes_is_planned_with_counters_that_go_on() {
    let mut street = Street::new(1, RULES);
    street.wait(8);
    street.read(START + 4, &[(0, 100, 50)]);
    let said = |slot: u64, import_wh: u64| Said { slot, import_wh, export_wh: 7 };
    let file = [
        said(START, 5),
        said(START + 3, 5),
        said(START + 4, 5),
        said(START + 5, 11),
        said(START + 6, 900_000),
        said(START + 7, 13),
        said(START + 8, 5),
    ];
    let book = street.seen();
    let told = plan(&scene(&street, &book), STREET, 0, &file, &Spoken::default()).unwrap();
    let skipped = told.skipped;
    assert_eq!((skipped.over, skipped.read, skipped.too_much, skipped.ahead), (2, 1, 1, 1));
    let slots: Vec<(u64, u64)> =
        told.readings.iter().map(|one| (one.slot, one.content.import_total_wh)).collect();
    assert_eq!(slots, [(START + 5, 111), (START + 7, 124)]);
    assert_eq!(told.gaps, 1);
    // One that begins later gives up what could be read before it.
    let gaps = |file: &[Said]| {
        let late = plan(&scene(&street, &book), STREET, 0, file, &Spoken::default()).unwrap();
        (late.readings.len(), late.gaps)
    };
    assert_eq!(gaps(&[said(START + 7, 13)]), (1, 2));
    assert_eq!(gaps(&[said(START + 5, 11)]), (1, 0));
    // The ledger takes them as planned, once they are signed.
    let sign =
        |one: &Reading| Reading::sign(&key(60), chain(), (STREET, 0), (one.slot, 0), one.content);
    let readings = told.readings.iter().map(sign).collect();
    let held = rules::member(&street.store, STREET, person(1)).unwrap().held;
    street.done(1, rules::Action::Read { readings });
    let now = rules::member(&street.store, STREET, person(1)).unwrap().held;
    assert_eq!(now - held, told.cover);
}

#[test]
fn what_is_not_paid_in_is_said_before_it_is_signed() {
    let mut street = Street::new(1, RULES);
    let amount = DEPOSIT - 10_000;
    let withdraw =
        rules::Action::Withdraw { community: STREET, purse: Purse::Member, to: person(1), amount };
    street.done(1, withdraw);
    street.wait(3);
    let book = street.seen();
    let file = [START + 1, START + 2].map(|slot| Said { slot, import_wh: 25, export_wh: 0 });
    let told = plan(&scene(&street, &book), STREET, 0, &file, &Spoken::default()).unwrap();
    // 25 Wh at 0.3 are 7,500 units and two for rounding.
    assert_eq!((told.readings.len(), told.cover, told.skipped.not_covered), (1, 7_502, 1));
    assert_eq!(told.missing, 7_502 - 2_498);
}

#[test]
fn a_refusal_is_the_ledgers_own_and_told_only_of_what_is_proved() {
    let mut street = Street::new(1, RULES);
    let book = street.seen();
    let scene = scene(&street, &book);
    let much = Wish::Withdraw(Purse::Member, DEPOSIT + 1);
    let code = refusal(&scene, STREET, &much).unwrap_err();
    let amount = DEPOSIT + 1;
    let action =
        rules::Action::Withdraw { community: STREET, purse: Purse::Member, to: person(1), amount };
    assert_eq!(street.act(1, action), Err(code));
    assert_eq!(refusal(&scene, STREET, &Wish::Withdraw(Purse::Member, DEPOSIT)), Ok(()));
    // Whether a stranger is a member was not asked for.
    assert_eq!(refusal(&scene, STREET, &Wish::Admit(person(9).to_string())), Ok(()));
    assert!(refusal(&scene, STREET, &Wish::Deposit(Purse::Member, 200_000_000)).is_err());
}

fn place(slot: u64, meter: u32, side: Side, limit: u64, quantity_wh: u64) -> rules::Action {
    let (community, trades_max) = (STREET, rules::TRADES_MAX);
    rules::Action::Place { community, slot, meter, side, limit, quantity_wh, trades_max }
}

/// Two neighbours offer for a slot; I look at its book.
fn offered() -> (Street, Named, u64) {
    let mut street = Street::new(3, BOOK);
    let slot = START + 2;
    street.done(3, place(slot, 2, Side::Sell, 140_000, 500));
    street.done(2, place(slot, 1, Side::Sell, 120_000, 300));
    (street, Named { span: Some(SPAN), slot: None, trade: Some(slot) }, slot)
}

#[test]
fn what_an_order_meets_on_the_page_is_what_the_ledger_trades() {
    let (mut street, named, slot) = offered();
    let book = street.look(named).0;
    let before = scene(&street, &book);
    assert_eq!(open_slots(&before, STREET).first(), Some(&(START + 1)));
    let shown = orders(&before, STREET, slot).unwrap();
    let offers: Vec<(u64, u64)> =
        shown.offers.iter().map(|step| (step.to_wh, step.price)).collect();
    assert_eq!((offers, shown.bids.len()), (vec![(300, 120_000), (800, 140_000)], 0));
    let order = Order { side: Side::Buy, limit: 200_000, quantity_wh: 1_000 };
    let met = meets(&before, STREET, slot, &order).unwrap();
    // 300 Wh at 17 cents and 500 at 19, by the grid 30; what waits may cost 20.
    assert_eq!((met.now_wh, met.money, met.grid, met.waits_wh), (800, 146_000, 240_000, 200));
    street.done(1, place(slot, 0, Side::Buy, 200_000, 1_000));
    assert_eq!(rules::member(&street.store, STREET, person(1)).unwrap().held, met.held);
    let book = street.look(named).0;
    let after = scene(&street, &book);
    let shown = orders(&after, STREET, slot).unwrap();
    assert_eq!((shown.mine.len(), shown.booked[0].1.bought_wh), (1, 800));
    assert_eq!(shown.deals.iter().map(|deal| deal.from).collect::<Vec<_>>(), [2, 1]);
    // Taking it back is tried by the ledger's own code.
    let mine = shown.mine[0].order;
    assert_eq!(refusal(&after, STREET, &Wish::Cancel(slot, mine)), Ok(()));
    street.done(1, rules::Action::Cancel { community: STREET, slot, order: mine });
}

#[test]
fn a_booked_slot_says_who_sold_to_whom_and_what_it_cost() {
    let (mut street, named, slot) = offered();
    street.done(1, place(slot, 0, Side::Buy, 200_000, 800));
    street.wait(3);
    street.read(slot, &[(0, 900, 0), (1, 0, 300)]);
    let book = street.look(Named { slot: Some(slot), ..named }).0;
    let pairs: Vec<(u32, u32, u64)> = supplies(&book, STREET, slot)
        .unwrap()
        .iter()
        .map(|one| (one.from, one.to, one.quantity_wh))
        .collect();
    assert_eq!(pairs, [(1, 0, 300), (2, 0, 500)]);
    street.wait(u64::from(WINDOW));
    assert_eq!(state(&street, &street.seen(), slot), State::Due);
    street.settle(slot);
    let book = street.seen();
    let mine = sum(&day(&scene(&street, &book), SPAN).unwrap().slots);
    // As traded, and 100 Wh of the grid; the silent neighbour pays for what it did not give.
    assert_eq!((mine.bought_wh, mine.paid), (800, 146_000 + 30_000));
    assert_eq!(mine.local_import_wh, 300, "what was fed in");
    let told = what_if(&scene(&street, &book), SPAN, 0, RULES.standing(), Mode::Book);
    assert_eq!((told.slots, told.unproved, told.was), (1, 0, told.would));
    let all = neighbours(&scene(&street, &book), STREET, slot).unwrap();
    assert_eq!(all.iter().map(|one| one.taken_wh + one.given_wh).collect::<Vec<_>>(), [300, 300]);
}

#[test]
fn a_friend_is_shown_and_tried_before_it_is_signed() {
    let mut street = Street::new(2, RULES);
    let friend = Some(Friend { meter: 1, price: 100_000 });
    let book = street.seen();
    assert_eq!(refusal(&scene(&street, &book), STREET, &Wish::Friend(0, friend)), Ok(()));
    let own = Some(Friend { meter: 0, price: 100_000 });
    assert!(refusal(&scene(&street, &book), STREET, &Wish::Friend(0, own)).is_err());
    let action = rules::Action::SetFriend { community: STREET, meter: 0, friend };
    street.done(1, action);
    let book = street.seen();
    assert_eq!(meters(&scene(&street, &book), SPAN, &[]).unwrap()[0].friend, friend);
    street.wait(2);
    street.read(START + 1, &[(0, 0, 500), (1, 500, 0)]);
    street.wait(u64::from(WINDOW));
    street.settle(START + 1);
    let book = street.seen();
    // 500 Wh at 10 cents as a friend, at 16.5 without.
    let told = what_if_friend(&scene(&street, &book), SPAN, 0, None);
    assert_eq!((told.slots, told.was.net, told.would.net), (1, -50_000, -82_500));
}
