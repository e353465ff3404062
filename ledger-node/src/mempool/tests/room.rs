//! Who is let in when there is little room, and who makes room.

use super::*;

/// With room for so many.
fn of_count(count: usize) -> Mempool {
    Mempool { bounds: Bounds { count, bytes: BYTES_MAX }, ..Mempool::default() }
}

/// With room for so many bytes.
fn of_bytes(bytes: u64) -> Mempool {
    Mempool { bounds: Bounds { count: COUNT_MAX, bytes }, ..Mempool::default() }
}

#[test]
fn there_is_as_much_room_as_the_documents_say() {
    let bounds = Mempool::default().bounds;
    assert_eq!((bounds.count, bounds.bytes), (20_000, 32 << 20));
    assert_eq!(ROOM_BYTES_MIN, BYTES_MAX / 20_000);
}

#[test]
fn what_no_block_can_hold_keeps_nobody_out() {
    let (lab, mut pool) = (Lab::new(), of_count(100));
    for signer in 1..=3 {
        // All but the first number, at a high price: nobody can ever ask for it.
        for nonce in 1..PER_ACCOUNT_MAX {
            let taken = lab.insert(&mut pool, signer, nonce, 900_000);
            assert!(matches!(taken, Ok(()) | Err(Unwanted::Full)));
        }
    }
    assert_eq!((pool.size().0, pool.behind.0), (25, 25), "a quarter of the room is theirs");
    let mut shares = [1, 2, 3].map(|signer| pool.queues[&account(signer)].standing().behind.0);
    shares.sort_unstable();
    assert_eq!(shares, [8, 8, 9], "whoever comes later has as much of it");
    for (signer, count) in [(4, 64), (5, 11)] {
        for nonce in 0..count {
            lab.insert(&mut pool, signer, nonce, 10_000).unwrap();
        }
    }
    assert_eq!(pool.size().0, 100);
    // It is full, and whoever pays the least that is asked for is let in nevertheless.
    for nonce in 0..25 {
        lab.insert(&mut pool, 6, nonce, 10_000).unwrap();
    }
    assert_eq!((pool.size().0, pool.behind), (100, (0, 0)));
    assert_eq!(lab.insert(&mut pool, 6, 25, 10_000), Err(Unwanted::Full), "as cheap as the rest");
    assert_eq!(lab.built(&pool).len(), 100);
}

#[test]
fn who_takes_the_quarter_behind_gaps_shuts_out_nobody_who_sends_out_of_order() {
    let (lab, mut pool) = (Lab::new(), of_count(80));
    for signer in 1..=4 {
        for nonce in 1..=5 {
            lab.insert(&mut pool, signer, nonce, 900_000).unwrap();
        }
    }
    assert_eq!(lab.insert(&mut pool, 1, 6, 900_000), Err(Unwanted::Full));
    for nonce in [2, 1] {
        lab.insert(&mut pool, 5, nonce, 10_000).unwrap();
    }
    assert_eq!(pool.behind.0, 20);
    for signer in 1..=4 {
        let again = lab.insert(&mut pool, signer, 6, 900_000);
        assert_eq!(again, Err(Unwanted::Full), "they have more than it");
    }
    lab.insert(&mut pool, 5, 0, 10_000).unwrap();
    assert_eq!(lab.built(&pool), [0, 1, 2].map(|nonce| (account(5), nonce)));
}

#[test]
fn the_quarter_behind_gaps_is_counted_in_bytes_too() {
    let lab = Lab::new();
    let mut pool = of_bytes(4 * (2 * lab.size() + 10));
    lab.insert(&mut pool, 1, 1, 100_000).unwrap();
    lab.insert(&mut pool, 2, 1, 100_000).unwrap();
    assert_eq!(lab.insert(&mut pool, 3, 1, 900_000), Err(Unwanted::Full));
    lab.insert(&mut pool, 2, 1, 200_000).unwrap();
    let longer = pool.insert(&lab.store, lab.longer(2, 1, 300_000));
    assert_eq!(longer, Err(Unwanted::Full));
    assert_eq!(pool.behind, (2, 2 * lab.size()));
    lab.insert(&mut pool, 3, 0, 10_000).unwrap();
}

#[test]
fn a_gap_that_is_filled_a_moment_later_is_none() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    for (nonce, behind) in [(3, 1), (1, 2), (2, 3), (0, 0)] {
        lab.insert(&mut pool, 1, nonce, 100_000).unwrap();
        assert_eq!(pool.behind.0, behind, "with number {nonce}");
    }
    let all: Vec<_> = (0..4).map(|nonce| (account(1), nonce)).collect();
    assert_eq!(lab.built(&pool), all);
    assert_eq!((pool.missing(account(1), 0), pool.missing(account(2), 5)), (4, 5));
}

#[test]
fn what_waits_behind_the_same_gap_for_long_waits_no_more() {
    let (lab, mut pool) = (Lab::new(), Mempool::default());
    lab.insert(&mut pool, 1, 1, 100_000).unwrap();
    lab.insert(&mut pool, 2, 2, 100_000).unwrap();
    (0..100).for_each(|height| pool.expire(height));
    // A step on: another number is missing now.
    lab.insert(&mut pool, 2, 0, 100_000).unwrap();
    (100..BEHIND_BLOCKS_MAX).for_each(|height| pool.expire(height));
    assert_eq!(pool.size().0, 3);
    pool.expire(BEHIND_BLOCKS_MAX);
    assert!(!pool.queues.contains_key(&account(1)));
    (BEHIND_BLOCKS_MAX..BEHIND_BLOCKS_MAX + 100).for_each(|height| pool.expire(height));
    assert_eq!(pool.size().0, 2);
    pool.expire(BEHIND_BLOCKS_MAX + 100);
    assert_eq!(lab.built(&pool), [(account(2), 0)]);
    assert_eq!((pool.size().0, pool.behind), (1, (0, 0)), "what is behind no gap stays");
}

#[test]
fn an_account_promises_no_more_than_it_holds() {
    let (mut lab, mut pool) = (Lab::new(), Mempool::default());
    let refused = Err(Unwanted::Refused(Refusal::CannotPayFee));
    lab.insert(&mut pool, 7, 0, 100_000).unwrap();
    lab.insert(&mut pool, 7, 1, 100_000).unwrap();
    assert_eq!(lab.insert(&mut pool, 7, 2, 50_001), refused);
    lab.insert(&mut pool, 7, 0, 150_000).unwrap();
    assert_eq!(pool.size().0, 2, "what leaves is not counted");
    lab.insert(&mut pool, 7, 0, 150_001).unwrap();
    assert_eq!((pool.size().0, pool.missing(account(7), 0)), (1, 1), "number 1 is gone");

    // What was promised for later numbers keeps no earlier one out.
    let mut pool = Mempool::default();
    lab.insert(&mut pool, 7, 3, 200_000).unwrap();
    lab.insert(&mut pool, 7, 0, 100_000).unwrap();
    assert_eq!((pool.size().0, pool.missing(account(7), 0)), (1, 1));

    let mut pool = Mempool::default();
    let mut first = lab.body(7, 0, 100_000);
    let (asset, to, amount) = (AssetId::NATIVE, account(9), 100_000);
    first.action = Action::Accounts(Accounts::Transfer { asset, to, amount });
    let first = [lab.checked(first, 7)];
    pool.insert(&lab.store, first[0].clone()).unwrap();
    for (nonce, fee) in [(1, 40_000), (2, 20_000), (3, 10_000)] {
        lab.insert(&mut pool, 7, nonce, fee).unwrap();
    }
    let block = ledger::Block { height: 1, time_ms: 1, transactions: &first };
    let changes = apply(&lab.store, &block).unwrap().changes;
    lab.store.commit(changes);
    pool.settle(&lab.store, &BTreeSet::from([account(7)]));
    // 50,000 are left: enough for one, and the last would wait for the one between.
    assert_eq!((pool.size().0, pool.missing(account(7), 1)), (1, 2));
}

#[test]
fn who_finds_no_room_takes_nothing_with_him() {
    let lab = Lab::new();
    let size = lab.size();
    // One of its own makes not enough room, and the others are dearer.
    let mut pool = of_bytes(3 * size);
    for (signer, fee) in [(1, 900_000), (2, 900_000), (3, 100_000)] {
        lab.insert(&mut pool, signer, 0, fee).unwrap();
    }
    let rival = lab.checked(lab.body(3, 0, 100_000), 3).id();
    assert_eq!(pool.insert(&lab.store, lab.longer(3, 0, 200_000)), Err(Unwanted::Full));
    assert!(pool.holds(&rival));
    // A cheaper one makes not enough room, and the next is dearer.
    let mut pool = of_bytes(2 * size);
    lab.insert(&mut pool, 1, 0, 100_000).unwrap();
    lab.insert(&mut pool, 2, 0, 900_000).unwrap();
    assert_eq!(pool.insert(&lab.store, lab.longer(4, 0, 500_000)), Err(Unwanted::Full));
    assert_eq!(pool.size(), (2, 2 * size));
    assert_eq!(lab.built(&pool), [(account(2), 0), (account(1), 0)]);
    lab.insert(&mut pool, 4, 0, 500_000).unwrap();
    assert_eq!(lab.built(&pool), [(account(2), 0), (account(4), 0)]);
}

#[test]
fn the_last_of_the_cheapest_account_makes_room() {
    let (lab, mut pool) = (Lab::new(), of_count(3));
    // What is dear and waits for a cheap one is worth no more than that.
    for (signer, nonce, fee) in [(1, 0, 300_000), (1, 1, 900_000), (2, 0, 500_000)] {
        lab.insert(&mut pool, signer, nonce, fee).unwrap();
    }
    assert_eq!(lab.insert(&mut pool, 3, 0, 200_000), Err(Unwanted::Full));
    lab.insert(&mut pool, 3, 0, 400_000).unwrap();
    assert_eq!(lab.built(&pool), [(account(2), 0), (account(3), 0), (account(1), 0)]);
    assert_eq!(lab.insert(&mut pool, 1, 1, 900_000), Err(Unwanted::Full), "behind a cheap one");
    lab.insert(&mut pool, 4, 0, 350_000).unwrap();
    assert_eq!(lab.built(&pool), [(account(2), 0), (account(3), 0), (account(4), 0)]);
    // Nobody makes room for himself: what comes later would lose its ground.
    let mut pool = of_count(2);
    lab.insert(&mut pool, 1, 0, 100_000).unwrap();
    lab.insert(&mut pool, 1, 1, 100_000).unwrap();
    assert_eq!(lab.insert(&mut pool, 1, 2, 900_000), Err(Unwanted::Full));
}

#[test]
fn what_became_too_cheap_or_too_large_waits_no_more() {
    let (mut lab, mut pool) = (Lab::new(), Mempool::default());
    let nobody = BTreeSet::new();
    for (signer, fee) in [(1, 100_000), (2, 600_000)] {
        lab.insert(&mut pool, signer, 0, fee).unwrap();
    }
    pool.settle(&lab.store, &nobody);
    assert_eq!(pool.size().0, 2);
    lab.choose(Params { fee_base: 500_000, ..Params::default() });
    pool.settle(&lab.store, &nobody);
    assert_eq!(lab.built_at(&pool, 2), [(account(2), 0)]);
    assert_eq!(pool.size().0, 1);
    // No block has room for it, however long it waits.
    lab.choose(Params { block_work_max: 5, ..Params::default() });
    pool.settle(&lab.store, &nobody);
    assert_eq!(pool.size().0, 0);
    let refused = lab.insert(&mut pool, 3, 0, 600_000);
    assert_eq!(refused, Err(Unwanted::Refused(Refusal::BlockFull)));
}

#[test]
fn a_block_ends_at_its_bytes_and_what_still_fits_is_in_it() {
    let size = Lab::new().size();
    let lab = Lab::with(Params { block_bytes_max: 2 * size + 10, ..Params::default() });
    let mut pool = Mempool::default();
    lab.insert(&mut pool, 2, 0, 900_000).unwrap();
    pool.insert(&lab.store, lab.longer(1, 0, 800_000)).unwrap();
    lab.insert(&mut pool, 3, 0, 100_000).unwrap();
    lab.insert(&mut pool, 3, 1, 100_000).unwrap();
    assert_eq!(lab.built(&pool), [(account(2), 0), (account(3), 0)]);
}
