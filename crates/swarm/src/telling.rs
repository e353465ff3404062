//! What neighbours are told: what is held, what is arriving, where the player is.

use core::time::Duration;

use primitives::{PeerId, SegmentId, Time};
use wire::peer::{Ack, Have, Message, Pieces, Playback, Run};

use crate::{
    config,
    output::Output,
    piece::RunSet,
    segment::{Body, Segment},
    swarm::{Swarm, Wake, WakeReason},
};

impl Swarm {
    /// A new neighbour learns everything.
    pub(crate) fn tell_everything(&mut self, to: PeerId, out: &mut Vec<Output>) {
        let mut tracks: primitives::SortedMap<u16, RunSet> = primitives::SortedMap::new();
        let held = self.segments.values().filter(|s| s.is_held() && s.shareable()).map(|s| s.id);
        for id in held.chain(self.stored.iter().copied()) {
            tracks.entry(id.track).or_default().insert(id.index, id.index.saturating_add(1));
        }
        for (track, runs) in tracks {
            let added = runs.runs().map(|(first, end)| Run { first, count: end - first }).collect();
            self.send(to, Message::Have(Have { track, added, removed: Vec::new() }), out);
        }
        let arriving: Vec<SegmentId> = self
            .segments
            .values()
            .filter(|segment| matches!(segment.body, Body::Arriving(_)))
            .map(|segment| segment.id)
            .collect();
        for id in arriving {
            if let Some(pieces) = self.pieces_of(id) {
                self.send(to, Message::Pieces(pieces), out);
            }
        }
        if let Some(playback) = self.my_playback() {
            self.send(to, Message::Playback(playback), out);
        }
    }

    /// Everybody learns that a segment is whole here, or is here no longer.
    pub(crate) fn tell_have(&mut self, id: SegmentId, held: bool, out: &mut Vec<Output>) {
        let run = vec![Run { first: id.index, count: 1 }];
        let (added, removed) = if held { (run, Vec::new()) } else { (Vec::new(), run) };
        let have = Message::Have(Have { track: id.track, added, removed });
        for peer in self.greeted() {
            self.send(peer, have.clone(), out);
        }
        if let Some(segment) = self.segments.get_mut(&id) {
            segment.untold = false;
        }
    }

    /// Everybody learns that a segment is not arriving here any more.
    pub(crate) fn tell_stopped(&mut self, segment: SegmentId, out: &mut Vec<Output>) {
        let stopped = Message::Pieces(Pieces { segment, held: Vec::new(), fetching: Vec::new() });
        for peer in self.greeted() {
            self.send(peer, stopped.clone(), out);
        }
    }

    /// Tells what changed and may be told now; says when the next may.
    pub(crate) fn tell(&mut self, out: &mut Vec<Output>) -> Wake {
        let mut wake = Wake::NEVER;
        let untold: Vec<(SegmentId, Time)> = self
            .segments
            .values()
            .filter(|segment| segment.untold && !segment.is_held())
            .map(|segment| (segment.id, segment.told + self.progress_every(segment.id)))
            .collect();
        for (id, at) in untold {
            let fresh = self.segments.get(&id).is_some_and(|segment| segment.told == Time::ZERO);
            if self.now < at && !fresh {
                wake = wake.min(Wake { at, why: WakeReason::Tell });
                continue;
            }
            self.tell_progress(id, out);
        }
        wake.min(self.tell_playback(out)).min(self.acknowledge(out))
    }

    /// Says how much payload came, at most every [`config::ACK_EVERY`] to each neighbour.
    fn acknowledge(&mut self, out: &mut Vec<Output>) -> Wake {
        let mut wake = Wake::NEVER;
        let owed = self.neighbours.values().filter(|n| n.acked_bytes < n.came_bytes);
        let owed: Vec<(PeerId, Time)> =
            owed.map(|n| (n.peer, n.acked_at + config::ACK_EVERY)).collect();
        for (peer, at) in owed {
            if self.now < at {
                wake = wake.min(Wake { at, why: WakeReason::Tell });
                continue;
            }
            let now = self.now;
            let Some(neighbour) = self.neighbours.get_mut(&peer) else { continue };
            let bytes = neighbour.came_bytes;
            neighbour.acked_bytes = bytes;
            neighbour.acked_at = now;
            self.send(peer, Message::Ack(Ack { bytes }), out);
        }
        wake
    }

    /// How often progress of a segment is told: often when somebody plays it soon.
    fn progress_every(&self, id: SegmentId) -> Duration {
        let (urgent, calm) = config::PROGRESS_EVERY;
        let mine = self.timeline.due(self.now, id).unwrap_or(Time::NEVER);
        let soon = self.first_due(mine, id) <= self.now + config::PROGRESS_URGENT;
        if soon { urgent } else { calm }
    }

    fn tell_progress(&mut self, id: SegmentId, out: &mut Vec<Output>) {
        let now = self.now;
        let Some(pieces) = self.pieces_of(id) else { return };
        if let Some(segment) = self.segments.get_mut(&id) {
            segment.untold = false;
            // Zero means "tell at once" and is not a time anything was told at.
            segment.told = now.max(Time::from_us(1));
        }
        let cares = |peer: &PeerId| {
            self.neighbours.get(peer).is_some_and(|neighbour| {
                !neighbour.has_whole(id) && (neighbour.playback.is_none() || neighbour.needs(id))
            })
        };
        let peers: Vec<PeerId> = self.greeted().into_iter().filter(cares).collect();
        for peer in peers {
            self.send(peer, Message::Pieces(pieces.clone()), out);
        }
    }

    fn pieces_of(&self, id: SegmentId) -> Option<Pieces> {
        let segment = self.segments.get(&id)?;
        let held = match &segment.body {
            Body::Arriving(arriving) if segment.piecewise() => arriving.shown.to_wire(),
            Body::Arriving(_) | Body::Empty | Body::Held { .. } => Vec::new(),
        };
        Some(Pieces { segment: id, held, fetching: self.fetching(id).to_wire() })
    }

    fn tell_playback(&mut self, out: &mut Vec<Output>) -> Wake {
        let at = self.playback_told + config::PLAYBACK_EVERY;
        if self.neighbours.is_empty() || (self.now < at && !self.jumped) {
            return Wake::NEVER;
        }
        let Some(playback) = self.my_playback() else { return Wake::NEVER };
        self.jumped = false;
        if self.playback_sent == Some(playback) {
            return Wake::NEVER;
        }
        self.playback_told = self.now;
        self.playback_sent = Some(playback);
        for peer in self.greeted() {
            self.send(peer, Message::Playback(playback), out);
        }
        Wake::NEVER
    }

    fn my_playback(&self) -> Option<Playback> {
        let (at, offset_ms, rate_percent) = self.timeline.playback(self.now)?;
        let mut next_missing = at.index;
        while self.has_for_itself(SegmentId::new(at.track, next_missing)) {
            next_missing += 1;
        }
        Some(Playback { at, offset_ms, rate_percent, uploads: self.uploads(), next_missing })
    }

    fn has_for_itself(&self, id: SegmentId) -> bool {
        self.segments.get(&id).is_some_and(Segment::is_held) || self.stored.contains(&id)
    }

    fn greeted(&self) -> Vec<PeerId> {
        self.neighbours.values().filter(|n| n.greeted).map(|n| n.peer).collect()
    }
}
