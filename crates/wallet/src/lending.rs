//! Markets as a page shows them, out of records that are proved: what is there, what is mine, and
//! what an action would do, by the ledger's own code.
//!
//! The page runs this, not the wallet: [`wanted`] says which records the wallet is to prove
//! ([`Command::Watch`]), [`Book`] reads what it proved, and everything else is computed from a book
//! and a time. Nothing here restates a rule of markets: balances, health and refusals come out of
//! `ledger::domains::lending`, run on the proved records, an action on an overlay of them.
//!
//! | part | what it says |
//! |---|---|
//! | `book` | which records are needed, which are proved, at which blocks |
//! | `market` | a market's reserves: amounts, rates, caps, deficit, price |
//! | `position` | what an account has there: health, liquidation prices |
//! | `preview` | before and after an action, why it would be refused, the most that would not be |
//! | `hints` | which positions a server says are close to 1: what to prove, never what is shown |
//! | `liquidation` | positions below 1 and near it, and what liquidating one would do |
//! | `opening` | what a market can be made of, what opening one costs, which one it became |
//! | `suffered` | what others did to an account's positions, by a server's word |
//!
//! Units: amounts in units of their asset, prices and values with 8 decimals, health with 18, rates and
//! shares in millionths (`ppm`), times of the ledger.
//!
//! Which markets there are: the ledger counts them, and the count is a record that is proved like any
//! other. They are numbered from 1, so no server is asked for a list.
//!
//! Laws: a number is only shown when every record it depends on is proved; the rest is `None` or said to
//! be unproved.

mod book;
mod hints;
mod liquidation;
mod market;
mod opening;
mod position;
mod preview;
mod suffered;
#[cfg(test)]
pub(crate) mod tests;

use ledger::{Body, ChainId, domains::lending as rules};

use crate::view::{self, Act, Command};

pub(crate) use book::each_once;
pub use book::{Book, LISTED_MAX, Listing, Seen, acted, followed, listing, wanted, watch};
pub use hints::{Hints, LISTED_POSITIONS_MAX, NEAR, Ranked, SHOWN_MAX};
pub use ledger::{
    AccountId, AssetId,
    domains::lending::{Config as Rules, Curve as Rates, Fault, RESERVES_MAX, faults},
};
pub use liquidation::{
    Bid, Call, Outcome, Part, Target, ask_to_liquidate, liquidated, liquidation, target,
    wanted_to_liquidate,
};
pub(crate) use market::context;
pub use market::{
    Asset, Market, NATIVE_DECIMALS, Point, Price, PriceState, Reserve, bend, curve, curve_of,
    described, is_miscounted, market,
};
pub use opening::{
    Choices, Feed, Opening, ask_to_open, choices, market_opened, opened, opening, with_choices,
};
pub use position::{Factor, Held, Interest, Liquidation, Position, Standing, position};
pub(crate) use preview::NOBODY;
pub use preview::{Kind, Most, Preview, State, blocked, most, preview};
pub use suffered::{SUFFERED_MAX, Suffered, suffered};

/// One, as health factors count: 18 decimals.
pub const ONE: u128 = rules::math::WAD;

/// A reserve of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Which market.
    pub market: u32,
    /// 0-based position in it.
    pub reserve: u8,
}

/// What a person wants of a reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Lend so much.
    Supply(u128),
    /// Take back so much; none: all.
    Withdraw(Option<u128>),
    /// Owe so much more.
    Borrow(u128),
    /// Pay back so much; none: all.
    Repay(Option<u128>),
    /// Pledge what is lent, or no longer.
    Pledge(bool),
    /// Stop new supply and borrowing, or allow them again: for who opened the market.
    Stop(bool),
    /// Turn what is set aside for the treasury into claims of it.
    Collect,
    /// Give up claims against so much of the deficit.
    Cover(u128),
}

/// Who looks at what, and when.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// What is proved.
    pub book: &'a Book,
    /// Who.
    pub account: AccountId,
    /// The ledger's time, in milliseconds since 1970-01-01 UTC.
    pub now_ms: u64,
}

impl<'a> Scene<'a> {
    /// The account is named as a [`view::View`] does; `None`: it is no name.
    pub fn new(book: &'a Book, account: &str, now_ms: u64) -> Option<Self> {
        Some(Self { book, account: account.parse().ok()?, now_ms })
    }

    /// The same, of somebody else.
    fn of(&self, account: AccountId) -> Self {
        Self { account, ..*self }
    }
}

/// The ledger's time now: the newest block's, and what passed here since it was heard of. A clock that
/// is wrong by a constant does no harm.
pub fn ledger_ms(newest: &view::Block, now_ms: u64) -> u64 {
    newest.time_ms.saturating_add(now_ms.saturating_sub(newest.heard_ms))
}

impl Wish {
    fn action(self, place: Place, account: AccountId) -> rules::Action {
        let Place { market, reserve } = place;
        match self {
            Self::Supply(amount) => rules::Action::Supply { market, reserve, amount },
            Self::Withdraw(amount) => rules::Action::Withdraw { market, reserve, amount },
            Self::Borrow(amount) => rules::Action::Borrow { market, reserve, amount },
            Self::Repay(amount) => {
                rules::Action::Repay { market, reserve, amount, debtor: account }
            }
            Self::Pledge(on) => rules::Action::SetCollateral { market, reserve, on },
            Self::Stop(frozen) => rules::Action::Freeze { market, reserve, frozen },
            Self::Collect => rules::Action::Collect { market, reserve },
            Self::Cover(amount) => rules::Action::Cover { market, reserve, amount },
        }
    }
}

/// What a wallet is told to do, and the units of the ledger's own asset that it takes.
pub fn ask(scene: &Scene<'_>, place: Place, wish: Wish) -> Command {
    let asset =
        rules::reserve(scene.book, place.market, place.reserve).map(|reserve| reserve.config.asset);
    let is_native = asset == Some(ledger::AssetId::NATIVE);
    let units = match preview(scene, place, wish) {
        Some(preview) if is_native && wish.takes() => preview.moved,
        _ => 0,
    };
    Command::Act { action: view::to_bytes(&wish.action(place, scene.account)), units }
}

impl Wish {
    /// Whether it takes units from the account.
    pub(crate) fn takes(self) -> bool {
        matches!(self, Self::Supply(_) | Self::Repay(_))
    }
}

/// What was asked of a market; `None`: something that this page does not offer.
pub fn asked(act: &Act) -> Option<(Place, Wish)> {
    if act.domain.is_some() {
        return None;
    }
    let place = |market, reserve| Place { market, reserve };
    Some(match view::read::<rules::Action>(&act.action)? {
        rules::Action::Supply { market, reserve, amount } => {
            (place(market, reserve), Wish::Supply(amount))
        }
        rules::Action::Withdraw { market, reserve, amount } => {
            (place(market, reserve), Wish::Withdraw(amount))
        }
        rules::Action::Borrow { market, reserve, amount } => {
            (place(market, reserve), Wish::Borrow(amount))
        }
        rules::Action::Repay { market, reserve, amount, .. } => {
            (place(market, reserve), Wish::Repay(amount))
        }
        rules::Action::SetCollateral { market, reserve, on } => {
            (place(market, reserve), Wish::Pledge(on))
        }
        rules::Action::Freeze { market, reserve, frozen } => {
            (place(market, reserve), Wish::Stop(frozen))
        }
        rules::Action::Collect { market, reserve } => (place(market, reserve), Wish::Collect),
        rules::Action::Cover { market, reserve, amount } => {
            (place(market, reserve), Wish::Cover(amount))
        }
        _ => return None,
    })
}

/// What it costs at most, in units of the ledger's own asset; `None`: prices are not proved.
pub fn fee(scene: &Scene<'_>, place: Place, wish: Wish) -> Option<u128> {
    fee_of(scene, wish.action(place, scene.account))
}

/// The same of any action of a market.
fn fee_of(scene: &Scene<'_>, action: rules::Action) -> Option<u128> {
    let params = ledger::params(scene.book)?;
    let action = ledger::Action::Lending(action);
    // The longest number.
    let body = Body::new(ChainId::new([0; 32]), scene.account, u64::MAX, action);
    Some(body.cost(&params))
}
