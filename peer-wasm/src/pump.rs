//! The loop of the driver: queue → `peer.step` → perform what it asks → one timer.
//!
//! Every callback of the browser ends in [`Inbox::push`]: it queues one owned input and, if the pump is
//! not running already, runs it. Callbacks that fire while an output is performed only queue.

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use std::rc::{Rc, Weak};

use peer::{
    Input, Limits, Output, Peer, PeerConfig, RoomEvent, RoomInput, STREAMS_MAX, StreamConfig,
    view::View,
};
use primitives::{PeerId, SegmentId, Signature, SortedMap, SwarmId, Time};

mod queue;

use crate::{
    clock::{Alarm, Clock},
    entropy,
    fetch::{Fetches, Load},
    idb::Store,
    js_error::BrowserError,
    listener::Listener,
    page,
    rtc::Links,
    socket::Socket,
    waiters::Waiters,
};
use queue::Queue;

/// Takes what happened. The driver does; so do tests of single modules. Not `Debug`: a `dyn Sink` would
/// carry the text of all that a driver holds.
pub(crate) trait Sink {
    /// Takes one input, now or soon.
    fn take(&self, input: Input);

    /// The page is about to be hidden for good: what is to be said before the peer leaves is said now.
    fn going(&self) {}
}

/// Where callbacks and tasks put what happened. Does not keep the driver alive.
#[derive(Debug, Clone)]
pub(crate) struct Inbox(Weak<dyn Sink>);

impl Inbox {
    /// An inbox of `sink`.
    pub(crate) fn new(sink: Weak<dyn Sink>) -> Self {
        Self(sink)
    }

    /// Queues an input and runs the pump, unless it is running.
    pub(crate) fn push(&self, input: Input) {
        if let Some(sink) = self.0.upgrade() {
            sink.take(input);
        }
    }

    /// The page is about to be hidden for good; [`Input::Pause`] follows.
    pub(crate) fn going(&self) {
        if let Some(sink) = self.0.upgrade() {
            sink.going();
        }
    }
}

/// Takes what happens in a room. A trait object, so that pages that only play carry no core of shares.
pub(crate) trait RoomSink {
    /// Takes one event; what follows from it is queued, not performed here.
    fn event(&self, event: RoomEvent);
}

impl Sink for Driver {
    fn take(&self, input: Input) {
        self.push(input);
    }

    fn going(&self) {
        let last = self.last_words.0.borrow().clone();
        if let Some(last) = last {
            last();
        }
    }
}

/// What is said before the peer leaves. Listeners of the page's end are called in the order in which they were added,
/// captured or not: this is asked by the first of them.
#[derive(Default)]
struct LastWords(RefCell<Option<Rc<dyn Fn()>>>);

impl core::fmt::Debug for LastWords {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LastWords")
    }
}

/// Open rooms and who hears of them. Its text says how many: see [`Sink`].
#[derive(Default)]
struct Rooms(SortedMap<SwarmId, Weak<dyn RoomSink>>);

impl core::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Rooms")
    }
}

/// One peer and the browser APIs it drives.
#[derive(Debug)]
pub(crate) struct Driver {
    clock: Clock,
    core: RefCell<Peer>,
    queue: RefCell<Queue>,
    running: Cell<bool>,
    wake_at: Cell<Time>,
    alarm: Alarm,
    links: RefCell<Links>,
    socket: RefCell<Socket>,
    fetches: Fetches,
    store: Store,
    waiters: Waiters,
    me: Weak<Self>,
    limits: Cell<Limits>,
    open: RefCell<SortedMap<SwarmId, u32>>,
    rooms: RefCell<Rooms>,
    last_words: LastWords,
    _page: Vec<Listener>,
}

impl Driver {
    /// A driver with a fresh peer, listening to the page.
    pub(crate) fn start(
        signal_url: String,
        config: PeerConfig,
        cache_bytes: Option<u64>,
    ) -> Result<Rc<Self>, BrowserError> {
        let clock = Clock::start()?;
        let seed = entropy::seed()?;
        let limits = config.limits;
        Ok(Rc::new_cyclic(|me: &Weak<Self>| {
            let sink: Weak<dyn Sink> = Weak::<Self>::clone(me);
            let inbox = Inbox::new(sink);
            Self {
                core: RefCell::new(Peer::new(config, seed, clock.now())),
                clock,
                queue: RefCell::default(),
                running: Cell::new(false),
                wake_at: Cell::new(Time::NEVER),
                alarm: Alarm::default(),
                links: RefCell::new(Links::new(inbox.clone())),
                socket: RefCell::new(Socket::new(signal_url, inbox.clone())),
                fetches: Fetches::new(inbox.clone()),
                store: Store::new(inbox.clone(), cache_bytes),
                waiters: Waiters::default(),
                limits: Cell::new(limits),
                open: RefCell::default(),
                rooms: RefCell::default(),
                me: Weak::clone(me),
                last_words: LastWords::default(),
                _page: page::listen(&inbox),
            }
        }))
    }

    /// What the app shows: the core's view, and what is wrong with this browser.
    pub(crate) fn view(&self) -> View {
        let mut view = self.core.borrow().view(self.clock.now());
        view.problems.extend(self.store.problem());
        view
    }

    /// Calls `last` whenever the page is about to be hidden for good, before the peer leaves.
    pub(crate) fn before_leaving(&self, last: Rc<dyn Fn()>) {
        self.last_words.0.replace(Some(last));
    }

    /// The store, for the person's settings.
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Who waits for segments.
    pub(crate) const fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// Changes the person's limits.
    pub(crate) fn change_limits(&self, change: impl FnOnce(&mut Limits)) {
        let mut limits = self.limits.get();
        change(&mut limits);
        self.limits.set(limits);
        self.push(Input::Limits(limits));
    }

    /// Opens a stream, or counts one more user of an open one. Says whether there was room for it.
    pub(crate) fn open_stream(&self, swarm: SwarmId, config: StreamConfig) -> bool {
        let users = {
            let mut open = self.open.borrow_mut();
            if open.len() >= STREAMS_MAX && !open.contains_key(&swarm) {
                return false;
            }
            let users = open.entry(swarm).or_default();
            *users += 1;
            *users
        };
        if users == 1 {
            self.push(Input::Open(config));
        }
        true
    }

    /// One user of a stream less; the last one closes it.
    pub(crate) fn close_stream(&self, swarm: SwarmId) {
        let is_last = {
            let mut open = self.open.borrow_mut();
            let users = open.get_mut(&swarm).map(|users| {
                *users -= 1;
                *users
            });
            users == Some(0) && open.remove(&swarm).is_some()
        };
        if is_last {
            self.waiters.abort_all(swarm);
            self.store.close(swarm);
            self.push(Input::Close(swarm));
        }
    }

    /// The player's own load of a segment is the peer's from now on.
    pub(crate) fn hand_over(
        &self,
        key: (SwarmId, SegmentId),
        load: Load,
        came: Vec<u8>,
        took: Duration,
    ) {
        let (swarm, segment) = key;
        let segment_bytes = load.segment_bytes;
        self.fetches.offer(key, load);
        self.push(Input::HandOver { swarm, segment, segment_bytes, bytes: came, took });
    }

    /// How many streams are open.
    pub(crate) fn streams(&self) -> u64 {
        crate::number::count(self.open.borrow().len())
    }

    /// The clock of this driver's core.
    pub(crate) fn now(&self) -> Time {
        self.clock.now()
    }

    /// The peer's own name.
    pub(crate) fn id(&self) -> PeerId {
        self.core.borrow().id()
    }

    /// What this peer signs of what it got from whom.
    pub(crate) fn attest(&self, said: &str) -> Signature {
        self.core.borrow().attest(said)
    }

    /// Opens a room, whose events go to `sink` while that lives.
    pub(crate) fn open_room(&self, swarm: SwarmId, sink: Weak<dyn RoomSink>) {
        self.rooms.borrow_mut().0.insert(swarm, sink);
        self.push(Input::Room(swarm, RoomInput::Open));
    }

    /// Closes a room.
    pub(crate) fn close_room(&self, swarm: SwarmId) {
        self.rooms.borrow_mut().0.remove(&swarm);
        self.push(Input::Room(swarm, RoomInput::Close));
    }

    /// Queues an input and runs the pump, unless it is running.
    pub(crate) fn push(&self, input: Input) {
        let noisiest = self.queue.borrow_mut().push(input);
        if let Some(link) = noisiest {
            // Already inside the pump: the link is closed after the current output.
            let closed = Input::RtcClosed { link };
            self.queue.borrow_mut().push_always(closed);
        }
        if !self.running.replace(true) {
            self.run();
            self.running.set(false);
            self.set_alarm();
        }
    }

    fn run(&self) {
        let mut outputs = Vec::new();
        while let Some(input) = self.next_input() {
            if let Input::RtcClosed { link } = &input {
                self.links.borrow_mut().close(*link);
            }
            let now = self.clock.now();
            let wake = self.core.borrow_mut().step(now, input, &mut outputs);
            self.wake_at.set(wake.at);
            for output in outputs.drain(..) {
                self.perform(output);
            }
        }
        self.links.borrow_mut().look_up_paths(self.clock.now());
    }

    /// A function of its own, so that the queue is not borrowed while its input is worked on.
    fn next_input(&self) -> Option<Input> {
        self.queue.borrow_mut().pop()
    }

    fn set_alarm(&self) {
        let me = Weak::clone(&self.me);
        self.alarm.set(self.clock.now(), self.wake_at.get(), move || {
            if let Some(driver) = me.upgrade() {
                driver.rang();
            }
        });
    }

    fn rang(&self) {
        self.alarm.rang();
        if self.clock.now() < self.wake_at.get() {
            self.set_alarm();
        } else {
            self.push(Input::Tick);
        }
    }

    fn perform(&self, output: Output) {
        match output {
            Output::Connect => self.socket.borrow_mut().connect(),
            Output::SocketSend(text) => self.socket.borrow_mut().send(&text),
            Output::Disconnect => self.socket.borrow_mut().disconnect(),
            Output::Dial { link, rtc } => self.links.borrow_mut().dial(link, &rtc),
            Output::Accept { link, sdp, rtc } => self.links.borrow_mut().accept(link, sdp, &rtc),
            Output::RemoteAnswer { link, sdp } => self.links.borrow().remote_answer(link, sdp),
            Output::RemoteCandidate { link, candidate, mid } => {
                self.links.borrow().remote_candidate(link, candidate, mid);
            }
            Output::RestartIce { link, rtc } => self.links.borrow().restart_ice(link, &rtc),
            Output::RemoteOffer { link, sdp, rtc } => {
                self.links.borrow().remote_offer(link, sdp, &rtc);
            }
            Output::CloseLink(link) => self.links.borrow_mut().close(link),
            Output::Send { link, channel, bytes } => {
                self.links.borrow().send(link, channel, &bytes);
            }
            Output::Fetch { swarm, fetch, url, range, segment_at } => {
                self.fetches.start((swarm, fetch), url, range, segment_at);
            }
            Output::Adopt { swarm, fetch, segment } => {
                self.fetches.adopt((swarm, fetch), segment);
            }
            Output::AbortFetch { swarm, fetch } => self.fetches.abort((swarm, fetch)),
            Output::Http { request, url, head, fresh } => {
                self.fetches.request(request, url, head, fresh);
            }
            Output::OpenStore(swarm) => self.store.open(swarm),
            Output::Store { swarm, segment, bytes } => self.store.keep(swarm, segment, bytes),
            Output::Load { swarm, segment } => self.store.load(swarm, segment),
            Output::Deliver { swarm, segment, bytes, sources } => {
                self.waiters.deliver((swarm, segment), &bytes, &sources);
            }
            Output::Fail { swarm, segment, status, forged } => {
                self.waiters.fail((swarm, segment), status, forged);
            }
            Output::Room { swarm, event } => {
                let sink = self.rooms.borrow().0.get(&swarm).and_then(Weak::upgrade);
                if let Some(sink) = sink {
                    sink.event(event);
                }
            }
            Output::Problem(problem) => page::warn(&problem),
        }
    }
}
