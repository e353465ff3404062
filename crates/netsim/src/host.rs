//! A machine with one access link.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use primitives::Time;

use crate::{
    flow::Flow,
    http::{HttpServer, PendingGet},
    line::{Line, UNLIMITED},
};

/// A host of one network, numbered from 0 in order of [`crate::Network::add_host`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

impl HostId {
    /// The number as an index.
    pub fn index(self) -> usize {
        usize::try_from(self.0).expect("an index of hosts held in memory")
    }
}

/// The line a host has to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Rate out, in bits per second.
    pub up_bits_per_s: u64,
    /// Rate in, in bits per second.
    pub down_bits_per_s: u64,
    /// How much the modem queues on the way out before senders have to wait. Home routers hold 100 ms
    /// and more.
    pub up_queue: Duration,
}

impl Access {
    /// A line that costs no time.
    pub const UNLIMITED: Self = Self {
        up_bits_per_s: UNLIMITED,
        down_bits_per_s: UNLIMITED,
        up_queue: Duration::from_millis(1),
    };

    /// A line with a home router's queue of 200 ms.
    pub const fn home(up_bits_per_s: u64, down_bits_per_s: u64) -> Self {
        Self { up_bits_per_s, down_bits_per_s, up_queue: Duration::from_millis(200) }
    }
}

/// What a host sent and received so far, headers included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes that entered the uplink.
    pub up_bytes: u64,
    /// Bytes that came to the downlink.
    pub down_bytes: u64,
    /// Bytes of files that servers sent to this host, whether they arrived or not, without headers.
    pub served_bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) uplink: Line,
    pub(crate) downlink: Line,
    pub(crate) flows: BTreeMap<HostId, Flow>,
    /// Flows that may send now, the one that got least first.
    pub(crate) ready: BTreeSet<(u64, HostId)>,
    /// Share of the flow served last: a flow that comes back starts here, not with saved-up credit.
    pub(crate) share: u64,
    pub(crate) uplink_armed: bool,
    pub(crate) side: u8,
    pub(crate) gone: bool,
    pub(crate) traffic: Traffic,
    pub(crate) gets: BTreeMap<u64, PendingGet>,
    pub(crate) server: Option<HttpServer>,
}

impl Host {
    pub(crate) fn new(access: Access) -> Self {
        Self {
            uplink: Line::new(access.up_bits_per_s, access.up_queue),
            downlink: Line::new(access.down_bits_per_s, Duration::ZERO),
            flows: BTreeMap::new(),
            ready: BTreeSet::new(),
            share: 0,
            uplink_armed: false,
            side: 0,
            gone: false,
            traffic: Traffic::default(),
            gets: BTreeMap::new(),
            server: None,
        }
    }

    pub(crate) fn set_access(&mut self, access: Access) {
        self.uplink.bits_per_s = access.up_bits_per_s;
        self.uplink.queue = access.up_queue;
        self.downlink.bits_per_s = access.down_bits_per_s;
    }

    /// Lines up the flow to `to` if it can send at `now`.
    pub(crate) fn line_up(&mut self, to: HostId, now: Time) {
        let Some(flow) = self.flows.get_mut(&to) else { return };
        if flow.lined_up || !flow.can_send(now) {
            return;
        }
        flow.lined_up = true;
        flow.share = flow.share.max(self.share);
        self.ready.insert((flow.share, to));
    }

    pub(crate) fn drop_flow(&mut self, to: HostId) -> Option<Flow> {
        let flow = self.flows.remove(&to)?;
        self.ready.remove(&(flow.share, to));
        Some(flow)
    }
}
