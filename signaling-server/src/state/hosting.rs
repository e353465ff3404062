//! What the host asks and orders.

use std::sync::Arc;

use primitives::{PeerId, SwarmId};
use wire::signaling::{ErrorCode, FromServer};

use super::{Speaker, State, nodes::Nodes, text};
use crate::admin::Token;
use crate::bans::{Bans, Subject};
use crate::lock;

/// What every socket must know at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Why the server closes, once it does.
    pub(crate) closing: Option<Arc<str>>,
    /// Counts changes of the bans: a socket asks again whether it may stay.
    pub(crate) bans: u64,
}

impl State {
    pub(crate) fn bans(&self) -> &Bans {
        &self.0.bans
    }

    pub(crate) fn token(&self) -> &Token {
        &self.0.token
    }

    /// Bans somebody from now on: sockets that may not stay end, memberships of a banned swarm do. The
    /// error is for a person.
    pub(crate) fn ban(&self, subject: Subject, reason: &str) -> Result<(), String> {
        self.bans().add(subject.clone(), reason)?;
        self.0.notice.send_modify(|notice| notice.bans += 1);
        match subject {
            Subject::Swarm(swarm) => self.clear(swarm),
            Subject::Torrent(swarm) => self.clear_tracker_swarm(&swarm),
            Subject::Address(_) | Subject::Origin(_) | Subject::Peer(_) => {}
        }
        Ok(())
    }

    /// Ends all memberships of this node's peers in a swarm, and tells them.
    fn clear(&self, swarm: SwarmId) {
        let members = lock(self.shard_of(&swarm)).rooms.sessions_in(swarm);
        for (peer, session) in members {
            self.leave(Speaker { peer, session }, swarm);
            self.post(&peer, text(&self.banned_swarm(swarm)));
        }
    }

    fn banned_swarm(&self, swarm: SwarmId) -> FromServer {
        let reason = self.bans().of_swarm(&swarm).unwrap_or_default();
        FromServer::Error {
            code: ErrorCode::Forbidden,
            message: format!("this swarm is banned: {reason}"),
            swarm: Some(swarm),
            id: None,
            retry_after_ms: None,
        }
    }

    /// Why a visitor with this key may not be here, if so.
    pub(crate) fn ban_of(
        &self,
        peer: Option<&PeerId>,
        visitor: &crate::visitor::Visitor,
    ) -> Option<Arc<str>> {
        let of_peer = peer.and_then(|peer| self.bans().of_peer(peer));
        of_peer.or_else(|| self.bans().of_visitor(visitor))
    }

    pub(crate) fn session_count(&self) -> usize {
        self.0.sessions.iter().map(|shard| lock(shard).count()).sum()
    }

    pub(crate) fn swarm_count(&self) -> usize {
        self.0.shards.iter().map(|shard| lock(shard).rooms.swarm_count()).sum()
    }

    pub(crate) fn remote_count(&self) -> usize {
        self.0.shards.iter().map(|shard| lock(shard).rooms.remote_count()).sum()
    }

    /// The biggest swarms: peers, those of this node among them, and the swarm.
    pub(crate) fn biggest_swarms(&self, most: usize) -> Vec<(usize, usize, SwarmId)> {
        let mut biggest = Vec::new();
        for shard in &self.0.shards {
            biggest.extend(lock(shard).rooms.sizes());
            biggest.sort_unstable_by(|one, other| other.cmp(one));
            biggest.truncate(most);
        }
        biggest
    }

    pub(crate) fn with_nodes<T>(&self, ask: impl FnOnce(&Nodes) -> T) -> T {
        ask(&lock(&self.0.nodes))
    }
}
