//! Positions that anybody may liquidate, and what liquidating one would do: the ledger's own code on proved
//! records, as `starling liquidate` runs it on copied ones.

use ledger::{
    AccountId, AssetId, Code as _, Overlay,
    domains::{
        Domain as _, accounts,
        lending::{self as rules, LIQUIDATED, Lending, OnLedger, math::narrow},
    },
};

use super::{
    Book, Place, Scene, Seen, Standing,
    book::{each_once, funds_keys, market_keys, price_keys},
    fee_of, followed, listing,
    market::{context, reserve},
    position::standing,
    preview::NOBODY,
};
use crate::view::{self, Act, Command};

/// Units that somebody is thought to hold who holds enough: more than any debt, and they still add up.
const PURSE: u128 = u128::MAX / 4;

/// So much of a reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub place: Place,
    /// Units.
    pub amount: u128,
}

/// A position, proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// In which market.
    pub market: u32,
    /// Whose.
    pub borrower: AccountId,
    /// Health and values.
    pub standing: Standing,
    /// What stands for the debts.
    pub pledged: Vec<Part>,
    /// What is owed.
    pub owed: Vec<Part>,
    /// What would gain most for somebody who holds enough of everything; none: nothing gains anything now.
    pub anybody: Option<Bid>,
    /// The same for this account, with what it holds.
    pub mine: Option<Bid>,
    /// It is this account's own: nobody liquidates themselves.
    pub is_mine: bool,
    /// When it was so.
    pub seen: Seen,
}

/// What a liquidation would change hands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bid {
    /// What to ask for.
    pub call: Call,
    /// Paid for the borrower.
    pub repaid: u128,
    /// For the liquidator.
    pub seized: u128,
    /// For the market's treasury, of the bonus.
    pub fee: u128,
    /// By how much what it gets is worth more than what it pays, with 8 decimals, rounded down; 0: nothing,
    /// or there is no price.
    pub gain: u128,
}

/// A liquidation to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Whose position.
    pub borrower: AccountId,
    /// From which reserve the liquidator is paid.
    pub collateral: Place,
    /// In which it repays.
    pub debt: Place,
    /// Most units that it repays.
    pub cover: u128,
}

/// What a liquidation would do in a block that is made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The position as it is.
    pub before: Standing,
    /// What changes hands, and the position as it would be; none: it would be refused.
    pub after: Option<(Bid, Standing)>,
    /// Debts that would be left to nobody, by reserve.
    pub lost: Vec<Part>,
    /// Why it would be refused: the refusal's number.
    pub refusal: Option<u16>,
    /// What it costs at most.
    pub fee: u128,
}

impl Call {
    pub(super) fn action(self) -> rules::Action {
        rules::Action::Liquidate {
            market: self.debt.market,
            collateral: self.collateral.reserve,
            debt: self.debt.reserve,
            borrower: self.borrower,
            cover: self.cover,
        }
    }
}

/// Keys of the records that are to be proved next, most needed first; see [`super::wanted`]. `borrowers`:
/// whose positions in the chosen market.
pub fn wanted_to_liquidate(
    book: &Book,
    account: &str,
    chosen: Option<u32>,
    borrowers: &[AccountId],
) -> Vec<Vec<u8>> {
    let Ok(account) = account.parse::<AccountId>() else { return Vec::new() };
    let native = accounts::balance_key(account, AssetId::NATIVE);
    let mut keys = vec![rules::count_key(), ledger::params_key(), native];
    if let Some(market) = chosen {
        keys.extend(market_keys(book, market));
        keys.extend(price_keys(book, market));
        keys.extend(funds_keys(book, market, account));
        keys.extend(borrowers.iter().map(|borrower| rules::position_key(market, *borrower)));
    }
    for market in followed(book, None, &[]) {
        keys.extend(market_keys(book, market));
    }
    each_once(keys)
}

/// A position with what liquidating it would give; `None`: not all of it is proved.
pub fn target(scene: &Scene<'_>, market: u32, borrower: AccountId) -> Option<Target> {
    let book = scene.book;
    listing(book)?;
    let mut keys = market_keys(book, market);
    keys.extend(price_keys(book, market));
    keys.extend(funds_keys(book, market, scene.account));
    keys.push(rules::position_key(market, borrower));
    let seen = book.seen(&keys)?;
    let entries = rules::position(book, market, borrower).entries;
    let (mut pledged, mut owed) = (Vec::new(), Vec::new());
    for entry in entries {
        let place = Place { market, reserve: entry.reserve };
        let record = rules::reserve(book, market, entry.reserve)?.at(scene.now_ms / 1_000).ok()?;
        if entry.collateral {
            pledged.push(Part { place, amount: record.claim(entry.supply_scaled).ok()? });
        }
        if entry.debt_scaled > 0 {
            owed.push(Part { place, amount: record.debt(entry.debt_scaled).ok()? });
        }
    }
    Some(Target {
        market,
        borrower,
        standing: standing(&scene.of(borrower), book, market),
        pledged,
        owed,
        anybody: anybody(scene, market, borrower),
        mine: mine(scene, market, borrower),
        is_mine: borrower == scene.account,
        seen,
    })
}

/// For somebody who holds enough of everything a market has; on an overlay alone.
fn anybody(scene: &Scene<'_>, market: u32, borrower: AccountId) -> Option<Bid> {
    let book = scene.book;
    let mut state = Overlay::new(book);
    let who = AccountId::of_domain("anybody");
    let count = rules::market(book, market)?.reserves;
    for index in 0..count {
        let asset = rules::reserve(book, market, index)?.config.asset;
        if accounts::balance(&state, who, asset) == 0 {
            accounts::mint(&mut state, asset, who, PURSE).ok()?;
        }
    }
    best(scene, who, market, borrower, &state)
}

/// For this account, its fee set aside as a block does.
fn mine(scene: &Scene<'_>, market: u32, borrower: AccountId) -> Option<Bid> {
    let reserve = u8::MAX;
    let place = Place { market, reserve };
    let longest = Call { borrower, collateral: place, debt: place, cover: u128::MAX };
    let fee = fee_of(scene, longest.action())?;
    let mut state = Overlay::new(scene.book);
    accounts::send(&mut state, AssetId::NATIVE, scene.account, NOBODY, fee).ok()?;
    best(scene, scene.account, market, borrower, &state)
}

fn best(
    scene: &Scene<'_>,
    who: AccountId,
    market: u32,
    borrower: AccountId,
    state: &Overlay<'_>,
) -> Option<Bid> {
    let context = context(scene.book, scene.now_ms);
    let feeds = OnLedger(&context);
    let offer =
        rules::best_offer(&context, &feeds, who, market, borrower, u128::MAX, state).ok()??;
    let place = |reserve| Place { market, reserve };
    let (collateral, debt) = (place(offer.collateral), place(offer.debt));
    let rules::Offer { cover, repaid, seized, fee, gain, .. } = offer;
    let call = Call { borrower, collateral, debt, cover };
    Some(Bid { call, repaid, seized, fee, gain: narrow(gain).ok()? })
}

/// What a liquidation would do; `None`: what decides it is not proved.
pub fn liquidation(scene: &Scene<'_>, call: Call) -> Option<Outcome> {
    let (book, market) = (scene.book, call.debt.market);
    let mut keys = market_keys(book, market);
    keys.extend(price_keys(book, market));
    keys.extend(funds_keys(book, market, scene.account));
    keys.push(rules::position_key(market, call.borrower));
    book.seen(&keys)?;
    let fee = fee_of(scene, call.action())?;
    let debtor = scene.of(call.borrower);
    let before = standing(&debtor, book, market);
    let mut state = Overlay::new(book);
    match run(scene, call, fee, &mut state) {
        Ok(told) => {
            let bid = bid(scene, call, told)?;
            let after = Some((bid, standing(&debtor, &state, market)));
            let lost = lost(scene, market, &state)?;
            Some(Outcome { before, after, lost, refusal: None, fee })
        }
        Err(code) => {
            Some(Outcome { before, after: None, lost: Vec::new(), refusal: Some(code), fee })
        }
    }
}

/// Pays the fee and liquidates, as a block does; repaid, seized and the treasury's, or the refusal's number.
fn run(
    scene: &Scene<'_>,
    call: Call,
    fee: u128,
    state: &mut Overlay<'_>,
) -> Result<[u128; 3], u16> {
    accounts::send(state, AssetId::NATIVE, scene.account, NOBODY, fee)
        .map_err(|refused| refused.code())?;
    let context = context(scene.book, scene.now_ms);
    Lending::execute(&context, scene.account, &call.action(), state)
        .map_err(|refused| refused.code())?;
    let told = state.events().iter().find(|event| event.kind == LIQUIDATED);
    match told.map(|event| event.numbers.as_slice()) {
        Some(&[_, _, _, repaid, seized, fee]) => Ok([repaid, seized, fee]),
        _ => unreachable!("a liquidation tells what it did, in six numbers"),
    }
}

fn bid(scene: &Scene<'_>, call: Call, [repaid, seized, fee]: [u128; 3]) -> Option<Bid> {
    let reserve = |place| reserve(scene.book, scene.book, place, scene.now_ms);
    let paid = reserve(call.debt)?.value_up(repaid)?;
    let got = reserve(call.collateral)?.value(seized)?;
    Some(Bid { call, repaid, seized, fee, gain: got.saturating_sub(paid) })
}

/// By how much deficits are larger in `state` than they are.
fn lost(scene: &Scene<'_>, market: u32, state: &Overlay<'_>) -> Option<Vec<Part>> {
    let count = rules::market(scene.book, market)?.reserves;
    let deficit =
        |store: &dyn ledger::Store, index| Some(rules::reserve(store, market, index)?.deficit);
    let mut parts = Vec::new();
    for index in 0..count {
        let amount = deficit(state, index)?.saturating_sub(deficit(scene.book, index)?);
        if amount > 0 {
            parts.push(Part { place: Place { market, reserve: index }, amount });
        }
    }
    Some(parts)
}

/// What a wallet is told to do, and the units of the ledger's own asset that it takes.
pub fn ask_to_liquidate(scene: &Scene<'_>, call: Call) -> Command {
    let debt = rules::reserve(scene.book, call.debt.market, call.debt.reserve);
    let is_native = debt.is_some_and(|reserve| reserve.config.asset == AssetId::NATIVE);
    let repaid = liquidation(scene, call).and_then(|outcome| Some(outcome.after?.0.repaid));
    let units = if is_native { repaid.unwrap_or_default() } else { 0 };
    Command::Act { action: view::to_bytes(&call.action()), units }
}

/// The liquidation that was asked for; `None`: something else was.
pub fn liquidated(act: &Act) -> Option<Call> {
    match view::read::<rules::Action>(&act.action)? {
        rules::Action::Liquidate { market, collateral, debt, borrower, cover } => {
            let place = |reserve| Place { market, reserve };
            Some(Call { borrower, collateral: place(collateral), debt: place(debt), cover })
        }
        _ => None,
    }
}
