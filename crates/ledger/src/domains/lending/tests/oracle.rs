//! With the oracle's own prices: what is stale blocks what it must, and nothing else.

use super::*;
use crate::{Code as _, domains::oracle as feeds};

fn report(game: &mut Game, feed: u32, price: u64) {
    for who in 60..63 {
        let (seen_s, number) = (game.lab.context.now_s(), game.lab.context.height);
        let action = feeds::Action::Report { feed, price, seen_s, number };
        game.lab.act(account(who), &ledger::Action::Oracle(action)).unwrap();
    }
}

fn on_ledger(game: &mut Game, who: u64, action: Action) -> Result<(), u16> {
    game.lab.act(account(who), &ledger::Action::Lending(action)).map(|_| ())
}

/// Blizz, Venus: a feed stood still at 0.107 while the market was at 0.01.
#[test]
fn a_stale_price_blocks_borrowing_and_liquidation_and_never_repaying() {
    let mut game = Game::new();
    game.fund(1, USD, 100_000 * USD_1);
    game.fund(2, ETH, 10 * ETH_1);
    let market = MARKET;
    on_ledger(&mut game, 1, Action::Supply { market, reserve: USD, amount: 100_000 * USD_1 })
        .unwrap();
    on_ledger(&mut game, 2, Action::Supply { market, reserve: ETH, amount: 10 * ETH_1 }).unwrap();
    let borrow = Action::Borrow { market, reserve: USD, amount: 1_000 * USD_1 };
    let stale = Err(Error::StalePrice.code());
    assert_eq!(on_ledger(&mut game, 2, borrow.clone()), stale, "nobody reported yet");
    game.lab.wait_s(1);
    report(&mut game, 1, ONE);
    report(&mut game, 2, 2_000 * ONE);
    on_ledger(&mut game, 2, borrow.clone()).unwrap();
    game.lab.wait_s(121);
    assert_eq!(on_ledger(&mut game, 2, borrow), stale);
    let withdraw = |amount| Action::Withdraw { market, reserve: ETH, amount: Some(amount) };
    assert_eq!(on_ledger(&mut game, 2, withdraw(1)), stale);
    let (collateral, debt, borrower, cover) = (ETH, USD, account(2), 1);
    let liquidate = Action::Liquidate { market, collateral, debt, borrower, cover };
    assert_eq!(on_ledger(&mut game, 1, liquidate), stale);
    let half = Action::Repay { market, reserve: USD, amount: Some(USD_1), debtor: account(2) };
    on_ledger(&mut game, 2, half).unwrap();
    let lender = Action::Withdraw { market, reserve: USD, amount: Some(USD_1) };
    on_ledger(&mut game, 1, lender).unwrap();
}

/// Mango: a thin book was pumped to borrow against the price.
#[test]
fn a_pumped_price_lends_no_more_than_the_half_hour_before_it() {
    let mut game = Game::new();
    game.fund(1, USD, 100_000 * USD_1);
    game.fund(2, ETH, 10 * ETH_1);
    let market = MARKET;
    on_ledger(&mut game, 1, Action::Supply { market, reserve: USD, amount: 100_000 * USD_1 })
        .unwrap();
    on_ledger(&mut game, 2, Action::Supply { market, reserve: ETH, amount: 10 * ETH_1 }).unwrap();
    for _ in 0..31 {
        game.lab.wait_s(60);
        report(&mut game, 1, ONE);
        report(&mut game, 2, 2_000 * ONE);
    }
    // Less than a jump: it holds at once, and helps nobody to borrow.
    game.lab.wait_s(1);
    report(&mut game, 2, 2_400 * ONE);
    let borrow = |amount| Action::Borrow { market, reserve: USD, amount };
    let refused = on_ledger(&mut game, 2, borrow(16_200 * USD_1));
    assert_eq!(refused, Err(Error::CollateralCannotCoverNewBorrow.code()));
    on_ledger(&mut game, 2, borrow(16_000 * USD_1)).unwrap();
}
