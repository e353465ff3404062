//! One viewer: its swarm, its player, and what it is counted by.

use std::collections::{BTreeMap, BTreeSet};

use netsim::HostId;
use primitives::{PeerId, SegmentId, Time};
use swarm::{FetchId, Input, Swarm};

use super::player::Player;

/// How a viewer behaves towards others. All of them watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// As the swarm decides.
    Honest,
    /// Flips a bit in every data frame it sends.
    Corrupts,
    /// Takes requests and never answers.
    Mute,
    /// Says it has every segment.
    Boasts,
}

/// What a driver queues for a swarm: an [`Input`] that owns its bytes or knows where they are.
#[derive(Debug)]
pub(crate) enum Job {
    Plain(Input<'static>),
    Frame { from: PeerId, bytes: Vec<u8> },
    Fetched { fetch: FetchId, segment: SegmentId, from: u32, to: u32 },
    Loaded(SegmentId),
}

#[derive(Debug)]
pub(crate) struct Viewer {
    pub(crate) id: PeerId,
    pub(crate) host: HostId,
    pub(crate) role: Role,
    pub(crate) joined_at: Time,
    /// `None` before it joins and after it leaves.
    pub(crate) life: Option<Life>,
    pub(crate) left: bool,
    /// The player of a viewer that left, for its score.
    pub(crate) past: Option<Player>,
    pub(crate) counts: Counts,
}

/// What is there while the page is open.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) swarm: Swarm,
    pub(crate) player: Player,
    pub(crate) neighbours: BTreeSet<usize>,
    pub(crate) fetches: BTreeMap<FetchId, Fetching>,
    pub(crate) stored: BTreeSet<SegmentId>,
    /// The wake the swarm asked for last, and the earliest one a timer is set for.
    pub(crate) wake_at: Time,
    pub(crate) timer_at: Time,
    /// Ticks in a row without time passing.
    pub(crate) spins: u32,
    pub(crate) player_timer_at: Time,
    /// Tracks whose playlist is loaded.
    pub(crate) listed: BTreeSet<u16>,
    pub(crate) first_listed: Option<u32>,
    /// Parts of the manifest that are loaded.
    pub(crate) parts: BTreeSet<(u16, u32)>,
    /// Payload handed to the transport and not yet sent, by neighbour.
    pub(crate) unsent: BTreeMap<usize, u64>,
}

/// One origin fetch at its driver.
#[derive(Debug)]
pub(crate) struct Fetching {
    pub(crate) segment: SegmentId,
    pub(crate) progress_at: Time,
    /// Number of its note in the audit.
    pub(crate) note: usize,
}

/// What a viewer did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) steps: u64,
    pub(crate) step_ns: u64,
    pub(crate) step_ns_max: u64,
    pub(crate) payload_in_bytes: u64,
    pub(crate) payload_out_bytes: u64,
    pub(crate) control_out_bytes: u64,
    pub(crate) control_out_frames: u64,
    pub(crate) fetches: u64,
    pub(crate) unsent_bytes_max: u64,
    pub(crate) neighbours_max: usize,
    /// Time it was there, in milliseconds, once it left or the run ended.
    pub(crate) present_ms: u64,
}

impl Viewer {
    /// How it played, unless it never joined.
    pub(crate) fn player(&self) -> Option<&Player> {
        self.life.as_ref().map(|life| &life.player).or(self.past.as_ref())
    }

    /// Whether its run counts towards liveness: honest, and still there.
    pub(crate) fn must_finish(&self) -> bool {
        self.role == Role::Honest && !self.left
    }
}
