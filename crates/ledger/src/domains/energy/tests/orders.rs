//! Orders before a slot begins, and what comes of them.

use proptest::prelude::*;

use super::*;
use crate::domains::energy::Booked;

/// Orders are for this slot; it ends three slots after the street came together.
const SLOT: u64 = START + 2;

/// The slot ends and meters read it; then its window ends and it is settled.
fn deliver(street: &mut Street, energy: &[(u32, u64, u64)]) {
    street.wait_slots(3);
    if !energy.is_empty() {
        street.read(SLOT, energy);
    }
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
}

/// Household 2 sells 600 Wh at 12 cents to household 1, who wanted 1,000 for 20 at most.
fn dealt() -> Street {
    let mut street = Street::new(3, book());
    street.done(2, sell(SLOT, 1, 120_000, 600));
    street.done(1, buy(SLOT, 0, 200_000, 1_000));
    street
}

#[test]
fn who_comes_trades_at_the_price_of_who_waits_and_all_it_can_cost_is_held() {
    let street = dealt();
    let waiting = order_book(&street.lab.store, COMMUNITY, SLOT).unwrap().waiting;
    let left: Vec<(u64, u32, u64, u64)> =
        waiting.iter().map(|one| (one.order, one.meter, one.price, one.quantity_wh)).collect();
    assert_eq!(left, [(1, 0, 150_000, 400)], "without the fee of 5 cents");
    // 600 Wh at 17 cents and 400 at 20; what is sold and missing costs 30.
    assert_eq!(street.member(1).held, 102_000 + 80_000 + 1);
    assert_eq!(street.member(2).held, 180_000 + 1);
    assert_eq!(street.community().funds.grid_held, 48_000);
}

#[test]
fn what_was_traded_is_settled_against_what_was_measured() {
    let mut street = dealt();
    deliver(&mut street, &[(0, 700, 0), (1, 0, 650)]);
    // 600 Wh at 12 and 5 cents, 100 from the grid; 50 to the grid.
    assert_eq!(street.gained(1), -102_000 - 30_000);
    assert_eq!(street.gained(2), 72_000 + 4_000);
    let summary = street.slot(SLOT).summary.unwrap();
    assert_eq!((summary.volume_wh, summary.price, summary.fees), (600, 120_000, 30_000));
    assert_eq!((summary.grid_in_wh, summary.grid_out_wh), (100, 50));
    assert_eq!(street.member(1).claimed_wh, 600, "certificates move with what was delivered");
    assert_eq!((street.member(1).held, street.member(2).held), (0, 0));
}

#[test]
fn who_sold_and_is_silent_buys_it_from_the_grid_and_who_bought_is_supplied() {
    let mut street = dealt();
    deliver(&mut street, &[(0, 600, 0)]);
    assert_eq!(street.gained(1), -102_000);
    assert_eq!(street.gained(2), 72_000 - 180_000);
    assert_eq!(street.slot(SLOT).summary.unwrap().volume_wh, 0, "nobody fed it in");
    let due = street.position(SLOT, 1).due.unwrap();
    assert_eq!((due.paid, due.got), (180_000, 72_000), "told with the position");
    assert_eq!(street.position(SLOT, 0).due, None, "told with the reading");
}

#[test]
fn who_bought_and_takes_nothing_gives_it_to_the_grid() {
    let mut street = dealt();
    deliver(&mut street, &[(1, 0, 600)]);
    assert_eq!(street.gained(1), -102_000 + 48_000);
    assert_eq!(street.gained(2), 72_000);
}

#[test]
fn a_book_without_trades_or_readings_is_settled_and_its_orders_end() {
    let mut street = Street::new(2, book());
    street.done(1, buy(SLOT, 0, 200_000, 1_000));
    deliver(&mut street, &[]);
    assert_eq!((street.gained(1), street.member(1).held), (0, 0));
    assert!(order_book(&street.lab.store, COMMUNITY, SLOT).unwrap().waiting.is_empty());
    street.refused(1, cancel(SLOT, 0), Error::NoOrder);
    street.done(1, remove_meter(0));
}

#[test]
fn a_meter_that_is_cut_still_owes_what_it_sold() {
    let mut street = dealt();
    street.wait_slots(3);
    street.read(SLOT, &[(0, 600, 0), (1, 0, 600)]);
    let first = street.say(1, (SLOT, 0), content(0, 600, (0, 600)));
    let second = street.say(1, (SLOT, 0), content(0, 700, (0, 700)));
    street.done(STRANGER, accuse(&first, &second));
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    assert_eq!((street.gained(1), street.gained(2)), (-102_000, 72_000 - 180_000));
    street.refused(2, sell(street.now() + 1, 1, 1, 1), Error::Cut);
}

#[test]
fn neither_retailer_nor_operator_keeps_a_seller_from_showing_what_it_delivered() {
    let mut street = dealt();
    let free = street.community().funds.grid_free;
    street.done(GRID, withdraw(Purse::Grid, GRID, free));
    street.done(OPERATOR, set_trust(1, Trust::SelfReported));
    let strict = Rules { trust_min: Trust::Retailer, ..book() };
    street.done(OPERATOR, set_rules(street.now() + 96, strict));
    deliver(&mut street, &[(0, 600, 0), (1, 0, 600)]);
    assert_eq!((street.gained(1), street.gained(2)), (-102_000, 72_000));
    assert_eq!(street.community().funds.grid_held, 0);
}

#[test]
fn who_was_trusted_when_it_traded_may_read_that_slot_still() {
    let mut street = Street::new(2, Rules { trust_min: Trust::Retailer, ..book() });
    street.refused(2, sell(SLOT, 1, 120_000, 600), Error::Untrusted);
    for meter in [0, 1] {
        street.done(OPERATOR, set_trust(meter, Trust::Retailer));
    }
    street.done(2, sell(SLOT, 1, 120_000, 600));
    street.done(1, buy(SLOT, 0, 200_000, 600));
    street.done(OPERATOR, set_trust(1, Trust::SelfReported));
    deliver(&mut street, &[(0, 600, 0), (1, 0, 600)]);
    assert_eq!(street.gained(2), 72_000);
    let next = street.next(1, street.now() - 1, 0, 10);
    street.refused(2, read(&[&next]), Error::Untrusted);
}

#[test]
fn friends_have_what_the_book_left() {
    let mut street = dealt();
    street.done(2, set_friend(1, Some(Friend { meter: 2, price: 100_000 })));
    deliver(&mut street, &[(0, 600, 0), (1, 0, 900), (2, 500, 0)]);
    // 600 Wh are sold, the friend takes the other 300 at 10 and 5 cents, and 200 from the grid.
    assert_eq!(street.gained(2), 72_000 + 30_000);
    assert_eq!(street.gained(3), -45_000 - 60_000);
    assert_eq!(street.slot(SLOT).summary.unwrap().volume_wh, 900);
}

#[test]
fn what_is_lost_on_the_way_can_not_be_delivered() {
    let mut street = Street::new(2, Rules { loss_ppm: 100_000, ..book() });
    street.done(2, sell(SLOT, 1, 120_000, 600));
    street.done(1, buy(SLOT, 0, 200_000, 600));
    deliver(&mut street, &[(0, 600, 0), (1, 0, 600)]);
    // 540 Wh arrive: 60 are bought from the grid, and those lost are the grid's at feed-in.
    assert_eq!(street.gained(2), 72_000 - 18_000 + 4_800);
    assert_eq!(street.slot(SLOT).summary.unwrap().volume_wh, 540);
}

#[test]
fn orders_are_of_an_owner_for_a_slot_of_a_book_that_has_not_begun() {
    let mut street = Street::new(2, book());
    let now = street.now();
    for slot in [now - 1, now, now + 96] {
        street.refused(1, buy(slot, 0, 200_000, 1), Error::GateClosed);
    }
    street.done(1, buy(now + 95, 0, 200_000, 1));
    street.refused(2, buy(SLOT, 0, 200_000, 1), Error::NotOwner);
    street.refused(1, buy(SLOT, 9, 200_000, 1), Error::NoMeter);
    street.refused(1, buy(SLOT, 0, 49_999, 1), Error::BelowFee);
    street.refused(1, buy(SLOT, 0, 200_000, 5_001), Error::TooMuch);
    street.refused(1, buy(SLOT, 0, 200_000, 0), Error::BadOrder);
    street.refused(1, buy(SLOT, 0, 1_000_000_001, 1), Error::BadOrder);
    for most in [0, TRADES_MAX + 1] {
        street.refused(1, order(Side::Buy, (SLOT, 0), 200_000, 1, most), Error::BadOrder);
    }
    street.done(1, buy(SLOT, 0, 50_000, 2_500));
    street.refused(1, buy(SLOT, 0, 200_000, 2_501), Error::TooMuch);
    street.done(1, buy(SLOT, 0, 60_000, 2_500));
    street.refused(1, sell(SLOT, 0, 200_000, 1), Error::TooManyOrders);
    street.done(2, withdraw(Purse::Member, 2, DEPOSIT - 300));
    street.refused(2, sell(SLOT, 1, 200_000, 1), Error::NotCovered);
    street.done(2, deposit(Purse::Member, 1));
    street.done(2, sell(SLOT, 1, 200_000, 1));
    let mut street = Street::new(2, RULES);
    street.refused(1, buy(SLOT, 0, 200_000, 1), Error::NoBook);
    street.done(GRID, withdraw(Purse::Grid, GRID, DEPOSIT));
    let from = street.now() + 96;
    street.done(OPERATOR, set_rules(from, book()));
    street.wait_slots(2);
    street.done(1, sell(from, 0, 100_000, 1));
    street.refused(2, buy(from, 1, 200_000, 1), Error::GridNotCovered);
    street.done(2, buy(from, 1, 140_000, 1));
    street.refused(1, sell(from, 0, 80_000, 1), Error::GridNotCovered);
    street.done(GRID, deposit(Purse::Grid, 80));
    street.done(2, buy(from, 1, 200_000, 1));
    assert_eq!(street.community().funds.grid_held, 80);
}

#[test]
fn offers_that_wait_hold_nothing_of_the_grids_and_trades_that_come_back_hold_no_more() {
    let mut street = Street::new(3, book());
    let free = street.community().funds.grid_free;
    street.done(2, sell(SLOT, 1, 120_000, 5_000));
    assert_eq!(street.community().funds.grid_free, free);
    street.done(1, buy(SLOT, 0, 200_000, 600));
    assert_eq!(street.community().funds.grid_held, 48_000, "what was sold");
    street.done(1, sell(SLOT, 0, 100_000, 600));
    street.done(3, buy(SLOT, 2, 200_000, 600));
    assert_eq!(street.community().funds.grid_held, 48_000, "sold on: nobody feeds it in twice");
}

#[test]
fn what_a_seller_gives_beyond_what_it_sold_is_taken_for_nothing_by_an_empty_retailer() {
    for (refill, got) in [(0, 72_000), (79, 72_000), (80, 72_080)] {
        let mut street = dealt();
        let free = street.community().funds.grid_free;
        street.done(GRID, withdraw(Purse::Grid, GRID, free));
        if refill > 0 {
            street.done(GRID, deposit(Purse::Grid, refill));
        }
        street.wait_slots(3);
        street.read(SLOT, &[(0, 600, 0), (1, 0, 601)]);
        assert_eq!(street.record(SLOT, 1).unpaid_wh, (refill < 80).then_some(1));
        street.wait_slots(WINDOW.into());
        street.settle(SLOT);
        assert_eq!((street.gained(1), street.gained(2)), (-102_000, got));
        assert_eq!(street.slot(SLOT).summary.unwrap().grid_out_wh, 1);
        assert_eq!(street.community().certificates.minted_wh, 601);
    }
}

#[test]
fn a_correction_is_paid_once_the_retailer_has_paid_in_and_who_sold_nothing_is_refused() {
    let mut street = dealt();
    let free = street.community().funds.grid_free;
    street.done(GRID, withdraw(Purse::Grid, GRID, free));
    street.wait_slots(3);
    street.read(SLOT, &[(1, 0, 700)]);
    let other = street.say(2, (SLOT, 0), content(0, 100, (0, 100)));
    street.refused(STRANGER, read(&[&other]), Error::GridNotCovered);
    street.done(GRID, deposit(Purse::Grid, 8_000));
    let again = street.say(1, (SLOT, 1), content(0, 700, (0, 700)));
    street.done(STRANGER, read(&[&again]));
    assert_eq!(street.record(SLOT, 1).unpaid_wh, None);
    street.refused(STRANGER, read(&[&other]), Error::GridNotCovered);
    street.wait_slots(WINDOW.into());
    street.settle(SLOT);
    assert_eq!(street.gained(2), 72_000 + 8_000);
}

#[test]
fn an_order_that_nobody_met_makes_no_meter_trusted() {
    let mut street = Street::new(2, Rules { trust_min: Trust::Retailer, ..book() });
    street.done(OPERATOR, set_trust(1, Trust::Retailer));
    street.done(2, sell(SLOT, 1, 120_000, 600));
    street.done(OPERATOR, set_trust(1, Trust::SelfReported));
    street.wait_slots(3);
    let said = street.say(1, (SLOT, 0), content(0, 600, (0, 600)));
    street.refused(STRANGER, read(&[&said]), Error::Untrusted);
}

#[test]
fn an_order_that_waits_is_taken_back_by_its_owner() {
    let mut street = dealt();
    street.refused(2, cancel(SLOT, 1), Error::NotOwner);
    street.refused(2, cancel(SLOT, 0), Error::NoOrder);
    street.refused(1, cancel(SLOT + 1, 0), Error::NoOrder);
    street.done(1, cancel(SLOT, 1));
    assert_eq!(street.member(1).held, 102_000 + 1, "what was traded stays");
    street.done(3, buy(SLOT, 2, 60_000, 10));
    street.refused(3, remove_meter(2), Error::StillNeeded);
    street.wait_slots(2);
    street.done(3, cancel(SLOT, 2));
    assert_eq!(street.member(3).held, 0);
    street.done(3, remove_meter(2));
}

#[test]
fn nobody_trades_with_themselves_and_an_order_meets_as_many_as_it_pays_for() {
    let mut street = Street::new(4, book());
    for (who, meter, limit) in [(1, 0, 90_000), (2, 1, 100_000), (3, 2, 110_000)] {
        street.done(who, sell(SLOT, meter, limit, 100));
    }
    // Household 1 passes its own offer over.
    street.done(1, buy(SLOT, 0, 200_000, 50));
    assert_eq!(street.position(SLOT, 1).booked.sold_wh, 50);
    // The cheapest, then what is left of the next; what is left of the order ends.
    street.done(4, order(Side::Buy, (SLOT, 3), 200_000, 500, 2));
    let sold = [0, 1, 2].map(|meter| street.position(SLOT, meter).booked.sold_wh);
    assert_eq!(sold, [100, 100, 0]);
    let position = street.position(SLOT, 3);
    assert_eq!((position.booked.bought_wh, position.bids_wh), (150, 0));
    let deals = order_book(&street.lab.store, COMMUNITY, SLOT).unwrap().deals;
    assert_eq!(deals.iter().map(|deal| deal.from).collect::<Vec<_>>(), [1, 0, 1]);
}

#[derive(Debug, Clone)]
struct Coming {
    who: u64,
    side: Side,
    limit: u64,
    quantity_wh: u64,
}

fn any_orders() -> impl Strategy<Value = Vec<Coming>> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let one = (1..5_u64, side, 60_001..320_000_u64, 1..900_u64);
    let coming = |(who, side, limit, quantity_wh)| Coming { who, side, limit, quantity_wh };
    prop::collection::vec(one.prop_map(coming), 1..24)
}

/// A street whose prices round, after these orders; each that was met was met within its limit.
fn traded(orders: &[Coming]) -> Result<Street, TestCaseError> {
    let tariff = Tariff { retail: 300_001, feed_in: 80_001, grid_fee: 50_001 };
    let mut street = Street::new(4, Rules { tariff, ..book() });
    for one in orders {
        let meter = u32::try_from(one.who - 1).unwrap();
        let place = order(one.side, (SLOT, meter), one.limit, one.quantity_wh, TRADES_MAX);
        let Ok(events) = street.act(one.who, place) else { continue };
        let deals = events.len() - 1;
        for event in &events[..deals] {
            // Community, slot, seller's meter, buyer's, Wh, price.
            let price = u64::try_from(event.numbers[5]).unwrap();
            let is_kept = match one.side {
                Side::Buy => price + tariff.grid_fee <= one.limit,
                Side::Sell => price >= one.limit,
            };
            prop_assert!(is_kept);
            prop_assert_ne!(event.accounts[0], event.accounts[1]);
        }
    }
    Ok(street)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Who delivers and takes what it traded pays and gets what was agreed, rounded once, and nothing goes
    /// to the grid.
    #[test]
    fn what_is_delivered_as_traded_costs_what_was_agreed(orders in any_orders()) {
        let mut street = traded(&orders)?;
        let booked: Vec<_> = (0..4)
            .filter_map(|meter| {
                let found = position(&street.lab.store, COMMUNITY, SLOT, meter)?;
                Some((meter, found.booked))
            })
            .collect();
        let energy: Vec<_> = booked
            .iter()
            .map(|(meter, one)| (*meter, one.net_bought_wh(), one.net_sold_wh()))
            .collect();
        prop_assume!(!energy.is_empty());
        deliver(&mut street, &energy);
        for (meter, one) in booked {
            let due = street.record(SLOT, meter).due.unwrap();
            prop_assert_eq!(due.paid, one.cost.div_ceil(1_000));
            prop_assert_eq!(due.got, one.revenue / 1_000);
            prop_assert_eq!(due.local_import_wh, one.net_bought_wh());
            prop_assert_eq!(due.local_export_wh, one.net_sold_wh());
        }
        let summary = street.slot(SLOT).summary.unwrap();
        prop_assert_eq!((summary.grid_in_wh, summary.grid_out_wh), (0, 0));
    }

    /// Whatever is measured, and who is silent, a slot is settled although everybody took out what nothing
    /// holds: every purse's covers are enough, the grid's too.
    #[test]
    fn covers_are_enough_whatever_is_measured(
        orders in any_orders(),
        energy in prop::collection::vec((any::<bool>(), 0..1_500_u64, 0..1_500_u64), 4),
        grid_has in prop_oneof![Just(DEPOSIT), 0..200_000_u128],
    ) {
        let mut street = traded(&orders)?;
        street.wait_slots(3);
        let spoken = (0..).zip(&energy).filter(|(_, (is_silent, ..))| !is_silent);
        let said: Vec<_> = spoken.map(|(meter, (_, i, e))| (meter, *i, *e)).collect();
        let free = street.community().funds.grid_free;
        // What nobody took out beforehand.
        if let Some(amount) = free.checked_sub(grid_has).filter(|amount| *amount > 0) {
            street.done(GRID, withdraw(Purse::Grid, GRID, amount));
        }
        for (meter, import_wh, export_wh) in said {
            let one = street.next(meter, SLOT, import_wh, export_wh);
            let place = position(&street.lab.store, COMMUNITY, SLOT, meter);
            let has_traded = place.is_some_and(|one| one.booked != Booked::default());
            if let Err(code) = street.act(STRANGER, read(&[&one])) {
                prop_assert!(!has_traded && code == Error::GridNotCovered.code());
            }
        }
        prop_assume!(slot(&street.lab.store, COMMUNITY, SLOT).is_some());
        for who in 1..5 {
            let free = street.member(who).free;
            street.done(who, withdraw(Purse::Member, who, free));
        }
        let free = street.community().funds.grid_free;
        if free > 0 {
            street.done(GRID, withdraw(Purse::Grid, GRID, free));
        }
        street.wait_slots(WINDOW.into());
        street.settle(SLOT);
    }
}
