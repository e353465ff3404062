//! Vouchers are left with neighbours in case this page does not come back, and those of neighbours are handed in for them.
//!
//! Which are kept, and when they are due, is `payments::keeping`; this proves their lanes, signs and sends. Why:
//! `docs/adr/0083-vouchers-left-with-neighbours.md`.

use core::cmp::Reverse;

use ledger::domains::paypool;
use light_client::Status;
use payments::keeping::{Entrusted, OF_ONE_MAX, Place, Seen, keep_of, voucher_of};
use primitives::PeerId;
use wire::pay::{KEEPERS, Keep, PayMessage};

use super::{Output, Wallet, paying::Progress};
use crate::{
    near::KEEP_COST,
    purse::{Offer, Received, Round, Why},
    view::{Carry, Parting, PoolAct},
};

/// How often a lane of which something is kept is proved anew, one at a time, in milliseconds.
const LOOK_EVERY_MS: u64 = 20_000;
/// How long a proof is waited for, in milliseconds.
const PROVE_MS: u64 = 15_000;
/// How often neighbours are told at most what is new, while the page is there, in milliseconds.
const SAY_EVERY_MS: u64 = 60_000;

impl Wallet {
    /// A neighbour leaves a voucher here.
    pub(super) fn on_keep(&mut self, from: PeerId, keep: &Keep) {
        let voucher = voucher_of(keep);
        let is_foreign = *keep.chain != *self.chain.as_bytes();
        if !self.purse.left.on || is_foreign || voucher.payee == self.account {
            return;
        }
        if self.client.status() != Status::Fresh {
            // Nobody proves anything now, and questions would pile up.
            return;
        }
        let Some(cost) = self.claim_cost() else { return };
        let now_ms = self.now_ms;
        let waiting = self.purse.left.waiting(from, (voucher.pool, voucher.payee));
        if self.purse.kept.book.wants(from, &voucher, waiting, cost)
            && self.near.heard(from).is_some_and(|one| one.spend(now_ms, KEEP_COST))
        {
            let (since, until_ms) = (self.purse.height, now_ms.saturating_add(PROVE_MS));
            let voucher = Entrusted::new(from, voucher, keep.turn);
            self.purse.left.offer(Offer { voucher, since, until_ms });
        }
    }

    /// Goes on with all of it as far as what is proved allows.
    pub(super) fn keep_for_others(&mut self, out: &mut Vec<Output>) {
        let Some(cost) = self.claim_cost().filter(|_| self.purse.height > 0) else { return };
        self.judge_offers(cost);
        self.follow_handed_in();
        self.begin_look();
        self.go_round(cost, out);
        self.leave_with_neighbours(cost);
    }

    fn judge_offers(&mut self, cost: u128) {
        let chain = self.chain;
        for offer in std::mem::take(&mut self.purse.left.offers) {
            let (pool, payee) = offer.voucher.place();
            let facts = &mut self.purse.facts;
            // Both are asked for at once.
            let known = (facts.pool(pool, offer.since), facts.lane(pool, payee, offer.since));
            if let (Some(pool), Some(lane)) = known {
                let height = pool.height.min(lane.height);
                let seen = Seen { pool: pool.value.as_ref(), lane: lane.value, height };
                self.purse.is_new |= self.purse.kept.book.keep(chain, offer.voucher, &seen, cost);
            } else if self.now_ms < offer.until_ms {
                self.purse.left.offers.push(offer);
            }
        }
    }

    /// What was handed in is proved once its transaction is in a block.
    fn follow_handed_in(&mut self) {
        let Some((id, places)) = self.purse.left.sent.take() else { return };
        match self.progress(id) {
            Progress::Open => self.purse.left.sent = Some((id, places)),
            Progress::Lost => {
                self.purse.kept.book.failed(&places);
                self.purse.is_new = true;
            }
            Progress::InBlock(since) => self.begin_round(places, since, Why::After),
        }
    }

    fn begin_round(&mut self, places: Vec<Place>, since: u64, why: Why) {
        let until_ms = self.now_ms.saturating_add(PROVE_MS);
        self.purse.left.round = Some(Round { places, since, until_ms, why });
    }

    fn begin_look(&mut self) {
        let left = &self.purse.left;
        let is_time = self.now_ms.saturating_sub(left.looked_ms) >= LOOK_EVERY_MS;
        // Turned off or not: what is gone from the ledger is kept no longer.
        let may = is_time && left.round.is_none() && left.sent.is_none();
        let Some(place) = self.purse.kept.book.oldest().filter(|_| may) else { return };
        self.purse.left.looked_ms = self.now_ms;
        self.begin_round(vec![place], self.purse.height, Why::Look);
    }

    /// Goes on with the lanes that are being proved.
    fn go_round(&mut self, cost: u128, out: &mut Vec<Output>) {
        let Some(round) = self.purse.left.round.take() else { return };
        let mut proved = Vec::new();
        for place in &round.places {
            // That it was not there before says nothing.
            let since = round.since.max(self.purse.kept.book.height(*place));
            let facts = &mut self.purse.facts;
            let known = (facts.pool(place.0, since), facts.lane(place.0, place.1, since));
            if let (Some(pool), Some(lane)) = known {
                proved.push((*place, pool, lane));
            }
        }
        if proved.len() < round.places.len() {
            if self.now_ms < round.until_ms || round.why == Why::After {
                self.purse.left.round = Some(round);
            }
            return;
        }
        for (place, pool, lane) in &proved {
            let height = pool.height.min(lane.height);
            let seen = Seen { pool: pool.value.as_ref(), lane: lane.value, height };
            self.purse.is_new |= self.purse.kept.book.see(*place, &seen, cost);
        }
        match round.why {
            Why::Look => self.prove_due(cost),
            Why::HandIn => self.hand_in(&round.places, cost, out),
            Why::After => {
                // What is there still was refused.
                self.purse.kept.book.failed(&round.places);
                self.purse.is_new = true;
            }
        }
    }

    /// Units of fees that may be spent on it now.
    fn fees_left(&self) -> u128 {
        let (book, hour) = (&self.purse.kept.book, &self.purse.kept.hour);
        let free = self.balance().unwrap_or_default().saturating_sub(self.transfers.outgoing());
        book.left(self.now_ms).min(hour.left(self.now_ms)).min(free)
    }

    /// All that is due is proved right before it is handed in: whoever comes second pays a fee for nothing. Not while
    /// nothing may be handed in.
    fn prove_due(&mut self, cost: u128) {
        let now_ms = self.now_ms;
        self.purse.is_new |= self.purse.kept.book.forget(now_ms);
        self.purse.is_new |= self.purse.kept.hour.forget(now_ms);
        if !self.purse.left.on || self.fees_left() < cost {
            return;
        }
        let near = &self.near;
        let due = self.purse.kept.book.due(self.ledger_now_s(), |from| near.is_here(from));
        if !due.is_empty() {
            self.begin_round(due, self.purse.height, Why::HandIn);
            self.purse.answers += 1;
        }
    }

    fn hand_in(&mut self, places: &[Place], cost: u128, out: &mut Vec<Output>) {
        let (units, now_s) = (self.fees_left(), self.ledger_now_s());
        let vouchers = self.purse.kept.book.hand_in(places, now_s, cost, units);
        if vouchers.is_empty() || !self.purse.left.on {
            return;
        }
        let places = vouchers.iter().map(|one| (one.pool, one.payee)).collect();
        let claim = paypool::Action::Claim { vouchers };
        // What can't be done now is looked at again.
        let Ok(id) = self.pool_act(claim, PoolAct::HandIn, 0, out) else { return };
        let fee = self.transfers.list.last().map_or(0, |sent| sent.fee);
        self.purse.kept.book.spend(self.now_ms, fee);
        self.purse.kept.hour.spend(self.now_ms, fee);
        self.purse.left.sent = Some((id, places));
        self.purse.is_new = true;
    }

    /// The page learns what to say when it goes; neighbours are told meanwhile, now and then: not every page goes by
    /// being closed.
    fn leave_with_neighbours(&mut self, cost: u128) {
        let parting = self.parting(cost);
        let (now_ms, left) = (self.now_ms, &mut self.purse.left);
        if parting != left.parting {
            let said = parting.iter().map(|(to, keep)| {
                let frame = PayMessage::Keep(*keep).encode_to_vec().into();
                Parting { to: (*to.as_bytes()).into(), frame }
            });
            self.purse.carries.push(Carry::Parting(said.collect()));
            left.parting.clone_from(&parting);
        }
        let is_time = left.said_ms == 0 || now_ms.saturating_sub(left.said_ms) >= SAY_EVERY_MS;
        if !is_time || parting == left.said {
            return;
        }
        for (to, keep) in parting.iter().filter(|one| !left.said.contains(one)) {
            let frame = PayMessage::Keep(*keep).encode_to_vec().into();
            self.purse.carries.push(Carry::Tell { to: (*to.as_bytes()).into(), frame });
        }
        (left.said, left.said_ms) = (parting, now_ms);
    }

    /// What is left with whom: of each lane with the two neighbours longest here that do not pay from it.
    fn parting(&self, cost: u128) -> Vec<(PeerId, Keep)> {
        let purse = &self.purse;
        let mut keepers: Vec<PeerId> = self.near.following().collect();
        let earners = purse.left.earners.iter().filter(|one| !keepers.contains(one));
        let earners: Vec<PeerId> = earners.copied().collect();
        keepers.extend(earners);
        let worth = |one: &&Received| one.unclaimed() > cost;
        let mut list: Vec<&Received> = purse.kept.vouchers.iter().filter(worth).collect();
        list.sort_by_key(|one| Reverse(one.unclaimed()));
        let mut parting = Vec::new();
        for Received { voucher, .. } in list.into_iter().take(OF_ONE_MAX) {
            let lane = (voucher.pool, voucher.epoch);
            let others = keepers.iter().filter(|peer| purse.left.payers.get(&lane) != Some(*peer));
            for (turn, to) in (0..KEEPERS).zip(others) {
                parting.push((*to, keep_of(self.chain, voucher, turn)));
            }
        }
        parting
    }
}
