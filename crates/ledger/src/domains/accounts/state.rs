//! Records of accounts.

use minicbor::{Decode, Encode};

use crate::{AccountId, AssetId, Key, Overlay, Policy, Prefix, Store, state::Table};

pub(super) const ACCOUNTS: Table<Account> = Table::new(Prefix::Accounts, 0);
pub(super) const BALANCES: Table<Balance> = Table::new(Prefix::Accounts, 1);
pub(super) const SUPPLIES: Table<u128> = Table::new(Prefix::Accounts, 2);

/// Whether this version reads a record; none: its key is of no table here.
pub(super) fn reads(key: &Key, record: &[u8]) -> Option<bool> {
    [ACCOUNTS.reads(key, record), BALANCES.reads(key, record), SUPPLIES.reads(key, record)]
        .into_iter()
        .flatten()
        .next()
}

/// What is kept of an account beside its balances.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Account {
    /// Transactions of this account that are in blocks.
    #[n(0)]
    pub nonce: u64,
    /// The keys it changed to; none while those that name it hold.
    #[n(1)]
    pub policy: Option<Policy>,
}

/// What an account holds of an asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Encode, Decode)]
pub struct Balance {
    /// Units.
    #[n(0)]
    pub amount: u128,
    /// Whether the issuer froze them.
    #[n(1)]
    pub frozen: bool,
}

/// Where an account's record is.
pub fn account_key(account: AccountId) -> Key {
    ACCOUNTS.key(&[account.as_bytes()])
}

/// Where a balance is.
pub fn balance_key(account: AccountId, asset: AssetId) -> Key {
    BALANCES.key(&[account.as_bytes(), &asset.0.to_be_bytes()])
}

/// What the keys of all balances of an account begin with.
pub fn balances_prefix(account: AccountId) -> Key {
    BALANCES.key(&[account.as_bytes()])
}

/// Where an asset's supply is.
pub fn supply_key(asset: AssetId) -> Key {
    SUPPLIES.key(&[&asset.0.to_be_bytes()])
}

/// The next transaction's number.
pub fn nonce(store: &dyn Store, account: AccountId) -> u64 {
    read_account(store, account).nonce
}

/// Whether these keys speak for the account now.
pub fn has_policy(store: &dyn Store, account: AccountId, policy: &Policy) -> bool {
    match read_account(store, account).policy {
        Some(current) => current == *policy,
        None => AccountId::of(policy) == account,
    }
}

/// Counts a transaction.
pub(crate) fn count(state: &mut Overlay<'_>, account: AccountId) {
    let mut record = read_account(state, account);
    // 2^64 transactions of one account do not happen: each is a record of a block.
    record.nonce = record.nonce.saturating_add(1);
    write(state, account, &record);
}

/// What is kept of an account; of one that is not there, what a new one begins with.
pub fn read_account(store: &dyn Store, account: AccountId) -> Account {
    ACCOUNTS.get(store, &[account.as_bytes()]).unwrap_or_default()
}

pub(super) fn write(state: &mut Overlay<'_>, account: AccountId, record: &Account) {
    ACCOUNTS.put(state, &[account.as_bytes()], record);
}

pub(super) fn read_balance(store: &dyn Store, account: AccountId, asset: AssetId) -> Balance {
    BALANCES.get(store, &[account.as_bytes(), &asset.0.to_be_bytes()]).unwrap_or_default()
}

/// Nothing and not frozen is no record.
pub(super) fn write_balance(
    state: &mut Overlay<'_>,
    account: AccountId,
    asset: AssetId,
    balance: Balance,
) {
    let asset = asset.0.to_be_bytes();
    let id: [&[u8]; 2] = [account.as_bytes(), &asset];
    if balance == Balance::default() {
        BALANCES.remove(state, &id);
    } else {
        BALANCES.put(state, &id, &balance);
    }
}
