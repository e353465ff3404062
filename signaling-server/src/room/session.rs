//! Sessions: a peer's place on this server, which outlives its socket by a lease.
//!
//! A session belongs to one key. It has at most one socket; a newer socket that proves the key wins.
//! With the right token the newer socket takes up the session (memberships, messages held for it);
//! without, a fresh session replaces the old one, whose memberships end.
//!
//! `M` is the driver's handle to a socket's queue; this machine stores it and gives it back.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use primitives::{PeerId, SwarmId, Time};
use wire::limits::SWARMS_PER_CONNECTION_MAX;

/// Most messages held for a session whose socket is down; the oldest goes first.
pub const HELD_MESSAGES_MAX: usize = 32;
/// Most bytes of them.
pub const HELD_BYTES_MAX: usize = 65_536;

/// Names one session of this server's life. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// Names one socket of this server's life. Never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Many sessions.
#[derive(Debug)]
pub struct Sessions<M> {
    lease: Duration,
    sessions: BTreeMap<PeerId, Session<M>>,
    /// Detached sessions by the end of their lease.
    leases: BTreeSet<(Time, PeerId)>,
}

#[derive(Debug)]
struct Session<M> {
    id: SessionId,
    token: String,
    socket: Option<(SocketId, M)>,
    swarms: BTreeSet<SwarmId>,
    lease_until: Time,
    held: VecDeque<String>,
    held_bytes: usize,
}

/// What a good hello came to.
#[derive(Debug)]
pub struct Opened<M> {
    /// The session now in force.
    pub session: SessionId,
    /// Its token.
    pub token: String,
    /// An earlier session was taken up.
    pub resumed: bool,
    /// Swarms of the session taken up.
    pub swarms: Vec<SwarmId>,
    /// Messages that came meanwhile, oldest first.
    pub held: VecDeque<String>,
    /// An older socket of this key, to be closed.
    pub replaced: Option<M>,
    /// The session this one pushed out; its memberships are to be ended.
    pub ended: Option<Ended>,
}

/// A session that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whose it was.
    pub peer: PeerId,
    /// Which.
    pub session: SessionId,
    /// What it was in.
    pub swarms: Vec<SwarmId>,
}

/// A session without a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Which.
    pub session: SessionId,
    /// What it is in.
    pub swarms: Vec<SwarmId>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posted<'a, M> {
    /// To be put into this queue.
    Queue(&'a M),
    /// Kept until the peer is back.
    Held,
    /// No such session.
    Gone,
}

impl<M> Sessions<M> {
    /// No sessions; those without a socket are kept for `lease_ms`.
    pub fn new(lease_ms: u32) -> Self {
        Self {
            lease: Duration::from_millis(u64::from(lease_ms)),
            sessions: BTreeMap::new(),
            leases: BTreeSet::new(),
        }
    }

    /// How many sessions there are, detached ones included.
    pub fn count(&self) -> usize {
        self.sessions.len()
    }

    /// A socket proved `peer`. `fresh` is the id and token of the session it gets unless it takes up
    /// an earlier one.
    pub fn open(
        &mut self,
        peer: PeerId,
        resume: Option<&str>,
        socket: (SocketId, M),
        fresh: (SessionId, String),
    ) -> Opened<M> {
        let mut earlier = self.remove(&peer);
        let replaced = earlier.as_mut().and_then(|session| session.socket.take());
        let resumed = earlier.as_ref().is_some_and(|session| resume == Some(&session.token));
        let (mut session, ended) = match earlier {
            Some(earlier) if resumed => (earlier, None),
            Some(earlier) => (Session::new(fresh), Some(earlier.ended(peer))),
            None => (Session::new(fresh), None),
        };
        let opened = Opened {
            session: session.id,
            token: session.token.clone(),
            resumed,
            swarms: session.swarms.iter().copied().collect(),
            held: std::mem::take(&mut session.held),
            replaced: replaced.map(|(_, queue)| queue),
            ended,
        };
        session.held_bytes = 0;
        session.socket = Some(socket);
        self.sessions.insert(peer, session);
        opened
    }

    /// The socket closed. `None` if the session has another one by now.
    pub fn detach(&mut self, now: Time, peer: &PeerId, socket: SocketId) -> Option<Detached> {
        let session = self.sessions.get_mut(peer)?;
        session.socket.take_if(|(id, _)| *id == socket)?;
        session.lease_until = now + self.lease;
        self.leases.insert((session.lease_until, *peer));
        let swarms = session.swarms.iter().copied().collect();
        Some(Detached { session: session.id, swarms })
    }

    /// The peer said it will not come back with this socket's session.
    pub fn close(&mut self, peer: &PeerId, socket: SocketId) -> Option<Ended> {
        self.sessions.get(peer)?.socket.as_ref().filter(|(id, _)| *id == socket)?;
        self.remove(peer).map(|session| session.ended(*peer))
    }

    /// Ends sessions whose lease is over.
    pub fn expire(&mut self, now: Time) -> Vec<Ended> {
        let mut ended = Vec::new();
        while let Some(&(until, peer)) = self.leases.first()
            && until <= now
        {
            self.leases.pop_first();
            ended.extend(self.sessions.remove(&peer).map(|session| session.ended(peer)));
        }
        ended
    }

    /// Notes that the session joins a swarm. `false`: it is in too many, or not in force any more.
    pub fn enter(&mut self, peer: &PeerId, session: SessionId, swarm: SwarmId) -> bool {
        let Some(session) = self.current(peer, session) else { return false };
        let known = session.swarms.contains(&swarm);
        if !known && session.swarms.len() >= SWARMS_PER_CONNECTION_MAX {
            return false;
        }
        session.swarms.insert(swarm);
        true
    }

    /// Notes that the session left a swarm.
    pub fn exit(&mut self, peer: &PeerId, session: SessionId, swarm: &SwarmId) {
        if let Some(session) = self.current(peer, session) {
            session.swarms.remove(swarm);
        }
    }

    /// How many swarms the session with this token is in; `None` if the peer has no such session.
    pub fn swarms_of(&self, peer: &PeerId, token: &str) -> Option<usize> {
        let session = self.sessions.get(peer).filter(|session| session.has(token))?;
        Some(session.swarms.len())
    }

    /// Whether the session is the one in force.
    pub fn is_current(&self, peer: &PeerId, session: SessionId) -> bool {
        self.sessions.get(peer).is_some_and(|found| found.id == session)
    }

    /// Where a message for `peer` goes. For a detached session it is kept here, within
    /// [`HELD_MESSAGES_MAX`] and [`HELD_BYTES_MAX`].
    pub fn post(&mut self, peer: &PeerId, text: &str) -> Posted<'_, M> {
        let Some(session) = self.sessions.get_mut(peer) else { return Posted::Gone };
        if session.socket.is_none() {
            session.hold(text);
        }
        session.socket.as_ref().map_or(Posted::Held, |(_, queue)| Posted::Queue(queue))
    }

    fn current(&mut self, peer: &PeerId, session: SessionId) -> Option<&mut Session<M>> {
        self.sessions.get_mut(peer).filter(|found| found.id == session)
    }

    fn remove(&mut self, peer: &PeerId) -> Option<Session<M>> {
        let session = self.sessions.remove(peer)?;
        self.leases.remove(&(session.lease_until, *peer));
        Some(session)
    }
}

impl<M> Session<M> {
    fn new((id, token): (SessionId, String)) -> Self {
        Self {
            id,
            token,
            socket: None,
            swarms: BTreeSet::new(),
            lease_until: Time::NEVER,
            held: VecDeque::new(),
            held_bytes: 0,
        }
    }

    /// Whether this is its token. Looks at every byte, however early one differs.
    fn has(&self, token: &str) -> bool {
        let (ours, theirs) = (self.token.as_bytes(), token.as_bytes());
        let differing = ours.iter().zip(theirs).fold(0, |all, (a, b)| all | (a ^ b));
        ours.len() == theirs.len() && differing == 0
    }

    fn ended(self, peer: PeerId) -> Ended {
        Ended { peer, session: self.id, swarms: self.swarms.into_iter().collect() }
    }

    fn hold(&mut self, text: &str) {
        self.held_bytes += text.len();
        self.held.push_back(text.into());
        while self.held.len() > HELD_MESSAGES_MAX || self.held_bytes > HELD_BYTES_MAX {
            let Some(dropped) = self.held.pop_front() else { break };
            self.held_bytes -= dropped.len();
        }
    }
}
