//! A device's clock that is off is told, blames nobody, and is forgotten once it is set.

use primitives::PeerId;
use wire::pay::Lane;

use super::*;
use crate::purse::{About, Prove, Purse};

const MINUTE_MS: u64 = 60_000;

/// A block of that time of day, which the wallet's clock does not show.
fn block_of(rig: &mut Rig, time_ms: u64) {
    let height = rig.ledger.add(time_ms, state(7_000_000, 0));
    let bytes = rig.ledger.finality(height, 0).to_bytes();
    for server in 0..20 {
        rig.step(Input::Pushed(ServerId(server), &bytes));
    }
    rig.answer();
}

#[test]
fn with_a_clock_that_is_behind_the_balance_is_proved_and_nothing_is_sent_until_it_is_set() {
    let mut rig = Rig::new();
    rig.up();
    for _ in 0..3 {
        rig.now_ms += 10_000;
        let time_ms = rig.now_ms + 3 * MINUTE_MS;
        block_of(&mut rig, time_ms);
        assert_eq!((rig.view.sight, rig.view.clock_minutes), (Sight::ClockBehind, 3));
    }
    assert_eq!(rig.view.balance.map(|one| (one.units, one.height)), Some((7_000_000, 3)));
    assert!(rig.view.servers.iter().all(|one| !one.lies && one.faults.is_empty()));
    rig.command(send(somebody(), 1_000));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("not-fresh", 0));

    rig.now_ms += 3 * MINUTE_MS + 10_000;
    let time_ms = rig.now_ms;
    block_of(&mut rig, time_ms);
    assert_eq!((rig.view.sight, rig.view.clock_minutes), (Sight::Fresh, 0));
    rig.command(send(somebody(), 1_000));
    assert_eq!((rig.view.refused.as_str(), rig.view.sent.len()), ("", 1));
}

#[test]
fn a_clock_that_is_ahead_is_told_by_how_much() {
    let mut rig = Rig::new();
    rig.up();
    for _ in 0..4 {
        rig.now_ms += 10_000;
        let time_ms = rig.now_ms - 5 * MINUTE_MS;
        block_of(&mut rig, time_ms);
    }
    assert_eq!((rig.view.sight, rig.view.clock_minutes), (Sight::ClockAhead, 5));
    rig.now_ms -= 5 * MINUTE_MS;
    rig.step(Input::Tick);
    assert_eq!((rig.view.sight, rig.view.clock_minutes), (Sight::Fresh, 0));
    assert!(rig.view.servers.iter().all(|one| !one.lies && one.faults.is_empty()));
}

#[test]
fn a_server_that_went_while_the_clock_was_ahead_is_tried_again_once_it_is_set() {
    let mut rig = Rig::new();
    rig.up();
    rig.now_ms += 60 * MINUTE_MS;
    rig.step(Input::Down(ServerId(0)));
    rig.now_ms -= 60 * MINUTE_MS;
    rig.step(Input::Tick);
    assert!(rig.connects.is_empty());
    rig.now_ms += 30_000;
    rig.step(Input::Tick);
    assert_eq!(rig.connects.len(), 1, "not an hour later");
}

#[test]
fn payments_rest_no_longer_after_the_clock_was_set_back() {
    let (ahead_ms, now_ms) = (9_000_000, 1_000_000);
    let mut purse = Purse { now_ms: ahead_ms, ..Purse::default() };
    purse.facts.want(About::Count, 1);
    let (query, _) = purse.facts.next(ahead_ms).unwrap();
    assert!(purse.facts.on_unproved(query, ahead_ms));
    (purse.claimed_ms, purse.refreshed_ms, purse.left.looked_ms) = (ahead_ms, ahead_ms, ahead_ms);
    purse.proves.push(Prove {
        share: "share".to_owned(),
        peer: PeerId::new([1; 32]),
        lane: Lane { pool: 1, epoch: 1 },
        since: 1,
        until_ms: ahead_ms + 15_000,
    });
    let before = purse.now();
    purse.set_back(now_ms);
    assert_eq!(purse.now(), before, "the time of tills goes on");
    let seen = [purse.claimed_ms, purse.refreshed_ms, purse.left.looked_ms];
    assert_eq!(seen, [now_ms; 3]);
    assert_eq!(purse.proves[0].until_ms, now_ms + 15_000);
    assert!(purse.facts.next(now_ms + 1_000).is_some());
    purse.set_back(now_ms - 1);
    assert_eq!(purse.now(), before, "twice as well");
}
