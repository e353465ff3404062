//! One peer in one swarm.

use std::sync::Arc;

use primitives::{PeerId, Time};
use wire::limits::NEIGHBOURS_MAX;

use super::SessionId;
use crate::bus::NodeId;

/// Most introductions of one member that are remembered; older ones are forgotten first.
const LINKS_MAX: usize = NEIGHBOURS_MAX;
/// How long until an introduction weighs half, in milliseconds: a refused or failed dial should not
/// keep a member from being handed out for long.
const LOAD_HALF_LIFE_MS: u64 = 60_000;

/// Where a member's socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On this server.
    Local {
        /// The session it joined with; only that session may change or end the membership.
        session: SessionId,
        /// Where in the policy's list its site stands.
        site: usize,
    },
    /// On another node, which must tell of it again before `until`.
    Remote {
        /// Which.
        node: NodeId,
        /// The end of its lease.
        until: Time,
    },
}

/// What the room knows of a member.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) region: Option<Arc<str>>,
    /// Media sequence number at its playhead.
    pub(super) position: Option<u32>,
    /// Its socket is open: it may be handed out.
    pub(super) attached: bool,
    /// How many neighbours it asked for when it joined.
    pub(super) want: usize,
    /// Members it was introduced to, either way, that are still here.
    pub(super) links: Vec<PeerId>,
    /// When it was last sent neighbours unasked.
    pub(super) pushed_at: Option<Time>,
    /// When it is to be sent some.
    pub(super) push_due: Option<Time>,
    load: u32,
    load_epoch: u64,
}

impl Member {
    pub(super) fn new(place: Place, want: usize) -> Self {
        Self {
            place,
            region: None,
            position: None,
            attached: true,
            want,
            links: Vec::new(),
            pushed_at: None,
            push_due: None,
            load: 0,
            load_epoch: 0,
        }
    }

    /// Its session here, if it is here.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self.place {
            Place::Local { session, .. } => Some(session),
            Place::Remote { .. } => None,
        }
    }

    /// Recent introductions, older ones halved each [`LOAD_HALF_LIFE_MS`].
    pub(super) fn load(&self, now: Time) -> u32 {
        let halvings = epoch(now).saturating_sub(self.load_epoch);
        u32::try_from(halvings).ok().and_then(|by| self.load.checked_shr(by)).unwrap_or(0)
    }

    /// Remembers an introduction.
    pub(super) fn link(&mut self, now: Time, peer: PeerId) {
        self.load = self.load(now).saturating_add(1);
        self.load_epoch = epoch(now);
        if self.links.contains(&peer) {
            return;
        }
        if self.links.len() == LINKS_MAX {
            self.links.remove(0);
        }
        self.links.push(peer);
    }

    /// Whether it has so few neighbours left that it should be sent others unasked.
    pub(super) fn is_lonely(&self) -> bool {
        self.links.len() < self.want.div_ceil(2)
    }
}

fn epoch(now: Time) -> u64 {
    now.as_ms() / LOAD_HALF_LIFE_MS
}
