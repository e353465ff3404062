//! A pool that is opened: which of the ledger's it became, or that it became none, by what is proved.

use ledger::{AssetId, domains::paypool};

use super::{
    Output, Wallet,
    paying::{Progress, TTL_S},
};
use crate::{
    transfers::Sent,
    view::{Fate, PoolAct},
};

/// Most pools that are looked through at a time for one that a server says was refused: those opened after it was
/// signed.
const LOOKED_THROUGH_MAX: u64 = 64;
/// How often it is gone on behind those: after 4,160 pools it counts as none. What is in it comes back when it is over.
const LOOKS_ON_MAX: u32 = 64;

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Became {
    /// Not proved yet.
    Unknown,
    Pool(u64),
    Nothing,
}

impl Wallet {
    /// A person gave the last deposit up and wants a deal all the same: the next one gets its number, and only one of
    /// the two can be done. Either is found among the pools opened since.
    pub(super) fn forget_given_up(&mut self) {
        let opening = self.purse.kept.opening;
        let is_it = |sent: &Sent| Some(sent.id) == opening && sent.fate == Fate::GivenUp;
        if self.transfers.list.iter().any(is_it) {
            (self.purse.kept.opening, self.purse.opened) = (None, None);
            self.purse.is_new = true;
        }
    }

    pub(super) fn open_pool(&mut self, deposit: u128, out: &mut Vec<Output>) {
        let mut sent = self.transfers.list.iter().rev();
        if let Some(opening) = sent.find(|one| one.pool == Some(PoolAct::Open) && one.is_open()) {
            // An earlier visit signed it and did not come to note that.
            (self.purse.kept.opening, self.purse.opened) = (Some(opening.id), None);
            self.purse.kept.opened_after = None;
            self.purse.is_new = true;
            return;
        }
        // However old: the new one's number is greater.
        let Some(count) = self.purse.facts.count(1) else { return };
        let (asset, signer) = (AssetId::NATIVE, self.voucher_key().id());
        let open = paypool::Action::Open { asset, deposit, ttl_s: TTL_S, signer };
        if let Some(id) = self.try_fund(open, PoolAct::Open, deposit, out) {
            (self.purse.kept.opening, self.purse.opened) = (Some(id), None);
            // One that was given up may be there by now.
            let after = self.purse.kept.opened_after.unwrap_or(count).min(count);
            self.purse.kept.opened_after = Some(after);
            self.purse.is_new = true;
        }
    }

    pub(super) fn on_opening(&mut self, id: ledger::TransactionId) {
        // Where no server has a word of it, what is proved has to do.
        let opening = self.transfers.list.iter().find(|sent| sent.id == id);
        let is_untold = opening.is_some_and(Sent::is_untold);
        let counted = opening.and_then(|sent| sent.counted);
        let told = self.purse.opened.or_else(|| is_untold.then_some(None));
        let became = match (self.progress(id), told) {
            (Progress::Open, _) | (Progress::InBlock(_), None) => Became::Unknown,
            (Progress::InBlock(height), Some(told)) => {
                self.purse.funded_at = height;
                // By the block in which its number is used it is there, if it is at all.
                self.became(told, counted.unwrap_or(height))
            }
            (Progress::Lost, _) => Became::Nothing,
        };
        match became {
            Became::Unknown => return,
            Became::Pool(number) => {
                self.purse.begin_anew();
                self.purse.kept.add_pool(number);
            }
            Became::Nothing => self.purse.fail_unfunded("deposit"),
        }
        (self.purse.kept.opening, self.purse.opened) = (None, None);
        self.purse.kept.opened_after = None;
        self.purse.looks_on = 0;
        self.purse.is_new = true;
        self.purse.answers += 1;
    }

    /// What it became as of this block, by a server's word, checked: the number that was told must be of a pool of
    /// ours, and where it tells of none, none of those opened since may be ours. If its word does not hold, another
    /// server is asked.
    fn became(&mut self, told: Option<u64>, height: u64) -> Became {
        let became = match told {
            Some(number) => self.is_proved_ours(number, height).map(|ours| ours.then_some(number)),
            None => self.opened_since(height),
        };
        match became {
            None => Became::Unknown,
            Some(Some(number)) => Became::Pool(number),
            Some(None) if told.is_none() && self.looks_on(height) => Became::Unknown,
            Some(None) if told.is_none() => Became::Nothing,
            Some(None) => {
                self.purse.opened = None;
                let opening = self.purse.kept.opening.and_then(|id| self.transfers.get_mut(&id));
                if let Some(sent) = opening.filter(|sent| !sent.is_untold()) {
                    sent.fate = Fate::Final;
                }
                Became::Unknown
            }
        }
    }

    /// Whether a pool is ours and new; none: not proved yet.
    fn is_proved_ours(&mut self, number: u64, height: u64) -> Option<bool> {
        let known = self.purse.facts.pool(number, height)?;
        let ours = known.value.is_some_and(|pool| self.is_ours(&pool));
        Some(ours && !self.purse.kept.pools.contains(&number))
    }

    /// Numbers of pools among which it is, if it was opened; none: not proved yet.
    fn since(&mut self, height: u64) -> Option<core::ops::RangeInclusive<u64>> {
        let count = self.purse.facts.count(height)?;
        let newest = count.saturating_sub(LOOKED_THROUGH_MAX);
        let after = self.purse.kept.opened_after.unwrap_or(newest);
        Some(after.saturating_add(1)..=count.min(after.saturating_add(LOOKED_THROUGH_MAX)))
    }

    /// The pool of ours among those; none within: there is none; none: not proved yet.
    fn opened_since(&mut self, height: u64) -> Option<Option<u64>> {
        let since = self.since(height)?;
        // All of them are asked for at once.
        let found: Vec<_> =
            since.map(|number| (number, self.is_proved_ours(number, height))).collect();
        if let Some((number, _)) = found.iter().find(|(_, ours)| *ours == Some(true)) {
            return Some(Some(*number));
        }
        found.iter().all(|(_, ours)| ours.is_some()).then_some(None)
    }

    /// Goes on behind the pools that were looked through, none of which is ours. Whether there may be more.
    fn looks_on(&mut self, height: u64) -> bool {
        let (count, since) = (self.purse.facts.count(height), self.since(height));
        let Some((count, since)) = count.zip(since) else { return true };
        let is_more = *since.end() < count && self.purse.looks_on < LOOKS_ON_MAX;
        if is_more {
            self.purse.kept.opened_after = Some(*since.end());
            self.purse.looks_on += 1;
            self.purse.is_new = true;
            self.purse.answers += 1;
        }
        is_more
    }
}
