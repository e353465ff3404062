//! Vouchers that neighbours left here in case they don't come back: which are kept, and when they are handed in.
//!
//! Whoever hands a voucher in pays the fee, and nothing of it is theirs: a courtesy, so its costs are bounded, by the day.
//! It is done only when the payee should have done it: when its pool ends soon, and it is not here.
//! Why: `docs/adr/0083-vouchers-left-with-neighbours.md`.

use ledger::{
    AccountId, AssetId, ChainId,
    domains::paypool::{BATCH_MAX, CHALLENGE_S, Lane, Pool, Voucher},
};
use minicbor::{Decode, Encode};
use primitives::PeerId;
use wire::pay::{Keep, Promise};

use crate::config::CLAIM_BEFORE_S;

/// Most vouchers kept. In a full book the one that is worth least gives way.
pub const KEPT_MAX: usize = 64;
/// Most vouchers of one neighbour; as many a payee leaves with each, those worth most.
pub const OF_ONE_MAX: usize = 4;
/// Most units of fees in a day.
pub const FEES_A_DAY: u128 = 50_000;
/// How long a payee that is at home elsewhere has for handing in its own, in seconds: it looks once a minute.
const GRACE_S: u64 = 90;
/// How much longer the second keeper waits than the first, in seconds.
const TURN_S: u64 = 600;
/// How long a neighbour that left a voucher is waited for in vain, in seconds: its wallet may be asleep, and who left
/// it may be its payer, who has the rest when the pool is over.
const HERE_S: u64 = 3_600;
/// Transactions that may hand a voucher in in vain before it is let go.
const TRIES_MAX: u8 = 3;
/// Hours that any day touches: one more than it has. No more are remembered.
const HOURS: u64 = 25;
const HOUR_MS: u64 = 3_600_000;

/// Where a lane is: which pool, and whose.
pub type Place = (u64, AccountId);

/// The voucher in a frame.
pub fn voucher_of(keep: &Keep) -> Voucher {
    let Promise { lane, cumulative, signature } = keep.promise;
    Voucher {
        pool: lane.pool,
        payee: AccountId::new(*keep.payee),
        epoch: lane.epoch,
        cumulative,
        signature: *signature,
    }
}

/// The frame for a voucher, for the keeper whose turn that is.
pub fn keep_of(chain: ChainId, voucher: &Voucher, turn: u8) -> Keep {
    let lane = wire::pay::Lane { pool: voucher.pool, epoch: voucher.epoch };
    let (cumulative, signature) = (voucher.cumulative, voucher.signature.into());
    Keep {
        chain: (*chain.as_bytes()).into(),
        payee: (*voucher.payee.as_bytes()).into(),
        promise: Promise { lane, cumulative, signature },
        turn,
    }
}

/// A voucher that a neighbour left here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Entrusted {
    /// It.
    #[n(0)]
    pub voucher: Voucher,
    /// Who left it.
    #[n(1)]
    pub from: PeerId,
    /// The first keeper's turn is 0.
    #[n(2)]
    pub turn: u8,
    /// Units that it would bring, as proved last.
    #[n(3)]
    pub worth: u128,
    /// From when on it may be handed in, in seconds since 1970 of the ledger's clock.
    #[n(4)]
    pub due_s: u64,
    /// As of which block that is so.
    #[n(5)]
    pub height: u64,
    /// Transactions that handed it in in vain.
    #[n(6)]
    tries: u8,
}

impl Entrusted {
    /// One whose lane nobody looked up yet.
    pub const fn new(from: PeerId, voucher: Voucher, turn: u8) -> Self {
        Self { voucher, from, turn, worth: 0, due_s: u64::MAX, height: 0, tries: 0 }
    }

    /// Where its lane is.
    pub const fn place(&self) -> Place {
        (self.voucher.pool, self.voucher.payee)
    }

    /// Takes what was proved. Whether it brings more than `cost` units.
    fn prove(&mut self, seen: &Seen<'_>, cost: u128) -> bool {
        let (Some(pool), Some(lane)) = (seen.pool, seen.lane) else { return false };
        let is_open = lane.open && lane.epoch == self.voucher.epoch;
        self.worth = self.voucher.cumulative.min(lane.reserve).saturating_sub(lane.redeemed);
        self.due_s = due_s(pool, self.turn);
        self.height = seen.height;
        is_open && pool.asset == AssetId::NATIVE && self.worth > cost
    }
}

/// A lane and its pool, as proved; none: not there.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The pool.
    pub pool: Option<&'a Pool>,
    /// The lane.
    pub lane: Option<Lane>,
    /// As of which block, both or a later one.
    pub height: u64,
}

/// When a keeper hands in what is in a lane of this pool: a while after its payee does, who is at home.
fn due_s(pool: &Pool, turn: u8) -> u64 {
    let soon_s = pool.expiry_s.saturating_sub(CLAIM_BEFORE_S);
    // It closes a day after its payer asked for the rest.
    let asked_s =
        pool.closing_s.map_or(u64::MAX, |closing_s| closing_s.saturating_sub(CHALLENGE_S));
    let wait_s = GRACE_S.saturating_add(TURN_S.saturating_mul(turn.into()));
    soon_s.min(asked_s).saturating_add(wait_s)
}

/// All that is kept, and what was spent on it lately.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct Book {
    /// One for each lane.
    #[n(0)]
    list: Vec<Entrusted>,
    /// Hours since 1970 and units of fees spent in them; at most [`HOURS`].
    #[n(1)]
    spent: Vec<(u64, u128)>,
}

impl Book {
    /// What is kept.
    pub fn list(&self) -> &[Entrusted] {
        &self.list
    }

    /// Units that all of it would bring.
    pub fn worth(&self) -> u128 {
        self.list.iter().map(|one| one.worth).fold(0, u128::saturating_add)
    }

    /// Whether a voucher is worth a look at its lane: it says at least `cost` units more than what is kept of that.
    /// `waiting`: how many of this neighbour are being looked at.
    pub fn wants(&self, from: PeerId, voucher: &Voucher, waiting: usize, cost: u128) -> bool {
        let place = (voucher.pool, voucher.payee);
        let others = self.list.iter().filter(|one| one.from == from && one.place() != place);
        let known = self.find(place).filter(|one| one.voucher.epoch == voucher.epoch);
        others.count().saturating_add(waiting) < OF_ONE_MAX
            && known.is_none_or(|one| is_more(one.voucher.cumulative, voucher.cumulative, cost))
    }

    fn find(&self, place: Place) -> Option<&Entrusted> {
        self.list.iter().find(|one| one.place() == place)
    }

    /// The block as of which a lane was proved last.
    pub fn height(&self, place: Place) -> u64 {
        self.find(place).map_or(0, |one| one.height)
    }

    /// Keeps a voucher in place of what was kept of its lane, if it was signed by the pool's key and brings more than
    /// `cost` units, and says as much more than what was kept. Whether it does.
    pub fn keep(
        &mut self,
        chain: ChainId,
        mut offer: Entrusted,
        seen: &Seen<'_>,
        cost: u128,
    ) -> bool {
        let signed = |pool: &Pool| offer.voucher.verify(chain, pool.signer).is_ok();
        if !seen.pool.is_some_and(signed) || !offer.prove(seen, cost) {
            return false;
        }
        let place = offer.place();
        let (epoch, units) = (offer.voucher.epoch, offer.voucher.cumulative);
        if seen.height < self.height(place) {
            // Of a server that is behind: its lane may be another one by now.
            return false;
        }
        let known = self.find(place).map(|known| (known.voucher.epoch, known.voucher.cumulative));
        if known.is_some_and(|(of, known)| of == epoch && !is_more(known, units, cost)) {
            return false;
        }
        self.list.retain(|one| one.place() != place);
        if self.list.len() >= KEPT_MAX {
            let least = self.list.iter().enumerate().min_by_key(|(_, one)| one.worth);
            let Some((at, _)) = least.filter(|(_, one)| one.worth < offer.worth) else {
                return false;
            };
            self.list.remove(at);
        }
        self.list.push(offer);
        true
    }

    /// Takes what was proved of a lane: what brings no more than `cost` units is let go. Of an older block than is known
    /// it says nothing: the lane may not have been there. Whether anything is new.
    pub fn see(&mut self, place: Place, seen: &Seen<'_>, cost: u128) -> bool {
        let Some(at) = self.list.iter().position(|one| one.place() == place) else { return false };
        let Some(known) = self.list.get_mut(at).filter(|known| known.height <= seen.height) else {
            return false;
        };
        let before = (known.worth, known.due_s);
        if known.prove(seen, cost) {
            return before != (known.worth, known.due_s);
        }
        self.list.remove(at);
        true
    }

    /// A transaction handed these in in vain.
    pub fn failed(&mut self, places: &[Place]) {
        for one in self.list.iter_mut().filter(|one| places.contains(&one.place())) {
            one.tries = one.tries.saturating_add(1);
        }
        self.list.retain(|one| one.tries < TRIES_MAX);
    }

    /// The lane that was looked at longest ago.
    pub fn oldest(&self) -> Option<Place> {
        self.list.iter().min_by_key(|one| one.height).map(Entrusted::place)
    }

    /// Lanes whose vouchers are to be handed in, by what was proved last; for a while not of who is here.
    pub fn due(&self, now_s: u64, is_here: impl Fn(PeerId) -> bool) -> Vec<Place> {
        let waits = |one: &Entrusted| is_here(one.from) && now_s < one.due_s.saturating_add(HERE_S);
        let due = self.list.iter().filter(|one| one.due_s <= now_s && !waits(one));
        due.take(BATCH_MAX).map(Entrusted::place).collect()
    }

    /// Those of these lanes that are due, the ones worth most first, as far as `units` go for fees of `cost` each.
    pub fn hand_in(&self, places: &[Place], now_s: u64, cost: u128, units: u128) -> Vec<Voucher> {
        let due = |one: &&Entrusted| places.contains(&one.place()) && one.due_s <= now_s;
        let mut due: Vec<&Entrusted> = self.list.iter().filter(due).collect();
        due.sort_by_key(|one| core::cmp::Reverse(one.worth));
        let most = usize::try_from(units / cost.max(1)).unwrap_or(BATCH_MAX).min(BATCH_MAX);
        due.into_iter().take(most).map(|one| one.voucher.clone()).collect()
    }

    /// Units of fees that may be spent now.
    pub fn left(&self, now_ms: u64) -> u128 {
        FEES_A_DAY.saturating_sub(self.spent(now_ms))
    }

    /// Units of fees spent within the last day, or an hour longer.
    pub fn spent(&self, now_ms: u64) -> u128 {
        let now = now_ms / HOUR_MS;
        let counted = self.spent.iter().filter(|(hour, _)| counts(*hour, now));
        counted.map(|(_, units)| *units).fold(0, u128::saturating_add)
    }

    /// What was spent while the clock was ahead counts from now on. Whether anything changed.
    pub fn forget(&mut self, now_ms: u64) -> bool {
        let is_ahead = self.spent.iter().any(|(hour, _)| *hour > now_ms / HOUR_MS);
        if is_ahead {
            self.spend(now_ms, 0);
        }
        is_ahead
    }

    /// So much more was spent.
    pub fn spend(&mut self, now_ms: u64, units: u128) {
        let now = now_ms / HOUR_MS;
        // What is of an hour to come was written while the clock was ahead: it counts from now on.
        for (hour, _) in &mut self.spent {
            *hour = (*hour).min(now);
        }
        self.spent.retain(|(hour, _)| counts(*hour, now));
        let all = self.spent.iter().filter(|(hour, _)| *hour == now).map(|(_, units)| *units);
        let all = all.fold(units, u128::saturating_add);
        self.spent.retain(|(hour, _)| *hour != now);
        self.spent.push((now, all));
    }
}

/// Whether a voucher says enough more than another of its lane to be kept instead: what is kept is written down.
fn is_more(before: u128, units: u128, cost: u128) -> bool {
    units >= before.saturating_add(cost.max(1))
}

/// Whether what was spent in an hour counts in this one.
const fn counts(hour: u64, now: u64) -> bool {
    hour.saturating_add(HOURS) > now
}

#[cfg(test)]
mod tests;
