//! A player as hls.js 1.6 plays, as far as a swarm can tell.
//!
//! It asks for one segment at a time until 30 s are buffered, starts when the first one is there, stalls
//! when it runs dry and goes on with the next delivery. Live: starts three segments behind the edge and
//! jumps there again when it falls out of the window. Rates: hls.js's two moving averages of what the
//! swarm says it gets, up at 70 % of the lower, down at 95 %.

use std::time::Duration;

use primitives::{SegmentId, Time};
use swarm::{Playhead, TrackSegment};

/// hls.js `maxBufferLength`.
const BUFFER_GOAL_MS: u64 = 30_000;
/// hls.js `liveSyncDurationCount`.
const LIVE_BEHIND: usize = 3;
/// hls.js `abrEwmaDefaultEstimate`, bits per second.
const FIRST_ESTIMATE: f64 = 500_000.0;
/// hls.js `abrEwmaFastVoD` and `abrEwmaSlowVoD`: half-lives in seconds of loading.
const HALF_LIVES_S: [f64; 2] = [3.0, 9.0];

/// Where a player is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing played yet.
    Starting,
    /// Plays.
    Playing,
    /// Ran dry.
    Stalled,
    /// Played to the end.
    Ended,
}

/// One player.
#[derive(Debug)]
pub(crate) struct Player {
    joined: Time,
    pub(crate) phase: Phase,
    segments: Vec<TrackSegment>,
    live: bool,
    /// Bits per second of each track.
    ladder: Vec<u64>,
    pub(crate) track: u16,
    next_index: Option<u32>,
    pub(crate) waits_for: Option<SegmentId>,
    retry_at: Option<Time>,
    failures: u32,
    /// Position at a moment, from which playing goes on.
    anchor: (Time, u64),
    buffered_ms: u64,
    estimates: [f64; 2],
    weights: [f64; 2],
    pub(crate) score: Score,
}

/// How well it played.
#[derive(Debug, Clone, Default)]
pub(crate) struct Score {
    pub(crate) startup: Option<Duration>,
    pub(crate) stalls: u32,
    pub(crate) stalled: Duration,
    stalled_since: Option<Time>,
    /// Times it fell out of the live window and jumped.
    pub(crate) jumps: u32,
    /// Requests the swarm failed.
    pub(crate) failures: u32,
    /// Sum and count of samples of what was buffered ahead, in milliseconds.
    pub(crate) ahead_ms: (u64, u64),
    /// Segments played of each track.
    pub(crate) segments_by_track: Vec<u32>,
}

impl Player {
    pub(crate) fn new(joined: Time, ladder: Vec<u64>) -> Self {
        let lowest = (0_u16..).zip(&ladder).min_by_key(|(_, rate)| **rate);
        let track = lowest.map_or(0, |(track, _)| track);
        let score = Score { segments_by_track: vec![0; ladder.len()], ..Score::default() };
        Self {
            joined,
            phase: Phase::Starting,
            segments: Vec::new(),
            live: false,
            ladder,
            track,
            next_index: None,
            waits_for: None,
            retry_at: None,
            failures: 0,
            anchor: (joined, 0),
            buffered_ms: 0,
            estimates: [0.0; 2],
            weights: [0.0; 2],
            score,
        }
    }

    /// Takes the playlist.
    pub(crate) fn set_playlist(&mut self, now: Time, segments: Vec<TrackSegment>, live: bool) {
        self.segments = segments;
        self.live = live;
        if self.next_index.is_none() {
            self.start_at_edge(now);
        } else if self.fell_out() {
            self.score.jumps += 1;
            self.waits_for = None;
            self.start_at_edge(now);
        }
    }

    fn start_at_edge(&mut self, now: Time) {
        let behind = if self.live { LIVE_BEHIND } else { self.segments.len() };
        let Some(first) = self.segments.get(self.segments.len().saturating_sub(behind)) else {
            return;
        };
        self.next_index = Some(first.index);
        self.anchor = (now, first.start_ms);
        self.buffered_ms = first.start_ms;
    }

    /// Whether what it needs next has left the window.
    fn fell_out(&self) -> bool {
        let first = self.segments.first().map_or(0, |segment| segment.index);
        self.next_index.is_some_and(|next| next < first)
    }

    fn position_us(&self, now: Time) -> u64 {
        let (at, position_ms) = self.anchor;
        let passed = if self.phase == Phase::Playing { now.since(at) } else { Duration::ZERO };
        let end_us = self.buffered_ms.max(position_ms) * 1000;
        (position_ms * 1000 + u64::try_from(passed.as_micros()).unwrap_or(0)).min(end_us)
    }

    /// What the driver tells the swarm.
    pub(crate) fn playhead(&self, now: Time) -> Playhead {
        Playhead {
            track: self.track,
            position_ms: self.position_us(now) / 1000,
            buffered_ms: self.buffered_ms,
            rate_percent: 100,
        }
    }

    /// Takes a sample of what is buffered ahead, once it has had time to fill the buffer and while there
    /// is more to buffer.
    pub(crate) fn sample(&mut self, now: Time) {
        let settled = now.since(self.joined) > Duration::from_secs(15);
        if settled && self.phase != Phase::Ended && !self.is_complete() {
            let ahead_ms = self.buffered_ms.saturating_sub(self.position_us(now) / 1000);
            self.score.ahead_ms.0 += ahead_ms;
            self.score.ahead_ms.1 += 1;
        }
    }

    /// Moves on to `now`. Returns the segment to ask for, if it is time to ask for one.
    pub(crate) fn tick(&mut self, now: Time) -> Option<SegmentId> {
        if self.phase == Phase::Playing && self.runs_dry_at() <= now {
            self.anchor = (now, self.buffered_ms);
            if self.is_complete() {
                self.phase = Phase::Ended;
            } else {
                self.phase = Phase::Stalled;
                self.score.stalls += 1;
                self.score.stalled_since = Some(now);
            }
        }
        if self.waits_for.is_some() || self.asks_at().is_none_or(|at| at > now) {
            return None;
        }
        let id = SegmentId::new(self.choose_track(), self.next_index?);
        self.track = id.track;
        self.waits_for = Some(id);
        self.retry_at = None;
        Some(id)
    }

    /// When to call [`Player::tick`] again.
    pub(crate) fn next_at(&self) -> Time {
        let asks_at = if self.waits_for.is_none() { self.asks_at() } else { None };
        let dry = if self.phase == Phase::Playing { self.runs_dry_at() } else { Time::NEVER };
        asks_at.unwrap_or(Time::NEVER).min(dry)
    }

    fn runs_dry_at(&self) -> Time {
        let (at, position_ms) = self.anchor;
        at + Duration::from_millis(self.buffered_ms.saturating_sub(position_ms))
    }

    fn is_complete(&self) -> bool {
        let last = self.segments.last().map(|segment| segment.index);
        !self.live && last.zip(self.next_index).is_some_and(|(last, next)| next > last)
    }

    /// When the next segment is to be asked for: `None` while there is none in the list.
    fn asks_at(&self) -> Option<Time> {
        let next = self.next_index?;
        let listed = self.segments.iter().any(|segment| segment.index == next);
        if !listed || self.phase == Phase::Ended {
            return None;
        }
        let (at, position_ms) = self.anchor;
        let room_from = self.buffered_ms.saturating_sub(BUFFER_GOAL_MS);
        let room_at = at + Duration::from_millis(room_from.saturating_sub(position_ms));
        Some(room_at.max(self.retry_at.unwrap_or(Time::ZERO)))
    }

    /// The segment it waited for is there.
    pub(crate) fn on_delivered(&mut self, now: Time, size_bytes: usize, bytes_per_s: u64) {
        let Some(id) = self.waits_for.take() else { return };
        let Some(segment) = self.segments.iter().copied().find(|s| s.index == id.index) else {
            return;
        };
        self.estimate(size_bytes, bytes_per_s);
        let position_us = self.position_us(now);
        self.failures = 0;
        self.buffered_ms = segment.start_ms + u64::from(segment.duration_ms);
        self.next_index = Some(id.index + 1);
        if let Some(count) = self.score.segments_by_track.get_mut(usize::from(id.track)) {
            *count += 1;
        }
        match self.phase {
            Phase::Starting => self.score.startup = Some(now.since(self.joined)),
            Phase::Stalled => {
                if let Some(since) = self.score.stalled_since.take() {
                    self.score.stalled += now.since(since);
                }
            }
            Phase::Playing | Phase::Ended => return,
        }
        self.anchor = (now, position_us / 1000);
        self.phase = Phase::Playing;
    }

    /// It can't be had: hls.js tries again after 1, 2, 4, at most 8 seconds.
    pub(crate) fn on_failed(&mut self, now: Time) {
        self.waits_for = None;
        self.score.failures += 1;
        self.retry_at = Some(now + Duration::from_secs(1 << self.failures.min(3)));
        self.failures += 1;
    }

    fn estimate(&mut self, size_bytes: usize, bytes_per_s: u64) {
        let kbits = |value: u64| f64::from(u32::try_from(value / 125).unwrap_or(u32::MAX));
        let bits = kbits(u64::try_from(size_bytes).unwrap_or(0)) * 1000.0;
        let bits_per_s = (kbits(bytes_per_s) * 1000.0).max(1.0);
        let weight_s = bits / bits_per_s;
        for (slot, half_life_s) in HALF_LIVES_S.into_iter().enumerate() {
            let keep = 0.5_f64.powf(weight_s / half_life_s);
            self.estimates[slot] = self.estimates[slot] * keep + bits_per_s * (1.0 - keep);
            self.weights[slot] = self.weights[slot] * keep + (1.0 - keep);
        }
    }

    fn choose_track(&self) -> u16 {
        let estimate = |slot: usize| {
            let weight = self.weights[slot];
            if weight > 0.0 { self.estimates[slot] / weight } else { FIRST_ESTIMATE }
        };
        let bits_per_s = estimate(0).min(estimate(1));
        let rate = |track: usize| self.ladder.get(track).copied().unwrap_or(0);
        let now = rate(usize::from(self.track));
        let fits = |track: &usize| {
            let share = if rate(*track) > now { 0.7 } else { 0.95 };
            let bits = f64::from(u32::try_from(rate(*track)).unwrap_or(u32::MAX));
            bits <= bits_per_s * share
        };
        let best = (0..self.ladder.len()).filter(fits).max_by_key(|track| rate(*track));
        let lowest = (0..self.ladder.len()).min_by_key(|track| rate(*track));
        u16::try_from(best.or(lowest).unwrap_or(0)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(first: u32, count: u32) -> Vec<TrackSegment> {
        (first..first + count)
            .map(|index| TrackSegment {
                index,
                start_ms: u64::from(index) * 4_000,
                duration_ms: 4_000,
            })
            .collect()
    }

    fn player(live: bool, segments: Vec<TrackSegment>) -> Player {
        let mut player = Player::new(Time::ZERO, vec![2_600_000]);
        player.set_playlist(Time::ZERO, segments, live);
        player
    }

    fn deliver(player: &mut Player, now: Time) -> Option<SegmentId> {
        player.on_delivered(now, 1_300_000, 2_000_000);
        player.tick(now)
    }

    #[test]
    fn it_buffers_thirty_seconds_and_then_waits() {
        let mut player = player(false, list(0, 30));
        let mut asked = player.tick(Time::ZERO);
        let mut count = 0;
        while asked.is_some() {
            count += 1;
            asked = deliver(&mut player, Time::ZERO);
        }
        assert_eq!(count, 8);
        // 32 s are buffered: two seconds must play first.
        assert_eq!(player.next_at(), Time::from_ms(2_000));
        assert_eq!(player.tick(Time::from_ms(2_000)), Some(SegmentId::new(0, 8)));
    }

    #[test]
    fn it_stalls_when_dry_and_counts_how_long() {
        let mut player = player(false, list(0, 2));
        player.tick(Time::ZERO);
        deliver(&mut player, Time::from_ms(1_000));
        assert_eq!(player.score.startup, Some(Duration::from_secs(1)));
        assert_eq!(player.next_at(), Time::from_ms(5_000));
        player.tick(Time::from_ms(5_000));
        assert_eq!(player.phase, Phase::Stalled);
        deliver(&mut player, Time::from_ms(7_000));
        assert_eq!((player.score.stalls, player.score.stalled), (1, Duration::from_secs(2)));
        player.tick(Time::from_ms(11_000));
        assert_eq!(player.phase, Phase::Ended);
    }

    #[test]
    fn live_starts_three_behind_and_jumps_when_it_falls_out() {
        let mut player = player(true, list(10, 10));
        assert_eq!(player.tick(Time::ZERO), Some(SegmentId::new(0, 17)));
        player.set_playlist(Time::from_ms(4_000), list(11, 10), true);
        assert_eq!(player.score.jumps, 0);
        player.set_playlist(Time::from_ms(40_000), list(20, 10), true);
        assert_eq!(player.score.jumps, 1);
        assert_eq!(player.tick(Time::from_ms(40_000)), Some(SegmentId::new(0, 27)));
    }

    #[test]
    fn it_climbs_the_ladder_when_the_line_allows() {
        let mut player = Player::new(Time::ZERO, vec![2_600_000, 870_000]);
        player.set_playlist(Time::ZERO, list(0, 30), false);
        assert_eq!(player.tick(Time::ZERO), Some(SegmentId::new(1, 0)));
        assert_eq!(deliver(&mut player, Time::ZERO), Some(SegmentId::new(0, 1)));
        player.on_delivered(Time::ZERO, 1_300_000, 100_000);
        assert_eq!(player.tick(Time::ZERO), Some(SegmentId::new(1, 2)));
    }
}
