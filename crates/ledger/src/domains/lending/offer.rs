//! What a liquidation would do, before anybody signs it.
//!
//! The action itself runs on an overlay that is dropped: what is told here is what the ledger says to the
//! same action on the same state, close factor, dust and missing liquidity included.

use super::{
    Action, Entry, Error, Purpose, Quotes, act, health,
    math::{Rounding, U256, wide},
    position, reserve,
};
use crate::{AccountId, BlockContext, Overlay, Prefix, Store, code::number, domains::accounts};

/// Kind of the event that tells what a liquidation did: market, collateral reserve, debt reserve, repaid,
/// seized, fee.
pub const LIQUIDATED: u16 = number(Prefix::Lending, 7);

/// A liquidation that would be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// From which reserve the liquidator is paid.
    pub collateral: u8,
    /// In which reserve it repays.
    pub debt: u8,
    /// What to ask for: at least what is repaid, so that interest of the seconds until then leaves no dust.
    pub cover: u128,
    /// Units of debt repaid.
    pub repaid: u128,
    /// Units of collateral for the liquidator.
    pub seized: u128,
    /// Units of collateral for the treasury.
    pub fee: u128,
    /// By how much what it gets is worth more than what it pays, in the feeds' unit (8 decimals), rounded
    /// down; more than nothing.
    pub gain: U256,
}

/// The liquidation of a position that gains most, over all it pledged and all it owes, for as much as the
/// liquidator holds and `repay_max` allows. None: its health is not below 1, or nothing is accepted that
/// gains anything.
///
/// # Errors
/// The position can't be valued: a stale price, a number that does not fit.
pub fn best_offer(
    context: &BlockContext,
    quotes: &dyn Quotes,
    liquidator: AccountId,
    market: u32,
    borrower: AccountId,
    repay_max: u128,
    store: &dyn Store,
) -> Result<Option<Offer>, Error> {
    let values = health(store, quotes, context.now_s(), market, borrower, Purpose::Liquidate)?;
    if !values.is_liquidatable() {
        return Ok(None);
    }
    let entries = position(store, market, borrower).entries;
    let debts = entries.iter().filter(|entry| entry.debt_scaled > 0);
    let pledged = |entry: &&Entry| entry.collateral;
    let mut best: Option<Offer> = None;
    for (debt, collateral) in
        debts.flat_map(|debt| entries.iter().filter(pledged).map(move |other| (debt, other)))
    {
        let (collateral, debt) = (collateral.reserve, debt.reserve);
        let bid = Bid { context, quotes, liquidator, market, borrower, collateral, debt };
        let Some(offer) = bid.offer(repay_max, store)? else { continue };
        if best.is_none_or(|known| offer.gain > known.gain) {
            best = Some(offer);
        }
    }
    Ok(best)
}

/// One pair of a debt and what is pledged.
struct Bid<'a> {
    context: &'a BlockContext,
    quotes: &'a dyn Quotes,
    liquidator: AccountId,
    market: u32,
    borrower: AccountId,
    collateral: u8,
    debt: u8,
}

/// What happened when it was tried.
struct Tried {
    cover: u128,
    repaid: u128,
    seized: u128,
    fee: u128,
}

impl Bid<'_> {
    fn offer(&self, repay_max: u128, store: &dyn Store) -> Result<Option<Offer>, Error> {
        let owed = reserve(store, self.market, self.debt).ok_or(Error::NoReserve)?;
        let holds = accounts::spendable(store, self.liquidator, owed.config.asset);
        let Some(tried) = self.largest(holds.min(repay_max), store) else { return Ok(None) };
        let Tried { cover, repaid, seized, fee } = tried;
        let paid = self.worth(self.debt, repaid, Rounding::Ceil, store)?;
        let got = self.worth(self.collateral, seized, Rounding::Floor, store)?;
        if got <= paid {
            return Ok(None);
        }
        let gain = got - paid;
        let (collateral, debt) = (self.collateral, self.debt);
        Ok(Some(Offer { collateral, debt, cover, repaid, seized, fee, gain }))
    }

    /// The most that is accepted: all of `most`, or the largest part that leaves no dust and asks for no
    /// more than the reserve has. Both fail from some part on, so that halving finds it.
    fn largest(&self, most: u128, store: &dyn Store) -> Option<Tried> {
        match self.attempt(most, store) {
            Ok(tried) => return Some(tried),
            Err(error) if is_too_much(error) => {}
            Err(_) => return None,
        }
        let (mut low, mut high) = (0, most);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.attempt(middle, store) {
                Err(error) if is_too_much(error) => high = middle,
                _ => low = middle,
            }
        }
        self.attempt(low, store).ok()
    }

    fn attempt(&self, cover: u128, store: &dyn Store) -> Result<Tried, Error> {
        let Self { market, collateral, debt, borrower, .. } = *self;
        let action = Action::Liquidate { market, collateral, debt, borrower, cover };
        let mut state = Overlay::new(store);
        act(self.context, self.quotes, self.liquidator, &action, &mut state)?;
        let told = state.events().iter().find(|event| event.kind == LIQUIDATED);
        match told.map(|event| event.numbers.as_slice()) {
            Some(&[_, _, _, repaid, seized, fee]) => Ok(Tried { cover, repaid, seized, fee }),
            _ => unreachable!("a liquidation tells what it did, in six numbers"),
        }
    }

    fn worth(
        &self,
        index: u8,
        amount: u128,
        rounding: Rounding,
        store: &dyn Store,
    ) -> Result<U256, Error> {
        let config = reserve(store, self.market, index).ok_or(Error::NoReserve)?.config;
        let price = self.quotes.quote(store, config.feed)?.price;
        Ok(config.worth(wide(amount), price, rounding)?)
    }
}

/// Whether a smaller part might be accepted.
fn is_too_much(error: Error) -> bool {
    matches!(error, Error::MustNotLeaveDust | Error::NotEnoughLiquidity)
}
