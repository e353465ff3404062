//! What is refused, and why.

use super::*;

const SLOT: u64 = START + 1;

/// A street whose first slot has just ended.
fn street(rules: Rules) -> Street {
    let mut street = Street::new(2, rules);
    street.wait_slots(2);
    street
}

#[test]
fn rules_that_can_not_be_kept_open_nothing() {
    let mut street = street(RULES);
    let open = |window_slots, rules| {
        let (grid, network) = (account(GRID), account(NETWORK));
        Action::Open { asset: AssetId::NATIVE, grid, network, window_slots, rules }
    };
    let tariff = Tariff { retail: 129_999, ..RULES.tariff };
    street.refused(OPERATOR, open(96, Rules { tariff, ..RULES }), Error::BadRules);
    street.refused(OPERATOR, open(96, Rules { loss_ppm: 200_001, ..RULES }), Error::BadRules);
    street.refused(OPERATOR, open(3, RULES), Error::BadWindow);
    street.refused(OPERATOR, open(289, RULES), Error::BadWindow);
    street.done(STRANGER, open(288, RULES));
    assert_eq!(community(&street.lab.store, 2).unwrap().operator, account(STRANGER));
}

#[test]
fn only_whose_purse_it_is_takes_out_of_it_what_no_reading_holds() {
    let mut street = street(RULES);
    street.read(SLOT, &[(0, 1_000, 0), (1, 0, 600)]);
    street.refused(STRANGER, deposit(Purse::Member, 1), Error::NotMember);
    street.refused(STRANGER, deposit(Purse::Fees, 1), Error::NotOwner);
    street.refused(STRANGER, deposit(Purse::Grid, 0), Error::NothingToMove);
    street.done(STRANGER, deposit(Purse::Grid, 1));
    street.done(STRANGER, deposit(Purse::Fund, 7));
    let held = 1_000 * 300 + 2;
    street.refused(1, withdraw(Purse::Member, 1, DEPOSIT - held + 1), Error::NotEnough);
    street.done(1, withdraw(Purse::Member, 1, DEPOSIT - held));
    street.refused(OPERATOR, withdraw(Purse::Grid, OPERATOR, 1), Error::NotOwner);
    street.refused(GRID, withdraw(Purse::Grid, GRID, DEPOSIT), Error::NotEnough);
    street.done(GRID, withdraw(Purse::Grid, 2, DEPOSIT + 1 - 48_000));
    street.refused(GRID, withdraw(Purse::Fund, GRID, 1), Error::NotOwner);
    street.done(OPERATOR, withdraw(Purse::Fund, 2, 7));
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    street.refused(OPERATOR, withdraw(Purse::Fees, OPERATOR, 1), Error::NotOwner);
    street.done(NETWORK, withdraw(Purse::Fees, NETWORK, 30_000));
    street.refused(NETWORK, withdraw(Purse::Fees, NETWORK, 1), Error::NotEnough);
}

#[test]
fn members_leave_with_all_they_have_once_nothing_waits() {
    let mut street = street(RULES);
    street.read(SLOT, &[(0, 1_000, 0), (1, 0, 600)]);
    street.refused(STRANGER, admit(3), Error::NotOperator);
    street.refused(OPERATOR, admit(1), Error::AlreadyMember);
    street.refused(1, leave(1), Error::StillNeeded);
    street.refused(1, remove_meter(0), Error::StillNeeded);
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    street.refused(2, remove_meter(0), Error::NotOwner);
    street.done(1, remove_meter(0));
    street.refused(2, leave(1), Error::NotOperator);
    street.done(1, leave(1));
    assert_eq!(street.lab.balance(account(1), AssetId::NATIVE), WEALTH - 249_000);
    street.refused(1, leave(1), Error::NotMember);
    street.refused(1, deposit(Purse::Member, 1), Error::NotMember);
    // The other still has what it is owed, and the certificates of who left are counted.
    assert_eq!(street.community().certificates.left_wh, 600);
}

#[test]
fn nobody_brings_anothers_meter_or_one_twice() {
    let mut street = street(RULES);
    let stolen = street.add_meter(2, 5);
    street.refused(1, stolen, Error::BadSignature);
    let again = street.add_meter(1, 0);
    street.refused(1, again, Error::KeyTaken);
    let stranger = street.add_meter(STRANGER, 6);
    street.refused(STRANGER, stranger, Error::NotMember);
    let Action::AddMeter { key, proof, .. } = street.add_meter(1, 7) else { panic!() };
    let (community, source, connection_w) = (COMMUNITY, Source::Wind, 0);
    let none = Action::AddMeter { community, key, source, connection_w, proof };
    street.refused(1, none, Error::BadConnection);
    let more = street.add_meter(1, 7);
    street.done(1, more);
    assert_eq!(street.member(1).meters, 2);
}

#[test]
fn nobody_has_more_than_eight_meters() {
    let mut street = street(RULES);
    for number in 2..9 {
        let action = street.add_meter(1, number);
        street.done(1, action);
    }
    let ninth = street.add_meter(1, 9);
    street.refused(1, ninth, Error::TooMany);
    let others = street.add_meter(2, 9);
    street.done(2, others);
    street.done(1, remove_meter(0));
    let again = street.add_meter(1, 10);
    street.done(1, again);
}

#[test]
fn a_reading_is_its_meters_of_an_ended_slot_in_the_window() {
    let mut street = street(RULES);
    let good = street.next(0, SLOT, 10, 0);
    let other = Reading { meter: 1, ..good.clone() };
    street.refused(1, read(&[&other]), Error::BadSignature);
    let more = Content { import_wh: 9, ..good.content };
    street.refused(1, read(&[&Reading { content: more, ..good.clone() }]), Error::BadSignature);
    street.refused(1, read(&[&Reading { meter: 9, ..good.clone() }]), Error::NoMeter);
    street.refused(1, read(&[&Reading { community: 9, ..good.clone() }]), Error::NoCommunity);
    street.refused(1, read(&[]), Error::BadBatch);
    let (early, running) = (SLOT - 1, SLOT + 1);
    for slot in [early, running] {
        let reading = street.say(0, (slot, 0), good.content);
        street.refused(1, read(&[&reading]), Error::NotOpen);
    }
    // 20 kW are 5 kWh in a slot.
    let strong = street.say(0, (SLOT, 0), content(5_001, 0, (5_001, 0)));
    street.refused(1, read(&[&strong]), Error::TooMuch);
    street.done(STRANGER, read(&[&good]));
    street.refused(STRANGER, read(&[&good]), Error::NothingNew);
    let next = street.next(1, SLOT, 0, 20);
    street.done(STRANGER, read(&[&good, &next]));
    street.wait_slots(u64::from(WINDOW) + 1);
    let late = street.next(0, SLOT + 1, 10, 0);
    street.refused(1, read(&[&late]), Error::NotOpen);
}

#[test]
fn a_meter_that_is_not_trusted_enough_trades_nothing() {
    let mut street = street(Rules { trust_min: Trust::Retailer, ..RULES });
    let reading = street.next(0, SLOT, 10, 0);
    street.refused(1, read(&[&reading]), Error::Untrusted);
    street.refused(1, set_trust(0, Trust::Hardware), Error::NotOperator);
    street.done(OPERATOR, set_trust(0, Trust::Hardware));
    street.done(1, read(&[&reading]));
}

#[test]
fn counters_follow_from_those_before() {
    let mut street = street(RULES);
    street.read(SLOT, &[(0, 100, 5)]);
    street.wait_slots(3);
    let next = |street: &Street, slot, revision, totals| {
        let said = street.say(0, (slot, revision), content(10, 0, totals));
        read(&[&said])
    };
    let cases = [
        ((SLOT + 1, 0), (109, 5), "less than before"),
        ((SLOT + 1, 0), (111, 5), "more than was said of the slot"),
        ((SLOT + 1, 0), (9, 5), "less than the slot itself"),
        ((SLOT + 2, 0), (109, 5), "less than before, with a slot left out"),
        ((SLOT + 2, 0), (120, 4), "less given than before"),
    ];
    for ((slot, revision), totals, why) in cases {
        let action = next(&street, slot, revision, totals);
        assert_eq!(street.act(1, action).unwrap_err(), Error::BadCounters.code(), "{why}");
    }
    let action = next(&street, SLOT + 2, 0, (140, 5));
    street.done(1, action);
    let action = next(&street, SLOT + 1, 0, (110, 5));
    street.refused(1, action, Error::OutOfOrder);
    // A correction of the newest slot may count up, one of an earlier slot may not.
    let action = next(&street, SLOT + 2, 1, (150, 5));
    street.done(1, action);
    let up = street.say(0, (SLOT, 1), content(101, 5, (101, 5)));
    street.refused(1, read(&[&up]), Error::BadCounters);
    let down = street.say(0, (SLOT, 1), content(99, 5, (99, 5)));
    street.done(1, read(&[&down]));
    assert_eq!(meter(&street.lab.store, COMMUNITY, 0).unwrap().last.unwrap().import_wh, 150);
}

#[test]
fn a_first_reading_may_have_any_revision_and_what_was_said_under_another_shows_nothing() {
    let mut street = street(RULES);
    // Signed, and in no block in time: whoever carried it has it.
    let lost = street.say(0, (SLOT, 0), content(40, 0, (40, 0)));
    let again = street.say(0, (SLOT, 1), content(30, 0, (30, 0)));
    street.done(1, read(&[&again]));
    assert_eq!((street.record(SLOT, 0).revision, street.member(1).held), (1, 9_002));
    street.refused(STRANGER, accuse(&lost, &again), Error::NoEvidence);
    street.refused(STRANGER, read(&[&lost]), Error::NothingNew);
}

#[test]
fn what_a_reading_may_cost_is_covered_or_it_is_not_taken() {
    let mut street = street(RULES);
    street.done(1, withdraw(Purse::Member, 1, DEPOSIT - 300_001));
    let reading = street.next(0, SLOT, 1_000, 0);
    street.refused(1, read(&[&reading]), Error::NotCovered);
    street.done(1, deposit(Purse::Member, 1));
    street.done(1, read(&[&reading]));
    assert_eq!((street.member(1).free, street.member(1).held), (0, 300_002));
    street.done(GRID, withdraw(Purse::Grid, GRID, DEPOSIT - 7_999));
    let reading = street.next(1, SLOT, 0, 100);
    street.refused(2, read(&[&reading]), Error::GridNotCovered);
    street.done(STRANGER, deposit(Purse::Grid, 1));
    street.done(2, read(&[&reading]));
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
}

#[test]
fn a_meter_that_contradicts_itself_is_cut_and_counts_no_more() {
    let mut street = street(RULES);
    street.read(SLOT, &[(0, 1_000, 0), (1, 0, 600)]);
    let first = street.say(1, (SLOT, 0), content(0, 600, (0, 600)));
    let second = street.say(1, (SLOT, 0), content(0, 700, (0, 700)));
    street.refused(2, read(&[&second]), Error::Contradicts);
    let later = street.say(1, (SLOT, 1), content(0, 700, (0, 700)));
    street.refused(1, accuse(&first, &later), Error::NoEvidence);
    street.refused(1, accuse(&first, &first), Error::NoEvidence);
    let forged = Reading { content: second.content, ..first.clone() };
    street.refused(1, accuse(&first, &forged), Error::BadSignature);
    street.done(STRANGER, accuse(&first, &second));
    street.refused(STRANGER, accuse(&first, &second), Error::Cut);
    street.refused(2, read(&[&later]), Error::Cut);
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    assert_eq!((street.gained(1), street.gained(2)), (-300_000, 0), "all of it from the grid");
    assert!(street.record(SLOT, 1).due.is_none());
    // Its key does not come back by its owner's doing.
    street.refused(2, remove_meter(1), Error::Cut);
    street.done(OPERATOR, remove_meter(1));
}

#[test]
fn a_meter_that_trades_more_than_it_metered_is_cut() {
    let mut street = street(RULES);
    let honest = street.next(0, SLOT, 100, 0);
    street.refused(2, expose(&honest, opening(100, 0)), Error::NoEvidence);
    street.refused(2, expose(&honest, opening(99, 0)), Error::NoEvidence);
    let commitment = opening(0, 500).commitment();
    let lie = Content { commitment, ..content(0, 600, (0, 600)) };
    let lie = street.say(1, (SLOT, 0), lie);
    street.done(STRANGER, read(&[&lie]));
    street.done(1, expose(&lie, opening(0, 500)));
    assert!(meter(&street.lab.store, COMMUNITY, 1).unwrap().cut);
    street.done(1, read(&[&honest]));
}

#[test]
fn lists_are_bounded() {
    let mut street = street(RULES);
    let long: Vec<Reading> = (0..65).map(|_| street.next(0, SLOT, 0, 0)).collect();
    street.refused(1, Action::Read { readings: long }, Error::BadBatch);
    let readings_max = 129;
    let many = Action::Settle { community: COMMUNITY, slot: SLOT, readings_max };
    street.refused(1, many, Error::BadBatch);
    for change in 0..9 {
        let outcome = street.act(1, set_limits(0, change, 0));
        assert!(outcome.is_ok(), "old limits go when no slot needs them");
        street.wait_slots(1);
    }
    street.refused(1, set_limits(0, 1_000_000_001, 0), Error::BadLimits);
    street.refused(2, set_limits(0, 1, 0), Error::NotOwner);
    let friend = |meter| Some(Friend { meter, price: 1 });
    street.refused(1, set_friend(0, friend(0)), Error::BadLimits);
    street.refused(1, set_friend(0, friend(7)), Error::NoMeter);
    street.refused(2, set_friend(0, friend(1)), Error::NotOwner);
    let from = street.now() + 96;
    for later in 0..7 {
        street.done(OPERATOR, set_rules(from + later, RULES));
    }
    street.refused(OPERATOR, set_rules(from + 7, RULES), Error::TooOften);
}
