//! One open share: its core's steps, and what it asks for done on threads that may wait.

use core::fmt;
use std::{sync::Arc, time::SystemTime};

use files::{
    Config, Event as Told, Input, Output,
    content::{Candidate, Cid, share::ShareManifest},
    view::ShareView,
};
use peer::RoomInput;
use primitives::{PeerId, Seed, SwarmId, Time, sha256};
use tokio::sync::Notify;

use crate::{
    Blocks, OpenShare, TillView,
    keeper::Keeper,
    pump::{Event, Inbox},
    till::{Counter, Followed},
};

/// A share that is open. What its core asks for is bounded by the core's own limits
/// ([`files::config`]): blocks being read, checked and kept.
pub(crate) struct Running {
    core: files::Share,
    till: Option<Counter>,
    upload_bytes_per_s: Option<u64>,
    wake_at: Time,
    blocks: Arc<dyn Blocks>,
    keeper: Keeper,
    inbox: Inbox,
    /// Rung when the share was opened, is all here, or can't be had.
    turns: Arc<Notify>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Running").field(&self.core.swarm()).finish()
    }
}

impl Running {
    pub(crate) fn new(
        options: OpenShare,
        me: PeerId,
        seed: Seed,
        now: Time,
        inbox: &Inbox,
    ) -> Self {
        let OpenShare { link, key, blocks, upload_bytes_per_s, till } = options;
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let started_s = since_1970.map_or(0, |since| since.as_secs());
        let core = files::Share::new(Config { link, key, me, seed, started_s }, now);
        let keeper = Keeper::start(core.swarm(), Arc::clone(&blocks), inbox.clone());
        let (inbox, turns) = (inbox.clone(), Arc::default());
        let till = till.map(|till| Counter::new(till, now));
        Self { core, till, upload_bytes_per_s, wake_at: now, blocks, keeper, inbox, turns }
    }

    /// What it is to be told first.
    pub(crate) const fn first(&self) -> Input {
        Input::Limit(self.upload_bytes_per_s)
    }

    pub(crate) const fn swarm(&self) -> SwarmId {
        self.core.swarm()
    }

    pub(crate) fn turns(&self) -> Arc<Notify> {
        Arc::clone(&self.turns)
    }

    pub(crate) fn wake_at(&self) -> Time {
        self.till.as_ref().map_or(self.wake_at, |till| self.wake_at.min(till.wake_at()))
    }

    pub(crate) fn till(&self) -> Option<TillView> {
        self.till.as_ref().map(Counter::view)
    }

    pub(crate) fn view(&self, now: Time) -> ShareView {
        self.core.view(now)
    }

    pub(crate) fn manifest(&self) -> Option<ShareManifest> {
        self.core.manifest().cloned()
    }

    pub(crate) fn cids(&self) -> Vec<Cid> {
        self.core.cids()
    }

    /// One step; what the peer is to do follows.
    pub(crate) fn step(
        &mut self,
        now: Time,
        input: Input,
    ) -> impl Iterator<Item = RoomInput> + use<> {
        let mut asked = Vec::new();
        let told = self.till.is_some().then(|| till_input(&input)).flatten();
        match (input, told) {
            // Not for the core, which would pass it over.
            (Input::Frame { .. }, Some(told)) => asked.extend(self.step_till(now, told)),
            (input, told) => {
                self.step_core(now, input, &mut asked);
                asked.extend(told.into_iter().flat_map(|told| self.step_till(now, told)));
            }
        }
        self.count(now, &mut asked);
        asked.into_iter()
    }

    fn step_core(&mut self, now: Time, input: Input, asked: &mut Vec<RoomInput>) {
        let mut outputs = Vec::new();
        self.wake_at = self.core.step(now, input, &mut outputs);
        asked.extend(outputs.into_iter().filter_map(|output| self.perform(output)));
    }

    /// One step of the till; what the peer is to do follows.
    pub(crate) fn step_till(
        &mut self,
        now: Time,
        input: payments::Input,
    ) -> impl Iterator<Item = RoomInput> + use<> {
        let mut asked = Vec::new();
        let followed = self.till.as_mut().map(|till| till.step(now, input));
        self.follow(now, followed.unwrap_or_default(), &mut asked);
        asked.into_iter()
    }

    /// Tells the till what moved.
    fn count(&mut self, now: Time, asked: &mut Vec<RoomInput>) {
        let Some(till) = &mut self.till else { return };
        let followed = till.count(now, self.core.moved());
        self.follow(now, followed, asked);
        if self.till.as_ref().is_some_and(|till| till.wake_at() <= now) {
            asked.extend(self.step_till(now, payments::Input::Tick));
        }
    }

    fn follow(&mut self, now: Time, followed: Vec<Followed>, asked: &mut Vec<RoomInput>) {
        for one in followed {
            match one {
                Followed::Room(input) => asked.push(input),
                Followed::Share(input) => self.step_core(now, input, asked),
            }
        }
    }

    fn perform(&self, output: Output) -> Option<RoomInput> {
        match output {
            Output::Send { to, channel, bytes } => {
                return Some(RoomInput::Send { to, channel, bytes });
            }
            Output::Hangup { peer, why } => return Some(RoomInput::Hangup { peer, why }),
            Output::Neighbours(count) => return Some(RoomInput::Neighbours(count)),
            Output::Look(cids) => self.work(move |blocks| {
                let answers = cids.into_iter().map(|cid| (cid, blocks.has(&cid)));
                Input::Looked(answers.collect())
            }),
            Output::Load(cid) => self.work(move |blocks| {
                let bytes = blocks.read(&cid).map(files::content::Block::into_bytes);
                Input::Loaded { cid, bytes }
            }),
            Output::Check { cid, from, bytes } => self.work(move |_| {
                let digest = sha256(&bytes);
                Input::Checked { cid, from, digest, bytes }
            }),
            Output::Keep { cid, bytes } => self.keeper.keep(Candidate { cid, bytes }),
            Output::Event(Told::Opened | Told::Done | Told::Failed) => self.turns.notify_one(),
            Output::Event(Told::Liar(peer)) => {
                tracing::warn!(%peer, "sent something else than it was asked for, and was cut");
            }
            // Nobody turns a gateway on here (`starling get --from` needs no peers), so nothing is asked of one.
            Output::Fetch(_) | Output::Event(Told::Served { .. }) => {}
        }
        None
    }

    /// Does something on a thread that may wait, and tells the core what came of it.
    fn work(&self, work: impl FnOnce(&dyn Blocks) -> Input + Send + 'static) {
        let (swarm, inbox) = (self.core.swarm(), self.inbox.clone());
        let blocks = Arc::clone(&self.blocks);
        tokio::task::spawn_blocking(move || {
            inbox.put_waiting(Event::Share(swarm, work(&*blocks)));
        });
    }
}

/// What the till is told of it.
fn till_input(input: &Input) -> Option<payments::Input> {
    match input {
        Input::PeerUp(peer) => Some(payments::Input::Up(*peer)),
        Input::PeerDown(peer) => Some(payments::Input::Down(*peer)),
        Input::Frame { from, bytes } if payments::Till::takes(bytes) => {
            Some(payments::Input::Frame { from: *from, bytes: bytes.clone() })
        }
        _ => None,
    }
}
