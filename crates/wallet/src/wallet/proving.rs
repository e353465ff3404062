//! Records of the account that are proved again and again, and what follows of them for what was sent.

use light_client::Input as Seen;

use super::{Output, REST_MS, Wallet};
use crate::holdings::Record;

/// How old proved prices may be, in milliseconds: an upgrade of the ledger may change them.
const PRICES_MS: u64 = 300_000;

impl Wallet {
    /// Asks for a proof, once the answer before is there.
    pub(super) fn prove(&mut self, record: Record, out: &mut Vec<Output>) {
        if self.client.waits(record.query()) {
            return;
        }
        let key = record.key(self.account);
        self.see(Seen::Prove { query: record.query(), key: key.as_bytes() }, out);
    }

    /// Asks again for what is behind the newest block, after a rest.
    pub(super) fn prove_again(&mut self, out: &mut Vec<Output>) {
        if self.holdings.again_ms.is_none_or(|again_ms| again_ms > self.now_ms) {
            return;
        }
        self.holdings.again_ms = None;
        let newest = self.client.head().map_or(0, |head| head.header.height);
        for record in [Record::Balance, Record::Account] {
            if self.holdings.height(record).is_some_and(|height| height < newest) {
                self.prove(record, out);
            }
        }
    }

    pub(super) fn settle(&mut self, out: &mut Vec<Output>) {
        let Some(account) = &self.holdings.account else { return };
        let (nonce, height) = (account.value.nonce, account.height);
        if self.transfers.settle(nonce, height, self.now_ms) {
            self.asked_ms = 0;
            self.save(out);
        }
    }

    /// What the balance proves of what was sent.
    pub(super) fn look_back(&mut self, out: &mut Vec<Output>) {
        let pairs = self.holdings.next_pair();
        if pairs.is_some_and(|(before, now)| self.transfers.on_fall(before, now)) {
            self.save(out);
        }
    }

    pub(super) fn are_prices_old(&self) -> bool {
        // The clock may have been set back.
        let age_ms = self.now_ms.abs_diff(self.priced_ms);
        self.holdings.params.is_none() || age_ms >= PRICES_MS
    }

    /// A server refused what was signed by these prices: others may hold by now.
    pub(super) fn doubt_prices(&mut self, out: &mut Vec<Output>) {
        if self.now_ms.abs_diff(self.priced_ms) >= REST_MS {
            self.prove(Record::Params, out);
        }
    }

    pub(super) fn on_priced(&mut self) {
        self.fee = self.price();
        self.priced_ms = self.now_ms;
    }
}
