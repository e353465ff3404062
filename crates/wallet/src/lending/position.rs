//! What an account has in a market, and how far it is from being liquidated.

use ledger::{
    Store,
    domains::{
        accounts,
        lending::{
            self as rules, Error, OnLedger, Purpose, Quotes,
            math::{U256, narrow},
        },
        oracle::{self, Quote},
    },
};

use super::{
    Place, Scene, Seen,
    book::{funds_keys, market_keys, price_keys},
    market::{context, reserve},
};

/// A position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// One per reserve of the market.
    pub held: Vec<Held>,
    /// What all of it comes to.
    pub standing: Standing,
    /// What it brings and costs; none: there is no price now.
    pub interest: Option<Interest>,
    /// When it was so, prices included that are proved.
    pub seen: Seen,
}

/// A year at today's rates and prices, as values with 8 decimals, rounded down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Interest {
    /// On what is supplied.
    pub earned: u128,
    /// On what is owed.
    pub paid: u128,
}

/// What an account has of a reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which.
    pub place: Place,
    /// In the account, free to be used.
    pub wallet: u128,
    /// Lent, with interest.
    pub supplied: u128,
    /// Owed, with interest.
    pub owed: u128,
    /// Whether what is lent stands for debts.
    pub is_pledged: bool,
    /// The price at which it would be liquidated; none: no price of this alone does it.
    pub liquidation: Option<Liquidation>,
}

/// A price at which a position may be liquidated, everything else being as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liquidation {
    /// With 8 decimals: the highest at which it may be.
    pub price: u64,
    /// How far that is below the price now, in basis points of that, rounded down.
    pub fall_bps: u64,
}

/// Health, and the values it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The health factor.
    pub factor: Factor,
    /// What is pledged is worth, with 8 decimals; `None`: there is no price now.
    pub collateral: Option<u128>,
    /// What is owed is worth.
    pub debt: Option<u128>,
    /// What may still be borrowed, at the less favourable of price and average.
    pub available: Option<u128>,
}

/// A health factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    /// A price that it needs is stale or unconfirmed.
    Unknown,
    /// With 18 decimals; below [`super::ONE`] it may be liquidated.
    Is(u128),
    /// Nothing is owed.
    Endless,
}

/// Prices of the oracle's feeds, one of them replaced.
#[derive(Debug)]
struct Replaced<'a> {
    others: OnLedger<'a>,
    feed: u32,
    price: u64,
}

impl Quotes for Replaced<'_> {
    fn quote(&self, store: &dyn Store, feed: u32) -> Result<Quote, Error> {
        if feed == self.feed { Ok(Quote::flat(self.price)) } else { self.others.quote(store, feed) }
    }
}

/// What the account has in a market; `None`: not all of it is proved.
pub fn position(scene: &Scene<'_>, market: u32) -> Option<Position> {
    let book = scene.book;
    let mut keys = market_keys(book, market);
    keys.extend(funds_keys(book, market, scene.account));
    let seen = book.seen(&keys)?;
    let count = rules::market(book, market)?.reserves;
    let entries = rules::position(book, market, scene.account).entries;
    let priced = book.seen(&price_keys(book, market));
    if priced.is_none() && entries.iter().any(|one| one.collateral || one.debt_scaled > 0) {
        return None;
    }
    let seen = seen.with(priced);
    let place = |reserve| Place { market, reserve };
    let held = (0..count).map(|index| {
        let mut held = held(scene, book, place(index))?;
        held.liquidation = liquidation(scene, place(index));
        Some(held)
    });
    let held: Vec<Held> = held.collect::<Option<_>>()?;
    let interest = interest(scene, &held);
    Some(Position { held, standing: standing(scene, book, market), interest, seen })
}

fn interest(scene: &Scene<'_>, held: &[Held]) -> Option<Interest> {
    let share = |value: u128, ppm: u64| value.checked_mul(ppm.into()).map(|all| all / 1_000_000);
    let mut sum = Interest::default();
    for one in held.iter().filter(|one| one.supplied > 0 || one.owed > 0) {
        let reserve = reserve(scene.book, scene.book, one.place, scene.now_ms)?;
        let earned = share(reserve.value(one.supplied)?, reserve.supply_apy_ppm)?;
        let paid = share(reserve.value(one.owed)?, reserve.borrow_apy_ppm)?;
        sum.earned = sum.earned.checked_add(earned)?;
        sum.paid = sum.paid.checked_add(paid)?;
    }
    Some(sum)
}

/// What the account has of a reserve in `store`, liquidation aside.
pub(super) fn held(scene: &Scene<'_>, store: &dyn Store, place: Place) -> Option<Held> {
    let now_s = scene.now_ms / 1_000;
    let record = rules::reserve(store, place.market, place.reserve)?.at(now_s).ok()?;
    let entry = rules::position(store, place.market, scene.account).entry(place.reserve);
    Some(Held {
        place,
        wallet: accounts::spendable(store, scene.account, record.config.asset),
        supplied: record.claim(entry.supply_scaled).ok()?,
        owed: record.debt(entry.debt_scaled).ok()?,
        is_pledged: entry.collateral,
        liquidation: None,
    })
}

/// Health in `store`: the book, or what an action made of it.
pub(super) fn standing(scene: &Scene<'_>, store: &dyn Store, market: u32) -> Standing {
    let context = context(scene.book, scene.now_ms);
    let feeds = OnLedger(&context);
    let health = |purpose| {
        let (now_s, account) = (context.now_s(), scene.account);
        // Where feeds are not proved, there is no price.
        scene.book.seen(&price_keys(scene.book, market))?;
        rules::health(store, &feeds, now_s, market, account, purpose).ok()
    };
    let (now, careful) = (health(Purpose::Liquidate), health(Purpose::Borrow));
    let factor = match now {
        _ if !rules::position(store, market, scene.account).owes() => Factor::Endless,
        Some(health) => narrow(health.factor).map_or(Factor::Endless, Factor::Is),
        None => Factor::Unknown,
    };
    let value = |number: U256| narrow(number).ok();
    Standing {
        factor,
        collateral: now.and_then(|health| value(health.collateral)),
        debt: now.and_then(|health| value(health.debt)),
        available: careful.and_then(|health| value(health.available_borrow().ok()?)),
    }
}

/// The highest price of a pledged asset at which the ledger would let the position be liquidated: found
/// by asking the ledger's own code, halving what is left to look at.
fn liquidation(scene: &Scene<'_>, place: Place) -> Option<Liquidation> {
    let book = scene.book;
    let held = rules::position(book, place.market, scene.account);
    if !held.entry(place.reserve).collateral || !held.owes() {
        return None;
    }
    book.seen(&price_keys(book, place.market))?;
    let context = context(book, scene.now_ms);
    let feed = rules::reserve(book, place.market, place.reserve)?.config.feed;
    let price = oracle::quote(book, &context, feed).ok()?.price;
    let falls = |to: u64| {
        let feeds = Replaced { others: OnLedger(&context), feed, price: to };
        let (now_s, account) = (context.now_s(), scene.account);
        rules::health(book, &feeds, now_s, place.market, account, Purpose::Liquidate)
            .map(|health| health.is_liquidatable())
    };
    if falls(price).ok()? {
        return Some(Liquidation { price, fall_bps: 0 });
    }
    if !falls(0).ok()? {
        return None;
    }
    let (mut low, mut high) = (0, price);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if falls(middle).ok()? { low = middle } else { high = middle }
    }
    let fall = u128::from(price - low) * 10_000 / u128::from(price.max(1));
    Some(Liquidation { price: low, fall_bps: u64::try_from(fall).ok()? })
}
