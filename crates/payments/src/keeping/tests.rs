//! What is kept for neighbours is worth it, and what that costs is bounded.

use primitives::{KeyPair, Seed, Time};
use proptest::prelude::*;
use wire::pay::PayMessage;

use super::*;
use crate::{Input, Output, Setup, Till};

const NOW_S: u64 = 1_790_000_000;
const WEEK_S: u64 = 7 * 86_400;
const COST: u128 = 5_000;

fn chain() -> ChainId {
    ChainId::new([1; 32])
}

fn key(number: u64) -> KeyPair {
    KeyPair::from_seed(Seed::from_number(number))
}

fn peer(number: u8) -> PeerId {
    PeerId::new([number; 32])
}

fn payee(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

fn pool() -> Pool {
    Pool {
        payer: AccountId::new([9; 32]),
        asset: AssetId::NATIVE,
        signer: key(1).id(),
        free: 0,
        reserved: 1_000_000,
        expiry_s: NOW_S + WEEK_S,
        closing_s: None,
        payees: 1,
        open_lanes: 1,
    }
}

fn lane(redeemed: u128) -> Lane {
    Lane { reserve: 1_000_000, redeemed, epoch: 1, open: true }
}

fn signed(pool: u64, whose: u8, units: u128) -> Voucher {
    Voucher::sign(&key(1), chain(), pool, payee(whose), 1, units)
}

fn seen(pool: &Pool, lane: Lane, height: u64) -> Seen<'_> {
    Seen { pool: Some(pool), lane: Some(lane), height }
}

/// Leaves a voucher, whose lane is as it should be.
fn leave(book: &mut Book, from: u8, voucher: Voucher) -> bool {
    let (pool, offer) = (pool(), Entrusted::new(peer(from), voucher, 0));
    book.wants(peer(from), &offer.voucher, 0, COST)
        && book.keep(chain(), offer, &seen(&pool, lane(0), 7), COST)
}

#[test]
fn a_frame_carries_the_whole_voucher() {
    let voucher = signed(7, 2, 1 << 70);
    let keep = keep_of(chain(), &voucher, 1);
    assert_eq!((voucher_of(&keep), keep.turn, *keep.chain), (voucher, 1, *chain().as_bytes()));
}

#[test]
fn a_till_hands_on_what_a_neighbour_leaves_so_often_and_no_more() {
    let setup = Setup { chain: chain(), paying: None, earning: None };
    let mut till = Till::new(setup, Time::ZERO);
    let bytes = PayMessage::Keep(keep_of(chain(), &signed(7, 2, 20_000), 0)).encode_to_vec();
    let mut left = |at_ms: u64| {
        let mut out = Vec::new();
        for _ in 0..20 {
            let frame = Input::Frame { from: peer(3), bytes: bytes.clone() };
            till.step(Time::from_ms(at_ms), frame, &mut out);
            till.step(Time::from_ms(at_ms), Input::Up(peer(3)), &mut out);
        }
        out.iter().filter(|one| matches!(one, Output::Entrusted { .. })).count()
    };
    assert_eq!((left(1_000), left(2_000), left(62_000)), (8, 0, 8));
}

#[test]
fn the_newest_of_a_lane_is_kept_and_what_is_forged_foreign_or_worth_nothing_is_not() {
    let mut book = Book::default();
    assert!(leave(&mut book, 3, signed(7, 2, 20_000)));
    assert!(leave(&mut book, 4, signed(7, 2, 30_000)), "more, from whomever");
    for units in [30_000, 20_000] {
        assert!(!leave(&mut book, 3, signed(7, 2, units)), "no more than is kept");
    }
    let mut forged = signed(7, 2, 40_000);
    forged.cumulative = 90_000;
    assert!(!leave(&mut book, 3, forged), "of other units");
    let other = Voucher::sign(&key(2), chain(), 7, payee(2), 1, 40_000);
    assert!(!leave(&mut book, 3, other), "by another key");
    let elsewhere = Voucher::sign(&key(1), ChainId::new([2; 32]), 7, payee(2), 1, 40_000);
    assert!(!leave(&mut book, 3, elsewhere), "of another ledger");
    assert!(!leave(&mut book, 3, signed(8, 2, COST)), "no more than its fee");
    assert_eq!((book.list().len(), book.worth()), (1, 30_000));

    let (pool, offer) = (pool(), || Entrusted::new(peer(3), signed(8, 2, 40_000), 0));
    let (gone, later) = (Lane { open: false, ..lane(0) }, Lane { epoch: 2, ..lane(0) });
    for lane in [Some(gone), Some(later), Some(lane(36_000)), None] {
        let seen = Seen { pool: Some(&pool), lane, height: 7 };
        assert!(!book.keep(chain(), offer(), &seen, COST), "{lane:?}");
    }
    let asset = Pool { asset: AssetId(3), ..pool.clone() };
    assert!(!book.keep(chain(), offer(), &seen(&asset, lane(0), 7), COST), "a fee is in STAR");
    let no_pool = Seen { pool: None, lane: Some(lane(0)), height: 7 };
    assert!(!book.keep(chain(), offer(), &no_pool, COST));
    assert_eq!(book.list().len(), 1);
}

#[test]
fn so_many_of_one_neighbour_and_in_all_and_then_the_least_gives_way() {
    let mut book = Book::default();
    for number in 0..4 {
        assert!(leave(&mut book, 3, signed(number, 2, 20_000)));
    }
    assert!(!leave(&mut book, 3, signed(4, 2, 20_000)), "a fifth of one");
    assert!(!leave(&mut book, 3, signed(3, 2, 24_999)), "not worth the writing");
    assert!(leave(&mut book, 3, signed(3, 2, 25_000)), "newer of what is there");
    assert!(!book.wants(peer(4), &signed(4, 2, 20_000), OF_ONE_MAX, COST), "as many are looked at");
    for number in 4..64 {
        assert!(leave(
            &mut book,
            10 + u8::try_from(number / 4).unwrap(),
            signed(number, 2, 30_000)
        ));
    }
    assert_eq!(book.list().len(), KEPT_MAX);
    assert!(!leave(&mut book, 99, signed(64, 2, 20_000)), "worth no more than the least");
    assert!(leave(&mut book, 99, signed(64, 2, 20_001)));
    assert_eq!(book.list().len(), KEPT_MAX);
    assert!(book.height((64, payee(2))) > 0);
}

#[test]
fn it_is_due_when_its_pool_ends_soon_or_closes_and_its_payee_is_not_here() {
    let mut book = Book::default();
    leave(&mut book, 3, signed(7, 2, 20_000));
    let place = (7, payee(2));
    let soon_s = NOW_S + WEEK_S - CLAIM_BEFORE_S;
    let due = |book: &Book, now_s: u64| book.due(now_s, |_| false);
    assert_eq!(due(&book, soon_s), [], "its payee has a while");
    assert_eq!(due(&book, soon_s + GRACE_S), [place]);
    let late_s = soon_s + GRACE_S + HERE_S;
    assert_eq!(book.due(late_s - 1, |from| from == peer(3)), [], "it is here");
    assert_eq!(book.due(late_s, |from| from == peer(3)), [place], "and does nothing");

    let mut closing = pool();
    closing.closing_s = Some(NOW_S + CHALLENGE_S);
    assert!(book.see(place, &seen(&closing, lane(0), 8), COST));
    assert_eq!(
        (due(&book, NOW_S + GRACE_S - 1), due(&book, NOW_S + GRACE_S)),
        (vec![], vec![place])
    );
    assert!(!book.see(place, &seen(&closing, lane(0), 9), COST), "nothing is new");

    let mut second = Book::default();
    let offer = Entrusted::new(peer(3), signed(7, 2, 20_000), 1);
    assert!(second.keep(chain(), offer, &seen(&closing, lane(0), 8), COST));
    assert_eq!(due(&second, NOW_S + GRACE_S), [], "the other keeper is first");
    assert_eq!(due(&second, NOW_S + GRACE_S + TURN_S), [place]);

    let before = Seen { pool: None, lane: None, height: 7 };
    assert!(!second.see(place, &before, COST), "of an older block, as of a server that is behind");
    assert_eq!(second.list().len(), 1);
    let older = Entrusted::new(peer(4), signed(7, 2, 90_000), 0);
    assert!(!second.keep(chain(), older, &seen(&closing, lane(0), 7), COST));
    // The first one, or the payee, was there.
    assert!(second.see(place, &seen(&closing, lane(20_000), 9), COST));
    assert_eq!(second.list(), []);
}

#[test]
fn what_is_handed_in_is_worth_most_and_as_much_as_fees_go() {
    let mut book = Book::default();
    for (number, units) in [(1, 20_000), (2, 40_000), (3, 30_000)] {
        leave(&mut book, 3, signed(number, 2, units));
    }
    let late_s = NOW_S + WEEK_S;
    let places = book.due(late_s, |_| false);
    let units = |list: Vec<Voucher>| list.iter().map(|one| one.cumulative).collect::<Vec<_>>();
    assert_eq!(units(book.hand_in(&places, late_s, COST, 2 * COST)), [40_000, 30_000]);
    assert_eq!(units(book.hand_in(&places, late_s, COST, COST - 1)), []);
    assert_eq!(units(book.hand_in(&places, NOW_S, COST, FEES_A_DAY)), [], "not due");
    for _ in 0..TRIES_MAX {
        assert_eq!(book.list().len(), 3);
        book.failed(&places);
    }
    assert_eq!(book.list(), [], "it is not tried for ever");
}

#[test]
fn a_kept_book_is_read_again() {
    let mut book = Book::default();
    leave(&mut book, 3, signed(7, 2, 20_000));
    book.spend(NOW_S * 1_000, 7);
    let bytes = minicbor::to_vec(&book).unwrap();
    assert_eq!(minicbor::decode::<Book>(&bytes).unwrap(), book);
}

proptest! {
    #[test]
    fn never_more_fees_than_are_allowed_in_any_day(
        turns in prop::collection::vec((0u64..6 * HOUR_MS, 0u128..20_000), 0..100),
    ) {
        let (mut book, mut now_ms) = (Book::default(), NOW_S * 1_000);
        let mut log: Vec<(u64, u128)> = Vec::new();
        for (later_ms, wanted) in turns {
            now_ms += later_ms;
            let granted = wanted.min(book.left(now_ms));
            book.spend(now_ms, granted);
            log.push((now_ms, granted));
            let since = |(at, _): &&(u64, u128)| *at + 24 * HOUR_MS >= now_ms;
            let lately: u128 = log.iter().filter(since).map(|(_, units)| *units).sum();
            prop_assert!(lately <= FEES_A_DAY, "{lately}");
            prop_assert!(book.spent.len() <= 25);
        }
        prop_assert_eq!(book.left(now_ms + 26 * HOUR_MS), FEES_A_DAY);
        // A clock that was ahead.
        book.spend(now_ms + 9_999 * HOUR_MS, 5);
        book.spend(now_ms, 1);
        prop_assert_eq!(book.left(now_ms + 26 * HOUR_MS), FEES_A_DAY);
    }
}
