//! What markets promise, asked of thousands of random histories: of liquidations, of interest, of caps, of who
//! may move what.

use proptest::prelude::*;

use super::{
    histories::{Step, any_step, populated, take},
    *,
};
use crate::domains::lending::{
    Entry, Reserve,
    math::{Rounding, U256},
};

/// The value that must be left on both sides, as `liquidate.rs` has it.
const LEFTOVER_MIN: u64 = 1_000 * ONE;
const PEOPLE: core::ops::Range<u64> = 1..5;

/// What there is before or after a step.
struct Still {
    reserves: [Reserve; 2],
    entries: Vec<[Entry; 2]>,
    healths: Vec<Health>,
    prices: [u64; 2],
}

impl Still {
    fn of(game: &Game) -> Self {
        let now_s = game.lab.context.now_s();
        let one = |at| reserve(&game.lab.store, MARKET, at).unwrap().at(now_s).unwrap();
        let entries = |who| {
            let held = position(&game.lab.store, MARKET, account(who));
            [held.entry(USD), held.entry(ETH)]
        };
        Self {
            reserves: [one(USD), one(ETH)],
            entries: PEOPLE.map(entries).collect(),
            healths: PEOPLE.map(|who| game.health(who)).collect(),
            prices: game.prices.map(Option::unwrap),
        }
    }

    fn worth(&self, at: u8, amount: u128, rounding: Rounding) -> U256 {
        let at = usize::from(at);
        self.reserves[at].config.worth(wide(amount), self.prices[at], rounding).unwrap()
    }

    fn claim(&self, who: u64, at: u8) -> u128 {
        self.reserves[usize::from(at)].claim(self.entry(who, at).supply_scaled).unwrap()
    }

    fn debt(&self, who: u64, at: u8) -> u128 {
        self.reserves[usize::from(at)].debt(self.entry(who, at).debt_scaled).unwrap()
    }

    fn entry(&self, who: u64, at: u8) -> &Entry {
        &self.entries[usize::try_from(who - 1).unwrap()][usize::from(at)]
    }

    fn health(&self, who: u64) -> &Health {
        &self.healths[usize::try_from(who - 1).unwrap()]
    }
}

/// Both caps of the dollar: near what histories supply and borrow.
fn capped() -> Game {
    let mut reserves = two_reserves();
    reserves[0].supply_cap = 60_000 * USD_1;
    reserves[0].borrow_cap = 20_000 * USD_1;
    let mut game = Game::with(reserves);
    for who in PEOPLE {
        game.fund(who, USD, 1_000_000 * USD_1);
        game.fund(who, ETH, 500 * ETH_1);
        let (own, amount) = if who % 2 == 0 { (ETH, 10 * ETH_1) } else { (USD, 20_000 * USD_1) };
        game.supply(who, own, amount).unwrap();
    }
    game
}

fn check_liquidation(
    before: &Still,
    after: &Still,
    call: (u64, u8, u8),
) -> Result<(), proptest::test_runner::TestCaseError> {
    let (borrower, collateral, debt) = call;
    let lost: Vec<u128> =
        (0..2).map(|at| after.reserves[at].deficit - before.reserves[at].deficit).collect();
    let bears_loss = lost.iter().any(|lost| *lost > 0);
    let (was, is) = (before.health(borrower), after.health(borrower));
    prop_assert!(was.is_liquidatable());
    let owed = before.debt(borrower, debt);
    let repaid =
        owed.saturating_sub(after.debt(borrower, debt)).saturating_sub(lost[usize::from(debt)]);
    let seized = before.claim(borrower, collateral) - after.claim(borrower, collateral);
    // Rounding of the scaled sides is at most a unit each, of which the collateral's is worth next to nothing.
    let (gone, paid) = (
        before.worth(collateral, seized.saturating_add(2), Rounding::Ceil),
        before.worth(debt, repaid.saturating_sub(2), Rounding::Floor),
    );
    prop_assert!(gone >= paid, "{gone} of collateral went for {paid} of debt");
    if bears_loss {
        prop_assert!(
            is.collateral.is_zero() && is.debt.is_zero(),
            "what is lost is all that was left"
        );
        for (at, lost) in (0_u8..).zip(&lost) {
            prop_assert!(*lost <= before.debt(borrower, at), "no more is lost than was owed");
        }
        return Ok(());
    }
    for (was, is) in before.reserves.iter().zip(&after.reserves) {
        prop_assert!(is.liquidity_index >= was.liquidity_index, "no supplier pays without a loss");
    }
    let (left_debt, left) = (after.debt(borrower, debt), after.claim(borrower, collateral));
    let enough = U256::from(LEFTOVER_MIN);
    // A unit may stay of what is rounded.
    let cleared = left_debt <= 1 || left <= 1;
    prop_assert!(
        cleared
            || (before.worth(debt, left_debt + 2, Rounding::Ceil) >= enough
                && before.worth(collateral, left + 2, Rounding::Ceil) >= enough),
        "dust: {left_debt} owed, {left} pledged"
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whoever liquidates pays for less than goes; what is lost is booked when nothing is pledged any more,
    /// and is no more than was owed; no dust is left.
    #[test]
    fn liquidations_keep_their_rules(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut game = populated();
        for step in steps {
            let before = Still::of(&game);
            if take(&mut game, &step).is_err() {
                continue;
            }
            if let Step::Liquidate(_, borrower, collateral, debt, _) = step {
                check_liquidation(&before, &Still::of(&game), (borrower, collateral, debt))?;
            }
        }
    }

    /// No step but its owner's, or a liquidation below 1, lowers what somebody has supplied or raises what
    /// they owe.
    #[test]
    fn nobody_moves_what_is_not_theirs(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut game = populated();
        for step in steps {
            let before = Still::of(&game);
            if matches!(step, Step::Price(..) | Step::Wait(_)) {
                let _ = take(&mut game, &step);
                continue;
            }
            let done = take(&mut game, &step).is_ok();
            let after = Still::of(&game);
            for (who, at) in PEOPLE.flat_map(|who| [(who, USD), (who, ETH)]) {
                let (was, is) = (before.entry(who, at), after.entry(who, at));
                let (own, liquidated) = match step {
                    Step::Supply(actor, ..) | Step::Withdraw(actor, ..) | Step::Borrow(actor, ..)
                    | Step::Repay(actor, ..) | Step::Collateral(actor, ..) | Step::Cover(actor, ..) => (actor == who, false),
                    Step::Liquidate(_, borrower, ..) => (false, borrower == who && before.health(who).is_liquidatable()),
                    Step::PayFor(..) | Step::Collect(_) | Step::Gift(..) | Step::Price(..) | Step::Wait(_) => (false, false),
                };
                let is_pledged = is.collateral || !was.collateral;
                prop_assert!(is_pledged || (done && (own || liquidated)), "{step:?} unpledged {who}");
                prop_assert!(is.supply_scaled >= was.supply_scaled || (done && (own || liquidated)), "{step:?} took from {who}");
                prop_assert!(is.debt_scaled <= was.debt_scaled || (done && own), "{step:?} made {who} owe");
            }
        }
    }

    /// Over any time, what all suppliers earn is at most what all borrowers come to owe, and looking twice
    /// at one moment is looking once.
    #[test]
    fn interest_is_paid_before_it_is_earned(
        steps in prop::collection::vec(any_step(), 1..25),
        seconds in prop_oneof![1..100_u64, 1..40_000_000_u64],
    ) {
        let mut game = populated();
        for step in steps {
            let _ = take(&mut game, &step);
        }
        let before = Still::of(&game);
        game.lab.wait_s(seconds);
        let now_s = game.lab.context.now_s();
        for at in [USD, ETH] {
            let was = &before.reserves[usize::from(at)];
            let is = was.at(now_s).unwrap();
            prop_assert_eq!(&is.at(now_s).unwrap(), &is);
            let earned = is.claim(was.supply_scaled).unwrap() - was.claim(was.supply_scaled).unwrap();
            let paid = is.debt(was.debt_scaled).unwrap() - was.debt(was.debt_scaled).unwrap();
            // Each is rounded at both ends.
            prop_assert!(earned <= paid + 2, "{earned} earned of {paid} in {seconds} s");
        }
    }

    /// The law of claims with its margin all but taken away: half a unit may be rounded up for the treasury when
    /// interest comes, and no action of anybody adds to it.
    #[test]
    fn no_action_rounds_a_unit_away_from_the_pool(steps in prop::collection::vec(any_step(), 1..60)) {
        let mut game = populated();
        let mut waits = 0;
        for step in steps {
            let _ = take(&mut game, &step);
            waits += u128::from(matches!(step, Step::Wait(_)));
            for at in [USD, ETH] {
                let now = reserve(&game.lab.store, MARKET, at).unwrap();
                let claims = now.claim(now.supply_scaled + now.accrued_scaled).unwrap();
                let behind = now.available + now.debt(now.debt_scaled).unwrap() + now.deficit;
                prop_assert!(claims <= behind + waits, "{claims} of {behind} after {waits} waits: {step:?}");
            }
        }
    }

    /// After every increase the sums are within their caps; interest alone may pass them.
    #[test]
    fn no_increase_passes_a_cap(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut game = capped();
        for step in steps {
            let done = take(&mut game, &step).is_ok();
            let now = reserve(&game.lab.store, MARKET, USD).unwrap();
            match step {
                Step::Supply(_, USD, _) if done => {
                    let all = now.supply_scaled + now.accrued_scaled;
                    prop_assert!(now.claim(all).unwrap() <= now.config.supply_cap);
                }
                Step::Borrow(_, USD, _) if done => {
                    prop_assert!(now.debt(now.debt_scaled).unwrap() <= now.config.borrow_cap);
                }
                _ => {}
            }
        }
    }

    /// Many small actions never beat one large: borrowing in pieces owes no less, repaying in pieces pays
    /// off no more, withdrawing in pieces gets no more.
    #[test]
    fn pieces_never_beat_the_whole(
        prelude in prop::collection::vec(any_step(), 0..12),
        pieces in prop::collection::vec(1..5_000_u128, 2..8),
    ) {
        let mut game = populated();
        for step in prelude {
            let _ = take(&mut game, &step);
        }
        game.prices = [Some(ONE), Some(2_000 * ONE)];
        let whole: u128 = pieces.iter().sum();
        let begin = |game: &Game| Game { lab: crate::testing::Lab { store: game.lab.store.clone(), context: game.lab.context.clone() }, prices: game.prices };
        let (mut one, mut many) = (begin(&game), begin(&game));
        for game in [&mut one, &mut many] {
            game.fund(9, ETH, ETH_1);
            game.supply(9, ETH, ETH_1).unwrap();
            game.fund(9, USD, 1_000_000);
        }
        let supplied = one.supply(9, USD, whole).is_ok();
        let done = pieces.iter().filter(|piece| many.supply(9, USD, **piece).is_ok()).count();
        if !supplied || done != pieces.len() {
            return Ok(());
        }
        let claim = |game: &Game| position(&game.lab.store, MARKET, account(9)).entry(USD).supply_scaled;
        prop_assert!(claim(&many) <= claim(&one));
        let borrowed = one.borrow(9, USD, whole / 2).is_ok();
        let half = (whole / 4, whole / 2 - whole / 4);
        let both = borrowed && many.borrow(9, USD, half.0.max(1)).is_ok() && many.borrow(9, USD, half.1).is_ok();
        if !both {
            return Ok(());
        }
        let debt = |game: &Game| position(&game.lab.store, MARKET, account(9)).entry(USD).debt_scaled;
        prop_assert!(debt(&many) >= debt(&one));
        let lent = reserve(&one.lab.store, MARKET, USD).unwrap();
        prop_assert!(lent.debt(debt(&one)).unwrap() >= whole / 2, "less is owed than was taken");

        // Interest has come: from one debt and one claim, the same units in pieces and at once.
        many.lab.wait_s(1_000_003);
        let (mut one, mut pieced) = (begin(&many), begin(&many));
        let paid: u128 = pieces.iter().filter_map(|piece| pieced.repay(9, USD, Some(*piece)).ok()).sum();
        // At once, no more is taken than is owed.
        prop_assert!(paid == 0 || one.repay(9, USD, Some(paid)).is_ok());
        prop_assert!(debt(&pieced) >= debt(&one), "{} and {}", debt(&pieced), debt(&one));
        let (mut one, mut pieced) = (begin(&many), begin(&many));
        let taken: u128 = pieces.iter().filter_map(|piece| pieced.withdraw(9, USD, Some(*piece)).ok()).sum();
        prop_assert!(taken == 0 || one.withdraw(9, USD, Some(taken)) == Ok(taken));
        prop_assert!(claim(&pieced) <= claim(&one), "{} and {}", claim(&pieced), claim(&one));
    }
}
