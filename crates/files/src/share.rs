//! The share itself: one `step`, every input.

use content::{Cid, share::ShareManifest};
use core::time::Duration;
use primitives::{PeerId, SortedMap, SortedSet, SwarmId, Time, sha256};
use std::collections::VecDeque;

use crate::{
    Config, Event, Input, Output, config,
    gateway::Gateway,
    neighbour::{Neighbour, length},
    opening::Opening,
    places::{Places, State},
    serving::Limiter,
    view::{Failure, Meter},
};

/// Context of a swarm id of a share.
const CONTEXT: &[u8] = b"starling-share-v1\0";
/// Most peers remembered as cut; a flood of liars forgets the first.
const CUT_MAX: usize = 1_024;

/// The swarm of a share: SHA-256 of a context and the CID its link names. Who introduces peers learns
/// neither the CID nor the key.
pub fn swarm_of(cid: &Cid) -> SwarmId {
    SwarmId::new(*sha256(&[CONTEXT, &cid.to_bytes()].concat()).as_bytes())
}

/// A share between peers. See the crate's story.
#[derive(Debug)]
pub struct Share {
    pub(crate) config: Config,
    pub(crate) swarm: SwarmId,
    pub(crate) now: Time,
    /// When the share ends, on this clock.
    pub(crate) ends_at: Time,
    started: Time,
    pub(crate) neighbours: SortedMap<PeerId, Neighbour>,
    pub(crate) cut: SortedSet<PeerId>,
    pub(crate) opening: Opening,
    pub(crate) manifest: Option<ShareManifest>,
    pub(crate) places: Option<Places>,
    /// Blocks that are here and not in the store yet, with their bytes.
    pub(crate) coming: SortedMap<Cid, u64>,
    pub(crate) gateway: Gateway,
    /// Blocks that somebody waits for, whoever waits longest first; at most [`config::WAITED_MAX`].
    pub(crate) waited: VecDeque<Cid>,
    pub(crate) limiter: Limiter,
    /// How often blocks were sent, so that those go first that fewest have.
    pub(crate) copies: SortedMap<Cid, u32>,
    pub(crate) paused: bool,
    /// The store takes nothing more.
    pub(crate) full: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) done: bool,
    /// Places newly held that neighbours were not told of, and when they are.
    pub(crate) untold: Vec<u32>,
    pub(crate) tell_at: Time,
    call_at: Time,
    call_wait: Duration,
    pub(crate) received: Meter,
    pub(crate) served: Meter,
    pub(crate) wasted_bytes: u64,
    pub(crate) liars: u32,
}

impl Share {
    /// A share of which nothing is known but its link.
    pub fn new(config: Config, now: Time) -> Self {
        let mut share = Self {
            swarm: swarm_of(&config.link.cid),
            opening: Opening::new(&config.link),
            config,
            now,
            ends_at: Time::NEVER,
            started: now,
            neighbours: SortedMap::new(),
            cut: SortedSet::new(),
            manifest: None,
            places: None,
            coming: SortedMap::new(),
            gateway: Gateway::default(),
            waited: VecDeque::new(),
            limiter: Limiter::new(now),
            copies: SortedMap::new(),
            paused: false,
            full: false,
            failure: None,
            done: false,
            untold: Vec::new(),
            tell_at: Time::NEVER,
            call_at: now,
            call_wait: config::NEIGHBOURS_EVERY.0,
            received: Meter::default(),
            served: Meter::default(),
            wasted_bytes: 0,
            liars: 0,
        };
        share.end_by(share.config.link.expires_at_s);
        share
    }

    /// Its swarm.
    pub const fn swarm(&self) -> SwarmId {
        self.swarm
    }

    /// What is in it, once that is known.
    pub const fn manifest(&self) -> Option<&ShareManifest> {
        self.manifest.as_ref()
    }

    /// What it was started with.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Takes one input at `now`, pushes what is to be done and says when to call again.
    ///
    /// Total: whatever a stranger or the driver says, nothing panics.
    pub fn step(&mut self, now: Time, input: Input, out: &mut Vec<Output>) -> Time {
        self.now = self.now.max(now);
        self.take(input, out);
        self.end_when_due(out);
        if self.failure.is_none() {
            self.look(out);
            self.drop_silent(out);
            self.ask_due(out);
            self.ask_all(out);
            self.ask_gateway(out);
            self.choke_held(out);
            self.serve_all(out);
            self.tell(out);
            self.call(out);
            self.tell_done(out);
        }
        self.wake()
    }

    fn take(&mut self, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Tick => {}
            Input::PeerUp(peer) => self.on_peer_up(peer, out),
            Input::PeerDown(peer) => self.on_peer_down(peer),
            Input::Frame { from, bytes } => self.on_frame(from, &bytes, out),
            Input::Sent { to, bytes } => self.on_sent(to, bytes),
            Input::Looked(answers) => answers.into_iter().for_each(|(cid, has)| {
                self.on_looked(&cid, has);
            }),
            Input::Loaded { cid, bytes } => self.on_loaded(cid, bytes, out),
            Input::Checked { cid, from, digest, bytes } => {
                self.on_checked(cid, from, digest, bytes, out);
            }
            Input::Kept(cid) => self.on_kept(&cid),
            Input::NotKept(cid) => {
                self.coming.remove(&cid);
                self.set_missing(&cid);
                self.full = true;
                self.take_back_all(out);
            }
            Input::Found(cids) => cids.iter().for_each(|cid| self.on_found(cid)),
            Input::Lost(cids) => cids.iter().for_each(|cid| self.on_lost(cid, out)),
            Input::Choose { entries, in_order } => {
                if let Some(places) = &mut self.places {
                    places.choose(&entries, in_order);
                }
                self.done = false;
                self.take_back_unwanted(out);
            }
            Input::Pause(on) => {
                (self.paused, self.full) = (on, self.full && on);
                if on {
                    self.take_back_all(out);
                }
            }
            Input::Hold { peer, on } => self.hold_back(peer, on, out),
            Input::Limit(limit) => self.set_limit(limit, out),
            Input::Look { entry, from, bytes_per_s } => {
                if let Some(places) = &mut self.places {
                    places.read(self.now, entry, from, bytes_per_s);
                }
            }
            Input::Wait(cids) => self.on_wait(cids),
            Input::Gateway(on) => self.set_gateway(on),
            Input::Fetched { cid, digest, bytes } => self.on_fetched(cid, digest, bytes, out),
            Input::NotFetched { cid, why } => self.on_not_fetched(&cid, why),
        }
    }

    /// The share ends at this time of day, if not earlier.
    pub(crate) fn end_by(&mut self, end_s: Option<u64>) {
        let Some(end_s) = end_s else { return };
        let left_s = end_s.saturating_sub(self.config.started_s);
        self.ends_at = self.ends_at.min(self.started + Duration::from_secs(left_s));
    }

    fn end_when_due(&mut self, out: &mut Vec<Output>) {
        if self.now >= self.ends_at && self.failure.is_none() {
            self.fail(Failure::Ended, out);
        }
    }

    /// Nothing more comes of this share.
    pub(crate) fn fail(&mut self, failure: Failure, out: &mut Vec<Output>) {
        self.failure = Some(failure);
        out.push(Output::Event(Event::Failed));
        for peer in self.neighbours.keys().copied().collect::<Vec<_>>() {
            self.part(peer, out);
        }
    }

    /// Where a block of this share is; `None`: it is no block of it.
    pub(crate) fn state_of(&self, cid: &Cid) -> Option<State> {
        let places = self.places.as_ref();
        let place = places.and_then(|places| places.place(cid).map(|at| places.state(at)));
        place.or_else(|| self.opening.blocks.get(cid).copied())
    }

    pub(crate) fn set_state(&mut self, cid: &Cid, state: State) {
        if let Some(places) = &mut self.places
            && let Some(place) = places.place(cid)
        {
            places.set(place, state);
        } else if let Some(known) = self.opening.blocks.get_mut(cid) {
            *known = state;
        }
    }

    /// It is not coming any more, unless it is in the store.
    pub(crate) fn set_missing(&mut self, cid: &Cid) {
        if self.state_of(cid).is_some_and(|state| state != State::Held) {
            self.set_state(cid, State::Missing);
        }
    }

    /// The store has it: told to others soon.
    pub(crate) fn hold(&mut self, cid: &Cid) {
        if let Some(places) = &mut self.places
            && let Some(place) = places.place(cid)
        {
            let new = places.hold(place);
            self.untold.extend(new);
            if self.tell_at == Time::NEVER && !self.untold.is_empty() {
                self.tell_at = self.now + config::TELL_EVERY;
            }
        } else {
            self.set_state(cid, State::Held);
        }
    }

    fn on_lost(&mut self, cid: &Cid, out: &mut Vec<Output>) {
        let Some(places) = &mut self.places else { return };
        let Some(place) = places.place(cid) else { return };
        let lost = places.lose(place);
        self.untold.retain(|place| !lost.contains(place));
        self.done = false;
        self.tell_lost(&lost, out);
    }

    /// Bytes asked for, checked or being kept.
    pub(crate) fn coming_bytes(&self) -> u64 {
        let asked = self.neighbours.values().flat_map(|neighbour| &neighbour.asks);
        let asked: u64 = asked.map(|ask| ask.expected_bytes.max(length(ask.buffer.len()))).sum();
        asked + self.coming.values().sum::<u64>() + self.gateway.asked_bytes()
    }

    /// Asks for more neighbours, less and less often.
    fn call(&mut self, out: &mut Vec<Output>) {
        let lacking = config::NEIGHBOURS_GOAL.saturating_sub(self.neighbours.len());
        if lacking == 0 || self.now < self.call_at {
            return;
        }
        out.push(Output::Neighbours(u16::try_from(lacking).unwrap_or(0)));
        self.call_at = self.now + self.call_wait;
        self.call_wait = (self.call_wait * 2).min(config::NEIGHBOURS_EVERY.1);
    }

    /// Somebody left: newcomers are looked for soon.
    pub(crate) fn call_soon(&mut self) {
        self.call_wait = config::NEIGHBOURS_EVERY.0;
        self.call_at = self.call_at.min(self.now + self.call_wait);
    }

    fn tell_done(&mut self, out: &mut Vec<Output>) {
        let done = self.places.as_ref().is_some_and(Places::is_done);
        if done && !self.done {
            out.push(Output::Event(Event::Done));
        }
        self.done = done;
    }

    /// Whether something is not here that should be.
    pub(crate) fn lacks_something(&self) -> bool {
        let places = self.places.as_ref();
        let lacks = places.is_some_and(|places| !places.wanted().is_empty() && !places.is_done());
        lacks || self.opening.missing().next().is_some()
    }

    pub(crate) fn remember_cut(&mut self, peer: PeerId) {
        if self.cut.len() >= CUT_MAX {
            self.cut.pop_first();
        }
        self.cut.insert(peer);
    }

    fn wake(&self) -> Time {
        if self.failure.is_some() {
            return Time::NEVER;
        }
        let soonest = self.now + Duration::from_millis(1);
        let calling = self.neighbours.len() < config::NEIGHBOURS_GOAL;
        let call = if calling { self.call_at } else { Time::NEVER };
        // Late and silent neighbours are looked at once in a while, only when somebody owes something.
        let owes = |one: &Neighbour| !one.greeted || !one.asks.is_empty();
        let owed = self.neighbours.values().any(owes);
        let look = if owed { self.now + Duration::from_millis(500) } else { Time::NEVER };
        let all = [
            self.ends_at,
            self.tell_at,
            call,
            look,
            self.limited_until(),
            self.gateway_wake(),
            self.held_wake(),
        ];
        all.into_iter().min().unwrap_or(Time::NEVER).max(soonest)
    }
}
