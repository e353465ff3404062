//! Records of feeds.

use minicbor::{Decode, Encode};

use super::average::Average;
use crate::{AccountId, Key, Prefix, Store, state::Table};

pub(super) const FEEDS: Table<Feed> = Table::new(Prefix::Oracle, 0);
pub(super) const REPORTS: Table<Report> = Table::new(Prefix::Oracle, 1);
pub(super) const COUNT: Table<u32> = Table::new(Prefix::Oracle, 2);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    [FEEDS.reads(key, record), REPORTS.reads(key, record), COUNT.reads(key, record)]
        .into_iter()
        .flatten()
        .next()
}

/// A feed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Feed {
    /// Who reports, in ascending order.
    #[n(0)]
    pub reporters: Vec<AccountId>,
    /// Seconds after which a report counts no more.
    #[n(1)]
    pub age_max_s: u64,
    /// The last price that was no jump, or a confirmed one; 0 before the first.
    #[n(2)]
    pub accepted: u64,
    /// When the price jumped, in seconds since 1970-01-01 UTC, until that is confirmed.
    #[n(3)]
    pub jumped_s: Option<u64>,
    /// Accepted prices over time.
    #[n(4)]
    pub average: Average,
}

/// A reporter's last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Report {
    /// With 8 decimals.
    #[n(0)]
    pub price: u64,
    /// When it was seen, in seconds since 1970-01-01 UTC.
    #[n(1)]
    pub seen_s: u64,
    /// The reporter's own count.
    #[n(2)]
    pub number: u64,
}

impl Feed {
    /// Fresh reports it takes: 2f + 1, where f = (n - 1) / 3 may be wrong.
    pub fn quorum(&self) -> usize {
        2 * (self.reporters.len().saturating_sub(1) / 3) + 1
    }

    /// Whether what was seen then counts now.
    pub fn is_fresh(&self, seen_s: u64, now_s: u64) -> bool {
        seen_s <= now_s && now_s - seen_s <= self.age_max_s
    }
}

/// A feed's record.
pub fn feed(store: &dyn Store, feed: u32) -> Option<Feed> {
    FEEDS.get(store, &[&feed.to_be_bytes()])
}

/// A reporter's last word, by its position among the feed's reporters.
pub fn report(store: &dyn Store, feed: u32, reporter: u8) -> Option<Report> {
    REPORTS.get(store, &[&feed.to_be_bytes(), &[reporter]])
}

/// How many feeds were made; they are numbered from 1.
pub fn count(store: &dyn Store) -> u32 {
    COUNT.get(store, &[]).unwrap_or_default()
}

/// Where it is said how many feeds were made.
pub fn count_key() -> Key {
    COUNT.key(&[])
}

/// Where a feed's record is.
pub fn feed_key(feed: u32) -> Key {
    FEEDS.key(&[&feed.to_be_bytes()])
}

/// Where a reporter's last word is.
pub fn report_key(feed: u32, reporter: u8) -> Key {
    REPORTS.key(&[&feed.to_be_bytes(), &[reporter]])
}

/// What the keys of all feeds begin with.
pub fn feeds_prefix() -> Key {
    FEEDS.key(&[])
}

/// What the keys of a feed's reports begin with.
pub fn reports_prefix(feed: u32) -> Key {
    REPORTS.key(&[&feed.to_be_bytes()])
}

/// Which feed a key is of; none: it is of something else.
pub fn feed_of(key: &Key) -> Option<u32> {
    FEEDS.id_of(key)?.try_into().ok().map(u32::from_be_bytes)
}
