//! What the host's page shows.

use std::collections::BTreeMap;
use std::time::Duration;

use primitives::SwarmId;
use serde::Serialize;

use crate::announce::TrackerLoad;
use crate::bus::Load;
use crate::relays::RelayLoad;
use crate::state::State;

/// Swarms that are named: the biggest.
const SWARMS_MAX: usize = 20;

/// The answer. Names of fields are the page's too: `app/src/host.rs` reads them.
#[derive(Debug, Serialize)]
pub(super) struct Status {
    node: Node,
    /// The other nodes that were heard within a lease.
    nodes: Vec<Node>,
    bus: Bus,
    sessions: u64,
    /// Memberships of other nodes' peers.
    remote_members: u64,
    /// The biggest swarms.
    swarms: Vec<Swarm>,
    relay: Option<RelayLoad>,
    tracker: TrackerLoad,
    /// Sockets not opened, by reason.
    refused: BTreeMap<String, u64>,
    /// Sockets closed, by reason.
    closed: BTreeMap<String, u64>,
    /// Refusals told to peers, by code.
    errors: BTreeMap<String, u64>,
    bans: usize,
    is_closing: bool,
}

/// One node.
#[derive(Debug, Serialize)]
struct Node {
    id: String,
    name: String,
    version: String,
    uptime_s: u64,
    sockets: u32,
    swarms: u32,
    members: u32,
    /// How long ago it told this.
    heard_ms_ago: u64,
}

/// The line to the other nodes.
#[derive(Debug, Serialize)]
struct Bus {
    is_heard: bool,
    told: u64,
    lost: u64,
    heard: u64,
    refused: u64,
}

/// One swarm.
#[derive(Debug, Serialize)]
struct Swarm {
    swarm: SwarmId,
    peers: usize,
    /// Of those, on this node.
    here: usize,
}

impl Status {
    pub(super) fn of(state: &State) -> Self {
        let metrics = state.metrics();
        let counters = state.bus().counters();
        let [sessions, remote_members] = [state.session_count(), state.remote_count()]
            .map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        let swarms = state.biggest_swarms(SWARMS_MAX).into_iter();
        Self {
            node: Node::new(Duration::ZERO, &state.load()),
            nodes: state.with_nodes(|nodes| {
                nodes.all().map(|(heard, load)| Node::new(heard, load)).collect()
            }),
            bus: Bus {
                is_heard: state.bus().is_heard(),
                told: counters.told.get(),
                lost: counters.lost.get(),
                heard: counters.heard.get(),
                refused: counters.refused.get(),
            },
            sessions,
            remote_members,
            swarms: swarms.map(|(peers, here, swarm)| Swarm { swarm, peers, here }).collect(),
            relay: state.relays().and_then(|relays| relays.load()),
            tracker: state.tracker_load(),
            refused: metrics.by_kind("refused"),
            closed: metrics.by_kind("closed"),
            errors: metrics.by_kind("errors"),
            bans: state.bans().count(),
            is_closing: state.is_closing(),
        }
    }
}

impl Node {
    fn new(heard: Duration, load: &Load) -> Self {
        Self {
            id: format!("{:016x}", load.from),
            name: load.name.clone(),
            version: load.version.clone(),
            uptime_s: load.uptime_s,
            sockets: load.sockets,
            swarms: load.swarms,
            members: load.members,
            heard_ms_ago: u64::try_from(heard.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
