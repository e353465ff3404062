//! Transactions that wait: in order of each account's numbers, dearest first between accounts.
//!
//! Bounded in count and bytes, in all and per account. What is refused here costs its sender a
//! signature; what is in a block costs a fee. A promise is worth what it can become: nothing behind a number
//! that is missing, and an account promises no more than it holds, its earlier numbers first. So what no block
//! can hold keeps nobody out; and behind gaps, where nothing is paid, who takes the most room makes room.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use ledger::{
    AccountId, AssetId, BlockRun, Checked, Params, Policy, Refusal, Store, TransactionId,
    domains::accounts, params,
};
use primitives::{Hash, sha256};

use crate::transactions::{Transactions, write};

mod queue;

use queue::{Queue, Waiting};

/// Most transactions that wait.
pub const COUNT_MAX: usize = 20_000;
/// Most bytes of transactions that wait.
pub const BYTES_MAX: u64 = 32 << 20;
/// Most transactions of one account that wait: its next number and those behind it.
pub const PER_ACCOUNT_MAX: u64 = 64;
/// The part of the room that is given to transactions behind a gap in their account's numbers, as its
/// divisor: what is missing may come a moment later, by way of another validator.
const BEHIND_PART: u8 = 4;
/// What one takes of that room at least, in bytes: [`BYTES_MAX`] by [`COUNT_MAX`].
const ROOM_BYTES_MIN: u64 = 1_677;
/// Blocks for which a transaction waits behind the same gap.
pub const BEHIND_BLOCKS_MAX: u64 = 256;
/// Transactions that do not fit before a block counts as full.
const MISFITS_MAX: usize = 16;

/// How much waits.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    count: usize,
    bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { count: COUNT_MAX, bytes: BYTES_MAX }
    }
}

/// Why a transaction does not wait here, in order of check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwanted {
    /// No block may hold it, now or later.
    Refused(Refusal),
    /// Its number is too far ahead of the account's next.
    NonceGap,
    /// It waits already.
    Duplicate,
    /// Another with its number waits and pays as much or more.
    Underpriced,
    /// No room, and nothing cheaper to drop; or none behind a gap in its account's numbers, and nobody who has more
    /// of that.
    Full,
    /// Other validators make the blocks now.
    Replaced,
}

impl From<Refusal> for Unwanted {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Transactions that wait.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    bounds: Bounds,
    queues: BTreeMap<AccountId, Queue>,
    /// What the last one of each account is worth: the cheapest makes room first.
    lasts: BTreeSet<(u128, AccountId)>,
    /// How many wait behind gaps, and their bytes.
    behind: (usize, u64),
    /// Who has them, by the room that they take: whoever has the most makes room.
    behind_of: BTreeSet<(u64, AccountId)>,
    /// By the hash of their bytes, signatures included: whoever gets these bytes in a block need
    /// not check the signatures again.
    checked: BTreeMap<Hash, Arc<Checked>>,
    ids: BTreeSet<TransactionId>,
    bytes: u64,
    /// What other validators are not told yet, by the hash of their bytes, the first first; some wait no more.
    untold: VecDeque<Hash>,
    /// What the ledger had chosen when it was looked at last: with other fees everything is looked at again.
    params: Option<Params>,
}

/// What a block was filled with.
#[derive(Debug)]
pub(crate) struct Filled {
    pub(crate) transactions: Transactions,
    /// Whose they are.
    pub(crate) signers: BTreeSet<AccountId>,
}

/// One that made room, with its account's next number.
type Gone = (AccountId, u64, u64, Waiting);

impl Mempool {
    /// Takes a transaction that a block on `state` could hold, now or after those before it. The hash of its bytes.
    pub(crate) fn insert(&mut self, state: &dyn Store, checked: Checked) -> Result<Hash, Unwanted> {
        let (signer, nonce, id) = {
            let body = &checked.transaction().body;
            (body.signer, body.nonce, checked.id())
        };
        let purse = Purse::read(state, signer);
        let waiting = Waiting::new(checked);
        purse.admit(&waiting)?;
        if self.ids.contains(&id) {
            return Err(Unwanted::Duplicate);
        }
        if self.queues.get(&signer).is_some_and(|own| own.next() != purse.next) {
            self.leave(signer, purse.next, &[]);
        }
        self.find_room(&purse, signer, nonce, &waiting)?;
        let hash = waiting.hash;
        self.take(signer, nonce);
        self.put(signer, purse.next, nonce, waiting);
        // What comes later is paid from what is left: it ends with this one at the latest.
        while self.queues.get(&signer).is_some_and(|own| own.fees() > purse.spendable) {
            self.take_last(signer);
        }
        Ok(hash)
    }

    /// Other validators are to be told what has this hash. Where too much is untold, it waits for its own
    /// validator's turn.
    pub(crate) fn tell(&mut self, hash: Hash) {
        if self.untold.len() < self.bounds.count {
            self.untold.push_back(hash);
        }
    }

    /// What they were not told yet and still waits, one after the other, until there are so many bytes.
    pub(crate) fn untold(&mut self, full_bytes: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < full_bytes
            && let Some(hash) = self.untold.pop_front()
        {
            if let Some(checked) = self.checked.get(&hash) {
                write(&checked.transaction().to_bytes(), &mut bytes);
            }
        }
        bytes
    }

    /// Makes room for one among the others. An error: there is none, and nothing is changed.
    fn find_room(
        &mut self,
        purse: &Purse,
        signer: AccountId,
        nonce: u64,
        one: &Waiting,
    ) -> Result<(), Unwanted> {
        let none = Queue::of(purse.next);
        let own = self.queues.get(&signer).unwrap_or(&none);
        let rival = own.get(nonce);
        if rival.is_some_and(|rival| rival.fee() >= one.fee()) {
            return Err(Unwanted::Underpriced);
        }
        if own.fees_before(nonce).saturating_add(one.fee()) > purse.spendable {
            return Err(Refusal::CannotPayFee.into());
        }
        let free = rival.map_or((0, 0), |rival| (1, rival.size_bytes()));
        let is_behind = own.is_behind(nonce);
        let others = own.standing().room.saturating_sub(rival.map_or(0, Waiting::room_bytes));
        let room = others.saturating_add(one.room_bytes());
        let worth = own.worth_of(nonce, one.price);
        let mut gone = Vec::new();
        let made = if is_behind {
            self.make_room_behind(signer, room, one.size_bytes(), free, &mut gone)
        } else {
            Ok(())
        };
        let made =
            made.and_then(|()| self.make_room(signer, worth, one.size_bytes(), free, &mut gone));
        if made.is_err() {
            for (account, next, nonce, waiting) in gone {
                self.put(account, next, nonce, waiting);
            }
        }
        made
    }

    /// Drops the last one of whoever else takes the most room behind gaps, more than the signer would with this one
    /// (`room`), until it fits there; `free` is what leaves with it. What was dropped is in `gone`.
    fn make_room_behind(
        &mut self,
        signer: AccountId,
        room: u64,
        size_bytes: u64,
        free: (usize, u64),
        gone: &mut Vec<Gone>,
    ) -> Result<(), Unwanted> {
        let (count_max, bytes_max) = (
            self.bounds.count / usize::from(BEHIND_PART),
            self.bounds.bytes / u64::from(BEHIND_PART),
        );
        loop {
            let count = self.behind.0.saturating_sub(free.0);
            let bytes = self.behind.1.saturating_sub(free.1).saturating_add(size_bytes);
            if count < count_max && bytes <= bytes_max {
                return Ok(());
            }
            let most = self.behind_of.iter().rev().find(|(_, account)| *account != signer).copied();
            let most = most.filter(|(taken, _)| *taken > room);
            let dropped = most.and_then(|(_, account)| self.take_last(account));
            gone.push(dropped.ok_or(Unwanted::Full)?);
        }
    }

    /// Drops what is worth least of other accounts, each's last first, until this much fits; `free` is what
    /// leaves with it. What was dropped is in `gone`.
    fn make_room(
        &mut self,
        signer: AccountId,
        worth: u128,
        size_bytes: u64,
        free: (usize, u64),
        gone: &mut Vec<Gone>,
    ) -> Result<(), Unwanted> {
        loop {
            let count = self.ids.len().saturating_sub(free.0);
            let bytes = self.bytes.saturating_sub(free.1).saturating_add(size_bytes);
            if count < self.bounds.count && bytes <= self.bounds.bytes {
                return Ok(());
            }
            let other = self.lasts.iter().find(|(_, account)| *account != signer).copied();
            let cheapest = other.filter(|(cost, _)| *cost < worth);
            let dropped = cheapest.and_then(|(_, account)| self.take_last(account));
            gone.push(dropped.ok_or(Unwanted::Full)?);
        }
    }

    /// Changes what waits of an account, whose next number is this one, and what is known of all.
    fn change<T>(
        &mut self,
        account: AccountId,
        next: u64,
        change: impl FnOnce(&mut Queue) -> T,
    ) -> T {
        let queue = self.queues.entry(account).or_insert_with(|| Queue::of(next));
        let before = queue.standing();
        let changed = change(queue);
        let after = queue.standing();
        if queue.is_empty() {
            self.queues.remove(&account);
        }
        if before.worth != after.worth {
            if let Some(worth) = before.worth {
                self.lasts.remove(&(worth, account));
            }
            self.lasts.extend(after.worth.map(|worth| (worth, account)));
        }
        if before.room != after.room {
            self.behind_of.remove(&(before.room, account));
            self.behind_of.extend((after.room > 0).then_some((after.room, account)));
        }
        let (more, less) = (after.behind, before.behind);
        self.behind = (self.behind.0 + more.0 - less.0, self.behind.1 + more.1 - less.1);
        changed
    }

    fn put(&mut self, account: AccountId, next: u64, nonce: u64, waiting: Waiting) {
        self.bytes += waiting.size_bytes();
        self.ids.insert(waiting.checked.id());
        self.checked.insert(waiting.hash, waiting.checked.clone());
        self.change(account, next, |queue| queue.put(nonce, waiting));
    }

    /// Takes out what has these numbers; the account's next number is this one.
    fn leave(&mut self, account: AccountId, next: u64, nonces: &[u64]) -> Vec<Waiting> {
        if !self.queues.contains_key(&account) {
            return Vec::new();
        }
        let gone = self.change(account, next, |queue| queue.leave(next, nonces));
        for waiting in &gone {
            self.bytes -= waiting.size_bytes();
            self.ids.remove(&waiting.checked.id());
            self.checked.remove(&waiting.hash);
        }
        gone
    }

    fn take(&mut self, account: AccountId, nonce: u64) -> Option<Waiting> {
        let queue = self.queues.get(&account)?;
        queue.get(nonce)?;
        let next = queue.next();
        self.leave(account, next, &[nonce]).pop()
    }

    fn take_last(&mut self, account: AccountId) -> Option<Gone> {
        let queue = self.queues.get(&account)?;
        let (next, nonce) = (queue.next(), queue.last()?);
        Some((account, next, nonce, self.take(account, nonce)?))
    }

    /// Whether a transaction waits.
    pub(crate) fn holds(&self, id: &TransactionId) -> bool {
        self.ids.contains(id)
    }

    /// Transactions that wait, and their bytes.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.ids.len(), self.bytes)
    }

    /// The first number of an account, from `next` on, that does not wait.
    pub(crate) fn missing(&self, account: AccountId, next: u64) -> u64 {
        self.queues.get(&account).map_or(next, |queue| queue.missing_from(next))
    }

    /// The signatures of these bytes were checked when they came.
    pub(crate) fn checked(&self, bytes: &[u8]) -> Option<Arc<Checked>> {
        self.checked.get(&sha256(bytes)).cloned()
    }

    /// Pushes what fits into a block, dearest accounts first.
    pub(crate) fn fill(&self, run: &mut BlockRun<'_>) -> Filled {
        self.push(run, usize::MAX)
    }

    /// Whether there is anything that fits into a block. The run is of no other use then.
    pub(crate) fn fits(&self, run: &mut BlockRun<'_>) -> bool {
        !self.push(run, 1).signers.is_empty()
    }

    /// Pushes at most so many.
    fn push(&self, run: &mut BlockRun<'_>, most: usize) -> Filled {
        let head = |account: AccountId, nonce: u64| {
            let waiting = self.queues.get(&account)?.get(nonce)?;
            Some((waiting.price, account, nonce))
        };
        let mut heads: BTreeSet<(u128, AccountId, u64)> =
            self.queues.keys().filter_map(|one| head(*one, run.nonce(*one))).collect();
        let (mut pushed, mut signers, mut misfits) = (Vec::new(), BTreeSet::new(), 0);
        while pushed.len() < most
            && let Some((_, account, nonce)) = heads.pop_last()
        {
            let Some(waiting) = self.queues.get(&account).and_then(|own| own.get(nonce)) else {
                continue;
            };
            match run.push(&waiting.checked) {
                Ok(_) => {
                    pushed.push(&waiting.bytes);
                    signers.insert(account);
                    heads.extend(nonce.checked_add(1).and_then(|next| head(account, next)));
                }
                Err(Refusal::BlockFull) => {
                    misfits += 1;
                    if misfits > MISFITS_MAX {
                        break;
                    }
                }
                // Those behind it wait for it; it is dropped when a final state refuses it.
                Err(_) => {}
            }
        }
        Filled { transactions: pushed.into_iter().collect(), signers }
    }

    /// Drops what no block on the final state may hold any more. Only accounts named here changed, unless the
    /// ledger has chosen other fees or bounds.
    pub(crate) fn settle(&mut self, state: &dyn Store, changed: &BTreeSet<AccountId>) {
        let params = params(state);
        let accounts: Vec<AccountId> = if self.params == params {
            changed.iter().copied().collect()
        } else {
            self.queues.keys().copied().collect()
        };
        self.params = params;
        for account in accounts {
            self.look_again(state, account);
        }
    }

    fn look_again(&mut self, state: &dyn Store, account: AccountId) {
        let Some(queue) = self.queues.get(&account) else { return };
        let purse = Purse::read(state, account);
        let (mut gone, mut fees) = (Vec::new(), 0_u128);
        for (nonce, one) in queue.iter() {
            let is_refused = purse.admit(one).is_err();
            if !is_refused {
                fees = fees.saturating_add(one.fee());
            }
            // What comes behind one that can't be paid would wait for it.
            if is_refused || fees > purse.spendable {
                gone.push(nonce);
            }
        }
        self.leave(account, purse.next, &gone);
    }

    /// Drops transactions whose last block has passed, and those that waited behind a gap for too long.
    pub(crate) fn expire(&mut self, height: u64) {
        let mut gone: Vec<(AccountId, u64, Vec<u64>)> = Vec::new();
        for (account, queue) in &mut self.queues {
            let stale = queue.stale(height);
            if !stale.is_empty() {
                gone.push((*account, queue.next(), stale));
            }
        }
        for (account, next, nonces) in gone {
            self.leave(account, next, &nonces);
        }
    }
}

/// What a state says of an account, as far as its transactions depend on it.
#[derive(Debug)]
struct Purse {
    /// Of the state.
    height: u64,
    params: Option<Params>,
    /// Its next number.
    next: u64,
    /// The keys that it chose; none: those that name it.
    policy: Option<Policy>,
    spendable: u128,
}

impl Purse {
    fn read(state: &dyn Store, account: AccountId) -> Self {
        let accounts::Account { nonce: next, policy } = accounts::read_account(state, account);
        Self {
            height: ledger::tip(state).map_or(0, |tip| tip.height),
            params: params(state),
            next,
            policy,
            spendable: accounts::spendable(state, account, AssetId::NATIVE),
        }
    }

    /// Whether a block on this state, or a later one, may hold a transaction of this account.
    fn admit(&self, waiting: &Waiting) -> Result<(), Unwanted> {
        let (checked, body) = (&waiting.checked, &waiting.checked.transaction().body);
        if body.expiry_height <= self.height {
            return Err(Refusal::Expired.into());
        }
        if !waiting.speaks_for(self.policy.as_ref()) {
            return Err(Refusal::OtherKeys.into());
        }
        if body.nonce < self.next {
            return Err(Refusal::Nonce.into());
        }
        let (bytes, work) = (checked.size_bytes(), checked.work());
        if self.params.as_ref().is_some_and(|params| body.fee < params.fee(bytes, work)) {
            return Err(Refusal::FeeTooLow.into());
        }
        if self.spendable < body.fee {
            return Err(Refusal::CannotPayFee.into());
        }
        let is_larger_than_a_block = |params: &Params| {
            bytes > params.block_bytes_max || u64::from(work) > params.block_work_max
        };
        if self.params.as_ref().is_some_and(is_larger_than_a_block) {
            return Err(Refusal::BlockFull.into());
        }
        if body.nonce - self.next >= PER_ACCOUNT_MAX { Err(Unwanted::NonceGap) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
