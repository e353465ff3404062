//! From a sender's buffer over two access links to the receiver.

use primitives::Time;

use super::{Event, Happening, Leg, Network};
use crate::{
    flow::{Cargo, Lane, Packet},
    host::HostId,
    http::HttpMessage,
};

impl<T> Network<T> {
    pub(super) fn push(&mut self, from: HostId, to: HostId, packet: Packet) -> bool {
        let Some(flow) = self.host_mut(from).flows.get_mut(&to) else { return false };
        flow.push(packet);
        self.line_up(from, to);
        self.pump(from);
        true
    }

    /// Queues a flow for the uplink, or arms its wake.
    pub(super) fn line_up(&mut self, from: HostId, to: HostId) {
        let now = self.now;
        let host = self.host_mut(from);
        host.line_up(to, now);
        let Some(flow) = host.flows.get_mut(&to) else { return };
        if flow.lined_up || flow.wake_armed {
            return;
        }
        let connection = flow.connection;
        if let Some(at) = flow.look_again_at() {
            flow.wake_armed = true;
            self.events.push(at.max(now), Event::FlowWake(Leg { from, to, connection }));
        }
    }

    pub(super) fn wake_flow(&mut self, leg: Leg) {
        let Some(flow) = self.flow_mut(leg) else { return };
        flow.wake_armed = false;
        self.line_up(leg.from, leg.to);
        self.pump(leg.from);
    }

    /// Moves messages onto the uplink while it has room.
    pub(super) fn pump(&mut self, from: HostId) {
        let now = self.now;
        let mut sent: Vec<(HostId, u64)> = Vec::new();
        loop {
            let host = self.host_mut(from);
            if host.gone || host.ready.is_empty() {
                break;
            }
            if !host.uplink.has_room(now) {
                if !host.uplink_armed {
                    host.uplink_armed = true;
                    let at = host.uplink.room_at();
                    self.events.push(at, Event::Uplink(from));
                }
                break;
            }
            let Some((to, bytes)) = self.transmit_next(from) else { break };
            match sent.iter_mut().find(|(peer, _)| *peer == to) {
                Some((_, total)) => *total += bytes,
                None => sent.push((to, bytes)),
            }
            self.line_up(from, to);
        }
        for (to, bytes) in sent.into_iter().filter(|(_, bytes)| *bytes > 0) {
            self.happened.push_back(Happening::Sent { from, to, bytes });
        }
    }

    /// Sends one message of the flow that got least so far; returns its receiver and payload size.
    fn transmit_next(&mut self, from: HostId) -> Option<(HostId, u64)> {
        let now = self.now;
        let host = &mut self.hosts[from.index()];
        let (share, to) = host.ready.pop_first()?;
        host.share = share;
        let flow = host.flows.get_mut(&to).expect("a flow that is lined up exists");
        flow.lined_up = false;
        // An answer that was lined up may have been taken back since.
        let Some(packet) = flow.take(now) else { return Some((to, 0)) };
        let wire_bytes = flow.path.wire_bytes(packet.size_bytes);
        host.traffic.up_bytes += wire_bytes;
        let mut arrival = host.uplink.pass(now, wire_bytes) + flow.path.one_way;
        if !flow.path.jitter.is_zero() {
            let jitter_us = u64::try_from(flow.path.jitter.as_micros()).unwrap_or(u64::MAX);
            arrival = arrival + std::time::Duration::from_micros(self.rng.u64(0..=jitter_us));
        }
        let loss_ppm = flow.path.message_loss_ppm(packet.size_bytes);
        if loss_ppm > 0 && self.rng.u64(0..1_000_000) < loss_ppm {
            arrival = arrival + flow.path.loss_delay();
        }
        arrival = arrival.max(flow.last_arrival);
        flow.last_arrival = arrival;
        let leg = Leg { from, to, connection: flow.connection };
        let payload_bytes = match packet.cargo {
            Cargo::Message { lane: Lane::Payload, .. } => packet.size_bytes,
            Cargo::Message { lane: Lane::Control, .. } | Cargo::Http(_) => 0,
        };
        if let Cargo::Http(HttpMessage::Chunk { .. }) = packet.cargo {
            self.host_mut(to).traffic.served_bytes += packet.size_bytes;
        }
        self.events.push(arrival, Event::Arrive(leg, packet));
        Some((to, payload_bytes))
    }

    /// A packet at the receiver's downlink.
    pub(super) fn arrive(&mut self, leg: Leg, packet: Packet) {
        if !self.reachable(leg.from, leg.to) {
            if let Some(flow) = self.flow_mut(leg) {
                flow.held.push_back(packet);
            }
            return;
        }
        let now = self.now;
        let Some(back) = self.flow_mut(leg.back()) else { return };
        let path = back.path;
        let wire_bytes = path.wire_bytes(packet.size_bytes);
        let host = self.host_mut(leg.to);
        host.traffic.down_bytes += wire_bytes;
        let through_at = host.downlink.pass(now, wire_bytes);
        self.acknowledge(leg, through_at + path.one_way, packet.size_bytes);
        if through_at == now {
            self.deliver(leg, packet);
        } else {
            self.events.push(through_at, Event::Deliver(leg, packet));
        }
    }

    fn acknowledge(&mut self, leg: Leg, at: Time, bytes: u64) {
        let Some(flow) = self.flow_mut(leg) else { return };
        if flow.acknowledge(at, bytes) {
            self.line_up(leg.from, leg.to);
        }
    }

    pub(super) fn deliver(&mut self, leg: Leg, packet: Packet) {
        if self.flow_mut(leg.back()).is_none() {
            return;
        }
        match packet.cargo {
            Cargo::Message { lane, bytes } => {
                let message = Happening::Message { to: leg.to, from: leg.from, lane, bytes };
                self.happened.push_back(message);
            }
            Cargo::Http(message) => self.on_http(leg, message),
        }
    }
}
