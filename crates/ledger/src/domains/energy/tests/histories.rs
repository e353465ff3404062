//! Random histories: readings, corrections, lies, money that comes and goes, rules that change.

use proptest::{prelude::*, strategy::ValueTree as _};

use super::*;

const HOUSEHOLDS: u32 = 4;

#[derive(Debug, Clone)]
enum Step {
    /// Meter, slots back, Wh taken and given, Wh that no reading told.
    Read(u32, u64, u64, u64, u64),
    /// Which of those that wait, Wh less than before.
    Correct(usize, u64),
    /// Meter, slots back, whether by two readings or by an opening.
    Lie(u32, u64, bool),
    /// The slot of which reading that waits.
    Settle(usize),
    Wait(u64),
    Deposit(u64, Purse, u128),
    Withdraw(u64, Purse, u128),
    Limits(u32, u64, u64),
    Friend(u32, u32, u64),
    Rules(u64, Mode, u32),
    Trust(u32, Trust),
    /// A household brings a meter, or takes one away.
    Bring(u64, u32),
    Remove(u64, u32),
    Admit(u64),
    Leave(u64),
    /// Which settled reading, Wh, for whom.
    Claim(usize, u64, u64),
    Gift(u128),
    /// Meter, slots ahead, side, limit, Wh, most trades.
    Place(u32, u64, Side, u64, u64, u8),
    /// Which of the orders that wait.
    Cancel(usize),
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Sharing), Just(Mode::Auction), Just(Mode::Book)]
}

/// Most cross: bids are above offers more often than not.
fn any_place() -> impl Strategy<Value = Step> {
    let bid = (Just(Side::Buy), 120_000..320_000_u64);
    let offer = (Just(Side::Sell), 40_000..220_000_u64);
    let energy = prop_oneof![3 => 1..900_u64, 1 => 1..5_100_u64];
    let ahead = prop_oneof![8 => 1..3_u64, 1 => 0..6_u64];
    (0..HOUSEHOLDS, ahead, prop_oneof![bid, offer], energy, 1..4_u8).prop_map(
        |(meter, ahead, (side, limit), wh, most)| Step::Place(meter, ahead, side, limit, wh, most),
    )
}

fn any_purse() -> impl Strategy<Value = Purse> {
    prop_oneof![Just(Purse::Member), Just(Purse::Grid), Just(Purse::Fees), Just(Purse::Fund)]
}

fn any_step() -> impl Strategy<Value = Step> {
    let (meter, back, who) = (0..HOUSEHOLDS + 2, 1..8_u64, 1..u64::from(HOUSEHOLDS) + 1);
    let energy = prop_oneof![Just(0), 0..5_100_u64];
    let amount = prop_oneof![1..1_000_u128, 1..3_000_000_u128];
    let anyone = prop_oneof![4 => who.clone(), 1 => OPERATOR..STRANGER + 1];
    let unread = prop_oneof![3 => Just(0), 1 => 0..50_u64];
    let trust = prop_oneof![Just(Trust::SelfReported), Just(Trust::Retailer)];
    let read = (meter.clone(), 1..4_u64, energy.clone(), energy, unread);
    let money = || (anyone.clone(), any_purse(), amount.clone());
    prop_oneof![
        20 => read.prop_map(|(m, b, i, e, u)| Step::Read(m, b, i, e, u)),
        3 => (0..64_usize, 0..900_u64).prop_map(|(p, l)| Step::Correct(p, l)),
        1 => (meter.clone(), back, any::<bool>()).prop_map(|(m, b, t)| Step::Lie(m, b, t)),
        10 => (0..64_usize).prop_map(Step::Settle),
        10 => (1..3_u64).prop_map(Step::Wait),
        2 => money().prop_map(|(w, p, a)| Step::Deposit(w, p, a)),
        2 => money().prop_map(|(w, p, a)| Step::Withdraw(w, p, a)),
        2 => (meter.clone(), 0..400_000_u64, 0..400_000_u64).prop_map(|(m, b, s)| Step::Limits(m, b, s)),
        3 => (meter.clone(), meter.clone(), 0..400_000_u64).prop_map(|(m, f, p)| Step::Friend(m, f, p)),
        1 => (90..120_u64, any_mode(), 0..210_000_u32).prop_map(|(f, m, l)| Step::Rules(f, m, l)),
        1 => (meter.clone(), trust).prop_map(|(m, t)| Step::Trust(m, t)),
        1 => (who.clone(), 0..9_u32).prop_map(|(w, n)| Step::Bring(w, n)),
        1 => (who.clone(), meter).prop_map(|(w, m)| Step::Remove(w, m)),
        1 => who.clone().prop_map(Step::Admit),
        1 => who.clone().prop_map(Step::Leave),
        4 => (0..64_usize, 1..1_000_u64, who).prop_map(|(p, e, w)| Step::Claim(p, e, w)),
        1 => amount.prop_map(Step::Gift),
        24 => any_place(),
        2 => (0..64_usize).prop_map(Step::Cancel),
    ]
}

/// What a meter says after its last word, or after nothing.
fn next_word(
    street: &Street,
    number: u32,
    slot: u64,
    (import_wh, export_wh): (u64, u64),
    unread: u64,
) -> Reading {
    let last = meter(&street.lab.store, COMMUNITY, number).and_then(|meter| meter.last);
    let before = last.map_or((0, 0), |last| (last.import_wh, last.export_wh));
    let totals = (before.0 + unread + import_wh, before.1 + export_wh);
    street.say(number, (slot, 0), content(import_wh, export_wh, totals))
}

/// Readings there are, of slots that wait or of settled ones.
fn readings(street: &Street, settled: bool) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    for number in START..street.now() {
        let Some(slot) = slot(&street.lab.store, COMMUNITY, number) else { continue };
        if slot.summary.is_some() == settled {
            found.extend(slot.meters.iter().map(|meter| (number, *meter)));
        }
    }
    found
}

/// Slots that have begun and are not settled.
fn open(street: &Street) -> Vec<u64> {
    let waits = |number: &u64| {
        let slot = slot(&street.lab.store, COMMUNITY, *number);
        slot.is_some_and(|slot| slot.summary.is_none())
    };
    (START..street.now()).filter(waits).collect()
}

/// Orders that wait: slot, number and whose.
fn orders(street: &Street) -> Vec<(u64, u64, ledger::AccountId)> {
    let of = |slot: u64| {
        let book = order_book(&street.lab.store, COMMUNITY, slot).unwrap_or_default();
        book.waiting.into_iter().map(move |one| (slot, one.order, one.owner))
    };
    (START..street.now() + 7).flat_map(of).collect()
}

/// One of them, if there are any.
fn pick<T: Copy>(found: &[T], place: usize) -> Result<T, u16> {
    found.get(place % found.len().max(1)).copied().ok_or(0)
}

fn take(street: &mut Street, step: &Step) -> Result<Vec<Event>, u16> {
    let now = street.now();
    match *step {
        Step::Read(meter, back, import_wh, export_wh, unread) => {
            let said = next_word(street, meter, now - back, (import_wh, export_wh), unread);
            street.act(STRANGER, read(&[&said]))
        }
        Step::Correct(place, less) => correct(street, place, less),
        Step::Lie(meter, back, twice) => lie(street, meter, back, twice),
        Step::Settle(place) => {
            let slot = pick(&open(street), place)?;
            street.act(STRANGER, settle(slot))
        }
        Step::Wait(slots) => {
            street.wait_slots(slots);
            Ok(Vec::new())
        }
        Step::Deposit(who, purse, amount) => street.act(who, deposit(purse, amount)),
        Step::Withdraw(who, purse, amount) => street.act(who, withdraw(purse, who, amount)),
        Step::Limits(meter, buy, sell) => {
            street.act(u64::from(meter) + 1, set_limits(meter, buy, sell))
        }
        Step::Friend(meter, friend, price) => {
            let friend = (friend < HOUSEHOLDS).then_some(Friend { meter: friend, price });
            street.act(u64::from(meter) + 1, set_friend(meter, friend))
        }
        Step::Rules(from, mode, loss_ppm) => {
            street.act(OPERATOR, set_rules(now + from, Rules { mode, loss_ppm, ..RULES }))
        }
        Step::Trust(meter, trust) => street.act(OPERATOR, set_trust(meter, trust)),
        Step::Bring(who, number) => {
            let action = street.add_meter(who, number);
            street.act(who, action)
        }
        Step::Remove(who, meter) => street.act(who, remove_meter(meter)),
        Step::Admit(who) => street.act(OPERATOR, admit(who)),
        Step::Leave(who) => street.act(who, leave(who)),
        Step::Claim(place, energy_wh, holder) => {
            let (slot, meter) = pick(&readings(street, true), place)?;
            street.act(u64::from(meter) + 1, claim(slot, meter, energy_wh, holder))
        }
        Step::Place(meter, ahead, side, limit, quantity_wh, most) => {
            let place = order(side, (now + ahead, meter), limit, quantity_wh, most);
            street.act(u64::from(meter) + 1, place)
        }
        Step::Cancel(place) => {
            let (slot, number, owner) = pick(&orders(street), place)?;
            street.lab.act(owner, &ledger::Action::Energy(cancel(slot, number)))
        }
        Step::Gift(amount) => {
            let (asset, to) = (AssetId::NATIVE, ledger::AccountId::of_domain("energy"));
            let gift = ledger::domains::accounts::Action::Transfer { asset, to, amount };
            street.lab.act(account(STRANGER), &ledger::Action::Accounts(gift))
        }
    }
}

/// Says less of a slot that was read.
fn correct(street: &mut Street, place: usize, less: u64) -> Result<Vec<Event>, u16> {
    let (slot, meter) = pick(&readings(street, false), place)?;
    let known = street.record(slot, meter);
    let Content { import_wh, export_wh, import_total_wh, export_total_wh, .. } = known.content;
    let less = less.min(import_wh);
    let totals = (import_total_wh - less, export_total_wh);
    let content = content(import_wh - less, export_wh, totals);
    let said = street.say(meter, (slot, known.revision.saturating_add(1)), content);
    street.act(STRANGER, read(&[&said]))
}

/// Says two things of a slot, or a sum that its opening does not bear out, and is told on.
fn lie(street: &mut Street, meter: u32, back: u64, twice: bool) -> Result<Vec<Event>, u16> {
    let now = street.now();
    let said = next_word(street, meter, now - back, (9, 9), 0);
    let other = street.say(meter, (now - back, 0), content(7, 0, (7, 0)));
    let commitment = opening(1, 1).commitment();
    let lie = street.say(meter, (now - back, 0), Content { commitment, ..said.content });
    street.act(STRANGER, if twice { accuse(&said, &other) } else { expose(&lie, opening(1, 1)) })
}

/// What there is of a meter in a settled slot.
type Came = (Slot, Option<Record>, Option<Position>);

/// All that settled slots came to, but for certificates that were used up since.
fn settled(street: &Street) -> BTreeMap<(u64, u32), Came> {
    let (mut found, store) = (BTreeMap::new(), &street.lab.store);
    for number in START..street.now() {
        let Some(slot) = slot(store, COMMUNITY, number) else { continue };
        for meter in (0..20).filter(|_| slot.summary.is_some()) {
            let mut record = record(store, COMMUNITY, number, meter);
            if let Some(due) = record.as_mut().and_then(|record| record.due.as_mut()) {
                due.claimed_wh = 0;
            }
            let position = position(store, COMMUNITY, number, meter);
            if record.is_some() || position.is_some() {
                found.insert((number, meter), (slot.clone(), record, position));
            }
        }
    }
    found
}

fn wealth(street: &Street) -> u128 {
    let people = (1..=u64::from(HOUSEHOLDS)).chain(OPERATOR..=STRANGER).map(account);
    let all = people.chain([ledger::AccountId::of_domain("energy")]);
    all.map(|account| street.lab.balance(account, AssetId::NATIVE)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// The laws hold after every step (asked by `Lab::act`), a refusal writes nothing, no unit appears
    /// or vanishes, what is settled stays as it is, a meter's counters rise from slot to slot, and
    /// nobody who is settled with was left out for lack of money.
    #[test]
    fn any_history_keeps_the_laws(
        mode in any_mode(), steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let mut street = Street::new(HOUSEHOLDS, Rules { mode, ..RULES });
        street.wait_slots(12);
        let all = wealth(&street);
        for step in steps {
            let (store, before) = (street.lab.store.clone(), settled(&street));
            let outcome = take(&mut street, &step);
            if outcome.is_err() {
                prop_assert_eq!(&street.lab.store, &store);
            }
            prop_assert_eq!(wealth(&street), all);
            let after = settled(&street);
            for (place, came_to) in &before {
                prop_assert_eq!(after.get(place), Some(came_to), "{:?} changed {:?}", step, place);
            }
            match (&step, &outcome) {
                (Step::Settle(_), Ok(events)) => {
                    let slot = u64::try_from(events[0].numbers[1]).unwrap();
                    prop_assert_eq!(street.act(OPERATOR, settle(slot)), Err(Error::Settled.code()));
                    for number in street.slot(slot).meters {
                        let cut = meter(&street.lab.store, COMMUNITY, number).unwrap().cut;
                        prop_assert_eq!(street.record(slot, number).due.is_none(), cut);
                    }
                }
                // Nothing waited, or it was too early.
                (Step::Settle(_), Err(code)) => {
                    prop_assert!([0, Error::TooEarly.code()].contains(code));
                }
                _ => {}
            }
        }
    }

    /// Readings of a slot in any order, each as often as one likes, leave the same state.
    #[test]
    fn the_order_of_readings_does_not_matter(
        mode in any_mode(),
        energy in prop::collection::vec((0..5_000_u64, 0..5_000_u64), 4),
        again in prop::collection::vec(0..4_usize, 0..5),
        seed in any::<u64>(),
    ) {
        let mut one = Street::new(HOUSEHOLDS, Rules { mode, ..RULES });
        one.wait_slots(2);
        let slot = START + 1;
        let said = |(number, (import_wh, export_wh)): (u32, &(u64, u64))| {
            one.next(number, slot, *import_wh, *export_wh)
        };
        let readings: Vec<Reading> = (0..).zip(&energy).map(said).collect();
        let (store, context) = (one.lab.store.clone(), one.lab.context.clone());
        let mut other = Street { lab: Lab { store, context }, totals: BTreeMap::new() };
        one.done(STRANGER, Action::Read { readings: readings.clone() });
        let mut mixed = readings.clone();
        mixed.extend(again.iter().map(|at| readings[*at].clone()));
        primitives::Seed::from_number(seed).rng().shuffle(&mut mixed);
        for reading in mixed {
            let _ = other.act(1, read(&[&reading]));
        }
        for street in [&mut one, &mut other] {
            street.wait_slots(WINDOW.into());
            street.settle(slot);
        }
        prop_assert_eq!(one.lab.store, other.lab.store);
    }

    /// With neighbours nobody is worse off than with the grid alone, but for a rounding.
    #[test]
    fn nobody_loses_by_neighbours(
        energy in prop::collection::vec((0..5_000_u64, 0..5_000_u64), 4), loss_ppm in 0..200_001_u32,
    ) {
        let mut street = Street::new(HOUSEHOLDS, Rules { loss_ppm, ..RULES });
        street.wait_slots(2);
        let said: Vec<_> = (0..).zip(&energy).map(|(meter, (i, e))| (meter, *i, *e)).collect();
        street.read(START + 1, &said);
        street.wait_slots(WINDOW.into());
        street.settle(START + 1);
        for (who, (import_wh, export_wh)) in (1..).zip(energy) {
            let alone = i128::from(export_wh) * 80 - i128::from(import_wh) * 300;
            prop_assert!(street.gained(who) >= alone - 2);
        }
    }
}

/// The histories are not all refusals: they reach what they are about.
#[test]
fn histories_reach_trades_corrections_cuts_claims_and_deals() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(any_step(), 60);
    let (mut trades, mut corrections, mut cuts, mut claims) = (0, 0, 0, 0);
    let (mut deals, mut cancels, mut kept) = (0, 0, 0);
    for round in 0..100 {
        let mut street = Street::new(HOUSEHOLDS, if round % 2 == 0 { RULES } else { book() });
        street.wait_slots(12);
        for step in strategy.new_tree(&mut runner).unwrap().current() {
            let Ok(events) = take(&mut street, &step) else { continue };
            match step {
                // Community, slot, readings, Wh, price.
                Step::Settle(_) => {
                    let slot = u64::try_from(events[0].numbers[1]).unwrap();
                    let is_booked = street.slot(slot).rules.mode == Mode::Book;
                    trades += u32::from(events[0].numbers[3] > 0);
                    // Of what was dealt there is a price.
                    kept += u32::from(is_booked && events[0].numbers[4] > 0);
                }
                Step::Place(..) => deals += events.len() - 1,
                Step::Cancel(_) => cancels += 1,
                Step::Correct(..) => corrections += 1,
                Step::Lie(..) => cuts += 1,
                Step::Claim(..) => claims += 1,
                _ => {}
            }
        }
    }
    let found = format!("{trades} trades, {corrections} corrections, {cuts} cuts, {claims} claims");
    assert!(trades > 20 && corrections > 20 && cuts > 10 && claims > 5, "{found}");
    let found = format!("{deals} deals, {cancels} cancelled, {kept} slots settled that had deals");
    assert!(deals > 50 && cancels > 10 && kept > 5, "{found}");
}
