//! What is kept of payments between visits.

use ledger::{
    AccountId, TransactionId,
    domains::paypool::{Lane, Voucher},
};
use minicbor::{Decode, Encode};
use payments::keeping::Book;

use super::Hour;
use crate::view::{Part, Stage};

/// Most deals remembered; the oldest that is over goes first.
pub(crate) const DEALS_MAX: usize = 64;
/// Most pools remembered; the oldest is forgotten, and anybody may end it.
const POOLS_MAX: usize = 16;
/// Most lanes whose promises are remembered: payees of this account's pools, more than one pool may have (1,024).
const LANES_MAX: usize = 1_088;
/// Most vouchers remembered; one that is paid goes first, then the one worth least.
const VOUCHERS_MAX: usize = 256;
/// Longest name of a share, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 256;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Kept {
    /// Oldest first.
    #[n(0)]
    pub(crate) deals: Vec<Deal>,
    /// Pools of this account. The last is paid from.
    #[n(1)]
    pub(crate) pools: Vec<u64>,
    /// The transaction that opens one, while nobody knows its number.
    #[n(2)]
    pub(crate) opening: Option<TransactionId>,
    #[n(3)]
    pub(crate) lanes: Vec<Promised>,
    #[n(4)]
    pub(crate) vouchers: Vec<Received>,
    /// Pools that the ledger had when the one being opened was signed. What was kept before has none.
    #[n(5)]
    pub(crate) opened_after: Option<u64>,
    /// What was promised lately. What was kept before has none.
    #[cbor(n(6), default)]
    pub(crate) hour: Hour,
    /// What neighbours left here. What was kept before has none.
    #[cbor(n(7), default)]
    pub(crate) book: Book,
}

/// What a person said of a share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Deal {
    #[n(0)]
    pub(crate) share: String,
    #[n(1)]
    pub(crate) name: String,
    #[n(2)]
    pub(crate) part: Part,
    /// Never [`Stage::On`] in what is kept: a till is of one visit.
    #[n(3)]
    pub(crate) stage: Stage,
    /// Units promised, or earned.
    #[n(4)]
    pub(crate) units: u128,
    /// Units asked to be set aside, of the limit.
    #[n(5)]
    pub(crate) reserved: u128,
    /// The deposit for it was made.
    #[n(6)]
    pub(crate) funded: bool,
    #[n(7)]
    pub(crate) stopped: String,
}

/// The newest promise of a lane of this account's pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Promised {
    #[n(0)]
    pub(crate) pool: u64,
    #[n(1)]
    pub(crate) payee: AccountId,
    #[n(2)]
    pub(crate) epoch: u32,
    #[n(3)]
    pub(crate) units: u128,
}

/// The newest promise of a lane of another's pool, to this account.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Received {
    #[n(0)]
    pub(crate) voucher: Voucher,
    /// What the share is called.
    #[n(1)]
    pub(crate) name: String,
    #[n(2)]
    pub(crate) share: String,
    /// Units paid, as proved last.
    #[n(3)]
    pub(crate) redeemed: u128,
    /// Its lane is closed: nothing more can come of it.
    #[n(4)]
    pub(crate) closed: bool,
    /// The newest block as of which its lane was proved to be there: that it was not before says nothing. What was
    /// kept before has none.
    #[n(5)]
    pub(crate) seen: Option<u64>,
}

impl Received {
    /// Takes what was proved of its lane as of a block; whether anything is new.
    pub(crate) fn on_lane(&mut self, lane: Option<Lane>, height: u64) -> bool {
        if self.seen.is_some_and(|seen| seen > height) {
            return false;
        }
        let (redeemed, closed) = (self.redeemed, self.closed);
        self.closed = lane.is_none();
        if let Some(lane) = lane {
            (self.redeemed, self.seen) = (lane.redeemed, Some(height));
        }
        (self.redeemed, self.closed) != (redeemed, closed)
    }

    /// Units that are promised and not paid.
    pub(crate) fn unclaimed(&self) -> u128 {
        if self.closed { 0 } else { self.voucher.cumulative.saturating_sub(self.redeemed) }
    }

    pub(crate) fn is_of(&self, pool: u64, epoch: u32) -> bool {
        self.voucher.pool == pool && self.voucher.epoch == epoch
    }
}

impl Kept {
    pub(crate) fn deal(&mut self, share: &str) -> Option<&mut Deal> {
        self.deals.iter_mut().find(|deal| deal.share == share)
    }

    /// Takes a deal in place of an earlier one of the same share that is over. Whether there was room.
    pub(crate) fn add_deal(&mut self, deal: Deal) -> bool {
        self.deals.retain(|known| known.share != deal.share);
        if self.deals.len() >= DEALS_MAX {
            let over = self.deals.iter().position(|known| known.stage == Stage::Off);
            let Some(over) = over else { return false };
            self.deals.remove(over);
        }
        self.deals.push(deal);
        true
    }

    pub(crate) fn add_pool(&mut self, number: u64) {
        if !self.pools.contains(&number) {
            self.pools.push(number);
        }
        let over = self.pools.len().saturating_sub(POOLS_MAX);
        self.pools.drain(..over);
    }

    /// A pool is no more: nothing of it is needed.
    pub(crate) fn drop_pool(&mut self, number: u64) {
        self.pools.retain(|pool| *pool != number);
        self.lanes.retain(|lane| lane.pool != number);
    }

    /// Units promised of a lane.
    pub(crate) fn promised(&self, pool: u64, payee: AccountId, epoch: u32) -> u128 {
        let of = |lane: &&Promised| lane.pool == pool && lane.payee == payee && lane.epoch == epoch;
        self.lanes.iter().find(of).map_or(0, |lane| lane.units)
    }

    /// Units promised of all lanes of a pool.
    pub(crate) fn promised_of(&self, pool: u64) -> u128 {
        let lanes = self.lanes.iter().filter(|lane| lane.pool == pool);
        lanes.map(|lane| lane.units).fold(0, u128::saturating_add)
    }

    /// A lane's promise replaces those before.
    pub(crate) fn promise(&mut self, promised: Promised) {
        let of = |lane: &Promised| lane.pool == promised.pool && lane.payee == promised.payee;
        self.lanes.retain(|lane| !of(lane));
        if self.lanes.len() >= LANES_MAX {
            // Of the pool in use, what was promised must not be forgotten, and never is: there are more places than
            // a pool has lanes.
            let other = self.lanes.iter().position(|lane| lane.pool != promised.pool);
            self.lanes.remove(other.unwrap_or(0));
        }
        self.lanes.push(promised);
    }

    pub(crate) fn received(&mut self, pool: u64, epoch: u32) -> Option<&mut Received> {
        self.vouchers.iter_mut().find(|one| one.is_of(pool, epoch))
    }

    /// Keeps a voucher in place of the one before; how many units more it is than what was counted.
    /// `seen`: units of the lane that were paid when it was proved, and as of which block that was.
    pub(crate) fn receive(
        &mut self,
        voucher: Voucher,
        deal: (&str, &str),
        (redeemed, height): (u128, u64),
    ) -> u128 {
        if let Some(known) = self.received(voucher.pool, voucher.epoch) {
            known.seen = known.seen.max(Some(height));
            let before = known.voucher.cumulative.max(known.redeemed);
            let more = voucher.cumulative.saturating_sub(before);
            if voucher.cumulative > known.voucher.cumulative {
                known.voucher = voucher;
                (known.share, known.name) = (deal.0.to_owned(), deal.1.to_owned());
            }
            return more;
        }
        if self.vouchers.len() >= VOUCHERS_MAX {
            let least = self.vouchers.iter().enumerate().min_by_key(|(_, one)| one.unclaimed());
            if let Some(at) = least.map(|(at, _)| at) {
                self.vouchers.remove(at);
            }
        }
        let more = voucher.cumulative.saturating_sub(redeemed);
        let (share, name) = (deal.0.to_owned(), deal.1.to_owned());
        let (closed, seen) = (false, Some(height));
        self.vouchers.push(Received { voucher, name, share, redeemed, closed, seen });
        more
    }
}
