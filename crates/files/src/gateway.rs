//! Which block is asked of a gateway: what no neighbour would give, or not in time, after peers had time to
//! come.
//!
//! A gateway is an HTTP server that gives blocks by their CIDs (`docs/spec/files.md`, "Gateway"). It is
//! trusted no more than a stranger: what it gives is a block when it hashes to its name.

use content::{Candidate, Cid};
use core::time::Duration;
use primitives::{Hash, PeerId, SortedMap, Time};

use crate::{
    NotFetched, Output, Share, config,
    neighbour::{Neighbour, length},
    places::State,
    view::GatewayState,
};

/// The gateway of a share.
#[derive(Debug)]
pub(crate) struct Gateway {
    state: GatewayState,
    /// It is not asked before this.
    from: Time,
    wait: Duration,
    /// It waits, for it gave nothing.
    is_resting: bool,
    /// Blocks it was asked for, and the bytes expected; at most [`config::GATEWAY_ASKS_MAX`].
    asks: SortedMap<Cid, u64>,
    /// Blocks it does not have, until when that is believed; at most [`config::GATEWAY_LACKS_MAX`].
    lacks: SortedMap<Cid, Time>,
    received_bytes: u64,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            state: GatewayState::Off,
            from: Time::NEVER,
            wait: config::GATEWAY_WAIT.0,
            is_resting: false,
            asks: SortedMap::new(),
            lacks: SortedMap::new(),
            received_bytes: 0,
        }
    }
}

impl Gateway {
    pub(crate) const fn state(&self) -> GatewayState {
        self.state
    }

    pub(crate) const fn received_bytes(&self) -> u64 {
        self.received_bytes
    }

    pub(crate) fn owes(&self, cid: &Cid) -> bool {
        self.asks.contains_key(cid)
    }

    pub(crate) fn asked_bytes(&self) -> u64 {
        self.asks.values().sum()
    }

    pub(crate) fn may_be_asked(&self, now: Time, cid: &Cid) -> bool {
        !self.owes(cid) && !self.lacks(now, cid)
    }

    const fn is_used(&self) -> bool {
        !matches!(self.state, GatewayState::Off | GatewayState::Lied)
    }

    fn lacks(&self, now: Time, cid: &Cid) -> bool {
        self.lacks.get(cid).is_some_and(|until| *until > now)
    }

    /// It gave nothing: asked again later, and later still. Answers that come together count once.
    fn rest(&mut self, now: Time) {
        if !self.is_resting {
            self.is_resting = true;
            self.from = now + self.wait;
            self.wait = (self.wait * 2).min(config::GATEWAY_WAIT.1);
        }
    }
}

impl Share {
    pub(crate) fn set_gateway(&mut self, on: bool) {
        // What another gateway still owes is not waited for, nor held against this one.
        let asks = std::mem::take(&mut self.gateway.asks);
        let received_bytes = self.gateway.received_bytes;
        self.gateway = Gateway { received_bytes, ..Gateway::default() };
        for cid in asks.keys() {
            self.unasked(cid);
        }
        if on {
            self.gateway.state = GatewayState::Waiting;
            self.gateway.from = self.now + config::GATEWAY_AFTER;
        }
    }

    /// Asks the gateway for what nobody else would give.
    pub(crate) fn ask_gateway(&mut self, out: &mut Vec<Output>) {
        let able = self.gateway.is_used() && !self.paused && !self.full;
        if !able || self.now < self.gateway.from || !self.lacks_something() {
            return;
        }
        self.gateway.is_resting = false;
        while self.gateway.asks.len() < config::GATEWAY_ASKS_MAX
            && self.coming_bytes() < config::COMING_BYTES_MAX
        {
            let picked = self.due_late().or_else(|| self.pick_for_gateway());
            let picked = picked.or_else(|| self.pick_late_for_gateway());
            let Some((cid, bytes)) = picked else { break };
            self.set_state(&cid, State::Asked);
            self.gateway.asks.insert(cid, bytes);
            out.push(Output::Fetch(cid));
        }
        // To look through the whole list at every frame would cost more than it brings.
        self.gateway.from = self.now + config::GATEWAY_EVERY;
    }

    /// A block that no neighbour has, or would give.
    fn pick_for_gateway(&mut self) -> Option<(Cid, u64)> {
        let (now, me) = (self.now, self.config.me);
        let (gateway, all) = (&self.gateway, &self.neighbours);
        let gives = |neighbour: &&Neighbour| {
            neighbour.greeted
                && neighbour.uploads
                && !neighbour.choked
                && neighbour.silent_for(now) < config::STALLED
        };
        // Whoever greeted has the front of the share, as far as is known.
        let front = self.opening.missing().find(|cid| {
            !gateway.lacks(now, cid)
                && !all.values().filter(gives).any(|neighbour| !neighbour.declined(now, cid))
        });
        if let Some(cid) = front {
            return Some((cid, u64::from(wire::limits::BLOCK_BYTES_MAX)));
        }
        let places = self.places.as_mut()?;
        let nobody_has = |place, cid: &Cid| {
            !gateway.lacks(now, cid)
                && !all.values().filter(gives).any(|neighbour| {
                    neighbour.holds.contains(place) && !neighbour.declined(now, cid)
                })
        };
        let next = places.next(&me, nobody_has, |_, _| true, |_| 0)?;
        Some((next.cid, places.block_bytes(next.place)))
    }

    /// A block that a neighbour owes for too long.
    fn pick_late_for_gateway(&self) -> Option<(Cid, u64)> {
        let now = self.now;
        let asked = self.neighbours.values().flat_map(|neighbour| &neighbour.asks);
        let mut late = asked.filter(|ask| ask.is_late(now));
        let ask = late.find(|ask| self.gateway.may_be_asked(now, &ask.cid))?;
        Some((ask.cid, ask.expected_bytes))
    }

    /// The gateway's answer, hashed by the driver.
    pub(crate) fn on_fetched(
        &mut self,
        cid: Cid,
        digest: Hash,
        bytes: Vec<u8>,
        out: &mut Vec<Output>,
    ) {
        if self.gateway.asks.remove(&cid).is_none() {
            return;
        }
        let size = length(bytes.len());
        if !matches!(self.state_of(&cid), Some(State::Asked | State::Missing)) {
            // A neighbour was sooner.
            self.wasted_bytes += size;
            return;
        }
        let Ok(block) = (Candidate { cid, bytes }).verify_digest(digest) else {
            self.gateway.state = GatewayState::Lied;
            return self.unasked(&cid);
        };
        for peer in self.neighbours.keys().copied().collect::<Vec<PeerId>>() {
            self.take_back(peer, &cid, out);
        }
        self.set_state(&cid, State::Coming);
        self.coming.insert(cid, size);
        self.received.add(self.now, u32::try_from(size).unwrap_or(u32::MAX));
        let gateway = &mut self.gateway;
        gateway.received_bytes += size;
        if gateway.is_used() {
            (gateway.state, gateway.wait) = (GatewayState::Gives, config::GATEWAY_WAIT.0);
            (gateway.from, gateway.is_resting) = (self.now, false);
        }
        self.on_verified(block, out);
    }

    pub(crate) fn on_not_fetched(&mut self, cid: &Cid, why: NotFetched) {
        if self.gateway.asks.remove(cid).is_none() {
            return;
        }
        let (now, gateway) = (self.now, &mut self.gateway);
        if why == NotFetched::Lacking {
            if gateway.lacks.len() >= config::GATEWAY_LACKS_MAX {
                gateway.lacks.pop_first();
            }
            gateway.lacks.insert(*cid, now + config::GATEWAY_LACKS_FOR);
        }
        if gateway.is_used() {
            gateway.state = match why {
                NotFetched::Lacking => GatewayState::Lacks,
                NotFetched::Unreachable => GatewayState::Unreachable,
            };
        }
        gateway.rest(now);
        self.unasked(cid);
    }

    /// When to look again whether the gateway is needed.
    pub(crate) fn gateway_wake(&self) -> Time {
        let able = self.gateway.is_used() && !self.paused && !self.full;
        if able && self.lacks_something() { self.gateway.from } else { Time::NEVER }
    }
}
