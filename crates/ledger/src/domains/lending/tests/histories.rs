//! Random histories: prices, time, liquidations, gifts, games with single units.

use proptest::{prelude::*, strategy::ValueTree as _};

use super::*;

#[derive(Debug, Clone, Copy)]
pub(super) enum Amount {
    /// Single units.
    Units(u128),
    /// Thousandths of what a thousand dollars buy.
    Sensible(u128),
    All,
}

impl Amount {
    pub(super) fn of(self, reserve: u8) -> u128 {
        let thousand_dollars = [1_000 * USD_1, ETH_1 / 2][usize::from(reserve)];
        match self {
            Self::Units(units) => units,
            Self::Sensible(parts) => thousand_dollars / 1_000 * parts,
            Self::All => u128::MAX,
        }
    }

    fn maybe(self, reserve: u8) -> Option<u128> {
        (!matches!(self, Self::All)).then(|| self.of(reserve))
    }
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Supply(u64, u8, Amount),
    Withdraw(u64, u8, Amount),
    Borrow(u64, u8, Amount),
    Repay(u64, u8, Amount),
    /// Of the first one's units, for the other's debt.
    PayFor(u64, u64, u8, Amount),
    Collateral(u64, u8, bool),
    Liquidate(u64, u64, u8, u8, Amount),
    Cover(u64, u8, Amount),
    Collect(u8),
    Gift(u64, u8, Amount),
    Price(u8, u64),
    Wait(u64),
}

fn any_amount() -> impl Strategy<Value = Amount> {
    prop_oneof![
        2 => (1..2_000_u128).prop_map(Amount::Units),
        6 => (1..30_000_u128).prop_map(Amount::Sensible),
        1 => Just(Amount::All),
    ]
}

pub(super) fn any_step() -> impl Strategy<Value = Step> {
    let (who, at) = (1..5_u64, 0..2_u8);
    let pair = (who.clone(), at.clone());
    let cover = prop_oneof![Just(Amount::All), any_amount()];
    // Mostly what 2 and 3 owe from the beginning.
    let side =
        prop_oneof![1 => (at.clone(), at.clone()), 2 => Just((ETH, USD)), 2 => Just((USD, ETH))];
    let call = (who.clone(), who.clone(), side, cover);
    prop_oneof![
        4 => (pair.clone(), any_amount()).prop_map(|((who, at), n)| Step::Supply(who, at, n)),
        3 => (pair.clone(), any_amount()).prop_map(|((who, at), n)| Step::Withdraw(who, at, n)),
        5 => (pair.clone(), any_amount()).prop_map(|((who, at), n)| Step::Borrow(who, at, n)),
        3 => (pair.clone(), any_amount()).prop_map(|((who, at), n)| Step::Repay(who, at, n)),
        1 => (who.clone(), pair.clone(), any_amount()).prop_map(|(who, (other, at), n)| Step::PayFor(who, other, at, n)),
        1 => (pair.clone(), any::<bool>()).prop_map(|((who, at), on)| Step::Collateral(who, at, on)),
        12 => call.prop_map(|(who, borrower, (c, d), n)| Step::Liquidate(who, borrower, c, d, n)),
        3 => (pair.clone(), any_amount()).prop_map(|((who, at), n)| Step::Cover(who, at, n)),
        1 => at.clone().prop_map(Step::Collect),
        1 => (pair, any_amount()).prop_map(|((who, at), n)| Step::Gift(who, at, n)),
        4 => (at, prop_oneof![4 => 50..150_u64, 1 => 1..400_u64]).prop_map(|(at, percent)| Step::Price(at, percent)),
        2 => prop_oneof![0..100_u64, 0..40_000_000_u64].prop_map(Step::Wait),
    ]
}

pub(super) fn take(game: &mut Game, step: &Step) -> Result<(), Error> {
    let market = MARKET;
    match *step {
        Step::Supply(who, at, amount) => game.supply(who, at, amount.of(at)).map(|_| ()),
        Step::Withdraw(who, at, amount) => game.withdraw(who, at, amount.maybe(at)).map(|_| ()),
        Step::Borrow(who, at, amount) => game.borrow(who, at, amount.of(at)).map(|_| ()),
        Step::Repay(who, at, amount) => game.repay(who, at, amount.maybe(at)).map(|_| ()),
        Step::PayFor(who, debtor, reserve, amount) => {
            let (amount, debtor) = (amount.maybe(reserve), account(debtor));
            game.act(who, &Action::Repay { market, reserve, amount, debtor }).map(|_| ())
        }
        Step::Collateral(who, reserve, on) => {
            game.act(who, &Action::SetCollateral { market, reserve, on }).map(|_| ())
        }
        Step::Liquidate(who, borrower, collateral, debt, cover) => {
            let (borrower, cover) = (account(borrower), cover.of(debt));
            let call = Action::Liquidate { market, collateral, debt, borrower, cover };
            game.act(who, &call).map(|_| ())
        }
        Step::Cover(who, reserve, amount) => {
            let amount = amount.of(reserve);
            game.act(who, &Action::Cover { market, reserve, amount }).map(|_| ())
        }
        Step::Collect(reserve) => game.act(7, &Action::Collect { market, reserve }).map(|_| ()),
        Step::Gift(who, at, amount) => {
            let amount = amount.of(at);
            let asset = AssetId(u32::from(at) + 1);
            let to = AccountId::of_domain("lending");
            let gift = crate::domains::accounts::Action::Transfer { asset, to, amount };
            let _ = game.lab.act(account(who), &ledger::Action::Accounts(gift));
            Ok(())
        }
        Step::Price(at, percent) => {
            let base = [ONE, 2_000 * ONE][usize::from(at)];
            game.prices[usize::from(at)] = Some(base / 100 * percent);
            Ok(())
        }
        Step::Wait(seconds) => {
            game.lab.wait_s(seconds);
            Ok(())
        }
    }
}

pub(super) fn populated() -> Game {
    let mut game = Game::new();
    for who in 1..5 {
        game.fund(who, USD, 1_000_000 * USD_1);
        game.fund(who, ETH, 500 * ETH_1);
        let (own, amount) = if who % 2 == 0 { (ETH, 10 * ETH_1) } else { (USD, 20_000 * USD_1) };
        game.supply(who, own, amount).unwrap();
    }
    game.borrow(2, USD, 15_000 * USD_1).unwrap();
    game.borrow(3, ETH, 7 * ETH_1).unwrap();
    game
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// The laws hold after every step (asked by `Game::act`), a refusal writes nothing, indices never
    /// fall, losses appear only by liquidation and go only by claims, nobody else's health moves, no gift
    /// lowers any, and nothing but price and time turns a healthy account unhealthy.
    #[test]
    fn any_history_keeps_the_laws(steps in prop::collection::vec(any_step(), 1..40)) {
        let mut game = populated();
        for step in steps {
            let store = game.lab.store.clone();
            let healths: Vec<Health> = (1..5).map(|who| game.health(who)).collect();
            let outcome = take(&mut game, &step);
            if outcome.is_err() {
                prop_assert_eq!(&game.lab.store, &store);
            }
            for at in 0..2 {
                let (before, after) = (reserve(&store, MARKET, at), reserve(&game.lab.store, MARKET, at));
                let (before, after) = (before.unwrap(), after.unwrap());
                prop_assert!(after.liquidity_index >= before.liquidity_index);
                prop_assert!(after.borrow_index >= before.borrow_index);
                prop_assert!(after.updated_s >= before.updated_s);
                let more = after.deficit > before.deficit;
                prop_assert!(!more || matches!(step, Step::Liquidate(..)));
                let less = after.deficit < before.deficit;
                prop_assert!(!less || matches!(step, Step::Cover(..)));
            }
            if matches!(step, Step::Price(..) | Step::Wait(_)) {
                continue;
            }
            for (who, before) in (1..5).zip(healths) {
                let after = game.health(who);
                prop_assert!(before.is_liquidatable() || !after.is_liquidatable(), "{step:?} by {who}");
                let actor = match step {
                    Step::Liquidate(_, other, ..) | Step::PayFor(_, other, ..) => other,
                    Step::Supply(who, ..) | Step::Withdraw(who, ..) | Step::Borrow(who, ..)
                    | Step::Repay(who, ..) | Step::Collateral(who, ..) | Step::Cover(who, ..) => who,
                    Step::Collect(_) | Step::Gift(..) | Step::Price(..) | Step::Wait(_) => 0,
                };
                prop_assert!(actor == who || before == after, "{step:?} moved {who}");
                let is_gift = matches!(step, Step::Gift(..) | Step::PayFor(..));
                prop_assert!(!is_gift || after.factor >= before.factor, "{step:?} lowered {who}");
            }
        }
    }

    /// Supplying and withdrawing at once never gains, in one piece or in many.
    #[test]
    fn small_games_gain_nothing(
        prelude in prop::collection::vec(any_step(), 0..12),
        amounts in prop::collection::vec(1..1_000_u128, 1..8),
    ) {
        let mut game = populated();
        for step in prelude {
            let _ = take(&mut game, &step);
        }
        game.fund(9, USD, 100_000);
        let before = game.wallet(9, USD);
        for amount in &amounts {
            let _ = game.supply(9, USD, *amount);
        }
        for amount in &amounts {
            let _ = game.withdraw(9, USD, Some(*amount));
        }
        let _ = game.withdraw(9, USD, None);
        prop_assert!(game.wallet(9, USD) <= before);
    }

    /// When everybody has paid, everybody can leave; neither needs a price.
    #[test]
    fn suppliers_leave_when_nobody_owes(steps in prop::collection::vec(any_step(), 1..25)) {
        let mut game = populated();
        for step in steps {
            let _ = take(&mut game, &step);
        }
        game.prices = [None, None];
        for (who, at) in (1..5).flat_map(|who| [(who, USD), (who, ETH)]) {
            game.fund(who, at, 1 << 100);
            let owes = position(&game.lab.store, MARKET, account(who)).entry(at).debt_scaled > 0;
            prop_assert!(!owes || game.repay(who, at, None).is_ok());
        }
        for at in [USD, ETH] {
            let lost = reserve(&game.lab.store, MARKET, at).unwrap().deficit;
            for who in 1..5 {
                let has = position(&game.lab.store, MARKET, account(who)).entry(at).supply_scaled > 0;
                prop_assert!(!has || lost > 0 || game.withdraw(who, at, None).is_ok());
            }
        }
    }
}

/// The histories are not all refusals: they reach what they are about.
#[test]
fn histories_reach_liquidations_losses_covers_and_gifts() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = prop::collection::vec(any_step(), 40);
    let (mut liquidations, mut losses, mut covers, mut gifts) = (0, 0, 0, 0);
    for _ in 0..300 {
        let mut game = populated();
        for step in strategy.new_tree(&mut runner).unwrap().current() {
            let done = take(&mut game, &step).is_ok();
            liquidations += u32::from(done && matches!(step, Step::Liquidate(..)));
            covers += u32::from(done && matches!(step, Step::Cover(..)));
            let is_gift = matches!(step, Step::PayFor(who, debtor, ..) if who != debtor);
            gifts += u32::from(done && is_gift);
            let lost = |at| reserve(&game.lab.store, MARKET, at).unwrap().deficit > 0;
            losses +=
                u32::from(done && matches!(step, Step::Liquidate(..)) && (lost(0) || lost(1)));
        }
    }
    let found = format!(
        "{liquidations} liquidations, {losses} after losses, {covers} covers, {gifts} paid for others"
    );
    assert!(liquidations > 60 && losses > 20 && covers > 5 && gifts > 5, "{found}");
}
