//! Which of two accounts is in use: the one whose key was made in this browser, or the one whose key
//! follows from the person's seed. No key is ever forgotten here: what is not in use lies aside.

use std::mem;

use ledger::AccountId;
use primitives::{KeyPair, Seed};

use super::{Aside, Output, Saved, Wallet};

impl Wallet {
    /// Uses the account of a seed that follows from the person's own, or, without one, the account
    /// before. Not while something is on its way out: its number would be given twice.
    pub(super) fn use_account(&mut self, seed: Option<[u8; 32]>, out: &mut Vec<Output>) {
        if self.transfers.list.iter().any(crate::transfers::Sent::is_open) {
            "open".clone_into(&mut self.refused);
            return;
        }
        self.saved.sent.clone_from(&self.transfers.list);
        // What may be paid in an hour is one browser's, not one account's.
        self.saved.hour.clone_from(&self.purse.kept.hour);
        if switch(&mut self.saved, seed) {
            out.push(Output::Save(crate::view::to_bytes(&self.saved)));
            out.push(Output::Reopen);
        }
    }

    /// The account that is not in use.
    pub(super) fn aside(&self) -> String {
        let account = |aside: &Aside| {
            AccountId::of_key(KeyPair::from_seed(Seed::new(aside.seed)).id()).to_string()
        };
        self.saved.aside.as_ref().map(account).unwrap_or_default()
    }
}

/// Whether anything changed.
fn switch(saved: &mut Saved, seed: Option<[u8; 32]>) -> bool {
    let is_recoverable = saved.recoverable == Some(true);
    match seed {
        Some(seed) if seed == saved.seed => false,
        // Of another seed of the person's: the one before is recovered with that one's words.
        Some(seed) if is_recoverable => {
            (saved.seed, saved.sent) = (seed, Vec::new());
            true
        }
        Some(seed) => {
            let known = saved.aside.take().filter(|aside| aside.seed == seed);
            let sent = known.map(|aside| aside.sent).unwrap_or_default();
            let aside = Aside {
                seed: mem::replace(&mut saved.seed, seed),
                sent: mem::replace(&mut saved.sent, sent),
            };
            (saved.aside, saved.recoverable) = (Some(aside), Some(true));
            true
        }
        None => {
            if !is_recoverable {
                return false;
            }
            let Some(device) = saved.aside.take() else { return false };
            // The other key follows from the person's seed: nothing of it stays on the device.
            (saved.seed, saved.sent) = (device.seed, device.sent);
            saved.recoverable = Some(false);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_lost_however_accounts_are_changed() {
        let mut saved = Saved::new([1; 32], "root".to_owned(), false);
        assert!(!switch(&mut saved, None), "there is no other");
        assert!(switch(&mut saved, Some([2; 32])));
        assert_eq!((saved.seed, saved.recoverable), ([2; 32], Some(true)));
        assert_eq!(saved.aside.as_ref().map(|aside| aside.seed), Some([1; 32]));
        assert!(!switch(&mut saved, Some([2; 32])), "it is in use");
        // Another identity on the same device: the browser's own key stays.
        assert!(switch(&mut saved, Some([3; 32])));
        assert_eq!(saved.aside.as_ref().map(|aside| aside.seed), Some([1; 32]));
        assert!(switch(&mut saved, None));
        assert_eq!((saved.seed, saved.recoverable), ([1; 32], Some(false)));
        assert!(switch(&mut saved, Some([2; 32])));
        assert_eq!(saved.aside.as_ref().map(|aside| aside.seed), Some([1; 32]));
    }

    #[test]
    fn what_was_kept_before_there_were_two_accounts_is_read() {
        let kept = minicbor::to_vec((
            minicbor::bytes::ByteArray::from([7; 32]),
            "root",
            false,
            Vec::<String>::new(),
            Vec::<u8>::new(),
        ));
        let saved = crate::view::read::<Saved>(&kept.unwrap());
        assert_eq!(saved, Some(Saved::new([7; 32], "root".to_owned(), false)));
    }
}
