//! Who holds what.
//!
//! An account is named by the hash of its first keys and holds balances of any asset. It needs no
//! opening: an account that nobody has used has no record. What a domain locks lies in the domain's
//! own account, so that the sum of all balances is the supply, always.
//!
//! | action | fields | who signs |
//! |---|---|---|
//! | transfer | asset, to, amount in units | the sender |
//! | set-policy | new keys and threshold | the old keys |
//!
//! | record | key | value | deleted |
//! |---|---|---|---|
//! | 0 account | account | nonce, policy if it was changed | never |
//! | 1 balance | account ‖ asset | units, frozen | at zero, unless frozen |
//! | 2 supply | asset | units | at zero |
//!
//! Events: 0 transfer (from, to; asset, amount), 1 policy (account; threshold, keys).
//!
//! Laws: balances of an asset add up to its supply; no empty record is kept.

mod action;
mod error;
mod execute;
mod funds;
mod laws;
mod state;
#[cfg(test)]
mod tests;

pub use action::Action;
pub use error::Error;
pub use execute::Accounts;
pub use funds::{balance, burn, mint, send, set_frozen, spendable, supply};
pub(crate) use laws::frozen;
pub(crate) use state::count;
pub use state::{
    Account, Balance, account_key, balance_key, balances_prefix, has_policy, nonce, read_account,
    supply_key,
};
