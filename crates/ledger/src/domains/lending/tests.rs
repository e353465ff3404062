//! A market of two assets with prices by hand. `histories` plays random ones, `promises` asks more of them,
//! `exploits` tries what emptied the markets of others, `terms` what is kept for later.

mod exploits;
mod histories;
mod offers;
mod oracle;
mod promises;
mod terms;

use super::{
    Action, Config, Curve, Error, Fault, Health, Purpose, Quotes, act, faults, health, math::WAD,
    math::wide, position, reserve,
};
use crate::{
    self as ledger, AccountId, AssetId, Overlay, Store,
    domains::oracle::Quote,
    testing::{Lab, account},
};

/// A dollar and an ether, as reserves of the market.
const USD: u8 = 0;
const ETH: u8 = 1;
/// Units of one.
const USD_1: u128 = 1_000_000;
const ETH_1: u128 = 1_000_000_000_000_000_000;
/// A price of one, with 8 decimals.
const ONE: u64 = 100_000_000;
const MARKET: u32 = 1;
const TREASURY: u64 = 90;

struct Game {
    lab: Lab,
    prices: [Option<u64>; 2],
}

struct Prices([Option<u64>; 2]);

impl Quotes for Prices {
    fn quote(&self, _: &dyn Store, feed: u32) -> Result<Quote, Error> {
        let index = usize::try_from(feed - 1).unwrap();
        self.0[index].map(Quote::flat).ok_or(Error::StalePrice)
    }
}

fn rules(reserve: u8, decimals: u8, ltv: u16, threshold: u16, bonus: u16) -> Config {
    let number = u32::from(reserve) + 1;
    Config {
        asset: AssetId(number),
        feed: number,
        decimals,
        ltv_bps: ltv,
        threshold_bps: threshold,
        bonus_bps: bonus,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: u128::MAX,
        borrow_cap: u128::MAX,
        borrowable: true,
        curve: Curve { optimal_bps: 9_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

fn two_reserves() -> Vec<Config> {
    vec![rules(USD, 6, 7_500, 7_800, 10_450), rules(ETH, 18, 8_050, 8_300, 10_500)]
}

impl Game {
    fn new() -> Self {
        Self::with(two_reserves())
    }

    fn with(reserves: Vec<Config>) -> Self {
        let mut lab = Lab::new();
        lab.wait_s(1_700_000_000);
        for (symbol, decimals) in [("USDX", 6), ("ETHX", 18)] {
            let symbol = symbol.to_owned();
            let (supply_max, freezable) = (None, false);
            let create =
                crate::domains::assets::Action::Create { symbol, decimals, supply_max, freezable };
            lab.act(account(80), &ledger::Action::Assets(create)).unwrap();
            let mut reporters: Vec<_> = (60..64).map(account).collect();
            reporters.sort();
            let feed = crate::domains::oracle::Action::Create { reporters, age_max_s: 120 };
            lab.act(account(80), &ledger::Action::Oracle(feed)).unwrap();
        }
        let open = Action::Open { treasury: account(TREASURY), reserves };
        lab.act(account(80), &ledger::Action::Lending(open)).unwrap();
        Self { lab, prices: [Some(ONE), Some(2_000 * ONE)] }
    }

    fn fund(&mut self, who: u64, reserve: u8, amount: u128) {
        self.lab.fund(account(who), AssetId(u32::from(reserve) + 1), amount);
    }

    /// Acts; a refusal leaves no trace, and the laws hold after either.
    fn act(&mut self, who: u64, action: &Action) -> Result<Vec<u128>, Error> {
        let mut state = Overlay::new(&self.lab.store);
        let prices = Prices(self.prices);
        let outcome = act(&self.lab.context, &prices, account(who), action, &mut state);
        let (changes, events) = state.into_parts();
        if outcome.is_ok() {
            self.lab.store.commit(changes);
        }
        ledger::laws(&self.lab.store).unwrap();
        outcome.map(|()| events.last().unwrap().numbers.clone())
    }

    fn supply(&mut self, who: u64, reserve: u8, amount: u128) -> Result<Vec<u128>, Error> {
        self.act(who, &Action::Supply { market: MARKET, reserve, amount })
    }

    fn withdraw(&mut self, who: u64, reserve: u8, amount: Option<u128>) -> Result<u128, Error> {
        self.act(who, &Action::Withdraw { market: MARKET, reserve, amount }).map(|done| done[2])
    }

    fn borrow(&mut self, who: u64, reserve: u8, amount: u128) -> Result<Vec<u128>, Error> {
        self.act(who, &Action::Borrow { market: MARKET, reserve, amount })
    }

    fn repay(&mut self, who: u64, reserve: u8, amount: Option<u128>) -> Result<u128, Error> {
        let debtor = account(who);
        self.act(who, &Action::Repay { market: MARKET, reserve, amount, debtor })
            .map(|done| done[2])
    }

    fn liquidate(&mut self, who: u64, borrower: u64, cover: u128) -> Result<Vec<u128>, Error> {
        let (collateral, debt, borrower) = (ETH, USD, account(borrower));
        self.act(who, &Action::Liquidate { market: MARKET, collateral, debt, borrower, cover })
    }

    fn health(&self, who: u64) -> Health {
        let (prices, now_s) = (Prices(self.prices), self.lab.context.now_s());
        let purpose = Purpose::Liquidate;
        health(&self.lab.store, &prices, now_s, MARKET, account(who), purpose).unwrap()
    }

    fn wallet(&self, who: u64, reserve: u8) -> u128 {
        self.lab.balance(account(who), AssetId(u32::from(reserve) + 1))
    }

    /// Somebody lends 200,000 dollars, and 2 owes 16,000 against 10 ether.
    fn borrowed() -> Self {
        Self::borrowed_with(two_reserves())
    }

    fn borrowed_with(reserves: Vec<Config>) -> Self {
        let mut game = Self::with(reserves);
        game.fund(1, USD, 200_000 * USD_1);
        game.supply(1, USD, 200_000 * USD_1).unwrap();
        game.fund(2, ETH, 10 * ETH_1);
        game.supply(2, ETH, 10 * ETH_1).unwrap();
        game.borrow(2, USD, 16_000 * USD_1).unwrap();
        game.fund(3, USD, 50_000 * USD_1);
        game
    }
}

#[test]
fn a_loan_is_limited_by_what_may_be_borrowed_and_by_health() {
    let mut game = Game::borrowed();
    let refused = game.borrow(2, USD, 101 * USD_1);
    assert_eq!(refused, Err(Error::CollateralCannotCoverNewBorrow), "80.5 % of 20,000");
    let refused = game.withdraw(2, ETH, Some(ETH_1));
    assert_eq!(refused, Err(Error::HealthFactorLowerThanLiquidationThreshold));
    game.borrow(2, USD, 100 * USD_1).unwrap();
    assert_eq!(game.borrow(3, USD, 1), Err(Error::LtvValidationFailed), "nothing pledged");
}

#[test]
fn all_is_repaid_and_all_is_withdrawn() {
    let mut game = Game::borrowed();
    game.lab.wait_s(31_536_000);
    game.fund(2, USD, 10_000 * USD_1);
    let paid = game.repay(2, USD, None).unwrap();
    assert!(paid > 16_000 * USD_1);
    assert_eq!(game.withdraw(2, ETH, None), Ok(10 * ETH_1));
    assert!(position(&game.lab.store, MARKET, account(2)).entries.is_empty());
    let got = game.withdraw(1, USD, None).unwrap();
    assert!(got > 200_000 * USD_1 && got - 200_000 * USD_1 <= paid - 16_000 * USD_1);
}

#[test]
fn half_is_liquidated_near_health_and_all_far_below_it() {
    let mut game = Game::borrowed();
    assert_eq!(game.liquidate(3, 2, u128::MAX), Err(Error::HealthFactorNotBelowThreshold));
    game.prices[1] = Some(1_900 * ONE);
    assert_eq!(game.liquidate(2, 2, u128::MAX), Err(Error::SelfLiquidation));
    let numbers = game.liquidate(3, 2, u128::MAX).unwrap();
    assert_eq!(numbers[3], 8_000 * USD_1, "the close factor");
    let before = game.health(2);
    assert!(!before.is_liquidatable());
    game.prices[1] = Some(1_300 * ONE);
    let numbers = game.liquidate(3, 2, u128::MAX).unwrap();
    assert!(numbers[3] <= 8_000 * USD_1 && numbers[4] > 0);
}

#[test]
fn nobody_leaves_dust_for_the_next() {
    let mut game = Game::borrowed();
    game.prices[1] = Some(1_700 * ONE);
    let refused = game.liquidate(3, 2, 15_500 * USD_1);
    assert_eq!(refused, Err(Error::MustNotLeaveDust));
    game.liquidate(3, 2, 14_000 * USD_1).unwrap();
}

#[test]
fn debts_without_collateral_are_booked_and_covered_by_claims_only() {
    let mut game = Game::borrowed();
    game.prices[1] = Some(1_000 * ONE);
    game.liquidate(3, 2, u128::MAX).unwrap();
    let lost = reserve(&game.lab.store, MARKET, USD).unwrap().deficit;
    assert!(lost > 6_000 * USD_1);
    assert!(!position(&game.lab.store, MARKET, account(2)).owes());
    let cover = |amount| Action::Cover { market: MARKET, reserve: USD, amount };
    let refused = game.act(3, &cover(1_000));
    assert_eq!(refused, Err(Error::NotEnoughAvailableUserBalance), "units are no claims");
    game.act(1, &cover(u128::MAX)).unwrap();
    assert_eq!(reserve(&game.lab.store, MARKET, USD).unwrap().deficit, 0);
    assert_eq!(game.act(1, &cover(1)), Err(Error::NoDeficit));
}

/// Hundred, Onyx, Sonne: a gift to an empty market inflated the price of a share.
#[test]
fn a_gift_changes_no_record_of_the_market() {
    let mut game = Game::new();
    game.fund(9, USD, 2_000_000 * USD_1);
    game.supply(9, USD, 1).unwrap();
    let before = reserve(&game.lab.store, MARKET, USD);
    let gift = crate::domains::accounts::Action::Transfer {
        asset: AssetId(1),
        to: AccountId::of_domain("lending"),
        amount: 1_000_000 * USD_1,
    };
    game.lab.act(account(9), &ledger::Action::Accounts(gift)).unwrap();
    assert_eq!(reserve(&game.lab.store, MARKET, USD), before);
    game.fund(1, USD, 1_000 * USD_1);
    game.supply(1, USD, 1_000 * USD_1).unwrap();
    assert_eq!(game.withdraw(1, USD, None), Ok(1_000 * USD_1));
    assert_eq!(game.withdraw(9, USD, None), Ok(1));
}

/// Euler: collateral was given away without a check of health.
#[test]
fn whatever_lowers_collateral_is_checked() {
    let mut game = Game::borrowed();
    game.prices[1] = Some(1_950 * ONE);
    let off = Action::SetCollateral { market: MARKET, reserve: ETH, on: false };
    let refused = game.act(2, &off);
    assert_eq!(refused, Err(Error::HealthFactorLowerThanLiquidationThreshold));
    let all = game.withdraw(2, ETH, None);
    assert_eq!(all, Err(Error::HealthFactorLowerThanLiquidationThreshold));
}

/// One unit repaid above an index of one lowers the debt by nothing.
#[test]
fn a_payment_that_burns_nothing_is_refused() {
    let mut game = Game::borrowed();
    game.lab.wait_s(34_560_000);
    assert_eq!(game.repay(2, USD, Some(1)), Err(Error::InvalidBurnAmount));
}

#[test]
fn caps_hold_after_every_increase() {
    let mut reserves = two_reserves();
    reserves[0].supply_cap = 100 * USD_1;
    reserves[0].borrow_cap = 10 * USD_1;
    let mut game = Game::with(reserves);
    game.fund(1, USD, 200 * USD_1);
    assert_eq!(game.supply(1, USD, 101 * USD_1), Err(Error::SupplyCapExceeded));
    game.supply(1, USD, 100 * USD_1).unwrap();
    assert_eq!(game.supply(1, USD, 1), Err(Error::SupplyCapExceeded));
    game.fund(2, ETH, ETH_1);
    game.supply(2, ETH, ETH_1).unwrap();
    assert_eq!(game.borrow(2, USD, 11 * USD_1), Err(Error::BorrowCapExceeded));
    game.borrow(2, USD, 10 * USD_1).unwrap();
    assert_eq!(game.borrow(2, USD, 1), Err(Error::BorrowCapExceeded));
}

#[test]
fn the_creator_stops_new_business_and_nothing_else() {
    let mut game = Game::borrowed();
    let stop = Action::Freeze { market: MARKET, reserve: USD, frozen: true };
    assert_eq!(game.act(1, &stop), Err(Error::NotCreator));
    game.act(80, &stop).unwrap();
    assert_eq!(game.supply(3, USD, USD_1), Err(Error::ReserveFrozen));
    assert_eq!(game.borrow(2, USD, USD_1), Err(Error::ReserveFrozen));
    game.repay(2, USD, Some(USD_1)).unwrap();
    game.withdraw(1, USD, Some(USD_1)).unwrap();
    game.prices[1] = Some(1_000 * ONE);
    game.liquidate(3, 2, u128::MAX).unwrap();
}

#[test]
fn a_market_lends_only_what_it_holds() {
    let mut game = Game::borrowed();
    let open = Action::Open { treasury: account(TREASURY), reserves: two_reserves() };
    game.act(9, &open).unwrap();
    game.fund(9, ETH, 100 * ETH_1);
    game.act(9, &Action::Supply { market: 2, reserve: ETH, amount: 100 * ETH_1 }).unwrap();
    let other = Action::Borrow { market: 2, reserve: USD, amount: USD_1 };
    assert_eq!(game.act(9, &other), Err(Error::InvalidAmount), "nobody lent dollars there");
    assert_eq!(game.withdraw(1, USD, None), Err(Error::NotEnoughLiquidity), "16,000 are out");
}

#[test]
fn rules_that_can_not_be_kept_open_no_market() {
    let mut game = Game::new();
    type Change = fn(&mut Config);
    let changes: [Change; 8] = [
        |rules| rules.curve.optimal_bps = 99,
        |rules| rules.curve.slope1_bps = 6_001,
        |rules| rules.curve.base_bps = 100_000,
        |rules| rules.ltv_bps = 7_801,
        |rules| rules.bonus_bps = 9_999,
        |rules| rules.bonus_bps = 12_821,
        |rules| rules.decimals = 7,
        |rules| rules.feed = 3,
    ];
    for change in changes {
        let mut reserves = two_reserves();
        change(&mut reserves[0]);
        let open = Action::Open { treasury: account(TREASURY), reserves };
        assert_eq!(game.act(9, &open), Err(Error::BadReserve));
    }
    let twice = vec![two_reserves()[0].clone(), two_reserves()[0].clone()];
    for reserves in [twice, Vec::new()] {
        let open = Action::Open { treasury: account(TREASURY), reserves };
        assert_eq!(game.act(9, &open), Err(Error::BadMarket));
    }
}

#[test]
fn each_rule_that_can_not_be_kept_is_named_with_its_reserve() {
    assert!(faults(&two_reserves()).is_empty());
    type Change = fn(&mut Config);
    let changes: [(Change, Fault); 9] = [
        (|rules| rules.decimals = 25, Fault::Decimals),
        (|rules| rules.ltv_bps = 8_301, Fault::Ltv),
        (|rules| rules.bonus_bps = 9_999, Fault::Bonus),
        (|rules| rules.bonus_bps = 12_049, Fault::BonusAndThreshold),
        (|rules| rules.reserve_factor_bps = 10_000, Fault::ReserveFactor),
        (|rules| rules.protocol_fee_bps = 10_001, Fault::ProtocolFee),
        (|rules| rules.curve.optimal_bps = 9_901, Fault::Optimal),
        (|rules| rules.curve.slope1_bps = 6_001, Fault::Slopes),
        (|rules| rules.curve.base_bps = 93_601, Fault::Steep),
    ];
    for (change, fault) in changes {
        let mut reserves = two_reserves();
        change(&mut reserves[1]);
        assert_eq!(faults(&reserves), [(1, fault)]);
    }
    let twice = [two_reserves(), two_reserves()].concat();
    assert_eq!(faults(&twice), [(2, Fault::AssetTwice), (3, Fault::AssetTwice)]);
}

#[test]
fn a_health_of_exactly_one_is_safe() {
    let mut game = Game::new();
    game.fund(1, USD, 100_000 * USD_1);
    game.supply(1, USD, 100_000 * USD_1).unwrap();
    game.fund(2, ETH, 10 * ETH_1);
    game.supply(2, ETH, 10 * ETH_1).unwrap();
    game.borrow(2, USD, 16_000 * USD_1).unwrap();
    // 10 ether * price * 83 % = 16,000 dollars needs a price that is not whole: take 8,300 of debt.
    game.fund(2, USD, 0);
    game.repay(2, USD, Some(7_700 * USD_1)).unwrap();
    game.prices[1] = Some(1_000 * ONE);
    assert_eq!(game.health(2).factor, wide(WAD));
    game.fund(3, USD, 50_000 * USD_1);
    assert_eq!(game.liquidate(3, 2, u128::MAX), Err(Error::HealthFactorNotBelowThreshold));
    game.prices[1] = Some(1_000 * ONE - 1);
    game.liquidate(3, 2, u128::MAX).unwrap();
    assert!(game.wallet(3, ETH) > 0);
}
