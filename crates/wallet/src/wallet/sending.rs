//! What a transfer costs, transfers with a note, and accounts for which one key is not enough.

use ledger::{AccountId, Action, AssetId, Policy, domains::accounts};

use super::{Output, Wallet};
use crate::{
    transfers::{self, Order},
    view::{Keys, NOTE_BYTES_MAX},
};

/// Units asked of no transfer: the fee's bound is that of the longest amount.
const ANY_UNITS: u128 = 0xffff_ffff_ffff_ffff;

impl Wallet {
    /// What any transfer costs at most, and what is paid for it.
    pub(super) fn price(&self) -> Option<u128> {
        self.price_with(None)
    }

    /// The same of one with a note.
    pub(super) fn note_price(&self) -> Option<u128> {
        self.price_with(Some(String::new()))
    }

    fn price_with(&self, note: Option<String>) -> Option<u128> {
        let params = self.holdings.params.as_ref()?;
        let to = AccountId::new([0xff; 32]);
        let transfer = accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount: ANY_UNITS };
        let longest = Order {
            action: Action::Accounts(transfer),
            to,
            units: ANY_UNITS,
            act: None,
            pool: None,
            note,
            nonce: u64::MAX,
            height: u64::MAX,
            now_ms: self.now_ms,
        };
        transfers::fee(&self.key, self.chain, params, &longest)
    }

    /// Whom units may be sent to.
    pub(super) fn payee(&self, to: &str, units: u128) -> Result<AccountId, &'static str> {
        let to: AccountId = to.parse().map_err(|_| "account")?;
        match units {
            _ if to == self.account => Err("itself"),
            0 => Err("nothing"),
            _ => Ok(to),
        }
    }

    /// Signs and sends units of the ledger's own asset with the hash of a note; the note stays here.
    pub(super) fn send_noted(
        &mut self,
        to: &str,
        units: u128,
        note: String,
        out: &mut Vec<Output>,
    ) -> Result<(), &'static str> {
        let to = self.payee(to, units)?;
        if note.is_empty() || note.len() > NOTE_BYTES_MAX {
            return Err("note");
        }
        let transfer = accounts::Action::Transfer { asset: AssetId::NATIVE, to, amount: units };
        let mut order = self.order(Action::Accounts(transfer), to, units)?;
        order.note = Some(note);
        let fee = self.note_price().ok_or("not-fresh")?;
        self.dispatch(&order, fee, out)
    }

    /// The keys that speak for the account, if it is not this wallet's alone, as proved: it would sign in vain.
    pub(super) fn keys(&self) -> Option<Keys> {
        let policy = self.holdings.account.as_ref()?.value.policy.as_ref()?;
        let is_other = *policy != Policy::single(self.key.id());
        let count = u8::try_from(policy.keys.len()).unwrap_or(u8::MAX);
        let has_ours = policy.keys.contains(&self.key.id());
        is_other.then_some(Keys { needed: policy.threshold, count, has_ours })
    }
}
