//! What the ledger holds of pools and lanes, proved; asked for when somebody needs it as of a block.

use ledger::{
    AccountId,
    domains::paypool::{Lane, Pool, lane_key, pool_key},
};
use light_client::{Proved, QueryId};
use primitives::SortedMap;

use crate::holdings::Known;

/// Questions with smaller numbers are the wallet's own and those of what is watched.
const QUERY_FIRST: u64 = 1 << 48;
/// Questions under way at a time.
const ASKED_MAX: usize = 8;
/// Most records remembered; the oldest are forgotten.
const FACTS_MAX: usize = 512;
/// How long nothing is asked after nobody could answer, or a server was behind, in milliseconds.
const REST_MS: u64 = 1_000;

/// Which record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    Pool(u64),
    Lane(u64, AccountId),
}

/// All that is known.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pools: SortedMap<u64, Known<Option<Pool>>>,
    lanes: SortedMap<(u64, AccountId), Known<Option<Lane>>>,
    /// Needed as of this block or a later one.
    wanted: SortedMap<About, u64>,
    asked: SortedMap<QueryId, About>,
    count: u64,
    resting_until_ms: u64,
    /// Proofs so far.
    pub(crate) proofs: u64,
}

impl Facts {
    /// A pool as of this block or a later one; otherwise it is asked for.
    pub(crate) fn pool(&mut self, number: u64, since: u64) -> Option<Known<Option<Pool>>> {
        let found = self.pools.get(&number).filter(|known| known.height >= since).cloned();
        if found.is_none() {
            self.want(About::Pool(number), since);
        }
        found
    }

    /// A lane as of this block or a later one; otherwise it is asked for.
    pub(crate) fn lane(
        &mut self,
        pool: u64,
        payee: AccountId,
        since: u64,
    ) -> Option<Known<Option<Lane>>> {
        let found = self.lanes.get(&(pool, payee)).filter(|known| known.height >= since).cloned();
        if found.is_none() {
            self.want(About::Lane(pool, payee), since);
        }
        found
    }

    /// A pool, however old.
    pub(crate) fn known_pool(&self, number: u64) -> Option<&Known<Option<Pool>>> {
        self.pools.get(&number)
    }

    /// A lane, however old.
    pub(crate) fn known_lane(&self, pool: u64, payee: AccountId) -> Option<&Known<Option<Lane>>> {
        self.lanes.get(&(pool, payee))
    }

    /// Asks for it as of this block or a later one.
    pub(crate) fn want(&mut self, about: About, since: u64) {
        if self.wanted.len() < FACTS_MAX || self.wanted.contains_key(&about) {
            let wanted = self.wanted.entry(about).or_default();
            *wanted = since.max(*wanted);
        }
    }

    /// The next question, if one may be asked now.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(QueryId, Vec<u8>)> {
        if self.asked.len() >= ASKED_MAX || now_ms < self.resting_until_ms {
            return None;
        }
        let asked = |about: &About| self.asked.values().any(|one| one == about);
        let about = *self.wanted.keys().find(|about| !asked(about))?;
        let query = QueryId(QUERY_FIRST.saturating_add(self.count));
        self.count += 1;
        self.asked.insert(query, about);
        let key = match about {
            About::Pool(number) => pool_key(number),
            About::Lane(pool, payee) => lane_key(pool, payee),
        };
        Some((query, key.as_bytes().to_vec()))
    }

    /// Takes a proof; whether it was asked for here.
    pub(crate) fn on_proved(&mut self, proved: &Proved, now_ms: u64) -> bool {
        let Some(about) = self.asked.remove(&proved.query) else { return false };
        self.proofs += 1;
        match about {
            About::Pool(number) => take(&mut self.pools, number, proved),
            About::Lane(pool, payee) => take(&mut self.lanes, (pool, payee), proved),
        }
        if self.wanted.get(&about).is_some_and(|since| proved.height >= *since) {
            self.wanted.remove(&about);
        } else {
            // The server is behind. It is asked again, not at once.
            self.resting_until_ms = now_ms.saturating_add(REST_MS);
        }
        true
    }

    /// Nobody could answer; whether it was asked for here.
    pub(crate) fn on_unproved(&mut self, query: QueryId, now_ms: u64) -> bool {
        let ours = self.asked.remove(&query).is_some();
        if ours {
            self.resting_until_ms = now_ms.saturating_add(REST_MS);
        }
        ours
    }

    /// When something is to be asked.
    pub(crate) fn wake(&self, now_ms: u64) -> Option<u64> {
        let more = self.wanted.len() > self.asked.len();
        (more && self.resting_until_ms > now_ms).then_some(self.resting_until_ms)
    }
}

/// Takes a record, unless a later one is known. What can't be read is as if it had not been asked.
fn take<K: Ord + Copy, T: for<'b> minicbor::Decode<'b, ()>>(
    facts: &mut SortedMap<K, Known<Option<T>>>,
    key: K,
    proved: &Proved,
) {
    if facts.get(&key).is_some_and(|known| known.height > proved.height) {
        return;
    }
    let value = match proved.record.as_deref().map(minicbor::decode) {
        None => None,
        Some(Ok(value)) => Some(value),
        Some(Err(_)) => return,
    };
    if facts.len() >= FACTS_MAX && !facts.contains_key(&key) {
        let oldest = facts.iter().min_by_key(|(_, known)| known.height).map(|(key, _)| *key);
        if let Some(oldest) = oldest {
            facts.remove(&oldest);
        }
    }
    facts.insert(key, Known { value, height: proved.height, time_ms: proved.time_ms });
}
