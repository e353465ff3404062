//! How much may be under way to one neighbour: a window led by delay, as LEDBAT's (RFC 6817).
//!
//! SCTP, as browsers have it, opens its window until a queue overflows and then repairs about one packet
//! in each round trip. On a line of 5 Mbit/s with a queue of 200 ms the first second of a connection lost
//! 104 packets, and for five seconds next to nothing came through. A window of ours, below SCTP's, keeps
//! the queue short: nothing is lost, an urgent piece is not stuck behind others, and whatever else the
//! person does on that line stays quick.
//!
//! The receiver says how many bytes of payload it got ([`wire::peer::Ack`]). What is above the smallest
//! delay of the last minute is the queue; the window grows while that is below [`config::QUEUE`] and
//! shrinks above it. A tab that was busy looks like a queue for a moment, so the least of the last few
//! delays counts; a processor that is busy all the time does too, so some bytes may always be under way
//! ([`config::FLIGHT_LEAST_BYTES`], shared by all neighbours).

use std::collections::VecDeque;

use core::time::Duration;

use primitives::Time;

use crate::config;

/// Delays of which the least counts.
const RECENT: usize = 4;
/// Most acknowledgements waited for: the largest window in the smallest usual frames.
const MARKS_MAX: usize = 1024;

/// The window of one direction of one connection.
#[derive(Debug)]
pub(crate) struct Window {
    bytes: u64,
    /// Doubles each round trip until the first sign of a queue.
    starts: bool,
    sent: u64,
    acked: u64,
    /// Ends of frames under way, in bytes of all that was sent, and when they were sent.
    marks: VecDeque<(u64, Time)>,
    recent: [Duration; RECENT],
    turn: usize,
    /// Least delay of this half minute and of the one before.
    least: [Duration; 2],
    half_since: Time,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            bytes: config::FLIGHT_BYTES.0,
            starts: true,
            sent: 0,
            acked: 0,
            marks: VecDeque::new(),
            recent: [Duration::MAX; RECENT],
            turn: 0,
            least: [Duration::MAX; 2],
            half_since: Time::ZERO,
        }
    }
}

impl Window {
    /// Payload sent and not acknowledged.
    pub(crate) fn flight_bytes(&self) -> u64 {
        self.sent - self.acked
    }

    /// Whether a frame more may go.
    pub(crate) fn has_room(&self, frame_bytes: u64) -> bool {
        let flight = self.flight_bytes();
        flight == 0 || flight + frame_bytes <= self.bytes
    }

    pub(crate) fn note_sent(&mut self, now: Time, payload_bytes: u64) {
        self.sent += payload_bytes;
        if self.marks.len() < MARKS_MAX {
            self.marks.push_back((self.sent, now));
        }
    }

    /// The neighbour got `total` bytes of payload since the connection began. What it can't have got is
    /// not believed.
    pub(crate) fn note_acked(&mut self, now: Time, total: u64) {
        if total <= self.acked || total > self.sent {
            return;
        }
        let was_full = self.flight_bytes() * 2 >= self.bytes;
        let acked = total - self.acked;
        self.acked = total;
        let mut sent_at = None;
        while let Some((end, at)) = self.marks.front().copied()
            && end <= total
        {
            sent_at = Some(at);
            self.marks.pop_front();
        }
        if let Some(at) = sent_at {
            let delay = now.since(at);
            let queue = self.note_delay(now, delay);
            if self.starts && delay.saturating_sub(self.least_delay()) > config::QUEUE / 2 {
                // What is under way was sent by a window of half the size, and more is to come.
                self.starts = false;
                self.bytes = self.bytes * 3 / 4;
            }
            self.adapt(acked, queue, was_full);
        }
    }

    /// Takes a delay in; how much of the delay is a queue.
    fn note_delay(&mut self, now: Time, delay: Duration) -> Duration {
        if now.since(self.half_since) > config::LEAST_DELAY_FOR / 2 {
            self.least = [Duration::MAX, self.least[0]];
            self.half_since = now;
        }
        self.least[0] = self.least[0].min(delay);
        self.recent[self.turn % RECENT] = delay;
        self.turn = self.turn.wrapping_add(1);
        let recent = self.recent.iter().copied().min().unwrap_or(delay);
        recent.saturating_sub(self.least_delay())
    }

    fn least_delay(&self) -> Duration {
        self.least[0].min(self.least[1])
    }

    fn adapt(&mut self, acked: u64, queue: Duration, was_full: bool) {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let (target, queue) = (micros(config::QUEUE), micros(queue));
        let frame = u64::try_from(wire::limits::FRAME_PAYLOAD_BYTES_MAX).unwrap_or(u64::MAX);
        if queue > target {
            // All of a window's acknowledgements together take away what the queue is above its target,
            // at most a half.
            let over = (queue - target).min(target / 2);
            self.bytes -= (acked * over / target).min(self.bytes / 2);
        } else if was_full {
            // A frame more in each round trip, less the nearer the target is.
            let linear = frame * acked / self.bytes.max(1) * (target - queue) / target;
            self.bytes += if self.starts { acked } else { linear };
        }
        self.bytes = self.bytes.clamp(frame, config::FLIGHT_BYTES.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 16_384;

    /// A line of `bytes_per_s` with `one_way` each way, always asked for more; the longest queue and the
    /// bytes of the last second.
    fn run(bytes_per_s: u64, one_way: Duration, seconds: u64) -> (Duration, u64) {
        let mut window = Window::default();
        let mut free_at = Time::ZERO;
        let mut acks: VecDeque<(Time, u64)> = VecDeque::new();
        let mut longest = Duration::ZERO;
        let mut last_second = 0;
        let end = Time::from_ms(seconds * 1000);
        let mut now = Time::ZERO;
        while now < end {
            while window.has_room(FRAME) {
                let starts = free_at.max(now);
                longest = longest.max(starts.since(now));
                free_at = starts + crate::rate::time_for(FRAME, bytes_per_s);
                window.note_sent(now, FRAME);
                acks.push_back((free_at + one_way * 2, window.sent));
            }
            let Some((at, total)) = acks.pop_front() else { break };
            now = at;
            window.note_acked(now, total);
            if end.since(now) < Duration::from_secs(1) {
                last_second += FRAME;
            }
        }
        (longest, last_second)
    }

    #[test]
    fn a_home_line_is_filled_and_its_queue_stays_short() {
        let (longest, last_second) = run(625_000, Duration::from_millis(20), 20);
        assert!(longest <= Duration::from_millis(160), "{longest:?}");
        assert!(last_second >= 560_000, "{last_second}");
    }

    #[test]
    fn a_fast_line_is_filled_too() {
        let (_, last_second) = run(20_000_000, Duration::from_millis(10), 20);
        assert!(last_second >= 15_000_000, "{last_second}");
    }

    #[test]
    fn what_was_not_sent_is_not_acknowledged() {
        let mut window = Window::default();
        window.note_sent(Time::ZERO, 100);
        window.note_acked(Time::from_ms(10), 200);
        assert_eq!(window.flight_bytes(), 100);
        window.note_acked(Time::from_ms(10), 60);
        window.note_acked(Time::from_ms(20), 40);
        assert_eq!(window.flight_bytes(), 40);
    }

    #[test]
    fn an_idle_window_does_not_grow() {
        let mut window = Window::default();
        for turn in 1..100 {
            window.note_sent(Time::from_ms(turn * 100), 1_000);
            window.note_acked(Time::from_ms(turn * 100 + 10), turn * 1_000);
        }
        assert_eq!(window.bytes, config::FLIGHT_BYTES.0);
    }
}
