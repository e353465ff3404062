//! Two feeds and a market: every action of the oracle and of lending, a loan from its beginning to its loss.

use ledger::{
    AccountId, Action, AssetId,
    domains::{
        accounts, assets,
        lending::{self, Config, Curve},
        oracle,
    },
};

use super::{
    account, check,
    story::{Step, Story},
};

/// Prices of the first asset are of block 1 in all three.
const TIMES_S: [u64; 3] = [1_700_000_001, 1_700_003_001, 1_700_003_501];
const MARKET: u32 = 1;
/// Reserves of the market: the ledger's own units, and gold.
const COIN: u8 = 0;
const GOLD: u8 = 1;
/// A price of one, with 8 decimals.
const ONE: u64 = 100_000_000;
/// Of both assets.
const DECIMALS: u8 = 6;

fn feed(reserve: u8) -> u32 {
    u32::from(reserve) + 1
}

fn rules(reserve: u8) -> Config {
    Config {
        asset: AssetId(reserve.into()),
        feed: feed(reserve),
        decimals: DECIMALS,
        ltv_bps: 8_050,
        threshold_bps: 8_300,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: u128::MAX,
        borrow_cap: 1 << 70,
        borrowable: reserve == COIN,
        curve: Curve { optimal_bps: 9_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

fn lend((name, who, action): (&'static str, u64, lending::Action)) -> Step {
    (name, who, Action::Lending(action))
}

/// Three of a feed's four reporters say a price in a block, whose number their reports have.
fn reports(reserve: u8, price: u64, number: u64) -> [Step; 3] {
    let seen_s = TIMES_S[usize::try_from(number).unwrap() - 1];
    let name = ["report-coin", "report-gold"][usize::from(reserve)];
    let report = oracle::Action::Report { feed: feed(reserve), price, seen_s, number };
    [1, 2, 3].map(|who| (name, who, Action::Oracle(report.clone())))
}

/// Gold for one, units for one who reports, feeds.
fn opening() -> Vec<Step> {
    let (symbol, supply_max, freezable) = ("GOLD".to_owned(), None, false);
    let create = assets::Action::Create { symbol, decimals: DECIMALS, supply_max, freezable };
    let issue = assets::Action::Issue { asset: AssetId(1), to: account(2), amount: 10_000_000 };
    let (asset, to, amount) = (AssetId::NATIVE, account(3), 10_000_000);
    let pay = accounts::Action::Transfer { asset, to, amount };
    let mut reporters: Vec<AccountId> = (1..=4).map(account).collect();
    reporters.sort();
    let create_feed = oracle::Action::Create { reporters, age_max_s: oracle::AGE_MAX_S };
    vec![
        ("gold-create", 1, Action::Assets(create)),
        ("gold-issue", 1, Action::Assets(issue)),
        ("reporter-pay", 1, Action::Accounts(pay)),
        ("feed-create-coin", 1, Action::Oracle(create_feed.clone())),
        ("feed-create-gold", 1, Action::Oracle(create_feed)),
    ]
}

/// One lends, another borrows against gold as much as it can.
fn lent() -> Vec<Step> {
    use lending::Action as Act;
    let market = MARKET;
    let (treasury, reserves) = (account(9), vec![rules(COIN), rules(GOLD)]);
    let supply = |reserve, amount| Act::Supply { market, reserve, amount };
    let steps = [
        ("market-open", 1, Act::Open { treasury, reserves }),
        ("market-supply", 1, supply(COIN, 200_000_000_000)),
        ("market-supply-gold", 2, supply(GOLD, 10_000_000)),
        ("market-supply-little", 3, supply(COIN, 1_000_000)),
        ("market-set-collateral", 1, Act::SetCollateral { market, reserve: COIN, on: false }),
        ("market-borrow", 2, Act::Borrow { market, reserve: COIN, amount: 16_000_000_000 }),
    ];
    steps.map(lend).into()
}

fn liquidate(cover: u128) -> lending::Action {
    let (market, borrower) = (MARKET, account(2));
    lending::Action::Liquidate { market, collateral: GOLD, debt: COIN, borrower, cover }
}

fn repay(amount: Option<u128>) -> lending::Action {
    lending::Action::Repay { market: MARKET, reserve: COIN, amount, debtor: account(2) }
}

/// Gold falls: a part is liquidated, parts are repaid, withdrawn and collected.
fn fallen() -> Vec<Step> {
    use lending::Action as Act;
    let (market, reserve) = (MARKET, COIN);
    let withdraw = |amount| Act::Withdraw { market, reserve, amount };
    let steps = [
        ("market-liquidate", 1, liquidate(4_000_000_000)),
        ("market-repay", 2, repay(Some(1_000_000))),
        ("market-repay-for-another", 1, repay(Some(500_000))),
        ("market-withdraw", 1, withdraw(Some(1_000_000))),
        ("market-withdraw-all", 3, withdraw(None)),
        ("market-collect", 2, Act::Collect { market, reserve }),
    ];
    steps.map(lend).into()
}

/// It falls further: what nobody can pay is lost, and a part of that is covered.
fn lost() -> Vec<Step> {
    use lending::Action as Act;
    let market = MARKET;
    let steps = [
        ("market-liquidate-all", 1, liquidate(u128::MAX)),
        ("market-repay-all-refused", 2, repay(None)),
        ("market-cover", 1, Act::Cover { market, reserve: COIN, amount: 1_000_000_000 }),
        ("market-freeze", 1, Act::Freeze { market, reserve: GOLD, frozen: true }),
    ];
    steps.map(lend).into()
}

#[test]
fn transactions_receipts_and_records_of_feeds_and_markets_are_the_frozen_bytes() {
    let mut story = Story::new();
    let [first, second, third] = TIMES_S.map(|time_s| time_s * 1_000);
    let prices = [reports(COIN, ONE, 1), reports(GOLD, 2_000 * ONE, 1)].concat();
    story.block(first, [opening(), prices, lent()].concat());
    story.block(second, reports(GOLD, 1_600 * ONE, 2).into_iter().chain(fallen()));
    // Prefixes 4 and 5: feeds with averages, a position that owes, another that is pledged.
    story.records(&[4]);
    story.records(&[5]);
    // The coin's price doubles, which waits to be confirmed.
    let gold = reports(GOLD, 1_250 * ONE, 3).into_iter();
    story.block(third, gold.chain(lost()).chain(reports(COIN, 2 * ONE, 3)));
    story.records(&[4]);
    // Table 1: a reserve with a loss, and one that is frozen.
    story.records(&[5, 1]);
    check("ledger-lending.json", &story.vectors);
}
