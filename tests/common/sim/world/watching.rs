//! The players: playlists, requests, deliveries.

use std::time::Duration;

use primitives::{SegmentId, Time};
use swarm::{Input, Track, TrackSegment};

use super::{Timer, World};
use crate::sim::{player::Phase, viewer::Job};

/// The driver tells the swarm where the player is this often, and at every change.
const PLAYHEAD_EVERY: Duration = Duration::from_secs(1);

impl World {
    /// A playlist came: the first, or a live one again.
    pub(super) fn load_playlist(&mut self, viewer: usize) {
        let now = self.net.now();
        let again = Timer::Playlist(viewer);
        if self.viewers[viewer].life.is_none() {
            return;
        }
        if self.is_offline(viewer) {
            self.net.set_timer(now + Duration::from_secs(1), again);
            return;
        }
        let (first, last, more) = self.window(now);
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let base = *life.first_listed.get_or_insert(first);
        let segments = self.scenario_segments(base, first, last);
        let Some(life) = &mut self.viewers[viewer].life else { return };
        if life.player.phase == Phase::Ended {
            return;
        }
        if life.listed.is_empty() {
            life.listed.insert(life.player.track);
        }
        let gave_up = life.player.waits_for;
        life.player.set_playlist(now, segments.clone(), more);
        let gave_up = gave_up.filter(|_| life.player.waits_for.is_none());
        let tracks: Vec<u16> = life.listed.iter().copied().collect();
        for track in tracks {
            let list = Track { track, live: more, segments: segments.clone() };
            self.queue(viewer, Job::Plain(Input::Track(list)));
        }
        if let Some(segment) = gave_up {
            self.queue(viewer, Job::Plain(Input::Unwant(segment)));
        }
        if more {
            let at = now + self.until_reload(now);
            self.net.set_timer(at, again);
        }
        self.watch(viewer);
    }

    /// First and last segment listed at a moment, and whether more will come.
    fn window(&self, now: Time) -> (u32, u32, bool) {
        let count = self.scenario.segments;
        if !self.scenario.live {
            return (0, count - 1, false);
        }
        let newest = |at: Time| count - 1 + self.segments_between(at);
        let last = newest(now).min(newest(self.scenario.ends_at()));
        (last + 1 - count, last, now < self.scenario.ends_at())
    }

    fn segments_between(&self, at: Time) -> u32 {
        let segment_us = self.scenario.segment.as_micros().max(1);
        u32::try_from(u128::from(at.as_us()) / segment_us).unwrap_or(u32::MAX)
    }

    /// When a segment first exists.
    pub(super) fn exists_at(&self, id: SegmentId) -> Time {
        if !self.scenario.live || id.index < self.scenario.segments {
            return Time::ZERO;
        }
        Time::ZERO + self.scenario.segment * (id.index + 1 - self.scenario.segments)
    }

    /// Players reload a live list once per target duration, each in its own phase; this one is a
    /// little early or late each time, as requests are.
    fn until_reload(&mut self, now: Time) -> Duration {
        let segment = self.scenario.segment;
        let rest = self.scenario.ends_at().since(now) + Duration::from_millis(200);
        (segment * self.rng.u32(97..=103) / 100).min(rest.max(Duration::from_millis(200)))
    }

    fn scenario_segments(&self, base: u32, first: u32, last: u32) -> Vec<TrackSegment> {
        let duration_ms = u32::try_from(self.scenario.segment.as_millis()).unwrap_or(u32::MAX);
        (first..=last)
            .map(|index| TrackSegment {
                index,
                start_ms: u64::from(index - base) * u64::from(duration_ms),
                duration_ms,
            })
            .collect()
    }

    /// The list of another rendition came, for which the player waits.
    pub(super) fn track_listed(&mut self, viewer: usize, segment: SegmentId) {
        let (first, last, live) = self.window(self.net.now());
        let Some(life) = &mut self.viewers[viewer].life else { return };
        life.listed.insert(segment.track);
        let (base, waits_for) = (life.first_listed.unwrap_or(first), life.player.waits_for);
        let segments = self.scenario_segments(base, first, last);
        let list = Track { track: segment.track, live, segments };
        self.queue(viewer, Job::Plain(Input::Track(list)));
        if waits_for == Some(segment) {
            self.queue(viewer, Job::Plain(Input::Want(segment)));
        }
    }

    pub(super) fn player_timer(&mut self, viewer: usize) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        if now < life.player_timer_at {
            return;
        }
        life.player_timer_at = Time::NEVER;
        self.watch(viewer);
    }

    /// Lets the player act, tells the swarm where it is, and sets its timer.
    fn watch(&mut self, viewer: usize) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let phase = life.player.phase;
        let asked = life.player.tick(now);
        if life.player.phase != phase {
            let text = format!("  player      {phase:?} -> {:?}", life.player.phase);
            if let Some(trace) = self.trace.as_mut().filter(|trace| trace.viewer == viewer) {
                trace.note(now, &text);
            }
        }
        let next_at = life.player.next_at();
        if next_at < life.player_timer_at {
            life.player_timer_at = next_at;
            self.net.set_timer(next_at, Timer::Player(viewer));
        }
        let listed = asked.is_some_and(|segment| life.listed.contains(&segment.track));
        let playhead = life.player.playhead(now);
        if life.player.phase == Phase::Ended {
            self.unfinished.remove(&viewer);
        }
        match asked {
            Some(segment) if listed => self.queue(viewer, Job::Plain(Input::Want(segment))),
            Some(segment) => {
                let at = now + self.origin_answer_time();
                self.net.set_timer(at, Timer::Listed(viewer, segment));
            }
            None => {}
        }
        self.queue(viewer, Job::Plain(Input::Playback(playhead)));
    }

    pub(super) fn playhead_timer(&mut self, viewer: usize) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        life.player.sample(now);
        if life.player.phase == Phase::Ended {
            return;
        }
        if !life.listed.is_empty() {
            let playhead = life.player.playhead(now);
            self.queue(viewer, Job::Plain(Input::Playback(playhead)));
        }
        self.net.set_timer(now + PLAYHEAD_EVERY, Timer::Playhead(viewer));
    }

    pub(super) fn delivered(
        &mut self,
        viewer: usize,
        segment: SegmentId,
        size: usize,
        bytes_per_s: u64,
    ) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        if life.player.waits_for != Some(segment) {
            return self.problem(viewer, &format!("delivers {segment}, which nobody waits for"));
        }
        life.player.on_delivered(now, size, bytes_per_s);
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        self.played.insert(segment, size);
        self.played_bytes += size;
        self.watch(viewer);
    }

    pub(super) fn failed(&mut self, viewer: usize, segment: SegmentId) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        if life.player.waits_for != Some(segment) {
            return self.problem(viewer, &format!("fails {segment}, which nobody waits for"));
        }
        life.player.on_failed(now);
        self.watch(viewer);
    }
}
