//! The payer's side: what neighbours are owed and were promised, and the limits of all together.

use ledger::{AccountId, ChainId, domains::paypool::Voucher};
use primitives::Time;
use wire::pay::{Lane, PayMessage, Promise, Stop, StopReason, Terms};

use crate::{Paying, Setup, config, price};

/// What follows for one neighbour.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is told this.
    Say(PayMessage),
    /// So many more units are set aside for its account.
    Reserve(AccountId, u128),
    /// So many more units are its own now, so many of its lane in all.
    Paid(u128, Promised),
}

/// The newest promise of a lane: who begins anew goes on from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promised {
    /// To which account.
    pub payee: AccountId,
    /// Of which lane.
    pub epoch: u32,
    /// Units in all, from the lane's beginning.
    pub cumulative: u128,
}

/// A lane as the ledger answers after it set units aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    /// Which lane of the payee.
    pub epoch: u32,
    /// Units set aside in all.
    pub reserve: u128,
    /// Units that were paid or promised before this till used it.
    pub used: u128,
}

/// What is set aside for one account, whichever neighbours have it.
#[derive(Debug, Default)]
pub(crate) struct PayLane {
    open: Option<Reserved>,
    filling: Filling,
    tries: u8,
    /// Units promised of this lane, by this till.
    promised: u128,
    /// Units of the purse's that were set aside for it, and those of them that were promised, whichever lane it was.
    counted: u128,
    spent: u128,
}

/// Whether the ledger is asked to set more aside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Filling {
    #[default]
    Idle,
    /// So much.
    Asked(u128),
    /// It would not: not before this.
    Not(Time),
    /// Nothing more is set aside.
    Never(StopReason),
}

impl PayLane {
    /// Units that it still takes.
    fn room(&self) -> u128 {
        let all = self.open.map_or(0, |open| open.reserve.saturating_sub(open.used));
        all.saturating_sub(self.promised)
    }

    /// Where it is, and what is set aside in it.
    fn at(&self, pool: u64) -> Option<(Lane, u128)> {
        self.open.map(|open| (Lane { pool, epoch: open.epoch }, open.reserve))
    }

    /// The ledger set units aside.
    pub(crate) fn on_reserved(&mut self, lane: Reserved) {
        if let Filling::Asked(amount) = self.filling {
            self.counted = self.counted.saturating_add(amount);
        }
        match &mut self.open {
            Some(open) if open.epoch == lane.epoch => open.reserve = lane.reserve,
            open => (*open, self.promised) = (Some(lane), 0),
        }
        (self.filling, self.tries) = (Filling::Idle, 0);
    }

    /// Whether the ledger is asked to set more aside.
    pub(crate) const fn is_asked(&self) -> bool {
        matches!(self.filling, Filling::Asked(_))
    }

    /// What is left in it is counted on no more: it is looked up before anything more is promised of it, since its
    /// payee may have given it back. Not while the ledger is asked for more. Whether it was counted on.
    pub(crate) fn forget(&mut self, purse: &mut Purse) -> bool {
        if self.open.is_none() || self.is_asked() {
            return false;
        }
        purse.reserved = purse.reserved.saturating_sub(self.counted.saturating_sub(self.spent));
        *self = Self::default();
        true
    }

    /// There are more units than when it was given up.
    pub(crate) fn fill_again(&mut self) {
        if let Filling::Never(_) | Filling::Not(_) = self.filling {
            (self.filling, self.tries) = (Filling::Idle, 0);
        }
    }

    pub(crate) fn on_not_reserved(&mut self, now: Time, purse: &mut Purse) {
        let Filling::Asked(amount) = self.filling else { return };
        purse.reserved = purse.reserved.saturating_sub(amount);
        self.filling = Filling::Not(now + config::AGAIN);
        self.tries = self.tries.saturating_add(1);
    }

    /// Asks for `wanted` more when it holds less than `least`.
    fn fill(
        &mut self,
        now: Time,
        (wanted, least): (u128, u128),
        paying: &Paying,
        purse: &mut Purse,
    ) -> Option<u128> {
        let may = match self.filling {
            Filling::Idle => self.room() < least,
            Filling::Not(until) => now >= until,
            Filling::Asked(_) | Filling::Never(_) => false,
        };
        if !may {
            return None;
        }
        if self.tries >= config::TRIES_MAX {
            // What is in the lane is promised still.
            self.filling = Filling::Never(StopReason::Funds);
            return None;
        }
        let within = wanted.min(paying.spend_max.saturating_sub(purse.reserved));
        let amount = within.min(purse.open(self.room()));
        if amount == 0 {
            if within > 0 && self.room() > 0 {
                // As much is set aside as may be promised for now.
                return None;
            }
            purse.is_bound |= within > 0;
            self.filling = Filling::Never(StopReason::Limit);
            return None;
        }
        purse.reserved += amount;
        self.filling = Filling::Asked(amount);
        Some(amount)
    }

    const fn wake(&self) -> Time {
        match self.filling {
            Filling::Not(at) => at,
            Filling::Idle | Filling::Asked(_) | Filling::Never(_) => Time::NEVER,
        }
    }
}

/// What we owe one neighbour, and what we promised.
#[derive(Debug, Default)]
pub(crate) struct Debt {
    terms: Option<Agreed>,
    /// Bytes from it that are paid ([`config::payable`]), and those of earlier connections.
    received: u64,
    received_before: u64,
    /// Of these, from before there were terms: a gift.
    free: u64,
    moved: Time,
    /// Units promised to it, and those of terms that it took back.
    promised: u128,
    promised_before: u128,
    /// The lane it was told of, and what is set aside in it: told again when that is more.
    told: Option<(Lane, u128)>,
    stopped: bool,
    /// It was the other side that stopped.
    by_them: bool,
    /// Nothing else was wrong than that units ran out.
    ran_out: bool,
}

#[derive(Debug, Clone, Copy)]
struct Agreed {
    account: AccountId,
    per_mib: u64,
    quantum_bytes: u64,
}

/// What settling needs besides the neighbour.
pub(crate) struct Till<'t> {
    pub(crate) now: Time,
    pub(crate) leaving: bool,
    /// Nothing more comes.
    pub(crate) whole: bool,
    pub(crate) chain: ChainId,
    pub(crate) paying: &'t Paying,
    pub(crate) purse: &'t mut Purse,
}

impl Debt {
    /// What it wants. The first terms hold: others would change the price under way. Who stopped asking and asks
    /// again begins anew, with whatever terms.
    pub(crate) fn on_terms(&mut self, setup: &Setup, terms: &Terms) -> Option<Step> {
        let paying = setup.paying.as_ref()?;
        // It greets anew: it is back, and has perhaps forgotten where its units are.
        self.told = None;
        if std::mem::take(&mut self.by_them) {
            (self.terms, self.promised_before) = (None, self.promised);
        }
        if self.terms.is_some() {
            return None;
        }
        self.stopped = false;
        let agreeable = *terms.chain == *setup.chain.as_bytes()
            && terms.asset == paying.asset.0
            && terms.per_mib <= paying.per_mib_max;
        if !agreeable {
            return Some(self.stop(StopReason::Terms));
        }
        self.free = self.received;
        self.terms = Some(Agreed {
            account: AccountId::new(*terms.account),
            per_mib: terms.per_mib,
            quantum_bytes: terms.quantum_bytes.into(),
        });
        None
    }

    pub(crate) fn account(&self) -> Option<AccountId> {
        self.terms.map(|terms| terms.account)
    }

    pub(crate) fn on_received(&mut self, now: Time, total: u64) {
        let total = self.received_before.saturating_add(total);
        if total > self.received {
            (self.received, self.moved) = (total, now);
        }
    }

    /// It is back: the account goes on, the count begins anew.
    pub(crate) const fn again(&mut self) {
        (self.received_before, self.told) = (self.received, None);
    }

    /// The other side wants no more promises.
    pub(crate) const fn on_stop(&mut self) {
        (self.stopped, self.by_them, self.ran_out) = (true, true, false);
    }

    /// Whether it is paid for what comes.
    pub(crate) const fn is_paid(&self) -> bool {
        self.terms.is_some() && !self.stopped
    }

    /// Whether it asks anew by its next terms.
    pub(crate) const fn is_stopped_by_them(&self) -> bool {
        self.by_them
    }

    /// We pay no more, if we did.
    pub(crate) fn part(&mut self) -> Option<Step> {
        self.is_paid().then(|| self.stop(StopReason::Limit))
    }

    /// There are more units now.
    pub(crate) fn resume(&mut self) {
        if std::mem::take(&mut self.ran_out) {
            (self.stopped, self.told) = (false, None);
        }
    }

    fn stop(&mut self, reason: StopReason) -> Step {
        self.stopped = true;
        self.ran_out = matches!(reason, StopReason::Limit | StopReason::Funds);
        Step::Say(PayMessage::Stop(Stop { reason }))
    }

    fn came(&self) -> u64 {
        self.received.saturating_sub(self.free)
    }

    /// Units for what came.
    fn owed(&self) -> u128 {
        let since = self.terms.map_or(0, |terms| price(self.came(), terms.per_mib));
        self.promised_before.saturating_add(since)
    }

    /// Of these, not promised, unless nothing more is.
    pub(crate) fn unpaid(&self) -> u128 {
        if self.stopped { 0 } else { self.owed().saturating_sub(self.promised) }
    }

    /// What is to be done for it now.
    pub(crate) fn settle(&mut self, till: &mut Till<'_>, lane: &mut PayLane) -> Vec<Step> {
        let Some(terms) = self.terms.filter(|_| !self.stopped) else { return Vec::new() };
        let mut steps = Vec::new();
        let at = lane.at(till.paying.pool);
        if let Some((lane, _)) = at.filter(|_| self.told != at) {
            self.told = at;
            steps.push(Step::Say(PayMessage::Lane(lane)));
        }
        self.pay(terms, till, lane, &mut steps);
        if self.came() > 0 && !till.leaving && !self.stopped {
            let wants = if till.whole { self.lacks(lane) } else { Some(self.wants(terms)) };
            let amount =
                wants.and_then(|wants| lane.fill(till.now, wants, till.paying, till.purse));
            steps.extend(amount.map(|amount| Step::Reserve(terms.account, amount)));
        }
        if let Filling::Never(reason) = lane.filling
            && !self.stopped
            && lane.room() == 0
        {
            steps.push(self.stop(reason));
        }
        steps
    }

    /// Units to fill its lane with, and how few are too few: for four times what came, within bounds, so that who
    /// gave little binds little.
    fn wants(&self, terms: Agreed) -> (u128, u128) {
        let bytes = self.came().saturating_mul(4);
        let bytes = bytes.clamp(config::LANE_BYTES.0, config::LANE_BYTES.1);
        let wanted = price(bytes, terms.per_mib).max(1);
        (wanted, (wanted / 4).max(1))
    }

    /// As [`Self::wants`] where nothing more comes: what is owed and not there; none: enough is.
    fn lacks(&self, lane: &PayLane) -> Option<(u128, u128)> {
        let due = self.unpaid();
        let lacking = due.saturating_sub(lane.room());
        (lacking > 0).then_some((lacking, due))
    }

    /// Signs what is owed, a quantum or more at a time, less when nothing more comes.
    fn pay(
        &mut self,
        terms: Agreed,
        till: &mut Till<'_>,
        lane: &mut PayLane,
        steps: &mut Vec<Step>,
    ) {
        let Some(Reserved { epoch, used, .. }) = lane.open else { return };
        let over = till.leaving || till.whole;
        let quiet = over || till.now.since(self.moved) >= config::QUIET;
        let due = self.owed().saturating_sub(self.promised).min(lane.room());
        let quantum = price(terms.quantum_bytes, terms.per_mib).max(1);
        if due == 0 || (due < quantum && !quiet) {
            return;
        }
        let granted = till.purse.spend(due, till.paying);
        if granted > 0 {
            self.promised += granted;
            lane.promised += granted;
            lane.spent += granted;
            let cumulative = used.saturating_add(lane.promised);
            let Paying { signer, pool, .. } = till.paying;
            let payee = terms.account;
            let voucher = Voucher::sign(signer, till.chain, *pool, payee, epoch, cumulative);
            steps.push(Step::Say(promise(&voucher)));
            steps.push(Step::Paid(granted, Promised { payee, epoch, cumulative }));
        }
        if granted < due {
            steps.push(self.stop(StopReason::Limit));
        }
    }

    /// When something is to be done without anything happening.
    pub(crate) fn wake(&self, lane: Option<&PayLane>) -> Time {
        let Some(lane) = lane.filter(|_| !self.stopped && self.terms.is_some()) else {
            return Time::NEVER;
        };
        let owes = self.owed().min(self.promised.saturating_add(lane.room())) > self.promised;
        let pay = if owes { self.moved + config::QUIET } else { Time::NEVER };
        pay.min(lane.wake())
    }
}

fn promise(voucher: &Voucher) -> PayMessage {
    PayMessage::Promise(Promise {
        lane: Lane { pool: voucher.pool, epoch: voucher.epoch },
        cumulative: voucher.cumulative,
        signature: voucher.signature.into(),
    })
}

/// What all neighbours together may have.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    /// Set aside, or asked to be.
    pub(crate) reserved: u128,
    pub(crate) promised: u128,
    /// May be promised until the driver says more; none: there is no such bound.
    pub(crate) allowed: Option<u128>,
    /// Somebody is paid no more for that bound alone.
    pub(crate) is_bound: bool,
}

impl Purse {
    /// How much of what is due may be promised; it is booked.
    fn spend(&mut self, due: u128, paying: &Paying) -> u128 {
        let within = due.min(paying.spend_max.saturating_sub(self.promised));
        let granted = within.min(self.open(0));
        self.is_bound |= granted < within;
        if let Some(allowed) = &mut self.allowed {
            *allowed = allowed.saturating_sub(granted);
        }
        self.promised += granted;
        granted
    }

    /// What may be promised beyond so much.
    fn open(&self, room: u128) -> u128 {
        self.allowed.map_or(u128::MAX, |allowed| allowed.saturating_sub(room))
    }
}
