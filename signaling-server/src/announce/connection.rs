//! The task of one socket of the tracker.
//!
//! It acts on every message that is there, then writes everything that waits in one go: under load
//! the many small messages of a swarm cost few system calls. It says nothing of its own accord but
//! pings, and ends by one [`End`]; its memberships end with it.

use std::pin::pin;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use futures_util::{FutureExt as _, SinkExt as _};
use governor::DefaultDirectRateLimiter;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use tracker::request::{self, Announce, Refused, Request};
use tracker::{InfoHash, PeerName, SocketId, reply};

use super::{Refusal, Speaker};
use crate::budget::Permit;
use crate::mailbox::{Ending, Inbox, Mailbox, mailbox};
use crate::socket::next;
use crate::state::{Notice, State};
use crate::visitor::Visitor;

/// Refused messages a socket may send; each good one takes one back.
const STRIKES_MAX: u32 = 64;
/// How long the close frame may take.
const FAREWELL: Duration = Duration::from_secs(1);
/// Messages acted on before what they caused is written.
const MESSAGES_PER_TURN: usize = 32;

/// One socket and what it is part of.
pub(super) struct Connection {
    socket: WebSocket,
    id: SocketId,
    state: State,
    visitor: Visitor,
    /// The key of a site, from the address.
    key: Option<String>,
    mailbox: Mailbox,
    inbox: Inbox,
    notice: watch::Receiver<Notice>,
    /// The last one seen.
    noticed: Notice,
    pace: DefaultDirectRateLimiter,
    strikes: u32,
    /// What it announced; some may have ended by their lease.
    members: Vec<(InfoHash, PeerName)>,
    heard: Instant,
    /// When silence was answered with a ping.
    pinged: Option<Instant>,
    _permit: Permit,
}

/// Why a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client closed it, or the network did, or it sent what is not WebSocket.
    Left,
    /// Silent for too long.
    Idle,
    /// Too many refused messages.
    Strikes,
    /// It reads too slowly.
    Slow,
    /// The host banned its address or its pages.
    Banned,
    /// The server shuts down.
    Closing,
}

impl Connection {
    pub(super) fn new(
        socket: WebSocket,
        visitor: Visitor,
        key: Option<String>,
        permit: Permit,
        state: State,
    ) -> Self {
        let config = state.config();
        let (mailbox, inbox) = mailbox(config.queue_messages_max, config.queue_bytes_max);
        Self {
            socket,
            id: SocketId(state.number()),
            visitor,
            key,
            mailbox,
            inbox,
            notice: state.notice(),
            noticed: Notice::default(),
            pace: state.budgets().of_tracker_socket(),
            strikes: 0,
            members: Vec::new(),
            heard: Instant::now(),
            pinged: None,
            _permit: permit,
            state,
        }
    }

    /// Runs until the socket ends.
    pub(super) async fn run(mut self) {
        let metrics = self.state.tracker_metrics();
        metrics.sockets.inc();
        let end = self.serve().await;
        for (swarm, peer) in std::mem::take(&mut self.members) {
            self.state.leave_tracker_swarm(swarm, peer, self.id);
        }
        let metrics = self.state.tracker_metrics();
        metrics.sockets.dec();
        metrics.closed(end.name());
        tracing::debug!(reason = end.name(), "tracker socket ended");
        let _ = timeout(FAREWELL, self.farewell(end)).await;
    }

    async fn serve(&mut self) -> End {
        let mut alarm = pin!(sleep_until(self.deadline()));
        loop {
            let step = tokio::select! {
                biased;
                heard = self.socket.recv() => match self.hear_all(heard) {
                    Ok(()) => self.write_waiting().await,
                    Err(end) => Err(end),
                },
                said = self.inbox.next() => match said {
                    Ok(said) => self.write(Message::Text(said)).await,
                    Err(ending) => Err(ending.into()),
                },
                () = &mut alarm => self.ring().await,
                notice = next(&mut self.notice, &self.noticed) => self.on_notice(notice),
            };
            if let Err(end) = step.and_then(|()| self.unless_closing()) {
                return end;
            }
            // The alarm is moved when it rings, not for every message.
            if alarm.is_elapsed() {
                alarm.as_mut().reset(self.deadline());
            }
        }
    }

    /// The server closes, or somebody was banned.
    fn on_notice(&mut self, notice: Notice) -> Result<(), End> {
        if notice.closing.is_some() {
            return Err(End::Closing);
        }
        self.noticed = notice;
        match self.state.ban_of(None, &self.visitor) {
            Some(_) => Err(End::Banned),
            None => Ok(()),
        }
    }

    /// A client that never pauses must not outlive the server.
    fn unless_closing(&self) -> Result<(), End> {
        if self.state.is_closing() { Err(End::Closing) } else { Ok(()) }
    }

    /// When something must have been heard, or the client is pinged.
    fn deadline(&self) -> Instant {
        let config = self.state.config();
        let (since, ms) = match self.pinged {
            None => (self.heard, config.ping_ms),
            Some(pinged) => (pinged, config.idle_timeout_ms - config.ping_ms),
        };
        since + Duration::from_millis(u64::from(ms))
    }

    async fn ring(&mut self) -> Result<(), End> {
        if Instant::now() < self.deadline() {
            return Ok(());
        }
        if self.pinged.is_some() {
            return Err(End::Idle);
        }
        self.pinged = Some(Instant::now());
        self.write(Message::Ping(Default::default())).await
    }

    async fn write_waiting(&mut self) -> Result<(), End> {
        match self.inbox.waiting() {
            Some(said) => self.write(Message::Text(said)).await,
            None => Ok(()),
        }
    }

    /// Writes a message and all that wait. A client that does not take them in time is slow; so is
    /// one whose queue fills meanwhile.
    async fn write(&mut self, first: Message) -> Result<(), End> {
        let patience = Duration::from_millis(u64::from(self.state.config().write_timeout_ms));
        let Self { socket, inbox, .. } = self;
        let writing = async {
            socket.feed(first).await?;
            while let Some(said) = inbox.waiting() {
                socket.feed(Message::Text(said)).await?;
            }
            socket.flush().await
        };
        tokio::select! {
            biased;
            written = timeout(patience, writing) => match written {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(End::Left),
                Err(_) => Err(End::Slow),
            },
            ending = inbox.ended() => Err(ending.into()),
        }
    }

    /// Acts on a message and on those that came with it.
    fn hear_all(&mut self, first: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        self.heard = Instant::now();
        self.pinged = None;
        self.hear(first)?;
        for _ in 1..MESSAGES_PER_TURN {
            let Some(next) = self.socket.recv().now_or_never() else { break };
            self.hear(next)?;
        }
        Ok(())
    }

    fn hear(&mut self, heard: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        match heard {
            None | Some(Err(_) | Ok(Message::Close(_))) => Err(End::Left),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                self.count().map_or_else(|refused| self.refuse(&refused, "too-fast"), Ok)
            }
            Some(Ok(Message::Text(text))) => self.on_text(&text),
            // Some clients send their JSON as binary.
            Some(Ok(Message::Binary(bytes))) => match std::str::from_utf8(&bytes) {
                Ok(text) => self.on_text(text),
                Err(_) => self.refuse(&refused("a message is not UTF-8"), "bad-message"),
            },
        }
    }

    /// Counts a message against the budgets.
    fn count(&self) -> Result<(), Refused<'static>> {
        let counted = self.state.budgets().message(&self.visitor, &self.pace);
        counted.map_err(|_| refused("messages come too fast"))
    }

    fn on_text(&mut self, text: &str) -> Result<(), End> {
        if let Err(too_fast) = self.count() {
            return self.refuse(&too_fast, "too-fast");
        }
        match request::read(text) {
            Ok(Request::Announce(announce)) => {
                if let Err(refusal) = self.announce(&announce) {
                    let refused = request::refuse(text, self.reason(refusal, &announce.swarm));
                    return self.refuse(&refused, refusal.kind());
                }
            }
            Ok(Request::Answer(answer)) => self.state.hand_answer(self.id, &answer),
            Ok(Request::Scrape(swarms)) => self.mailbox.send(self.state.scrape(&swarms)),
            Err(refused) => return self.refuse(&refused, "bad-message"),
        }
        self.strikes = self.strikes.saturating_sub(1);
        Ok(())
    }

    fn announce(&mut self, announce: &Announce<'_>) -> Result<(), Refusal> {
        let mut announced = self.try_announce(announce);
        if announced == Err(Refusal::Socket) {
            let (state, id) = (&self.state, self.id);
            self.members.retain(|(swarm, peer)| state.is_in_tracker_swarm(swarm, *peer, id));
            announced = self.try_announce(announce);
        }
        let (new, ended) = announced?;
        let member = (announce.swarm, announce.peer);
        if new && !self.members.contains(&member) {
            self.members.push(member);
        }
        if ended {
            self.members.retain(|known| *known != member);
        }
        Ok(())
    }

    /// Why, for a person: of a ban, as the host says it.
    fn reason(&self, refusal: Refusal, swarm: &InfoHash) -> String {
        let reason = refusal.reason();
        let banned = self.state.bans().of_torrent(swarm).filter(|_| refusal == Refusal::Banned);
        banned.map_or_else(|| reason.to_owned(), |why| format!("{reason}: {why}"))
    }

    /// Whether it is a new member, and whether one ended.
    fn try_announce(&self, announce: &Announce<'_>) -> Result<(bool, bool), Refusal> {
        let speaker = Speaker {
            socket: self.id,
            visitor: &self.visitor,
            key: self.key.as_deref(),
            mailbox: &self.mailbox,
            joined: self.members.len(),
        };
        let announced = self.state.announce(&speaker, announce)?;
        Ok((announced.new, announced.ended.is_some()))
    }

    /// Tells a refusal, until there are too many.
    fn refuse(&mut self, refused: &Refused<'_>, kind: &'static str) -> Result<(), End> {
        self.state.tracker_metrics().failure(kind);
        self.mailbox.send(reply::failure(refused).into());
        self.strikes += 1;
        if self.strikes > STRIKES_MAX { Err(End::Strikes) } else { Ok(()) }
    }

    /// What was queued, unless the client does not read anyway, then the close frame.
    async fn farewell(&mut self, end: End) {
        if end == End::Left {
            return;
        }
        while end != End::Slow
            && let Some(said) = self.inbox.waiting()
        {
            if self.socket.feed(Message::Text(said)).await.is_err() {
                return;
            }
        }
        let frame = CloseFrame { code: end.close_code(), reason: end.name().into() };
        let _ = self.socket.send(Message::Close(Some(frame))).await;
        // The client's own close frame, so that the last words are not lost to a reset.
        while let Some(Ok(_)) = self.socket.recv().await {}
    }
}

/// A refusal of something that names no swarm.
fn refused(reason: &str) -> Refused<'static> {
    Refused { scrape: false, swarm: None, reason: reason.to_owned() }
}

impl End {
    /// For counters, logs and the close frame.
    fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Idle => "idle",
            Self::Strikes => "strikes",
            Self::Slow => "slow",
            Self::Banned => "banned",
            Self::Closing => "closing",
        }
    }

    fn close_code(self) -> u16 {
        match self {
            Self::Closing => close_code::RESTART,
            Self::Slow => close_code::AGAIN,
            Self::Left => close_code::NORMAL,
            Self::Idle | Self::Strikes | Self::Banned => close_code::POLICY,
        }
    }
}

impl From<Ending> for End {
    fn from(ending: Ending) -> Self {
        match ending {
            // Keys are not proved here, so nobody replaces anybody.
            Ending::Slow | Ending::Replaced => Self::Slow,
        }
    }
}
