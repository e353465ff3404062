//! Pools of two clients, filled, promised, claimed by anybody, given back and closed while everything else goes wrong.

use std::collections::BTreeMap;

use ledger::{
    AccountId, Action, AssetId, ChainId, Event, Prefix, Store,
    domains::{
        accounts,
        paypool::{self as rules, Lane, Pool, Voucher},
    },
};
use primitives::{KeyPair, Rng, Seed};

/// What pools are of: the first clients have one each, the second of tokens as soon as it holds some.
const ASSETS: [AssetId; 2] = [AssetId::NATIVE, AssetId(1)];
/// Bound of a deposit, and of what is added to one, in units.
const UNITS_MAX: u128 = 1_000_000;
/// Bound of what a voucher promises beyond what was paid: now and then more than is set aside.
const PROMISE_MAX: u128 = UNITS_MAX / 4;
/// Shortest life of a pool, in hours, and bound of the longest.
const HOURS: std::ops::Range<u64> = 1..48;
/// Pools among which a payer's own is looked for: the newest.
const LOOK_BACK: u64 = 8;
/// Kinds of the domain's events.
const CLAIMED: u16 = event(4);
const RELEASED: u16 = event(5);
const CLOSED: u16 = event(7);

const fn event(local: u8) -> u16 {
    u16::from_be_bytes([Prefix::Paypool.byte(), local])
}

/// What a payer's vouchers are signed with.
fn signer(payer: usize) -> KeyPair {
    let number = u64::try_from(payer).unwrap();
    KeyPair::from_seed(Seed::from_number(number).derive("voucher"))
}

/// What clients ask next, by the state of a validator: at most two things about each payer's pool.
pub(super) fn next(
    clients: &[AccountId],
    chain: ChainId,
    state: &dyn Store,
    rng: &mut Rng,
) -> Vec<(usize, Action)> {
    let payers = 0..ASSETS.len();
    let asks = payers.flat_map(|payer| match own(clients[payer], state) {
        None => vec![(payer, open(clients, payer, state, rng))],
        Some(found) => {
            let table = Table { clients, payer, chain, pool: found.0, state };
            table.next(&found.1, rng)
        }
    });
    asks.map(|(who, action)| (who, Action::Paypool(action))).collect()
}

/// A payer's newest pool that is not closed.
fn own(payer: AccountId, state: &dyn Store) -> Option<(u64, Pool)> {
    let count = state.get(&rules::count_key());
    let newest: u64 = count.map_or(0, |record| minicbor::decode(&record).unwrap());
    let ids = (newest.saturating_sub(LOOK_BACK) + 1..=newest).rev();
    let mut pools = ids.filter_map(|id| Some((id, rules::pool(state, id)?)));
    pools.find(|(_, pool)| pool.payer == payer)
}

fn open(clients: &[AccountId], payer: usize, state: &dyn Store, rng: &mut Rng) -> rules::Action {
    let wanted = ASSETS[payer];
    let has = accounts::balance(state, clients[payer], wanted) >= UNITS_MAX;
    let asset = if has { wanted } else { AssetId::NATIVE };
    let (deposit, ttl_s) = (rng.u128(1..UNITS_MAX), rng.u64(HOURS) * 3_600);
    rules::Action::Open { asset, deposit, ttl_s, signer: signer(payer).id() }
}

/// A payer's pool, and everybody around it.
struct Table<'a> {
    clients: &'a [AccountId],
    payer: usize,
    chain: ChainId,
    pool: u64,
    state: &'a dyn Store,
}

impl Table<'_> {
    /// Until the payer asks for the rest, lanes are filled; from then on they are emptied, and then it is closed.
    fn next(&self, found: &Pool, rng: &mut Rng) -> Vec<(usize, rules::Action)> {
        use rules::Action as Act;
        let (pool, payer, lanes) = (self.pool, self.payer, self.open_lanes());
        let is_closing = found.closing_s.is_some();
        if lanes.is_empty() && is_closing {
            return vec![(payer, Act::CloseFinish { pool })];
        }
        match rng.u8(if is_closing { 6..10 } else { 0..12 }) {
            0 => vec![(payer, Act::TopUp { pool, amount: rng.u128(1..UNITS_MAX) })],
            1 => vec![(payer, Act::Extend { pool, ttl_s: rng.u64(HOURS) * 3_600 })],
            6 | 7 if !lanes.is_empty() => self.claim(&lanes, rng),
            8 | 9 if !lanes.is_empty() => {
                let (payee, lane) = lanes[rng.usize(..lanes.len())];
                vec![(payee, Act::Release { pool, epoch: lane.epoch })]
            }
            10 | 11 => vec![(payer, Act::CloseStart { pool })],
            _ => vec![(payer, self.reserve(found, rng))],
        }
    }

    /// Clients with a lane that may pay.
    fn open_lanes(&self) -> Vec<(usize, Lane)> {
        let lane = |(who, account): (usize, &AccountId)| {
            let lane = rules::lane(self.state, self.pool, *account)?;
            lane.open.then_some((who, lane))
        };
        self.clients.iter().enumerate().filter_map(lane).collect()
    }

    /// Parts of what is free for one or two.
    fn reserve(&self, found: &Pool, rng: &mut Rng) -> rules::Action {
        let most = (found.free / 4).max(1);
        let mut lanes = BTreeMap::new();
        for _ in 0..2 {
            let payee = self.clients[rng.usize(..self.clients.len())];
            lanes.insert(payee, rng.u128(1..=most));
        }
        rules::Action::Reserve { pool: self.pool, lanes: lanes.into_iter().collect() }
    }

    /// A voucher and an older one in any order, by anybody; now and then by somebody else, too.
    fn claim(&self, lanes: &[(usize, Lane)], rng: &mut Rng) -> Vec<(usize, rules::Action)> {
        let (payee, lane) = lanes[rng.usize(..lanes.len())];
        let newest = lane.redeemed + rng.u128(1..PROMISE_MAX);
        let (key, account) = (signer(self.payer), self.clients[payee]);
        let sign = |sum| Voucher::sign(&key, self.chain, self.pool, account, lane.epoch, sum);
        let mut vouchers = vec![sign(newest), sign(rng.u128(..newest))];
        if rng.bool() {
            vouchers.reverse();
        }
        let claim = rules::Action::Claim { vouchers };
        let first = rng.usize(..self.clients.len());
        let mut asks = vec![(first, claim.clone())];
        if rng.u8(..3) == 0 {
            asks.push(((first + 1) % self.clients.len(), claim));
        }
        asks
    }
}

/// Checks that nothing was paid twice: what lanes paid is at most what the last one to pay told.
pub(super) fn check<'a>(events: impl Iterator<Item = &'a Event>) {
    let mut lanes: BTreeMap<(u128, AccountId, u128), (u128, u128)> = BTreeMap::new();
    for event in events.filter(|event| event.kind == CLAIMED) {
        let [pool, paid, redeemed, epoch] = event.numbers[..] else {
            panic!("a claim tells four numbers: {event:?}");
        };
        let (sum, most) = lanes.entry((pool, event.accounts[1], epoch)).or_default();
        (*sum, *most) = (*sum + paid, redeemed.max(*most));
    }
    for (lane, (sum, most)) in lanes {
        assert!(sum <= most, "{lane:?} paid {sum}, of {most}");
    }
}

/// Checks that payees were paid and gave lanes back, and that a pool was closed.
pub(super) fn check_used<'a>(events: impl Iterator<Item = &'a Event> + Clone) {
    for (kind, what) in [(CLAIMED, "paid"), (RELEASED, "given back"), (CLOSED, "closed")] {
        assert!(events.clone().any(|event| event.kind == kind), "nothing of a pool was {what}");
    }
}
