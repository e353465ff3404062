//! What waits of one account, in order of its numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::{AccountId, Checked, Policy};
use primitives::{Hash, sha256};

use super::{BEHIND_BLOCKS_MAX, ROOM_BYTES_MIN};

/// A transaction that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) checked: Arc<Checked>,
    pub(super) bytes: Vec<u8>,
    /// SHA-256 of these bytes.
    pub(super) hash: Hash,
    /// What it pays per byte, in thousandths of a unit: who is served first.
    pub(super) price: u128,
    /// Signed with the keys that name the account, which hold until it chooses others.
    is_own: bool,
}

impl Waiting {
    pub(super) fn new(checked: Checked) -> Self {
        let (transaction, body) = (checked.transaction(), &checked.transaction().body);
        let price = body.fee.saturating_mul(1000) / u128::from(checked.size_bytes().max(1));
        let is_own = AccountId::of(&transaction.policy) == body.signer;
        let bytes = transaction.to_bytes();
        let hash = sha256(&bytes);
        Self { checked: Arc::new(checked), bytes, hash, price, is_own }
    }

    pub(super) fn fee(&self) -> u128 {
        self.checked.transaction().body.fee
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.checked.size_bytes()
    }

    /// The last height of a block that may hold it.
    fn expiry_height(&self) -> u64 {
        self.checked.transaction().body.expiry_height
    }

    /// Whether its keys speak for an account with this policy; none: with the keys that name it.
    pub(super) fn speaks_for(&self, policy: Option<&Policy>) -> bool {
        policy.map_or(self.is_own, |policy| *policy == self.checked.transaction().policy)
    }

    /// What it takes of the room behind gaps, where there is one for so many and one for so many bytes.
    pub(super) fn room_bytes(&self) -> u64 {
        self.size_bytes().max(ROOM_BYTES_MIN)
    }
}

/// What one account counts for among all.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// What its last one is worth: see [`Queue::worth_of`]. None: nothing waits.
    pub(super) worth: Option<u128>,
    /// How many wait behind a gap, and their bytes.
    pub(super) behind: (usize, u64),
    /// The room that those take.
    pub(super) room: u64,
}

/// At most [`super::PER_ACCOUNT_MAX`] of them. What depends on all is counted where one changes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u64, Waiting>,
    /// The account's next number in the last state that was looked at.
    next: u64,
    /// The first number from the account's next on that does not wait. What is above it waits behind a gap.
    missing: u64,
    /// What is promised for the account's next number and all above it.
    fees: u128,
    /// The lowest price of those before the gap, from the account's next number on; the highest possible: there is none.
    lowest: u128,
    /// The first height at which the last block of one of these has passed.
    expires: u64,
    standing: Standing,
    /// Since which height some wait behind a gap, and which number is missing.
    stuck: Option<(u64, u64)>,
}

impl Queue {
    /// An account's, of which nothing waits.
    pub(super) fn of(next: u64) -> Self {
        Self { next, missing: next, lowest: u128::MAX, expires: u64::MAX, ..Self::default() }
    }

    pub(super) fn get(&self, nonce: u64) -> Option<&Waiting> {
        self.waiting.get(&nonce)
    }

    /// Takes the place of whatever has this number.
    pub(super) fn put(&mut self, nonce: u64, waiting: Waiting) {
        let is_last = nonce == self.missing && self.last().is_none_or(|last| last < nonce);
        if !is_last {
            self.waiting.insert(nonce, waiting);
            return self.count();
        }
        self.missing = nonce.saturating_add(1);
        self.fees = self.fees.saturating_add(waiting.fee());
        self.lowest = self.lowest.min(waiting.price);
        self.expires = self.expires.min(waiting.expiry_height());
        self.standing.worth = Some(self.lowest);
        self.waiting.insert(nonce, waiting);
    }

    /// Takes out what has these numbers, in a state in which the account's next is this one.
    pub(super) fn leave(&mut self, next: u64, nonces: &[u64]) -> Vec<Waiting> {
        let gone: Vec<Waiting> =
            nonces.iter().filter_map(|nonce| self.waiting.remove(nonce)).collect();
        if !gone.is_empty() || next != self.next {
            self.next = next;
            self.count();
        }
        gone
    }

    /// Looks at all of them.
    fn count(&mut self) {
        let mut counted = Self::of(self.next);
        for (nonce, one) in &self.waiting {
            counted.expires = counted.expires.min(one.expiry_height());
            if *nonce < self.next {
                continue;
            }
            counted.fees = counted.fees.saturating_add(one.fee());
            if *nonce == counted.missing {
                counted.missing = nonce.saturating_add(1);
                counted.lowest = counted.lowest.min(one.price);
            } else {
                let Standing { behind: (count, bytes), room, .. } = &mut counted.standing;
                (*count, *bytes) = (*count + 1, *bytes + one.size_bytes());
                *room = room.saturating_add(one.room_bytes());
            }
        }
        let Self { missing, fees, lowest, expires, standing, .. } = counted;
        (self.missing, self.fees, self.lowest) = (missing, fees, lowest);
        (self.expires, self.standing) = (expires, standing);
        let last = self.waiting.last_key_value();
        self.standing.worth = last.map(|(nonce, one)| self.worth_of(*nonce, one.price));
    }

    /// In order of numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        self.waiting.iter().map(|(nonce, waiting)| (*nonce, waiting))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The account's next number in the last state that was looked at.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// The last number.
    pub(super) fn last(&self) -> Option<u64> {
        self.waiting.last_key_value().map(|(nonce, _)| *nonce)
    }

    /// The first number from `next` on that does not wait.
    pub(super) fn missing_from(&self, next: u64) -> u64 {
        if next == self.next {
            return self.missing;
        }
        let mut missing = next;
        for nonce in self.waiting.range(next..).map(|(nonce, _)| *nonce) {
            if nonce != missing {
                break;
            }
            missing = missing.saturating_add(1);
        }
        missing
    }

    /// Whether one of this number would wait behind a gap.
    pub(super) fn is_behind(&self, nonce: u64) -> bool {
        nonce > self.missing
    }

    /// What is promised for the account's next number and all above it.
    pub(super) fn fees(&self) -> u128 {
        self.fees
    }

    /// What is promised for those of these numbers that come before one.
    pub(super) fn fees_before(&self, nonce: u64) -> u128 {
        if self.last().is_none_or(|last| last < nonce) {
            return self.fees;
        }
        let before = self.waiting.range(self.next.min(nonce)..nonce);
        before.map(|(_, waiting)| waiting.fee()).fold(0, u128::saturating_add)
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing
    }

    /// What one of this number and price is worth to who makes a block: nothing behind a gap, and no more than
    /// any that must be in a block before it.
    pub(super) fn worth_of(&self, nonce: u64, price: u128) -> u128 {
        if self.is_behind(nonce) {
            return 0;
        }
        if nonce == self.missing {
            return self.lowest.min(price);
        }
        let before = self.waiting.range(self.next.min(nonce)..nonce).map(|(_, one)| one.price);
        before.fold(price, u128::min)
    }

    /// Numbers that wait no more once this height is final: their last block has passed, or they waited behind
    /// the same gap for too long.
    pub(super) fn stale(&mut self, height: u64) -> Vec<u64> {
        let is_behind = self.standing.behind.0 > 0;
        let is_same = |(_, at): &(u64, u64)| *at == self.missing;
        let since = self.stuck.filter(is_same).map_or(height, |(since, _)| since);
        self.stuck = is_behind.then_some((since, self.missing));
        let is_too_long = is_behind && height.saturating_sub(since) >= BEHIND_BLOCKS_MAX;
        if !is_too_long && self.expires > height {
            return Vec::new();
        }
        let is_over = |nonce: u64, one: &Waiting| {
            one.expiry_height() <= height || (is_too_long && nonce > self.missing)
        };
        self.iter().filter(|one| is_over(one.0, one.1)).map(|(nonce, _)| nonce).collect()
    }
}

#[cfg(test)]
impl Queue {
    /// Whether what was kept up to date is what counting all of them gives.
    pub(super) fn is_counted(&mut self) -> bool {
        let kept = (self.missing, self.fees, self.lowest, self.expires, self.standing);
        self.count();
        kept == (self.missing, self.fees, self.lowest, self.expires, self.standing)
    }
}
