//! Time as an argument.

use core::{
    ops::{Add, Sub},
    time::Duration,
};

/// A moment on the driver's monotonic clock, in microseconds since the driver's own start.
///
/// Only differences mean anything, and only within one process. Subtraction saturates at zero:
/// clocks of browsers do step back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// The driver's start.
    pub const ZERO: Self = Self(0);
    /// Later than everything: "never".
    pub const NEVER: Self = Self(u64::MAX);

    /// `us` microseconds after the start.
    pub const fn from_us(us: u64) -> Self {
        Self(us)
    }

    /// `ms` milliseconds after the start.
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// Microseconds since the start.
    pub const fn as_us(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the start.
    pub const fn as_ms(self) -> u64 {
        self.0 / 1000
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// This moment less `duration`, not before the start.
    pub fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }

    /// This moment plus a signed number of milliseconds, clamped to the clock's range.
    pub fn offset_ms(self, ms: i64) -> Self {
        let us = ms.unsigned_abs().saturating_mul(1000);
        Self(if ms < 0 { self.0.saturating_sub(us) } else { self.0.saturating_add(us) })
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl Sub for Time {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
