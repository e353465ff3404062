//! One open share: feeds its core and does what it asks.

use core::cell::{Cell, RefCell};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::{Rc, Weak},
};

use files::{
    Config, Event, Input, Output, Share,
    content::{
        Block, Cid, Opened,
        share::{Purpose, Secret, ShareKey, ShareLink},
    },
    make::{Leaf, remake},
};
use js_sys::{ArrayBuffer, Function, Promise};
use peer::{RoomEvent, RoomInput, view::RoomView};
use primitives::{PeerId, SwarmId, Time};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{
    FilesError, beside::Beside, counting::Counter, gateway::Gateway, hash, record::Chosen,
    shelf::Shelf,
};
use crate::{
    buffers::taken,
    clock::{Alarm, wall_ms},
    entropy, number,
    pump::{Driver, RoomSink},
};

/// A share that is open.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) share: RefCell<Share>,
    pub(super) cid: Cid,
    pub(super) swarm: SwarmId,
    /// None: the share is public.
    pub(super) key: Option<ShareKey>,
    driver: Weak<Driver>,
    pub(super) shelf: Rc<Shelf>,
    queue: RefCell<VecDeque<Input>>,
    busy: Cell<bool>,
    wake: Cell<Time>,
    alarm: Alarm,
    /// Blocks in the store.
    held: RefCell<BTreeSet<Cid>>,
    /// Leaves that can be made again from files of this page.
    sources: RefCell<Sources>,
    /// What was chosen at an earlier visit, until names are known.
    resumes: RefCell<Chosen>,
    /// A file changed or went away while it was shared.
    pub(super) source_lost: Cell<bool>,
    /// Where blocks are asked that no peer has.
    gateway: RefCell<Option<Gateway>>,
    /// Who waits for a block more: what is looked at while it comes, see `preview`.
    waiting: RefCell<Vec<Function>>,
    /// Who counts money beside it.
    pub(super) counter: Counter,
    /// Who speaks with its neighbours of something else.
    beside: Rc<Beside>,
    me: Weak<Self>,
}

/// What all shares of a page have in common.
#[derive(Debug)]
pub(super) struct Around {
    pub(super) driver: Rc<Driver>,
    pub(super) shelf: Rc<Shelf>,
    pub(super) beside: Rc<Beside>,
}

/// Files of this page that a share is made of.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) files: Vec<web_sys::File>,
    pub(super) run: [u8; 16],
    pub(super) leaves: BTreeMap<Cid, (usize, Leaf)>,
}

impl Running {
    /// Opens a share whose store is read.
    pub(super) async fn open(
        Around { driver, shelf, beside }: Around,
        link: ShareLink,
        key: ShareKey,
        sources: Sources,
        resumes: Chosen,
    ) -> Result<Rc<Self>, FilesError> {
        let cid = link.cid;
        let sealed = link.secret != Secret::Public;
        let held = shelf.held(&cid).await.into_iter().collect();
        let config = Config {
            link,
            key: key.clone(),
            me: driver.id(),
            seed: entropy::seed().map_err(FilesError::Browser)?,
            started_s: number::whole(wall_ms()) / 1000,
        };
        let share = Share::new(config, driver.now());
        let running = Rc::new_cyclic(|me: &Weak<Self>| Self {
            swarm: share.swarm(),
            share: RefCell::new(share),
            cid,
            key: sealed.then_some(key),
            driver: Rc::downgrade(&driver),
            shelf: Rc::clone(&shelf),
            queue: RefCell::default(),
            busy: Cell::new(false),
            wake: Cell::new(Time::NEVER),
            alarm: Alarm::default(),
            held: RefCell::new(held),
            sources: RefCell::new(sources),
            resumes: RefCell::new(resumes),
            source_lost: Cell::new(false),
            gateway: RefCell::default(),
            waiting: RefCell::default(),
            counter: Counter::default(),
            beside,
            me: Weak::clone(me),
        });
        shelf.set_open(cid, true);
        let sink: Weak<dyn RoomSink> = running.me.clone();
        driver.open_room(running.swarm, sink);
        running.take(Input::Tick);
        Ok(running)
    }

    /// Queues an input and works it off, unless that is under way.
    pub(super) fn take(&self, input: Input) {
        self.queue.borrow_mut().push_back(input);
        if self.busy.replace(true) {
            return;
        }
        self.work();
        self.busy.set(false);
        self.set_alarm();
    }

    fn work(&self) {
        let Some(driver) = self.driver.upgrade() else { return };
        let mut outputs = Vec::new();
        while let Some(input) = self.next_input() {
            if self.beside.hear(self.swarm, &input)
                || self.counter.hear(&input, |peer| self.moved(peer))
            {
                continue;
            }
            let wake = self.share.borrow_mut().step(driver.now(), input, &mut outputs);
            self.wake.set(wake);
            for output in outputs.drain(..) {
                self.perform(&driver, output);
            }
        }
        if self.counter.is_on() {
            let moved: Vec<_> = self.share.borrow().moved().collect();
            self.counter.count(moved.into_iter(), false);
        }
    }

    /// What moved to and from a neighbour.
    fn moved(&self, peer: PeerId) -> (u64, u64, u64) {
        let share = self.share.borrow();
        let found = share.moved().find(|(one, ..)| *one == peer);
        found.map_or((0, 0, 0), |(_, received, spared, sent)| (received, spared, sent))
    }

    /// A function of its own, so that the queue is not borrowed while its input is worked on.
    fn next_input(&self) -> Option<Input> {
        self.queue.borrow_mut().pop_front()
    }

    fn set_alarm(&self) {
        let Some(driver) = self.driver.upgrade() else { return };
        let me = Weak::clone(&self.me);
        self.alarm.set(driver.now(), self.wake.get(), move || {
            if let Some(running) = me.upgrade() {
                running.alarm.rang();
                running.take(Input::Tick);
            }
        });
    }

    fn perform(&self, driver: &Driver, output: Output) {
        let room = |input| driver.push(peer::Input::Room(self.swarm, input));
        match output {
            Output::Send { to, channel, bytes } => room(RoomInput::Send { to, channel, bytes }),
            Output::Hangup { peer, why } => room(RoomInput::Hangup { peer, why }),
            Output::Neighbours(count) => room(RoomInput::Neighbours(count)),
            Output::Look(cids) => {
                let has = |cid: &Cid| self.has(cid);
                let answers = cids.iter().map(|cid| (*cid, has(cid))).collect();
                self.take(Input::Looked(answers));
            }
            Output::Load(cid) => self.spawn(async move |running| {
                let bytes = running.block(cid).await.map(Block::into_bytes);
                Input::Loaded { cid, bytes }
            }),
            Output::Check { cid, from, bytes } => self.spawn(async move |_| {
                let digest = hash::digest(&bytes).await;
                Input::Checked { cid, from, digest, bytes }
            }),
            Output::Fetch(cid) => self.fetch(cid),
            Output::Keep { cid, bytes } => {
                self.held.borrow_mut().insert(cid);
                self.shelf.keep(self.cid, cid, bytes, Weak::clone(&self.me));
            }
            Output::Event(Event::Opened) => {
                self.resume();
                self.remember();
            }
            Output::Event(Event::Done) => {
                let moved: Vec<_> = self.share.borrow().moved().collect();
                self.counter.whole(moved.into_iter());
                self.remember();
            }
            Output::Event(_) => {}
        }
    }

    /// What became of a block that was to be kept.
    pub(super) fn kept(&self, cid: Cid, kept: bool) {
        if !kept {
            self.held.borrow_mut().remove(&cid);
        }
        self.take(if kept { Input::Kept(cid) } else { Input::NotKept(cid) });
        self.tell_waiting();
    }

    /// Settles when a block more is kept, or the share is closed.
    pub(super) fn next_kept(&self) -> Promise {
        Promise::new(&mut |resolve: Function, _: Function| {
            self.waiting.borrow_mut().push(resolve);
        })
    }

    fn tell_waiting(&self) {
        for resolve in self.waiting.take() {
            // A promise that is settled already is none the worse.
            drop(resolve.call0(&JsValue::UNDEFINED));
        }
    }

    /// Asks this gateway from now on, or none.
    pub(super) fn set_gateway(&self, gateway: Option<Gateway>) {
        let on = gateway.is_some();
        self.gateway.replace(gateway);
        self.take(Input::Gateway(on));
    }

    fn fetch(&self, cid: Cid) {
        let gateway = self.gateway.borrow().clone();
        self.spawn(async move |_| match gateway {
            Some(gateway) => gateway.fetch(cid).await,
            // It was taken away meanwhile.
            None => Input::NotFetched { cid, why: files::NotFetched::Unreachable },
        });
    }

    /// Goes on with what was chosen at an earlier visit.
    fn resume(&self) {
        let all = |share: &Share| share.entries().iter().map(|entry| entry.number).collect();
        let entries = match self.resumes.take() {
            Chosen::Nothing => return,
            Chosen::All => all(&self.share.borrow()),
            Chosen::Some(entries) => entries,
        };
        self.take(Input::Choose { entries, in_order: false });
    }

    fn spawn(&self, work: impl AsyncFnOnce(&Self) -> Input + 'static) {
        let me = Weak::clone(&self.me);
        spawn_local(async move {
            if let Some(running) = me.upgrade() {
                let input = work(&running).await;
                running.take(input);
            }
        });
    }

    /// Whether a block of this share is here.
    pub(super) fn has(&self, cid: &Cid) -> bool {
        self.held.borrow().contains(cid) || self.sources.borrow().leaves.contains_key(cid)
    }

    /// A block of this share, checked; from the store, or made again from a file.
    pub(super) async fn block(&self, cid: Cid) -> Option<Block> {
        if self.held.borrow().contains(&cid) {
            let bytes = self.shelf.read(&self.cid, &cid).await?;
            let found = hash::block(cid, bytes).await;
            if found.is_none() {
                self.held.borrow_mut().remove(&cid);
            }
            return found;
        }
        let (file, leaf, run) = {
            let sources = self.sources.borrow();
            let (number, leaf) = *sources.leaves.get(&cid)?;
            (sources.files.get(number)?.clone(), leaf, sources.run)
        };
        let bytes = read(&file, leaf.offset, u64::from(leaf.length)).await;
        let made = match bytes {
            Ok(bytes) => {
                let made = remake(self.key.as_ref(), run, leaf, bytes);
                hash::block(cid, made.bytes).await
            }
            Err(_) => None,
        };
        if made.is_none() {
            // Changed since it was shared: its other blocks are not what they were either.
            self.source_lost.set(true);
            self.sources.borrow_mut().leaves.remove(&cid);
        }
        made
    }

    /// What is in a block of the content.
    pub(super) async fn opened(&self, cid: Cid) -> Result<Opened, FilesError> {
        let block = self.block(cid).await.ok_or(FilesError::Missing)?;
        match &self.key {
            Some(key) => key.open(&block, Purpose::Content).map_err(|_| FilesError::Damaged),
            None => Ok(block.into_opened()),
        }
    }

    /// Files of this page that hold what the store does not.
    pub(super) fn set_sources(&self, sources: Sources) {
        let found: Vec<Cid> = sources.leaves.keys().copied().collect();
        self.sources.replace(sources);
        self.source_lost.set(false);
        self.take(Input::Found(found));
    }

    /// Keeps a copy of what is only in files, so that sharing outlives the page; whether all is kept.
    pub(super) async fn copy(&self) -> bool {
        let leaves: Vec<Cid> = self.sources.borrow().leaves.keys().copied().collect();
        for cids in leaves.chunks(8) {
            let mut batch = Vec::new();
            for cid in cids.iter().filter(|cid| !self.held.borrow().contains(cid)) {
                let Some(block) = self.block(*cid).await else { return false };
                batch.push((self.cid, *cid, block.into_bytes()));
            }
            if self.shelf.write(&batch).await.is_err() {
                return false;
            }
            self.held.borrow_mut().extend(batch.iter().map(|(_, cid, _)| *cid));
        }
        true
    }

    /// Whether leaves are in the files of this page.
    pub(super) fn has_sources(&self) -> bool {
        !self.sources.borrow().leaves.is_empty()
    }

    /// Writes down what is known now.
    fn remember(&self) {
        let manifest = self.share.borrow().manifest().map(|m| (m.name.clone(), m.total_bytes()));
        let Some((name, size_bytes)) = manifest else { return };
        let (shelf, cid) = (Rc::clone(&self.shelf), self.cid);
        spawn_local(async move {
            if let Some(mut record) = shelf.record(&cid).await {
                (record.name, record.size_bytes) = (name, size_bytes);
                record.used_ms = wall_ms();
                // A share that can't be written down works until the page is closed.
                drop(shelf.put_record(&record).await);
            }
        });
    }

    /// The connections, as the peer knows them.
    pub(super) fn room(&self) -> RoomView {
        let swarm = self.swarm.to_string();
        let rooms = self.driver.upgrade().map(|driver| driver.view().rooms);
        rooms.into_iter().flatten().find(|room| room.swarm == swarm).unwrap_or_default()
    }

    /// Now, on the driver's clock.
    pub(super) fn now(&self) -> Time {
        self.driver.upgrade().map_or(Time::ZERO, |driver| driver.now())
    }
}

impl RoomSink for Running {
    fn event(&self, event: RoomEvent) {
        self.take(match event {
            RoomEvent::Up(peer) => Input::PeerUp(peer),
            RoomEvent::Down(peer) => Input::PeerDown(peer),
            RoomEvent::Frame { from, bytes } => Input::Frame { from, bytes },
            RoomEvent::Sent { to, bytes } => Input::Sent { to, bytes },
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.counter.close();
        self.beside.close(self.swarm);
        self.tell_waiting();
        self.shelf.set_open(self.cid, false);
        if let Some(driver) = self.driver.upgrade() {
            driver.close_room(self.swarm);
        }
    }
}

/// Bytes of a file.
pub(super) async fn read(
    file: &web_sys::File,
    offset: u64,
    length: u64,
) -> Result<Vec<u8>, FilesError> {
    let end = offset.saturating_add(length);
    let slice = file.slice_with_f64_and_f64(number::float(offset), number::float(end));
    let slice = slice.map_err(|_| FilesError::Unreadable)?;
    let read = JsFuture::from(slice.array_buffer()).await.map_err(|_| FilesError::Unreadable)?;
    let buffer: ArrayBuffer = read.unchecked_into();
    let bytes = taken(&buffer);
    if number::count(bytes.len()) == length { Ok(bytes) } else { Err(FilesError::Unreadable) }
}
