//! What an action would do: the ledger's own code, run on the proved records and thrown away.

use ledger::{
    AccountId, AssetId, Code as _, Overlay,
    domains::{
        Domain as _, accounts,
        lending::{self as rules, Lending},
    },
};

use super::{
    Factor, Held, ONE, Place, Reserve, Scene, Standing, Wish,
    book::{funds_keys, market_keys, price_keys},
    fee,
    market::{context, reserve},
    position::{held, standing},
};

/// Least health that a largest amount leaves: 1.05. Below it, a small move of a price is a liquidation.
const HEALTH_KEPT: u128 = ONE + ONE / 20;
/// Share of what is owed that a largest amount leaves below a borrow cap, for interest until the block.
const INTEREST_DIVISOR: u128 = 10_000;
/// Seconds until the block, for which interest on supply is left below its cap.
const BLOCK_WITHIN_MS: u64 = 60_000;
/// Fees that stay in the account when its own asset goes out: for getting it back.
const FEES_KEPT: u128 = 10;
/// An amount by which it is tried whether anything would be taken at all.
const TRIED: u128 = 1_000;
/// Who takes the fee of what is only tried.
pub(crate) const NOBODY: AccountId = AccountId::new([0; 32]);

/// What one may do with an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lend.
    Supply,
    /// Take back.
    Withdraw,
    /// Owe.
    Borrow,
    /// Pay back.
    Repay,
    /// Give up what was lent, against the deficit.
    Cover,
}

/// How things stand for somebody with a reserve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Health and values of the whole position.
    pub standing: Standing,
    /// The reserve.
    pub reserve: Reserve,
    /// What the account has of it; without the liquidation price.
    pub held: Held,
}

/// What an action would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// As it is.
    pub before: State,
    /// As it would be; none: it would be refused.
    pub after: Option<State>,
    /// Why it would be refused: the refusal's number.
    pub refusal: Option<u16>,
    /// Units that would move or be covered; 0: none, or it would be refused.
    pub moved: u128,
    /// What it costs at most.
    pub fee: u128,
}

/// The most that somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Most {
    /// Units, with a margin.
    pub amount: u128,
    /// It is everything: all that was lent, the whole debt, or the whole deficit.
    pub is_all: bool,
    /// Why it is nothing: the refusal's number.
    pub refusal: Option<u16>,
}

/// What an action would do in a block that is made now; `None`: what decides it is not proved.
pub fn preview(scene: &Scene<'_>, place: Place, wish: Wish) -> Option<Preview> {
    let book = scene.book;
    let known = |keys: Vec<ledger::Key>| book.seen(&keys);
    known(market_keys(book, place.market))?;
    known(funds_keys(book, place.market, scene.account))?;
    if wish.needs_prices(scene, place) {
        known(price_keys(book, place.market))?;
    }
    let fee = fee(scene, place, wish)?;
    let before = state(scene, book, place)?;
    let mut overlay = Overlay::new(book);
    match run(scene, place, wish, fee, &mut overlay) {
        Ok(moved) => {
            let after = Some(state(scene, &overlay, place)?);
            Some(Preview { before, after, refusal: None, moved, fee })
        }
        Err(code) => Some(Preview { before, after: None, refusal: Some(code), moved: 0, fee }),
    }
}

impl Wish {
    /// Whether the ledger looks at prices before it does this.
    fn needs_prices(self, scene: &Scene<'_>, place: Place) -> bool {
        let held = rules::position(scene.book, place.market, scene.account);
        match self {
            Self::Supply(_) | Self::Repay(_) | Self::Pledge(true) => false,
            Self::Stop(_) | Self::Collect => false,
            Self::Borrow(_) => true,
            Self::Withdraw(_) | Self::Pledge(false) | Self::Cover(_) => held.owes(),
        }
    }
}

fn state(scene: &Scene<'_>, store: &dyn ledger::Store, place: Place) -> Option<State> {
    Some(State {
        standing: standing(scene, store, place.market),
        reserve: reserve(scene.book, store, place, scene.now_ms)?,
        held: held(scene, store, place)?,
    })
}

/// Pays the fee and acts, as a block does; the units that moved, or the refusal's number.
fn run(
    scene: &Scene<'_>,
    place: Place,
    wish: Wish,
    fee: u128,
    state: &mut Overlay<'_>,
) -> Result<u128, u16> {
    accounts::send(state, AssetId::NATIVE, scene.account, NOBODY, fee)
        .map_err(|refused| refused.code())?;
    let context = context(scene.book, scene.now_ms);
    Lending::execute(&context, scene.account, &wish.action(place, scene.account), state)
        .map_err(|refused| refused.code())?;
    Ok(rules::moved(state.events()).unwrap_or_default())
}

/// Why nothing of this kind would be taken now: the refusal's number. `None`: a little would be, or
/// what decides it is not proved ([`preview`] says that too).
pub fn blocked(scene: &Scene<'_>, place: Place, kind: Kind) -> Option<u16> {
    tried(scene, place, kind)?.refusal
}

/// A preview of a little.
fn tried(scene: &Scene<'_>, place: Place, kind: Kind) -> Option<Preview> {
    let held = held(scene, scene.book, place)?;
    let amount = match kind {
        Kind::Supply | Kind::Borrow => TRIED,
        Kind::Withdraw | Kind::Cover => TRIED.min(held.supplied).max(1),
        Kind::Repay => TRIED.min(held.owed).max(1),
    };
    preview(scene, place, kind.wish(amount))
}

/// The most that may be done, so that it is not refused and leaves a margin: of health, of caps, and of
/// the ledger's own asset for fees. `None`: what decides it is not proved.
pub fn most(scene: &Scene<'_>, place: Place, kind: Kind) -> Option<Most> {
    let tried = tried(scene, place, kind)?;
    let State { reserve, held, .. } = &tried.before;
    let kept = if reserve.asset.id == AssetId::NATIVE.0 { tried.fee * FEES_KEPT } else { 0 };
    let free = held.wallet.saturating_sub(kept);
    let all = |wish| preview(scene, place, wish).is_some_and(|preview| is_kept(&preview));
    let is_all = match kind {
        Kind::Withdraw => held.supplied > 0 && all(Wish::Withdraw(None)),
        Kind::Repay => {
            let debt = held.owed.saturating_add(held.owed / INTEREST_DIVISOR);
            held.owed > 0 && free >= debt && all(Wish::Repay(None))
        }
        Kind::Cover => {
            let lost = reserve.deficit;
            lost > 0 && held.supplied >= lost && all(Wish::Cover(lost))
        }
        Kind::Supply | Kind::Borrow => false,
    };
    let bound = match kind {
        Kind::Supply => free.min(reserve.supply_left),
        Kind::Withdraw => held.supplied.min(reserve.available),
        Kind::Borrow => {
            let interest = reserve.owed / INTEREST_DIVISOR;
            reserve.available.min(reserve.borrow_left.saturating_sub(interest))
        }
        Kind::Repay => free.min(held.owed),
        Kind::Cover => held.supplied.min(reserve.deficit),
    };
    let amount = match (is_all, kind) {
        (true, Kind::Withdraw) => held.supplied,
        (true, Kind::Cover) => reserve.deficit,
        (true, _) => held.owed,
        (false, _) => largest(bound, |amount| holds(scene, place, kind.wish(amount))),
    };
    let refusal = if amount == 0 { tried.refusal } else { None };
    Some(Most { amount, is_all, refusal })
}

impl Kind {
    /// The wish for an amount.
    pub fn wish(self, amount: u128) -> Wish {
        match self {
            Self::Supply => Wish::Supply(amount),
            Self::Withdraw => Wish::Withdraw(Some(amount)),
            Self::Borrow => Wish::Borrow(amount),
            Self::Repay => Wish::Repay(Some(amount)),
            Self::Cover => Wish::Cover(amount),
        }
    }
}

fn holds(scene: &Scene<'_>, place: Place, wish: Wish) -> bool {
    // Supplying needs no price, so it can be asked what the cap says when the block comes.
    let ahead_ms = if matches!(wish, Wish::Supply(_)) { BLOCK_WITHIN_MS } else { 0 };
    let later = Scene { now_ms: scene.now_ms.saturating_add(ahead_ms), ..*scene };
    preview(&later, place, wish).is_some_and(|preview| is_kept(&preview))
}

/// Whether it is not refused and leaves enough health, where it takes any.
fn is_kept(preview: &Preview) -> bool {
    let Some(after) = &preview.after else { return false };
    let factor = after.standing.factor;
    let is_lowered = factor < preview.before.standing.factor;
    !is_lowered || matches!(factor, Factor::Is(left) if left >= HEALTH_KEPT)
}

/// The largest amount up to `bound` for which `holds`; what is larger than one that does not, does not
/// either.
fn largest(bound: u128, holds: impl Fn(u128) -> bool) -> u128 {
    if bound == 0 || holds(bound) {
        return bound;
    }
    let (mut low, mut high) = (0, bound);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { low = middle } else { high = middle }
    }
    low
}
