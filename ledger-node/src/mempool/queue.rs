//! What waits of one account, in order of its numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::Checked;

use super::{BEHIND_BLOCKS_MAX, ROOM_BYTES_MIN};

/// A transaction that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) checked: Arc<Checked>,
    pub(super) bytes: Vec<u8>,
    /// What it pays per byte, in thousandths of a unit: who is served first.
    pub(super) price: u128,
}

impl Waiting {
    pub(super) fn new(checked: Checked) -> Self {
        let fee = checked.transaction().body.fee;
        let price = fee.saturating_mul(1000) / u128::from(checked.size_bytes().max(1));
        Self { bytes: checked.transaction().to_bytes(), checked: Arc::new(checked), price }
    }

    pub(super) fn fee(&self) -> u128 {
        self.checked.transaction().body.fee
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.checked.size_bytes()
    }

    /// What it takes of the room behind gaps, where there is one for so many and one for so many bytes.
    pub(super) fn room_bytes(&self) -> u64 {
        self.size_bytes().max(ROOM_BYTES_MIN)
    }
}

/// At most [`super::PER_ACCOUNT_MAX`] of them: each is looked at where one changes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: BTreeMap<u64, Waiting>,
    /// The account's next number in the last state that was looked at.
    pub(super) next: u64,
    /// Since which height some wait behind a gap, and which number is missing.
    stuck: Option<(u64, u64)>,
}

impl Queue {
    pub(super) fn get(&self, nonce: u64) -> Option<&Waiting> {
        self.waiting.get(&nonce)
    }

    pub(super) fn put(&mut self, nonce: u64, waiting: Waiting) {
        self.waiting.insert(nonce, waiting);
    }

    pub(super) fn take(&mut self, nonce: u64) -> Option<Waiting> {
        self.waiting.remove(&nonce)
    }

    /// In order of numbers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &Waiting)> {
        self.waiting.iter().map(|(nonce, waiting)| (*nonce, waiting))
    }

    /// The last number.
    pub(super) fn last(&self) -> Option<u64> {
        self.waiting.last_key_value().map(|(nonce, _)| *nonce)
    }

    /// The first number from the account's next on that does not wait. What is above it waits behind a gap.
    pub(super) fn missing(&self, next: u64) -> u64 {
        let mut missing = next;
        for nonce in self.waiting.range(next..).map(|(nonce, _)| *nonce) {
            if nonce != missing {
                break;
            }
            missing = missing.saturating_add(1);
        }
        missing
    }

    /// What is promised for all of these numbers, which are the account's next and those above it.
    pub(super) fn fees(&self, next: u64) -> u128 {
        self.waiting.range(next..).map(|(_, waiting)| waiting.fee()).fold(0, u128::saturating_add)
    }

    /// What is promised for those of these numbers that come before one.
    pub(super) fn fees_before(&self, next: u64, nonce: u64) -> u128 {
        let before = self.waiting.range(next.min(nonce)..nonce);
        before.map(|(_, waiting)| waiting.fee()).fold(0, u128::saturating_add)
    }

    /// The room that those take which wait behind a gap.
    pub(super) fn room_behind(&self, next: u64) -> u64 {
        let behind = self.waiting.range(self.missing(next)..);
        behind.map(|(_, waiting)| waiting.room_bytes()).fold(0, u64::saturating_add)
    }

    /// How many wait behind a gap, and their bytes.
    pub(super) fn behind(&self) -> (usize, u64) {
        let behind = self.waiting.range(self.missing(self.next)..);
        behind.fold((0, 0), |(count, bytes), (_, one)| (count + 1, bytes + one.size_bytes()))
    }

    /// What one of this number and price is worth to who makes a block: nothing behind a gap, and no more than
    /// any that must be in a block before it.
    pub(super) fn worth_of(&self, next: u64, nonce: u64, price: u128) -> u128 {
        if nonce > self.missing(next) {
            return 0;
        }
        let before = self.waiting.range(next.min(nonce)..nonce).map(|(_, one)| one.price);
        before.fold(price, u128::min)
    }

    /// The same of the last one. None: nothing waits.
    pub(super) fn worth(&self) -> Option<u128> {
        let (nonce, last) = self.waiting.last_key_value()?;
        Some(self.worth_of(self.next, *nonce, last.price))
    }

    /// Numbers that wait no more once this height is final: their last block has passed, or they waited behind
    /// the same gap for too long.
    pub(super) fn stale(&mut self, height: u64) -> Vec<u64> {
        let missing = self.missing(self.next);
        let is_behind = self.last().is_some_and(|last| last > missing);
        let since = self.stuck.filter(|(_, at)| *at == missing).map_or(height, |(since, _)| since);
        self.stuck = is_behind.then_some((since, missing));
        let is_too_long = is_behind && height.saturating_sub(since) >= BEHIND_BLOCKS_MAX;
        let is_over = |nonce: u64, one: &Waiting| {
            one.checked.transaction().body.expiry_height <= height
                || (is_too_long && nonce > missing)
        };
        self.iter().filter(|one| is_over(one.0, one.1)).map(|(nonce, _)| nonce).collect()
    }
}
