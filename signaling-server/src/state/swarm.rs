//! What a peer asks of swarms: join, more, signal, leave.

use primitives::{PeerId, SwarmId};
use wire::signaling::{ErrorCode, FromServer};

use super::{Shard, Speaker, State, set, text};
use crate::bus::{Mate, What};
use crate::inbound::stamp;
use crate::lock;
use crate::mailbox::Mailbox;
use crate::policy::Denied;
use crate::room::{Newcomer, Refusal, Route};
use crate::visitor::Visitor;

/// A full server is asked again after this many milliseconds.
const FULL_RETRY_MS: u32 = 60_000;

/// A refusal on its way to the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
    pub(crate) retry_after_ms: Option<u32>,
}

/// A wish to join.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) want: u16,
    pub(crate) region: Option<String>,
    pub(crate) site: Option<String>,
    pub(crate) position: Option<u32>,
}

/// A wish for more neighbours.
#[derive(Debug)]
pub(crate) struct MoreWish {
    pub(crate) want: u16,
    pub(crate) except: Vec<PeerId>,
    pub(crate) position: Option<u32>,
}

impl Fault {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: None }
    }

    pub(crate) fn too_many(message: impl Into<String>, retry_after_ms: u32) -> Self {
        let message = message.into();
        Self { code: ErrorCode::TooMany, message, retry_after_ms: Some(retry_after_ms) }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Site => Self::new(ErrorCode::Forbidden, "this host does not serve this site"),
            Denied::Swarm => Self::new(ErrorCode::Forbidden, "this site may not use this swarm"),
            Denied::Full => Self::too_many("this site has its most peers", FULL_RETRY_MS),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotJoined => Self::new(ErrorCode::NotJoined, "join the swarm first"),
            Refusal::Full => Self::too_many("the swarm or the server is full", FULL_RETRY_MS),
        }
    }
}

impl State {
    /// Puts a peer into a swarm and tells it of neighbours.
    pub(crate) fn join(
        &self,
        speaker: Speaker,
        visitor: &Visitor,
        mailbox: &Mailbox,
        swarm: SwarmId,
        wish: Wish,
    ) -> Result<(), Fault> {
        if let Some(reason) = self.bans().of_swarm(&swarm) {
            let message = format!("this swarm is banned: {reason}");
            return Err(Fault::new(ErrorCode::Forbidden, message));
        }
        let site = self.policy().admit(visitor.origin.as_deref(), wish.site.as_deref(), &swarm)?;
        let joined = self.enter(speaker, mailbox, swarm, site, wish);
        // A place was taken for a new membership; a renewed one has its place already.
        if !matches!(joined, Ok(true)) {
            self.policy().release(site);
        }
        joined.map(|_| ())
    }

    /// Whether the membership is new.
    fn enter(
        &self,
        speaker: Speaker,
        mailbox: &Mailbox,
        swarm: SwarmId,
        site: usize,
        wish: Wish,
    ) -> Result<bool, Fault> {
        let Speaker { peer, session } = speaker;
        if !lock(self.sessions_of(&peer)).enter(&peer, session, swarm) {
            return Err(Fault::too_many("the connection is in too many swarms", FULL_RETRY_MS));
        }
        let Wish { want, region, position, site: _ } = wish;
        let mate = Mate { peer, region: region.clone(), position };
        let newcomer = Newcomer { peer, session, site, region, position, want };
        let introduction = {
            let mut shard = lock(self.shard_of(&swarm));
            let Shard { rooms, rng } = &mut *shard;
            let introduction = rooms.join(self.now(), swarm, newcomer, rng);
            if let Ok(introduction) = &introduction {
                let relay_only = self.policy().relay_only(site);
                let (size, peers) = (introduction.size, introduction.peers.clone());
                mailbox.send(text(&FromServer::Joined { swarm, size, peers, relay_only }));
                if introduction.first {
                    self.bus().follow(swarm);
                }
            }
            introduction
        };
        match introduction {
            Ok(introduction) => {
                if introduction.new {
                    self.metrics().members.inc();
                }
                if introduction.first && self.bus().is_heard() {
                    self.bus().tell(swarm, What::Who);
                }
                self.tell_here(swarm, mate);
                self.undo_if_over(speaker, swarm);
                Ok(introduction.new)
            }
            Err(refusal) => {
                lock(self.sessions_of(&peer)).exit(&peer, session, &swarm);
                Err(refusal.into())
            }
        }
    }

    /// A newer socket of the key may have ended this session between the two locks; it found no
    /// membership to end then.
    fn undo_if_over(&self, speaker: Speaker, swarm: SwarmId) {
        let sessions = lock(self.sessions_of(&speaker.peer));
        if !sessions.is_current(&speaker.peer, speaker.session) {
            drop(sessions);
            self.end_membership(speaker, swarm);
        }
    }

    /// Tells a member of others.
    pub(crate) fn more(
        &self,
        speaker: Speaker,
        mailbox: &Mailbox,
        swarm: SwarmId,
        wish: MoreWish,
    ) -> Result<(), Fault> {
        let asker = (speaker.peer, speaker.session);
        let except = set(wish.except);
        let mut shard = lock(self.shard_of(&swarm));
        let Shard { rooms, rng } = &mut *shard;
        let introduction =
            rooms.more(self.now(), swarm, asker, wish.want, &except, wish.position, rng)?;
        let (size, peers) = (introduction.size, introduction.peers);
        mailbox.send(text(&FromServer::Neighbours { swarm, size, peers }));
        Ok(())
    }

    /// Hands a signal on, or says that its receiver is gone.
    pub(crate) fn signal(
        &self,
        speaker: Speaker,
        mailbox: &Mailbox,
        swarm: SwarmId,
        to: PeerId,
        signal: &str,
    ) -> Result<(), Fault> {
        let asker = (speaker.peer, speaker.session);
        let route = lock(self.shard_of(&swarm)).rooms.route(swarm, asker, &to)?;
        let stamped = || stamp(signal, &speaker.peer);
        let passed = match route {
            Route::Gone => false,
            Route::Here => self.post(&to, stamped().into()),
            Route::There(node) => {
                self.bus().tell(swarm, What::Signal { node, to, text: stamped() });
                true
            }
        };
        if !passed {
            mailbox.send(text(&FromServer::Gone { swarm, peer: to }));
        }
        Ok(())
    }

    /// Takes a peer out of a swarm.
    pub(crate) fn leave(&self, speaker: Speaker, swarm: SwarmId) {
        lock(self.sessions_of(&speaker.peer)).exit(&speaker.peer, speaker.session, &swarm);
        self.end_membership(speaker, swarm);
    }
}
