//! Where segments are fetched, by the player's playlists.

use primitives::{SegmentId, SortedMap};
use swarm::{Track, config::TRACK_SEGMENTS_MAX};
use wire::limits::TRACKS_MAX;

use crate::SegmentUrl;

/// Segments that left a live window are still known this far back: a fetch may be under way.
const PASSED_MAX: u32 = 32;

/// The URL and start of every listed segment. At most [`TRACKS_MAX`] tracks of
/// [`TRACK_SEGMENTS_MAX`] segments.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    tracks: SortedMap<u16, SortedMap<u32, Place>>,
}

#[derive(Debug)]
struct Place {
    start_ms: u64,
    url: SegmentUrl,
}

/// URL, byte range in the file, and where in the file the segment starts.
pub(crate) type FetchFrom = (String, Option<(u64, Option<u64>)>, u64);

impl Listing {
    /// Replaces a track's list, but keeps what a live window passed a moment ago.
    pub(crate) fn set(&mut self, track: &Track, urls: Vec<SegmentUrl>) {
        if track.track >= TRACKS_MAX {
            return;
        }
        let places = self.tracks.entry(track.track).or_default();
        let first = track.segments.first().map_or(0, |segment| segment.index);
        let kept = if track.live { first.saturating_sub(PASSED_MAX)..first } else { 0..0 };
        places.retain(|index, _| kept.contains(index));
        let listed = track.segments.iter().take(TRACK_SEGMENTS_MAX).zip(urls);
        places.extend(
            listed.map(|(segment, url)| (segment.index, Place { start_ms: segment.start_ms, url })),
        );
    }

    pub(crate) fn url(&self, segment: SegmentId) -> Option<&SegmentUrl> {
        Some(&self.tracks.get(&segment.track)?.get(&segment.index)?.url)
    }

    /// How to fetch these bytes of a segment; `to` is one past the last, `None` the end.
    pub(crate) fn fetch(&self, id: SegmentId, from: u32, to: Option<u32>) -> Option<FetchFrom> {
        let url = self.url(id)?;
        let (from, to) = (u64::from(from), to.map(u64::from));
        let (segment_at, end) = url.range.map_or((0, None), |(first, end)| (first, Some(end)));
        let last = to.map(|to| segment_at.saturating_add(to)).or(end);
        let whole_file = url.range.is_none() && from == 0 && to.is_none();
        let range = (!whole_file).then(|| (segment_at.saturating_add(from), last));
        Some((url.url.clone(), range, segment_at))
    }

    /// The segment that plays at this position.
    pub(crate) fn at(&self, track: u16, position_ms: u64) -> Option<u32> {
        let places = self.tracks.get(&track)?;
        let mut started = places.iter().rev().filter(|(_, place)| place.start_ms <= position_ms);
        started.next().or_else(|| places.iter().next()).map(|(index, _)| *index)
    }
}

#[cfg(test)]
mod tests {
    use swarm::TrackSegment;

    use super::*;

    fn track(live: bool, first: u32) -> (Track, Vec<SegmentUrl>) {
        let segment =
            |index| TrackSegment { index, start_ms: u64::from(index) * 4_000, duration_ms: 4_000 };
        let url =
            |index: u32| SegmentUrl { url: format!("https://a.example/{index}"), range: None };
        let indexes = first..first + 3;
        (
            Track { track: 1, live, segments: indexes.clone().map(segment).collect() },
            indexes.map(url).collect(),
        )
    }

    #[test]
    fn byte_ranges_count_from_the_segment_not_from_the_file() {
        let mut listing = Listing::default();
        let (track, mut urls) = track(false, 0);
        urls[1].range = Some((1_000, 3_000));
        listing.set(&track, urls);
        let fetch = |index, from, to| {
            listing.fetch(SegmentId::new(1, index), from, to).map(|(_, range, at)| (range, at))
        };
        assert_eq!(fetch(0, 0, None), Some((None, 0)));
        assert_eq!(fetch(0, 5, None), Some((Some((5, None)), 0)));
        assert_eq!(fetch(0, 0, Some(5)), Some((Some((0, Some(5))), 0)));
        assert_eq!(fetch(1, 0, None), Some((Some((1_000, Some(3_000))), 1_000)));
        assert_eq!(fetch(1, 10, Some(20)), Some((Some((1_010, Some(1_020))), 1_000)));
        assert_eq!(fetch(9, 0, None), None);
    }

    #[test]
    fn a_live_window_moves_and_the_place_follows() {
        let mut listing = Listing::default();
        for first in [100, 102] {
            let (track, urls) = track(true, first);
            listing.set(&track, urls);
        }
        assert!(listing.url(SegmentId::new(1, 101)).is_some());
        assert_eq!(listing.at(1, 4_000 * 103 + 1), Some(103));
        let (track, urls) = track(true, 900);
        listing.set(&track, urls);
        assert!(listing.url(SegmentId::new(1, 103)).is_none());
        assert_eq!(listing.at(1, 0), Some(900));
        assert_eq!(listing.at(2, 0), None);
    }
}
