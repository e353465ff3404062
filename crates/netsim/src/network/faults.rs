//! Hosts that leave, connections that close, partitions that come and go.

use std::time::Duration;

use primitives::Time;

use super::{Event, GIVE_UP, Happening, Leg, Network, OFFLINE};
use crate::{flow::Flow, host::HostId};

/// A healed connection sends again after this time: its retransmission timer has backed off.
const RETRANSMIT_AFTER_CUT: Duration = Duration::from_millis(500);

impl<T> Network<T> {
    /// Takes a host away. Its neighbours learn it after one latency and `notice`: at once when it says
    /// goodbye, seconds later when it dies.
    pub fn remove_host(&mut self, host: HostId, notice: Duration) {
        let now = self.now;
        let gone = self.host_mut(host);
        gone.gone = true;
        gone.gets.clear();
        gone.ready.clear();
        let flows = std::mem::take(&mut gone.flows);
        for (peer, flow) in flows {
            let leg = Leg { from: peer, to: host, connection: flow.connection };
            self.events.push(now + flow.path.one_way + notice, Event::Closed(leg));
        }
    }

    /// Puts a host on a side of a partition (0 at first). Hosts of different sides can't reach each
    /// other; servers are reachable from all sides but [`OFFLINE`]. Messages under way wait for the cut
    /// to heal; after 15 s a cut connection is closed on both sides and cut requests fail.
    pub fn set_side(&mut self, host: HostId, side: u8) {
        let peers: Vec<HostId> = self.host(host).flows.keys().copied().collect();
        let before: Vec<bool> = peers.iter().map(|peer| self.reachable(host, *peer)).collect();
        self.host_mut(host).side = side;
        for (peer, was) in peers.into_iter().zip(before) {
            match (was, self.reachable(host, peer)) {
                (true, false) => self.cut(host, peer),
                (false, true) => {
                    self.heal(host, peer);
                    self.heal(peer, host);
                }
                (true, true) | (false, false) => {}
            }
        }
    }

    pub(super) fn reachable(&self, a: HostId, b: HostId) -> bool {
        let (a, b) = (self.host(a), self.host(b));
        let online = !a.gone && !b.gone && a.side != OFFLINE && b.side != OFFLINE;
        online && (a.side == b.side || a.server.is_some() || b.server.is_some())
    }

    fn cut(&mut self, host: HostId, peer: HostId) {
        let cut_at = self.now;
        let Some(flow) = self.host_mut(host).flows.get_mut(&peer) else { return };
        flow.cut_at = Some(cut_at);
        let leg = Leg { from: host, to: peer, connection: flow.connection };
        if let Some(flow) = self.flow_mut(leg.back()) {
            flow.cut_at = Some(cut_at);
        }
        self.events.push(cut_at + GIVE_UP, Event::GiveUp { leg, cut_at });
    }

    fn heal(&mut self, from: HostId, to: HostId) {
        let now = self.now;
        let Some(flow) = self.host_mut(from).flows.get_mut(&to) else { return };
        flow.cut_at = None;
        let leg = Leg { from, to, connection: flow.connection };
        let at = (now + flow.path.one_way + RETRANSMIT_AFTER_CUT).max(flow.last_arrival);
        flow.last_arrival = at;
        for packet in std::mem::take(&mut flow.held) {
            self.events.push(at, Event::Arrive(leg, packet));
        }
    }

    pub(super) fn give_up(&mut self, leg: Leg, cut_at: Time) {
        if self.flow_mut(leg).is_none_or(|flow| flow.cut_at != Some(cut_at)) {
            return;
        }
        let path = self.take_flow(leg).map(|flow| flow.path);
        self.take_flow(leg.back());
        for (host, peer) in [(leg.from, leg.to), (leg.to, leg.from)] {
            if self.host(peer).server.is_some() {
                self.fail_gets(host, peer);
                path.into_iter().for_each(|path| self.link_http(host, peer, path));
            } else if self.host(host).server.is_none() {
                self.happened.push_back(Happening::Closed { host, peer });
            }
        }
    }

    pub(super) fn closed(&mut self, leg: Leg) {
        if self.take_flow(leg).is_some() && self.host(leg.from).server.is_none() {
            self.happened.push_back(Happening::Closed { host: leg.from, peer: leg.to });
        }
    }

    fn take_flow(&mut self, leg: Leg) -> Option<Flow> {
        self.flow_mut(leg)?;
        self.host_mut(leg.from).drop_flow(leg.to)
    }
}
