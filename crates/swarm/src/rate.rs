//! Rates measured honestly: bytes that were of use, over the time they were waited for.

use core::time::Duration;

use primitives::Time;

/// Busy time after which a sample is taken.
const SAMPLE_BUSY: Duration = Duration::from_millis(250);
/// Bytes after which a sample is taken earlier, if some time passed.
const SAMPLE_BYTES: u64 = 512 * 1024;
/// Shortest time a sample may span: shorter measures the scheduler, not the line.
const SAMPLE_LEAST: Duration = Duration::from_millis(20);

/// Goodput of one source: bytes per second of the time in which something was asked of it.
#[derive(Debug, Clone, Default)]
pub struct Goodput {
    bytes_per_s: Option<u64>,
    bytes: u64,
    busy: Duration,
    busy_since: Option<Time>,
}

impl Goodput {
    /// Tells whether something is asked of the source from now on.
    pub fn set_busy(&mut self, now: Time, busy: bool) {
        self.advance(now);
        self.busy_since = busy.then_some(now);
    }

    /// Useful bytes came.
    pub fn add(&mut self, now: Time, bytes: u32) {
        self.bytes += u64::from(bytes);
        self.advance(now);
    }

    /// A load by somebody else from the same source: `bytes` in all of that time.
    pub fn add_load(&mut self, bytes: u32, took: Duration) {
        self.sample(per_second(u64::from(bytes), took.max(SAMPLE_LEAST)));
    }

    /// Bytes per second; `None` before the first sample.
    pub fn bytes_per_s(&self) -> Option<u64> {
        self.bytes_per_s
    }

    fn advance(&mut self, now: Time) {
        if let Some(since) = self.busy_since {
            self.busy += now.since(since);
            self.busy_since = Some(now);
        }
        let long = self.busy >= SAMPLE_BUSY;
        let large = self.bytes >= SAMPLE_BYTES && self.busy >= SAMPLE_LEAST;
        if long || large {
            self.sample(per_second(self.bytes, self.busy));
            self.bytes = 0;
            self.busy = Duration::ZERO;
        }
    }

    fn sample(&mut self, sample: u64) {
        // A quarter of the old weight is lost in a quarter of a second of silence.
        self.bytes_per_s = Some(self.bytes_per_s.map_or(sample, |old| (old * 3 + sample) / 4));
    }
}

/// Bytes over a time as bytes per second.
pub fn per_second(bytes: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_mul(1_000_000) / micros
}

/// How long `bytes` take at a rate.
pub fn time_for(bytes: u64, bytes_per_s: u64) -> Duration {
    Duration::from_micros(bytes.saturating_mul(1_000_000) / bytes_per_s.max(1))
}

/// Bytes a rate gives in a time.
pub fn bytes_in(bytes_per_s: u64, time: Duration) -> u64 {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    bytes_per_s.saturating_mul(micros) / 1_000_000
}

/// Best whole second of the last ten, over all sources: what the line has shown it can carry.
#[derive(Debug, Clone, Default)]
pub(crate) struct BestSecond {
    seconds: [u64; 10],
    at: u64,
}

impl BestSecond {
    pub(crate) fn add(&mut self, now: Time, bytes: u32) {
        let second = now.as_ms() / 1000;
        while self.at < second {
            // A long silence empties every slot once; more turns change nothing.
            self.at = if second - self.at > 10 { second - 10 } else { self.at + 1 };
            let slot = self.slot();
            self.seconds[slot] = 0;
        }
        let slot = self.slot();
        self.seconds[slot] += u64::from(bytes);
    }

    pub(crate) fn bytes_per_s(&self) -> u64 {
        self.seconds.iter().copied().max().unwrap_or(0)
    }

    fn slot(&self) -> usize {
        usize::try_from(self.at % 10).expect("below ten")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_time_does_not_lower_a_rate() {
        let mut goodput = Goodput::default();
        goodput.set_busy(Time::ZERO, true);
        goodput.add(Time::from_ms(500), 500_000);
        assert_eq!(goodput.bytes_per_s(), Some(1_000_000));
        goodput.set_busy(Time::from_ms(500), false);
        goodput.set_busy(Time::from_ms(60_000), true);
        goodput.add(Time::from_ms(60_500), 500_000);
        assert_eq!(goodput.bytes_per_s(), Some(1_000_000));
    }

    #[test]
    fn silence_while_asked_does() {
        let mut goodput = Goodput::default();
        goodput.set_busy(Time::ZERO, true);
        goodput.add(Time::from_ms(500), 500_000);
        goodput.set_busy(Time::from_ms(1_000), true);
        assert_eq!(goodput.bytes_per_s(), Some(750_000));
    }

    #[test]
    fn the_best_second_is_forgotten_after_ten() {
        let mut best = BestSecond::default();
        best.add(Time::from_ms(1_500), 100);
        best.add(Time::from_ms(1_600), 100);
        best.add(Time::from_ms(2_500), 50);
        assert_eq!(best.bytes_per_s(), 200);
        best.add(Time::from_ms(11_500), 1);
        assert_eq!(best.bytes_per_s(), 50);
        best.add(Time::from_ms(99_500), 1);
        assert_eq!(best.bytes_per_s(), 1);
    }
}
