//! How new what is known is, by this device's clock; and what to do when that is set.

use super::{ANSWER_MS, LightClient};

/// How well the client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No block was seen yet.
    Blind,
    /// The newest block is new.
    Fresh,
    /// The newest block is old: the ledger stands still, or every server keeps newer ones back.
    Stale,
    /// Validators signed blocks of a later time than this device's clock shows: it is behind. How new the newest
    /// block is can't be told.
    ClockBehind {
        /// By how much, about.
        minutes: u64,
    },
    /// Blocks come, and all of them are old by the same: this device's clock is ahead, or every server hands on
    /// blocks that late.
    ClockAhead {
        /// By how much, about.
        minutes: u64,
    },
    /// Validators signed two histories. Nothing more is told.
    Forked,
}

impl LightClient {
    /// How well it sees, at the time of the last step.
    pub fn status(&self) -> Status {
        match self.heads.head() {
            _ if self.forked => Status::Forked,
            None => Status::Blind,
            Some(head) => self.heads.clock.status(head, self.now_ms),
        }
    }

    /// This device's clock was set back: nothing was later than now, and nothing is due later than if it were asked
    /// now.
    pub(super) fn set_back(&mut self, now_ms: u64) {
        self.heads.set_back(now_ms);
        let due_ms = now_ms.saturating_add(ANSWER_MS);
        for request in self.queries.requests.values_mut() {
            request.due_ms = request.due_ms.min(due_ms);
        }
        for server in self.servers.values_mut() {
            server.asked_ms = server.asked_ms.min(now_ms);
            server.followed_ms = server.followed_ms.map(|at_ms| at_ms.min(now_ms));
            server.behind_since_ms = server.behind_since_ms.map(|at_ms| at_ms.min(now_ms));
        }
        self.looked_ms = self.looked_ms.min(now_ms);
        self.asked_ms = self.asked_ms.min(now_ms);
    }
}
