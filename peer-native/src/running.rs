//! One open share: its core's steps, and what it asks for done on threads that may wait.

use core::fmt;
use std::{sync::Arc, time::SystemTime};

use files::{
    Config, Event as Told, Input, Output,
    content::{Candidate, Cid, share::ShareManifest},
    view::{EntryView, ShareView},
};
use peer::RoomInput;
use primitives::{PeerId, Seed, SwarmId, Time, sha256};
use tokio::sync::Notify;

use crate::{
    Blocks, OpenShare,
    keeper::Keeper,
    pump::{Event, Inbox},
};

/// A share that is open. What its core asks for is bounded by the core's own limits
/// ([`files::config`]): blocks being read, checked and kept.
pub(crate) struct Running {
    core: files::Share,
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
        let OpenShare { link, key, blocks, upload_bytes_per_s } = options;
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let started_s = since_1970.map_or(0, |since| since.as_secs());
        let core = files::Share::new(Config { link, key, me, seed, started_s }, now);
        let keeper = Keeper::start(core.swarm(), Arc::clone(&blocks), inbox.clone());
        let (inbox, turns) = (inbox.clone(), Arc::default());
        Self { core, upload_bytes_per_s, wake_at: now, blocks, keeper, inbox, turns }
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

    pub(crate) const fn wake_at(&self) -> Time {
        self.wake_at
    }

    pub(crate) fn view(&self, now: Time) -> ShareView {
        self.core.view(now)
    }

    pub(crate) fn entries(&self) -> Vec<EntryView> {
        self.core.entries()
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
        let mut outputs = Vec::new();
        self.wake_at = self.core.step(now, input, &mut outputs);
        let asked: Vec<RoomInput> =
            outputs.into_iter().filter_map(|output| self.perform(output)).collect();
        asked.into_iter()
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
