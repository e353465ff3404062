//! Positions whose health is below 1, and what liquidating them would do and does.
//!
//! A look copies the records that decide (markets, reserves, positions, feeds, and what the vault and the
//! liquidator hold) from a validator and runs `crates/ledger` on them. Nothing is proved: a validator that
//! lies costs the liquidator the fee of a refused transaction, no more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ledger::domains::accounts::{self, Balance};
use ledger::domains::lending::{
    self, Health, LIQUIDATED, Market, Offer, OnLedger, Position, Purpose, Reserve, math::U256,
};
use ledger::domains::oracle::{self, Feed, Report};
use ledger::{
    AccountId, Action, AssetId, BlockContext, Body, ChainId, Code as _, MemoryStore, Overlay,
    Params, TransactionId,
};
use primitives::KeyPair;
use serde_json::Value;

use super::Price;
use crate::ledger_client::{Client, ClientError, Nodes, Waits};

/// How far ahead of the last block the next one is expected, in milliseconds: validators refuse more.
const AHEAD_MS_MAX: u64 = 60_000;
/// Units that whoever has none is thought to hold of each asset: more than any debt, and they still add up.
const PURSE: u128 = u128::MAX / 4;
/// Blocks in which a liquidation may be: prices move.
const EXPIRY_BLOCKS: u64 = 20;

/// Who looks, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Who would liquidate. None: somebody who holds enough of everything.
    pub account: Option<AccountId>,
    /// Which markets; none: all.
    pub markets: BTreeSet<u32>,
    /// Most units of a debt to repay at once.
    pub repay_max: Option<u128>,
}

/// A position whose health is below 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// In which market.
    pub market: u32,
    /// Whose.
    pub borrower: AccountId,
    /// What it is worth.
    pub health: Health,
    /// What would be done; none: the ledger would accept nothing of this account that gains anything.
    pub offer: Option<Offer>,
}

impl Found {
    /// The offer if it gains at least so much: less is not worth its fee.
    pub fn worth(&self, least: Price) -> Option<Offer> {
        self.offer.filter(|offer| offer.gain >= U256::from(least.units()))
    }
}

/// What is in the markets at a time.
#[derive(Debug)]
pub struct Look {
    /// The last final block.
    pub height: u64,
    /// Markets looked at.
    pub markets: usize,
    /// Positions that owe something.
    pub borrowers: usize,
    /// Positions whose prices are stale: nobody may liquidate them now. By market.
    pub stale: BTreeMap<u32, usize>,
    /// Those below 1, the one that gains most first.
    pub found: Vec<Found>,
}

/// A liquidation that is in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// By which transaction.
    pub transaction: TransactionId,
    /// In which block.
    pub height: u64,
    /// Units of debt repaid.
    pub repaid: u128,
    /// Units of collateral for the liquidator.
    pub seized: u128,
    /// Units of collateral for the treasury.
    pub fee: u128,
}

/// Records of a moment.
struct Copied {
    store: MemoryStore,
    markets: usize,
    /// Who owes something, in which market.
    borrowers: Vec<(u32, AccountId)>,
}

impl Look {
    /// Looks, when this machine's clock says `now_ms`.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn take(client: &Client, plan: &Plan, now_ms: u64) -> Result<Self, ClientError> {
        let status = client.status().await?;
        let Copied { store, markets, borrowers } = copy(client, plan, &status.params).await?;
        let latest_ms = status.time_ms.saturating_add(AHEAD_MS_MAX);
        let context = BlockContext {
            chain: status.chain,
            height: status.height.saturating_add(1),
            time_ms: now_ms.clamp(status.time_ms, latest_ms),
        };
        let count = borrowers.len();
        let (mut found, mut stale) = (Vec::new(), BTreeMap::new());
        for (market, borrower) in borrowers {
            match below(&context, &store, plan, market, borrower) {
                Ok(one) => found.extend(one),
                Err(lending::Error::StalePrice) => *stale.entry(market).or_default() += 1,
                Err(error) => {
                    tracing::warn!(market, %borrower, code = error.code(), "can't be valued");
                }
            }
        }
        let gain = |one: &Found| one.offer.map_or(U256::ZERO, |offer| offer.gain);
        found.sort_by_key(|one| std::cmp::Reverse(gain(one)));
        Ok(Self { height: status.height, markets, borrowers: count, stale, found })
    }
}

/// Who liquidates: nobody has the keys of the account that stands in for anybody.
fn liquidator(plan: &Plan) -> AccountId {
    plan.account.unwrap_or_else(|| AccountId::of_domain("anybody"))
}

/// A position if its health is below 1.
fn below(
    context: &BlockContext,
    store: &MemoryStore,
    plan: &Plan,
    market: u32,
    borrower: AccountId,
) -> Result<Option<Found>, lending::Error> {
    let (quotes, now_s) = (OnLedger(context), context.now_s());
    let health = lending::health(store, &quotes, now_s, market, borrower, Purpose::Liquidate)?;
    if !health.is_liquidatable() {
        return Ok(None);
    }
    let repay_max = plan.repay_max.unwrap_or(u128::MAX);
    let who = liquidator(plan);
    let offer = lending::best_offer(context, &quotes, who, market, borrower, repay_max, store)?;
    Ok(Some(Found { market, borrower, health, offer }))
}

async fn copy(client: &Client, plan: &Plan, params: &Params) -> Result<Copied, ClientError> {
    let mut store = MemoryStore::new();
    let listed = client.list::<Market>(&lending::markets_prefix(), &mut store).await?;
    let is_meant = |market: &u32| plan.markets.is_empty() || plan.markets.contains(market);
    let markets = listed.iter().filter_map(|(key, _)| lending::market_of(key)).filter(is_meant);
    let markets: Vec<u32> = markets.collect();
    let (mut feeds, mut assets) = (BTreeSet::new(), BTreeSet::new());
    for market in &markets {
        let prefix = lending::reserves_prefix(*market);
        for (_, reserve) in client.list::<Reserve>(&prefix, &mut store).await? {
            feeds.insert(reserve.config.feed);
            assets.insert(reserve.config.asset);
        }
    }
    for feed in feeds {
        client.list::<Feed>(&oracle::feed_key(feed), &mut store).await?;
        client.list::<Report>(&oracle::reports_prefix(feed), &mut store).await?;
    }
    // Where supplied units lie.
    for account in [Some(lending::vault()), plan.account].into_iter().flatten() {
        client.list::<Balance>(&accounts::balances_prefix(account), &mut store).await?;
    }
    match plan.account {
        Some(account) => set_fee_aside(&mut store, account, fee_max(params, account)),
        None => fill_purse(&mut store, liquidator(plan), &assets),
    }
    let mut borrowers = Vec::new();
    for market in &markets {
        let prefix = lending::positions_prefix(*market);
        let positions = client.list::<Position>(&prefix, &mut store).await?;
        let owing = positions.iter().filter(|(_, position)| position.owes());
        borrowers.extend(owing.filter_map(|(key, _)| lending::position_of(key)));
    }
    Ok(Copied { store, markets: markets.len(), borrowers })
}

/// On the copy alone.
fn fill_purse(store: &mut MemoryStore, account: AccountId, assets: &BTreeSet<AssetId>) {
    let mut state = Overlay::new(&*store);
    for asset in assets {
        // The copy has no supplies: what is made is the first.
        let _ = accounts::mint(&mut state, *asset, account, PURSE);
    }
    let (changes, _) = state.into_parts();
    store.commit(changes);
}

/// The liquidation with the largest numbers.
fn longest() -> Action {
    let (market, collateral, debt, cover) = (u32::MAX, u8::MAX, u8::MAX, u128::MAX);
    let borrower = AccountId::of_domain("anybody");
    Action::Lending(lending::Action::Liquidate { market, collateral, debt, borrower, cover })
}

/// What a liquidation costs, whatever its numbers: at most this.
fn fee_max(params: &Params, account: AccountId) -> u128 {
    Body::new(ChainId::new([0; 32]), account, u64::MAX, longest()).cost(params)
}

/// On the copy alone: a block takes the fee first, and what is left may be paid.
fn set_fee_aside(store: &mut MemoryStore, account: AccountId, fee: u128) {
    let fee = fee.min(accounts::spendable(store, account, AssetId::NATIVE));
    let mut state = Overlay::new(&*store);
    // The copy has no supplies, so it is sent to somebody. Of frozen units nothing is spendable anyway.
    let somebody = AccountId::of_domain("anybody");
    let _ = accounts::send(&mut state, AssetId::NATIVE, account, somebody, fee);
    let (changes, _) = state.into_parts();
    store.commit(changes);
}

/// Liquidates as offered and waits until a block holds it.
///
/// # Errors
/// No answer, a refusal (somebody was faster, a price moved), or no block within the time.
pub async fn liquidate(
    nodes: &mut Nodes,
    key: &KeyPair,
    found: &Found,
    offer: Offer,
    within: Duration,
) -> Result<Done, ClientError> {
    let Found { market, borrower, .. } = *found;
    let Offer { collateral, debt, cover, .. } = offer;
    let action = lending::Action::Liquidate { market, collateral, debt, borrower, cover };
    let waits = Waits { blocks: Some(EXPIRY_BLOCKS), ..Waits::default() };
    let transaction = nodes.act(key, &Action::Lending(action), waits).await?;
    let receipt = nodes.ask(async |client: &Client| client.done(transaction, within).await).await?;
    let height = receipt["height"].as_u64().unwrap_or_default();
    let told = told(&receipt).ok_or_else(|| ClientError::Form(format!("receipt {transaction}")));
    let [repaid, seized, fee] = told?;
    Ok(Done { transaction, height, repaid, seized, fee })
}

/// Repaid, seized and fee as the receipt has them.
fn told(receipt: &Value) -> Option<[u128; 3]> {
    let is_it = |event: &&Value| event["kind"].as_u64() == Some(u64::from(LIQUIDATED));
    let event = receipt["events"].as_array()?.iter().find(is_it)?;
    let number = |index: usize| event["numbers"][index].as_str()?.parse().ok();
    Some([number(3)?, number(4)?, number(5)?])
}

#[cfg(test)]
mod tests {
    use ledger::Checked;
    use primitives::Seed;

    use super::*;

    #[test]
    fn a_receipt_of_a_liquidation_tells_what_changed_hands() {
        let numbers = ["1", "0", "1", "340282366920938463463374607431768211455", "7", "3"];
        let receipt = serde_json::json!({ "events": [
            { "kind": 1288, "accounts": [], "numbers": ["9"] },
            { "kind": 1287, "accounts": [], "numbers": numbers },
        ] });
        assert_eq!(told(&receipt), Some([u128::MAX, 7, 3]));
        assert_eq!(told(&serde_json::json!({ "events": [] })), None);
    }

    #[test]
    fn whoever_has_no_key_is_thought_to_hold_enough() {
        let (mut store, asset) = (MemoryStore::new(), AssetId(3));
        let who = liquidator(&Plan::default());
        fill_purse(&mut store, who, &BTreeSet::from([asset]));
        assert_eq!(accounts::spendable(&store, who, asset), PURSE);
    }

    #[test]
    fn what_is_set_aside_pays_the_fee_of_any_liquidation() {
        let key = KeyPair::from_seed(Seed::from_number(1));
        let (account, chain) = (AccountId::of_key(key.id()), ChainId::new([7; 32]));
        let mut body = Body::new(chain, account, u64::MAX, longest());
        body.fee = u64::MAX.into();
        let signed = Checked::open(&body.sign(&key).to_bytes(), chain).unwrap();
        let params = Params::default();
        let fee = params.fee(signed.size_bytes(), signed.work());
        let most = fee_max(&params, account);
        assert!(fee <= most, "{fee} of {most}: {} bytes", signed.size_bytes());

        for (held, left) in [(most + 5, 5), (most - 1, 0), (0, 0)] {
            let mut store = MemoryStore::new();
            let mut state = Overlay::new(&store);
            accounts::mint(&mut state, AssetId::NATIVE, account, held).unwrap();
            let (changes, _) = state.into_parts();
            store.commit(changes);
            set_fee_aside(&mut store, account, most);
            assert_eq!(accounts::spendable(&store, account, AssetId::NATIVE), left);
        }
    }

    #[test]
    fn an_offer_that_gains_less_than_enough_is_passed_over() {
        let gain = U256::from(150_000_000_u64);
        let (cover, repaid, seized, fee) = (9, 9, 10, 1);
        let offer = Offer { collateral: 0, debt: 1, cover, repaid, seized, fee, gain };
        let (none, borrower) = (U256::ZERO, AccountId::of_domain("anybody"));
        let health = Health {
            collateral: none,
            debt: none,
            ltv_bps: none,
            threshold_bps: none,
            factor: none,
            has_zero_ltv: false,
        };
        let found = Found { market: 1, borrower, health, offer: Some(offer) };
        let worth = |least: &str| found.worth(least.parse().unwrap());
        assert_eq!(worth("1.5"), Some(offer));
        assert_eq!(worth("1.50000001"), None);
    }
}
