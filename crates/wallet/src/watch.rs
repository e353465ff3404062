//! Records that a page wants to know: proved together, and again after later blocks.
//!
//! A round asks for every record once and hands them over when all are proved, so that what a page
//! computes of them is of nearly one moment. A page that learns from them what else it needs asks for
//! more within the round: what is proved already stays.

use light_client::{Proved, QueryId};

use crate::view;

/// Most records watched: a market of eight reserves with full feeds, and a list of others.
pub(crate) const WATCHED_MAX: usize = 512;
/// Longest key, in bytes; as a server reads it.
const KEY_BYTES_MAX: usize = 128;
/// Questions under way at a time: a server answers others too.
const ASKED_MAX: usize = 6;
/// Least time between two rounds, in milliseconds: a busy ledger makes many blocks a second.
const ROUND_EVERY_MS: u64 = 3_000;
/// Questions with smaller numbers are the wallet's own.
const QUERY_FIRST: u64 = 16;

/// What is watched, and how far the round is.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    list: Vec<Watched>,
    /// Questions so far.
    count: u64,
    began_ms: u64,
    /// The round's records were handed over.
    is_told: bool,
    /// A block came since the round began.
    is_old: bool,
    /// Nobody could answer: nothing is asked before this time.
    resting_until_ms: u64,
}

/// One record.
#[derive(Debug)]
struct Watched {
    key: Vec<u8>,
    /// The question under way.
    asked: Option<QueryId>,
    /// What came of this round's.
    got: Option<view::Record>,
}

impl Watch {
    /// Watches these in place of others. Within the bounds; the rest is never proved.
    pub(crate) fn set(&mut self, keys: impl Iterator<Item = Vec<u8>>, now_ms: u64) {
        let mut before = std::mem::take(&mut self.list);
        for key in keys.filter(|key| key.len() <= KEY_BYTES_MAX) {
            let is_there = self.list.iter().any(|one| one.key == key);
            if is_there || self.list.len() >= WATCHED_MAX {
                continue;
            }
            let known = before.iter().position(|one| one.key == key);
            let one = match known {
                Some(at) => before.swap_remove(at),
                None => Watched { key, asked: None, got: None },
            };
            self.list.push(one);
        }
        self.is_told = self.list.is_empty();
        if self.list.iter().all(|one| one.got.is_none()) {
            self.is_old = false;
            self.began_ms = now_ms;
        }
    }

    pub(crate) fn on_block(&mut self) {
        self.is_old = true;
    }

    /// Somebody came who can be asked: what nobody could answer is asked at once.
    pub(crate) fn on_up(&mut self) {
        self.resting_until_ms = 0;
    }

    /// Takes a proof; whether it was asked for here.
    pub(crate) fn on_proved(&mut self, proved: &Proved) -> bool {
        let Some(one) = self.asked(proved.query) else { return false };
        one.asked = None;
        one.got = Some(view::Record {
            key: one.key.clone().into(),
            record: proved.record.clone().map(Into::into),
            height: proved.height,
            time_ms: proved.time_ms,
        });
        true
    }

    /// The clock was set back: the round did not begin later than now.
    pub(crate) fn set_back(&mut self, now_ms: u64) {
        self.began_ms = self.began_ms.min(now_ms);
        self.resting_until_ms = self.resting_until_ms.min(now_ms.saturating_add(ROUND_EVERY_MS));
    }

    /// Nobody could answer: it is tried again after a while.
    pub(crate) fn on_unproved(&mut self, query: QueryId, now_ms: u64) {
        if let Some(one) = self.asked(query) {
            one.asked = None;
            self.resting_until_ms = now_ms.saturating_add(ROUND_EVERY_MS);
        }
    }

    fn asked(&mut self, query: QueryId) -> Option<&mut Watched> {
        self.list.iter_mut().find(|one| one.asked == Some(query))
    }

    /// The next question to ask; none: nothing is missing, or enough is under way.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(QueryId, Vec<u8>)> {
        self.begin(now_ms);
        let under_way = self.list.iter().filter(|one| one.asked.is_some()).count();
        if self.is_told || under_way >= ASKED_MAX || now_ms < self.resting_until_ms {
            return None;
        }
        let missing = |one: &&mut Watched| one.got.is_none() && one.asked.is_none();
        let one = self.list.iter_mut().find(missing)?;
        let query = QueryId(QUERY_FIRST + self.count);
        self.count += 1;
        one.asked = Some(query);
        Some((query, one.key.clone()))
    }

    /// Begins a round where one is due.
    fn begin(&mut self, now_ms: u64) {
        let due = now_ms.saturating_sub(self.began_ms) >= ROUND_EVERY_MS;
        if self.is_told && self.is_old && due && !self.list.is_empty() {
            self.list.iter_mut().for_each(|one| one.got = None);
            self.is_told = false;
            self.is_old = false;
            self.began_ms = now_ms;
        }
    }

    /// All records, once, when the last one is proved.
    pub(crate) fn finished(&mut self) -> Option<view::Records> {
        if self.is_told || self.list.is_empty() {
            return None;
        }
        let list = self.list.iter().map(|one| one.got.clone()).collect::<Option<_>>()?;
        self.is_told = true;
        Some(view::Records { list })
    }

    /// When the next round or the next try is due.
    pub(crate) fn wake(&self, now_ms: u64) -> Option<u64> {
        if self.list.is_empty() {
            return None;
        }
        if self.is_told {
            return self.is_old.then(|| self.began_ms.saturating_add(ROUND_EVERY_MS));
        }
        (now_ms < self.resting_until_ms).then_some(self.resting_until_ms)
    }
}
