//! Which relayed addresses are taken, and which is next.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use primitives::Rng;

use super::limits::PORT_LOOKS_MAX;
use crate::stun::attribute::Family;

/// What kind of port is looked for (RFC 8656, 18.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parity {
    /// Any.
    Any,
    /// An even one.
    Even,
    /// An even one whose successor is free too.
    EvenWithNext,
}

/// Addresses given out. Ports are drawn at random: who can guess one can send to it.
#[derive(Debug)]
pub(super) struct Ports {
    ips: Vec<IpAddr>,
    range: RangeInclusive<u16>,
    taken: BTreeSet<SocketAddr>,
    rng: Rng,
}

impl Ports {
    pub(super) fn new(ips: Vec<IpAddr>, range: RangeInclusive<u16>, rng: Rng) -> Self {
        Self { ips, range, taken: BTreeSet::new(), rng }
    }

    /// Whether there are addresses of a family.
    pub(super) fn has(&self, family: Family) -> bool {
        self.ip(family).is_some()
    }

    /// Whether a port can be one of a relayed address.
    pub(super) fn is_relayed(&self, port: u16) -> bool {
        self.range.contains(&port)
    }

    fn ip(&self, family: Family) -> Option<IpAddr> {
        self.ips.iter().copied().find(|ip| Family::of(*ip) == family)
    }

    /// Takes a free address, and its successor if asked for. `None`: none was found.
    pub(super) fn take(&mut self, family: Family, parity: Parity) -> Option<SocketAddr> {
        let ip = self.ip(family)?;
        for _ in 0..PORT_LOOKS_MAX {
            let port = self.rng.u16(self.range.clone());
            let port = if parity == Parity::Any { port } else { port & !1 };
            let next = port.checked_add(1).map(|next| SocketAddr::new(ip, next));
            let address = SocketAddr::new(ip, port);
            let free = |address: &SocketAddr| {
                self.range.contains(&address.port()) && !self.taken.contains(address)
            };
            let next = (parity == Parity::EvenWithNext).then_some(next);
            if !free(&address) || next.is_some_and(|next| !next.as_ref().is_some_and(free)) {
                continue;
            }
            self.taken.insert(address);
            self.taken.extend(next.flatten());
            return Some(address);
        }
        None
    }

    /// Gives an address back.
    pub(super) fn free(&mut self, address: SocketAddr) {
        self.taken.remove(&address);
    }

    #[cfg(test)]
    pub(super) fn taken(&self) -> &BTreeSet<SocketAddr> {
        &self.taken
    }
}
