//! A snapshot for the app: plain values, made anew on request.

use primitives::{PeerId, SegmentId, Time};

use crate::{
    piece,
    segment::{Body, Segment},
    swarm::Swarm,
};

/// Byte totals since the swarm began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Media bytes from the origin that were put in.
    pub origin_bytes: u64,
    /// Media bytes from peers that were put in.
    pub peer_bytes: u64,
    /// Media bytes from the store.
    pub cache_bytes: u64,
    /// Media bytes to peers.
    pub upload_bytes: u64,
    /// Media bytes that came twice, came after a cancel, were wrong or were dropped half-way.
    pub wasted_bytes: u64,
    /// Those of them that the origin sent and that count nowhere else.
    pub origin_wasted_bytes: u64,
    /// Control messages received.
    pub control_in_bytes: u64,
    /// Control messages sent.
    pub control_out_bytes: u64,
    /// Peers caught sending wrong bytes.
    pub liars: u32,
}

/// What a swarm shows of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SwarmView {
    /// Totals.
    pub totals: Totals,
    /// What the device gets, bytes per second.
    pub bandwidth_bytes_per_s: u64,
    /// Neighbours with open channels.
    pub neighbours: Vec<NeighbourView>,
    /// Segments around the playhead: [`SEGMENTS_BEHIND`] before to [`SEGMENTS_AHEAD`] after.
    pub segments: Vec<SegmentView>,
    /// Segments held in memory or store.
    pub held_segments: u32,
}

/// Segments shown before the playhead.
pub const SEGMENTS_BEHIND: u32 = 8;
/// Segments shown from the playhead on.
pub const SEGMENTS_AHEAD: u32 = 16;

/// One neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeighbourView {
    /// Who.
    pub peer: PeerId,
    /// Verified or pending payload from it.
    pub received_bytes: u64,
    /// Of what it gave, what hashed right and was kept: nothing where nobody can say what is right.
    pub verified_bytes: u64,
    /// Payload to it.
    pub sent_bytes: u64,
    /// Goodput from it while something was asked; 0 before the first sample.
    pub receive_bytes_per_s: u64,
    /// Goodput to it while something was under way.
    pub send_bytes_per_s: u64,
    /// Share of the shown segments that it holds whole, in percent.
    pub has_percent: u8,
    /// Whether it uploads.
    pub uploads: bool,
}

/// One segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentView {
    /// Which.
    pub id: SegmentId,
    /// Where it is.
    pub state: SegmentState,
    /// Share of what is here that came from peers, in percent.
    pub peer_percent: u8,
    /// Neighbours that hold it whole.
    pub holders: u8,
}

/// Where a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentState {
    /// Not here.
    Missing,
    /// Arriving.
    Arriving,
    /// Whole.
    Held,
}

impl Swarm {
    /// The snapshot.
    pub fn view(&self, now: Time) -> SwarmView {
        let segments = self.shown_segments(now);
        let neighbours = self.neighbours.values().map(|neighbour| {
            let has = segments.iter().filter(|shown| neighbour.has_whole(shown.id)).count();
            NeighbourView {
                peer: neighbour.peer,
                received_bytes: neighbour.received_bytes,
                verified_bytes: neighbour.verified_bytes,
                sent_bytes: neighbour.upload.sent_bytes,
                receive_bytes_per_s: neighbour.goodput.bytes_per_s().unwrap_or(0),
                send_bytes_per_s: neighbour.upload.goodput.bytes_per_s().unwrap_or(0),
                has_percent: percent(has, segments.len()),
                uploads: neighbour.uploads && !neighbour.choked,
            }
        });
        let held = self.segments.values().filter(|s| s.is_held() && !self.stored.contains(&s.id));
        SwarmView {
            totals: self.totals,
            bandwidth_bytes_per_s: self.bandwidth_bytes_per_s(),
            neighbours: neighbours.collect(),
            held_segments: piece::len32(held.count() + self.stored.len()),
            segments,
        }
    }

    fn shown_segments(&self, now: Time) -> Vec<SegmentView> {
        let Some((playing, ..)) = self.timeline.playback(now) else { return Vec::new() };
        let first = playing.index.saturating_sub(SEGMENTS_BEHIND);
        (first..playing.index.saturating_add(SEGMENTS_AHEAD))
            .map(|index| SegmentId::new(playing.track, index))
            .filter(|id| self.timeline.entry(*id).is_some())
            .map(|id| self.shown_segment(id))
            .collect()
    }

    fn shown_segment(&self, id: SegmentId) -> SegmentView {
        let holders = self.neighbours.values().filter(|n| n.has_whole(id)).count();
        let (state, sources) = match self.segments.get(&id).map(|segment: &Segment| &segment.body) {
            Some(Body::Held { sources, .. }) => (SegmentState::Held, *sources),
            Some(Body::Arriving(arriving)) => (SegmentState::Arriving, arriving.sources()),
            Some(Body::Empty) | None if self.stored.contains(&id) => {
                (SegmentState::Held, crate::Sources::default())
            }
            Some(Body::Empty) | None => (SegmentState::Missing, crate::Sources::default()),
        };
        let total = u64::from(sources.origin_bytes)
            + u64::from(sources.peer_bytes)
            + u64::from(sources.cache_bytes);
        let peer_percent =
            u8::try_from(u64::from(sources.peer_bytes) * 100 / total.max(1)).unwrap_or(100);
        SegmentView { id, state, peer_percent, holders: u8::try_from(holders).unwrap_or(u8::MAX) }
    }
}

fn percent(part: usize, whole: usize) -> u8 {
    u8::try_from(part * 100 / whole.max(1)).unwrap_or(100)
}
