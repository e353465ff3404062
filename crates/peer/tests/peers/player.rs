//! A player that wants segments in order and plays what it got.

use std::collections::BTreeMap;

use primitives::SegmentId;
use swarm::{Playhead, Sources};

use crate::origin::{SEGMENT_MS, SEGMENTS};

/// How far ahead it buffers.
const AHEAD_MS: u64 = 16_000;

#[derive(Default)]
pub(crate) struct Player {
    pub(crate) on: bool,
    pub(crate) got: BTreeMap<u32, (Vec<u8>, Sources)>,
    pub(crate) failed: BTreeMap<u32, (u16, bool)>,
    position_ms: u64,
    wanted: u32,
}

impl Player {
    /// Plays on for `ms`; returns what it wants now and where it is.
    pub(crate) fn play(&mut self, ms: u64) -> (Option<SegmentId>, Playhead) {
        let held = (0..).take_while(|index| self.got.contains_key(index)).count();
        let buffered_ms = u64::try_from(held).unwrap() * SEGMENT_MS;
        self.position_ms = (self.position_ms + ms).min(buffered_ms);
        let idle = self.wanted == u32::try_from(held).unwrap();
        let want = idle && self.wanted < SEGMENTS && buffered_ms < self.position_ms + AHEAD_MS;
        let segment = want.then(|| {
            self.wanted += 1;
            SegmentId::new(0, self.wanted - 1)
        });
        let position_ms = self.position_ms;
        (segment, Playhead { track: 0, position_ms, buffered_ms, rate_percent: 100 })
    }

    pub(crate) fn is_done(&self) -> bool {
        self.got.len() == usize::try_from(SEGMENTS).unwrap()
    }

    pub(crate) fn bytes_from_peers(&self) -> u64 {
        self.got.values().map(|(_, sources)| u64::from(sources.peer_bytes)).sum()
    }
}
