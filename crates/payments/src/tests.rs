mod allowed;
mod ending;

use std::collections::{BTreeMap, VecDeque};

use core::time::Duration;
use ledger::{AccountId, AssetId, ChainId, domains::paypool::Voucher};
use primitives::{KeyPair, PeerId, Seed, Time};
use proptest::prelude::*;
use wire::pay::{Lane, PayMessage, Promise, StopReason};

use crate::{
    Earning, Event, Input, LaneProof, Output, Paying, Promised, Reserved, Setup, Till, config,
    price,
};

const PAYER: usize = 0;
const PAYEE: usize = 1;
const POOL: u64 = 7;
const PER_MIB: u64 = 1_000;
const PART: u64 = 60 << 10;
const MIB: u64 = 1 << 20;

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn chain() -> ChainId {
    ChainId::new([3; 32])
}

fn paying() -> Paying {
    Paying {
        pool: POOL,
        asset: AssetId::NATIVE,
        signer: key(9),
        per_mib_max: PER_MIB,
        spend_max: 1_000_000,
    }
}

fn earning() -> Earning {
    Earning {
        account: AccountId::of_key(key(2).id()),
        asset: AssetId::NATIVE,
        per_mib: PER_MIB,
        required: true,
        claim_from: u128::MAX,
        claim_least: 0,
    }
}

/// The lane of the one payee, as a ledger would hold it.
#[derive(Debug, Default)]
struct Book {
    epoch: u32,
    reserve: u128,
    redeemed: u128,
    free: u128,
    down: bool,
    /// What the payer's driver wrote down.
    remembered: u128,
    /// What the payee's driver did.
    kept: u128,
}

/// Two tills, a line between them, a ledger, and bytes that move from payee to payer.
struct World {
    now: Time,
    tills: [Till; 2],
    book: Book,
    received: u64,
    sent: u64,
    held: bool,
    events: Vec<(usize, Event)>,
    /// Frames between the two do not arrive.
    cut: bool,
    frames: u32,
    claims: u32,
}

impl World {
    fn new(paying: Option<Paying>, earning: Option<Earning>) -> Self {
        let payer = Setup { chain: chain(), paying, earning: None };
        let payee = Setup { chain: chain(), paying: None, earning };
        let tills = [Till::new(payer, Time::ZERO), Till::new(payee, Time::ZERO)];
        let book = Book { free: 10_000_000, ..Book::default() };
        let mut world = Self {
            now: Time::ZERO,
            tills,
            book,
            received: 0,
            sent: 0,
            held: false,
            events: Vec::new(),
            cut: false,
            frames: 0,
            claims: 0,
        };
        world.up();
        world
    }

    fn id(who: usize) -> PeerId {
        key(if who == PAYER { 20 } else { 21 }).id()
    }

    fn up(&mut self) {
        (self.received, self.sent) = (0, 0);
        // A channel is open before anything comes through it.
        self.run(PAYER, Input::Up(Self::id(PAYEE)));
        self.run(PAYEE, Input::Up(Self::id(PAYER)));
    }

    fn run(&mut self, who: usize, input: Input) {
        let mut queue = VecDeque::from([(who, input)]);
        while let Some((who, input)) = queue.pop_front() {
            let mut out = Vec::new();
            let wake = self.tills[who].step(self.now, input, &mut out);
            assert!(wake > self.now);
            for output in out {
                self.perform(who, output, &mut queue);
            }
            self.check();
        }
    }

    fn perform(&mut self, who: usize, output: Output, queue: &mut VecDeque<(usize, Input)>) {
        let other = 1 - who;
        match output {
            Output::Send { bytes, .. } => {
                self.frames += 1;
                if !self.cut {
                    queue.push_back((other, Input::Frame { from: Self::id(who), bytes }));
                }
            }
            Output::Reserve { payee, amount } => {
                let lane = self.reserve(amount);
                queue.push_back((who, Input::Reserved { payee, lane }));
            }
            Output::Prove { peer, lane } => {
                let proof = self.proof().filter(|_| lane.pool == POOL);
                queue.push_back((who, Input::Proved { peer, lane, proof }));
            }
            Output::Claim { peer, voucher } => {
                self.claims += 1;
                self.claim(&voucher);
                let redeemed = (!self.book.down).then_some(self.book.redeemed);
                queue.push_back((who, Input::Claimed { peer, redeemed }));
            }
            Output::Remember(Promised { cumulative, .. }) => self.book.remembered = cumulative,
            // A ledger as this one has no lanes but that.
            Output::Forget(_) | Output::Entrusted { .. } => {}
            Output::Keep(voucher) => self.book.kept = voucher.cumulative,
            Output::Hold { on, .. } => self.held = on,
            Output::Event(event) => self.events.push((who, event)),
        }
    }

    fn reserve(&mut self, amount: u128) -> Option<Reserved> {
        if self.book.down || self.book.free < amount {
            return None;
        }
        self.book.free -= amount;
        self.book.epoch = 1;
        self.book.reserve += amount;
        let Book { epoch, reserve, redeemed, remembered, .. } = self.book;
        Some(Reserved { epoch, reserve, used: redeemed.max(remembered) })
    }

    fn proof(&self) -> Option<LaneProof> {
        (self.book.epoch > 0 && !self.book.down).then(|| LaneProof {
            signer: key(9).id(),
            asset: AssetId::NATIVE,
            reserve: self.book.reserve,
            redeemed: self.book.redeemed,
            epoch: self.book.epoch,
            left_s: 86_400,
        })
    }

    fn claim(&mut self, voucher: &Voucher) {
        let good = voucher.verify(chain(), key(9).id()).is_ok() && voucher.epoch == self.book.epoch;
        let pays = voucher.cumulative.min(self.book.reserve) > self.book.redeemed;
        if !self.book.down && good && pays {
            self.book.redeemed = voucher.cumulative.min(self.book.reserve);
        }
    }

    /// The laws, after every step.
    fn check(&self) {
        let paid = self.tills[PAYER].paid();
        let earned = self.tills[PAYEE].earned();
        assert!(earned.sure <= paid.promised.max(self.book.reserve));
        // A lane may hold what an earlier till set aside.
        assert!(paid.promised <= paid.reserved.max(self.book.reserve));
        assert!(paid.promised <= 1_000_000);
    }

    /// Parts that the payee may send, until `bytes` came or it is held.
    fn move_bytes(&mut self, bytes: u64) -> u64 {
        let mut moved = 0;
        while moved < bytes && !self.held {
            self.sent += PART;
            moved += PART;
            self.now = self.now + Duration::from_millis(10);
            let (received, sent) = (self.received, self.sent);
            self.run(PAYEE, Input::Moved { peer: Self::id(PAYER), received: 0, spared: 0, sent });
            self.received = received + PART;
            let received = self.received;
            self.come(received, 0);
        }
        moved
    }

    /// So much came to the payer in all.
    fn come(&mut self, received: u64, spared: u64) {
        let peer = Self::id(PAYEE);
        self.run(PAYER, Input::Moved { peer, received, spared, sent: 0 });
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
        self.run(PAYER, Input::Tick);
        self.run(PAYEE, Input::Tick);
    }

    fn stopped(&self) -> Option<StopReason> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Stopped(_, reason) => Some(*reason),
            _ => None,
        })
    }
}

#[test]
fn who_pays_after_each_quantum_is_served_to_the_end() {
    let mut world = World::new(Some(paying()), Some(earning()));
    assert!(world.move_bytes(100 * MIB) >= 100 * MIB);
    world.wait(config::QUIET);
    let paid = world.tills[PAYER].paid().promised;
    assert_eq!(paid, price(world.received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, paid);
    // 200 quanta, a few lanes and their fillings: payment costs little to say.
    assert!(world.frames < 250, "{} frames", world.frames);
}

#[test]
fn what_counts_was_written_down_on_both_sides() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(9 * MIB);
    world.wait(config::QUIET);
    let sure = world.tills[PAYEE].earned().sure;
    assert!(sure > 0);
    assert_eq!((world.book.remembered, world.book.kept), (sure, sure));
}

#[test]
fn who_stops_paying_pays_what_is_owed_says_so_and_is_asked_for_nothing_more() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(4 * MIB);
    world.run(PAYER, Input::Stop);
    let paid = world.tills[PAYER].paid();
    assert_eq!(paid.promised, price(world.received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, paid.promised);
    assert_eq!(world.stopped(), Some(StopReason::Limit));
    let moved = world.move_bytes(100 * MIB);
    assert!(world.held && moved <= config::credit_bytes(10) + PART, "{moved}");
    assert_eq!(world.tills[PAYER].paid().promised, paid.promised);
    // It comes back, and hears the terms once more.
    world.run(PAYER, Input::Down(World::id(PAYEE)));
    world.run(PAYEE, Input::Down(World::id(PAYER)));
    world.up();
    world.move_bytes(MIB);
    assert_eq!(world.tills[PAYER].paid().promised, paid.promised);
}

#[test]
fn a_limit_that_is_reached_stops_and_a_higher_one_goes_on_where_it_was() {
    let limit = price(3 * MIB, PER_MIB);
    let mut world = World::new(Some(Paying { spend_max: limit, ..paying() }), Some(earning()));
    for _ in 0..2 {
        world.move_bytes(20 * MIB);
        world.wait(config::QUIET);
    }
    assert_eq!(world.tills[PAYER].paid().promised, limit);
    assert_eq!(world.stopped(), Some(StopReason::Limit));
    assert!(world.held);
    world.run(PAYER, Input::Limit(1_000_000));
    world.wait(config::QUIET);
    assert!(!world.held, "what was owed is paid");
    world.move_bytes(20 * MIB);
    world.wait(config::QUIET);
    let paid = world.tills[PAYER].paid().promised;
    assert_eq!(paid, price(world.received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, paid);
}

#[test]
fn who_stops_asking_is_promised_nothing_more_and_claims_what_is_there() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(4 * MIB);
    world.run(PAYEE, Input::Stop);
    let paid = world.tills[PAYER].paid().promised;
    assert!(paid > 0);
    assert_eq!(world.book.redeemed, world.tills[PAYEE].earned().sure);
    world.come(50 * MIB, 0);
    world.wait(config::QUIET);
    assert_eq!(world.tills[PAYER].paid().promised, paid);
}

#[test]
fn who_does_not_pay_is_held_after_its_credit() {
    let mut world = World::new(None, Some(earning()));
    let moved = world.move_bytes(100 * MIB);
    assert!(world.held);
    assert!(moved <= config::credit_bytes(0) + PART, "{moved}");
}

#[test]
fn who_pays_for_a_while_and_stops_gets_no_more_than_its_credit() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(20 * MIB);
    world.cut = true;
    let moved = world.move_bytes(100 * MIB);
    let quanta = 20 * MIB / u64::from(config::QUANTUM_BYTES);
    assert!(moved <= config::credit_bytes(quanta) + PART, "{moved}");
    assert_eq!(config::credit_bytes(u64::MAX), config::credit_bytes(0) * 16);
}

#[test]
fn a_credit_is_never_less_than_a_block() {
    assert!(config::credit_bytes(0) >= u64::from(wire::limits::BLOCK_BYTES_MAX));
}

#[test]
fn nothing_is_held_where_paying_is_a_kindness() {
    let mut world = World::new(None, Some(Earning { required: false, ..earning() }));
    assert!(world.move_bytes(20 * MIB) >= 20 * MIB);
}

#[test]
fn a_price_beyond_the_limit_is_refused_and_nothing_is_set_aside() {
    let mut world =
        World::new(Some(Paying { per_mib_max: PER_MIB - 1, ..paying() }), Some(earning()));
    world.move_bytes(MIB);
    assert_eq!(world.stopped(), Some(StopReason::Terms));
    let paid = world.tills[PAYER].paid();
    assert_eq!((paid.promised, paid.reserved), (0, 0));
}

#[test]
fn a_till_stops_at_its_limit() {
    let limit = Paying { spend_max: 3_500, ..paying() };
    let mut world = World::new(Some(limit), Some(earning()));
    world.move_bytes(50 * MIB);
    world.wait(config::QUIET);
    assert_eq!(world.tills[PAYER].paid().promised, 3_500);
    world.move_bytes(50 * MIB);
    assert!(world.held);
}

#[test]
fn what_nobody_checked_is_paid_up_to_a_part_of_what_was_verified() {
    assert_eq!(config::payable(8 * MIB, 0), 8 * MIB);
    assert_eq!(config::payable(8 * MIB, 3 * MIB), 11 * MIB);
    assert_eq!(config::payable(8 * MIB, 100 * MIB), 13 * MIB);
    assert_eq!(config::payable(u64::MAX, u64::MAX), u64::MAX);

    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(8 * MIB);
    let received = world.received;
    for (spared, paid) in [(MIB, MIB), (100 * MIB, (4 * MIB) + received / 8)] {
        world.come(received, spared);
        world.wait(config::QUIET);
        assert_eq!(world.tills[PAYER].paid().promised, price(received + paid, PER_MIB));
    }
}

#[test]
fn a_ledger_that_does_not_answer_delays_and_then_ends_it() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.book.down = true;
    world.move_bytes(4 * MIB);
    world.wait(config::AGAIN);
    assert!(world.held);
    let paid = world.tills[PAYER].paid();
    assert_eq!((paid.promised, paid.reserved), (0, 0));
    world.book.down = false;
    world.wait(config::AGAIN);
    world.wait(config::QUIET);
    assert!(!world.held, "{:?}", world.events);

    let mut world = World::new(Some(paying()), Some(earning()));
    world.book.down = true;
    world.move_bytes(4 * MIB);
    for _ in 0..=config::TRIES_MAX {
        world.wait(config::AGAIN);
    }
    assert_eq!(world.stopped(), Some(StopReason::Funds));
}

#[test]
fn a_promise_that_the_lane_does_not_bear_is_not_counted() {
    let mut world = World::new(None, Some(earning()));
    world.reserve(500);
    let from = World::id(PAYER);
    let lane = Lane { pool: POOL, epoch: 1 };
    say(&mut world, from, PayMessage::Lane(lane));
    let promise_by = |signer: &KeyPair, cumulative| {
        let payee = earning().account;
        let voucher = Voucher::sign(signer, chain(), POOL, payee, 1, cumulative);
        PayMessage::Promise(Promise { lane, cumulative, signature: voucher.signature.into() })
    };
    say(&mut world, from, promise_by(&key(9), 501));
    assert_eq!(world.tills[PAYEE].earned().sure, 0);
    // Until more is set aside.
    world.reserve(100);
    world.wait(config::AGAIN);
    assert_eq!(world.tills[PAYEE].earned().sure, 501);
    say(&mut world, from, promise_by(&key(8), 550));
    assert_eq!(world.tills[PAYEE].earned().sure, 501);
    assert_eq!(world.stopped(), Some(StopReason::Promise));
}

#[test]
fn who_comes_back_goes_on_where_it_was() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(10 * MIB);
    world.wait(config::QUIET);
    let first = world.received;
    world.run(PAYER, Input::Down(World::id(PAYEE)));
    world.run(PAYEE, Input::Down(World::id(PAYER)));
    assert_eq!(world.book.redeemed, price(first, PER_MIB), "claimed when the line went down");
    world.up();
    world.move_bytes(10 * MIB);
    world.wait(config::QUIET);
    let all = first + world.received;
    assert_eq!(world.tills[PAYER].paid().promised, price(all, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, price(all, PER_MIB));
}

#[test]
fn who_leaves_claims_and_a_claim_that_failed_is_made_again() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(5 * MIB);
    world.run(PAYER, Input::Leave);
    world.book.down = true;
    world.run(PAYEE, Input::Leave);
    assert_eq!(world.book.redeemed, 0);
    world.book.down = false;
    world.wait(config::AGAIN * 2);
    assert_eq!(world.book.redeemed, price(world.received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().unclaimed, 0);
}

/// A neighbour of the payee that says what it likes.
fn say(world: &mut World, from: PeerId, message: PayMessage) {
    let bytes = message.encode_to_vec();
    world.run(PAYEE, Input::Frame { from, bytes });
}

fn promise(lane: Lane, cumulative: u128) -> PayMessage {
    let payee = earning().account;
    let voucher = Voucher::sign(&key(9), chain(), lane.pool, payee, lane.epoch, cumulative);
    PayMessage::Promise(Promise { lane, cumulative, signature: voucher.signature.into() })
}

#[test]
fn who_begins_anew_goes_on_in_its_lane_and_pays_for_what_comes_then() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(10 * MIB);
    world.wait(config::QUIET);
    let first = world.tills[PAYER].paid().promised;
    assert_eq!(world.tills[PAYEE].earned().sure, first);
    // The payer is started again; what it wrote down is all it knows.
    world.run(PAYEE, Input::Down(World::id(PAYER)));
    let setup = Setup { chain: chain(), paying: Some(paying()), earning: None };
    world.tills[PAYER] = Till::new(setup, world.now);
    world.up();
    assert!(world.move_bytes(10 * MIB) >= 10 * MIB, "it is held");
    world.wait(config::QUIET);
    let second = world.tills[PAYER].paid().promised;
    assert_eq!(second, price(world.received, PER_MIB));
    assert_eq!(world.tills[PAYEE].earned().sure, first + second);
}

#[test]
fn a_lane_counts_for_one_neighbour_and_a_neighbour_has_one_lane() {
    let mut world = World::new(None, Some(earning()));
    world.reserve(500);
    let lane = Lane { pool: POOL, epoch: 1 };
    let (first, second) = (World::id(PAYER), key(40).id());
    say(&mut world, first, PayMessage::Lane(lane));
    say(&mut world, first, promise(lane, 400));
    assert_eq!(world.tills[PAYEE].earned().sure, 400);
    // The same by another key, while the first is here and when it has gone.
    world.run(PAYEE, Input::Up(second));
    say(&mut world, second, PayMessage::Lane(lane));
    say(&mut world, second, promise(lane, 400));
    assert_eq!(world.tills[PAYEE].earned().sure, 400);
    world.run(PAYEE, Input::Down(first));
    say(&mut world, second, PayMessage::Lane(lane));
    say(&mut world, second, promise(lane, 400));
    assert_eq!(world.tills[PAYEE].earned().sure, 400);
    say(&mut world, second, promise(lane, 450));
    assert_eq!(world.tills[PAYEE].earned().sure, 450, "only what is more");
    // An invented pool, signed by the same key.
    let other = Lane { pool: POOL + 1, epoch: 1 };
    say(&mut world, second, PayMessage::Lane(other));
    say(&mut world, second, promise(other, 400));
    assert_eq!(world.tills[PAYEE].earned().sure, 450);
    assert_eq!(world.stopped(), Some(StopReason::Lane));
}

#[test]
fn a_lane_that_is_said_again_and_again_is_looked_up_once() {
    let mut world = World::new(None, Some(earning()));
    let lane = PayMessage::Lane(Lane { pool: POOL, epoch: 1 }).encode_to_vec();
    let mut questions = 0;
    for _ in 0..100 {
        let mut out = Vec::new();
        let frame = Input::Frame { from: World::id(PAYER), bytes: lane.clone() };
        world.tills[PAYEE].step(world.now, frame, &mut out);
        questions += out.iter().filter(|one| matches!(one, Output::Prove { .. })).count();
    }
    assert_eq!(questions, 1);
}

#[test]
fn what_brings_less_than_it_costs_is_not_claimed_and_a_refused_claim_waits_longer_each_time() {
    let dear = Earning { claim_least: 100_000, ..earning() };
    let mut world = World::new(Some(paying()), Some(dear));
    world.move_bytes(5 * MIB);
    world.run(PAYER, Input::Leave);
    world.run(PAYEE, Input::Leave);
    assert_eq!((world.claims, world.book.redeemed), (0, 0));

    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(5 * MIB);
    world.run(PAYER, Input::Leave);
    world.book.down = true;
    world.run(PAYEE, Input::Leave);
    for _ in 0..1_000 {
        world.wait(Duration::from_secs(1));
    }
    assert!((5..12).contains(&world.claims), "{} claims", world.claims);
}

#[test]
fn who_gave_little_binds_little() {
    let mut world = World::new(Some(paying()), Some(earning()));
    world.move_bytes(PART);
    let first = world.tills[PAYER].paid().reserved;
    assert_eq!(first, price(config::LANE_BYTES.0, PER_MIB));
    world.move_bytes(50 * MIB);
    assert!(world.tills[PAYER].paid().reserved > first * 10);
}

proptest! {
    #[test]
    fn nothing_a_neighbour_says_makes_it_panic_or_pay_more(
        frames in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..64),
                (any::<u64>(), any::<u32>()).prop_map(|(pool, epoch)| {
                    PayMessage::Lane(Lane { pool: pool % 9, epoch: epoch % 3 }).encode_to_vec()
                }),
                (0u32..3, any::<u128>()).prop_map(|(epoch, cumulative)| {
                    let lane = Lane { pool: POOL, epoch };
                    let signature = [1; 64].into();
                    PayMessage::Promise(Promise { lane, cumulative, signature }).encode_to_vec()
                }),
            ],
            0..40,
        ),
        moved in prop::collection::vec(any::<(u64, u64, u64)>(), 0..40),
    ) {
        let mut world = World::new(Some(paying()), Some(earning()));
        let mut totals = BTreeMap::from([(PAYER, 0), (PAYEE, 0)]);
        let mut most = 0;
        for (frame, (received, spared, sent)) in frames.into_iter().zip(moved) {
            for who in [PAYER, PAYEE] {
                let peer = World::id(1 - who);
                world.run(who, Input::Frame { from: peer, bytes: frame.clone() });
                let total = totals.get_mut(&who).unwrap();
                *total = received.max(*total);
                most = config::payable(*total, spared).max(most);
                world.run(who, Input::Moved { peer, received: *total, spared, sent });
                world.wait(config::QUIET);
            }
        }
        // It signs nothing but what came, and only what it signs counts.
        let paid = world.tills[PAYER].paid().promised;
        prop_assert!(paid <= price(most, PER_MIB));
        prop_assert!(world.tills[PAYEE].earned().sure <= paid);
    }
}
