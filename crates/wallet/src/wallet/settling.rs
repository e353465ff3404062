//! What tills and people want of the ledger: lanes looked up, units set aside, vouchers handed in, pools closed.
//!
//! Each task goes from what is proved before to a transaction to what is proved after. What the transaction came to
//! is read from the record, not from a receipt.

use ledger::{
    AccountId, TransactionId,
    domains::paypool::{self, BATCH_MAX, Lane, Pool},
};
use payments::{Input as TillInput, LaneProof, Reserved};

use super::{Output, Wallet, paying::Progress};
use crate::{
    holdings::Known,
    purse::{Claim, Claiming, Close, Closing, Prove, Received, Reserve, Reserving},
    view::PoolAct,
};

/// How often vouchers that no till looks after are handed in, in milliseconds.
const CLAIM_EVERY_MS: u64 = 60_000;
/// What is left of a pool's life when vouchers of it are handed in whoever looks after them, in seconds.
const SOON_S: u64 = 6 * 3_600;

impl Wallet {
    pub(super) fn settle_purse(&mut self, out: &mut Vec<Output>) {
        self.claim_left();
        for prove in std::mem::take(&mut self.purse.proves) {
            self.on_prove(prove);
        }
        for reserve in std::mem::take(&mut self.purse.reserves) {
            self.on_reserve(reserve);
        }
        self.send_reserves(out);
        for claim in std::mem::take(&mut self.purse.claims) {
            self.on_claim(claim, out);
        }
        self.send_claims(out);
        for close in std::mem::take(&mut self.purse.closes) {
            self.on_closing(close, out);
        }
    }

    pub(super) fn on_settle(&mut self, pool: u64, epoch: u32) {
        let busy = self
            .purse
            .claims
            .iter_mut()
            .find(|claim| claim.voucher.pool == pool && claim.voucher.epoch == epoch);
        if let Some(claim) = busy {
            claim.release = true;
            return;
        }
        let Some(received) = self.purse.kept.received(pool, epoch) else { return };
        let voucher = received.voucher.clone();
        let stage = Claiming::Look(self.purse.height);
        self.purse.claims.push(Claim { who: None, voucher, release: true, stage });
    }

    /// Vouchers that no till hands in: of earlier visits, of payers that are gone, of pools that end soon.
    fn claim_left(&mut self) {
        let due = self.now_ms.saturating_sub(self.purse.claimed_ms) >= CLAIM_EVERY_MS;
        let Some(cost) = self.claim_cost().filter(|_| due && self.purse.height > 0) else { return };
        self.purse.claimed_ms = self.now_ms;
        let (purse, now_s) = (&self.purse, self.ledger_now_s());
        let soon =
            |pool: &Pool| pool.closing_s.is_some() || pool.expiry_s.saturating_sub(now_s) < SOON_S;
        let left = |one: &&Received| {
            let busy = |claim: &Claim| one.is_of(claim.voucher.pool, claim.voucher.epoch);
            let known = purse.facts.known_pool(one.voucher.pool);
            let ends = known.and_then(|known| known.value.as_ref()).is_some_and(soon);
            one.unclaimed() > cost
                && (ends || !purse.is_looked_after(&one.voucher))
                && !purse.claims.iter().any(busy)
        };
        let left = purse.kept.vouchers.iter().filter(left).map(|one| one.voucher.clone());
        for voucher in left.collect::<Vec<_>>() {
            let stage = Claiming::Look(self.purse.height);
            self.purse.claims.push(Claim { who: None, voucher, release: false, stage });
        }
    }

    fn on_prove(&mut self, prove: Prove) {
        let Prove { lane, since, .. } = prove;
        let pool = self.purse.facts.pool(lane.pool, since);
        let found = self.purse.facts.lane(lane.pool, self.account, since);
        let mut proof = match (pool, found) {
            (Some(pool), Some(found)) => lane_proof(lane, &pool, &found),
            _ if self.now_ms >= prove.until_ms => None,
            _ => return self.purse.proves.push(prove),
        };
        let of = (lane.pool, lane.epoch);
        let kept = self.purse.kept.received(of.0, of.1).map_or(0, |one| one.voucher.cumulative);
        if let Some(proof) = &mut proof
            && let Some(running) = self.purse.tills.get_mut(&prove.share)
        {
            self.purse.left.pays(of, prove.peer);
            if !running.proved.contains(&of) {
                // What was promised before this till pays for nothing that comes now.
                running.proved.push(of);
                proof.redeemed = proof.redeemed.max(kept);
            }
        }
        let answer = TillInput::Proved { peer: prove.peer, lane, proof };
        self.purse.step(&prove.share, answer);
    }

    /// Goes on with units for a payee as far as what is proved allows.
    fn on_reserve(&mut self, mut task: Reserve) {
        let Some(pool) = self.purse.kept.pools.last().copied() else {
            return self.reserved(&task, None);
        };
        let late = self.now_ms >= task.until_ms;
        if matches!(task.stage, Reserving::Look(u64::MAX)) {
            task.stage = Reserving::Look(self.account_height());
        }
        match task.stage {
            Reserving::Look(_) if self.is_taken(&task) => return self.reserved(&task, None),
            Reserving::Look(_) if !late && self.is_under_way(PoolAct::Reserve) => {
                // It may be for this payee.
                task.stage = Reserving::Look(u64::MAX);
            }
            Reserving::Look(since) => {
                let known = self.purse.facts.pool(pool, since);
                let lane = self.purse.facts.lane(pool, task.payee, since);
                let (Some(known), Some(lane)) = (known, lane) else {
                    return if late {
                        self.reserved(&task, None)
                    } else {
                        self.purse.reserves.push(task)
                    };
                };
                let open = lane.value.filter(|lane| lane.open);
                let reserved = open.map(|lane| self.lane_of(pool, task.payee, lane));
                let running = self.purse.tills.get(&task.share);
                let counted = running.is_some_and(|one| one.lanes.contains(&task.payee));
                let room = reserved.filter(|_| !counted);
                let room = room.map_or(0, |lane| lane.reserve.saturating_sub(lane.used));
                if room >= task.amount {
                    // An earlier visit set it aside.
                    return self.reserved(&task, reserved);
                }
                let needs = task.amount - room;
                let now_s = self.ledger_now_s();
                if known.value.is_none_or(|pool| pool.free < needs || !pool.is_open(now_s)) {
                    return self.reserved(&task, None);
                }
                let held = open.map_or(0, |lane| lane.reserve);
                task.stage = Reserving::Ready { held, needs };
            }
            Reserving::Ready { .. } if late => return self.reserved(&task, None),
            Reserving::Ready { .. } => {}
            Reserving::Sent { id, target, needs } => match self.progress(id) {
                Progress::Open => {}
                Progress::Lost => return self.reserved_in_vain(&task, needs),
                Progress::InBlock(since) => task.stage = Reserving::Done { since, target, needs },
            },
            Reserving::Done { .. } => {}
        }
        if let Reserving::Done { since, target, needs } = task.stage
            && let Some(known) = self.purse.facts.lane(pool, task.payee, since)
        {
            let lane = known.value.filter(|lane| lane.open && lane.reserve >= target);
            let Some(lane) = lane else { return self.reserved_in_vain(&task, needs) };
            let lane = self.lane_of(pool, task.payee, lane);
            return self.reserved(&task, Some(lane));
        }
        self.purse.reserves.push(task);
    }

    /// Whether another share pays this payee: two tills would promise the same units of its lane.
    fn is_taken(&self, task: &Reserve) -> bool {
        let purse = &self.purse;
        let waits = |one: &Reserve| one.payee == task.payee && one.share != task.share;
        let pays = |share: &String, lanes: &[AccountId]| {
            *share != task.share && lanes.contains(&task.payee)
        };
        let mut tills = purse.tills.iter();
        purse.reserves.iter().any(waits) || tills.any(|(share, one)| pays(share, &one.lanes))
    }

    fn lane_of(&self, pool: u64, payee: AccountId, lane: Lane) -> Reserved {
        let promised = self.purse.kept.promised(pool, payee, lane.epoch);
        let used = lane.redeemed.max(promised);
        Reserved { epoch: lane.epoch, reserve: lane.reserve, used }
    }

    /// The ledger would not, as proved: what was to be set aside is free still.
    fn reserved_in_vain(&mut self, task: &Reserve, needs: u128) {
        if let Some(deal) = self.purse.kept.deal(&task.share) {
            deal.reserved = deal.reserved.saturating_sub(needs);
            self.purse.is_new = true;
        }
        self.reserved(task, None);
    }

    fn reserved(&mut self, task: &Reserve, lane: Option<Reserved>) {
        if let Some(running) = self.purse.tills.get_mut(&task.share)
            && lane.is_some()
            && !running.lanes.contains(&task.payee)
        {
            running.lanes.push(task.payee);
        }
        let answer = TillInput::Reserved { payee: task.payee, lane };
        self.purse.step(&task.share, answer);
    }

    /// Sets units aside for all who wait, in one transaction at a time.
    fn send_reserves(&mut self, out: &mut Vec<Output>) {
        let sent =
            |task: &Reserve| matches!(task.stage, Reserving::Sent { .. } | Reserving::Done { .. });
        let Some(pool) = self.purse.kept.pools.last().copied() else { return };
        if self.purse.reserves.iter().any(sent) {
            return;
        }
        let mut lanes: Vec<(AccountId, u128, u128)> = Vec::new();
        for task in &self.purse.reserves {
            let Reserving::Ready { held, needs } = task.stage else { continue };
            let room = lanes.len() < BATCH_MAX;
            match lanes.iter_mut().find(|(payee, ..)| *payee == task.payee) {
                Some((_, all, _)) => *all = all.saturating_add(needs),
                None if room => lanes.push((task.payee, needs, held)),
                None => {}
            }
        }
        if lanes.is_empty() {
            return;
        }
        lanes.sort();
        let list = lanes.iter().map(|(payee, units, _)| (*payee, *units)).collect();
        let action = paypool::Action::Reserve { pool, lanes: list };
        match self.pool_act(action, PoolAct::Reserve, 0, out) {
            Ok(id) => self.reserves_sent(id, &lanes),
            // The next block may be here before the tills are told.
            Err("not-fresh") => {}
            Err(why) => {
                why.clone_into(&mut self.purse.refused);
                let (failed, rest): (Vec<Reserve>, _) = std::mem::take(&mut self.purse.reserves)
                    .into_iter()
                    .partition(|task| matches!(task.stage, Reserving::Ready { .. }));
                self.purse.reserves = rest;
                failed.iter().for_each(|task| self.reserved(task, None));
            }
        }
    }

    fn reserves_sent(&mut self, id: TransactionId, lanes: &[(AccountId, u128, u128)]) {
        for task in &mut self.purse.reserves {
            let Reserving::Ready { needs, .. } = task.stage else { continue };
            let Some((_, all, held)) = lanes.iter().find(|(payee, ..)| *payee == task.payee) else {
                continue;
            };
            task.stage = Reserving::Sent { id, target: held.saturating_add(*all), needs };
            if let Some(deal) = self.purse.kept.deal(&task.share) {
                deal.reserved = deal.reserved.saturating_add(needs);
            }
        }
        self.purse.is_new = true;
    }

    /// Goes on with a voucher as far as what is proved allows.
    fn on_claim(&mut self, mut task: Claim, out: &mut Vec<Output>) {
        let (pool, me) = (task.voucher.pool, self.account);
        if matches!(task.stage, Claiming::Look(u64::MAX)) {
            task.stage = Claiming::Look(self.account_height());
        }
        match task.stage {
            Claiming::Look(_) if self.is_under_way(PoolAct::Claim) => {
                // It may be of this voucher, from an earlier visit.
                task.stage = Claiming::Look(u64::MAX);
            }
            Claiming::Look(since) | Claiming::Done(since) => {
                // A server that is behind proves that a lane is not there which is not there yet.
                let kept = self.purse.kept.received(pool, task.voucher.epoch);
                let since = since.max(kept.and_then(|kept| kept.seen).unwrap_or_default());
                let Some(known) = self.purse.facts.lane(pool, me, since) else {
                    return self.purse.claims.push(task);
                };
                let was_sent = matches!(task.stage, Claiming::Done(_));
                match self.on_lane_known(&task, known) {
                    Some(0) => task.stage = Claiming::Paid,
                    Some(_) if was_sent => return self.claimed(&task, "refused"),
                    Some(_) => task.stage = Claiming::Ready,
                    None => return self.claimed(&task, ""),
                }
            }
            Claiming::Sent(id) => match self.progress(id) {
                Progress::Open => {}
                Progress::Lost => return self.claimed(&task, "lost"),
                Progress::InBlock(since) => task.stage = Claiming::Done(since),
            },
            Claiming::Releasing(id) => match self.progress(id) {
                Progress::Open => {}
                Progress::Lost => return self.claimed(&task, "lost"),
                Progress::InBlock(since) => task.stage = Claiming::Released(since),
            },
            Claiming::Released(since) => {
                if let Some(known) = self.purse.facts.lane(pool, me, since) {
                    self.on_lane_known(&task, known);
                    return self.claimed(&task, "");
                }
            }
            Claiming::Ready | Claiming::Paid => {}
        }
        if matches!(task.stage, Claiming::Paid) {
            return self.on_paid(task, out);
        }
        self.purse.claims.push(task);
    }

    /// Notes what a lane has paid; how much a voucher of it is still worth. None: the lane is closed.
    fn on_lane_known(&mut self, task: &Claim, known: Known<Option<Lane>>) -> Option<u128> {
        let voucher = &task.voucher;
        let lane = known.value.filter(|lane| lane.open && lane.epoch == voucher.epoch);
        let kept = self.purse.kept.received(voucher.pool, voucher.epoch);
        self.purse.is_new |= kept.is_some_and(|kept| kept.on_lane(lane, known.height));
        lane.map(|lane| voucher.cumulative.min(lane.reserve).saturating_sub(lane.redeemed))
    }

    /// Nothing is left to claim: the lane goes back to the payer where the person wants it and nobody uses it.
    fn on_paid(&mut self, mut task: Claim, out: &mut Vec<Output>) {
        let (pool, epoch) = (task.voucher.pool, task.voucher.epoch);
        if !task.release {
            return self.claimed(&task, "");
        }
        let kept = self.purse.kept.received(pool, epoch).map(|kept| kept.voucher.clone());
        if let Some(newer) = kept.filter(|kept| kept.cumulative > task.voucher.cumulative) {
            // It would die with the lane.
            (task.voucher, task.stage) = (newer, Claiming::Look(self.purse.height));
            return self.purse.claims.push(task);
        }
        if self.purse.is_looked_after(&task.voucher) {
            return self.claimed(&task, "");
        }
        let release = paypool::Action::Release { pool, epoch };
        match self.pool_act(release, PoolAct::Release, 0, out) {
            Ok(id) => {
                task.stage = Claiming::Releasing(id);
                self.purse.claims.push(task);
            }
            Err("not-fresh") => {
                task.stage = Claiming::Look(u64::MAX);
                self.purse.claims.push(task);
            }
            Err(why) => self.claimed(&task, why),
        }
    }

    /// A voucher's task is over; `why` it did not come to what was wanted, if so.
    fn claimed(&mut self, task: &Claim, why: &str) {
        // Who has nothing to pay the fee with would wait for it until it lapses.
        if task.release || why == "too-much" {
            why.clone_into(&mut self.purse.refused);
        }
        self.purse.answers += 1;
        let Some((share, peer)) = &task.who else { return };
        let kept = self.purse.kept.received(task.voucher.pool, task.voucher.epoch);
        let redeemed = kept.filter(|_| why.is_empty()).map(|kept| kept.redeemed);
        self.purse.step(share, TillInput::Claimed { peer: *peer, redeemed });
    }

    /// Hands in all vouchers that wait, in one transaction at a time.
    fn send_claims(&mut self, out: &mut Vec<Output>) {
        let sent = |claim: &Claim| matches!(claim.stage, Claiming::Sent(_));
        if self.purse.claims.iter().any(sent) {
            return;
        }
        let ready = |claim: &&mut Claim| matches!(claim.stage, Claiming::Ready);
        let waiting = self.purse.claims.iter_mut().filter(ready).take(BATCH_MAX);
        let vouchers: Vec<_> = waiting.map(|claim| claim.voucher.clone()).collect();
        if vouchers.is_empty() {
            return;
        }
        let count = vouchers.len();
        match self.pool_act(paypool::Action::Claim { vouchers }, PoolAct::Claim, 0, out) {
            Ok(id) => {
                let waiting = self.purse.claims.iter_mut().filter(ready).take(count);
                waiting.for_each(|claim| claim.stage = Claiming::Sent(id));
            }
            Err("not-fresh") => {}
            Err(why) => {
                let (failed, rest): (Vec<Claim>, _) = std::mem::take(&mut self.purse.claims)
                    .into_iter()
                    .partition(|claim| matches!(claim.stage, Claiming::Ready));
                self.purse.claims = rest;
                failed.iter().for_each(|task| self.claimed(task, why));
            }
        }
    }

    /// Goes on with closing a pool as far as what is proved allows.
    fn on_closing(&mut self, mut task: Close, out: &mut Vec<Output>) {
        match task.stage {
            Closing::Look(since) => {
                let Some(known) = self.purse.facts.pool(task.pool, since) else {
                    return self.purse.closes.push(task);
                };
                let Some(pool) = known.value else {
                    self.purse.kept.drop_pool(task.pool);
                    self.purse.is_new = true;
                    return;
                };
                let Some((action, kind)) = self.closing(task.pool, &pool) else {
                    "early".clone_into(&mut self.purse.refused);
                    return;
                };
                match self.pool_act(action, kind, 0, out) {
                    Ok(id) => task.stage = Closing::Sent(id),
                    Err("not-fresh") => task.stage = Closing::Look(self.purse.height),
                    Err(why) => return why.clone_into(&mut self.purse.refused),
                }
            }
            Closing::Sent(id) => match self.progress(id) {
                Progress::Open => {}
                Progress::Lost => return "lost".clone_into(&mut self.purse.refused),
                Progress::InBlock(since) => task.stage = Closing::Done(since),
            },
            Closing::Done(since) => {
                if let Some(known) = self.purse.facts.pool(task.pool, since) {
                    if known.value.is_none() {
                        self.purse.kept.drop_pool(task.pool);
                        self.purse.is_new = true;
                    }
                    return;
                }
            }
        }
        self.purse.closes.push(task);
    }

    /// What brings a pool's rest back now, or begins to. None: it has begun, and payees have time still.
    fn closing(&self, number: u64, pool: &Pool) -> Option<(paypool::Action, PoolAct)> {
        if pool.open_lanes == 0 || self.ledger_now_s() >= pool.ends_s() {
            let finish = paypool::Action::CloseFinish { pool: number };
            return Some((finish, PoolAct::CloseFinish));
        }
        let start = paypool::Action::CloseStart { pool: number };
        pool.closing_s.is_none().then_some((start, PoolAct::CloseStart))
    }
}

/// What a payee counts on, if the lane is there.
fn lane_proof(
    lane: wire::pay::Lane,
    pool: &Known<Option<Pool>>,
    found: &Known<Option<Lane>>,
) -> Option<LaneProof> {
    let known = pool.value.as_ref()?;
    let found = found.value.filter(|found| found.open && found.epoch == lane.epoch)?;
    Some(LaneProof {
        signer: known.signer,
        asset: known.asset,
        reserve: found.reserve,
        redeemed: found.redeemed,
        epoch: found.epoch,
        left_s: match known.closing_s {
            Some(_) => 0,
            None => known.expiry_s.saturating_sub(pool.time_ms / 1_000),
        },
    })
}
