//! The payee's side of one neighbour.

use core::time::Duration;

use ledger::{AssetId, domains::paypool::Voucher};
use primitives::{PeerId, Time};
use wire::pay::{Lane, PayMessage, Promise, Stop, StopReason, Terms};

use crate::{Earning, Setup, config, price};

/// A lane as the ledger holds it, and its pool: what a payee counts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneProof {
    /// Who signs the pool's vouchers.
    pub signer: PeerId,
    /// Of which asset.
    pub asset: AssetId,
    /// Units set aside in all.
    pub reserve: u128,
    /// Of these, paid.
    pub redeemed: u128,
    /// Which lane.
    pub epoch: u32,
    /// Seconds that the pool lives from now; none of it if it is closing.
    pub left_s: u64,
}

/// What follows for one neighbour.
#[derive(Debug)]
pub(crate) enum Step {
    /// It is told this.
    Say(PayMessage),
    /// Its lane is looked up.
    Prove(Lane),
    /// So many more units are sure, by this.
    Earned(u128, Voucher),
    /// It is served, or not.
    Hold(bool),
    /// This is handed to the ledger.
    Claim(Voucher),
}

/// What one neighbour owes us, and what it promised.
#[derive(Debug, Default)]
pub(crate) struct Credit {
    told: bool,
    /// Bytes sent to it, by the driver's count, and those of earlier connections.
    sent: u64,
    sent_before: u64,
    /// The only one: another would count anew what was counted.
    lane: Option<Lane>,
    proof: Option<LaneProof>,
    /// When the proved pool ends.
    ends: Time,
    proving: bool,
    /// It said meanwhile that there is more.
    prove_again: bool,
    prove_at: Option<Time>,
    tries: u8,
    /// The newest promise that is sure.
    voucher: Option<Voucher>,
    /// One whose lane is not proved yet, or that goes beyond what is known of its reserve.
    waiting: Option<Promise>,
    /// Units of the lane that need not be claimed any more.
    claimed: u128,
    claiming: Option<u128>,
    /// The ledger would not: not before this.
    claim_at: Option<Time>,
    claim_fails: u32,
    /// Units that are sure and came from this neighbour.
    sure: u128,
    held: bool,
    stopped: bool,
    /// It was the other side that stopped.
    by_them: bool,
}

impl Credit {
    /// Tells it what bytes cost, once.
    pub(crate) fn greet(&mut self, setup: &Setup) -> Option<Step> {
        let earning = setup.earning.as_ref()?;
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        Some(Step::Say(PayMessage::Terms(Terms {
            chain: (*setup.chain.as_bytes()).into(),
            account: (*earning.account.as_bytes()).into(),
            asset: earning.asset.0,
            per_mib: earning.per_mib,
            quantum_bytes: config::QUANTUM_BYTES,
            required: earning.required,
        })))
    }

    pub(crate) fn on_sent(&mut self, total: u64) {
        self.sent = self.sent.max(self.sent_before.saturating_add(total));
    }

    /// It is back: the account goes on, the count begins anew.
    pub(crate) fn again(&mut self, earning: Option<&Earning>) {
        if let Some(earning) = earning {
            let per_mib = u128::from(earning.per_mib.max(1));
            let paid = self.sure.saturating_mul(1 << 20) / per_mib;
            let paid = u64::try_from(paid).unwrap_or(u64::MAX);
            let beyond = config::credit_bytes(self.quanta(earning)) - config::credit_bytes(0);
            // What was under way when the line broke came to nobody. A stranger's credit is left.
            self.sent = self.sent.min(paid.saturating_add(beyond));
        }
        self.sent_before = self.sent;
        (self.told, self.held, self.stopped, self.by_them) = (false, false, false, false);
        self.tries = 0;
    }

    /// Where it says that units are set aside. The same lane again holds more, so it is looked up anew.
    pub(crate) fn on_lane(&mut self, lane: Lane) -> Option<Step> {
        if self.lane.is_some_and(|known| known != lane) {
            return Some(self.stop(StopReason::Lane));
        }
        if std::mem::take(&mut self.by_them) {
            // It pays again.
            self.stopped = false;
        }
        (self.lane, self.tries) = (Some(lane), 0);
        if self.proving {
            self.prove_again = true;
        } else {
            self.prove_at = None;
        }
        None
    }

    pub(crate) fn is_of(&self, lane: Lane) -> bool {
        self.lane == Some(lane)
    }

    /// Its lane is another neighbour's from now on, who gets what was promised of it, counted already.
    pub(crate) fn hand_over(&mut self) -> (Option<Voucher>, u128) {
        (self.lane, self.waiting, self.claiming) = (None, None, None);
        (self.voucher.take(), self.claimed)
    }

    /// See [`Self::hand_over`].
    pub(crate) fn take_over(&mut self, (voucher, claimed): (Option<Voucher>, u128)) {
        (self.voucher, self.claimed) = (voucher, claimed);
    }

    /// What the ledger says of it; none: it is not there, or nobody could be asked.
    pub(crate) fn on_proved(
        &mut self,
        now: Time,
        lane: Lane,
        proof: Option<LaneProof>,
        setup: &Setup,
    ) -> Option<Step> {
        let earning = setup.earning.as_ref()?;
        if self.lane != Some(lane) {
            return None;
        }
        self.proving = false;
        let good = |proof: &LaneProof| {
            proof.epoch == lane.epoch
                && proof.asset == earning.asset
                && proof.left_s >= config::EXPIRY_MARGIN_S
        };
        if let Some(proof) = proof.filter(good) {
            (self.proof, self.tries) = (Some(proof), 0);
            self.ends = now + Duration::from_secs(proof.left_s);
            if std::mem::take(&mut self.prove_again) {
                self.prove_at = None;
            }
            return None;
        }
        // The server may be behind the payer's.
        self.tries = self.tries.saturating_add(1);
        self.prove_at = Some(now + config::AGAIN);
        (self.tries >= config::TRIES_MAX).then(|| self.stop(StopReason::Lane))
    }

    fn stop(&mut self, reason: StopReason) -> Step {
        (self.stopped, self.by_them) = (true, false);
        Step::Say(PayMessage::Stop(Stop { reason }))
    }

    /// A promise, by its word.
    pub(crate) fn on_promise(&mut self, promise: Promise) {
        let newer = self.waiting.is_none_or(|known| known.cumulative < promise.cumulative);
        if self.lane == Some(promise.lane) && newer && !self.stopped {
            self.waiting = Some(promise);
        }
    }

    /// We count no more: it is told so, unless it was. Who stopped paying is told as well, so that it takes our
    /// next terms for new ones.
    pub(crate) fn part(&mut self) -> Option<Step> {
        let says = self.told && (!self.stopped || self.by_them);
        says.then(|| self.stop(StopReason::Lane))
    }

    /// It pays no more.
    pub(crate) const fn on_stop(&mut self) {
        (self.stopped, self.by_them) = (true, true);
    }

    /// How much of the lane the ledger has paid, or that nobody knows.
    pub(crate) fn on_claimed(&mut self, now: Time, redeemed: Option<u128>) {
        let Some(cumulative) = self.claiming.take() else { return };
        if let Some(redeemed) = redeemed {
            self.claimed = self.claimed.max(redeemed);
        }
        if self.claimed >= cumulative {
            (self.claim_at, self.claim_fails) = (None, 0);
        } else {
            // What can't be claimed is not tried for ever: each try may cost a fee.
            self.claim_fails = self.claim_fails.saturating_add(1);
            self.claim_at = Some(now + config::AGAIN * (1 << self.claim_fails.min(10)));
        }
    }

    pub(crate) const fn is_claiming(&self) -> bool {
        self.claiming.is_some()
    }

    /// Units that are sure and not yet claimed.
    pub(crate) fn unclaimed(&self) -> u128 {
        self.voucher.as_ref().map_or(0, |voucher| voucher.cumulative.saturating_sub(self.claimed))
    }

    /// What is to be done for it now.
    pub(crate) fn settle(&mut self, now: Time, leaving: bool, setup: &Setup) -> Vec<Step> {
        let Some(earning) = &setup.earning else { return Vec::new() };
        let mut steps = Vec::new();
        if self.proof.is_some() && self.runs_out(now, config::EXPIRY_MARGIN_S) {
            // Perhaps it was extended.
            self.proof = None;
        }
        self.look_up(now, &mut steps);
        self.count(setup, earning, &mut steps);
        self.hold(earning, &mut steps);
        self.claim(now, leaving, earning, &mut steps);
        steps
    }

    /// Whether the pool ends within so many seconds.
    fn runs_out(&self, now: Time, within_s: u64) -> bool {
        now + Duration::from_secs(within_s) >= self.ends
    }

    fn lacks_proof(&self) -> bool {
        self.proof.is_none_or(|proof| {
            self.waiting.is_some_and(|promise| promise.cumulative > proof.reserve)
        })
    }

    /// Whether its lane counts: also that of who pays no more, for its last promise.
    const fn counts(&self) -> bool {
        !self.stopped || (self.by_them && self.waiting.is_some())
    }

    /// Asks the ledger for the lane: when it is new, and when a promise goes beyond what is known of it.
    fn look_up(&mut self, now: Time, steps: &mut Vec<Step>) {
        let may = !self.proving && self.counts() && self.tries < config::TRIES_MAX;
        let Some(lane) = self.lane.filter(|_| may) else { return };
        if self.lacks_proof() && self.prove_at.is_none_or(|at| now >= at) {
            (self.proving, self.prove_at) = (true, Some(now + config::AGAIN));
            steps.push(Step::Prove(lane));
        }
    }

    /// Takes the promise that waits, if the lane bears it.
    fn count(&mut self, setup: &Setup, earning: &Earning, steps: &mut Vec<Step>) {
        let (Some(proof), Some(promise)) = (self.proof, self.waiting) else { return };
        if promise.cumulative > proof.reserve {
            return;
        }
        self.waiting = None;
        let voucher = Voucher {
            pool: promise.lane.pool,
            payee: earning.account,
            epoch: promise.lane.epoch,
            cumulative: promise.cumulative,
            signature: *promise.signature,
        };
        if voucher.verify(setup.chain, proof.signer).is_err() {
            steps.push(self.stop(StopReason::Promise));
            return;
        }
        // A lane that paid before we met it pays only the rest.
        self.claimed = self.claimed.max(proof.redeemed);
        let known = self.voucher.as_ref().map_or(0, |known| known.cumulative).max(self.claimed);
        if let Some(more) = promise.cumulative.checked_sub(known).filter(|more| *more > 0) {
            self.voucher = Some(voucher.clone());
            self.sure = self.sure.saturating_add(more);
            steps.push(Step::Earned(more, voucher));
        }
    }

    /// Quanta it has paid.
    fn quanta(&self, earning: &Earning) -> u64 {
        let quantum = price(config::QUANTUM_BYTES.into(), earning.per_mib).max(1);
        u64::try_from(self.sure / quantum).unwrap_or(u64::MAX)
    }

    /// Serves it as far as it paid, and its credit.
    fn hold(&mut self, earning: &Earning, steps: &mut Vec<Step>) {
        if !earning.required {
            return;
        }
        let credit = price(config::credit_bytes(self.quanta(earning)), earning.per_mib);
        let hold = price(self.sent, earning.per_mib) >= self.sure.saturating_add(credit).max(1);
        if hold != self.held {
            self.held = hold;
            steps.push(Step::Hold(hold));
        }
    }

    fn claim(&mut self, now: Time, leaving: bool, earning: &Earning, steps: &mut Vec<Step>) {
        if self.claim_at.is_some_and(|at| now >= at) {
            self.claim_at = None;
        }
        let may = self.claiming.is_none() && self.claim_at.is_none();
        let Some(voucher) = self.voucher.as_ref().filter(|_| may) else { return };
        let ends = self.runs_out(now, config::CLAIM_BEFORE_S);
        // What brings less than it costs stays.
        let least =
            if leaving || ends || self.stopped { earning.claim_least } else { earning.claim_from };
        if self.unclaimed() > least {
            self.claiming = Some(voucher.cumulative);
            steps.push(Step::Claim(voucher.clone()));
        }
    }

    /// When something is to be done without anything happening.
    pub(crate) fn wake(&self, now: Time) -> Time {
        let waits = self.lane.is_some() && !self.proving && self.tries < config::TRIES_MAX;
        let lacks = waits && self.counts() && self.lacks_proof();
        let prove = self.prove_at.filter(|_| lacks).unwrap_or(Time::NEVER);
        if self.claiming.is_some() || self.unclaimed() == 0 {
            return prove;
        }
        let ends = self.ends.before(Duration::from_secs(config::CLAIM_BEFORE_S));
        let ends = if ends > now { ends } else { Time::NEVER };
        self.claim_at.unwrap_or(ends).min(prove)
    }
}
