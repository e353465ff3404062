//! Bytes per second of the last minutes.

use std::collections::VecDeque;

use primitives::Time;

use crate::view::{HISTORY_SECONDS_MAX, Second};

/// Which way bytes came or went.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Origin,
    Peer,
    Cache,
    Upload,
}

/// A ring of seconds. It needs no timer: it is brought up to date when written and when read.
#[derive(Debug)]
pub(crate) struct History {
    seconds: VecDeque<Second>,
    /// Number of the last second in the ring, on the driver's clock.
    last: u64,
}

impl History {
    pub(crate) fn new(now: Time) -> Self {
        Self { seconds: VecDeque::from([Second::default()]), last: second_of(now) }
    }

    pub(crate) fn add(&mut self, now: Time, way: Way, bytes: usize) {
        self.roll(now);
        let Some(second) = self.seconds.back_mut() else { return };
        let count = match way {
            Way::Origin => &mut second.origin_bytes,
            Way::Peer => &mut second.peer_bytes,
            Way::Cache => &mut second.cache_bytes,
            Way::Upload => &mut second.upload_bytes,
        };
        *count = count.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// Oldest first; the last is the running second.
    pub(crate) fn seconds(&self, now: Time) -> Vec<Second> {
        let quiet = self.quiet(now);
        let kept = HISTORY_SECONDS_MAX - quiet;
        let skipped = self.seconds.len().saturating_sub(kept);
        let mut seconds: Vec<Second> = self.seconds.iter().skip(skipped).copied().collect();
        seconds.extend(std::iter::repeat_n(Second::default(), quiet));
        seconds
    }

    fn roll(&mut self, now: Time) {
        for _ in 0..self.quiet(now) {
            if self.seconds.len() >= HISTORY_SECONDS_MAX {
                self.seconds.pop_front();
            }
            self.seconds.push_back(Second::default());
        }
        self.last = self.last.max(second_of(now));
    }

    /// Seconds that began since the last one of the ring, at most all that are kept.
    fn quiet(&self, now: Time) -> usize {
        let begun = second_of(now).saturating_sub(self.last);
        usize::try_from(begun).unwrap_or(usize::MAX).min(HISTORY_SECONDS_MAX)
    }
}

fn second_of(now: Time) -> u64 {
    now.as_ms() / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_seconds_are_zero_and_old_ones_go() {
        let at = Time::from_ms;
        let mut history = History::new(at(500));
        history.add(at(600), Way::Peer, 10);
        history.add(at(2_100), Way::Origin, 7);
        let seen: Vec<(u32, u32)> =
            history.seconds(at(3_000)).iter().map(|s| (s.peer_bytes, s.origin_bytes)).collect();
        assert_eq!(seen, [(10, 0), (0, 0), (0, 7), (0, 0)]);
        assert_eq!(history.seconds(at(10_000_000)).len(), HISTORY_SECONDS_MAX);
        history.add(at(10_000_000), Way::Upload, 3);
        let seconds = history.seconds(at(10_000_000));
        assert_eq!(seconds.len(), HISTORY_SECONDS_MAX);
        assert_eq!(seconds.iter().map(|s| s.upload_bytes).sum::<u32>(), 3);
        assert_eq!(seconds.iter().map(|s| s.peer_bytes).sum::<u32>(), 0);
    }
}
