//! What waits, in which order, and what does not.

use ledger::{
    Action, AssetId, Body, ChainId, Genesis, MemoryStore, Params, apply,
    domains::accounts::Action as Accounts,
};
use primitives::{KeyPair, Seed};

use super::*;
use crate::transactions::parts;

struct Lab {
    chain: ChainId,
    store: MemoryStore,
}

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn account(number: u64) -> AccountId {
    AccountId::of_key(key(number).id())
}

impl Lab {
    fn new() -> Self {
        Self::with(Params::default())
    }

    /// Accounts 1 to 6 have plenty, 7 a little, the others nothing.
    fn with(params: Params) -> Self {
        let rich = (1..=6).map(|number| (account(number), 1_000_000_000));
        let genesis = Genesis {
            name: "test".to_owned(),
            time_ms: 0,
            params,
            symbol: "STAR".to_owned(),
            decimals: 6,
            allocations: rich.chain([(account(7), 250_000)]).collect(),
        };
        let mut store = MemoryStore::new();
        store.commit(genesis.changes().unwrap());
        Self { chain: genesis.chain(), store }
    }

    fn body(&self, signer: u64, nonce: u64, fee: u128) -> Body {
        let transfer = Accounts::Transfer { asset: AssetId::NATIVE, to: account(9), amount: 1 };
        let mut body = Body::new(self.chain, account(signer), nonce, Action::Accounts(transfer));
        body.fee = fee;
        body
    }

    fn checked(&self, body: Body, signer: u64) -> Checked {
        Checked::open(&body.sign(&key(signer)).to_bytes(), self.chain).unwrap()
    }

    fn insert(&self, pool: &mut Mempool, from: u64, nonce: u64, fee: u128) -> Result<(), Unwanted> {
        pool.insert(&self.store, self.checked(self.body(from, nonce, fee), from)).map(drop)
    }

    /// The same with a note, which makes it longer.
    fn longer(&self, from: u64, nonce: u64, fee: u128) -> Checked {
        let mut body = self.body(from, nonce, fee);
        body.memo = Some(Body::memo_of("a note"));
        self.checked(body, from)
    }

    /// Bytes of a transfer whose number is small.
    fn size(&self) -> u64 {
        self.checked(self.body(1, 0, 100_000), 1).size_bytes()
    }

    /// A block without transactions from which on the ledger has chosen otherwise.
    fn choose(&mut self, params: Params) {
        let height = ledger::tip(&self.store).unwrap().height + 1;
        let mut run = BlockRun::begin(&self.store, height, 1).unwrap();
        run.choose(params).unwrap();
        let changes = run.finish().changes;
        self.store.commit(changes);
    }

    fn built(&self, pool: &Mempool) -> Vec<(AccountId, u64)> {
        self.built_at(pool, 1)
    }

    fn built_at(&self, pool: &Mempool, height: u64) -> Vec<(AccountId, u64)> {
        let mut run = BlockRun::begin(&self.store, height, 1).unwrap();
        let bytes = pool.fill(&mut run).transactions;
        let open = |bytes: &[u8]| Checked::open(bytes, self.chain).unwrap();
        let name = |one: Checked| (one.transaction().body.signer, one.transaction().body.nonce);
        bytes.iter().map(open).map(name).collect()
    }
}

#[test]
fn dearest_accounts_first_and_each_in_order() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    let all = [(1, 1, 900_000), (1, 0, 100_000), (2, 0, 200_000), (3, 1, 999_999)];
    for (signer, nonce, fee) in all {
        lab.insert(&mut pool, signer, nonce, fee).unwrap();
    }
    // 3 waits for its number 0.
    assert_eq!(lab.built(&pool), [(account(2), 0), (account(1), 0), (account(1), 1)]);
}

#[test]
fn a_block_is_made_for_what_fits_into_it_and_for_nothing_else() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    let fits = |pool: &Mempool| pool.fits(&mut BlockRun::begin(&lab.store, 1, 1).unwrap());
    assert!(!fits(&pool));
    lab.insert(&mut pool, 1, 1, 100_000).unwrap();
    assert!(!fits(&pool), "it waits for number 0");
    lab.insert(&mut pool, 1, 0, 100_000).unwrap();
    assert!(fits(&pool));
    assert_eq!(lab.built(&pool).len(), 2, "looking takes nothing out");
}

#[test]
fn each_refusal_has_its_reason_and_leaves_nothing() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    let refused = |refusal| Err(Unwanted::Refused(refusal));
    assert_eq!(lab.insert(&mut pool, 1, 0, 1), refused(Refusal::FeeTooLow));
    assert_eq!(lab.insert(&mut pool, 8, 0, 100_000), refused(Refusal::CannotPayFee));
    assert_eq!(lab.insert(&mut pool, 1, PER_ACCOUNT_MAX, 100_000), Err(Unwanted::NonceGap));
    let mut body = lab.body(1, 0, 100_000);
    body.expiry_height = 0;
    assert_eq!(pool.insert(&lab.store, lab.checked(body, 1)).map(drop), refused(Refusal::Expired));
    let stranger = lab.checked(lab.body(1, 0, 100_000), 2);
    assert_eq!(pool.insert(&lab.store, stranger).map(drop), refused(Refusal::OtherKeys));
    assert_eq!(pool.size(), (0, 0));
    lab.insert(&mut pool, 1, 0, 100_000).unwrap();
    assert_eq!(lab.insert(&mut pool, 1, 0, 100_000), Err(Unwanted::Duplicate));
    assert_eq!(lab.insert(&mut pool, 1, 0, 99_999), Err(Unwanted::Underpriced));
    lab.insert(&mut pool, 1, 0, 100_001).unwrap();
    assert_eq!(pool.size().0, 1, "a dearer one takes its place");
}

#[test]
fn what_a_block_held_or_time_passed_waits_no_more() {
    let (mut lab, mut pool) = (Lab::new(), Mempool::default());
    lab.insert(&mut pool, 1, 0, 100_000).unwrap();
    lab.insert(&mut pool, 1, 1, 100_000).unwrap();
    let mut short = lab.body(2, 0, 100_000);
    short.expiry_height = 1;
    pool.insert(&lab.store, lab.checked(short, 2)).unwrap();
    let held = [lab.checked(lab.body(1, 0, 100_000), 1)];
    let block = ledger::Block { height: 1, time_ms: 1, transactions: &held };
    let changes = apply(&lab.store, &block).unwrap().changes;
    lab.store.commit(changes);
    pool.settle(&lab.store, &BTreeSet::from([account(1)]));
    pool.expire(1);
    assert!(!pool.holds(&held[0].id()));
    assert_eq!(pool.size().0, 1);
    assert_eq!(lab.insert(&mut pool, 1, 0, 100_000), Err(Unwanted::Refused(Refusal::Nonce)));
}

#[test]
fn what_came_here_first_is_told_once_in_its_order_as_long_as_it_waits() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    let mut bytes = Vec::new();
    for (signer, nonce) in [(1, 0), (1, 1), (2, 0), (3, 0)] {
        let one = lab.checked(lab.body(signer, nonce, 100_000), signer);
        bytes.push(one.transaction().to_bytes());
        let hash = pool.insert(&lab.store, one).unwrap();
        // What the third account sent came from another validator.
        if signer != 3 {
            pool.tell(hash);
        }
    }
    pool.take(account(1), 1).unwrap();
    let told = pool.untold(1);
    assert_eq!(parts(&told).collect::<Vec<_>>(), [&bytes[0][..]], "a message that is full ends");
    let told = pool.untold(1 << 16);
    assert_eq!(parts(&told).collect::<Vec<_>>(), [&bytes[2][..]]);
    assert!(pool.untold(1 << 16).is_empty());
    let hash = pool.insert(&lab.store, lab.checked(lab.body(4, 0, 100_000), 4)).unwrap();
    (0..=COUNT_MAX).for_each(|_| pool.tell(hash));
    assert_eq!(pool.untold.len(), COUNT_MAX);
}

/// What is known of all is what the accounts' queues give.
fn assert_counted(pool: &mut Mempool) {
    assert!(pool.queues.values_mut().all(Queue::is_counted));
    let standings = pool.queues.iter().map(|(account, queue)| (*account, queue.standing()));
    let standings: Vec<_> = standings.collect();
    let lasts = standings.iter().map(|(account, one)| (one.worth.unwrap(), *account));
    assert_eq!(pool.lasts, lasts.collect());
    let rooms = standings.iter().filter(|(_, one)| one.room > 0);
    assert_eq!(pool.behind_of, rooms.map(|(account, one)| (one.room, *account)).collect());
    let sum = |(count, bytes), one: &(usize, u64)| (count + one.0, bytes + one.1);
    assert_eq!(pool.behind, standings.iter().map(|(_, one)| &one.behind).fold((0, 0), sum));
    assert_eq!(pool.checked.len(), pool.ids.len());
}

#[test]
fn what_is_kept_up_to_date_is_what_counting_gives_whatever_comes_and_goes() {
    let mut rng = Seed::from_number(7).rng();
    let mut lab = Lab::new();
    let bounds = Bounds { count: 24, bytes: 24 * lab.size() };
    let mut pool = Mempool { bounds, ..Mempool::default() };
    let (mut taken, mut blocks) = (0, 0);
    for turn in 0..600 {
        let (signer, nonce) = (rng.u64(1..=7), rng.u64(..8));
        let mut body = lab.body(signer, nonce, 100_000 + u128::from(rng.u32(..50_000)));
        body.expiry_height = rng.u64(1..30);
        taken += usize::from(pool.insert(&lab.store, lab.checked(body, signer)).is_ok());
        if rng.u8(..8) == 0 {
            pool.take(account(rng.u64(1..=7)), rng.u64(..8));
        }
        assert_counted(&mut pool);
        if turn % 40 == 39 {
            let height = ledger::tip(&lab.store).unwrap().height + 1;
            let mut run = BlockRun::begin(&lab.store, height, 1).unwrap();
            let signers = pool.fill(&mut run).signers;
            let changes = run.finish().changes;
            lab.store.commit(changes);
            pool.settle(&lab.store, &signers);
            assert_counted(&mut pool);
            pool.expire(height);
            assert_counted(&mut pool);
            blocks += usize::from(!signers.is_empty());
        }
    }
    assert!(taken > 60 && blocks > 3, "{taken} taken, {blocks} blocks");
}

#[test]
fn sizes_are_what_is_in_it() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    for nonce in 0..10 {
        lab.insert(&mut pool, 1, nonce, 100_000).unwrap();
    }
    let bytes: u64 = (0..10).map(|n| lab.checked(lab.body(1, n, 100_000), 1).size_bytes()).sum();
    assert_eq!(pool.size(), (10, bytes));
    assert!((0..10).all(|nonce| pool.take(account(1), nonce).is_some()));
    assert_eq!((pool.size(), pool.behind), ((0, 0), (0, 0)));
    assert!(pool.checked.is_empty() && pool.queues.is_empty());
    assert!(pool.lasts.is_empty() && pool.behind_of.is_empty());
}

mod room;
