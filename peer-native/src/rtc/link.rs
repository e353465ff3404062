//! One connection: a task that does what it is told, in order, and tells what happens.

use core::time::Duration;
use std::{sync::Arc, time::Instant};

use bytes::{Bytes, BytesMut};
use peer::{Channel, Input, LinkId, RtcConfig};
use rtc::peer_connection::configuration::RTCOfferOptions;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Interval, MissedTickBehavior, interval},
};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    error::Result,
    peer_connection::{
        PeerConnection, RTCIceCandidate, RTCIceCandidateInit, RTCIceCandidateType,
        RTCSessionDescription, StatsSelector,
    },
};

use super::connection::{Connected, configuration, connect};
use crate::pump::{Event, Inbox};

/// Commands that wait for a connection. Payload is bounded by the cores (4 MiB, 70 frames of 60 KiB), and
/// control messages are few: more is a connection that stands still.
pub(super) const COMMANDS_MAX: usize = 1024;
/// Most messages kept from before both channels are open; an honest peer sends one hello.
const EARLY_MESSAGES_MAX: usize = 64;
/// Most remote candidates kept until the remote description is set.
const EARLY_CANDIDATES_MAX: usize = 64;
/// How often it is looked up what was acknowledged, while something is not: a fiftieth of what the cores
/// hand over ahead.
const ACCOUNT_EVERY: Duration = Duration::from_millis(4);
/// How often the path is looked up.
const PATH_EVERY: Duration = Duration::from_secs(3);

/// What a connection is told: by the core, and by itself.
#[derive(Debug)]
pub(super) enum Command {
    /// Make our offer and tell it.
    Offer,
    /// Set their offer, taking back our own if one is open; make our answer and tell it.
    Answer(String),
    /// Set the answer to our offer.
    RemoteAnswer(String),
    /// Servers and policy of paths found from now on.
    Configure(RtcConfig),
    /// Make an offer that finds new paths.
    Restart,
    /// Add a remote candidate; empty: no more.
    RemoteCandidate(String),
    /// Send one message.
    Send(Channel, Vec<u8>),
    /// A local candidate was found; empty: no more.
    Candidate(String),
    /// The other side does not answer any more.
    Interrupted,
    /// The connection failed or was closed.
    Failed,
}

/// Makes a connection and runs it until it fails or `closed` says that it is not wanted any more.
pub(super) async fn run(
    id: LinkId,
    rtc: RtcConfig,
    loopback: bool,
    inbox: Inbox,
    found: mpsc::Sender<Command>,
    mut commands: mpsc::Receiver<Command>,
    closed: oneshot::Receiver<()>,
) {
    let connected = match connect(&rtc, loopback, found).await {
        Ok(connected) => connected,
        Err(error) => {
            tracing::debug!("no WebRTC connection: {error}");
            return inbox.put(Event::Peer(Input::RtcClosed { link: id })).await;
        }
    };
    let connection = Arc::clone(&connected.connection);
    let mut link = Link::new(id, inbox, connected);
    tokio::select! {
        () = link.run(&mut commands) => {}
        // Dropped, never sent. What was to be sent before, a goodbye, goes out.
        _ = closed => link.send_rest(&mut commands).await,
    }
    drop(link);
    if let Err(error) = connection.close().await {
        tracing::debug!("closing a connection: {error}");
    }
}

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Descriptions and candidates go back and forth.
    Negotiating,
    /// Both channels are open.
    Open,
}

/// What was wrong with a connection that is to be given up. It was logged where it happened.
struct Lost;

struct Link {
    id: LinkId,
    inbox: Inbox,
    connection: Arc<dyn PeerConnection>,
    control: Arc<dyn DataChannel>,
    payload: Arc<dyn DataChannel>,
    state: State,
    control_open: bool,
    payload_open: bool,
    /// Our offer waits for its answer.
    offering: bool,
    /// The remote description is set; candidates may be added.
    remote_set: bool,
    remote_candidates: Vec<String>,
    early: Vec<Vec<u8>>,
    /// Payload bytes handed over.
    sent_bytes: u64,
    /// Of these, told as [`Input::RtcSent`].
    told_bytes: u64,
}

impl Link {
    fn new(id: LinkId, inbox: Inbox, connected: Connected) -> Self {
        let Connected { connection, control, payload } = connected;
        Self {
            id,
            inbox,
            connection,
            control,
            payload,
            state: State::Negotiating,
            control_open: false,
            payload_open: false,
            offering: false,
            remote_set: false,
            remote_candidates: Vec::new(),
            early: Vec::new(),
            sent_bytes: 0,
            told_bytes: 0,
        }
    }

    /// Runs until the connection is lost, and tells so.
    async fn run(&mut self, commands: &mut mpsc::Receiver<Command>) {
        let (mut account, mut path) = (every(ACCOUNT_EVERY), every(PATH_EVERY));
        loop {
            let done = tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.take(command).await,
                    None => Err(Lost),
                },
                event = self.control.poll() => self.hear(Channel::Control, event).await,
                event = self.payload.poll() => self.hear(Channel::Payload, event).await,
                _ = account.tick(), if self.told_bytes < self.sent_bytes => self.account().await,
                _ = path.tick(), if self.state == State::Open => self.look_up_path().await,
            };
            if done.is_err() {
                return self.tell(Input::RtcClosed { link: self.id }).await;
            }
        }
    }

    /// Sends what was told to be sent before the end.
    async fn send_rest(&mut self, commands: &mut mpsc::Receiver<Command>) {
        while let Ok(command) = commands.try_recv() {
            if let Command::Send(channel, bytes) = command
                && self.send(channel, bytes).await.is_err()
            {
                return;
            }
        }
    }

    async fn take(&mut self, command: Command) -> core::result::Result<(), Lost> {
        let done = match command {
            Command::Offer => self.offer(false).await,
            Command::Restart => self.offer(true).await,
            Command::Answer(sdp) => self.answer(sdp).await,
            Command::RemoteAnswer(sdp) => self.remote_answer(sdp).await,
            Command::Configure(rtc) => {
                // One that is refused leaves what was there.
                let _ = self.connection.set_configuration(configuration(&rtc)).await;
                Ok(())
            }
            Command::RemoteCandidate(candidate) => {
                self.remote_candidate(candidate).await;
                Ok(())
            }
            Command::Send(channel, bytes) => self.send(channel, bytes).await,
            Command::Candidate(candidate) => {
                self.tell(Input::RtcCandidate { link: self.id, candidate, mid: None }).await;
                Ok(())
            }
            Command::Interrupted => {
                if self.state == State::Open {
                    self.tell(Input::RtcInterrupted { link: self.id }).await;
                }
                Ok(())
            }
            Command::Failed => return Err(Lost),
        };
        done.map_err(|error| {
            tracing::debug!(link = self.id.0, "a connection is lost: {error}");
            Lost
        })
    }

    async fn offer(&mut self, ice_restart: bool) -> Result<()> {
        let options = RTCOfferOptions { ice_restart };
        let offer = self.connection.create_offer(Some(options)).await?;
        self.offering = true;
        self.describe(offer).await
    }

    async fn answer(&mut self, sdp: String) -> Result<()> {
        if std::mem::take(&mut self.offering) {
            let taken_back = RTCSessionDescription::rollback(None)?;
            self.connection.set_local_description(taken_back).await?;
        }
        self.set_remote(RTCSessionDescription::offer(sdp)?).await?;
        let answer = self.connection.create_answer(None).await?;
        self.describe(answer).await
    }

    async fn remote_answer(&mut self, sdp: String) -> Result<()> {
        self.offering = false;
        self.set_remote(RTCSessionDescription::answer(sdp)?).await
    }

    /// Its candidates come as commands, after this one: they are told after it.
    async fn describe(&self, local: RTCSessionDescription) -> Result<()> {
        let sdp = local.sdp.clone();
        self.connection.set_local_description(local).await?;
        self.tell(Input::RtcDescription { link: self.id, sdp }).await;
        Ok(())
    }

    async fn set_remote(&mut self, remote: RTCSessionDescription) -> Result<()> {
        self.connection.set_remote_description(remote).await?;
        self.remote_set = true;
        for candidate in std::mem::take(&mut self.remote_candidates) {
            self.add_candidate(candidate).await;
        }
        Ok(())
    }

    async fn remote_candidate(&mut self, candidate: String) {
        if self.remote_set {
            self.add_candidate(candidate).await;
        } else if self.remote_candidates.len() < EARLY_CANDIDATES_MAX {
            self.remote_candidates.push(candidate);
        }
    }

    /// There is one section, so the candidate's is that. One that is of no use here (a name, another
    /// address family) is no fault of anyone.
    async fn add_candidate(&self, candidate: String) {
        let init = RTCIceCandidateInit { candidate, ..RTCIceCandidateInit::default() };
        if let Err(error) = self.connection.add_ice_candidate(init).await {
            tracing::debug!(link = self.id.0, "a remote candidate is of no use: {error}");
        }
    }

    async fn send(&mut self, channel: Channel, bytes: Vec<u8>) -> Result<()> {
        let count = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let message = BytesMut::from(Bytes::from(bytes));
        match channel {
            Channel::Control => self.control.try_send(message).await,
            Channel::Payload => {
                self.sent_bytes += count;
                self.payload.try_send(message).await
            }
        }
    }

    async fn hear(
        &mut self,
        channel: Channel,
        event: Option<DataChannelEvent>,
    ) -> core::result::Result<(), Lost> {
        match event {
            Some(DataChannelEvent::OnOpen) => self.opened(channel).await,
            Some(DataChannelEvent::OnMessage(message)) => {
                self.message(Vec::from(message.data)).await?;
            }
            Some(
                DataChannelEvent::OnError | DataChannelEvent::OnClosing | DataChannelEvent::OnClose,
            )
            | None => return Err(Lost),
            Some(_) => {}
        }
        Ok(())
    }

    async fn opened(&mut self, channel: Channel) {
        match channel {
            Channel::Control => self.control_open = true,
            Channel::Payload => self.payload_open = true,
        }
        if self.control_open && self.payload_open && self.state == State::Negotiating {
            self.state = State::Open;
            self.tell(Input::RtcOpen { link: self.id }).await;
            for bytes in std::mem::take(&mut self.early) {
                self.tell(Input::RtcMessage { link: self.id, bytes }).await;
            }
        }
    }

    async fn message(&mut self, bytes: Vec<u8>) -> core::result::Result<(), Lost> {
        if self.state == State::Open {
            self.tell(Input::RtcMessage { link: self.id, bytes }).await;
            return Ok(());
        }
        // One channel may open, and speak, a moment before the other.
        self.early.push(bytes);
        if self.early.len() > EARLY_MESSAGES_MAX { Err(Lost) } else { Ok(()) }
    }

    /// Tells what was acknowledged since the last time.
    async fn account(&mut self) -> core::result::Result<(), Lost> {
        let Ok(held) = self.payload.outstanding_bytes().await else { return Err(Lost) };
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        let left = self.sent_bytes.saturating_sub(held);
        let bytes = left.saturating_sub(self.told_bytes);
        if bytes > 0 {
            self.told_bytes = left;
            self.tell(Input::RtcSent { link: self.id, bytes }).await;
        }
        Ok(())
    }

    async fn look_up_path(&self) -> core::result::Result<(), Lost> {
        if let Some((relayed, rtt_ms)) = self.path().await {
            self.tell(Input::RtcPath { link: self.id, relayed, rtt_ms }).await;
        }
        Ok(())
    }

    /// Whether the selected pair of candidates goes through a relay, and its round-trip time.
    async fn path(&self) -> Option<(bool, Option<u32>)> {
        let transport = self.connection.sctp().await?.transport().ice_transport();
        let pair = transport.get_selected_candidate_pair().await.ok()??;
        let is_relay = |end: &RTCIceCandidate| end.typ == RTCIceCandidateType::Relay;
        let report = self.connection.get_stats(Instant::now(), StatsSelector::None).await;
        let times = report.candidate_pairs().filter(|pair| pair.nominated);
        let longest = times.map(|pair| pair.current_round_trip_time).fold(0.0, f64::max);
        let rtt = Duration::try_from_secs_f64(longest).ok().filter(|rtt| !rtt.is_zero());
        let rtt_ms = rtt.map(|rtt| u32::try_from(rtt.as_millis()).unwrap_or(u32::MAX));
        Some((is_relay(pair.local()) || is_relay(pair.remote()), rtt_ms))
    }

    async fn tell(&self, input: Input) {
        self.inbox.put(Event::Peer(input)).await;
    }
}

fn every(period: Duration) -> Interval {
    let mut interval = interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
