//! The state machine alone, in memory.

use std::time::Instant;

use ledger::domains::{accounts, assets, lending, oracle};
use ledger::{
    AccountId, Action, AssetId, BlockContext, BlockRun, Body, Checked, Code as _, Genesis,
    MemoryStore, Overlay, Params, Refusal,
};
use primitives::{KeyPair, Seed};
use serde_json::{Value, json};

use super::{Fault, at, per_s};

const WHOLE: u128 = 1_000_000;
/// A price of one, with 8 decimals.
const ONE: u64 = 100_000_000;
const MARKET: u32 = 1;
/// Reserves: a dollar, and the ledger's own asset at two.
const USD: u8 = 0;
const OWN: u8 = 1;
const TIME_MS: u64 = 1_790_000_000_000;
/// Who owes and is liquidated.
const DEBTORS: u64 = 200;
/// Numbers of people's keys.
const OWNER: u64 = 1;
const REPORTERS: core::ops::Range<u64> = 10..14;
const PEOPLE: u64 = 1_000;
/// Supplies of which the cost is taken in a market of some size.
const TOUCHES: u32 = 200;
/// Larger than what a transaction here costs.
const FEE: u128 = 1_000_000;

/// Who does what.
type Deed = (AccountId, Action);

struct World {
    store: MemoryStore,
    context: BlockContext,
    reports: u64,
}

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn person(number: u64) -> AccountId {
    AccountId::of_key(key(number).id())
}

/// Rates of actions, what signatures and blocks add, and what positions cost.
pub(crate) fn measure(count: usize) -> Result<Value, Fault> {
    let mut world = World::new()?;
    let people: Vec<AccountId> = (0..DEBTORS).map(|number| person(PEOPLE + number)).collect();
    let mut rows = Vec::new();
    for (name, actions) in kinds(&people, count) {
        rows.push(world.rate(name, &actions)?);
    }
    rows.push(world.liquidations(&people)?);
    let signed = [
        World::new()?.signed("transfer", count, |to| {
            Action::Accounts(accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount: 1 })
        })?,
        World::new()?.signed("supply", count, |_| {
            let (market, reserve, amount) = (MARKET, OWN, WHOLE);
            Action::Lending(lending::Action::Supply { market, reserve, amount })
        })?,
    ];
    let accrual: Result<Vec<Value>, Fault> = [2, 100, 10_000].map(accrual).into_iter().collect();
    Ok(json!({ "actions": rows, "signed": signed, "accrual": accrual? }))
}

/// Actions of each kind, by people in turn.
fn kinds(people: &[AccountId], count: usize) -> Vec<(&'static str, Vec<Deed>)> {
    let turns = |make: &dyn Fn(AccountId) -> Action| {
        people.iter().cycle().take(count).map(|who| (*who, make(*who))).collect::<Vec<_>>()
    };
    let (market, amount) = (MARKET, 1_000);
    let market_of = |action: fn(u32, u128, AccountId) -> lending::Action| {
        turns(&|who| Action::Lending(action(market, amount, who)))
    };
    let to = person(OWNER);
    let pay = accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount };
    vec![
        ("transfer", turns(&|_| Action::Accounts(pay.clone()))),
        (
            "supply",
            market_of(|market, amount, _| lending::Action::Supply { market, reserve: OWN, amount }),
        ),
        (
            "borrow",
            market_of(|market, amount, _| lending::Action::Borrow { market, reserve: USD, amount }),
        ),
        (
            "repay",
            market_of(|market, amount, debtor| lending::Action::Repay {
                market,
                reserve: USD,
                amount: Some(amount),
                debtor,
            }),
        ),
        (
            "withdraw",
            market_of(|market, amount, _| lending::Action::Withdraw {
                market,
                reserve: OWN,
                amount: Some(amount / 2),
            }),
        ),
    ]
}

impl World {
    /// A market with dollars in it, and people who owe 140 of them for what is worth 200.
    fn new() -> Result<Self, Fault> {
        let mut world = Self::empty()?;
        for number in 0..DEBTORS {
            let who = person(PEOPLE + number);
            world.act(who, &supply(OWN, 100 * WHOLE))?;
            let borrow =
                lending::Action::Borrow { market: MARKET, reserve: USD, amount: 140 * WHOLE };
            world.act(who, &Action::Lending(borrow))?;
        }
        Ok(world)
    }

    /// A market in which the owner lends dollars; people hold the ledger's own asset.
    fn empty() -> Result<Self, Fault> {
        let people = (0..DEBTORS).map(|number| (person(PEOPLE + number), 1_000_000 * WHOLE));
        let owner = (person(OWNER), 1_000_000_000 * WHOLE);
        let genesis = Genesis {
            name: "bench".to_owned(),
            time_ms: TIME_MS,
            params: Params::default(),
            symbol: "STAR".to_owned(),
            decimals: 6,
            allocations: people.chain([owner]).collect(),
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes()?);
        let context = BlockContext { chain: genesis.chain(), height: 1, time_ms: TIME_MS };
        let mut world = Self { store, context, reports: 0 };
        let owner = person(OWNER);
        let (symbol, supply_max) = ("USDX".to_owned(), None);
        let create = assets::Action::Create { symbol, decimals: 6, supply_max, freezable: false };
        world.act(owner, &Action::Assets(create))?;
        world.issue(owner, 1_000_000_000 * WHOLE)?;
        let mut reporters: Vec<AccountId> = REPORTERS.map(person).collect();
        reporters.sort();
        for feed in [1, 2] {
            let reporters = reporters.clone();
            let create = oracle::Action::Create { reporters, age_max_s: 3_600 };
            world.act(owner, &Action::Oracle(create))?;
            world.report(feed, if feed == 1 { ONE } else { 2 * ONE })?;
        }
        let reserves = vec![rules(AssetId(1), 1), rules(AssetId::NATIVE, 2)];
        let open = lending::Action::Open { treasury: owner, reserves };
        world.act(owner, &Action::Lending(open))?;
        world.act(owner, &supply(USD, 500_000_000 * WHOLE))?;
        Ok(world)
    }

    fn act(&mut self, who: AccountId, action: &Action) -> Result<(), Fault> {
        let mut state = Overlay::new(&self.store);
        ledger::execute(&self.context, who, action, &mut state)
            .map_err(|code| format!("refused: {code}"))?;
        let (changes, _) = state.into_parts();
        self.store.commit(changes);
        Ok(())
    }

    fn issue(&mut self, to: AccountId, amount: u128) -> Result<(), Fault> {
        let issue = assets::Action::Issue { asset: AssetId(1), to, amount };
        self.act(person(OWNER), &Action::Assets(issue))
    }

    fn report(&mut self, feed: u32, price: u64) -> Result<(), Fault> {
        self.reports += 1;
        for number in REPORTERS {
            let seen_s = self.context.now_s();
            let report = oracle::Action::Report { feed, price, seen_s, number: self.reports };
            self.act(person(number), &Action::Oracle(report))?;
        }
        Ok(())
    }

    /// How many of these are done in a second, each on the state that the one before left.
    fn rate(&mut self, name: &str, actions: &[Deed]) -> Result<Value, Fault> {
        let began = Instant::now();
        for (who, action) in actions {
            self.act(*who, action)?;
        }
        let per_s = per_s(actions.len(), began.elapsed().as_secs_f64());
        Ok(json!({ "name": name, "count": actions.len(), "per_s": per_s }))
    }

    /// The price falls, and everybody is liquidated once.
    fn liquidations(&mut self, people: &[AccountId]) -> Result<Value, Fault> {
        self.report(2, ONE * 8 / 5)?;
        let (market, collateral, debt, cover) = (MARKET, OWN, USD, u128::MAX);
        let call =
            |borrower| lending::Action::Liquidate { market, collateral, debt, borrower, cover };
        let calls = people.iter().map(|who| (person(OWNER), Action::Lending(call(*who))));
        let calls: Vec<Deed> = calls.collect();
        self.rate("liquidate", &calls)
    }

    /// The same in signed transactions: signatures alone, then blocks.
    fn signed(
        mut self,
        name: &str,
        count: usize,
        make: impl Fn(AccountId) -> Action,
    ) -> Result<Value, Fault> {
        let signers: Vec<KeyPair> = (0..DEBTORS).map(|number| key(PEOPLE + number)).collect();
        let mut bytes = Vec::with_capacity(count);
        for (nonce, signer) in (0..).flat_map(|nonce| signers.iter().map(move |one| (nonce, one))) {
            if bytes.len() == count {
                break;
            }
            let account = AccountId::of_key(signer.id());
            let mut body = Body::new(self.context.chain, account, nonce, make(person(OWNER)));
            body.fee = FEE;
            bytes.push(body.sign(signer).to_bytes());
        }
        let began = Instant::now();
        let opened = bytes.iter().map(|bytes| Checked::open(bytes, self.context.chain));
        let opened: Vec<Checked> =
            opened.collect::<Result<_, Refusal>>().map_err(|refusal| refusal.code().to_string())?;
        let checked_s = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let blocks = self.blocks(&opened)?;
        let run_s = began.elapsed().as_secs_f64();
        let size_bytes = bytes.iter().map(Vec::len).sum::<usize>() / count.max(1);
        Ok(json!({
            "name": name, "count": count, "bytes": size_bytes, "blocks": blocks,
            "checked_per_s": per_s(count, checked_s), "run_per_s": per_s(count, run_s),
            "both_per_s": per_s(count, checked_s + run_s),
        }))
    }

    /// Runs all in as few blocks as hold them.
    fn blocks(&mut self, transactions: &[Checked]) -> Result<u64, Fault> {
        let (mut height, mut done) = (0, 0);
        while done < transactions.len() {
            height += 1;
            let mut run = BlockRun::begin(&self.store, height, TIME_MS + height)?;
            let before = done;
            for transaction in &transactions[before..] {
                match run.push(transaction) {
                    Ok(receipt) if receipt.code == 0 => done += 1,
                    Ok(receipt) => return Err(format!("refused: {}", receipt.code).into()),
                    Err(Refusal::BlockFull) => break,
                    Err(refusal) => return Err(refusal.code().to_string().into()),
                }
            }
            if done == before {
                return Err("a transaction fits no block".into());
            }
            let changes = run.finish().changes;
            self.store.commit(changes);
        }
        Ok(height)
    }
}

/// What a supply costs that brings interest up to date, in a market of so many positions.
fn accrual(positions: u32) -> Result<Value, Fault> {
    let mut world = World::empty()?;
    let debtor = person(PEOPLE);
    world.act(debtor, &supply(OWN, 1_000 * WHOLE))?;
    let borrow = lending::Action::Borrow { market: MARKET, reserve: USD, amount: WHOLE };
    world.act(debtor, &Action::Lending(borrow))?;
    // The lender and the debtor have one each.
    for number in 2..positions {
        let mut name = [0; 32];
        name[..4].copy_from_slice(&number.to_be_bytes());
        let who = AccountId::new(name);
        world.issue(who, WHOLE)?;
        world.act(who, &supply(USD, WHOLE))?;
    }
    let mut took_us = Vec::new();
    for _ in 0..TOUCHES {
        world.context.time_ms += 1_000;
        let began = Instant::now();
        world.act(person(OWNER), &supply(USD, WHOLE))?;
        took_us.push(began.elapsed().as_secs_f64() * 1e6);
    }
    let (p50, p99) = (at(&mut took_us, 50), at(&mut took_us, 99));
    Ok(json!({ "positions": positions, "p50_us": p50, "p99_us": p99 }))
}

fn supply(reserve: u8, amount: u128) -> Action {
    Action::Lending(lending::Action::Supply { market: MARKET, reserve, amount })
}

fn rules(asset: AssetId, feed: u32) -> lending::Config {
    lending::Config {
        asset,
        feed,
        decimals: 6,
        ltv_bps: 7_500,
        threshold_bps: 8_000,
        bonus_bps: 10_500,
        reserve_factor_bps: 1_000,
        protocol_fee_bps: 1_000,
        supply_cap: u128::MAX,
        borrow_cap: u128::MAX,
        borrowable: true,
        curve: lending::Curve {
            optimal_bps: 9_000,
            base_bps: 100,
            slope1_bps: 400,
            slope2_bps: 6_000,
        },
    }
}
