//! Fetches from the origin, and the manifest's parts.

use std::time::Duration;

use netsim::Get;
use primitives::SegmentId;
use swarm::{FetchId, Input};

use super::{ORIGIN, Timer, World};
use crate::sim::{
    audit::Note,
    viewer::{Fetching, Job},
};

/// The driver gives up a fetch that brought nothing for this long, as hls.js does.
const FETCH_PATIENCE: Duration = Duration::from_secs(10);
/// Segments of one part of a signed manifest; live streams have one part for each segment.
const SEGMENTS_PER_PART: u32 = 64;

impl World {
    pub(super) fn fetch(
        &mut self,
        viewer: usize,
        fetch: FetchId,
        segment: SegmentId,
        (from, to): (u32, Option<u32>),
    ) {
        let now = self.net.now();
        let size = self.content.size_bytes(segment);
        let to = to.unwrap_or(size);
        if from >= to || to > size {
            return self.problem(viewer, &format!("fetches {segment} {from}..{to} of {size}"));
        }
        let exists_at = self.exists_at(segment);
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let neighbours = life.neighbours.iter().copied();
        let around = self.audit.around(segment, size, neighbours);
        let head = life.player.playhead(now);
        let base = u64::from(life.first_listed.unwrap_or(0));
        let segment_ms = u64::try_from(self.scenario.segment.as_millis()).unwrap_or(1);
        let start_ms = u64::from(segment.index).saturating_sub(base) * segment_ms;
        let due_in_ms = i64::try_from(start_ms).ok().zip(i64::try_from(head.position_ms).ok());
        let note = self.audit.fetch_starts(Note {
            at: now,
            viewer,
            segment,
            from,
            to,
            around,
            due_in_ms: due_in_ms.map(|(start, position)| start - position),
            first_bytes: 0,
            again_bytes: 0,
        });
        life.fetches.insert(fetch, Fetching { segment, progress_at: now, note });
        self.viewers[viewer].counts.fetches += 1;
        let host = self.viewers[viewer].host;
        self.net.get(host, ORIGIN, Get { number: fetch.0, from, to, exists_at });
        self.net.set_timer(now + FETCH_PATIENCE, Timer::Patience(viewer, fetch));
    }

    pub(super) fn abort(&mut self, viewer: usize, fetch: FetchId) {
        let host = self.viewers[viewer].host;
        self.net.abort(host, fetch.0);
        self.end_fetch(viewer, fetch);
    }

    fn end_fetch(&mut self, viewer: usize, fetch: FetchId) -> bool {
        let Some(life) = &mut self.viewers[viewer].life else { return false };
        let Some(fetching) = life.fetches.remove(&fetch) else { return false };
        self.audit.fetch_ends(viewer, fetching.segment);
        true
    }

    pub(super) fn on_chunk(
        &mut self,
        viewer: usize,
        fetch: FetchId,
        (from, to): (u32, u32),
        last: bool,
    ) {
        let now = self.net.now();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let Some(fetching) = life.fetches.get_mut(&fetch) else { return };
        fetching.progress_at = now;
        let (segment, note) = (fetching.segment, fetching.note);
        self.audit.came(viewer, segment, (from, to), Some(note));
        self.queue(viewer, Job::Fetched { fetch, segment, from, to });
        if last && self.end_fetch(viewer, fetch) {
            self.queue(viewer, Job::Plain(Input::FetchEnded { fetch }));
        }
    }

    pub(super) fn on_get_failed(&mut self, viewer: usize, fetch: FetchId, status: u16) {
        if self.end_fetch(viewer, fetch) {
            self.queue(viewer, Job::Plain(Input::FetchFailed { fetch, status }));
        }
    }

    pub(super) fn look_for_progress(&mut self, viewer: usize, fetch: FetchId) {
        let now = self.net.now();
        let Some(life) = &self.viewers[viewer].life else { return };
        let Some(fetching) = life.fetches.get(&fetch) else { return };
        let until = fetching.progress_at + FETCH_PATIENCE;
        if now < until {
            self.net.set_timer(until, Timer::Patience(viewer, fetch));
            return;
        }
        let host = self.viewers[viewer].host;
        self.net.abort(host, fetch.0);
        self.on_get_failed(viewer, fetch, 0);
    }

    /// Looks a segment up in the signed manifest: a part is loaded once.
    pub(super) fn prove(&mut self, viewer: usize, segment: SegmentId) {
        let per_part = if self.scenario.live { 1 } else { SEGMENTS_PER_PART };
        let part = (segment.track, segment.index / per_part);
        let answer_time = self.origin_answer_time();
        let Some(life) = &mut self.viewers[viewer].life else { return };
        let known = !life.parts.insert(part);
        let delay = if known { Duration::from_millis(1) } else { answer_time };
        self.net.set_timer(self.net.now() + delay, Timer::Proof(viewer, segment));
    }
}
