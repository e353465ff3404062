//! Paying and being paid for bytes: what was agreed for which share, its tills, and what they want of the ledger.
//!
//! The bytes move in the page, the till (`payments`) stands here, beside the key and the light client. The page
//! carries frames and counts between them. What the tills ask of the ledger waits here as a list of tasks; the wallet
//! works them off (`wallet/paying.rs`, `wallet/settling.rs`) by what is proved, never by what a server says.

mod facts;
mod hour;
mod kept;
mod left;

use ledger::{AccountId, Receipt, TransactionId, domains::paypool::Voucher};
use payments::{Event, Input, Output, Till};
use primitives::{PeerId, SortedMap, Time};
use wire::pay::{Lane, StopReason};

use crate::view::{self, Carry};

pub(crate) use facts::{About, Facts};
pub(crate) use hour::{CAP, Hour};
pub(crate) use kept::{Deal, Kept, NAME_BYTES_MAX, Promised, Received};
pub(crate) use left::{Left, Offer, Round, Why};

/// Most tasks of one kind; a till asks again for what was dropped.
const TASKS_MAX: usize = 1_024;
/// How long the ledger is asked for one lane before a till is told that nobody answers, in milliseconds.
const PROVE_MS: u64 = 15_000;
/// How long nobody who is paid may be there before a deal is over, in milliseconds: an hour.
const ALONE_MS: u64 = 3_600_000;
/// How long a share that is whole waits for units to be set aside for what is owed, in milliseconds: longer than a
/// till asks for them.
const WHOLE_MS: u64 = 180_000;
/// Why a deal is over of which everything came.
const WHOLE: &str = "whole";
/// Why nobody is paid while as much was promised within an hour as may be.
pub(crate) const HOUR: &str = "hour";

/// A till of an open share.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) till: Till,
    pub(crate) wake: Time,
    /// Counted from 1.
    pub(crate) number: u64,
    /// Units of the deal from before this till.
    pub(crate) before: u128,
    /// Payees whose lane it was told: what these hold, it counts on already.
    pub(crate) lanes: Vec<AccountId>,
    /// Lanes of others' pools that were proved to it, by pool and epoch: it hands in what these promise.
    pub(crate) proved: Vec<(u64, u32)>,
    /// When it is over by itself; none: it asks, and a person ends that.
    pub(crate) ending: Option<Ending>,
}

/// When a deal that pays is over by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ending {
    /// Since when nobody is there who is paid.
    pub(crate) alone_ms: u64,
    /// Everything came: then it is over, whatever is owed.
    pub(crate) whole_by_ms: Option<u64>,
}

impl Ending {
    /// Nothing may be promised now: it is not over for that.
    fn wait(&mut self, now_ms: u64) {
        self.alone_ms = now_ms;
        self.whole_by_ms = self.whole_by_ms.map(|_| now_ms.saturating_add(WHOLE_MS));
    }

    /// The clock was set back.
    fn set_back(&mut self, now_ms: u64) {
        self.alone_ms = self.alone_ms.min(now_ms);
        let latest_ms = now_ms.saturating_add(WHOLE_MS);
        self.whole_by_ms = self.whole_by_ms.map(|by_ms| by_ms.min(latest_ms));
    }

    /// Then it is over, if nothing happens before.
    pub(crate) fn due_ms(&self) -> u64 {
        self.alone_ms.saturating_add(ALONE_MS).min(self.whole_by_ms.unwrap_or(u64::MAX))
    }
}

/// A lane to be looked up for a payee.
#[derive(Debug, Clone)]
pub(crate) struct Prove {
    pub(crate) share: String,
    pub(crate) peer: PeerId,
    pub(crate) lane: Lane,
    /// As of this block or a later one.
    pub(crate) since: u64,
    /// Then there is no answer.
    pub(crate) until_ms: u64,
}

/// Units to be set aside for a payee.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    pub(crate) share: String,
    pub(crate) payee: AccountId,
    pub(crate) amount: u128,
    pub(crate) until_ms: u64,
    pub(crate) stage: Reserving,
}

/// How far that is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reserving {
    /// What the lane holds is looked up, as of this block or later.
    Look(u64),
    /// It held so much; so much more is needed.
    Ready { held: u128, needs: u128 },
    /// On its way; then it holds this much.
    Sent { id: TransactionId, target: u128, needs: u128 },
    /// In this block or before.
    Done { since: u64, target: u128, needs: u128 },
}

/// A voucher to be handed in.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    /// The till that asked.
    pub(crate) who: Option<(String, PeerId)>,
    pub(crate) voucher: Voucher,
    /// The lane is given back then.
    pub(crate) release: bool,
    pub(crate) stage: Claiming,
}

/// How far that is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Claiming {
    Look(u64),
    Ready,
    Sent(TransactionId),
    /// It is in this block or before.
    Done(u64),
    /// Nothing is left to claim: the lane may be given back.
    Paid,
    Releasing(TransactionId),
    /// The lane was given back in this block or before.
    Released(u64),
}

/// A pool to be closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Close {
    pub(crate) pool: u64,
    pub(crate) stage: Closing,
}

/// How far that is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Closing {
    Look(u64),
    Sent(TransactionId),
    Done(u64),
}

/// Everything about payments. See the module's story.
#[derive(Debug, Default)]
pub(crate) struct Purse {
    pub(crate) kept: Kept,
    pub(crate) facts: Facts,
    pub(crate) tills: SortedMap<String, Running>,
    /// Tills so far.
    pub(crate) opened_tills: u64,
    pub(crate) proves: Vec<Prove>,
    pub(crate) reserves: Vec<Reserve>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) closes: Vec<Close>,
    pub(crate) left: Left,
    /// A deposit is made larger, or to live longer.
    pub(crate) funding: Option<TransactionId>,
    /// How often that was tried for what is lacking now.
    pub(crate) fund_tries: u8,
    /// What is known of the pool must be of this block or later.
    pub(crate) funded_at: u64,
    /// What the receipt says of the pool being opened.
    pub(crate) opened: Option<Option<u64>>,
    /// How often it was looked for behind those pools among which it was not.
    pub(crate) looks_on: u32,
    /// What is kept changed.
    pub(crate) is_new: bool,
    pub(crate) carries: Vec<Carry>,
    pub(crate) refused: String,
    /// Something was answered: there may be more to do.
    pub(crate) answers: u64,
    /// The newest block, and the time.
    pub(crate) height: u64,
    pub(crate) now_ms: u64,
    /// By how much this device's clock was set back in this visit: the time of tills goes on.
    pub(crate) shift_ms: u64,
    pub(crate) refreshed_ms: u64,
    pub(crate) claimed_ms: u64,
    pub(crate) shown: Option<view::Purse>,
}

impl Purse {
    /// What was kept at an earlier visit.
    pub(crate) fn of(mut kept: Kept) -> Self {
        // Tills are of one visit, and a lane that is closed owes nothing.
        for deal in kept.deals.iter_mut().filter(|deal| deal.stage == view::Stage::On) {
            deal.stage = view::Stage::Opening;
            if deal.stopped == HOUR {
                // Its next till says so, if it is so still.
                deal.stopped.clear();
            }
        }
        kept.vouchers.retain(|one| !one.closed);
        Self { kept, ..Self::default() }
    }

    /// The time of tills.
    pub(crate) fn now(&self) -> Time {
        Time::from_ms(self.now_ms.saturating_add(self.shift_ms))
    }

    /// This device's clock was set back: nothing waits for as long as it was ahead.
    pub(crate) fn set_back(&mut self, now_ms: u64) {
        self.shift_ms = self.shift_ms.saturating_add(self.now_ms.saturating_sub(now_ms));
        self.now_ms = now_ms;
        let until_ms = self.until_ms();
        for prove in &mut self.proves {
            prove.until_ms = prove.until_ms.min(until_ms);
        }
        for reserve in &mut self.reserves {
            reserve.until_ms = reserve.until_ms.min(until_ms);
        }
        for ending in self.tills.values_mut().filter_map(|running| running.ending.as_mut()) {
            ending.set_back(now_ms);
        }
        self.refreshed_ms = self.refreshed_ms.min(now_ms);
        self.claimed_ms = self.claimed_ms.min(now_ms);
        self.left.set_back(now_ms, until_ms);
        self.facts.set_back(now_ms);
    }

    /// Takes something into a till and does what it asks for.
    pub(crate) fn step(&mut self, share: &str, input: Input) {
        let (now, mut outputs) = (self.now(), Vec::new());
        self.is_new |= self.kept.hour.forget(self.now_ms);
        let left = self.kept.hour.left(self.now_ms);
        let Some(running) = self.tills.get_mut(&share.to_owned()) else { return };
        let before = running.till.paid().promised;
        running.till.allow(Some(left));
        running.wake = running.till.step(now, input, &mut outputs);
        let promised = running.till.paid().promised.saturating_sub(before);
        if promised > 0 {
            // Before anything below lets another till step.
            self.kept.hour.spend(self.now_ms, promised);
            self.is_new = true;
        }
        self.answers += 1;
        for output in outputs {
            self.perform(share, output);
        }
    }

    /// Tills whose time has come.
    pub(crate) fn tick(&mut self) {
        let now = self.now();
        let due = self.tills.iter().filter(|(_, running)| running.wake <= now);
        for share in due.map(|(share, _)| share.clone()).collect::<Vec<_>>() {
            self.step(&share, Input::Tick);
        }
    }

    fn perform(&mut self, share: &str, output: Output) {
        let owned = || share.to_owned();
        match output {
            Output::Send { to, bytes } => self.carries.push(Carry::Say {
                share: owned(),
                to: (*to.as_bytes()).into(),
                frame: bytes.into(),
            }),
            Output::Hold { peer, on } => self.carries.push(Carry::Hold {
                share: owned(),
                peer: (*peer.as_bytes()).into(),
                on,
            }),
            Output::Reserve { payee, amount } if self.reserves.len() < TASKS_MAX => {
                let (until_ms, stage) = (self.until_ms(), Reserving::Look(self.height));
                self.reserves.push(Reserve { share: owned(), payee, amount, until_ms, stage });
            }
            Output::Prove { peer, lane } if self.proves.len() < TASKS_MAX => {
                let (until_ms, since) = (self.until_ms(), self.height);
                self.proves.push(Prove { share: owned(), peer, lane, since, until_ms });
            }
            Output::Claim { peer, voucher } if self.claims.len() < TASKS_MAX => {
                let (who, stage) = (Some((owned(), peer)), Claiming::Look(self.height));
                self.claims.push(Claim { who, voucher, release: false, stage });
            }
            Output::Reserve { payee, .. } => {
                self.step(share, Input::Reserved { payee, lane: None })
            }
            Output::Prove { peer, lane } => {
                self.step(share, Input::Proved { peer, lane, proof: None });
            }
            Output::Claim { peer, .. } => self.step(share, Input::Claimed { peer, redeemed: None }),
            Output::Remember(promised) => self.remember(promised),
            Output::Forget(payee) => {
                if let Some(running) = self.tills.get_mut(&owned()) {
                    running.lanes.retain(|known| *known != payee);
                }
            }
            Output::Keep(voucher) => self.keep(share, voucher),
            // The page hands these to the wallet beside its shares.
            Output::Entrusted { .. } => {}
            Output::Event(event) => self.hear(share, event),
        }
    }

    fn until_ms(&self) -> u64 {
        self.now_ms.saturating_add(PROVE_MS)
    }

    fn remember(&mut self, promised: payments::Promised) {
        let payments::Promised { payee, epoch, cumulative } = promised;
        let Some(pool) = self.kept.pools.last().copied() else { return };
        self.kept.promise(Promised { pool, payee, epoch, units: cumulative });
        self.is_new = true;
    }

    fn keep(&mut self, share: &str, voucher: Voucher) {
        let name = self.kept.deal(share).map(|deal| deal.name.clone()).unwrap_or_default();
        let lane = self.facts.known_lane(voucher.pool, voucher.payee);
        let lane = lane.and_then(|known| Some((known.value?, known.height)));
        let lane = lane.filter(|(lane, _)| lane.epoch == voucher.epoch);
        let seen = lane.map_or((0, 0), |(lane, height)| (lane.redeemed, height));
        let more = self.kept.receive(voucher, (share, &name), seen);
        if let Some(deal) = self.kept.deal(share) {
            deal.units = deal.units.saturating_add(more);
        }
        self.is_new = true;
    }

    fn hear(&mut self, share: &str, event: Event) {
        let is_bound = self.is_bound(share);
        let Some(deal) = self.kept.deal(share) else { return };
        match event {
            Event::Paid(_, units) => {
                deal.units = deal.units.saturating_add(units);
                deal.stopped.clear();
            }
            Event::Stopped(_, reason) => {
                deal.stopped = match reason {
                    StopReason::Terms => "terms",
                    StopReason::Limit if is_bound => HOUR,
                    StopReason::Limit => "limit",
                    StopReason::Funds => "funds",
                    StopReason::Lane => "lane",
                    StopReason::Promise => "promise",
                }
                .to_owned();
            }
            Event::Earned(..) => deal.stopped.clear(),
            Event::Claimed(..) | Event::Nonsense(_) => return,
        }
        self.is_new = true;
    }

    /// Whether a share's till promises nothing because as much was promised within an hour as may be.
    pub(crate) fn is_bound(&self, share: &str) -> bool {
        self.tills.get(&share.to_owned()).is_some_and(|running| running.till.is_bound())
    }

    /// When tills that wait for that may go on; none: none waits, or it would in vain.
    pub(crate) fn again_ms(&self) -> Option<u64> {
        let waits = self.tills.values().any(|running| running.till.is_bound());
        self.kept.hour.again_ms(self.now_ms).filter(|_| waits)
    }

    /// Lets tills go on that waited for the hour to pass.
    pub(crate) fn go_on(&mut self) {
        if self.again_ms().is_none_or(|again_ms| again_ms > self.now_ms) {
            return;
        }
        let (now_ms, mut waiting) = (self.now_ms, Vec::new());
        for (share, running) in self.tills.iter_mut().filter(|(_, one)| one.till.is_bound()) {
            running.ending.iter_mut().for_each(|ending| ending.wait(now_ms));
            waiting.push(share.clone());
        }
        for share in waiting {
            if let Some(deal) = self.kept.deal(&share).filter(|deal| deal.stopped == HOUR) {
                deal.stopped.clear();
                self.is_new = true;
            }
            self.step(&share, Input::GoOn);
        }
    }

    /// At most so much is promised in an hour from now on.
    pub(crate) fn cap(&mut self, units: u128) {
        self.is_new |= self.kept.hour.set_cap(units);
    }

    /// Everything of a share came.
    pub(crate) fn on_whole(&mut self, share: &str) {
        let by_ms = self.now_ms.saturating_add(WHOLE_MS);
        let running = self.tills.get_mut(&share.to_owned());
        if let Some(ending) = running.and_then(|running| running.ending.as_mut()) {
            ending.whole_by_ms.get_or_insert(by_ms);
        }
    }

    /// Ends deals of which everything came and is paid, or in which nobody has been paid for long.
    pub(crate) fn end_over(&mut self) {
        let mut over = Vec::new();
        for (share, running) in self.tills.iter_mut() {
            let Some(ending) = &mut running.ending else { continue };
            let waits = running.till.is_bound() && self.kept.hour.cap() > 0;
            if waits {
                // What is owed is promised when that may be.
                ending.wait(self.now_ms);
            } else if running.till.payees() > 0 {
                ending.alone_ms = self.now_ms;
            }
            let settled = ending.whole_by_ms.is_some() && running.till.paid().owed == 0 && !waits;
            if settled || self.now_ms >= ending.due_ms() {
                over.push((share.clone(), ending.whole_by_ms.is_some()));
            }
        }
        for (share, whole) in over {
            let before = self.kept.deal(&share).map(|deal| deal.stopped.clone());
            // Why nobody was paid, if one side said it.
            let before = before.filter(|why| !why.is_empty());
            let why =
                if whole { WHOLE.to_owned() } else { before.unwrap_or_else(|| "gone".to_owned()) };
            self.end(&share, &why);
        }
    }

    /// A deal is over: neighbours are told, what is owed is promised, what was promised is claimed. Who has all of
    /// it leaves without a word: nobody is stopped by that.
    pub(crate) fn end(&mut self, share: &str, why: &str) {
        self.step(share, if why == WHOLE { Input::Leave } else { Input::Stop });
        self.tills.remove(&share.to_owned());
        // A late answer would be taken for one to the share's next till.
        self.reserves.retain(|task| task.share != share);
        if let Some(deal) = self.kept.deal(share) {
            deal.stage = view::Stage::Off;
            why.clone_into(&mut deal.stopped);
            self.is_new = true;
        }
        // What is left to claim of it is claimed soon.
        self.claimed_ms = 0;
    }

    /// Whether a till counts on this voucher's lane, and hands in what it promises.
    pub(crate) fn is_looked_after(&self, voucher: &Voucher) -> bool {
        let lane = (voucher.pool, voucher.epoch);
        self.tills.values().any(|running| running.proved.contains(&lane))
    }

    /// There is a new pool: who pays from the one before begins anew in it.
    pub(crate) fn begin_anew(&mut self) {
        for share in self.tills.keys().cloned().collect::<Vec<_>>() {
            let deal = self.kept.deal(&share);
            if !deal.is_some_and(|deal| matches!(deal.part, view::Part::Pay { .. })) {
                continue;
            }
            self.step(&share, Input::Leave);
            self.tills.remove(&share);
            self.reserves.retain(|task| task.share != share);
            if let Some(deal) = self.kept.deal(&share) {
                deal.stage = view::Stage::Opening;
            }
        }
    }

    /// Deals whose deposit is not made can't be.
    pub(crate) fn fail_unfunded(&mut self, why: &str) {
        for deal in self.kept.deals.iter_mut().filter(|deal| is_unfunded(deal)) {
            (deal.funded, deal.stage) = (true, view::Stage::Off);
            why.clone_into(&mut deal.stopped);
        }
        self.is_new = true;
        why.clone_into(&mut self.refused);
        for share in self.tills.keys().cloned().collect::<Vec<_>>() {
            // Its limit was to be raised: it goes on with the one that it had, which is used up.
            if self.kept.deal(&share).is_some_and(|deal| deal.stage == view::Stage::Off) {
                self.end(&share, why);
            }
        }
    }

    /// What a server says became of the transaction that opens a pool.
    pub(crate) fn on_receipt(&mut self, receipt: &Receipt) {
        if self.kept.opening == Some(receipt.transaction) {
            let number = receipt.events.iter().find_map(|event| event.numbers.first());
            let number = number.and_then(|number| u64::try_from(*number).ok());
            self.opened = Some(number.filter(|_| receipt.code == 0));
        }
    }
}

/// Whether units must be set aside for it first.
pub(crate) fn is_unfunded(deal: &Deal) -> bool {
    matches!(deal.part, view::Part::Pay { .. }) && deal.stage != view::Stage::Off && !deal.funded
}

/// Units that may still be set aside for payees of it.
pub(crate) fn committed(deal: &Deal) -> u128 {
    match deal.part {
        view::Part::Pay { limit, .. } if deal.stage != view::Stage::Off => {
            limit.saturating_sub(deal.reserved)
        }
        _ => 0,
    }
}
