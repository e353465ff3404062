//! How long to wait before the next attempt.

use core::time::Duration;

use primitives::{Rng, Seed};

/// First and longest delay.
const DELAY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// A connection that lasted this long was a success.
const LASTING: Duration = Duration::from_secs(10);

/// Doubling delays, half of each drawn by lot, so that the peers of a restarted server do not come
/// back in step.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    rng: Rng,
}

impl Backoff {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { failures: 0, rng: seed.rng() }
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The delay after a connection that lasted `lasted`; zero if none came about.
    pub(crate) fn next(&mut self, lasted: Duration) -> Duration {
        if lasted >= LASTING {
            self.failures = 0;
        }
        let whole = DELAY.0.saturating_mul(1 << self.failures.min(10)).min(DELAY.1);
        self.failures = self.failures.saturating_add(1);
        jitter(&mut self.rng, whole)
    }
}

/// Between half of `whole` and all of it.
pub(crate) fn jitter(rng: &mut Rng, whole: Duration) -> Duration {
    let half_ms = u64::try_from(whole.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half_ms.saturating_add(rng.u64(0..=half_ms)))
}
