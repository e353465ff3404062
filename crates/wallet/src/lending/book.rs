//! Records that are proved, and which ones a page needs.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{
    AccountId, AssetId, Key, Store,
    domains::{accounts::balance_key, assets, lending as rules, oracle},
};

use super::asked;
use crate::{
    view::{Command, Records, Sent},
    watch::WATCHED_MAX,
};

/// Most markets listed: the newest. Any other opens by its number.
pub const LISTED_MAX: u32 = 12;
/// Most markets followed because something was done there: the latest.
const ACTED_MAX: usize = 20;
/// Oldest proof that is told without a word about its age, in milliseconds of the ledger's time: three
/// blocks of an idle ledger.
const SEEN_MS_MAX: u64 = 30_000;

/// Proved records of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    records: BTreeMap<Key, Proved>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Proved {
    /// None: its absence is proved.
    record: Option<Vec<u8>>,
    height: u64,
    /// That block's time.
    time_ms: u64,
}

/// Between which blocks something was proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The oldest.
    pub from_height: u64,
    /// The newest.
    pub to_height: u64,
    /// The oldest one's time.
    pub from_ms: u64,
}

impl Seen {
    /// Whether the oldest proof is too old to be told as what is.
    pub fn is_old(self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.from_ms) > SEEN_MS_MAX
    }

    /// Both, where there are both.
    pub(crate) fn with(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        Self {
            from_height: self.from_height.min(other.from_height),
            to_height: self.to_height.max(other.to_height),
            from_ms: self.from_ms.min(other.from_ms),
        }
    }
}

/// Which markets are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Markets opened so far.
    pub count: u32,
    /// Numbers of those that are listed, newest first.
    pub markets: Vec<u32>,
}

impl Book {
    /// What was proved. A record of another version of the ledger is as good as none.
    pub fn new(records: &Records) -> Self {
        let known = records
            .list
            .iter()
            .filter(|one| one.record.as_ref().is_none_or(|record| is_read(&one.key, record)));
        let entry = |one: &crate::view::Record| {
            let record = one.record.as_ref().map(|record| record.to_vec());
            let proved = Proved { record, height: one.height, time_ms: one.time_ms };
            (Key::from_bytes(one.key.to_vec()), proved)
        };
        Self { records: known.map(entry).collect() }
    }

    /// Whether it is proved what is under each of these keys, and between which blocks.
    pub(crate) fn seen(&self, keys: &[Key]) -> Option<Seen> {
        let mut seen = Seen { from_height: u64::MAX, to_height: 0, from_ms: u64::MAX };
        for key in keys {
            let proved = self.records.get(key)?;
            seen.from_height = seen.from_height.min(proved.height);
            seen.to_height = seen.to_height.max(proved.height);
            seen.from_ms = seen.from_ms.min(proved.time_ms);
        }
        Some(seen)
    }

    /// Takes over what is proved in another under these keys.
    pub(crate) fn copy(&mut self, other: &Self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            if let Some(proved) = other.records.get(&key) {
                self.records.insert(key, proved.clone());
            }
        }
    }

    /// Adds what this one does not have.
    #[must_use]
    pub(crate) fn over(mut self, older: &Self) -> Self {
        for (key, proved) in &older.records {
            self.records.entry(key.clone()).or_insert_with(|| proved.clone());
        }
        self
    }

    /// Whether it is proved what is under this key.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.records.contains_key(key)
    }

    /// The newest block at which something was proved.
    pub(crate) fn height(&self) -> u64 {
        self.records.values().map(|proved| proved.height).max().unwrap_or_default()
    }
}

impl Store for Book {
    fn get(&self, key: &Key) -> Option<Vec<u8>> {
        self.records.get(key)?.record.clone()
    }
}

/// Whether this version reads a record: the ledger's code stops at one that it did not write.
fn is_read(key: &[u8], record: &[u8]) -> bool {
    ledger::reads(&Key::from_bytes(key.to_vec()), record).unwrap_or_default()
}

/// Which markets there are; `None`: their count is not proved yet.
pub fn listing(book: &Book) -> Option<Listing> {
    book.seen(&[rules::count_key()])?;
    let count = rules::count(book);
    let oldest = count.saturating_sub(LISTED_MAX - 1).max(1);
    Some(Listing { count, markets: (oldest..=count).rev().collect() })
}

/// Markets in which something was done from here, the latest first: there may be a debt, however old
/// the market is.
pub fn acted(sent: &[Sent]) -> Vec<u32> {
    let mut markets = Vec::new();
    let places = sent.iter().filter_map(|sent| Some(asked(sent.act.as_ref()?)?.0));
    for market in places.map(|place| place.market) {
        if !markets.contains(&market) && markets.len() < ACTED_MAX {
            markets.push(market);
        }
    }
    markets
}

/// Markets that are followed: the chosen one, those in which something was done, those that are listed.
pub fn followed(book: &Book, chosen: Option<u32>, acted: &[u32]) -> Vec<u32> {
    let listed = listing(book).map(|listing| listing.markets).unwrap_or_default();
    let mut markets = Vec::new();
    for market in chosen.into_iter().chain(acted.iter().copied()).chain(listed) {
        if !markets.contains(&market) {
            markets.push(market);
        }
    }
    markets
}

/// Keys of the records that are to be proved next, those that are proved included; most needed first.
/// Asked again with what came of them, until it says the same. At most as many as a wallet watches.
/// `acted`: see [`acted`].
pub fn wanted(book: &Book, account: &str, chosen: Option<u32>, acted: &[u32]) -> Vec<Vec<u8>> {
    let Ok(account) = account.parse::<AccountId>() else { return Vec::new() };
    let markets = followed(book, chosen, acted);
    let native = balance_key(account, AssetId::NATIVE);
    let mut keys = vec![rules::count_key(), ledger::params_key(), native];
    for market in &markets {
        keys.extend([rules::market_key(*market), rules::position_key(*market, account)]);
    }
    // What is looked at, then where I owe, then where I have something, then the rest of the list.
    let held = |market: &u32| rules::position(book, *market, account);
    let others = markets.iter().copied().filter(|market| Some(*market) != chosen);
    let mut mine: Vec<u32> = others.filter(|market| !held(market).entries.is_empty()).collect();
    mine.sort_by_key(|market| !held(market).owes());
    for market in chosen.into_iter().chain(mine) {
        keys.extend(market_keys(book, market));
        keys.extend(price_keys(book, market));
        keys.extend(funds_keys(book, market, account));
    }
    for market in markets {
        keys.extend(market_keys(book, market));
    }
    each_once(keys)
}

/// Each of them once, in this order, at most as many as a wallet watches.
pub(crate) fn each_once(keys: Vec<Key>) -> Vec<Vec<u8>> {
    let (mut known, mut named) = (BTreeSet::new(), Vec::new());
    for key in keys {
        if named.len() < WATCHED_MAX && known.insert(key.clone()) {
            named.push(key.as_bytes().to_vec());
        }
    }
    named
}

/// That records are to be proved; none: no more.
pub fn watch(keys: Vec<Vec<u8>>) -> Command {
    Command::Watch(keys.into_iter().map(Into::into).collect())
}

/// Reserves of a market whose record is proved.
pub(super) fn reserves(
    book: &Book,
    market: u32,
) -> impl Iterator<Item = (u8, Option<rules::Reserve>)> {
    let count = rules::market(book, market).map_or(0, |market| market.reserves);
    (0..count).map(move |index| (index, rules::reserve(book, market, index)))
}

/// A market, its reserves, and what their assets are called.
pub(super) fn market_keys(book: &Book, market: u32) -> Vec<Key> {
    let mut keys = vec![rules::market_key(market)];
    for (index, reserve) in reserves(book, market) {
        keys.push(rules::reserve_key(market, index));
        let asset = reserve.map(|reserve| reserve.config.asset);
        keys.extend(asset.filter(|asset| *asset != AssetId::NATIVE).map(assets::asset_key));
    }
    keys
}

/// The feeds of a market, and what their reporters said.
pub(super) fn price_keys(book: &Book, market: u32) -> Vec<Key> {
    let feeds = reserves(book, market).filter_map(|(_, reserve)| Some(reserve?.config.feed));
    feeds.flat_map(|feed| feed_keys(book, feed)).collect()
}

/// A feed, and what its reporters said.
pub(super) fn feed_keys(book: &Book, feed: u32) -> Vec<Key> {
    let reporters = oracle::feed(book, feed).map_or(0, |found| found.reporters.len());
    let reports = (0..=u8::MAX).take(reporters).map(|reporter| oracle::report_key(feed, reporter));
    [oracle::feed_key(feed)].into_iter().chain(reports).collect()
}

/// What an account has in a market and beside it, and what the market can pay out.
pub(super) fn funds_keys(book: &Book, market: u32, account: AccountId) -> Vec<Key> {
    let mut keys = vec![
        rules::position_key(market, account),
        balance_key(account, AssetId::NATIVE),
        ledger::params_key(),
    ];
    for asset in reserves(book, market).filter_map(|(_, reserve)| Some(reserve?.config.asset)) {
        keys.extend([balance_key(account, asset), balance_key(rules::vault(), asset)]);
    }
    keys
}
