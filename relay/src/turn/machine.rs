//! The machine: its tables, and what comes in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use primitives::{Seed, Time};

use super::allocate::Pending;
use super::allocation::Allocation;
use super::asker::Asker;
use super::bucket::Bucket;
use super::ports::Ports;
use super::stats::{Drop, Stats};
use super::users::{UserLimits, Users};
use super::{FiveTuple, Output, Settings, Verdict};
use crate::nonce::Nonces;
use crate::peers::PeerRules;
use crate::stun::{Builder, Class, ErrorCode, Message, attribute, method};

/// Place of an allocation.
pub(super) type Slot = usize;

/// How often credentials that expired are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Attributes of requests that we know; others below [`attribute::OPTIONAL_FROM`] are refused.
const KNOWN: [u16; 14] = [
    attribute::USERNAME,
    attribute::MESSAGE_INTEGRITY,
    attribute::CHANNEL_NUMBER,
    attribute::LIFETIME,
    attribute::XOR_PEER_ADDRESS,
    attribute::DATA,
    attribute::REALM,
    attribute::NONCE,
    attribute::REQUESTED_ADDRESS_FAMILY,
    attribute::EVEN_PORT,
    attribute::REQUESTED_TRANSPORT,
    attribute::DONT_FRAGMENT,
    attribute::PASSWORD_ALGORITHM,
    attribute::RESERVATION_TOKEN,
];

/// A port kept for the second half of a pair (RFC 8656, 7.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Reservation {
    pub(super) relay: SocketAddr,
    pub(super) expires: Time,
}

/// All allocations of one relay.
///
/// Maps that are looked up for every datagram are hash maps; none of them is iterated, so that what
/// the machine does depends on its inputs and its seed alone.
#[derive(Debug)]
pub struct Machine {
    pub(super) settings: Settings,
    pub(super) rules: PeerRules,
    pub(super) nonces: Nonces,
    pub(super) tokens: Seed,
    pub(super) tokens_made: u64,
    pub(super) ports: Ports,
    pub(super) users: Users,
    pub(super) slots: Vec<Option<Allocation>>,
    pub(super) free: Vec<Slot>,
    pub(super) by_client: HashMap<FiveTuple, Slot>,
    pub(super) by_relay: HashMap<SocketAddr, Slot>,
    pub(super) expiries: BTreeSet<(Time, Slot)>,
    /// Allocations that wait for their sockets.
    pub(super) pending: BTreeMap<FiveTuple, Pending>,
    pub(super) opening: BTreeMap<SocketAddr, FiveTuple>,
    pub(super) reservations: BTreeMap<[u8; 8], Reservation>,
    pub(super) all: Bucket,
    strangers: Bucket,
    draining: bool,
    forget_at: Time,
    pub(super) now: Time,
    pub(super) stats: Stats,
    outputs: Vec<Output>,
}

impl Machine {
    /// A machine without allocations. `seed` must be unknown to strangers: nonces, reservation
    /// tokens and ports come from it.
    pub fn new(settings: Settings, seed: &Seed) -> Self {
        let rules = PeerRules::new(
            settings.relay_ips.clone(),
            settings.allowed_peers.clone(),
            settings.denied_peers.clone(),
        );
        let rng = seed.derive("ports").rng();
        Self {
            rules,
            nonces: Nonces::new(seed.derive("nonces")),
            tokens: seed.derive("reservations"),
            tokens_made: 0,
            ports: Ports::new(settings.relay_ips.clone(), settings.ports.clone(), rng),
            users: Users::new(UserLimits {
                allocations_max: settings.user_allocations_max,
                bytes_max: settings.user_bytes_max,
                bits_per_s: settings.user_bits_per_s,
            }),
            slots: Vec::new(),
            free: Vec::new(),
            by_client: HashMap::new(),
            by_relay: HashMap::new(),
            expiries: BTreeSet::new(),
            pending: BTreeMap::new(),
            opening: BTreeMap::new(),
            reservations: BTreeMap::new(),
            all: Bucket::default(),
            strangers: Bucket::default(),
            draining: false,
            forget_at: Time::ZERO + FORGET_EVERY,
            now: Time::ZERO,
            stats: Stats::default(),
            outputs: Vec::new(),
            settings,
        }
    }

    /// A datagram, or one message of a stream, from a client. The driver does what the verdict and
    /// [`Machine::take_outputs`] say.
    pub fn datagram(&mut self, now: Time, client: &FiveTuple, bytes: &[u8]) -> Verdict {
        let now = self.pass(now);
        match bytes.first() {
            Some(0x40..=0x7f) => self.on_channel_data(now, client, bytes),
            Some(0x00..=0x3f) => match Message::parse(bytes) {
                Ok(message) => self.on_message(now, client, &message),
                Err(_) => self.dropped(Drop::Malformed),
            },
            _ => self.dropped(Drop::Malformed),
        }
    }

    fn on_message(&mut self, now: Time, client: &FiveTuple, message: &Message<'_>) -> Verdict {
        match (message.class(), message.method()) {
            (Class::Indication, method::SEND) => self.on_send(now, client, message),
            // A client keeps its NAT open with it (RFC 8656, 3.5).
            (Class::Indication, method::BINDING) => Verdict::Nothing,
            (Class::Request, _) => {
                self.on_request(now, Asker::new(*client, message), message);
                Verdict::Nothing
            }
            _ => self.dropped(Drop::Malformed),
        }
    }

    fn on_request(&mut self, now: Time, mut asker: Asker, request: &Message<'_>) {
        if asker.method == method::BINDING {
            let response = match unknown(request) {
                Some(list) => asker
                    .error(ErrorCode::UnknownAttribute)
                    .put(attribute::UNKNOWN_ATTRIBUTES, &list),
                None => {
                    let seen = asker.client.remote;
                    asker.success().put_address(attribute::XOR_MAPPED_ADDRESS, seen)
                }
            };
            return self.answer_stranger(now, &asker, response);
        }
        if !matches!(
            asker.method,
            method::ALLOCATE | method::REFRESH | method::CREATE_PERMISSION | method::CHANNEL_BIND
        ) {
            self.stats.drop(Drop::Malformed);
            return;
        }
        let Some(authentic) = self.authenticate(now, &mut asker, request) else { return };
        if let Some(list) = unknown(request) {
            self.stats.refuse(ErrorCode::UnknownAttribute);
            let response = asker.error(ErrorCode::UnknownAttribute);
            return self.answer(&asker, response.put(attribute::UNKNOWN_ATTRIBUTES, &list));
        }
        match asker.method {
            method::ALLOCATE => self.on_allocate(now, asker, authentic, request),
            method::REFRESH => self.on_refresh(now, &asker, request),
            method::CREATE_PERMISSION => self.on_create_permission(now, &asker, request),
            _ => self.on_channel_bind(now, &asker, request),
        }
    }

    /// The stream of a client ended: its allocation does too.
    pub fn closed(&mut self, client: &FiveTuple) {
        self.abandon(client);
        if let Some(slot) = self.by_client.get(client).copied() {
            self.end(slot);
        }
    }

    /// Time passed. When to call next, if nothing happens first.
    pub fn tick(&mut self, now: Time) -> Time {
        let now = self.pass(now);
        while let Some(&(expires, slot)) = self.expiries.first()
            && expires <= now
        {
            self.end(slot);
        }
        self.end_reservations(now);
        if now >= self.forget_at {
            self.users.forget_expired(self.unix_s(now));
            self.forget_at = now + FORGET_EVERY;
        }
        let reserved = self.reservations.values().map(|reservation| reservation.expires);
        let ending = self.expiries.first().map(|(expires, _)| *expires);
        reserved.chain(ending).chain([self.forget_at]).min().unwrap_or(Time::NEVER)
    }

    /// No new allocations from now on; those there are go on.
    pub fn drain(&mut self) {
        self.draining = true;
    }

    /// What the driver has to do, in order. `into` is emptied first: its memory is used again.
    pub fn take_outputs(&mut self, into: &mut Vec<Output>) {
        into.clear();
        std::mem::swap(&mut self.outputs, into);
    }

    /// Counters.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        (stats.allocations_now, stats.users_now) = (self.by_client.len(), self.users.count());
        stats
    }

    /// Whether the client has an allocation, or is about to.
    pub fn has_allocation(&self, client: &FiveTuple) -> bool {
        self.by_client.contains_key(client) || self.pending.contains_key(client)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining
    }

    /// Unix time in seconds.
    pub(super) fn unix_s(&self, now: Time) -> u64 {
        self.settings.unix_s_at_zero.saturating_add(now.as_ms() / 1000)
    }

    pub(super) fn allocation_of(&self, client: &FiveTuple) -> Option<&Allocation> {
        self.slots[*self.by_client.get(client)?].as_ref()
    }

    pub(super) fn allocation_mut(&mut self, client: &FiveTuple) -> Option<&mut Allocation> {
        self.slots[*self.by_client.get(client)?].as_mut()
    }

    /// Ends an allocation and gives back everything it had.
    pub(super) fn end(&mut self, slot: Slot) {
        let Some(allocation) = self.slots[slot].take() else { return };
        self.free.push(slot);
        self.by_client.remove(&allocation.client);
        self.expiries.remove(&(allocation.expires, slot));
        self.users.leave(allocation.user);
        for relay in allocation.all_relayed() {
            self.by_relay.remove(&relay);
            self.close(relay);
        }
    }

    /// Gives a relayed address back.
    pub(super) fn close(&mut self, relay: SocketAddr) {
        self.ports.free(relay);
        self.put(Output::Close(relay));
    }

    pub(super) fn put(&mut self, output: Output) {
        self.outputs.push(output);
    }

    pub(super) fn answer(&mut self, asker: &Asker, response: Builder) {
        let bytes = asker.finish(response);
        self.put(Output::Reply { to: asker.client, bytes });
    }

    /// Answers somebody who could be anybody: as many as the bound allows.
    pub(super) fn answer_stranger(&mut self, now: Time, asker: &Asker, response: Builder) {
        if self.strangers.take(now, 1, self.settings.strangers_per_s) {
            self.answer(asker, response);
        } else {
            self.stats.drop(Drop::Strangers);
        }
    }

    pub(super) fn refuse(&mut self, asker: &Asker, code: ErrorCode) {
        self.stats.refuse(code);
        self.answer(asker, asker.error(code));
    }

    pub(super) fn dropped(&mut self, why: Drop) -> Verdict {
        self.stats.drop(why);
        Verdict::Nothing
    }

    /// Whether a peer's port is one a relayed address of ours can have.
    pub(super) fn is_relayed(&self, peer: SocketAddr) -> bool {
        self.ports.is_relayed(peer.port())
    }

    /// Addresses relayed addresses are of.
    pub fn relay_ips(&self) -> &[IpAddr] {
        &self.settings.relay_ips
    }

    /// Time never runs backwards.
    pub(super) fn pass(&mut self, now: Time) -> Time {
        self.now = self.now.max(now);
        self.now
    }
}

/// The value of UNKNOWN-ATTRIBUTES for a request, if it has such; each kind once.
pub(super) fn unknown(request: &Message<'_>) -> Option<Vec<u8>> {
    let kinds = request.attributes().map(|(kind, _)| kind);
    let unknown: BTreeSet<u16> =
        kinds.filter(|kind| *kind < attribute::OPTIONAL_FROM && !KNOWN.contains(kind)).collect();
    let list: Vec<u8> = unknown.into_iter().flat_map(u16::to_be_bytes).collect();
    (!list.is_empty()).then_some(list)
}
