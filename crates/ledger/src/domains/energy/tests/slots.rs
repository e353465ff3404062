//! What slots come to.

use super::*;

const SLOT: u64 = START + 1;

/// Meters read the first slot there is, and its window ends.
fn settled(households: u32, rules: Rules, energy: &[(u32, u64, u64)]) -> Street {
    let mut street = Street::new(households, rules);
    street.wait_slots(2);
    street.read(SLOT, energy);
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    street
}

#[test]
fn neighbours_share_at_the_middle_and_the_grid_does_the_rest() {
    let street = settled(2, RULES, &[(0, 1_000, 0), (1, 0, 600)]);
    // 600 Wh at 16.5 and 5 cents, 400 Wh at 30 cents.
    assert_eq!(street.gained(1), -129_000 - 120_000);
    assert_eq!(street.gained(2), 99_000);
    let funds = street.community().funds;
    assert_eq!((funds.grid_free, funds.grid_held), (DEPOSIT + 120_000, 0));
    assert_eq!((funds.fees, funds.fund), (30_000, 0));
    let summary = street.slot(SLOT).summary.unwrap();
    assert_eq!((summary.volume_wh, summary.price), (600, 165_000));
    assert_eq!((summary.grid_in_wh, summary.grid_out_wh), (400, 0));
}

#[test]
fn what_rounding_leaves_goes_to_the_community() {
    let street = settled(3, RULES, &[(0, 1, 0), (1, 0, 1), (2, 0, 1)]);
    // 1 Wh at 16.5 cents a kWh is 165 units, of 5 cents 50: nothing to round but with other prices.
    assert_eq!(street.community().funds.fund, 0);
    let tariff = Tariff { retail: 300_001, feed_in: 80_001, grid_fee: 50_001 };
    let street = settled(2, Rules { tariff, ..RULES }, &[(0, 3, 0), (1, 0, 3)]);
    // The middle is 165 000: 3 Wh with the fee are 645.003, paid 646; the seller gets 495, the fee is
    // 150.
    assert_eq!((street.gained(1), street.gained(2)), (-646, 495));
    assert_eq!((street.community().funds.fees, street.community().funds.fund), (150, 1));
}

#[test]
fn a_silent_household_stops_nobody() {
    let street = settled(3, RULES, &[(0, 1_000, 0), (1, 0, 600)]);
    assert_eq!((street.gained(1), street.gained(2), street.gained(3)), (-249_000, 99_000, 0));
    assert_eq!(street.slot(SLOT).meters, [0, 1]);
}

#[test]
fn what_is_lost_on_the_way_is_not_for_neighbours() {
    let rules = Rules { loss_ppm: 100_000, ..RULES };
    let street = settled(2, rules, &[(0, 1_000, 0), (1, 0, 600)]);
    let summary = street.slot(SLOT).summary.unwrap();
    assert_eq!((summary.volume_wh, summary.grid_in_wh, summary.grid_out_wh), (540, 460, 60));
    // 540 Wh at 16.5 cents and 60 Wh at 8.
    assert_eq!(street.gained(2), 89_100 + 4_800);
}

#[test]
fn an_auction_keeps_limits_and_the_grid_settles_what_deviates() {
    let mut street = Street::new(4, auction());
    street.done(1, set_limits(0, 280_000, 0));
    street.done(2, set_limits(1, 200_000, 0));
    street.done(3, set_limits(2, 0, 120_000));
    street.done(4, set_limits(3, 0, 190_000));
    street.wait_slots(2);
    street.read(SLOT, &[(0, 500, 0), (1, 400, 0), (2, 0, 700), (3, 0, 100)]);
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    // Net of the fee, 500 Wh bid 23 cents and 400 bid 15; 700 are offered at 12, 100 at 19. 700 Wh meet:
    // the last bid is not filled, so the price is 15.
    let summary = street.slot(SLOT).summary.unwrap();
    assert_eq!((summary.volume_wh, summary.price), (700, 150_000));
    assert_eq!(street.gained(1), -100_000);
    assert_eq!(street.gained(2), -40_000 - 60_000, "200 Wh of neighbours, 200 of the grid");
    assert_eq!(street.gained(3), 105_000);
    assert_eq!(street.gained(4), 8_000, "too dear for neighbours: the grid's feed-in");
    assert_eq!((summary.grid_in_wh, summary.grid_out_wh), (200, 100));
    assert_eq!(street.community().funds.fees, 35_000);
}

#[test]
fn who_sets_no_limits_asks_for_what_the_grid_gives() {
    let street = settled(2, auction(), &[(0, 1_000, 0), (1, 0, 600)]);
    // Between 8 and 30 - 5 cents; the bid is not filled, so the buyer pays all that neighbours may.
    let summary = street.slot(SLOT).summary.unwrap();
    assert_eq!((summary.volume_wh, summary.price), (600, 250_000));
    assert_eq!(street.gained(1), -300_000);
}

#[test]
fn a_friend_is_served_first_at_a_price_between_feed_in_and_the_middle() {
    for (asked, price) in [(100_000, 100_000), (0, 80_000), (900_000, 165_000)] {
        let mut street = Street::new(3, RULES);
        street.done(3, set_friend(2, Some(Friend { meter: 1, price: asked })));
        street.wait_slots(2);
        street.read(SLOT, &[(0, 500, 0), (1, 500, 0), (2, 0, 600)]);
        street.wait_slots(WINDOW.into());
        street.settle(SLOT);
        // The friend has all of its 500 Wh, the other the 100 that are left.
        let price = i128::from(price);
        assert_eq!(street.gained(2), -(price + 50_000) / 2);
        assert_eq!(street.gained(1), -21_500 - 120_000);
        assert_eq!(street.gained(3), price / 2 + 16_500);
        let summary = street.slot(SLOT).summary.unwrap();
        assert_eq!((summary.volume_wh, summary.fees, summary.residue), (600, 30_000, 0));
    }
}

#[test]
fn a_friend_that_is_silent_or_will_not_pay_that_much_takes_nothing_from_others() {
    let mut street = Street::new(3, auction());
    street.done(3, set_friend(2, Some(Friend { meter: 1, price: 100_000 })));
    street.done(2, set_friend(1, Some(Friend { meter: 2, price: 0 })));
    street.done(2, set_limits(1, 149_999, 0));
    street.wait_slots(4);
    street.read(SLOT, &[(0, 500, 0), (2, 0, 600)]);
    street.read(SLOT + 1, &[(0, 500, 0), (1, 500, 0), (2, 0, 600)]);
    street.wait_slots(WINDOW.into());
    for slot in [SLOT, SLOT + 1] {
        street.settle(slot);
        assert_eq!(street.record(slot, 0).due.unwrap().local_import_wh, 500);
    }
    // The friend bids for what is left, like anybody.
    assert_eq!(street.record(SLOT + 1, 1).due.unwrap().local_import_wh, 100);
}

#[test]
fn nobody_pays_a_friend_more_than_the_auction_asks_unless_both_are_friends() {
    // 600 Wh offered for 500: the price is 8 cents, the friend's 16.5, and 5 for the way.
    for (back, paid) in [(None, 65_000), (Some(2), 65_000), (Some(1), 107_500)] {
        let mut street = Street::new(3, auction());
        street.done(2, set_friend(1, Some(Friend { meter: 0, price: 165_000 })));
        street.done(1, set_friend(0, back.map(|meter| Friend { meter, price: 0 })));
        street.wait_slots(2);
        street.read(SLOT, &[(0, 500, 0), (1, 0, 600)]);
        street.wait_slots(WINDOW.into());
        street.settle(SLOT);
        assert_eq!(street.gained(1), -paid, "{back:?}");
    }
}

#[test]
fn limits_hold_from_the_next_slot_on() {
    let mut street = Street::new(2, auction());
    street.wait_slots(2);
    street.done(1, set_limits(0, 0, 0));
    street.read(SLOT, &[(0, 100, 0), (1, 0, 100)]);
    assert_eq!(street.record(SLOT, 0).limits, RULES.standing(), "the slot had ended before");
    street.wait_slots(2);
    street.read(SLOT + 2, &[(0, 100, 0), (1, 0, 100)]);
    assert_eq!(street.record(SLOT + 2, 0).limits, Limits { buy: 0, sell: 0 });
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    street.settle(SLOT + 2);
    assert_eq!(street.slot(SLOT).summary.unwrap().volume_wh, 100);
    assert_eq!(street.slot(SLOT + 2).summary.unwrap().volume_wh, 0);
}

#[test]
fn a_slot_is_settled_when_its_window_is_over_and_once() {
    let mut street = Street::new(2, RULES);
    street.wait_slots(2);
    street.read(SLOT, &[(0, 1_000, 0), (1, 0, 600)]);
    street.refused(STRANGER, settle(SLOT), Error::TooEarly);
    street.wait_slots(u64::from(WINDOW) - 1);
    street.refused(STRANGER, settle(SLOT), Error::TooEarly);
    let late = street.next(0, SLOT + 1, 1, 0);
    street.done(STRANGER, read(&[&late]));
    street.wait_slots(1);
    let few = Action::Settle { community: COMMUNITY, slot: SLOT, readings_max: 1 };
    street.refused(STRANGER, few, Error::MoreReadings);
    let events = street.settle(SLOT);
    assert_eq!(events.len(), 3, "the slot and what each meter has of it");
    street.refused(STRANGER, settle(SLOT), Error::Settled);
    street.refused(STRANGER, settle(SLOT + 7), Error::NoSlot);
}

#[test]
fn a_correction_replaces_what_was_said_until_the_window_is_over() {
    let mut street = Street::new(2, RULES);
    street.wait_slots(2);
    street.read(SLOT, &[(0, 1_000, 0), (1, 0, 600)]);
    let better = street.say(0, (SLOT, 1), content(800, 0, (800, 0)));
    street.done(STRANGER, read(&[&better]));
    street.refused(STRANGER, read(&[&better]), Error::NothingNew);
    let older = street.say(0, (SLOT, 0), content(1_000, 0, (1_000, 0)));
    street.refused(STRANGER, read(&[&older]), Error::NothingNew);
    assert_eq!(street.member(1).held, 800 * 300 + 2, "the cover is the correction's");
    street.wait_slots(WINDOW.into());
    let late = street.say(0, (SLOT, 2), content(1, 0, (1, 0)));
    street.refused(STRANGER, read(&[&late]), Error::NotOpen);
    street.settle(SLOT);
    assert_eq!(street.gained(1), -129_000 - 60_000);
    assert_eq!(street.member(1).held, 0);
}

#[test]
fn rules_change_with_a_days_notice_and_not_for_slots_before() {
    let mut street = Street::new(2, RULES);
    let from = street.now() + 96;
    street.refused(OPERATOR, set_rules(from - 1, auction()), Error::TooSoon);
    street.refused(1, set_rules(from, auction()), Error::NotOperator);
    street.done(OPERATOR, set_rules(from, auction()));
    street.wait_slots(97);
    street.read(from - 1, &[(0, 10, 0), (1, 0, 10)]);
    street.read(from, &[(0, 10, 0), (1, 0, 10)]);
    assert_eq!(street.slot(from - 1).rules.mode, Mode::Sharing);
    assert_eq!(street.slot(from).rules.mode, Mode::Auction);
    // What is announced later takes the place of what was announced for later.
    let now = street.now();
    street.done(OPERATOR, set_rules(now + 200, RULES));
    street.done(OPERATOR, set_rules(now + 100, Rules { loss_ppm: 1, ..RULES }));
    let rules = street.community().rules;
    assert_eq!(rules.last().unwrap(), &(now + 100, Rules { loss_ppm: 1, ..RULES }));
    assert_eq!(rules.len(), 3, "the first still holds for a slot that may be read");
}

#[test]
fn certificates_move_with_the_trade_and_the_rest_is_claimed_once() {
    let mut street = settled(3, RULES, &[(0, 400, 0), (1, 0, 600), (2, 0, 400)]);
    let (first, second) =
        (street.record(SLOT, 1).due.unwrap(), street.record(SLOT, 2).due.unwrap());
    assert_eq!((first.local_export_wh, second.local_export_wh), (240, 160));
    assert_eq!(street.member(1).claimed_wh, 400, "used up by who took the energy");
    assert_eq!(street.community().certificates.minted_wh, 1_000);
    street.refused(3, claim(SLOT, 1, 1, 3), Error::NotOwner);
    street.refused(2, claim(SLOT, 1, 361, 3), Error::NoCertificates);
    street.refused(2, claim(SLOT, 1, 1, STRANGER), Error::NotMember);
    street.done(2, claim(SLOT, 1, 300, 3));
    street.refused(2, claim(SLOT, 1, 61, 2), Error::NoCertificates);
    street.done(2, claim(SLOT, 1, 60, 2));
    street.refused(2, claim(SLOT, 1, 1, 2), Error::NoCertificates);
    assert_eq!((street.member(3).claimed_wh, street.member(2).claimed_wh), (300, 60));
    assert_eq!(street.community().certificates.claimed_wh, 760);
}

#[test]
fn settled_slots_are_forgotten_after_a_month_of_them() {
    let mut street = Street::new(2, RULES);
    let (who, stranger) = (account(1), account(STRANGER));
    // Laws are asked once at the end: each asking reads all that is kept.
    let quiet = |street: &mut Street, signer, action: Action| {
        let mut state = ledger::Overlay::new(&street.lab.store);
        let action = ledger::Action::Energy(action);
        ledger::execute(&street.lab.context, signer, &action, &mut state).unwrap();
        let (changes, _) = state.into_parts();
        street.lab.store.commit(changes);
    };
    street.wait_slots(1);
    let kept = u64::from(super::super::KEPT_SLOTS);
    let slots = kept + 3;
    for slot in SLOT..SLOT + slots {
        street.wait_slots(1);
        let reading = street.next(0, slot, 0, 10);
        quiet(&mut street, who, read(&[&reading]));
        if slot == SLOT {
            let second = street.next(1, slot, 0, 0);
            quiet(&mut street, who, read(&[&second]));
        }
        if slot > SLOT + u64::from(WINDOW) {
            quiet(&mut street, stranger, settle(slot - u64::from(WINDOW) - 1));
        }
    }
    ledger::laws(&street.lab.store).unwrap();
    street.wait_slots(WINDOW.into());
    let of = |slot, readings_max| Action::Settle { community: COMMUNITY, slot, readings_max };
    for slot in SLOT + slots - u64::from(WINDOW) - 1..SLOT + slots {
        // The first that takes a place forgets two readings, the others one like their own.
        let first = slot == SLOT + kept;
        if first {
            street.refused(STRANGER, of(slot, 1), Error::MoreReadings);
        }
        quiet(&mut street, stranger, of(slot, if first { 2 } else { 1 }));
    }
    ledger::laws(&street.lab.store).unwrap();
    assert!(slot(&street.lab.store, COMMUNITY, SLOT + 2).is_none());
    assert!(slot(&street.lab.store, COMMUNITY, SLOT + 3).is_some());
    assert_eq!(street.community().certificates.expired_wh, 30);
}
