//! The loop of the driver: events → a core's step → perform what it asks → the next wake.
//!
//! One task owns the cores. Everything else is a task or a thread of its own that ends in
//! [`Inbox::put`], which waits while the pump is behind; the pump itself never waits for any of them.

use core::{fmt, time::Duration};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use peer::{Input, Output, PeerConfig, RoomEvent, RoomInput, view::View};
use primitives::{PeerId, Seed, Signature, SwarmId, Time};
use tokio::sync::{mpsc, oneshot};

use crate::{
    OpenShare, Options, PeerError, rtc::Links, running::Running, share::ShareStatus, socket::Socket,
};

/// Events that wait for the pump. A frame is at most 64 KiB: 16 MiB of them; blocks among them are bounded by
/// the cores.
const EVENTS_MAX: usize = 256;
/// Events taken before outputs are performed again.
const EVENTS_AT_ONCE: usize = 64;
/// Longest sleep: a moment that never comes is looked at again after it.
const SLEEP_MAX: Duration = Duration::from_secs(3600);
/// How long goodbyes have to leave the machine.
pub(crate) const GOODBYE: Duration = Duration::from_millis(200);

/// One thing that happened.
pub(crate) enum Event {
    /// To the peer.
    Peer(Input),
    /// To the peer, from a signaling socket: `number` says from which of them.
    Socket { number: u32, input: Input },
    /// To a share.
    Share(SwarmId, files::Input),
    /// To the till of a share.
    Till(SwarmId, payments::Input),
    /// The app wants to know or change something.
    Ask(Box<dyn FnOnce(&mut Pump) + Send>),
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(input) | Self::Socket { input, .. } => input.fmt(f),
            Self::Share(_, input) => input.fmt(f),
            Self::Till(_, input) => input.fmt(f),
            Self::Ask(_) => f.write_str("Ask"),
        }
    }
}

/// Where tasks and threads put what happened.
#[derive(Debug, Clone)]
pub(crate) struct Inbox(mpsc::Sender<Event>);

impl Inbox {
    /// Puts an event, waiting for room. When the pump has ended nobody cares any more.
    pub(crate) async fn put(&self, event: Event) {
        drop(self.0.send(event).await);
    }

    /// The same, from a thread that may wait.
    pub(crate) fn put_waiting(&self, event: Event) {
        drop(self.0.blocking_send(event));
    }

    /// The same, from where nothing may wait: in a task of its own if there is no room.
    pub(crate) fn put_later(&self, event: Event) {
        if let Err(mpsc::error::TrySendError::Full(event)) = self.0.try_send(event)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let inbox = self.clone();
            runtime.spawn(async move { inbox.put(event).await });
        }
    }

    /// Runs something inside of the pump; `None`: it has ended.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Pump) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let ask = move |pump: &mut Pump| drop(answer.send(question(pump)));
        self.put(Event::Ask(Box::new(ask))).await;
        answered.await.ok()
    }
}

/// The cores, and what they drive.
#[derive(Debug)]
pub(crate) struct Pump {
    started: Instant,
    core: peer::Peer,
    wake_at: Time,
    /// What follows from what was performed; worked off before anything else is taken.
    queue: VecDeque<Event>,
    inbox: Inbox,
    links: Links,
    socket: Socket,
    shares: BTreeMap<SwarmId, Running>,
}

impl Pump {
    pub(crate) fn new(options: Options) -> Result<(Self, Inbox, mpsc::Receiver<Event>), PeerError> {
        let Options { server, relay_only } = options;
        let seed = entropy()?;
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let inbox = Inbox(sender);
        let config = PeerConfig { relay_only, ..PeerConfig::default() };
        let pump = Self {
            started: Instant::now(),
            core: peer::Peer::new(config, seed, Time::ZERO),
            wake_at: Time::NEVER,
            queue: VecDeque::new(),
            links: Links::new(inbox.clone(), server.is_here()),
            socket: Socket::new(server, inbox.clone())?,
            inbox: inbox.clone(),
            shares: BTreeMap::new(),
        };
        Ok((pump, inbox, events))
    }

    /// Runs until the task is aborted.
    pub(crate) async fn run(mut self, mut events: mpsc::Receiver<Event>) {
        loop {
            let sleep = self.next_wake().since(self.now()).min(SLEEP_MAX);
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.queue.push_back(event),
                    None => return,
                },
                () = tokio::time::sleep(sleep) => {}
            }
            let more = std::iter::from_fn(|| events.try_recv().ok());
            self.queue.extend(more.take(EVENTS_AT_ONCE));
            self.ring();
            self.work();
        }
    }

    /// Now, on the clock of the cores.
    pub(crate) fn now(&self) -> Time {
        let us = u64::try_from(self.started.elapsed().as_micros());
        Time::from_us(us.expect("half a million years"))
    }

    fn next_wake(&self) -> Time {
        let shares = self.shares.values().map(Running::wake_at);
        shares.fold(self.wake_at, Time::min)
    }

    /// Wakes whose time has come.
    fn ring(&mut self) {
        let now = self.now();
        if self.wake_at <= now {
            self.queue.push_back(Event::Peer(Input::Tick));
        }
        let due = self.shares.iter().filter(|(_, running)| running.wake_at() <= now);
        let ticks = due.map(|(swarm, _)| Event::Share(*swarm, files::Input::Tick));
        self.queue.extend(ticks.collect::<Vec<_>>());
    }

    /// Works off what waits, and what follows from it.
    fn work(&mut self) {
        while let Some(event) = self.queue.pop_front() {
            match event {
                Event::Peer(input) => self.step(input),
                Event::Socket { number, input } if self.socket.is(number) => self.step(input),
                // Of a socket that was given up since.
                Event::Socket { .. } => {}
                Event::Share(swarm, input) => self.step_share(swarm, input),
                Event::Till(swarm, input) => self.step_till(swarm, input),
                Event::Ask(question) => question(self),
            }
        }
    }

    fn step(&mut self, input: Input) {
        if let Input::RtcClosed { link } = &input {
            self.links.close(*link);
        }
        let mut outputs = Vec::new();
        self.wake_at = self.core.step(self.now(), input, &mut outputs).at;
        for output in outputs {
            self.perform(output);
        }
        let lost = self.links.take_lost().into_iter();
        self.queue.extend(lost.map(|link| Event::Peer(Input::RtcClosed { link })));
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Connect => self.socket.connect(),
            Output::SocketSend(text) => {
                if !self.socket.send(text) {
                    self.queue.push_back(Event::Peer(Input::SocketClosed));
                }
            }
            Output::Disconnect => self.socket.disconnect(),
            Output::Dial { link, rtc } => self.links.dial(link, rtc),
            Output::Accept { link, sdp, rtc } => self.links.accept(link, sdp, rtc),
            Output::RemoteAnswer { link, sdp } => self.links.remote_answer(link, sdp),
            Output::RemoteCandidate { link, candidate, .. } => {
                self.links.remote_candidate(link, candidate);
            }
            Output::RestartIce { link, rtc } => self.links.restart_ice(link, rtc),
            Output::RemoteOffer { link, sdp, rtc } => self.links.remote_offer(link, sdp, rtc),
            Output::CloseLink(link) => self.links.close(link),
            Output::Send { link, channel, bytes } => self.links.send(link, channel, bytes),
            Output::Room { swarm, event } => {
                self.queue.push_back(Event::Share(swarm, share_input(event)));
            }
            Output::Problem(problem) => tracing::warn!("{}. {}", problem.what, problem.remedy),
            // Of streams, which nobody opens here.
            Output::Fetch { .. }
            | Output::Adopt { .. }
            | Output::AbortFetch { .. }
            | Output::Http { .. }
            | Output::OpenStore(_)
            | Output::Store { .. }
            | Output::Load { .. }
            | Output::Deliver { .. }
            | Output::Fail { .. } => {}
        }
    }

    fn step_share(&mut self, swarm: SwarmId, input: files::Input) {
        let now = self.now();
        if let Some(running) = self.shares.get_mut(&swarm) {
            let asked = running.step(now, input);
            self.queue.extend(asked.map(|input| Event::Peer(Input::Room(swarm, input))));
        }
    }

    fn step_till(&mut self, swarm: SwarmId, input: payments::Input) {
        let now = self.now();
        if let Some(running) = self.shares.get_mut(&swarm) {
            let asked = running.step_till(now, input);
            self.queue.extend(asked.map(|input| Event::Peer(Input::Room(swarm, input))));
        }
    }

    pub(crate) fn view(&self) -> View {
        self.core.view(self.now())
    }

    /// Whether a share was opened, or is open already.
    pub(crate) fn open(&mut self, running: Running) -> bool {
        let swarm = running.swarm();
        if self.shares.contains_key(&swarm) {
            return false;
        }
        let first = running.first();
        self.shares.insert(swarm, running);
        self.queue.push_back(Event::Peer(Input::Room(swarm, RoomInput::Open)));
        self.queue.push_back(Event::Share(swarm, first));
        true
    }

    pub(crate) fn close(&mut self, swarm: SwarmId) {
        if self.shares.remove(&swarm).is_some() {
            self.queue.push_back(Event::Peer(Input::Room(swarm, RoomInput::Close)));
        }
    }

    pub(crate) fn share(&self, swarm: SwarmId) -> Option<&Running> {
        self.shares.get(&swarm)
    }

    pub(crate) fn status(&self, swarm: SwarmId) -> Option<ShareStatus> {
        let running = self.shares.get(&swarm)?;
        let View { signaling, rooms, problems, .. } = self.view();
        let name = swarm.to_string();
        let room = rooms.into_iter().find(|room| room.swarm == name).unwrap_or_default();
        let (share, till) = (running.view(self.now()), running.till());
        Some(ShareStatus { share, room, signaling, till, problems })
    }

    /// What a report to a fund says, signed.
    pub(crate) fn attest(&self, said: &str) -> (PeerId, Signature) {
        (self.core.id(), self.core.attest(said))
    }

    /// A new share's core, to be opened next.
    pub(crate) fn running(&self, options: OpenShare) -> Result<Running, PeerError> {
        Ok(Running::new(options, self.core.id(), entropy()?, self.now(), &self.inbox))
    }

    /// Closes everything with a goodbye.
    pub(crate) fn leave(&mut self) {
        let swarms: Vec<SwarmId> = self.shares.keys().copied().collect();
        swarms.into_iter().for_each(|swarm| self.close(swarm));
        self.queue.push_back(Event::Peer(Input::Pause));
    }
}

fn share_input(event: RoomEvent) -> files::Input {
    match event {
        RoomEvent::Up(peer) => files::Input::PeerUp(peer),
        RoomEvent::Down(peer) => files::Input::PeerDown(peer),
        RoomEvent::Frame { from, bytes } => files::Input::Frame { from, bytes },
        RoomEvent::Sent { to, bytes } => files::Input::Sent { to, bytes },
    }
}

fn entropy() -> Result<Seed, PeerError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(PeerError::Entropy)?;
    Ok(Seed::new(bytes))
}
