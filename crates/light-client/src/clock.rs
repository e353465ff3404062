//! Whether this device's clock and the ledger's blocks agree.
//!
//! Validators sign no block whose time is far ahead of their own clocks. So one that they signed and that is of the
//! future by this device's clock shows that the clock is behind: no server is to be blamed. A block of the past shows
//! nothing, for servers may keep newer ones back. Where heights rise for a while and all blocks are late by about the
//! same, the clock is ahead, or whoever is asked hands on everything that late: a little of it is put up with, as of a
//! clock that is behind a little.

use crate::{Head, Status};

/// Without a newer block for this long the newest one is no news, in milliseconds; nor is one that is older: an idle
/// ledger makes one every 10 s.
const FRESH_MS: u64 = 60_000;
/// How far ahead of this device's clock a block may be, in milliseconds: the validators' own bound, and as much for a
/// clock that is off.
const AHEAD_MS_MAX: u64 = 120_000;
/// How late all blocks may be by this device's clock, in milliseconds: as much for a clock that is off.
const LATE_MS_MAX: u64 = 60_000;
/// Blocks that are late by the same, at least, and for how long, in milliseconds, before it is put down to the clock.
const RUN: (u32, u64) = (3, 20_000);
/// How far that may differ, in milliseconds: the first one is as old as it was when it was asked for.
const STEADY_MS: u64 = 15_000;

/// How late blocks were when they were heard of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clock {
    run: Option<Run>,
}

/// Newer and newer blocks that were late by about the same.
#[derive(Debug, Clone, Copy)]
struct Run {
    began_ms: u64,
    heard_ms: u64,
    /// How late the first one was.
    first_ms: u64,
    /// How late the least late one was.
    least_ms: u64,
    blocks: u32,
}

impl Clock {
    /// There is a newer block, of that time.
    pub(crate) fn hear(&mut self, time_ms: u64, now_ms: u64) {
        let late_ms = now_ms.saturating_sub(time_ms);
        let goes_on =
            |run: &&mut Run| run.heard_ms <= now_ms && run.first_ms.abs_diff(late_ms) <= STEADY_MS;
        match self.run.as_mut().filter(goes_on) {
            Some(run) => {
                run.heard_ms = now_ms;
                run.least_ms = run.least_ms.min(late_ms);
                run.blocks = run.blocks.saturating_add(1);
            }
            None => {
                self.run = Some(Run {
                    began_ms: now_ms,
                    heard_ms: now_ms,
                    first_ms: late_ms,
                    least_ms: late_ms,
                    blocks: 1,
                });
            }
        }
    }

    /// How late all blocks have been for a while, in milliseconds; none: it differs, or too few were seen.
    fn late_ms(&self) -> Option<u64> {
        let steady =
            |run: &Run| run.blocks >= RUN.0 && run.heard_ms.saturating_sub(run.began_ms) >= RUN.1;
        self.run.filter(steady).map(|run| run.least_ms)
    }

    /// How good it is to know this newest block now.
    pub(crate) fn status(&self, head: &Head, now_ms: u64) -> Status {
        let time_ms = head.header.time_ms;
        if now_ms.saturating_sub(head.heard_ms) > FRESH_MS {
            return Status::Stale;
        }
        let ahead_ms = time_ms.saturating_sub(head.heard_ms);
        if ahead_ms > AHEAD_MS_MAX {
            return Status::ClockBehind { minutes: minutes(ahead_ms) };
        }
        if now_ms.saturating_sub(time_ms) <= FRESH_MS {
            return Status::Fresh;
        }
        match self.late_ms() {
            Some(late_ms) if late_ms <= LATE_MS_MAX => Status::Fresh,
            Some(late_ms) => Status::ClockAhead { minutes: minutes(late_ms) },
            None => Status::Stale,
        }
    }
}

/// To the nearest minute, at least one.
fn minutes(ms: u64) -> u64 {
    (ms.saturating_add(30_000) / 60_000).max(1)
}
