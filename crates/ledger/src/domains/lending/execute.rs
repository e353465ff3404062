//! What markets do: opening and dispatch.

use super::{
    Action, Config, Error, Fault, Health, LIQUIDATED, Market, Purpose, Quotes, RESERVES_MAX,
    Reserve, borrow, faults, health, laws, liquidate,
    state::{self, COUNT, MARKETS, market, reserve, write_reserve},
    supply,
};
use crate::{
    AccountId, AssetId, BlockContext, Event, Key, Overlay, Prefix, Scan, Store,
    code::number,
    domains::{
        Broken, Domain, assets,
        oracle::{self, Quote},
    },
};

/// The domain.
#[derive(Debug)]
pub struct Lending;

impl Domain for Lending {
    type Action = Action;
    type Error = Error;

    fn check(action: &Action) -> Result<(), Error> {
        match action {
            Action::Open { reserves, .. } => check_rules(reserves),
            Action::Supply { amount: 0, .. }
            | Action::Borrow { amount: 0, .. }
            | Action::Withdraw { amount: Some(0), .. }
            | Action::Repay { amount: Some(0), .. }
            | Action::Cover { amount: 0, .. }
            | Action::Liquidate { cover: 0, .. } => Err(Error::InvalidAmount),
            Action::Freeze { .. }
            | Action::Supply { .. }
            | Action::Withdraw { .. }
            | Action::Borrow { .. }
            | Action::Repay { .. }
            | Action::SetCollateral { .. }
            | Action::Liquidate { .. }
            | Action::Cover { .. }
            | Action::Collect { .. } => Ok(()),
        }
    }

    fn work(action: &Action) -> u32 {
        match action {
            Action::Open { reserves, .. } => {
                u32::try_from(reserves.len()).map_or(u32::MAX, |count| 4 + 4 * count)
            }
            Action::Freeze { .. } | Action::Collect { .. } => 6,
            Action::Supply { .. } | Action::Repay { .. } => 10,
            // A valuation reads up to 8 reserves, each with a feed of up to 31 reports.
            Action::Withdraw { .. }
            | Action::Borrow { .. }
            | Action::SetCollateral { .. }
            | Action::Cover { .. } => 280,
            Action::Liquidate { .. } => 320,
        }
    }

    fn execute(
        context: &BlockContext,
        signer: AccountId,
        action: &Action,
        state: &mut Overlay<'_>,
    ) -> Result<(), Error> {
        act(context, &OnLedger(context), signer, action, state)
    }

    /// Nothing waits for the end of a block here: interest accrues when a reserve is next touched.
    fn end_block(_: &BlockContext, _: &mut Overlay<'_>) {}

    fn reads(key: &Key, record: &[u8]) -> Option<bool> {
        state::reads(key, record)
    }

    fn laws(state: &dyn Scan) -> Result<(), Broken> {
        laws::laws(state)
    }
}

/// Prices of the oracle's feeds, as a block has them.
#[derive(Debug)]
pub struct OnLedger<'a>(pub &'a BlockContext);

impl Quotes for OnLedger<'_> {
    fn quote(&self, store: &dyn Store, feed: u32) -> Result<Quote, Error> {
        Ok(oracle::quote(store, self.0, feed)?)
    }
}

/// What an action sees beside the state.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) now_s: u64,
    pub(super) quotes: &'a dyn Quotes,
    pub(super) signer: AccountId,
    pub(super) market: u32,
}

impl Scene<'_> {
    pub(super) fn health(
        &self,
        store: &dyn Store,
        account: AccountId,
        purpose: Purpose,
    ) -> Result<Health, Error> {
        health(store, self.quotes, self.now_s, self.market, account, purpose)
    }

    /// Tells those concerned, with market and reserve before the other numbers.
    pub(super) fn emit(
        &self,
        state: &mut Overlay<'_>,
        kind: u8,
        accounts: &[AccountId],
        numbers: &[u128],
    ) {
        let numbers = [&[u128::from(self.market)], numbers].concat();
        state.emit(Prefix::Lending, kind, accounts, &numbers);
    }
}

/// Units that an action told it moved: supplied, withdrawn, borrowed or repaid, by a liquidation too, or
/// covered of a deficit. None: it told of nothing of that kind, as a pledge does.
pub fn moved(events: &[Event]) -> Option<u128> {
    let moves = number(Prefix::Lending, 2)..=number(Prefix::Lending, 5);
    let covers = number(Prefix::Lending, 9);
    let told = events.iter().find(|event| moves.contains(&event.kind) || event.kind == covers);
    // Market and reserve come first; of a liquidation market and both reserves.
    told.map_or_else(|| liquidated(events, 3), |told| told.numbers.get(2).copied())
}

/// Units that a liquidation told its signer got. None: it was none.
pub fn seized(events: &[Event]) -> Option<u128> {
    liquidated(events, 4)
}

fn liquidated(events: &[Event], at: usize) -> Option<u128> {
    let told = events.iter().find(|event| event.kind == LIQUIDATED)?;
    told.numbers.get(at).copied()
}

/// Does an action with prices from `quotes`: the oracle's for a block, a page's for a preview.
pub fn act(
    context: &BlockContext,
    quotes: &dyn Quotes,
    signer: AccountId,
    action: &Action,
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    Lending::check(action)?;
    let scene = |market: u32| Scene { now_s: context.now_s(), quotes, signer, market };
    match action {
        Action::Open { treasury, reserves } => {
            open(context.now_s(), signer, *treasury, reserves, state)
        }
        Action::Freeze { market, reserve, frozen } => {
            freeze(scene(*market), *reserve, *frozen, state)
        }
        Action::Supply { market, reserve, amount } => {
            supply::supply(scene(*market), *reserve, *amount, state)
        }
        Action::Withdraw { market, reserve, amount } => {
            supply::withdraw(scene(*market), *reserve, *amount, state)
        }
        Action::Borrow { market, reserve, amount } => {
            borrow::borrow(scene(*market), *reserve, *amount, state)
        }
        Action::Repay { market, reserve, amount, debtor } => {
            borrow::repay(scene(*market), *reserve, *amount, *debtor, state)
        }
        Action::SetCollateral { market, reserve, on } => {
            supply::set_collateral(scene(*market), *reserve, *on, state)
        }
        Action::Liquidate { market, collateral, debt, borrower, cover } => {
            let call = liquidate::Call {
                collateral: *collateral,
                debt: *debt,
                borrower: *borrower,
                cover: *cover,
            };
            liquidate::liquidate(scene(*market), &call, state)
        }
        Action::Cover { market, reserve, amount } => {
            supply::cover(scene(*market), *reserve, *amount, state)
        }
        Action::Collect { market, reserve } => supply::collect(scene(*market), *reserve, state),
    }
}

fn check_rules(reserves: &[Config]) -> Result<(), Error> {
    if !(1..=RESERVES_MAX).contains(&reserves.len()) {
        return Err(Error::BadMarket);
    }
    let faults = faults(reserves);
    if faults.iter().any(|(_, fault)| *fault == Fault::AssetTwice) {
        return Err(Error::BadMarket);
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::BadReserve) }
}

fn open(
    now_s: u64,
    creator: AccountId,
    treasury: AccountId,
    reserves: &[Config],
    state: &mut Overlay<'_>,
) -> Result<(), Error> {
    let id = COUNT.get(state, &[]).unwrap_or_default().checked_add(1).ok_or(Error::Overflow)?;
    for (index, rules) in (0..).zip(reserves) {
        // The ledger's own asset has no record: its decimals are in the genesis.
        let described = assets::asset(state, rules.asset);
        let known = rules.asset == AssetId::NATIVE
            || described.is_some_and(|asset| asset.decimals == rules.decimals);
        if !known || oracle::feed(state, rules.feed).is_none() {
            return Err(Error::BadReserve);
        }
        let mut reserve = Reserve::new(rules.clone(), now_s);
        reserve.settle(0, 0)?;
        write_reserve(state, id, index, &reserve);
    }
    let count = u8::try_from(reserves.len()).map_err(|_| Error::BadMarket)?;
    COUNT.put(state, &[], &id);
    MARKETS.put(state, &[&id.to_be_bytes()], &Market { creator, treasury, reserves: count });
    state.emit(Prefix::Lending, 0, &[creator, treasury], &[id.into()]);
    Ok(())
}

fn freeze(scene: Scene<'_>, index: u8, frozen: bool, state: &mut Overlay<'_>) -> Result<(), Error> {
    let market = market(state, scene.market).ok_or(Error::NoReserve)?;
    let mut reserve = reserve(state, scene.market, index).ok_or(Error::NoReserve)?;
    if market.creator != scene.signer {
        return Err(Error::NotCreator);
    }
    reserve.frozen = frozen;
    write_reserve(state, scene.market, index, &reserve);
    scene.emit(state, 1, &[scene.signer], &[index.into(), frozen.into()]);
    Ok(())
}
