//! What the ledger holds of pools and lanes, proved; asked for when somebody needs it as of a block.

use ledger::{
    AccountId,
    domains::paypool::{Lane, Pool, count_key, lane_key, pool_key},
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
/// How long a record is not asked for again that was proved and can't be read, in milliseconds: at first, and after
/// it was so again and again. It is of a later version than this program.
const UNREAD_MS: (u64, u64) = (5_000, 300_000);

/// Which record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum About {
    Pool(u64),
    Lane(u64, AccountId),
    /// How many pools were ever opened.
    Count,
}

/// All that is known.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    pools: SortedMap<u64, Known<Option<Pool>>>,
    lanes: SortedMap<(u64, AccountId), Known<Option<Lane>>>,
    opened: SortedMap<(), Known<Option<u64>>>,
    /// What was proved and can't be read; of what is wanted.
    unread: SortedMap<About, Unread>,
    /// Needed as of this block or a later one.
    wanted: SortedMap<About, u64>,
    asked: SortedMap<QueryId, About>,
    questions: u64,
    resting_until_ms: u64,
    /// Proofs so far.
    pub(crate) proofs: u64,
}

/// A record that can't be read.
#[derive(Debug, Clone, Copy)]
struct Unread {
    /// It is not asked for before.
    until_ms: u64,
    wait_ms: u64,
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

    /// How many pools were ever opened as of this block or a later one; otherwise it is asked for.
    pub(crate) fn count(&mut self, since: u64) -> Option<u64> {
        let found = self.opened.get(&()).filter(|known| known.height >= since);
        let count = found.map(|known| known.value.unwrap_or_default());
        if count.is_none() {
            self.want(About::Count, since);
        }
        count
    }

    /// The pool of a record that was proved and can't be read.
    pub(crate) fn unread(&self) -> Option<u64> {
        self.unread.keys().find_map(|about| match about {
            About::Pool(number) | About::Lane(number, _) => Some(*number),
            About::Count => None,
        })
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
        let about = *self.wanted.keys().find(|about| {
            !self.is_asked(about) && self.unread.get(about).is_none_or(|one| now_ms >= one.until_ms)
        })?;
        let query = QueryId(QUERY_FIRST.saturating_add(self.questions));
        self.questions += 1;
        self.asked.insert(query, about);
        let key = match about {
            About::Pool(number) => pool_key(number),
            About::Lane(pool, payee) => lane_key(pool, payee),
            About::Count => count_key(),
        };
        Some((query, key.as_bytes().to_vec()))
    }

    fn is_asked(&self, about: &About) -> bool {
        self.asked.values().any(|one| one == about)
    }

    /// Takes a proof; whether it was asked for here.
    pub(crate) fn on_proved(&mut self, proved: &Proved, now_ms: u64) -> bool {
        let Some(about) = self.asked.remove(&proved.query) else { return false };
        self.proofs += 1;
        let is_read = match about {
            About::Pool(number) => take(&mut self.pools, number, proved),
            About::Lane(pool, payee) => take(&mut self.lanes, (pool, payee), proved),
            About::Count => take(&mut self.opened, (), proved),
        };
        if !is_read {
            let wait_ms = self.unread.get(&about).map_or(UNREAD_MS.0, |one| one.wait_ms * 2);
            let wait_ms = wait_ms.min(UNREAD_MS.1);
            let until_ms = now_ms.saturating_add(wait_ms);
            self.unread.insert(about, Unread { until_ms, wait_ms });
            return true;
        }
        self.unread.remove(&about);
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

    /// The clock was set back: nothing rests longer than it may from now on.
    pub(crate) fn set_back(&mut self, now_ms: u64) {
        self.resting_until_ms = self.resting_until_ms.min(now_ms.saturating_add(REST_MS));
        for one in self.unread.values_mut() {
            one.until_ms = one.until_ms.min(now_ms.saturating_add(one.wait_ms));
        }
    }

    /// When something is to be asked.
    pub(crate) fn wake(&self, now_ms: u64) -> Option<u64> {
        let due = |about: &About| {
            let until_ms = self.unread.get(about).map_or(0, |one| one.until_ms);
            until_ms.max(self.resting_until_ms)
        };
        let due = self.wanted.keys().filter(|about| !self.is_asked(about)).map(due).min();
        due.filter(|due_ms| *due_ms > now_ms)
    }
}

/// Takes a record, unless a later one is known. Whether it can be read.
fn take<K: Ord + Copy, T: for<'b> minicbor::Decode<'b, ()>>(
    facts: &mut SortedMap<K, Known<Option<T>>>,
    key: K,
    proved: &Proved,
) -> bool {
    if facts.get(&key).is_some_and(|known| known.height > proved.height) {
        return true;
    }
    let value = match proved.record.as_deref().map(minicbor::decode) {
        None => None,
        Some(Ok(value)) => Some(value),
        Some(Err(_)) => return false,
    };
    if facts.len() >= FACTS_MAX && !facts.contains_key(&key) {
        let oldest = facts.iter().min_by_key(|(_, known)| known.height).map(|(key, _)| *key);
        if let Some(oldest) = oldest {
            facts.remove(&oldest);
        }
    }
    facts.insert(key, Known { value, height: proved.height, time_ms: proved.time_ms });
    true
}

#[cfg(test)]
mod tests {
    use light_client::ServerId;
    use primitives::Hash;

    use super::*;

    fn proved(query: QueryId, record: Vec<u8>) -> Proved {
        let (block, bytes) = (Hash::new([0; 32]), Vec::new());
        let (height, time_ms, from) = (7, 0, ServerId(0));
        Proved { query, record: Some(record), height, block, time_ms, from, bytes }
    }

    #[test]
    fn a_record_that_cant_be_read_is_named_and_asked_for_less_and_less_often() {
        let mut facts = Facts::default();
        let mut asked = Vec::new();
        for now_ms in (0..1_200_000).step_by(500) {
            assert!(facts.pool(3, 1).is_none());
            while let Some((query, _)) = facts.next(now_ms) {
                asked.push(now_ms);
                assert!(asked.len() < 20, "asked at {asked:?}");
                assert!(facts.on_proved(&proved(query, vec![0xff]), now_ms));
            }
            assert!(facts.wake(now_ms).is_some_and(|wake_ms| wake_ms > now_ms));
        }
        assert_eq!(asked[..4], [0, 5_000, 15_000, 35_000]);
        let gaps = asked.windows(2).map(|pair| pair[1] - pair[0]);
        assert_eq!(gaps.max(), Some(300_000));
        assert_eq!(facts.unread(), Some(3));
        // Others are asked for meanwhile.
        facts.want(About::Count, 1);
        let (query, _) = facts.next(1_200_000).unwrap();
        assert!(facts.on_proved(&proved(query, minicbor::to_vec(9_u64).unwrap()), 1_200_000));
        assert_eq!(facts.count(7), Some(9));
        // A program that can read it, as of a reload.
        let mut now_ms = 1_200_000;
        while facts.unread().is_some() {
            now_ms += 1_000;
            let Some((query, _)) = facts.next(now_ms) else { continue };
            facts.on_proved(&Proved { record: None, ..proved(query, vec![]) }, now_ms);
        }
        assert!(facts.pool(3, 7).is_some_and(|known| known.value.is_none()));
    }
}
