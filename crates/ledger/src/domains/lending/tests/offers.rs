//! What a keeper is told before it signs is what the ledger then does.

use proptest::prelude::*;

use super::*;
use crate::domains::lending::{Offer, best_offer};

fn offer(game: &Game, who: u64, repay_max: u128) -> Result<Option<Offer>, Error> {
    let (context, prices) = (&game.lab.context, Prices(game.prices));
    best_offer(context, &prices, account(who), MARKET, account(2), repay_max, &game.lab.store)
}

/// Repaid, seized and fee.
fn take(game: &mut Game, offer: Offer, cover: u128) -> Result<(u128, u128, u128), Error> {
    let Offer { collateral, debt, .. } = offer;
    let borrower = account(2);
    let action = Action::Liquidate { market: MARKET, collateral, debt, borrower, cover };
    game.act(3, &action).map(|numbers| (numbers[3], numbers[4], numbers[5]))
}

#[test]
fn half_is_offered_of_what_is_large_and_nearly_healthy() {
    let mut game = Game::borrowed();
    assert_eq!(offer(&game, 3, u128::MAX), Ok(None), "it is healthy");
    // 10 * 1,900 * 83 % is 15,770 against 16,000.
    game.prices[1] = Some(1_900 * ONE);
    let found = offer(&game, 3, u128::MAX).unwrap().unwrap();
    assert_eq!((found.collateral, found.debt, found.repaid), (ETH, USD, 8_000 * USD_1));
    // The bonus of 5 %, less a tenth for the treasury.
    let dollars = u128::try_from(found.gain).unwrap() / u128::from(ONE);
    assert!((359..=360).contains(&dollars), "{dollars}");
    let done = take(&mut game, found, found.cover).unwrap();
    assert_eq!(done, (found.repaid, found.seized, found.fee));
}

#[test]
fn as_much_is_offered_as_leaves_no_dust() {
    let mut game = Game::borrowed();
    // Health is 0.93: all may be repaid, and 18,000 cover it with the bonus.
    game.prices[1] = Some(1_800 * ONE);
    let found = offer(&game, 3, 15_500 * USD_1).unwrap().unwrap();
    assert_eq!((found.cover, found.repaid), (15_000 * USD_1, 15_000 * USD_1));
    let more = take(&mut game, found, found.cover + 1);
    assert_eq!(more, Err(Error::MustNotLeaveDust));
    take(&mut game, found, found.cover).unwrap();
}

#[test]
fn nothing_is_offered_to_who_holds_nothing_to_oneself_or_without_a_price() {
    let mut game = Game::borrowed();
    game.prices[1] = Some(1_800 * ONE);
    assert_eq!(offer(&game, 9, u128::MAX), Ok(None), "it holds no dollars");
    assert_eq!(offer(&game, 3, 0), Ok(None), "it wants to pay nothing");
    assert_eq!(offer(&game, 2, u128::MAX), Ok(None), "nobody liquidates themselves");
    game.prices[1] = None;
    assert_eq!(offer(&game, 3, u128::MAX), Err(Error::StalePrice));
}

#[test]
fn nothing_is_offered_that_gains_nothing() {
    let mut reserves = two_reserves();
    reserves[usize::from(ETH)].protocol_fee_bps = 10_000;
    let mut game = Game::borrowed_with(reserves);
    game.prices[1] = Some(1_800 * ONE);
    assert!(game.health(2).is_liquidatable());
    assert_eq!(offer(&game, 3, u128::MAX), Ok(None), "the treasury gets all of the bonus");
    game.liquidate(3, 2, 16_000 * USD_1).unwrap();
}

#[test]
fn of_all_that_is_pledged_the_pair_that_gains_most_is_offered() {
    let mut game = Game::borrowed();
    game.fund(2, USD, 500 * USD_1);
    game.supply(2, USD, 500 * USD_1).unwrap();
    game.prices[1] = Some(1_700 * ONE);
    let found = offer(&game, 3, u128::MAX).unwrap().unwrap();
    assert_eq!((found.collateral, found.debt), (ETH, USD), "500 dollars carry no bonus of 800");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_offered_is_what_happens(price in 200..1_927_u64, purse in 1..40_000_u128) {
        let mut game = Game::borrowed();
        game.prices[1] = Some(price * ONE);
        if let Some(found) = offer(&game, 3, purse * USD_1).unwrap() {
            prop_assert!(found.repaid <= purse * USD_1);
            let done = take(&mut game, found, found.cover);
            prop_assert_eq!(done, Ok((found.repaid, found.seized, found.fee)));
        }
    }
}
