//! The price now, or why there is none.

use super::{
    Feed, JUMP_DIVISOR, Stale,
    state::{feed, report},
};
use crate::{BlockContext, Store};

/// A price with 8 decimals, and the half hour before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The lower median of fresh reports.
    pub price: u64,
    /// The lower of price and average: for what is pledged.
    pub low: u64,
    /// The higher of price and average: for what is owed.
    pub high: u64,
}

impl Quote {
    /// A price without history.
    pub fn flat(price: u64) -> Self {
        Self { price, low: price, high: price }
    }
}

/// The price of a feed in this block.
pub fn quote(store: &dyn Store, context: &BlockContext, id: u32) -> Result<Quote, Stale> {
    let feed = feed(store, id).ok_or(Stale::NoFeed)?;
    let price = median(store, &feed, id, context.now_s(), None)?;
    if feed.jumped_s.is_some() || jumps(feed.accepted, price) {
        return Err(Stale::Jump);
    }
    let average = feed.average.at(feed.accepted, context.now_s()).unwrap_or(price);
    Ok(Quote { price, low: price.min(average), high: price.max(average) })
}

/// The lower median of what is fresh and was seen after a moment.
pub(super) fn median(
    store: &dyn Store,
    feed: &Feed,
    id: u32,
    now_s: u64,
    after_s: Option<u64>,
) -> Result<u64, Stale> {
    let reporters = (0..=u8::MAX).take(feed.reporters.len());
    let fresh = |seen_s: u64| {
        let late = after_s.is_none_or(|after_s| seen_s > after_s);
        late && feed.is_fresh(seen_s, now_s)
    };
    let mut prices: Vec<u64> = reporters
        .filter_map(|reporter| report(store, id, reporter))
        .filter(|report| fresh(report.seen_s))
        .map(|report| report.price)
        .collect();
    if prices.len() < feed.quorum() {
        let count = |many: usize| u32::try_from(many).unwrap_or(u32::MAX);
        return Err(Stale::Quorum { needed: count(feed.quorum()), fresh: count(prices.len()) });
    }
    prices.sort_unstable();
    Ok(prices[(prices.len() - 1) / 2])
}

/// Whether a price is further from the accepted one than a quarter of it.
pub(super) fn jumps(accepted: u64, price: u64) -> bool {
    accepted > 0 && price.abs_diff(accepted) > accepted / JUMP_DIVISOR
}
