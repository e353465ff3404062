//! Whoever funds a swarm pays viewers for what others say they got from them, sans-IO: one [`Fund`], out of one pool at
//! a time.
//!
//! A receiver signs what it verified from whom ([`wire::fund::Report`]); who sent it named an account in a report of
//! its own. Nobody can know that two keys are not one person's, so what one says counts only so far:
//!
//! | bound | why |
//! |---|---|
//! | a viewer's bytes in an hour | nobody watches more than there is to watch |
//! | all viewers' of one place (an address, or a /48), in an hour | keys are free, addresses are not |
//! | nothing between two of one place | one tab would pay another |
//! | all bytes in an hour, and in all | what the owner is ready to lose |
//!
//! So a liar costs the owner no more than these, and what is signed is never more than was set aside for it.
//! Counts are cumulative within an hour's session: what comes twice counts once, and what is of another session not at
//! all, so nothing of it has to be kept.

mod hour;
mod tally;
#[cfg(test)]
mod tests;

use core::{fmt, ops::Bound};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use ledger::{
    AccountId, ChainId,
    domains::paypool::{BATCH_MAX, Voucher},
};
use primitives::{Hash, PeerId, Seed, SwarmId, Time};
use wire::{
    fund::{Promised, REPORT_EVERY_S, Report, Said, Terms, Told},
    signaling::Base64,
};

use crate::price;
use hour::Hour;

pub use tally::Tally;

/// Most accounts that are known at a time: as many as a pool has lanes.
pub const PAYEES_MAX: usize = 1_024;

/// What the owner decided.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The ledger.
    pub chain: ChainId,
    /// The pool that pays.
    pub pool: u64,
    /// The swarms that are paid for.
    pub swarms: Vec<SwarmId>,
    /// Units for a MiB, one at least.
    pub per_mib: u64,
    /// Most units promised in all.
    pub units_max: u128,
    /// Most units in an hour.
    pub hour_units_max: u128,
    /// Most bytes that one viewer's word is worth in an hour.
    pub viewer_bytes_max: u64,
    /// Most bytes that the word of all viewers of one place is worth in an hour.
    pub place_bytes_max: u64,
    /// Whether viewers of one place are paid for what they send each other.
    pub same_place: bool,
}

/// Why a report counts for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It can't be read.
    Form,
    /// It is for another pool or ledger.
    Pool,
    /// It is of another hour: the terms tell the new session.
    Session,
    /// That swarm is not paid for.
    Swarm,
    /// Who says it did not sign it.
    Signature,
    /// Too many reports of this place, or more viewers than are known at a time.
    Busy,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "this is no report",
            Self::Pool => "another pool is meant",
            Self::Session => "the hour is over: ask for the terms again",
            Self::Swarm => "this swarm is not paid for",
            Self::Signature => "the signature is not the viewer's",
            Self::Busy => "too many reports: try later",
        })
    }
}

impl Refusal {
    /// For programs: stable.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Pool => "pool",
            Self::Session => "session",
            Self::Swarm => "swarm",
            Self::Signature => "signature",
            Self::Busy => "busy",
        }
    }
}

/// One account's earnings since the fund began.
#[derive(Debug, Default)]
struct Payee {
    /// What others said they got from it, as far as it counts.
    bytes: u64,
    /// Units signed for it.
    promised: u128,
    voucher: Option<Voucher>,
    /// Units of the voucher's lane that the ledger paid.
    redeemed: u128,
    /// Units signed for lanes that their payee gave back before they were paid.
    forfeited: u128,
}

impl Payee {
    fn unclaimed(&self) -> u128 {
        self.voucher.as_ref().map_or(0, |one| one.cumulative.saturating_sub(self.redeemed))
    }

    fn paid(&self) -> u128 {
        self.promised.saturating_sub(self.unclaimed()).saturating_sub(self.forfeited)
    }

    /// Forgets a voucher that can't be handed in any more.
    fn forfeit(&mut self) {
        self.forfeited += self.unclaimed();
        (self.voucher, self.redeemed) = (None, 0);
    }
}

/// What a fund has done, as shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Viewers that reported this hour.
    pub viewers: usize,
    /// Accounts that are owed or were paid something.
    pub payees: usize,
    /// Bytes that count.
    pub bytes: u64,
    /// Units earned.
    pub earned: u128,
    /// Units signed.
    pub promised: u128,
    /// Units that the ledger paid.
    pub paid: u128,
    /// Whether all that may be spent is.
    pub is_over: bool,
}

/// Who is owed what.
#[derive(Debug)]
pub struct Fund {
    rules: Rules,
    seed: Seed,
    hours: u64,
    hour: Hour,
    bytes: u64,
    payees: BTreeMap<AccountId, Payee>,
    /// The last one that was named as due: who can't be paid keeps nobody behind it waiting.
    turn: Option<AccountId>,
    /// What accounts had that gave way once all of it was paid.
    gone: Gone,
}

/// Sums of accounts that are not known any more.
#[derive(Debug, Clone, Copy, Default)]
struct Gone {
    payees: usize,
    promised: u128,
    paid: u128,
}

impl Fund {
    /// Nobody is owed anything. `seed` is secret and another each time: sessions follow from it.
    pub fn new(rules: Rules, seed: Seed, now: Time) -> Self {
        let hour = Hour::new(session(&seed, 0), now);
        let (payees, gone) = (BTreeMap::new(), Gone::default());
        Self { rules, seed, hours: 0, hour, bytes: 0, payees, turn: None, gone }
    }

    /// The pool that pays.
    pub const fn pool(&self) -> u64 {
        self.rules.pool
    }

    /// What a report must name now.
    pub fn terms(&mut self, now: Time) -> Terms {
        self.turn(now);
        Terms {
            chain: Hash::new(*self.rules.chain.as_bytes()),
            pool: self.rules.pool,
            session: self.hour.session,
            per_mib: self.rules.per_mib,
            every_s: REPORT_EVERY_S,
        }
    }

    /// A report from an address; what its viewer has.
    ///
    /// # Errors
    /// It counts for nothing.
    pub fn report(&mut self, now: Time, from: IpAddr, body: &[u8]) -> Result<Told, Refusal> {
        let place = place(from);
        self.turn(now);
        if !self.hour.admit(place) {
            return Err(Refusal::Busy);
        }
        let (report, said) = Report::read(body).ok_or(Refusal::Form)?;
        self.check(&said)?;
        report.verify().map_err(|_| Refusal::Signature)?;
        let account = said.account.map(|account| AccountId::new(*account.as_bytes()));
        if !self.hour.meet(report.peer, place, account) {
            return Err(Refusal::Busy);
        }
        for (giver, bytes) in said.from {
            self.credit(report.peer, giver, bytes);
        }
        Ok(self.told(account))
    }

    fn check(&self, said: &Said) -> Result<(), Refusal> {
        let is_ours = said.chain.as_bytes() == self.rules.chain.as_bytes();
        if !is_ours || said.pool != self.rules.pool {
            return Err(Refusal::Pool);
        }
        if !self.rules.swarms.contains(&said.swarm) {
            return Err(Refusal::Swarm);
        }
        if said.session == self.hour.session { Ok(()) } else { Err(Refusal::Session) }
    }

    /// A new hour, if the last is over.
    fn turn(&mut self, now: Time) {
        if now >= self.hour.ends {
            self.hours += 1;
            self.hour = Hour::new(session(&self.seed, self.hours), now);
        }
    }

    fn credit(&mut self, from: PeerId, giver: PeerId, total: u64) {
        let Some(account) = self.hour.payee(from, giver, self.rules.same_place) else { return };
        let bytes = self.hour.count(&self.rules, from, giver, total, self.left());
        if bytes > 0 && self.has_room(account) {
            self.bytes += bytes;
            self.payees.entry(account).or_default().bytes += bytes;
        }
    }

    /// Bytes that may still be paid.
    fn left(&self) -> u64 {
        self.rules.bytes_for(self.rules.units_max).saturating_sub(self.bytes)
    }

    /// Makes room for an account: who was paid all gives way first, then who earned least and was promised nothing.
    fn has_room(&mut self, account: AccountId) -> bool {
        if self.payees.len() < PAYEES_MAX || self.payees.contains_key(&account) {
            return true;
        }
        if self.part_with_paid() {
            return true;
        }
        let free = self.payees.iter().filter(|(_, payee)| payee.promised == 0);
        let Some((least, bytes)) =
            free.map(|(account, payee)| (*account, payee.bytes)).min_by_key(|(_, bytes)| *bytes)
        else {
            return false;
        };
        self.payees.remove(&least);
        self.bytes -= bytes;
        true
    }

    /// Forgets an account that has all it earned, the smallest of them. What it was paid stays spent.
    fn part_with_paid(&mut self) -> bool {
        let is_paid = |payee: &Payee| {
            payee.promised > 0 && payee.unclaimed() == 0 && payee.promised == self.earned(payee)
        };
        let paid = self.payees.iter().filter(|(_, payee)| is_paid(payee));
        let Some(least) = paid.min_by_key(|(_, payee)| payee.bytes).map(|(account, _)| *account)
        else {
            return false;
        };
        if let Some(payee) = self.payees.remove(&least) {
            self.gone.payees += 1;
            self.gone.promised += payee.promised;
            self.gone.paid += payee.paid();
        }
        true
    }

    fn earned(&self, payee: &Payee) -> u128 {
        price(payee.bytes, self.rules.per_mib)
    }

    fn told(&self, account: Option<AccountId>) -> Told {
        let Some(payee) = account.and_then(|account| self.payees.get(&account)) else {
            return Told { earned: "0".to_owned(), paid: "0".to_owned(), voucher: None };
        };
        let voucher = payee.voucher.as_ref().map(|voucher| Promised {
            pool: voucher.pool,
            payee: Hash::new(*voucher.payee.as_bytes()),
            epoch: voucher.epoch,
            cumulative: voucher.cumulative.to_string(),
            signature: Base64(voucher.signature.to_vec()),
        });
        let (earned, paid) = (self.earned(payee).to_string(), payee.paid().to_string());
        Told { earned, paid, voucher }
    }

    /// Whom a voucher is due to, and how many units more: in ascending order, one transaction's worth, and only who has
    /// earned `least` units at least since the last. The next call goes on behind them.
    pub fn due(&mut self, least: u128) -> Vec<(AccountId, u128)> {
        let from = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let until = self.turn.map_or(Bound::Unbounded, Bound::Included);
        let behind = self.payees.range((from, Bound::Unbounded));
        let before = self.payees.range((Bound::Unbounded, until)).filter(|_| self.turn.is_some());
        let owed = behind
            .chain(before)
            .map(|(account, payee)| (*account, self.earned(payee).saturating_sub(payee.promised)));
        let mut due: Vec<_> =
            owed.filter(|(_, units)| *units >= least.max(1)).take(BATCH_MAX).collect();
        self.turn = due.last().map(|(account, _)| *account);
        due.sort_unstable();
        due
    }

    /// A voucher was signed, for so many units more. No more than were due are taken for signed.
    pub fn promised(&mut self, voucher: Voucher, units: u128) {
        let per_mib = self.rules.per_mib;
        let Some(payee) = self.payees.get_mut(&voucher.payee) else { return };
        let due = price(payee.bytes, per_mib).saturating_sub(payee.promised);
        payee.promised += units.min(due);
        if payee.voucher.as_ref().is_some_and(|known| known.epoch != voucher.epoch) {
            payee.redeemed = 0;
        }
        payee.voucher = Some(voucher);
    }

    /// Vouchers that the ledger did not pay yet, one transaction's worth.
    pub fn unclaimed(&self) -> Vec<Voucher> {
        let open = self.payees.values().filter(|payee| payee.unclaimed() > 0);
        open.filter_map(|payee| payee.voucher.clone()).take(BATCH_MAX).collect()
    }

    /// How much of a lane the ledger has paid.
    pub fn claimed(&mut self, payee: AccountId, epoch: u32, redeemed: u128) {
        let Some(payee) = self.payees.get_mut(&payee) else { return };
        if payee.voucher.as_ref().is_some_and(|voucher| voucher.epoch == epoch) {
            payee.redeemed = payee.redeemed.max(redeemed);
        }
    }

    /// The payee gave the lane back, and its voucher is worth nothing.
    pub fn forfeited(&mut self, payee: AccountId, epoch: u32) {
        let Some(payee) = self.payees.get_mut(&payee) else { return };
        if payee.voucher.as_ref().is_some_and(|voucher| voucher.epoch == epoch) {
            payee.forfeit();
        }
    }

    /// Another pool pays from now on, of which so many units may be spent. What was signed of the one before should be
    /// handed in: it is not asked for any more. Viewers tell anew; bounds of the hour go on.
    pub fn renew(&mut self, pool: u64, units: u128) {
        self.rules.pool = pool;
        self.payees.values_mut().for_each(Payee::forfeit);
        self.limit(units);
        self.hours += 1;
        self.hour.renew(session(&self.seed, self.hours));
    }

    /// No more than so many units are there beyond what was promised; never more than the owner allowed.
    pub fn limit(&mut self, units: u128) {
        self.rules.units_max = self.rules.units_max.min(self.promised_sum().saturating_add(units));
    }

    /// Units that may still be promised.
    pub fn left_units(&self) -> u128 {
        self.rules.units_max.saturating_sub(self.promised_sum())
    }

    /// Accounts that earned something which they were not promised, and how many units.
    pub fn owed(&self) -> (usize, u128) {
        let owed = self.payees.values().map(|one| self.earned(one).saturating_sub(one.promised));
        owed.filter(|units| *units > 0).fold((0, 0), |(count, sum), units| (count + 1, sum + units))
    }

    fn promised_sum(&self) -> u128 {
        let known = self.payees.values().map(|payee| payee.promised);
        known.fold(self.gone.promised, u128::saturating_add)
    }

    /// What it has done so far.
    pub fn spent(&self) -> Spent {
        let mut spent = Spent {
            viewers: self.hour.viewers(),
            payees: self.gone.payees + self.payees.len(),
            bytes: self.bytes,
            earned: self.gone.promised,
            promised: self.gone.promised,
            paid: self.gone.paid,
            is_over: self.left() == 0,
        };
        for payee in self.payees.values() {
            spent.earned += self.earned(payee);
            spent.promised += payee.promised;
            spent.paid += payee.paid();
        }
        spent
    }
}

impl Rules {
    /// Bytes that so many units pay.
    fn bytes_for(&self, units: u128) -> u64 {
        let bytes = units.saturating_mul(1 << 20) / u128::from(self.per_mib.max(1));
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// What one customer of a network has: an address, or of IPv6 what networks give out at most.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(long) => Ipv6Addr::from_bits(long.to_bits() & (u128::MAX << 80)).into(),
        IpAddr::V4(short) => short.into(),
    }
}

fn session(seed: &Seed, hour: u64) -> Hash {
    Hash::new(*seed.derive(&format!("fund session {hour}")).as_bytes())
}
