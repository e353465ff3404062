//! How new what is known and what is answered is, by this device's clock; and what to do when that is set.

use super::{ANSWER_MS, LAG_MS, LightClient};
use crate::{Header, queries::Request};

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
            server.old_answers_ms = None;
        }
        self.looked_ms = self.looked_ms.min(now_ms);
        self.asked_ms = self.asked_ms.min(now_ms);
    }

    /// Remembers whether a server answered as of a block before one that it had shown when it was asked.
    pub(super) fn note_answer(&mut self, request: Request, height: u64) {
        let now_ms = self.now_ms;
        if let Some(server) = self.servers.get_mut(&request.server) {
            let first_ms = server.old_answers_ms.map_or(now_ms, |(first_ms, _)| first_ms);
            server.old_answers_ms = (height < request.height).then_some((first_ms, now_ms));
        }
    }

    /// Whether an answer may be told: it is as far as the server had shown itself to be, or only a little behind. An
    /// older one was true once, and another server is asked.
    pub(super) fn is_new_enough(&self, request: Request, header: &Header) -> bool {
        let newest_ms = self.heads.head().map_or(0, |head| head.header.time_ms);
        header.height >= request.height || newest_ms.saturating_sub(header.time_ms) < LAG_MS
    }
}

/// How far an answer is to be at least, for its server to be honest. A neighbour's come over one socket; behind a
/// server's name there may be several, not all of them as far.
pub(super) const fn least(request: Request) -> u64 {
    if request.server.is_neighbour() { request.height } else { 0 }
}
