//! One direction of an access link: a FIFO drained at a fixed rate.

use std::time::Duration;

use primitives::Time;

/// A rate that costs no time.
pub const UNLIMITED: u64 = u64::MAX;

/// How long `bytes` take at `bits_per_s`, rounded up to a microsecond.
pub fn transfer_time(bytes: u64, bits_per_s: u64) -> Duration {
    if bits_per_s == UNLIMITED {
        return Duration::ZERO;
    }
    Duration::from_micros((bytes * 8_000_000).div_ceil(bits_per_s.max(1)))
}

/// A FIFO of which only the time when its last byte leaves is known: that is all it takes.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) bits_per_s: u64,
    pub(crate) queue: Duration,
    free_at: Time,
}

impl Line {
    pub(crate) const fn new(bits_per_s: u64, queue: Duration) -> Self {
        Self { bits_per_s, queue, free_at: Time::ZERO }
    }

    /// Whether one more message may enter: what is queued drains within the bound.
    pub(crate) fn has_room(&self, now: Time) -> bool {
        self.free_at <= now + self.queue
    }

    /// When one more message may enter.
    pub(crate) fn room_at(&self) -> Time {
        self.free_at.before(self.queue)
    }

    /// Queues `bytes` and returns when the last of them leaves.
    pub(crate) fn pass(&mut self, now: Time, bytes: u64) -> Time {
        self.free_at = self.free_at.max(now) + transfer_time(bytes, self.bits_per_s);
        self.free_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_drains_at_its_rate() {
        let mut line = Line::new(8_000_000, Duration::from_millis(10));
        assert_eq!(line.pass(Time::ZERO, 1_000_000), Time::from_ms(1000));
        assert_eq!(line.pass(Time::ZERO, 5_000), Time::from_ms(1005));
        assert!(!line.has_room(Time::from_ms(990)));
        assert_eq!(line.room_at(), Time::from_ms(995));
        assert!(line.has_room(Time::from_ms(995)));
    }

    #[test]
    fn an_unlimited_line_takes_no_time() {
        assert_eq!(transfer_time(1 << 40, UNLIMITED), Duration::ZERO);
    }
}
