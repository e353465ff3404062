//! What becomes of transfers where it is not simply done.

use super::{Rig, send, somebody, state};

/// A rig with 10 STAR after block 1.
fn rich() -> Rig {
    let mut rig = Rig::new();
    rig.up();
    rig.block(10_000_000, 0);
    rig
}

/// Adds so many blocks in which nothing happens, and shows the last one.
fn idle(rig: &mut Rig, blocks: u32) {
    for _ in 1..blocks {
        rig.ledger.add(rig.now_ms, state(10_000_000, 0));
    }
    rig.block(10_000_000, 0);
}

#[test]
fn a_number_that_nothing_on_its_way_has_is_given_first() {
    let mut rig = rich();
    rig.command(send(somebody(), 1_000));
    rig.answer();
    idle(&mut rig, 500);
    rig.command(send(somebody(), 1_000));
    rig.answer();
    idle(&mut rig, 502);
    // The first one has expired: the second can be in no block before its number is used.
    rig.command(send(somebody(), 1_000));
    rig.command(send(somebody(), 1_000));
    let numbers: Vec<u64> = rig.saved.sent.iter().map(|sent| sent.nonce).collect();
    assert_eq!(numbers, [0, 1, 0, 2]);
}
