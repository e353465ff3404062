//! The mechanisms alone: auctions, sharing, deviations, the book.

use proptest::prelude::*;

use super::super::*;
use crate::testing::account;

fn orders(first: u64, of: &[(u64, u64)]) -> Vec<Order> {
    (first..)
        .zip(of)
        .map(|(id, (limit, quantity_wh))| Order {
            id,
            owner: account(id),
            limit: *limit,
            quantity_wh: *quantity_wh,
        })
        .collect()
}

fn any_orders() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..40_u64, 0..12_u64), 0..12)
}

/// The best welfare there is, found Wh by Wh: the best bids with the cheapest offers.
fn best(bids: &[Order], offers: &[Order], fee: u64) -> (u64, i128) {
    let each = |orders: &[Order], fee: u64| {
        let net = |order: &Order| i128::from(order.limit) - i128::from(fee);
        let times = |order: &Order| usize::try_from(order.quantity_wh).unwrap();
        let mut all: Vec<i128> =
            orders.iter().flat_map(|order| vec![net(order); times(order)]).collect();
        all.sort_unstable();
        all
    };
    let (mut demand, supply) = (each(bids, fee), each(offers, 0));
    demand.reverse();
    let gains = demand.iter().zip(&supply).map(|(bid, offer)| bid - offer);
    let gains: Vec<i128> = gains.take_while(|gain| *gain >= 0).collect();
    (u64::try_from(gains.len()).unwrap(), gains.iter().sum())
}

fn welfare(clearing: &Clearing, bids: &[Order], offers: &[Order], fee: u64) -> i128 {
    let limit = |orders: &[Order], id: u64| {
        i128::from(orders.iter().find(|order| order.id == id).unwrap().limit)
    };
    let value =
        |fill: &Fill| i128::from(fill.quantity_wh) * (limit(bids, fill.id) - i128::from(fee));
    let cost = |fill: &Fill| i128::from(fill.quantity_wh) * limit(offers, fill.id);
    clearing.buys.iter().map(value).sum::<i128>() - clearing.sells.iter().map(cost).sum::<i128>()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_auction_is_the_best_there_is_and_fair_to_every_limit(
        bids in any_orders(), offers in any_orders(), fee in 0..10_u64,
    ) {
        let (bids, offers) = (orders(0, &bids), orders(50, &offers));
        let (volume, most) = best(&bids, &offers, fee);
        let Some(clearing) = clear(&bids, &offers, fee) else {
            prop_assert_eq!(volume, 0);
            return Ok(());
        };
        prop_assert_eq!(clearing.volume_wh, volume);
        prop_assert_eq!(welfare(&clearing, &bids, &offers, fee), most);
        prop_assert!(clearing.low <= clearing.price && clearing.price <= clearing.high);
        let sum = |fills: &[Fill]| fills.iter().map(|fill| fill.quantity_wh).sum::<u64>();
        prop_assert_eq!(sum(&clearing.buys), volume);
        prop_assert_eq!(sum(&clearing.sells), volume);
        prop_assert_eq!(clearing.flows.iter().map(|flow| flow.quantity_wh).sum::<u64>(), volume);
        for fill in &clearing.buys {
            let order = bids.iter().find(|order| order.id == fill.id).unwrap();
            prop_assert!(fill.quantity_wh <= order.quantity_wh);
            prop_assert!(fill.money <= ceil_cost(fill.quantity_wh, order.limit));
        }
        for fill in &clearing.sells {
            let order = offers.iter().find(|order| order.id == fill.id).unwrap();
            prop_assert!(fill.quantity_wh <= order.quantity_wh);
            prop_assert!(fill.money >= floor_cost(fill.quantity_wh, order.limit));
        }
        let money = |fills: &[Fill]| fills.iter().map(|fill| fill.money).sum::<u128>();
        let out = money(&clearing.sells) + clearing.grid_fees + clearing.residue;
        prop_assert_eq!(money(&clearing.buys), out);
        // No order better than the price waits while the other side could serve it.
        for order in &bids {
            let got = clearing.buys.iter().find(|fill| fill.id == order.id);
            let got = got.map_or(0, |fill| fill.quantity_wh);
            prop_assert!(got == order.quantity_wh || order.limit <= clearing.price + fee);
        }
    }

    #[test]
    fn the_order_of_arrival_changes_nothing(
        bids in any_orders(), offers in any_orders(), seed in any::<u64>(),
    ) {
        let (bids, offers) = (orders(0, &bids), orders(50, &offers));
        let (mut mixed_bids, mut mixed_offers) = (bids.clone(), offers.clone());
        let mut rng = primitives::Seed::from_number(seed).rng();
        rng.shuffle(&mut mixed_bids);
        rng.shuffle(&mut mixed_offers);
        prop_assert_eq!(clear(&bids, &offers, 3), clear(&mixed_bids, &mixed_offers, 3));
    }

    #[test]
    fn sharing_balances_energy_and_money(
        readings in prop::collection::vec((0..5_000_u64, 0..5_000_u64), 0..15),
        retail in 0..400_000_u64, feed_in in 0..200_000_u64, grid_fee in 0..50_000_u64,
    ) {
        let readings: Vec<Metered> = (0..)
            .zip(readings)
            .map(|(id, (import_wh, export_wh))| Metered { id, import_wh, export_wh })
            .collect();
        let tariff = Tariff { retail: retail + feed_in + grid_fee, feed_in, grid_fee };
        prop_assert!(tariff.is_sound());
        let shared = share(&readings, &tariff);
        let sum = |of: fn(&Part) -> u64| shared.parts.iter().map(of).sum::<u64>();
        prop_assert_eq!(sum(|part| part.local_import_wh), shared.volume_wh);
        prop_assert_eq!(sum(|part| part.local_export_wh), shared.volume_wh);
        let total: i128 = shared.parts.iter().map(Part::total).sum();
        let others = sharing::signed(shared.residue + shared.grid_fees) + shared.grid_net;
        prop_assert_eq!(total + others, 0);
        for part in &shared.parts {
            // Nobody is worse off than with the grid alone, but for a rounding.
            let Metered { import_wh, export_wh, .. } = part.metered;
            let alone = sharing::signed(floor_cost(export_wh, feed_in))
                - sharing::signed(ceil_cost(import_wh, tariff.retail));
            prop_assert!(part.total() >= alone - 2);
        }
    }

    #[test]
    fn deviations_are_the_grids_and_balance(
        slot in prop::collection::vec((0..900_u64, 0..900_u64, 0..900_u64, 0..900_u64), 0..15),
    ) {
        let traded = |(id, (import_wh, export_wh, sold_wh, bought_wh))| {
            Traded { metered: Metered { id, import_wh, export_wh }, sold_wh, bought_wh }
        };
        let slot: Vec<Traded> = (0..).zip(slot).map(traded).collect();
        let tariff = Tariff { retail: 300_000, feed_in: 80_000, grid_fee: 0 };
        let settled = settle(&slot, &tariff);
        let money: i128 = settled.deviations.iter().map(|one| one.money).sum();
        prop_assert_eq!(money + settled.grid_net, 0);
        let energy: i128 = settled.deviations.iter().map(|one| one.position_wh).sum();
        let grid = sharing::signed(settled.grid_out_wh) - sharing::signed(settled.grid_in_wh);
        prop_assert_eq!(energy, grid);
    }

    #[test]
    fn a_book_keeps_limits_conserves_energy_and_does_not_stay_crossed(
        arrivals in prop::collection::vec((any::<bool>(), 1..20_u64, 1..9_u64, 0..4_u64), 1..40),
    ) {
        let mut book = Book::new();
        let (mut placed, mut traded) = (0_u64, 0_u64);
        for (id, (buys, limit, quantity_wh, who)) in (0..).zip(arrivals) {
            let order = Order { id, owner: account(who), limit, quantity_wh };
            placed += quantity_wh;
            for trade in book.place(if buys { Side::Buy } else { Side::Sell }, order) {
                traded += trade.quantity_wh;
                let kept = if buys { trade.price <= limit } else { trade.price >= limit };
                prop_assert!(kept);
                prop_assert_ne!(trade.seller, trade.buyer);
            }
        }
        let resting = book.resting();
        let left: u64 = resting.iter().map(|one| one.order.quantity_wh).sum();
        prop_assert_eq!(placed, left + 2 * traded);
        let side = |side: Side| resting.iter().filter(move |one| one.side == side);
        for (bid, offer) in side(Side::Buy).flat_map(|bid| side(Side::Sell).map(move |o| (bid, o))) {
            let crossed = bid.order.limit >= offer.order.limit;
            prop_assert!(!crossed || bid.order.owner == offer.order.owner);
        }
    }

    /// A book that is put down and taken up between any two orders is the same book.
    #[test]
    fn a_book_that_is_resumed_goes_on_as_it_was(
        arrivals in prop::collection::vec((any::<bool>(), 1..20_u64, 1..9_u64, 0..4_u64), 1..40),
        most in 1..4_usize,
    ) {
        let mut book = Book::new();
        for (id, (buys, limit, quantity_wh, who)) in (0..).zip(arrivals) {
            let order = Order { id, owner: account(who), limit, quantity_wh };
            let side = if buys { Side::Buy } else { Side::Sell };
            let mut other = Book::resumed(book.resting(), id);
            let trades = book.place_within(side, order, most);
            prop_assert_eq!(&trades, &other.place_within(side, order, most));
            prop_assert!(trades.len() <= most);
            prop_assert_eq!(book.resting(), other.resting());
        }
    }

    #[test]
    fn parts_add_up_and_stay_below_their_weights(
        weights in prop::collection::vec(0..1_000_u64, 1..12), share in 0..100_u64,
    ) {
        let sum: u64 = weights.iter().sum();
        let total = sum * share / 100;
        let parts = pro_rata(total, &weights);
        prop_assert_eq!(parts.iter().sum::<u64>(), total);
        prop_assert!(parts.iter().zip(&weights).all(|(part, weight)| part <= weight));
    }
}
