//! The task of one socket.
//!
//! It reads a message, acts on it, and writes what others put into its queue. Everything it says goes
//! through that queue too, so that order is kept. It ends by one [`End`], tells the peer why if it
//! can, and leaves the session to its lease.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use governor::DefaultDirectRateLimiter;
use primitives::PeerId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use wire::limits::SIGNALING_VERSION;
use wire::signaling::{Base64, ErrorCode, FromServer, ToServer, check_hello};

use crate::budget::Permit;
use crate::inbound::{self, Inbound};
use crate::mailbox::{Ending, Inbox, Mailbox, mailbox};
use crate::room::SocketId;
use crate::socket::next;
use crate::state::{Fault, MoreWish, Notice, Speaker, State, Wish, nonce, text};
use crate::visitor::Visitor;

/// Refused messages a socket may send; each good one takes one back.
const STRIKES_MAX: u32 = 64;
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// When a peer whose key moved to another socket may come back, in milliseconds.
const REPLACED_RECONNECT_MS: u32 = 60_000;
/// When others may, at the earliest.
const RECONNECT_MS: u32 = 1_000;

/// One socket and what it is part of.
pub(crate) struct Connection {
    socket: WebSocket,
    id: SocketId,
    state: State,
    visitor: Arc<Visitor>,
    mailbox: Mailbox,
    inbox: Inbox,
    notice: watch::Receiver<Notice>,
    /// The last one seen.
    noticed: Notice,
    pace: DefaultDirectRateLimiter,
    strikes: u32,
    nonce: Base64,
    speaker: Option<Speaker>,
    heard: Instant,
    /// When silence was answered with a ping.
    pinged: Option<Instant>,
    _permit: Permit,
}

/// What a socket waits to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    Hello,
    Anything,
    /// An answer to a ping; anything will do.
    Pong,
}

/// Why a socket ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// The peer closed it and will not take the session up again.
    Left,
    /// The peer closed it, or the network did.
    Dropped,
    /// No hello in time.
    NoHello,
    /// Silent for too long.
    Idle,
    /// Too many refused messages.
    Strikes,
    /// The proof in the hello was wrong.
    BadProof,
    /// Another version of the protocol.
    Version,
    /// It reads too slowly.
    Slow,
    /// A newer socket proved the key.
    Replaced,
    /// The host wants it gone.
    Banned(Arc<str>),
    /// The server shuts down.
    Closing(Arc<str>),
    /// The platform gave no randomness.
    Broken,
}

impl Connection {
    pub(crate) fn new(socket: WebSocket, visitor: Visitor, permit: Permit, state: State) -> Self {
        let config = state.config();
        let (mailbox, inbox) = mailbox(config.queue_messages_max, config.queue_bytes_max);
        Self {
            socket,
            id: SocketId(state.number()),
            visitor: Arc::new(visitor),
            mailbox,
            inbox,
            noticed: Notice::default(),
            notice: state.notice(),
            pace: state.budgets().of_socket(),
            strikes: 0,
            nonce: Base64::default(),
            speaker: None,
            heard: Instant::now(),
            pinged: None,
            _permit: permit,
            state,
        }
    }

    /// Runs until the socket ends.
    pub(crate) async fn run(mut self) {
        self.state.metrics().sockets.inc();
        let end = match self.challenge() {
            Ok(()) => self.serve().await,
            Err(end) => end,
        };
        self.state.metrics().sockets.dec();
        self.state.metrics().closed(end.name());
        tracing::debug!(reason = end.name(), peer = ?self.speaker.map(|s| s.peer), "socket ended");
        if let Some(speaker) = self.speaker {
            let for_good = matches!(end, End::Left | End::Banned(_));
            self.state.close_session(&speaker.peer, self.id, for_good);
        }
        let _ = timeout(FAREWELL, self.farewell(&end)).await;
    }

    fn challenge(&mut self) -> Result<(), End> {
        self.nonce = nonce().map_err(|_| End::Broken)?;
        let (nonce, server) = (self.nonce.clone(), self.state.server_id());
        self.say(&FromServer::Challenge { version: SIGNALING_VERSION, nonce, server });
        Ok(())
    }

    async fn serve(&mut self) -> End {
        let mut alarm = pin!(sleep_until(self.deadline()));
        loop {
            let waited_for = self.waits_for();
            let step = tokio::select! {
                notice = next(&mut self.notice, &self.noticed) => self.on_notice(notice),
                said = self.inbox.next() => match said {
                    Ok(said) => self.write(Message::Text(said)).await,
                    Err(ending) => Err(ending.into()),
                },
                heard = self.socket.recv() => self.hear(heard),
                () = &mut alarm => self.ring().await,
            };
            if let Err(end) = step {
                return end;
            }
            // The alarm is moved when it rings or something else is waited for, not for every message.
            if alarm.is_elapsed() || waited_for != self.waits_for() {
                alarm.as_mut().reset(self.deadline());
            }
        }
    }

    /// The server closes, or somebody was banned.
    fn on_notice(&mut self, notice: Notice) -> Result<(), End> {
        if let Some(reason) = notice.closing {
            return Err(End::Closing(reason));
        }
        self.noticed = notice;
        let peer = self.speaker.map(|speaker| speaker.peer);
        let banned = self.state.ban_of(peer.as_ref(), &self.visitor);
        banned.map_or(Ok(()), |reason| Err(End::Banned(reason)))
    }

    /// What must be heard next.
    fn waits_for(&self) -> Awaited {
        match (self.speaker, self.pinged) {
            (None, _) => Awaited::Hello,
            (Some(_), None) => Awaited::Anything,
            (Some(_), Some(_)) => Awaited::Pong,
        }
    }

    /// When it must have been heard.
    fn deadline(&self) -> Instant {
        let config = self.state.config();
        let patience_ms = config.idle_timeout_ms - config.ping_ms;
        let (since, ms) = match (self.waits_for(), self.pinged) {
            (Awaited::Hello, _) => (self.heard, config.hello_timeout_ms),
            (Awaited::Anything | Awaited::Pong, None) => (self.heard, config.ping_ms),
            (Awaited::Anything | Awaited::Pong, Some(pinged)) => (pinged, patience_ms),
        };
        since + Duration::from_millis(u64::from(ms))
    }

    async fn ring(&mut self) -> Result<(), End> {
        if Instant::now() < self.deadline() {
            return Ok(());
        }
        match self.waits_for() {
            Awaited::Hello => Err(End::NoHello),
            Awaited::Pong => Err(End::Idle),
            Awaited::Anything => {
                self.pinged = Some(Instant::now());
                self.write(Message::Ping(Default::default())).await
            }
        }
    }

    /// Writes one message. A peer that does not take it in time is slow; so is one whose queue fills
    /// meanwhile.
    async fn write(&mut self, message: Message) -> Result<(), End> {
        let patience = Duration::from_millis(u64::from(self.state.config().write_timeout_ms));
        tokio::select! {
            written = timeout(patience, self.socket.send(message)) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Dropped),
                Err(_) => Err(End::Slow),
            },
            ending = self.inbox.ended() => Err(ending.into()),
        }
    }

    fn hear(&mut self, heard: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        if self.speaker.is_some() {
            self.heard = Instant::now();
            self.pinged = None;
        }
        match heard {
            None | Some(Err(_)) => Err(End::Dropped),
            // A page that is closed or left says 1001 (RFC 6455, 7.4.1).
            Some(Ok(Message::Close(Some(frame)))) if frame.code == close_code::AWAY => {
                Err(End::Left)
            }
            Some(Ok(Message::Close(_))) => Err(End::Dropped),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.count(),
            Some(Ok(Message::Binary(_))) => {
                let fault = Fault::new(ErrorCode::BadMessage, "expected text, found binary");
                self.count().and_then(|()| self.refuse(fault, None))
            }
            Some(Ok(Message::Text(text))) => self.on_text(&text),
        }
    }

    /// Counts a message that is not text against the budget.
    fn count(&mut self) -> Result<(), End> {
        match self.state.budgets().message(&self.visitor, &self.pace) {
            Ok(()) => Ok(()),
            Err(wait) => self.refuse(too_fast(wait), None),
        }
    }

    fn on_text(&mut self, text: &Utf8Bytes) -> Result<(), End> {
        if let Err(wait) = self.state.budgets().message(&self.visitor, &self.pace) {
            return self.refuse(too_fast(wait), None);
        }
        let message = match inbound::read(text) {
            Ok(message) => message,
            Err(why) => return self.refuse(Fault::new(ErrorCode::BadMessage, why), None),
        };
        self.state.metrics().message(inbound::name(&message));
        let about = about(&message);
        if let Some(Err(wait)) = about.swarm.map(|swarm| self.state.budgets().in_swarm(&swarm)) {
            return self.refuse(too_fast(wait), Some(about));
        }
        match self.on_message(message, text)? {
            Ok(()) => {
                self.strikes = self.strikes.saturating_sub(1);
                Ok(())
            }
            Err(fault) => self.refuse(fault, Some(about)),
        }
    }

    /// The outer error ends the socket, the inner is told.
    fn on_message(&mut self, message: Inbound, text: &str) -> Result<Result<(), Fault>, End> {
        let message = match message {
            Inbound::Server(ToServer::Ping) => {
                self.say(&FromServer::Pong);
                return Ok(Ok(()));
            }
            Inbound::Server(ToServer::Hello { version, peer, proof, resume }) => {
                return self.on_hello(version, peer, &proof, resume.as_deref());
            }
            message => message,
        };
        let Some(speaker) = self.speaker else {
            return Ok(Err(Fault::new(ErrorCode::HelloFirst, "say hello first")));
        };
        Ok(match message {
            Inbound::Signal { swarm, to } => {
                self.state.signal(speaker, &self.mailbox, swarm, to, text)
            }
            Inbound::Server(message) => self.on_request(speaker, message),
        })
    }

    fn on_request(&mut self, speaker: Speaker, message: ToServer) -> Result<(), Fault> {
        match message {
            ToServer::Join { swarm, want, region, site, position } => {
                let wish = Wish { want, region, site, position };
                self.state.join(speaker, &self.visitor, &self.mailbox, swarm, wish)
            }
            ToServer::More { swarm, want, except, position } => {
                let wish = MoreWish { want, except, position };
                self.state.more(speaker, &self.mailbox, swarm, wish)
            }
            ToServer::Leave { swarm } => {
                self.state.leave(speaker, swarm);
                Ok(())
            }
            ToServer::Witness { id, url } => self.on_witness(id, url),
            // Read as envelopes or answered before.
            ToServer::Hello { .. } | ToServer::Signal { .. } | ToServer::Ping => Ok(()),
        }
    }

    fn on_hello(
        &mut self,
        version: u32,
        peer: PeerId,
        proof: &Base64,
        resume: Option<&str>,
    ) -> Result<Result<(), Fault>, End> {
        if self.speaker.is_some() {
            return Ok(Err(Fault::new(ErrorCode::BadMessage, "this socket said hello before")));
        }
        if version != SIGNALING_VERSION {
            let message = format!("version is {version}, expected {SIGNALING_VERSION}");
            self.tell(Fault::new(ErrorCode::BadMessage, message), None);
            return Err(End::Version);
        }
        if check_hello(&peer, &self.nonce, proof).is_err() {
            let message = "the proof is not this key's over the nonce of this socket";
            self.tell(Fault::new(ErrorCode::BadProof, message), None);
            return Err(End::BadProof);
        }
        if let Some(reason) = self.state.bans().of_peer(&peer) {
            let message = format!("this key is banned: {reason}");
            self.tell(Fault::new(ErrorCode::Forbidden, message), None);
            return Err(End::Banned(reason));
        }
        let opened = self.state.open_session(peer, resume, self.id, &self.mailbox);
        self.speaker = Some(opened.map_err(|_| End::Broken)?);
        self.heard = Instant::now();
        Ok(Ok(()))
    }

    /// The fetch takes its time; the socket goes on.
    fn on_witness(&mut self, id: u32, url: String) -> Result<(), Fault> {
        self.state.budgets().ask(&self.visitor).map_err(too_fast)?;
        let ask = self.mailbox.ask();
        let ask = ask.ok_or_else(|| Fault::too_many("too many questions are open", 1_000))?;
        let (state, mailbox) = (self.state.clone(), self.mailbox.clone());
        let visitor = Arc::clone(&self.visitor);
        tokio::spawn(async move {
            let host = visitor.host.as_deref();
            mailbox.send(text(&state.testify(host, id, url).await));
            drop(ask);
        });
        Ok(())
    }

    fn say(&self, message: &FromServer) {
        self.mailbox.send(text(message));
    }

    fn tell(&self, fault: Fault, about: Option<About>) {
        let About { swarm, id } = about.unwrap_or_default();
        self.state.metrics().error(name(fault.code));
        let Fault { code, message, retry_after_ms } = fault;
        self.say(&FromServer::Error { code, message, swarm, id, retry_after_ms });
    }

    /// Tells a refusal, until there are too many.
    fn refuse(&mut self, fault: Fault, about: Option<About>) -> Result<(), End> {
        self.tell(fault, about);
        self.strikes += 1;
        if self.strikes > STRIKES_MAX { Err(End::Strikes) } else { Ok(()) }
    }

    /// The last words: what was queued, unless the peer does not read anyway, then why.
    async fn farewell(&mut self, end: &End) {
        let Some((reason, reconnect_after_ms)) = self.goodbye(end) else { return };
        while *end != End::Slow
            && let Some(said) = self.inbox.waiting()
        {
            if self.socket.send(Message::Text(said)).await.is_err() {
                return;
            }
        }
        let goodbye = FromServer::Goodbye { reason: reason.to_string(), reconnect_after_ms };
        let _ = self.socket.send(Message::Text(text(&goodbye))).await;
        let frame = CloseFrame { code: end.close_code(), reason: end.name().into() };
        let _ = self.socket.send(Message::Close(Some(frame))).await;
        // The peer's own close frame, so that the last words are not lost to a reset.
        while let Some(Ok(_)) = self.socket.recv().await {}
    }

    fn goodbye(&self, end: &End) -> Option<(Arc<str>, u32)> {
        let spread = self.state.config().reconnect_spread_ms;
        let (reason, after_ms): (Arc<str>, u32) = match end {
            End::Left => return None,
            End::Dropped => ("the message is too long or not WebSocket".into(), RECONNECT_MS),
            End::NoHello => ("no hello came in time".into(), RECONNECT_MS),
            End::Idle => ("nothing was heard for too long".into(), RECONNECT_MS),
            End::Strikes => ("too many messages were refused".into(), REPLACED_RECONNECT_MS),
            End::BadProof => ("the proof was wrong".into(), REPLACED_RECONNECT_MS),
            End::Version => ("the versions differ: reload the page".into(), REPLACED_RECONNECT_MS),
            End::Slow => ("messages came faster than they were read".into(), RECONNECT_MS),
            End::Replaced => {
                ("a newer connection of this key took over".into(), REPLACED_RECONNECT_MS)
            }
            End::Banned(reason) => (format!("banned: {reason}").into(), REPLACED_RECONNECT_MS),
            End::Closing(reason) => (Arc::clone(reason), RECONNECT_MS),
            End::Broken => ("the server is broken".into(), REPLACED_RECONNECT_MS),
        };
        Some((reason, after_ms.saturating_add(self.jitter(spread))))
    }

    /// Spreads the return of many: a random part of `spread_ms`.
    fn jitter(&self, spread_ms: u32) -> u32 {
        let bytes = crate::state::random().unwrap_or_default();
        let random = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        random % spread_ms.saturating_add(1).max(1)
    }
}

impl End {
    /// For counters, logs and the close frame.
    fn name(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Dropped => "dropped",
            Self::NoHello => "no-hello",
            Self::Idle => "idle",
            Self::Strikes => "strikes",
            Self::BadProof => "bad-proof",
            Self::Version => "version",
            Self::Slow => "slow",
            Self::Replaced => "replaced",
            Self::Banned(_) => "banned",
            Self::Closing(_) => "closing",
            Self::Broken => "broken",
        }
    }

    fn close_code(&self) -> u16 {
        match self {
            Self::Closing(_) => close_code::RESTART,
            Self::Broken => close_code::ERROR,
            Self::Slow => close_code::AGAIN,
            Self::Left | Self::Dropped => close_code::NORMAL,
            Self::NoHello
            | Self::Idle
            | Self::Strikes
            | Self::BadProof
            | Self::Version
            | Self::Banned(_)
            | Self::Replaced => close_code::POLICY,
        }
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Slow => Self::Slow,
            Ending::Replaced => Self::Replaced,
        }
    }
}

/// What a refusal is about, so that the peer finds the request.
#[derive(Debug, Default, Clone, Copy)]
struct About {
    swarm: Option<primitives::SwarmId>,
    id: Option<u32>,
}

fn about(message: &Inbound) -> About {
    match message {
        Inbound::Signal { swarm, .. } => About { swarm: Some(*swarm), id: None },
        Inbound::Server(
            ToServer::Join { swarm, .. }
            | ToServer::More { swarm, .. }
            | ToServer::Leave { swarm }
            | ToServer::Signal { swarm, .. },
        ) => About { swarm: Some(*swarm), id: None },
        Inbound::Server(ToServer::Witness { id, .. }) => About { swarm: None, id: Some(*id) },
        Inbound::Server(ToServer::Hello { .. } | ToServer::Ping) => About::default(),
    }
}

/// The word for a code, as on the wire.
fn name(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::BadMessage => "bad-message",
        ErrorCode::BadProof => "bad-proof",
        ErrorCode::HelloFirst => "hello-first",
        ErrorCode::NotJoined => "not-joined",
        ErrorCode::TooMany => "too-many",
        ErrorCode::Forbidden => "forbidden",
        ErrorCode::Unfetched => "unfetched",
        ErrorCode::NoWitness => "no-witness",
    }
}

fn too_fast(wait: Duration) -> Fault {
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
    Fault::too_many("messages come too fast", wait_ms)
}
