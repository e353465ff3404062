//! When each segment is due: the player's lists, its position and its speed.

use core::time::Duration;

use primitives::{SegmentId, SortedMap, Time};
use wire::peer::Playback;

use crate::{
    config::{HORIZON, TRACK_SEGMENTS_MAX},
    input::{Playhead, Track, TrackSegment},
};

/// The tracks as the player lists them and where it is in them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    tracks: SortedMap<u16, Listed>,
    playhead: Option<(Playhead, Time)>,
    last_wanted: Option<SegmentId>,
}

#[derive(Debug, Clone, Default)]
struct Listed {
    segments: SortedMap<u32, Entry>,
}

impl Listed {
    /// The segment under a position; the first one after it where the list starts later.
    fn index_at(&self, position_ms: u64) -> u32 {
        let passed = |entry: &Entry| entry.end_ms() <= position_ms;
        // Lists are in order of time, so the passed ones come first.
        let at = self.segments.values().as_slice().partition_point(passed);
        self.segments.keys().as_slice().get(at).copied().unwrap_or(u32::MAX)
    }
}

/// One listed segment, and when the list first showed it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) start_ms: u64,
    pub(crate) duration_ms: u32,
    pub(crate) since: Time,
}

impl Entry {
    fn end_ms(&self) -> u64 {
        self.start_ms.saturating_add(self.duration_ms.into())
    }
}

impl Timeline {
    /// Takes the player's list of one track in place of the old one.
    pub(crate) fn set_track(&mut self, now: Time, track: Track) {
        if track.track >= wire::limits::TRACKS_MAX {
            return;
        }
        let old = self.tracks.remove(&track.track).unwrap_or_default();
        let entry = |segment: &TrackSegment| Entry {
            start_ms: segment.start_ms,
            duration_ms: segment.duration_ms,
            since: old.segments.get(&segment.index).map_or(now, |known| known.since),
        };
        let listed = track.segments.iter().take(TRACK_SEGMENTS_MAX);
        let segments = listed.map(|segment| (segment.index, entry(segment))).collect();
        self.tracks.insert(track.track, Listed { segments });
    }

    pub(crate) fn set_playhead(&mut self, now: Time, playhead: Playhead) {
        self.playhead = Some((playhead, now));
    }

    /// The player asked for this one: before the first playhead that tells which track plays.
    pub(crate) fn note_want(&mut self, segment: SegmentId) {
        self.last_wanted = Some(segment);
    }

    pub(crate) fn entry(&self, segment: SegmentId) -> Option<&Entry> {
        self.tracks.get(&segment.track)?.segments.get(&segment.index)
    }

    /// Position on the player's timeline at `now`, and its speed in percent. A paused or not yet
    /// started player counts as one that starts now.
    fn position_ms(&self, now: Time) -> Option<(u64, u64)> {
        let (playhead, at) = self.playhead.as_ref()?;
        let rate = u64::from(playhead.rate_percent);
        if rate == 0 {
            return Some((playhead.position_ms, 100));
        }
        let passed = u64::try_from(now.since(*at).as_millis()).unwrap_or(0);
        let passed = passed.saturating_mul(rate) / 100;
        // The player can't run past what it has: then it stalls, and everything is due now.
        let end = playhead.buffered_ms.max(playhead.position_ms);
        Some((playhead.position_ms.saturating_add(passed).min(end), rate))
    }

    /// When the player stalls without this segment. `None` when it is not listed or already passed.
    pub(crate) fn due(&self, now: Time, segment: SegmentId) -> Option<Time> {
        let entry = self.entry(segment)?;
        let Some((position_ms, rate)) = self.position_ms(now) else { return Some(now) };
        if entry.end_ms() <= position_ms {
            return None;
        }
        let ahead_ms = entry.start_ms.saturating_sub(position_ms).saturating_mul(100) / rate;
        Some(now + Duration::from_millis(ahead_ms))
    }

    /// When the neighbour that told `playback` at `told` stalls without this segment of its track.
    pub(crate) fn due_of(
        &self,
        playback: &Playback,
        told: Time,
        segment: SegmentId,
    ) -> Option<Time> {
        if playback.at.track != segment.track || segment.index < playback.at.index {
            return None;
        }
        let entry = self.entry(segment)?;
        let at = self.entry(playback.at).map_or_else(
            || {
                entry.start_ms.saturating_sub(
                    u64::from(segment.index - playback.at.index) * u64::from(entry.duration_ms),
                )
            },
            |listed| listed.start_ms,
        );
        let ahead_ms =
            entry.start_ms.saturating_sub(at).saturating_sub(u64::from(playback.offset_ms));
        let rate = if playback.rate_percent == 0 { 100 } else { u64::from(playback.rate_percent) };
        Some(told + Duration::from_millis(ahead_ms.saturating_mul(100) / rate))
    }

    /// What this player needs within [`HORIZON`], earliest first: the playing track from the playhead on.
    pub(crate) fn ahead(&self, now: Time) -> Vec<(Time, SegmentId)> {
        let Some(track) = self.playing_track() else { return Vec::new() };
        let Some(listed) = self.tracks.get(&track) else { return Vec::new() };
        let (position_ms, rate) =
            self.position_ms(now).unwrap_or_else(|| (self.first_wanted_ms(), 100));
        let first = listed.index_at(position_ms);
        let mut needs = Vec::new();
        for (index, entry) in listed.segments.range(first..) {
            let ahead_ms = entry.start_ms.saturating_sub(position_ms).saturating_mul(100) / rate;
            if Duration::from_millis(ahead_ms) > HORIZON {
                break;
            }
            needs.push((now + Duration::from_millis(ahead_ms), SegmentId::new(track, *index)));
        }
        needs
    }

    /// The track that plays, or the one asked for first.
    pub(crate) fn playing_track(&self) -> Option<u16> {
        let wanted = self.last_wanted.map(|segment| segment.track);
        self.playhead.as_ref().map(|(playhead, _)| playhead.track).or(wanted)
    }

    /// Where this player is, as told to neighbours.
    pub(crate) fn playback(&self, now: Time) -> Option<(SegmentId, u32, u16)> {
        let track = self.playing_track()?;
        let listed = self.tracks.get(&track)?;
        let (position_ms, _) =
            self.position_ms(now).unwrap_or_else(|| (self.first_wanted_ms(), 100));
        let index = listed.index_at(position_ms);
        let entry = listed.segments.get(&index)?;
        let offset_ms =
            position_ms.saturating_sub(entry.start_ms).min(u64::from(entry.duration_ms));
        let rate = self.playhead.as_ref().map_or(0, |(playhead, _)| playhead.rate_percent);
        Some((SegmentId::new(track, index), u32::try_from(offset_ms).unwrap_or(0), rate))
    }

    fn first_wanted_ms(&self) -> u64 {
        self.last_wanted.and_then(|segment| self.entry(segment)).map_or(0, |entry| entry.start_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by the fuzz target `peer_inputs`: lists and playheads are what a page says.
    #[test]
    fn positions_at_the_end_of_all_numbers_are_positions() {
        let mut timeline = Timeline::default();
        let segment = TrackSegment { index: 1, start_ms: u64::MAX - 1, duration_ms: u32::MAX };
        timeline.set_track(Time::ZERO, Track { track: 0, live: false, segments: vec![segment] });
        for (position_ms, rate_percent) in [(u64::MAX, 100), (u64::MAX - 1, u16::MAX), (0, 1)] {
            let buffered_ms = u64::MAX;
            let playhead = Playhead { track: 0, position_ms, buffered_ms, rate_percent };
            timeline.set_playhead(Time::ZERO, playhead);
            let now = Time::ZERO + Duration::from_secs(1_000_000);
            let due = timeline.due(now, SegmentId::new(0, 1));
            assert_eq!(due.is_none(), position_ms > 0, "at its end, or from there on");
            assert!(timeline.ahead(now).len() <= 1);
            assert!(timeline.playback(now).is_none_or(|(at, ..)| at.index == 1));
        }
    }
}
