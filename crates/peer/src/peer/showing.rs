//! The snapshot for the app.

use primitives::{SwarmId, Time};

use super::Peer;
use crate::{
    links::Link,
    room::Room,
    stream::Stream,
    view::{
        LimitsView, LinkState, PeerView, RoomView, SegmentState, SegmentView, StreamView, Totals,
        View,
    },
};

impl Peer {
    /// What the app shows now.
    pub fn view(&self, now: Time) -> View {
        let now = self.now.max(now);
        View {
            peer: self.id().to_string(),
            signaling: self.session.view(now),
            streams: self.streams.values().map(|stream| self.show_stream(now, stream)).collect(),
            rooms: self.rooms.iter().map(|(swarm, room)| self.show_room(*swarm, room)).collect(),
            limits: LimitsView {
                upload_bytes_per_s: self.limits.upload_bytes_per_s,
                relay_only: self.links.relay_only(),
            },
            problems: self.problems.view(now),
        }
    }

    fn show_room(&self, swarm: SwarmId, room: &Room) -> RoomView {
        let peers = self.links.of(swarm).map(|link| show_peer(link, None)).collect();
        RoomView { swarm: swarm.to_string(), size: room.size, peers }
    }

    fn show_stream(&self, now: Time, stream: &Stream) -> StreamView {
        let shown = stream.swarm.view(now);
        let peers = self.links.of(stream.id).map(|link| {
            let known = shown.neighbours.iter().find(|known| known.peer == link.remote);
            show_peer(link, known)
        });
        StreamView {
            swarm: stream.id.to_string(),
            playlist_url: stream.config.playlist_url.clone(),
            swarm_size: stream.size,
            integrity: stream.proofs.view(),
            totals: show_totals(&shown.totals),
            bandwidth_bytes_per_s: shown.bandwidth_bytes_per_s,
            peers: peers.collect(),
            history: stream.history.seconds(now),
            segments: shown.segments.iter().map(show_segment).collect(),
            held_segments: shown.held_segments,
        }
    }
}

fn show_peer(link: &Link, known: Option<&swarm::NeighbourView>) -> PeerView {
    let bare = PeerView {
        peer: link.remote.to_string(),
        state: if link.open { LinkState::Open } else { LinkState::Connecting },
        relayed: link.relayed,
        rtt_ms: link.rtt_ms,
        ..PeerView::default()
    };
    let Some(known) = known else { return bare };
    PeerView {
        received_bytes: known.received_bytes,
        verified_bytes: known.verified_bytes,
        sent_bytes: known.sent_bytes,
        receive_bytes_per_s: known.receive_bytes_per_s,
        send_bytes_per_s: known.send_bytes_per_s,
        has_percent: known.has_percent,
        uploads: known.uploads,
        ..bare
    }
}

fn show_totals(totals: &swarm::Totals) -> Totals {
    Totals {
        // What the site sent, it sent, also where a peer was quicker.
        origin_bytes: totals.origin_bytes + totals.origin_wasted_bytes,
        peer_bytes: totals.peer_bytes,
        cache_bytes: totals.cache_bytes,
        upload_bytes: totals.upload_bytes,
        wasted_bytes: totals.wasted_bytes,
        control_in_bytes: totals.control_in_bytes,
        control_out_bytes: totals.control_out_bytes,
        liars: totals.liars,
    }
}

fn show_segment(shown: &swarm::SegmentView) -> SegmentView {
    SegmentView {
        track: shown.id.track,
        index: shown.id.index,
        state: match shown.state {
            swarm::SegmentState::Missing => SegmentState::Missing,
            swarm::SegmentState::Arriving => SegmentState::Arriving,
            swarm::SegmentState::Held => SegmentState::Held,
        },
        peer_percent: shown.peer_percent,
        holders: shown.holders,
    }
}
