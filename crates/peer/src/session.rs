//! The signaling session: connect, prove the key, join, keep alive, come back.
//!
//! The server opens with a challenge; hello and joins go out in one breath, so that neighbours are
//! known one round trip after the challenge. A lost socket takes nothing with it: links go on, what
//! was to be said is kept for [`OUTBOX_FRESH`], and the next hello carries the resume token.
//!
//! Non-goals: what the messages mean for links and proofs; [`Session::hear`] hands them on.

mod backoff;

use std::collections::VecDeque;

use core::time::Duration;

use primitives::{KeyPair, PeerId, Seed, SortedMap, SwarmId, Time};
use wire::{
    json::Json,
    limits::{SIGNALING_BYTES_MAX, SIGNALING_VERSION, TOKEN_BYTES_MAX},
    signaling::{Base64, ErrorCode, FromServer, ToServer, hello_proof},
};

use crate::{
    Output,
    effect::{Effect, Effects},
    view::{SignalingState, SignalingView},
};
use backoff::Backoff;
pub(crate) use backoff::jitter;

/// Longest wait for the socket, the challenge and the welcome, each.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest wait for anything after a ping.
const PONG_TIMEOUT: Duration = Duration::from_secs(10);
/// The same when there is reason to think that the socket is dead.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// A join without an answer is said again after this.
const JOIN_TIMEOUT: Duration = Duration::from_secs(10);
/// A refused join is said again after this, unless the server names a time.
const JOIN_REFUSED: Duration = Duration::from_secs(60);
/// What could not be said is kept this long: a connection attempt lives no longer.
const OUTBOX_FRESH: Duration = Duration::from_secs(12);
/// Most messages kept while there is no socket.
const OUTBOX_MAX: usize = 128;
/// Longest wait a server may ask for before the next attempt.
const RECONNECT_MAX: Duration = Duration::from_secs(3600);
/// Least and most time between two pings, whatever the server asks for.
const PING: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));
/// Failures in a row after which a person is told.
const FAILURES_TOLD: u32 = 2;

/// One peer's conversation with its signaling server.
#[derive(Debug)]
pub(crate) struct Session {
    key: KeyPair,
    state: State,
    backoff: Backoff,
    /// Not before, by a server's goodbye.
    not_before: Time,
    ever_up: bool,
    resume: Option<String>,
    server: Option<PeerId>,
    ping_every: Duration,
    last_sent: Time,
    last_heard: Time,
    pong_by: Option<Time>,
    outbox: VecDeque<(Time, ToServer)>,
    /// Swarms said in a join, and when to say it again if no answer came.
    joins: SortedMap<SwarmId, Option<Time>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    /// For the next attempt.
    Waiting(Time),
    /// For the socket, until.
    Opening(Time),
    /// For the challenge, until.
    Open(Time),
    /// For the welcome, until.
    Greeted(Time),
    Up {
        since: Time,
    },
}

impl Session {
    pub(crate) fn new(key: KeyPair, seed: Seed) -> Self {
        Self {
            key,
            state: State::Off,
            backoff: Backoff::new(seed),
            not_before: Time::ZERO,
            ever_up: false,
            resume: None,
            server: None,
            ping_every: PING.1,
            last_sent: Time::ZERO,
            last_heard: Time::ZERO,
            pong_by: None,
            outbox: VecDeque::new(),
            joins: SortedMap::new(),
        }
    }

    /// Connects, unless it is under way.
    pub(crate) fn start(&mut self, now: Time, fx: &mut Effects) {
        if self.state == State::Off {
            self.connect(now.max(self.not_before), now, fx);
        }
    }

    /// Leaves every swarm and closes the socket.
    pub(crate) fn stop(&mut self, now: Time, fx: &mut Effects) {
        for swarm in self.joins.keys().copied().collect::<Vec<_>>() {
            self.leave(now, swarm, fx);
        }
        if !matches!(self.state, State::Off | State::Waiting(_)) {
            fx.push_back(Effect::Out(Output::Disconnect));
        }
        self.state = State::Off;
        self.resume = None;
        self.server = None;
        self.pong_by = None;
        self.outbox.clear();
        self.backoff.reset();
    }

    /// The network changed: the socket is likely dead, and waiting is likely over.
    pub(crate) fn restart(&mut self, now: Time, fx: &mut Effects) {
        if self.state != State::Off {
            self.forget_socket();
            self.backoff.reset();
            self.connect(now.max(self.not_before), now, fx);
        }
    }

    /// There is reason to think that the socket is dead: asks for an answer soon.
    pub(crate) fn probe(&mut self, now: Time, fx: &mut Effects) {
        if matches!(self.state, State::Up { .. }) {
            if self.pong_by.is_none() {
                self.say(now, &ToServer::Ping, fx);
            }
            let by = now + PROBE_TIMEOUT;
            self.pong_by = Some(self.pong_by.map_or(by, |earlier| earlier.min(by)));
        }
    }

    /// Since when this session's socket is up, unless an answer is waited for.
    pub(crate) fn answers_since(&self) -> Option<Time> {
        match self.state {
            State::Up { since } if self.pong_by.is_none() => Some(since),
            _ => None,
        }
    }

    pub(crate) fn on_open(&mut self, now: Time) {
        if matches!(self.state, State::Opening(_)) {
            self.state = State::Open(now + STEP_TIMEOUT);
        }
    }

    pub(crate) fn on_closed(&mut self, now: Time) {
        if !matches!(self.state, State::Off | State::Waiting(_)) {
            self.wait(now);
        }
    }

    /// Takes what is the session's own and returns what is for the other parts. After a
    /// [`FromServer::Challenge`] the caller says every join and then calls [`Session::flush`].
    pub(crate) fn hear(&mut self, now: Time, text: &str, fx: &mut Effects) -> Option<FromServer> {
        if text.len() > SIGNALING_BYTES_MAX {
            return None;
        }
        let message = FromServer::try_from(Json::read(text.as_bytes())?).ok()?;
        self.pong_by = None;
        self.last_heard = now;
        match &message {
            FromServer::Challenge { nonce, server, .. } => {
                matches!(self.state, State::Open(_))
                    .then(|| self.greet(now, nonce, *server, fx))?;
            }
            FromServer::Welcome { resume, ping_ms, .. } => {
                matches!(self.state, State::Greeted(_)).then_some(())?;
                self.state = State::Up { since: now };
                self.ever_up = true;
                self.resume = (resume.len() <= TOKEN_BYTES_MAX).then(|| resume.clone());
                let every = Duration::from_millis(u64::from(*ping_ms));
                self.ping_every = every.clamp(PING.0, PING.1);
            }
            FromServer::Joined { swarm, .. } => {
                *self.joins.get_mut(swarm)? = None;
            }
            FromServer::Error { code, swarm: Some(swarm), retry_after_ms, .. } => {
                self.on_refused(now, *swarm, *code, *retry_after_ms);
            }
            FromServer::Goodbye { reconnect_after_ms, .. } => {
                let asked = Duration::from_millis(u64::from(*reconnect_after_ms));
                self.not_before = now + asked.min(RECONNECT_MAX);
                fx.push_back(Effect::Out(Output::Disconnect));
                self.wait(now);
                return None;
            }
            FromServer::Pong => return None,
            FromServer::Error { .. }
            | FromServer::Neighbours { .. }
            | FromServer::Signal { .. }
            | FromServer::Gone { .. }
            | FromServer::Witness { .. } => self.is_ready().then_some(())?,
        }
        Some(message)
    }

    /// Says it, or keeps a signal for a short while when there is no socket. Joins and the like are
    /// said anew after the next hello anyway.
    pub(crate) fn send(&mut self, now: Time, message: ToServer, fx: &mut Effects) {
        if self.is_ready() {
            self.say(now, &message, fx);
        } else if matches!(message, ToServer::Signal { .. }) && self.state != State::Off {
            self.outbox.push_back((now, message));
            if self.outbox.len() > OUTBOX_MAX {
                self.outbox.pop_front();
            }
        }
    }

    /// Says a join and remembers to say it again without an answer.
    pub(crate) fn join(&mut self, now: Time, swarm: SwarmId, join: ToServer, fx: &mut Effects) {
        self.joins.insert(swarm, Some(now + JOIN_TIMEOUT));
        self.send(now, join, fx);
    }

    pub(crate) fn leave(&mut self, now: Time, swarm: SwarmId, fx: &mut Effects) {
        if self.joins.remove(&swarm).is_some() {
            self.send(now, ToServer::Leave { swarm }, fx);
        }
    }

    /// Says what was kept, but not what is too old to matter.
    pub(crate) fn flush(&mut self, now: Time, fx: &mut Effects) {
        for (at, message) in std::mem::take(&mut self.outbox) {
            if now.since(at) < OUTBOX_FRESH {
                self.say(now, &message, fx);
            }
        }
    }

    /// Swarms whose join has to be said again.
    pub(crate) fn overdue_joins(&self, now: Time) -> Vec<SwarmId> {
        let due = |at: &Option<Time>| at.is_some_and(|at| at <= now);
        let joins = self.joins.iter().filter(|(_, at)| self.is_ready() && due(at));
        joins.map(|(swarm, _)| *swarm).collect()
    }

    /// Deadlines, back-off and ping.
    pub(crate) fn tick(&mut self, now: Time, fx: &mut Effects) {
        match self.state {
            State::Waiting(at) if at <= now => self.connect(now, now, fx),
            State::Opening(by) | State::Open(by) | State::Greeted(by) if by <= now => {
                fx.push_back(Effect::Out(Output::Disconnect));
                self.wait(now);
            }
            State::Up { .. } if self.pong_by.is_some_and(|by| by <= now) => {
                fx.push_back(Effect::Out(Output::Disconnect));
                self.wait(now);
            }
            State::Up { .. } if self.pong_by.is_none() && self.ping_at() <= now => {
                self.say(now, &ToServer::Ping, fx);
                self.pong_by = Some(now + PONG_TIMEOUT);
            }
            State::Off
            | State::Waiting(_)
            | State::Opening(_)
            | State::Open(_)
            | State::Greeted(_)
            | State::Up { .. } => {}
        }
    }

    pub(crate) fn wake(&self) -> Time {
        let own = match self.state {
            State::Off => Time::NEVER,
            State::Waiting(at) | State::Opening(at) | State::Open(at) | State::Greeted(at) => at,
            State::Up { .. } => self.pong_by.unwrap_or_else(|| self.ping_at()),
        };
        let joins = if self.is_ready() { self.joins.values().flatten().min() } else { None };
        own.min(joins.copied().unwrap_or(Time::NEVER))
    }

    /// Whether a message said now reaches the server.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.state, State::Greeted(_) | State::Up { .. })
    }

    /// The key this server signs witness statements with, while it can be asked.
    pub(crate) fn server(&self) -> Option<PeerId> {
        self.server.filter(|_| self.is_ready())
    }

    /// Whether a person should be told that the server is not to be had.
    pub(crate) fn is_troubled(&self) -> bool {
        self.backoff.failures() >= FAILURES_TOLD && !matches!(self.state, State::Up { .. })
    }

    pub(crate) fn view(&self, now: Time) -> SignalingView {
        let state = match self.state {
            State::Off => SignalingState::Off,
            State::Up { .. } => SignalingState::Connected,
            _ if self.ever_up || self.backoff.failures() > 0 => SignalingState::Reconnecting,
            _ => SignalingState::Connecting,
        };
        let retry_in_ms = match self.state {
            State::Waiting(at) => u32::try_from(at.since(now).as_millis()).ok(),
            _ => None,
        };
        SignalingView { state, retry_in_ms }
    }

    fn connect(&mut self, at: Time, now: Time, fx: &mut Effects) {
        if at > now {
            self.state = State::Waiting(at);
        } else {
            self.state = State::Opening(now + STEP_TIMEOUT);
            fx.push_back(Effect::Out(Output::Connect));
        }
    }

    fn greet(&mut self, now: Time, nonce: &Base64, server: PeerId, fx: &mut Effects) {
        self.server = Some(server);
        self.state = State::Greeted(now + STEP_TIMEOUT);
        let hello = ToServer::Hello {
            version: SIGNALING_VERSION,
            peer: self.key.id(),
            proof: hello_proof(&self.key, nonce),
            resume: self.resume.clone(),
        };
        self.say(now, &hello, fx);
    }

    fn on_refused(&mut self, now: Time, swarm: SwarmId, code: ErrorCode, after_ms: Option<u32>) {
        let Some(again) = self.joins.get_mut(&swarm) else { return };
        let asked = after_ms.map(|ms| Duration::from_millis(u64::from(ms)));
        match code {
            ErrorCode::NotJoined => *again = Some(now + Duration::from_secs(1)),
            ErrorCode::TooMany | ErrorCode::Forbidden if again.is_some() => {
                *again = Some(now + asked.unwrap_or(JOIN_REFUSED).min(RECONNECT_MAX));
            }
            ErrorCode::TooMany
            | ErrorCode::Forbidden
            | ErrorCode::BadMessage
            | ErrorCode::BadProof
            | ErrorCode::HelloFirst
            | ErrorCode::Unfetched
            | ErrorCode::NoWitness => {}
        }
    }

    /// The socket is lost: the next attempt comes after the back-off, or when the server said.
    fn wait(&mut self, now: Time) {
        let lasted = match self.state {
            State::Up { since } => now.since(since),
            _ => Duration::ZERO,
        };
        self.forget_socket();
        let delay = self.backoff.next(lasted);
        self.state = State::Waiting((now + delay).max(self.not_before));
    }

    fn forget_socket(&mut self) {
        self.pong_by = None;
        for again in self.joins.values_mut() {
            *again = Some(Time::NEVER);
        }
    }

    /// What is said into a dead socket makes no noise: both directions count.
    fn ping_at(&self) -> Time {
        self.last_sent.min(self.last_heard) + self.ping_every
    }

    fn say(&mut self, now: Time, message: &ToServer, fx: &mut Effects) {
        let text = serde_json::to_string(message).expect("messages have a JSON form");
        self.last_sent = now;
        fx.push_back(Effect::Out(Output::SocketSend(text)));
    }
}
