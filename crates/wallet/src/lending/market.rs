//! A market as it stands: what is in it, what it costs, what may still come in.

use ledger::{
    AccountId, AssetId, BlockContext, ChainId, Store,
    domains::{
        assets,
        lending::{
            self as rules,
            math::{RAY, Rounding, U256, mul_div, narrow, ray_mul, wide},
        },
        oracle::{self, Stale},
    },
};

use super::{
    Book, Place, Seen,
    book::{feed_keys, market_keys, price_keys},
};

/// Decimals by which the ledger's own asset is shown everywhere. The ledger does not hold a market to
/// them: its asset has no record.
pub const NATIVE_DECIMALS: u8 = 6;
/// A millionth of one, in rays.
const PPM: u128 = RAY / 1_000_000;
/// Days of the year over which rates are given; interest of a day bears interest.
const DAYS: u32 = 365;
/// Points of the drawn curve beside the first.
const POINTS: u32 = 50;

/// A market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Market {
    /// Its number.
    pub id: u32,
    /// Who opened it, and may stop new business.
    pub creator: AccountId,
    /// Who gets what is set aside of interest and bonuses.
    pub treasury: AccountId,
    /// Its reserves, in order.
    pub reserves: Vec<Reserve>,
    /// When it was so, prices included that are proved.
    pub seen: Seen,
}

/// What a reserve's units are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Its number; 0: the ledger's own.
    pub id: u32,
    /// What the issuer calls it; empty: the ledger's own, which has no record.
    pub symbol: String,
    /// Decimals by which its units are shown.
    pub decimals: u8,
    /// Whose promise it is, hexadecimal; none: it is the ledger's own.
    pub issuer: Option<String>,
}

/// One asset of a market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// Its place.
    pub place: Place,
    /// What is lent.
    pub asset: Asset,
    /// Owed to suppliers.
    pub supplied: u128,
    /// Owed by borrowers.
    pub owed: u128,
    /// Here, to be borrowed or withdrawn.
    pub available: u128,
    /// Owed by nobody any more, and covered by nobody.
    pub deficit: u128,
    /// Set aside for the treasury, and not collected: as of the last action.
    pub kept: u128,
    /// Share that is lent out.
    pub used_ppm: u64,
    /// What suppliers get in a year, interest on interest by the day.
    pub supply_apy_ppm: u64,
    /// What borrowers pay in a year, likewise.
    pub borrow_apy_ppm: u64,
    /// The rate without interest on interest, which the curve shows.
    pub borrow_rate_ppm: u64,
    /// Most that may be supplied, and what of it is left.
    pub supply_cap: u128,
    /// See `supply_cap`.
    pub supply_left: u128,
    /// Most that may be owed, and what of it is left.
    pub borrow_cap: u128,
    /// See `borrow_cap`.
    pub borrow_left: u128,
    /// What may be borrowed against it, in basis points of its value; 0: it is no collateral.
    pub ltv_bps: u16,
    /// Share of its value at which a debt against it is liquidated, in basis points.
    pub threshold_bps: u16,
    /// What liquidators get more than they pay, in basis points.
    pub bonus_bps: u16,
    /// The treasury's share of that bonus, in basis points.
    pub protocol_fee_bps: u16,
    /// Whether it may be borrowed at all.
    pub is_borrowable: bool,
    /// Whether the market's creator stopped supply and borrowing.
    pub is_frozen: bool,
    /// What it is worth.
    pub price: Price,
    /// Its rules.
    config: rules::Config,
}

/// What a feed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price {
    /// Whether it may be used.
    pub state: PriceState,
    /// With 8 decimals: the price, or, where there is none now, the last one; 0: there was none.
    pub price: u64,
    /// Seconds since the newest report was seen.
    pub age_s: Option<u64>,
    /// Reporters whose word counts now.
    pub fresh: usize,
    /// How many it takes.
    pub needed: usize,
    /// How many there are.
    pub reporters: usize,
}

/// Whether there is a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriceState {
    /// What the feed says is not proved here.
    Unproved,
    /// There is one.
    Fresh,
    /// Too few reports are fresh.
    Stale,
    /// It jumped, and waits for a quorum to say so again.
    Confirming,
}

/// Rates at a share that is lent out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The share.
    pub used_ppm: u64,
    /// What borrowing costs.
    pub borrow_ppm: u64,
    /// What supplying brings.
    pub supply_ppm: u64,
}

/// Whether a market counts the ledger's own asset by other decimals than [`NATIVE_DECIMALS`]: 1 there
/// would be another amount than 1 in the wallet, so it is not shown.
pub fn is_miscounted(book: &Book, id: u32) -> bool {
    let count = rules::market(book, id).map_or(0, |market| market.reserves);
    let reserves = (0..count).filter_map(|index| rules::reserve(book, id, index));
    reserves.map(|reserve| reserve.config).any(|config| is_other(&config))
}

fn is_other(config: &rules::Config) -> bool {
    config.asset == AssetId::NATIVE && config.decimals != NATIVE_DECIMALS
}

/// A market; `None`: not everything of it is proved, there is none of this number, or it
/// [miscounts](is_miscounted).
pub fn market(book: &Book, id: u32, now_ms: u64) -> Option<Market> {
    let seen = book.seen(&market_keys(book, id))?;
    let rules::Market { creator, treasury, reserves: count } = rules::market(book, id)?;
    let place = |reserve| Place { market: id, reserve };
    let reserves = (0..count).map(|index| reserve(book, book, place(index), now_ms));
    let seen = seen.with(book.seen(&price_keys(book, id)));
    let reserves = reserves.collect::<Option<_>>()?;
    Some(Market { id, creator, treasury, reserves, seen })
}

/// A reserve in `store`: the book, or what an action made of it.
pub(super) fn reserve(
    book: &Book,
    store: &dyn Store,
    place: Place,
    now_ms: u64,
) -> Option<Reserve> {
    let context = context(book, now_ms);
    let stored = rules::reserve(store, place.market, place.reserve)?;
    let record = stored.at(context.now_s()).ok()?;
    let owed = record.debt(record.debt_scaled).ok()?;
    let all = wide(record.available) + wide(owed);
    let used = mul_div(wide(owed), U256::from(1_000_000_u32), all, Rounding::Half);
    let config = &record.config;
    Some(Reserve {
        place,
        asset: asset(book, config)?,
        supplied: record.claim(record.supply_scaled).ok()?,
        owed,
        available: record.available,
        deficit: record.deficit,
        kept: record.claim(stored.accrued_scaled).ok()?,
        used_ppm: used.map_or(0, narrowest),
        supply_apy_ppm: apy_ppm(record.liquidity_rate),
        borrow_apy_ppm: apy_ppm(record.borrow_rate),
        borrow_rate_ppm: rate_ppm(wide(record.borrow_rate)),
        supply_cap: config.supply_cap,
        supply_left: record.supply_left().ok()?,
        borrow_cap: config.borrow_cap,
        borrow_left: record.borrow_left().ok()?,
        ltv_bps: config.ltv_bps,
        threshold_bps: config.threshold_bps,
        bonus_bps: config.bonus_bps.saturating_sub(10_000),
        protocol_fee_bps: config.protocol_fee_bps,
        is_borrowable: config.borrowable,
        is_frozen: record.frozen,
        price: price(book, config.feed, &context),
        config: config.clone(),
    })
}

fn asset(book: &Book, config: &rules::Config) -> Option<Asset> {
    // The ledger opens no market that counts an issued asset by other decimals than its own.
    if is_other(config) { None } else { described(book, config.asset) }
}

/// What an asset is; `None`: its record is not proved, or there is none of this number.
pub fn described(book: &Book, asset: AssetId) -> Option<Asset> {
    if asset == AssetId::NATIVE {
        let symbol = String::new();
        return Some(Asset { id: 0, symbol, decimals: NATIVE_DECIMALS, issuer: None });
    }
    let made = assets::asset(book, asset)?;
    let issuer = Some(made.issuer.to_string());
    Some(Asset { id: asset.0, symbol: made.symbol, decimals: made.decimals, issuer })
}

/// The block that would be made now.
pub(crate) fn context(book: &Book, now_ms: u64) -> BlockContext {
    BlockContext { chain: ChainId::new([0; 32]), height: book.height(), time_ms: now_ms }
}

pub(super) fn price(book: &Book, id: u32, context: &BlockContext) -> Price {
    let unproved = Price {
        state: PriceState::Unproved,
        price: 0,
        age_s: None,
        fresh: 0,
        needed: 0,
        reporters: 0,
    };
    let feed = book.seen(&feed_keys(book, id)).and_then(|_| oracle::feed(book, id));
    let Some(feed) = feed else { return unproved };
    let places = (0..=u8::MAX).take(feed.reporters.len());
    let seen: Vec<u64> = places
        .filter_map(|place| Some(oracle::report(book, id, place)?.seen_s))
        .filter(|seen_s| *seen_s <= context.now_s())
        .collect();
    let (state, price) = match oracle::quote(book, context, id) {
        Ok(quote) => (PriceState::Fresh, quote.price),
        Err(Stale::Jump) => (PriceState::Confirming, feed.accepted),
        Err(Stale::Quorum { .. } | Stale::NoFeed) => (PriceState::Stale, feed.accepted),
    };
    Price {
        state,
        price,
        age_s: seen.iter().max().map(|newest_s| context.now_s() - newest_s),
        fresh: seen.iter().filter(|seen_s| feed.is_fresh(**seen_s, context.now_s())).count(),
        needed: feed.quorum(),
        reporters: feed.reporters.len(),
    }
}

/// Rates over the share that is lent out, of a reserve's curve; empty where it is not proved.
pub fn curve(book: &Book, place: Place) -> Vec<Point> {
    let found = rules::reserve(book, place.market, place.reserve);
    found.map(|record| curve_of(&record.config)).unwrap_or_default()
}

/// The same of rules, also such as nobody has yet.
pub fn curve_of(config: &rules::Config) -> Vec<Point> {
    (0..=POINTS).filter_map(|step| point(config, step, POINTS - step)).collect()
}

/// Rates where a curve bends; `None`: it can't be one.
pub fn bend(config: &rules::Config) -> Option<Point> {
    let optimal_bps = config.curve.optimal_bps;
    point(config, optimal_bps, 10_000_u32.checked_sub(optimal_bps)?)
}

/// Rates where so many parts are lent out and so many are left.
fn point(config: &rules::Config, used: u32, left: u32) -> Option<Point> {
    let factor = config.reserve_factor_bps;
    let (out, here) = (U256::from(used), U256::from(left));
    let (supply, borrow) = rules::rates(&config.curve, out, here, U256::ZERO, factor).ok()?;
    let all = u64::from(used) + u64::from(left);
    Some(Point {
        used_ppm: (u64::from(used) * 1_000_000).checked_div(all)?,
        borrow_ppm: rate_ppm(borrow),
        supply_ppm: rate_ppm(supply),
    })
}

impl Reserve {
    /// What so many units are worth, with 8 decimals, rounded down; `None`: there is no price now.
    pub fn value(&self, amount: u128) -> Option<u128> {
        self.worth(amount, Rounding::Floor)
    }

    /// The same, rounded up.
    pub fn value_up(&self, amount: u128) -> Option<u128> {
        self.worth(amount, Rounding::Ceil)
    }

    fn worth(&self, amount: u128, rounding: Rounding) -> Option<u128> {
        if self.price.state != PriceState::Fresh {
            return None;
        }
        narrow(self.config.worth(wide(amount), self.price.price, rounding).ok()?).ok()
    }
}

/// What a rate of rays a year comes to, interest of each day on that of the days before.
fn apy_ppm(rate: u128) -> u64 {
    let mut base = wide(RAY) + wide(rate) / U256::from(DAYS);
    let mut grown = wide(RAY);
    let mut days = DAYS;
    while days > 0 {
        let times =
            |a: U256, b: U256| ray_mul(a, b, Rounding::Half).unwrap_or(U256::MAX >> 129_usize);
        if days % 2 == 1 {
            grown = times(grown, base);
        }
        base = times(base, base);
        days /= 2;
    }
    rate_ppm(grown.saturating_sub(wide(RAY)))
}

/// Rays a year as millionths.
fn rate_ppm(rate: U256) -> u64 {
    narrowest(rate / wide(PPM))
}

fn narrowest(number: U256) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interest_of_a_day_bears_interest() {
        for (rate_bps, expected_ppm) in [(0, 0), (1_000, 105_155), (10_000, 1_714_567)] {
            assert_eq!(apy_ppm(rate_bps * (RAY / 10_000)), expected_ppm);
        }
    }
}
