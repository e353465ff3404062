//! Allocate and Refresh (RFC 8656, 6 to 8).

mod wish;

use std::net::SocketAddr;

use primitives::Time;

use super::allocation::{Allocation, Granted};
use super::asker::Asker;
use super::authentication::Authentic;
use super::limits::{
    LIFETIME_DEFAULT_S, LIFETIME_MAX_S, PORT_TRIES_MAX, RESERVATION_LIFETIME, RESERVATIONS_MAX,
};
use super::machine::{Machine, Reservation};
use super::ports::Parity;
use super::users::{NoRoom, UserId};
use super::{FiveTuple, Output};
use crate::stun::attribute::{self, Family};
use crate::stun::{Builder, ErrorCode, Message};
use wish::Wish;

/// An allocation that waits for its sockets.
#[derive(Debug)]
pub(super) struct Pending {
    asker: Asker,
    user: UserId,
    lifetime_s: u32,
    wants: Vec<Want>,
    missing: Option<(Family, ErrorCode)>,
}

/// One relayed address in the making, with the reserved one after it if asked for.
#[derive(Debug)]
struct Want {
    family: Family,
    parity: Parity,
    relay: SocketAddr,
    /// The sockets, and which could be opened.
    sockets: Vec<(SocketAddr, Option<bool>)>,
    tries: u8,
}

impl Want {
    fn is_settled(&self) -> bool {
        self.sockets.iter().all(|(_, outcome)| outcome.is_some())
    }

    fn is_open(&self) -> bool {
        self.sockets.iter().all(|(_, outcome)| *outcome == Some(true))
    }

    /// The address kept for the other half of the pair.
    fn reserved(&self) -> Option<SocketAddr> {
        self.sockets.get(1).map(|(relay, _)| *relay)
    }
}

impl Machine {
    pub(super) fn on_allocate(
        &mut self,
        now: Time,
        asker: Asker,
        authentic: Authentic<'_>,
        request: &Message<'_>,
    ) {
        if self.pending.contains_key(&asker.client) {
            // The answer to the first of its transmissions is on its way.
            return;
        }
        if let Some(allocation) = self.allocation_of(&asker.client) {
            if allocation.transaction == asker.transaction {
                let response = granted(&asker, allocation);
                return self.answer(&asker, response);
            }
            return self.refuse(&asker, ErrorCode::AllocationMismatch);
        }
        match self.begin(now, &asker, &authentic, request) {
            Ok(pending) => self.wait(now, pending),
            Err(code) => self.refuse(&asker, code),
        }
    }

    fn begin(
        &mut self,
        now: Time,
        asker: &Asker,
        authentic: &Authentic<'_>,
        request: &Message<'_>,
    ) -> Result<Pending, ErrorCode> {
        let wish = Wish::read(request)?;
        let has = |family| self.ports.has(family);
        if !has(self.family_for(&wish)) && !wish.additional.is_some_and(has) {
            return Err(ErrorCode::AddressFamilyNotSupported);
        }
        let count = self.by_client.len() + self.pending.len();
        if self.is_draining() || count >= self.settings.allocations_max {
            return Err(ErrorCode::InsufficientCapacity);
        }
        let (name, expires) = (authentic.username, authentic.expires_unix_s);
        let user = self.users.enter(name, expires, self.unix_s(now)).map_err(|why| match why {
            NoRoom::User => ErrorCode::AllocationQuotaReached,
            NoRoom::Table => ErrorCode::InsufficientCapacity,
        })?;
        let (lifetime_s, wants) = (wish.lifetime_s, Vec::new());
        let mut pending = Pending { asker: asker.clone(), user, lifetime_s, wants, missing: None };
        let taken = self.take_addresses(now, &wish, &mut pending);
        if taken.is_err() {
            self.users.leave(user);
        }
        taken.map(|()| pending)
    }

    /// The family of a wish's first address. Who names none gets IPv4 (RFC 8656, 7.2), and IPv6 where that
    /// is all there is: browsers name none.
    fn family_for(&self, wish: &Wish) -> Family {
        let usual = if self.ports.has(Family::V4) { Family::V4 } else { Family::V6 };
        let alone = wish.family.is_none() && wish.additional.is_none();
        if alone { usual } else { wish.family.unwrap_or(Family::V4) }
    }

    /// Chooses addresses for a wish: at least one.
    fn take_addresses(
        &mut self,
        now: Time,
        wish: &Wish,
        pending: &mut Pending,
    ) -> Result<(), ErrorCode> {
        if let Some(token) = wish.token {
            self.end_reservations(now);
            let reservation = self.reservations.remove(&token);
            let relay = reservation.ok_or(ErrorCode::InsufficientCapacity)?.relay;
            pending.wants.push(Want {
                family: Family::of(relay.ip()),
                parity: Parity::Any,
                relay,
                sockets: vec![(relay, Some(true))],
                tries: PORT_TRIES_MAX,
            });
            return Ok(());
        }
        if wish.parity == Parity::EvenWithNext && self.reservations.len() >= RESERVATIONS_MAX {
            return Err(ErrorCode::InsufficientCapacity);
        }
        let first = self.family_for(wish);
        for family in std::iter::once(first).chain(wish.additional) {
            match self.take_address(family, wish.parity) {
                Some(want) => pending.wants.push(want),
                None if self.ports.has(family) => {
                    pending.missing = Some((family, ErrorCode::InsufficientCapacity));
                }
                None => pending.missing = Some((family, ErrorCode::AddressFamilyNotSupported)),
            }
        }
        if pending.wants.is_empty() { Err(ErrorCode::InsufficientCapacity) } else { Ok(()) }
    }

    fn take_address(&mut self, family: Family, parity: Parity) -> Option<Want> {
        let relay = self.ports.take(family, parity)?;
        let mut sockets = vec![(relay, None)];
        if parity == Parity::EvenWithNext {
            let next = relay.port().checked_add(1).expect("the port is even");
            sockets.push((SocketAddr::new(relay.ip(), next), None));
        }
        Some(Want { family, parity, relay, sockets, tries: 1 })
    }

    /// Asks for the sockets; goes on in [`Machine::opened`], or at once if there is nothing to open.
    fn wait(&mut self, now: Time, pending: Pending) {
        let client = pending.asker.client;
        for want in &pending.wants {
            self.open(client, want);
        }
        let settled = pending.wants.iter().all(Want::is_settled);
        if settled {
            self.finish(now, pending);
        } else {
            self.pending.insert(client, pending);
        }
    }

    fn open(&mut self, client: FiveTuple, want: &Want) {
        for (relay, _) in want.sockets.iter().filter(|(_, outcome)| outcome.is_none()) {
            self.opening.insert(*relay, client);
            self.put(Output::Open(*relay));
        }
    }

    /// The driver opened the socket of a relayed address, or could not.
    pub fn opened(&mut self, now: Time, relay: SocketAddr, ok: bool) {
        let now = self.pass(now);
        let Some(client) = self.opening.remove(&relay) else { return };
        let Some(mut pending) = self.pending.remove(&client) else { return };
        for want in &mut pending.wants {
            let socket = want.sockets.iter_mut().find(|(address, _)| *address == relay);
            let Some((_, outcome)) = socket else { continue };
            *outcome = Some(ok);
            if want.is_settled() && !want.is_open() {
                self.try_another(client, want);
            }
        }
        let given_up = pending.wants.iter().find(|want| want.sockets.is_empty());
        if let Some(want) = given_up {
            pending.missing = Some((want.family, ErrorCode::InsufficientCapacity));
        }
        pending.wants.retain(|want| !want.sockets.is_empty());
        if pending.wants.iter().all(Want::is_settled) {
            self.finish(now, pending);
        } else {
            self.pending.insert(client, pending);
        }
    }

    /// The system refused a port (another program has it): another, a few times. A want without
    /// sockets is given up.
    fn try_another(&mut self, client: FiveTuple, want: &mut Want) {
        for (relay, outcome) in std::mem::take(&mut want.sockets) {
            match outcome {
                Some(true) => self.close(relay),
                _ => self.ports.free(relay),
            }
        }
        if want.tries < PORT_TRIES_MAX
            && let Some(other) = self.take_address(want.family, want.parity)
        {
            *want = Want { tries: want.tries + 1, ..other };
            self.open(client, want);
        }
    }

    /// All sockets are there, or given up.
    fn finish(&mut self, now: Time, pending: Pending) {
        let Pending { asker, user, lifetime_s, wants, missing } = pending;
        if wants.is_empty() {
            self.users.leave(user);
            return self.refuse(&asker, ErrorCode::InsufficientCapacity);
        }
        let reserved = wants.iter().find_map(Want::reserved);
        let reservation = reserved.map(|relay| self.reserve(now, relay));
        let lifetime = std::time::Duration::from_secs(u64::from(lifetime_s));
        let granted_now = Granted { lifetime_s, reservation, missing };
        let (_, key) = asker.signing.clone().expect("only good requests come here");
        let mut allocation = Allocation::new(
            (asker.client, user, key),
            asker.transaction,
            granted_now,
            now + lifetime,
        );
        for want in &wants {
            *allocation.relayed_mut(want.family) = Some(want.relay);
        }
        let response = granted(&asker, &allocation);
        self.insert(allocation);
        self.stats.allocations += 1;
        self.answer(&asker, response);
    }

    fn insert(&mut self, allocation: Allocation) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.by_client.insert(allocation.client, slot);
        for relay in allocation.all_relayed() {
            self.by_relay.insert(relay, slot);
        }
        self.expiries.insert((allocation.expires, slot));
        self.slots[slot] = Some(allocation);
    }

    fn reserve(&mut self, now: Time, relay: SocketAddr) -> [u8; 8] {
        self.tokens_made += 1;
        let token = self.tokens.derive(&self.tokens_made.to_string());
        let token = *token.as_bytes().first_chunk().expect("a seed is longer than a token");
        let expires = now + RESERVATION_LIFETIME;
        self.reservations.insert(token, Reservation { relay, expires });
        token
    }

    /// Gives back ports whose allocation did not come.
    pub(super) fn end_reservations(&mut self, now: Time) {
        let over = |reservation: &Reservation| reservation.expires <= now;
        let ended: Vec<([u8; 8], SocketAddr)> = self
            .reservations
            .iter()
            .filter(|(_, reservation)| over(reservation))
            .map(|(token, reservation)| (*token, reservation.relay))
            .collect();
        for (token, relay) in ended {
            self.reservations.remove(&token);
            self.close(relay);
        }
    }

    /// A client that is gone waits for nothing.
    pub(super) fn abandon(&mut self, client: &FiveTuple) {
        let Some(pending) = self.pending.remove(client) else { return };
        self.users.leave(pending.user);
        for (relay, _) in pending.wants.into_iter().flat_map(|want| want.sockets) {
            self.opening.remove(&relay);
            self.close(relay);
        }
    }

    pub(super) fn on_refresh(&mut self, now: Time, asker: &Asker, request: &Message<'_>) {
        match self.refresh(now, asker, request) {
            Ok(lifetime_s) => {
                let value = lifetime_s.to_be_bytes();
                self.answer(asker, asker.success().put(attribute::LIFETIME, &value));
            }
            Err(code) => self.refuse(asker, code),
        }
    }

    fn refresh(
        &mut self,
        now: Time,
        asker: &Asker,
        request: &Message<'_>,
    ) -> Result<u32, ErrorCode> {
        let lifetime_s = wish::lifetime_s(request)?;
        let family = wish::family(request, attribute::REQUESTED_ADDRESS_FAMILY)?;
        let slot = self.by_client.get(&asker.client).copied();
        let slot = slot.ok_or(ErrorCode::AllocationMismatch)?;
        let allocation = self.slots[slot].as_mut().ok_or(ErrorCode::AllocationMismatch)?;
        if family.is_some_and(|family| allocation.relayed(family).is_none()) {
            return Err(ErrorCode::PeerAddressFamilyMismatch);
        }
        if lifetime_s != Some(0) {
            let lifetime_s = lifetime(lifetime_s);
            let old = allocation.expires;
            allocation.expires = now + std::time::Duration::from_secs(u64::from(lifetime_s));
            let new = allocation.expires;
            self.expiries.remove(&(old, slot));
            self.expiries.insert((new, slot));
            return Ok(lifetime_s);
        }
        match family.filter(|_| allocation.v4.is_some() && allocation.v6.is_some()) {
            Some(family) => {
                if let Some(relay) = allocation.relayed_mut(family).take() {
                    self.by_relay.remove(&relay);
                    self.close(relay);
                }
            }
            None => self.end(slot),
        }
        Ok(0)
    }
}

/// What is granted of the lifetime asked for.
fn lifetime(asked_s: Option<u32>) -> u32 {
    asked_s.unwrap_or(LIFETIME_DEFAULT_S).clamp(LIFETIME_DEFAULT_S, LIFETIME_MAX_S)
}

/// The answer to a good Allocate request.
fn granted(asker: &Asker, allocation: &Allocation) -> Builder {
    let mut response = asker.success();
    for relay in allocation.all_relayed() {
        response = response.put_address(attribute::XOR_RELAYED_ADDRESS, relay);
    }
    let Granted { lifetime_s, reservation, missing } = allocation.granted;
    response = response.put(attribute::LIFETIME, &lifetime_s.to_be_bytes());
    if let Some(token) = reservation {
        response = response.put(attribute::RESERVATION_TOKEN, &token);
    }
    if let Some((family, code)) = missing {
        let (hundreds, rest, phrase) = code.parts();
        let value = [&[family.number(), 0, hundreds, rest], phrase.as_bytes()].concat();
        response = response.put(attribute::ADDRESS_ERROR_CODE, &value);
    }
    response.put_address(attribute::XOR_MAPPED_ADDRESS, allocation.client.remote)
}
