//! Which positions are worth a look: what a server lists of a market, in order of the health that it says.
//!
//! A state can't be searched by proof, so a server names who is close to 1. Nothing it says is shown: the
//! positions it names are proved one by one, like any record. What it can do is to leave one out.

use std::collections::BTreeMap;

use ledger::{
    AccountId, Key, Store,
    domains::{
        lending::{self as rules, Error, OnLedger, Purpose, Quotes, math::narrow},
        oracle::Quote,
    },
};
use wire::ledger::Records;

use super::{
    Book, ONE,
    book::{market_keys, price_keys},
    market::context,
};

/// Most positions that are taken of a server's list of one market: eight of its pages.
pub const LISTED_POSITIONS_MAX: usize = 8 * wire::limits::LEDGER_RECORDS_MAX;
/// Most positions proved and shown together.
pub const SHOWN_MAX: usize = 24;
/// Health below which a position is shown: 1.25. What is above needs a fall of a fifth.
pub const NEAR: u128 = ONE + ONE / 4;

/// What a server lists of a market's positions. Not proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hints {
    market: u32,
    positions: BTreeMap<Key, Vec<u8>>,
    /// There are others behind the last one.
    has_more: bool,
}

/// Who is below 1 or near it, by what a server says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranked {
    /// The lowest health first; at most [`SHOWN_MAX`].
    pub accounts: Vec<AccountId>,
    /// How many there are in all.
    pub near: usize,
    /// Positions that owe something.
    pub borrowers: usize,
    /// Of those, how many can't be valued now: a price they need is stale or unconfirmed.
    pub unpriced: usize,
}

/// The proved records, with a server's word where nothing is proved yet.
struct Hinted<'a> {
    book: &'a Book,
    positions: &'a BTreeMap<Key, Vec<u8>>,
}

impl Store for Hinted<'_> {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.positions.get(key).cloned().or_else(|| self.book.get(key))
    }
}

/// Prices of a market's feeds, each asked for once: thousands of positions are valued by them.
struct Quoted(BTreeMap<u32, Result<Quote, Error>>);

impl Quotes for Quoted {
    fn quote(&self, _: &dyn Store, feed: u32) -> Result<Quote, Error> {
        self.0.get(&feed).copied().unwrap_or(Err(Error::StalePrice))
    }
}

impl Quoted {
    fn of(book: &Book, market: u32, now: &OnLedger<'_>) -> Self {
        let count = rules::market(book, market).map_or(0, |market| market.reserves);
        let feed = |index| Some(rules::reserve(book, market, index)?.config.feed);
        Self((0..count).filter_map(feed).map(|feed| (feed, now.quote(book, feed))).collect())
    }
}

impl Hints {
    /// Of a market of which nothing is listed yet.
    pub fn new(market: u32) -> Self {
        Self { market, positions: BTreeMap::new(), has_more: true }
    }

    /// Of which market.
    pub fn market(&self) -> u32 {
        self.market
    }

    /// Whether the list is cut: the market has more positions than are taken.
    pub fn is_cut(&self) -> bool {
        self.has_more && self.positions.len() >= LISTED_POSITIONS_MAX
    }

    /// Where a server has the next part of the list, below `/ledger`; none: that is all of it, or enough.
    pub fn next_path(&self) -> Option<String> {
        if !self.has_more || self.positions.len() >= LISTED_POSITIONS_MAX {
            return None;
        }
        let prefix = rules::positions_prefix(self.market);
        let after = self.positions.last_key_value();
        let after = after.map_or_else(String::new, |(key, _)| format!("?after={key}"));
        Some(format!("/records/{prefix}{after}"))
    }

    /// Takes a part of the list; whether it is one. Records of another version are left out.
    pub fn take(&mut self, bytes: &[u8]) -> bool {
        let Some(page) = Records::read(bytes) else { return false };
        let last = self.positions.last_key_value().map(|(key, _)| key.clone());
        let listed = page.records.into_iter().map(|(key, record)| {
            let (key, record): (Vec<u8>, Vec<u8>) = (key.into(), record.into());
            (Key::from_bytes(key), record)
        });
        let listed: Vec<(Key, Vec<u8>)> = listed.collect();
        let is_meant = |key: &Key| {
            let market = rules::position_of(key).map(|(market, _)| market);
            market == Some(self.market) && last.as_ref().is_none_or(|last| key > last)
        };
        // An empty part that says there is more would be asked for again and again.
        let goes_on = !listed.is_empty() || !page.more;
        if !goes_on || !listed.iter().all(|(key, _)| is_meant(key)) {
            return false;
        }
        self.has_more = page.more;
        let read = |(key, record): &(Key, Vec<u8>)| ledger::reads(key, record) == Some(true);
        self.positions.extend(listed.into_iter().filter(read));
        true
    }

    /// Who is below 1 or near it, by proved prices and what the server said; `None`: the market or its
    /// prices are not proved.
    pub fn ranked(&self, book: &Book, now_ms: u64) -> Option<Ranked> {
        book.seen(&market_keys(book, self.market))?;
        book.seen(&price_keys(book, self.market))?;
        let store = Hinted { book, positions: &self.positions };
        let (context, mut ranked) = (context(book, now_ms), Ranked::default());
        let (feeds, now_s) = (Quoted::of(book, self.market, &OnLedger(&context)), context.now_s());
        let mut near = Vec::new();
        for (market, account) in self.positions.keys().filter_map(rules::position_of) {
            if !rules::position(&store, market, account).owes() {
                continue;
            }
            ranked.borrowers += 1;
            match rules::health(&store, &feeds, now_s, market, account, Purpose::Liquidate) {
                Ok(health) => match narrow(health.factor) {
                    Ok(factor) if factor < NEAR => near.push((factor, account)),
                    _ => {}
                },
                Err(_) => ranked.unpriced += 1,
            }
        }
        near.sort_unstable();
        ranked.near = near.len();
        ranked.accounts = near.into_iter().take(SHOWN_MAX).map(|(_, account)| account).collect();
        Some(ranked)
    }
}
