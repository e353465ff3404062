//! Transactions that wait: in order of each account's numbers, dearest first between accounts.
//!
//! Bounded in count and bytes, in all and per account. What is refused here costs its sender a
//! signature; what is in a block costs a fee.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::{
    AccountId, BlockRun, Checked, Refusal, Store, TransactionId, domains::accounts, params,
};
use primitives::{Hash, sha256};

/// Most transactions that wait.
pub const COUNT_MAX: usize = 20_000;
/// Most bytes of transactions that wait.
pub const BYTES_MAX: u64 = 32 << 20;
/// Most transactions of one account that wait: its next number and those behind it.
pub const PER_ACCOUNT_MAX: u64 = 64;
/// Transactions that do not fit before a block counts as full.
const MISFITS_MAX: usize = 16;

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
    /// No room, and nothing cheaper to drop.
    Full,
    /// Other validators make the blocks now.
    Replaced,
}

impl From<Refusal> for Unwanted {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

#[derive(Debug)]
struct Waiting {
    checked: Arc<Checked>,
    bytes: Vec<u8>,
}

/// Transactions that wait.
#[derive(Debug, Default)]
pub(crate) struct Mempool {
    accounts: BTreeMap<AccountId, BTreeMap<u64, Waiting>>,
    /// By the hash of their bytes, signatures included: whoever gets these bytes in a block need
    /// not check the signatures again.
    checked: BTreeMap<Hash, Arc<Checked>>,
    ids: BTreeSet<TransactionId>,
    bytes: u64,
}

/// What a transaction pays per byte, in thousandths of a unit: who is served first.
fn price(checked: &Checked) -> u128 {
    let fee = checked.transaction().body.fee;
    fee.saturating_mul(1000) / u128::from(checked.size_bytes().max(1))
}

impl Mempool {
    /// Takes a transaction that a block on `state` could hold, now or after those before it.
    pub(crate) fn insert(&mut self, state: &dyn Store, checked: Checked) -> Result<(), Unwanted> {
        admit(state, &checked)?;
        if self.ids.contains(&checked.id()) {
            return Err(Unwanted::Duplicate);
        }
        let body = &checked.transaction().body;
        let (signer, nonce) = (body.signer, body.nonce);
        let rival = self.accounts.get(&signer).and_then(|own| own.get(&nonce));
        if rival.is_some_and(|rival| rival.checked.transaction().body.fee >= body.fee) {
            return Err(Unwanted::Underpriced);
        }
        self.remove(signer, nonce);
        self.make_room(&checked)?;
        let bytes = checked.transaction().to_bytes();
        let checked = Arc::new(checked);
        self.bytes += checked.size_bytes();
        self.ids.insert(checked.id());
        self.checked.insert(sha256(&bytes), checked.clone());
        self.accounts.entry(signer).or_default().insert(nonce, Waiting { checked, bytes });
        Ok(())
    }

    /// Drops the cheapest last transactions of other accounts until this one fits.
    fn make_room(&mut self, checked: &Checked) -> Result<(), Unwanted> {
        while self.ids.len() >= COUNT_MAX || self.bytes + checked.size_bytes() > BYTES_MAX {
            let signer = checked.transaction().body.signer;
            let last = |(account, own): (&AccountId, &BTreeMap<u64, Waiting>)| {
                let (nonce, waiting) = own.last_key_value()?;
                Some((price(&waiting.checked), *account, *nonce))
            };
            let others = self.accounts.iter().filter(|(account, _)| **account != signer);
            let cheapest = others.filter_map(last).min();
            match cheapest.filter(|(cost, ..)| *cost < price(checked)) {
                Some((_, account, nonce)) => self.remove(account, nonce),
                None => return Err(Unwanted::Full),
            }
        }
        Ok(())
    }

    fn remove(&mut self, account: AccountId, nonce: u64) {
        let Some(own) = self.accounts.get_mut(&account) else { return };
        if let Some(waiting) = own.remove(&nonce) {
            self.bytes -= waiting.checked.size_bytes();
            self.ids.remove(&waiting.checked.id());
            self.checked.remove(&sha256(&waiting.bytes));
        }
        if own.is_empty() {
            self.accounts.remove(&account);
        }
    }

    /// Whether a transaction waits.
    pub(crate) fn holds(&self, id: &TransactionId) -> bool {
        self.ids.contains(id)
    }

    /// Transactions that wait, and their bytes.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.ids.len(), self.bytes)
    }

    /// The signatures of these bytes were checked when they came.
    pub(crate) fn checked(&self, bytes: &[u8]) -> Option<Arc<Checked>> {
        self.checked.get(&sha256(bytes)).cloned()
    }

    /// Pushes what fits into a block, dearest accounts first, and returns the bytes pushed.
    pub(crate) fn fill(&self, run: &mut BlockRun<'_>) -> Vec<Vec<u8>> {
        self.push(run, usize::MAX)
    }

    /// Whether there is anything that fits into a block. The run is of no other use then.
    pub(crate) fn fits(&self, run: &mut BlockRun<'_>) -> bool {
        !self.push(run, 1).is_empty()
    }

    /// Pushes at most so many.
    fn push(&self, run: &mut BlockRun<'_>, most: usize) -> Vec<Vec<u8>> {
        let head = |account: AccountId, nonce: u64| {
            let waiting = self.accounts.get(&account)?.get(&nonce)?;
            Some((price(&waiting.checked), account, nonce))
        };
        let mut heads: BTreeSet<(u128, AccountId, u64)> =
            self.accounts.keys().filter_map(|one| head(*one, run.nonce(*one))).collect();
        let (mut pushed, mut misfits) = (Vec::new(), 0);
        while pushed.len() < most
            && let Some((_, account, nonce)) = heads.pop_last()
        {
            let waiting = &self.accounts[&account][&nonce];
            match run.push(&waiting.checked) {
                Ok(_) => {
                    pushed.push(waiting.bytes.clone());
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
        pushed
    }

    /// Drops what no block on the final state may hold any more. Only accounts named here changed.
    pub(crate) fn settle(&mut self, state: &dyn Store, changed: &BTreeSet<AccountId>) {
        for account in changed {
            let Some(own) = self.accounts.get(account) else { continue };
            let gone: Vec<u64> = own
                .iter()
                .filter(|(_, waiting)| admit(state, &waiting.checked).is_err())
                .map(|(nonce, _)| *nonce)
                .collect();
            gone.into_iter().for_each(|nonce| self.remove(*account, nonce));
        }
    }

    /// Drops transactions whose last block has passed.
    pub(crate) fn expire(&mut self, height: u64) {
        let all =
            self.accounts.iter().flat_map(|(account, own)| own.iter().map(|one| (*account, one)));
        let gone: Vec<(AccountId, u64)> = all
            .filter(|(_, (_, waiting))| waiting.checked.transaction().body.expiry_height <= height)
            .map(|(account, (nonce, _))| (account, *nonce))
            .collect();
        gone.into_iter().for_each(|(account, nonce)| self.remove(account, nonce));
    }
}

/// Whether a block on this state, or a later one, may hold it.
fn admit(state: &dyn Store, checked: &Checked) -> Result<(), Unwanted> {
    let (transaction, body) = (checked.transaction(), &checked.transaction().body);
    let height = ledger::tip(state).map_or(0, |tip| tip.height);
    if body.expiry_height <= height {
        return Err(Refusal::Expired.into());
    }
    if !accounts::has_policy(state, body.signer, &transaction.policy) {
        return Err(Refusal::OtherKeys.into());
    }
    let next = accounts::nonce(state, body.signer);
    if body.nonce < next {
        return Err(Refusal::Nonce.into());
    }
    let price = params(state).map_or(0, |one| one.fee(checked.size_bytes(), checked.work()));
    if body.fee < price {
        return Err(Refusal::FeeTooLow.into());
    }
    if accounts::spendable(state, body.signer, ledger::AssetId::NATIVE) < body.fee {
        return Err(Refusal::CannotPayFee.into());
    }
    if body.nonce - next >= PER_ACCOUNT_MAX { Err(Unwanted::NonceGap) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
