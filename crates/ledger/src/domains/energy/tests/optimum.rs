//! Auctions and books held against a linear program that another crate solves.
//!
//! The program knows nothing of sorting and of margins: how much each order gets is free between nothing and
//! its quantity, what is bought is sold, and the sum of what buyers value less what sellers want is to be as
//! large as it can be; of all such answers the one with the most energy. Numbers are small enough that floats
//! tell neighbouring whole numbers apart.

use microlp::{ComparisonOp, LinearExpr, OptimizationDirection, Problem, Variable};
use proptest::prelude::*;

use super::super::*;
use crate::testing::account;

/// Dearest limit, in millionths per kWh.
const LIMIT_MAX: u64 = 5_000;
/// Most Wh of an order.
const ORDER_MAX_WH: u64 = 900;
/// Whole numbers differ by one, and the solver keeps 10^-7.
const NEAR: f64 = 0.05;

/// A limit and Wh.
type Quote = (u64, u64);

fn orders(first: u64, of: &[Quote]) -> Vec<Order> {
    let order = |(id, (limit, quantity_wh)): (u64, &Quote)| {
        let (limit, quantity_wh) = (*limit, *quantity_wh);
        Order { id, owner: account(id), limit, quantity_wh }
    };
    (first..).zip(of).map(order).collect()
}

/// Few prices, so that many are alike, or any; none, one or many orders, some of nothing.
fn quotes(above: u64) -> impl Strategy<Value = Vec<Quote>> {
    let wh = || prop_oneof![1 => Just(0), 6 => 1..=ORDER_MAX_WH];
    let (few, any) = ((0..6_u64).prop_map(move |step| above + 500 * step), above..LIMIT_MAX);
    prop_oneof![
        prop::collection::vec((few, wh()), 0..16),
        prop::collection::vec((any, wh()), 0..16),
    ]
}

/// Bids and offers: mixed, all bids above all offers, or all below.
fn books() -> impl Strategy<Value = (Vec<Quote>, Vec<Quote>, u64)> {
    let part = prop_oneof![Just((0, 0)), Just((2_400, 0)), Just((0, 2_600))];
    part.prop_flat_map(|(bids, offers)| (quotes(bids), quotes(offers), 0..700_u64))
}

fn float(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

/// A number with a sign, as the solver counts.
fn signed_float(number: i128) -> f64 {
    let size = float(u64::try_from(number.unsigned_abs()).unwrap());
    if number < 0 { -size } else { size }
}

/// A flow of at most so many Wh: what a Wh of it is worth, and the orders that it takes from, which give no
/// more than they have.
struct Line {
    gain: f64,
    most_wh: u64,
    /// Of which limits on sums it is a part, and how.
    parts: Vec<(usize, f64)>,
}

/// The best welfare of flows, and the most energy with it; `sums` bounds the parts of each sum from above,
/// `is_exact` also from below. `counts` says which flows are counted as energy.
struct Program {
    lines: Vec<Line>,
    sums: Vec<u64>,
    is_exact: bool,
    counts: fn(usize, &Self) -> bool,
}

impl Program {
    fn solve(&self, of: impl Fn(usize) -> f64, welfare: Option<f64>) -> f64 {
        let mut problem = Problem::new(OptimizationDirection::Maximize);
        let add = |problem: &mut Problem, (at, line): (usize, &Line)| {
            problem.add_var(of(at), (0.0, float(line.most_wh)))
        };
        let variables: Vec<Variable> =
            self.lines.iter().enumerate().map(|line| add(&mut problem, line)).collect();
        let mut bound = |factor: &dyn Fn(&Line) -> f64, how, most: f64| {
            let mut sum = LinearExpr::empty();
            let factors = self.lines.iter().map(factor).zip(&variables);
            let some: Vec<_> = factors.filter(|(factor, _)| *factor != 0.0).collect();
            some.iter().for_each(|(factor, variable)| sum.add(**variable, *factor));
            // A sum of nothing bounds nothing.
            if !some.is_empty() {
                problem.add_constraint(sum, how, most);
            }
        };
        let how = if self.is_exact { ComparisonOp::Eq } else { ComparisonOp::Le };
        for (number, most) in self.sums.iter().enumerate() {
            let factor = |line: &Line| {
                line.parts.iter().find(|(of, _)| *of == number).map_or(0.0, |(_, factor)| *factor)
            };
            bound(&factor, how, float(*most));
        }
        if let Some(welfare) = welfare {
            bound(&|line: &Line| line.gain, ComparisonOp::Ge, welfare);
        }
        problem.solve().unwrap().into_solution().unwrap().objective()
    }

    /// Welfare, and Wh.
    fn best(&self) -> (f64, f64) {
        if self.lines.is_empty() {
            return (0.0, 0.0);
        }
        let welfare = self.solve(|at| self.lines[at].gain, None);
        // The optimum is a whole number: at a vertex all quantities are.
        let whole = welfare.round();
        assert!((welfare - whole).abs() < NEAR, "{welfare}");
        let counted = |at: usize| if (self.counts)(at, self) { 1.0 } else { 0.0 };
        (whole, self.solve(counted, Some(whole)))
    }
}

/// An auction: each order is a flow, and what is bought is sold.
fn auction_program(bids: &[Order], offers: &[Order], fee: u64) -> Program {
    let flow = |order: &Order, gain: i128, factor: f64| Line {
        gain: signed_float(gain),
        most_wh: order.quantity_wh,
        parts: vec![(0, factor)],
    };
    let net = |bid: &Order| i128::from(bid.limit) - i128::from(fee);
    let bought = bids.iter().map(|bid| flow(bid, net(bid), 1.0));
    let sold = offers.iter().map(|offer| flow(offer, -i128::from(offer.limit), -1.0));
    let lines = bought.chain(sold).collect();
    let is_bid = |at: usize, program: &Program| {
        program.lines[at].parts.first().is_some_and(|(_, factor)| *factor > 0.0)
    };
    Program { lines, sums: vec![0], is_exact: true, counts: is_bid }
}

/// A book: a flow for each pair of a bid and an offer that may meet, for a book lets nobody trade with
/// themselves.
fn pairs_program(bids: &[Order], offers: &[Order]) -> Program {
    let mut lines = Vec::new();
    for (at, bid) in bids.iter().enumerate() {
        for (other, offer) in offers.iter().enumerate() {
            if bid.owner != offer.owner {
                let gain = i128::from(bid.limit) - i128::from(offer.limit);
                let parts = vec![(at, 1.0), (bids.len() + other, 1.0)];
                let most_wh = bid.quantity_wh.min(offer.quantity_wh);
                lines.push(Line { gain: signed_float(gain), most_wh, parts });
            }
        }
    }
    let sums = bids.iter().chain(offers).map(|order| order.quantity_wh).collect();
    Program { lines, sums, is_exact: false, counts: |_, _| true }
}

fn find(orders: &[Order], id: u64) -> &Order {
    orders.iter().find(|order| order.id == id).unwrap()
}

/// What buyers value, less what sellers want, of what an auction gave.
fn welfare(clearing: &Clearing, bids: &[Order], offers: &[Order], fee: u64) -> i128 {
    let worth = |orders: &[Order], fills: &[Fill], fee: u64| {
        let one = |fill: &Fill| {
            let net = i128::from(find(orders, fill.id).limit) - i128::from(fee);
            i128::from(fill.quantity_wh) * net
        };
        fills.iter().map(one).sum::<i128>()
    };
    worth(bids, &clearing.buys, fee) - worth(offers, &clearing.sells, 0)
}

/// What everybody gains who trades as much as they like at a price: never less than any trade can bring, and
/// the same where the price is one that clears (the program's dual).
fn at_price(bids: &[Order], offers: &[Order], fee: u64, price: i128) -> i128 {
    let gain = |order: &Order, of: i128| of.max(0) * i128::from(order.quantity_wh);
    let bought = bids.iter().map(|bid| gain(bid, i128::from(bid.limit) - i128::from(fee) - price));
    let sold = offers.iter().map(|offer| gain(offer, price - i128::from(offer.limit)));
    bought.chain(sold).sum()
}

fn is_near(found: f64, wanted: i128) -> bool {
    (found - signed_float(wanted)).abs() < NEAR
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn an_auction_clears_what_the_linear_program_does(
        (bids, offers, fee) in books(),
    ) {
        let (bids, offers) = (orders(0, &bids), orders(50, &offers));
        let (most, volume) = auction_program(&bids, &offers, fee).best();
        let Some(clearing) = clear(&bids, &offers, fee) else {
            prop_assert!(volume.abs() < NEAR, "the program trades {volume} Wh");
            prop_assert!(most.abs() < NEAR);
            return Ok(());
        };
        prop_assert!(is_near(volume, i128::from(clearing.volume_wh)), "{volume} Wh: {clearing:?}");
        let found = welfare(&clearing, &bids, &offers, fee);
        prop_assert!(is_near(most, found), "{most} of welfare, not {found}: {clearing:?}");
        // Its prices are those of the dual, all of them and no others.
        let dual = |price: i128| at_price(&bids, &offers, fee, price);
        let (low, high) = (i128::from(clearing.low), i128::from(clearing.high));
        for price in [low, i128::from(clearing.price), high] {
            prop_assert!(is_near(most, dual(price)), "{price} clears nothing: {clearing:?}");
        }
        prop_assert!(dual(low - 1) > found, "{low} is not the lowest: {clearing:?}");
        prop_assert!(dual(high + 1) > found, "{high} is not the highest: {clearing:?}");
    }

    /// A book can't know who comes later, so that all of its trades together are no optimum. But each order
    /// that comes gets the best there is of who waits, nothing that could be traded is left, and the sum is
    /// never more than the program's.
    #[test]
    fn a_book_gives_each_order_that_comes_the_best_of_who_waits(
        arrivals in prop::collection::vec((any::<bool>(), 1..12_u64, 1..90_u64, 0..4_u64), 1..14),
    ) {
        let mut book = Book::new();
        let (mut all, mut gained) = ([Vec::new(), Vec::new()], 0.0);
        for (id, (buys, limit, quantity_wh, who)) in (0..).zip(arrivals) {
            let side = if buys { Side::Buy } else { Side::Sell };
            let order = Order { id, owner: account(who), limit, quantity_wh };
            let waits = sides(&book.resting());
            let (most, volume) = match side {
                Side::Buy => pairs_program(&[order], &waits[1]).best(),
                Side::Sell => pairs_program(&waits[0], &[order]).best(),
            };
            let trades = book.place(side, order);
            let gaps = trades.iter().map(|trade| trade.quantity_wh * limit.abs_diff(trade.price));
            let found: u64 = gaps.sum();
            let traded: u64 = trades.iter().map(|trade| trade.quantity_wh).sum();
            prop_assert!(is_near(most, i128::from(found)), "{most}, not {found}: {trades:?}");
            prop_assert!(is_near(volume, i128::from(traded)), "{volume} Wh: {trades:?}");
            gained += float(found);
            all[usize::from(!buys)].push(order);
        }
        let left = sides(&book.resting());
        let (most, volume) = pairs_program(&left[0], &left[1]).best();
        prop_assert!(most.abs() < NEAR && volume.abs() < NEAR, "{volume} Wh are left to trade");
        let (most, _) = pairs_program(&all[0], &all[1]).best();
        prop_assert!(gained < most + NEAR, "{gained} of at most {most}");
    }
}

/// Bids and offers that wait.
fn sides(resting: &[Resting]) -> [Vec<Order>; 2] {
    [Side::Buy, Side::Sell]
        .map(|side| resting.iter().filter(|one| one.side == side).map(|one| one.order).collect())
}

#[test]
fn a_book_is_no_optimum_of_all_that_came() {
    // Who offers 100 Wh at 1 sells to the bid of 5 that is there; the bid of 9 comes too late.
    let order = |id, limit| Order { id, owner: account(id), limit, quantity_wh: 100 };
    let (early, offer, late) = (order(1, 5), order(2, 1), order(3, 9));
    let mut book = Book::new();
    assert!(book.place(Side::Buy, early).is_empty());
    assert_eq!(
        book.place(Side::Sell, offer).iter().map(|trade| trade.buyer).next(),
        Some(early.owner)
    );
    assert!(book.place(Side::Buy, late).is_empty());
    let (most, volume) = pairs_program(&[early, late], &[offer]).best();
    assert!(is_near(most, 800) && is_near(volume, 100), "{most} with {volume} Wh");
}

/// The oracle itself, on a book whose answer is plain to see.
#[test]
fn the_program_finds_what_is_plain_to_see() {
    let bids = orders(0, &[(30, 10), (20, 5), (5, 50)]);
    let offers = orders(50, &[(10, 8), (20, 20)]);
    // 8 Wh at 30 over 10, 2 at 30 over 20, and 5 that bring nothing but energy.
    let (most, volume) = auction_program(&bids, &offers, 0).best();
    assert!(is_near(most, 180) && is_near(volume, 15), "{most} with {volume} Wh");
}
