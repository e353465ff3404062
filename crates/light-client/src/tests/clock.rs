//! A device's clock that is off is no server's fault, is told, and is forgotten once it is set.

use super::*;
use crate::{QueryId, Status};

const MINUTE_MS: u64 = 60_000;
/// An idle ledger makes a block this often, in milliseconds.
const IDLE_MS: u64 = 10_000;

/// A tab, a ledger that makes blocks by the time of day, and how far the tab's clock is off.
struct Off {
    ledger: Ledger,
    tab: Tab,
    /// The time of day.
    true_ms: u64,
}

impl Off {
    /// The clock is ahead of the time of day by so much, or behind, in milliseconds.
    fn by(off_ms: i64) -> Self {
        let ledger = Ledger::new(1);
        let mut tab = Tab::new(&ledger, 0);
        tab.now_ms = START_MS.saturating_add_signed(off_ms);
        (0..2).for_each(|id| tab.step(Input::Up(ServerId(id))));
        tab.answer(|_, _| None);
        Self { ledger, tab, true_ms: START_MS }
    }

    /// Lets time pass; no block comes.
    fn wait(&mut self, ms: u64) {
        self.true_ms += ms;
        self.tab.wait(ms);
    }

    /// A block comes, of this time of day; both servers show it.
    fn block_of(&mut self, time_ms: u64) {
        let height = self.ledger.add(time_ms, state(1));
        let bytes = self.ledger.finality(height, 0).to_bytes();
        for server in 0..2 {
            self.tab.push(server, &bytes);
            self.true_ms += 250;
        }
        self.answer();
        assert_eq!(self.tab.height(), height, "what validators signed is taken");
    }

    /// Servers answer what they were asked.
    fn answer(&mut self) {
        let (ledger, height) = (&self.ledger, self.ledger.height());
        self.tab.answer(|_, question| (height > 0).then(|| honest(ledger, height, question)));
    }

    fn block(&mut self) {
        self.block_of(self.true_ms);
    }

    /// What is seen just before each of so many blocks, and after it.
    fn idle(&mut self, blocks: usize) -> Vec<Status> {
        let mut seen = Vec::new();
        for _ in 0..blocks {
            self.wait(IDLE_MS - 500);
            self.tab.step(Input::Tick);
            seen.push(self.status());
            self.block();
            seen.push(self.status());
        }
        seen
    }

    fn status(&self) -> Status {
        self.tab.client.status()
    }

    /// The person sets the clock.
    fn set_clock(&mut self) {
        self.tab.now_ms = self.true_ms;
        self.tab.step(Input::Tick);
    }
}

/// No server is blamed, however far the clock is off.
fn nobody_is_blamed(off: &Off) {
    assert_eq!(off.tab.faults(), []);
    let asked = off.tab.client.servers().all(|(_, height, _)| height == off.ledger.height());
    assert!(asked, "all of them are heard");
}

#[test]
fn a_clock_that_is_behind_is_told_and_no_server_is_blamed() {
    let mut off = Off::by(-3 * 60_000);
    off.block();
    assert_eq!(off.status(), Status::ClockBehind { minutes: 3 });
    let seen = off.idle(6);
    assert!(seen.iter().all(|one| *one == Status::ClockBehind { minutes: 3 }), "{seen:?}");
    nobody_is_blamed(&off);
    // What is proved is proved: only how new it is can't be told.
    off.tab.step(Input::Prove { query: QueryId(1), key: b"held" });
    off.answer();
    assert!(off.tab.events.iter().any(|event| matches!(event, Event::Proved(_))));
}

#[test]
fn once_the_clock_that_was_behind_is_set_the_next_block_is_new() {
    let mut off = Off::by(-3 * 60_000);
    off.block();
    off.idle(3);
    off.set_clock();
    off.answer();
    off.wait(IDLE_MS - 500);
    off.block();
    assert_eq!(off.status(), Status::Fresh);
    assert!(off.idle(6).iter().all(|one| *one == Status::Fresh));
    nobody_is_blamed(&off);
}

#[test]
fn with_a_clock_that_is_behind_a_ledger_that_stands_still_is_seen() {
    for behind_ms in [0, 90_000, 180_000] {
        let mut off = Off::by(-behind_ms);
        off.block();
        off.idle(3);
        off.wait(2 * MINUTE_MS);
        off.tab.step(Input::Tick);
        assert_eq!(off.status(), Status::Stale, "behind by {behind_ms} ms");
    }
}

#[test]
fn a_clock_that_is_a_little_off_is_put_up_with() {
    for off_ms in [-110_000, -60_000, 0, 30_000, 45_000, 55_000] {
        let mut off = Off::by(off_ms);
        off.block();
        // A clock that is ahead is known by how late some blocks are.
        off.idle(3);
        let seen = off.idle(10);
        assert!(seen.iter().all(|one| *one == Status::Fresh), "off by {off_ms} ms: {seen:?}");
        nobody_is_blamed(&off);
    }
}

#[test]
fn a_clock_that_is_ahead_is_told_until_it_is_set() {
    for ahead in [2, 5, 60 * 24] {
        let mut off = Off::by(i64::try_from(ahead * MINUTE_MS).unwrap());
        off.block();
        assert_eq!(off.status(), Status::Stale, "one old block says nothing of the clock");
        off.idle(3);
        let seen = off.idle(6);
        let told = Status::ClockAhead { minutes: ahead };
        assert!(seen.iter().all(|one| *one == told), "{seen:?}");
        nobody_is_blamed(&off);
        off.set_clock();
        assert_eq!(off.status(), Status::Fresh, "the newest block is as new as it is");
        assert!(off.idle(6).iter().all(|one| *one == Status::Fresh));
        nobody_is_blamed(&off);
    }
}

#[test]
fn after_the_clock_was_set_back_a_server_that_keeps_silent_is_still_named() {
    let mut off = Off::by(60 * 60_000);
    off.block();
    off.tab.step(Input::Prove { query: QueryId(1), key: b"held" });
    assert_eq!(off.tab.asked.len(), 1);
    off.set_clock();
    off.wait(6_000);
    assert_eq!(off.tab.faults(), [(0, Fault::Withholds)], "not an hour later");
    // A ledger that falls silent is asked for, too.
    off.tab.asked.clear();
    off.wait(20_000);
    assert!(off.tab.asked.iter().any(|(.., question)| *question == Question::Latest));
}

#[test]
fn servers_that_catch_up_or_show_one_old_block_say_nothing_of_the_clock() {
    // Blocks of five minutes ago, three times as fast as they were made.
    let mut off = Off::by(0);
    let began_ms = off.true_ms - 5 * MINUTE_MS;
    for number in 0..15_u64 {
        off.block_of(began_ms + number * IDLE_MS);
        assert_eq!(off.status(), Status::Stale, "block {number}");
        off.wait(IDLE_MS / 3 - 500);
    }
    // An old one, and nothing after it.
    let mut off = Off::by(0);
    off.block_of(off.true_ms - 5 * MINUTE_MS);
    off.wait(MINUTE_MS);
    off.tab.step(Input::Tick);
    assert_eq!(off.status(), Status::Stale);
}
