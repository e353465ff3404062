//! A market of the ledger's units and of tokens, with prices that move: opened, used and liquidated while everything
//! else goes wrong.

use ledger::{
    AccountId, Action, AssetId, BlockContext, Receipt, Store,
    domains::{
        accounts, assets,
        lending::{
            self, Config, Curve, OnLedger, Purpose,
            math::{RAY, Rounding, U256, mul_div, narrow},
        },
        oracle,
    },
};
use primitives::Rng;

const MARKET: u32 = 1;
/// What its reserves are of; each has the feed with the number behind its own.
const ASSETS: [AssetId; 2] = [AssetId::NATIVE, AssetId(1)];
/// Of both assets.
const DECIMALS: u8 = 6;
/// A price of one.
const ONE: u64 = 100_000_000;
/// Tokens that each client begins with.
const TOKENS: u128 = 1_000_000_000_000;
/// Prices move in one of so many ticks, in hundredths to one of these.
const MOVES_EVERY: u8 = 3;
const MOVES_TO: std::ops::RangeInclusive<u64> = 85..=105;
/// What tells that a price was reported, and that a loss was covered by claims.
const REPORTED: u16 = 0x0401;
const COVERED: u16 = 0x0509;
/// What clients do in a tick, liquidations not counted.
const DEALS: usize = 2;

fn feed(reserve: u8) -> u32 {
    u32::from(reserve) + 1
}

fn asset(reserve: u8) -> AssetId {
    ASSETS[usize::from(reserve)]
}

/// What clients ask next, by the state of a validator.
pub(super) fn next(
    clients: &[AccountId],
    state: &dyn Store,
    rng: &mut Rng,
) -> Vec<(usize, Action)> {
    if lending::count(state) == 0 {
        return opening(clients).into_iter().map(|action| (0, action)).collect();
    }
    let mut asks = begin(clients, state);
    if !asks.is_empty() {
        return asks;
    }
    if rng.u8(..MOVES_EVERY) == 0 {
        let (reserve, percent) = (rng.u8(..2), rng.u64(MOVES_TO));
        let accepted = oracle::feed(state, feed(reserve)).map_or(ONE, |feed| feed.accepted);
        let price = (accepted * percent / 100).max(1);
        let all = 0..clients.len();
        asks.extend(all.filter_map(|who| report(clients, who, reserve, price, state)));
    }
    for _ in 0..DEALS {
        let who = rng.usize(..clients.len());
        asks.push((who, Action::Lending(deal(clients[who], state, rng))));
    }
    asks.extend(liquidation(clients, state, rng));
    asks
}

/// Tokens for everybody, feeds of which everybody is a reporter, and the market, by one client in this order.
fn opening(clients: &[AccountId]) -> Vec<Action> {
    let (symbol, supply_max, freezable) = ("TOKEN".to_owned(), None, false);
    let create = assets::Action::Create { symbol, decimals: DECIMALS, supply_max, freezable };
    let mut actions = vec![Action::Assets(create)];
    for to in clients {
        let issue = assets::Action::Issue { asset: asset(1), to: *to, amount: TOKENS };
        actions.push(Action::Assets(issue));
    }
    let mut reporters = clients.to_vec();
    reporters.sort_unstable();
    for _ in ASSETS {
        let (reporters, age_max_s) = (reporters.clone(), oracle::AGE_MAX_S);
        actions.push(Action::Oracle(oracle::Action::Create { reporters, age_max_s }));
    }
    let reserves = vec![rules(0), rules(1)];
    actions.push(Action::Lending(lending::Action::Open { treasury: clients[0], reserves }));
    actions
}

fn rules(reserve: u8) -> Config {
    Config {
        asset: asset(reserve),
        feed: feed(reserve),
        decimals: DECIMALS,
        ltv_bps: 8_050,
        threshold_bps: 8_300,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: u128::MAX,
        borrow_cap: u128::MAX,
        borrowable: true,
        curve: Curve { optimal_bps: 9_000, base_bps: 0, slope1_bps: 400, slope2_bps: 6_000 },
    }
}

/// Everybody says a first price, and brings something to a reserve in which nothing is.
fn begin(clients: &[AccountId], state: &dyn Store) -> Vec<(usize, Action)> {
    let mut asks = Vec::new();
    for index in 0..2 {
        let is_priced = oracle::feed(state, feed(index)).is_some_and(|feed| feed.accepted > 0);
        let reserve = lending::reserve(state, MARKET, index);
        let is_empty = reserve.is_some_and(|reserve| reserve.supply_scaled == 0);
        for (who, account) in clients.iter().enumerate() {
            if !is_priced {
                asks.extend(report(clients, who, index, ONE, state));
            }
            if is_empty {
                asks.push((who, Action::Lending(supply(*account, index, state))));
            }
        }
    }
    asks
}

/// A client's word on a price, seen when the last block was made.
fn report(
    clients: &[AccountId],
    who: usize,
    reserve: u8,
    price: u64,
    state: &dyn Store,
) -> Option<(usize, Action)> {
    let (feed, now_s) = (feed(reserve), context(state).now_s());
    let place = oracle::feed(state, feed)?.reporters.binary_search(&clients[who]).ok()?;
    let last = oracle::report(state, feed, u8::try_from(place).ok()?);
    let (seen_s, number) =
        last.map_or((now_s, 1), |last| (now_s.max(last.seen_s), last.number + 1));
    Some((who, Action::Oracle(oracle::Action::Report { feed, price, seen_s, number })))
}

fn supply(account: AccountId, reserve: u8, state: &dyn Store) -> lending::Action {
    let amount = (accounts::balance(state, account, asset(reserve)) / 4).max(1);
    lending::Action::Supply { market: MARKET, reserve, amount }
}

/// Anything that a client may do with what it has.
fn deal(account: AccountId, state: &dyn Store, rng: &mut Rng) -> lending::Action {
    let (market, reserve) = (MARKET, rng.u8(..2));
    let part = rng.u128(1..TOKENS / 4);
    match rng.u8(..10) {
        0 => supply(account, reserve, state),
        1..=4 => {
            let amount = borrowable(account, reserve, state).unwrap_or_default().max(1);
            lending::Action::Borrow { market, reserve, amount }
        }
        5 => {
            let amount = rng.bool().then_some(part);
            lending::Action::Repay { market, reserve, amount, debtor: account }
        }
        6 => {
            let amount = rng.bool().then_some(part);
            lending::Action::Withdraw { market, reserve, amount }
        }
        7 => lending::Action::SetCollateral { market, reserve, on: rng.bool() },
        8 => lending::Action::Cover { market, reserve, amount: part },
        _ => lending::Action::Collect { market, reserve },
    }
}

/// Nearly all that an account may still borrow of a reserve.
fn borrowable(account: AccountId, index: u8, state: &dyn Store) -> Option<u128> {
    let (context, purpose) = (context(state), Purpose::Borrow);
    let (quotes, now_s) = (OnLedger(&context), context.now_s());
    let reserve = lending::reserve(state, MARKET, index)?;
    let health = lending::health(state, &quotes, now_s, MARKET, account, purpose).ok()?;
    let price = U256::from(oracle::quote(state, &context, reserve.config.feed).ok()?.high);
    let worth = health.available_borrow().ok()?;
    let units = mul_div(worth, reserve.config.unit(), price, Rounding::Floor).ok()?;
    let most = narrow(units).ok()?.min(reserve.available);
    Some(most - most / 100)
}

/// Somebody else repays for a client whose health is below 1, if there is one.
fn liquidation(clients: &[AccountId], state: &dyn Store, rng: &mut Rng) -> Option<(usize, Action)> {
    let (context, purpose) = (context(state), Purpose::Liquidate);
    let (quotes, now_s) = (OnLedger(&context), context.now_s());
    let is_ill = |account: &AccountId| {
        let health = lending::health(state, &quotes, now_s, MARKET, *account, purpose);
        health.is_ok_and(|health| health.is_liquidatable())
    };
    let ill = clients.iter().position(is_ill)?;
    let held = lending::position(state, MARKET, clients[ill]);
    let collateral = held.entries.iter().find(|entry| entry.collateral)?.reserve;
    let debt = held.entries.iter().find(|entry| entry.debt_scaled > 0)?.reserve;
    let who = (ill + rng.usize(1..clients.len())) % clients.len();
    // Fees are still to be paid.
    let cover = (accounts::balance(state, clients[who], asset(debt)) / 2).max(1);
    let (market, borrower) = (MARKET, clients[ill]);
    let liquidate = lending::Action::Liquidate { market, collateral, debt, borrower, cover };
    Some((who, Action::Lending(liquidate)))
}

/// As if an action were in the last block.
fn context(state: &dyn Store) -> BlockContext {
    let tip = ledger::tip(state).unwrap();
    BlockContext { chain: tip.chain, height: tip.height, time_ms: tip.time_ms }
}

/// Checks what no transaction does to the market: an index or its time falls; a loss comes without a liquidation, or
/// goes without claims; somebody can be liquidated who could not be, though no price was reported.
pub(super) fn check_step(
    (before, after): (&dyn Store, &dyn Store),
    done: &Receipt,
    context: &BlockContext,
    clients: &[AccountId],
) {
    let tells = |kind| done.events.iter().any(|event| event.kind == kind);
    for index in 0..2 {
        let reserve = |state: &dyn Store| lending::reserve(state, MARKET, index);
        let (Some(was), Some(is)) = (reserve(before), reserve(after)) else { continue };
        assert!(is.liquidity_index >= was.liquidity_index, "claims are worth less: {done:?}");
        assert!(is.borrow_index >= was.borrow_index, "debts are worth less: {done:?}");
        assert!(is.updated_s >= was.updated_s, "interest runs backwards: {done:?}");
        assert!(is.deficit <= was.deficit || tells(lending::LIQUIDATED), "a loss: {done:?}");
        assert!(is.deficit >= was.deficit || tells(COVERED), "a loss is gone: {done:?}");
    }
    let is_ill = |state: &dyn Store, account: AccountId| {
        let (quotes, purpose) = (OnLedger(context), Purpose::Liquidate);
        let health =
            lending::health(state, &quotes, context.now_s(), MARKET, account, purpose).ok()?;
        Some(health.is_liquidatable())
    };
    for account in clients {
        let fell = is_ill(before, *account) == Some(false) && is_ill(after, *account) == Some(true);
        assert!(!fell || tells(REPORTED), "{account} falls below 1: {done:?}");
    }
}

/// Checks that somebody has paid interest.
pub(super) fn check_used(state: &dyn Store) {
    let mut reserves = (0..2).filter_map(|index| lending::reserve(state, MARKET, index));
    let earns = |one: lending::Reserve| one.borrow_index > RAY && one.liquidity_index > RAY;
    assert!(reserves.any(earns), "nobody borrowed");
}
