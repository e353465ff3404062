//! When slots are: by the ledger's time, or faster in communities for trying out.

use minicbor::{Decode, Encode};

use super::SLOT_S;
use crate::BlockContext;

/// Fastest clock of a community for trying out: a slot in a quarter of a second.
pub const PACE_MAX: u32 = 3_600;
/// Milliseconds of a slot.
const SLOT_MS: u64 = SLOT_S * 1_000;

/// A clock that runs faster than the ledger's, from the moment its community was opened: a day is tried in
/// minutes. Everything that counts slots goes by it: windows, notices, what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Clock {
    /// How many times as fast, from 2 to [`PACE_MAX`].
    #[n(0)]
    pub pace: u32,
    /// When both showed the same, in milliseconds since 1970-01-01 UTC.
    #[n(1)]
    pub opened_ms: u64,
}

impl Clock {
    /// What it shows at a time of the ledger, both in milliseconds since 1970-01-01 UTC.
    pub fn shows_ms(&self, time_ms: u64) -> u64 {
        let since = time_ms.saturating_sub(self.opened_ms);
        self.opened_ms.saturating_add(since.saturating_mul(self.pace.into()))
    }

    /// The first time of the ledger at which it shows that much or more.
    fn reaches_ms(&self, shown_ms: u64) -> u64 {
        let since = shown_ms.saturating_sub(self.opened_ms);
        self.opened_ms.saturating_add(since.div_ceil(u64::from(self.pace.max(1))))
    }
}

impl super::Community {
    /// The slot that runs at a time of the ledger, in milliseconds since 1970-01-01 UTC.
    pub fn slot_at(&self, time_ms: u64) -> u64 {
        self.clock.map_or(time_ms, |clock| clock.shows_ms(time_ms)) / SLOT_MS
    }

    /// When a slot begins by the ledger's time, in milliseconds since 1970-01-01 UTC.
    pub fn begins_ms(&self, slot: u64) -> u64 {
        let shown_ms = slot.saturating_mul(SLOT_MS);
        self.clock.map_or(shown_ms, |clock| clock.reaches_ms(shown_ms))
    }

    /// How many times as fast as the ledger's its clock runs.
    pub fn pace(&self) -> u32 {
        self.clock.map_or(1, |clock| clock.pace)
    }

    /// The slot that runs now.
    pub(super) fn now(&self, context: &BlockContext) -> u64 {
        self.slot_at(context.time_ms)
    }
}
