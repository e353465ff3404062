//! When to call next.

use primitives::Time;

/// When to call [`crate::Peer::step`] with [`crate::Input::Tick`] if nothing happens first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wake {
    /// The moment; [`Time::NEVER`] when nothing is waited for.
    pub at: Time,
    /// Which part asked: read it in every stall.
    pub why: WakeReason,
}

/// Which part of a peer asked for a wake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeReason {
    /// Nothing waits.
    Nothing,
    /// The signaling session: a back-off, a ping, a deadline.
    Session,
    /// A connection attempt, or the next one.
    Links,
    /// A question about what a segment must be.
    Proofs,
    /// A swarm's schedule.
    Swarm,
}

impl Wake {
    /// Nothing waits.
    pub const NEVER: Self = Self { at: Time::NEVER, why: WakeReason::Nothing };

    /// The earlier of two.
    pub(crate) fn or(self, at: Time, why: WakeReason) -> Self {
        if at < self.at { Self { at, why } } else { self }
    }
}
