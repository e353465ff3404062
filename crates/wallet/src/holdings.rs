//! What the account has: numbers that the light client proved.

use ledger::{
    AccountId, AssetId, Key, Params,
    domains::accounts::{Account, Balance, account_key, balance_key},
};
use light_client::{Proved, QueryId};

/// Which record a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Record {
    Balance,
    Account,
    Params,
}

impl Record {
    pub(crate) const ALL: [Self; 3] = [Self::Balance, Self::Account, Self::Params];

    /// One question of each kind at a time.
    pub(crate) fn query(self) -> QueryId {
        QueryId(match self {
            Self::Balance => 0,
            Self::Account => 1,
            Self::Params => 2,
        })
    }

    pub(crate) fn of(query: QueryId) -> Option<Self> {
        Self::ALL.into_iter().find(|record| record.query() == query)
    }

    pub(crate) fn key(self, account: AccountId) -> Key {
        match self {
            Self::Balance => balance_key(account, AssetId::NATIVE),
            Self::Account => account_key(account),
            Self::Params => ledger::params_key(),
        }
    }
}

/// A record with the block after which it was so.
#[derive(Debug, Clone)]
pub(crate) struct Known<T> {
    pub(crate) value: T,
    pub(crate) height: u64,
    pub(crate) time_ms: u64,
}

/// The balance and the account's number after one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) height: u64,
    pub(crate) units: u128,
    pub(crate) nonce: u64,
}

/// What is proved so far.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    pub(crate) balance: Option<Known<Balance>>,
    pub(crate) account: Option<Known<Account>>,
    pub(crate) params: Option<Params>,
    /// The balance's proof, to be shown.
    pub(crate) shown: Option<Proved>,
    pub(crate) proofs: u64,
    /// When those that are behind the newest block are asked for again: whoever proved one is behind.
    pub(crate) again_ms: Option<u64>,
    /// The newest of which both are proved.
    pair: Option<Pair>,
}

impl Holdings {
    /// Of which block it is known.
    pub(crate) fn height(&self, record: Record) -> Option<u64> {
        match record {
            Record::Balance => self.balance.as_ref().map(|known| known.height),
            Record::Account => self.account.as_ref().map(|known| known.height),
            Record::Params => None,
        }
    }

    /// Balance and number of the newest block of which both are proved, and those of the one before, once for
    /// each block; none: nothing newer is proved.
    pub(crate) fn next_pair(&mut self) -> Option<(Pair, Pair)> {
        let (balance, account) = (self.balance.as_ref()?, self.account.as_ref()?);
        let Known { value, height, .. } = balance;
        let is_newer = self.pair.is_none_or(|before| before.height < *height);
        if account.height != *height || !is_newer {
            return None;
        }
        let pair = Pair { height: *height, units: value.amount, nonce: account.value.nonce };
        self.pair.replace(pair).map(|before| (before, pair))
    }

    /// Nothing that was proved counts any more.
    pub(crate) fn forget(&mut self) {
        *self = Self { proofs: self.proofs, ..Self::default() };
    }

    /// Takes a proof. A record that is absent is the default: nothing held, nothing sent. `None`:
    /// the record, though proved, is not of this program's version.
    pub(crate) fn take(&mut self, record: Record, proved: Proved) -> Option<()> {
        self.proofs += 1;
        match record {
            Record::Balance => {
                self.balance = Some(known(&proved, self.balance.as_ref())?);
                self.shown = Some(proved);
            }
            Record::Account => self.account = Some(known(&proved, self.account.as_ref())?),
            Record::Params => {
                self.params = Some(minicbor::decode(proved.record.as_deref()?).ok()?);
            }
        }
        Some(())
    }
}

/// The record, unless a later one is known: proofs overtake each other.
fn known<T: Default + Clone + for<'b> minicbor::Decode<'b, ()>>(
    proved: &Proved,
    before: Option<&Known<T>>,
) -> Option<Known<T>> {
    if let Some(before) = before.filter(|before| before.height > proved.height) {
        return Some(before.clone());
    }
    let value = match &proved.record {
        Some(bytes) => minicbor::decode(bytes).ok()?,
        None => T::default(),
    };
    Some(Known { value, height: proved.height, time_ms: proved.time_ms })
}
