//! This device's clock was set back.

use super::Wallet;

impl Wallet {
    /// Nothing was later than now: what is done again after a while is not put off by how far the clock was ahead.
    pub(super) fn set_back(&mut self, now_ms: u64) {
        self.asked_ms = self.asked_ms.min(now_ms);
        self.holdings.again_ms = self.holdings.again_ms.map(|at_ms| at_ms.min(now_ms));
        self.servers.set_back(now_ms);
        self.watch.set_back(now_ms);
        self.near.set_back(now_ms);
        self.purse.set_back(now_ms);
    }
}
